package render

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A Host is a target as it appears in output.
type Host struct {
	Name   string     // as the user gave it
	Addr   netip.Addr // what it resolved to
	Source netip.Addr // this host's address towards it; zero if not known

	// Interface and FromSource are what -I asked for; they are shown.
	Interface  string
	FromSource bool

	FlowLabel uint32 // of IPv6 that -F asked for; 0: none
	Group     bool   // multicast: more than one may answer each probe

	Query   string     // what is asked instead of echo, in one word; "": echo
	Payload int        // bytes behind the ICMP header
	Options int        // bytes of IPv4 options
	Socket  icmpx.Mode // raw or datagram
}

// PacketBytes returns the length in bytes of the whole IP packet of a probe.
func (h *Host) PacketBytes() int {
	return icmpx.FamilyOf(h.Addr).HeaderLen() + h.Options + 8 + h.Payload
}

// HeaderBytes returns the length in bytes of what stands before the payload in
// the packet of a probe.
func (h *Host) HeaderBytes() int { return h.PacketBytes() - h.Payload }

// IsLocal reports whether an event is a failure of this host: it could not
// send, or the packet exceeds a limit that it knows itself.
func IsLocal(h *Host, ev *probe.PingEvent) bool {
	if ev.Kind != probe.PingError || ev.Result == nil {
		return false
	}
	r := &ev.Result.Reply
	switch {
	case ev.Result.Fate == probe.Failed:
		return true
	case r.Kind != icmpx.KindTooBig:
		return false
	}
	return !r.From.IsValid() || r.From.WithZone("") == h.Source.WithZone("")
}
