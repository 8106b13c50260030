package icmpx

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A portLink is what UDP and TCP links have in common: all but what their
// packets look like, which is the scheme, and the sockets that they use, which
// is the engine.
type portLink struct {
	cfg    PortConfig
	what   string // "udp" or "tcp"
	family Family
	mode   Mode
	proto  uint8
	probe  Proto
	scheme scheme
	device uint32   // index of the interface that it is bound to
	ports  []uint16 // source port of each path; none if each probe has its own

	clock  clock
	zones  zoneTable
	names  *socket // any socket of the link's network namespace
	route  *routeSocket
	stamps stampRing
	idType int  // of the ancillary data that number transmit stamps
	byID   bool // they come by number
	sent   sentRing

	poll *pollSet
	ways ways

	sendMu sync.Mutex // one Send at a time
	words  [maxSendWords]sendOption
	recvMu sync.Mutex // one Recv at a time

	injectMu sync.Mutex
	injected []Reply // by the sender
}

// ways are the sockets of a link: how packets leave and arrive.
type ways interface {
	// keys returns the tags of requests like r; false if they cannot be sent.
	keys(r *Request) (KeySpace, bool)
	// send sends requests in order, and says how many and why not the next.
	send(rs []Request) (int, error)
	// read takes what the sockets have, and reports whether that is anything.
	// The poller calls it, when deliver has come to nothing.
	read() bool
	// deliver hands out what was read.
	deliver(rs []Reply) int
	// stop ends the sends in progress, close closes the sockets.
	stop()
	close() error
}

// Keys returns the flow and the tags of requests like r, and false for those of
// another protocol or family, or of a path that there is none of.
func (l *portLink) Keys(r *Request) (KeySpace, bool) {
	if r.Proto != l.probe || FamilyOf(r.Dst) != l.family {
		return KeySpace{}, false
	}
	return l.ways.keys(r)
}

// Send sends requests in order and returns how many were taken; the error says
// why the next one was not. Sent and ClockOffset of those taken are set.
//
// A packet that this host does not let out for its size, because it may not be
// fragmented, is taken and answered at once: Recv returns KindTooBig from this
// host's own address.
func (l *portLink) Send(rs []Request) (int, error) {
	l.sendMu.Lock()
	defer l.sendMu.Unlock()
	if l.poll.closed.Load() {
		return 0, net.ErrClosed
	}
	return l.ways.send(rs)
}

// Recv waits for at least one reply and returns how many it stored. The
// transmit time of a probe (KindSent) comes no later than its answer. What the
// slices of a reply hold is valid until the next Recv.
//
// The error is os.ErrDeadlineExceeded only when, at or after the deadline, all
// queues were just seen empty; what is there is returned however late it is.
// It is net.ErrClosed after Close.
func (l *portLink) Recv(rs []Reply) (int, error) {
	l.recvMu.Lock()
	defer l.recvMu.Unlock()
	if len(rs) == 0 {
		return 0, nil
	}
	for {
		if l.poll.closed.Load() {
			return 0, net.ErrClosed
		}
		if n := l.takeInjected(rs); n > 0 {
			return n, nil
		}
		if n := l.ways.deliver(rs); n > 0 {
			return n, nil
		}
		if err := l.poll.wait(); err != nil {
			return 0, err
		}
	}
}

// SetRecvDeadline sets the time at which Recv gives up, also for a Recv in
// progress; the zero time means never. The error is net.ErrClosed after Close.
func (l *portLink) SetRecvDeadline(t time.Time) error { return l.poll.setDeadline(t) }

// Close ends the link and every call in progress. A second Close returns
// net.ErrClosed.
func (l *portLink) Close() error {
	if err := l.poll.close(); err != nil {
		return err
	}
	l.recvMu.Lock() // Recv has been told, and uses descriptors by their number
	defer l.recvMu.Unlock()
	l.ways.stop()
	l.sendMu.Lock()
	defer l.sendMu.Unlock()
	return errors.Join(l.ways.close(), l.names.close(), l.route.close())
}

// Mode returns which kind of sockets it has: ModeRaw or ModeDatagram, which
// stands for ordinary ones.
func (l *portLink) Mode() Mode { return l.mode }

// Family returns the address family of the link.
func (l *portLink) Family() Family { return l.family }

// SourcePorts returns the source port of each path; none if each probe has its
// own.
func (l *portLink) SourcePorts() []uint16 { return append([]uint16(nil), l.ports...) }

// Limit returns how many probes may be open at once: MaxOpen if each has a
// socket of its own, else 0, which means any number.
func (l *portLink) Limit() int {
	if len(l.ports) == 0 {
		return MaxOpen
	}
	return 0
}

