package fingerprint

import (
	"hash/maphash"
	"math"
	"math/bits"
)

// flow is what is known of a conversation.
type flow struct {
	habits habits
	tunnel tunnel
}

// kept is how many requests are remembered to compare replies with.
const kept = 8

// tunnel gathers what gives a tunnel away: echo replies carry the data of their
// request (RFC 792, RFC 4443 section 4.2), a tunnel has data of its own in both.
type tunnel struct {
	asked   [kept]payload
	n       uint64 // requests
	replies uint64
	changed uint64 // replies with other data than their request
	echoed  uint64 // replies with the same
	resized uint64 // changed ones of another length
	ip      uint64 // messages that carry an IP datagram
	sizes   uint64 // a bit for each size, by its hash
	sameSeq uint64 // requests with other data under the same number
	last    payload
	bytes   uint32
	counts  [256]uint16 // of byte values, in the first of them
	frame   int
}

type payload struct {
	sum  uint64
	seq  uint16
	size int
	cut  bool
	set  bool
}

func payloadOf(s *sight, seed maphash.Seed) payload {
	return payload{sum: maphash.Bytes(seed, s.data), seq: s.seq, size: s.size, cut: len(s.data) < s.size, set: true}
}

func (t *tunnel) request(s *sight, seed maphash.Seed) {
	p := payloadOf(s, seed)
	if t.last.set && t.last.seq == p.seq && t.last.sum != p.sum {
		t.sameSeq++
	}
	t.last = p
	t.asked[t.n%kept] = p
	t.n++
	t.common(s)
}

func (t *tunnel) reply(s *sight, seed maphash.Seed) {
	t.replies++
	p := payloadOf(s, seed)
	known, same, sized := false, false, false
	for i := range t.asked {
		a := &t.asked[i]
		if !a.set || a.seq != p.seq {
			continue
		}
		known = true
		sized = sized || a.size == p.size
		same = same || a.size == p.size && (a.cut || p.cut || a.sum == p.sum)
	}
	switch {
	case same:
		t.echoed++
		return
	case known:
		t.changed++
		if !sized {
			t.resized++
		}
	}
	t.common(s)
}

// common takes the data of a request, or of a reply that has its own.
func (t *tunnel) common(s *sight) {
	if t.frame == 0 {
		t.frame = s.frame
	}
	if carriesIP(s.data, s.size) {
		t.ip++
	}
	t.sizes |= 1 << (uint(s.size) * 0x9e3779b1 >> 16 & 63)
	for _, c := range s.data {
		if t.bytes >= math.MaxUint16 {
			return
		}
		t.bytes++
		t.counts[c]++
	}
}

// carriesIP reports whether data begin with the header of an IP datagram that
// fits into them, at their start or behind one of the headers that tunnels put
// before it.
func carriesIP(d []byte, size int) bool {
	for _, off := range [...]int{0, 4, 8} {
		if len(d) < off+20 {
			return false
		}
		h, room := d[off:], size-off
		length := int(h[2])<<8 | int(h[3])
		if h[0] == 0x45 && length >= 20 && length <= room && length+8 >= room && (h[9] == 1 || h[9] == 6 || h[9] == 17) {
			return true
		}
		if h[0]>>4 == 6 && len(h) >= 40 && int(h[4])<<8|int(h[5]) == room-40 && h[7] > 0 {
			return true
		}
	}
	return false
}

// entropy returns how many bits a byte of the data holds (Shannon), between 0
// and 8.
func (t *tunnel) entropy() float64 {
	var sum float64
	for _, n := range t.counts {
		if n > 0 {
			p := float64(n) / float64(t.bytes)
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// Bounds of what looks random: below this many bytes chance decides.
const (
	randomBytes   = 2048
	randomEntropy = 7.2
)

// points says how much a conversation looks like a tunnel. From 4 on it is called
// one.
func (t *tunnel) points() int {
	n := 0
	if t.differ() {
		n += 3
	}
	if t.ip >= 3 && t.ip*2 > t.n {
		n += 3
	}
	if t.bytes >= randomBytes && t.entropy() >= randomEntropy {
		n++
	}
	if bits.OnesCount64(t.sizes) >= 4 {
		n++
	}
	if t.sameSeq >= 3 {
		n++
	}
	if t.n > 0 && t.replies > t.n+3 {
		n++
	}
	return n
}

// differ reports whether replies carry data of their own.
func (t *tunnel) differ() bool { return t.changed >= 3 && t.changed > t.echoed }

// bookTunnel notes what a conversation looks like in the end.
func (o *Observer) bookTunnel(k *flowKey, f *flow) {
	t := &f.tunnel
	code := tunnelLike
	if t.points() < 4 {
		if !t.differ() {
			return
		}
		code = answersDiffer
	}
	e := o.book.note(code, k.src, k.dst, t.frame)
	if e == nil {
		return
	}
	e.count = max(e.count, t.n+t.replies)
	e.number = int64(t.changed)
	e.entropy = 0
	if t.bytes > 0 {
		e.entropy = t.entropy()
	}
}
