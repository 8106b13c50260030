package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// An entryKey finds a probe from what an answer brings back. The address has
// no zone, because a quoted one has none.
type entryKey struct {
	dst       netip.Addr
	flow, tag uint32
}

type state uint8

const (
	stateFree    state = iota
	stateQueued        // registered, not yet in the kernel's hands
	statePending       // sent, its deadline runs
	stateDecided       // its final result is out; kept so that late answers are known
)

func (s state) open() bool { return s == stateQueued || s == statePending }

// An entry is the engine's record of one probe.
type entry struct {
	probe  Probe
	done   func(*Result)
	number uint64
	key    entryKey
	dest   *destination
	state  state
	fate   Fate // once decided
	busy   bool // in the hands of the sender, who must find it as it was

	tx      time.Time // kernel's transmit time; zero until it is known
	txStamp icmpx.Stamp
	expires time.Time // pending: when it is lost; decided: when it may be forgotten
	index   int       // pending: in the heap

	ofDest, ofLink neighbours // decided: in the lists of its destination and its link
}

// A destination counts the tags of one flow to one address.
type destination struct {
	link    *linkState
	addr    netip.Addr // without zone
	space   icmpx.KeySpace
	next    uint64 // number of the next probe, from 1
	used    uint64 // tags that an entry holds
	salt    uint64 // tells this life of the destination from an evicted one
	forged  int    // replies in the name of its probes with a wrong token
	stale   int    // and with an earlier probe's
	stamped bool   // a transmit stamp was seen: the device stamps

	decided list // entries in the order of decision
}

type destKey struct {
	addr netip.Addr
	flow uint32
}

// tag returns the tag of the number-th probe.
func (d *destination) tag(number uint64) uint32 {
	return d.space.First + uint32((number-1)%d.size())
}

func (d *destination) size() uint64 {
	return uint64(d.space.Last) - uint64(d.space.First) + 1
}

// pick returns the number of the next probe, or false if every tag is pending.
// Free tags come first, then those whose probe was decided longest ago. A
// number that was asked for is taken as soon as its tag is not pending.
func (d *destination) pick(asked uint64) (uint64, bool) {
	if asked != 0 {
		ent := d.link.entries[entryKey{d.addr, d.space.Flow, d.tag(asked)}]
		if ent != nil && ent.state.open() {
			return 0, false
		}
		if ent != nil {
			d.link.forget(ent)
		}
		return asked, true
	}
	if d.used < d.size() {
		n := d.next
		for d.link.entries[entryKey{d.addr, d.space.Flow, d.tag(n)}] != nil {
			n++
		}
		return n, true
	}
	oldest := d.decided.first
	if oldest == nil {
		return 0, false
	}
	ahead := uint64(oldest.key.tag-d.space.First) + d.size() - (d.next-1)%d.size()
	n := d.next + ahead%d.size()
	d.link.forget(oldest)
	return n, true
}

// register gives ent a tag and enters it in the table before it is sent: its
// answer may be read before Send returns. It also queues it for sending, so
// that tags leave in order. It waits while all tags of the destination are
// pending.
func (ls *linkState) register(ctx context.Context, ent *entry, space icmpx.KeySpace, done func(*Result)) (ticket, error) {
	e := ls.eng
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		if e.closed {
			return ticket{}, net.ErrClosed
		}
		if ls.broken != nil {
			return ticket{}, fmt.Errorf("link is broken: %w", ls.broken)
		}
		d := ls.destination(ent.probe.Dst.WithZone(""), space)
		if number, ok := d.pick(ent.probe.Number); ok {
			ent.done = done
			ls.enter(d, number, ent)
			ls.enqueue(ent)
			return ticket{link: ls, dest: d, ent: ent, rejects: rejects{d.forged, d.stale}, number: number, tag: ent.key.tag}, nil
		}
		if err := e.waitRoom(ctx); err != nil {
			return ticket{}, err
		}
	}
}

func (ls *linkState) destination(addr netip.Addr, space icmpx.KeySpace) *destination {
	k := destKey{addr, space.Flow}
	d := ls.dests[k]
	if d == nil {
		if len(ls.dests) >= maxIdle {
			ls.evictIdle()
		}
		d = &destination{link: ls, addr: addr, space: space, next: 1, salt: ls.evictions << 40}
		ls.dests[k] = d
	}
	return d
}

// maxIdle bounds the destinations whose count goes on although none of their
// probes is remembered.
const maxIdle = 1 << 16

// evictIdle forgets the destinations of which nothing is left. One that comes
// back counts from the first tag again, under another salt, so that no answer
// to its earlier life can pass for a new one.
func (ls *linkState) evictIdle() {
	ls.evictions++
	for k, d := range ls.dests {
		if d.used == 0 {
			delete(ls.dests, k)
		}
	}
}

// token returns the secret of the number-th probe.
func (d *destination) token(number uint64) uint64 {
	return d.link.eng.ident.token(d.addr, d.space.Flow, d.salt|number)
}

func (ls *linkState) enter(d *destination, number uint64, ent *entry) {
	ent.number, ent.dest, ent.state, ent.busy = number, d, stateQueued, true
	ent.key = entryKey{d.addr, d.space.Flow, d.tag(number)}
	ent.probe.Key = icmpx.Key{Flow: d.space.Flow, Tag: ent.key.tag}
	if ent.probe.Payload == nil {
		ent.probe.Token = d.token(number)
		ls.tokens[ent.probe.Token] = ent
	}
	d.next = max(d.next, number+1)
	d.used++
	ls.entries[ent.key] = ent
}

// forget takes a decided entry out of the table and gives its tag back.
func (ls *linkState) forget(ent *entry) {
	ent.dest.decided.remove(ent, ofDest)
	ls.decided[memory(ent.probe.Timeout)].remove(ent, ofLink)
	ent.dest.used--
	delete(ls.entries, ent.key)
	if ent.probe.AnySource {
		ls.dropToken(ent)
	}
	ls.eng.freeEntry(ent)
}

// dropToken ends the search by token for ent. A decided probe is looked for by
// nobody's token, unless any number of hosts may answer it.
func (ls *linkState) dropToken(ent *entry) {
	if ls.tokens[ent.probe.Token] == ent {
		delete(ls.tokens, ent.probe.Token)
	}
}

// forgetOld forgets the entries whose time to be remembered is over.
func (ls *linkState) forgetOld(now time.Time) {
	for i := range ls.decided {
		for l := &ls.decided[i]; l.first != nil && !l.first.expires.After(now); {
			ls.forget(l.first)
		}
	}
}

// maxFree bounds the entries kept for reuse.
const maxFree = 1024

func (e *Engine) newEntry() *entry {
	if n := len(e.free); n > 0 {
		ent := e.free[n-1]
		e.free = e.free[:n-1]
		return ent
	}
	return new(entry)
}

func (e *Engine) freeEntry(ent *entry) {
	if ent.busy {
		ent.state = stateFree
		return
	}
	*ent = entry{}
	if len(e.free) < maxFree {
		e.free = append(e.free, ent)
	}
}
