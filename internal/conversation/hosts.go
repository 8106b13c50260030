package conversation

import (
	"hash/maphash"
	"math"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A tally counts what passed between two hosts.
type tally struct {
	packets, bytes                       uint64
	requests, replies, unanswered, error uint64
	duplicates, unasked                  uint64
	rtts                                 spread
}

func (t *tally) fold(o *tally) {
	t.packets += o.packets
	t.bytes += o.bytes
	t.requests += o.requests
	t.replies += o.replies
	t.unanswered += o.unanswered
	t.error += o.error
	t.duplicates += o.duplicates
	t.unasked += o.unasked
	t.rtts.fold(&o.rtts)
}

// A spread describes a series of times in constant memory (Welford).
type spread struct {
	n          uint64
	least, top time.Duration
	mean, m2   float64
}

func (s *spread) add(d time.Duration) {
	s.n++
	if s.n == 1 {
		s.least, s.top = d, d
	}
	s.least, s.top = min(s.least, d), max(s.top, d)
	off := float64(d) - s.mean
	s.mean += off / float64(s.n)
	s.m2 += off * (float64(d) - s.mean)
}

// fold adds another series (Chan, Golub, LeVeque).
func (s *spread) fold(o *spread) {
	switch {
	case o.n == 0:
		return
	case s.n == 0:
		*s = *o
		return
	}
	s.least, s.top = min(s.least, o.least), max(s.top, o.top)
	n, m := float64(s.n), float64(o.n)
	off := o.mean - s.mean
	s.mean += off * m / (n + m)
	s.m2 += o.m2 + off*off*n*m/(n+m)
	s.n += o.n
}

func (s *spread) summary() RTT {
	if s.n == 0 {
		return RTT{}
	}
	return RTT{
		N: s.n, Min: s.least, Max: s.top,
		Avg:  min(max(time.Duration(math.Round(s.mean)), s.least), s.top),
		Mdev: time.Duration(math.Round(math.Sqrt(max(s.m2, 0) / float64(s.n)))),
	}
}

// A hosts counts by pair of hosts, for a bounded number of pairs. When a pair
// comes for which there is no room, the lightest one makes room and is folded
// into others; the new one inherits its weight (Metwally, Agrawal, El Abbadi:
// space saving), so that a pair that sends more than its share of all packets
// stays, however many others pass by.
type hosts struct {
	seed   maphash.Seed
	heads  []int32
	pairs  []pair
	last   int32   // found last, from 1: mostly the next, too
	heap   []int32 // numbers of pairs, the lightest first
	most   int
	others tally
	folded uint64
}

type pair struct {
	ends
	tally
	weight uint64
	chain  int32 // next of the same hash, from 1; 0 is none
	at     int32 // in the heap
}

func newHosts(most int) *hosts {
	heads := 1
	for heads < most {
		heads *= 2
	}
	return &hosts{seed: maphash.MakeSeed(), heads: make([]int32, heads), most: most}
}

func (h *hosts) head(k *ends) *int32 {
	return &h.heads[maphash.Comparable(h.seed, *k)&uint64(len(h.heads)-1)]
}

func (h *hosts) find(k *ends) *pair {
	if h.last != 0 && h.pairs[h.last-1].ends == *k {
		return &h.pairs[h.last-1]
	}
	for i := *h.head(k); i != 0; i = h.pairs[i-1].chain {
		if p := &h.pairs[i-1]; p.ends == *k {
			h.last = i
			return p
		}
	}
	return nil
}

// count counts a packet between two hosts, and returns their tally.
func (h *hosts) count(k *ends, bytes int) *tally {
	p := h.find(k)
	if p == nil {
		p = h.enter(k)
	}
	p.packets++
	p.bytes += uint64(bytes)
	p.weight++
	h.sink(p.at)
	return &p.tally
}

// tally returns the tally of two hosts that sent something before; it may have
// been folded by now.
func (h *hosts) tally(f icmpx.Family, asker, asked [16]byte) *tally {
	if p := h.find(&ends{asker: asker, asked: asked, family: f}); p != nil {
		return &p.tally
	}
	return &h.others
}

func (h *hosts) enter(k *ends) *pair {
	var i int32
	var weight uint64
	if len(h.pairs) < h.most {
		h.pairs = append(h.pairs, pair{})
		i = int32(len(h.pairs))
		h.heap = append(h.heap, i)
		h.pairs[i-1].at = int32(len(h.heap) - 1)
		h.rise(h.pairs[i-1].at)
	} else {
		i = h.heap[0]
		weight = h.drop(i)
	}
	p := &h.pairs[i-1]
	head := h.head(k)
	*p = pair{ends: *k, weight: weight, chain: *head, at: p.at}
	*head = i
	return p
}

// drop folds a pair into the others, and returns its weight.
func (h *hosts) drop(i int32) uint64 {
	p := &h.pairs[i-1]
	h.others.fold(&p.tally)
	h.folded++
	link := h.head(&p.ends)
	for *link != i {
		link = &h.pairs[*link-1].chain
	}
	*link = p.chain
	return p.weight
}

// rise moves a pair that may be lighter than its parent to its place.
func (h *hosts) rise(at int32) {
	for at > 0 && h.weight(at) < h.weight((at-1)/2) {
		h.swap(at, (at-1)/2)
		at = (at - 1) / 2
	}
}

// sink moves a pair that has become heavier to its place.
func (h *hosts) sink(at int32) {
	for n := int32(len(h.heap)); ; {
		child := 2*at + 1
		if child >= n {
			return
		}
		if child+1 < n && h.weight(child+1) < h.weight(child) {
			child++
		}
		if h.weight(at) <= h.weight(child) {
			return
		}
		h.swap(at, child)
		at = child
	}
}

func (h *hosts) weight(at int32) uint64 { return h.pairs[h.heap[at]-1].weight }

func (h *hosts) swap(a, b int32) {
	h.heap[a], h.heap[b] = h.heap[b], h.heap[a]
	h.pairs[h.heap[a]-1].at, h.pairs[h.heap[b]-1].at = a, b
}
