package render

import (
	"encoding/binary"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// maxQuotes is how deep errors about errors are followed. RFC 1122 section
// 3.2.2 and RFC 4443 section 2.4 forbid the first.
const maxQuotes = 3

// quoted appends the packet that an error quotes, which field spans, and how
// many bytes of it there are.
func (o *object) quoted(f icmpx.Family, m []byte, field *icmpx.Field) {
	if field == nil || field.Len == 0 {
		o.int("quoted_bytes", 0)
		return
	}
	o.int("quoted_bytes", int64(field.Len))
	o.key("quote")
	o.b = appendQuote(o.b, f, m[field.Offset:field.Offset+field.Len], maxQuotes)
}

// appendQuote appends the quoted packet q, which has a byte: the keys of an IP
// header of the version that it begins with, and l4. f is the family that the
// error is of; without a version that is known, only that.
func appendQuote(b []byte, f icmpx.Family, q []byte, depth int) []byte {
	o := begin(b)
	switch v := icmpx.Family(q[0] >> 4); v {
	case icmpx.IPv4, icmpx.IPv6:
		f = v
	default:
		o.int("v", int64(f))
		return o.end()
	}
	end := o.ipHeader(f, q, "")
	if end.off < 0 || end.later {
		return o.end()
	}
	word := protocolWord(end.proto)
	if l4 := q[end.off:quoteEnd(f, q, end.off)]; len(l4) > 0 && word != "" {
		o.key("l4")
		o.b = appendTransport(o.b, word, end.proto, l4, depth)
	}
	return o.end()
}

// quoteEnd returns where the quoted packet q ends, padding left out, if its
// header's length is to be believed: it has room for 8 bytes at off.
func quoteEnd(f icmpx.Family, q []byte, off int) int {
	total := int(binary.BigEndian.Uint16(q[2:]))
	if f == icmpx.IPv6 {
		total = header6Len + int(binary.BigEndian.Uint16(q[4:]))
	}
	if total >= off+8 && total < len(q) {
		return total
	}
	return len(q)
}

// Protocols that quotes are read of, besides TCP and UDP.
const (
	protoICMP    = 1
	protoDCCP    = 33
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// protocolWord returns the name of an IP protocol, "" of those that ICMP errors
// hardly quote.
func protocolWord(proto uint8) string {
	switch proto {
	case protoICMP:
		return "icmp"
	case 2:
		return "igmp"
	case 4:
		return "ip"
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case protoDCCP:
		return "dccp"
	case 41:
		return "ipv6"
	case 47:
		return "gre"
	case 50:
		return "esp"
	case extAuth:
		return "ah"
	case protoICMPv6:
		return "icmpv6"
	case 89:
		return "ospf"
	case 103:
		return "pim"
	case 112:
		return "vrrp"
	case protoSCTP:
		return "sctp"
	case protoUDPLite:
		return "udplite"
	}
	return ""
}

// appendTransport appends a quoted transport header, as far as the bytes go.
func appendTransport(b []byte, word string, proto uint8, l4 []byte, depth int) []byte {
	o := begin(b)
	o.str("p", word)
	switch proto {
	case protoTCP:
		o.ports(l4)
		o.tcp(l4)
	case protoUDP, protoUDPLite:
		o.ports(l4)
		o.uint16At("len", l4, 4)
		o.sumAt(l4, 6)
	case protoSCTP, protoDCCP:
		o.ports(l4)
	case protoICMP:
		o.quotedMessage(icmpx.IPv4, l4, depth)
	case protoICMPv6:
		o.quotedMessage(icmpx.IPv6, l4, depth)
	}
	return o.end()
}

func (o *object) ports(l4 []byte) {
	o.uint16At("sport", l4, 0)
	o.uint16At("dport", l4, 2)
}

func (o *object) tcp(l4 []byte) {
	if len(l4) >= 8 {
		o.int("seq", int64(binary.BigEndian.Uint32(l4[4:])))
	}
	if len(l4) >= 12 {
		o.int("ack", int64(binary.BigEndian.Uint32(l4[8:])))
	}
	if len(l4) >= 14 {
		o.sum("flags", binary.BigEndian.Uint16(l4[12:])&0x0fff)
	}
	o.uint16At("win", l4, 14)
}

func (o *object) sumAt(l4 []byte, off int) {
	if len(l4) >= off+2 {
		o.sum("sum", binary.BigEndian.Uint16(l4[off:]))
	}
}

// quotedMessage appends the header of a quoted ICMP message. If that is an
// error too, depth says how many more are followed.
func (o *object) quotedMessage(f icmpx.Family, m []byte, depth int) {
	o.int("type", int64(m[0]))
	if len(m) >= 2 {
		o.int("code", int64(m[1]))
		o.str("name", icmpx.Describe(f, m[0], m[1]))
	}
	o.sumAt(m, 2)
	switch shapeOf(f, m[0]) {
	case shapeEcho, shapeQuery:
		o.uint16At("id", m, 4)
		o.uint16At("seq", m, 6)
	case shapeExtEcho:
		o.uint16At("id", m, 4)
		if len(m) >= 7 {
			o.int("seq", int64(m[6]))
		}
	case shapeError:
		if len(m) > messageHeader && depth > 1 {
			o.key("quote")
			o.b = appendQuote(o.b, f, m[messageHeader:], depth-1)
		}
	}
}

// appendExtensionStructure appends the extension structure of m that field
// spans (RFC 4884 section 7).
func appendExtensionStructure(b, m []byte, field *icmpx.Field) []byte {
	s := m[field.Offset : field.Offset+field.Len]
	o := begin(b)
	if len(s) >= 1 {
		o.int("version", int64(s[0]>>4))
	}
	if len(s) >= 4 {
		o.sumAt(s, 2)
		o.str("sum_status", structureSum(s))
	}
	o.int("len", int64(len(s)))
	if f := field.Find("placement"); f != nil {
		if word, ok := f.Value.(string); ok {
			o.str("placement", word)
		}
	}
	o.key("objects")
	o.b = append(o.b, '[')
	empty := len(o.b)
	for i := range field.Fields {
		if f := &field.Fields[i]; f.Name == "object" {
			o.between(empty)
			o.b = appendObject(o.b, f)
		}
	}
	o.b = append(o.b, ']')
	if f := field.Find("data"); f != nil {
		if data, ok := f.Value.([]byte); ok {
			o.hex("data", data)
		}
	}
	return o.end()
}

// structureSum says what is found of the checksum of an extension structure; 0
// means that none was computed.
func structureSum(s []byte) string {
	switch {
	case s[2] == 0 && s[3] == 0:
		return "absent"
	case icmpx.Checksum(s) != 0:
		return "bad"
	}
	return "good"
}

// Classes of extension objects (IANA "ICMP Extension Object Classes").
const (
	classLabels    = 1 // RFC 4950
	classInterface = 2 // RFC 5837
	classIdent     = 3 // RFC 8335
	classExtended  = 4 // RFC 8883
	classNode      = 5 // draft-ietf-intarea-extended-icmp-nodeid
)

func classTitle(class, ctype uint64) string {
	switch {
	case class == classLabels && ctype == 1:
		return "MPLS label stack"
	case class == classInterface:
		return "Interface information"
	case class == classIdent:
		return "Interface identification"
	case class == classExtended && ctype == 1:
		return "Extended information"
	case class == classNode:
		return "Node identification"
	}
	return "Unknown object"
}

// appendObject appends an extension object. What its class says of it is in f,
// or in mpls; what is not understood is in data.
func appendObject(b []byte, field *icmpx.Field) []byte {
	o := begin(b)
	class, ctype := number(field, "class"), number(field, "C-type")
	o.int("len", int64(number(field, "length")))
	o.int("cls", int64(class))
	o.int("ctype", int64(ctype))
	o.str("title", classTitle(class, ctype))
	if class == classLabels && ctype == 1 {
		o.labelStack(field)
	}
	o.interfaceFields(field, ctype)
	if f := field.Find("data"); f != nil {
		if data, ok := f.Value.([]byte); ok {
			o.hex("data", data)
		}
	}
	return o.end()
}

// number returns the value of a numeric field, 0 if it is not whole.
func number(field *icmpx.Field, name string) uint64 {
	if f := field.Find(name); f != nil {
		v, _ := f.Value.(uint64)
		return v
	}
	return 0
}

// labelStack appends MPLS labels, each as [label, traffic class, bottom of the
// stack, TTL].
func (o *object) labelStack(field *icmpx.Field) {
	start, had := len(o.b), o.comma
	o.key("mpls")
	o.b = append(o.b, '[')
	empty := len(o.b)
	for i := range field.Fields {
		l := &field.Fields[i]
		if l.Name != "label" {
			continue
		}
		bottom := false
		if s := l.Find("bottom of stack"); s != nil {
			bottom, _ = s.Value.(bool)
		}
		o.between(empty)
		o.b = appendInts(o.b, []int{
			int(number(l, "label")), int(number(l, "traffic class")), bit(bottom), int(number(l, "time to live")),
		})
	}
	if len(o.b) == empty {
		o.b, o.comma = o.b[:start], had
		return
	}
	o.b = append(o.b, ']')
}

// interfaceFields appends as f what an object says of an interface or a node,
// if it says anything.
func (o *object) interfaceFields(field *icmpx.Field, ctype uint64) {
	start, had := len(o.b), o.comma
	o.key("f")
	f := begin(o.b)
	for i := range field.Fields {
		part := &field.Fields[i]
		switch v := part.Value.(type) {
		case uint64:
			if key := objectKey(part.Name); key != "" {
				f.int(key, int64(v))
			}
		case netip.Addr:
			f.addr("addr", v)
		case string:
			if part.Name == "role" {
				f.str("role", roleWords[ctype>>6&3])
			} else {
				f.str("name", v)
			}
		case []byte:
			switch {
			case part.Name == "address":
				f.hex("addr_bytes", v)
			case part.Name == "padding" && !isZero(v):
				f.hex("padding", v)
			}
		}
	}
	if !f.comma {
		o.b, o.comma = o.b[:start], had
		return
	}
	o.b = f.end()
}

// objectKey returns the key of a number in an extension object, "" if it has
// none.
func objectKey(name string) string {
	switch name {
	case "interface index":
		return "index"
	case "MTU":
		return "mtu"
	case "address family":
		return "afi"
	case "address length":
		return "addr_len"
	case "pointer":
		return "ptr"
	}
	return ""
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
