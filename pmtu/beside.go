package pmtu

import "slices"

// beside asks the second method what the first leaves open. Its rules:
//  1. Echo requests and their answers are as large as each other; what answers a
//     datagram is small. So a size that only the datagrams pass is lost on the way
//     back, and one that neither passes on the way there.
//  2. Once the path MTU is found by the first method, the second must agree that
//     it passes. If it does not, other flows take another path, and the second
//     method finds that path's MTU too.
//  3. Where larger sizes vanish and the hops did not show where, the second
//     method is asked one byte more. If that passes, it finds the path MTU; what
//     the first has found is that of the way back.
//  4. If its packets may each take a path of their own, it is asked no more once one
//     was refused: there is nothing to be searched.
//  5. A method that the destination never answered is asked no more, nor is one
//     whether the path MTU passes if the destination limits its answers.
func (r *run) beside(t *table, places []place) burst {
	u := r.second(t)
	if u == nil || t.ttl != 0 || !r.found(t) {
		return nil
	}
	if u.lo == 0 {
		return r.wake(u)
	}
	if r.mixed[u.track] {
		return nil
	}
	if u.lo < t.lo {
		if r.scattered(u.track) && r.disputes(u, t.lo) {
			return r.again(t, u)
		}
		if r.starved(u.track) >= maxDoubts && !r.disputes(u, t.lo) {
			return nil
		}
		return append(r.again(t, u), r.follow(u, t.lo)...)
	}
	if t.lo >= r.top {
		return nil
	}
	if c := t.gaps()[0].above; u.lo > t.lo {
		if c.verified() {
			return nil
		}
		return append(r.sizes(u), r.locateOnly(u)...)
	} else if c.verified() || !atEnd(places) {
		return nil
	}
	return r.follow(u, t.lo+1)
}

// again asks the first method once more what the second was refused meanwhile: has
// the path changed, or is there another?
func (r *run) again(t, u *table) burst {
	var b burst
	for i := range u.cells {
		if c := &u.cells[i]; c.size <= t.lo && c.verified() && c.refused[0].round > r.lastArrival(t) {
			b.add(t.track, t.lo)
			break
		}
	}
	return b
}

// lastArrival returns the last round in which the largest size passed.
func (r *run) lastArrival(t *table) int {
	for i := len(r.log) - 1; i >= 0; i-- {
		if a := &r.log[i]; a.track == t.track && a.size == t.lo && a.ended(t.track) {
			return a.round
		}
	}
	return 0
}

// second returns what is known of the method beside the first; nil if there is
// none.
func (r *run) second(t *table) *table {
	i := slices.IndexFunc(r.methods, func(m Method) bool { return m != t.method })
	if i < 0 || t.method != ICMP {
		return nil
	}
	return r.table(track{method: r.methods[i]})
}

// others returns what is known of the tracks beside a first one: of the second
// method, and of its other flows.
func (r *run) others(t *table) []*table {
	var list []*table
	if u := r.second(t); u != nil {
		list = append(list, u)
	}
	for p := range r.flowCount {
		list = append(list, r.table(track{method: UDP, path: p + 1}))
	}
	return list
}

// maxFlows is how many other flows are asked whether the path MTU passes.
const maxFlows = 3

// flows asks other flows whether they too pass what was found: routers that
// balance load send them over other links. It is left out where packets vanish,
// which says nothing of one flow only, and without datagrams. A flow that is
// refused, or proven silent, is searched on its own. One whose smallest packets
// are not answered either is left alone: the destination limits its answers.
func (r *run) flows(t *table) burst {
	if !slices.Contains(r.methods, UDP) || !r.found(t) || r.silentAbove(t) || r.table(track{method: UDP}).lo == 0 {
		return nil
	}
	var b burst
	for p := range r.flowCount {
		f := r.table(track{method: UDP, path: p + 1})
		switch {
		case f.asked(t.lo) == 0 && len(f.cells) == 0:
			b.add(f.track, t.lo)
		case r.scattered(f.track) && r.disputes(f, t.lo):
			if again := r.again(t, f); len(b) == 0 || b[len(b)-1].track != t.track {
				b = append(b, again...)
			}
		case f.lo >= t.lo:
		case r.against(f, t.lo):
			b = append(b, append(r.sizes(f), r.locateOnly(f)...)...)
		case r.starved(f.track) > 0:
		case f.asked(t.lo) == 1 && len(f.cells) == 1:
			b.add(f.track, t.lo, r.small())
		case f.asked(t.lo) < maxTries+r.needed():
			r.trial(&b, f, t.lo, r.small())
		}
	}
	return b
}

