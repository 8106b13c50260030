//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// everywhere is all addresses of a family.
func everywhere(v6 bool) netip.Prefix {
	if v6 {
		return netip.MustParsePrefix("::/0")
	}
	return netip.MustParsePrefix("0.0.0.0/0")
}

// steps is the topology mtu-steps as a path.
func steps(v6 bool) path { return path{"mtu-steps", []int{1500, 1400, 1400, 1300}, v6} }

// TestPmtuSmallPings asks a host that answers small echo requests only: datagrams
// tell the path.
func TestPmtuSmallPings(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		n := network(t, "mtu-steps")
		labtest.OK(t, n.At("server").Filter(lab.Rule{
			Hook: lab.Input, Dst: everywhere(v6), ICMPType: []uint8{8, 128}, Above: 228, Verdict: lab.Drop,
		}))
		want := steps(v6).truth(n)
		want.codes = append(want.codes, "small_pings")
		s := search(t, n.Client, as, n.Addr("server", v6).String())
		s.is(t, want)
	})
}

// TestPmtuSilent searches the path to a host that answers nothing: what limits it
// is found as far as routers answer.
func TestPmtuSilent(t *testing.T) {
	for _, p := range []path{steps(false), {"black-hole", []int{1500, 1500, 1400, 1500}, false}} {
		t.Run(p.topology, func(t *testing.T) {
			eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
				p.v6 = v6
				n := network(t, p.topology)
				labtest.OK(t, n.At("server").Filter(lab.Rule{Hook: lab.Input, Dst: everywhere(v6), Verdict: lab.Drop}))
				want := p.truth(n)
				s := search(t, n.Client, as, n.Addr("server", v6).String())
				sum := &s.sum
				if s.code != 1 || sum.PMTU != nil || sum.AtLeast != nil || value(sum.AtMost) != want.pmtu || sum.Verdict != want.verdict {
					t.Errorf("got exit code %d, path MTU %d within %d to %d, %s, want 1, none, none to %d, %s", s.code,
						value(sum.PMTU), value(sum.AtLeast), value(sum.AtMost), sum.Verdict, want.pmtu, want.verdict)
				}
				if got := holeOf(sum.BlackHole); got != holeOf(want.hole) {
					t.Errorf("got black hole %+v, want %+v", got, holeOf(want.hole))
				}
				if len(s.found("silent_destination")) != 1 || len(sum.Limits) != len(want.limits) {
					t.Fatalf("got findings %v and limits %+v", s.codes(), sum.Limits)
				}
				for i, l := range sum.Limits {
					if w := want.limits[i]; l.From != w.From || l.MTU != w.MTU || l.Signalled != w.Signalled || l.TTL != 0 && l.TTL != w.TTL {
						t.Errorf("got limit %+v, want %+v", l, w)
					}
				}
				s.consistent(t)
			})
		})
	}
}

// TestPmtuLimits searches where routers and the server keep the kernel's limits on
// errors: the result is right, or where an answer cannot come soon enough honest.
func TestPmtuLimits(t *testing.T) {
	for _, p := range []path{
		steps(false),
		{"black-hole", []int{1500, 1500, 1400, 1500}, false},
		{"true-hole", []int{1500, 1500, 1404, 1500}, false},
		{"return-hole", []int{1500, 1500, 1400, 1500}, false},
	} {
		t.Run(p.topology, func(t *testing.T) {
			eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
				p.v6 = v6
				n := network(t, p.topology)
				for _, name := range []string{"r1", "r2", "r3", "server"} {
					labtest.OK(t, n.At(name).Sysctl(
						lab.Sysctl{Name: "net.ipv4.icmp_ratemask", Value: "6168"},
						lab.Sysctl{Name: "net.ipv6.icmp.ratemask", Value: "0-1,3-127"}))
				}
				s := search(t, n.Client, as, n.Addr("server", v6).String())
				if s.sum.Verdict == "unsure" && p.topology == "true-hole" {
					s.honest(t, slices.Min(p.mtus))
					return
				}
				s.is(t, p.truth(n))
			})
		})
	}
}

// TestPmtuChange has the path change while it is searched, by the number of large
// packets: the result is that of a path that was there, and what was seen of the
// change is told.
func TestPmtuChange(t *testing.T) {
	const small, large = 1400, 1500
	for _, when := range []router.When{{First: 3}, {First: 8}, {Last: 3}, {Last: 8}} {
		t.Run(fmt.Sprintf("first %d last %d", when.First, when.Last), func(t *testing.T) {
			when.Match, when.Size = func(p *router.Packet) bool { return router.There(p) && router.Probe(p) }, small+1
			eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
				n := routed(t, router.Hop{}, router.Hop{Delay: time.Millisecond}, router.Hop{
					There: router.Way{Rules: []router.Rule{{When: when, Do: router.TooBig(small)}}},
				})
				s := search(t, n.Client, as, n.Addr("server", v6).String())
				arrived, refused := s.large(small)
				if s.sum.Verdict == "unsure" {
					s.honest(t, small)
				} else if got := value(s.sum.PMTU); s.code != 0 || got != small && got != large || got == small && refused == 0 || got == large && arrived == 0 {
					t.Errorf("got exit code %d and path MTU %d; %d large probes arrived, %d were refused", s.code, got, arrived, refused)
				}
				told := slices.ContainsFunc(s.codes(), func(c string) bool {
					return c == "path_changed" || c == "paths_mixed" || c == "flows_differ"
				})
				if arrived > 0 && refused > 0 && !told {
					t.Errorf("%d large probes arrived and %d were refused, but findings are %v", arrived, refused, s.codes())
				}
				if s.sum.Forged != 0 {
					t.Errorf("got %d forged, but nobody forged anything", s.sum.Forged)
				}
			})
		})
	}
}

