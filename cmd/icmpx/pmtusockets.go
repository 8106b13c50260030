package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/trace"
)

// pmtuLinks are the sockets of a search, by family: with pmtu.Auto those of two
// methods, of which one may be missing.
type pmtuLinks struct {
	open map[icmpx.Family][]traceLink
	why  map[icmpx.Family]error // why there is none
}

// openPmtu opens every socket that a search may need, and gives up all
// privileges.
func openPmtu(sys *system, want traceSocket, m pmtu.Method, families []icmpx.Family) (*pmtuLinks, error) {
	l := &pmtuLinks{open: map[icmpx.Family][]traceLink{}, why: map[icmpx.Family]error{}}
	for _, f := range families {
		want.Family = f
		for _, want.Method = range socketsOf(m) {
			s, err := openSearch(sys, want)
			if err == nil {
				l.open[f] = append(l.open[f], s)
			} else if l.why[f] == nil {
				l.why[f] = err
			}
		}
	}
	if err := sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return nil, errors.Join(fmt.Errorf("drop privileges: %w", err), l.keep(0))
	}
	if len(l.open) == 0 {
		return nil, l.why[families[0]]
	}
	return l, nil
}

// socketsOf returns the kinds of sockets that a method uses. Its datagrams all
// go to one port.
func socketsOf(m pmtu.Method) []trace.Method {
	switch m {
	case pmtu.ICMP:
		return []trace.Method{trace.ICMP}
	case pmtu.UDP:
		return []trace.Method{trace.UDPFixed}
	case pmtu.TCP:
		return []trace.Method{trace.TCP}
	}
	return []trace.Method{trace.ICMP, trace.UDPFixed}
}

// pmtuPaths is how many flows a search uses: its own, and others to compare.
const pmtuPaths = 4

// listenPmtu opens a socket of the kernel: a raw one if the process may, else
// what everybody may.
func listenPmtu(s traceSocket) (traceLink, error) {
	if s.Method == trace.ICMP {
		return listenTrace(s)
	}
	ports := s.ports()
	ports.Paths = pmtuPaths
	if s.Method == trace.TCP {
		return linkOr(icmpx.ListenTCP(icmpx.TCPConfig{PortConfig: ports}))
	}
	return linkOr(icmpx.ListenUDP(icmpx.UDPConfig{PortConfig: ports}))
}

// openSearch opens a socket. An ordinary one for TCP is of no use: the kernel
// makes its SYN, which carries no data.
func openSearch(sys *system, want traceSocket) (traceLink, error) {
	s, err := sys.listenPmtu(want)
	if err != nil || want.Method != trace.TCP || s.Mode() == icmpx.ModeRaw {
		return s, err
	}
	return nil, errors.Join(&hintedError{
		err:  errors.New("--method tcp sends SYN segments that carry data, which takes raw sockets"),
		hint: grantHint("cap_net_raw") + "; the other methods do without",
	}, s.Close())
}

// of returns the first socket for an address, or why there is none.
func (l *pmtuLinks) of(a netip.Addr) (traceLink, error) {
	f := icmpx.FamilyOf(a)
	if list := l.open[f]; len(list) > 0 {
		return list[0], nil
	}
	return nil, l.why[f]
}

// scattered reports whether datagrams to an address have source ports of their
// own: without raw sockets.
func (l *pmtuLinks) scattered(a netip.Addr) bool {
	for _, s := range l.open[icmpx.FamilyOf(a)] {
		if _, ok := s.Keys(&icmpx.Request{Proto: icmpx.ProtoUDP, Dst: a}); ok {
			return s.Mode() == icmpx.ModeDatagram
		}
	}
	return false
}

// links returns the sockets of a family.
func (l *pmtuLinks) links(f icmpx.Family) []probe.Link {
	var list []probe.Link
	for _, s := range l.open[f] {
		list = append(list, s)
	}
	return list
}

// keep closes the sockets of all families but one; 0 closes all.
func (l *pmtuLinks) keep(family icmpx.Family) error {
	var errs []error
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		if f == family {
			continue
		}
		for _, s := range l.open[f] {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// routeMTU returns the MTU in bytes of the route to an address, or of its cached
// path if that is less; 0 if the link does not know.
func routeMTU(link traceLink, a netip.Addr) int {
	l, ok := link.(interface {
		MTUFor(netip.Addr) (int, error)
	})
	if !ok {
		return 0
	}
	mtu, err := l.MTUFor(a)
	if err != nil {
		return 0 // there is no route, which sending will say
	}
	return mtu
}
