package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
)

// runPmtu carries out "icmpx pmtu", in the order of privilege that runTrace has:
// flags, sockets, drop all privileges, names, packets.
func runPmtu(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("pmtu")
	r, err := parsePmtu(line, cmd)
	if err != nil {
		return 0, usage(cmd, err)
	}
	addr, families, err := r.literal()
	if err != nil {
		return 0, &usageError{err: err} // about the host: the list of flags is no help
	}
	links, err := openPmtu(sys, r.socket, r.opts.Method, families)
	var known *hintedError
	switch {
	case errors.As(err, &known):
		return 0, err
	case err != nil:
		return 0, &hintedError{err: err, hint: r.socket.hint(err)}
	}
	dir := sys.directory(netip.AddrPort{})
	if !addr.IsValid() {
		addr, err = r.resolve(ctx, dir, links)
	}
	var s *pmtuSession
	if err == nil {
		s, err = newPmtuSession(ctx, sys, r, addr, links)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return interruptCode(ctx), links.keep(0)
	case err != nil:
		return 0, errors.Join(err, links.keep(0))
	}
	s.registry = newRegistry(s.ctx, dir, !r.numeric && !r.json, false)
	return s.run(links)
}

// literal returns the address of a host that is given by address, and which
// families may be needed.
func (r *pmtuRun) literal() (netip.Addr, []icmpx.Family, error) {
	addr, literal, err := parseLiteralOf(r.host, r.family)
	switch {
	case err != nil:
		return netip.Addr{}, nil, err
	case literal && addr.IsMulticast():
		return netip.Addr{}, nil, fmt.Errorf("%s is a group: there is no one way there", r.host)
	case literal:
		return addr, []icmpx.Family{icmpx.FamilyOf(addr)}, nil
	case r.family != 0:
		return netip.Addr{}, []icmpx.Family{r.family}, nil
	}
	return netip.Addr{}, []icmpx.Family{icmpx.IPv4, icmpx.IPv6}, nil
}

// resolve returns the first address of the host that there is a socket for.
func (r *pmtuRun) resolve(ctx context.Context, dir directory, links *pmtuLinks) (netip.Addr, error) {
	addrs, err := lookUp(ctx, dir, r.host, r.family)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if _, err := links.of(a); err == nil {
			return a, nil
		}
	}
	_, err = links.of(addrs[0])
	return netip.Addr{}, err
}

// settle returns the options of a search for the path MTU to an address, and
// what output says about it. device and route are the MTUs in bytes of the
// interface and of the route; 0: not known.
func (r *pmtuRun) settle(addr netip.Addr, mode icmpx.Mode, device, route int) (pmtu.Options, render.PmtuHost, error) {
	o := r.opts
	if o.Method != pmtu.ICMP && o.Port == 0 {
		o.Port = o.Method.DefaultPort()
	}
	// A packet to an address of this host goes by the loopback interface, which
	// takes more than the interface that has the address.
	o.LinkMTU = max(device, route)
	if route < o.LinkMTU {
		o.RouteMTU = route
	}
	h := render.PmtuHost{
		Name: r.host, Addr: addr, Method: o.Method, Port: o.Port, Socket: mode,
		LinkMTU: o.LinkMTU, RouteMTU: o.RouteMTU,
	}
	if addr.IsMulticast() {
		return o, h, fmt.Errorf("%s is a group: there is no one way there", addr)
	}
	return o, h, checkPmtuSizes(&o, icmpx.FamilyOf(addr))
}

// checkPmtuSizes finds bounds that a family or the interface has no room for. An
// error is a usage error.
func checkPmtuSizes(o *pmtu.Options, f icmpx.Family) error {
	for _, bound := range [...]struct {
		flag string
		size int
	}{{"--min", o.Min}, {"--max", o.Max}} {
		switch {
		case bound.size == 0:
		case bound.size < f.MinMTU():
			return &usageError{
				err:  fmt.Errorf("%s %d is below %d bytes, the smallest MTU of %v", bound.flag, bound.size, f.MinMTU(), f),
				hint: "sizes are of whole IP packets",
			}
		case o.LinkMTU != 0 && bound.size > o.LinkMTU:
			return &usageError{
				err:  fmt.Errorf("%s %d is above the interface's MTU of %d bytes", bound.flag, bound.size, o.LinkMTU),
				hint: "no packet of that size leaves this host; ip link shows the interfaces",
			}
		}
	}
	return nil
}
