package probe

import (
	"math/bits"
	"time"
)

// neighbours are the entries before and behind one in a list.
type neighbours struct{ prev, next *entry }

// ofDest and ofLink choose which of an entry's lists is meant.
func ofDest(e *entry) *neighbours { return &e.ofDest }
func ofLink(e *entry) *neighbours { return &e.ofLink }

// A list holds entries in the order in which they came.
type list struct{ first, last *entry }

func (l *list) push(ent *entry, of func(*entry) *neighbours) {
	*of(ent) = neighbours{prev: l.last}
	if l.last != nil {
		of(l.last).next = ent
	} else {
		l.first = ent
	}
	l.last = ent
}

func (l *list) remove(ent *entry, of func(*entry) *neighbours) {
	n := of(ent)
	if n.prev != nil {
		of(n.prev).next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		of(n.next).prev = n.prev
	} else {
		l.last = n.prev
	}
	*n = neighbours{}
}

// memories is the number of lists that a link keeps its decided entries in: one
// for each power of two of their timeouts in milliseconds. Within one, those
// that came first may be forgotten first, or nearly so: none is forgotten
// early, and none is kept for more than twice its time by one before it.
const memories = 32

// memory returns the list for probes with a timeout.
func memory(timeout time.Duration) int {
	return min(bits.Len64(uint64(timeout/time.Millisecond)), memories-1)
}

// An expiryHeap orders entries by the time at which they expire.
type expiryHeap []*entry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *expiryHeap) Push(x any) {
	ent := x.(*entry)
	ent.index = len(*h)
	*h = append(*h, ent)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	old := *h
	n := len(old) - 1
	ent := old[n]
	old[n] = nil
	*h = old[:n]
	return ent
}
