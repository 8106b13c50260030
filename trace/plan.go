package trace

import (
	"time"

	"github.com/icmpx/icmpx/probe"
)

// roundGap is the time between two probes of one TTL.
const roundGap = 10 * time.Millisecond

// A repeat is a probe that is to be asked again.
type repeat struct {
	ttl, slot int
	at        time.Time
	again     bool // after silence; else at once, because it was too big
}

// An ask is one packet that was sent; its index is the probe's Ref.
type ask struct {
	ttl, slot int
	again     bool
	question  int // index of a last question, or -1
	answered  bool
}

// next returns what is to be asked next, and when. Its rules:
//
//  1. Each TTL of the window is asked as soon as the window reaches it, and
//     again every 10 ms, until it was asked Options.Queries times.
//  2. What is due first is asked first, the lower TTL before the higher.
//  3. What lies behind the end is not asked, once the end has spoken.
//  4. Two probes are Options.SendWait apart, and no more than Options.InFlight
//     are open at once.
func (r *run) next(now time.Time) (a ask, at time.Time, ok bool) {
	limit := r.path.limit()
	consider := func(due time.Time, candidate ask) {
		if !ok || due.Before(at) {
			a, at, ok = candidate, due, true
		}
	}
	for t := r.opts.FirstTTL; t <= limit; t++ {
		h := &r.path.hops[t]
		if n := len(h.slots); n < r.opts.Queries {
			due := h.opened.Add(time.Duration(n) * roundGap)
			if soonest := h.last.Add(roundGap / 2); due.Before(soonest) {
				due = soonest // it fell behind: no two at once
			}
			consider(due, ask{ttl: t, slot: n, question: -1})
		}
	}
	kept := r.repeats[:0]
	for _, rep := range r.repeats {
		if rep.ttl > limit || !r.path.hops[rep.ttl].slots[rep.slot].open() {
			continue
		}
		kept = append(kept, rep)
		consider(rep.at, ask{ttl: rep.ttl, slot: rep.slot, again: rep.again, question: -1})
	}
	r.repeats = kept
	if ok {
		at = r.paced(at, now)
	}
	return a, at, ok
}

// paced returns when a probe that is due may leave.
func (r *run) paced(at, now time.Time) time.Time {
	if soonest := r.lastSent.Add(r.opts.SendWait); r.opts.SendWait > 0 && at.Before(soonest) {
		at = soonest
	}
	if r.opts.InFlight > 0 {
		if room := r.room(now); at.Before(room) {
			at = room
		}
	}
	return at
}

// room returns when fewer than Options.InFlight probes are open, unless one of
// them is answered before. One that is overdue does not count.
func (r *run) room(now time.Time) time.Time {
	var soonest time.Time
	open := 0
	for t := r.opts.FirstTTL; t <= r.path.top; t++ {
		wait := time.Duration(-1)
		for i := range r.path.hops[t].slots {
			s := &r.path.hops[t].slots[i]
			if !s.open() || s.refused {
				continue
			}
			if wait < 0 {
				wait = r.path.wait(t)
			}
			due := s.asked.Add(wait)
			if !due.After(now) {
				continue
			}
			open++
			if soonest.IsZero() || due.Before(soonest) {
				soonest = due
			}
		}
	}
	if open < r.opts.InFlight {
		return now
	}
	return soonest
}

// send asks one probe of a row.
func (r *run) send(a ask) error {
	size := r.size
	if err := r.start(a, r.request(r.opts.Method, r.opts.Gateways, r.opts.Port, a.ttl, size)); err != nil {
		return err
	}
	now := time.Now()
	h := &r.path.hops[a.ttl]
	fresh := a.slot == len(h.slots)
	if fresh {
		h.slots = append(h.slots, slot{Probe: Probe{TTL: a.ttl, Size: size}, first: now})
		h.first.Sent++
	} else if a.again {
		h.again.Sent++
	}
	s := &h.slots[a.slot]
	s.asked, s.refused = now, false
	if fresh || a.again { // a smaller packet takes the place of one that was too big
		s.Asked++
		h.last = now
	}
	r.drop(a)
	return nil
}

// drop takes a out of the repeats.
func (r *run) drop(a ask) {
	for i, rep := range r.repeats {
		if rep.ttl == a.ttl && rep.slot == a.slot {
			r.repeats = append(r.repeats[:i], r.repeats[i+1:]...)
			return
		}
	}
}

// start hands a probe to the engine.
func (r *run) start(a ask, p probe.Probe) error {
	p.Ref = uint64(len(r.asks))
	if err := r.engine.Start(r.ctx, p, r.hear); err != nil {
		return err
	}
	r.asks = append(r.asks, a)
	r.res.Sent++
	r.lastSent = time.Now()
	return nil
}
