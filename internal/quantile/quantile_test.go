package quantile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBuckets(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 129, 130, 255, 256, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		o, i := bucketOf(v)
		if at := o<<octaveBits + i; at < last || o > maxOctave {
			t.Errorf("bucket of %d: %d, %d", v, o, i)
		} else {
			last = at
		}
		m := middle(o, i)
		if mo, mi := bucketOf(m); mo != o || mi != i {
			t.Errorf("the middle of the bucket of %d is %d, in another", v, m)
		}
		if off := math.Abs(float64(m) - float64(v)); off > 0.01*float64(v) {
			t.Errorf("bucket of %d stands for %d", v, m)
		}
	}
}

// TestAt compares with the nearest rank in the sorted series.
func TestAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, exactSamples, exactSamples + 1, 10_000} {
		var s Sketch
		var all []uint64
		for range n {
			v := rng.Uint64() >> rng.IntN(64)
			s.Add(v)
			all = append(all, v)
		}
		slices.Sort(all)
		for _, permille := range []uint64{0, 1, 500, 990, 1000} {
			want := uint64(0)
			if n > 0 {
				want = all[max((uint64(n)*permille+999)/1000, 1)-1]
			}
			got := s.At(permille)
			off := math.Abs(float64(got) - float64(want))
			if n <= exactSamples && got != want || off > 0.01*float64(want) {
				t.Errorf("%d samples: %d permille is %d, want %d", n, permille, got, want)
			}
		}
	}
}
