package pmtu_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe/probetest"
)

// A truth is a random path and what is true of it.
type truth struct {
	net  probetest.Options
	link int
	mtus []int // of the link behind this host, then of that behind each router
	pmtu int
	loss float64
	mute []bool // by hop, from 1

	limited bool // limits on answers may hide limits above the path MTU, which is said
}

// drawn builds the network of a seed: up to 12 routers, any MTU up to 9216 on
// each link, some routers silent, and in every other network up to 10 % loss each
// way.
func drawn(seed uint64) *truth {
	rng := rand.New(rand.NewPCG(seed, 0x706d7475))
	v6 := rng.IntN(2) == 0
	least, dst, router := 68, "203.0.113.9", "198.51.100.%d"
	if v6 {
		least, dst, router = 1280, "2001:db8:9::9", "2001:db8::%d"
	}
	tr := &truth{link: least + rng.IntN(9216-least+1)}
	if rng.IntN(2) == 0 {
		tr.link = 1500
	}
	tr.mtus, tr.pmtu = []int{tr.link}, tr.link
	var there, back float64
	if rng.IntN(2) == 0 {
		there, back = rng.Float64()*0.1, rng.Float64()*0.1
		tr.loss = 1 - (1-there)*(1-back)
	}
	host := probetest.Host{Addr: netip.MustParseAddr(dst)}
	quiet := []float64{0, 0.1, 0.3, 1}[rng.IntN(4)]
	tr.mute = []bool{false}
	for hop := range 1 + rng.IntN(12) {
		h := probetest.Hop{Addr: netip.MustParseAddr(fmt.Sprintf(router, hop+1)), Delay: time.Duration(1+rng.IntN(8)) * ms, MTU: 9216}
		switch rng.IntN(4) {
		case 0:
			h.MTU = least + rng.IntN(9216-least+1)
		case 1:
			h.MTU = max(least, min(tr.pmtu, 9216)-rng.IntN(200))
		}
		h.Silent = rng.Float64() < quiet
		h.NoTooBig = rng.IntN(8) == 0
		if hop == 0 {
			h.Loss = there
		}
		tr.mtus, tr.mute = append(tr.mtus, h.MTU), append(tr.mute, h.Silent || h.NoTooBig)
		tr.pmtu = min(tr.pmtu, h.MTU)
		host.Path = append(host.Path, h)
	}
	host.Hop.Delay = ms
	tr.net = probetest.Options{Hosts: []probetest.Host{host}, MTU: tr.link, Seed: seed}
	if back > 0 {
		tr.net.Rules = []probetest.Rule{{When: probetest.When{Chance: back}, Do: probetest.Drop()}}
	}
	return tr
}

// wrong says what of a result is not true; "" if all is.
func (tr *truth) wrong(r *pmtu.Result) string {
	var bad []string
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if r.PMTU != 0 && r.PMTU != tr.pmtu {
		say("path MTU %d", r.PMTU)
	}
	if r.PMTU == 0 && r.Verdict != pmtu.Unsure {
		say("verdict %v without a path MTU", r.Verdict)
	}
	if r.AtLeast > tr.pmtu || r.AtMost < tr.pmtu {
		say("between %d and %d", r.AtLeast, r.AtMost)
	}
	for _, l := range r.Limits {
		hop := tr.limitOf(l.MTU)
		switch {
		case hop == 0:
			say("no limit of %d", l.MTU)
		case l.TTL != 0 && l.TTL != hop:
			say("limit of %d at hop %d instead of %d", l.MTU, l.TTL, hop)
		case l.Signalled == tr.mute[hop]:
			say("limit of %d signalled: %v", l.MTU, l.Signalled)
		}
	}
	if h := r.BlackHole; h != nil {
		if hop := tr.limitOf(h.MTU); h.AfterTTL > hop || h.BeforeTTL != 0 && h.BeforeTTL <= hop {
			say("black hole between %d and %d instead of behind %d", h.AfterTTL, h.BeforeTTL, hop)
		}
	}
	open := slices.ContainsFunc(r.Findings, func(f pmtu.Finding) bool { return f.Code == pmtu.CodeOpen })
	partial := tr.limited && open || slices.ContainsFunc(r.Findings, func(f pmtu.Finding) bool { return f.Code == pmtu.CodeBudget })
	if r.PMTU != 0 && r.Verdict != tr.verdict() && !partial {
		say("verdict %v instead of %v", r.Verdict, tr.verdict())
	}
	return strings.Join(bad, "; ")
}

// limitOf returns the hop in front of the first link of an MTU that is smaller
// than all before; 0 if there is none.
func (tr *truth) limitOf(mtu int) int {
	least := tr.link
	for hop, m := range tr.mtus {
		if m < least && m == mtu {
			return hop
		}
		least = min(least, m)
	}
	return 0
}

func (tr *truth) verdict() pmtu.Verdict {
	v, least := pmtu.Clear, tr.link
	for hop, m := range tr.mtus {
		if m >= least {
			continue
		}
		least = m
		if tr.mute[hop] {
			return pmtu.BlackHoled
		}
		v = pmtu.Signalled
	}
	return v
}

func (tr *truth) String() string {
	return fmt.Sprintf("MTUs %v, mute %v, loss %.1f %%: path MTU %d", tr.mtus, tr.mute, 100*tr.loss, tr.pmtu)
}

// seeds is how many of the random paths TestPaths searches: -seeds=10000 even
// under the race detector, which is ten times slower.
var seeds = flag.Uint64("seeds", defaultSeeds, "search random paths with seeds 1 to this")

// least is the share of random paths whose MTU must be found; of the others it is
// enough to say so.
const least = 0.99

// Whatever the MTUs of a path, the silent hops and the loss: what is said is true.
func TestPaths(t *testing.T) {
	const parts = 4
	var known, sent atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				for seed := part + 1; seed <= *seeds; seed += parts {
					r := searched(t, seed)
					sent.Add(int64(r.Sent))
					if r.PMTU != 0 {
						known.Add(1)
					}
				}
			})
		}
	})
	t.Logf("%d of %d path MTUs known, %d packets on average", known.Load(), *seeds, sent.Load()/int64(*seeds))
	if float64(known.Load()) < least*float64(*seeds) {
		t.Errorf("%d of %d path MTUs known", known.Load(), *seeds)
	}
}

// FuzzPaths draws fresh seeds.
func FuzzPaths(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { searched(t, seed) })
}

// searched searches the path of a seed and checks what comes out.
func searched(t *testing.T, seed uint64) (r pmtu.Result) {
	tr := drawn(seed)
	synctest.Test(t, func(t *testing.T) {
		s := inBubble(t, tr.net, pmtu.Options{LinkMTU: tr.link})
		r = s.result
		if bad := tr.wrong(&r); bad != "" || s.err != nil {
			t.Errorf("seed %d: %s %v\n\t%v\n\t%s", seed, bad, s.err, tr, text(&r))
		}
		if s.sent > 200 || r.Sent > 200 || r.Duration > 31*time.Second {
			t.Errorf("seed %d: %d packets in %v", seed, s.sent, r.Duration)
		}
	})
	return r
}
