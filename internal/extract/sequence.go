package extract

import (
	"math/bits"
	"slices"
)

// A sequence gives the payloads of a conversation their places: numbers that do
// not wrap. Sequence numbers have 16 bits, begin anywhere, and are counted by
// some systems in the byte order of an x86 (Windows XP, hping3).
//
// Up to earlySeqs different numbers the order in which they came does not
// matter: they are a set, and the largest hole in the circle of all numbers lies
// before the first. From then on the place of a number is the one nearest to
// the highest so far.
type sequence struct {
	settled bool
	swapped bool // counted in little-endian order
	highest int64
}

// earlySeqs is how many numbers are collected before their order is decided.
const earlySeqs = 1024

// place returns the place of a sequence number; before the order is settled,
// that is the number itself.
func (s *sequence) place(seq uint16) int64 {
	if !s.settled {
		return int64(seq)
	}
	at := s.read(seq)
	p := s.highest + int64(int16(at-uint16(s.highest)))
	s.highest = max(s.highest, p)
	return p
}

// read returns a number as its sender counts.
func (s *sequence) read(seq uint16) uint16 {
	if s.swapped {
		return bits.ReverseBytes16(seq)
	}
	return seq
}

// seq returns the sequence number of a place, as it stands in the packet.
func (s *sequence) seq(place int64) uint16 { return s.read(uint16(place)) }

// settle decides the order of the numbers that came so far, and returns the
// index in it. The byte order is the one that leaves fewer numbers out.
func (s *sequence) settle(x index) index {
	if s.settled || len(x) == 0 {
		return x
	}
	s.settled = true
	pieces := make([]extent, 0, len(x))
	for _, e := range x {
		for n := range int64(e.count) {
			pieces = append(pieces, extent{first: e.first + n, count: 1, size: e.size, off: e.off + n*int64(e.size)})
		}
	}
	start, span := circle(pieces)
	swapped := slices.Clone(pieces)
	for i := range swapped {
		swapped[i].first = int64(bits.ReverseBytes16(uint16(swapped[i].first)))
	}
	slices.SortFunc(swapped, byPlace)
	if from, n := circle(swapped); n < span {
		s.swapped, start, pieces = true, from, swapped
	}
	var ordered index
	for i := range pieces {
		p := pieces[(start+i)%len(pieces)]
		if p.first < pieces[start].first {
			p.first += 1 << 16
		}
		ordered.add(p.first, int(p.size), p.off)
	}
	s.highest = ordered[len(ordered)-1].end() - 1
	return ordered
}

func byPlace(a, b extent) int { return int(a.first - b.first) }

// circle returns which of sorted numbers follows the largest hole in the circle
// of all, and how many numbers the others span.
func circle(sorted []extent) (start int, span int64) {
	hole := int64(0)
	for i := range sorted {
		before := sorted[(i+len(sorted)-1)%len(sorted)].first
		gap := (sorted[i].first - before) & 0xffff
		if len(sorted) == 1 {
			gap = 1 << 16
		}
		if gap > hole {
			start, hole = i, gap
		}
	}
	return start, 1<<16 - hole
}
