package icmpx

import "encoding/binary"

// DissectHeader names every field of the IP header of family f that b begins
// with, as far as the bytes go: with the options of IPv4, or with the extension
// headers of IPv6. What stands behind them is not read. Offsets are from the start
// of b; what is wrong becomes a Problem, as Dissect has it.
func DissectHeader(f Family, b []byte) Dissection {
	var d Dissection
	c := cursor{d: &d, b: b}
	if f == IPv6 {
		c.header6()
		c.extensionHeaders(b)
	} else {
		c.header4()
		if !c.cut && len(c.b) > 0 && b[9] == protoAH {
			c.authenticated()
		}
	}
	d.Fields = c.fields
	return d
}

// authenticated reads the authentication header behind an IPv4 header.
func (c *cursor) authenticated() {
	if n, _ := ExtensionHeaderLen(protoAH, c.b); n > 0 && n <= len(c.b) {
		c.group(extHeaderName(protoAH), n, func(c *cursor) { c.extensionHeader(protoAH) })
	}
}

// extensionHeader reads an IPv6 extension header that is whole (RFC 8200 section
// 4, RFC 4302 section 2).
func (c *cursor) extensionHeader(typ uint8) {
	c.uint("next header", 1)
	if typ == protoFragment {
		c.fragmentHeader()
		return
	}
	c.uint("length", 1)
	switch typ {
	case protoHopByHop, protoDestOpts:
		c.options6()
	case protoRouting:
		c.routingHeader()
	case protoAH:
		c.uint("reserved", 2)
		c.uint("security parameters index", 4)
		c.uint("sequence number", 4)
	}
	if !c.cut {
		c.rest("data")
	}
}

func (c *cursor) fragmentHeader() {
	c.zero("reserved", 1)
	if b := c.take("fragment offset", 2); b != nil {
		v := binary.BigEndian.Uint16(b)
		c.add("fragment offset", c.off-2, 2, uint64(v&^7))
		c.add("more fragments", c.off-1, 1, v&1 != 0)
	}
	c.uint("identification", 4)
}

// options6 reads the options of a hop-by-hop or destination options header (RFC
// 8200 section 4.2). Type 0 is one byte of padding.
func (c *cursor) options6() {
	for len(c.b) > 0 {
		n := 1
		if c.b[0] != 0 {
			if len(c.b) < 2 || 2+int(c.b[1]) > len(c.b) {
				c.problem("IPv6 option", c.off, ErrLength)
				c.rest("data")
				return
			}
			n = 2 + int(c.b[1])
		}
		c.group("option", n, (*cursor).option6)
	}
}

func (c *cursor) option6() {
	if c.uint("type", 1) != 0 {
		c.uint("length", 1)
		c.rest("data")
	}
}

// Types of routing headers that hold addresses (RFC 5095, RFC 6275 section 6.4,
// RFC 8754 section 2).
const (
	routingSource   = 0
	routingMobility = 2
	routingSegments = 4
)

func (c *cursor) routingHeader() {
	typ := c.uint("routing type", 1)
	c.uint("segments left", 1)
	switch typ {
	case routingSource, routingMobility:
		c.uint("reserved", 4)
		c.addrs("address", 16)
	case routingSegments:
		last := c.uint("last entry", 1)
		c.uint("flags", 1)
		c.uint("tag", 2)
		for i := uint64(0); i <= last && len(c.b) >= 16; i++ {
			c.addr("segment", 16)
		}
	}
}
