package pmtu_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

// limitErrors has every router and host send as many ICMP errors as Linux does:
// up to six at once, left of them at first, and one a second. Too big messages and
// what answers itself are free (icmp_ratelimit and icmp_ratemask of icmp(7)).
func limitErrors(left int) probetest.Effect {
	type bucket struct {
		tokens float64
		at     time.Time
	}
	buckets := map[netip.Addr]*bucket{}
	return withoutAll(func(p *probetest.Packet, d *probetest.Delivery) bool {
		if k := d.Reply.Kind; k != icmpx.KindTimeExceeded && k != icmpx.KindUnreachable {
			return false
		}
		now := p.Left.Add(d.After / 2)
		b := buckets[d.Reply.From]
		if b == nil {
			b = &bucket{float64(left), now}
			buckets[d.Reply.From] = b
		}
		b.tokens = min(b.tokens+now.Sub(b.at).Seconds(), 6)
		b.at = now
		if b.tokens < 1 {
			return true
		}
		b.tokens--
		return false
	})
}

// withoutAll is an effect that drops what f finds.
func withoutAll(f func(*probetest.Packet, *probetest.Delivery) bool) probetest.Effect {
	return func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		return slices.DeleteFunc(ds, func(d probetest.Delivery) bool { return f(p, &d) })
	}
}

// Limits on ICMP errors, fresh or used up by earlier searches, change no result
// that takes echo requests. Datagrams alone need what is left.
func TestLimitedErrors(t *testing.T) {
	for _, tt := range []struct {
		net    string
		pmtu   int
		method pmtu.Method
		left   int
		most   int // packets
	}{
		{"clear", 1500, pmtu.Auto, 6, 20},
		{"steps", 576, pmtu.Auto, 6, 30},
		{"steps", 576, pmtu.Auto, 0, 50},
		{"zero", 1313, pmtu.Auto, 6, 40},
		{"zero", 1313, pmtu.Auto, 0, 45},
		{"far", 1400, pmtu.Auto, 6, 25},
		{"far", 1400, pmtu.Auto, 0, 30},
		{"hole", 576, pmtu.Auto, 6, 40},
		{"hole", 576, pmtu.Auto, 1, 75},
		{"hole", 576, pmtu.Auto, 0, 75},
		{"true", 1300, pmtu.Auto, 6, 40},
		{"true", 1300, pmtu.Auto, 1, 75},
		{"true", 1300, pmtu.Auto, 0, 75},
		{"true-odd", 1404, pmtu.Auto, 6, 40},
		{"hole6", 1433, pmtu.Auto, 0, 75},
		{"hole-last", 1404, pmtu.Auto, 6, 50},
		{"steps", 576, pmtu.UDP, 6, 20},
		{"far", 1400, pmtu.UDP, 6, 15},
		{"zero", 1313, pmtu.UDP, 6, 35},
		{"hole", 576, pmtu.UDP, 6, 35},
		{"hole", 576, pmtu.UDP, 1, 60},
		{"true", 1300, pmtu.UDP, 6, 45},
		{"true", 1300, pmtu.UDP, 3, 60},
		{"true", 1300, pmtu.ICMP, 6, 40},
		{"true", 1300, pmtu.ICMP, 0, 60},
		{"true", 1300, pmtu.TCP, 0, 60},
	} {
		t.Run(fmt.Sprintf("%s %v %d", tt.net, tt.method, tt.left), func(t *testing.T) {
			net := load(t, tt.net)
			net.Intercept = limitErrors(tt.left)
			s := discover(t, net, pmtu.Options{LinkMTU: 1500, Method: tt.method})
			s.check(t)
			if r := &s.result; s.err != nil || r.PMTU != tt.pmtu || r.Sent > tt.most || r.Duration > 15*time.Second {
				t.Errorf("%v\n%s", s.err, text(r))
			}
			for _, l := range s.result.Limits {
				if l.TTL == 0 {
					t.Errorf("limit %+v is nowhere", l)
				}
			}
		})
	}
}

var limitedSeeds = flag.Uint64("limited-seeds", defaultSeeds/4, "search random paths of limited routers with seeds 1 to this")

// Whatever the path and however much of the limits is left, by each method: what is
// said is true.
func TestPathsLimited(t *testing.T) {
	const parts = 4
	var known atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				for seed := part + 1; seed <= *limitedSeeds; seed += parts {
					if searchedLimited(t, seed) {
						known.Add(1)
					}
				}
			})
		}
	})
	t.Logf("%d of %d path MTUs known", known.Load(), *limitedSeeds)
	if float64(known.Load()) < 0.75*float64(*limitedSeeds) {
		t.Errorf("%d of %d path MTUs known", known.Load(), *limitedSeeds)
	}
}

