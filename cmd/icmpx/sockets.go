package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// sockets are the links of a run, one for each family that it may need. That a
// family is missing is an error only for the host that needs it.
type sockets struct {
	v4, v6     socket
	err4, err6 error // why there is none
}

// openSockets opens a socket for each family that hosts may need, and gives up
// all privileges.
func openSockets(sys *system, cfg icmpx.ICMPConfig, need4, need6 bool) (*sockets, error) {
	s := new(sockets)
	if need4 {
		s.v4, s.err4 = openSocket(sys, cfg, icmpx.IPv4)
	}
	if need6 {
		s.v6, s.err6 = openSocket(sys, cfg, icmpx.IPv6)
	}
	if err := sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return nil, errors.Join(fmt.Errorf("drop privileges: %w", err), s.close())
	}
	if s.v4 == nil && s.v6 == nil {
		return nil, s.whyNot(0)
	}
	return s, nil
}

// openSocket opens a socket of one family, which leaves out what is for the
// other. Debugging it (-d) takes a privilege, and Linux does next to nothing
// with it: a user without it gets a socket nevertheless, as from iputils.
func openSocket(sys *system, cfg icmpx.ICMPConfig, f icmpx.Family) (socket, error) {
	cfg.Family = f
	if f == icmpx.IPv6 {
		cfg.Options = nil
	} else {
		cfg.FlowLabel = 0
	}
	sock, err := sys.listen(cfg)
	var denied *icmpx.PrivilegeError
	if cfg.Debug && errors.Is(err, os.ErrPermission) && !errors.As(err, &denied) {
		cfg.Debug = false
		sock, err = sys.listen(cfg)
	}
	if cfg.Mark != 0 && errors.Is(err, os.ErrPermission) && !errors.As(err, &denied) {
		err = &hintedError{err: err, hint: "a mark (-m) takes CAP_NET_RAW: " + grantHint("cap_net_raw")}
	}
	return sock, err
}

// of returns the socket for an address, or why there is none.
func (s *sockets) of(a netip.Addr) (socket, error) {
	f := icmpx.FamilyOf(a)
	sock := s.v4
	if f == icmpx.IPv6 {
		sock = s.v6
	}
	if sock == nil {
		return nil, s.whyNot(f)
	}
	return sock, nil
}

// whyNot returns why a family has no socket; 0 asks for the first reason.
func (s *sockets) whyNot(f icmpx.Family) error {
	if f == icmpx.IPv6 || s.err4 == nil {
		return s.err6
	}
	return s.err4
}

// links returns the sockets that there are.
func (s *sockets) links() []probe.Link {
	var links []probe.Link
	if s.v4 != nil {
		links = append(links, s.v4)
	}
	if s.v6 != nil {
		links = append(links, s.v6)
	}
	return links
}

// close closes sockets that no engine has taken over.
func (s *sockets) close() error {
	var errs []error
	for _, l := range s.links() {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
