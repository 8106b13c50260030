//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestTracePath traces a long path by every method, as everybody: the output is
// the topology, and on the wire is what it says.
func TestTracePath(t *testing.T) {
	const routers = 30
	n := network(t, fmt.Sprintf("chain:%d", routers))
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6)
		for _, m := range traceMethods {
			t.Run(m.name, func(t *testing.T) {
				tr := traceroute(t, n.Client, as, append(m.args, server.String())...)
				tr.ended(t, true, routers+1)
				if s := tr.start; s.Schema != 1 || s.Command != "trace" || s.Target != server.String() ||
					s.Addr != server.String() || s.Method != m.called(as) || s.MaxHops < routers+1 {
					t.Errorf("got start %+v, want schema 1 of trace %v by %s", s, server, m.called(as))
				}
				if len(tr.hops) != routers+1 || len(tr.sum.Findings) != 0 {
					t.Errorf("got %d hops and findings %+v, want %d and none", len(tr.hops), tr.sum.Findings, routers+1)
				}
				for i, h := range tr.hops {
					if i == routers {
						h.answered(t, 3, server, m.last)
						break
					}
					h.answered(t, 3, n.Addr(fmt.Sprintf("r%d", i+1), v6), "time_exceeded")
					checkReplyTTL(t, h, as)
				}
				checkWire(t, sent(t, c, server), &tr, m, as)
			})
		}
	})
}

// checkReplyTTL sees a router's TTLs: its errors start with 64 and pass all
// routers before it. Sockets that do not show it say nothing.
func checkReplyTTL(t *testing.T, h traceHop, as lab.User) {
	t.Helper()
	for _, p := range h.Probes {
		if p.ReplyTTL == nil && as == lab.Ordinary {
			continue
		}
		if p.ReplyTTL == nil || *p.ReplyTTL != 65-h.TTL {
			t.Errorf("hop %d: got reply TTL %v, want %d", h.TTL, p.ReplyTTL, 65-h.TTL)
		}
	}
}

// checkWire sees that as many probes left as the summary says, and where the
// method can do it, as one flow.
func checkWire(t *testing.T, w outgoing, tr *traced, m traceMethod, as lab.User) {
	t.Helper()
	if len(w.probes) != tr.sum.ProbesSent || w.other != 0 {
		t.Errorf("summary says %d probes sent, on the wire were %d and %d others", tr.sum.ProbesSent, len(w.probes), w.other)
	}
	if flows := w.flows(); m.constant(as) && len(flows) != 1 {
		t.Errorf("got %d flows, want one", len(flows))
	}
}

// TestTraceParts asks for parts of a path.
func TestTraceParts(t *testing.T) {
	n := network(t, "chain:12")
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6).String()
		tr := traceroute(t, n.Client, as, "-f5", "-m9", "-q1", "-I", server)
		tr.ended(t, false, 9)
		if len(tr.hops) != 5 || tr.hops[0].TTL != 5 || tr.start.MaxHops != 9 {
			t.Fatalf("got hops %+v, want 5 to 9", tr.hops)
		}
		for _, h := range tr.hops {
			h.answered(t, 1, n.Addr(fmt.Sprintf("r%d", h.TTL), v6), "time_exceeded")
		}
		tr.finding(t, "max_ttl")
	})
}

// TestTraceLimits traces routers that keep the kernel's limits: three probes
// for each hop leave no star, although the destination got many more.
func TestTraceLimits(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, m := range traceMethods {
			t.Run(m.name, func(t *testing.T) {
				n := network(t, "limits") // whose routers owe nobody yet
				server := n.Addr("server", v6)
				tr := traceroute(t, n.Client, as, append(m.args, server.String())...)
				tr.ended(t, true, 6)
				for i := range 5 {
					tr.hop(t, i+1).answered(t, 3, n.Addr(fmt.Sprintf("r%d", i+1), v6), "time_exceeded")
				}
				tr.hop(t, 6).answered(t, 3, server, m.last)
			})
		}
	})
}

// TestTraceLimitNamed asks more than the kernel answers at once: it is a limit,
// not loss.
func TestTraceLimitNamed(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, m := range traceMethods {
			if as == lab.Ordinary && m.name != "default" {
				continue // each takes a second at least: a probe at another pace
			}
			queries := 10
			if v6 {
				queries = 20 // of which the limit, ten a second, lets one or two more pass
			}
			t.Run(m.name, func(t *testing.T) {
				n := network(t, "limits")
				tr := traceroute(t, n.Client, as, append(m.args, fmt.Sprintf("-q%d", queries), n.Addr("server", v6).String())...)
				tr.ended(t, true, 6)
				tr.finding(t, "rate_limited")
				if len(tr.sum.Findings) != 1 {
					t.Errorf("got findings %v, want rate_limited alone", tr.codes())
				}
				for _, h := range tr.hops {
					if len(h.Probes) != queries {
						t.Errorf("hop %d: got %d probes, want %d", h.TTL, len(h.Probes), queries)
					}
					for i, p := range h.Probes {
						if p.Lost || p.Open || p.Failed != "" {
							t.Errorf("hop %d, probe %d: got %+v, want it answered or limited", h.TTL, i+1, p)
						}
					}
				}
			})
		}
	})
}

