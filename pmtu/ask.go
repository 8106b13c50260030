package pmtu

import (
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A track is a series of probes that take the same way to the same end, so that
// their answers can be held against each other.
type track struct {
	method Method // ICMP, UDP or TCP
	path   uint16 // which constant flow
	ttl    int    // 0: to the destination; else the hop whose answer counts
}

// at returns t ending at another hop.
func (t track) at(ttl int) track {
	t.ttl = ttl
	return t
}

// An ask is one probe and what is known of it.
type ask struct {
	track
	size  int
	lazy  bool // no round waits for it
	again int  // how often it was asked before, without an answer
	round int
	sent  time.Time

	state    state
	arrived  bool       // the destination answered, with what only it says
	exceeded netip.Addr // the hop at which its TTL was used up
	expired  bool       // some hop said so
	refusal  *refusal   // why it went no further

	rtt      time.Duration
	frag     int
	replyTTL uint8
	from     netip.Addr
}

// A state is how far an ask has come.
type state uint8

const (
	open    state = iota // its answer may still come in time
	heard                // it was answered by somebody who could prove it
	overdue              // it was not in time; an answer may still come and make it heard
	failed               // this host could not send it
	local                // this host's own limit refused it
)

// left reports whether the packet left this host.
func (a *ask) left() bool { return a.state != failed && a.state != local }

// ended reports whether the ask got to the end of track t, which it is on.
func (a *ask) ended(t track) bool {
	return a.arrived || t.ttl != 0 && a.expired
}

// A refusal is an answer of a router, or of another than the destination, that
// the packet goes no further. It is replaced as a whole, never changed.
type refusal struct {
	from     netip.Addr
	size     int // of the packet
	round    int // in which it was sent
	tooBig   bool
	typ      uint8
	code     uint8
	mtu      int  // the next-hop MTU that it claims, if that makes sense; else 0
	claim    int  // the one that it claims, whatever it is
	verified bool // it carries the probe's secret
	hop      int  // distance of the router by the TTL that it quotes; 0: not known
	back     int  // distance that the answer seems to have come; 0: not known
	void     bool // proved false later
}

// request is the probe of an ask.
func (r *run) request(a *ask) probe.Probe {
	ttl := a.ttl
	if ttl == 0 {
		ttl = r.opts.TTL
	}
	req := icmpx.Request{
		Proto: a.method.Proto(), Dst: r.dst, Path: a.path,
		TTL: uint8(ttl), TOS: r.opts.TOS, DF: icmpx.DFProbe, Size: a.size,
	}
	if a.method != ICMP {
		req.Port = r.opts.Port
	}
	return probe.Probe{Request: req, Timeout: r.opts.Wait}
}

// A burst is what is to be asked next, in the order of sending.
type burst []ask

// add appends one ask for each size.
func (b *burst) add(t track, sizes ...int) {
	for _, s := range sizes {
		*b = append(*b, ask{track: t, size: s})
	}
}

// pairs appends n probes of a size in doubt and as many controls of one that
// passes, interleaved so that neither meets the network in a better moment: a
// policer or a balancer that treats packets in turn treats both alike. A control
// is the last, see table.
func (b *burst) pairs(t track, size, control, n int) {
	for i := range n {
		if (n-i)%2 == 1 {
			b.add(t, size, control)
		} else {
			b.add(t, control, size)
		}
	}
}

// trial appends what is missing to prove that a size does not pass.
func (r *run) trial(b *burst, t *table, size, control int) {
	silent := 0
	if c := t.cell(size); c != nil {
		silent = t.fresh(c).against()
	}
	n := r.needed()
	big := min(max(n+spare-silent, 1), maxPairs+spare)
	small := min(max(n-r.controls(t, size), 1), maxPairs)
	if r.starved(t.track) > 0 {
		small = 1
	}
	if pairs := min(big, small); big >= small {
		b.add(t.track, slices.Repeat([]int{size}, big-pairs)...)
		b.pairs(t.track, size, control, pairs)
		return
	}
	b.pairs(t.track, size, control, small)
}

// maxPairs is how many pairs of probes leave in one burst.
const maxPairs = 8
