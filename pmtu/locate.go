package pmtu

import (
	"net/netip"
	"slices"
)

// A place is where a limit is, as far as it is known: packets above it reach hop
// after, and do not reach hop before. 0 is not known.
type place struct {
	gap
	after, before int
	done          bool // no more is asked
	end           bool // before is the destination
}

// exact reports whether the limit is the link behind hop after.
func (p *place) exact() bool { return p.after > 0 && p.before == p.after+1 }

// A hopInfo is what is known of a distance.
type hopInfo struct {
	addr    netip.Addr
	reach   int  // largest size that got there
	end     bool // the destination answers there
	asked   int
	answers int
}

// hopInfos returns what is known of each distance on a track, wherever that ends;
// index 0 is unused.
func (r *run) hopInfos(t track) []hopInfo {
	list := make([]hopInfo, r.opts.MaxTTL+2)
	for i := r.since; i < len(r.log); i++ {
		a := &r.log[i]
		if a.track.at(0) != t.at(0) || a.ttl == 0 || a.ttl >= len(list) {
			continue
		}
		h := &list[a.ttl]
		h.asked++
		switch {
		case a.arrived:
			h.end, h.addr = true, r.dst
		case a.expired:
			h.addr = a.exceeded
			h.reach = max(h.reach, a.size)
		default:
			continue
		}
		h.answers++
	}
	return list
}

// distance returns the TTL at which the destination is, and whether that was
// seen. If not it is guessed from the TTL of its answers, which start at 32, 64,
// 128 or 255 and come back over about as many hops. It is 0 if that is unknown.
func (r *run) distance(t *table, hops []hopInfo) (int, bool) {
	if t.ttl != 0 {
		return t.ttl, true
	}
	for ttl := 1; ttl < len(hops); ttl++ {
		if hops[ttl].end {
			return ttl, true
		}
	}
	for i := r.since; i < len(r.log); i++ {
		a := &r.log[i]
		if a.method != t.method || !a.arrived || a.replyTTL == 0 {
			continue
		}
		return min(come(a.replyTTL), r.opts.MaxTTL), false
	}
	return 0, false
}

// come returns the distance that an answer seems to have come by the TTL that it
// has left; 0 if that is not known.
func come(ttl uint8) int {
	for _, start := range []uint8{32, 64, 128, 255} {
		if ttl > 0 && ttl <= start {
			return int(start-ttl) + 1
		}
	}
	return 0
}

// locate says where the limits of a track are, nearest first, and what to ask to
// know it better. Its rules:
//  1. A packet one byte too large is sent with a TTL that ends at a hop: routers
//     count the TTL before they look at the size, so the one in front of the
//     small link still answers that it was used up.
//  2. A limit is not nearer than the one before it.
//  3. The farthest limit, which makes the path MTU, is asked for first; where
//     packets get lost, the others only when that is done.
func (r *run) locate(t *table) ([]place, burst) {
	var list []place
	var last, rest burst
	floor := 0
	gaps := t.gaps()
	for i, g := range slices.Backward(gaps) {
		var b burst
		p := place{gap: g, after: floor}
		size := g.above.size
		if !g.closed() {
			size = claimed(t, &g)
		}
		switch {
		case size == 0:
			p.done = true
		case g.class.silent:
			b = r.seekSilent(t, &p, size)
		default:
			b = r.seekRouter(t, &p, size)
		}
		if i == 0 {
			last = b
		} else {
			rest = append(rest, b...)
		}
		if p.exact() {
			floor = p.after
		}
		list = append(list, p)
	}
	if len(last) > 0 && r.lossy() {
		return list, last
	}
	return list, append(last, rest...)
}

// claimed returns a size that, if the router of a gap is right, is one byte too
// large for it; 0 if it claims nothing that fits.
func claimed(t *table, g *gap) int {
	for _, f := range g.above.refused {
		if f.mtu > g.below && f.mtu < g.above.size || f.mtu == g.below && t.lo > 0 {
			return f.mtu + 1
		}
	}
	return 0
}

