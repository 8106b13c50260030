package icmpx

import (
	"encoding/binary"
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

// sendControl is the room for the ancillary data of a message: its words and a
// source address.
var sendControl = maxSendWords*wordSpace + unix.CmsgSpace(unix.SizeofInet6Pktinfo)

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
		ctl:   make([]byte, sendBatch*sendControl),
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
	ctl := o.ctl[i*sendControl:][:sendControl]
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

// label gives the message that was added last an IPv6 flow label.
func (o *outbox) label(v uint32) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	o.names[o.n-1].Flowinfo = nativeUint32(b[:])
}

// from gives the message that was added last a source address, and in IPv6 the
// interface of its zone: struct in_pktinfo or in6_pktinfo.
func (o *outbox) from(src netip.Addr, scope uint32) {
	i, n := o.n-1, FamilyOf(src).sock()
	h := &o.msgs[i].Hdr
	ctl := o.ctl[i*sendControl:][:sendControl]
	used := int(h.Controllen)
	h.Control = &ctl[0]
	if ctl = ctl[used:]; n.level == unix.SOL_IP {
		putHeader(ctl, n.level, n.infoData, unix.SizeofInet4Pktinfo)
		info := ctl[unix.CmsgLen(0):][:unix.SizeofInet4Pktinfo]
		clear(info)
		a := src.As4()
		copy(info[4:], a[:])
		h.SetControllen(used + unix.CmsgSpace(unix.SizeofInet4Pktinfo))
		return
	}
	putHeader(ctl, n.level, n.infoData, unix.SizeofInet6Pktinfo)
	info := ctl[unix.CmsgLen(0):][:unix.SizeofInet6Pktinfo]
	a := src.As16()
	copy(info, a[:])
	binary.NativeEndian.PutUint32(info[16:], scope)
	h.SetControllen(used + unix.CmsgSpace(unix.SizeofInet6Pktinfo))
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
