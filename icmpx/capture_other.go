//go:build !linux

package icmpx

import "time"

// A PacketSocket is implemented on Linux only; here every method returns an
// error that is errors.ErrUnsupported.
type PacketSocket struct{}

// ListenPackets returns an error that is errors.ErrUnsupported.
func ListenPackets(PacketConfig) (*PacketSocket, error) { return nil, errNoSockets }

// Next returns an error that is errors.ErrUnsupported.
func (*PacketSocket) Next(*CapturedPacket) error { return errNoSockets }

// Ready returns false.
func (*PacketSocket) Ready() bool { return false }

// SetReadDeadline returns an error that is errors.ErrUnsupported.
func (*PacketSocket) SetReadDeadline(time.Time) error { return errNoSockets }

// Drain returns an error that is errors.ErrUnsupported.
func (*PacketSocket) Drain() error { return errNoSockets }

// Stats returns the zero PacketStats.
func (*PacketSocket) Stats() PacketStats { return PacketStats{} }

// Link returns 0.
func (*PacketSocket) Link() uint16 { return 0 }

// IncomingOnly returns false.
func (*PacketSocket) IncomingOnly() bool { return false }

// Close returns an error that is errors.ErrUnsupported.
func (*PacketSocket) Close() error { return errNoSockets }
