package trace

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// A bound is what a router has said about the size of packets.
type bound struct {
	from    netip.Addr
	ttl     int // lowest that it said it about
	claimed int // next-hop MTU as claimed; 0: none
	mtu     int // what was made of it
	size    int // of the packet that was too big
}

// plateaus are the MTUs that a router which does not say one may have meant
// (RFC 1191 section 7).
var plateaus = [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68}

// maxShrink bounds how often one probe is sent anew because it was too big: an
// attacker could name a byte less each time.
const maxShrink = 16

// shrink plans a probe that was too big anew, in the size that the router has
// named, and reports whether it did. A packet that a router refuses although it
// is no larger than the router says cannot pass.
func (r *run) shrink(a *ask, p *Probe) bool {
	s := &r.path.hops[a.ttl].slots[a.slot]
	if !r.opts.MTU || p.Kind != icmpx.KindTooBig || !s.open() || s.shrunk == maxShrink {
		return false
	}
	mtu := p.MTU
	for i := 0; mtu == 0 && i < len(plateaus); i++ {
		if plateaus[i] < p.Size {
			mtu = plateaus[i]
		}
	}
	f := icmpx.FamilyOf(r.dst)
	mtu = max(mtu, f.MinMTU(), r.opts.minSize(f))
	if mtu >= p.Size {
		return false
	}
	s.shrunk++
	r.size = min(r.size, mtu)
	r.path.bounded(bound{from: p.From, ttl: a.ttl, claimed: p.MTU, mtu: mtu, size: p.Size})
	r.repeats = append(r.repeats, repeat{ttl: a.ttl, slot: a.slot, at: p.Sent})
	return true
}

// bounded keeps what a router has said, once; of guesses the last.
func (p *path) bounded(b bound) {
	for i := range p.bounds {
		old := &p.bounds[i]
		if sameAddr(old.from, b.from) && (old.mtu == b.mtu || old.claimed == 0 && b.claimed == 0) {
			old.ttl, old.mtu = min(old.ttl, b.ttl), min(old.mtu, b.mtu)
			return
		}
	}
	p.bounds = append(p.bounds, b)
}

// mtu returns the smallest bound before a TTL, 0 if there is none: one that was
// said about it or a lower one, or said by the router right before it.
func (p *path) mtu(ttl int) int {
	least := 0
	for i := range p.bounds {
		b := &p.bounds[i]
		if b.ttl > ttl && !p.answeredBefore(ttl, b.from) {
			continue
		}
		if least == 0 || b.mtu < least {
			least = b.mtu
		}
	}
	return least
}

// answeredBefore reports whether a router answered a TTL below ttl.
func (p *path) answeredBefore(ttl int, router netip.Addr) bool {
	for t := p.opts.FirstTTL; t < ttl; t++ {
		for i := range p.hops[t].slots {
			if s := &p.hops[t].slots[i]; s.State == Answered && sameAddr(s.From, router) {
				return true
			}
		}
	}
	return false
}
