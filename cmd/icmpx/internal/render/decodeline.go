package render

import (
	"net/netip"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A PacketText renders decoded packets for people, one line each, in the words
// of tcpdump: what it says of a message comes first, up to the length, and what
// it does not say stands behind in brackets.
//
// An echo costs no allocation. Everything that came from the network is
// escaped.
type PacketText struct {
	Stamp  StampStyle
	Nanos  bool // nine digits of the second instead of six
	Number bool // the frame's number first

	// Name returns the name of an address, "" if there is none; nil: addresses
	// alone.
	Name func(netip.Addr) string

	stamper stamper
	reply   icmpx.Reply
}

// AppendPacket appends the line of a packet.
func (t *PacketText) AppendPacket(b []byte, p *packet.Packet, findings []Finding) []byte {
	if t.Number {
		b = strconv.AppendInt(b, int64(p.Frame.Number), 10)
		b = append(b, ' ', ' ')
	}
	b = t.stamper.append(b, t.Stamp, t.Nanos, p.Frame.Time)
	b = t.appendPlace(b, p.Frame)
	b = t.appendIP(b, p)
	if isError(p) {
		b = t.appendAbout(b)
	}
	if len(p.VLANs) > 0 || p.Depth > 1 || p.IP.Fragment || len(p.Problems) > 0 || p.Checksum != packet.Good || len(findings) > 0 {
		b = t.appendRemarks(b, p, findings)
	}
	return append(b, '\n')
}

// appendPlace appends where a frame was captured, if the capture says so: the
// interface and the direction, as tcpdump -i any does. A version 1 cooked header
// names no interface: tcpdump says nothing of the direction then either.
func (t *PacketText) appendPlace(b []byte, f *packet.Frame) []byte {
	if f.Direction == packet.DirectionUnknown || !hasInterface(f) {
		return b
	}
	start := len(b)
	b = appendInterface(b, f)
	for len(b)-start < interfaceWidth {
		b = append(b, ' ')
	}
	return append(b, directionMark(f)...)
}

// interfaceWidth is how many columns an interface has at least.
const interfaceWidth = 5

// hasInterface reports whether a frame's interface is known: the capture names
// it, or a cooked header has its number.
func hasInterface(f *packet.Frame) bool { return f.IfaceName != "" || f.CookedInterface() != 0 }

// appendInterface appends the name of an interface, else # and its number: which
// name the number has on this host says nothing of the host of the capture.
func appendInterface(b []byte, f *packet.Frame) []byte {
	if n := f.CookedInterface(); n != 0 && (f.IfaceName == "" || f.IfaceName == "any") {
		return strconv.AppendInt(append(b, '#'), int64(n), 10)
	}
	return AppendSafe(b, f.IfaceName)
}

// directionMark returns tcpdump's word for the way of a frame, or for whom it
// was, with its blanks.
func directionMark(f *packet.Frame) string {
	if f.Direction == packet.Outgoing {
		return " Out "
	}
	switch typ, _ := f.PacketType(); typ {
	case packet.PacketBroadcast:
		return " B   "
	case packet.PacketMulticast:
		return " M   "
	case packet.PacketOtherHost:
		return " P   "
	}
	return " In  "
}

// appendIP appends the addresses and what the packet is.
func (t *PacketText) appendIP(b []byte, p *packet.Packet) []byte {
	h := &p.IP
	switch {
	case h.Family == 0 && p.ICMP != 0:
		return t.appendICMP(b, p)
	case h.Family == 0:
		return append(b, "no IP packet"...)
	case h.Family == icmpx.IPv6:
		b = append(b, "IP6 "...)
	default:
		b = append(b, "IP "...)
	}
	if !h.Src.IsValid() {
		return append(b, "header cannot be read"...)
	}
	b = t.appendAddr(b, h.Src)
	b = append(b, " > "...)
	b = t.appendAddr(b, h.Dst)
	b = append(b, ": "...)
	if h.Family == icmpx.IPv6 && len(h.Header) > h.Family.HeaderLen() {
		b = appendHeaders6(b, h)
	}
	switch {
	case p.ICMP != 0:
		return t.appendICMP(b, p)
	case h.Fragment && h.Family == icmpx.IPv6:
		return b[:len(b)-1] // the fragment header has said it all
	}
	b = appendProtocol(b, h)
	if h.Fragment {
		b = appendFragment(append(b, ' '), h)
	}
	return b
}

// appendAddr appends a name or an address.
func (t *PacketText) appendAddr(b []byte, a netip.Addr) []byte {
	if t.Name != nil {
		if name := t.Name(a); name != "" {
			return AppendName(b, name)
		}
	}
	return a.AppendTo(b)
}

// appendProtocol appends what a packet without ICMP is.
func appendProtocol(b []byte, h *packet.IP) []byte {
	return append(append(b, "ip-proto-"...), strconv.Itoa(int(h.Protocol))...)
}

// appendFragment appends a fragment's place in its datagram, as tcpdump does
// for IPv6: the offset and the length.
func appendFragment(b []byte, h *packet.IP) []byte {
	b = strconv.AppendInt(append(b, "frag ("...), int64(h.Offset), 10)
	b = strconv.AppendInt(append(b, '|'), int64(fragmentLen(h)), 10)
	return append(b, ')')
}

// appendICMP appends the message.
func (t *PacketText) appendICMP(b []byte, p *packet.Packet) []byte {
	if p.ICMP == icmpx.IPv6 {
		b = append(b, "ICMP6, "...)
	} else {
		b = append(b, "ICMP "...)
	}
	m := p.Message
	if len(m) == 0 {
		return append(b, "length 0 (invalid)"...)
	}
	id, seq, _, request, ok := p.Echo()
	switch {
	case ok && request:
		b = append(b, "echo request, id "...)
	case ok:
		b = append(b, "echo reply, id "...)
	case p.ICMP == icmpx.IPv6:
		b = t.appendMessage6(b, p)
	default:
		b = t.appendMessage4(b, p)
	}
	if ok {
		b = strconv.AppendInt(b, int64(id), 10)
		b = strconv.AppendInt(append(b, ", seq "...), int64(seq), 10)
	}
	n := p.MessageLen
	if n == 0 {
		n = len(m)
	}
	return strconv.AppendInt(append(b, ", length "...), int64(n), 10)
}

// appendRemarks appends in brackets what tcpdump does not say.
func (t *PacketText) appendRemarks(b []byte, p *packet.Packet, findings []Finding) []byte {
	h := &p.IP
	for i, id := range p.VLANs {
		if i == 0 {
			b = append(b, " [vlan"...)
		}
		b = strconv.AppendInt(append(b, ' '), int64(id), 10)
		if i == len(p.VLANs)-1 {
			b = append(b, ']')
		}
	}
	if p.Depth > 1 {
		b = strconv.AppendInt(append(b, " [in a tunnel, "...), int64(p.Depth), 10)
		b = append(b, " IP headers]"...)
	}
	switch {
	case len(p.Fragments) > 0:
		b = append(b, " [reassembled from frames"...)
		b = appendFrames(b, p.Fragments)
		b = append(b, ']')
	case h.Fragment && p.ICMP != 0 && h.Family == icmpx.IPv4:
		b = append(appendFragment(append(b, " ["...), h), ']')
	case p.Partial && !h.Fragment:
		b = append(b, " [the rest is in other fragments of the tunnel]"...)
	}
	switch {
	case p.ICMP == 0:
	case p.Checksum == packet.Bad:
		b = append(b, " [bad checksum]"...)
	case p.Checksum == packet.Unfinished:
		b = append(b, " [checksum left to the device]"...)
	}
	for i := range p.Problems {
		b = AppendSafe(append(b, " ["...), p.Problems[i].Text)
		b = append(b, ']')
	}
	for i := range findings {
		b = AppendSafe(append(b, " ["...), findings[i].Text)
		b = append(b, ']')
	}
	return b
}

// maxFrames is how many frames a line names: a datagram may come in thousands
// of fragments.
const maxFrames = 16

func appendFrames(b []byte, frames []int) []byte {
	for i, n := range frames {
		if i == maxFrames {
			b = strconv.AppendInt(append(b, " and "...), int64(len(frames)-i), 10)
			return append(b, " more"...)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, ' '), int64(n), 10)
	}
	return b
}
