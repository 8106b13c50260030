package probetest

import (
	"container/heap"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// An item is a reply on its way to a link.
type item struct {
	due      time.Time // when it can be read
	arrival  time.Time // when it reached this host (KindSent: left it)
	order    uint64    // among those due at the same time
	sent     time.Time // when its packet was handed to Send
	overflow bool
	reply    icmpx.Reply
}

// A queue holds items by the time at which they are due.
type queue []*item

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].order < q[j].order
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q *queue) Push(x any) { *q = append(*q, x.(*item)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	it := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return it
}

func (q *queue) add(it *item) { heap.Push(q, it) }

// next removes and returns the first item if it is due at now.
func (q *queue) next(now time.Time) *item {
	if len(*q) == 0 || (*q)[0].due.After(now) {
		return nil
	}
	return heap.Pop(q).(*item)
}
