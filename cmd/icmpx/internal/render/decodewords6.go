package render

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// ICMPv6 types that have words of their own.
const (
	type6Unreachable  = 1
	type6TooBig       = 2
	type6TimeExceeded = 3
	type6Problem      = 4
	type6Query        = 130
	type6Report       = 131
	type6Done         = 132
	type6Neighbor     = 135
	type6Advert       = 136
	type6Redirect     = 137
	type6Renumber     = 138
	type6HomeRequest  = 144
	type6MobileQuery  = 146
	type6ReportV2     = 143
	type6RPL          = 155
	type6ExtEcho      = 160
	type6ExtReply     = 161
)

// words6 are messages that tcpdump gives no more than a name.
var words6 = [...]struct {
	typ  uint8
	text string
}{
	{133, "router solicitation"}, {134, "router advertisement"},
	{139, "node information query"}, {140, "node information reply"},
	{141, "inverse neighbor solicitation"}, {142, "inverse neighbor advertisement"},
	{145, "ha discovery reply"}, {147, "mobile router advertisement"},
}

// appendMessage6 appends the words for an ICMPv6 message that is no echo.
func (t *PacketText) appendMessage6(b []byte, p *packet.Packet) []byte {
	m := p.Message
	for _, w := range words6 {
		if w.typ == p.Type {
			return append(b, w.text...)
		}
	}
	switch cut := len(m) < 8; {
	case cut && hasWords6(p.Type):
		return append(appendOtherType(append(b, "type-#"...), icmpx.IPv6, p.Type), " [|icmp6]"...)
	case cut:
		return appendOtherType(append(b, "type-#"...), icmpx.IPv6, p.Type)
	}
	word := binary.BigEndian.Uint32(m[4:])
	switch p.Type {
	case type6Unreachable, type6TooBig, type6TimeExceeded, type6Problem:
		return t.appendError6(b, p)
	case type6Query, type6Report, type6Done:
		return t.appendListener(b, p)
	case type6ReportV2:
		b = strconv.AppendInt(append(b, "multicast listener report v2, "...), int64(word&0xffff), 10)
		return append(b, " group record(s)"...)
	case type6Neighbor:
		return t.appendTarget(append(b, "neighbor solicitation, who has "...), m, 8)
	case type6Advert:
		return t.appendTarget(append(b, "neighbor advertisement, tgt is "...), m, 8)
	case type6Redirect:
		b = t.appendTarget(append(b, "redirect, "...), m, 24)
		return t.appendTarget(append(b, " to "...), m, 8)
	case type6Renumber:
		return strconv.AppendUint(append(b, "router renumbering, seq="...), uint64(word), 10)
	case type6HomeRequest:
		return appendHex16(append(b, "ha discovery request, id "...), uint16(word>>16))
	case type6MobileQuery:
		return appendHex16(append(b, "mobile router solicitation, id "...), uint16(word>>16))
	case type6RPL:
		return append(append(b, "RPL, "...), icmpx.CodeName(icmpx.IPv6, p.Type, p.Code)...)
	case type6ExtEcho, type6ExtReply:
		return appendExtEcho(b, p)
	}
	return appendOtherType(append(b, "type-#"...), icmpx.IPv6, p.Type)
}

// hasWords6 reports whether a type has fields of its own in its first 8 bytes.
func hasWords6(typ uint8) bool {
	switch typ {
	case type6Query, type6Report, type6Done, type6Neighbor, type6Advert, type6Redirect, type6Renumber, type6ReportV2,
		type6HomeRequest, type6MobileQuery, type6RPL, type6ExtEcho, type6ExtReply, 128, 129:
		return true
	}
	return typ >= type6Unreachable && typ <= type6Problem
}

func appendHex16(b []byte, v uint16) []byte {
	return append(b, '0', 'x', hexDigits[v>>12], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15])
}

