package filter

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A truth is the value of a condition. What depends on bytes that are not there
// is unknown; so is its opposite.
type truth int8

const (
	no      truth = -1
	unknown truth = 0
	yes     truth = 1
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// A node is a condition.
type node interface {
	match(p *packet.Packet) truth
}

// A not is the opposite of a condition.
type not struct{ n node }

func (n *not) match(p *packet.Packet) truth { return -n.n.match(p) }

// A both is true if both conditions are.
type both struct{ l, r node }

func (n *both) match(p *packet.Packet) truth {
	l := n.l.match(p)
	if l == no {
		return no
	}
	return min(l, n.r.match(p))
}

// An either is true if one of two conditions is.
type either struct{ l, r node }

func (n *either) match(p *packet.Packet) truth {
	l := n.l.match(p)
	if l == yes {
		return yes
	}
	return max(l, n.r.match(p))
}

// An isFamily is true of packets with an IP header of a version.
type isFamily struct{ family icmpx.Family }

func (n *isFamily) match(p *packet.Packet) truth { return truthOf(p.IP.Family == n.family) }

// An isICMP is true of messages of a version, and of fragments that can only
// belong to one.
type isICMP struct{ family icmpx.Family }

func (n *isICMP) match(p *packet.Packet) truth {
	return truthOf(p.ICMP == n.family || p.IP.Family == n.family && int(p.IP.Protocol) == n.family.Protocol())
}

// An isProto is true of packets with a protocol number behind the IP header. In
// IPv6 that is what stands behind the extension headers.
type isProto struct {
	family icmpx.Family // 0: either
	proto  uint8
}

func (n *isProto) match(p *packet.Packet) truth {
	if p.IP.Family == 0 || n.family != 0 && n.family != p.IP.Family {
		return no
	}
	if !p.IP.Src.IsValid() { // the header is cut short
		return unknown
	}
	return truthOf(p.IP.Protocol == n.proto)
}

// An inPrefix compares one of the addresses of the IP header, or of the one
// that an error quotes.
type inPrefix struct {
	prefix netip.Prefix
	dst    bool
	quoted bool
}

func (n *inPrefix) match(p *packet.Packet) truth {
	if n.quoted {
		return n.matchQuoted(p)
	}
	if p.IP.Family == 0 {
		return no
	}
	a := p.IP.Src
	if n.dst {
		a = p.IP.Dst
	}
	if !a.IsValid() { // the header is cut short
		return unknown
	}
	return truthOf(n.prefix.Contains(a))
}

func (n *inPrefix) matchQuoted(p *packet.Packet) truth {
	if !isError(p) {
		return no
	}
	const header = 8
	if len(p.Message) <= header {
		return unknown
	}
	quote := p.Message[header:]
	at, size := 12, 4
	if quote[0]>>4 == 6 {
		at, size = 8, 16
	}
	if n.dst {
		at += size
	}
	if len(quote) < at+size {
		return unknown
	}
	a, _ := netip.AddrFromSlice(quote[at : at+size])
	return truthOf(n.prefix.Contains(a))
}

// isError reports whether p is an error, which quotes the packet it is about.
func isError(p *packet.Packet) bool {
	if len(p.Message) == 0 {
		return false
	}
	if p.ICMP == icmpx.IPv6 {
		return p.Type < 128 // RFC 4443 section 2.1
	}
	switch p.Type {
	case 3, 4, 5, 11, 12:
		return true
	}
	return false
}

// An isType is true of messages of one of its types.
type isType struct{ types []familyType }

// A familyType is a type of one family.
type familyType struct {
	family icmpx.Family
	typ    uint8
}

func (n *isType) match(p *packet.Packet) truth {
	if t := hasMessage(p, 1); t != yes {
		return t
	}
	for _, t := range n.types {
		if t.family == p.ICMP && t.typ == p.Type {
			return yes
		}
	}
	return no
}

// An isCode is true of messages with a code.
type isCode struct{ code uint8 }

func (n *isCode) match(p *packet.Packet) truth {
	if t := hasMessage(p, 2); t != yes {
		return t
	}
	return truthOf(p.Code == n.code)
}

// A hasField is true of messages that have an identifier, or a sequence number,
// and have it so.
type hasField struct {
	seq   bool
	value uint32
}

func (n *hasField) match(p *packet.Packet) truth {
	if t := hasMessage(p, 1); t != yes {
		return t
	}
	for _, f := range idTypes {
		if f.family == p.ICMP && f.typ == p.Type {
			at, size := f.field(n.seq)
			v, ok := number(p.Message, at, size)
			if !ok {
				return unknown
			}
			return truthOf(v == n.value)
		}
	}
	return no
}

// idTypes are the types of messages with an identifier and a sequence number.
var idTypes = [...]familyType{
	{icmpx.IPv4, 0}, {icmpx.IPv4, 8}, // echo
	{icmpx.IPv4, 13}, {icmpx.IPv4, 14}, // timestamp
	{icmpx.IPv4, 15}, {icmpx.IPv4, 16}, // information
	{icmpx.IPv4, 17}, {icmpx.IPv4, 18}, // address mask
	{icmpx.IPv4, 42}, {icmpx.IPv4, 43}, // extended echo
	{icmpx.IPv6, 128}, {icmpx.IPv6, 129}, // echo
	{icmpx.IPv6, 160}, {icmpx.IPv6, 161}, // extended echo
}

// field returns where the identifier or the sequence number stands in the
// message. That of extended echo is one byte (RFC 8335 section 2).
func (f familyType) field(seq bool) (at, size int) {
	switch {
	case !seq:
		return 4, 2
	case f == familyType{icmpx.IPv4, 42}, f == familyType{icmpx.IPv4, 43},
		f == familyType{icmpx.IPv6, 160}, f == familyType{icmpx.IPv6, 161}:
		return 6, 1
	}
	return 6, 2
}

// hasMessage says whether the first n bytes of an ICMP message are there:
// unknown, if there is one and they are not.
func hasMessage(p *packet.Packet, n int) truth {
	switch {
	case len(p.Message) >= n:
		return yes
	case p.ICMPPart():
		return unknown
	}
	return no
}

// A hasVLAN is true of frames with a VLAN tag, of a given VLAN if that is not
// negative.
type hasVLAN struct{ vlan int }

func (n *hasVLAN) match(p *packet.Packet) truth {
	for _, v := range p.VLANs {
		if n.vlan < 0 || int(v) == n.vlan {
			return yes
		}
	}
	return no
}

// A hasDirection is true of frames that went a way; unknown if the capture does
// not say.
type hasDirection struct{ direction packet.Direction }

func (n *hasDirection) match(p *packet.Packet) truth {
	if p.Frame == nil || p.Frame.Direction == packet.DirectionUnknown {
		return unknown
	}
	return truthOf(p.Frame.Direction == n.direction)
}
