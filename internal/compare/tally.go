package compare

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/internal/quantile"
)

// A series collects times.
type series struct {
	n        uint64
	sum      float64
	min, max int64
	sketch   quantile.Sketch
}

// add takes a time. One below nothing, which a wrong clock makes, is in the
// quantiles as nothing.
func (s *series) add(ns int64) {
	if s.n == 0 || ns < s.min {
		s.min = ns
	}
	if s.n == 0 || ns > s.max {
		s.max = ns
	}
	s.n++
	s.sum += float64(ns)
	s.sketch.Add(uint64(max(ns, 0)))
}

func (s *series) spread() Spread {
	if s.n == 0 {
		return Spread{}
	}
	at := func(permille uint64) time.Duration {
		return time.Duration(min(max(int64(s.sketch.At(permille)), s.min), s.max))
	}
	return Spread{
		N: s.n, Min: time.Duration(s.min), Max: time.Duration(s.max),
		Avg: time.Duration(math.Round(s.sum / float64(s.n))), P50: at(500), P95: at(950),
	}
}

// A way collects what became of the packets that went one way.
type way struct {
	Way
	series
}

// A tally counts changes and senders, in bounded memory.
type tally struct {
	changes map[Change]*Change // by what is the same each time
	between map[netip.Addr]*Sender
}

// emit counts an event and hands it to the sink.
func (x *comparison) emit(e *Event) {
	w := &x.ways[0]
	if e.Direction == BA {
		w = &x.ways[1]
	}
	switch e.Kind {
	case Match:
		x.count(e, w)
	case Lost:
		w.Lost++
	case Duplicated:
		w.Duplicated++
	case Unseen:
		w.Unseen++
		x.unseen(e)
	case Unsettled:
		x.result.Unsettled++
	}
	if e.Kind != Match {
		i := 0
		if e.InB {
			i = 1
		}
		p := &x.result.Points[i]
		p.Alone++
		switch e.Kind {
		case Elsewhere:
			p.Elsewhere++
		case Outside:
			p.Outside++
		}
	}
	if x.o.Sink != nil {
		x.o.Sink(e)
	}
}

// count counts a match.
func (x *comparison) count(e *Event, w *way) {
	hops := e.Hops()
	if w.Matched == 0 {
		w.MinHops, w.MaxHops = hops, hops
	}
	w.MinHops, w.MaxHops = min(w.MinHops, hops), max(w.MaxHops, hops)
	w.Matched++
	w.add(e.Delay)
	x.result.Matched++
	x.result.By[e.By]++
	sent := e.A.Frame
	if e.Direction == BA {
		sent = e.B.Frame
	}
	if f, way := x.flows[0].get(&e.A, false); f != nil {
		if e.Reordered = sent < f.front[way]; e.Reordered {
			w.Reordered++
		}
		f.front[way] = max(f.front[way], sent)
	}
	if e.Changes == 0 {
		return
	}
	x.result.Changed++
	for f := range fields {
		if e.Changes.Has(f) {
			x.tally.change(e, f, &x.result.OtherChanges)
		}
	}
}

func (t *tally) change(e *Event, f Field, others *uint64) {
	key := e.change(f)
	c := t.changes[key]
	if c == nil {
		if len(t.changes) >= maxChanges {
			*others++
			return
		}
		if t.changes == nil {
			t.changes = map[Change]*Change{}
		}
		c = new(Change)
		*c = key
		c.Example = [2]int{e.A.Frame, e.B.Frame}
		t.changes[key] = c
	}
	c.Count++
}

// unseen looks at a packet that came from where the other point is and was not
// seen there: an error may have been sent from between.
func (x *comparison) unseen(e *Event) {
	m := e.Mark()
	if !m.isError || m.Src == m.flowSrc {
		return
	}
	t := &x.tally
	s := t.between[m.Src]
	if s == nil {
		if len(t.between) >= maxHosts {
			return
		}
		if t.between == nil {
			t.between = map[netip.Addr]*Sender{}
		}
		s = &Sender{Addr: m.Src, Type: m.Type, Code: m.Code, Mark: *m}
		t.between[m.Src] = s
	}
	s.Errors++
}

// lists puts what was counted in order.
func (t *tally) lists(r *Result) {
	for _, c := range t.changes {
		r.Changes = append(r.Changes, *c)
	}
	slices.SortFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Direction, b.Direction),
			cmp.Compare(a.Example[0], b.Example[0]), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, s := range t.between {
		r.Between = append(r.Between, *s)
	}
	slices.SortFunc(r.Between, func(a, b Sender) int {
		return cmp.Or(cmp.Compare(b.Errors, a.Errors), a.Addr.Compare(b.Addr))
	})
}

// conclude makes the result of what was counted.
func (x *comparison) conclude() *Result {
	r := &x.result
	for i, to := range []*Way{&r.AB, &r.BA} {
		*to = x.ways[i].Way
		to.Delay = x.ways[i].spread()
	}
	for i := range r.Points {
		x.trips[i].finish(x, i)
	}
	x.tally.lists(r)
	from, to := max(r.Points[0].first, r.Points[1].first), min(r.Points[0].last, r.Points[1].last)
	r.Overlap = time.Duration(max(to-from, 0))
	r.Related = r.Matched > 0 && (r.By[ByAll]+r.By[ByName] > 0 || r.Share() >= 0.1)
	r.judge()
	return r
}
