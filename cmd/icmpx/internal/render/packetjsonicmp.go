package render

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// messageHeader is the length in bytes of the part of an ICMP header that all
// types lay out alike but for its second word.
const messageHeader = 8

// maxShown is how many bytes of an echo's payload are shown.
const maxShown = 64

// A shape is how the body of a message is laid out, as far as it has keys of
// its own; what has none is listed under "fields".
type shape uint8

const (
	shapeOther   shape = iota
	shapeEcho          // identifier, sequence number, data
	shapeQuery         // the other queries of RFC 792 and RFC 950
	shapeExtEcho       // RFC 8335
	shapeError         // those that quote a packet
	shapeRouters       // router advertisement of RFC 1256
)

func shapeOf(f icmpx.Family, typ uint8) shape {
	if f == icmpx.IPv6 {
		switch typ {
		case 128, 129:
			return shapeEcho
		case 160, 161:
			return shapeExtEcho
		case 1, 2, 3, 4:
			return shapeError
		}
		return shapeOther
	}
	switch typ {
	case 0, 8:
		return shapeEcho
	case 13, 14, 15, 16, 17, 18:
		return shapeQuery
	case 42, 43:
		return shapeExtEcho
	case 3, 4, 5, 11, 12:
		return shapeError
	case 9:
		return shapeRouters
	}
	return shapeOther
}

// appendMessage appends the ICMP message, and adds what is wrong within it.
func (j *PacketJSON) appendMessage(b []byte, p *packet.Packet, wrong *problems) []byte {
	f, m := p.ICMP, p.Message
	o := begin(b)
	o.int("v", int64(f))
	o.int("len", int64(len(m)))
	if len(m) >= 1 {
		o.int("type", int64(m[0]))
	}
	if len(m) >= 2 {
		o.int("code", int64(m[1]))
		o.str("name", icmpx.Describe(f, m[0], m[1]))
	}
	if len(m) >= 4 {
		o.sum("sum", binary.BigEndian.Uint16(m[2:]))
		o.str("sum_status", statusWord(p.Checksum))
	}
	if len(m) >= messageHeader && shapeOf(f, m[0]) == shapeEcho && p.MessageLen <= len(m) {
		o.echo(f, m)
	} else {
		o.body(f, p, wrong)
	}
	if j.Raw {
		o.hex("raw", m)
	}
	return o.end()
}

// echo appends the body of an echo whose header is whole.
func (o *object) echo(f icmpx.Family, m []byte) {
	o.identifier(f, "id", binary.BigEndian.Uint16(m[4:]))
	o.identifier(f, "seq", binary.BigEndian.Uint16(m[6:]))
	o.echoData(m[messageHeader:])
}

// identifier appends a number of 16 bits; of ICMPv4 also with its bytes
// swapped, which is how some systems mean it.
func (o *object) identifier(f icmpx.Family, k string, v uint16) {
	o.int(k, int64(v))
	if f != icmpx.IPv6 {
		o.int(k+"_le", int64(v<<8|v>>8))
	}
}

// echoData appends what is known of the data of an echo.
func (o *object) echoData(data []byte) {
	o.int("payload_len", int64(len(data)))
	sum := sha256.Sum256(data)
	o.key("payload_sha256")
	o.b = append(appendHex(append(o.b, '"'), sum[:]), '"')
	o.hex("payload", data[:min(len(data), maxShown)])
}

// body appends what follows the checksum, of any message.
func (o *object) body(f icmpx.Family, p *packet.Packet, wrong *problems) {
	m := p.Message
	if len(m) == 0 {
		return
	}
	d := icmpx.Dissect(f, m, icmpx.DissectOptions{Src: p.IP.Src, Dst: p.IP.Dst, Len: wholeLen(p)})
	*wrong = appendProblems((*wrong)[:0], d.Problems, firstFragment(p))
	s := shapeOf(f, m[0])
	parts := sortFields(s, d.Fields)
	for _, field := range parts.keyed {
		o.keyed(f, fieldKey(s, field), field)
	}
	if s == shapeEcho {
		o.echoData(m[min(len(m), messageHeader):])
	}
	if parts.routers != nil {
		o.routers(parts.routers)
	}
	if parts.others != nil {
		o.key("fields")
		o.b = appendFields(o.b, parts.others)
	}
	if s == shapeError && len(m) >= messageHeader {
		o.quoted(f, m, parts.quote)
	}
	if parts.extension != nil {
		o.key("ext")
		o.b = appendExtensionStructure(o.b, m, parts.extension)
	}
}

// wholeLen returns the length of the whole message as Dissect is told it. That
// of a first fragment is not known, but it is more than what is there.
func wholeLen(p *packet.Packet) int {
	if firstFragment(p) && p.MessageLen == 0 {
		return len(p.Message) + 1
	}
	return p.MessageLen
}

// firstFragment reports whether p carries the start of a message whose rest is
// in other frames.
func firstFragment(p *packet.Packet) bool { return p.Partial }

