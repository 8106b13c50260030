package compare

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Clock is what the captures say about the clock of the second against that
// of the first. A packet on its way takes no less than no time: what has gone
// from A to B bounds the offset from above, what came back from below.
type Clock struct {
	// Known: packets went both ways, so that Offset and the delays of each way
	// mean something. If not, delays are what they exceed the smallest by.
	Known bool

	// Offset is B minus A at Ref, by the clock of B, under the assumption that the
	// fastest packets took as long one way as the other. Whatever they took, it
	// is not further than Bound away, except for what the drift is uncertain by.
	// Without Known it is what makes the smallest delay nothing.
	Offset, Bound time.Duration
	Ref           time.Time

	// Drift is how much faster the clock of B runs, in parts per million. It is
	// 0, and not DriftKnown, where it cannot be told from varying delay.
	Drift      float64
	DriftBound float64 // about how far the truth may be away
	DriftKnown bool

	// Unsteady: no straight line fits. A clock was set, or changed its rate.
	Unsteady bool

	ref int64
}

// offset returns B minus A at a time by the clock of B, in nanoseconds.
func (c *Clock) offset(b int64) int64 {
	return int64(c.Offset) + int64(math.Round(float64(b-c.ref)*c.Drift*1e-6))
}

// A point is a packet that was seen at both points: when, by the clock of B,
// and how much more that was than by the clock of A. Both are in nanoseconds,
// from some origin.
type point struct{ t, x float64 }

// maxDrift is the largest drift that is looked for: a crystal has a tenth of it, a
// clock that is steered to another half.
const maxDrift = 1000e-6

// segments is into how many parts a capture is cut to see how well the fastest
// packets of each agree.
const segments = 8

// fit finds the line that the clocks keep, from packets that went from A to B
// and back. Points are in order of time.
func fit(ab, ba []point) (c line) {
	switch {
	case len(ab) == 0 && len(ba) == 0:
		return line{}
	case len(ba) == 0:
		return line{high: lowest(ab, 0), low: math.Inf(-1)}
	case len(ab) == 0:
		return line{low: -lowest(negated(ba), 0), high: math.Inf(1)}
	}
	up := negated(ba)
	slope := bestSlope(ab, up)
	noise, ok := disagreement(ab, up, slope)
	flat := lowest(ab, 0) + lowest(up, 0) // minus the sum of the smallest delays, if there is no drift
	if flat < 0 || ok && math.Abs(slope) > 2*noise {
		return line{slope: slope, sure: ok, noise: noise, high: lowest(ab, slope), low: -lowest(up, -slope), both: true}
	}
	return line{high: lowest(ab, 0), low: -lowest(up, 0), noise: noise, both: true}
}

// A line is between low + slope t and high + slope t.
type line struct {
	slope, noise float64
	low, high    float64
	sure, both   bool
}

// negated turns packets from B to A into such as if from A to B.
func negated(list []point) []point {
	up := make([]point, len(list))
	for i, p := range list {
		up[i] = point{p.t, -p.x}
	}
	return up
}

// lowest returns the height at 0 of the highest line of that slope below all
// points.
func lowest(list []point, slope float64) float64 {
	low := math.Inf(1)
	for _, p := range list {
		low = min(low, p.x-slope*p.t)
	}
	return low
}

// bestSlope returns the slope of the two parallel lines, one below the points
// from A to B, one above those back, that come closest to all points on average:
// the linear program of Moon, Skelly and Towsley (INFOCOM 1999), for two
// directions at once. Only the corners of the convex hulls matter.
func bestSlope(ab, up []point) float64 {
	hullAB, hullUp := lowerHull(ab), lowerHull(up)
	tAB, tUp := meanTime(ab), meanTime(up)
	far := func(b float64) float64 {
		return -b*tAB - lowest(hullAB, b) + b*tUp - lowest(hullUp, -b)
	}
	low, high := -maxDrift, maxDrift
	for range 200 { // by a third each: to the last bit
		a, b := low+(high-low)/3, high-(high-low)/3
		if far(a) <= far(b) {
			high = b
		} else {
			low = a
		}
	}
	return (low + high) / 2
}

