package icmpx

// discovery reads a body of neighbour discovery (RFC 4861 section 4, RFC 3122
// section 2).
func (c *cursor) discovery(typ uint8) {
	switch typ {
	case v6RouterAdvert:
		c.routerAdvertisement6()
	case v6NeighborAdvert:
		c.flags(bitField{"router", 1}, bitField{"solicited", 1}, bitField{"override", 1}, bitField{"", 5})
		c.zero("reserved", 3)
		c.addr("target", 16)
	case v6NeighborSolicit:
		c.zero("reserved", 4)
		c.addr("target", 16)
	case v6Redirect:
		c.zero("reserved", 4)
		c.addr("target", 16)
		c.addr("destination", 16)
	default:
		c.zero("reserved", 4)
	}
	c.ndOptions()
}

func (c *cursor) routerAdvertisement6() {
	c.uint("current hop limit", 1)
	c.flags(bitField{"managed address configuration", 1}, bitField{"other configuration", 1}, bitField{"home agent", 1},
		bitField{"router preference", 2}, bitField{"proxy", 1}, bitField{"", 2})
	c.uint("router lifetime", 2)
	c.uint("reachable time", 4)
	c.uint("retransmission timer", 4)
}

// flags adds the fields that the next byte is made of.
func (c *cursor) flags(parts ...bitField) {
	if b := c.take("flags", 1); b != nil {
		c.bits(b[0], parts...)
	}
}

// ndOptions reads options of neighbour discovery to the end (RFC 4861 section
// 4.6).
func (c *cursor) ndOptions() {
	for i := 0; len(c.b) > 0 && !c.cut; i++ {
		if i == maxNDOptions {
			c.problem("option", c.off, ErrLimit)
			c.rest("data")
			return
		}
		n, err := ndOptionLen(c.b)
		if err != nil {
			c.problem("option length", c.off+min(1, len(c.b)), c.cutOr(err))
			c.group("option", len(c.b), (*cursor).brokenOption)
			return
		}
		c.group("option", n, func(c *cursor) { c.ndOption(true) })
	}
}

// brokenOption reads an option that does not end where the message does, as far
// as that tells what it is.
func (c *cursor) brokenOption() {
	if len(c.b) > 1 && c.b[1] != 0 {
		c.ndOption(false)
		return
	}
	c.quiet = true
	c.uint("type", 1)
	c.uint("length", 1)
	c.rest("data")
}

// cutOr returns err, or ErrTruncated if what is missing was cut off in the
// capture.
func (c *cursor) cutOr(err error) error {
	if c.short {
		return ErrTruncated
	}
	return err
}

// ndOption reads an option that is whole or not. What does not fit its type is
// one problem, not one for each field.
func (c *cursor) ndOption(whole bool) {
	size := len(c.b)
	typ := uint8(c.uint("type", 1))
	c.uint("length", 1)
	if whole && !ndOptionFits(typ, size) {
		c.problem("option length", c.off-1, ErrLength)
		whole = false
	}
	c.quiet = !whole
	switch typ {
	case ndSourceLinkAddr, ndTargetLinkAddr:
		c.rest("link-layer address")
	case ndPrefixInfo:
		c.prefixInfo()
	case ndRedirected:
		c.redirected()
	case ndMTU:
		c.zero("reserved", 2)
		c.uint("MTU", 4)
	case ndSourceAddrs, ndTargetAddrs:
		c.zero("reserved", 6)
		c.addrs("address", 16)
	case ndNonce:
		c.rest("nonce")
	case ndRouteInfo:
		c.routeInfo(size)
	case ndRDNSS:
		c.zero("reserved", 2)
		c.uint("lifetime", 4)
		c.addrs("server", 16)
	case ndDNSSL:
		c.zero("reserved", 2)
		c.uint("lifetime", 4)
		c.searchList(whole)
	case ndCaptivePortal:
		c.captivePortal(whole)
	case ndPREF64:
		c.pref64()
	default:
		c.rareOption(typ)
	}
	if !c.cut {
		c.rest("data")
	}
}

