//go:build linux

package lab

import (
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Net is a network of hosts. Its methods and those of its hosts may be used
// by several goroutines, once it is built.
type Net struct {
	hosts   []*Host
	links   []*Link
	cleanup []func()
}

// New returns a network without hosts.
func New() *Net { return &Net{} }

// OnClose has Close call f before it ends the hosts; the last f first.
func (n *Net) OnClose(f func()) { n.cleanup = append(n.cleanup, f) }

// Close ends every host: programs that still run there are killed.
func (n *Net) Close() {
	for _, f := range slices.Backward(n.cleanup) {
		f()
	}
	n.cleanup = nil
	for _, h := range n.hosts {
		h.close()
	}
	n.hosts, n.links = nil, nil
}

// HostOptions say what a host is. The zero value is an end host.
type HostOptions struct {
	// Router forwards packets.
	Router bool

	// RateLimits keeps the kernel's limits on ICMP errors. Without it they are
	// lifted, so that every packet that deserves an error gets one. One limit
	// the kernel has only for the whole machine (net.ipv4.route.error_cost):
	// what meets no route, or an unreachable or prohibit route, in IPv4 gets 5
	// errors at once and then one a second. A filter's Reject has no limit.
	RateLimits bool
}

// A Host is a network namespace: an end host or a router.
type Host struct {
	Name string

	ns     *os.File // holds the namespace
	nl     *netlink.Handle
	root   *keeper
	ifaces []*Iface

	mu     sync.Mutex
	routes []netlink.Route // all that were added, to add them again
	user   *keeper         // of ordinary users in a rootless lab; started when needed
	names  []byte          // hosts file; see NameHosts
}

// Host adds a host to the network. Its loopback interface is up.
func (n *Net) Host(name string, o HostOptions) (*Host, error) {
	h := &Host{Name: name}
	if err := h.open(o); err != nil {
		h.close()
		return nil, fmt.Errorf("create host %s: %w", name, err)
	}
	n.hosts = append(n.hosts, h)
	return h, nil
}

func (h *Host) open(o HostOptions) (err error) {
	h.root, err = newKeeper(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		// /proc/self would name the main thread's namespace.
		h.ns, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		return err
	}
	return h.root.do(func() error {
		// The sockets of a handle stay in the namespace that they were opened in.
		if h.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
			return fmt.Errorf("open netlink socket: %w", err)
		}
		if err := h.nl.LinkSetUp(device(loopback)); err != nil {
			return fmt.Errorf("set lo up: %w", err)
		}
		return writeSysctls(hostSysctls(o))
	})
}

func (h *Host) close() {
	if h.user != nil {
		h.user.close()
	}
	if h.nl != nil {
		h.nl.Close()
	}
	if h.root != nil {
		h.root.close()
	}
	if h.ns != nil {
		h.ns.Close()
	}
}

// Do runs f on a thread inside the host: sockets that f opens there belong to
// the host, and may be used anywhere later. The thread ends with f, and with
// it the programs that f started; see Start for those that shall live on.
func (h *Host) Do(f func() error) error { return onThread(h.enter, f) }

// Iface returns the host's interface number i, in the order of its links;
// there must be that many.
func (h *Host) Iface(i int) *Iface { return h.ifaces[i] }

// enter moves the calling thread into the host for good.
func (h *Host) enter() error {
	return os.NewSyscallError("setns", unix.Setns(int(h.ns.Fd()), unix.CLONE_NEWNET))
}

// loopback is the index of lo in every namespace.
const loopback = 1

// device names a link by its index.
func device(index int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}}
}
