package craft

import (
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// A Header is what the IP header around a message says.
type Header struct {
	Src, Dst  netip.Addr // of one family
	TTL       uint8      // or hop limit
	TOS       uint8      // or traffic class
	ID        uint16     // IPv4
	DF        bool       // IPv4
	FlowLabel uint32     // IPv6, 20 bits

	// RouterAlert adds the option that has routers look at the packet (RFC
	// 2711), which multicast listener discovery asks for; IPv6 only.
	RouterAlert bool
}

// maxPacket is the most that the length field of an IP header says.
const maxPacket = 65535

// hopByHop is the protocol number of hop-by-hop options (RFC 8200 section 4.3).
const hopByHop = 0

// Packet returns the IP packet that carries msg.
func (h *Header) Packet(msg []byte) ([]byte, error) {
	src, dst := h.Src.WithZone(""), h.Dst.WithZone("")
	if icmpx.FamilyOf(dst) == icmpx.IPv6 {
		ip := icmpx.IPv6Header{
			TrafficClass: h.TOS, FlowLabel: h.FlowLabel, HopLimit: h.TTL, Src: src, Dst: dst,
			Proto: uint8(icmpx.IPv6.Protocol()),
		}
		if h.RouterAlert {
			// Length 0, router alert of value 0 (MLD), two bytes of padding.
			ip.Extensions = []icmpx.IPv6Extension{{Type: hopByHop, Data: []byte{0, 5, 2, 0, 0, 1, 0}}}
		}
		ip.PayloadLen = ip.Len() - icmpx.IPv6.HeaderLen() + len(msg)
		if ip.PayloadLen > maxPacket {
			return nil, tooLong(icmpx.IPv6, len(msg))
		}
		b, err := ip.AppendBinary(nil)
		return append(b, msg...), err
	}
	ip := icmpx.IPv4Header{
		TOS: h.TOS, ID: h.ID, DF: h.DF, TTL: h.TTL, Src: src, Dst: dst,
		Proto: uint8(icmpx.IPv4.Protocol()), TotalLen: icmpx.IPv4.HeaderLen() + len(msg),
	}
	if ip.TotalLen > maxPacket {
		return nil, tooLong(icmpx.IPv4, len(msg))
	}
	b, err := ip.AppendBinary(nil)
	return append(b, msg...), err
}

func tooLong(f icmpx.Family, n int) error {
	return fmt.Errorf("a message of %d bytes is more than an %v packet has room for, whose length is at most 65,535: %w", n, f, icmpx.ErrLength)
}

// Types of neighbour and multicast listener discovery, of which a receiver
// checks the hop limit.
func isNeighborDiscovery(f icmpx.Family, typ uint8) bool {
	return f == icmpx.IPv6 && (typ >= 133 && typ <= 137 || typ == 141 || typ == 142)
}

func isListenerDiscovery(f icmpx.Family, typ uint8) bool {
	return f == icmpx.IPv6 && (typ >= 130 && typ <= 132 || typ == 143)
}

// DefaultTTL returns the TTL or hop limit that a message has if none is asked
// for: 255 of neighbour discovery (RFC 4861 section 4) and 1 of multicast
// listener discovery (RFC 2710 section 3), without which nobody takes them, and
// 64 of all others.
func DefaultTTL(f icmpx.Family, typ uint8) uint8 {
	switch {
	case isNeighborDiscovery(f, typ):
		return 255
	case isListenerDiscovery(f, typ):
		return 1
	}
	return 64
}

// NeedsRouterAlert reports whether a message goes with the option router alert
// (RFC 2710 section 3, RFC 9777 section 5).
func NeedsRouterAlert(f icmpx.Family, typ uint8) bool { return isListenerDiscovery(f, typ) }
