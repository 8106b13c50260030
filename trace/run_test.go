package trace_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
	"github.com/icmpx/icmpx/trace"
)

// chain is a path of routers, one every 5 ms, and a host at its end.
func chain(routers int) probetest.Options {
	h := probetest.Host{Addr: dst4, Hop: probetest.Hop{RTT: time.Duration(routers+1) * 5 * ms}}
	for i := range routers {
		h.Path = append(h.Path, probetest.Hop{
			Addr: netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)}),
			RTT:  time.Duration(i+1) * 5 * ms,
		})
	}
	return probetest.Options{Hosts: []probetest.Host{h}}
}

// codes returns the codes of a trace's findings.
func codes(r *trace.Result) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, string(f.Code))
	}
	return list
}

func wantCodes(t *testing.T, r *trace.Result, want ...string) {
	t.Helper()
	if got := codes(r); !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
}

// Rows come when they are final: those before a silent hop at once, the others
// with it.
func TestStreaming(t *testing.T) {
	s := run(t, load(t, "silent"), trace.Options{})
	ttl := 0
	for i, ev := range s.events {
		if ev.Row == nil {
			continue
		}
		ttl++
		want := 20*ms + time.Duration(ttl)*5*ms
		if ttl >= 8 {
			want = 167500 * time.Microsecond
		}
		if ev.Row.TTL != ttl || s.times[i] != want {
			t.Errorf("row %d came as %d-th after %v, want %v", ev.Row.TTL, ttl, s.times[i], want)
		}
	}
}

// The longest path that there can be: every TTL counts.
func TestLongestPath(t *testing.T) {
	o := chain(254)
	s := run(t, o, trace.Options{MaxTTL: 255, Queries: 1})
	if r := &s.result; !r.Reached || r.Hops != 255 || len(r.Rows) != 255 || r.Sent != 255 || len(r.Findings) != 0 {
		t.Errorf("%s", text(r))
	}
	// The window moves at hops 32, 48, ..., 240, each a round trip.
	want := 255 * 5 * ms
	for top := 32; top <= 240; top += 16 {
		want += time.Duration(top) * 5 * ms
	}
	if s.result.Duration != want {
		t.Errorf("took %v, want %v", s.result.Duration, want)
	}
	s = run(t, o, trace.Options{MaxTTL: 254, Queries: 1})
	wantCodes(t, &s.result, "max_ttl")
}

// Every code of unreachable at mid-path ends the path where it is said, and is
// never taken for the destination.
func TestUnreachableCodes(t *testing.T) {
	for code := range uint8(16) {
		if code == 4 {
			continue // too big
		}
		o := chain(8)
		o.Hosts[0].Path[3].Reject = probetest.Error{Type: 3, Code: code}
		want := "unreachable"
		if slices.Contains([]uint8{2, 3, 9, 10, 13}, code) {
			want = "filtered"
		}
		checkRefused(t, o, code, want)
	}
	for code := range uint8(8) {
		o := load(t, "six")
		o.Hosts[0].Path[3].Reject = probetest.Error{Type: 1, Code: code}
		want := "unreachable"
		if slices.Contains([]uint8{1, 4, 5, 6}, code) {
			want = "filtered"
		}
		checkRefused(t, o, code, want)
	}
}

func checkRefused(t *testing.T, o probetest.Options, code uint8, want string) {
	t.Helper()
	for _, m := range []trace.Method{trace.UDP, trace.ICMP, trace.TCP} {
		s := run(t, o, trace.Options{Method: m})
		r := &s.result
		end := r.End()
		if r.Reached || r.Hops != 5 || end == nil || end.TTL != 5 {
			t.Errorf("%v code %d: %s", m, code, text(r))
			continue
		}
		for _, p := range end.Probes {
			if p.Kind != icmpx.KindUnreachable || p.Code != code || p.From != o.Hosts[0].Path[3].Addr {
				t.Errorf("%v code %d: the end says %+v", m, code, p)
			}
		}
		if m == trace.TCP && r.PortState != trace.PortFiltered {
			t.Errorf("code %d: port %v", code, r.PortState)
		}
		wantCodes(t, r, want)
	}
}

// A router that refuses one probe and passes the next is not the end.
func TestRefusedOnce(t *testing.T) {
	o := chain(6)
	o.Hosts[0].Path[2].Rules = []probetest.Rule{{
		When: probetest.When{First: 3, Last: 3},
		Do:   probetest.Refuse(probetest.Error{Type: 3, Code: 1}),
	}}
	s := run(t, o, trace.Options{Method: trace.ICMP, Queries: 2})
	if r := &s.result; !r.Reached || r.Hops != 7 || r.Rows[4].Probes[0].Kind != icmpx.KindUnreachable {
		t.Errorf("%s", text(r))
	}
}

