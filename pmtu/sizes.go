package pmtu

import "slices"

// settled reports whether the path MTU of a track is known to the byte, and
// proven.
func (r *run) settled(t *table) bool {
	if t.lo == 0 {
		return false
	}
	if t.lo >= r.top {
		return true
	}
	gaps := t.gaps()
	return len(gaps) > 0 && gaps[0].below == t.lo && gaps[0].closed() && r.proven(t, gaps[0].above)
}

// proven reports whether a size certainly fails. Its rules:
//  1. A refusal that carries the probe's secret proves it at once.
//  2. Silence, and refusals that anybody could have sent, prove it when there is
//     one more of them than needed, with as many answered controls as needed. The
//     one more is that by which the search came to doubt the size: it was chosen
//     because it was silent.
//  3. Of the size above the largest that passes only that counts which was seen
//     when that already passed, or in the same burst: what is older may be about
//     a path that was smaller then.
func (r *run) proven(t *table, c *cell) bool {
	c = t.fresh(c)
	if c.verified() {
		return true
	}
	n := r.needed()
	return c.against() >= n+spare && r.controls(t, c.size) >= n
}

// fresh returns what is known of a cell, without what rule 3 of proven leaves out.
func (t *table) fresh(c *cell) *cell {
	if c.size != t.lo+1 || t.lo == 0 {
		return c
	}
	return c.from(t.cell(t.lo).since)
}

// controls counts the answered controls of a size: smaller ones in the bursts in
// which it was asked.
func (r *run) controls(t *table, size int) int {
	rounds := make(map[int]bool)
	for i := r.since; i < len(r.log); i++ {
		if a := &r.log[i]; a.track == t.track && a.size == size {
			rounds[a.round] = true
		}
	}
	n := 0
	for i := r.since; i < len(r.log); i++ {
		a := &r.log[i]
		if a.track == t.track && rounds[a.round] && a.size < size && a.ended(t.track) {
			n++
		}
	}
	return n
}

// sizes returns what to ask next on a track to know its limits to the byte;
// nothing when all that can be known is. Its rules:
//  1. Where nothing is known the ladder is asked.
//  2. The gap above the largest size that passes comes first, then the others.
//  3. In a gap whose upper end a router refuses, the next-hop MTU that it claims
//     is tried, and one byte more. Both must turn out as claimed, else the gap
//     stays open and is divided.
//  4. Otherwise the gap is divided, see fan. One byte above a usual size is tried
//     too, because that is where limits are.
//  5. Silence at the upper end that was seen once, and at no larger size, is
//     checked before it is trusted; if silence was false before, all that is above
//     is checked too. So are refusals from before a larger packet passed than they
//     allow.
//  6. At two neighbouring sizes, silence is tried until it is proven.
//  7. Where packets get lost, and proof thus takes many, the first gap is closed
//     and proven before the others are looked at.
//  8. The last of each burst is a size that passes, as the witness that silence
//     needs; where nothing answers also the smallest: is it the path that is
//     silent, or has its MTU changed?
func (r *run) sizes(t *table) burst {
	var b burst
	switch {
	case t.lo == 0:
		return r.refusedSizes(t)
	case len(r.rungs(t)) > 0:
		b.add(t.track, append(r.rungs(t), t.lo)...)
		return b
	}
	gaps, starved := t.gaps(), r.starved(t.track)
	if t.lo < r.top && (len(gaps) == 0 || gaps[0].below != t.lo || r.topUnknown(t)) {
		b = append(b, r.topAgain(t)...)
	}
	for i := range gaps {
		if i > 0 && len(b) > 0 && (r.lossy() || starved > 0 || r.pause > 0) {
			break
		}
		g := &gaps[i]
		below := t.cell(g.below)
		switch {
		case !g.closed():
			b = append(b, r.divide(t, g, i == 0)...)
			if r.hollow(g, below) && below.against() < 2 {
				b.add(t.track, below.size)
			}
		case !r.proven(t, g.above) && starved <= maxStarved:
			b = append(b, r.prove(t, g.above)...)
		case r.hollow(g, below) && !r.proven(t, below):
			b = append(b, r.prove(t, below)...)
		}
	}
	if len(b) > 0 && b[len(b)-1].size != t.lo {
		b.add(t.track, t.lo)
	}
	if len(b) > 0 && (starved > 0 || r.pause > 0) && t.lo > r.small() {
		b.add(t.track, r.small())
	}
	return b
}

// hollow reports whether a gap stands on a size that was only silent. If that is
// the size that the router above claims to pass on, it may be.
func (r *run) hollow(g *gap, below *cell) bool {
	return below.fails() && !below.verified() &&
		!slices.ContainsFunc(g.above.refused, func(f *refusal) bool { return f.mtu == below.size })
}

// rungs returns the usual sizes above the largest that passes, if nothing between
// that and the largest of all was asked.
func (r *run) rungs(t *table) []int {
	for i := range t.cells {
		if c := &t.cells[i]; c.size > t.lo && (c.size < r.top || c.verified()) {
			return nil
		}
	}
	var list []int
	like := t.track
	if t.lo >= ordinary {
		like = track{method: ICMP} // all sizes: few will be answered
	}
	for _, s := range r.ladder(like) {
		if s > t.lo && (s < r.top || t.asked(s) == 0) {
			list = append(list, s)
		}
	}
	return list
}

