package icmpx

// Query types of node information (RFC 4620 section 6).
const (
	niName  = 2
	niAddr6 = 3
	niAddr4 = 4
)

// nodeInformation reads a node information query or reply (RFC 4620 section 4).
func (c *cursor) nodeInformation(reply bool, code uint8) {
	qtype := c.uint("query type", 2)
	c.zero("reserved", 1)
	c.flags(bitField{"", 2}, bitField{"global", 1}, bitField{"site-local", 1}, bitField{"link-local", 1},
		bitField{"IPv4-compatible", 1}, bitField{"all addresses", 1}, bitField{"truncated", 1})
	c.bytes("nonce", 8)
	switch {
	case c.cut:
		return
	case !reply:
		c.subject(code)
	case code == 0 && qtype == niName:
		c.uint("time to live", 4)
		c.domains("name")
	case code == 0 && qtype == niAddr6:
		c.nodeAddresses(16)
	case code == 0 && qtype == niAddr4:
		c.nodeAddresses(4)
	}
	if !c.cut {
		c.rest("data")
	}
}

// subject reads what a query is about, by its code.
func (c *cursor) subject(code uint8) {
	switch {
	case code == 0 && len(c.b) > 0:
		c.addr("subject", 16)
	case code == 1:
		c.domains("subject")
	case code == 2 && len(c.b) > 0:
		c.addr("subject", 4)
	}
}

// domains reads domain names to the end. A name of one label ends in a second
// zero (RFC 4620 section 4), which is left as padding.
func (c *cursor) domains(name string) {
	for len(c.b) > 0 && c.b[0] != 0 && !c.cut {
		if !c.domain(name) {
			return
		}
		if len(c.b) > 0 && c.b[0] == 0 {
			c.bytes("padding", 1)
		}
	}
}

// nodeAddresses reads pairs of a time to live and an address of n bytes.
func (c *cursor) nodeAddresses(n int) {
	for len(c.b) >= 4+n {
		c.uint("time to live", 4)
		c.addr("address", n)
	}
}

// renumbering reads a router renumbering message (RFC 2894 section 3).
func (c *cursor) renumbering(code uint8) {
	c.uint("sequence number", 4)
	c.uint("segment number", 1)
	c.flags(bitField{"test", 1}, bitField{"result requested", 1}, bitField{"all interfaces", 1},
		bitField{"site-specific", 1}, bitField{"processed previously", 1}, bitField{"", 3})
	c.uint("maximum delay", 2)
	c.zero("reserved", 4)
	for len(c.b) > 0 && !c.cut && code <= 1 {
		if code == 0 {
			c.group("prefix control operation", renumberingLen(c.b), (*cursor).prefixControl)
		} else {
			c.group("result", min(24, len(c.b)), (*cursor).renumberingResult)
		}
	}
	if !c.cut {
		c.rest("data")
	}
}

// renumberingLen returns the length of the prefix control operation that b begins
// with, as far as it is there.
func renumberingLen(b []byte) int {
	n := 24
	if len(b) > 1 {
		n = max(n, ndUnit*int(b[1]))
	}
	return min(n, len(b))
}

func (c *cursor) prefixControl() {
	c.uint("operation", 1)
	if n := 8 * int(c.uint("operation length", 1)); !c.cut && (n < 24 || n > len(c.b)+2 || n%32 != 24) {
		c.problem("operation length", c.off-1, ErrLength)
	}
	c.uint("ordinal", 1)
	c.uint("match length", 1)
	c.uint("minimum length", 1)
	c.uint("maximum length", 1)
	c.zero("reserved", 2)
	c.addr("match prefix", 16)
	for len(c.b) >= 32 && !c.cut {
		c.group("use prefix", 32, (*cursor).usePrefix)
	}
	if !c.cut {
		c.rest("data")
	}
}

func (c *cursor) usePrefix() {
	c.uint("use length", 1)
	c.uint("keep length", 1)
	c.uint("flag mask", 1)
	c.uint("RA flags", 1)
	c.uint("valid lifetime", 4)
	c.uint("preferred lifetime", 4)
	c.flags(bitField{"decrement valid lifetime", 1}, bitField{"decrement preferred lifetime", 1}, bitField{"", 6})
	c.zero("reserved", 3)
	c.addr("prefix", 16)
}

func (c *cursor) renumberingResult() {
	c.zero("reserved", 1)
	c.flags(bitField{"", 6}, bitField{"out of bounds", 1}, bitField{"forbidden", 1})
	c.uint("ordinal", 1)
	c.uint("matched length", 1)
	c.uint("interface index", 4)
	c.addr("matched prefix", 16)
}