func searchedLimited(t *testing.T, seed uint64) (known bool) {
	tr := drawn(seed)
	tr.limited = true
	rng := rand.New(rand.NewPCG(seed, 0x6c696d))
	tr.net.Intercept = limitErrors(rng.IntN(7))
	o := pmtu.Options{LinkMTU: tr.link, Method: []pmtu.Method{pmtu.Auto, pmtu.Auto, pmtu.ICMP, pmtu.UDP, pmtu.TCP}[rng.IntN(5)], Scattered: rng.IntN(2) == 0}
	synctest.Test(t, func(t *testing.T) {
		s := inBubble(t, tr.net, o)
		r := &s.result
		if bad := tr.wrong(r); bad != "" && r.Verdict != pmtu.Unanswered && r.AtLeast != 0 || s.err != nil {
			t.Errorf("seed %d: %s %v\n\t%v\n\t%s", seed, bad, s.err, tr, text(r))
		}
		if s.sent > 200 || r.Duration > 31*time.Second {
			t.Errorf("seed %d: %d packets in %v", seed, s.sent, r.Duration)
		}
		known = r.PMTU != 0
	})
	return known
}

// A narrow is a link that has one path only.
type narrow struct{ *probetest.Link }

func (l narrow) Keys(r *icmpx.Request) (icmpx.KeySpace, bool) {
	if r.Path > 0 {
		return icmpx.KeySpace{}, false
	}
	return l.Link.Keys(r)
}

// A link of one path is not asked for others again and again.
func TestOnePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := load(t, "steps")
		n := probetest.New(net)
		e := probe.New(probe.Config{}, narrow{n.Link(icmpx.IPv4)})
		s := with(t.Context(), e, net.Hosts[0].Addr, link(1500))
		if r := &s.result; s.err != nil || r.PMTU != 576 || r.Duration > 100*ms || r.Rounds > 4 {
			t.Errorf("%v\n%s", s.err, text(r))
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A host that can send nothing, and knows no interface, knows no bound either. That
// is no interruption.
func TestNothingSent(t *testing.T) {
	net := load(t, "clear")
	unreachable := errors.New("no route")
	net.SendErr = func(*icmpx.Request) error { return unreachable }
	s := discover(t, net, pmtu.Options{})
	if r := &s.result; !errors.Is(s.err, unreachable) || r.Interrupted || r.AtLeast != 0 || r.AtMost != 0 || r.Sent != 0 || has(r, pmtu.CodeSilent) {
		t.Errorf("%v\n%s", s.err, text(r))
	}
}

// Where somebody else is faster than the router, the router is named.
func TestForgerIsNotNamed(t *testing.T) {
	for _, claim := range []int{0, 60, 1300, 9000} {
		net := load(t, "odd")
		net.Intercept = before(func(p *probetest.Packet) probetest.Delivery {
			d := tooBig(p, claim)
			d.Reply.Quote.Payload, d.Reply.Quote.Len = nil, 28
			return d
		})
		s := discover(t, net, link(1500))
		s.check(t)
		r := &s.result
		if s.err != nil || r.PMTU != 1373 || r.Forged == 0 || len(r.Limits) != 1 || r.Limits[0].From == attacker || r.Limits[0].TTL != 2 || has(r, pmtu.CodeChanged) {
			t.Errorf("claim %d: %v\n%s", claim, s.err, text(r))
		}
	}
}

// Where each datagram may take a path of its own, one that is refused says that
// paths differ, and nothing else.
func TestScattered(t *testing.T) {
	net := load(t, "balanced")
	o := link(1500)
	o.Scattered = true
	s := discover(t, net, o)
	s.check(t)
	if r := &s.result; s.err != nil || r.PMTU > 1400 || !has(r, pmtu.CodeFlows) || has(r, pmtu.CodeBadClaim) || r.Forged != 0 {
		t.Errorf("%v\n%s", s.err, text(r))
	}
	steps := discover(t, load(t, "steps"), pmtu.Options{LinkMTU: 1500, Method: pmtu.UDP, Scattered: true})
	if r := &steps.result; steps.err != nil || r.PMTU != 576 || len(r.Limits) != 3 {
		t.Errorf("%v\n%s", steps.err, text(r))
	}
}
