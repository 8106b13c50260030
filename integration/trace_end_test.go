//go:build linux

package integration

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
)

// questions are the methods that ask the destination when it is silent.
var questions = map[string][]string{
	"udp": {"icmp", "tcp"}, "udp-classic": {"icmp", "tcp"}, "udp-fixed": {"icmp", "tcp"},
	"icmp": {"tcp", "udp"}, "tcp": {"icmp", "udp"},
}

// TestTraceDead traces a host that takes everything and says nothing.
func TestTraceDead(t *testing.T) {
	n := network(t, "dark")
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		dark := n.Addr("dark", v6)
		for _, m := range traceMethods {
			t.Run(m.name, func(t *testing.T) {
				tr := traceroute(t, n.Client, as, append(m.args, dark.String())...)
				w := sent(t, c, dark)
				tr.ended(t, false, 1)
				tr.hop(t, 1).answered(t, 3, n.Addr("r1", v6), "time_exceeded")
				for _, h := range tr.hops[1:] {
					h.lost(t, 3)
					if got := w.count(h.TTL); got > 6 {
						t.Errorf("hop %d: %d probes on the wire, want 3 and 3 again", h.TTL, got)
					}
				}
				tr.finding(t, "silent_destination")
				for _, q := range tr.sum.Questions {
					if q.Reached || !slices.ContainsFunc(questions[m.called(as)], func(want string) bool { return q.Method == want || q.Method == want+"-classic" }) {
						t.Errorf("got question %+v", q)
					}
				}
				if len(tr.sum.Questions) < 2 || len(w.probes) != tr.sum.ProbesSent {
					t.Errorf("got %d questions, and %d probes on the wire of %d, want two methods' at least, and all",
						len(tr.sum.Questions), len(w.probes), tr.sum.ProbesSent)
				}
			})
		}
	})
}

// TestTraceSilentToMethod traces a host that a firewall keeps UDP from.
func TestTraceSilentToMethod(t *testing.T) {
	n := network(t, "filtered")
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		dst := n.Addr("noudp", v6).String()
		tr := traceroute(t, n.Client, as, dst)
		tr.ended(t, false, 2)
		f := tr.finding(t, "silent_to_method")
		if f.Hop != 2 || f.Evidence["alive_to"] == nil {
			t.Errorf("got finding %+v, want hop 2 and a method that is answered", f)
		}
		for _, m := range []string{"-I", "-T"} {
			tr := traceroute(t, n.Client, as, m, dst)
			tr.ended(t, true, 4)
		}
	})
}

// TestTraceFiltered has a firewall refuse by each of its codes: it stands in the
// row behind its own, and is named.
func TestTraceFiltered(t *testing.T) {
	n := network(t, "filtered")
	tests := []struct {
		name         string
		code4, code6 int
		finding      string
	}{
		{"noroute", 0, 0, "unreachable"},
		{"nohost", 1, 3, "unreachable"},
		{"port", 3, 4, "filtered"},
		{"admin", 13, 1, "filtered"},
		{"policy", 10, 5, "filtered"},
	}
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, tt := range tests {
			for _, m := range traceMethods {
				t.Run(tt.name+"/"+m.name, func(t *testing.T) {
					tr := traceroute(t, n.Client, as, append(m.args, n.Addr(tt.name, v6).String())...)
					tr.ended(t, false, 3)
					tr.hop(t, 1).answered(t, 3, n.Addr("r1", v6), "time_exceeded")
					tr.hop(t, 2).answered(t, 3, n.Addr("r2", v6), "time_exceeded")
					last, typ, code := tr.hop(t, 3), 3, tt.code4
					if v6 {
						typ, code = 1, tt.code6
					}
					last.answered(t, 3, n.Addr("r2", v6), "unreachable")
					for i, p := range last.Probes {
						if p.Type == nil || *p.Type != typ || p.Code == nil || *p.Code != code {
							t.Errorf("probe %d: got type %v, code %v, want %d, %d", i+1, p.Type, p.Code, typ, code)
						}
					}
					f := tr.finding(t, tt.finding)
					if f.Hop != 3 || f.Severity != "fault" || f.Evidence["from"] != n.Addr("r2", v6).String() {
						t.Errorf("got finding %+v, want a fault at hop 3 from r2", f)
					}
					if len(tr.hops) != 3 || !last.End || (m.name == "tcp" && tr.sum.PortState != "filtered") {
						t.Errorf("got %d hops, the last %+v, port %q", len(tr.hops), last, tr.sum.PortState)
					}
				})
			}
		}
	})
}

