package icmpx

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// plainWays sends datagrams through ordinary sockets, one for each path, and
// learns of ICMP errors from their error queues. The error queue names the
// destination of the probe, port included, which is why that is what varies.
type plainWays struct {
	link *portLink
	tx   []*transmitter // by path
	ears ears

	listeners []int // sockets that only receive: see openListener
}

// openPlain opens the sockets of a link whose scheme is classicUDP.
func (l *portLink) openPlain() error {
	w := &plainWays{link: l}
	w.ears.link = l
	n := l.family.sock()
	fds, err := l.holdPorts(unix.SOCK_DGRAM, append(infoOptions(l.family), errorOptions(l.family)...)...)
	for i, fd := range fds {
		if err != nil {
			err = errors.Join(err, unix.Close(fd))
			continue
		}
		err = w.open(i, fd, n)
	}
	if err != nil {
		l.ports = nil
		w.stop()
		return errors.Join(err, w.close())
	}
	l.use(w, ModeDatagram)
	return nil
}

// open makes fd, which it takes over, the socket of a path.
func (w *plainWays) open(path, fd int, n *sockNumbers) error {
	l := w.link
	system, err := unix.GetsockoptInt(fd, n.level, n.mtuDiscover)
	err = errors.Join(err, setBuffers(fd, l.cfg.SendBuffer, l.cfg.RecvBuffer), l.setRoute(fd, unix.IPPROTO_UDP))
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	l.byID = enableStamps(fd, l.family, l.idType)
	t, err := newTransmitter(l, fd, l.what)
	if err != nil {
		return err
	}
	w.tx = append(w.tx, t)
	t.modes, t.pending = n.mtuModes, true
	if l.cfg.DF == DFSystem {
		t.modes[DFSystem] = system
	}
	t.head = l.headerLen() + udpHeaderLen
	if err := w.listen(path, fd, t); err != nil {
		return err
	}
	return w.openListener(path, fd, t)
}

// listen adds a socket that from's datagrams are answered to.
func (w *plainWays) listen(path, fd int, from *transmitter) error {
	l := w.link
	return w.ears.add(&ear{
		fd: fd, path: path, from: from, hear: l.hearDatagram, told: l.tell,
		data: newInbox(l.family, answerBatch, recvPacket, 0),
		errs: newInbox(l.family, errBatch, errPacket, unix.MSG_ERRQUEUE),
	})
}

func (w *plainWays) read() bool             { return w.ears.read() }
func (w *plainWays) deliver(rs []Reply) int { return w.ears.deliver(rs) }

func (w *plainWays) stop() {
	for _, t := range w.tx {
		_ = t.sock.close() // fails only when closed before
	}
}

func (w *plainWays) close() error { return closeAll(w.listeners) }

func (w *plainWays) keys(r *Request) (KeySpace, bool) {
	if int(r.Path) >= len(w.tx) {
		return KeySpace{}, false
	}
	return w.link.scheme.space(w.link.ports[r.Path], r.Port), true
}

func (w *plainWays) send(rs []Request) (int, error) {
	done := 0
	for done < len(rs) {
		if int(rs[done].Path) >= len(w.tx) {
			return done, fmt.Errorf("send to %v: path %d of %d: %w", rs[done].Dst, rs[done].Path, len(w.tx), unix.EINVAL)
		}
		t := w.tx[rs[done].Path]
		n, err := w.collect(t, rs[done:])
		if n == 0 {
			return done, err
		}
		sent, err := t.flush(rs[done : done+n])
		done += sent
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// collect writes the datagrams of the first requests into the outbox: as many
// as fit, are sound, and share a path and a path-MTU discovery mode.
func (w *plainWays) collect(t *transmitter, rs []Request) (int, error) {
	t.box.reset()
	for i := range rs {
		if rs[i].Path != rs[0].Path || w.link.df(&rs[i]) != w.link.df(&rs[0]) {
			return i, nil
		}
		full, err := w.link.marshalDatagram(t.box, &rs[i])
		if err != nil {
			return i, fmt.Errorf("send to %v: %w", rs[i].Dst, err)
		}
		if full {
			return i, nil
		}
	}
	return len(rs), nil
}

// marshalDatagram adds the payload of r to an outbox; the kernel writes the
// headers. full: there is no room left.
func (l *portLink) marshalDatagram(box *outbox, r *Request) (full bool, err error) {
	if r.Proto != l.probe || FamilyOf(r.Dst) != l.family {
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
	b := box.room(size - udpHeaderLen)
	if b == nil {
		return true, nil
	}
	putPayload(b, r)
	l.sent.put(r, b)
	box.add(b, r.Dst, l.scheme.port(r), scope, l.packetWords(r, scope))
	return false, nil
}

// tell makes a reply of an entry of an ordinary socket's error queue: the
// transmit stamp of a probe, or an ICMP error about one. This host's own
// complaints are not among them: the send that they are about was told.
func (l *portLink) tell(e *ear, a *arrival, r *Reply) bool {
	if a.hasErr && a.err.Origin == l.family.sock().errOrigin {
		_, classic := l.scheme.(classicUDP)
		key := Key{Flow: uint32(l.ports[e.path]), Tag: uint32(a.port)}
		return classic && l.fromQueue(a, key, e.errs.read, r)
	}
	return l.tellSent(e, a, r)
}

// fromQueue makes a reply of an ICMP error that the kernel took apart, about the
// probe with key k: of the error it gives type, code, one word and the sender,
// of the packet quoted the destination and what is behind its transport header,
// or for TCP begins with it.
func (l *portLink) fromQueue(a *arrival, k Key, read time.Time, r *Reply) bool {
	kind := kindOf(l.family, a.err.Type, a.err.Code)
	if !kind.Quotes() || !a.offender.IsValid() {
		return false
	}
	*r = Reply{Kind: kind, Type: a.err.Type, Code: a.err.Code, Key: k, Dst: l.goal(k, a.name)}
	quote, ext := splitStripped(l.family, l.hiddenLen(), a)
	r.Ext = ext
	r.Quote = Quote{Proto: l.proto, DstPort: a.port, Payload: quote, Len: len(quote)}
	if l.proto == protoTCP {
		r.Quote.Family = l.family
		r.Quote.parseTransport(quote)
		r.Quote.Family = 0 // the IP header is not shown
	}
	r.Quote.Payload = quotedPayload(classicUDP{}, r)
	if kind == KindTooBig {
		r.MTU = int(min(uint64(a.err.Info), 1<<31-1))
	}
	if kind == KindParamProblem {
		r.Pointer = a.err.Info
	}
	if kind == KindTimeExceeded {
		l.sent.note(k)
	}
	l.describe(r, a, read)
	r.From = l.zones.with(l.names, a.offender, max(a.offenderScope, a.ifIndex))
	return true
}

// hiddenLen is the length in bytes of what the error queue leaves out of a
// quote: the IP header, and that of UDP.
func (l *portLink) hiddenLen() int {
	if l.proto == protoUDP {
		return l.headerLen() + udpHeaderLen
	}
	return l.headerLen()
}
