package pmtu

import "math"

// A check is a burst that settles a contradiction: a size was refused that is no
// larger than one that arrived.
type check struct {
	track
	size  int // refused
	lo    int // arrived
	round int
}

// maxChecks is how often contradictions are looked into, and maxChanges how often
// a path may change, before the search gives up.
const (
	maxChecks  = 12
	maxChanges = 3
)

// checkPairs is how many probes of each of both sizes the first check sends; the
// next ones send twice as many as the one before, up to maxPairs.
const checkPairs = 3

// conflict starts a check where one is due.
func (r *run) conflict() burst {
	for _, m := range r.methods {
		t := r.table(track{method: m})
		if r.inTurns(t.track) || r.scattered(t.track) && r.disputed(t) != 0 {
			r.mixed[t.track] = true
			r.news()
			continue
		}
		size := r.disputed(t)
		if size == 0 {
			size = r.vanished(t)
		}
		if size == 0 || r.mixed[t.track] || r.checked >= maxChecks || r.changes >= maxChanges {
			continue
		}
		pairs := min(checkPairs<<r.checked, maxPairs)
		r.checked++
		r.check = &check{track: t.track, size: size, lo: t.lo, round: r.round + 1}
		var b burst
		if size == t.lo {
			b.add(t.track, size, size, size, size, r.small())
		} else {
			b.pairs(t.track, t.lo, size, pairs)
		}
		return b
	}
	return nil
}

// scattered reports whether the packets of a track may take paths of their own.
func (r *run) scattered(t track) bool { return r.opts.Scattered && t.method == UDP }

// inTurns reports whether packets of a track take different paths in turn: what
// became of those of one burst does not fit any path, nor one that changed while
// they left.
func (r *run) inTurns(t track) bool {
	for i := r.since; i < len(r.log); {
		j := i + 1
		for j < len(r.log) && r.log[j].round == r.log[i].round {
			j++
		}
		if !fitsChange(r.log[i:j], t) {
			return true
		}
		i = j
	}
	return false
}

// fitsChange reports whether a path that changed once, or not at all, explains
// what became of a burst: up to some packet, and from there on, all that arrived
// were smaller than all that were refused beyond doubt.
func fitsChange(list []ask, t track) bool {
	fits := func(list []ask) int { // returns how many packets a single path explains
		arrived, refused := 0, math.MaxInt32
		for i := range list {
			a := &list[i]
			f := a.refusal
			switch {
			case a.track != t:
				continue
			case a.arrived:
				arrived = max(arrived, a.size)
			case f != nil && !f.void && f.verified && f.tooBig:
				refused = min(refused, a.size)
			}
			if arrived >= refused {
				return i
			}
		}
		return len(list)
	}
	n := fits(list)
	return fits(list[n:]) == len(list)-n
}

// disputed returns the smallest size that was refused although it, or a larger
// one, has arrived; 0 if there is none.
func (r *run) disputed(t *table) int {
	for i := range t.cells {
		if c := &t.cells[i]; c.size <= t.lo && len(c.refused) > 0 {
			return c.size
		}
	}
	return 0
}

// vanished returns the largest size that arrived if it no longer does: it was
// silent twice since, and smaller ones that left later in the same bursts
// were answered. Else it returns 0.
func (r *run) vanished(t *table) int {
	silent, round, witness := 0, 0, false
	for i := len(r.log) - 1; i >= r.since; i-- {
		a := &r.log[i]
		if a.track != t.track {
			continue
		}
		if a.round != round {
			round, witness = a.round, false
		}
		switch {
		case a.size < t.lo:
			witness = witness || a.arrived
		case a.size == t.lo && a.arrived:
			return 0
		case a.size == t.lo && a.state == overdue && witness:
			if silent++; silent == 2 {
				return t.lo
			}
		}
	}
	return 0
}

// judgeCheck draws the conclusions of a check. Its rules:
//  1. The larger size no longer arrives, but is refused or a smaller one does:
//     the path has changed, and only what the check itself has shown still
//     counts.
//  2. The refused size is no longer refused: what was said about it was false, or
//     the path has changed for the better. All that its author said about sizes
//     that arrive is void.
//  3. Both are true: packets of the track take different paths in turn.
//  4. If nothing at all was answered, nothing is known.
func (r *run) judgeCheck() {
	c := r.check
	if c == nil {
		return
	}
	r.check = nil
	r.news()
	var big, small tally
	first, witness := len(r.log), false
	for i := range r.log {
		a := &r.log[i]
		if a.track != c.track || a.round != c.round {
			continue
		}
		first = min(first, i)
		if a.size == c.lo {
			big.add(a)
		}
		witness = witness || a.size < c.lo && a.arrived
		if a.size == c.size {
			small.add(a)
		}
	}
	switch {
	case big.arrived == 0 && (big.refused > 0 || witness):
		r.since, r.begun = first, false
		r.changes++
	case small.refused > 0:
		r.mixed[c.track] = true
	case small.arrived > 0:
		r.retract(c)
	}
}

type tally struct{ arrived, refused, silent int }

func (t *tally) add(a *ask) {
	switch {
	case a.arrived:
		t.arrived++
	case a.refusal != nil:
		t.refused++
	case a.state == overdue:
		t.silent++
	}
}

// retract voids what was said about the sizes of a check.
func (r *run) retract(c *check) {
	lied := false
	var from []*refusal
	for i := r.since; i < len(r.log); i++ {
		if a := &r.log[i]; a.track == c.track && a.size == c.size && a.refusal != nil {
			from = append(from, a.refusal)
		}
	}
	for i := r.since; i < len(r.log); i++ {
		f := r.log[i].refusal
		if f == nil || f.void || r.log[i].track != c.track || f.size > c.lo {
			continue
		}
		for _, other := range from {
			if f.from == other.from {
				f.void = true
				lied = lied || !f.verified
			}
		}
	}
	if lied {
		r.res.Forged++
		return
	}
	r.raised = true
}

// steady checks a path that lets the largest size through but has lost others.
// Its rules:
//  1. Pairs of the largest and the smallest size are sent, at least six.
//  2. If the large ones get lost no more often, except for one, it was loss.
//  3. If by eight more, some paths that the packets take in turn are smaller.
func (r *run) steady(t *table) burst {
	if t.lo < r.top || t.lo == r.small() || r.mixed[t.track] || !t.lossy() {
		return nil
	}
	big, small := r.pairLoss(t.track, t.lo), r.pairLoss(t.track, r.small())
	switch diff := big.silent - small.silent; {
	case diff >= 8:
		r.mixed[t.track] = true
		return nil
	case big.sent() >= 6 && (diff <= 1 || big.sent() >= 30):
		return nil
	}
	var b burst
	b.pairs(t.track, t.lo, r.small(), 6)
	return b
}

// lossy reports whether large packets that should have passed got lost.
func (t *table) lossy() bool {
	for i := range t.cells {
		if c := &t.cells[i]; i > 0 && c.silent > 0 {
			return true
		}
	}
	return false
}

func (t tally) sent() int { return t.arrived + t.refused + t.silent }

// pairLoss counts what became of a size.
func (r *run) pairLoss(t track, size int) tally {
	var n tally
	for i := r.since; i < len(r.log); i++ {
		if a := &r.log[i]; a.track == t && a.size == size {
			n.add(a)
		}
	}
	return n
}
