package icmpx

// ICMPv6 types that are dissected and not parsed.
const (
	v6Renumbering      = 138
	v6NodeQuery        = 139
	v6NodeReply        = 140
	v6HomeAgentRequest = 144
	v6HomeAgentReply   = 145
	v6PrefixSolicit    = 146
	v6PrefixAdvert     = 147
	v6PathSolicit      = 148
	v6PathAdvert       = 149
	v6Mobility         = 150
	v6MulticastAdvert  = 151
	v6FastHandover     = 154
	v6RPL              = 155
	v6LocatorUpdate    = 156
	v6DuplicateRequest = 157
	v6DuplicateConfirm = 158
	v6MPL              = 159
)

// ICMPv4 types that are dissected and not parsed.
const (
	v4Traceroute      = 30
	v4ConversionError = 31
	v4DomainRequest   = 37
	v4DomainReply     = 38
	v4Photuris        = 40
	v4Mobility        = 41
)

// body6 reads an ICMPv6 body that is neither an error nor an echo.
func (c *cursor) body6(typ, code uint8, size int) {
	if typ >= v6MLDQuery && typ <= v6MLDv2Report && discoveryParser(typ) != nil && code != 0 {
		c.problem("code", 1, ErrReserved) // those of RFC 4861 are to be dropped, section 6.1
	}
	switch typ {
	case v6MLDQuery, v6MLDReport, v6MLDDone, v6MLDv2Report:
		c.listener(typ, size)
	case v6RouterSolicit, v6RouterAdvert, v6NeighborSolicit, v6NeighborAdvert, v6Redirect, v6InverseSolicit, v6InverseAdvert:
		c.discovery(typ)
	case v6Renumbering:
		c.renumbering(code)
	case v6NodeQuery, v6NodeReply:
		c.nodeInformation(typ == v6NodeReply, code)
	case v6HomeAgentRequest, v6HomeAgentReply, v6PrefixSolicit, v6PrefixAdvert:
		c.mobile(typ)
	case v6PathSolicit, v6PathAdvert:
		c.certificationPath(typ)
	case v6Mobility:
		c.subtype()
		c.rest("data")
	case v6MulticastAdvert:
		c.uint("query interval", 2)
		c.uint("robustness variable", 2)
		c.rest("data")
	case v6FastHandover:
		c.fastHandover()
	case v6RPL:
		c.rpl(code)
	case v6LocatorUpdate:
		c.locatorUpdate()
	case v6DuplicateRequest, v6DuplicateConfirm:
		c.duplicateAddress()
	case v6MPL:
		c.mpl()
	default:
		c.rest("body")
	}
}

// body4 reads an ICMPv4 body that is neither an error nor a query with an answer.
func (c *cursor) body4(typ uint8) {
	switch typ {
	case v4RouterAdvert:
		c.routerAdvertisement()
	case v4RouterSolicit:
		c.zero("reserved", 4)
		c.rest("data")
	case v4Traceroute:
		c.traceroute()
	case v4ConversionError:
		c.uint("pointer", 4)
		c.rest("data")
	case v4DomainRequest, v4DomainReply:
		c.uint("identifier", 2)
		c.uint("sequence number", 2)
		if typ == v4DomainReply {
			c.uint("time to live", 4)
			c.domains("name")
		}
		c.rest("data")
	case v4Photuris:
		c.zero("reserved", 2)
		c.uint("pointer", 2)
		if len(c.b) > 0 {
			c.group("quote", len(c.b), func(c *cursor) { c.quotedPacket(IPv4) })
		}
	case v4Mobility:
		c.subtype()
		c.rest("data")
	default:
		c.rest("body")
	}
}

// traceroute reads the message of RFC 1393 section 2.2.
func (c *cursor) traceroute() {
	c.uint("identifier", 2)
	c.zero("unused", 2)
	c.uint("outbound hop count", 2)
	c.uint("return hop count", 2)
	c.uint("output link speed", 4)
	c.uint("output link MTU", 4)
	c.rest("data")
}

// subtype reads the header of the experimental mobility protocols (RFC 4065
// section 3).
func (c *cursor) subtype() {
	c.uint("subtype", 1)
	c.uint("reserved", 3)
}