// appendTarget appends the IPv6 address at off in a message.
func (t *PacketText) appendTarget(b, m []byte, off int) []byte {
	if len(m) < off+16 {
		return append(b, "[|icmp6]"...)
	}
	return t.appendAddr(b, netip.AddrFrom16([16]byte(m[off:off+16])))
}

// appendListener appends an MLD message of version 1, or a query of version 2,
// which is longer (RFC 9777 section 8.1).
func (t *PacketText) appendListener(b []byte, p *packet.Packet) []byte {
	m := p.Message
	switch {
	case p.Type == type6Query && len(m) >= 28:
		b = t.appendTarget(append(b, "multicast listener query v2 [gaddr "...), m, 8)
		if n := binary.BigEndian.Uint16(m[26:]); n > 0 {
			b = strconv.AppendInt(append(b, ", "...), int64(n), 10)
			b = append(b, " source(s)"...)
		}
		return append(b, ']')
	case p.Type == type6Query:
		b = append(b, "multicast listener query"...)
	case p.Type == type6Report:
		b = append(b, "multicast listener report"...)
	default:
		b = append(b, "multicast listener done"...)
	}
	b = strconv.AppendInt(append(b, " max resp delay: "...), int64(binary.BigEndian.Uint16(m[4:])), 10)
	return t.appendTarget(append(b, " addr: "...), m, 8)
}

// appendError6 appends an ICMPv6 error. The message has 8 bytes.
func (t *PacketText) appendError6(b []byte, p *packet.Packet) []byte {
	m, q := p.Message, t.readError(p)
	switch p.Type {
	case type6Unreachable:
		return t.appendUnreachable6(append(b, "destination unreachable, "...), p.Code, q)
	case type6TooBig:
		return strconv.AppendUint(append(b, "packet too big, mtu "...), uint64(binary.BigEndian.Uint32(m[4:])), 10)
	case type6TimeExceeded:
		switch p.Code {
		case 0:
			return t.appendQuoted(append(b, "time exceeded in-transit for "...), q.Dst)
		case 1:
			return append(b, "time exceeded in-transit (reassembly)"...)
		}
		return strconv.AppendInt(append(b, "time exceeded, code-#"...), int64(p.Code), 10)
	}
	b = append(b, "parameter problem, "...)
	switch p.Code {
	case 0:
		b = append(b, "erroneous"...)
	case 1:
		b = append(b, "next header"...)
	case 2:
		b = append(b, "option"...)
	case 3:
		b = append(b, "incomplete header chain"...)
	default:
		b = appendCode(b, p)
	}
	return strconv.AppendUint(append(b, " - octet "...), uint64(binary.BigEndian.Uint32(m[4:])), 10)
}

// appendCode appends the number of a code, and its name if it has one.
func appendCode(b []byte, p *packet.Packet) []byte {
	b = strconv.AppendInt(append(b, "code-#"...), int64(p.Code), 10)
	if name := icmpx.CodeName(p.ICMP, p.Type, p.Code); !isNumber(name) {
		name = strings.TrimPrefix(name, icmpx.TypeName(p.ICMP, p.Type)+": ")
		b = append(append(append(b, " ("...), name...), ')')
	}
	return b
}

func (t *PacketText) appendUnreachable6(b []byte, code uint8, q *icmpx.Quote) []byte {
	switch code {
	case 0:
		b = append(b, "unreachable route "...)
	case 1:
		b = append(b, "unreachable prohibited "...)
	case 2:
		b = t.appendQuoted(append(b, "beyond scope "...), q.Dst)
		if q.Src.IsValid() {
			b = t.appendAddr(append(b, ", source address "...), q.Src)
		}
		return b
	case 3:
		b = append(b, "unreachable address "...)
	case 4:
		b = t.appendQuoted(append(b, "unreachable port, "...), q.Dst)
		if q.Family != 0 {
			b = appendQuotedPort(b, q)
		}
		return b
	default:
		b = append(appendCode(b, &packet.Packet{ICMP: icmpx.IPv6, Type: type6Unreachable, Code: code}), ' ')
	}
	return t.appendQuoted(b, q.Dst)
}
