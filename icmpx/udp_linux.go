package icmpx

import (
	"golang.org/x/sys/unix"
)

// A UDPLink sends UDP datagrams of one family, and receives the ICMP errors and
// the datagrams that answer them; see UDPConfig. The methods may be called
// concurrently.
//
// Where an ordinary socket hides what an error quotes, Quote.Family is 0; of the
// transport header it then has the ports alone, and HasL4 is false.
type UDPLink struct{ *portLink }

// ListenUDP opens sockets for UDP probes of one family. The error is an
// os.ErrPermission if ModeRaw is asked for and the process may not open raw
// sockets.
func ListenUDP(cfg UDPConfig) (*UDPLink, error) { return listenUDP(cfg, scmStampID) }

// listenUDP is ListenUDP with the type of the ancillary data that number
// transmit stamps, so that tests can play a kernel that does not know it.
func listenUDP(cfg UDPConfig, idType int) (*UDPLink, error) {
	if err := cfg.validate("udp"); err != nil {
		return nil, err
	}
	l, err := newPortLink(cfg.PortConfig, "udp", ProtoUDP, idType)
	if err != nil {
		return nil, err
	}
	l.scheme = parisUDP{}
	if cfg.Classic {
		l.scheme = classicUDP{}
	}
	raw := func() error { return l.openRaw(unix.SOCK_DGRAM, l.hearDatagram) }
	ordinary := l.openPlain
	if !cfg.Classic {
		ordinary = func() error { return l.openOnce(new(onceUDP)) }
	}
	if err := l.listenPorts(raw, ordinary); err != nil {
		return nil, l.abandon(err)
	}
	return &UDPLink{l}, nil
}
