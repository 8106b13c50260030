package icmpx

import (
	"encoding/binary"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// recvBatch packets are read at once, each whole, whatever its size.
	recvBatch  = 16
	recvPacket = 1 << 16
	// errBatch entries of the error queue are read at once: transmit stamps,
	// and on datagram sockets errors with their quotes.
	errBatch  = 64
	errPacket = 4 << 10
	// maxHeld is for how many full batches of the error queue answers are held
	// back. It is more than the queue holds: only one that is filled as fast as
	// it is read comes to it.
	maxHeld = 256
)

// A receiver is the receiving half of an ICMPLink: the one reader of the
// socket's two queues. All but injected is guarded by mu.
//
// The kernel queues a transmit stamp before the answer can exist, but in the
// other queue. So the packets are read first, then the error queue until it is
// empty, and what the error queue had is handed out first: a stamp comes no
// later than its answer.
type receiver struct {
	link  *ICMPLink
	mu    sync.Mutex
	data  *inbox
	errs  *inbox
	sent  *inbox // error queue of the socket that sends; nil: there is none
	held  int    // reads of the error queue since data was read
	free  bool   // data may be handed out: the error queue was seen empty since
	drops uint32
	mem   memInfo
	arr   arrival               // in work
	look  func(fd uintptr) bool // read, bound once so that calls do not allocate
	once  func(fd uintptr)      // read
	more  func(fd uintptr)      // of the socket that sends
	saw   bool                  // what read returned

	injectMu sync.Mutex
	injected []Reply // by the sender
}

func (rx *receiver) init(l *ICMPLink) {
	rx.link = l
	rx.data = newInbox(l.family, recvBatch, recvPacket, 0)
	rx.errs = newInbox(l.family, errBatch, errPacket, unix.MSG_ERRQUEUE)
	rx.look = rx.read
	rx.once = func(fd uintptr) { rx.saw = rx.read(fd) }
	if l.apart != nil {
		rx.sent = newInbox(l.family, errBatch, errPacket, unix.MSG_ERRQUEUE)
		rx.more = rx.sent.recv
	}
}

// Recv waits for at least one reply and returns how many it stored. The
// transmit time of a query (KindSent) comes no later than its answer. What the
// slices of a reply hold is valid until the next Recv.
//
// The error is os.ErrDeadlineExceeded only when, at or after the deadline, all
// queues were just seen empty; what is there is returned however late it is.
// It is net.ErrClosed after Close.
func (l *ICMPLink) Recv(rs []Reply) (int, error) {
	rx := &l.in
	rx.mu.Lock()
	defer rx.mu.Unlock()
	if len(rs) == 0 {
		return 0, nil
	}
	for {
		if n := rx.deliver(rs); n > 0 {
			return n, nil
		}
		if err := rx.fill(); err != nil {
			return 0, err
		}
	}
}

// fill waits until a queue had something.
func (rx *receiver) fill() error {
	rx.saw = false
	err := rx.link.sock.read(rx.look, rx.once)
	if rx.saw {
		return nil
	}
	return err
}

// read reads both queues and reports whether one had something. It is called
// by the poller, when all that came from the error queue was handed out.
func (rx *receiver) read(fd uintptr) bool {
	if rx.data.empty() {
		rx.data.recv(fd)
		rx.held = 0
		if rx.link.mode == ModeDatagram && !rx.data.empty() {
			rx.drops = rx.mem.drops(fd, rx.drops)
		}
	}
	rx.link.dequeue.Lock()
	rx.errs.recv(fd)
	rx.link.dequeue.Unlock()
	rx.held++
	rx.free = rx.errs.drained() || rx.held > maxHeld
	return rx.readSent() || !rx.data.empty() || !rx.errs.empty()
}

