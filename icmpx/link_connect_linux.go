package icmpx

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Connect makes dst the only destination of the link (connect(2)): the kernel
// looks its route up now and settles on a source address. It needs no
// privilege, and must come before the first Send.
//
// A connected raw socket hears packets from dst alone. So errors of routers are
// read from the error queue, as those of a datagram socket always are: without
// the IP header that they quote, and without those that the kernel queues for
// nobody, which are source quench, redirect and reassembly time exceeded of
// routers.
func (l *ICMPLink) Connect(dst netip.Addr) error {
	s := &l.out
	s.mu.Lock()
	defer s.mu.Unlock()
	if FamilyOf(dst) != l.family {
		return fmt.Errorf("connect to %v: not for an %v", dst, l)
	}
	scope, err := l.zones.index(l.sock, dst)
	if err != nil {
		return fmt.Errorf("connect to %v: %w", dst, err)
	}
	cerr := l.sock.raw.Control(func(fd uintptr) { err = l.connect(int(fd), dst, scope) })
	if cerr != nil {
		return net.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("connect to %v: %w", dst, err)
	}
	dst = dst.Unmap()
	l.peer.Store(&dst)
	return nil
}

// connect connects fd. The error queue of a raw socket makes no error pending
// for its sends: those take memory without looking for one (__ip_append_data of
// net/ipv4/ip_output.c, for packets without a transport header of the kernel's).
func (l *ICMPLink) connect(fd int, dst netip.Addr, scope uint32) error {
	if l.mode == ModeRaw {
		if err := setOptions(fd, errorOptions(l.family)); err != nil {
			return err
		}
		l.errorsQueued.Store(true)
	}
	return os.NewSyscallError("connect", unix.Connect(fd, destination(l.family, dst, 0, scope)))
}

// destination is an address as connect(2) wants it.
func destination(f Family, dst netip.Addr, port uint16, scope uint32) unix.Sockaddr {
	if f == IPv6 {
		return &unix.SockaddrInet6{Port: int(port), ZoneId: scope, Addr: dst.As16()}
	}
	return &unix.SockaddrInet4{Port: int(port), Addr: dst.Unmap().As4()}
}

// queued reports whether the kernel has put the error r, of family f, into the
// error queue of the socket as well (raw_err of net/ipv4/raw.c, icmp_unreach of
// net/ipv4/icmp.c, rawv6_err of net/ipv6/raw.c).
func queued(f Family, r *Reply) bool {
	const lastUnreachable = 15 // NR_ICMP_UNREACH: codes above are ignored
	if f == IPv6 {
		return true
	}
	switch r.Kind {
	case KindRedirect, KindSourceQuench:
		return false
	case KindTimeExceeded:
		return r.Code != codeReassembly
	case KindUnreachable:
		return r.Code <= lastUnreachable
	}
	return true
}