// TestTraceTranslated traces past translators. The one in front of the server
// and all behind it answer in the name of the destination, which is reached
// only when it says so.
func TestTraceTranslated(t *testing.T) {
	n := network(t, "nat")
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		virtual, server := n.Addr("virtual", v6), n.Addr("server", v6)
		for _, m := range traceMethods {
			t.Run(m.name, func(t *testing.T) {
				tr := traceroute(t, n.Client, as, append(m.args, virtual.String())...)
				tr.ended(t, true, 5)
				tr.hop(t, 1).answered(t, 3, n.Addr("r1", v6), "time_exceeded")
				tr.hop(t, 2).answered(t, 3, n.Addr("r2", v6), "time_exceeded")
				tr.hop(t, 3).answered(t, 3, virtual, "time_exceeded")
				tr.hop(t, 4).answered(t, 3, virtual, "time_exceeded")
				tr.hop(t, 5).answered(t, 3, virtual, m.last)
				if f := tr.finding(t, "nat"); f.Hop != 3 || f.Evidence["translated"] != "destination" {
					t.Errorf("got finding %+v, want the destination at hop 3", f)
				}

				tr = traceroute(t, n.Client, as, append(m.args, "-m4", virtual.String())...)
				tr.ended(t, false, 4)

				// The kernel repairs what errors quote: nobody can tell.
				tr = traceroute(t, n.Client, as, append(m.args, server.String())...)
				tr.ended(t, true, 5)
				for i, name := range []string{"r1", "r2", "r3", "r4"} {
					tr.hop(t, i+1).answered(t, 3, n.Addr(name, v6), "time_exceeded")
				}
				if len(tr.sum.Findings) != 0 {
					t.Errorf("got findings %v, want none", tr.codes())
				}
			})
		}
	})
}

// TestTraceTooBig sends packets that a router cannot pass on, and then lets them
// shrink.
func TestTraceTooBig(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, m := range traceMethods {
			if m.name == "tcp" {
				continue // a SYN that long is nobody's habit
			}
			t.Run(m.name, func(t *testing.T) {
				n := network(t, "chain:5") // whose client has learnt no path MTU yet
				for h, i := range map[string]int{"r3": 1, "r4": 0} {
					if err := n.At(h).Iface(i).SetMTU(1400); err != nil {
						t.Fatal(err)
					}
				}
				server, r3 := n.Addr("server", v6), n.Addr("r3", v6)
				tr := traceroute(t, n.Client, as, append(m.args, "-F", server.String(), "1500")...)
				tr.ended(t, false, 4)
				last := tr.hop(t, 4)
				last.answered(t, 3, r3, "too_big")
				f := tr.finding(t, "mtu_drop")
				if last.Probes[0].MTU != 1400 || f.Hop != 4 || f.Severity != "fault" ||
					f.Evidence["mtu"] != 1400.0 || f.Evidence["from"] != r3.String() {
					t.Errorf("got %+v and finding %+v, want MTU 1400 of r3", last.Probes[0], f)
				}

				tr = traceroute(t, n.Client, as, append(m.args, "--mtu", server.String())...)
				tr.ended(t, true, 6)
				if tr.hop(t, 3).MTU != 0 || tr.hop(t, 4).MTU != 1400 || tr.hop(t, 5).MTU != 0 {
					t.Errorf("got hops %+v, want 1400 at hop 4 alone", tr.hops)
				}
				if f := tr.finding(t, "mtu_drop"); f.Severity != "info" || f.Evidence["mtu"] != 1400.0 {
					t.Errorf("got finding %+v, want MTU 1400", f)
				}
			})
		}
	})
}

