package router

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/icmpx/icmpx/icmpx"
)

const (
	// minQuote is the length that RFC 4884 section 5.1 pads a quote to before
	// an extension structure, and where the senders from before it put theirs.
	minQuote = 128

	// maxExt is the longest extension structure that leaves room for a quote in
	// an error of 576 bytes.
	maxExt = 576 - 20 - l4HeaderLen - minQuote

	replyTTL = 64
)

func tooBigError(f icmpx.Family) Error {
	return byFamily(f, Error{unreachable4, 4}, Error{tooBig6, 0})
}

func exceededError(f icmpx.Family) Error {
	return byFamily(f, Error{exceeded4, 0}, Error{exceeded6, 0})
}

func noRouteError(f icmpx.Family) Error {
	return byFamily(f, Error{unreachable4, 0}, Error{unreachable6, 0})
}

func portError(f icmpx.Family) Error {
	return byFamily(f, Error{unreachable4, 3}, Error{unreachable6, 4})
}

// mtuField is the rest of the header of a too-big error (RFC 1191 section 4,
// RFC 4443 section 3.2).
func mtuField(f icmpx.Family, mtu int) (rest [4]byte) {
	if f == icmpx.IPv6 {
		binary.BigEndian.PutUint32(rest[:], uint32(mtu))
	} else {
		binary.BigEndian.PutUint16(rest[2:], uint16(mtu))
	}
	return rest
}

// silentAbout reports whether nothing may be said about a packet. About a
// multicast nothing is said at all, since none is forwarded.
func (p *Packet) silentAbout() bool {
	src := p.Src
	return p.isError() || p.FragOff != 0 || !src.IsValid() || src.IsUnspecified() || src.IsMulticast() ||
		src.IsLoopback() || p.Family == icmpx.IPv4 && src.As4()[0] >= 240
}

// refuse has the hop n send an error about p, if it may.
func (r *engine) refuse(n *node, p *Packet, e Error, rest [4]byte) {
	from := n.addr(p.Family)
	if e == (Error{}) || n.Silent || !from.IsValid() || p.silentAbout() || !n.answers.take(p.at) {
		return
	}
	q := r.get(nil)
	head := p.Family.HeaderLen()
	q.Bytes = append(q.Bytes, make([]byte, head)...)
	q.Bytes = append(q.Bytes, e.Type, e.Code, 0, 0)
	q.Bytes = append(q.Bytes, rest[:]...)
	q.Bytes = n.appendQuote(q.Bytes, p, e.Type)
	r.stats.Errors.Add(1)
	r.originate(n, p, q, byFamily(p.Family, p.TOS&0x1e|0xc0, 0), p.Src)
}

// originate sends q, an ICMP message behind room for an IP header, from the hop
// to an address, on the path of p.
func (r *engine) originate(n *node, p, q *Packet, tos uint8, dst netip.Addr) {
	ttl := n.ReplyTTL
	if ttl == 0 {
		ttl = replyTTL
	}
	src := n.addr(p.Family)
	if n.owns(p.Dst) {
		src = p.Dst
	}
	r.putHeader(q.Bytes, p.Family, tos, ttl, src, dst)
	fixTransport(q.Bytes[p.Family.HeaderLen():], uint8(p.Family.Protocol()), src, dst)
	q.at = p.at + p.held
	q.setPath(p.nodes)
	if q.parse() != nil {
		r.put(q)
		return
	}
	k := n.place
	q.Back = r.backwards(q.Dst, 2*k+1, !p.Back)
	q.c = 2*k + 1
	if port := r.portAt(k, q.Dst); port >= 0 {
		r.leave(q, port)
		return
	}
	q.c += q.step()
	r.work = append(r.work, q)
}

