package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/trace"
)

// A traceSocket says which socket a trace needs.
type traceSocket struct {
	Family     icmpx.Family
	Method     trace.Method
	Source     netip.Addr
	SourcePort uint16 // of UDP and TCP; 0: any
	Interface  string
	Mark       uint32
	FlowLabel  uint32       // of IPv6; 0: the link's choice
	Gateways   []netip.Addr // of UDP and TCP over IPv4
	NoLearning bool         // the kernel is to learn no path MTU by it
}

// hint returns what would let the process open a socket that it must not, or ""
// if it is not one of these flags that takes a privilege.
func (s *traceSocket) hint(err error) string {
	var denied *icmpx.PrivilegeError
	switch {
	case s.FlowLabel != 0 && s.Method != trace.ICMP && errors.Is(err, errors.ErrUnsupported):
		return "a flow label (-l) of UDP or TCP takes CAP_NET_RAW: " + grantHint("cap_net_raw") + "; with -I it does without"
	case !errors.Is(err, os.ErrPermission) || errors.As(err, &denied): // which has a hint of its own
		return ""
	case len(s.Gateways) > 0:
		return "a source route (-g) takes CAP_NET_RAW: " + grantHint("cap_net_raw")
	case s.Mark != 0:
		return "a mark (--fwmark) takes CAP_NET_RAW: " + grantHint("cap_net_raw")
	case s.SourcePort != 0 && s.SourcePort < firstFreePort:
		return "a port below 1024 (--sport) takes CAP_NET_BIND_SERVICE: " + grantHint("cap_net_raw,cap_net_bind_service")
	}
	return ""
}

// firstFreePort is the first port that everybody may use, unless
// net.ipv4.ip_unprivileged_port_start says otherwise.
const firstFreePort = 1024

// grantHint says how to give capabilities to this program.
func grantHint(capabilities string) string {
	name, err := os.Executable()
	if err != nil {
		name = "icmpx"
	}
	return fmt.Sprintf("sudo setcap %s+ep %s, or run it as root", capabilities, name)
}

// A traceLink is a link that knows which kind of socket it stands on; those of
// package icmpx do.
type traceLink interface {
	probe.Link
	Mode() icmpx.Mode
	SourceFor(netip.Addr) (netip.Addr, error)
}

// listenTrace opens a socket of the kernel: a raw one if the process may, else
// what everybody may.
func listenTrace(s traceSocket) (traceLink, error) {
	switch s.Method {
	case trace.ICMP:
		return linkOr(icmpx.ListenICMP(icmpx.ICMPConfig{
			Family: s.Family, Source: s.Source, Interface: s.Interface, Mark: s.Mark, FlowLabel: s.FlowLabel, TOS: -1,
			ConstantChecksum: true, NoLearning: s.NoLearning,
		}))
	case trace.TCP:
		return linkOr(icmpx.ListenTCP(icmpx.TCPConfig{PortConfig: s.ports()}))
	}
	cfg := icmpx.UDPConfig{PortConfig: s.ports(), Classic: s.Method == trace.UDPClassic}
	cfg.Mode = icmpx.ModeRaw
	l, err := icmpx.ListenUDP(cfg)
	if errors.Is(err, os.ErrPermission) {
		// Nothing but the port tells the answers apart that ordinary sockets
		// show, unless each probe has a socket of its own.
		cfg.Mode, cfg.Classic = icmpx.ModeDatagram, s.Method != trace.UDPFixed
		l, err = icmpx.ListenUDP(cfg)
	}
	return linkOr(l, err)
}

// linkOr is what a call that opens a link returns: a nil pointer is no nil
// traceLink.
func linkOr[L traceLink](l L, err error) (traceLink, error) {
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ports is the configuration of sockets that have ports.
func (s *traceSocket) ports() icmpx.PortConfig {
	return icmpx.PortConfig{
		Family: s.Family, Source: s.Source, SourcePort: s.SourcePort, Interface: s.Interface, Mark: s.Mark,
		FlowLabel: s.FlowLabel, Gateways: s.Gateways, NoLearning: s.NoLearning, TOS: -1,
	}
}

// traceLinks are the sockets of a trace: those of its method, and those of its
// last question, by family.
type traceLinks struct {
	own    map[icmpx.Family]traceLink
	others map[icmpx.Family][]traceLink
	why    map[icmpx.Family]error // why there is none of its own
}

// openTrace opens every socket that a trace may need, and gives up all
// privileges. That one is missing is an error only if the method needs it.
func openTrace(sys *system, want traceSocket, families []icmpx.Family) (*traceLinks, error) {
	l := &traceLinks{own: map[icmpx.Family]traceLink{}, others: map[icmpx.Family][]traceLink{}, why: map[icmpx.Family]error{}}
	for _, f := range families {
		want.Family = f
		s, err := sys.listenTrace(want)
		if err != nil {
			l.why[f] = err
			continue
		}
		l.own[f], l.others[f] = s, openQuestions(sys, want)
	}
	if err := sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return nil, errors.Join(fmt.Errorf("drop privileges: %w", err), l.keep(0))
	}
	if len(l.own) == 0 {
		return nil, l.why[families[0]]
	}
	return l, nil
}

// openQuestions opens the sockets of the last question, as far as it can. They
// go by no source route, and have any source port.
func openQuestions(sys *system, want traceSocket) (list []traceLink) {
	own := want.Method.Proto()
	want.SourcePort, want.Gateways = 0, nil
	for _, m := range []trace.Method{trace.ICMP, trace.TCP, trace.UDP} {
		if m.Proto() == own {
			continue
		}
		want.Method = m
		if s, err := sys.listenTrace(want); err == nil {
			list = append(list, s)
		}
	}
	return list
}

// of returns the socket of the method for an address, or why there is none.
func (l *traceLinks) of(a netip.Addr) (traceLink, error) {
	f := icmpx.FamilyOf(a)
	if s := l.own[f]; s != nil {
		return s, nil
	}
	return nil, l.why[f]
}

// links returns the sockets of a family.
func (l *traceLinks) links(f icmpx.Family) []probe.Link {
	var list []probe.Link
	if s := l.own[f]; s != nil {
		list = append(list, s)
	}
	for _, s := range l.others[f] {
		list = append(list, s)
	}
	return list
}

// keep closes the sockets of all families but one; 0 closes all.
func (l *traceLinks) keep(family icmpx.Family) error {
	var errs []error
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		if f == family {
			continue
		}
		for _, s := range l.links(f) {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// deviceMTU returns the MTU in bytes of the interface that has an address, or of
// that with a name; 0 if there is none. It is not the path's: -F asks for that of
// the path, whatever this host believes to know.
func deviceMTU(source netip.Addr, name string) int {
	if name != "" {
		if device, err := net.InterfaceByName(name); err == nil {
			return device.MTU
		}
	}
	devices, err := net.Interfaces()
	if err != nil {
		return 0
	}
	for i := range devices {
		addrs, err := devices[i].Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Unmap() == source.WithZone("") {
				return devices[i].MTU
			}
		}
	}
	return 0
}
