package pmtu_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

const ms = time.Millisecond

// load reads a scenario of testdata.
func load(t *testing.T, name string) probetest.Options {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".net"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := probetest.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return o
}

// A session is a search in a bubble, and what came of it.
type session struct {
	result pmtu.Result
	err    error
	events []pmtu.Event
	sent   int // packets that left
}

// discover searches the path to the network's first host in a bubble.
func discover(t *testing.T, net probetest.Options, o pmtu.Options) (s session) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s = inBubble(t, net, o)
	})
	return s
}

func inBubble(t *testing.T, net probetest.Options, o pmtu.Options) (s session) {
	t.Helper()
	n := probetest.New(net)
	e := probe.New(probe.Config{}, n.Link(icmpx.IPv4), n.Link(icmpx.IPv6))
	s = with(t.Context(), e, net.Hosts[0].Addr, o)
	s.sent = n.Packets()
	if err := e.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return s
}

func with(ctx context.Context, e *probe.Engine, dst netip.Addr, o pmtu.Options) (s session) {
	s.result, s.err = pmtu.Discover(ctx, e, dst, o, func(ev *pmtu.Event) {
		s.events = append(s.events, *ev)
	})
	return s
}

// check holds what is true of every search.
func (s *session) check(t *testing.T) {
	t.Helper()
	r := &s.result
	final := 0
	for _, ev := range s.events {
		if ev.Probe.Fate.Final() {
			final++
		}
	}
	local := final - r.Sent // refused by this host, or not sent
	switch {
	case s.sent != final-failedEvents(s.events):
		t.Errorf("%d packets were handed to the network, %d probes told of", s.sent, final)
	case local < 0:
		t.Errorf("%d probes told of, the result says %d", final, r.Sent)
	case r.AtLeast > r.AtMost:
		t.Errorf("at least %d, at most %d", r.AtLeast, r.AtMost)
	case r.PMTU != 0 && (r.AtLeast != r.PMTU || r.AtMost != r.PMTU):
		t.Errorf("path MTU %d, at least %d, at most %d", r.PMTU, r.AtLeast, r.AtMost)
	case (r.PMTU == 0) != (r.TCPMSS == 0):
		t.Errorf("path MTU %d, TCP MSS %d", r.PMTU, r.TCPMSS)
	}
	for _, f := range r.Findings {
		if f.Code.Explain() == "" || f.Text == "" {
			t.Errorf("finding %v is not explained", f)
		}
	}
}

func failedEvents(list []pmtu.Event) int {
	n := 0
	for _, ev := range list {
		if ev.Probe.Fate == probe.Failed {
			n++
		}
	}
	return n
}
