package icmpx

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A socket is a non-blocking descriptor in the runtime's poller. It adds to
// os.File what a link needs: reading that looks once more at a deadline, and a
// way for this process to interrupt a read.
type socket struct {
	file *os.File
	raw  syscall.RawConn

	closed atomic.Bool

	mu       sync.Mutex
	deadline time.Time // of reading, as the user set it
	moves    uint64    // how often it was set
	kicked   bool      // reading is interrupted until settle
}

// openFD opens a socket. All that concerns a descriptor before it is wrapped
// takes it as an int; the caller closes it on error.
func openFD(f Family, typ, proto int) (int, error) {
	fd, err := unix.Socket(f.sock().domain, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return fd, nil
}

// newSocket hands fd to the poller.
func newSocket(fd int, name string) (*socket, error) {
	s := &socket{file: os.NewFile(uintptr(fd), name)}
	var err error
	if s.raw, err = s.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	if err := s.file.SetReadDeadline(time.Time{}); err != nil { // not in the poller
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
}

// close ends the socket and every call in progress.
func (s *socket) close() error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	return s.file.Close()
}

// read calls look until it returns true, waiting for the socket in between.
// The error is os.ErrDeadlineExceeded only if look returned false at or after
// the deadline; it is net.ErrClosed after close. A nil error without success
// means that reading was interrupted.
//
// The poller reports a deadline without looking, and one that was moved
// meanwhile too: so read looks once more, and then makes sure that the deadline
// is still the one that passed.
func (s *socket) read(look func(fd uintptr) bool, once func(fd uintptr)) error {
	s.mu.Lock()
	moves := s.moves
	s.mu.Unlock()
	err := s.raw.Read(look)
	switch {
	case err == nil:
		return nil
	case s.closed.Load():
		return net.ErrClosed
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("wait for packets: %w", err)
	}
	if s.raw.Control(once) != nil {
		return net.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kicked || s.moves != moves {
		return nil
	}
	return os.ErrDeadlineExceeded
}

// setDeadline sets the time at which read gives up.
func (s *socket) setDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	s.deadline = t
	s.moves++
	if s.kicked {
		return nil // settle sets it
	}
	return s.apply()
}

func (s *socket) apply() error {
	if err := s.file.SetReadDeadline(s.deadline); err != nil {
		if s.closed.Load() {
			return net.ErrClosed
		}
		return fmt.Errorf("set receive deadline: %w", err)
	}
	return nil
}

// kick interrupts read, and keeps it from waiting until settle is called. The
// deadline in the past that does it is not the user's, which is kept.
func (s *socket) kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.kicked {
		s.kicked = true
		_ = s.file.SetReadDeadline(time.Unix(1, 0)) // fails only when closed, which ends read as well
	}
}

// settle ends what kick began.
func (s *socket) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kicked {
		s.kicked = false
		_ = s.apply() // as above
	}
}

// interfaceIndex returns the index of the named interface in the socket's
// network namespace.
func (s *socket) interfaceIndex(name string) (index uint32, err error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, fmt.Errorf("find interface %q: %w", name, err)
	}
	if err := s.ioctl(unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, fmt.Errorf("find interface %q: %w", name, err)
	}
	return ifr.Uint32(), nil
}

// interfaceName is the inverse of interfaceIndex.
func (s *socket) interfaceName(index uint32) (string, error) {
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return "", err
	}
	ifr.SetUint32(index)
	if err := s.ioctl(unix.SIOCGIFNAME, ifr); err != nil {
		return "", fmt.Errorf("find interface %d: %w", index, err)
	}
	return ifr.Name(), nil
}

func (s *socket) ioctl(req uint, ifr *unix.Ifreq) error {
	var err error
	cerr := s.raw.Control(func(fd uintptr) {
		err = os.NewSyscallError("ioctl", unix.IoctlIfreq(int(fd), req, ifr))
	})
	return errors.Join(cerr, err)
}

// localAddr returns the address and the port that fd is bound to.
func localAddr(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError("getsockname", err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, errors.New("read local address: unknown family")
}
