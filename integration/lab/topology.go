//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Topology is a network that is ready to use.
type Topology struct {
	Name    string
	About   string // one line
	Drawing string // ASCII, with the addresses
	plan    plan
}

// A plan is a topology as data. Addresses are lists separated by blanks, one of
// each family.
type plan struct {
	cables []cable
	mtus   []int // of the cables, in bytes; none: 1500 each
	routes []planRoute
	names  []planName
	limits bool                 // all hosts keep the kernel's limits on ICMP errors
	finish func(*Network) error // what data cannot say; nil: nothing
}

// A cable links two hosts. A host whose name is r and a number is a router.
type cable struct{ a, aAddrs, b, bAddrs string }

// A planRoute is a route of a host to each of dst, the next hop being the
// address of the same family in via; if there are several, packets are balanced
// among them.
type planRoute struct {
	host, dst string
	kind      RouteKind
	via       string
}

// A planName gives destinations a name.
type planName struct{ name, addrs string }

// everything is where a default route goes.
const everything = "0.0.0.0/0 ::/0"

// Topologies returns all topologies. There are others: see Find.
func Topologies() []Topology {
	all := []Topology{pair(), chain(), dark(), delay(), rowOf(maxRow), silent(), limits(), filtered(), nat(), diamond()}
	return append(all, sizedAll()...)
}

// Find returns the topology of that name: one of Topologies, or "chain:" and a
// number of routers, 1 to 30, or the name of one whose links have MTUs, such as
// mtu-steps, with a colon and other MTUs of as many links, separated by commas.
func Find(name string) (Topology, error) {
	if strings.HasPrefix(name, chainPrefix) {
		return chainOf(name)
	}
	if t, ok, err := findSized(name); ok {
		return t, err
	}
	var names []string
	for _, t := range Topologies() {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Topology{}, fmt.Errorf("unknown topology %q: there are %s", name, strings.Join(names, ", "))
}

// A Network is a topology that has been built.
type Network struct {
	*Net
	Client *Host
	Names  []Name // of every host and destination, for NameHosts

	byName map[string]*Host
	limits bool // of new hosts
}

// Build builds the topology of that name, which is one that Find knows.
func Build(name string) (*Network, error) {
	t, err := Find(name)
	if err != nil {
		return nil, err
	}
	n := &Network{Net: New(), byName: map[string]*Host{}, limits: t.plan.limits}
	if err := n.build(t.plan); err != nil {
		n.Close()
		return nil, fmt.Errorf("build topology %s: %w", name, err)
	}
	return n, nil
}

// At returns the host of that name, or nil.
func (n *Network) At(name string) *Host { return n.byName[name] }

// Addr returns the address that a name has in a family, or the zero Addr.
func (n *Network) Addr(name string, v6 bool) netip.Addr {
	for _, a := range n.Names {
		if a.Name == name && a.Addr.Is6() == v6 {
			return a.Addr
		}
	}
	return netip.Addr{}
}

// Owner returns the name of the host that has an address, or "".
func (n *Network) Owner(a netip.Addr) string {
	for name, h := range n.byName {
		for _, i := range h.ifaces {
			if slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr() == a }) {
				return name
			}
		}
	}
	return ""
}

func (n *Network) build(p plan) error {
	for i, c := range p.cables {
		mtu := 0
		if len(p.mtus) > 0 {
			mtu = p.mtus[i]
		}
		if err := n.cable(c, mtu); err != nil {
			return err
		}
	}
	if err := n.AutoRoute(); err != nil {
		return err
	}
	for _, r := range p.routes {
		if err := n.planRoute(r); err != nil {
			return err
		}
	}
	if err := n.name(p.names); err != nil {
		return err
	}
	n.Client = n.byName["client"]
	if p.finish == nil {
		return nil
	}
	return p.finish(n)
}

func (n *Network) cable(c cable, mtu int) error {
	a, err := n.named(c.a)
	if err != nil {
		return err
	}
	b, err := n.named(c.b)
	if err != nil {
		return err
	}
	aAddrs, err := list(c.aAddrs, netip.ParsePrefix)
	if err != nil {
		return err
	}
	bAddrs, err := list(c.bAddrs, netip.ParsePrefix)
	if err != nil {
		return err
	}
	_, err = n.Link(a, b, LinkOptions{A: aAddrs, B: bAddrs, MTU: mtu})
	return err
}

// named returns the host of that name, which it creates if there is none yet.
func (n *Network) named(name string) (*Host, error) {
	if h := n.byName[name]; h != nil {
		return h, nil
	}
	h, err := n.Host(name, HostOptions{Router: routerName(name), RateLimits: n.limits})
	n.byName[name] = h
	return h, err
}

// routerName reports whether a name is r and a number.
func routerName(name string) bool {
	number, ok := strings.CutPrefix(name, "r")
	_, err := strconv.Atoi(number)
	return ok && err == nil
}

func (n *Network) planRoute(r planRoute) error {
	dsts, err := list(r.dst, netip.ParsePrefix)
	if err != nil {
		return err
	}
	vias, err := list(r.via, netip.ParseAddr)
	if err != nil {
		return err
	}
	for _, dst := range dsts {
		route := Route{Dst: dst, Kind: r.kind}
		for _, via := range vias {
			switch {
			case via.BitLen() != dst.Addr().BitLen():
			case route.Via.IsValid():
				route.Or = append(route.Or, via)
			default:
				route.Via = via
			}
		}
		if err := n.byName[r.host].Route(route); err != nil {
			return err
		}
	}
	return nil
}

// name names the hosts, by the addresses that face the client, and further
// destinations.
func (n *Network) name(more []planName) error {
	for _, h := range n.hosts {
		for _, v6 := range []bool{false, true} {
			if a := h.ifaces[0].Addr(v6); a.IsValid() {
				n.Names = append(n.Names, Name{h.Name, a})
			}
		}
	}
	for _, m := range more {
		addrs, err := list(m.addrs, netip.ParseAddr)
		if err != nil {
			return err
		}
		for _, a := range addrs {
			n.Names = append(n.Names, Name{m.name, a})
		}
	}
	return nil
}

// list parses a list separated by blanks.
func list[T any](s string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for field := range strings.FieldsSeq(s) {
		v, err := parse(field)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