// seekRouter looks for a router that refuses a size. Its rules:
//  1. It is at hop n if a packet ends at n by its TTL and one with a TTL of n+1
//     is refused by it.
//  2. So it is if the TTL that its refusals quote says n, and the hop at which a
//     packet ends that has a TTL of n bears its address.
//  3. That TTL is the first guess; where it is not shown, the distance that the
//     refusals seem to have come.
//  4. Else the distances between those known to be before and behind it are
//     divided, three at once.
func (r *run) seekRouter(t *table, p *place, size int) burst {
	hops := r.hopInfos(t.track)
	for ttl := p.after + 1; ttl < len(hops); ttl++ {
		if hops[ttl].reach >= size {
			p.after = ttl
		}
	}
	p.before = r.refusedAt(t.track, p.class.from, size, p.after)
	hint, quoted := r.hint(t.track, p.class.from)
	switch {
	case p.before == hint+1 && hint > p.after && r.triedAt(t.at(hint), size) >= maxRepeats:
		p.after = hint // it does not say that TTLs are used up there, but refuses nothing either
	case quoted && p.after == hint && (hops[hint].addr == p.class.from || r.triedAt(t.at(hint+1), size) >= maxRepeats):
		p.before = hint + 1
	}
	if p.exact() {
		p.done = true
		return nil
	}
	limit := p.before
	if limit == 0 {
		limit, _ = r.distance(t, hops)
		limit = max(limit, p.after+1) + 1
	}
	near := r.triedAt(t.at(hint), size) > 0
	far := r.triedAt(t.at(hint+1), size) > 0
	try := []int{hint, hint + 1}
	switch {
	case quoted && !near && p.closed() && p.between(hint, limit):
		try = try[:1]
	case !p.between(hint, limit) && p.after != hint || near && far:
		try = append(spread(p.after, limit, 3), p.after+1, limit-1)
		if p.between(hint, limit) {
			try = append(try, hint)
		}
	}
	var b burst
	for i, ttl := range try {
		if ttl > p.after && ttl <= r.opts.MaxTTL && (ttl < limit || p.before == 0) && !slices.Contains(try[:i], ttl) && r.triedAt(t.at(ttl), size) < maxRepeats {
			b.add(t.at(ttl), size)
			b[len(b)-1].again = r.triedAt(t.at(ttl), size)
		}
	}
	p.done = len(b) == 0
	return b
}

func (p *place) between(ttl, limit int) bool { return ttl > p.after && ttl < limit }

// maxRepeats is how often a router is asked the same.
const maxRepeats = 5

// hint returns the distance of a router by what its refusals quote, or seem to have
// come; 0: unknown.
func (r *run) hint(t track, from netip.Addr) (hop int, quoted bool) {
	for i := r.since; i < len(r.log); i++ {
		f := r.log[i].refusal
		if f == nil || f.void || r.log[i].track != t || f.from != from {
			continue
		}
		if f.hop > 0 {
			return f.hop, true
		}
		hop = orDefault(hop, f.back)
	}
	return hop, false
}

// hinted reports whether there is a guess at the distance of a router.
func (r *run) hinted(t track, from netip.Addr) bool {
	hint, _ := r.hint(t, from)
	return hint > 0
}

// refusedAt returns the smallest TTL above after with which a router has refused
// a size or a larger one; 0 if there is none.
func (r *run) refusedAt(t track, from netip.Addr, size, after int) int {
	least := 0
	for i := r.since; i < len(r.log); i++ {
		a := &r.log[i]
		if a.method != t.method || a.path != t.path || a.ttl <= after || a.size < size {
			continue
		}
		if f := a.refusal; f != nil && !f.void && f.from == from && (least == 0 || a.ttl < least) {
			least = a.ttl
		}
	}
	return least
}

// triedAt returns how often a size was asked at a hop.
func (r *run) triedAt(t track, size int) int {
	n := 0
	for i := r.since; i < len(r.log); i++ {
		if a := &r.log[i]; a.track == t && a.size == size {
			n++
		}
	}
	return n
}

