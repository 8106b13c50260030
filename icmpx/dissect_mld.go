package icmpx

// listener reads a body of multicast listener discovery (RFC 2710 section 3, RFC
// 9777 section 5). size is the length of the message, which tells the versions
// of a query apart.
func (c *cursor) listener(typ uint8, size int) {
	switch {
	case typ == v6MLDv2Report:
		c.mldv2Report()
		return
	case typ != v6MLDQuery || size < mldv2Len:
		c.uint("maximum response delay", 2)
	default:
		c.uint("maximum response code", 2)
	}
	c.zero("reserved", 2)
	c.addr("group", 16)
	switch {
	case c.cut:
		return
	case typ == v6MLDQuery && size >= mldv2Len:
		c.mldv2Query()
	case size > mldLen:
		c.problem("bytes behind the multicast listener message", c.off, ErrLength)
	}
	if !c.cut {
		c.rest("data")
	}
}

func (c *cursor) mldv2Query() {
	c.flags(bitField{"", 4}, bitField{"suppress router-side processing", 1}, bitField{"robustness variable", 3})
	c.uint("querier's query interval code", 1)
	n := c.uint("number of sources", 2)
	c.sources(n)
	if !c.cut && len(c.b) > 0 {
		c.problem("bytes behind the source addresses", c.off, ErrLength)
	}
}

func (c *cursor) sources(n uint64) {
	for range n {
		if c.cut {
			return
		}
		c.addr("source", 16)
	}
}

func (c *cursor) mldv2Report() {
	c.zero("reserved", 2)
	n := c.uint("number of records", 2)
	for range n {
		if c.cut {
			return
		}
		if len(c.b) == 0 {
			c.problem("multicast record", c.off, ErrTruncated)
			return
		}
		size := mldRecordSize(c.b)
		if size == 0 {
			c.group("record", len(c.b), (*cursor).mldRecord) // as far as it goes
			return
		}
		c.group("record", size, (*cursor).mldRecord)
	}
	if !c.cut && len(c.b) > 0 {
		c.problem("bytes behind the multicast records", c.off, ErrLength)
		c.rest("data")
	}
}

func (c *cursor) mldRecord() {
	c.uint("record type", 1)
	words := int(c.uint("auxiliary data length", 1))
	n := c.uint("number of sources", 2)
	c.addr("group", 16)
	c.sources(n)
	if !c.cut {
		c.bytes("auxiliary data", 4*words)
	}
}
