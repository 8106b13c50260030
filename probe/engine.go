package probe

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Defaults of a zero Config.
const (
	defaultTimeout  = 10 * time.Second
	defaultInFlight = 1 << 16
)

// ErrNoLink is wrapped by Start and Do when no link of the engine can carry a
// probe: its family or protocol is missing.
var ErrNoLink = errors.New("no link for this family and protocol")

// An Engine sends probes over its links and reports the fate of each. It may
// be used by any number of goroutines at once.
type Engine struct {
	cfg     Config
	ident   identity
	links   []*linkState
	closing chan struct{} // closed when Close begins
	readers sync.WaitGroup
	out     dispatcher

	mu       sync.Mutex // guards what follows and every linkState
	pace     pacer
	flying   int // accepted and not yet reported
	room     waitList
	closed   bool
	counters Counters
	free     []*entry
}

// New returns an engine that sends over links, of which it becomes the owner.
// A probe goes to the first link that can carry it.
func New(cfg Config, links ...Link) *Engine {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.InFlight <= 0 {
		cfg.InFlight = defaultInFlight
	}
	e := &Engine{
		cfg:     cfg,
		ident:   newIdentity(),
		closing: make(chan struct{}),
		pace:    newPacer(cfg.Rate, cfg.Burst),
	}
	e.out.start(cfg.Tap, e.reported)
	for _, l := range links {
		ls := newLinkState(e, l)
		e.links = append(e.links, ls)
		e.readers.Go(ls.receive)
	}
	return e
}

// Start sends p as soon as the pace allows and returns; done is called with
// each of its results, of which exactly one is final. The context bounds the
// wait for the pace, for room in flight and for a free tag, not the probe.
//
// All callbacks of an engine come from one goroutine, in order. One that
// blocks stops sending once Config.InFlight probes are unreported; it never
// stops receiving. A callback must not call Start, Do or Close of its own
// engine: they may wait for it.
//
// The error is nil if the probe was accepted. It wraps ErrNoLink for a probe
// that no link can carry, net.ErrClosed after Close, the context's error, or
// what broke the link for good.
func (e *Engine) Start(ctx context.Context, p Probe, done func(*Result)) error {
	_, err := e.start(ctx, p, done)
	return err
}

// Do sends p and waits for its final result. If the context ends first the
// probe is given up: the result's fate is Canceled and the error is the
// context's. Loss is a result, not an error.
func (e *Engine) Do(ctx context.Context, p Probe) (Result, error) {
	final := make(chan Result, 1)
	t, err := e.start(ctx, p, func(r *Result) {
		if r.Fate.Final() {
			final <- r.Clone()
		}
	})
	if err != nil {
		return Result{Probe: p, Fate: Canceled, Err: err}, err
	}
	var r Result
	select {
	case r = <-final:
	case <-ctx.Done():
		e.cancel(t, context.Cause(ctx))
		r = <-final // perhaps an answer that was faster
	}
	if r.Fate == Canceled {
		return r, r.Err
	}
	return r, nil
}

// Clone returns a copy of r that shares no memory with the engine's buffers.
func (r *Result) Clone() Result {
	c := *r
	c.Reply.Payload = slices.Clone(r.Reply.Payload)
	c.Reply.Quote.Payload = slices.Clone(r.Reply.Quote.Payload)
	c.Reply.Ext = slices.Clone(r.Reply.Ext)
	c.Reply.Options = slices.Clone(r.Reply.Options)
	return c
}

// Counters returns the engine's totals so far.
func (e *Engine) Counters() Counters {
	e.mu.Lock()
	c := e.counters
	e.mu.Unlock()
	c.Unheard = e.out.unheard()
	return c
}

// Close closes the links, ends every open probe as Canceled, waits until the
// last callback has returned, and returns what the links said on closing.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return net.ErrClosed
	}
	e.closed = true
	close(e.closing)
	e.mu.Unlock()

	var errs []error
	for _, ls := range e.links {
		errs = append(errs, ls.link.Close())
	}
	e.readers.Wait()

	e.mu.Lock()
	for _, ls := range e.links {
		ls.cancelAll(net.ErrClosed)
	}
	e.mu.Unlock()
	e.out.stop()
	return errors.Join(errs...)
}

// A ticket names an accepted probe. The number guards against the entry's
// reuse.
type ticket struct {
	link    *linkState
	dest    *destination
	ent     *entry
	rejects rejects // of dest before the probe
	number  uint64
	tag     uint32
}

