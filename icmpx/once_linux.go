package icmpx

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// onceWays has an ordinary socket for each probe, connected to where the probe
// goes: so it is known by its socket, and nothing of it has to vary but the
// source port. The sockets are opened with the link, as the namespace and the
// privileges were then, and are used again and again.
type onceWays struct {
	link  *portLink
	kind  onceKind
	fds   []int // of slots
	order uint64

	mu    sync.Mutex // guards slots
	slots []onceSlot

	due   []int32 // slots that something has happened to, yet to be looked at
	ready []Reply // of the slot that was looked at last, yet to be handed out
	next  int     // the first of them
	errs  *inbox
	sent  *inbox // error queues of the sockets that send apart
	data  *inbox
	arr   arrival
}

// A onceKind is what sets UDP and TCP apart.
type onceKind interface {
	// open prepares a new socket, which the poll set knows by number.
	open(l *portLink, fd, number int) error
	// launch sends the probe of a slot, whose socket is set up for it.
	launch(w *onceWays, s *onceSlot, r *Request, to unix.Sockaddr) error
	// look adds to w.ready what a slot says beyond ICMP errors and stamps: what
	// is in w.data, or the state of its connection. It ends the slot if it has
	// been answered; errs of the ICMP errors were there.
	look(w *onceWays, s *onceSlot, errs int)
}

// A onceSlot is one socket, and the probe that it was last used for.
type onceSlot struct {
	fd     int
	apart  int // the socket that sent the probe, if that was another, see sendApart; else 0
	number int // in the poll set
	key    Key
	dst    netip.Addr // with its zone
	order  uint64     // in which probes were sent, from 1; 0: none
	busy   bool       // not answered yet
	errno  error      // TCP: what the attempt said at once
	before uint32     // TCP: how many segments the socket had repeated

	ttl, tos, mode int // as set; -1: as the socket came
}

func (l *portLink) openOnce(kind onceKind) error {
	if l.cfg.SourcePort != 0 {
		return fmt.Errorf("send from port %d: without raw sockets each probe has a port of its own: %w", l.cfg.SourcePort, errors.ErrUnsupported)
	}
	w := &onceWays{
		link: l, kind: kind,
		errs: newInbox(l.family, 8, errPacket, unix.MSG_ERRQUEUE),
		sent: newInbox(l.family, 8, errPacket, unix.MSG_ERRQUEUE),
		data: newInbox(l.family, 1, recvPacket, 0),
	}
	for i := range MaxOpen {
		if err := w.open(i); err != nil {
			return errors.Join(err, w.close())
		}
	}
	l.use(w, ModeDatagram)
	return nil
}

func (w *onceWays) open(number int) error {
	l := w.link
	typ := unix.SOCK_DGRAM
	if l.proto == protoTCP {
		typ = unix.SOCK_STREAM
	}
	fd, err := l.openSocket(typ, 0, append(infoOptions(l.family), errorOptions(l.family)...)...)
	if err != nil {
		return err
	}
	w.fds = append(w.fds, fd)
	w.slots = append(w.slots, onceSlot{fd: fd, number: number, ttl: -1, tos: -1, mode: -1})
	if err := l.setRoute(fd, int(l.proto)); err != nil {
		return err
	}
	if err := bindSource(fd, l.family, l.cfg.Source, 0, l.device); err != nil {
		return err
	}
	return w.kind.open(l, fd, number)
}

func (w *onceWays) stop() {}

func (w *onceWays) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	fds := w.fds
	w.fds = nil
	for i := range w.slots {
		if fd := w.slots[i].apart; fd > 0 {
			fds = append(fds, fd)
		}
	}
	w.slots = nil
	return closeAll(fds)
}

func (w *onceWays) keys(r *Request) (KeySpace, bool) {
	return KeySpace{Flow: uint32(w.port(r)), First: 1, Last: 1<<16 - 1}, true
}

func (w *onceWays) port(r *Request) uint16 {
	if w.link.proto == protoUDP {
		return udpPort(r.Port)
	}
	return r.Port
}

func (w *onceWays) send(rs []Request) (int, error) {
	for i := range rs {
		if err := w.sendOne(&rs[i]); err != nil {
			return i, fmt.Errorf("send to %v: %w", rs[i].Dst, err)
		}
	}
	return len(rs), nil
}

func (w *onceWays) sendOne(r *Request) error {
	l := w.link
	if r.Proto != l.probe || FamilyOf(r.Dst) != l.family {
		return fmt.Errorf("not for %v: %w", l, unix.EINVAL)
	}
	scope, err := l.zones.index(l.names, r.Dst)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.pick()
	w.reset(s)
	if err := w.shape(s, r); err != nil {
		return err
	}
	w.order++
	s.key, s.dst, s.order, s.busy = r.Key, r.Dst.Unmap(), w.order, true
	if err := w.kind.launch(w, s, r, destination(l.family, r.Dst, w.port(r), scope)); err != nil {
		s.busy = false
		l.zones.forget(r.Dst)
		return err
	}
	return nil
}

// pick returns the slot for the next probe: the one that was answered or not
// used for longest, and else that of the oldest probe.
func (w *onceWays) pick() *onceSlot {
	best := &w.slots[0]
	for i := range w.slots {
		s := &w.slots[i]
		if s.busy != best.busy && best.busy || s.busy == best.busy && s.order < best.order {
			best = s
		}
	}
	return best
}

