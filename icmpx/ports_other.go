//go:build !linux

package icmpx

import (
	"net/netip"
	"time"
)

// A UDPLink is implemented on Linux only; here every method returns an error
// that is errors.ErrUnsupported.
type UDPLink struct{ portLink }

// A TCPLink is implemented on Linux only; here every method returns an error
// that is errors.ErrUnsupported.
type TCPLink struct{ portLink }

// ListenUDP returns an error that is errors.ErrUnsupported.
func ListenUDP(UDPConfig) (*UDPLink, error) { return nil, errNoSockets }

// ListenTCP returns an error that is errors.ErrUnsupported.
func ListenTCP(TCPConfig) (*TCPLink, error) { return nil, errNoSockets }

type portLink struct{}

// Keys returns false.
func (*portLink) Keys(*Request) (KeySpace, bool) { return KeySpace{}, false }

// Send returns an error that is errors.ErrUnsupported.
func (*portLink) Send([]Request) (int, error) { return 0, errNoSockets }

// Recv returns an error that is errors.ErrUnsupported.
func (*portLink) Recv([]Reply) (int, error) { return 0, errNoSockets }

// SetRecvDeadline returns an error that is errors.ErrUnsupported.
func (*portLink) SetRecvDeadline(time.Time) error { return errNoSockets }

// Close returns an error that is errors.ErrUnsupported.
func (*portLink) Close() error { return errNoSockets }

// Mode returns ModeAuto.
func (*portLink) Mode() Mode { return ModeAuto }

// Family returns 0.
func (*portLink) Family() Family { return 0 }

// SourcePorts returns nil.
func (*portLink) SourcePorts() []uint16 { return nil }

// Limit returns 0.
func (*portLink) Limit() int { return 0 }

// LocalAddr returns the zero Addr.
func (*portLink) LocalAddr() netip.Addr { return netip.Addr{} }

// SourceFor returns an error that is errors.ErrUnsupported.
func (*portLink) SourceFor(netip.Addr) (netip.Addr, error) { return netip.Addr{}, errNoSockets }

// MTUFor returns an error that is errors.ErrUnsupported.
func (*portLink) MTUFor(netip.Addr) (int, error) { return 0, errNoSockets }

// String returns "no sockets".
func (*portLink) String() string { return "no sockets" }
