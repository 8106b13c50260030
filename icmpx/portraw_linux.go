package icmpx

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Sizes of the queues' memory; see newInbox.
const (
	answerBatch  = 4
	segmentBatch = 16
	segmentSize  = 512
)

// rawWays sends packets with IP headers of its own, and hears all answers:
// ICMP errors on a raw socket, those of the end on sockets of its protocol.
// Ordinary sockets hold the source ports, or this host would answer the answers
// before anybody has seen them.
type rawWays struct {
	link  *portLink
	tx    *transmitter // header included
	split *transmitter // for what this host has to fragment: the kernel writes the header
	ears  ears
	held  []int // sockets that hold the source ports
	fds   []int // the other sockets, but those of tx and split

	ttl, multicastTTL uint8
	sources           map[netip.Addr]source
	flow              flow   // of the packet in work
	route             []byte // its source route
}

// A source is the address that packets to a destination leave from, and since
// when that is known.
type source struct {
	addr netip.Addr
	at   time.Time
}

const (
	sourceAge  = time.Second // after which the routes are asked again
	maxSources = 1 << 12
)

// openRaw opens the raw sockets of a link whose scheme is set. holders is the
// type of the sockets that hold the ports, and hear makes replies of what these
// receive; nil: they are not listened to.
func (l *portLink) openRaw(holders int, hear func(*ear, *arrival, *Reply) bool) error {
	w := &rawWays{link: l, sources: make(map[netip.Addr]source)}
	w.ears.link = l
	if err := w.open(holders, hear); err != nil {
		l.ports = nil
		w.stop()
		return errors.Join(err, w.close())
	}
	l.use(w, ModeRaw)
	return nil
}

func (w *rawWays) open(holders int, hear func(*ear, *arrival, *Reply) bool) (err error) {
	if err = w.openTransmitters(); err != nil {
		return err
	}
	l := w.link
	if w.held, err = l.holdPorts(holders, l.hearing()...); err != nil {
		return err
	}
	for i, fd := range w.held {
		if hear == nil {
			continue
		}
		enableStamps(fd, l.family, l.idType)
		if err = w.ears.add(&ear{fd: fd, path: i, hear: hear, data: newInbox(l.family, answerBatch, recvPacket, 0)}); err != nil {
			return err
		}
	}
	return w.hearRaw(l.family.Protocol(), errorFilter(l.family, l.proto, l.ports), l.hearError,
		newInbox(l.family, recvBatch, recvPacket, 0))
}

// openTransmitters opens the sockets that send: what raw sockets of the two
// protocols receive their filters drop.
func (w *rawWays) openTransmitters() (err error) {
	l := w.link
	included := sockopt{unix.SOL_IP, unix.IP_HDRINCL, 1, false, "header inclusion"}
	if l.family == IPv6 {
		included = sockopt{unix.SOL_IPV6, unix.IPV6_HDRINCL, 1, false, "header inclusion"}
	}
	if w.tx, err = w.transmitter(unix.IPPROTO_RAW, included); err != nil {
		return err
	}
	// Its headers say themselves whether they may be fragmented, and it is to
	// learn nothing, unless DFSet asks for what was learnt.
	w.tx.modes = [...]int{DFSystem: receiveOnly, DFClear: receiveOnly, DFSet: l.family.sock().mtuModes[DFSet], DFProbe: receiveOnly}
	w.tx.oversize = w.fragment
	if w.split, err = w.transmitter(int(l.proto)); err != nil {
		return err
	}
	w.split.modes = [...]int{DFSystem: unix.IP_PMTUDISC_DONT, DFClear: unix.IP_PMTUDISC_DONT, DFSet: receiveOnly, DFProbe: receiveOnly}
	w.split.head = l.headerLen()
	if w.ttl, err = w.defaultTTL(l.family.sock().ttl); err != nil {
		return err
	}
	w.multicastTTL, err = w.defaultTTL(l.family.sock().multicastTTL)
	return err
}

