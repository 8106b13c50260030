//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/icmpx/icmpx/integration/lab/router"
)

// delay is a path as long as across a country, by the userspace router.
func delay() Topology {
	return Topology{
		Name:  "delay",
		About: "a router in userspace, 20 ms there and back",
		Drawing: `
  client ------------------- r1 ------- 10 ms each way ------- server
  192.0.2.10/24     192.0.2.1/24  203.0.113.1/24               203.0.113.10/24
  2001:db8:1::10/64   ::1/64      2001:db8:2::1/64             2001:db8:2::10/64
`,
		plan: plan{finish: func(n *Network) error {
			_, err := n.routed(router.Config{Delay: 10 * time.Millisecond}, 0, nil)
			return err
		}},
	}
}

// RoutedOptions describe a client and a server with a userspace router between
// them.
type RoutedOptions struct {
	Router router.Config
	MTU    int // of both links, in bytes; 0: 1500

	// Guests are further hosts, such as attackers.
	Guests []Guest
}

// A Guest is a host that is linked to a hop of the router.
type Guest struct {
	Name string
	Hop  int // counted from 0
}

// Routed is a network with a userspace router: the hosts "client" and "server"
// with the addresses of the topology "delay", the router "r1" as host, and the
// guests. Its names are those of the hosts, and r1, r2, ... for the hops.
type Routed struct {
	*Network
	Router *router.Router
}

// BuildRouted builds a network with a userspace router.
func BuildRouted(o RoutedOptions) (*Routed, error) {
	n := &Network{Net: New(), byName: map[string]*Host{}}
	r, err := n.routed(o.Router, o.MTU, o.Guests)
	if err != nil {
		n.Close()
		return nil, fmt.Errorf("build network with a userspace router: %w", err)
	}
	return &Routed{n, r}, nil
}

// Close ends the router and the network. The error is the router's.
func (r *Routed) Close() error {
	err := r.Router.Close()
	r.Network.Close()
	return err
}

// edge is a host at the router: its name, its addresses and the router's.
type edge struct{ name, host, router string }

// edges are the ends of the path; guests follow.
var edges = []edge{
	{"client", "192.0.2.10/24 2001:db8:1::10/64", "192.0.2.1 2001:db8:1::1"},
	{"server", "203.0.113.10/24 2001:db8:2::10/64", "203.0.113.1 2001:db8:2::1"},
}

// maxGuests is how many networks of guests fit above the hops' addresses.
const maxGuests = 6

// guest is the edge of guest number i.
func guest(i int, name string) edge {
	return edge{
		name,
		fmt.Sprintf("198.51.100.%d/29 2001:db8:9:%x::10/64", 202+8*i, i),
		fmt.Sprintf("198.51.100.%d 2001:db8:9:%x::1", 201+8*i, i),
	}
}

// routed builds the hosts and starts the router.
func (n *Network) routed(cfg router.Config, mtu int, guests []Guest) (*router.Router, error) {
	if len(guests) > maxGuests {
		return nil, fmt.Errorf("%d guests, more than %d", len(guests), maxGuests)
	}
	inner, err := n.Host("r1", HostOptions{})
	if err != nil {
		return nil, err
	}
	n.byName["r1"] = inner
	// Its kernel has no part in this: it gets no address, not even a link-local
	// one to tell the hosts about.
	if err := inner.Sysctl(Sysctl{"net.ipv6.conf.default.addr_gen_mode", "1"}); err != nil {
		return nil, err
	}
	all := append([]edge(nil), edges...)
	places := []int{0, 0}
	for i, g := range guests {
		all, places = append(all, guest(i, g.Name)), append(places, g.Hop)
	}
	var ports []router.Port
	for i, e := range all {
		port, err := n.edge(inner, e, mtu)
		if err != nil {
			return nil, err
		}
		port.Hop = places[i]
		ports = append(ports, port)
	}
	n.Client = n.byName["client"]
	if err := n.nameHops(&cfg); err != nil {
		return nil, err
	}
	r, err := router.Start(context.Background(), cfg, ports...)
	if err != nil {
		return nil, err
	}
	// What ended it before is for Routed.Close to tell.
	n.OnClose(func() { _ = r.Close() })
	return r, nil
}

// edge adds a host, its link to the router, and its default routes.
func (n *Network) edge(inner *Host, e edge, mtu int) (router.Port, error) {
	var port router.Port
	if n.byName[e.name] != nil {
		return port, fmt.Errorf("host %s exists", e.name)
	}
	addrs, err1 := list(e.host, netip.ParsePrefix)
	gateways, err2 := list(e.router, netip.ParseAddr)
	h, err3 := n.Host(e.name, HostOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		return port, err
	}
	n.byName[e.name] = h
	l, err := n.Link(h, inner, LinkOptions{A: addrs, MTU: mtu})
	if err != nil {
		return port, err
	}
	port = router.Port{
		Index: l.B.Index, MAC: routerMAC(l.B), Peer: l.A.MAC, Addrs: gateways,
		Networks: addrs, MTU: mtu, Do: inner.Do,
	}
	l.A.router = port.MAC
	for _, g := range gateways {
		// Known from the start, as on other links; should the link go down and
		// up, the router answers who asks.
		err := h.nl.NeighSet(&netlink.Neigh{
			LinkIndex: l.A.Index, State: netlink.NUD_PERMANENT, IP: g.AsSlice(), HardwareAddr: port.MAC,
		})
		if err != nil {
			return port, fmt.Errorf("add neighbour %v: %w", g, err)
		}
		everywhere := netip.PrefixFrom(unspecified(g), 0)
		if err := h.Route(Route{Dst: everywhere, Via: g}); err != nil {
			return port, err
		}
	}
	return port, nil
}

// routerMAC is the hardware address of the userspace router on a device: not
// the device's own, so that the kernel leaves its frames alone.
func routerMAC(i *Iface) net.HardwareAddr {
	mac := append(net.HardwareAddr(nil), i.MAC...)
	mac[3] = 1
	return mac
}

func unspecified(like netip.Addr) netip.Addr {
	if like.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// nameHops names the hosts and the hops.
func (n *Network) nameHops(cfg *router.Config) error {
	if err := n.name(nil); err != nil {
		return err
	}
	for k := range max(len(cfg.Hops), 1) {
		for _, v6 := range []bool{false, true} {
			a := cfg.Addr(k, v6)
			if !a.IsValid() {
				a = firstHop(v6)
			}
			n.Names = append(n.Names, Name{fmt.Sprintf("r%d", k+1), a})
		}
	}
	return nil
}

// firstHop is the address of the first hop if it is given none: that of the
// port where the client is.
func firstHop(v6 bool) netip.Addr {
	if v6 {
		return netip.MustParseAddr("2001:db8:1::1")
	}
	return netip.MustParseAddr("192.0.2.1")
}
