package compare

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// A trips pairs requests with what came back for them at one point: a fixed
// number of places in sets, of which each holds the last requests that fell
// there.
type trips struct {
	sets    [][setSize]trip
	answers bool
	slowest int64 // of the replies so far
	ways    [2]struct {
		Trips
		series
	}
}

// A trip is a request that was seen.
type trip struct {
	src, dst netip.Addr
	key      uint64
	at       int64 // by the clock of the capture
	taken    bool
	answered bool
	rtt      int64 // below 0: there was no reply
}

// setSize is how many requests share a set. One that waits for its answer is
// pushed out only by as many others that do.
const setSize = 4

// newTrips returns room for n requests, a power of two.
func newTrips(n int) *trips { return &trips{sets: make([][setSize]trip, max(n/setSize, 1))} }

// tripKey names a request by what its answer tells.
func tripKey(f icmpx.Family, typ uint8, src, dst netip.Addr, id, seq uint16) uint64 {
	return newHash().word(uint64(f)<<8 | uint64(typ)).addr(src).addr(dst).word(uint64(id)<<16 | uint64(seq)).sum()
}

// add takes a packet of capture i.
func (t *trips) add(x *comparison, i int, m *Mark) {
	switch {
	case m.Query:
		typ, reply := request(m)
		if !reply {
			t.ask(x, i, m, tripKey(m.Family, typ, m.Src, m.Dst, m.ID, m.Seq))
			return
		}
		t.answer(tripKey(m.Family, typ, m.Dst, m.Src, m.ID, m.Seq), m.Time.UnixNano(), true)
	case m.quotesQuery:
		t.answer(tripKey(m.Family, m.quotedType, m.flowDst, m.flowSrc, m.ID, m.Seq), m.Time.UnixNano(), false)
	}
}

func (t *trips) set(key uint64) *[setSize]trip { return &t.sets[key&uint64(len(t.sets)-1)] }

// find returns the request of a key that waits for its answer; nil if there is
// none.
func (t *trips) find(key uint64) *trip {
	set := t.set(key)
	for i := range set {
		if p := &set[i]; p.taken && !p.answered && p.key == key {
			return p
		}
	}
	return nil
}

func (t *trips) ask(x *comparison, i int, m *Mark, key uint64) {
	at := m.Time.UnixNano()
	p := t.find(key)
	switch {
	case p == nil:
		p = t.place(key)
	case at-p.at < x.window:
		return // the same once more
	}
	// Sequence numbers come around: an answer that comes now is not for an older
	// request of the same name, which got none.
	t.settle(x, i, p, at)
	*p = trip{src: m.Src, dst: m.Dst, key: key, at: at, taken: true, rtt: -1}
}

// place returns where a request of a key goes to: the place of its set that is
// given away first.
func (t *trips) place(key uint64) *trip {
	set := t.set(key)
	p := &set[0]
	for j := range set[1:] {
		if q := &set[j+1]; q.rank() < p.rank() || q.rank() == p.rank() && q.at < p.at {
			p = q
		}
	}
	return p
}

// rank is lower for a place that is sooner given away.
func (p *trip) rank() int {
	switch {
	case !p.taken:
		return 0
	case p.answered:
		return 1
	}
	return 2
}

func (t *trips) answer(key uint64, at int64, reply bool) {
	p := t.find(key)
	if p == nil {
		return
	}
	p.answered = true
	if reply {
		p.rtt = max(at-p.at, 0)
		t.answers, t.slowest = true, max(t.slowest, p.rtt)
	}
}

// settle counts a request at a time: when its place is needed, or the capture
// ends. One whose answer may still come does not count.
func (t *trips) settle(x *comparison, i int, p *trip, now int64) {
	if !p.taken {
		return
	}
	p.taken = false
	m := Mark{flowSrc: p.src, flowDst: p.dst}
	f, _ := x.flows[i].get(&m, false)
	if f == nil || !f.matched {
		return
	}
	w := &t.ways[0]
	if x.direction(i, &m) == BA {
		w = &t.ways[1]
	}
	if !p.answered && now-p.at < t.patience() {
		return
	}
	w.Requests++
	if p.answered {
		w.Answered++
	}
	if p.rtt >= 0 {
		w.add(p.rtt)
	}
}

// patience is how long in nanoseconds an answer may take.
func (t *trips) patience() int64 {
	if !t.answers {
		return maxMargin
	}
	return min(t.slowest, maxMargin)
}

// finish counts what is left.
func (t *trips) finish(x *comparison, i int) {
	end := x.result.Points[i].Last.UnixNano()
	for j := range t.sets {
		for k := range t.sets[j] {
			t.settle(x, i, &t.sets[j][k], end)
		}
	}
	p := &x.result.Points[i]
	for j, to := range []*Trips{&p.AB, &p.BA} {
		*to = t.ways[j].Trips
		to.RTT = t.ways[j].spread()
	}
}

// request returns the type of the request that a query message is, or is the
// reply to.
func request(m *Mark) (typ uint8, reply bool) {
	if m.Family == icmpx.IPv6 {
		switch m.Type {
		case 129:
			return 128, true
		case 161:
			return 160, true
		}
		return m.Type, false
	}
	switch m.Type {
	case 0:
		return 8, true
	case 14, 16, 18, 43:
		return m.Type - 1, true
	}
	return m.Type, false
}