// transmitter opens a socket that sends. Until it does it is one that only
// receives: see receiveOnly.
func (w *rawWays) transmitter(proto int, opts ...sockopt) (*transmitter, error) {
	l := w.link
	fd, err := l.openSocket(unix.SOCK_RAW, proto, append(opts, l.learnNothing())...)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(setBuffers(fd, l.cfg.SendBuffer, 0), l.setRoute(fd, proto)); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	l.byID = enableStamps(fd, l.family, l.idType)
	t, err := newTransmitter(l, fd, l.what)
	if err != nil {
		return nil, err
	}
	e := &ear{fd: fd, from: t, told: l.tellSent, errs: newInbox(l.family, errBatch, errPacket, unix.MSG_ERRQUEUE)}
	if err := w.ears.add(e); err != nil {
		return nil, errors.Join(err, t.sock.close())
	}
	return t, nil
}

// setRoute gives the source route to a socket whose headers the kernel writes.
func (l *portLink) setRoute(fd, proto int) error {
	if len(l.cfg.Gateways) == 0 || proto == unix.IPPROTO_RAW {
		return nil
	}
	// The kernel takes the first gateway out and writes the destination behind
	// the others (__ip_options_compile and ip_options_build of
	// net/ipv4/ip_options.c).
	b := []byte{optionNop, optionLSRR, byte(3 + 4*len(l.cfg.Gateways)), 4}
	for _, g := range l.cfg.Gateways {
		b = append(b, g.AsSlice()...)
	}
	if proto == unix.IPPROTO_UDP {
		// The kernel computes UDP checksums with the gateway's address, for which
		// the destination drops the packets (udp_sendmsg of net/ipv4/udp.c).
		if err := setOptions(fd, []sockopt{{unix.SOL_SOCKET, unix.SO_NO_CHECK, 1, false, "no checksum"}}); err != nil {
			return err
		}
	}
	return setIPv4Options(fd, b)
}

func (w *rawWays) defaultTTL(option int) (ttl uint8, err error) {
	v, err := unix.GetsockoptInt(w.split.fd, w.link.family.sock().level, option)
	return uint8(v), os.NewSyscallError("getsockopt", err)
}

// hearRaw opens a raw socket of a protocol that hears what a filter lets pass.
func (w *rawWays) hearRaw(proto int, filter []bpf.Instruction, hear func(*ear, *arrival, *Reply) bool, box *inbox) error {
	l := w.link
	fd, err := l.openSocket(unix.SOCK_RAW, proto, l.hearing()...)
	if err != nil {
		return err
	}
	w.fds = append(w.fds, fd)
	enableStamps(fd, l.family, l.idType)
	if err := setBuffers(fd, 0, l.cfg.RecvBuffer); err != nil {
		return err
	}
	if err := bindSource(fd, l.family, l.cfg.Source, 0, l.device); err != nil {
		return err
	}
	if proto == l.family.Protocol() {
		if err := blockTypes(fd, l.family); err != nil {
			return err
		}
	}
	if err := attach(fd, filter); err != nil {
		return err
	}
	return w.ears.add(&ear{fd: fd, hear: hear, data: box})
}

func (w *rawWays) read() bool             { return w.ears.read() }
func (w *rawWays) deliver(rs []Reply) int { return w.ears.deliver(rs) }

func (w *rawWays) stop() {
	for _, t := range []*transmitter{w.tx, w.split} {
		if t != nil {
			_ = t.sock.close() // fails only when closed before
		}
	}
}

func (w *rawWays) close() error { return closeAll(slices.Concat(w.held, w.fds)) }

func (w *rawWays) keys(r *Request) (KeySpace, bool) {
	if int(r.Path) >= len(w.link.ports) {
		return KeySpace{}, false
	}
	return w.link.scheme.space(w.link.ports[r.Path], r.Port), true
}

