package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/probe"
)

// A pingSession is one run of "icmpx ping": its hosts, pinged at once over
// shared sockets, and its output.
type pingSession struct {
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	outer context.Context // ends when the user says so
	sys   *system
	asked *pingRun
	hosts []*pingHost
	socks *sockets
	names *names
	out   output
	trips progress

	json   render.JSON
	strays limiter         // used by the engine's goroutine alone
	hinted map[string]bool // hints that were given; guarded by out.mu

	mu     sync.Mutex
	byAddr map[netip.Addr]*pingHost // those that are pinged
}

func newPingSession(ctx context.Context, sys *system, r *pingRun, hosts []*pingHost, socks *sockets) *pingSession {
	s := &pingSession{
		outer: ctx, sys: sys, asked: r, hosts: hosts, socks: socks,
		hinted: make(map[string]bool), byAddr: make(map[netip.Addr]*pingHost),
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.names = newNames(s.ctx, sys.resolver)
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	return s
}

// run pings the hosts, prints their summaries and returns the exit code.
func (s *pingSession) run() (int, error) {
	defer s.names.close()
	defer s.stop()
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	if p := s.asked.opts.Pattern; p != nil && !s.asked.json && !s.asked.quiet {
		s.out.print(func(b []byte) []byte { return render.AppendPattern(b, p) })
	}
	engine := probe.New(s.config(), s.socks.links()...)
	s.pingAll(engine)
	err := errors.Join(s.out.failure(), engine.Close())
	return s.code(), err
}

func (s *pingSession) config() probe.Config {
	var cfg probe.Config
	if s.asked.json || s.asked.verbose || s.asked.flood && !s.asked.quiet {
		cfg.Tap = s.tap
	}
	return cfg
}

// pingAll pings all hosts at once and prints the summaries, in the order of the
// command line, when the last has ended. Hosts given by address begin at once,
// those given by name each as soon as it is resolved.
func (s *pingSession) pingAll(engine *probe.Engine) {
	var running, watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() { s.passStatus(ended) })
	ready := make([]bool, len(s.hosts))
	for i, h := range s.hosts {
		if h.Addr.IsValid() {
			ready[i] = s.begin(h)
		}
	}
	for i, h := range s.hosts {
		if ready[i] || !h.Addr.IsValid() {
			running.Go(func() {
				if ready[i] || s.begin(h) {
					s.ping(engine, h)
				}
			})
		}
	}
	running.Wait()
	close(ended)
	watching.Wait()
	s.out.printLast(s.appendSummaries)
	s.explainQuery()
	for _, h := range s.hosts {
		if h.started && h.err != nil {
			s.complain(h)
		}
	}
}

// ping pings one host to the end.
func (s *pingSession) ping(engine *probe.Engine, h *pingHost) {
	sink := func(ev *probe.PingEvent) { s.event(h, ev) }
	if s.asked.file.chunked {
		s.trip(engine, h, sink)
		return
	}
	opts := s.asked.opts
	opts.Report = h.status
	if h.many {
		opts.AnySource = true
		opts.MinInterval = s.asked.groupInterval()
	}
	h.account.Stats, h.err = probe.Ping(s.ctx, engine, h.Addr, opts, sink)
	if s.asked.file.name != "" {
		h.account.Payload = s.whole(h)
	}
}

// passStatus asks every host for its status when the user does.
func (s *pingSession) passStatus(ended <-chan struct{}) {
	tick, stop := s.progressTicks()
	defer stop()
	for {
		asked := false
		select {
		case <-s.sys.status:
			asked = true
		case <-tick:
		case <-ended:
			return
		}
		for _, h := range s.hosts {
			if asked {
				h.asked.Store(true)
			}
			select {
			case h.status <- struct{}{}:
			default: // it still has to answer the last question
			}
		}
	}
}

func (s *pingSession) appendSummaries(b []byte) []byte {
	for _, h := range s.hosts {
		switch {
		case !h.started:
		case s.asked.json:
			b = s.json.AppendSummary(b, &h.Host, &h.account)
		default:
			b = h.text.AppendSummary(b, &h.Host, &h.account)
		}
	}
	return b
}

// code returns the exit code: the worst of all hosts.
func (s *pingSession) code() int {
	code := exitOK
	for _, h := range s.hosts {
		switch {
		case h.err != nil && !errors.Is(h.err, probe.ErrGivenUp):
			return exitError
		case h.cut, h.err != nil, !s.asked.satisfied(h):
			code = exitNoAnswer
		}
	}
	if s.asked.file.chunked && code == exitNoAnswer && s.outer.Err() != nil {
		return interruptCode(s.outer)
	}
	return code
}
