package icmpx

// transportName names the group of what follows the IP headers.
func transportName(f Family, proto uint8, fragOff uint16) string {
	switch {
	case fragOff != 0:
		return "fragment"
	case proto == protoUDP:
		return "UDP"
	case proto == protoUDPLite:
		return "UDP-Lite"
	case proto == protoTCP:
		return "TCP"
	case proto == protoSCTP:
		return "SCTP"
	case proto == protoDCCP:
		return "DCCP"
	case int(proto) == f.Protocol() && f == IPv6:
		return "ICMPv6"
	case int(proto) == f.Protocol():
		return "ICMP"
	}
	return "payload"
}

// transport reads a quoted transport header. Its first 8 bytes must be there;
// what a short quote lacks behind them is no problem.
func (c *cursor) transport(f Family, proto uint8, fragOff uint16) {
	if fragOff != 0 {
		c.rest("data")
		return
	}
	switch proto {
	case protoUDP, protoUDPLite:
		c.ports()
		c.uint("length", 2)
		c.uint("checksum", 2)
	case protoTCP:
		c.tcp()
	case protoSCTP:
		c.ports()
		c.uint("verification tag", 4)
		c.quiet = true
		c.uint("checksum", 4)
	case protoDCCP:
		c.ports()
	case uint8(f.Protocol()):
		c.quotedICMP(f)
	}
	if !c.cut {
		c.rest("data")
	}
}

func (c *cursor) ports() {
	c.uint("source port", 2)
	c.uint("destination port", 2)
}

// tcp reads a TCP header (RFC 9293 section 3.1).
func (c *cursor) tcp() {
	start := c.off
	c.ports()
	c.uint("sequence number", 4)
	c.quiet = true
	c.uint("acknowledgment number", 4)
	b := c.take("data offset", 1)
	if b == nil {
		return
	}
	hl := int(b[0]>>4) * 4
	c.add("data offset", c.off-1, 1, uint64(hl))
	c.bits(b[0]&0x0f, bitField{"", 8})
	c.tcpFlags()
	c.uint("window", 2)
	c.uint("checksum", 2)
	c.uint("urgent pointer", 2)
	if hl < tcpHeaderLen {
		c.problem("TCP data offset", start+12, ErrLength)
		return
	}
	c.bytes("options", hl-tcpHeaderLen)
}

func (c *cursor) tcpFlags() {
	if b := c.take("flags", 1); b != nil {
		c.bits(b[0], bitField{"CWR", 1}, bitField{"ECE", 1}, bitField{"URG", 1}, bitField{"ACK", 1},
			bitField{"PSH", 1}, bitField{"RST", 1}, bitField{"SYN", 1}, bitField{"FIN", 1})
	}
}

// quotedICMP reads the ICMP header of a quoted packet; what a quoted error
// quotes is left as it is.
func (c *cursor) quotedICMP(f Family) {
	typ := uint8(c.uint("type", 1))
	c.uint("code", 1)
	c.uint("checksum", 2)
	switch queryOf(f, typ) {
	case queryPlain:
		c.uint("identifier", 2)
		c.uint("sequence number", 2)
	case queryExtended:
		c.uint("identifier", 2)
		c.uint("sequence number", 1)
		c.uint("flags", 1)
	default:
		c.bytes("rest of header", 4)
	}
}
