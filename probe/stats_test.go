package probe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestRTTStats(t *testing.T) {
	tests := []struct {
		name string
		rtts []time.Duration
		want Summary
	}{
		{"none", nil, Summary{}},
		{"one", []time.Duration{10 * ms}, Summary{
			N: 1, Min: 10 * ms, Avg: 10 * ms, Max: 10 * ms,
			P50: 10 * ms, P90: 10 * ms, P95: 10 * ms, P99: 10 * ms, EWMA: 10 * ms,
		}},
		{"negative", []time.Duration{-ms}, Summary{N: 1}},
		// Jitter: (8-0)/16 = 0.5, then 0.5+(8-0.5)/16 = 0.96875.
		// EWMA: 8*2 = 16; 16+10-2 = 24, so 3; 24+2-3 = 23, so 2.875.
		{"three", []time.Duration{2 * ms, 10 * ms, 2 * ms}, Summary{
			N: 3, Min: 2 * ms, Avg: 4666667, Max: 10 * ms, Mdev: 3771236,
			P50: 2 * ms, P90: 10 * ms, P95: 10 * ms, P99: 10 * ms,
			EWMA: 2875 * time.Microsecond, Jitter: 968750,
		}},
		{"steady", slices.Repeat([]time.Duration{123456789}, 1000), Summary{
			N: 1000, Min: 123456789, Avg: 123456789, Max: 123456789,
			P50: 123456789, P90: 123456789, P95: 123456789, P99: 123456789, EWMA: 123456789,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s rttStats
			for _, rtt := range tt.rtts {
				s.add(rtt)
			}
			if got := s.summary(); got != tt.want {
				t.Errorf("summary\n got %+v\nwant %+v", got, tt.want)
			}
			if s.n() != tt.want.N || s.max() != tt.want.Max {
				t.Errorf("n %d, max %v", s.n(), s.max())
			}
		})
	}
}

// Welford keeps a small deviation around a large mean, where the difference of
// two sums of squares would be lost.
func TestRTTStatsLargeMean(t *testing.T) {
	var s rttStats
	for i := range 1_000_000 {
		s.add(time.Hour + time.Duration(i%2*2))
	}
	got := s.summary()
	if got.Avg != time.Hour+1 || got.Mdev != 1 {
		t.Errorf("avg %d, mdev %d; want an hour + 1, and 1", got.Avg, got.Mdev)
	}
}

// rank is the nearest-rank quantile.
func rank(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	series := map[string]func() time.Duration{
		"uniform":     func() time.Duration { return time.Duration(rng.Int64N(int64(time.Second))) },
		"exponential": func() time.Duration { return time.Duration(rng.ExpFloat64() * float64(20*ms)) },
		"tiny":        func() time.Duration { return time.Duration(rng.Int64N(200)) },
		"all octaves": func() time.Duration { return time.Duration(rng.Uint64() >> (1 + rng.IntN(63))) },
		"two peaks":   func() time.Duration { return time.Duration(1+rng.IntN(2)*999) * ms },
	}
	for name, next := range series {
		for _, n := range []int{1, 2, 10, 63, 64, 65, 100, 100_000} {
			var s rttStats
			var all []time.Duration
			for range n {
				v := next()
				s.add(v)
				all = append(all, v)
			}
			slices.Sort(all)
			got := s.summary()
			for q, v := range map[float64]time.Duration{0.5: got.P50, 0.9: got.P90, 0.95: got.P95, 0.99: got.P99} {
				want := rank(all, q)
				off := math.Abs(float64(v - want))
				if n <= 64 && off != 0 || off > 0.01*float64(want) {
					t.Errorf("%s, %d samples: quantile %v is %d, want %d", name, n, q, v, want)
				}
			}
		}
	}
}

func TestRTTStatsAllocations(t *testing.T) {
	var s rttStats
	for i := range 128 {
		s.add(time.Duration(i) * ms)
	}
	if n := testing.AllocsPerRun(100, func() { s.add(50 * ms); s.summary() }); n != 0 {
		t.Errorf("add and summary allocate %v times", n)
	}
}

func TestLossRuns(t *testing.T) {
	tests := []struct {
		name          string
		fates         string // by probe, from 1: '.' answered, 'x' lost, '?' never decided
		longest, runs int
	}{
		{"none", "", 0, 0},
		{"all answered", "....", 0, 0},
		{"all lost", "xxxx", 4, 1},
		{"two runs", ".xx.xxx.", 3, 2},
		{"at both ends", "x..xx", 2, 2},
		{"undecided in between", "xx?xxx", 3, 2},
		{"undecided first", "?xx.", 2, 1},
		{"long", string(slices.Repeat([]byte("xxxx.xx."), 500)), 4, 1000},
	}
	orders := map[string]func(n int) []int{
		"in order": func(n int) []int { return seq(n) },
		"reversed": func(n int) []int { s := seq(n); slices.Reverse(s); return s },
		"shuffled": func(n int) []int { return rand.New(rand.NewPCG(5, 6)).Perm(n) },
	}
	for _, tt := range tests {
		for order, of := range orders {
			var l lossRuns
			for _, i := range of(len(tt.fates)) {
				if f := tt.fates[i]; f != '?' {
					l.add(uint64(i+1), f == '.')
				}
			}
			if l.longest() != tt.longest || l.runs() != tt.runs {
				t.Errorf("%s, %s: longest %d, runs %d; want %d, %d", tt.name, order, l.longest(), l.runs(), tt.longest, tt.runs)
			}
		}
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestLossRunsFirstFateCounts(t *testing.T) {
	var l lossRuns
	l.add(2, false)
	l.add(2, true)
	l.add(1, false)
	l.add(1, true)
	if l.longest() != 2 {
		t.Errorf("longest %d, want 2", l.longest())
	}
}

func TestLossRunsIsBounded(t *testing.T) {
	var l lossRuns
	const n = 3 * maxUndecided // the first is never decided
	for i := uint64(2); i <= n; i++ {
		l.add(i, false)
	}
	if l.longest() != n-1 || len(l.ahead) > maxUndecided {
		t.Errorf("longest %d in %d places, want %d in at most %d", l.longest(), len(l.ahead), n-1, maxUndecided)
	}
}

func BenchmarkRTTStats(b *testing.B) {
	var s rttStats
	b.ReportAllocs()
	for i := range b.N {
		s.add(time.Duration(i%1000) * 10 * time.Microsecond)
	}
}