func (e *Engine) start(ctx context.Context, p Probe, done func(*Result)) (ticket, error) {
	t, err := e.accept(ctx, p, done)
	if err == nil {
		t.link.transmit()
	}
	return t, err
}

// accept does all of start but to send: transmit of the ticket's link does
// that, for all that were accepted before.
func (e *Engine) accept(ctx context.Context, p Probe, done func(*Result)) (ticket, error) {
	if done == nil {
		done = func(*Result) {}
	}
	ent, err := e.enter(ctx, p)
	if err != nil {
		return ticket{}, err
	}
	ls, space, err := e.route(&ent.probe)
	if err == nil {
		err = e.waitPace(ctx)
	}
	var t ticket
	if err == nil {
		t, err = ls.register(ctx, ent, space, done)
	}
	if err != nil {
		e.leave(ent)
		return ticket{}, err
	}
	return t, nil
}

// enter waits for room in flight, takes one place of it, and gives p a record
// to live in.
func (e *Engine) enter(ctx context.Context, p Probe) (*entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.flying >= e.cfg.InFlight && !e.closed {
		if err := e.waitRoom(ctx); err != nil {
			return nil, err
		}
	}
	if e.closed {
		return nil, net.ErrClosed
	}
	e.flying++
	ent := e.newEntry()
	ent.probe = p
	return ent, nil
}

// leave takes back what enter did, for a probe that was not accepted.
func (e *Engine) leave(ent *entry) {
	e.mu.Lock()
	ent.busy = false
	e.freeEntry(ent)
	e.mu.Unlock()
	e.reported()
}

// route finds the link for p and checks what no link has to check again.
func (e *Engine) route(p *Probe) (*linkState, icmpx.KeySpace, error) {
	if !p.Dst.IsValid() || p.Timeout < 0 || p.Size < 0 || p.Size > maxPacket {
		return nil, icmpx.KeySpace{}, fmt.Errorf("start probe to %v: invalid probe", p.Dst)
	}
	p.Dst = p.Dst.Unmap()
	if p.Timeout == 0 {
		p.Timeout = e.cfg.Timeout
	}
	for _, ls := range e.links {
		if space, ok := ls.link.Keys(&p.Request); ok {
			return ls, space, nil
		}
	}
	return nil, icmpx.KeySpace{}, fmt.Errorf("start probe to %v: %w", p.Dst, ErrNoLink)
}

// maxPacket is the length in bytes of the largest IP packet: of IPv6, whose
// payload length does not count the header.
const maxPacket = 40 + 65535

// reported gives back a place in flight.
func (e *Engine) reported() {
	e.mu.Lock()
	e.flying--
	e.room.wake()
	e.mu.Unlock()
}

// waitRoom waits, with e.mu unlocked meanwhile, until something that Start
// waits for has changed.
func (e *Engine) waitRoom(ctx context.Context) error {
	ch := e.room.enter()
	e.mu.Unlock()
	var err error
	select {
	case <-ch:
	case <-e.closing:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	e.mu.Lock()
	e.room.leave(ch)
	return err
}

// waitPace waits for the moment at which the next packet may leave.
func (e *Engine) waitPace(ctx context.Context) error {
	if e.cfg.Rate <= 0 {
		return nil
	}
	e.mu.Lock()
	now := time.Now()
	at := e.pace.reserve(now)
	e.mu.Unlock()
	d := at.Sub(now)
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-e.closing:
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hurry ends the wait for the probes of tickets: they are decided as soon as
// their links have been read to the end once more, in the order given.
func (e *Engine) hurry(tickets []ticket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for i, t := range tickets {
		ent := t.ent
		if ent == nil || ent.number != t.number || !ent.state.open() {
			continue
		}
		ls := ent.dest.link
		if ent.state == stateQueued {
			ls.decide(ent, Result{Fate: Canceled, Err: errHurried})
			continue
		}
		due := now.Add(time.Duration(i - len(tickets)))
		if due.Before(ent.expires) {
			ent.expires = due
			heap.Fix(&ls.pending, ent.index)
		}
		ls.armEarlier()
	}
}

var errHurried = errors.New("given up before it was sent")

// cancel ends the probe of t as Canceled, if it is still open.
func (e *Engine) cancel(t ticket, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.ent != nil && t.ent.number == t.number && t.ent.state.open() {
		t.ent.dest.link.decide(t.ent, Result{Fate: Canceled, Err: cause})
	}
}