// mobile reads the messages of mobile IPv6 (RFC 6275 sections 6.5 to 6.8, RFC
// 3963 section 4.2).
func (c *cursor) mobile(typ uint8) {
	c.uint("identifier", 2)
	switch typ {
	case v6PrefixSolicit:
		c.zero("reserved", 2)
	case v6PrefixAdvert:
		c.flags(bitField{"managed address configuration", 1}, bitField{"other configuration", 1}, bitField{"", 6})
		c.zero("reserved", 1)
	default:
		c.flags(bitField{"mobile router", 1}, bitField{"", 7})
		c.zero("reserved", 1)
	}
	if typ == v6HomeAgentRequest || typ == v6HomeAgentReply {
		c.addrs("home agent", 16)
		c.rest("data")
		return
	}
	c.ndOptions()
}

// certificationPath reads the messages of SEND (RFC 3971 sections 6.4.1 and
// 6.4.2).
func (c *cursor) certificationPath(typ uint8) {
	c.uint("identifier", 2)
	if typ == v6PathAdvert {
		c.uint("all components", 2)
	}
	c.uint("component", 2)
	if typ == v6PathAdvert {
		c.zero("reserved", 2)
	}
	c.ndOptions()
}

// fastHandover reads the messages of RFC 5568 section 6.1.
func (c *cursor) fastHandover() {
	c.uint("subtype", 1)
	c.uint("flags", 1)
	c.uint("identifier", 2)
	c.ndOptions()
}

// locatorUpdate reads the message of RFC 6743 section 3.
func (c *cursor) locatorUpdate() {
	n := c.uint("number of locators", 1)
	c.uint("operation", 1)
	c.zero("reserved", 2)
	for range n {
		if c.cut {
			return
		}
		c.group("locator", max(1, min(12, len(c.b))), func(c *cursor) {
			c.bytes("locator", 8)
			c.uint("preference", 2)
			c.uint("lifetime", 2)
		})
	}
	c.rest("data")
}

// duplicateAddress reads a duplicate address request or confirmation (RFC 6775
// section 4.4).
func (c *cursor) duplicateAddress() {
	c.uint("status", 1)
	c.uint("reserved", 1)
	c.uint("lifetime", 2)
	c.bytes("identifier", 8)
	c.addr("registered address", 16)
	c.rest("data")
}

// mpl reads the seed information of a multicast protocol for low-power networks
// (RFC 7731 section 6.2).
func (c *cursor) mpl() {
	for len(c.b) > 0 && !c.cut {
		n := len(c.b)
		if n >= 2 {
			n = min(n, 2+mplSeedLen(c.b[1])+int(c.b[1]>>2))
		}
		c.group("seed", n, (*cursor).mplSeed)
	}
}

// mplSeedLen returns the length of a seed identifier, by its two low bits.
func mplSeedLen(v uint8) int { return [...]int{0, 2, 8, 16}[v&3] }

func (c *cursor) mplSeed() {
	c.uint("lowest sequence number", 1)
	b := c.take("lengths", 1)
	if b == nil {
		return
	}
	c.bits(b[0], bitField{"bitmap length", 6}, bitField{"seed identifier length", 2})
	c.bytes("seed identifier", mplSeedLen(b[0]))
	c.bytes("buffered messages", int(b[0]>>2))
}

// mobilityExtensions reads the extensions behind a router advertisement of
// ICMPv4, as far as they are laid out as RFC 5944 section 1.10 has them.
func (c *cursor) mobilityExtensions() {
	for len(c.b) > 0 && !c.cut {
		n := 1
		if c.b[0] != 0 {
			if len(c.b) < 2 || 2+int(c.b[1]) > len(c.b) {
				break
			}
			n = 2 + int(c.b[1])
		}
		c.group("mobility extension", n, (*cursor).mobilityExtension)
	}
	if !c.cut {
		c.rest("data")
	}
}

// agentAdvertisement is the mobility agent advertisement extension (RFC 5944
// section 2.1.1).
const agentAdvertisement = 16

func (c *cursor) mobilityExtension() {
	typ := c.uint("type", 1)
	if typ == 0 {
		return // one byte of padding
	}
	if n := c.uint("length", 1); typ == agentAdvertisement && n >= 6 {
		c.uint("sequence number", 2)
		c.uint("registration lifetime", 2)
		c.uint("flags", 2)
		c.addrs("care-of address", 4)
	}
	c.rest("data")
}