// appendProblems appends what nothing else says: checksums have their keys, that
// the message is not all there is a problem of the packet, and that a fragment
// ends early is none.
func appendProblems(to problems, from []icmpx.ParseError, fragment bool) problems {
	for _, w := range from {
		switch {
		case w.Err == icmpx.ErrChecksum, w.Field == "ICMP message":
		case fragment && w.Err == icmpx.ErrTruncated:
		default:
			to = append(to, w)
		}
	}
	return to
}

// A bodyParts is a dissection, sorted by the keys that it becomes.
type bodyParts struct {
	keyed, routers, others []*icmpx.Field
	quote, extension       *icmpx.Field
}

func sortFields(s shape, fields []icmpx.Field) bodyParts {
	var p bodyParts
	for i := range fields {
		field := &fields[i]
		switch name := field.Name; {
		case i < 3 && (name == "type" || name == "code" || name == "checksum"), isZeroReserved(field):
		case s == shapeEcho && name == "data":
		case s == shapeError && name == "quote":
			p.quote = field
		case (s == shapeError || s == shapeExtEcho) && name == "extension":
			p.extension = field
		case s == shapeRouters && name == "router":
			p.routers = append(p.routers, field)
		case fieldKey(s, field) != "":
			p.keyed = append(p.keyed, field)
		default:
			p.others = append(p.others, field)
		}
	}
	return p
}

// isZeroReserved reports whether a field says nothing.
func isZeroReserved(field *icmpx.Field) bool {
	v, ok := field.Value.(uint64)
	return ok && v == 0 && (field.Name == "reserved" || field.Name == "unused")
}

// keyed appends a field under its key.
func (o *object) keyed(f icmpx.Family, key string, field *icmpx.Field) {
	switch v := field.Value.(type) {
	case uint64:
		switch {
		case field.Len == 2 && (key == "id" || key == "seq"):
			o.identifier(f, key, uint16(v))
		case key == "len_attr" && v == 0: // the usual case
		default:
			o.int(key, int64(v))
		}
	case bool:
		o.int(key, int64(bit(v)))
	case netip.Addr:
		o.addr(key, v)
	}
}

// fieldKey returns the key of a field in a message of shape s. "": it has none,
// or it is cut short.
func fieldKey(s shape, field *icmpx.Field) string {
	switch field.Value.(type) {
	case uint64, bool, netip.Addr:
	default:
		return ""
	}
	if s == shapeOther {
		return ""
	}
	switch field.Name {
	case "identifier":
		return "id"
	case "sequence number":
		return "seq"
	case "next-hop MTU", "MTU":
		return "mtu"
	case "gateway":
		return "gw"
	case "pointer":
		return "ptr"
	case "length":
		return "len_attr"
	case "originate timestamp":
		return "ts_orig"
	case "receive timestamp":
		return "ts_recv"
	case "transmit timestamp":
		return "ts_xmit"
	case "address mask":
		return "mask"
	case "number of addresses":
		return "ra_num"
	case "address entry size":
		return "ra_size"
	case "lifetime":
		return "ra_lifetime"
	case "local":
		return "xe_local"
	case "state":
		return "xe_state"
	case "active":
		return "xe_active"
	case "IPv4":
		return "xe_v4"
	case "IPv6":
		return "xe_v6"
	}
	return ""
}

// routers appends the addresses of a router advertisement with their
// preferences, which are signed (RFC 1256 section 3).
func (o *object) routers(list []*icmpx.Field) {
	o.key("routers")
	o.b = append(o.b, '[')
	empty := len(o.b)
	for _, router := range list {
		addr, pref := router.Find("address"), router.Find("preference")
		if addr == nil || pref == nil {
			continue
		}
		a, ok1 := addr.Value.(netip.Addr)
		v, ok2 := pref.Value.(uint64)
		if !ok1 || !ok2 {
			continue // cut short
		}
		o.between(empty)
		o.b = a.AppendTo(append(o.b, '[', '"'))
		o.b = strconv.AppendInt(append(o.b, '"', ','), int64(int32(v)), 10)
		o.b = append(o.b, ']')
	}
	o.b = append(o.b, ']')
}

// appendFields appends fields as a list of [name, value].
func appendFields(b []byte, list []*icmpx.Field) []byte {
	b = append(b, '[')
	for i, field := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendField(b, field)
	}
	return append(b, ']')
}

// appendField appends a field as [name, value]: a number, a flag, an address or
// a word; bytes in hexadecimal; a group as the list of its fields.
func appendField(b []byte, field *icmpx.Field) []byte {
	b = append(appendString(append(b, '['), field.Name), ',')
	switch v := field.Value.(type) {
	case uint64:
		b = strconv.AppendUint(b, v, 10)
	case bool:
		b = strconv.AppendBool(b, v)
	case netip.Addr:
		b = append(v.AppendTo(append(b, '"')), '"')
	case string:
		b = appendString(b, v)
	case []byte:
		b = append(appendHex(append(b, '"'), v), '"')
	default:
		b = append(b, '[')
		for i := range field.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendField(b, &field.Fields[i])
		}
		b = append(b, ']')
	}
	return append(b, ']')
}
