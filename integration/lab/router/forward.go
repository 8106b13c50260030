package router

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// obey applies rules to a packet, from the one whose turn it is. It reports
// whether the packet goes on.
func (r *engine) obey(rules []*rule, p *Packet) bool {
	for p.next < len(rules) {
		x := rules[p.next]
		p.next++
		if !x.chooses(p) {
			continue
		}
		p.rule = x
		verdict := x.Do(p)
		p.rule = nil
		// An effect that cut the packet short of its headers has ended it.
		if verdict == Gone || len(p.Bytes) < p.l4 || len(p.Bytes) > longest(p.Family) {
			return false
		}
	}
	p.next = 0
	return true
}

// cross takes a packet over the link to or behind the node n.
func (r *engine) cross(n *node, p *Packet) *Packet {
	w := n.there
	if p.Back {
		w = n.back
	}
	if w.Jitter > 0 && p.at > r.now { // its order is that of entering
		r.waits.push(p)
		return nil
	}
	if w.whole && p.fragment() {
		p = r.gather(w, p)
	}
	return r.transit(w, p)
}

// transit is cross for what was put together, as far as it shall be; nil: not
// all of it is there.
func (r *engine) transit(w *way, p *Packet) *Packet {
	if p == nil {
		return nil
	}
	if p.next == 0 && w.Loss > 0 && w.rng.Float64() < w.Loss || !r.obey(w.rules, p) {
		r.put(p)
		return nil
	}
	p.at += w.Delay
	if w.Jitter > 0 {
		p.at = max(p.at+time.Duration(w.rng.Int64N(int64(w.Jitter))), w.last)
		w.last = p.at
	}
	p.at += p.held
	p.held = 0
	p.c += p.step()
	if mtu := p.frag; mtu > 0 && len(p.Bytes) > mtu {
		p.frag = 0
		if !r.split(p, mtu) {
			r.put(p)
		}
		return nil
	}
	return p
}

// visit takes a packet through the hop n.
func (r *engine) visit(n *node, p *Packet) *Packet {
	if !r.obey(n.rules, p) || !n.forward.take(p.at) {
		r.put(p)
		return nil
	}
	p.at += p.held
	p.held = 0
	if p.Back {
		n.restore(p)
	}
	if n.owns(p.Dst) {
		r.answer(n, p)
		r.put(p)
		return nil
	}
	if !r.mayPass(n, p) {
		r.put(p)
		return nil
	}
	if !n.NoTTL && p.TTL > 0 {
		p.decrement()
	}
	if !p.Back {
		n.translate(p)
	}
	if n.TOS != nil {
		p.setTOS(*n.TOS)
	}
	if port := r.portAt(n.place, p.Dst); port >= 0 {
		return r.leave(p, port)
	}
	p.c += p.step()
	return r.fit(n, p)
}

// mayPass says whether the hop forwards the packet, and has it say why not.
func (r *engine) mayPass(n *node, p *Packet) bool {
	switch {
	case n.Drop:
	case !n.NoTTL && p.TTL <= 1 && !(n.ZeroTTL && p.TTL == 1):
		r.refuse(n, p, exceededError(p.Family), [4]byte{})
	case n.Reject4 != Error{} && p.Family == icmpx.IPv4:
		r.refuse(n, p, n.Reject4, [4]byte{})
	case n.Reject6 != Error{} && p.Family == icmpx.IPv6:
		r.refuse(n, p, n.Reject6, [4]byte{})
	case r.lost(n, p):
		r.refuse(n, p, noRouteError(p.Family), [4]byte{})
	default:
		return r.fits(n, p)
	}
	return false
}

// lost reports whether the hop at an end of the chain knows no way on.
func (r *engine) lost(n *node, p *Packet) bool {
	port, last := 1, len(p.nodes)-2
	if p.Back {
		port, last = 0, 0
	}
	return n.place == last && !r.ports[port].has(p.Dst) && r.portAt(n.place, p.Dst) < 0
}

// limit is the MTU of the link that comes next; 0: none.
func (n *node) limit(p *Packet) int {
	if p.Back {
		return n.ReturnMTU
	}
	return n.MTU
}

// fits says whether the packet fits the link that comes next, or may be cut to
// fit, and has the hop say why not.
func (r *engine) fits(n *node, p *Packet) bool {
	mtu := n.limit(p)
	switch {
	case mtu == 0 || len(p.Bytes) <= mtu || r.portAt(n.place, p.Dst) >= 0:
		return true
	case n.NoTooBig:
		return false
	case p.Family == icmpx.IPv4 && !p.DF:
		return true
	}
	claim := mtu
	if n.Claim != 0 {
		claim = max(n.Claim, 0)
	}
	r.refuse(n, p, tooBigError(p.Family), mtuField(p.Family, claim))
	return false
}

// fit cuts a packet that is too big for the link that comes next.
func (r *engine) fit(n *node, p *Packet) *Packet {
	if mtu := n.limit(p); mtu > 0 && len(p.Bytes) > mtu {
		if !r.split(p, mtu) {
			r.put(p)
		}
		return nil
	}
	return p
}