// large counts the probes to the destination of more than size bytes.
func (s *searched) large(size int) (arrived, refused int) {
	for _, p := range s.probes {
		switch {
		case p.TTL != 0 || p.Size <= size:
		case p.Kind == "too_big":
			refused++
		case p.Fate == "answered":
			arrived++
		}
	}
	return arrived, refused
}

// TestPmtuPerPacket has packets of one flow take paths with different MTUs in
// turn: there is no path MTU, and that is said.
func TestPmtuPerPacket(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		// Of three, since the answers take turns too.
		n := routed(t, router.Hop{}, router.Hop{PerPacket: true, Or: []router.Hop{{MTU: 1400}, {}}}, router.Hop{})
		s := search(t, n.Client, as, n.Addr("server", v6).String())
		s.differing(t)
		if value(s.sum.PMTU) == 1500 {
			t.Errorf("got a path MTU of 1500, which a third of all packets do not pass")
		}
	})
}

// differing sees what holds where some packets pass that are larger than 1400
// bytes, and others do not.
func (s *searched) differing(t *testing.T) {
	t.Helper()
	arrived, refused := s.large(1400)
	if refused > 0 && value(s.sum.PMTU) > 1400 {
		t.Errorf("got path MTU %d, but %d probes were too big for 1400", value(s.sum.PMTU), refused)
	}
	if s.sum.PMTU == nil && (s.code != 1 || s.sum.Verdict != "unsure" || value(s.sum.AtMost) < 1400) {
		t.Errorf("got exit code %d, %s of at most %d, want 1, unsure, 1400 or more", s.code, s.sum.Verdict, value(s.sum.AtMost))
	}
	if arrived > 0 && refused > 0 && len(s.found("paths_mixed"))+len(s.found("flows_differ")) == 0 {
		t.Errorf("%d large probes arrived and %d were refused, but findings are %v", arrived, refused, s.codes())
	}
	for _, l := range s.sum.Limits {
		if l.Place == "router" && l.MTU != 1400 {
			t.Errorf("got limit %+v, want 1400", l)
		}
	}
	if s.sum.Forged != 0 || len(s.found("wrong_mtu")) != 0 {
		t.Errorf("got %d forged and findings %v, but everybody told the truth", s.sum.Forged, s.codes())
	}
}

// TestPmtuFlows has flows take paths with different MTUs.
func TestPmtuFlows(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		n := network(t, "diamond")
		for dst, via := range map[string]string{"203.0.113.0/24": "198.51.100.9", "2001:db8:2::/64": "2001:db8:34::2"} {
			labtest.OK(t, n.At("r3").Route(lab.Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via), MTU: 1400}))
		}
		for range 3 {
			s := search(t, n.Client, as, n.Addr("server", v6).String())
			s.differing(t)
		}
	})
}

// TestPmtuBelowMinimum has a link of IPv6 that is smaller than any may be, and
// routers that say various things about it.
func TestPmtuBelowMinimum(t *testing.T) {
	for claim, code := range map[int]string{0: "wrong_mtu", -1: "zero_mtu", 1280: "wrong_mtu", 1300: "wrong_mtu"} {
		for _, u := range users {
			t.Run(fmt.Sprintf("claim %d as %s", claim, u.name), func(t *testing.T) {
				n := routed(t, router.Hop{}, router.Hop{MTU: 1200, Claim: claim}, router.Hop{})
				s := search(t, n.Client, u.user, n.Addr("server", true).String())
				s.is(t, answer{
					pmtu: 1200, link: 1500, verdict: "signalled", direction: "forward",
					limits: []pmtuLimit{{Place: "router", From: n.Addr("r2", true).String(), TTL: 2, MTU: 1200, Signalled: true, Tested: true}},
					codes:  []string{"mtu_limit", "below_minimum", code},
				})
			})
		}
	}
}

// TestPmtuLargest searches where the largest packets pass that there are: to this
// host itself.
func TestPmtuLargest(t *testing.T) {
	n := network(t, "pair")
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		loopback, size := "127.0.0.1", 65535 // the largest packet
		if v6 {
			loopback, size = "::1", 65536 // the MTU of the device
		}
		for _, dst := range []string{loopback, n.Addr("client", v6).String()} {
			s := search(t, n.Client, as, dst)
			link := value(s.start.LinkMTU) // of the device, or what IPv4 can fill of it
			if link != size && link != 65536 {
				t.Errorf("got interface MTU %d, want %d", link, size)
			}
			s.is(t, answer{pmtu: size, link: link, verdict: "clear", direction: "unknown"})
		}
	})
}
