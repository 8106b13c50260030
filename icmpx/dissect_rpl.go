package icmpx

// Codes of RPL control messages (RFC 6550 section 6). The high bit says that a
// security section leads.
const (
	rplDIS    = 0x00
	rplDIO    = 0x01
	rplDAO    = 0x02
	rplDAOAck = 0x03
	rplCheck  = 0x8a
	rplSecure = 0x80
)

// rpl reads a control message of the routing protocol for low-power networks.
func (c *cursor) rpl(code uint8) {
	encrypted := code&rplSecure != 0 && c.rplSecurity()
	switch {
	case c.cut:
		return
	case encrypted:
		c.rest("body")
		return
	case code == rplCheck:
		c.uint("instance", 1)
		c.flags(bitField{"response", 1}, bitField{"flags", 7})
		c.uint("nonce", 2)
		c.addr("DODAG", 16)
		c.uint("destination counter", 4)
	case code&^rplSecure == rplDIS:
		c.uint("flags", 1)
		c.uint("reserved", 1)
	case code&^rplSecure == rplDIO:
		c.rplInformation()
	case code&^rplSecure == rplDAO:
		c.rplDestination()
	case code&^rplSecure == rplDAOAck:
		c.rplAcknowledgment()
	default:
		c.rest("body")
		return
	}
	c.rplOptions()
}

// rplSecurity reads the security section (RFC 6550 section 6.1) and reports
// whether what follows is encrypted.
func (c *cursor) rplSecurity() (encrypted bool) {
	c.flags(bitField{"counter is time", 1}, bitField{"reserved", 7})
	c.uint("algorithm", 1)
	b := c.take("key identifier mode", 1)
	if b == nil {
		return false
	}
	c.bits(b[0], bitField{"key identifier mode", 2}, bitField{"reserved", 3}, bitField{"security level", 3})
	c.uint("security flags", 1)
	c.uint("counter", 4)
	encrypted = b[0]&7 == 1 || b[0]&7 == 3 // in all modes
	c.bytes("key identifier", rplKeyLen(b[0]>>6, encrypted))
	return encrypted
}

// rplKeyLen returns the length in bytes of a key identifier by its mode: an
// index, or where that comes from and an index (RFC 6550 section 6.1). With a
// signature (3) a key is named for what is encrypted alone.
func rplKeyLen(mode uint8, encrypted bool) int {
	switch {
	case mode == 0:
		return 1
	case mode == 2, mode == 3 && encrypted:
		return 9
	}
	return 0
}

// rplInformation reads a DODAG information object (RFC 6550 section 6.3).
func (c *cursor) rplInformation() {
	c.uint("instance", 1)
	c.uint("version", 1)
	c.uint("rank", 2)
	c.flags(bitField{"grounded", 1}, bitField{"reserved", 1}, bitField{"mode of operation", 3}, bitField{"preference", 3})
	c.uint("DTSN", 1)
	c.uint("flags", 1)
	c.uint("reserved", 1)
	c.addr("DODAG", 16)
}

// rplDestination reads a destination advertisement object (RFC 6550 section 6.4).
func (c *cursor) rplDestination() {
	c.uint("instance", 1)
	b := c.take("flags", 1)
	if b == nil {
		return
	}
	c.bits(b[0], bitField{"acknowledgment requested", 1}, bitField{"DODAG present", 1}, bitField{"flags", 6})
	c.uint("reserved", 1)
	c.uint("sequence number", 1)
	if b[0]&0x40 != 0 {
		c.addr("DODAG", 16)
	}
}

// rplAcknowledgment reads the acknowledgment of one (RFC 6550 section 6.5).
func (c *cursor) rplAcknowledgment() {
	c.uint("instance", 1)
	b := c.take("flags", 1)
	if b == nil {
		return
	}
	c.bits(b[0], bitField{"DODAG present", 1}, bitField{"reserved", 7})
	c.uint("sequence number", 1)
	c.uint("status", 1)
	if b[0]&0x80 != 0 {
		c.addr("DODAG", 16)
	}
}

// rplOptions reads options to the end (RFC 6550 section 6.7): type, length in
// bytes and data; type 0 is one byte of padding.
func (c *cursor) rplOptions() {
	for i := 0; len(c.b) > 0 && !c.cut; i++ {
		if i == maxNDOptions {
			c.problem("option", c.off, ErrLimit)
			c.rest("data")
			return
		}
		n := 1
		if c.b[0] != 0 && len(c.b) > 1 {
			n = 2 + int(c.b[1])
		}
		c.group("option", min(n, len(c.b)), (*cursor).rplOption)
	}
}

func (c *cursor) rplOption() {
	if c.uint("type", 1) == 0 {
		return
	}
	if n := c.uint("length", 1); !c.cut {
		c.bytes("data", int(n))
	}
}
