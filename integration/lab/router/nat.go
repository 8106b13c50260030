package router

import (
	"encoding/binary"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// sourceAt is the offset of the source address.
func (p *Packet) sourceAt() int { return byFamily(p.Family, 12, 8) }

// targetAt is the offset of the destination address.
func (p *Packet) targetAt() int { return byFamily(p.Family, 16, 24) }

// rewrite puts an address of the packet's family at an offset.
func (p *Packet) rewrite(at int, a netip.Addr) {
	rewriteAddr(p.Bytes, p.l4, p.Proto, p.FragOff == 0, at, a)
	p.Src, p.Dst = addresses(p.Bytes, p.Family)
}

// rewriteAddr puts an address into a packet, or into as much of one as an
// error quotes, and has the checksums that are there follow (RFC 1624): an
// already wrong one stays wrong.
func rewriteAddr(b []byte, l4 int, proto uint8, first bool, at int, a netip.Addr) {
	var old [16]byte
	fresh := a.AsSlice()
	n := copy(old[:], b[at:at+len(fresh)])
	copy(b[at:], fresh)
	if a.Is4() {
		follow(b, 10, old[:n], fresh)
	}
	if sum := checksumAt(proto); first && sum >= 0 && proto != protoICMP {
		if proto == protoUDP && a.Is4() && noChecksum(b, l4+sum) {
			return
		}
		follow(b, l4+sum, old[:n], fresh)
	}
}

// follow updates the checksum at an offset of b, if it is there.
func follow(b []byte, at int, old, fresh []byte) {
	if len(b) < at+2 {
		return
	}
	sum := binary.BigEndian.Uint16(b[at:])
	sum = icmpx.ChecksumFrom(uint32(^sum)+uint32(icmpx.Checksum(old)), fresh)
	binary.BigEndian.PutUint16(b[at:], sum)
}

func noChecksum(b []byte, at int) bool {
	return len(b) >= at+2 && b[at] == 0 && b[at+1] == 0
}

// idAt is the offset in the transport header of what NATShift changes: the
// port of the inside, or the identifier of a query. -1: there is none.
func idAt(proto, typ uint8, inside bool) int {
	switch {
	case proto == protoUDP || proto == protoTCP:
		if inside {
			return 0
		}
		return 2
	case proto == protoICMP && (typ == echoReply4 || typ == echoRequest4 || typ >= 13 && typ <= 18),
		proto == protoICMPv6 && (typ == echoRequest6 || typ == echoReply6):
		return 4
	}
	return -1
}

// shift adds to the port or identifier of a packet, or of a quote.
func shift(b []byte, l4 int, proto uint8, inside bool, by uint16) {
	if by == 0 || len(b) < l4+l4HeaderLen {
		return
	}
	at := idAt(proto, b[l4], inside)
	if at < 0 {
		return
	}
	id := b[l4+at : l4+at+2]
	var old [2]byte
	copy(old[:], id)
	binary.BigEndian.PutUint16(id, binary.BigEndian.Uint16(id)+by)
	if sum := checksumAt(proto); proto != protoUDP || !noChecksum(b, l4+sum) {
		follow(b, l4+sum, old[:], id)
	}
}

// outside is the address that the hop gives what it forwards.
func (n *node) outside(f icmpx.Family) netip.Addr { return byFamily(f, n.NAT4, n.NAT6) }

// inside is the address that it took from it.
func (n *node) inside(f icmpx.Family) *netip.Addr {
	if f == icmpx.IPv6 {
		return &n.inside6
	}
	return &n.inside4
}

// translate is source NAT, towards the second port. It knows one inside
// address: the last.
func (n *node) translate(p *Packet) {
	a := n.outside(p.Family)
	if !a.IsValid() {
		return
	}
	if p.Src != a {
		*n.inside(p.Family) = p.Src
	}
	p.rewrite(p.sourceAt(), a)
	if p.FragOff == 0 {
		shift(p.Bytes, p.l4, p.Proto, true, n.NATShift)
	}
	p.again()
}

// restore is the reverse, for what comes back. It repairs the quotes of
// errors, as Linux does, unless the NAT is a raw one.
func (n *node) restore(p *Packet) {
	a, inside := n.outside(p.Family), *n.inside(p.Family)
	if !a.IsValid() || p.Dst != a || !inside.IsValid() {
		return
	}
	p.rewrite(p.targetAt(), inside)
	switch {
	case p.FragOff != 0:
	case p.isError():
		if !n.NATRaw {
			n.repair(p, inside)
		}
	default:
		shift(p.Bytes, p.l4, p.Proto, false, -n.NATShift)
	}
	p.again()
}

// repair undoes the translation in the quote of an error.
func (n *node) repair(p *Packet, inside netip.Addr) {
	if len(p.Bytes) < p.l4+l4HeaderLen {
		return
	}
	quote := p.Bytes[p.l4+l4HeaderLen:]
	q, err := icmpx.ParseQuote(quote, p.Family)
	if err != nil || q.Src != n.outside(p.Family) {
		return
	}
	hl := byFamily(p.Family, int(quote[0]&0x0f)*4, p.Family.HeaderLen())
	rewriteAddr(quote, hl, q.Proto, q.FragOff == 0, byFamily(p.Family, 12, 8), inside)
	if q.FragOff == 0 {
		shift(quote, hl, q.Proto, true, -n.NATShift)
	}
	p.Fix()
}

// again reads the headers anew.
func (p *Packet) again() {
	// They parsed before, and addresses and ports do not matter to that.
	_ = p.parse()
}
