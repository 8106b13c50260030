// Package quantile estimates quantiles of a long series in constant memory.
package quantile

import (
	"math/bits"
	"slices"
)

// exactSamples is up to how many samples quantiles are exact.
const exactSamples = 64

// A Sketch estimates quantiles of a series of numbers. It keeps the first
// samples as they are, and all of them in a histogram once there are more: 64
// buckets of equal width for each power of two (the scheme of the HDR
// histogram), so that the middle of a bucket is less than 1 % away from what
// fell into it. An octave is allocated when the first sample falls into it: a
// usual series of round-trip times takes 2 KiB. The zero Sketch is empty.
type Sketch struct {
	n       uint64
	exact   [exactSamples]uint64
	octaves [maxOctave + 1]*octave
}

// An octave counts the samples of [2^k, 2^(k+1)), or those below 64.
type octave [1 << octaveBits]uint64

const (
	octaveBits = 6
	maxOctave  = 64 - octaveBits
)

// Add takes the next number.
func (q *Sketch) Add(v uint64) {
	if q.n < exactSamples {
		q.exact[q.n] = v
		q.n++
		return
	}
	if q.n == exactSamples {
		for _, early := range q.exact {
			q.put(early)
		}
	}
	q.put(v)
	q.n++
}

func (q *Sketch) put(v uint64) {
	o, i := bucketOf(v)
	if q.octaves[o] == nil {
		q.octaves[o] = new(octave)
	}
	q.octaves[o][i]++
}

// bucketOf returns the octave of v and its place there. Octave 0 holds the
// numbers below 64, each in a bucket of its own; in octave k a bucket is
// 2^(k-1) wide.
func bucketOf(v uint64) (oct, place int) {
	oct = max(bits.Len64(v)-octaveBits, 0)
	if oct == 0 {
		return 0, int(v)
	}
	return oct, int(v>>(oct-1)) & (1<<octaveBits - 1)
}

// middle returns the number in the middle of a bucket.
func middle(oct, place int) uint64 {
	if oct == 0 {
		return uint64(place)
	}
	low := uint64(1<<octaveBits+place) << (oct - 1)
	return low + (uint64(1)<<(oct-1)-1)/2
}

// At returns the smallest sample that is not below the given share, in
// thousandths, of the samples (the nearest-rank quantile); 0 if there are none.
func (q *Sketch) At(permille uint64) uint64 {
	if q.n == 0 {
		return 0
	}
	rank := max((q.n*permille+999)/1000, 1)
	if q.n <= exactSamples {
		sorted := q.exact
		slices.Sort(sorted[:q.n])
		return sorted[rank-1]
	}
	for o, counts := range q.octaves {
		if counts == nil {
			continue
		}
		for i, c := range counts {
			if rank <= c {
				return middle(o, i)
			}
			rank -= c
		}
	}
	return 0
}
