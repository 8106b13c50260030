// Package inbox takes what an engine says to the one goroutine that decides what
// to ask next.
package inbox

import (
	"sync"

	"github.com/icmpx/icmpx/probe"
)

// maxUnread bounds the results in an inbox that decide nothing: a flood of
// duplicates must not fill the memory.
const maxUnread = 4096

// An Inbox holds results until they are taken. Put is called by the engine's
// goroutine, which it never blocks; everything else by the one that reads.
type Inbox struct {
	wake chan struct{} // one token when there is something to read

	mu     sync.Mutex
	list   []probe.Result
	closed bool
}

// New returns an empty inbox.
func New() *Inbox { return &Inbox{wake: make(chan struct{}, 1)} }

// Wake yields a token after a result was put and until the inbox is read.
func (b *Inbox) Wake() <-chan struct{} { return b.wake }

// Put adds r, which must share nothing with the engine's buffers: see
// probe.Result.Clone. Of results that are not final, those are dropped for which
// there is no room.
func (b *Inbox) Put(r probe.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || !r.Fate.Final() && len(b.list) >= maxUnread {
		return
	}
	b.list = append(b.list, r)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Take returns what has come since the last time.
func (b *Inbox) Take() []probe.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

// Close forgets everything; what comes later is not kept.
func (b *Inbox) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.list = true, nil
}
