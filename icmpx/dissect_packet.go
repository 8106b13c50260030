package icmpx

import "encoding/binary"

// quotedPacket reads a quoted packet of family f. One of the other family is
// wrong, and read.
func (c *cursor) quotedPacket(f Family) {
	if v := otherFamily(f); len(c.b) > 0 && Family(c.b[0]>>4) == v {
		c.problem(errQuoteVersion.Field, c.off, ErrVersion)
		f = v
	}
	q, err := ParseQuote(c.b, f)
	if pe, ok := err.(*ParseError); ok && (pe != errQuoteShort || len(c.b) == 0 || Family(c.b[0]>>4) != f) {
		c.problem(pe.Field, c.off+pe.Offset, pe.Err)
		c.rest("data")
		return
	}
	all, start := c.b, c.off
	proto, whole := q.Proto, true
	if f == IPv6 {
		c.header6()
		proto, whole = c.extensionHeaders(all)
	} else {
		c.header4()
	}
	if c.cut || !whole {
		return
	}
	n := len(q.unpad(all, c.off-start))
	switch {
	case n > 0:
		c.group(transportName(f, proto, q.FragOff), n, func(c *cursor) { c.transport(f, proto, q.FragOff) })
	case q.TotalLen > c.off-start:
		c.problem("quoted transport header", c.off, ErrTruncated)
	}
	c.rest("padding")
}

func otherFamily(f Family) Family {
	if f == IPv6 {
		return IPv4
	}
	return IPv6
}

// header4 reads an IPv4 header with its options.
func (c *cursor) header4() {
	all, start := c.b, c.off
	first := c.take("IP version", 1)
	if first == nil {
		return
	}
	hl := int(first[0]&0x0f) * 4
	c.add("version", start, 1, uint64(first[0]>>4))
	c.add("header length", start, 1, uint64(hl))
	c.uint("type of service", 1)
	if total := c.uint("total length", 2); !c.cut && total < uint64(hl) {
		c.problem("total length", start+2, ErrLength)
	}
	c.uint("identification", 2)
	if b := c.take("flags", 2); b != nil {
		c.fragment4(binary.BigEndian.Uint16(b))
	}
	c.uint("time to live", 1)
	c.uint("protocol", 1)
	c.uint("header checksum", 2)
	c.addr("source", 4)
	c.addr("destination", 4)
	if c.cut {
		return
	}
	if hl >= IPv4.HeaderLen() && len(all) >= hl && Checksum(all[:hl]) != 0 {
		c.problem("IP header checksum", start+10, ErrChecksum)
	}
	n := hl - IPv4.HeaderLen()
	if n < 0 {
		c.problem("IP header length", start, ErrLength)
	}
	if n > 0 {
		c.group("options", min(n, len(c.b)), (*cursor).options)
	}
	if hl > len(all) {
		c.problem("IP options", start+len(all), ErrTruncated)
		c.cut = true
	}
}

// fragment4 adds the flags and the fragment offset, which have been read.
func (c *cursor) fragment4(v uint16) {
	if v&flagReserved != 0 {
		c.problem("reserved flag", c.off-2, ErrReserved)
	}
	c.add("don't fragment", c.off-2, 1, v&flagDF != 0)
	c.add("more fragments", c.off-2, 1, v&flagMF != 0)
	c.add("fragment offset", c.off-2, 2, uint64(v<<3))
}

// options reads IPv4 options (RFC 791 section 3.1).
func (c *cursor) options() {
	for len(c.b) > 0 {
		n, err := optionLen(c.b)
		if err != nil {
			c.problem("IP option", c.off, err)
			c.rest("data")
			return
		}
		if c.b[0] == optionEnd {
			n = len(c.b) // what follows is padding
		}
		c.group("option", n, (*cursor).option)
	}
}

// IPv4 options that carry a pointer to their next free or next used slot.
const (
	optionRecordRoute = 7
	optionTimestamp   = 68
	optionLSRR        = 131
	optionSSRR        = 137
)

func (c *cursor) option() {
	typ := c.uint("type", 1)
	if typ == optionEnd || typ == optionNop {
		c.rest("padding")
		return
	}
	c.uint("length", 1)
	switch typ {
	case optionRecordRoute, optionLSRR, optionSSRR:
		c.quiet = true
		c.uint("pointer", 1)
		for len(c.b) >= 4 {
			c.addr("address", 4)
		}
	case optionTimestamp:
		c.quiet = true
		c.uint("pointer", 1)
		c.timestampOption()
	}
	c.rest("data")
}

// timestampOption reads the overflow and flag of a timestamp option and its
// entries: times alone, or addresses with times.
func (c *cursor) timestampOption() {
	b := c.take("flag", 1)
	if b == nil {
		return
	}
	c.bits(b[0], bitField{"overflow", 4}, bitField{"flag", 4})
	addrs := b[0]&0x0f != 0
	for len(c.b) >= 4 {
		if addrs && len(c.b) >= 8 {
			c.addr("address", 4)
		}
		c.uint("timestamp", 4)
	}
}

// header6 reads the fixed IPv6 header.
func (c *cursor) header6() {
	if b := c.take("IPv6 header", 4); b != nil {
		v := binary.BigEndian.Uint32(b)
		c.add("version", c.off-4, 1, uint64(v>>28))
		c.add("traffic class", c.off-4, 2, uint64(v>>20&0xff))
		c.add("flow label", c.off-3, 3, uint64(v&0xfffff))
	}
	c.uint("payload length", 2)
	c.uint("next header", 1)
	c.uint("hop limit", 1)
	c.addr("source", 16)
	c.addr("destination", 16)
}

// extensionHeaders reads the IPv6 extension headers of the packet all, whose
// fixed header has been read, and returns what follows them. It reports false
// if they end nowhere.
func (c *cursor) extensionHeaders(all []byte) (proto uint8, whole bool) {
	if c.cut {
		return 0, false
	}
	proto = all[6]
	for range maxExtHeaders {
		n, ok := ExtensionHeaderLen(proto, c.b)
		if !ok {
			return proto, true
		}
		if n == 0 || n > len(c.b) {
			c.problem(extHeaderName(proto), c.off+len(c.b), ErrTruncated)
			c.rest("data")
			return proto, false
		}
		typ, next := proto, c.b[0]
		later := typ == protoFragment && c.peek16(2)&^7 != 0
		c.group(extHeaderName(typ), n, func(c *cursor) { c.extensionHeader(typ) })
		if proto = next; later {
			return proto, true
		}
	}
	if _, ok := ExtensionHeaderLen(proto, c.b); !ok {
		return proto, true
	}
	c.problem(extHeaderName(proto), c.off, ErrLimit)
	c.rest("data")
	return proto, false
}

func extHeaderName(typ uint8) string {
	switch typ {
	case protoHopByHop:
		return "hop-by-hop options"
	case protoRouting:
		return "routing header"
	case protoFragment:
		return "fragment header"
	case protoAH:
		return "authentication header"
	case protoDestOpts:
		return "destination options"
	case protoMobility:
		return "mobility header"
	case protoHIP:
		return "host identity header"
	}
	return "shim6 header"
}