// TestTraceExtensions has a router tell of labels (RFC 4950).
func TestTraceExtensions(t *testing.T) {
	const label, class, bottom, ttl = 16001, 3, 1, 7
	const entry = label<<12 | class<<9 | bottom<<8 | ttl
	ext := []byte{
		0x20, 0, 0, 0, // version 2, no checksum
		0, 8, 1, 1, entry >> 24, entry >> 16 & 0xff, entry >> 8 & 0xff, entry & 0xff, // an object of a stack of labels
	}
	n := routed(t, router.Hop{}, router.Hop{Quote: router.Quote{Ext: ext}}, router.Hop{})
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, m := range traceMethods {
			t.Run(m.name, func(t *testing.T) {
				server := n.Addr("server", v6)
				tr := traceroute(t, n.Client, as, append(m.args, "-e", server.String())...)
				tr.ended(t, true, 4)
				told := false
				for _, h := range tr.hops {
					for i, p := range h.Probes {
						told = told || len(p.Extensions) > 0
						switch {
						case p.From == "": // a router in userspace may sleep through a probe
						case h.TTL != 2 && len(p.Extensions) == 0:
						case h.TTL == 2 && len(p.Extensions) == 1 && len(p.Extensions[0].MPLS) == 1 &&
							slices.Equal(p.Extensions[0].MPLS[0], []int{label, class, bottom, ttl}):
						default:
							t.Errorf("hop %d, probe %d: got extensions %+v", h.TTL, i+1, p.Extensions)
						}
					}
				}
				if !told {
					t.Errorf("got no extensions from hop 2")
				}
			})
		}
	})
}

// TestTraceRewritten has a router change what it forwards, and leave what comes
// back as it is: the quotes from behind it tell, to who may see them whole.
func TestTraceRewritten(t *testing.T) {
	mark, address4, address6 := uint8(0x28), netip.MustParseAddr("198.51.100.77"), netip.MustParseAddr("2001:db8:77::1")
	tests := []struct {
		name    string
		hop     router.Hop
		finding string
	}{
		{"type of service", router.Hop{TOS: &mark}, "tos_rewritten"},
		{"source", router.Hop{NAT4: address4, NAT6: address6, NATRaw: true}, "nat"},
		{"zero TTL", router.Hop{ZeroTTL: true}, "zero_ttl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := routed(t, router.Hop{}, tt.hop, router.Hop{}, router.Hop{})
			both(t, func(t *testing.T, v6 bool) {
				for _, m := range traceMethods {
					if m.name == "classic" {
						continue
					}
					t.Run(m.name, func(t *testing.T) {
						tr := traceroute(t, n.Client, lab.Root, append(m.args, n.Addr("server", v6).String())...)
						tr.ended(t, true, 5)
						hop := 3
						if tt.finding == "zero_ttl" {
							hop = 2
						}
						if f := tr.finding(t, tt.finding); f.Hop != hop {
							t.Errorf("got finding %+v, want it at hop %d", f, hop)
						}
					})
				}
			})
		})
	}
}

// TestTraceLoss has every second probe lost on its way: that is loss, and
// no limit.
func TestTraceLoss(t *testing.T) {
	half := router.Way{Rules: []router.Rule{{When: router.When{Match: router.Probe, Every: 2}, Do: router.Drop()}}}
	n := routed(t, router.Hop{}, router.Hop{There: half}, router.Hop{})
	both(t, func(t *testing.T, v6 bool) {
		tr := traceroute(t, n.Client, lab.Root, "-I", "-q5", "-m4", n.Addr("server", v6).String())
		tr.ended(t, true, 4)
		tr.finding(t, "loss")
		if slices.Contains(tr.codes(), "rate_limited") {
			t.Errorf("got findings %v, want no limit", tr.codes())
		}
	})
}
