//go:build linux

package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// seedEnv is a number: that of the first seed for the paths that are drawn, in
// place of 1. Their number is countEnv, in place of drawn.
const (
	seedEnv  = "ICMPX_PMTU_SEED"
	countEnv = "ICMPX_PMTU_SEEDS"
	drawn    = 2
)

// seeds are those of the paths of a test.
func seeds(t *testing.T) []uint64 {
	t.Helper()
	number := func(name string, or uint64) uint64 {
		text := os.Getenv(name)
		if text == "" {
			return or
		}
		n, err := strconv.ParseUint(text, 10, 64)
		labtest.OK(t, err)
		return n
	}
	var list []uint64
	first := number(seedEnv, 1)
	for i := range max(number(countEnv, drawn), 1) {
		list = append(list, first+i)
	}
	return list
}

// A path is a row of routers with the MTUs of its links, in bytes.
type path struct {
	topology string
	mtus     []int
	v6       bool
}

func (p path) name() string {
	var words []string
	for _, mtu := range p.mtus {
		words = append(words, strconv.Itoa(mtu))
	}
	return p.topology + ":" + strings.Join(words, ",")
}

// smallest is the number of the smallest link, the first of several.
func (p path) smallest() int { return slices.Index(p.mtus, slices.Min(p.mtus)) }

// hop is the address of a hop: of a router, or the server.
func (p path) hop(n *lab.Network, ttl int) string {
	if ttl == len(p.mtus) {
		return n.Addr("server", p.v6).String()
	}
	return n.Addr(fmt.Sprintf("r%d", ttl), p.v6).String()
}

// limits are the steps down of the path to a link and that link, as routers that
// all speak tell them.
func (p path) limits(n *lab.Network, last int) (list []pmtuLimit) {
	mtu := p.mtus[0]
	for k := 1; k <= last; k++ {
		if p.mtus[k] < mtu {
			mtu = p.mtus[k]
			list = append(list, pmtuLimit{Place: "router", TTL: k, From: p.hop(n, k), MTU: mtu, Signalled: true, Tested: true})
		}
	}
	return list
}

// stepped is what is to be found where all routers speak.
func (p path) stepped(n *lab.Network) answer {
	a := answer{
		pmtu: slices.Min(p.mtus), link: p.mtus[0], verdict: "clear", direction: "unknown",
		limits: p.limits(n, len(p.mtus)-1),
	}
	for range a.limits {
		a.verdict, a.direction = "signalled", "forward"
		a.codes = append(a.codes, "mtu_limit")
	}
	return a
}

// holed is what is to be found where the router in front of the smallest link
// does not speak.
func (p path) holed(n *lab.Network) answer {
	a := p.stepped(n)
	k := p.smallest()
	last := &a.limits[len(a.limits)-1]
	last.Signalled = false
	a.verdict = "black_hole"
	a.hole = &pmtuHole{MTU: last.MTU, AfterTTL: &k, After: p.hop(n, k), BeforeTTL: k + 1, Before: p.hop(n, k+1)}
	a.codes[len(a.codes)-1] = "black_hole"
	return a
}

// truth is what is to be found on a path of a kind.
func (p path) truth(n *lab.Network) answer {
	switch p.topology {
	case "black-hole":
		return p.holed(n)
	case "true-hole":
		a := p.holed(n)
		a.direction, a.back = "both", a.pmtu-4
		a.codes = append(a.codes, "return_limit")
		return a
	case "return-hole":
		return answer{
			pmtu: p.mtus[0], link: p.mtus[0], verdict: "clear", direction: "return",
			back: slices.Min(p.mtus), codes: []string{"return_limit"},
		}
	case "old-router":
		a := p.stepped(n)
		for range a.limits {
			a.codes = append(a.codes, "zero_mtu")
		}
		return a
	}
	return p.stepped(n)
}

// usual are MTUs that links have.
var usual = []int{1500, 1500, 1500, 1492, 1480, 1476, 1450, 1440, 1420, 1400, 1280}

// draw draws a path. Below is what links of IPv4 may go down to; IPv6 has its own
// bound.
func draw(topology string, v6 bool, seed uint64, below int) path {
	rng := rand.New(rand.NewPCG(seed, uint64(len(topology))))
	p := path{topology: topology, v6: v6}
	size := func(low, high int) int {
		if rng.IntN(2) == 0 && high == 1500 {
			return max(usual[rng.IntN(len(usual))], low)
		}
		return low + rng.IntN(high-low+1)
	}
	low, high := below, 1500
	if v6 {
		low = 1284 // of which a true-hole leaves 1280
	}
	if topology == "jumbo" {
		low, high = 1501, 9216
	}
	for range 2 + rng.IntN(4) {
		p.mtus = append(p.mtus, size(low, high))
	}
	switch topology {
	case "black-hole", "true-hole":
		p.mtus[0] = high
		k := 1 + rng.IntN(len(p.mtus)-1)
		p.mtus[k] = min(slices.Min(p.mtus), high-1-rng.IntN(high-low))
	case "old-router":
		p.mtus[0] = high
	case "return-hole":
		p.mtus = append(p.mtus, high)
		p.mtus[0] = high
		p.mtus[1] = min(p.mtus[1], high-8)
	}
	return p
}

// pmtuTopologies are the kinds of paths.
var pmtuTopologies = []string{"mtu-steps", "black-hole", "true-hole", "return-hole", "old-router", "jumbo"}

// eachPath runs a test for paths of every kind, for everybody.
func eachPath(t *testing.T, seeds []uint64, below int, f func(t *testing.T, n *lab.Network, p path, as lab.User)) {
	t.Helper()
	for _, topology := range pmtuTopologies {
		for _, seed := range seeds {
			both(t, func(t *testing.T, v6 bool) {
				p := draw(topology, v6, seed, below)
				for _, u := range users {
					t.Run(fmt.Sprintf("%s as %s", p.name(), u.name), func(t *testing.T) { f(t, network(t, p.name()), p, u.user) })
				}
			})
		}
	}
}

// TestPmtuPaths searches paths that are drawn, as everybody: the result is the
// path, to the byte, and on the wire is what it says.
func TestPmtuPaths(t *testing.T) {
	eachPath(t, seeds(t), 300, func(t *testing.T, n *lab.Network, p path, as lab.User) {
		c, server := tap(t, n), n.Addr("server", p.v6)
		s := search(t, n.Client, as, server.String())
		s.is(t, p.truth(n))
		s.onWire(t, searchWire(t, c, server))
		if s.sum.Sent > 200 {
			t.Errorf("%d probes, more than --max-packets has without being given", s.sum.Sent)
		}
	})
}

// TestPmtuFrugal searches the topologies as they are, whose MTUs are usual ones:
// where packets vanish it takes 40 of IPv4 at most.
func TestPmtuFrugal(t *testing.T) {
	for _, p := range []path{
		{"black-hole", []int{1500, 1500, 1400, 1500}, false},
		{"true-hole", []int{1500, 1500, 1404, 1500}, false},
		{"black-hole", []int{1500, 1400, 1280, 576}, false},
	} {
		for _, u := range users {
			t.Run(fmt.Sprintf("%s as %s", p.name(), u.name), func(t *testing.T) {
				n := network(t, p.name())
				c, server := tap(t, n), n.Addr("server", p.v6)
				s := search(t, n.Client, u.user, server.String())
				s.is(t, p.truth(n))
				if sent := len(searchWire(t, c, server).probes); sent > 40 {
					t.Errorf("%d packets on the wire, more than 40", sent)
				}
			})
		}
	}
}
