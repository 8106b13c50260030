package probetest

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Host is a target and the way to it.
type Host struct {
	Addr netip.Addr
	Path []Hop // routers between here and the host, nearest first
	Hop        // the host itself; its Addr, if set, is the one that answers
}

// A Hop is a router, or a host at the end of a path. The zero Hop is as far
// away as the hop before it, forwards everything and answers like a good
// citizen.
type Hop struct {
	Addr netip.Addr // zero: answers nothing, for want of an address

	// RTT is the round trip between the probing host and this hop. If it is
	// zero, Delay is the time that the last link takes in one direction.
	RTT    time.Duration
	Delay  time.Duration
	Jitter time.Duration // each round trip takes up to this much longer, at random

	Loss    float64 // probability that a packet is lost on the way to this hop
	Forward Policer // of packets that go to or through it
	Answers Policer // of what it sends itself, shared by all paths through Addr
	Silent  bool    // sends nothing itself
	Drop    bool    // forwards nothing: a black hole

	MTU       int   // of the link behind this router, bytes; 0: no limit
	Claim     int   // next-hop MTU that it reports; 0: MTU, negative: 0, as before RFC 1191
	NoTooBig  bool  // drops what exceeds MTU without a word
	ReturnMTU int   // of the way back from a host, bytes: larger answers come in fragments
	Reject    Error // sent for every packet that would be forwarded or taken

	NAT netip.Addr // source address of what it forwards, seen in quotes from beyond
	TOS *uint8     // type of service that it writes into what it forwards; nil: kept

	QuoteLen int    // bytes of a packet that its errors quote; 0: as Linux, 548 or 1232
	QuoteTTL uint8  // TTL that its quotes show; 0: the one on arrival
	Ext      []byte // RFC 4884 extension structure of its errors; see MPLS
	ReplyTTL uint8  // TTL that its own packets start with; 0: 255 of a router, 64 of a host

	OpenUDP []uint16 // ports of a host that answer; the others are closed
	OpenTCP []uint16

	Rules []Rule // for packets that reach this hop, forwarded or not

	// Or are other hops in this place, among which packets are balanced: by
	// flow, or in turn with PerPacket. Each Salt, of the first of them, makes
	// for an independent choice; the same Salt in two places of a path makes
	// the same choice in both, so that their hops form parallel branches.
	Or        []Hop
	PerPacket bool
	Salt      uint32
}

// An Error is an ICMP error by its numbers on the wire; the zero Error is none.
type Error struct{ Type, Code uint8 }

// A Policer lets Burst packets through at once and Rate per second; the zero
// Policer lets all through.
type Policer struct {
	Burst int
	Rate  float64
}

func (h *Host) check() error {
	if !h.Addr.IsValid() {
		return fmt.Errorf("no address")
	}
	for i := range h.Path {
		if err := h.Path[i].check(icmpx.FamilyOf(h.Addr)); err != nil {
			return fmt.Errorf("hop %d to %v: %w", i+1, h.Addr, err)
		}
	}
	if err := h.Hop.check(icmpx.FamilyOf(h.Addr)); err != nil {
		return fmt.Errorf("%v: %w", h.Addr, err)
	}
	return nil
}

func (h *Hop) check(f icmpx.Family) error {
	switch {
	case h.Addr.IsValid() && icmpx.FamilyOf(h.Addr) != f, h.NAT.IsValid() && icmpx.FamilyOf(h.NAT) != f:
		return fmt.Errorf("address is not %v", f)
	case h.RTT < 0 || h.Delay < 0 || h.Jitter < 0:
		return fmt.Errorf("negative time")
	case h.Loss < 0 || h.Loss > 1:
		return fmt.Errorf("loss %g is not a probability", h.Loss)
	case h.MTU < 0 || h.ReturnMTU < 0 || h.QuoteLen < 0:
		return fmt.Errorf("negative length")
	case !h.Forward.ok() || !h.Answers.ok():
		return fmt.Errorf("negative burst or rate")
	}
	for i := range h.Or {
		if err := h.Or[i].check(f); err != nil {
			return err
		}
	}
	return checkRules(h.Rules)
}

func (p Policer) ok() bool { return p.Burst >= 0 && p.Rate >= 0 }

// A host is a Host at work.
type host struct {
	addr    netip.Addr
	path    []*node // the last is the host
	history [][]byte
}

// historyLen is how many payloads a host remembers for Replay.
const historyLen = 16

// A node is a hop at work.
type node struct {
	Hop
	rules   []*rule
	forward *bucket
	answers *bucket
	all     []*node // itself and its alternatives
	turn    int
}

func newHost(h Host) *host {
	end := h.Hop
	end.Addr = orHost(end.Addr, h.Addr)
	s := &host{addr: h.Addr}
	for _, hop := range h.Path {
		s.path = append(s.path, newNode(hop))
	}
	s.path = append(s.path, newNode(end))
	return s
}

func newNode(h Hop) *node {
	n := &node{Hop: h, rules: compileRules(h.Rules), forward: newBucket(h.Forward)}
	if !h.Addr.IsValid() {
		n.answers = newBucket(h.Answers)
	}
	n.all = append(n.all, n)
	for _, alt := range h.Or {
		n.all = append(n.all, newNode(alt))
	}
	return n
}

// remember keeps a payload that went to the host.
func (h *host) remember(payload []byte) {
	if len(h.history) == historyLen {
		copy(h.history, h.history[1:])
		h.history = h.history[:historyLen-1]
	}
	h.history = append(h.history, payload)
}

// pick returns the hop that a packet takes in this place.
func (n *node) pick(p *Packet) *node {
	if len(n.all) == 1 {
		return n
	}
	if n.PerPacket {
		n.turn++
		return n.all[(n.turn-1)%len(n.all)]
	}
	return n.all[p.flowHash(n.Salt)%uint64(len(n.all))]
}

// A bucket is a Policer at work.
type bucket struct {
	Policer
	tokens float64
	last   time.Time
}

func newBucket(p Policer) *bucket {
	if p == (Policer{}) {
		return nil
	}
	return &bucket{Policer: p, tokens: float64(max(p.Burst, 1))}
}

// take says whether a packet may pass at now.
func (b *bucket) take(now time.Time) bool {
	if b == nil {
		return true
	}
	if !b.last.IsZero() && now.After(b.last) {
		earned := now.Sub(b.last).Seconds() * b.Rate
		b.tokens = min(b.tokens+earned, float64(max(b.Burst, 1)))
	}
	if b.last.IsZero() || now.After(b.last) {
		b.last = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
