package icmpx

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// receiveOnly is the path-MTU discovery mode of sockets that do not send by it:
// the others learn from every "too big" that quotes a packet of theirs, for the
// whole host and for ten minutes. Both families have it under one number.
const receiveOnly = unix.IP_PMTUDISC_INTERFACE

// newPortLink opens what every link to ports has.
func newPortLink(cfg PortConfig, what string, probe Proto, idType int) (*portLink, error) {
	l := &portLink{cfg: cfg, what: what, family: cfg.Family, probe: probe, idType: idType, clock: clock{time.Now()}}
	l.proto = protoUDP
	if probe == ProtoTCPSYN {
		l.proto = protoTCP
	}
	if err := l.openCommon(); err != nil {
		return nil, fmt.Errorf("open %v %s sockets: %w", l.family, l.what, err)
	}
	return l, nil
}

func (l *portLink) openCommon() error {
	fd, err := openFD(l.family, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	if l.device, err = bindDevice(fd, l.cfg.Interface); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	if l.names, err = newSocket(fd, "names"); err != nil {
		return err
	}
	if l.route, err = openRoute(l.cfg.icmp()); err != nil {
		return errors.Join(err, l.names.close())
	}
	if l.poll, err = newPollSet(l.what); err != nil {
		return errors.Join(err, l.names.close(), l.route.close())
	}
	return nil
}

// use gives the link its sockets.
func (l *portLink) use(w ways, mode Mode) {
	l.ways, l.mode = w, mode
	l.poll.reading(w.read)
}

// listenPorts opens the best sockets that the mode allows: raw or ordinary.
func (l *portLink) listenPorts(raw, ordinary func() error) (err error) {
	if l.cfg.Mode != ModeDatagram {
		err = raw()
		if err == nil || l.cfg.Mode == ModeRaw || !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	if l.cfg.FlowLabel != 0 {
		return fmt.Errorf("send with flow label %#x: it takes raw sockets: %w", l.cfg.FlowLabel, errors.ErrUnsupported)
	}
	return ordinary()
}

// abandon closes what newPortLink has opened, for an error that came later.
func (l *portLink) abandon(err error) error {
	err = fmt.Errorf("open %v %s sockets: %w", l.family, l.what, err)
	return errors.Join(err, l.poll.close(), l.names.close(), l.route.close())
}

// openSocket opens a socket that acts for the link, with the options that shape
// its packets; opts are further ones.
func (l *portLink) openSocket(typ, proto int, opts ...sockopt) (fd int, err error) {
	if fd, err = openFD(l.family, typ, proto); err != nil {
		return -1, err
	}
	if typ == unix.SOCK_RAW {
		if err = deafen(fd); err != nil {
			return -1, errors.Join(err, unix.Close(fd))
		}
	}
	cfg := l.cfg.icmp()
	if typ == unix.SOCK_STREAM {
		cfg.TTL = 0 // such a socket knows no multicast; a connection sets its own
	}
	opts = append(routeOptions(cfg), opts...)
	if l.family == IPv6 && typ != unix.SOCK_RAW {
		opts = append(opts, sockopt{unix.SOL_IPV6, unix.IPV6_V6ONLY, 1, false, "IPv6 only"})
	}
	if err = setOptions(fd, opts); err == nil {
		_, err = bindDevice(fd, l.cfg.Interface)
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// hearing are the options of a socket that only receives.
func (l *portLink) hearing() []sockopt {
	return append(infoOptions(l.family), l.learnNothing())
}

func (l *portLink) learnNothing() sockopt {
	n := l.family.sock()
	return sockopt{n.level, n.mtuDiscover, receiveOnly, false, "path-MTU discovery"}
}

// holdPort binds fd to the source address and a source port, 0 for any, and
// returns the port.
func (l *portLink) holdPort(fd int, port uint16) (uint16, error) {
	src := l.cfg.Source
	if !src.IsValid() {
		src = unspecified(l.family)
	}
	if err := bindSource(fd, l.family, src, port, l.device); err != nil {
		if errors.Is(err, unix.EADDRINUSE) || errors.Is(err, unix.EACCES) {
			return 0, fmt.Errorf("hold source port %d: %w", port, err)
		}
		return 0, err
	}
	local, err := localAddr(fd)
	return local.Port(), err
}

// holdPorts opens a socket of a type for each path, and has it hold the path's
// source port. On error those that it has opened are returned too.
func (l *portLink) holdPorts(typ int, opts ...sockopt) (fds []int, err error) {
	for i := range l.cfg.paths() {
		fd, err := l.openSocket(typ, 0, opts...)
		if err != nil {
			return fds, err
		}
		fds = append(fds, fd)
		port := l.cfg.SourcePort
		if port != 0 {
			port += uint16(i)
		}
		if port, err = l.holdPort(fd, port); err != nil {
			return fds, err
		}
		l.ports = append(l.ports, port)
	}
	return fds, nil
}

func closeAll(fds []int) error {
	var errs []error
	for _, fd := range fds {
		errs = append(errs, os.NewSyscallError("close", unix.Close(fd)))
	}
	return errors.Join(errs...)
}

// newSYN returns the scheme of TCP with a base that nobody can guess.
func newSYN() synTCP { return synTCP{base: rand.Uint32()} }

// goal returns the destination of the probe with key k, of which an error
// quotes dst: on a source route that is a gateway or the destination.
func (l *portLink) goal(k Key, dst netip.Addr) netip.Addr {
	if len(l.cfg.Gateways) == 0 {
		return dst
	}
	if e, ok := l.sent.find(k); ok {
		return e.dst.Unmap()
	}
	return dst
}