// readSent reads the transmit stamps of the socket that sends. They wake nobody:
// they are wanted when an answer has come, or a deadline.
func (rx *receiver) readSent() bool {
	if rx.sent == nil || rx.link.apart.sock.raw.Control(rx.more) != nil {
		return false
	}
	rx.free = rx.free && (rx.sent.drained() || rx.held > maxHeld)
	return !rx.sent.empty()
}

// deliver hands out what there is, in order, and leaves the rest for the next
// call. It may come to nothing: not all that is received is a reply.
func (rx *receiver) deliver(rs []Reply) int {
	n := rx.takeInjected(rs)
	for _, q := range [...]*inbox{rx.sent, rx.errs} {
		for n < len(rs) && q != nil && !q.empty() {
			q.pop(&rx.arr)
			if rx.fromError(&rs[n], q) {
				n++
			}
		}
	}
	for n < len(rs) && rx.free && !rx.data.empty() {
		rx.data.pop(&rx.arr)
		if rx.fromPacket(&rs[n]) {
			n++
		}
	}
	return n
}

// inject has Recv return r, whether it waits or is called later.
func (rx *receiver) inject(r Reply) {
	rx.injectMu.Lock()
	defer rx.injectMu.Unlock()
	rx.injected = append(rx.injected, r)
	rx.link.sock.kick() // under the lock: reading is interrupted as long as injected holds something
}

func (rx *receiver) takeInjected(rs []Reply) int {
	rx.injectMu.Lock()
	defer rx.injectMu.Unlock()
	if len(rx.injected) == 0 {
		return 0
	}
	n := copy(rs, rx.injected)
	rx.injected = rx.injected[:copy(rx.injected, rx.injected[n:])]
	if len(rx.injected) == 0 {
		rx.link.sock.settle()
	}
	return n
}

// describe gives r what is known of it whatever its bytes say.
func (rx *receiver) describe(r *Reply, q *inbox) {
	l, a := rx.link, &rx.arr
	r.To = l.zones.with(l.sock, a.to, a.ifIndex)
	r.IfIndex = int(a.ifIndex)
	r.TTL, r.TOS, r.Frag = a.ttl, a.tos, a.frag
	r.Read, r.ClockOffset = q.read, l.clock.offset(q.read)
	r.At, r.Stamp = q.read, StampUser
	if !a.stamp.IsZero() {
		r.At, r.Stamp = a.stamp, StampKernel
	}
	if a.drops != 0 {
		rx.drops = a.drops
	}
	r.Drops = rx.drops
}

// fromPacket makes a reply of a packet, and reports whether it is one to us.
func (rx *receiver) fromPacket(r *Reply) bool {
	l, a := rx.link, &rx.arr
	msg := a.data
	if l.mode == ModeRaw && l.family == IPv4 {
		if msg = ipv4Payload(msg); msg == nil {
			return false
		}
	}
	*r = Reply{}
	if DecodeReply(l.family, msg, r) != nil {
		return false
	}
	typ := r.Type
	if r.Kind.Quotes() {
		typ = r.Quote.Type
		if r.Quote.Proto != uint8(l.family.Protocol()) || l.errorsQueued.Load() && queued(l.family, r) {
			return false
		}
	}
	if r.Key.Flow != uint32(l.id) {
		return false
	}
	if r.Kind == KindEchoReply {
		l.paris.release(msg)
	}
	r.Key.Tag = tagOf(l.family, typ, uint16(r.Key.Tag))
	rx.describe(r, rx.data)
	r.Options = a.options
	r.From = l.zones.with(l.sock, a.name, max(a.scope, a.ifIndex))
	if !r.Kind.Quotes() {
		r.Dst = r.From
	}
	return true
}

// ipv4Payload returns what follows the IP header that a raw IPv4 socket hands
// up; nil if the packet is not sound. The kernel has checked it, but a read
// beyond it must not depend on that.
func ipv4Payload(b []byte) []byte {
	if len(b) < IPv4.HeaderLen() || b[0]>>4 != byte(IPv4) {
		return nil
	}
	ihl := int(b[0]&0x0f) * 4
	if ihl < IPv4.HeaderLen() || ihl > len(b) {
		return nil
	}
	return b[ihl:]
}