// TestTraceSilent traces past routers that do not speak. Their probes are asked
// twice, and no more.
func TestTraceSilent(t *testing.T) {
	n := network(t, "silent")
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6)
		for _, m := range traceMethods {
			t.Run(m.name, func(t *testing.T) {
				tr := traceroute(t, n.Client, as, append(m.args, server.String())...)
				w := sent(t, c, server)
				tr.ended(t, true, 6)
				for _, ttl := range []int{2, 4, 5} {
					tr.hop(t, ttl).lost(t, 3)
					if got := w.count(ttl); got != 6 {
						t.Errorf("hop %d: %d probes on the wire, want 3 and 3 again", ttl, got)
					}
				}
				tr.hop(t, 1).answered(t, 3, n.Addr("r1", v6), "time_exceeded")
				tr.hop(t, 3).answered(t, 3, n.Addr("r3", v6), "time_exceeded")
				tr.hop(t, 6).answered(t, 3, server, m.last)
				checkWire(t, w, &tr, m, as)
				if len(tr.sum.Findings) != 0 {
					t.Errorf("got findings %v, want none", tr.codes())
				}
			})
		}
	})
}

// TestTraceDelay has a far destination: its time is that of the path at least.
func TestTraceDelay(t *testing.T) {
	n := network(t, "delay")
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6)
		tr := traceroute(t, n.Client, as, server.String())
		tr.ended(t, true, 2)
		tr.hop(t, 1).answered(t, 3, n.Addr("r1", v6), "time_exceeded")
		last := tr.hop(t, 2)
		last.answered(t, 3, server, "unreachable")
		for _, p := range last.Probes {
			if p.RTT != nil && *p.RTT < 20e6 {
				t.Errorf("got an RTT of %d ns over a path of 20 ms", *p.RTT)
			}
		}
	})
}

// TestTraceBalanced has routers balance flows: every trace is of one flow, and
// shows one path; traces from other ports show the others.
func TestTraceBalanced(t *testing.T) {
	n := network(t, "diamond")
	c := tap(t, n)
	both(t, func(t *testing.T, v6 bool) {
		server := n.Addr("server", v6)
		for _, flag := range []string{"-U", "-T"} {
			second, fourth := map[string]int{}, map[string]int{}
			for i := range 20 { // that all take one of two ways has a probability of 2^-19
				tr := traceroute(t, n.Client, lab.Root, flag, "--sport", strconv.Itoa(50000+i), server.String())
				tr.ended(t, true, 6)
				path := onePath(t, n, &tr)
				second[path[1]]++
				fourth[path[3]]++
				if flows := sent(t, c, server).flows(); len(flows) != 1 || len(tr.sum.Findings) != 0 {
					t.Errorf("got %d flows and findings %v, want one and none", len(flows), tr.codes())
				}
			}
			if len(second) != 2 || len(fourth) < 2 || second["r2"] == 0 || second["r3"] == 0 {
				t.Errorf("%s: got %v at hop 2 and %v at hop 4, want r2 and r3, and several of r5 to r8", flag, second, fourth)
			}
		}
	})
}

// onePath returns who answered at each hop, where it must be one alone.
func onePath(t *testing.T, n *lab.Network, tr *traced) (path []string) {
	t.Helper()
	for _, h := range tr.hops {
		names := map[string]bool{}
		for _, p := range h.Probes {
			a, err := netip.ParseAddr(p.From)
			labtest.OK(t, err)
			path = append(path[:h.TTL-1], n.Owner(a))
			names[n.Owner(a)] = true
		}
		if len(names) != 1 {
			t.Errorf("hop %d: got %v, want one", h.TTL, names)
		}
	}
	return path
}

// TestTraceMixed traces as traceroute of old: paths mix, and that is said.
func TestTraceMixed(t *testing.T) {
	n := network(t, "diamond")
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		// Forty probes that all take one way: a probability of 2^-39.
		tr := traceroute(t, n.Client, as, "--classic", "-q40", n.Addr("server", v6).String())
		tr.ended(t, true, 6)
		f := tr.finding(t, "paths_mixed")
		if f.Hop != 2 {
			t.Errorf("got finding %+v, want it at hop 2", f)
		}
		names := map[string]bool{}
		for _, p := range tr.hop(t, 2).Probes {
			a, err := netip.ParseAddr(p.From)
			labtest.OK(t, err)
			names[n.Owner(a)] = true
		}
		if len(names) != 2 || !names["r2"] || !names["r3"] {
			t.Errorf("got %v at hop 2, want r2 and r3", names)
		}
	})
}

// TestTracePerPacket has a router share the packets of one flow.
func TestTracePerPacket(t *testing.T) {
	n := routed(t, router.Hop{}, router.Hop{PerPacket: true, Or: []router.Hop{{}}}, router.Hop{})
	both(t, func(t *testing.T, v6 bool) {
		tr := traceroute(t, n.Client, lab.Root, n.Addr("server", v6).String())
		tr.ended(t, true, 4)
		if f := tr.finding(t, "balanced"); f.Hop != 2 {
			t.Errorf("got finding %+v, want it at hop 2", f)
		}
	})
}

// routed builds a network with a userspace router.
func routed(t *testing.T, hops ...router.Hop) *lab.Routed {
	t.Helper()
	n, err := lab.BuildRouted(lab.RoutedOptions{Router: router.Config{Hops: hops}})
	labtest.OK(t, err)
	t.Cleanup(func() { labtest.OK(t, n.Close()) })
	labtest.OK(t, n.Client.AllowPing())
	return n
}
