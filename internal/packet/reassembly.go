package packet

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Limits of reassembly.
const (
	// fragmentTimeout is for how long, by the times of the capture, the
	// fragments of one datagram are waited for: RFC 8200 section 4.5; RFC 1122
	// section 3.3.2 has 60 to 120 s.
	fragmentTimeout = 60 * time.Second

	maxDatagram   = 65535   // bytes with the header
	maxReassembly = 4 << 20 // bytes that all datagrams may take together
	maxDatagrams  = 2048    // that are being rebuilt, or were
	maxFragments  = 8192    // of one datagram: one of 8 bytes each
	datagramCost  = 512     // bytes of a datagram without its fragments

	// What is kept for use again: so many datagrams, with such buffers.
	maxSpare       = 8
	maxSpareData   = 128 << 10
	maxSpareFrames = 256
)

// A ReassemblyCount says what became of fragments.
type ReassemblyCount struct {
	Fragments int // fragments that were seen
	Rebuilt   int // datagrams that were completed
	Expired   int // datagrams of which a part never came within 60 s
	Evicted   int // datagrams given up for want of memory
	Refused   int // datagrams given up because their fragments contradict each other
	Pending   int // datagrams that wait for a part
}

// Reassembly returns what became of the fragments so far.
func (d *Decoder) Reassembly() ReassemblyCount {
	c := d.frags.count
	for g := d.frags.waiting.oldest; g != nil; g = g.newer {
		if !g.refused {
			c.Pending++
		}
	}
	return c
}

// A reassembler rebuilds datagrams.
type reassembler struct {
	byKey         map[fragmentKey]*datagram
	waiting, done queue // the second are those that were complete
	spare         []*datagram
	used          int // bytes that the datagrams take
	count         ReassemblyCount

	out    []byte // the datagram that was completed last
	frames []int  // and the frames that it came in
}

// A fragmentKey is what the fragments of one datagram have in common (RFC 791
// section 3.2, RFC 8200 section 4.5), and where they were captured: a packet
// that is seen before and behind a router or a tunnel is two.
type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8 // IPv4 alone: the fragments of IPv6 need not agree on it
	depth    uint8
	iface    int
	vlans    uint64
}

// A datagram is one that is being rebuilt, or that was: fragments which come
// again are known from those of another datagram with the same identification.
type datagram struct {
	key          fragmentKey
	older, newer *datagram
	began        time.Time
	refused      bool // further fragments are dropped (RFC 5722)
	whole        bool // data is the datagram; what came since is in have
	next         uint8
	end          int // bytes that it has; 0 while the last fragment is missing
	most         int // where the fragments end that are there
	data         []byte
	parts        []part // of data
	frames       []came
	have         []span // in order, apart from each other
	cost         int
}

// A part is a fragment's place in the datagram and in data.
type part struct{ lo, hi, at int32 }

// A came is a frame that a fragment came in.
type came struct {
	lo    int32
	frame int
}

// A span is a range of bytes, without its end.
type span struct{ lo, hi int32 }

// rebuild takes the fragment that is left behind n bytes of IP header. It
// returns the datagram, valid until the next one, and the protocol of what it
// holds if that was the last fragment which was missing, else nil.
func (d *Decoder) rebuild(n int) ([]byte, uint8) {
	if d.NoReassembly {
		return nil, 0
	}
	r, h := &d.frags, &d.p.IP
	r.count.Fragments++
	r.expire(d.f.Time)
	b := d.b
	if d.rest != len(b) {
		return nil, 0 // not all of it was captured, as was noted
	}
	if h.MF && len(b)%8 != 0 {
		d.problem(ProblemFragmentLength, "a fragment before the last has a length that is no multiple of 8")
		if h.Family == icmpx.IPv6 {
			return nil, 0 // RFC 8200 section 4.5
		}
		b = b[:len(b)&^7]
	}
	if len(b) == 0 {
		d.problem(ProblemFragmentLength, "a fragment without data")
		return nil, 0
	}
	key := d.fragmentKey()
	g := r.find(key, d.f.Time)
	if g.whole && !g.repeats(h.Offset, h.Offset+len(b), h.MF, b) {
		r.remove(g)
		g = r.find(key, d.f.Time)
	}
	if g.refused {
		d.problem(ProblemDropped, "fragment of a datagram whose fragments contradict each other")
		return nil, 0
	}
	if !d.accept(g, b, n) {
		r.refuse(g)
		return nil, 0
	}
	if g.end == 0 || len(g.have) != 1 || g.have[0] != (span{0, int32(g.end)}) {
		r.settle(g)
		return nil, 0
	}
	if d.rebuilt { // what is being read stands in the buffers
		r.out, r.frames = nil, nil
	}
	proto := g.next // making room may be the end of g
	whole := r.complete(g)
	d.p.Fragments = r.frames
	return whole, proto
}

func (d *Decoder) fragmentKey() fragmentKey {
	h := &d.p.IP
	k := fragmentKey{src: h.Src, dst: h.Dst, id: h.ID, depth: uint8(d.p.Depth), iface: d.f.Iface}
	if h.Family == icmpx.IPv4 {
		k.proto = h.Protocol
	}
	for _, v := range d.vlans {
		k.vlans = k.vlans*4099 + uint64(v) + 1
	}
	return k
}

