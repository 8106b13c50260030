package router

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
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