func (w *rawWays) send(rs []Request) (int, error) {
	done := 0
	for done < len(rs) {
		n, err := w.collect(rs[done:])
		if n == 0 {
			return done, err
		}
		sent, err := w.tx.flush(rs[done : done+n])
		done += sent
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// collect writes the packets of the first requests into the outbox: as many as
// fit, are sound, and share a path-MTU discovery mode.
func (w *rawWays) collect(rs []Request) (int, error) {
	w.tx.box.reset()
	df := w.link.df(&rs[0])
	for i := range rs {
		if w.link.df(&rs[i]) != df {
			return i, nil
		}
		full, err := w.marshal(&rs[i])
		if err != nil {
			return i, fmt.Errorf("send to %v: %w", rs[i].Dst, err)
		}
		if full {
			return i, nil
		}
	}
	return len(rs), nil
}

// marshal adds the packet of r to the outbox. full: there is no room left.
func (w *rawWays) marshal(r *Request) (full bool, err error) {
	l := w.link
	if r.Proto != l.probe || FamilyOf(r.Dst) != l.family || int(r.Path) >= len(l.ports) {
		return false, fmt.Errorf("not for %v: %w", l, unix.EINVAL)
	}
	scope, err := l.zones.index(l.names, r.Dst)
	if err != nil {
		return false, err
	}
	size, err := l.scheme.size(r, l.family)
	if err != nil {
		return false, err
	}
	f := &w.flow
	*f = flow{dst: r.Dst.Unmap().WithZone(""), sport: l.ports[r.Path], dport: l.scheme.port(r), asked: l.cfg.FlowLabel}
	if f.src, err = w.source(r.Dst, scope); err != nil {
		return false, err
	}
	via, route := f.dst, w.route[:0]
	if len(l.cfg.Gateways) > 0 {
		via, route = l.cfg.Gateways[0], appendSourceRoute(route, l.cfg.Gateways, f.dst)
		w.route = route
	}
	head := l.headerLen()
	b := w.tx.box.room(head + size)
	if b == nil {
		return true, nil
	}
	payload := l.scheme.put(f, b[head:], r)
	f.putIP(b, w.fields(r), via, route)
	l.sent.put(r, payload)
	w.tx.box.add(b, via, 0, scope, l.stampNumber(r, scope))
	return false, nil
}

// fields returns what the header of r says besides its flow.
func (w *rawWays) fields(r *Request) ipFields {
	l := w.link
	h := ipFields{proto: l.proto, ttl: r.TTL, tos: uint8(max(l.cfg.TOS, 0)), id: uint16(r.Key.Tag)}
	if h.ttl == 0 {
		h.ttl = w.ttl
		if r.Dst.IsMulticast() {
			h.ttl = w.multicastTTL
		}
	}
	if r.TOS >= 0 {
		h.tos = uint8(r.TOS)
	}
	df := l.df(r)
	h.df = df == DFSet || df == DFProbe
	return h
}

// source returns the source address of packets to dst, which their checksum
// covers.
func (w *rawWays) source(dst netip.Addr, scope uint32) (netip.Addr, error) {
	l := w.link
	if l.cfg.Source.IsValid() {
		return l.cfg.Source.Unmap().WithZone(""), nil
	}
	now := time.Now()
	if s, ok := w.sources[dst]; ok && now.Sub(s.at) < sourceAge {
		return s.addr, nil
	}
	src, err := l.route.source(l.firstHop(dst), scope)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(w.sources) >= maxSources {
		clear(w.sources)
	}
	w.sources[dst] = source{src.Unmap().WithZone(""), now}
	return w.sources[dst].addr, nil
}

// fragment sends message i of tx, which is larger than its first link takes,
// in fragments.
func (w *rawWays) fragment(i int) error {
	l := w.link
	r := &w.tx.rs[i]
	scope, err := l.zones.index(l.names, r.Dst)
	if err != nil {
		return err
	}
	src, err := w.source(r.Dst, scope)
	if err != nil {
		return err
	}
	packet := w.tx.message(i)
	segment := packet[l.headerLen():]
	box := w.split.box
	box.reset()
	b := box.room(len(segment))
	copy(b, segment)
	box.add(b, r.Dst, 0, scope, l.packetWords(r, scope))
	box.from(src, scope)
	_, err = w.split.flush(w.tx.rs[i : i+1])
	return errors.Join(err, w.split.setMode(receiveOnly))
}
