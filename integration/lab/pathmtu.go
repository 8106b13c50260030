//go:build linux

package lab

import (
	"fmt"
	"net/netip"
)

// NoTooBig drops every message that the host sends, or passes on, about packets
// that are too big: fragmentation needed (RFC 792) and packet too big (RFC 4443
// section 3.2).
func (h *Host) NoTooBig() error {
	var rules []Rule
	for _, hook := range []Hook{Output, Forward} {
		rules = append(rules,
			Rule{Hook: hook, Dst: netip.MustParsePrefix("0.0.0.0/0"), ICMPType: []uint8{3}, ICMPCode: []uint8{4}, Verdict: Drop},
			Rule{Hook: hook, Dst: netip.MustParsePrefix("::/0"), ICMPType: []uint8{2}, Verdict: Drop})
	}
	return h.Filter(rules...)
}

// RouteMTU returns what the host's route to an address, or the path MTU that it
// has in its cache, limits packets to, in bytes; 0 if neither is less than what
// the interface takes.
func (h *Host) RouteMTU(dst netip.Addr) (int, error) {
	routes, err := h.nl.RouteGet(dst.AsSlice())
	if err != nil {
		return 0, fmt.Errorf("route of host %s to %v: %w", h.Name, dst, err)
	}
	mtu := 0
	for _, r := range routes {
		if r.MTU > 0 && (mtu == 0 || r.MTU < mtu) {
			mtu = r.MTU
		}
	}
	return mtu, nil
}
