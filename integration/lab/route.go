//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A RouteKind says what becomes of a packet that takes a route (ip-route(8)).
type RouteKind uint8

// The kinds of routes, with what a router answers for them.
const (
	Unicast     RouteKind = iota // forwarded to Via
	Unreachable                  // IPv4: host unreachable; IPv6: no route
	Prohibit                     // IPv4: communication administratively prohibited; IPv6: the like
	Blackhole                    // nothing
	Throw                        // network unreachable; IPv6: no route
)

// routeTypes are the kernel's numbers (linux/rtnetlink.h).
var routeTypes = [...]int{
	Unicast:     unix.RTN_UNICAST,
	Unreachable: unix.RTN_UNREACHABLE,
	Prohibit:    unix.RTN_PROHIBIT,
	Blackhole:   unix.RTN_BLACKHOLE,
	Throw:       unix.RTN_THROW,
}

// A Route is an entry of a host's routing table.
type Route struct {
	Dst  netip.Prefix // 0.0.0.0/0 and ::/0: the default route
	Kind RouteKind
	Via  netip.Addr // next hop of Unicast: an address at the other end of a link

	// Or are further next hops, among which and Via packets are balanced: by
	// their addresses, or by their flows, as the host's
	// net.ipv4.fib_multipath_hash_policy and its like of IPv6 say.
	Or []netip.Addr

	MTU int // path MTU of Unicast in bytes; 0: the interface's
}

// Route adds or replaces a route of the host.
func (h *Host) Route(r Route) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	route, err := h.netlinkRoute(r)
	if err == nil {
		err = h.nl.RouteReplace(&route)
	}
	if err != nil {
		return fmt.Errorf("route %v of host %s: %w", r.Dst, h.Name, err)
	}
	h.routes = append(h.routes, route)
	return nil
}

func (h *Host) netlinkRoute(r Route) (netlink.Route, error) {
	if !r.Dst.IsValid() || int(r.Kind) >= len(routeTypes) {
		return netlink.Route{}, errors.New("invalid route")
	}
	route := netlink.Route{Dst: ipNet(r.Dst.Masked()), Type: routeTypes[r.Kind], MTU: r.MTU}
	route.Family = unix.AF_INET
	if r.Dst.Addr().Is6() {
		route.Family = unix.AF_INET6
	}
	if r.Kind != Unicast {
		return route, nil
	}
	var hops []*netlink.NexthopInfo
	for _, via := range append([]netip.Addr{r.Via}, r.Or...) {
		i := h.towards(via)
		if i == nil {
			return route, fmt.Errorf("find next hop %v: no interface is on its network", via)
		}
		hops = append(hops, &netlink.NexthopInfo{LinkIndex: i.Index, Gw: via.AsSlice()})
	}
	if len(hops) > 1 {
		route.MultiPath = hops
		return route, nil
	}
	route.LinkIndex, route.Gw = hops[0].LinkIndex, hops[0].Gw
	return route, nil
}

// towards returns the interface on whose network an address is; nil if there is
// none.
func (h *Host) towards(a netip.Addr) *Iface {
	for _, i := range h.ifaces {
		for _, p := range i.Addrs {
			if p.Contains(a) {
				return i
			}
		}
	}
	return nil
}

// leavesBy reports whether a route leads through an interface.
func leavesBy(r *netlink.Route, index int) bool {
	return r.LinkIndex == index || slices.ContainsFunc(r.MultiPath, func(hop *netlink.NexthopInfo) bool {
		return hop.LinkIndex == index
	})
}

// restoreRoutes adds the routes through an interface again: the kernel forgets
// them when it goes down.
func (h *Host) restoreRoutes(index int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.routes {
		if !leavesBy(&r, index) {
			continue
		}
		if err := h.nl.RouteReplace(&r); err != nil {
			return fmt.Errorf("restore route %v: %w", r.Dst, err)
		}
	}
	return nil
}

// AutoRoute gives every host a route to the networks of all links, along the
// shortest path.
func (n *Net) AutoRoute() error {
	for _, h := range n.hosts {
		if err := n.routesOf(h); err != nil {
			return err
		}
	}
	return nil
}

// routesOf walks the network from h, nearest hosts first, and routes what is
// beyond each host by the interface that the walk left h by.
func (n *Net) routesOf(h *Host) error {
	first := map[*Host]*Iface{h: nil}
	done := map[netip.Prefix]bool{}
	for queue := []*Host{h}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, i := range at.ifaces {
			exit := first[at]
			for _, p := range i.Addrs {
				if exit != nil && !done[p.Masked()] {
					via := exit.Peer().Addr(p.Addr().Is6())
					if err := h.Route(Route{Dst: p, Via: via}); err != nil {
						return err
					}
				}
				done[p.Masked()] = true
			}
			next := i.Peer().Host
			if _, seen := first[next]; seen {
				continue
			}
			if exit == nil {
				exit = i
			}
			first[next] = exit
			queue = append(queue, next)
		}
	}
	return nil
}