// putHeader writes an IP header, without options, over the start of b.
func (r *engine) putHeader(b []byte, f icmpx.Family, tos, ttl uint8, src, dst netip.Addr) {
	clear(b[:f.HeaderLen()])
	b[0] = byte(f) << 4
	if f == icmpx.IPv6 {
		b[0], b[1] = b[0]|tos>>4, tos<<4
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-f.HeaderLen()))
		b[6], b[7] = protoICMPv6, ttl
		s, d := src.As16(), dst.As16()
		copy(b[8:], s[:])
		copy(b[24:], d[:])
		return
	}
	r.id++
	if r.id == 0 {
		r.id = 1
	}
	b[0] |= byte(f.HeaderLen() / 4)
	b[1] = tos
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[4:], r.id)
	b[8], b[9] = ttl, protoICMP
	s, d := src.As4(), dst.As4()
	copy(b[12:], s[:])
	copy(b[16:], d[:])
	fixHeader(b)
}

// appendQuote appends what an error says about p: the quote, and the extension
// structure where the type has room for one.
func (n *node) appendQuote(b []byte, p *Packet, typ uint8) []byte {
	q := &n.Quote
	ext := q.Ext
	if !extensible(p.Family, typ) {
		ext = nil
	}
	most := byFamily(p.Family, 576, p.Family.MinMTU()) - p.Family.HeaderLen() - l4HeaderLen - len(ext)
	size := most
	if q.Len > 0 {
		size = q.Len
	}
	start := len(b)
	size = min(size, len(p.Bytes), maxLen-start-len(ext))
	b = append(b, p.Bytes[:size]...)
	q.mutate(b[start:], p)
	if len(ext) == 0 {
		return b
	}
	return appendExt(b, start, most, ext, p.Family, q.LegacyExt)
}

// appendExt appends an extension structure to the quote that begins at start,
// which is padded and cut for it.
func appendExt(b []byte, start, most int, ext []byte, f icmpx.Family, legacy bool) []byte {
	unit := byFamily(f, 4, 8)
	length := max(minQuote, min(len(b)-start, most)/unit*unit)
	if legacy {
		length = minQuote
	}
	for len(b) < start+length {
		b = append(b, 0)
	}
	b = b[:start+length]
	if !legacy {
		b[start-l4HeaderLen+byFamily(f, 5, 4)] = byte(length / unit)
	}
	return append(b, ext...)
}

// Extension encodes an extension structure for Quote.Ext (RFC 4884 section 7):
// an MPLS label stack (RFC 4950), interface information (RFC 5837), or any
// other object as an icmp.RawExtension.
func Extension(objects ...icmp.Extension) ([]byte, error) {
	m := icmp.Message{Type: ipv4.ICMPTypeTimeExceeded, Body: &icmpx.TimeExceeded{Extensions: objects}}
	b, err := icmpx.Marshal(&m, netip.Addr{}, netip.Addr{})
	if err != nil {
		return nil, fmt.Errorf("encode extension structure: %w", err)
	}
	return b[min(l4HeaderLen+minQuote, len(b)):], nil
}

// extensible reports whether an error of a type may have extensions (RFC 4884
// section 4).
func extensible(f icmpx.Family, typ uint8) bool {
	if f == icmpx.IPv6 {
		return typ == unreachable6 || typ == exceeded6
	}
	return typ == unreachable4 || typ == exceeded4 || typ == problem4
}

// mutate makes the quote b of p as wrong as asked.
func (q *Quote) mutate(b []byte, p *Packet) {
	v4 := p.Family == icmpx.IPv4
	if len(b) < p.Family.HeaderLen() {
		return
	}
	if q.TTL > 0 {
		b[byFamily(p.Family, 8, 7)] = q.TTL
	}
	if q.SwapLen {
		at := byFamily(p.Family, 2, 4)
		b[at], b[at+1] = b[at+1], b[at]
	}
	if v4 && !q.Stale && (q.TTL > 0 || q.SwapLen) && len(b) >= p.l4 {
		fixHeader(b)
	}
	if q.ZeroSum {
		if v4 {
			b[10], b[11] = 0, 0
		}
		if at := checksumAt(p.Proto); at >= 0 && len(b) >= p.l4+at+2 {
			b[p.l4+at], b[p.l4+at+1] = 0, 0
		}
	}
	if q.Edit != nil {
		q.Edit(b)
	}
}
