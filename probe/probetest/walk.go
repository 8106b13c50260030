package probetest

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Delivery is a reply on its way back.
type Delivery struct {
	After    time.Duration // after the packet left; negative counts as 0
	Reply    icmpx.Reply   // At, Stamp, Read, ClockOffset and Drops are set on arrival
	Overflow bool          // lost on arrival for want of buffer, and counted in Reply.Drops
}

// A walk follows one packet along its path.
type walk struct {
	net   *Net
	p     *Packet
	there time.Duration // one way, so far
	fired []firing
}

// A firing is a rule that applies, with the packet as it stood then.
type firing struct {
	rule *rule
	at   Packet
}

// carry returns what comes back for a packet.
func (n *Net) carry(p *Packet) []Delivery {
	if n.tooBigHere(p) {
		p.NoStamp = true
		r := p.Error(n.source(p.Family), tooBigError(p.Family))
		r.MTU = n.opt.MTU
		return []Delivery{{Reply: r}}
	}
	w := walk{net: n, p: p}
	var ds []Delivery
	if p.host != nil {
		ds = w.run(p.host.path)
	}
	ds = w.apply(ds)
	if p.host != nil {
		p.host.remember(p.Request.Payload)
	}
	return ds
}

// tooBigHere reports whether the packet exceeds the own interface and may not
// be fragmented: Linux fragments what it sends itself unless told not to.
func (n *Net) tooBigHere(p *Packet) bool {
	df := p.Request.DF == icmpx.DFSet || p.Request.DF == icmpx.DFProbe
	return n.opt.MTU > 0 && p.Size > n.opt.MTU && df
}

// run takes the packet from hop to hop until one of them ends it.
func (w *walk) run(path []*node) []Delivery {
	for i, place := range path {
		nd := place.pick(w.p)
		w.arrive(i+1, nd)
		if w.net.chance(nd.Loss) {
			return nil
		}
		w.fire(nd.rules)
		if !nd.forward.take(w.p.Left.Add(w.there)) {
			return nil
		}
		if i == len(path)-1 {
			return w.target(nd)
		}
		if d, stop := w.router(nd); stop {
			return d
		}
	}
	return nil
}

// arrive moves the packet to a hop.
func (w *walk) arrive(hop int, nd *node) {
	p := w.p
	p.Hop, p.Here, p.node = hop, nd.Addr, nd
	if nd.RTT > 0 {
		p.RTT = nd.RTT
		w.there = nd.RTT / 2
		return
	}
	p.RTT += 2 * nd.Delay
	w.there += nd.Delay
}

func (w *walk) fire(rules []*rule) {
	for _, r := range rules {
		if r.fires(w.net, w.p) {
			w.fired = append(w.fired, firing{r, *w.p})
		}
	}
}

// apply runs the rules that fired, nearest hop first, then those of the whole
// network, then the interceptor.
func (w *walk) apply(ds []Delivery) []Delivery {
	for i := range w.fired {
		f := &w.fired[i]
		ds = f.rule.Do(&f.at, ds)
		w.p.NoStamp = w.p.NoStamp || f.at.NoStamp
	}
	w.p.Hop, w.p.Here, w.p.RTT, w.p.node = 0, w.net.source(w.p.Family), 0, nil
	for _, r := range w.net.rules {
		if r.fires(w.net, w.p) {
			ds = r.Do(w.p, ds)
		}
	}
	if w.net.opt.Intercept != nil {
		ds = w.net.opt.Intercept(w.p, ds)
	}
	return ds
}

// router does what a router does with a packet, in the order in which Linux
// does it: the TTL before the MTU.
func (w *walk) router(nd *node) (ds []Delivery, stop bool) {
	p := w.p
	switch {
	case p.TTL <= 1:
		return w.refuse(timeExceededError(p.Family), 0), true
	case nd.Reject != Error{}:
		return w.refuse(nd.Reject, 0), true
	case nd.Drop:
		return nil, true
	case nd.MTU > 0 && p.Size > nd.MTU && !p.fragments():
		if nd.NoTooBig {
			return nil, true
		}
		return w.refuse(tooBigError(p.Family), nd.claim()), true
	}
	p.TTL--
	if nd.NAT.IsValid() {
		p.Src = nd.NAT
	}
	if nd.TOS != nil {
		p.TOS = *nd.TOS
	}
	return nil, false
}

func (n *node) claim() int {
	switch {
	case n.Claim < 0:
		return 0
	case n.Claim == 0:
		return n.MTU
	}
	return n.Claim
}

// target does what the addressed host does.
func (w *walk) target(nd *node) []Delivery {
	if nd.Drop {
		return nil
	}
	if nd.Reject != (Error{}) {
		return w.refuse(nd.Reject, 0)
	}
	kind, ok := protos[w.p.Request.Proto].answer(nd, &w.p.Request)
	if !ok {
		return w.refuse(portError(w.p.Family), 0)
	}
	if nd.Silent || !w.mayAnswer(nd) {
		return nil
	}
	return []Delivery{{After: w.roundTrip(nd), Reply: w.p.answer(nd.Addr, kind)}}
}

// refuse is an ICMP error of the current hop, unless it keeps silent.
func (w *walk) refuse(e Error, mtu int) []Delivery {
	nd := w.p.node
	if nd.Silent || !nd.Addr.IsValid() || !w.mayAnswer(nd) {
		return nil
	}
	r := w.p.Error(nd.Addr, e)
	r.MTU = mtu
	return []Delivery{{After: w.roundTrip(nd), Reply: r}}
}

// mayAnswer asks the hop's policer, which paths share by the hop's address.
func (w *walk) mayAnswer(nd *node) bool {
	b := nd.answers
	if nd.Addr.IsValid() && nd.Answers != (Policer{}) {
		b = w.net.buckets[nd.Addr]
		if b == nil {
			b = newBucket(nd.Answers)
			w.net.buckets[nd.Addr] = b
		}
	}
	return b.take(w.p.Left.Add(w.there))
}

func (w *walk) roundTrip(nd *node) time.Duration {
	return w.p.RTT + w.net.random(nd.Jitter)
}

// chance is true with probability p.
func (n *Net) chance(p float64) bool { return p > 0 && n.rng.Float64() < p }