// found reports whether a track's path MTU is known to the byte, proven or not.
func (r *run) found(t *table) bool {
	gaps := t.gaps()
	return t.lo >= r.top || len(gaps) > 0 && gaps[0].below == t.lo && gaps[0].closed()
}

// atEnd reports whether the hops left open on which way the sizes above the path
// MTU vanish: they were seen to reach all hops but the destination, or nothing
// was seen.
func atEnd(places []place) bool {
	if len(places) == 0 {
		return false
	}
	p := &places[len(places)-1]
	return p.done && (p.end || p.before == 0)
}

// wake asks a method that has not been answered yet again: once, or where packets
// get lost five times.
func (r *run) wake(u *table) burst {
	tries := 2
	if r.lossy() {
		tries = 6
	}
	var b burst
	n := u.asked(r.small())
	if r.patient > 0 && n < tries+r.patient {
		b.add(u.track, r.small())
		b[0].again = afterPause
		return b
	}
	for ; n < tries && len(b) < 3; n++ {
		b = append(b, ask{track: u.track, size: r.small(), lazy: true})
	}
	return b
}

// follow asks by the second method whether a size passes, until that is proven
// one way or the other. A refusal, or proven silence, makes it search on its own.
func (r *run) follow(u *table, size int) burst {
	var b burst
	c := u.cell(size)
	switch {
	case u.asked(size) == 0 && size <= u.lo+1:
		b.add(u.track, size, size, u.lo)
		return b
	case u.asked(size) == 0:
		b.add(u.track, size)
		return b
	case r.disputes(u, size), c != nil && c.fails() && r.proven(u, c):
		if size > u.lo+1 {
			return append(r.sizes(u), r.locateOnly(u)...)
		}
		return nil
	case u.asked(size) > maxTrials || r.starved(u.track) > maxStarved:
		return nil
	}
	r.trial(&b, u, size, u.lo)
	return b
}

// disputes reports whether somebody refuses a size, or a smaller one, on a track.
func (r *run) disputes(u *table, size int) bool {
	list := u.above()
	if r.scattered(u.track) { // what arrived there says nothing of others
		list = list[:0]
		for i := range u.cells {
			list = append(list, &u.cells[i])
		}
	}
	return slices.ContainsFunc(list, func(c *cell) bool { return c.size <= size && len(c.refused) > 0 })
}

func (r *run) locateOnly(t *table) burst {
	_, b := r.locate(t)
	return b
}

// wayBack asks how large the answers may be that come in one piece. Its rules:
//  1. A host may fragment its answers (Linux answers IPv4 echo without DF), so a
//     small link on the way back shows as fragments.
//  2. The largest fragment is a multiple of 8 bytes behind its header, hence up to
//     7 bytes smaller than the link. Sizes that differ by less are asked, and the
//     largest whose answer comes whole is the MTU.
func (r *run) wayBack(t *table) burst {
	whole, frag, most := r.fragments()
	if frag == 0 || whole+1 >= frag || !r.found(t) {
		return nil
	}
	var b burst
	for s := min(most+7, frag-1, t.lo); s >= most && s > whole; s-- {
		if s >= r.small() && r.triedAt(track{method: ICMP}, s) < 3 {
			b.add(track{method: ICMP}, s)
		}
	}
	return b
}

// fragments returns the largest echo that was answered in one piece and the
// smallest above it that was not, with its largest fragment; 0 if none was cut.
func (r *run) fragments() (whole, frag, most int) {
	each := func(f func(a *ask)) {
		for i := r.since; i < len(r.log); i++ {
			if a := &r.log[i]; a.track == (track{method: ICMP}) && a.arrived {
				f(a)
			}
		}
	}
	each(func(a *ask) {
		if a.frag != 0 && (frag == 0 || a.size < frag) {
			frag, most = a.size, a.frag
		}
	})
	each(func(a *ask) {
		if a.frag == 0 && a.size < frag {
			whole = max(whole, a.size)
		}
	})
	return whole, frag, most
}

// hopTable asks every hop for the table of Options.Hops: with the smallest size,
// and once more if it is silent.
func (r *run) hopTable(t *table) burst {
	if !r.opts.Hops || t == nil {
		return nil
	}
	hops := r.hopInfos(t.track)
	end, seen := r.distance(t, hops)
	limit := orDefault(end, 8)
	if !seen {
		limit++
		if last := r.farthest(hops); last >= limit && r.muteAfter(hops, last+1) < maxMute {
			limit = last + 3
		}
	}
	var b burst
	for ttl := 1; ttl <= min(limit, r.opts.MaxTTL); ttl++ {
		if hops[ttl].answers == 0 && r.triedAt(t.at(ttl), r.small()) < 2 {
			b.add(t.at(ttl), r.small())
		}
	}
	return b
}