// fromError makes a reply of an entry of the error queue: the transmit time of
// a query, or an ICMP error about one. This host's own complaints are not
// among them: the send that they are about was told.
func (rx *receiver) fromError(r *Reply, q *inbox) bool {
	if !rx.arr.hasErr {
		return false
	}
	switch rx.arr.err.Origin {
	case unix.SO_EE_ORIGIN_TIMESTAMPING:
		return rx.fromStamp(r, q)
	case rx.link.family.sock().errOrigin:
		return rx.fromQuote(r)
	}
	return false
}

func (rx *receiver) fromStamp(r *Reply, q *inbox) bool {
	l, a := rx.link, &rx.arr
	if a.err.Info != unix.SCM_TSTAMP_SND || a.stamp.IsZero() {
		return false
	}
	*r = Reply{Kind: KindSent}
	var ok bool
	if l.byID {
		var scope uint32
		r.Key, r.Dst, scope, ok = l.stamps.take(a.err.Data)
		r.Dst = l.zones.with(l.sock, r.Dst, scope)
	} else {
		r.Key, r.Dst, ok = findSent(l.family, a.data, l.id)
	}
	rx.describe(r, q)
	return ok
}

// fromQuote makes a reply of an ICMP error that the kernel took apart: of the
// error it gives type, code, one word and the sender, of the packet quoted the
// destination and what begins with the ICMP header.
func (rx *receiver) fromQuote(r *Reply) bool {
	l, a := rx.link, &rx.arr
	kind := kindOf(l.family, a.err.Type, a.err.Code)
	if !kind.Quotes() || len(a.data) < headerLen || !a.offender.IsValid() {
		return false
	}
	*r = Reply{Kind: kind, Type: a.err.Type, Code: a.err.Code, Dst: a.name}
	quote, ext := splitStripped(l.family, l.headerLen(), a)
	q := Quote{Family: l.family, Proto: uint8(l.family.Protocol()), Len: len(quote)}
	q.parseICMP(quote)
	if !isRequest(l.family, q.Type) || q.ICMPID != l.id {
		return false
	}
	q.Family = 0 // its IP header is not shown
	r.Quote, r.Ext = q, ext
	r.Key = Key{Flow: uint32(l.id), Tag: tagOf(l.family, q.Type, q.ICMPSeq)}
	switch kind {
	case KindTooBig:
		r.MTU = int(min(uint64(a.err.Info), 1<<31-1))
	case KindParamProblem:
		r.Pointer = a.err.Info
	case KindRedirect:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], a.err.Info)
		r.Gateway = netip.AddrFrom4(b)
	}
	rx.describe(r, rx.errs)
	r.Options = a.options
	r.From = l.zones.with(l.sock, a.offender, max(a.offenderScope, a.ifIndex))
	return true
}

// splitStripped separates the quote, whose IP header the kernel has stripped,
// from the extension structure behind it. Where a length attribute says that
// it begins the kernel has found out (struct sock_ee_data_rfc4884: the offset
// in 16 bits, then flags); one that it calls invalid is handed on nevertheless,
// as a raw socket does. Of senders from before RFC 4884 it knows nothing: they
// put the structure at 128 in the quote of a packet whose IP header had the
// length hl.
func splitStripped(f Family, hl int, a *arrival) (quote, ext []byte) {
	var word [4]byte
	binary.NativeEndian.PutUint32(word[:], a.err.Data)
	n := int(nativeUint16(word[:]))
	if legacy := minQuote - hl; n == 0 && f == IPv4 && extensible(f, a.err.Type) && provesExtension(a.data, legacy) {
		n = legacy
	}
	if n >= headerLen && n < len(a.data) {
		return a.data[:n], a.data[n:]
	}
	return a.data, nil
}
