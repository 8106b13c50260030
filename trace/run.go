package trace

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/inbox"
	"github.com/icmpx/icmpx/probe"
)

// Run traces the way to dst over e, which may serve others at the same time. It
// tells sink of each answer as it comes and of each row when it is final; sink
// is called by the caller's goroutine and not after Run has returned; nil is
// nobody. While sink runs nothing is sent.
//
// That a router or the destination is silent is a result, not an error. The
// error is one of the options, or wraps probe.ErrNoLink if e cannot carry the
// method, or what this host said when it could send none of the probes. When
// the context ends, or the engine is closed, Run returns what is known, the
// Result's Interrupted is set, and the error is the context's cause or wraps
// net.ErrClosed.
//
// A probe that is open when Run returns is left to the engine, which forgets it
// after Options.Wait.Max.
func Run(ctx context.Context, e *probe.Engine, dst netip.Addr, o Options, sink func(*Event)) (Result, error) {
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
		box: inbox.New(), base: e.Counters(), began: now,
		path: newPath(&o, dst, now), row: o.FirstTTL, size: o.Size,
	}
	defer r.box.Close()
	err = r.loop()
	return r.finish(err)
}

// hear is the callback of every probe. The trace has its own patience, and the
// engine counts what it rejects.
func (r *run) hear(res *probe.Result) {
	if res.Fate != probe.Lost && res.Fate != probe.Rejected {
		r.box.Put(res.Clone())
	}
}

// A run is one trace.
type run struct {
	ctx    context.Context // ends the trace; probes are not bound to it
	engine *probe.Engine
	dst    netip.Addr
	family icmpx.Family
	opts   *Options
	sink   func(*Event)
	box    *inbox.Inbox
	base   probe.Counters
	began  time.Time

	path      *path
	asks      []ask // by Ref
	repeats   []repeat
	questions []question
	asked     bool // the last question was
	lastSent  time.Time
	size      int // bytes of the next packet
	row       int // TTL of the next row to hand out

	res      Result
	failures int   // probes that this host could not send
	failed   error // why it could not, the first time
	closed   error // why the engine decides nothing more
}

// loop asks, listens and hands out until the end is known or silence has had its
// second chance.
func (r *run) loop() error {
	for {
		r.drain()
		if err := r.broken(); err != nil {
			return err
		}
		r.path.follow(false, time.Now())
		r.emit()
		if r.done() {
			return nil
		}
		wake, err := r.act()
		if err != nil {
			return err
		}
		if err := r.sleep(wake); err != nil {
			return err
		}
	}
}

// broken returns why to go on makes no sense: the engine is closed, or this host
// could send none of the first probes to the whole window.
func (r *run) broken() error {
	switch window := r.path.top - r.opts.FirstTTL + 1; {
	case r.closed != nil:
		return r.closed
	case r.failures >= window && r.failures == len(r.asks):
		return fmt.Errorf("trace %v: %w", r.dst, r.failed)
	}
	return nil
}

// act does the one thing that is due, and returns when the next will be, if
// nothing comes before; the zero time if there may be more to do at once.
func (r *run) act() (time.Time, error) {
	now := time.Now()
	a, at, ok := r.next(now)
	if ok && at.After(now) {
		return at, nil
	}
	if ok {
		return time.Time{}, r.send(a)
	}
	if due, open := r.overdue(); open && due.After(now) {
		return due, nil
	}
	return time.Time{}, r.silence(now)
}

// sleep waits until t, for something to read, or for the end of the context; the
// zero time does not wait.
func (r *run) sleep(t time.Time) error {
	if t.IsZero() {
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		return nil
	}
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.box.Wake():
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
	return nil
}

// drain books what has come.
func (r *run) drain() {
	list := r.box.Take()
	for i := range list {
		r.book(&list[i])
	}
}

// book gives a result to the probe that it is about.
func (r *run) book(res *probe.Result) {
	if res.Probe.Ref >= uint64(len(r.asks)) {
		return // of a probe that Start did not accept
	}
	if res.Fate == probe.Failed {
		r.fail(res.Err)
	}
	a := &r.asks[res.Probe.Ref]
	switch {
	case res.Fate == probe.Canceled:
		r.closed = fmt.Errorf("trace %v: %w", r.dst, res.Err)
	case res.Fate == probe.Notice:
		r.res.Notices++
	case a.question >= 0:
		r.answerLast(a.question, res)
	default:
		r.bookRow(a, res)
	}
}

func (r *run) fail(err error) {
	if r.failures++; r.failed == nil {
		r.failed = err
	}
	r.res.Sent--
}

// bookRow books a failure to send, or an answer, to a probe of a row.
func (r *run) bookRow(a *ask, res *probe.Result) {
	h := &r.path.hops[a.ttl]
	s := &h.slots[a.slot]
	switch {
	case res.Fate == probe.Failed:
		s.refused, s.Err = s.open(), res.Err
		return
	case !ownProto(r.opts.Method, &res.Reply.Quote):
		r.res.Strays++
		return
	}
	if a.answered {
		h.extra++
		return
	}
	a.answered = true
	p := newProbe(r.opts.Method, r.opts.Gateways, res)
	p.Asked = s.Asked
	if r.shrink(a, &p) {
		return
	}
	if a.again {
		h.again.Answered++
	} else {
		h.first.Answered++
	}
	if !s.open() {
		return // the other of its two questions was answered before
	}
	s.Probe, s.prompt = p, !a.again
	r.path.note(a.ttl, &p)
	r.sink(&Event{Probe: &p})
}

// finish closes the account. err is why the trace ended early, nil if it did
// not.
func (r *run) finish(err error) (Result, error) {
	if err != nil {
		r.drain()
		r.flush()
	}
	res := &r.res
	res.Dst, res.Method, res.Port = r.dst, r.opts.Method, r.opts.Port
	res.FirstTTL, res.MaxTTL = r.opts.FirstTTL, r.opts.MaxTTL
	res.TOS, res.Size = r.opts.TOS, r.opts.Size
	res.Duration = time.Since(r.began)
	res.Interrupted = err != nil
	now := r.engine.Counters()
	res.Strays += int(now.Strays - r.base.Strays)
	res.Forged = int(now.Forged - r.base.Forged)
	for i := range r.questions {
		res.Questions = append(res.Questions, r.questions[i].Question)
	}
	r.conclude()
	return *res, err
}

// conclude says what it all means.
func (r *run) conclude() {
	res := &r.res
	e, what := r.path.end()
	res.Hops = e
	if e == 0 {
		res.Hops = r.path.lastHeard()
	}
	res.Reached = e != 0 && what == reached
	res.PortState = r.path.portState()
	res.Findings = judge(res, r.path.bounds)
	if r.opts.Method == TCP && filtered(res.Findings) {
		res.PortState = PortFiltered
	}
}

// filtered reports whether something other than the destination keeps a port
// from answering, or nothing does.
func filtered(list []Finding) bool {
	return slices.ContainsFunc(list, func(f Finding) bool {
		switch f.Code {
		case CodeFiltered, CodeUnreachable, CodeSilent, CodeOtherMethod:
			return true
		}
		return false
	})
}
