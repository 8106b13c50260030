package icmpx

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A pollSet is a set of sockets that are waited for as one: an epoll instance,
// which is itself a descriptor in the runtime's poller. So a link of many
// sockets has one deadline, and no goroutine of its own.
type pollSet struct {
	*socket
	fd     int
	events []unix.EpollEvent

	look func(fd uintptr) bool // bound once so that calls do not allocate
	once func(fd uintptr)
	saw  bool // what look returned last
}

func newPollSet(name string) (*pollSet, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// The runtime takes only descriptors that do not block.
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	s, err := newSocket(fd, name)
	if err != nil {
		return nil, fmt.Errorf("wait for many sockets: %w", err)
	}
	return &pollSet{socket: s, fd: fd, events: make([]unix.EpollEvent, MaxOpen)}, nil
}

// reading sets what reads the members, and reports whether they had anything.
func (p *pollSet) reading(read func() bool) {
	p.look = func(uintptr) bool {
		p.saw = read()
		return p.saw
	}
	p.once = func(fd uintptr) { p.look(fd) }
}

// wait waits until a member had something. The errors are those of socket.read.
func (p *pollSet) wait() error {
	p.saw = false
	err := p.read(p.look, p.once)
	if p.saw {
		return nil
	}
	return err
}

// add has the set watch fd for events; errors are always among them. What is
// ready is known by number.
func (p *pollSet) add(fd, number int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(number)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &ev))
}

// rearm watches fd for other events from now on.
func (p *pollSet) rearm(fd, number int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(number)}
	var err error
	if p.raw.Control(func(set uintptr) { err = unix.EpollCtl(int(set), unix.EPOLL_CTL_MOD, fd, &ev) }) != nil {
		return net.ErrClosed
	}
	return os.NewSyscallError("epoll_ctl", err)
}

// ready returns the members that are ready now, without waiting. It is for what
// reading has set, while wait keeps the set open. The result is valid
// until the next call.
func (p *pollSet) ready() []unix.EpollEvent {
	for {
		n, err := unix.EpollWait(p.fd, p.events, 0)
		if err == nil {
			return p.events[:n]
		}
		if err != unix.EINTR {
			return nil
		}
	}
}
