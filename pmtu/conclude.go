package pmtu

import (
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// finish closes the account. err is why the run ended early, nil if it did not.
func (r *run) finish(err error) (Result, error) {
	r.drain()
	for i := range r.log {
		if a := &r.log[i]; a.state == open && a.refusal == nil {
			r.tell(a, probe.Canceled, nil)
		}
	}
	res := &r.res
	res.Dst, res.Method, res.Port = r.dst, r.opts.Method, r.opts.Port
	if r.opts.Method == ICMP {
		res.Port = 0
	}
	res.LinkMTU, res.RouteMTU = r.link, r.opts.RouteMTU
	for i := range r.log {
		if a := &r.log[i]; a.left() {
			res.Sent++
			res.Bytes += int64(a.size)
		}
	}
	res.Strays = int(r.engine.Counters().Strays - r.base.Strays)
	res.Rounds = r.round
	res.Duration = time.Since(r.began)
	res.Interrupted = r.ctx.Err() != nil || r.closed != nil
	r.conclude()
	return *res, err
}

// conclude says what it all means.
func (r *run) conclude() {
	o := r.outlook()
	res := &r.res
	res.AtLeast, res.AtMost = o.least, max(o.most, o.least)
	for i := range r.log {
		// Whatever was said of it, what arrived was not too large.
		if a := &r.log[i]; a.arrived && a.ttl == 0 {
			res.AtMost = max(res.AtMost, a.size)
		}
	}
	if r.link == 0 && res.AtMost >= largest(r.family) && res.AtLeast == 0 {
		res.AtMost = 0
	}
	if o.settled && (o.least < r.top || r.top == r.highest) {
		res.PMTU, res.AtMost = o.least, o.least
		res.TCPMSS = max(o.least-r.family.HeaderLen()-tcpHeader, 0)
	}
	r.ownLimits()
	for i := range o.places {
		r.addLimit(&o, &o.places[i])
	}
	res.ReturnMTU = r.returnMTU(&o)
	res.Direction = r.direction(&o)
	res.Verdict = r.verdict(&o)
	res.Hops = r.hopRows(&o)
	res.Findings = r.judge(&o)
}

// tcpHeader is the length in bytes of a TCP header without options (RFC 9293
// section 3.1).
const tcpHeader = 20

// ownLimits lists the limits of this host below the interface's MTU.
func (r *run) ownLimits() {
	res := &r.res
	if r.refused > 0 {
		res.Limits = append(res.Limits, Limit{Place: Interface, MTU: r.refused, Signalled: true, Tested: true})
	}
	if m := r.opts.RouteMTU; m > 0 && (m < r.highest || r.link == 0) && m != r.refused {
		res.Limits = append(res.Limits, Limit{Place: Route, MTU: m, Signalled: true})
	}
}

// addLimit lists a limit of the path if it is proven: to the byte, or where
// nothing behind it answers by what its router claims.
func (r *run) addLimit(o *outlook, p *place) {
	res := &r.res
	l := Limit{MTU: p.below, From: p.class.from, Signalled: !p.class.silent, Tested: p.below > 0}
	switch {
	case o.doubtful && p.class.silent && p.below == o.least:
		return
	case p.class.silent && !(p.closed() && r.proven(o.basis, p.above)):
		return
	case o.way != nil && p.closed() && r.hollow(&p.gap, o.way.cell(p.below)) && !r.proven(o.way, o.way.cell(p.below)):
		return
	case !p.closed() || p.below == 0:
		if l.MTU, l.Tested = claimOf(p), false; l.MTU == 0 || o.way != nil {
			return
		}
	}
	if l.Signalled {
		l.Claim = p.above.refused[0].claim
	}
	r.bound(o, p)
	if p.exact() {
		l.TTL = p.after
	}
	if p.class.silent {
		l.From = r.addrAt(o, p.after)
		res.BlackHole = &BlackHole{
			MTU: l.MTU, AfterTTL: p.after, After: l.From, BeforeTTL: p.before, Before: r.addrAt(o, p.before),
		}
	}
	res.Limits = append(res.Limits, l)
}

// bound narrows the place of a silent limit to what is proven: packets above it do
// not reach the router of a limit behind it, nor the destination.
func (r *run) bound(o *outlook, p *place) {
	if !p.class.silent {
		return
	}
	if !p.done && !p.end {
		p.before = 0
		if end, seen := r.distance(o.basis, r.hopInfos(o.basis.track)); seen {
			p.before = end
		}
	}
	behind := false
	for i := range o.places {
		other := &o.places[i]
		if behind && other.exact() && (p.before == 0 || other.after < p.before) && other.after > p.after {
			p.before = other.after
		}
		behind = behind || other.above == p.above
	}
}

// claimOf returns the MTU that the router of a limit claims; 0 if it is unusable.
func claimOf(p *place) int {
	for _, f := range p.above.refused {
		if f.mtu > 0 {
			return f.mtu
		}
	}
	return 0
}

// addrAt returns the address of the hop at a distance.
func (r *run) addrAt(o *outlook, ttl int) netip.Addr {
	hops := r.hopInfos(o.basis.track)
	if ttl <= 0 || ttl >= len(hops) {
		return netip.Addr{}
	}
	return hops[ttl].addr
}

// returnMTU is the MTU of the way back: what fragments tell or, where nothing
// came back, what did at most; 0 if neither shows a limit.
func (r *run) returnMTU(o *outlook) int {
	if o.back > 0 && r.backBelievable(o) {
		return o.back
	}
	whole, frag, most := r.fragments()
	if frag == 0 {
		return 0
	}
	return max(whole, most)
}

// backBelievable reports whether the size up to which echoes are answered can be
// a limit of the way back. Below what every link takes it is the host's.
func (r *run) backBelievable(o *outlook) bool {
	return o.back >= map[bool]int{true: 1280, false: 576}[r.family == icmpx.IPv6]
}

func (r *run) direction(o *outlook) Direction {
	there := len(r.res.Limits) > 0
	back := r.res.ReturnMTU > 0
	switch {
	case there && back:
		return Both
	case there:
		return Forward
	case back:
		return Return
	}
	return Unknown
}

// verdict gives the first verdict that holds; only where the path MTU is not
// known does that come before all others.
func (r *run) verdict(o *outlook) Verdict {
	silent := func(l Limit) bool { return l.Place == Router && !l.Signalled }
	said := func(l Limit) bool { return l.Place == Router && l.Signalled }
	limits := r.res.Limits
	switch {
	case r.res.PMTU == 0 && o.way != nil:
		return Unsure
	case slices.ContainsFunc(limits, silent), o.back > 0 && r.backBelievable(o):
		return BlackHoled
	case slices.ContainsFunc(limits, said):
		return Signalled
	case o.way == nil:
		return Unanswered
	case len(limits) > 0:
		return Local
	}
	return Clear
}

// hopRows is the table of Options.Hops.
func (r *run) hopRows(o *outlook) []Hop {
	if !r.opts.Hops || o.basis == nil {
		return nil
	}
	hops := r.hopInfos(o.basis.track)
	last := 0
	for ttl := range hops {
		if hops[ttl].answers > 0 && (last == 0 || !hops[last].end) {
			last = ttl
		}
	}
	var list []Hop
	for ttl := 1; ttl <= last; ttl++ {
		list = append(list, Hop{
			TTL: ttl, From: hops[ttl].addr, RTT: r.rttAt(o.basis.at(ttl)), MTU: r.mtuAt(ttl), End: hops[ttl].end,
		})
	}
	return list
}

// rttAt returns the shortest RTT to a hop.
func (r *run) rttAt(t track) time.Duration {
	var best time.Duration
	for i := r.since; i < len(r.log); i++ {
		if a := &r.log[i]; a.track == t && a.ended(t) && (best == 0 || a.rtt < best) {
			best = a.rtt
		}
	}
	return best
}

// mtuAt returns what passes all limits before a hop; 0 if one of them may be on
// either side of it.
func (r *run) mtuAt(ttl int) int {
	mtu := r.highest
	for _, l := range r.res.Limits {
		switch {
		case l.Place == Route:
		case l.Place == Interface || l.TTL > 0 && l.TTL < ttl:
			mtu = min(mtu, l.MTU)
		case l.TTL == 0:
			return 0
		}
	}
	return mtu
}
