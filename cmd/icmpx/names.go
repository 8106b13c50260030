package main

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Limits of the lookups that names does: how many at once, for how long, and of
// how many addresses at all, since a hostile network can answer from any number.
const (
	maxLookups    = 4
	lookupTimeout = 5 * time.Second
	maxAddresses  = 256
)

// names finds the names of addresses in the background. Nobody ever waits for
// it: until a name is known, there is none.
type names struct {
	ctx      context.Context
	stop     context.CancelFunc
	resolver resolver
	slots    chan struct{}
	running  sync.WaitGroup

	mu    sync.Mutex
	known map[netip.Addr]string
}

func newNames(ctx context.Context, r resolver) *names {
	n := &names{resolver: r, slots: make(chan struct{}, maxLookups), known: make(map[netip.Addr]string)}
	n.ctx, n.stop = context.WithCancel(ctx)
	return n
}

// of returns the name of a, or "" while it is not known, and has it looked up
// the first time.
func (n *names) of(a netip.Addr) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, asked := n.known[a]
	if !asked && len(n.known) < maxAddresses && a.IsValid() {
		n.known[a] = ""
		n.running.Go(func() { n.lookUp(a) })
	}
	return name
}

func (n *names) lookUp(a netip.Addr) {
	select {
	case n.slots <- struct{}{}:
	case <-n.ctx.Done():
		return
	}
	defer func() { <-n.slots }()
	ctx, cancel := context.WithTimeout(n.ctx, lookupTimeout)
	defer cancel()
	found, err := n.resolver.LookupAddr(ctx, a.WithZone("").String())
	if err != nil || len(found) == 0 {
		return
	}
	n.mu.Lock()
	n.known[a] = strings.TrimSuffix(found[0], ".")
	n.mu.Unlock()
}

// close ends what is under way and waits for it.
func (n *names) close() {
	n.stop()
	n.running.Wait()
}
