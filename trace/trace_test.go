package trace_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
	"github.com/icmpx/icmpx/trace"
)

const ms = time.Millisecond

var (
	dst4 = netip.MustParseAddr("203.0.113.9")
	dst6 = netip.MustParseAddr("2001:db8:9::9")
)

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

// A session is a trace in a bubble, and what came of it.
type session struct {
	result trace.Result
	err    error
	events []trace.Event
	times  []time.Duration // of the events
	net    *probetest.Net
}

// run traces the way to the network's first host in a bubble.
func run(t *testing.T, net probetest.Options, o trace.Options) (s session) {
	t.Helper()
	runWith(t, net, func(ctx context.Context, e *probe.Engine, n *probetest.Net) {
		s.net = n
		begin := time.Now()
		s.result, s.err = trace.Run(ctx, e, net.Hosts[0].Addr, o, func(ev *trace.Event) {
			s.events = append(s.events, *ev)
			s.times = append(s.times, time.Since(begin))
		})
		if got := time.Since(begin); got != s.result.Duration {
			t.Errorf("took %v and says %v", got, s.result.Duration)
		}
	})
	s.check(t, o)
	return s
}

// runWith calls f with an engine in a bubble.
func runWith(t *testing.T, net probetest.Options, f func(context.Context, *probe.Engine, *probetest.Net)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := probetest.New(net)
		e := probe.New(probe.Config{}, n.Link(icmpx.IPv4), n.Link(icmpx.IPv6))
		f(t.Context(), e, n)
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// check holds what is true of every trace.
func (s *session) check(t *testing.T, o trace.Options) {
	t.Helper()
	var rows []*trace.Row
	for _, ev := range s.events {
		if (ev.Row == nil) == (ev.Probe == nil) {
			t.Errorf("event %+v", ev)
		}
		if ev.Row != nil {
			rows = append(rows, ev.Row)
		}
	}
	if len(rows) != len(s.result.Rows) {
		t.Fatalf("%d rows were told, %d stand in the result", len(rows), len(s.result.Rows))
	}
	for i, row := range rows {
		if row.TTL != max(o.FirstTTL, 1)+i || fmt.Sprint(*row) != fmt.Sprint(s.result.Rows[i]) {
			t.Errorf("row %d was told as %+v, is %+v", i, *row, s.result.Rows[i])
		}
	}
	if s.err == nil && s.net.Packets() != s.result.Sent {
		t.Errorf("%d packets left, the result says %d", s.net.Packets(), s.result.Sent)
	}
}

// text writes a result as the want files have it.
func text(r *trace.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: reached %v, %d hops, %d probes, %v", r.Method, r.Reached, r.Hops, r.Sent, r.Duration)
	if r.PortState != trace.PortUnknown {
		fmt.Fprintf(&b, ", port %v", r.PortState)
	}
	if r.Strays+r.Forged+r.Notices > 0 {
		fmt.Fprintf(&b, ", %d strays, %d forged, %d notices", r.Strays, r.Forged, r.Notices)
	}
	b.WriteByte('\n')
	dark := 0
	for i := range r.Rows {
		if r.Rows[i].Dark {
			dark++
			continue
		}
		writeRow(&b, &r.Rows[i])
	}
	if dark > 0 {
		fmt.Fprintf(&b, "%d dark rows\n", dark)
	}
	for _, q := range r.Questions {
		fmt.Fprintf(&b, "asked %v %d: %s\n", q.Method, q.Port, probeText(&q.Probe, netip.Addr{}))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%v %v %d: %s", f.Severity, f.Code, f.Hop, f.Text)
		for _, fact := range f.Evidence {
			fmt.Fprintf(&b, "; %s=%v", fact.Name, fact.Value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func writeRow(b *strings.Builder, row *trace.Row) {
	fmt.Fprintf(b, "%2d", row.TTL)
	var from netip.Addr
	for i := range row.Probes {
		p := &row.Probes[i]
		fmt.Fprintf(b, "  %s", probeText(p, from))
		if p.From.IsValid() {
			from = p.From
		}
		if p.State == trace.Answered && p.TTL != row.TTL {
			fmt.Fprintf(b, " (ttl %d)", p.TTL)
		}
	}
	if row.First.Answered < row.First.Sent {
		fmt.Fprintf(b, "  first %d/%d, again %d/%d", row.First.Answered, row.First.Sent, row.Again.Answered, row.Again.Sent)
	}
	if row.Extra > 0 {
		fmt.Fprintf(b, "  extra %d", row.Extra)
	}
	if row.MTU > 0 {
		fmt.Fprintf(b, "  mtu %d", row.MTU)
	}
	if row.End {
		b.WriteString("  end")
	}
	b.WriteByte('\n')
}

func probeText(p *trace.Probe, before netip.Addr) string {
	switch p.State {
	case trace.Lost:
		return "*"
	case trace.Answered:
	default:
		return p.State.String()
	}
	s := p.RTT.String()
	if p.From != before {
		s = p.From.String() + " " + s
	}
	if p.Kind != icmpx.KindTimeExceeded {
		s += " " + p.Kind.String()
	}
	if p.Kind.Quotes() && p.Code != 0 {
		s += fmt.Sprintf("/%d", p.Code)
	}
	for _, e := range p.Extensions {
		if stack, ok := e.(*icmp.MPLSLabelStack); ok {
			s += fmt.Sprintf(" mpls %d", stack.Labels[0].Label)
		}
	}
	if p.Changes != 0 {
		s += " changed " + p.Changes.String()
	}
	return s
}
