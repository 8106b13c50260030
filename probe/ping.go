package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Defaults of a zero PingOptions.
const (
	defaultInterval = time.Second
	defaultPayload  = 56
)

// Ping sends echo requests, or other queries, to dst at a steady pace and reports what becomes of
// them to sink, which is called by one goroutine at a time, in order, and not
// after Ping has returned.
//
// Without a Deadline it ends when Count probes were sent and decided; after
// the last it waits for what is open as long as the larger of the interval and
// twice the largest RTT seen, or each probe's Timeout if nothing was answered.
// With a Deadline it ends then, or when Count probes were answered, or at the
// first error. A context that ends stops it at once; that is no error. What is
// open at the end is lost if it was waited for that long, else in flight.
//
// The error wraps ErrNoLink if e has no link for dst, or net.ErrClosed.
func Ping(ctx context.Context, e *Engine, dst netip.Addr, o PingOptions, sink func(*PingEvent)) (Stats, error) {
	o = o.withDefaults()
	template, err := o.probe(dst)
	if err != nil {
		return Stats{}, err
	}
	p := &pinger{opts: o, template: template, open: make(map[uint64]flight)}
	p.account.begin(e, dst, sink, !o.IgnoreQuench)
	p.onResult = p.done // made once: a method value is an allocation
	return p.run(ctx)
}

func (o PingOptions) withDefaults() PingOptions {
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.PayloadLen == 0 {
		o.PayloadLen = defaultPayload
	}
	o.PayloadLen = max(o.PayloadLen, 0)
	return o
}

// probe returns the probe that Ping sends again and again.
func (o *PingOptions) probe(dst netip.Addr) (Probe, error) {
	f := icmpx.FamilyOf(dst)
	if f == 0 {
		return Probe{}, fmt.Errorf("ping %v: invalid address", dst)
	}
	if o.Query != icmpx.ProtoEcho {
		r := icmpx.Request{Proto: o.Query, Dst: dst, TTL: o.TTL, TOS: o.TOS, DF: o.DF, Body: o.Body}
		return Probe{Request: r, Timeout: o.Timeout, AnySource: o.AnySource}, nil
	}
	n := o.PayloadLen
	if o.Payload != nil {
		n = len(o.Payload)
	}
	if n > f.MaxPayload() {
		return Probe{}, fmt.Errorf("ping %v: payload of %d bytes exceeds %d", dst, n, f.MaxPayload())
	}
	r := icmpx.Request{
		Proto: icmpx.ProtoEcho, Dst: dst, TTL: o.TTL, TOS: o.TOS, DF: o.DF,
		Size: f.HeaderLen() + 8 + n, Payload: o.Payload, Pattern: o.Pattern,
	}
	return Probe{Request: r, Timeout: o.Timeout, AnySource: o.AnySource}, nil
}

// A pinger is one run of Ping. Its mutex is the account's.
type pinger struct {
	account
	opts     PingOptions
	template Probe
	onResult func(*Result)
	timer    *time.Timer // of the goroutine that runs Ping

	schedule schedule
	open     map[uint64]flight // by Ref: sent and undecided
	lastSent time.Time

	ending           bool // what is lost now was not waited for long enough, unless
	lostIfSentBefore time.Time
}

// A flight is a probe that is under way.
type flight struct {
	ticket
	sent time.Time
}

func (p *pinger) run(ctx context.Context) (Stats, error) {
	p.schedule = newSchedule(&p.opts, p.started)
	p.throttle = &p.schedule.throttle
	p.timer = time.NewTimer(0)
	defer p.timer.Stop()
	if p.opts.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, p.started.Add(p.opts.Deadline))
		defer cancel()
	}
	err := p.sendAll(ctx)
	if err == nil {
		p.linger(ctx)
	}
	return p.finish(), err
}

// sendAll sends the probes when the schedule says, those that are due together
// in one batch. It returns early when the context ends.
func (p *pinger) sendAll(ctx context.Context) error {
	for n := uint64(1); p.more(n); {
		if !p.waitDue(ctx, n) || !p.more(n) {
			return nil
		}
		p.remind(n - 1)
		sent, err := p.sendDue(ctx, n)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil {
			return nil
		}
		n += sent
	}
	return nil
}

// sendDue sends probe n and those after it that are due as well, and returns
// how many that were.
func (p *pinger) sendDue(ctx context.Context, n uint64) (sent uint64, err error) {
	var link *linkState
	for sent < batch {
		var more bool
		if link, more, err = p.send(ctx, n+sent, link); err != nil {
			break
		}
		if sent++; !more || !p.more(n+sent) {
			break
		}
	}
	if link != nil {
		link.transmit()
	}
	return sent, err
}

