package icmpx

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A transmitter sends the packets of a link through one socket, in batches. All
// but the functions that the poller calls is guarded by the link's sending.
type transmitter struct {
	link  *portLink
	sock  *socket
	fd    int
	box   *outbox
	head  int       // bytes of IP header, and of UDP header, that the kernel adds to a message
	rs    []Request // those that box holds the messages of
	modes [DFProbe + 1]int
	mode  int // path-MTU discovery mode that the socket has

	// oversize sends what this host has to fragment; nil: the kernel does it
	// unasked.
	oversize func(i int) error

	// What the error queue leaves pending on the socket is returned by a send:
	// see ICMPLink. dequeue is held by who takes errors from the queue.
	pending bool
	dequeue sync.Mutex
	used    atomic.Bool // something was sent, so that the error queue may hold something

	errno syscall.Errno
	write func(fd uintptr) bool // send, bound once so that calls do not allocate
	retry func(fd uintptr)      // again
}

// newTransmitter takes fd over, also when it fails.
func newTransmitter(l *portLink, fd int, name string) (*transmitter, error) {
	sock, err := newSocket(fd, name)
	if err != nil {
		return nil, err
	}
	t := &transmitter{link: l, sock: sock, fd: fd, box: newOutbox(), mode: -1}
	t.write, t.retry = t.send, t.again
	return t, nil
}

// flush sends what was collected for rs, which agree on the mode. Its rules,
// for the message that the kernel did not take:
//  1. no room: wait for it;
//  2. too large to leave unfragmented, as it must: that is its answer;
//  3. too large, and this host has to fragment it: another socket does that;
//  4. an error of another probe that was pending on the socket: send again;
//  5. else that is why.
func (t *transmitter) flush(rs []Request) (int, error) {
	t.rs = rs
	defer func() { t.rs = nil }()
	t.used.Store(true)
	df := t.link.df(&rs[0])
	if mode := t.modes[df]; mode != t.mode {
		if err := t.setMode(mode); err != nil {
			return 0, err
		}
	}
	for t.box.next < t.box.n {
		if t.sock.raw.Write(t.write) != nil {
			return t.box.next, net.ErrClosed
		}
		if t.errno != 0 {
			if err := t.failed(df); err != nil {
				return t.box.next, err
			}
		}
	}
	return t.box.next, nil
}

// failed deals with the message that the kernel did not take, as flush says.
func (t *transmitter) failed(df DF) error {
	if t.tooBig(df, false) {
		return nil
	}
	if t.errno == unix.EMSGSIZE && t.oversize != nil && df != DFSet && df != DFProbe {
		return t.fragment()
	}
	if t.pending && mayPend(t.errno) {
		if err := t.sendAgain(); err != nil {
			return err
		}
		if t.errno == 0 || t.errno == unix.EAGAIN || t.tooBig(df, true) {
			return nil
		}
	}
	t.link.zones.forget(t.rs[t.box.next].Dst)
	return os.NewSyscallError("sendmsg", t.errno)
}

// fragment has another socket send the next message.
func (t *transmitter) fragment() error {
	if err := t.oversize(t.box.next); err != nil {
		return err
	}
	t.box.next++
	return nil
}

// setMode gives the socket a path-MTU discovery mode.
func (t *transmitter) setMode(mode int) (err error) {
	cerr := t.sock.raw.Control(func(fd uintptr) {
		n := t.link.family.sock()
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), n.level, n.mtuDiscover, mode))
	})
	if cerr != nil {
		return net.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("set path-MTU discovery: %w", err)
	}
	t.mode = mode
	return nil
}

// send is called by the poller; false waits until there is room.
func (t *transmitter) send(fd uintptr) bool {
	t.stampNow()
	t.errno = t.box.send(fd, t.box.n)
	return t.errno != unix.EAGAIN
}

// stampNow notes the time of sending, as late as it can be.
func (t *transmitter) stampNow() {
	now := time.Now()
	offset := t.link.clock.offset(now)
	for i := t.box.next; i < t.box.n; i++ {
		t.rs[i].Sent, t.rs[i].ClockOffset = now, offset
	}
}

// sendAgain repeats the send of one message while errors of other probes may
// be what it returns; see sender.sendAgain.
func (t *transmitter) sendAgain() error {
	t.dequeue.Lock()
	defer t.dequeue.Unlock()
	if t.sock.raw.Control(t.retry) != nil {
		return net.ErrClosed
	}
	return nil
}

func (t *transmitter) again(fd uintptr) {
	for range maxPending {
		t.stampNow()
		if t.errno = t.box.send(fd, 1); !mayPend(t.errno) {
			return
		}
	}
}

// tooBig answers the message that the kernel did not take for its size. Unless
// it is sure that this was the reason, and not a pending error, the limit must
// prove it.
func (t *transmitter) tooBig(df DF, sure bool) bool {
	if t.errno != unix.EMSGSIZE || df != DFSet && df != DFProbe {
		return false
	}
	size := t.head + int(t.box.iovs[t.box.next].Len)
	if !t.link.refuse(&t.rs[t.box.next], df, size, sure || !t.pending) {
		return false
	}
	t.box.next++
	return true
}

// message returns message i of the outbox.
func (t *transmitter) message(i int) []byte {
	return unsafe.Slice(t.box.iovs[i].Base, t.box.iovs[i].Len)
}

// stampNumber returns the ancillary data that number the transmit stamp of r.
// Before Linux 6.13 there is none. The result is valid until the next call.
func (l *portLink) stampNumber(r *Request, scope uint32) []sendOption {
	if !l.byID {
		return nil
	}
	l.words[0] = sendOption{unix.SOL_SOCKET, scmStampID, l.stamps.put(r.Key, r.Dst, scope)}
	return l.words[:1]
}

// packetWords returns all ancillary data of r, for a socket whose headers the
// kernel writes.
func (l *portLink) packetWords(r *Request, scope uint32) []sendOption {
	words := append(l.words[:0], l.stampNumber(r, scope)...)
	n := l.family.sock()
	if r.TTL != 0 {
		words = append(words, sendOption{n.level, n.ttlData, uint32(r.TTL)})
	}
	if r.TOS >= 0 {
		words = append(words, sendOption{n.level, n.tosData, uint32(r.TOS & 0xff)})
	}
	return words
}
