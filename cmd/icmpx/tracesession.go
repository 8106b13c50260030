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
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/trace"
)

// A traceSession is one run of "icmpx trace", and its output. Three work side by
// side: the trace itself, the registry that finds names, and the printer that
// waits for them; the trace never does.
type traceSession struct {
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	outer context.Context // ends when the user says so
	sys   *system
	asked *traceRun
	host  render.TraceHost
	opts  trace.Options
	notes []string

	registry *registry
	rows     chan *trace.Row // final, in order of TTL; has room for all
	out      output
	text     render.TraceText
	json     render.TraceJSON
	answers  atomic.Int64
	printed  atomic.Int64
}

func newTraceSession(ctx context.Context, sys *system, r *traceRun, addr netip.Addr, links *traceLinks) (*traceSession, error) {
	link, err := links.of(addr)
	if err != nil {
		return nil, err
	}
	s := &traceSession{outer: ctx, sys: sys, asked: r, rows: make(chan *trace.Row, maxTraceTTL)}
	mtu := 0
	if src, err := link.SourceFor(addr); err == nil { // else there is no route, which sending will say
		mtu = sys.deviceMTU(src, r.socket.Interface)
	}
	s.opts, s.host, s.notes, err = r.settle(addr, link.Mode(), mtu)
	if err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	s.text = render.TraceText{Numeric: r.numeric, Extensions: r.extensions, Back: r.back, Verbose: r.verbose, Name: s.nameOf}
	if !r.numeric {
		s.json.Name = s.nameOf
	}
	if r.as {
		s.text.AS, s.json.AS = s.systemOf, s.systemOf
	}
	return s, nil
}

func (s *traceSession) nameOf(a netip.Addr) string   { return s.registry.nameFor(a) }
func (s *traceSession) systemOf(a netip.Addr) string { return s.registry.systemFor(a) }

// run traces the way, prints what it finds and returns the exit code.
func (s *traceSession) run(links *traceLinks) (int, error) {
	defer s.registry.close()
	defer s.stop()
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	s.out.print(func(b []byte) []byte { return s.appendStart(b) })
	family := icmpx.FamilyOf(s.host.Addr)
	closed := links.keep(family)
	engine := probe.New(probe.Config{}, links.links(family)...)

	var printing, watching sync.WaitGroup
	ended := make(chan struct{})
	printing.Go(s.printRows)
	watching.Go(func() { s.passStatus(ended) })
	res, err := trace.Run(s.ctx, engine, s.host.Addr, s.opts, s.event)
	close(s.rows)
	printing.Wait()
	close(ended)
	watching.Wait()
	s.out.printLast(func(b []byte) []byte { return s.appendEnd(b, &res) })

	code, err := s.verdict(&res, err)
	return code, errors.Join(err, s.out.failure(), closed, engine.Close())
}

// verdict returns the exit code, and what went wrong in a trace that did not
// just end early.
func (s *traceSession) verdict(res *trace.Result, err error) (int, error) {
	switch {
	case err != nil && s.ctx.Err() == nil:
		return exitError, &hintedError{err: err, hint: hintIn(traceHints(), err)}
	case res.Interrupted && s.outer.Err() != nil:
		return interruptCode(s.outer), nil
	case res.Reached:
		return exitOK, nil
	}
	return exitNoAnswer, nil
}

// traceHints are for errors of sending a packet: those of ping, but for what
// names a flag.
func traceHints() []errnoHint {
	return append([]errnoHint{
		{syscall.ENOBUFS, "the queue of the device is full; -z TIME, or -N, gives it time"},
		{syscall.EMSGSIZE, "the packet exceeds the largest that may leave; a smaller PACKETLEN passes"},
	}, sendHints...)
}

// event takes what the trace tells, and is back at once.
func (s *traceSession) event(ev *trace.Event) {
	if ev.Probe != nil {
		s.answers.Add(1)
		s.registry.ask(ev.Probe.From)
	}
	if ev.Row != nil {
		s.rows <- ev.Row
	}
}

// printRows prints the rows in order, each as soon as what is to be known about
// its addresses is, or is too late.
func (s *traceSession) printRows() {
	for row := range s.rows {
		s.registry.wait(render.Addresses(row))
		s.printed.Add(1)
		s.out.print(func(b []byte) []byte { return s.appendRow(b, row) })
	}
}

// passStatus says how far the trace is, whenever the user asks.
func (s *traceSession) passStatus(ended <-chan struct{}) {
	for {
		select {
		case <-s.sys.status:
		case <-ended:
			return
		}
		s.out.warn(func(b []byte) []byte {
			return s.text.AppendStatus(b, &s.host, int(s.printed.Load()), int(s.answers.Load()))
		})
	}
}

func (s *traceSession) appendStart(b []byte) []byte {
	switch {
	case s.asked.json:
		return s.json.AppendStart(b, &s.host, time.Now())
	case s.asked.dot:
		return b
	}
	return s.text.AppendStart(b, &s.host)
}

func (s *traceSession) appendRow(b []byte, row *trace.Row) []byte {
	switch {
	case s.asked.json:
		return s.json.AppendRow(b, row)
	case s.asked.dot:
		return b
	}
	return s.text.AppendRow(b, row)
}

func (s *traceSession) appendEnd(b []byte, res *trace.Result) []byte {
	switch {
	case s.asked.json:
		return s.json.AppendSummary(b, &s.host, res, s.notes)
	case s.asked.dot:
		graph := render.TraceDot{Name: s.json.Name, AS: s.json.AS}
		return graph.AppendGraph(b, &s.host, res)
	}
	return s.text.AppendSummary(b, &s.host, res, s.notes)
}

// A hintedError is an error with what helps against it.
type hintedError struct {
	err  error
	hint string
}

// Error returns what went wrong.
func (e *hintedError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *hintedError) Unwrap() error { return e.err }
