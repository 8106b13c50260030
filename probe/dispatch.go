package probe

import (
	"sync"

	"github.com/icmpx/icmpx/icmpx"
)

// maxUnheard bounds the deliveries that decide nothing and wait behind a
// callback that blocks. Final results are bounded by Config.InFlight.
const maxUnheard = 4096

// A dispatcher calls the callbacks: all of them, in order, from one goroutine,
// so that a callback that blocks holds up nobody but the senders.
type dispatcher struct {
	tap      func(Event)
	reported func() // called after each final result

	mu      sync.Mutex
	wake    sync.Cond
	queue   []*delivery
	spare   []*delivery
	lesser  int // deliveries in queue that decide nothing
	lost    uint64
	stopped bool
	ended   sync.WaitGroup
}

// A delivery is one callback with all that it points to.
type delivery struct {
	done   func(*Result) // nil: it is for the tap
	result Result
	event  EventKind
	why    string
	req    icmpx.Request
	buf    []byte // backs the reply's slices
}

func (d *dispatcher) start(tap func(Event), reported func()) {
	d.tap, d.reported = tap, reported
	d.wake.L = &d.mu
	d.ended.Go(d.run)
}

// stop delivers what is queued and waits for the last callback.
func (d *dispatcher) stop() {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	d.wake.Signal()
	d.ended.Wait()
}

func (d *dispatcher) unheard() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost
}

func (d *dispatcher) run() {
	var todo []*delivery
	for {
		d.mu.Lock()
		d.recycle(todo)
		for len(d.queue) == 0 && !d.stopped {
			d.wake.Wait()
		}
		todo, d.queue = d.queue, todo[:0]
		d.lesser = 0
		d.mu.Unlock()
		if len(todo) == 0 {
			return
		}
		for _, item := range todo {
			d.deliver(item)
		}
	}
}

func (d *dispatcher) deliver(item *delivery) {
	if item.done != nil {
		item.done(&item.result)
		if item.result.Fate.Final() {
			d.reported()
		}
		return
	}
	ev := Event{Kind: item.event, Why: item.why}
	if item.event == EventSent {
		ev.Request = &item.req
	} else {
		ev.Reply = &item.result.Reply
	}
	d.tap(ev)
}

// result queues a result for its callback.
func (d *dispatcher) result(done func(*Result), r *Result) {
	d.push(!r.Fate.Final(), func(item *delivery) {
		item.done, item.result = done, *r
		item.keep()
	})
}

// tapSent and tapReply queue an event for the tap, if there is one.
func (d *dispatcher) tapSent(r *icmpx.Request) {
	if d.tap == nil {
		return
	}
	d.push(true, func(item *delivery) { item.event, item.req = EventSent, *r })
}

func (d *dispatcher) tapReply(kind EventKind, r *icmpx.Reply, why string) {
	if d.tap == nil {
		return
	}
	d.push(true, func(item *delivery) {
		item.event, item.why, item.result.Reply = kind, why, *r
		item.keep()
	})
}

// push queues a delivery that fill completes. A lesser one, which decides
// nothing, is dropped and counted if too many wait.
func (d *dispatcher) push(lesser bool, fill func(*delivery)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if lesser {
		if d.lesser >= maxUnheard {
			d.lost++
			return
		}
		d.lesser++
	}
	var item *delivery
	if n := len(d.spare); n > 0 {
		item, d.spare = d.spare[n-1], d.spare[:n-1]
	} else {
		item = new(delivery)
	}
	fill(item)
	d.queue = append(d.queue, item)
	if len(d.queue) == 1 {
		d.wake.Signal()
	}
}

// maxSpare and maxSpareBuf bound what is kept for reuse.
const (
	maxSpare    = 256
	maxSpareBuf = 2048
)

// recycle keeps delivered items for reuse. d.mu is held.
func (d *dispatcher) recycle(items []*delivery) {
	for i, item := range items {
		items[i] = nil
		buf := item.buf
		if len(d.spare) >= maxSpare {
			continue
		}
		if cap(buf) > maxSpareBuf {
			buf = nil
		}
		*item = delivery{buf: buf[:0]}
		d.spare = append(d.spare, item)
	}
}

// keep copies the reply's slices, which belong to the link, into the item.
func (item *delivery) keep() {
	r := &item.result.Reply
	buf := append(item.buf[:0], r.Payload...)
	buf = append(buf, r.Quote.Payload...)
	buf = append(buf, r.Ext...)
	buf = append(buf, r.Options...)
	item.buf = buf
	cut := func(n int) []byte {
		if n == 0 {
			return nil
		}
		part := buf[:n:n]
		buf = buf[n:]
		return part
	}
	r.Payload = cut(len(r.Payload))
	r.Quote.Payload = cut(len(r.Quote.Payload))
	r.Ext = cut(len(r.Ext))
	r.Options = cut(len(r.Options))
}
