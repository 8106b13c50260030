package icmpx

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// onceTCP begins one connection through each slot.
type onceTCP struct{}

// States of a connection (include/net/tcp_states.h).
const (
	tcpSynSent = 2
	tcpClose   = 7
)

const connectEvents = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLONESHOT

func (onceTCP) open(l *portLink, fd, number int) error {
	setStamps(fd, unix.SOF_TIMESTAMPING_RX_SOFTWARE|unix.SOF_TIMESTAMPING_SOFTWARE)
	err := setOptions(fd, []sockopt{{unix.SOL_TCP, unix.TCP_SYNCNT, 1, false, "number of repeats"}})
	if err != nil {
		return err
	}
	linger := unix.Linger{Onoff: 1} // no FIN that somebody has to acknowledge
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	// A socket without a connection is always ready: its readiness tells once.
	return l.poll.add(fd, number, unix.EPOLLONESHOT)
}

func (onceTCP) launch(w *onceWays, s *onceSlot, r *Request, to unix.Sockaddr) error {
	s.before = repeated(s.fd)
	r.Sent = time.Now()
	r.ClockOffset = w.link.clock.offset(r.Sent)
	switch err := unix.Connect(s.fd, to); {
	case err == nil, err == unix.EINPROGRESS:
	case err == unix.ECONNREFUSED || hasErrors(s.fd): // answered already
		s.errno = err
	default:
		return os.NewSyscallError("connect", err)
	}
	return w.link.poll.rearm(s.fd, s.number, connectEvents)
}

// hasErrors reports whether the error queue of a socket holds something, when
// no error is pending.
func hasErrors(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLERR != 0
}

// repeated returns how many segments a socket has sent again.
func repeated(fd int) uint32 {
	info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Total_retrans
}

// look decides the attempt by its state. Its rules:
//  1. what comes after the kernel has repeated the SYN may belong to either, and
//     is not believed;
//  2. an ICMP error ends it;
//  3. a connection that there is, or was, says that the port is open;
//  4. one that was refused says that it is closed;
//  5. one that failed otherwise says nothing.
func (onceTCP) look(w *onceWays, s *onceSlot, errs int) {
	if !s.busy {
		w.ready = w.ready[:0]
		return
	}
	info, err := unix.GetsockoptTCPInfo(s.fd, unix.SOL_TCP, unix.TCP_INFO)
	if err == nil && info.State == tcpSynSent && errs == 0 {
		_ = w.link.poll.rearm(s.fd, s.number, connectEvents) // it is a member
		return
	}
	now := time.Now()
	kind := s.outcome(err == nil && info.State != tcpClose)
	if err == nil && info.Total_retrans != s.before {
		w.ready = w.ready[:0]
	} else if errs == 0 && kind != KindUnknown {
		w.answer(s, kind, &arrival{}, now)
	}
	s.busy = false
	disconnect(s.fd)
}

// outcome returns what an attempt has come to that no ICMP error has ended.
func (s *onceSlot) outcome(connected bool) Kind {
	err := s.errno
	if v, gerr := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); gerr == nil && v != 0 {
		err = unix.Errno(v)
	}
	switch {
	case connected, err == unix.ECONNRESET, err == unix.EPIPE:
		return KindTCPOpen
	case err == unix.ECONNREFUSED:
		return KindTCPClosed
	}
	return KindUnknown
}
