package router

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

const (
	minMTU = 68 // of any link (RFC 791)

	flagMF     = 0x2000 // in the IPv4 header
	flagDF     = 0x4000
	fragHeader = 8 // bytes of an IPv6 fragment header
)

// split cuts a packet into fragments of at most mtu bytes, which go on where
// it was; false if it cannot be cut. An IPv6 packet must be whole and without
// extension headers: only what was put together here is cut.
func (r *engine) split(p *Packet, mtu int) bool {
	if p.Family == icmpx.IPv6 {
		return r.split6(p, mtu)
	}
	room := (mtu - p.l4) &^ 7
	if room < 8 {
		return false
	}
	flags := binary.BigEndian.Uint16(p.Bytes[6:])
	body := p.Bytes[p.l4:]
	for off := 0; off < len(body); off += room {
		end := min(off+room, len(body))
		q := r.get(p.Bytes[:p.l4])
		q.Bytes = append(q.Bytes, body[off:end]...)
		f := flags&^flagDF + uint16(off/8)
		if end < len(body) {
			f |= flagMF
		}
		binary.BigEndian.PutUint16(q.Bytes[6:], f)
		binary.BigEndian.PutUint16(q.Bytes[2:], uint16(len(q.Bytes)))
		fixHeader(q.Bytes)
		r.goOn(p, q)
	}
	r.put(p)
	return true
}

func (r *engine) split6(p *Packet, mtu int) bool {
	head := p.Family.HeaderLen()
	room := (mtu - head - fragHeader) &^ 7
	if room < 8 || p.l4 != head || p.fragment() {
		return false
	}
	if p.fid == 0 {
		r.id++
		p.fid = uint32(r.id)
	}
	body := p.Bytes[head:]
	for off := 0; off < len(body); off += room {
		end := min(off+room, len(body))
		q := r.get(p.Bytes[:head])
		f := uint16(off)
		if end < len(body) {
			f |= 1
		}
		q.Bytes = append(q.Bytes, p.Bytes[6], 0)
		q.Bytes = binary.BigEndian.AppendUint16(q.Bytes, f)
		q.Bytes = binary.BigEndian.AppendUint32(q.Bytes, p.fid)
		q.Bytes = append(q.Bytes, body[off:end]...)
		q.Bytes[6] = protoFrag
		binary.BigEndian.PutUint16(q.Bytes[4:], uint16(len(q.Bytes)-head))
		r.goOn(p, q)
	}
	r.put(p)
	return true
}

// goOn has q, a part of p, go on where p is.
func (r *engine) goOn(p, q *Packet) {
	q.at, q.held, q.c, q.next, q.Back = p.at, p.held, p.c, p.next, p.Back
	q.port, q.done, q.ether = p.port, p.done, p.ether
	q.setPath(p.nodes)
	if q.parse() != nil {
		r.put(q)
		return
	}
	r.work = append(r.work, q)
}

// A fragKey says which packet a fragment is of.
type fragKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8
	way      *way
}

// A pile is the fragments of a packet that have come.
type pile struct {
	parts   []*Packet
	since   time.Duration
	largest int
	bytes   int // behind the headers, those that came twice too
	end     int // of the packet, once its last fragment is there
}

const (
	maxPiles    = 64
	maxParts    = 1400 // a packet of 64 KiB over the smallest MTU
	fragTimeout = 30 * time.Second
)

// gather takes a fragment and returns the whole packet with the last of them.
func (r *engine) gather(w *way, p *Packet) *Packet {
	id := uint32(p.ID)
	if p.Family == icmpx.IPv6 {
		var ok bool
		if id, ok = p.fragID(); !ok {
			return p
		}
	}
	key := fragKey{p.Src, p.Dst, id, p.Proto, w}
	s := r.piles[key]
	if s == nil {
		r.dropPiles(p.at)
		s = &pile{since: p.at}
		r.piles[key] = s
	}
	if len(s.parts) == maxParts {
		r.put(p)
		return nil
	}
	s.parts = append(s.parts, p)
	s.largest = max(s.largest, len(p.Bytes))
	s.bytes += len(p.Bytes) - p.l4
	if !p.MF {
		s.end = int(p.FragOff) + len(p.Bytes) - p.l4
	}
	if s.end == 0 || s.bytes < s.end {
		return nil
	}
	body, ok := s.body()
	if !ok {
		return nil
	}
	delete(r.piles, key)
	return r.join(s, p, body, id)
}

// fragID is the identification of an IPv6 fragment whose fragment header is
// the only extension header; ok is false for any other.
func (p *Packet) fragID() (id uint32, ok bool) {
	head := p.Family.HeaderLen()
	if p.Bytes[6] != protoFrag || p.l4 != head+fragHeader || len(p.Bytes) < p.l4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(p.Bytes[head+4:]), true
}

// dropPiles makes room: what is old goes, or what is oldest.
func (r *engine) dropPiles(now time.Duration) {
	var oldest fragKey
	for k, s := range r.piles {
		if now-s.since > fragTimeout {
			r.dropPile(k)
		} else if o := r.piles[oldest]; o == nil || s.since < o.since {
			oldest = k
		}
	}
	if len(r.piles) >= maxPiles {
		r.dropPile(oldest)
	}
}

func (r *engine) dropPile(k fragKey) {
	for _, p := range r.piles[k].parts {
		r.put(p)
	}
	delete(r.piles, k)
}

// body returns what the fragments are parts of, once all are there. Of parts
// that overlap the later one holds.
func (s *pile) body() ([]byte, bool) {
	slices.SortStableFunc(s.parts, func(a, b *Packet) int { return int(a.FragOff) - int(b.FragOff) })
	end := 0
	for _, p := range s.parts {
		if int(p.FragOff) > end {
			return nil, false
		}
		end = max(end, int(p.FragOff)+len(p.Bytes)-p.l4)
	}
	if s.parts[len(s.parts)-1].MF || end > maxLen {
		return nil, false
	}
	b := make([]byte, end)
	for _, p := range s.parts {
		copy(b[p.FragOff:], p.Bytes[p.l4:])
	}
	return b, true
}

// join puts the fragments together in the place of last, the one that came
// last.
func (r *engine) join(s *pile, last *Packet, body []byte, id uint32) *Packet {
	first := s.parts[0]
	head := first.l4
	if first.Family == icmpx.IPv6 {
		head = first.Family.HeaderLen()
	}
	q := r.get(first.Bytes[:head])
	q.Bytes = append(q.Bytes, body...)
	q.Family, q.l4, q.frag, q.fid = first.Family, head, s.largest, id
	if first.Family == icmpx.IPv6 {
		q.Bytes[6] = first.Bytes[first.Family.HeaderLen()]
		binary.BigEndian.PutUint16(q.Bytes[4:], uint16(len(body)))
	} else {
		binary.BigEndian.PutUint16(q.Bytes[2:], uint16(len(q.Bytes)))
		q.Bytes[6], q.Bytes[7] = 0, 0
		fixHeader(q.Bytes)
	}
	q.at, q.held, q.c, q.next, q.Back = last.at, last.held, last.c, last.next, last.Back
	q.setPath(last.nodes)
	for _, p := range s.parts {
		r.put(p)
	}
	if len(q.Bytes) > longest(q.Family) || q.parse() != nil {
		r.put(q)
		return nil
	}
	return q
}
