package compare

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// within fails if two times are further apart than allowed.
func within(t *testing.T, what string, got, want, allowed time.Duration) {
	t.Helper()
	if d := got - want; d > allowed || -d > allowed {
		t.Errorf("%s: got %v, want %v ± %v", what, got, want, allowed)
	}
}

// TestPath holds what is found against what was done, over seeds: losses,
// duplicates and overtaken packets exactly, the offset within the bound that the
// result gives and, as the delays are symmetric, close to the truth.
func TestPath(t *testing.T) {
	offsets := []time.Duration{0, 3*time.Hour + 123456789, -26 * time.Hour, 1500 * time.Microsecond}
	drifts := []float64{0, 50e-6, -200e-6}
	for seed := range uint64(96) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPath(seed)
			p.v6 = seed%2 == 1
			p.nat = seed/2%2 == 1 && !p.v6
			p.offset, p.drift = offsets[seed%4], drifts[seed%3]
			if seed/4%2 == 1 {
				p.there.jitter, p.back.jitter = 800*time.Microsecond, 800*time.Microsecond
			}
			p.there.loss, p.back.loss = 0.1, 0.05
			p.there.twice, p.back.twice = 0.05, 0.02
			p.there.late, p.silent, p.behind = 0.04, 0.03, 2*time.Millisecond
			p.pings(400, 20*time.Millisecond)
			r := p.run(t, Options{})
			if !r.Related || !r.Clock.Known || r.Clock.Unsteady {
				t.Fatalf("got %+v", r)
			}
			checkCounts(t, p, r)
			at := r.Clock.Ref.Add(-p.offset)
			truth := p.atB(at).Sub(at)
			within(t, "offset", r.Clock.Offset, truth, r.Clock.Bound)
			within(t, "offset", r.Clock.Offset, truth, p.there.jitter/20+2*time.Microsecond)
			within(t, "bound", r.Clock.Bound, 5*time.Millisecond, p.there.jitter/20+2*time.Microsecond)
			if p.drift != 0 || r.Clock.DriftKnown {
				if math.Abs(r.Clock.Drift-p.drift*1e6) > 3+2*r.Clock.DriftBound {
					t.Errorf("drift: got %v ± %v ppm, want %v", r.Clock.Drift, r.Clock.DriftBound, p.drift*1e6)
				}
			}
			slack := p.there.jitter/10 + 5*time.Microsecond
			within(t, "min", r.AB.Delay.Min, p.there.delay, slack)
			within(t, "min back", r.BA.Delay.Min, p.back.delay, slack)
			within(t, "median back", r.BA.Delay.P50, p.back.delay+p.back.jitter/2, slack+p.back.jitter/10+p.back.delay/100)
			if r.AB.MinHops != 2 || r.AB.MaxHops != 2 || r.BA.MinHops != 2 {
				t.Errorf("got hops %+v, %+v", r.AB, r.BA)
			}
		})
	}
}

func checkCounts(t *testing.T, p *path, r *Result) {
	t.Helper()
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"lost there", int(r.AB.Lost), p.lostThere}, {"lost back", int(r.BA.Lost), p.lostBack},
		{"twice there", int(r.AB.Duplicated), p.twiceThere}, {"twice back", int(r.BA.Duplicated), p.twiceBack},
		{"reordered there", int(r.AB.Reordered), p.reordered()}, {"reordered back", int(r.BA.Reordered), 0},
		{"matched there", int(r.AB.Matched), 402 - p.lostThere},
		{"matched back", int(r.BA.Matched), 402 - p.lostThere - p.unanswered - p.lostBack},
		{"unanswered behind B", int(r.Points[1].AB.Requests - r.Points[1].AB.Answered), p.unanswered},
		{"unanswered at A", int(r.Points[0].AB.Requests - r.Points[0].AB.Answered), p.unanswered + p.lostThere + p.lostBack},
		{"seen nowhere else", int(r.AB.Unseen + r.BA.Unseen + r.Points[0].Elsewhere + r.Points[1].Elsewhere + r.Unsettled), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.what, c.got, c.want)
		}
	}
	if p.nat == (r.Changed == 0) {
		t.Errorf("%d packets changed", r.Changed)
	}
}
