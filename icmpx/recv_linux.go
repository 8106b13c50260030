package icmpx

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// controlLen is room for all ancillary data that one message may have:
	// stamp, drops, TTL, TOS, packet info, fragment size, IP options and
	// extended error come to about 330 bytes.
	controlLen = 512

	// maxPending is how many pending errors in a row a system call gets past.
	// Each is cleared by being returned, so that only new ones can follow.
	maxPending = 16
)

// An inbox takes messages from one queue of a socket in batches, into memory
// that it owns, and hands them out one by one. Only one goroutine may use it.
type inbox struct {
	flags  int // of recvmmsg: which queue
	msgs   []unix.Mmsghdr
	iovs   []unix.Iovec
	names  []sockaddr
	ctl    []byte
	n      int       // messages that the last read got
	next   int       // the next of them to hand out
	read   time.Time // when they were read
	number *sockNumbers
}

// newInbox returns an inbox for batches of count messages of at most size
// bytes. Its memory is touched, and so taken from the system, only as far as
// messages fill it.
func newInbox(f Family, count, size, flags int) *inbox {
	q := &inbox{
		flags:  flags | unix.MSG_DONTWAIT,
		msgs:   make([]unix.Mmsghdr, count),
		iovs:   make([]unix.Iovec, count),
		names:  make([]sockaddr, count),
		ctl:    make([]byte, count*controlLen),
		number: f.sock(),
	}
	data := make([]byte, count*size)
	for i := range q.msgs {
		q.iovs[i].Base = &data[i*size]
		q.iovs[i].SetLen(size)
		h := &q.msgs[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&q.names[i]))
		h.Iov = &q.iovs[i]
		h.SetIovlen(1)
		h.Control = &q.ctl[i*controlLen]
		q.arm(i)
	}
	return q
}

// arm gives message i its full room back, which the kernel cuts to what it used.
func (q *inbox) arm(i int) {
	h := &q.msgs[i].Hdr
	h.Namelen = unix.SizeofSockaddrInet6
	h.SetControllen(controlLen)
}

// empty reports whether all messages were handed out.
func (q *inbox) empty() bool { return q.next == q.n }

// drained reports whether the last read took all that the queue had.
func (q *inbox) drained() bool { return q.n < len(q.msgs) }

// recv reads the next batch, without waiting. All messages of the last one
// must have been handed out; their memory is used again.
func (q *inbox) recv(fd uintptr) {
	for i := range q.n {
		q.arm(i)
	}
	q.n, q.next = 0, 0
	for range maxPending {
		n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd,
			uintptr(unsafe.Pointer(&q.msgs[0])), uintptr(len(q.msgs)), uintptr(q.flags), 0, 0)
		if errno == 0 {
			q.n, q.read = int(n), time.Now()
			return
		}
		if errno == unix.EAGAIN {
			return
		}
		// EINTR, or an error that waits in the error queue and was pending on
		// the socket: it says nothing about this queue.
	}
}

// pop hands out the next message. Its data stay valid until the next recv.
func (q *inbox) pop(a *arrival) {
	m := &q.msgs[q.next]
	*a = arrival{data: unsafe.Slice(q.iovs[q.next].Base, min(uint64(m.Len), uint64(q.iovs[q.next].Len)))}
	a.name, a.port, a.scope = parseSockaddr(sockaddrBytes(&q.names[q.next], m.Hdr.Namelen))
	ctl := q.ctl[q.next*controlLen:][:controlLen]
	a.parseControl(q.number, ctl[:min(uint64(m.Hdr.Controllen), controlLen)])
	q.next++
}

// A memInfo is room for what the kernel tells of a socket's memory (SO_MEMINFO,
// enum sk_meminfo_vars of linux/sock_diag.h).
type memInfo struct {
	vars [16]uint32
	size uint32
}

// drops returns how many packets the socket has dropped for want of buffer;
// what it was if the kernel does not tell (before Linux 4.12). Datagram sockets
// do not report it with the packets (ping_recvmsg of net/ipv4/ping.c).
func (m *memInfo) drops(fd uintptr, was uint32) uint32 {
	const index = 8 // SK_MEMINFO_DROPS
	m.size = uint32(unsafe.Sizeof(m.vars))
	_, _, errno := syscall.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&m.vars)), uintptr(unsafe.Pointer(&m.size)), 0)
	if errno != 0 || m.size < 4*(index+1) {
		return was
	}
	return m.vars[index]
}
