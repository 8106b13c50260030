package probe

import (
	"math"
	"time"

	"github.com/icmpx/icmpx/internal/quantile"
)

// An rttStats describes a series of round-trip times, one at a time, in
// constant memory. The zero rttStats is empty.
type rttStats struct {
	count      int
	least, top time.Duration
	last       time.Duration
	mean, m2   float64 // Welford: mean and sum of squared deviations, in ns and ns^2
	ewma8      int64   // eight times the moving average
	jitter     float64
	sketch     quantile.Sketch
}

// add takes the next round-trip time, in the order in which the replies came;
// a negative one counts as 0. It allocates at most once per power of two that
// the series spans.
func (s *rttStats) add(rtt time.Duration) {
	rtt = max(rtt, 0)
	s.count++
	if s.count == 1 {
		s.least, s.top, s.last = rtt, rtt, rtt
		s.ewma8 = 8 * int64(rtt)
	}
	s.least, s.top = min(s.least, rtt), max(s.top, rtt)

	off := float64(rtt) - s.mean
	s.mean += off / float64(s.count)
	s.m2 += off * (float64(rtt) - s.mean)

	s.ewma8 += int64(rtt) - s.ewma8/8
	s.jitter += (math.Abs(float64(rtt-s.last)) - s.jitter) / 16
	s.last = rtt
	s.sketch.Add(uint64(rtt))
}

// n returns how many were added.
func (s *rttStats) n() int { return s.count }

// max returns the largest one.
func (s *rttStats) max() time.Duration { return s.top }

// summary describes the series so far. Quantiles are exact up to 64 replies,
// and off by less than 1 % beyond.
func (s *rttStats) summary() Summary {
	if s.count == 0 {
		return Summary{}
	}
	q := func(permille uint64) time.Duration {
		return min(max(time.Duration(s.sketch.At(permille)), s.least), s.top)
	}
	return Summary{
		N:      s.count,
		Min:    s.least,
		Avg:    min(max(nanoseconds(s.mean), s.least), s.top),
		Max:    s.top,
		Mdev:   nanoseconds(math.Sqrt(max(s.m2, 0) / float64(s.count))),
		P50:    q(500),
		P90:    q(900),
		P95:    q(950),
		P99:    q(990),
		EWMA:   time.Duration(s.ewma8 / 8),
		Jitter: nanoseconds(s.jitter),
	}
}

func nanoseconds(f float64) time.Duration { return time.Duration(math.Round(f)) }
