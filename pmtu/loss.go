package pmtu

import "math"

// doubt is the probability up to which silence may still be loss.
const doubt = 1e-7

// leastSilent is how many silent probes prove anything at all.
const leastSilent = 3

// spare is how many silent probes are asked for on top of what is needed.
const spare = 1

// needed returns how many silent probes prove that a size does not pass, with as
// many answered controls among them. Its rules:
//  1. Where no control was lost it takes 3.
//  2. Else it takes the least n with p^n < 1e-7, where p is the upper bound of
//     the share of controls that get lost.
func needed(controls, lost int) int {
	if lost == 0 {
		return leastSilent
	}
	p := upperShare(lost, controls)
	return max(leastSilent, int(math.Floor(math.Log(doubt)/math.Log(p)))+1)
}

// upperShare is the upper end of the Wilson interval of a share, at two standard
// deviations, kept below 1.
func upperShare(part, whole int) float64 {
	const z = 2
	n := float64(whole)
	share := float64(part) / n
	center := share + z*z/(2*n)
	spread := z * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return min((center+spread)/(1+z*z/n), 0.95)
}

// needed counts the controls of the run and returns how many silent probes it
// takes. Its rules:
//  1. A control is every probe that is known to pass: one no larger than what
//     has arrived, and at a hop one to a hop that has answered such a probe.
//  2. A probe that a router refused is one too: it came back. Others of its size
//     that did not say nothing: routers too limit their answers.
//  3. One that is silent and has none behind it in its burst that is answered is
//     left out. That is how a limit on answers looks, which takes patience, see
//     starved; not more probes.
func (r *run) needed() int {
	if r.known.needed == 0 {
		r.known.needed = needed(r.countControls())
	}
	return r.known.needed
}

func (r *run) countControls() (controls, lost int) {
	for _, t := range r.tracks() {
		tab := r.table(t)
		lo := tab.lo
		if t.ttl != 0 {
			lo = max(lo, min(r.table(t.at(0)).lo, r.small()))
		}
		for i := range tab.cells {
			c := &tab.cells[i]
			answered := c.arrived + len(c.refused)
			controls += answered
			if c.size > lo || tab.lo == 0 {
				continue
			}
			lost += c.silent
			controls += c.silent
		}
	}
	return controls, lost
}

// lossy reports whether packets got lost, so that proof takes more of them.
func (r *run) lossy() bool { return r.needed() > leastSilent }

// tracks returns the tracks that were asked on since the path last changed.
func (r *run) tracks() []track {
	var list []track
	seen := make(map[track]bool, 8)
	for i := r.since; i < len(r.log); i++ {
		if t := r.log[i].track; !seen[t] {
			seen[t] = true
			list = append(list, t)
		}
	}
	return list
}
