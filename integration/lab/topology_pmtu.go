//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/integration/lab/router"
)

// A sized topology is a row of routers whose links have MTUs. Behind its name
// may stand a colon and other MTUs, of as many links.
type sized struct {
	name, about, drawing string
	usual                string // the MTUs where none are given

	// plan makes the network. An error says what is wrong with the MTUs.
	plan func(mtus []int) (plan, error)
}

// sizedTopologies are the paths for the search for a path MTU.
var sizedTopologies = []sized{
	{"mtu-steps", "a path that gets smaller twice, and routers that say so", stepsDrawing, "1500,1400,1400,1300", stepsPlan},
	{"black-hole", "a small link, and a firewall that drops the message about it", blackHoleDrawing, "1500,1500,1400,1500", blackHolePlan},
	{"true-hole", "a link that loses large packets, and nobody knows", trueHoleDrawing, "1500,1500,1404,1500", trueHolePlan},
	{"return-hole", "a path whose way back alone is small", returnHoleDrawing, "1500,1500,1400,1500", returnHolePlan},
	{"old-router", "a small link, and a router that does not say how small", oldRouterDrawing, "1500,1500,1400,1500", oldRouterPlan},
	{"jumbo", "large frames, and a link in between that takes a little less", jumboDrawing, "9216,9216,9000,9216", stepsPlan},
}

const stepsDrawing = `
  mtu-steps:A,B,... is a row with links of A, B, ... bytes; below 1280 it has no
  IPv6.
`

const blackHoleDrawing = `
  The router in front of the smallest link sends no message that a packet is too
  big, nor passes any on. black-hole:A,B,... is a row with links of A, B, ... bytes.
`

const trueHoleDrawing = `
  The router in front of the smallest link believes that it is the largest. The one
  behind it gets no packet of more bytes: its end has an MTU of four less, and a
  veth device takes a VLAN tag more. What that router sends back by the link fits
  its own MTU. true-hole:A,B,... is a row with links of A, B, ... bytes.
`

const returnHoleDrawing = `
  The numbers are of the way back. The way there takes as much as the first link:
  the routers behind the smaller ones have routes back of these MTUs, hence cut
  IPv4 packets and refuse those of IPv6. return-hole:A,B,... has such ways back; the
  first link and the last, which hosts see, are the largest.
`

const oldRouterDrawing = `
  The routers, which are one in userspace, refuse what is too big for the next link
  with a next-hop MTU of 0, as before RFC 1191. Routers behind the first have the
  addresses 198.51.100.N and 2001:db8:ffff::N. old-router:A,B,... is a row with
  links of A, B, ... bytes on the way there.
`

const jumboDrawing = `
  jumbo:A,B,... is mtu-steps:A,B,...
`

// draw draws a row with the MTUs of its links.
func (s *sized) draw(mtus []int) string {
	hosts, sizes := "  client", strings.Repeat(" ", len("  client"))
	for i, mtu := range mtus {
		next := routerAt(i + 1)
		if i == len(mtus)-1 {
			next = "server"
		}
		hosts += " ---- " + next
		sizes += fmt.Sprintf(" %-*d", len(hosts)-len(sizes)-1, mtu)
	}
	addresses := fmt.Sprintf("\n  Addresses are those of chain:%d.", len(mtus)-1)
	if s.name == "old-router" {
		addresses = "\n  client  192.0.2.10    2001:db8:1::10\n  r1      192.0.2.1     2001:db8:1::1" +
			"\n  server  203.0.113.10  2001:db8:2::10\n"
	}
	return "\n" + hosts + "\n" + strings.TrimRight(sizes, " ") + "   bytes\n" + addresses + s.drawing
}

// topology returns the topology with MTUs as text.
func (s *sized) topology(name, text string) (Topology, error) {
	mtus, err := parseMTUs(text)
	if err != nil {
		return Topology{}, fmt.Errorf("topology %q: %w", name, err)
	}
	p, err := s.plan(mtus)
	if err != nil {
		return Topology{}, fmt.Errorf("topology %q: %w", name, err)
	}
	return Topology{Name: name, About: s.about, Drawing: s.draw(mtus), plan: p}, nil
}

// sizedAll returns the sized topologies with their usual MTUs.
func sizedAll() []Topology {
	var all []Topology
	for i := range sizedTopologies {
		s := &sizedTopologies[i]
		if t, err := s.topology(s.name, s.usual); err == nil { // a test sees that it is
			all = append(all, t)
		}
	}
	return all
}

// findSized returns the sized topology of that name with the MTUs behind its
// colon; ok is false if the name is none of them.
func findSized(name string) (t Topology, ok bool, err error) {
	first, text, colon := strings.Cut(name, ":")
	i := slices.IndexFunc(sizedTopologies, func(s sized) bool { return s.name == first })
	if !colon || i < 0 {
		return Topology{}, false, nil
	}
	t, err = sizedTopologies[i].topology(name, text)
	return t, true, err
}

