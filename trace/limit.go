package trace

import (
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// What a Linux router grants one prober (net/ipv4/icmp.c, net/core/inetpeer.c,
// net/ipv4/route.c): many others grant about as much.
const (
	burst      = 6           // errors at once
	refill     = time.Second // until the next one
	routeBurst = 2           // errors about a route that does not exist
)

// allowance returns how many probes of a silent TTL may be repeated, and when,
// so that a router's limit is not taken for loss. Its rules:
//
//  1. A router that has sent fewer errors within a second than its burst may be
//     asked for the rest of them at once.
//  2. One that has sent as many, or whose limit shows already, is asked once, a
//     second after the last probe: if the answer comes at that pace, it is a
//     limit.
//  3. One that has no route is not asked for more than its burst.
func (p *path) allowance(ttl int, now time.Time) (int, time.Time) {
	missing := 0
	for i := range p.hops[ttl].slots {
		if p.hops[ttl].slots[i].open() {
			missing++
		}
	}
	answers, last := p.recent(ttl, now)
	grant := p.grant(ttl)
	switch {
	case answers < grant && !p.dry(ttl):
		return min(missing, grant-answers), now
	case grant == routeBurst:
		return 0, now
	}
	return min(missing, 1), last.Add(refill)
}

// grant returns how many errors the router at a TTL is thought to send at once.
func (p *path) grant(ttl int) int {
	if e, what := p.end(); ttl == e && what == refused {
		if a := p.speech(ttl, what); a.Kind == icmpx.KindUnreachable && a.Code == 0 {
			return routeBurst // RFC 1812 section 5.2.7.1, RFC 4443 section 3.1
		}
	}
	return burst
}

// recent returns how many probes of the last second whoever is at a TTL has
// answered, and when it was asked last. The end got all with larger TTLs too.
func (p *path) recent(ttl int, now time.Time) (answers int, last time.Time) {
	to := ttl
	if e, _ := p.end(); ttl == e {
		to = p.top
	}
	for t := ttl; t <= to; t++ {
		h := &p.hops[t]
		if h.last.After(last) {
			last = h.last
		}
		for i := range h.slots {
			if s := &h.slots[i]; s.State == Answered && now.Sub(s.asked) < refill {
				answers++
			}
		}
	}
	return answers, last
}

// excuse turns the stars of those that limit their answers into what they are.
// Where packets are really lost on the way to the destination, nobody is
// excused but the destination.
func (p *path) excuse() {
	e, _ := p.end()
	lossy := p.lossy()
	for t := p.opts.FirstTTL; t <= p.limit(); t++ {
		if lossy && t != e || !p.limits(t, t == e) {
			continue
		}
		for i := range p.hops[t].slots {
			if s := &p.hops[t].slots[i]; s.State == Lost {
				s.State = Limited
			}
		}
	}
}

// lossy reports whether the destination was reached and misses probes, although
// it does not limit its answers.
func (p *path) lossy() bool {
	e, what := p.end()
	return e != 0 && what == reached && p.hops[e].first.lost() > 0 && !p.limits(e, true)
}

// limits reports whether what is missing at a TTL is missing because its router
// limits how often it answers. Loss on the way would hit everything behind, and
// would not wait until a router has answered a few. So it is a limit if
//
//  1. the router has answered, not always, and everything came back from some
//     TTL behind it; or
//  2. it answered the first probes, as many as its burst; of the others two at
//     least are missing, and it answered none, or at a steady pace; or
//  3. it answered fewer at first, none of the others, two at least, and one that
//     was asked again later; or
//  4. it answered fewer at first, or none, as when another trace has used its
//     burst up, and of the others what a usual pace allows.
//
// What the end answers directly is not limited; of its errors the rules hold but
// for the first, over all probes that it got.
func (p *path) limits(ttl int, end bool) bool {
	if h := &p.hops[ttl]; !h.heard || h.first.lost() == 0 {
		return false
	}
	return !end && p.completeBehind(ttl) || p.dry(ttl)
}

// dry reports whether one of these rules but the first holds for a TTL.
func (p *path) dry(ttl int) bool {
	e, what := p.end()
	if ttl != e {
		return p.runsDry(ttl, ttl)
	}
	return p.speech(ttl, what).Kind.Quotes() && p.runsDry(ttl, p.top)
}

// completeBehind reports whether some TTL behind was answered every time.
func (p *path) completeBehind(ttl int) bool {
	for t := ttl + 1; t <= p.limit(); t++ {
		if h := &p.hops[t]; h.first.Sent == p.opts.Queries && h.first.lost() == 0 {
			return true
		}
	}
	return false
}

// runsDry reports whether one router, which answers some TTLs, has answered its
// first probes and then no more than a limit allows.
func (p *path) runsDry(from, to int) bool {
	list, again := p.asked(from, to)
	n := slices.IndexFunc(list, func(s *slot) bool { return !s.prompt })
	if n < 0 {
		return false
	}
	rest := list[n:]
	came := answers(rest)
	whole := n >= p.grant(from)
	switch {
	case len(rest)-came < 2:
		return false
	case came == 0:
		return whole || n > 0 && again > 0
	}
	return steady(rest, whole)
}

// asked returns the probes to some TTLs in the order in which they were asked,
// and how many of those that were asked again were answered then.
func (p *path) asked(from, to int) (list []*slot, again int) {
	for t := from; t <= to; t++ {
		h := &p.hops[t]
		again += h.again.Answered
		for i := range h.slots {
			list = append(list, &h.slots[i])
		}
	}
	slices.SortStableFunc(list, func(a, b *slot) int { return a.first.Compare(b.first) })
	return list, again
}
