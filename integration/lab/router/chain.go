package router

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A node is a hop at work. The last link of a chain is a node whose hop is not
// used.
type node struct {
	Hop
	r       *chain
	place   int // of the hop in the chain, from 0
	there   *way
	back    *way
	rules   []*rule
	forward bucket
	answers bucket

	addrs            []netip.Addr // that it takes packets to
	inside4, inside6 netip.Addr

	all  []*node // itself and its alternatives
	turn int
}

// A way is a Way at work.
type way struct {
	Way
	rules []*rule
	rng   *rand.Rand
	last  time.Duration // when the last packet is at its end
	whole bool          // its rules see no fragments
}

// A chain is the hops of a router.
type chain struct {
	nodes    []*node // without alternatives; the last link is behind them
	balanced bool    // some have alternatives
	owner    map[netip.Addr]*node
	seed     uint64
	streams  uint64 // of random numbers handed out
}

// hops returns the hops of a configuration, at least one.
func (c *Config) hops() []Hop {
	if len(c.Hops) == 0 {
		return []Hop{{}}
	}
	return c.Hops
}

// newChain builds the chain of a configuration that was checked.
func newChain(cfg *Config, ports []Port) (*chain, error) {
	hops := cfg.hops()
	c := &chain{owner: map[netip.Addr]*node{}, seed: cfg.Seed}
	alternatives := len(hops)
	for i := range hops {
		n := c.node(hops[i], i, i+1)
		n.all = []*node{n}
		for _, alt := range hops[i].Or {
			alternatives++
			c.balanced = true
			n.all = append(n.all, c.node(alt, i, alternatives))
		}
		c.nodes = append(c.nodes, n)
	}
	exit := &node{r: c, place: len(hops)}
	exit.all = []*node{exit}
	exit.there, exit.back = c.way(cfg.There, cfg.Delay), c.way(cfg.Back, cfg.Delay)
	c.nodes = append(c.nodes, exit)
	return c, c.own(ports)
}

// node builds the hop of a number, counted from 1.
func (c *chain) node(h Hop, place, number int) *node {
	n := &node{Hop: h, r: c, place: place, rules: c.rules(h.Rules)}
	n.there, n.back = c.way(h.There, h.Delay), c.way(h.Back, h.Delay)
	n.forward, n.answers = newBucket(h.Forward), newBucket(h.Answers)
	n.Addr4, n.Addr6 = h.number(number)
	return n
}

// number returns the addresses of a hop by its number in the chain, counted
// from 1. The first has none of its own.
func (h *Hop) number(n int) (v4, v6 netip.Addr) {
	if n == 1 {
		return h.Addr4, h.Addr6
	}
	return orAddr(h.Addr4, hopAddr4(n)), orAddr(h.Addr6, hopAddr6(n))
}

// Addr returns the address that the errors of a hop come from, by its place in
// the chain, counted from 0; the zero Addr for the first, if the configuration
// leaves it to the port's.
func (c *Config) Addr(hop int, v6 bool) netip.Addr {
	hops := c.hops()
	if hop < 0 || hop >= len(hops) {
		return netip.Addr{}
	}
	a4, a6 := hops[hop].number(hop + 1)
	if v6 {
		return a6
	}
	return a4
}

func orAddr(a, def netip.Addr) netip.Addr {
	if a.IsValid() {
		return a
	}
	return def
}

func hopAddr4(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}) }

func hopAddr6(n int) netip.Addr {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff}
	binary.BigEndian.PutUint16(a[14:], uint16(n))
	return netip.AddrFrom16(a)
}

func (c *chain) way(w Way, delay time.Duration) *way {
	w.Delay += delay
	v := &way{Way: w, rules: c.rules(w.Rules), rng: c.random()}
	v.whole = len(v.rules) > 0 && !w.Fragments
	return v
}

func (c *chain) rules(rules []Rule) []*rule {
	var out []*rule
	for _, r := range rules {
		out = append(out, &rule{Rule: r, over: newBucket(r.When.Over), rng: c.random()})
	}
	return out
}

// random returns a stream of random numbers of its own, so that what one rule
// draws does not change what the others do.
func (c *chain) random() *rand.Rand {
	c.streams++
	return rand.New(rand.NewPCG(c.seed, c.streams))
}

// own gives the hops at the ports the ports' addresses, and every hop its own.
func (c *chain) own(ports []Port) error {
	for i, p := range ports {
		n := c.nodes[portPlace(i, p, len(c.nodes)-1)]
		for _, a := range p.Addrs {
			if i == 0 && a.Is4() {
				n.Addr4 = orAddr(n.Addr4, a)
			}
			if i == 0 && a.Is6() {
				n.Addr6 = orAddr(n.Addr6, a)
			}
			n.addrs = append(n.addrs, a)
		}
	}
	for _, place := range c.nodes {
		for _, n := range place.all {
			n.addrs = append(n.addrs, n.Addr4, n.Addr6)
			n.addrs = slices.DeleteFunc(n.addrs, func(a netip.Addr) bool { return !a.IsValid() })
			for _, a := range n.addrs {
				if o := c.owner[a]; o != nil && o != n {
					return fmt.Errorf("address %v belongs to hops %d and %d", a, o.place+1, n.place+1)
				}
				c.owner[a] = n
			}
		}
	}
	return nil
}

// portPlace is the hop next to port number i of a chain of n hops.
func portPlace(i int, p Port, n int) int {
	switch i {
	case 0:
		return 0
	case 1:
		return n - 1
	}
	return p.Hop
}

// addr is where the errors of the hop come from; invalid: it has none.
func (n *node) addr(f icmpx.Family) netip.Addr { return byFamily(f, n.Addr4, n.Addr6) }

// owns reports whether the hop takes packets to an address.
func (n *node) owns(a netip.Addr) bool { return slices.Contains(n.addrs, a) }

// path chooses the hops that a packet takes, of which to, if it is not nil, is
// one.
func (c *chain) path(p *Packet, to *node) {
	if !c.balanced {
		p.nodes = c.nodes
		return
	}
	p.own = p.own[:0]
	for _, place := range c.nodes {
		n := place.pick(p)
		if to != nil && to.place == place.place {
			n = to
		}
		p.own = append(p.own, n)
	}
	p.nodes = p.own
}

// pick returns the hop that a packet takes in this place.
func (n *node) pick(p *Packet) *node {
	switch {
	case len(n.all) == 1:
		return n
	case n.PerPacket:
		n.turn++
		return n.all[(n.turn-1)%len(n.all)]
	}
	return n.all[p.flowHash(n.r.seed+uint64(n.Salt))%uint64(len(n.all))]
}

// flowHash is of what routers balance by: addresses, protocol, and the first
// four bytes of the transport header, ports or ICMP type, code and checksum,
// with the IPv6 flow label (FNV-1a).
func (p *Packet) flowHash(salt uint64) uint64 {
	b := p.Bytes
	h := uint64(14695981039346656037) ^ salt*0x9e3779b97f4a7c15
	mix := func(part []byte) {
		for _, v := range part {
			h = (h ^ uint64(v)) * 1099511628211
		}
	}
	if p.Family == icmpx.IPv6 {
		mix([]byte{b[1] & 0x0f, b[2], b[3]})
		mix(b[8:40])
	} else {
		mix(b[12:20])
	}
	mix([]byte{p.Proto})
	if !p.fragment() && len(b) >= p.l4+4 {
		mix(b[p.l4 : p.l4+4])
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}
