package render

import (
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// readError reads the quote and the extensions of an error into t.reply. What
// could not be read of them is zero.
func (t *PacketText) readError(p *packet.Packet) *icmpx.Quote {
	r := &t.reply
	r.Quote, r.Ext = icmpx.Quote{}, nil
	if p.Checksum == packet.Good {
		_ = icmpx.DecodeReply(p.ICMP, p.Message, r) // what it could read is there
		return &r.Quote
	}
	// Of a damaged message, or a part of one, the quote alone is believed.
	r.Quote, _ = icmpx.ParseQuote(p.Message[8:], p.ICMP)
	return &r.Quote
}

// isError reports whether a message quotes the packet that it is about.
func isError(p *packet.Packet) bool {
	switch {
	case len(p.Message) < 8:
		return false
	case p.ICMP == icmpx.IPv6:
		return p.Type >= type6Unreachable && p.Type <= type6Problem
	}
	return p.Type == type4Unreachable || p.Type == type4Quench || p.Type == type4Redirect ||
		p.Type == type4TimeExceeded || p.Type == type4Problem
}

// appendAbout appends the packet that an error is about, and the extensions
// behind it, as readError has read them: " [IP 192.0.2.1.40000 >
// 198.51.100.1.33434: UDP] [MPLS:L=16,E=0,S=1,T=1]".
func (t *PacketText) appendAbout(b []byte) []byte {
	q := &t.reply.Quote
	if q.Family != 0 {
		b = t.appendQuote(append(b, " ["...), q)
		b = append(b, ']')
	}
	if len(t.reply.Ext) > 0 {
		list, err := icmpx.ParseExtensions(t.reply.Ext)
		if len(list) > 0 {
			b = append(appendExtensions(append(b, " ["...), list), ']')
		}
		if err != nil {
			b = append(AppendSafe(append(b, " [extension: "...), err.Error()), ']')
		}
	}
	return b
}

func (t *PacketText) appendQuote(b []byte, q *icmpx.Quote) []byte {
	if q.Family == icmpx.IPv6 {
		b = append(b, "IP6 "...)
	} else {
		b = append(b, "IP "...)
	}
	ports := q.HasL4 && int(q.Proto) != q.Family.Protocol()
	b = t.appendAddr(b, q.Src)
	if ports {
		b = strconv.AppendInt(append(b, '.'), int64(q.SrcPort), 10)
	}
	b = t.appendAddr(append(b, " > "...), q.Dst)
	if ports {
		b = strconv.AppendInt(append(b, '.'), int64(q.DstPort), 10)
	}
	b = append(b, ": "...)
	switch {
	case q.HasL4 && !ports:
		b = appendQuotedICMP(b, q)
	case q.Proto == protoUDP:
		b = append(b, "UDP"...)
	case q.Proto == protoTCP:
		b = append(b, "tcp"...)
	default:
		b = strconv.AppendInt(append(b, "ip-proto-"...), int64(q.Proto), 10)
	}
	if q.MF || q.FragOff != 0 {
		b = strconv.AppendInt(append(b, ", frag "...), int64(q.FragOff), 10)
	}
	b = strconv.AppendInt(append(b, ", length "...), int64(q.TotalLen), 10)
	return strconv.AppendInt(append(b, ", ttl "...), int64(q.TTL), 10)
}

// appendQuotedICMP appends a quoted ICMP message.
func appendQuotedICMP(b []byte, q *icmpx.Quote) []byte {
	if q.Family == icmpx.IPv6 {
		b = append(b, "ICMP6, "...)
	} else {
		b = append(b, "ICMP "...)
	}
	switch {
	case q.Family == icmpx.IPv4 && q.Type == 8, q.Family == icmpx.IPv6 && q.Type == 128:
		b = append(b, "echo request, id "...)
	case q.Family == icmpx.IPv4 && q.Type == 0, q.Family == icmpx.IPv6 && q.Type == 129:
		b = append(b, "echo reply, id "...)
	default:
		return appendOtherType(append(b, "type-#"...), q.Family, q.Type)
	}
	b = strconv.AppendInt(b, int64(q.ICMPID), 10)
	return strconv.AppendInt(append(b, ", seq "...), int64(q.ICMPSeq), 10)
}
