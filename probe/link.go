package probe

import (
	"container/heap"
	"sync"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// batch is how many packets are sent, and how many received, at once.
const batch = 64

// A linkState is the engine's side of one link. Its fields are guarded by
// Engine.mu, those of the send queue by sendMu.
type linkState struct {
	eng  *Engine
	link Link

	entries map[entryKey]*entry
	tokens  map[uint64]*entry // by secret, of open probes that carry one, and of those with AnySource
	dests   map[destKey]*destination

	pending   expiryHeap     // sent and undecided, by deadline
	decided   [memories]list // remembered for late answers, by how long
	armed     time.Time      // receive deadline that the link has
	drops     uint32         // receive drops that the link has told of
	evictions uint64
	broken    error // why Recv has ended; nil while it runs

	scratch []byte // to write the expected payload into

	sendMu  sync.Mutex
	queue   []*entry
	sending bool // somebody is sending what is in queue
	out     [batch]*entry
	reqs    [batch]icmpx.Request
}

func newLinkState(e *Engine, l Link) *linkState {
	return &linkState{
		eng: e, link: l,
		entries: make(map[entryKey]*entry),
		tokens:  make(map[uint64]*entry),
		dests:   make(map[destKey]*destination),
	}
}

// enqueue adds ent to what transmit sends.
func (ls *linkState) enqueue(ent *entry) {
	ls.sendMu.Lock()
	ls.queue = append(ls.queue, ent)
	ls.sendMu.Unlock()
}

// transmit sends what is queued. If another goroutine is sending already it
// takes that along, so that concurrent Starts leave in batches.
func (ls *linkState) transmit() {
	ls.sendMu.Lock()
	defer ls.sendMu.Unlock()
	if ls.sending {
		return
	}
	ls.sending = true
	for len(ls.queue) > 0 {
		n := copy(ls.out[:], ls.queue)
		ls.queue = ls.queue[:copy(ls.queue, ls.queue[n:])]
		ls.sendMu.Unlock()
		ls.send(ls.out[:n])
		ls.sendMu.Lock()
	}
	ls.sending = false
}

// send hands a batch to the link. Only the one goroutine that transmit chose
// is here at a time.
func (ls *linkState) send(ents []*entry) {
	ents = ls.prepare(ents)
	for len(ents) > 0 {
		n, err := ls.link.Send(ls.reqs[:len(ents)])
		ents = ls.sent(ents, max(n, 0), err)
	}
}

// prepare copies the requests that are still wanted and notes a time of
// sending, for the answers that are read before Send returns.
func (ls *linkState) prepare(ents []*entry) []*entry {
	ls.eng.mu.Lock()
	defer ls.eng.mu.Unlock()
	now := time.Now()
	kept := ents[:0]
	for _, ent := range ents {
		if ent.state != stateQueued { // given up meanwhile
			ent.busy = false
			continue
		}
		ent.probe.Sent = now
		ls.reqs[len(kept)] = ent.probe.Request
		kept = append(kept, ent)
	}
	return kept
}

// sent books what a Send that took n packets did, and returns the entries that
// are left to send, with their requests in front again.
func (ls *linkState) sent(ents []*entry, n int, err error) []*entry {
	e := ls.eng
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, ent := range ents[:min(n, len(ents))] {
		e.counters.Sent++
		ent.busy = false
		ent.probe.Sent, ent.probe.ClockOffset = ls.reqs[i].Sent, ls.reqs[i].ClockOffset
		e.out.tapSent(&ent.probe.Request)
		if ent.state == stateQueued {
			ent.state = statePending
			ent.expires = ent.probe.Sent.Add(ent.probe.Timeout)
			heap.Push(&ls.pending, ent)
		}
	}
	ls.armEarlier()
	if n >= len(ents) {
		return nil
	}
	if err == nil {
		err = errNoProgress
	}
	ent := ents[n]
	ent.busy = false
	if ent.state == stateQueued {
		ls.decide(ent, Result{Fate: Failed, Err: err})
	}
	copy(ls.reqs[:], ls.reqs[n+1:len(ents)])
	return ents[n+1:]
}

// arm tells the link the earliest deadline. Only the receiver may call it,
// between two Recv: see expire. e.mu is held.
func (ls *linkState) arm() {
	var first time.Time
	if len(ls.pending) > 0 {
		first = ls.pending[0].expires
	}
	if !first.Equal(ls.armed) {
		ls.setDeadline(first)
	}
}

// armEarlier is what a sender may do while Recv waits: bring the deadline
// forward. e.mu is held.
func (ls *linkState) armEarlier() {
	if len(ls.pending) == 0 {
		return
	}
	if first := ls.pending[0].expires; ls.armed.IsZero() || first.Before(ls.armed) {
		ls.setDeadline(first)
	}
}

func (ls *linkState) setDeadline(t time.Time) {
	ls.armed = t
	_ = ls.link.SetRecvDeadline(t) // fails only when closed, which Recv reports
}

// decide ends a probe: exactly once, whoever comes first.
func (ls *linkState) decide(ent *entry, r Result) {
	if !ent.state.open() {
		return
	}
	if ent.state == statePending {
		heap.Remove(&ls.pending, ent.index)
	}
	ent.state, ent.fate = stateDecided, r.Fate
	now := r.Reply.Read // of an answer, which spares reading the clock
	if now.IsZero() {
		now = time.Now()
	}
	ent.expires = now.Add(ent.probe.Timeout)
	ls.decided[memory(ent.probe.Timeout)].push(ent, ofLink)
	ent.dest.decided.push(ent, ofDest)
	if ent.probe.Payload == nil && !ent.probe.AnySource {
		ls.dropToken(ent)
	}
	ls.report(ent, &r)
	ls.eng.room.wake() // its tag may be taken if no other is free
}

// report fills in what all results share and hands r to the dispatcher.
func (ls *linkState) report(ent *entry, r *Result) {
	r.Probe, r.Number = ent.probe, ent.number
	if r.Sent.IsZero() {
		r.Sent = ent.probe.Sent
	}
	ls.eng.out.result(ent.done, r)
}

func (ls *linkState) cancelAll(cause error) {
	for _, ent := range ls.entries {
		if ent.state.open() {
			ls.decide(ent, Result{Fate: Canceled, Err: cause})
		}
	}
}
