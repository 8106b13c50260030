package icmpx

import (
	"golang.org/x/sys/unix"
)

// A TCPLink sends TCP SYN segments of one family, and receives the ICMP errors
// and the segments that answer them; see TCPConfig. The methods may be called
// concurrently.
type TCPLink struct{ *portLink }

// ListenTCP opens sockets for TCP probes of one family. The error is an
// os.ErrPermission if ModeRaw is asked for and the process may not open raw
// sockets.
func ListenTCP(cfg TCPConfig) (*TCPLink, error) { return listenTCP(cfg, scmStampID) }

func listenTCP(cfg TCPConfig, idType int) (*TCPLink, error) {
	if err := cfg.validate("tcp"); err != nil {
		return nil, err
	}
	l, err := newPortLink(cfg.PortConfig, "tcp", ProtoTCPSYN, idType)
	if err != nil {
		return nil, err
	}
	l.scheme = newSYN()
	if err := l.listenPorts(l.openRawTCP, func() error { return l.openOnce(onceTCP{}) }); err != nil {
		return nil, l.abandon(err)
	}
	return &TCPLink{l}, nil
}

// openRawTCP opens raw sockets, of which one more than for UDP hears the
// segments that answer: those that hold the ports see none of a connection that
// they have not begun, and have the kernel reset it.
func (l *portLink) openRawTCP() error {
	if err := l.openRaw(unix.SOCK_STREAM, nil); err != nil {
		return err
	}
	w := l.ways.(*rawWays)
	box := newInbox(l.family, segmentBatch, segmentSize, 0)
	err := w.hearRaw(unix.IPPROTO_TCP, tcpFilter(l.family, l.ports), l.hearSegment, box)
	if err != nil {
		w.stop()
		_ = w.close()
	}
	return err
}
