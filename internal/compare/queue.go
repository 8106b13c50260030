package compare

// A queue brings events in order of time: those that are found out late, because
// a packet was changed on its way, to those that are found out at once.
type queue struct {
	most   int
	heap   []place // the earliest first
	events []Event // in no order
	free   []int32 // of events
	pushed int
}

// A place is when an event is due, and where it is.
type place struct {
	at    int64
	order int // among those of one time
	event int32
}

func (p *place) before(q *place) bool {
	return p.at < q.at || p.at == q.at && p.order < q.order
}

// push takes an event. If there is no room, the earliest goes to sink first.
func (q *queue) push(at int64, e *Event, sink func(*Event)) {
	if len(q.heap) >= q.most {
		q.pop(sink)
	}
	var slot int32
	if n := len(q.free); n > 0 {
		slot = q.free[n-1]
		q.free = q.free[:n-1]
		q.events[slot] = *e
	} else {
		slot = int32(len(q.events))
		q.events = append(q.events, *e)
	}
	q.pushed++
	q.heap = append(q.heap, place{at, q.pushed, slot})
	for i := len(q.heap) - 1; i > 0 && q.heap[i].before(&q.heap[(i-1)/2]); i = (i - 1) / 2 {
		q.swap(i, (i-1)/2)
	}
}

// release hands over all events before a time.
func (q *queue) release(before int64, sink func(*Event)) {
	for len(q.heap) > 0 && q.heap[0].at < before {
		q.pop(sink)
	}
}

func (q *queue) flush(sink func(*Event)) {
	for len(q.heap) > 0 {
		q.pop(sink)
	}
}

func (q *queue) swap(i, j int) { q.heap[i], q.heap[j] = q.heap[j], q.heap[i] }

// pop hands over the earliest event.
func (q *queue) pop(sink func(*Event)) {
	slot := q.heap[0].event
	last := len(q.heap) - 1
	q.swap(0, last)
	q.heap = q.heap[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && q.heap[c+1].before(&q.heap[c]) {
			c++
		}
		if !q.heap[c].before(&q.heap[i]) {
			break
		}
		q.swap(i, c)
		i = c
	}
	sink(&q.events[slot])
	q.free = append(q.free, slot)
}