// refusedSizes is sizes where nothing arrives: only what routers claim is tried.
func (r *run) refusedSizes(t *table) burst {
	var b burst
	if len(t.cells) == 0 {
		b.add(t.track, r.ladder(t.track)...)
		return b
	}
	for _, g := range t.gaps() {
		for _, s := range claims(t, &g) {
			b.add(t.track, s)
		}
	}
	return b
}

// topUnknown reports whether it is not known whether the largest packets arrive.
func (r *run) topUnknown(t *table) bool {
	c := t.cell(r.top)
	return c == nil || c.class() == class{}
}

// topAgain asks again what told nothing above the largest size that passes.
func (r *run) topAgain(t *table) burst {
	var b burst
	if t.asked(r.top) < maxTries {
		b.add(t.track, r.top)
	}
	return b
}

// maxTries is how often a probe is repeated whose answer is not vital.
const maxTries = 8

// divide asks within a gap. The first gap may take more probes than the others,
// of which the path MTU does not depend.
func (r *run) divide(t *table, g *gap, first bool) burst {
	var b burst
	if list := claims(t, g); len(list) > 0 {
		if !first && len(list) == 1 && list[0] == claimed(t, g) && r.hinted(t.track, g.class.from) {
			return nil // locate asks that size, at two hops
		}
		b.add(t.track, list...)
		return b
	}
	if stale := t.stale(); t.outdated(g.above) {
		b.add(t.track, stale...)
		return b
	}
	k := fan(g.below, g.above.size)
	guess := g.class.silent && usualSize(g.below, r.family) && g.below > r.small() && k > 1
	switch {
	case guess:
		k = min(k, 2)
	case !first:
		k = min(k, 3)
	}
	if g.class.silent && g.above.against() < 2 && (r.misled(t) || !supported(t, g)) {
		b.add(t.track, r.recheck(t, g)...)
	}
	list := spread(g.below, g.above.size, k)
	if t.limited() && g.below < leastIPv4 && g.above.size > leastIPv4+1 {
		list = []int{leastIPv4} // which takes fewer answers
	}
	if guess && !slices.Contains(list, g.below+1) {
		list = append(list, g.below+1)
	}
	b.add(t.track, list...)
	return b
}

// outdated reports whether a size was refused only before something larger passed
// than its router claimed to pass on: the path has changed since.
func (t *table) outdated(c *cell) bool {
	for _, f := range c.refused {
		if f.mtu == 0 || f.round >= t.refuted(f) {
			return false
		}
	}
	return len(c.refused) > 0
}

// refuted returns the round in which a packet first passed that is larger than a
// refusal claims; 0 if none did.
func (t *table) refuted(f *refusal) int {
	first := 0
	for i := range t.cells {
		if c := &t.cells[i]; c.size > f.mtu && c.arrived > 0 && (first == 0 || c.since < first) {
			first = c.since
		}
	}
	return first
}

// stale returns the sizes whose refusals are outdated, the largest first.
func (t *table) stale() []int {
	var list []int
	for _, c := range slices.Backward(t.above()) {
		if t.outdated(c) {
			list = append(list, c.size)
		}
	}
	return list
}

// supported reports whether a larger size than the upper end of a gap is silent
// too.
func supported(t *table, g *gap) bool {
	return slices.ContainsFunc(t.above(), func(c *cell) bool { return c.size > g.above.size && c.class().silent })
}

// recheck returns the silent sizes that are to be asked again: the upper end of
// the gap, and all above it if silence has turned out false before.
func (r *run) recheck(t *table, g *gap) []int {
	list := []int{g.above.size}
	if !r.misled(t) {
		return list
	}
	for _, c := range t.above() {
		if c.size > g.above.size && c.class().silent && c.against() < 2 {
			list = append(list, c.size)
		}
	}
	slices.Reverse(list)
	return list
}

// misled reports whether silence on the track has turned out false: a size was
// silent before it arrived, and that was not the destination's limit on answers.
func (r *run) misled(t *table) bool {
	for i := range t.cells {
		if c := &t.cells[i]; c.arrived > 0 && c.silent > 0 {
			return true
		}
	}
	return false
}

// claims returns the untried sizes by which a claim about a gap is tested.
func claims(t *table, g *gap) []int {
	var list []int
	for _, f := range g.above.refused {
		if f.mtu < g.below || f.mtu >= g.above.size || f.mtu == 0 {
			continue
		}
		for _, s := range []int{f.mtu + 1, f.mtu} {
			if s > g.below && s < g.above.size && t.asked(s) == 0 && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	return list
}

// prove asks two neighbouring sizes, of which the larger is to be proven not to
// pass.
func (r *run) prove(t *table, c *cell) burst {
	var b burst
	r.trial(&b, t, c.size, t.lo)
	return b
}
