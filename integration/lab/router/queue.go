package router

import "time"

// A queue is a heap of packets, by the time at which they are due, and for one
// time in the order in which they were pushed.
type queue struct {
	heap []*Packet
	seq  uint64
}

func (q *queue) push(p *Packet) {
	q.seq++
	p.seq = q.seq
	q.heap = append(q.heap, p)
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.before(i, up) {
			return
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
}

// pop returns the first packet if it is due.
func (q *queue) pop(now time.Duration) *Packet {
	if len(q.heap) == 0 || q.heap[0].at > now {
		return nil
	}
	p := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0], q.heap[last] = q.heap[last], nil
	q.heap = q.heap[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return p
		}
		if down+1 < last && q.before(down+1, down) {
			down++
		}
		if !q.before(down, i) {
			return p
		}
		q.heap[i], q.heap[down] = q.heap[down], q.heap[i]
		i = down
	}
}

// next returns when the first packet is due.
func (q *queue) next() (at time.Duration, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

func (q *queue) before(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}