// MTUs that a link may have: of IPv4 (RFC 791 section 3.2), and of a veth device.
const (
	minLinkMTU = 68
	maxLinkMTU = 65535
)

// parseMTUs reads the MTUs of the links of a row: two at least, as there is one
// router at least.
func parseMTUs(text string) ([]int, error) {
	var mtus []int
	for word := range strings.SplitSeq(text, ",") {
		mtu, err := strconv.Atoi(word)
		if err != nil || mtu < minLinkMTU || mtu > maxLinkMTU || strconv.Itoa(mtu) != word {
			return nil, fmt.Errorf("MTU %q is not %d to %d", word, minLinkMTU, maxLinkMTU)
		}
		mtus = append(mtus, mtu)
	}
	if len(mtus) < 2 || len(mtus) > maxRow+1 {
		return nil, fmt.Errorf("%d links, want 2 to %d", len(mtus), maxRow+1)
	}
	return mtus, nil
}

// minMTU6 is what every link must take that IPv6 goes by (RFC 8200 section 5).
const minMTU6 = 1280

// sizedRow is a row with links of these MTUs, without IPv6 if one is too small
// for it: the kernel takes IPv6 off such a device.
func sizedRow(mtus []int) plan {
	p := plan{cables: row(len(mtus) - 1), mtus: mtus}
	if slices.Min(mtus) < minMTU6 {
		for i := range p.cables {
			c := &p.cables[i]
			c.aAddrs, _, _ = strings.Cut(c.aAddrs, " ")
			c.bAddrs, _, _ = strings.Cut(c.bAddrs, " ")
		}
	}
	return p
}

func stepsPlan(mtus []int) (plan, error) { return sizedRow(mtus), nil }

// hole returns the number of the smallest link, counted from 0: the first of
// several. A router must be in front of it.
func hole(mtus []int) (int, error) {
	i := slices.Index(mtus, slices.Min(mtus))
	if i == 0 {
		return 0, fmt.Errorf("the first link, of %d bytes, is the smallest: no router is in front of it", mtus[0])
	}
	return i, nil
}

func blackHolePlan(mtus []int) (plan, error) {
	k, err := hole(mtus)
	p := sizedRow(mtus)
	p.finish = func(n *Network) error { return n.byName[routerAt(k)].NoTooBig() }
	return p, err
}

// routerAt names the router in front of link k, counted from 0.
func routerAt(k int) string { return fmt.Sprintf("r%d", k) }

// vlanSlack is what a veth device takes beyond its MTU (is_skb_forwardable in
// net/core/dev.c): the four bytes of a VLAN tag.
const vlanSlack = 4

func trueHolePlan(mtus []int) (plan, error) {
	k, err := hole(mtus)
	if err != nil {
		return plan{}, err
	}
	small := slices.Clone(mtus)
	small[k] -= vlanSlack
	if small[k] < minLinkMTU {
		return plan{}, fmt.Errorf("MTU %d is not %d at least", mtus[k], minLinkMTU+vlanSlack)
	}
	p := sizedRow(small)
	// Both ends believe in a large link, until one is told the truth.
	p.mtus = slices.Clone(mtus)
	p.mtus[k] = slices.Max(mtus)
	p.finish = func(n *Network) error {
		far := n.links[k].B
		return far.SetMTU(small[k])
	}
	return p, nil
}

func returnHolePlan(mtus []int) (plan, error) {
	largest, last := slices.Max(mtus), len(mtus)-1
	if mtus[0] != largest || mtus[last] != largest {
		return plan{}, fmt.Errorf("the first and the last link are not the largest, of %d bytes", largest)
	}
	p := sizedRow(mtus)
	p.mtus = slices.Repeat([]int{largest}, len(mtus))
	p.finish = func(n *Network) error {
		for k, mtu := range mtus {
			if mtu == largest {
				continue
			}
			if err := n.links[k].back(n.Client.ifaces[0].Addrs, mtu); err != nil {
				return err
			}
		}
		return nil
	}
	return p, nil
}

// back limits what the far end of the link sends to networks behind the near end.
func (l *Link) back(networks []netip.Prefix, mtu int) error {
	for _, p := range networks {
		err := l.B.Host.Route(Route{Dst: p.Masked(), Via: l.A.Addr(p.Addr().Is6()), MTU: mtu})
		if err != nil {
			return err
		}
	}
	return nil
}

func oldRouterPlan(mtus []int) (plan, error) {
	if mtus[0] < minMTU6 {
		return plan{}, fmt.Errorf("the first link, of %d bytes, has less than %d: the hosts' devices have its MTU", mtus[0], minMTU6)
	}
	var cfg router.Config
	for _, mtu := range mtus[1:] {
		cfg.Hops = append(cfg.Hops, router.Hop{MTU: mtu, Claim: -1})
	}
	return plan{finish: func(n *Network) error {
		_, err := n.routed(cfg, mtus[0], nil)
		return err
	}}, nil
}
