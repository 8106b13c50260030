package icmpx

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// sendsApart reports whether r leaves by another socket than the one that is
// handed what comes back, so that the kernel learns nothing: see apartSocket.
func (l *portLink) sendsApart(r *Request) bool {
	return l.cfg.NoLearning && l.family == IPv4 && l.proto == protoUDP && len(l.cfg.Gateways) == 0 && l.df(r) == DFProbe
}

// openApart opens a socket that sends the datagram of a slot from the port of
// its connected socket, to which the kernel prefers to hand the answers
// (compute_score of net/ipv4/udp.c). If there can be none the connected one
// sends: the mark may take a privilege that is gone.
func (w *onceWays) openApart(s *onceSlot, r *Request) (fd int, to unix.Sockaddr, err error) {
	l := w.link
	n := l.family.sock()
	if fd, err = l.openSocket(unix.SOCK_DGRAM, 0); err == nil {
		if err = w.shareSlot(s, fd); err == nil {
			s.apart = fd
			return fd, destination(l.family, r.Dst, w.port(r), 0), nil
		}
		_ = unix.Close(fd) // it has nothing to write
	}
	s.mode = n.mtuModes[DFProbe]
	return s.fd, nil, os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, n.level, n.mtuDiscover, s.mode))
}

// shareSlot makes fd a socket that sends what the slot would, and has the poll
// set watch its transmit stamps.
func (w *onceWays) shareSlot(s *onceSlot, fd int) error {
	l := w.link
	n := l.family.sock()
	opts := []sockopt{
		{n.level, n.ttl, s.ttl, false, "TTL"},
		{n.level, n.tos, s.tos, false, "type of service"},
		{n.level, n.mtuDiscover, n.mtuModes[DFProbe], false, "path-MTU discovery"},
	}
	if err := setOptions(fd, opts); err != nil {
		return err
	}
	local, err := localAddr(s.fd)
	if err != nil {
		return err
	}
	if err := sharing(s.fd, fd, func() error { return bindSource(fd, l.family, local.Addr(), local.Port(), l.device) }); err != nil {
		return err
	}
	setStamps(fd, stampBoth|unix.SOF_TIMESTAMPING_OPT_TSONLY)
	return l.poll.add(fd, s.number, 0) // errors wake it unasked
}

// openListener opens a socket that shares the port of fd, which sends: of two
// the kernel hands answers to the one that was bound last. nil, and no error, if
// it cannot be.
func (w *plainWays) openListener(path, fd int, from *transmitter) error {
	l := w.link
	if !l.cfg.NoLearning || l.family != IPv4 || len(l.cfg.Gateways) > 0 {
		return nil
	}
	ear, err := l.openSocket(unix.SOCK_DGRAM, 0, append(l.hearing(), errorOptions(l.family)...)...)
	if err != nil {
		return err
	}
	local, err := localAddr(fd)
	if err == nil {
		err = setBuffers(ear, 0, l.cfg.RecvBuffer)
	}
	if err != nil {
		return errors.Join(err, unix.Close(ear))
	}
	if sharing(fd, ear, func() error { return bindSource(ear, l.family, local.Addr(), local.Port(), l.device) }) != nil {
		return os.NewSyscallError("close", unix.Close(ear))
	}
	enableStamps(ear, l.family, l.idType)
	w.listeners = append(w.listeners, ear)
	return w.listen(path, ear, from)
}
