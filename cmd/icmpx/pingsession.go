package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A pingSession is one run of "icmpx ping": its hosts, pinged at once over
// shared sockets, and its output.
type pingSession struct {
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	sys   *system
	asked *pingRun
	hosts []*pingHost
	socks *sockets
	names *names
	out   output

	json   render.JSON
	strays limiter         // used by the engine's goroutine alone
	hinted map[string]bool // hints that were given; guarded by out.mu
}

func newPingSession(ctx context.Context, sys *system, r *pingRun, hosts []*pingHost, socks *sockets) *pingSession {
	s := &pingSession{sys: sys, asked: r, hosts: hosts, socks: socks, hinted: make(map[string]bool)}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.names = newNames(s.ctx, sys.resolver)
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	return s
}

// resolve finds the address of each host, all at once, and what else output
// says about it.
func (s *pingSession) resolve() {
	var lookups sync.WaitGroup
	for _, h := range s.hosts {
		if h.Addr.IsValid() {
			s.choose(h)
			continue
		}
		lookups.Go(func() {
			addrs, err := lookUp(s.ctx, s.sys.resolver, h.Name, s.asked.family)
			if err != nil {
				h.err = err
				return
			}
			h.Addr = addrs[0]
			for _, a := range addrs {
				if _, err := s.socks.of(a); err == nil {
					h.Addr = a
					break
				}
			}
			s.choose(h)
			if !s.asked.numeric && !s.asked.json {
				h.text.Name = s.names.of
				s.names.of(h.Addr) // so that it is known when the first reply comes, if it can be
			}
		})
	}
	lookups.Wait()
}

// choose settles on the address of a host.
func (s *pingSession) choose(h *pingHost) {
	sock, err := s.socks.of(h.Addr)
	if err != nil {
		h.err = err
		return
	}
	if f := icmpx.FamilyOf(h.Addr); h.Payload > f.MaxPayload() {
		h.err = fmt.Errorf("%s is %v: -s %d does not fit into an %v packet: at most %d", h.Name, h.Addr, h.Payload, f, f.MaxPayload())
		return
	}
	h.Socket = sock.Mode()
	h.Source = s.asked.source
	if src, err := sock.SourceFor(h.Addr); err == nil && !h.Source.IsValid() {
		h.Source = src // else there is no route now, which sending will say
	}
}

// run pings the hosts that could be resolved, prints their summaries and
// returns the exit code.
func (s *pingSession) run() (int, error) {
	defer s.names.close()
	defer s.stop()
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	interrupted := s.ctx.Err() != nil
	for _, h := range s.hosts {
		switch {
		case interrupted:
			h.err = context.Cause(s.ctx)
		case h.err != nil:
			s.complain(h)
		default:
			h.started = true
			s.out.print(func(b []byte) []byte { return s.appendStart(b, h) })
		}
	}
	engine := probe.New(s.config(), s.socks.links()...)
	if !interrupted {
		s.pingAll(engine)
	}
	err := errors.Join(s.out.failure(), engine.Close())
	return s.code(interrupted), err
}

func (s *pingSession) config() probe.Config {
	var cfg probe.Config
	if s.asked.json || s.asked.verbose {
		cfg.Tap = s.tap
	}
	return cfg
}

// pingAll pings all hosts at once and prints the summaries, in the order of the
// command line, when the last has ended.
func (s *pingSession) pingAll(engine *probe.Engine) {
	var running, watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() { s.passStatus(ended) })
	for _, h := range s.hosts {
		if !h.started {
			continue
		}
		opts := s.asked.opts
		opts.Report = h.status
		opts.AnySource = h.Addr.IsMulticast()
		running.Go(func() {
			h.stats, h.err = probe.Ping(s.ctx, engine, h.Addr, opts, func(ev *probe.PingEvent) { s.event(h, ev) })
		})
	}
	running.Wait()
	close(ended)
	watching.Wait()
	s.out.printLast(s.appendSummaries)
	for _, h := range s.hosts {
		if h.started && h.err != nil {
			s.complain(h)
		}
	}
}

// passStatus asks every host for its status when the user does.
func (s *pingSession) passStatus(ended <-chan struct{}) {
	for {
		select {
		case <-s.sys.status:
		case <-ended:
			return
		}
		for _, h := range s.hosts {
			select {
			case h.status <- struct{}{}:
			default: // it still has to answer the last question
			}
		}
	}
}

// event prints one event of a host.
func (s *pingSession) event(h *pingHost, ev *probe.PingEvent) {
	now := time.Now()
	switch {
	case ev.Kind == probe.PingReport:
		s.out.warn(func(b []byte) []byte { return h.text.AppendStatus(b, &h.Host, ev.Stats) })
	case s.asked.quiet:
	case s.asked.json:
		s.out.print(func(b []byte) []byte { return s.json.AppendEvent(b, &h.Host, ev, now) })
	case render.IsLocal(&h.Host, ev):
		s.local(h, ev)
	case ev.Kind == probe.PingRejected && !s.strays.allow(now):
	default:
		s.out.print(func(b []byte) []byte { return h.text.AppendEvent(b, &h.Host, ev, now) })
	}
}

// local says what this host could not do, and once what helps.
func (s *pingSession) local(h *pingHost, ev *probe.PingEvent) {
	hint := sendHint(ev.Result)
	s.out.warn(func(b []byte) []byte {
		b = h.text.AppendLocal(append(b, "icmpx: error: "...), &h.Host, ev)
		b = append(b, '\n')
		if s.hinted[hint] {
			return b
		}
		s.hinted[hint] = true
		return appendHint(b, hint)
	})
}

// tap prints what belongs to no probe, and in JSON what was rejected.
func (s *pingSession) tap(e probe.Event) {
	wanted := e.Kind == probe.EventStray || e.Kind == probe.EventRejected && s.asked.json
	if !wanted || s.asked.quiet {
		return
	}
	now := time.Now()
	if !s.strays.allow(now) {
		return
	}
	s.out.print(func(b []byte) []byte {
		if s.asked.json {
			return s.json.AppendStray(b, e.Reply, e.Why)
		}
		return s.hosts[0].text.AppendStray(b, e.Reply, e.Why, now)
	})
}

func (s *pingSession) appendStart(b []byte, h *pingHost) []byte {
	if s.asked.json {
		return s.json.AppendStart(b, &h.Host, time.Now())
	}
	return h.text.AppendStart(b, &h.Host)
}

func (s *pingSession) appendSummaries(b []byte) []byte {
	for _, h := range s.hosts {
		switch {
		case !h.started:
		case s.asked.json:
			b = s.json.AppendSummary(b, &h.Host, &h.stats)
		default:
			b = h.text.AppendSummary(b, &h.Host, &h.stats)
		}
	}
	return b
}

// complain reports why a host is not pinged.
func (s *pingSession) complain(h *pingHost) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	report(s.out.stderr, h.err)
}

// code returns the exit code: the worst of all hosts.
func (s *pingSession) code(interrupted bool) int {
	code := exitOK
	for _, h := range s.hosts {
		switch {
		case h.err != nil && !interrupted:
			return exitError
		case h.err != nil, !s.asked.satisfied(&h.stats):
			code = exitNoAnswer
		}
	}
	return code
}
