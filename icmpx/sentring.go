package icmpx

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// sentSlots is how many of the last probes a link remembers; a power of two. A
// trace has a few hundred of them open.
const sentSlots = 1 << 10

// sentWays is how many slots a probe may be put in: flows count their tags from
// the same first one, and must not take each other's places.
const sentWays = 4

// A sentRing remembers the last probes of a link, by their key, for what an
// answer does not say of itself. Senders put, the receiver looks up. What it has
// forgotten only costs that knowledge.
type sentRing struct {
	mu    sync.Mutex
	slots []sentProbe
	order uint64
}

// A sentProbe is what is known of a probe. The zero value is none.
type sentProbe struct {
	key   Key
	dst   netip.Addr // with its zone
	ttl   uint8
	data  bool   // whether head was sent
	token bool   // whether head is that of no other probe
	head  uint64 // the first 8 bytes of its payload
	order uint64 // in which the probes were sent, from 1
	said  saying
}

// A saying is what has answered a probe.
type saying uint8

const (
	saidNothing saying = iota
	saidOnTheWay
	saidAtTheEnd
)

// put remembers a probe to dst whose payload is p.
func (s *sentRing) put(r *Request, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots == nil {
		s.slots = make([]sentProbe, sentSlots)
	}
	s.order++
	e := s.place(r.Key)
	*e = sentProbe{key: r.Key, dst: r.Dst, ttl: r.TTL, order: s.order}
	if len(p) >= tokenLen {
		e.data, e.token, e.head = true, r.Payload == nil, binary.BigEndian.Uint64(p)
	}
}

// ways returns the slots of a key.
func (s *sentRing) ways(k Key) []sentProbe {
	const spread = 0x9e3779b1 // the golden ratio of 2^32: flows that are alike begin far apart
	first := (k.Tag + k.Flow*spread>>16) % (sentSlots / sentWays) * sentWays
	return s.slots[first : first+sentWays]
}

// place returns the slot for a probe: that of an earlier one with its key, or
// the one that was put there first.
func (s *sentRing) place(k Key) *sentProbe {
	ways := s.ways(k)
	oldest := &ways[0]
	for i := range ways {
		e := &ways[i]
		if e.order != 0 && e.key == k {
			return e
		}
		if e.order < oldest.order {
			oldest = e
		}
	}
	return oldest
}

// slot returns the slot of the last probe with a key; nil if that is forgotten.
func (s *sentRing) slot(k Key) *sentProbe {
	if s.slots == nil {
		return nil
	}
	ways := s.ways(k)
	for i := range ways {
		if e := &ways[i]; e.order != 0 && e.key == k {
			return e
		}
	}
	return nil
}

// find returns the last probe that had the key.
func (s *sentRing) find(k Key) (sentProbe, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.slot(k); e != nil {
		return *e, true
	}
	return sentProbe{}, false
}

// only returns the one probe with a tag, in whatever flow, that is as like
// says; false if none is, or several are.
func (s *sentRing) only(tag uint32, like func(*sentProbe) bool) (k Key, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		e := &s.slots[i]
		if e.order == 0 || e.key.Tag != tag || !like(e) {
			continue
		}
		if ok {
			return Key{}, false
		}
		k, ok = e.key, true
	}
	return k, ok
}

// has reports whether the probe k is remembered.
func (s *sentRing) has(k Key) bool {
	_, ok := s.find(k)
	return ok
}

// agrees reports whether the probe k is remembered, and payload, as far as that
// was quoted, may be its.
func (s *sentRing) agrees(k Key, payload []byte) bool {
	e, ok := s.find(k)
	if !ok {
		return false
	}
	head := headOf(payload)
	return !e.data || head == 0 || e.head == head
}

// bearing returns the probe whose token payload begins with.
func (s *sentRing) bearing(payload []byte) (Key, bool) {
	head := headOf(payload)
	if head == 0 {
		return Key{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		if e := &s.slots[i]; e.token && e.head == head {
			return e.key, true
		}
	}
	return Key{}, false
}

// headOf returns the first 8 bytes of a quoted payload; 0 if there are fewer. A
// router that quotes none of it may fill its place up with zeros.
func headOf(payload []byte) uint64 {
	if len(payload) < tokenLen {
		return 0
	}
	return binary.BigEndian.Uint64(payload)
}

// note remembers that something on the way has answered k.
func (s *sentRing) note(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.slot(k); e != nil {
		e.said = saidOnTheWay
	}
}

// claim returns the probe of a flow to dst that the datagram data answers, and
// takes it for answered. Nothing in a datagram has to say which it is. In this
// order:
//
//  1. the probe whose payload it begins with, as that of an echo service does;
//  2. the probe with whose first two bytes it begins: the identifier of DNS (RFC
//     1035 section 4.1.1), and of most that have one;
//  3. of the probes that may have come so far, which are those with a larger
//     TTL than any that was answered on the way, the first that was sent behind
//     the last that was answered.
func (s *sentRing) claim(flow uint32, dst netip.Addr, data []byte) (sentProbe, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var exact, alike, next *sentProbe
	passed, last := s.progress(flow, dst)
	for i := range s.slots {
		e := &s.slots[i]
		if !e.mayBe(flow, dst) {
			continue
		}
		switch {
		case e.data && len(data) >= tokenLen && binary.BigEndian.Uint64(data) == e.head:
			exact = e
		case e.data && len(data) >= 2 && binary.BigEndian.Uint16(data) == uint16(e.head>>48):
			alike = older(alike, e)
		case e.order > last && e.said == saidNothing && (e.ttl == 0 || e.ttl > passed):
			next = older(next, e)
		}
	}
	for _, e := range [...]*sentProbe{exact, alike, next} {
		if e != nil {
			e.said = saidAtTheEnd
			return *e, true
		}
	}
	return sentProbe{}, false
}

// progress returns the largest TTL of a flow to dst that was answered on the
// way, and the order of the last probe that the end has answered.
func (s *sentRing) progress(flow uint32, dst netip.Addr) (passed uint8, last uint64) {
	for i := range s.slots {
		e := &s.slots[i]
		switch {
		case !e.mayBe(flow, dst):
		case e.said == saidOnTheWay:
			passed = max(passed, e.ttl)
		case e.said == saidAtTheEnd:
			last = max(last, e.order)
		}
	}
	return passed, last
}

func (e *sentProbe) mayBe(flow uint32, dst netip.Addr) bool {
	return e.order != 0 && e.key.Flow == flow && e.dst.WithZone("") == dst
}

func older(a, b *sentProbe) *sentProbe {
	if a == nil || b.order < a.order {
		return b
	}
	return a
}
