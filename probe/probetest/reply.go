package probetest

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// Answer returns the direct answer to the packet from an address: an echo
// reply to an echo, and so on. A UDP or TCP probe is answered as by an open
// port.
func (p *Packet) Answer(from netip.Addr) icmpx.Reply {
	switch p.Request.Proto {
	case icmpx.ProtoUDP:
		return p.answer(from, icmpx.KindUDPAnswer)
	case icmpx.ProtoTCPSYN:
		return p.answer(from, icmpx.KindTCPOpen)
	}
	kind, _ := protos[p.Request.Proto].answer(nil, &p.Request)
	return p.answer(from, kind)
}

func (p *Packet) answer(from netip.Addr, kind icmpx.Kind) icmpx.Reply {
	r := p.reply(from, kind)
	r.Dst = from
	r.TTL, r.TOS = defaultTTL, p.TOS
	r.Type = answerType(kind, p.Family)
	if kind == icmpx.KindEchoReply || kind == icmpx.KindUDPAnswer {
		r.Payload = p.Request.Payload
	}
	r.Bytes = protos[p.Request.Proto].header + len(r.Payload)
	if p.host == nil {
		return r
	}
	end := p.host.path[len(p.host.path)-1]
	r.TTL = arrivalTTL(end, defaultTTL, len(p.host.path))
	if end.ReturnMTU > 0 && p.Family.HeaderLen()+r.Bytes > end.ReturnMTU {
		r.Frag = end.ReturnMTU
	}
	return r
}

// Error returns the ICMP error that a router at from sends about the packet.
// The MTU of too big, the gateway of a redirect and the pointer of a parameter
// problem are left to the caller.
func (p *Packet) Error(from netip.Addr, e Error) icmpx.Reply {
	r := p.reply(from, kindOf(p.Family, e))
	r.Type, r.Code = e.Type, e.Code
	r.Dst = p.Request.Dst.WithZone("")
	r.TTL = arrivalTTL(p.node, 255, p.Hop)
	if p.Family == icmpx.IPv4 {
		r.TOS = 0xc0 // as Linux: internetwork control
	}
	r.Quote = p.quote()
	r.Bytes = 8 + r.Quote.Len
	if p.node != nil && len(p.node.Ext) > 0 {
		r.Ext = p.node.Ext
		r.Bytes = 8 + max(r.Quote.Len, 128) + len(r.Ext)
	}
	return r
}

func (p *Packet) reply(from netip.Addr, kind icmpx.Kind) icmpx.Reply {
	return icmpx.Reply{
		Kind:    kind,
		Key:     p.key(),
		From:    from,
		To:      p.net.source(p.Family),
		IfIndex: 2,
	}
}

// key is what comes back of the request's: a tag has no more bits than the
// packet has room for.
func (p *Packet) key() icmpx.Key {
	k := p.Request.Key
	if p.Request.Proto == icmpx.ProtoEcho && k.Tag > 1<<16 {
		k.Tag = (k.Tag-1)&0xffff + 1
	}
	return k
}

// arrivalTTL counts down what the hop starts with, over the routers between.
func arrivalTTL(n *node, start uint8, hop int) uint8 {
	if n != nil && n.ReplyTTL != 0 {
		start = n.ReplyTTL
	}
	return uint8(max(int(start)-max(hop-1, 0), 1))
}

// sentReply is the transmit stamp of a packet.
func sentReply(p *Packet) icmpx.Reply {
	return icmpx.Reply{Kind: icmpx.KindSent, Key: p.key(), Dst: p.Request.Dst}
}

// Bytes that Linux quotes: icmp(7) keeps the error within 576 bytes, RFC 4443
// section 2.4 within 1280.
const (
	quoteLen4 = 576 - 20 - 8
	quoteLen6 = 1280 - 40 - 8
)

// quote is what an error of the current hop says about the packet.
func (p *Packet) quote() icmpx.Quote {
	limit, ttl := quoteLen4, p.TTL
	if p.Family == icmpx.IPv6 {
		limit = quoteLen6
	}
	if p.node != nil && p.node.QuoteLen > 0 {
		limit = p.node.QuoteLen
	}
	if p.node != nil && p.node.QuoteTTL > 0 {
		ttl = p.node.QuoteTTL
	}
	q := icmpx.Quote{
		Family:   p.Family,
		Src:      p.Src,
		Dst:      p.Request.Dst.WithZone(""),
		Proto:    transport(p.Request.Proto, p.Family),
		TTL:      ttl,
		TOS:      p.TOS,
		TotalLen: p.Size,
		Len:      min(limit, p.Size),
	}
	if p.Family == icmpx.IPv4 {
		q.ID, q.DF, q.HeaderOK = p.ID, !p.fragments(), true
	}
	p.quoteTransport(&q)
	return q
}

func (p *Packet) quoteTransport(q *icmpx.Quote) {
	body := q.Len - p.Family.HeaderLen()
	if body < 8 {
		return
	}
	q.HasL4 = true
	key := p.Request.Key
	switch p.Request.Proto {
	case icmpx.ProtoUDP:
		q.SrcPort, q.DstPort, q.Checksum = uint16(key.Flow>>16), uint16(key.Flow), uint16(key.Tag)
		if p.net.opt.Classic {
			q.SrcPort, q.DstPort, q.Checksum = uint16(key.Flow), uint16(key.Tag), 0
		}
		q.L4Len = uint16(8 + len(p.Request.Payload))
	case icmpx.ProtoTCPSYN:
		q.SrcPort, q.DstPort, q.Seq = uint16(key.Flow>>16), uint16(key.Flow), key.Tag
	default:
		q.Type = requestType(p.Request.Proto, p.Family)
		q.ICMPID, q.ICMPSeq = uint16(key.Flow), uint16(key.Tag)
		q.Checksum = p.icmpChecksum(q)
	}
	if p.Src != p.net.source(p.Family) && (p.Request.Proto == icmpx.ProtoUDP) {
		q.Checksum = translate(q.Checksum, p.net.source(p.Family), p.Src)
	}
	if n := body - protos[p.Request.Proto].header; n > 0 {
		q.Payload = p.Request.Payload[:min(n, len(p.Request.Payload))]
	}
}

// icmpChecksum sums the message (RFC 792). An IPv6 sum covers a pseudo header
// too (RFC 4443 section 2.3).
func (p *Packet) icmpChecksum(q *icmpx.Quote) uint16 {
	sum := uint32(q.Type)<<8 + uint32(q.ICMPID) + uint32(q.ICMPSeq)
	sum += sumBytes(p.Request.Payload)
	if p.Family == icmpx.IPv6 {
		sum += sumAddr(p.net.source(icmpx.IPv6)) + sumAddr(q.Dst) + uint32(8+len(p.Request.Payload)) + 58
	}
	return ^fold(sum)
}

// translate is what a NAT that repairs a UDP checksum makes of it (RFC 1624).
func translate(checksum uint16, from, to netip.Addr) uint16 {
	return ^fold(uint32(^checksum) + uint32(^fold(sumAddr(from))) + sumAddr(to))
}

func sumAddr(a netip.Addr) uint32 {
	if a.Is4() {
		b := a.As4()
		return sumBytes(b[:])
	}
	b := a.As16()
	return sumBytes(b[:])
}

func sumBytes(b []byte) (sum uint32) {
	for i, c := range b {
		sum += uint32(c) << (8 * (1 - i&1))
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}