// rareOption reads an option that Parse keeps as it is.
func (c *cursor) rareOption(typ uint8) {
	switch typ {
	case ndoShortcutLimit:
		c.uint("shortcut limit", 1)
	case ndoInterval:
		c.uint("reserved", 2)
		c.uint("interval", 4)
	case ndoHomeAgent:
		c.uint("reserved", 2)
		c.uint("preference", 2)
		c.uint("lifetime", 2)
	case ndoTimestamp:
		c.bytes("reserved", 6)
		c.uint("seconds", 6)
		c.uint("fraction", 2)
	case ndoAddrPrefix, ndoNewPrefix:
		c.uint("option code", 1)
		c.uint("prefix length", 1)
		c.uint("reserved", 4)
		c.addr("address", 16)
	case ndoMobilityAnchor:
		c.uint("distance and preference", 1)
		c.uint("flags", 1)
		c.uint("lifetime", 4)
		c.addr("address", 16)
	case ndoFlagsExtension:
		c.rest("flags")
	case ndoAddrRegistration:
		c.uint("status", 1)
		c.uint("reserved", 3)
		c.uint("lifetime", 2)
		c.bytes("identifier", 8)
	case ndoContext:
		c.uint("context length", 1)
		c.uint("flags and context identifier", 1)
		c.uint("reserved", 2)
		c.uint("lifetime", 2)
		c.rest("prefix")
	case ndoBorderRouter:
		c.uint("version low", 2)
		c.uint("version high", 2)
		c.uint("lifetime", 2)
		c.addr("address", 16)
	case ndoCapability:
		c.uint("capabilities", 2)
	}
}

// addrs adds addresses as long as there are whole ones.
func (c *cursor) addrs(name string, n int) {
	for len(c.b) >= n && !c.cut {
		c.addr(name, n)
	}
}

func (c *cursor) prefixInfo() {
	if bits := c.uint("prefix length", 1); bits > 128 {
		c.problem("prefix length", c.off-1, ErrLength)
	}
	c.flags(bitField{"on-link", 1}, bitField{"autonomous", 1}, bitField{"router address", 1}, bitField{"delegated", 1}, bitField{"", 4})
	c.uint("valid lifetime", 4)
	c.uint("preferred lifetime", 4)
	c.zero("reserved", 4)
	c.addr("prefix", 16)
}

func (c *cursor) routeInfo(size int) {
	if bits := c.uint("prefix length", 1); bits > 128 || size < ndUnit*int(routeUnits(uint8(bits))) {
		c.problem("prefix length", c.off-1, ErrLength)
	}
	c.flags(bitField{"", 3}, bitField{"route preference", 2}, bitField{"", 3})
	c.uint("lifetime", 4)
	c.prefix("prefix", min(len(c.b), 16))
}

// prefix adds an address of which n bytes are there, and the rest is zero.
func (c *cursor) prefix(name string, n int) {
	if c.cut {
		return
	}
	b := c.take(name, n)
	c.add(name, c.off-n, n, addr6Prefix(b))
}

func (c *cursor) pref64() {
	if b := c.take("scaled lifetime", 2); b != nil {
		c.add("scaled lifetime", c.off-2, 2, uint64(b[0])<<5|uint64(b[1])>>3)
		code := b[1] & 7
		c.add("prefix length code", c.off-1, 1, uint64(code))
		if int(code) < len(pref64Lens) {
			c.add("prefix length", c.off-1, 1, uint64(pref64Lens[code]))
		} else {
			c.problem("prefix length code", c.off-1, ErrReserved)
		}
	}
	c.prefix("prefix", min(len(c.b), 12))
}

// redirected reads the packet that a redirect is about.
func (c *cursor) redirected() {
	c.zero("reserved", 6)
	if c.cut || len(c.b) == 0 {
		return
	}
	c.group("quote", len(c.b), func(c *cursor) { c.quotedPacket(IPv6) })
}

// searchList reads domain names and the padding behind them.
func (c *cursor) searchList(whole bool) {
	names := 0
	for len(c.b) > 0 && c.b[0] != 0 && !c.cut {
		if !c.domain("domain") {
			return
		}
		names++
	}
	if whole && (names == 0 || len(c.b) >= ndUnit) {
		c.problem("padding", c.off, ErrLength)
	}
	c.padding()
}

// domain adds a domain name, if there is one.
func (c *cursor) domain(name string) bool {
	text, n, err := domainAt(c.b)
	if err != nil {
		if !c.quiet {
			c.problem("domain name", c.off, err)
		}
		c.rest("data")
		return false
	}
	c.take(name, n)
	c.add(name, c.off-n, n, text)
	return true
}

// padding adds what is left, which must be zero.
func (c *cursor) padding() {
	if !allZero(c.b) {
		c.problem("padding", c.off, ErrReserved)
	}
	c.rest("padding")
}

func (c *cursor) captivePortal(whole bool) {
	uri, pad := cutZeros(c.b)
	n := len(uri)
	c.take("URI", n)
	c.add("URI", c.off-n, n, string(uri))
	if whole && len(pad) >= ndUnit {
		c.problem("padding", c.off, ErrLength)
	}
	c.padding()
}