// reset ends what a slot was used for. A connection is reset, and a source port
// given back; what the queues held of the last probe is thrown away.
func (w *onceWays) reset(s *onceSlot) {
	if s.order == 0 {
		return
	}
	disconnect(s.fd)
	if s.apart > 0 {
		_ = unix.Close(s.apart) // it has nothing to write
		s.apart = 0
	}
	var b [1]byte
	for _, flags := range []int{unix.MSG_ERRQUEUE, 0} {
		for range maxDrain {
			if _, _, _, _, err := unix.Recvmsg(s.fd, b[:], nil, flags|unix.MSG_DONTWAIT); err == unix.EAGAIN || err == unix.ENOTCONN {
				break
			}
		}
	}
	_, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR) // takes what is pending
	s.busy, s.errno = false, nil
}

// maxDrain bounds what reset throws away, should somebody fill the queues as
// fast as they are emptied.
const maxDrain = 1 << 10

// disconnect gives a socket back its freedom (connect(2)). It cannot fail on a
// socket of these kinds.
func disconnect(fd int) {
	none := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, _ = syscall.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none))
}

// shape sets what the packets of a slot shall look like.
func (w *onceWays) shape(s *onceSlot, r *Request) error {
	l := w.link
	n := l.family.sock()
	ttl, tos := int(r.TTL), int(r.TOS)
	if ttl == 0 {
		if ttl = int(l.cfg.TTL); ttl == 0 {
			ttl = -1 // the system's
		}
	}
	if tos < 0 {
		tos = max(int(l.cfg.TOS), 0)
	}
	for _, o := range []struct {
		name, want int
		have       *int
	}{{n.ttl, ttl, &s.ttl}, {n.tos, tos, &s.tos}, {n.mtuDiscover, w.mtuMode(r), &s.mode}} {
		if *o.have == o.want {
			continue
		}
		if err := unix.SetsockoptInt(s.fd, n.level, o.name, o.want); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		*o.have = o.want
	}
	return nil
}

// mtuMode returns the kernel's number for what df says, or that of a socket that
// only receives.
func (w *onceWays) mtuMode(r *Request) int {
	if w.link.sendsApart(r) {
		return receiveOnly
	}
	return w.link.family.sock().mtuModes[w.df(r)]
}

// df returns the path-MTU discovery mode of the socket for r. The kernel sets
// the DF of a TCP socket in DFSet, but not in DFProbe (ip_dont_fragment of
// include/net/ip.h); a SYN is smaller than any path MTU that it may know.
func (w *onceWays) df(r *Request) DF {
	df := w.link.df(r)
	if df == DFProbe && w.link.proto == protoTCP {
		return DFSet
	}
	return df
}

func (w *onceWays) read() bool {
	for _, ev := range w.link.poll.ready() {
		w.due = append(w.due, ev.Fd)
	}
	return len(w.due) > 0
}

// deliver hands out what there is, of one slot after the other: the replies
// share the memory of the inboxes.
func (w *onceWays) deliver(rs []Reply) int {
	for w.next == len(w.ready) {
		if len(w.due) == 0 {
			return 0
		}
		number := w.due[0]
		w.due = w.due[:copy(w.due, w.due[1:])]
		w.look(int(number))
	}
	n := copy(rs, w.ready[w.next:])
	w.next += n
	return n
}

// look makes ready what has happened to a slot.
func (w *onceWays) look(number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready, w.next = w.ready[:0], 0
	if number >= len(w.slots) || w.slots[number].order == 0 {
		return
	}
	s := &w.slots[number]
	if w.link.proto == protoUDP { // a transmit stamp is queued before the answer can be: see receiver
		w.data.recv(uintptr(s.fd))
	}
	w.errs.recv(uintptr(s.fd))
	if s.apart > 0 { // read last and told first, for the same reason
		w.sent.recv(uintptr(s.apart))
		w.tellAll(s, w.sent)
	}
	w.kind.look(w, s, w.tellAll(s, w.errs))
}

// tellAll makes ready what an error queue of a slot had, and returns how many
// ICMP errors there were.
func (w *onceWays) tellAll(s *onceSlot, q *inbox) (errs int) {
	for !q.empty() {
		q.pop(&w.arr)
		var r Reply
		if !w.tell(s, &r, q) {
			continue
		}
		if r.Kind.Quotes() {
			errs++
		}
		w.ready = append(w.ready, r)
	}
	return errs
}

// tell makes a reply of an entry of a slot's error queue.
func (w *onceWays) tell(s *onceSlot, r *Reply, q *inbox) bool {
	l, a := w.link, &w.arr
	switch {
	case !a.hasErr:
		return false
	case a.err.Origin == l.family.sock().errOrigin:
		if !l.fromQueue(a, s.key, q.read, r) {
			return false
		}
		r.Dst = s.dst
		return true
	case a.err.Origin != unix.SO_EE_ORIGIN_TIMESTAMPING || a.err.Info != unix.SCM_TSTAMP_SND || a.stamp.IsZero():
		return false
	}
	*r = Reply{Kind: KindSent, Key: s.key, Dst: s.dst}
	l.describe(r, a, q.read)
	return true
}

// answer makes ready what came from the end itself.
func (w *onceWays) answer(s *onceSlot, kind Kind, a *arrival, read time.Time) {
	r := Reply{Kind: kind, Key: s.key, From: s.dst, Dst: s.dst, Payload: a.data}
	w.link.describe(&r, a, read)
	w.ready = append(w.ready, r)
}
