package icmpx

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	sendBatch = 64
	// sendBuffer is the memory for the messages of a batch. The largest
	// message always fits; a batch ends where its messages no longer do.
	sendBuffer = 128 << 10
	// maxMessage is the largest ICMP message, UDP datagram or TCP segment.
	maxMessage = 65535
)

// maxSendWords is how many ancillary words a message may have: TTL, TOS and
// the number of its transmit stamp.
const maxSendWords = 3

// An outbox collects messages and sends them in batches. Only one goroutine
// may use it at a time.
type outbox struct {
	msgs  []unix.Mmsghdr
	iovs  []unix.Iovec
	names []sockaddr
	ctl   []byte
	buf   []byte
	used  int // bytes of buf
	n     int // messages collected
	next  int // the first that is not sent yet
}

func newOutbox() *outbox {
	o := &outbox{
		msgs:  make([]unix.Mmsghdr, sendBatch),
		iovs:  make([]unix.Iovec, sendBatch),
		names: make([]sockaddr, sendBatch),
		ctl:   make([]byte, sendBatch*maxSendWords*wordSpace),
		buf:   make([]byte, sendBuffer),
	}
	for i := range o.msgs {
		h := &o.msgs[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&o.names[i]))
		h.Iov = &o.iovs[i]
		h.SetIovlen(1)
	}
	return o
}

// reset drops what was collected.
func (o *outbox) reset() { o.used, o.n, o.next = 0, 0, 0 }

// room returns n bytes for the next message, or nil if the batch is full.
func (o *outbox) room(n int) []byte {
	if o.n == len(o.msgs) || o.used+n > len(o.buf) {
		return nil
	}
	return o.buf[o.used : o.used+n : o.used+n]
}

// A sendOption is an ancillary word of a message.
type sendOption struct {
	level, typ int
	value      uint32
}

// add appends the message that was written into room(len(b)).
func (o *outbox) add(b []byte, dst netip.Addr, port uint16, scope uint32, opts []sendOption) {
	i := o.n
	o.iovs[i].Base = unsafe.SliceData(b)
	o.iovs[i].SetLen(len(b))
	h := &o.msgs[i].Hdr
	h.Namelen = putSockaddr(&o.names[i], dst, port, scope)
	ctl := o.ctl[i*maxSendWords*wordSpace:][:maxSendWords*wordSpace]
	h.Control = nil
	if len(opts) > 0 {
		h.Control = &ctl[0]
	}
	h.SetControllen(len(opts) * wordSpace)
	for _, opt := range opts {
		ctl = putWord(ctl, opt.level, opt.typ, opt.value)
	}
	o.used += (len(b) + 7) &^ 7
	o.n++
}

// send hands up to limit of the collected messages to the kernel and returns
// why it did not take the next one: EAGAIN if it has no room now. 0: some were
// taken.
func (o *outbox) send(fd uintptr, limit int) syscall.Errno {
	for {
		n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&o.msgs[o.next])),
			uintptr(min(o.n-o.next, limit)), unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			o.next += int(n)
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}
