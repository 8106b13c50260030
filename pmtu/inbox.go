package pmtu

import (
	"sync"

	"github.com/icmpx/icmpx/probe"
)

// maxUnread bounds the results in an inbox that decide nothing: a flood of
// duplicates must not fill the memory.
const maxUnread = 4096

// An inbox carries what the engine says, from its goroutine and without blocking
// it, to the one that searches.
type inbox struct {
	wake chan struct{} // one token when there is something to read

	mu     sync.Mutex
	list   []probe.Result
	closed bool
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// put is the callback of every probe. Lost is left out: the search has its own
// patience. Only payloads share the engine's buffers, and none is read later.
func (b *inbox) put(r *probe.Result) {
	if r.Fate == probe.Lost || r.Fate == probe.Notice {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || !r.Fate.Final() && len(b.list) >= maxUnread {
		return
	}
	c := *r
	c.Reply.Payload, c.Reply.Quote.Payload, c.Reply.Ext = nil, nil, nil
	b.list = append(b.list, c)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns what has come since the last time.
func (b *inbox) take() []probe.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

// close forgets everything; what comes later is not kept.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.list = true, nil
}
