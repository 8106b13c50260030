package icmpx

import (
	"encoding/binary"
	"net"
)

// String returns "none", "compliant", "short" or "legacy".
func (p placing) String() string {
	return [...]string{"none", "compliant", "short", "legacy"}[p&3]
}

// extension reads an extension structure (RFC 4884 section 7). Versions below
// 2 are those of its drafts, laid out alike.
func (c *cursor) extension() {
	all, start := c.b, c.off
	version := c.take("extension header", 2)
	if version == nil {
		return
	}
	c.add("version", start, 1, uint64(version[0]>>4))
	c.add("reserved", start, 2, uint64(version[0]&0x0f)<<8|uint64(version[1]))
	sum := c.uint("checksum", 2)
	if c.cut {
		return
	}
	if version[0]>>4 != extVersion {
		c.problem("extension version", start, ErrVersion)
	}
	switch {
	case version[0]>>4 > extVersion:
		c.rest("data")
		return
	case version[0]&0x0f != 0 || version[1] != 0:
		c.problem("extension reserved bits", start, ErrReserved)
	}
	if sum != 0 && Checksum(all) != 0 {
		c.problem("extension checksum", start+2, ErrChecksum)
	}
	c.objects()
}

// objects reads extension objects to the end.
func (c *cursor) objects() {
	for range maxObjects {
		if len(c.b) < objHeaderLen {
			break
		}
		n := c.peek16(0)
		if n < objHeaderLen || n > len(c.b) {
			c.problem("extension object length", c.off, ErrLength)
			c.rest("data")
			return
		}
		if n%4 != 0 {
			c.problem("extension object length", c.off, ErrLength)
		}
		c.group("object", n, (*cursor).object)
	}
	if len(c.b) > 0 {
		c.problem("bytes behind the extension objects", c.off, ErrLength)
		c.rest("data")
	}
}

func (c *cursor) object() {
	c.uint("length", 2)
	class := c.uint("class", 1)
	ctype := c.b[0]
	c.uint("C-type", 1)
	switch {
	case class == classMPLS && ctype == 1:
		c.labels()
	case class == classInterfaceInfo:
		c.interfaceInfo(ctype)
	case class == classInterfaceIdent:
		c.interfaceIdent(ctype)
	case class == classExtendedInfo && ctype == 1:
		c.uint("pointer", 4)
	case class == classNodeIdent:
		c.subObjects(ctype & (infoAddr | infoName))
	}
	if !c.cut {
		c.rest("data")
	}
}

// labels reads an MPLS label stack (RFC 4950 section 4).
func (c *cursor) labels() {
	for range maxLabels {
		if len(c.b) < 4 {
			return
		}
		c.group("label", 4, func(c *cursor) {
			v := binary.BigEndian.Uint32(c.take("label", 4))
			at := c.off - 4
			c.add("label", at, 3, uint64(v>>12))
			c.add("traffic class", at+2, 1, uint64(v>>9&7))
			c.add("bottom of stack", at+2, 1, v>>8&1 != 0)
			c.add("time to live", at+3, 1, uint64(v&0xff))
		})
	}
	if len(c.b) > 0 {
		c.problem("MPLS label stack", c.off, ErrLimit)
	}
}

// roles are the meanings of an interface information object's first two bits
// (RFC 5837 section 4.1).
var roles = [4]string{"incoming interface", "incoming sub-IP component", "outgoing interface", "next hop"}

// interfaceInfo reads an interface information object (RFC 5837).
func (c *cursor) interfaceInfo(ctype uint8) {
	c.add("role", c.off-1, 1, roles[ctype>>6])
	if ctype&infoReserved != 0 {
		c.problem("interface information C-type", c.off-1, ErrReserved)
	}
	c.subObjects(ctype & infoAll)
	if !c.cut && len(c.b) > 0 {
		c.problem("bytes behind the interface information", c.off, ErrLength)
	}
}

// subObjects reads the sub-objects that bits announce, in their order.
func (c *cursor) subObjects(bits uint8) {
	if bits&infoIndex != 0 {
		c.uint("interface index", 4)
	}
	if bits&infoAddr != 0 {
		c.interfaceAddr()
	}
	if bits&infoName != 0 && !c.cut {
		c.interfaceName()
	}
	if bits&infoMTU != 0 {
		c.uint("MTU", 4)
	}
}

func (c *cursor) interfaceAddr() {
	afi := c.uint("address family", 2)
	c.zero("reserved", 2)
	switch {
	case c.cut:
	case afi == afiIPv4:
		c.addr("address", net.IPv4len)
	case afi == afiIPv6:
		c.addr("address", net.IPv6len)
	default:
		c.problem("interface address family", c.off-4, ErrVersion)
		c.rest("data")
		c.cut = true
	}
}

func (c *cursor) interfaceName() {
	n := 0
	if len(c.b) > 0 {
		n = int(c.b[0])
	}
	if n < 4 || n > maxInterfaceName+1 || n%4 != 0 || n > len(c.b) {
		c.problem("interface name length", c.off, ErrLength)
		c.rest("data")
		c.cut = true
		return
	}
	b := c.take("interface name", n)
	name, pad := cutZeros(b[1:])
	c.add("interface name", c.off-n, n, string(name))
	if nameLen(name) != n || !allZero(pad) {
		c.problem("interface name padding", c.off-n+1+len(name), ErrLength)
	}
}

// interfaceIdent reads an interface identification object (RFC 8335 section
// 2.1). A name that is not padded is common and understood.
func (c *cursor) interfaceIdent(ctype uint8) {
	switch ctype {
	case identName:
		b := c.take("interface name", len(c.b))
		name, _ := cutZeros(b)
		c.add("interface name", c.off-len(b), len(b), string(name))
	case identIndex:
		c.uint("interface index", 4)
	case identAddr:
		c.identAddr()
	}
}

func (c *cursor) identAddr() {
	afi := c.uint("address family", 2)
	n := int(c.uint("address length", 1))
	c.zero("reserved", 1)
	switch {
	case c.cut:
	case n > len(c.b):
		c.problem("interface address length", c.off-2, ErrLength)
	case afi == afiIPv4 && n == net.IPv4len, afi == afiIPv6 && n == net.IPv6len:
		c.addr("address", n)
	default:
		c.bytes("address", n)
	}
	if !c.cut {
		c.rest("padding")
	}
}