func meanTime(list []point) float64 {
	sum := 0.0
	for _, p := range list {
		sum += p.t
	}
	return sum / float64(len(list))
}

// lowerHull returns the corners of the lower convex hull, by Andrew's monotone
// chain. Points are in order of time.
func lowerHull(list []point) []point {
	var hull []point
	for _, p := range list {
		for len(hull) >= 2 {
			a, b := hull[len(hull)-2], hull[len(hull)-1]
			if (b.t-a.t)*(p.x-a.x)-(b.x-a.x)*(p.t-a.t) > 0 {
				break
			}
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, p)
	}
	return hull
}

// disagreement returns how far the slope may be wrong. The capture is cut into
// parts, and in each the smallest delays of both ways are added: their sum does
// not depend on the offset of the clocks. What it exceeds the least of these
// sums by, that part's fastest packets were slower, and its middle is as
// uncertain. False: there are too few parts with packets both ways.
func disagreement(ab, up []point, slope float64) (float64, bool) {
	first := min(ab[0].t, up[0].t)
	span := max(ab[len(ab)-1].t, up[len(up)-1].t) - first
	if span <= 0 {
		return 0, false
	}
	a, b := lowestParts(ab, first, span, slope), lowestParts(up, first, span, -slope)
	least, sum, n := math.Inf(1), 0.0, 0
	for i := range segments {
		if s := a[i] + b[i]; !math.IsInf(s, 1) {
			least = min(least, s)
			sum += s
			n++
		}
	}
	if n < 3 {
		return 0, false
	}
	return (sum/float64(n) - least) / span, true
}

// lowestParts is lowest of each part of the capture.
func lowestParts(list []point, first, span, slope float64) (low [segments]float64) {
	for i := range low {
		low[i] = math.Inf(1)
	}
	for _, p := range list {
		i := min(int((p.t-first)/span*segments), segments-1)
		low[i] = min(low[i], p.x-slope*p.t)
	}
	return low
}

// newClock makes a Clock of the packets that went either way. Their times are
// turned to small numbers first, which floating point keeps to the nanosecond.
func newClock(ab, ba []passage) Clock {
	all := slices.Concat(ab, ba)
	if len(all) == 0 {
		return Clock{}
	}
	slices.SortFunc(all, func(a, b passage) int { return cmp.Compare(a.b, b.b) })
	ref := all[0].b + (all[len(all)-1].b-all[0].b)/2
	base := all[0].b - all[0].a
	l := fit(points(ab, ref, base), points(ba, ref, base))
	c := Clock{Known: l.both, ref: ref, Ref: time.Unix(0, ref).UTC()}
	c.Drift, c.DriftBound, c.DriftKnown = l.slope*1e6, l.noise*1e6, l.sure
	switch {
	case l.both:
		c.Offset = time.Duration(base + int64(math.Round((l.low+l.high)/2)))
		c.Bound = time.Duration(math.Round(math.Abs(l.high-l.low) / 2))
		c.Unsteady = l.high < l.low-unsteady
	case math.IsInf(l.low, -1):
		c.Offset = time.Duration(base + int64(l.high))
	default:
		c.Offset = time.Duration(base + int64(l.low))
	}
	return c
}

// unsteady is by how many nanoseconds packets may seem to arrive before they
// were sent, until the clocks are said not to keep a straight line: times in
// captures may be in microseconds.
const unsteady = 5000

// A passage is when one packet was seen at either point, each by its own clock.
type passage struct{ a, b int64 }

func points(list []passage, ref, base int64) []point {
	out := make([]point, len(list))
	for i, p := range list {
		out[i] = point{float64(p.b - ref), float64(p.b - p.a - base)}
	}
	slices.SortFunc(out, func(p, q point) int { return cmp.Compare(p.t, q.t) })
	return out
}
