package pmtu

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/inbox"
	"github.com/icmpx/icmpx/probe"
)

// Discover finds the path MTU to dst over e, which may serve others at the same
// time, and what limits it. It tells sink of each probe as it is decided; sink
// is called by the caller's goroutine and not after Discover has returned; nil
// is nobody.
//
// That the destination is silent, or that the path MTU cannot be told, is a
// verdict, not an error. The error is one of the options, or wraps
// probe.ErrNoLink if e cannot carry the method (of Auto: neither echo nor UDP),
// or is what this host said when it could send none of the first probes. When
// the context ends, or the engine is closed, Discover returns what is known, the
// Result's Interrupted is set, and the error wraps the context's cause or
// net.ErrClosed.
//
// A probe that is open when Discover returns is left to the engine, which
// forgets it after Options.Wait.
func Discover(ctx context.Context, e *probe.Engine, dst netip.Addr, o Options, sink func(*Event)) (Result, error) {
	dst = dst.Unmap()
	o, err := o.withDefaults(dst)
	if err != nil {
		return Result{}, err
	}
	if sink == nil {
		sink = func(*Event) {}
	}
	now := time.Now()
	r := &run{
		ctx: ctx, engine: e, dst: dst, family: icmpx.FamilyOf(dst), opts: &o, sink: sink,
		box: inbox.New(), base: e.Counters(), began: now, deadline: now.Add(o.Timeout),
		methods: methodsOf(o.Method), flowCount: maxFlows, mixed: make(map[track]bool),
	}
	r.setTop()
	defer r.box.Close()
	err = r.loop()
	return r.finish(err)
}

func methodsOf(m Method) []Method {
	if m == Auto {
		return []Method{ICMP, UDP}
	}
	return []Method{m}
}

// setTop sets the largest size to probe from the options.
func (r *run) setTop() {
	r.link, r.top = r.opts.LinkMTU, largest(r.family)
	if r.link != 0 {
		r.top = min(r.top, r.link)
	}
	r.highest = r.top
	if r.opts.Max != 0 {
		r.top = min(r.top, r.opts.Max)
	}
}

// hear is the callback of every probe. Lost is left out: the search has its own
// patience. Only payloads share the engine's buffers, and none is read later.
func (r *run) hear(res *probe.Result) {
	if res.Fate == probe.Lost || res.Fate == probe.Notice {
		return
	}
	c := *res
	c.Reply.Payload, c.Reply.Quote.Payload, c.Reply.Ext = nil, nil, nil
	r.box.Put(c)
}

// A run is one search.
type run struct {
	ctx      context.Context // ends the run; probes are not bound to it
	engine   *probe.Engine
	dst      netip.Addr
	family   icmpx.Family
	opts     *Options
	sink     func(*Event)
	box      *inbox.Inbox
	base     probe.Counters
	began    time.Time
	deadline time.Time

	methods   []Method // that the engine can carry
	flowCount uint16   // other flows that it can carry
	link      int      // MTU of the interface, as far as it is known
	highest   int      // largest size that may leave this host
	top       int      // largest size to probe
	refused   int      // limit of this host below the interface's; 0: none

	log     []ask  // by Ref
	known   digest // what was concluded from it
	since   int    // the first ask since the path last changed
	round   int
	maxRTT  time.Duration
	pause   time.Duration  // before the next burst, because nothing was answered
	begun   bool           // the ladder was asked since the path last changed
	patient int            // how often what nothing answered was asked once more
	changes int            // how often the path changed
	raised  bool           // what was refused passes now
	check   *check         // in flight
	checked int            // checks so far
	mixed   map[track]bool // packets of a track take different paths in turn

	res      Result
	failures int   // probes that this host could not send
	failure  error // why it could not, the first time
	closed   error // why the engine decides nothing more
}

// loop asks and listens until there is nothing left to ask.
func (r *run) loop() error {
	for {
		r.drain()
		if err := r.broken(); err != nil {
			return err
		}
		wake, busy := r.overdue(time.Now())
		if busy {
			if err := r.sleep(wake); err != nil {
				return err
			}
			continue
		}
		b := r.plan()
		if b == nil {
			return nil
		}
		if len(b) == 0 { // only lazy asks are open
			if err := r.sleep(wake); err != nil {
				return err
			}
			continue
		}
		if err := r.fire(b); err != nil {
			return err
		}
		if time.Until(r.deadline) <= 0 {
			return nil
		}
	}
}

// broken returns why to go on makes no sense: the engine is closed, or this host
// could send none of the first probes.
func (r *run) broken() error {
	switch {
	case r.closed != nil:
		return r.closed
	case r.failures >= minPackets && r.failures == len(r.log):
		return fmt.Errorf("find path MTU to %v: %w", r.dst, r.failure)
	}
	return nil
}

// fire sends a burst, after the pause that unanswered ones have earned.
func (r *run) fire(b burst) error {
	b = b[:min(len(b), r.budget())]
	r.round++
	if err := r.sleepUntil(time.Now().Add(r.pause)); err != nil {
		return err
	}
	for i := range b {
		if err := r.send(b[i]); err != nil {
			return err
		}
	}
	return nil
}

// send sends one probe, at the pace of the engine.
func (r *run) send(a ask) error {
	a.round, a.sent = r.round, time.Now()
	r.log = append(r.log, a)
	r.news()
	p := r.request(&a)
	p.Ref = uint64(len(r.log) - 1)
	err := r.engine.Start(r.ctx, p, r.hear)
	r.log[p.Ref].sent = time.Now()
	if err == nil {
		return nil
	}
	r.log[p.Ref].state = failed
	return r.unable(a.track, err)
}

// unable books that the engine did not take a probe. Without a link for one of
// two methods the other does alone, and other flows can be done without.
func (r *run) unable(t track, err error) error {
	others := slices.DeleteFunc(slices.Clone(r.methods), func(m Method) bool { return m == t.method })
	if t.path != 0 && errors.Is(err, probe.ErrNoLink) {
		r.flowCount = min(r.flowCount, t.path-1)
		return nil
	}
	if !errors.Is(err, probe.ErrNoLink) || len(others) == 0 {
		return fmt.Errorf("find path MTU to %v: %w", r.dst, err)
	}
	r.methods = others
	return nil
}

// budget returns how many probes may still be sent. Those that this host could
// not send count too.
func (r *run) budget() int {
	n := r.opts.MaxPackets
	for i := range r.log {
		if r.log[i].state != local {
			n--
		}
	}
	return max(n, 0)
}

// sleepUntil waits until t, or for the end of the context.
func (r *run) sleepUntil(t time.Time) error {
	if t.After(r.deadline) {
		t = r.deadline
	}
	for time.Until(t) > 0 {
		if err := r.sleep(t); err != nil {
			return err
		}
	}
	return nil
}

// sleep waits until t, for something to read, or for the end of the context.
func (r *run) sleep(t time.Time) error {
	if t.After(r.deadline) {
		t = r.deadline
	}
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.box.Wake():
		r.drain()
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
	return nil
}
