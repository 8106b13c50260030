//go:build !linux

package icmpx

import "net/netip"

// A RawSender is implemented on Linux only; here every method returns an error
// that is errors.ErrUnsupported.
type RawSender struct{}

// OpenRaw returns an error that is errors.ErrUnsupported.
func OpenRaw(RawConfig) (*RawSender, error) { return nil, errNoSockets }

// RouteSource returns an error that is errors.ErrUnsupported.
func RouteSource(RawConfig, netip.Addr) (netip.Addr, error) { return netip.Addr{}, errNoSockets }

// SourceFor returns an error that is errors.ErrUnsupported.
func (*RawSender) SourceFor(netip.Addr) (netip.Addr, error) { return netip.Addr{}, errNoSockets }

// Send returns an error that is errors.ErrUnsupported.
func (*RawSender) Send([]byte, netip.Addr) error { return errNoSockets }

// Close returns an error that is errors.ErrUnsupported.
func (*RawSender) Close() error { return errNoSockets }
