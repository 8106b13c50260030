//go:build !linux

package icmpx

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

var errNoSockets = fmt.Errorf("icmp sockets: %w", errors.ErrUnsupported)

// An ICMPLink is implemented on Linux only; here every method returns an error
// that is errors.ErrUnsupported.
type ICMPLink struct{}

// ListenICMP returns an error that is errors.ErrUnsupported.
func ListenICMP(ICMPConfig) (*ICMPLink, error) { return nil, errNoSockets }

// Keys returns false.
func (*ICMPLink) Keys(*Request) (KeySpace, bool) { return KeySpace{}, false }

// Send returns an error that is errors.ErrUnsupported.
func (*ICMPLink) Send([]Request) (int, error) { return 0, errNoSockets }

// Recv returns an error that is errors.ErrUnsupported.
func (*ICMPLink) Recv([]Reply) (int, error) { return 0, errNoSockets }

// SetRecvDeadline returns an error that is errors.ErrUnsupported.
func (*ICMPLink) SetRecvDeadline(time.Time) error { return errNoSockets }

// Close returns an error that is errors.ErrUnsupported.
func (*ICMPLink) Close() error { return errNoSockets }

// Connect returns an error that is errors.ErrUnsupported.
func (*ICMPLink) Connect(netip.Addr) error { return errNoSockets }

// MaxPayload returns 0.
func (*ICMPLink) MaxPayload() int { return 0 }

// Mode returns ModeAuto.
func (*ICMPLink) Mode() Mode { return ModeAuto }

// Family returns 0.
func (*ICMPLink) Family() Family { return 0 }

// ID returns 0.
func (*ICMPLink) ID() uint16 { return 0 }

// LocalAddr returns the zero Addr.
func (*ICMPLink) LocalAddr() netip.Addr { return netip.Addr{} }

// SourceFor returns an error that is errors.ErrUnsupported.
func (*ICMPLink) SourceFor(netip.Addr) (netip.Addr, error) { return netip.Addr{}, errNoSockets }

// MTUFor returns an error that is errors.ErrUnsupported.
func (*ICMPLink) MTUFor(netip.Addr) (int, error) { return 0, errNoSockets }

// String returns "no icmp socket".
func (*ICMPLink) String() string { return "no icmp socket" }

// DropPrivileges returns an error that is errors.ErrUnsupported.
func DropPrivileges() error { return errNoSockets }

// DropPrivilegesExcept returns an error that is errors.ErrUnsupported.
func DropPrivilegesExcept(...Capability) error { return errNoSockets }
