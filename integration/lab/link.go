//go:build linux

package lab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// LinkOptions describe a link between two hosts.
type LinkOptions struct {
	A, B []netip.Prefix // addresses of either end, with the length of their prefix
	MTU  int            // of both ends, in bytes; 0: 1500. IPv6 needs 1280

	// Resolve has the ends find each other by ARP and neighbour discovery.
	// Without it they know each other from the start.
	Resolve bool

	// Offload leaves checksums and segmentation to the device, as a real one
	// does. Without it every packet on the wire is whole, its checksum right.
	Offload bool
}

// A Link is a cable between two hosts (a pair of veth devices).
type Link struct {
	A, B    *Iface
	options LinkOptions
}

// An Iface is one end of a link.
type Iface struct {
	Host  *Host
	Name  string // eth0, eth1, ... in the order of the host's links
	Index int
	Addrs []netip.Prefix
	MAC   net.HardwareAddr

	link   *Link
	router net.HardwareAddr // of a userspace router at the other end; nil: there is none
}

// Link connects two hosts and sets the link up.
func (n *Net) Link(a, b *Host, o LinkOptions) (*Link, error) {
	if o.MTU == 0 {
		o.MTU = 1500
	}
	l := &Link{options: o}
	l.A, l.B = n.iface(a, l, 2*len(n.links), o.A), n.iface(b, l, 2*len(n.links)+1, o.B)
	if a == b {
		return nil, fmt.Errorf("link host %s to itself", a.Name)
	}
	if err := l.build(); err != nil {
		return nil, fmt.Errorf("link %s to %s: %w", a.Name, b.Name, err)
	}
	a.ifaces, b.ifaces = append(a.ifaces, l.A), append(b.ifaces, l.B)
	n.links = append(n.links, l)
	return l, nil
}

// iface describes an end of a link. Hardware addresses count up, so that every
// run has the same (the bit 2 of the first byte says: locally administered).
func (n *Net) iface(h *Host, l *Link, number int, addrs []netip.Prefix) *Iface {
	return &Iface{
		Host:  h,
		Name:  fmt.Sprintf("eth%d", len(h.ifaces)),
		Addrs: addrs,
		MAC:   net.HardwareAddr{2, 0, 0, 0, byte(number >> 8), byte(number)},
		link:  l,
	}
}

// farIndex is beyond the indexes that the kernel gives, which count up from 2.
const farIndex = 1000

func (l *Link) build() error {
	// The ends' indexes must differ: else the kernel takes them for one device
	// and lets them wait up to a second for their carrier (linkwatch_urgent_event).
	index := farIndex + len(l.A.Host.ifaces)
	veth := netlink.NewVeth(netlink.LinkAttrs{Index: index, Name: l.A.Name, MTU: l.options.MTU, HardwareAddr: l.A.MAC})
	veth.PeerName, veth.PeerMTU, veth.PeerHardwareAddr = l.B.Name, uint32(l.options.MTU), l.B.MAC
	veth.PeerNamespace = netlink.NsFd(l.B.Host.ns.Fd())
	if err := l.A.Host.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("add veth pair: %w", err)
	}
	for _, i := range []*Iface{l.A, l.B} {
		if err := i.configure(); err != nil {
			return i.wrap(err)
		}
	}
	return l.waitReady()
}

// configure prepares the device and sets it up.
func (i *Iface) configure() error {
	dev, err := i.Host.nl.LinkByName(i.Name)
	if err != nil {
		return fmt.Errorf("find device: %w", err)
	}
	i.Index = dev.Attrs().Index
	if !i.link.options.Offload {
		if err := i.Host.root.do(func() error { return offloadOff(i.Name) }); err != nil {
			return err
		}
	}
	return i.up()
}

// Down sets the interface down, as pulling its plug does: the other end has no
// carrier. Routes through it and the neighbours behind it are gone until Up.
func (i *Iface) Down() error {
	if err := i.Host.nl.LinkSetDown(device(i.Index)); err != nil {
		return fmt.Errorf("set down: %w", err)
	}
	return i.link.waitDown()
}

// Up sets the interface up again, with its addresses, its neighbours and the
// routes through it. The other end must be up.
func (i *Iface) Up() error {
	if err := i.up(); err != nil {
		return err
	}
	return i.link.waitReady()
}

func (i *Iface) up() error {
	nl := i.Host.nl
	if err := nl.LinkSetUp(device(i.Index)); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	for _, p := range i.Addrs {
		addr := &netlink.Addr{IPNet: ipNet(p), Flags: unix.IFA_F_NODAD}
		if err := nl.AddrReplace(device(i.Index), addr); err != nil {
			return fmt.Errorf("add address %v: %w", p, err)
		}
	}
	if err := i.neighbours(); err != nil {
		return err
	}
	return i.Host.restoreRoutes(i.Index)
}

// neighbours tells the interface where the addresses of the other end are.
func (i *Iface) neighbours() error {
	if i.link.options.Resolve {
		return nil
	}
	peer := i.Peer()
	for _, p := range peer.Addrs {
		err := i.Host.nl.NeighSet(&netlink.Neigh{
			LinkIndex: i.Index, State: netlink.NUD_PERMANENT,
			IP: p.Addr().AsSlice(), HardwareAddr: peer.MAC,
		})
		if err != nil {
			return fmt.Errorf("add neighbour %v: %w", p.Addr(), err)
		}
	}
	return nil
}

// Peer returns the other end of the link.
func (i *Iface) Peer() *Iface {
	if i == i.link.A {
		return i.link.B
	}
	return i.link.A
}

// Addr returns the interface's first address of the family.
func (i *Iface) Addr(v6 bool) netip.Addr {
	for _, p := range i.Addrs {
		if p.Addr().Is6() == v6 {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

// SetMTU sets the MTU of this end alone, in bytes.
func (i *Iface) SetMTU(mtu int) error {
	return wrap("set mtu", i.Host.nl.LinkSetMTU(device(i.Index), mtu))
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// wrap says which interface an error is about.
func (i *Iface) wrap(err error) error { return fmt.Errorf("%s of %s: %w", i.Name, i.Host.Name, err) }

// wrap says what failed, if err is not nil.
func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
