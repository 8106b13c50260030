package pmtu

import (
	"cmp"
	"slices"
	"time"
)

// plan returns the next burst. An empty one means to wait for what is open, nil
// that all is known that can be. Its rules:
//  1. The first burst is the ladder, see first. A path that has changed is
//     searched from the start.
//  2. Where nothing arrives at the destination, see mute.
//  3. What contradicts itself is settled before anything else, see conflict.
//  4. Then the sizes, the hops, the other method and the way back are asked, all
//     at once. What the path MTU depends on comes first, in case that there are
//     not enough packets for all.
//  5. Last come the questions whose answers decide nothing: whether a clear path
//     is steady, and the table of hops.
func (r *run) plan() burst {
	if r.budget() == 0 || !time.Now().Before(r.deadline) {
		return nil
	}
	r.judgeCheck()
	if !r.begun {
		return r.first()
	}
	r.slow()
	t := r.main()
	if t == nil {
		return r.orWait(r.postpone(r.mute()))
	}
	if b := r.conflict(); b != nil {
		return b
	}
	b := r.steps(t)
	if len(b) == 0 && r.worthPatience() {
		r.patient++
		b = r.steps(t)
	}
	if len(b) == 0 {
		b = r.steady(t)
	}
	if len(b) == 0 {
		b = r.hopTable(t)
	}
	return r.orWait(r.postpone(b))
}

// postpone leaves questions out that are repeated, or go to who limits its answers,
// while there are others, and spaces them, those of two tracks at a time. The pause is 100 ms, and twice as long each time, up to 1 s.
func (r *run) postpone(b burst) burst {
	for i := range b {
		b[i].again = max(b[i].again, r.starved(b[i].track))
	}
	fresh := slices.DeleteFunc(slices.Clone(b), func(a ask) bool { return a.again > 0 })
	if len(fresh) > 0 {
		return fresh
	}
	slices.SortStableFunc(b, func(x, y ask) int { return cmp.Compare(x.again, y.again) })
	var tracks []track
	n := 0
	for ; n < len(b); n++ {
		if t := b[n].track; !slices.Contains(tracks, t) {
			if len(tracks) == maxAgain {
				break
			}
			tracks = append(tracks, t)
		}
		r.pause = max(r.pause, min(50*time.Millisecond<<b[n].again, time.Second))
	}
	return b[:n]
}

// maxAgain is on how many tracks questions are repeated at once.
const maxAgain = 2

// steps asks for sizes and hops.
func (r *run) steps(t *table) burst {
	if r.mixed[t.track] {
		return nil
	}
	if r.opts.LadderOnly {
		return r.ladderOnly(t)
	}
	sizes := r.sizes(t)
	settled := r.settled(t)
	if r.lossy() && !settled && len(sizes) > 0 {
		return sizes
	}
	places, asks := r.locate(t)
	beside := r.beside(t, places)
	if r.lossy() && len(beside) > 0 {
		return beside
	}
	return slices.Concat(sizes, asks, beside, r.flows(t), r.wayBack(t))
}

// orWait replaces an empty burst by nil if nothing is open either.
func (r *run) orWait(b burst) burst {
	if len(b) > 0 {
		return b
	}
	for i := range r.log {
		if r.log[i].state == open {
			return burst{}
		}
	}
	return nil
}

// first is the first burst: the ladder by the first method, and by the second a
// size that always passes, for which no round waits. If the
// interface's MTU is not known, that is asked for before.
func (r *run) first() burst {
	var b burst
	t := track{method: r.methods[0]}
	if r.link == 0 && len(r.log) == 0 {
		b.add(t, r.top, r.small())
		return b
	}
	r.begun = true
	b.add(t, r.ladder(t)...)
	for _, m := range r.methods[1:] {
		b = append(b, ask{track: track{method: m}, size: r.small(), lazy: true})
	}
	return b
}

// main returns what is known of the track by which the destination answers; nil
// if it does not.
func (r *run) main() *table {
	for _, m := range r.methods {
		if t := r.table(track{method: m}); t.lo > 0 {
			return t
		}
	}
	return nil
}

// ladderOnly asks for nothing but proof of what the ladder has shown.
func (r *run) ladderOnly(t *table) burst {
	gaps := t.gaps()
	switch {
	case t.lo >= r.top:
		return nil
	case len(r.rungs(t)) > 0:
		return r.sizes(t)
	case len(gaps) == 0 || gaps[0].below != t.lo:
		return r.topAgain(t)
	case !r.proven(t, gaps[0].above):
		return r.prove(t, gaps[0].above)
	}
	return nil
}

// slow spaces the bursts when nothing answers. Its rule: after a burst without
// an answer 100 ms, doubled each time up to 1 s, the rate at which Linux limits
// its errors (icmp_ratelimit of icmp(7)); nothing after one with an answer.
func (r *run) slow() {
	silent := true
	for i := len(r.log) - 1; i >= 0 && r.log[i].round == r.round; i-- {
		if a := &r.log[i]; a.state == heard || a.state == open {
			silent = false
		}
	}
	switch {
	case !silent:
		r.pause = 0
	case r.pause == 0:
		r.pause = 100 * time.Millisecond
	default:
		r.pause = min(2*r.pause, time.Second)
	}
}
