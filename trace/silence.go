package trace

import (
	"net/netip"
	"time"
)

// Shortest waits. A router that answers from its slow path is milliseconds late
// whatever its RTT, and the hop behind a dark one may be an ocean away.
const (
	minNear   = 50 * time.Millisecond
	minDark   = 250 * time.Millisecond
	firstWait = time.Second // nothing is known: RFC 6298 section 2.1
)

// wait returns how long a probe of a TTL is waited for. Its rules:
//
//  1. If answers came from both sides, it is Wait.Near times the larger RTT of
//     the nearest of them, and of the hop's own answers. This host is the side
//     before the first hop; where the path ends, the hop's own answers are the
//     side behind.
//  2. Else, at a dark end, it is Wait.Here times the largest RTT of all.
//  3. If nothing at all has answered, it is 1 s.
//  4. It is never longer than Wait.Max.
func (p *path) wait(ttl int) time.Duration {
	w := &p.opts.Wait
	e, _ := p.end()
	behind, ok := p.behind(ttl)
	switch {
	case ok || ttl == e:
		rtt := max(p.before(ttl), p.hops[ttl].largest, behind)
		return w.limit(w.Near, rtt, minNear)
	case p.heard:
		return w.limit(w.Here, p.largest, minDark)
	}
	return min(firstWait, w.Max)
}

// limit returns factor times rtt, within bounds.
func (w *Wait) limit(factor float64, rtt, least time.Duration) time.Duration {
	d := factor * float64(rtt)
	if factor < 0 || d >= float64(w.Max) {
		return w.Max
	}
	return min(max(time.Duration(d), least), w.Max)
}

// before returns the largest RTT of the nearest lower TTL that has answered; 0
// is this host's.
func (p *path) before(ttl int) time.Duration {
	for t := ttl - 1; t >= p.opts.FirstTTL; t-- {
		if p.hops[t].heard {
			return p.hops[t].largest
		}
	}
	return 0
}

// behind returns the largest RTT of the nearest higher TTL that has answered,
// and whether there is one.
func (p *path) behind(ttl int) (time.Duration, bool) {
	for t := ttl + 1; t <= p.top; t++ {
		if p.hops[t].heard {
			return p.hops[t].largest, true
		}
	}
	return 0, false
}

// overdue returns when the last of the open probes that matter, and of the last
// questions, is overdue; false if nothing is open. One that this host could not
// send is overdue at once.
func (r *run) overdue() (at time.Time, open bool) {
	for t := r.opts.FirstTTL; t <= r.path.limit(); t++ {
		wait := time.Duration(-1)
		for i := range r.path.hops[t].slots {
			s := &r.path.hops[t].slots[i]
			if !s.open() {
				continue
			}
			open = true
			if wait < 0 {
				wait = r.path.wait(t)
			}
			if due := s.asked.Add(wait); !s.refused && due.After(at) {
				at = due
			}
		}
	}
	for i := range r.questions {
		if q := &r.questions[i]; q.open() {
			open = true
			if due := q.asked.Add(r.path.wait(r.path.top)); !q.refused && due.After(at) {
				at = due
			}
		}
	}
	return at, open
}

// silence does what is to be done when all that is open is overdue:
//
//  1. The end takes the answers that it gave to larger TTLs in place of those
//     that it owes: a destination that limits its errors has answered some
//     probe of the row it belongs to.
//  2. All that is silent is asked again, once, as far as the limits of routers
//     allow; but if nothing has ever answered, nothing is.
//  3. At a dark end the window moves on if one of its last TTLs has answered,
//     and the destination is asked its last question.
//  4. What is silent after that is a star.
func (r *run) silence(now time.Time) error {
	if r.path.borrow() {
		return nil
	}
	acted := r.retry(now)
	if !r.path.spoken() {
		acted = r.path.follow(true, now) || acted
		asked, err := r.askLast()
		if err != nil {
			return err
		}
		acted = acted || asked
	}
	if !acted {
		r.giveUp()
	}
	return nil
}

// borrow fills the open places of the end's row, and reports whether it could.
func (p *path) borrow() bool {
	e, what := p.end()
	if e == 0 {
		return false
	}
	who := p.speech(e, what).From
	filled := false
	for i := range p.hops[e].slots {
		s := &p.hops[e].slots[i]
		if !s.open() {
			continue
		}
		from := p.surplus(e, what, who)
		if from == nil {
			break
		}
		s.Probe, from.lent, filled, p.news = from.Probe, true, true, true
	}
	return filled
}

// surplus returns a probe with a TTL beyond the end that the end has answered,
// and that stands in no row.
func (p *path) surplus(e int, what meaning, who netip.Addr) *slot {
	for t := e + 1; t <= p.top; t++ {
		for i := range p.hops[t].slots {
			s := &p.hops[t].slots[i]
			if s.State == Answered && !s.lent && p.means(&s.Probe) == what && sameAddr(s.From, who) {
				return s
			}
		}
	}
	return nil
}

// retry plans the second questions, and reports whether there are any.
func (r *run) retry(now time.Time) bool {
	if !r.path.heard {
		return false
	}
	planned := false
	for t := r.opts.FirstTTL; t <= r.path.limit(); t++ {
		h := &r.path.hops[t]
		if h.retried {
			continue
		}
		h.retried = true
		n, at := r.path.allowance(t, now)
		for i := range h.slots {
			if s := &h.slots[i]; n > 0 && s.open() {
				r.repeats = append(r.repeats, repeat{ttl: t, slot: i, at: at, again: true})
				planned = true
				n--
			}
		}
	}
	return planned
}

// giveUp ends the trace: what is open is lost.
func (r *run) giveUp() {
	for t := r.opts.FirstTTL; t <= r.path.limit(); t++ {
		for i := range r.path.hops[t].slots {
			s := &r.path.hops[t].slots[i]
			switch {
			case !s.open():
			case s.refused:
				s.State = Failed
			default:
				s.State, s.Err = Lost, nil
			}
		}
	}
	for i := range r.questions {
		if q := &r.questions[i]; q.open() && q.refused {
			q.Probe.State = Failed
		} else if q.open() {
			q.Probe.State = Lost
		}
	}
	r.path.excuse()
}
