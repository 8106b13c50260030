//go:build linux

package integration

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// poison has the client's kernel learn a path MTU to dst: it believes a message
// from the router next to it about a datagram of this test's.
func poison(t *testing.T, n *lab.Network, dst netip.Addr, mtu int) {
	t.Helper()
	const port = 33000
	var c *net.UDPConn
	labtest.OK(t, n.Client.Do(func() (err error) {
		c, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, port)))
		return err
	}))
	defer c.Close()
	raw, err := c.SyscallConn()
	labtest.OK(t, err)
	level, option := unix.SOL_IP, unix.IP_MTU_DISCOVER
	if dst.Is6() {
		level, option = unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER
	}
	labtest.OK(t, errors.Join(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), level, option, unix.IP_PMTUDISC_DO)
	}), err))

	near := n.Client.Iface(0).Peer()
	wire, err := near.Injector()
	labtest.OK(t, err)
	defer wire.Close()
	local := c.LocalAddr().(*net.UDPAddr).AddrPort()
	b, err := tooBig(n.Addr("r1", dst.Is6()), datagramTo(t, local, netip.AddrPortFrom(dst, port)), mtu)
	labtest.OK(t, err)
	labtest.OK(t, wire.Send(b))
	// The kernel hands the error up once it has learnt from it.
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, unix.EMSGSIZE) {
		t.Fatalf("got %v from a socket whose datagram was too big, want %v", err, unix.EMSGSIZE)
	}
	if got := routeMTU(t, n, dst); got != mtu {
		t.Fatalf("the kernel has learnt %d, want %d", got, mtu)
	}
}

// datagramTo is the start of a UDP packet of 1500 bytes.
func datagramTo(t *testing.T, from, to netip.AddrPort) []byte {
	t.Helper()
	var head []byte
	var err error
	if to.Addr().Is6() {
		h := lib.IPv6Header{PayloadLen: 1460, HopLimit: 64, Proto: unix.IPPROTO_UDP, Src: from.Addr(), Dst: to.Addr()}
		head, err = h.AppendBinary(nil)
	} else {
		h := lib.IPv4Header{TotalLen: 1500, ID: 1, DF: true, TTL: 64, Proto: unix.IPPROTO_UDP, Src: from.Addr().Unmap(), Dst: to.Addr()}
		head, err = h.AppendBinary(nil)
	}
	labtest.OK(t, err)
	length := 1500 - len(head)
	return append(head, byte(from.Port()>>8), byte(from.Port()), byte(to.Port()>>8), byte(to.Port()), byte(length>>8), byte(length), 0, 0)
}

func routeMTU(t *testing.T, n *lab.Network, dst netip.Addr) int {
	t.Helper()
	mtu, err := n.Client.RouteMTU(dst)
	labtest.OK(t, err)
	return mtu
}

// TestPmtuPoisoned searches paths of every kind although the kernel has learnt a
// path MTU that is too small: it is shown as what it is, and changes nothing else.
func TestPmtuPoisoned(t *testing.T) {
	eachPath(t, seeds(t)[:1], 600, func(t *testing.T, n *lab.Network, p path, as lab.User) {
		server := n.Addr("server", p.v6)
		learnt := 552 // the least that the kernel takes (net.ipv4.route.min_pmtu)
		if p.v6 {
			learnt = 1280
		}
		poison(t, n, server, learnt)
		s := search(t, n.Client, as, server.String())
		s.is(t, p.truth(n).behind(learnt))
		if s.start.RouteMTU != learnt {
			t.Errorf("got route MTU %d, want %d", s.start.RouteMTU, learnt)
		}
		if got := routeMTU(t, n, server); got != learnt {
			t.Errorf("the kernel believes in %d afterwards, want %d as before", got, learnt)
		}
	})
}

// behind is what is to be found if this host's route limits packets more than the
// path does.
func (a answer) behind(route int) answer {
	a.limits = append([]pmtuLimit{{Place: "route", MTU: route, Signalled: true}}, a.limits...)
	a.codes = append(a.codes, "route_mtu")
	if a.verdict == "clear" {
		a.verdict = "local"
	}
	switch a.direction {
	case "unknown":
		a.direction = "forward"
	case "return":
		a.direction = "both"
	}
	return a
}

// TestPmtuLeavesNoCache looks at what the kernel believes after a search. It
// learns nothing from raw sockets of IPv4. What it is told about packets of
// ordinary sockets, and of any of IPv6, it always learns: but from what is true
// no harm comes.
func TestPmtuLeavesNoCache(t *testing.T) {
	const mtu = 1401
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, method := range []string{"auto", "icmp", "udp", "tcp"} {
			if as == lab.Ordinary && method == "tcp" {
				continue // takes raw sockets
			}
			t.Run(method, func(t *testing.T) {
				n := network(t, "mtu-steps:1500,1401")
				server := n.Addr("server", v6)
				s := search(t, n.Client, as, "--method", method, server.String())
				if s.code != 0 || value(s.sum.PMTU) != mtu {
					t.Errorf("got exit code %d and path MTU %d, want 0 and %d", s.code, value(s.sum.PMTU), mtu)
				}
				got, raw := routeMTU(t, n, server), as == lab.Root && !v6
				if raw && got != 0 || got != 0 && got != mtu {
					t.Errorf("the kernel believes in a path MTU of %d", got)
				}
			})
		}
	})
}
