package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
)

// A pmtuSession is one run of "icmpx pmtu", and its output.
type pmtuSession struct {
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	outer context.Context // ends when the user says so
	sys   *system
	asked *pmtuRun
	host  render.PmtuHost
	opts  pmtu.Options

	registry *registry
	out      output
	text     render.PmtuText
	json     render.PmtuJSON
	latest   atomic.Pointer[render.PmtuProgress] // for lines of status
}

func newPmtuSession(ctx context.Context, sys *system, r *pmtuRun, addr netip.Addr, links *pmtuLinks) (*pmtuSession, error) {
	link, err := links.of(addr)
	if err != nil {
		return nil, err
	}
	s := &pmtuSession{outer: ctx, sys: sys, asked: r}
	device := 0
	if src, err := link.SourceFor(addr); err == nil { // else there is no route, which sending will say
		device = sys.deviceMTU(src, r.socket.Interface)
	}
	s.opts, s.host, err = r.settle(addr, link.Mode(), device, routeMTU(link, addr))
	if err != nil {
		return nil, err
	}
	s.opts.Scattered = links.scattered(addr)
	s.ctx, s.stop = context.WithCancel(ctx)
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	s.text = render.PmtuText{Numeric: r.numeric, Verbose: r.verbose, Name: s.nameOf}
	s.latest.Store(new(render.PmtuProgress))
	return s, nil
}

func (s *pmtuSession) nameOf(a netip.Addr) string { return s.registry.nameFor(a) }

// run finds the path MTU, prints what it finds and returns the exit code.
func (s *pmtuSession) run(links *pmtuLinks) (int, error) {
	defer s.registry.close()
	defer s.stop()
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	s.out.print(s.appendStart)
	family := icmpx.FamilyOf(s.host.Addr)
	closed := links.keep(family)
	engine := probe.New(probe.Config{Rate: s.asked.rate}, links.links(family)...)

	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() { s.passStatus(ended) })
	res, err := pmtu.Discover(s.ctx, engine, s.host.Addr, s.opts, s.event)
	close(ended)
	watching.Wait()
	if res.Dst.IsValid() { // else the options were refused, and there is nothing to tell
		s.registry.wait(s.text.Addresses(&res))
		s.out.printLast(func(b []byte) []byte { return s.appendEnd(b, &res) })
	}

	code, err := s.verdict(&res, err)
	return code, errors.Join(err, s.out.failure(), closed, engine.Close())
}

// verdict returns the exit code, and what went wrong in a search that did not
// just end early.
func (s *pmtuSession) verdict(res *pmtu.Result, err error) (int, error) {
	switch {
	case err != nil && s.ctx.Err() == nil:
		return exitError, &hintedError{err: err, hint: hintIn(pmtuHints(), err)}
	case res.Interrupted && s.outer.Err() != nil:
		return interruptCode(s.outer), nil
	case res.PMTU == 0 || res.Verdict == pmtu.Unanswered || res.Verdict == pmtu.Unsure:
		return exitNoAnswer, nil
	}
	return exitOK, nil
}

// pmtuHints are for errors of sending a packet: those of ping, but for what
// names a flag.
func pmtuHints() []errnoHint {
	return append([]errnoHint{
		{syscall.ENOBUFS, "the queue of the device is full; --rate N gives it time"},
		{syscall.EMSGSIZE, "the interface takes no packet of the size that a probe needs; ip link shows its MTU"},
	}, sendHints...)
}

// event takes what the search tells.
func (s *pmtuSession) event(ev *pmtu.Event) {
	if ev.Probe.From.IsValid() {
		s.registry.ask(ev.Probe.From)
	}
	p := &render.PmtuProgress{
		Round: ev.Round, Probes: s.latest.Load().Probes, AtLeast: ev.AtLeast, AtMost: ev.AtMost,
	}
	if ev.Probe.Fate != probe.Extra {
		p.Probes++
	}
	s.latest.Store(p)
	switch {
	case s.asked.json:
		s.out.print(func(b []byte) []byte { return s.json.AppendProbe(b, &ev.Probe) })
	case s.sys.terminal:
		s.out.progress(func(b []byte) []byte { return s.text.AppendProgress(b, p) })
	}
}

// passStatus says how far the search is, whenever the user asks.
func (s *pmtuSession) passStatus(ended <-chan struct{}) {
	for {
		select {
		case <-s.sys.status:
		case <-ended:
			return
		}
		s.out.warn(func(b []byte) []byte { return s.text.AppendStatus(b, &s.host, s.latest.Load()) })
	}
}

func (s *pmtuSession) appendStart(b []byte) []byte {
	if s.asked.json {
		return s.json.AppendStart(b, &s.host, time.Now())
	}
	return s.text.AppendStart(b, &s.host)
}

func (s *pmtuSession) appendEnd(b []byte, res *pmtu.Result) []byte {
	if s.asked.json {
		return s.json.AppendSummary(b, &s.host, res)
	}
	return s.text.AppendSummary(b, &s.host, res)
}
