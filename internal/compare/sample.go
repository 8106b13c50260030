package compare

import (
	"cmp"
	"slices"
)

// A sampler keeps those packets of a capture whose key is divisible by a power of
// two, which grows with the capture. Another capture's sampler keeps the same
// packets, if it saw them.
type sampler struct {
	level uint // bits of a key that must be 0
	kept  map[uint64]sample
}

// A sample is a packet, and how often its key came.
type sample struct {
	mark  Mark
	times int
}

func (s *sampler) add(k kind, m *Mark) {
	key := m.keys[k]
	if !s.wants(key) {
		return
	}
	old, ok := s.kept[key]
	if ok {
		old.times++
		s.kept[key] = old
		return
	}
	if s.kept == nil {
		s.kept = map[uint64]sample{}
	}
	s.kept[key] = sample{mark: *m, times: 1}
	for len(s.kept) > maxSamples {
		s.raise(s.level + 1)
	}
}

func (s *sampler) wants(key uint64) bool { return key&(1<<s.level-1) == 0 }

// raise drops what a higher level does not want.
func (s *sampler) raise(level uint) {
	s.level = level
	for key := range s.kept {
		if !s.wants(key) {
			delete(s.kept, key)
		}
	}
}

// A samples is the samplers of a capture, one of each kind.
type samples [kinds]sampler

func (s *samples) add(m *Mark) {
	for k := range s {
		s[k].add(kind(k), m)
	}
}

// A pair is a packet that is in both samples.
type pair struct {
	a, b *Mark
	x    int64 // time at B less time at A, each by its own clock
}

// pairs returns the packets that both samples have, in order of time at B, as
// far as their times fit one offset of the clocks within the window.
func pairs(a, b *samples, window int64) []pair {
	var list []pair
	seenA, seenB := map[int]bool{}, map[int]bool{}
	for k := range kinds {
		found := common(&a[k], &b[k], k)
		for _, p := range found {
			if !seenA[p.a.Frame] && !seenB[p.b.Frame] {
				list = append(list, p)
			}
		}
		for _, p := range found {
			seenA[p.a.Frame], seenB[p.b.Frame] = true, true
		}
	}
	list = densest(list, window)
	slices.SortFunc(list, func(p, q pair) int {
		return cmp.Or(cmp.Compare(p.b.at, q.b.at), cmp.Compare(p.b.Frame, q.b.Frame))
	})
	return list
}

// common returns what both samplers of a kind kept, once. A key that came more
// than once says nothing, unless nothing else is there.
func common(a, b *sampler, k kind) []pair {
	level := max(a.level, b.level)
	a.raise(level)
	b.raise(level)
	var once, more []pair
	for key, sa := range a.kept {
		sb, ok := b.kept[key]
		if !ok || !sa.mark.mayBe(&sb.mark, k) {
			continue
		}
		p := pair{&sa.mark, &sb.mark, sb.mark.at - sa.mark.at}
		if sa.times == 1 && sb.times == 1 {
			once = append(once, p)
		} else {
			more = append(more, p)
		}
	}
	if len(once) == 0 {
		once = more
	}
	slices.SortFunc(once, func(p, q pair) int { return cmp.Compare(p.b.Frame, q.b.Frame) })
	return once
}

// densest returns the pairs whose x is within the window that holds most of
// them.
func densest(list []pair, window int64) []pair {
	slices.SortStableFunc(list, func(p, q pair) int { return cmp.Compare(p.x, q.x) })
	best, start := 0, 0
	for i, j := 0, 0; j < len(list); j++ {
		for list[j].x-list[i].x > 2*window {
			i++
		}
		if j+1-i > best {
			best, start = j+1-i, i
		}
	}
	return list[start : start+best]
}
