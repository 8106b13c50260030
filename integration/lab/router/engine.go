package router

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Ethernet (IEEE 802.3) and its protocols.
const (
	etherLen  = 14
	etherARP  = 0x0806
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

// defaultMTU is that of a port that does not say.
const defaultMTU = 1500

// Stats count packets. They may be read at any time.
type Stats struct {
	Received    atomic.Uint64 // IP packets for the router to forward or to take
	Ignored     atomic.Uint64 // what was for the router and no IP packet in order, or had nowhere to go
	Sent        atomic.Uint64 // frames
	Errors      atomic.Uint64 // ICMP errors that hops made
	Unsent      atomic.Uint64 // frames that the kernel refused
	SocketDrops atomic.Uint64 // frames that the sockets had no room for
	Late        atomic.Int64  // the most nanoseconds that a frame left after it was due
}

// An engine is a router without sockets and clock: what it does depends on what
// it is given alone. Times count from when it began.
type engine struct {
	chain *chain
	ports []Port
	queue queue     // what is to leave
	waits queue     // what is to be moved on later
	work  []*Packet // to be moved on now
	free  []*Packet
	piles map[fragKey]*pile
	now   time.Duration
	id    uint16 // of the IPv4 packets that hops make
	stats Stats
}

// newEngine returns an engine, or says what is wrong.
func newEngine(cfg Config, ports []Port) (*engine, error) {
	r := &engine{ports: ports, piles: map[fragKey]*pile{}}
	return r, r.update(cfg)
}

// update replaces the configuration. Packets on their way finish it by the
// former one.
func (r *engine) update(cfg Config) error {
	if err := cfg.check(); err != nil {
		return fmt.Errorf("configure router: %w", err)
	}
	if err := checkPorts(r.ports, len(cfg.hops())); err != nil {
		return fmt.Errorf("configure router: %w", err)
	}
	c, err := newChain(&cfg, r.ports)
	if err != nil {
		return fmt.Errorf("configure router: %w", err)
	}
	r.chain = c
	return nil
}

// maxFree bounds the packets kept for use again, and maxFreeBytes the memory of
// each.
const (
	maxFree      = 4096
	maxFreeBytes = 16 << 10
)

// get returns a packet with a copy of ip.
func (r *engine) get(ip []byte) *Packet {
	var p *Packet
	if n := len(r.free); n > 0 {
		p, r.free = r.free[n-1], r.free[:n-1]
	} else {
		p = &Packet{buf: make([]byte, 0, 2048)}
	}
	p.buf = append(p.buf[:0], ip...)
	p.Bytes = p.buf
	p.r = r
	return p
}

// put takes a packet back.
func (r *engine) put(p *Packet) {
	if len(r.free) < maxFree && cap(p.buf) <= maxFreeBytes {
		*p = Packet{buf: p.buf[:0], own: p.own[:0]}
		r.free = append(r.free, p)
	}
}

// receive takes a frame that came by a port. It copies it.
func (r *engine) receive(now time.Duration, port int, frame []byte) {
	r.settle(now)
	if len(frame) < etherLen {
		return
	}
	body := frame[etherLen:]
	switch kind := uint16(frame[12])<<8 | uint16(frame[13]); {
	case kind == etherARP:
		r.answerARP(now, port, frame)
	case kind == etherIPv6 && frame[0]&1 != 0:
		r.answerSolicitation(now, port, frame)
	case string(frame[:6]) != string(r.ports[port].MAC):
	case kind == etherIPv4 || kind == etherIPv6:
		if !r.answerSolicitation(now, port, frame) {
			r.enter(now, port, body)
		}
	}
}

// enter takes an IP packet that came by a port.
func (r *engine) enter(now time.Duration, port int, body []byte) {
	p := r.get(body)
	if p.parse() != nil || !forwardable(p.Src, p.Dst) {
		r.stats.Ignored.Add(1)
		r.put(p)
		return
	}
	r.stats.Received.Add(1)
	r.chain.path(p, r.chain.owner[p.Dst])
	p.at = now
	hops := len(p.nodes) - 1
	switch port {
	case 0:
		p.c = 0
	case 1:
		p.c, p.Back = 2*hops, true
	default:
		k := r.ports[port].Hop
		p.c, p.Back = 2*k+1, r.backwards(p.Dst, 2*k+1, false)
	}
	r.work = append(r.work, p)
	r.run()
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// forwardable refuses what a router must not forward by its addresses: to or
// from multicasts, one link, or one host (RFC 1812 section 5.3.7, RFC 4291
// section 2.5.6).
func forwardable(src, dst netip.Addr) bool {
	return dst != broadcast && !dst.IsMulticast() && !dst.IsUnspecified() && !dst.IsLoopback() && !dst.IsLinkLocalUnicast() &&
		!src.IsMulticast() && !src.IsLoopback() && !(src.Is6() && src.IsLinkLocalUnicast()) && !src.IsUnspecified()
}

// backwards says whether the way from a coordinate to an address is towards the
// first port; or else, if it is not known where the address is.
func (r *engine) backwards(dst netip.Addr, from int, or bool) bool {
	if n := r.chain.owner[dst]; n != nil {
		return 2*n.place+1 < from
	}
	for i, p := range r.ports {
		if p.has(dst) {
			hops := len(r.chain.nodes) - 1
			switch i {
			case 0:
				return true
			case 1:
				return false
			}
			return 2*portPlace(i, p, hops)+1 < from
		}
	}
	return or
}

// has reports whether an address is behind the port.
func (p *Port) has(a netip.Addr) bool {
	for _, n := range p.Networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// portAt returns the port at hop k in the middle of the chain that has an
// address behind it; -1: none.
func (r *engine) portAt(k int, dst netip.Addr) int {
	for i := 2; i < len(r.ports); i++ {
		if r.ports[i].Hop == k && r.ports[i].has(dst) {
			return i
		}
	}
	return -1
}

// run moves all packets on, as far as they get by now.
func (r *engine) run() {
	for i := 0; i < len(r.work); i++ {
		p := r.work[i]
		r.work[i] = nil
		for p != nil && !p.done {
			p = r.move(p)
		}
		if p != nil {
			r.queue.push(p)
		}
	}
	r.work = r.work[:0]
}

// step is the difference of coordinates in the direction of the packet.
func (p *Packet) step() int {
	if p.Back {
		return -1
	}
	return 1
}

// move takes a packet one link or hop on. It returns nil for one that has
// ended, or waits in the queue.
func (r *engine) move(p *Packet) *Packet {
	hops := len(p.nodes) - 1
	p.Hop, p.Time = p.c/2, p.at
	switch {
	case p.c < 0:
		return r.leave(p, 0)
	case p.c > 2*hops:
		return r.leave(p, 1)
	case p.c%2 == 0:
		return r.cross(p.nodes[p.c/2], p)
	}
	return r.visit(p.nodes[p.c/2], p)
}

// leave has the packet wait for its time to leave by a port.
func (r *engine) leave(p *Packet, port int) *Packet {
	o := &r.ports[port]
	p.port, p.done = port, true
	kind := byFamily(p.Family, uint16(etherIPv4), etherIPv6)
	putEther(p.ether[:], o.Peer, o.MAC, kind)
	mtu := o.MTU
	if mtu == 0 {
		mtu = defaultMTU
	}
	if len(p.Bytes) > mtu {
		if !r.split(p, mtu) {
			r.stats.Ignored.Add(1)
			r.put(p)
		}
		return nil
	}
	r.queue.push(p)
	return nil
}

// due moves on what waits until now, and adds the frames that are to leave by
// now to out, in order. The caller gives them back by put.
func (r *engine) due(now time.Duration, out []*Packet) []*Packet {
	r.settle(now)
	for p := r.queue.pop(now); p != nil; p = r.queue.pop(now) {
		out = append(out, p)
	}
	return out
}

// settle moves on what waits until now.
func (r *engine) settle(now time.Duration) {
	r.now = max(r.now, now)
	for p := r.waits.pop(now); p != nil; p = r.waits.pop(now) {
		r.work = append(r.work, p)
		r.run()
	}
}

// next returns when due will have something to do; ok is false if nothing
// waits.
func (r *engine) next() (at time.Duration, ok bool) {
	at, ok = r.queue.next()
	if w, waits := r.waits.next(); waits && (!ok || w < at) {
		return w, true
	}
	return at, ok
}

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
		if verdict == Gone || len(p.Bytes) < p.l4 || len(p.Bytes) > maxPacket {
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