// accept enters a fragment, and reports false if its datagram cannot be rebuilt
// any more.
func (d *Decoder) accept(g *datagram, b []byte, header int) bool {
	h := &d.p.IP
	lo, hi := h.Offset, h.Offset+len(b)
	before := header // IP options, or the part of IPv6's header that is not in its length
	if h.Family == icmpx.IPv6 {
		before = header - 40 - 8
	}
	switch {
	case before+hi > maxDatagram:
		d.problem(ProblemTooLong, "the fragment ends behind the longest datagram")
		return false
	case g.whole:
		d.problem(ProblemDuplicate, "the fragment belongs to a datagram that was complete")
	case !d.agree(g, lo, hi), !d.fits(g, lo, hi, b):
		return false
	}
	if lo == 0 {
		g.next = h.Protocol
	}
	if len(g.frames) < maxFragments {
		g.frames = append(g.frames, came{int32(lo), d.f.Number})
	}
	g.cover(int32(lo), int32(hi))
	return true
}

// agree keeps the end of the datagram, and reports whether the fragments tell
// the same of it.
func (d *Decoder) agree(g *datagram, lo, hi int) bool {
	last := !d.p.IP.MF
	if last && (g.end != 0 && g.end != hi || hi < g.most) || !last && g.end != 0 && hi > g.end {
		d.problem(ProblemFragmentEnd, "fragments disagree on where the datagram ends")
		return false
	}
	if last {
		g.end = hi
	}
	g.most = max(g.most, hi)
	return true
}

// fits compares a fragment with those that are there, and stores it if it has
// something new. Of bytes that came twice the first hold. IPv6 allows no
// overlap but an exact repetition (RFC 5722, RFC 8200 section 4.5).
func (d *Decoder) fits(g *datagram, lo, hi int, b []byte) bool {
	overlap, differ, again := false, false, false
	if g.meets(int32(lo), int32(hi)) {
		for _, p := range g.parts {
			from, to := max(int(p.lo), lo), min(int(p.hi), hi)
			if from >= to {
				continue
			}
			overlap = true
			again = again || int(p.lo) == lo && int(p.hi) == hi
			differ = differ || !bytes.Equal(b[from-lo:to-lo], g.data[int(p.at)+from-int(p.lo):][:to-from])
		}
	}
	switch {
	case differ:
		d.problem(ProblemConflict, "fragments overlap with different content")
	case again:
		d.problem(ProblemDuplicate, "the fragment was there before")
		return true
	case overlap:
		d.problem(ProblemOverlap, "fragments overlap")
	}
	if overlap && d.p.IP.Family == icmpx.IPv6 {
		return false
	}
	if !g.covers(int32(lo), int32(hi)) && len(g.parts) < maxFragments {
		g.parts = append(g.parts, part{int32(lo), int32(hi), int32(len(g.data))})
		g.data = append(g.data, b...)
	}
	return true
}

// repeats reports whether a fragment is one of the datagram that was completed.
func (g *datagram) repeats(lo, hi int, more bool, b []byte) bool {
	return hi <= g.end && more == (hi < g.end) && bytes.Equal(g.data[lo:hi], b)
}

// meets reports whether a byte from lo to hi is there.
func (g *datagram) meets(lo, hi int32) bool {
	i, _ := slices.BinarySearchFunc(g.have, lo, func(s span, lo int32) int { return cmp.Compare(s.hi, lo+1) })
	return i < len(g.have) && g.have[i].lo < hi
}

// covers reports whether all bytes from lo to hi are there.
func (g *datagram) covers(lo, hi int32) bool {
	i, _ := slices.BinarySearchFunc(g.have, hi, func(s span, hi int32) int { return cmp.Compare(s.hi, hi) })
	return i < len(g.have) && g.have[i].lo <= lo
}

// cover notes that the bytes from lo to hi are there.
func (g *datagram) cover(lo, hi int32) {
	i, _ := slices.BinarySearchFunc(g.have, lo, func(s span, lo int32) int { return cmp.Compare(s.hi, lo) })
	j := i
	for ; j < len(g.have) && g.have[j].lo <= hi; j++ {
		lo, hi = min(lo, g.have[j].lo), max(hi, g.have[j].hi)
	}
	g.have = slices.Replace(g.have, i, j, span{lo, hi})
}

// reset makes g a datagram of which nothing is there.
func (g *datagram) reset() {
	g.refused, g.whole, g.end, g.most, g.next = false, false, 0, 0, 0
	g.data, g.parts, g.frames, g.have = g.data[:0], g.parts[:0], g.frames[:0], g.have[:0]
}

// complete returns the datagram whose last missing fragment has come. It is
// kept, so that fragments which come again are known.
func (r *reassembler) complete(g *datagram) []byte {
	if !g.whole {
		r.out = slices.Grow(r.out[:0], g.end)[:g.end]
		for _, p := range slices.Backward(g.parts) {
			copy(r.out[p.lo:p.hi], g.data[p.at:])
		}
		g.data = append(g.data[:0], r.out...)
		r.waiting.drop(g)
		g.whole = true
		r.done.push(g)
	} else {
		r.out = append(r.out[:0], g.data...)
	}
	r.count.Rebuilt++
	slices.SortStableFunc(g.frames, func(a, b came) int { return cmp.Compare(a.lo, b.lo) })
	r.frames = r.frames[:0]
	for _, f := range g.frames {
		r.frames = append(r.frames, f.frame)
	}
	g.parts, g.frames, g.have = g.parts[:0], g.frames[:0], g.have[:0]
	r.settle(g)
	return r.out
}
