package router

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batch = 64

	// receiveBuffer is the memory for frames not yet read, in bytes; a small
	// one takes about 800. A minute's worth of 1000 a second.
	receiveBuffer = 48 << 20

	controlLen = 128 // room for a SCM_TIMESTAMPING message

	// maxAge is how long ago a stamp may say that a frame came: beyond, the
	// clock was set meanwhile.
	maxAge = time.Second
)

// A socket sends and receives the frames of a port (packet(7)).
type socket struct {
	fd    int
	links int // netlink: says when a device of the namespace changes

	in   []unix.Mmsghdr
	iovs []unix.Iovec
	ctl  []byte
	data []byte
	size int // of each frame's part of data

	out     []unix.Mmsghdr
	outIovs []unix.Iovec // two a frame: Ethernet header and packet
	n       int          // frames collected in out

	last time.Duration // arrival of the last frame
}

// openSocket opens the socket of a port.
func openSocket(p *Port) (s *socket, err error) {
	mtu := p.MTU
	if mtu == 0 {
		mtu = defaultMTU
	}
	s = &socket{fd: -1, links: -1, size: (mtu + 64 + 63) &^ 63}
	if err := p.Do(func() error { return s.open(p.Index) }); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.in, s.iovs = make([]unix.Mmsghdr, batch), make([]unix.Iovec, batch)
	s.ctl, s.data = make([]byte, batch*controlLen), make([]byte, batch*s.size)
	for i := range s.in {
		s.iovs[i].Base = &s.data[i*s.size]
		s.iovs[i].SetLen(s.size)
		h := &s.in[i].Hdr
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
		h.Control = &s.ctl[i*controlLen]
	}
	s.out, s.outIovs = make([]unix.Mmsghdr, batch), make([]unix.Iovec, 2*batch)
	for i := range s.out {
		h := &s.out[i].Hdr
		h.Iov = &s.outIovs[2*i]
		h.SetIovlen(2)
	}
	return s, nil
}

func (s *socket) open(index int) (err error) {
	// A device that goes first goes down, which is not the end: a packet socket
	// hears of that alone.
	s.links, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	err = unix.Bind(s.links, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK})
	if err != nil {
		return os.NewSyscallError("bind", err)
	}
	// Without a protocol until it is bound: else it takes every interface's.
	s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	// Beyond the system's limit where that is allowed.
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		if err != nil {
			return os.NewSyscallError("setsockopt SO_RCVBUF", err)
		}
	}
	const stamps = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stamps); err != nil {
		return os.NewSyscallError("setsockopt SO_TIMESTAMPING", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
		return os.NewSyscallError("setsockopt PACKET_IGNORE_OUTGOING", err)
	}
	var all [2]byte
	binary.BigEndian.PutUint16(all[:], unix.ETH_P_ALL)
	return os.NewSyscallError("bind", unix.Bind(s.fd, &unix.SockaddrLinklayer{
		Protocol: binary.NativeEndian.Uint16(all[:]), Ifindex: index,
	}))
}

func (s *socket) close() error {
	var errs []error
	for _, fd := range []*int{&s.fd, &s.links} {
		if *fd >= 0 {
			errs = append(errs, os.NewSyscallError("close", unix.Close(*fd)))
			*fd = -1
		}
	}
	return errors.Join(errs...)
}

// errGone says that the device is gone.
var errGone = errors.New("device is gone")

// receive reads a batch of frames and hands them to take, with the times of
// their arrival since start.
func (s *socket) receive(start time.Time, take func(at time.Duration, frame []byte)) error {
	for i := range s.in {
		s.in[i].Hdr.SetControllen(controlLen)
	}
	n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd),
		uintptr(unsafe.Pointer(&s.in[0])), uintptr(len(s.in)), unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR, unix.ENETDOWN:
		return nil
	default:
		return os.NewSyscallError("recvmmsg", errno)
	}
	now := time.Now()
	for i := range s.in[:n] {
		m := &s.in[i]
		at := now.Sub(start)
		if stamp, ok := stampOf(s.ctl[i*controlLen:][:min(uint64(m.Hdr.Controllen), controlLen)]); ok {
			at -= min(max(now.Sub(stamp), 0), maxAge)
		}
		s.last = max(s.last, at)
		take(s.last, s.data[i*s.size:][:min(int(m.Len), s.size)])
	}
	return nil
}

// check reads what was said about devices, and returns an error if the socket's
// is gone.
func (s *socket) check() error {
	var what [1]byte // whatever it is: the socket knows
	for {
		_, _, err := unix.Recvfrom(s.links, what[:], unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS) {
			return os.NewSyscallError("recvfrom", err)
		}
	}
	sa, err := unix.Getsockname(s.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	if ll, ok := sa.(*unix.SockaddrLinklayer); !ok || ll.Ifindex <= 0 {
		return errGone
	}
	return nil
}

// stampOf returns the software time of the control messages. They have but one.
func stampOf(oob []byte) (time.Time, bool) {
	var stamp struct {
		header unix.Cmsghdr
		time   unix.Timespec
	}
	if len(oob) < int(unsafe.Sizeof(stamp)) {
		return time.Time{}, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&stamp)), unsafe.Sizeof(stamp)), oob)
	if stamp.header.Level != unix.SOL_SOCKET || stamp.header.Type != unix.SCM_TIMESTAMPING || stamp.time.Sec == 0 {
		return time.Time{}, false
	}
	return time.Unix(stamp.time.Unix()), true
}

// full reports whether no further frame can be added.
func (s *socket) full() bool { return s.n == len(s.out) }

// add collects a frame, which must stay as it is until flush.
func (s *socket) add(p *Packet) {
	v := s.outIovs[2*s.n : 2*s.n+2]
	v[0].Base = &p.ether[0]
	v[0].SetLen(etherLen)
	v[1].Base = unsafe.SliceData(p.Bytes)
	v[1].SetLen(len(p.Bytes))
	s.n++
}

// flush sends what was collected, and returns how many frames the kernel
// refused. It waits for room in the socket's buffer.
func (s *socket) flush() (refused int, err error) {
	defer func() { s.n = 0 }()
	for next := 0; next < s.n; {
		n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd),
			uintptr(unsafe.Pointer(&s.out[next])), uintptr(s.n-next), 0, 0, 0)
		switch errno {
		case 0:
			next += int(n)
		case unix.EINTR:
		case unix.ENXIO:
			return refused, errGone
		case unix.ENETDOWN, unix.ENOBUFS, unix.EMSGSIZE:
			refused++
			next++
		default:
			return refused, os.NewSyscallError("sendmmsg", errno)
		}
	}
	return refused, nil
}

// drops returns how many frames the socket had no room for since the last call.
func (s *socket) drops() (int, error) {
	st, err := unix.GetsockoptTpacketStats(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt PACKET_STATISTICS", err)
	}
	return int(st.Drops), nil
}

// wakeup is an eventfd(2).
type wakeup int

func newWakeup() (wakeup, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("open eventfd: %w", os.NewSyscallError("eventfd2", err))
	}
	return wakeup(fd), nil
}

// wake makes the descriptor readable, for good.
func (w wakeup) wake() {
	// It can fail only where the counter is full: then it is readable.
	_, _ = unix.Write(int(w), []byte{1, 0, 0, 0, 0, 0, 0, 0})
}