// Who is silent to a method may be alive to another.
func TestSilentToMethod(t *testing.T) {
	tests := []struct {
		method trace.Method
		alive  icmpx.Proto
		want   string
	}{
		{trace.UDP, icmpx.ProtoEcho, "icmp"},
		{trace.UDP, icmpx.ProtoTCPSYN, "tcp port 443"},
		{trace.UDPFixed, icmpx.ProtoEcho, "icmp"},
		{trace.ICMP, icmpx.ProtoUDP, "udp port 33434"},
		{trace.TCP, icmpx.ProtoEcho, "icmp"},
	}
	for _, tt := range tests {
		o := chain(5)
		o.Hosts[0].Rules = []probetest.Rule{{Do: func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
			if p.Request.Proto != tt.alive {
				return nil
			}
			return ds
		}}}
		s := run(t, o, trace.Options{Method: tt.method})
		r := &s.result
		wantCodes(t, r, "silent_to_method")
		if r.Reached || r.Hops != 5 || r.Duration != 520*ms {
			t.Errorf("%s", text(r))
		}
		if fact := r.Findings[0].Evidence[2]; fact.Name != "alive_to" || fact.Value != tt.want {
			t.Errorf("%v: %+v, want %q", tt.method, fact, tt.want)
		}
	}
}

// A firewall that says port unreachable in its own name is not the destination,
// if it refuses by TTL as well; one that says it in the destination's is.
func TestPortUnreachableFromElsewhere(t *testing.T) {
	o := chain(5)
	o.Hosts[0].Path[2].Reject = probetest.Error{Type: 3, Code: 3}
	s := run(t, o, trace.Options{})
	if s.result.Reached || s.result.Hops != 4 {
		t.Errorf("%s", text(&s.result))
	}
	wantCodes(t, &s.result, "filtered")
	o.Hosts[0].Path[2].Addr = dst4
	s = run(t, o, trace.Options{})
	if !s.result.Reached || s.result.Hops != 4 {
		t.Errorf("%s", text(&s.result))
	}
}

// Answers that come after the end, from behind it or again, change nothing.
func TestAnswersAfterTheEnd(t *testing.T) {
	clean := run(t, chain(5), trace.Options{Method: trace.ICMP})
	o := chain(5)
	o.Intercept = func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		late := probetest.Delivery{After: 41 * ms, Reply: p.Error(netip.MustParseAddr("198.51.100.99"), probetest.Error{Type: 11})}
		if p.Request.TTL > 6 {
			return []probetest.Delivery{late}
		}
		return append(ds, late)
	}
	s := run(t, o, trace.Options{Method: trace.ICMP})
	for i := range s.result.Rows {
		s.result.Rows[i].Extra = 0
	}
	if got, want := text(&s.result), text(&clean.result); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What comes during the second wait is no star, whichever question it answers.
func TestLateAnswers(t *testing.T) {
	o := chain(9)
	delay := func(d time.Duration) []probetest.Rule {
		return []probetest.Rule{{Do: func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
			if p.TTL == 1 {
				return probetest.Delay(d)(p, ds)
			}
			return ds
		}}}
	}
	o.Hosts[0].Path[3].Rules = delay(70 * ms)
	s := run(t, o, trace.Options{Queries: 1})
	// Overdue after 50 ms, as long as all else takes; asked again then.
	row := s.result.Rows[3]
	if p := row.Probes[0]; p.State != trace.Answered || p.RTT != 90*ms || p.Asked != 2 || row.First != (trace.Tally{Sent: 1, Answered: 1}) {
		t.Errorf("%+v", row)
	}
	if s.result.Sent != 33 || s.result.Duration != 90*ms {
		t.Errorf("%s", text(&s.result))
	}
}

func TestInterrupted(t *testing.T) {
	runWith(t, chain(9), func(ctx context.Context, e *probe.Engine, n *probetest.Net) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(32*ms, func() { cancel(cause) })
		told := 0
		r, err := trace.Run(ctx, e, dst4, trace.Options{}, func(ev *trace.Event) {
			if ev.Row != nil {
				told++
			}
		})
		if !errors.Is(err, cause) || !r.Interrupted || r.Reached || r.Duration != 32*ms {
			t.Errorf("error %v, %s", err, text(&r))
		}
		if len(r.Rows) != 6 || told != 6 || r.Rows[1].Probes[2].State != trace.Answered || r.Rows[2].Probes[2].State != trace.Open {
			t.Errorf("%s", text(&r))
		}
		wantCodes(t, &r)
	})
}

func TestEngineClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := probe.New(probe.Config{}, probetest.New(chain(9)).Link(icmpx.IPv4))
		time.AfterFunc(32*ms, func() { e.Close() })
		r, err := trace.Run(t.Context(), e, dst4, trace.Options{}, nil)
		if !errors.Is(err, net.ErrClosed) || !r.Interrupted || len(r.Rows) != 6 || r.Duration != 32*ms {
			t.Errorf("error %v, %s", err, text(&r))
		}
		r, err = trace.Run(t.Context(), e, dst4, trace.Options{}, nil)
		if !errors.Is(err, net.ErrClosed) || r.Sent != 0 {
			t.Errorf("error %v, %s", err, text(&r))
		}
	})
}

func TestNoLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := probe.New(probe.Config{}, probetest.New(chain(9)).Link(icmpx.IPv4))
		defer e.Close()
		if _, err := trace.Run(t.Context(), e, dst6, trace.Options{}, nil); !errors.Is(err, probe.ErrNoLink) {
			t.Errorf("error %v", err)
		}
	})
}

func TestPace(t *testing.T) {
	tests := []struct {
		name string
		opts trace.Options
		took time.Duration
		sent int
	}{
		// One after the other, and none behind the end.
		{"one in flight", trace.Options{Queries: 1, InFlight: 1}, (5 + 10 + 15 + 20 + 25 + 30 + 35 + 40 + 45 + 50) * ms, 10},
		// TTL 10 leaves after 63 ms; 17 leave before its answer.
		{"pause", trace.Options{Queries: 1, SendWait: 7 * ms}, 63*ms + 50*ms, 17},
		{"four in flight", trace.Options{Queries: 1, InFlight: 4}, 0, 13},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := run(t, chain(9), tt.opts)
			if tt.took != 0 && s.result.Duration != tt.took || s.result.Sent != tt.sent || !s.result.Reached {
				t.Errorf("want %v, %d probes: %s", tt.took, tt.sent, text(&s.result))
			}
		})
	}
}

// Each flow keeps to one branch, and some flow takes the other one.
func TestPaths(t *testing.T) {
	seen := map[string]bool{}
	for path := range uint16(16) {
		s := run(t, load(t, "diamond"), trace.Options{Path: path})
		var way []string
		for i := range s.result.Rows {
			routers := s.result.Rows[i].Routers()
			if len(routers) != 1 {
				t.Errorf("path %d: %v at hop %d", path, routers, i+1)
			}
			way = append(way, fmt.Sprint(routers))
		}
		seen[strings.Join(way, " ")] = true
	}
	if len(seen) != 2 {
		t.Errorf("16 flows took %d paths, want the 2 that there are: %v", len(seen), seen)
	}
}

// Many traces share an engine.
func TestConcurrent(t *testing.T) {
	alone := run(t, load(t, "silent"), trace.Options{Method: trace.ICMP})
	runWith(t, load(t, "silent"), func(ctx context.Context, e *probe.Engine, _ *probetest.Net) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				r, err := trace.Run(ctx, e, dst4, trace.Options{Method: trace.ICMP}, nil)
				if got, want := text(&r), text(&alone.result); err != nil || got != want {
					t.Errorf("error %v, got %s, want %s", err, got, want)
				}
			})
		}
		wg.Wait()
	})
}

func TestBadOptions(t *testing.T) {
	bad := []trace.Options{
		{FirstTTL: -1}, {FirstTTL: 256}, {MaxTTL: 256}, {FirstTTL: 9, MaxTTL: 8}, {Queries: -1}, {Queries: 101},
		{Size: 27}, {Size: 65536}, {Method: trace.TCP, Size: 39}, {TOS: 256}, {TOS: -2}, {Method: 9},
		{SendWait: -1}, {InFlight: -1}, {Wait: trace.Wait{Max: -1}},
		{Gateways: make([]netip.Addr, 1)}, {Gateways: []netip.Addr{dst6}}, {Gateways: slices.Repeat([]netip.Addr{dst4}, 9)},
		{Gateways: []netip.Addr{dst4}, Size: 35},
	}
	synctest.Test(t, func(t *testing.T) {
		n := probetest.New(chain(3))
		e := probe.New(probe.Config{}, n.Link(icmpx.IPv4))
		defer e.Close()
		for _, o := range bad {
			if _, err := trace.Run(t.Context(), e, dst4, o, nil); err == nil {
				t.Errorf("%+v is taken", o)
			}
		}
		if _, err := trace.Run(t.Context(), e, netip.Addr{}, trace.Options{}, nil); err == nil {
			t.Error("no address is taken")
		}
		if _, err := trace.Run(t.Context(), e, dst6, trace.Options{Gateways: []netip.Addr{dst4}}, nil); err == nil {
			t.Error("a source route of IPv6 is taken")
		}
		for _, o := range []trace.Options{{FirstTTL: 255}, {FirstTTL: 255, MaxTTL: 255}, {Queries: 100}, {Size: 28}, {Size: 36, Gateways: []netip.Addr{dst4}}, {TOS: 255}, {TOS: -1}} {
			if _, err := trace.Run(t.Context(), e, dst4, o, nil); err != nil {
				t.Errorf("%+v: %v", o, err)
			}
		}
	})
}
