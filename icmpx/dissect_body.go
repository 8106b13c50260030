package icmpx

// body reads what follows the checksum of the message b, which is or was size
// bytes long.
func (c *cursor) body(f Family, typ, code uint8, b []byte, size int) {
	switch {
	case queryOf(f, typ) == queryPlain:
		c.uint("identifier", 2)
		c.uint("sequence number", 2)
		c.query(f, typ)
	case queryOf(f, typ) == queryExtended:
		c.extEcho(f, typ)
	case kindOf(f, typ, code).Quotes():
		c.restOfHeader(f, typ, code)
		c.quoteAndExtension(f, b)
	case f == IPv6:
		c.body6(typ, code, size)
	default:
		c.body4(typ)
	}
}

// query reads what follows identifier and sequence number.
func (c *cursor) query(f Family, typ uint8) {
	if f != IPv6 {
		switch typ {
		case v4TimestampRequest, v4TimestampReply:
			c.uint("originate timestamp", 4)
			c.uint("receive timestamp", 4)
			c.uint("transmit timestamp", 4)
		case v4MaskRequest, v4MaskReply:
			c.addr("address mask", 4)
		}
	}
	if !c.cut {
		c.rest("data")
	}
}

// extEcho reads an extended echo request or reply (RFC 8335).
func (c *cursor) extEcho(f Family, typ uint8) {
	c.uint("identifier", 2)
	c.uint("sequence number", 1)
	flags := c.take("flags", 1)
	if flags == nil {
		return
	}
	if isRequest(f, typ) {
		c.bits(flags[0], bitField{"", 7}, bitField{"local", 1})
	} else {
		c.bits(flags[0], bitField{"state", 3}, bitField{"", 2},
			bitField{"active", 1}, bitField{"IPv4", 1}, bitField{"IPv6", 1})
	}
	n := echoExtensionLen(c.b)
	if n > 0 && n < len(c.b) && Checksum(c.b) == 0 && Checksum(c.b[:n]) != 0 {
		n = len(c.b) // several objects under one checksum
	}
	if n > 0 {
		c.group("extension", n, (*cursor).extension)
	}
	c.rest("data")
}

// routerAdvertisement reads the body of a router advertisement (RFC 1256); an
// entry may be longer than is known.
func (c *cursor) routerAdvertisement() {
	n := int(c.uint("number of addresses", 1))
	words := int(c.uint("address entry size", 1))
	c.uint("lifetime", 2)
	switch {
	case c.cut:
		return
	case n == 0:
		c.problem("number of addresses", 4, ErrLength)
	case words < entryWords:
		c.problem("address entry size", 5, ErrLength)
		c.rest("data")
		return
	}
	for range n {
		c.group("router", min(4*words, max(len(c.b), 1)), func(c *cursor) {
			c.addr("address", 4)
			c.uint("preference", 4)
			if !c.cut {
				c.rest("data")
			}
		})
		if c.cut {
			return
		}
	}
	c.mobilityExtensions()
}

// restOfHeader reads the second word of an error.
func (c *cursor) restOfHeader(f Family, typ, code uint8) {
	switch kindOf(f, typ, code) {
	case KindRedirect:
		c.addr("gateway", 4)
	case KindSourceQuench:
		c.zero("unused", 4)
	case KindTooBig:
		if f == IPv6 {
			c.uint("MTU", 4)
			return
		}
		c.zero("unused", 1)
		c.uint("length", 1)
		c.uint("next-hop MTU", 2)
	case KindParamProblem:
		if f == IPv6 {
			c.uint("pointer", 4)
			return
		}
		c.uint("pointer", 1)
		c.uint("length", 1)
		c.zero("unused", 2)
	default:
		if f == IPv6 {
			c.uint("length", 1)
			c.zero("unused", 3)
			return
		}
		c.zero("unused", 1)
		c.uint("length", 1)
		c.zero("unused", 2)
	}
}

// quoteAndExtension reads the rest of the error b.
func (c *cursor) quoteAndExtension(f Family, b []byte) {
	if c.cut {
		return
	}
	if err, ok := checkLengthAttribute(f, b).(*ParseError); ok {
		c.problem(err.Field, err.Offset, err.Err)
	}
	n, how := splitExtension(f, b)
	c.group("quote", n, func(c *cursor) { c.quotedPacket(f) })
	if how == placedNowhere {
		return
	}
	c.group("extension", len(c.b), func(c *cursor) {
		c.add("placement", c.off, 0, how.String())
		c.extension()
	})
}
