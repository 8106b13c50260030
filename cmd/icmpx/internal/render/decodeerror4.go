package render

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// unreachable4 are the words for destination unreachable, by code: what is
// before and behind the address that was not reached.
var unreachable4 = [...]struct{ before, behind string }{
	0:  {"net ", " unreachable"},
	1:  {"host ", " unreachable"},
	2:  {"", " unreachable"},
	3:  {"", " unreachable"},
	4:  {"", " unreachable - need to frag"},
	5:  {"", " unreachable - source route failed"},
	6:  {"net ", " unreachable - unknown"},
	7:  {"host ", " unreachable - unknown"},
	8:  {"", " unreachable - source host isolated"},
	9:  {"net ", " unreachable - admin prohibited"},
	10: {"host ", " unreachable - admin prohibited"},
	11: {"net ", " unreachable - tos prohibited"},
	12: {"host ", " unreachable - tos prohibited"},
	13: {"host ", " unreachable - admin prohibited filter"},
	14: {"host ", " unreachable - host precedence violation"},
	15: {"host ", " unreachable - precedence cutoff"},
}

// appendError4 appends an ICMPv4 error. The message has 8 bytes.
func (t *PacketText) appendError4(b []byte, p *packet.Packet) []byte {
	m, q := p.Message, t.readError(p)
	switch p.Type {
	case type4Unreachable:
		b = t.appendUnreachable4(b, p.Code, m, q)
	case type4Quench:
		b = append(b, "source quench"...)
	case type4Redirect:
		b = t.appendRedirect4(b, p.Code, m, q)
	case type4TimeExceeded:
		switch p.Code {
		case 0:
			b = append(b, "time exceeded in-transit"...)
		case 1:
			b = append(b, "ip reassembly time exceeded"...)
		default:
			b = strconv.AppendInt(append(b, "time exceeded-#"...), int64(p.Code), 10)
		}
	case type4Problem:
		if p.Code == 0 {
			b = strconv.AppendInt(append(b, "parameter problem - octet "...), int64(m[4]), 10)
		} else {
			b = strconv.AppendInt(append(b, "parameter problem - code "...), int64(p.Code), 10)
		}
	}
	return b
}

// appendUnreachable4 appends what was not reached, and why.
func (t *PacketText) appendUnreachable4(b []byte, code uint8, m []byte, q *icmpx.Quote) []byte {
	const protocol, port, fragNeeded = 2, 3, 4
	words := struct{ before, behind string }{"", " unreachable - #"}
	if int(code) < len(unreachable4) {
		words = unreachable4[code]
	}
	b = append(b, words.before...)
	b = t.appendQuoted(b, q.Dst)
	switch {
	case q.Family == 0:
	case code == protocol:
		b = strconv.AppendInt(append(b, " protocol "...), int64(q.Proto), 10)
	case code == port:
		b = appendQuotedPort(b, q)
	}
	b = append(b, words.behind...)
	switch mtu := binary.BigEndian.Uint16(m[6:]); {
	case int(code) >= len(unreachable4):
		b = strconv.AppendInt(b, int64(code), 10)
	case code == fragNeeded && mtu != 0:
		b = append(strconv.AppendInt(append(b, " (mtu "...), int64(mtu), 10), ')')
	}
	return b
}

// appendQuoted appends a quoted address, or a word for that which was not
// quoted.
func (t *PacketText) appendQuoted(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(b, "(not quoted)"...)
	}
	return t.appendAddr(b, a)
}

// appendQuotedPort appends the protocol and port that a packet went to.
func appendQuotedPort(b []byte, q *icmpx.Quote) []byte {
	switch q.Proto {
	case protoTCP:
		b = append(b, " tcp"...)
	case protoUDP:
		b = append(b, " udp"...)
	default:
		b = strconv.AppendInt(append(b, " protocol "...), int64(q.Proto), 10)
	}
	if !q.HasL4 || q.DstPort == 0 && q.Proto != protoTCP && q.Proto != protoUDP {
		return b
	}
	return strconv.AppendInt(append(b, " port "...), int64(q.DstPort), 10)
}

func (t *PacketText) appendRedirect4(b []byte, code uint8, m []byte, q *icmpx.Quote) []byte {
	kind, to := "redirect ", " to host "
	switch code {
	case 0:
		to = " to net "
	case 1:
	case 2:
		kind, to = "redirect-tos ", " to net "
	case 3:
		kind = "redirect-tos "
	default:
		b = strconv.AppendInt(append(b, "redirect-#"...), int64(code), 10)
		kind, to = " ", " to "
	}
	b = t.appendQuoted(append(b, kind...), q.Dst)
	return t.appendAddr(append(b, to...), netip.AddrFrom4([4]byte(m[4:8])))
}