// more reports whether probe n is to be sent.
func (p *pinger) more(n uint64) bool {
	if p.opts.Deadline > 0 {
		return !p.satisfied()
	}
	return p.opts.Count <= 0 || n <= uint64(p.opts.Count)
}

// satisfied reports whether a run with a deadline may end before it: enough
// answers, or an error.
func (p *pinger) satisfied() bool {
	if p.opts.Deadline <= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.stats
	return s.Errors > 0 || p.opts.Count > 0 && s.Received+s.Corrupted >= p.opts.Count
}

// waitDue waits until probe n is due, and meanwhile serves Report and lets a
// throttled rate grow. It returns false when the context has ended, and
// returns early when a run with a deadline is satisfied.
func (p *pinger) waitDue(ctx context.Context, n uint64) bool {
	for !p.satisfied() {
		wait := p.untilDue(n)
		if wait <= 0 {
			return ctx.Err() == nil
		}
		p.timer.Reset(wait)
		select {
		case <-p.timer.C:
		case <-ctx.Done():
			return false
		case <-p.opts.Report:
			p.report()
		case <-p.changed:
		}
	}
	return true
}

// untilDue returns how long to wait before looking again whether probe n is
// due.
func (p *pinger) untilDue(n uint64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.recover(now)
	wait := p.schedule.due(n).Sub(now)
	if p.schedule.throttle.active() {
		wait = min(wait, p.schedule.throttle.nextGrowth(now))
	}
	return max(wait, 0)
}

// send has the engine accept probe n, for transmit of the link that it returns
// to send. It reports whether the next probe is due as well.
func (p *pinger) send(ctx context.Context, n uint64, before *linkState) (link *linkState, more bool, err error) {
	probe := p.template
	probe.Ref = n
	p.mu.Lock()
	p.stats.Sent++
	p.stats.Pipe = max(p.stats.Pipe, len(p.open)+1)
	p.lastSent = time.Now()
	p.open[n] = flight{sent: p.lastSent}
	p.mu.Unlock()
	t, err := p.engine.accept(ctx, probe, p.onResult)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil { // it was never accepted
		p.stats.Sent--
		delete(p.open, n)
		return before, false, err
	}
	p.sent(t)
	p.schedule.sent(n, p.lastSent)
	if f, ok := p.open[n]; ok {
		f.ticket = t
		p.open[n] = f
	}
	return t.link, !p.schedule.due(n + 1).After(p.lastSent), nil
}

// remind reports that probe n, sent one interval ago, has no answer yet.
func (p *pinger) remind(n uint64) {
	if !p.opts.Waiting {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := p.open[n]; ok {
		p.tell(PingEvent{Kind: PingWaiting, Seq: uint16(f.tag)})
	}
}

// linger waits for what is open after the last probe.
func (p *pinger) linger(ctx context.Context) {
	for {
		left, ok := p.patience()
		if !ok {
			return
		}
		p.timer.Reset(left)
		select {
		case <-p.timer.C:
		case <-p.changed:
		case <-p.opts.Report:
			p.report()
		case <-ctx.Done():
			return
		}
	}
}

// patience returns for how long linger shall go on waiting, and false if there
// is nothing to wait for.
func (p *pinger) patience() (time.Duration, bool) {
	if p.satisfied() {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		return 0, false
	}
	left := time.Until(p.lastSent.Add(p.closingWait()))
	return left, left > 0
}

// closingWait is how long a probe is waited for at the end of the run. If
// nothing was answered it exceeds every probe's timeout, so that the engine
// decides them all. p.mu is held.
func (p *pinger) closingWait() time.Duration {
	if p.rtt.n() == 0 {
		return p.opts.Timeout + time.Minute
	}
	return min(p.opts.Timeout, max(p.opts.Interval, 2*p.rtt.max()))
}

// finish decides what is still open, after what has already arrived was read,
// and closes the account. What was waited for long enough is lost, what is
// younger is in flight.
func (p *pinger) finish() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lostIfSentBefore = time.Now().Add(-p.closingWait())
	p.ending = true
	p.settle(p.open)
	return p.close()
}

// report gives the account so far to the sink.
func (p *pinger) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.snapshot()
	s.InFlight = len(p.open)
	p.tell(PingEvent{Kind: PingReport, Stats: &s})
}

// done takes every result of the run's probes, from the engine's goroutine.
func (p *pinger) done(r *Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	if r.Fate.Final() {
		f := p.open[r.Probe.Ref]
		delete(p.open, r.Probe.Ref)
		p.schedule.answered(r.RTT)
		if p.ending && r.Fate == Lost && f.sent.After(p.lostIfSentBefore) {
			r.Fate = Canceled
		}
	}
	p.book(r)
}