// LocalAddr returns the source address that the link was given; the zero Addr
// if the kernel chooses.
func (l *portLink) LocalAddr() netip.Addr { return l.cfg.Source }

// SourceFor returns the address of this host that packets to dst leave from,
// as the routes are now. It sends nothing.
func (l *portLink) SourceFor(dst netip.Addr) (netip.Addr, error) {
	if FamilyOf(dst) != l.family {
		return netip.Addr{}, fmt.Errorf("find source for %v: not an %v address", dst, l.family)
	}
	scope, err := l.zones.index(l.names, dst)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find source for %v: %w", dst, err)
	}
	src, err := l.route.source(dst, scope)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find source for %v: %w", dst, err)
	}
	return l.zones.with(l.names, src, scope), nil
}

// MTUFor returns the length in bytes of the largest IP packet that may leave
// for dst in one piece, as far as this host knows: the MTU of the interface,
// or of the path where that is known to be smaller. It sends nothing.
func (l *portLink) MTUFor(dst netip.Addr) (int, error) {
	if FamilyOf(dst) != l.family {
		return 0, fmt.Errorf("find MTU for %v: not an %v address", dst, l.family)
	}
	scope, err := l.zones.index(l.names, dst)
	if err != nil {
		return 0, fmt.Errorf("find MTU for %v: %w", dst, err)
	}
	mtu, err := l.route.mtu(l.firstHop(dst), scope)
	if err != nil {
		return 0, fmt.Errorf("find MTU for %v: %w", dst, err)
	}
	return mtu, nil
}

// String describes the link, for messages.
func (l *portLink) String() string {
	kind := "ordinary"
	if l.mode == ModeRaw {
		kind = "raw"
	}
	return fmt.Sprintf("%v %s %s sockets", l.family, kind, l.what)
}

// headerLen is the length in bytes of the IP header of the link's packets.
func (l *portLink) headerLen() int {
	return l.family.HeaderLen() + sourceRouteLen(len(l.cfg.Gateways))
}

// df returns the path-MTU discovery mode of r.
func (l *portLink) df(r *Request) DF {
	if r.DF == DFSystem {
		return l.cfg.DF
	}
	return r.DF
}

// inject has Recv return r, whether it waits or is called later.
func (l *portLink) inject(r Reply) {
	l.injectMu.Lock()
	defer l.injectMu.Unlock()
	l.injected = append(l.injected, r)
	l.poll.kick() // under the lock: reading is interrupted as long as injected holds something
}

func (l *portLink) takeInjected(rs []Reply) int {
	l.injectMu.Lock()
	defer l.injectMu.Unlock()
	if len(l.injected) == 0 {
		return 0
	}
	n := copy(rs, l.injected)
	l.injected = l.injected[:copy(l.injected, l.injected[n:])]
	if len(l.injected) == 0 {
		l.poll.settle()
	}
	return n
}

// refuse answers r, a packet of size bytes that the kernel has refused with
// EMSGSIZE, if that was its reason: it is known to be, or the limit proves it.
func (l *portLink) refuse(r *Request, df DF, size int, sure bool) bool {
	scope, err := l.zones.index(l.names, r.Dst)
	if err != nil {
		return false
	}
	mtu, src := l.route.limit(l.firstHop(r.Dst), scope, df)
	if mtu == 0 || mtu >= size {
		if mtu = 0; !sure {
			return false
		}
	}
	now := time.Now()
	reply := Reply{
		Kind: KindTooBig, Type: v4Unreachable, Code: codeFragNeeded, Key: r.Key, Dst: r.Dst.Unmap(),
		From: l.zones.with(l.names, src, scope), IfIndex: int(max(scope, l.device)), MTU: mtu,
		At: now, Read: now, ClockOffset: l.clock.offset(now),
	}
	if l.family == IPv6 {
		reply.Type, reply.Code = v6PacketTooBig, 0
	}
	l.inject(reply)
	return true
}

// firstHop returns the address in the header of packets to dst.
func (l *portLink) firstHop(dst netip.Addr) netip.Addr {
	if len(l.cfg.Gateways) > 0 {
		return l.cfg.Gateways[0]
	}
	return dst.Unmap()
}

// describe gives r what is known of an arrival whatever its bytes say.
func (l *portLink) describe(r *Reply, a *arrival, read time.Time) {
	r.To = l.zones.with(l.names, a.to, a.ifIndex)
	r.IfIndex = int(a.ifIndex)
	r.TTL, r.TOS, r.Frag, r.Options = a.ttl, a.tos, a.frag, a.options
	r.Read, r.ClockOffset = read, l.clock.offset(read)
	r.At, r.Stamp = read, StampUser
	if !a.stamp.IsZero() {
		r.At, r.Stamp = a.stamp, StampKernel
	}
}