// seekSilent looks for the hops between which a size vanishes. Its rules:
//  1. At each distance the size is asked with a control of a size that passes
//     beside it: only "small answers, large silent" says something.
//  2. Hops that answer neither are asked twice and left out then.
//  3. All distances that are left are asked at once if there are up to six, else
//     six that divide them.
//  4. Silence at the nearest hop where it was seen is proven like any other.
func (r *run) seekSilent(t *table, p *place, size int) burst {
	hops := r.hopInfos(t.track)
	for ttl := p.after + 1; ttl < len(hops); ttl++ {
		if hops[ttl].reach >= size {
			p.after = ttl
		}
	}
	end, seen := r.distance(t, hops)
	limit := 0
	if seen {
		limit = end
	}
	for ttl := p.after + 1; ttl < len(hops) && (limit == 0 || ttl < limit); ttl++ {
		if c := r.table(t.at(ttl)).cell(size); c != nil && c.silent > 0 && !hops[ttl].end {
			limit = ttl
		}
	}
	p.before = limit
	p.end = seen && limit == end
	if b := r.sweep(t, p, size, hops, end); len(b) > 0 {
		return b
	}
	if limit == 0 || p.end {
		p.done = true
		return nil
	}
	tab := r.table(t.at(limit))
	c := tab.cell(size)
	if p.done = r.proven(tab, c); p.done {
		return nil
	}
	var b burst
	if r.triedAt(t.at(limit), size) < maxTrials && r.starved(t.at(limit)) <= maxStarved {
		r.trial(&b, tab, size, t.lo)
	} else {
		p.before, p.end, p.done = 0, seen, true
		if seen {
			p.before = end
		}
	}
	return b
}

// maxTrials bounds the probes of one size that are spent on one hop.
const maxTrials = 40

// maxMute is how many hops in a row that answer nothing end the search for more.
const maxMute = 6

// sweep asks at the distances between which nothing is known yet.
func (r *run) sweep(t *table, p *place, size int, hops []hopInfo, end int) burst {
	limit := p.before
	if limit == 0 {
		limit = orDefault(end, 7)
		if last := r.farthest(hops); last >= limit-1 {
			limit = last + 1
		}
	}
	b := r.sweepUpTo(t, p, size, hops, limit, 0)
	if len(b) > 0 || p.before != 0 || r.muteAfter(hops, limit) >= maxMute {
		return b
	}
	if limit != end {
		limit += 2
	}
	return r.sweepUpTo(t, p, size, hops, min(limit, r.opts.MaxTTL)+1, end)
}

// sweepUpTo asks at the distances between what is reached and limit. That at which
// the destination is thought to be, end, is asked at first whether it is.
func (r *run) sweepUpTo(t *table, p *place, size int, hops []hopInfo, limit, end int) burst {
	var todo []int
	for ttl := p.after + 1; ttl < limit; ttl++ {
		h := &hops[ttl]
		if h.answers == 0 && r.triedAt(t.at(ttl), t.lo) < 2+r.patient || h.answers > 0 && !h.end && r.undecided(t, ttl, size) {
			todo = append(todo, ttl)
		}
	}
	const most = 6
	var b burst
	for i, ttl := range todo {
		if len(todo) <= most || i*most/len(todo) != (i+1)*most/len(todo) {
			from := len(b)
			if ttl != end || hops[ttl].asked > 0 {
				b.add(t.at(ttl), size)
			}
			b.add(t.at(ttl), t.lo)
			for j := from; hops[ttl].answers == 0 && r.patient > 0 && j < len(b); j++ {
				b[j].again = afterPause
			}
		}
	}
	return b
}

// undecided reports whether a size at a hop that answers others was neither
// answered nor silent.
func (r *run) undecided(t *table, ttl, size int) bool {
	c := r.table(t.at(ttl)).cell(size)
	return c == nil || c.void > 0 && c.void < maxTries && c.silent == 0 && c.arrived == 0
}

// farthest returns the largest TTL that was asked.
func (r *run) farthest(hops []hopInfo) int {
	for ttl := len(hops) - 1; ttl > 0; ttl-- {
		if hops[ttl].asked > 0 {
			return ttl
		}
	}
	return 0
}

// muteAfter returns how many hops before limit answer nothing, in a row.
func (r *run) muteAfter(hops []hopInfo, limit int) int {
	n := 0
	for ttl := min(limit, len(hops)) - 1; ttl > 0 && hops[ttl].answers == 0; ttl-- {
		n++
	}
	return n
}
