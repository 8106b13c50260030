//go:build linux

package lab_test

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// The answers of a family to an echo request.
func reply(a netip.Addr) answer {
	if a.Is6() {
		return answer(a.String() + " 129/0")
	}
	return answer(a.String() + " 0/0")
}

func exceeded(a netip.Addr) answer {
	if a.Is6() {
		return answer(a.String() + " 3/0")
	}
	return answer(a.String() + " 11/0")
}

func closed(a netip.Addr) answer {
	if a.Is6() {
		return answer(a.String() + " 1/4")
	}
	return answer(a.String() + " 3/3")
}

// eachFamily runs a test for IPv4 and IPv6.
func eachFamily(t *testing.T, f func(t *testing.T, v6 bool)) {
	t.Helper()
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v6=%v", v6), func(t *testing.T) { f(t, v6) })
	}
}

// checkPath asks the hops of a path one after the other.
func checkPath(t *testing.T, a *asker, dst netip.Addr, hops []netip.Addr) {
	t.Helper()
	for i, hop := range hops {
		want := exceeded(hop)
		if i == len(hops)-1 {
			want = reply(dst)
		}
		if got := a.ask(t, dst, i+1); got != want {
			t.Errorf("TTL %d: got %q, want %q", i+1, got, want)
		}
	}
}

func TestRows(t *testing.T) {
	for _, routers := range []int{1, 3, 30} {
		n := labtest.Build(t, fmt.Sprintf("chain:%d", routers))
		eachFamily(t, func(t *testing.T, v6 bool) {
			var hops []netip.Addr
			for k := range routers {
				hops = append(hops, n.Addr(fmt.Sprintf("r%d", k+1), v6))
			}
			checkPath(t, newAsker(t, n.Client, v6), n.Addr("server", v6), append(hops, n.Addr("server", v6)))
		})
	}
}

func TestFind(t *testing.T) {
	for _, name := range []string{"chain:0", "chain:31", "chain:", "chain:x", "chain:05", "chain:+5", "chain:5:", "nosuch", ""} {
		if _, err := lab.Find(name); err == nil {
			t.Errorf("found topology %q", name)
		}
	}
	for _, want := range lab.Topologies() {
		got, err := lab.Find(want.Name)
		if err != nil || got.Name != want.Name || got.Drawing != want.Drawing {
			t.Errorf("%s: got %q, %v", want.Name, got.Name, err)
		}
	}
	if got, err := lab.Find("chain:7"); err != nil || got.Name != "chain:7" || !strings.Contains(got.About, "7 routers") {
		t.Errorf("got %+v, %v, want chain:7", got, err)
	}
}

// TestSilentRouters has the next router, or the server, answer first.
func TestSilentRouters(t *testing.T) {
	n := labtest.Build(t, "silent")
	eachFamily(t, func(t *testing.T, v6 bool) {
		server := n.Addr("server", v6)
		a := newAsker(t, n.Client, v6)
		a.send(t, server, 2)
		if got, want := a.ask(t, server, 3), exceeded(n.Addr("r3", v6)); got != want {
			t.Errorf("behind r2: got %q, want %q", got, want)
		}
		a.send(t, server, 4)
		a.send(t, server, 5)
		if got, want := a.ask(t, server, 6), reply(server); got != want {
			t.Errorf("behind r5: got %q, want %q", got, want)
		}
		if got, want := a.ask(t, n.Addr("r2", v6), 0), reply(n.Addr("r2", v6)); got != want {
			t.Errorf("to r2 itself: got %q, want %q", got, want)
		}
	})
}

// TestLimits asks more than a router answers at once, and then the server: an
// echo reply has no limit, and what the router has to say came before.
func TestLimits(t *testing.T) {
	n := labtest.Build(t, "limits")
	eachFamily(t, func(t *testing.T, v6 bool) {
		const probes, burst = 100, 6
		server := n.Addr("server", v6)
		a := newAsker(t, n.Client, v6)
		for range probes {
			a.send(t, server, 3)
		}
		a.send(t, server, 0)
		errors := 0
		for a.next(t) != reply(server) {
			errors++
		}
		if errors < burst || errors == probes {
			t.Errorf("got %d errors for %d probes, want %d and few more", errors, probes, burst)
		}
	})
}

func TestFirewall(t *testing.T) {
	n := labtest.Build(t, "filtered")
	for _, tt := range []struct {
		name         string
		code4, code6 string
	}{
		{"noroute", "3/0", "1/0"},
		{"nohost", "3/1", "1/3"},
		{"port", "3/3", "1/4"},
		{"admin", "3/13", "1/1"},
		{"policy", "3/10", "1/5"},
		{"dropped", "", ""},
		{"noudp", "0/0", "129/0"},
		{"server", "0/0", "129/0"},
	} {
		eachFamily(t, func(t *testing.T, v6 bool) {
			dst, code, from := n.Addr(tt.name, v6), tt.code4, n.Addr("r2", v6)
			if v6 {
				code = tt.code6
			}
			if code == "0/0" || code == "129/0" {
				from = dst
			}
			want := answer(fmt.Sprintf("%v %s", from, code))
			a := newAsker(t, n.Client, v6)
			a.send(t, dst, 0)
			if code == "" { // nothing comes before what is asked next
				a.send(t, n.Addr("server", v6), 0)
				want = reply(n.Addr("server", v6))
			}
			if got := a.next(t); got != want {
				t.Errorf("%s: got %q, want %q", tt.name, got, want)
			}
		})
	}
}

// TestFirewallUDP sends datagrams where they pass and where they do not.
func TestFirewallUDP(t *testing.T) {
	n := labtest.Build(t, "filtered")
	eachFamily(t, func(t *testing.T, v6 bool) {
		a, server := newAsker(t, n.Client, v6), n.Addr("server", v6)
		datagram(t, n.Client, n.Addr("noudp", v6), 0, 0)
		if got, want := a.ask(t, server, 0), reply(server); got != want {
			t.Errorf("where UDP does not pass: got %q, want %q", got, want)
		}
		datagram(t, n.Client, server, 0, 0)
		if got, want := a.next(t), closed(server); got != want {
			t.Errorf("where it passes: got %q, want %q", got, want)
		}
	})
}

// datagram sends a datagram to a port that nobody uses, and returns the port it
// was sent from; 0: any, and of the TTL: the system's.
func datagram(t *testing.T, h *lab.Host, dst netip.Addr, from, ttl int) int {
	t.Helper()
	var c *net.UDPConn
	labtest.OK(t, h.Do(func() (err error) {
		to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, 33434))
		c, err = net.DialUDP("udp", &net.UDPAddr{Port: from}, to)
		return err
	}))
	defer c.Close()
	switch {
	case ttl == 0:
	case dst.Is6():
		labtest.OK(t, ipv6.NewConn(c).SetHopLimit(ttl))
	default:
		labtest.OK(t, ipv4.NewConn(c).SetTTL(ttl))
	}
	_, err := c.Write([]byte("lab"))
	labtest.OK(t, err)
	return c.LocalAddr().(*net.UDPAddr).Port
}

// TestTranslators sees what each side of either translator takes the other for.
func TestTranslators(t *testing.T) {
	n := labtest.Build(t, "nat")
	eachFamily(t, func(t *testing.T, v6 bool) {
		a, server, virtual := newAsker(t, n.Client, v6), n.Addr("server", v6), n.Addr("virtual", v6)
		hops := []netip.Addr{n.Addr("r1", v6), n.Addr("r2", v6), n.Addr("r3", v6), n.Addr("r4", v6), server}
		checkPath(t, a, server, hops)
		for i := 2; i < len(hops); i++ {
			hops[i] = virtual
		}
		checkPath(t, a, virtual, hops)

		wire, err := n.At("server").Iface(0).Capture()
		labtest.OK(t, err)
		defer wire.Close()
		datagram(t, n.Client, virtual, 0, 0)
		if got, want := a.next(t), closed(virtual); got != want {
			t.Errorf("datagram: got %q, want %q", got, want)
		}
		frames, err := wire.Frames()
		labtest.OK(t, err)
		got := 0
		for _, f := range frames {
			src, dst := addresses(f.Data)
			if f.Out || dst.IsMulticast() {
				continue
			}
			got++
			if want := n.At("r1").Iface(1).Addr(v6); src != want || dst != server {
				t.Errorf("the server got a packet from %v to %v, want it from %v to %v", src, dst, want, server)
			}
		}
		if got != 1 {
			t.Errorf("the server got %d packets, want one", got)
		}
	})
}

// addresses returns source and destination of an IP packet.
func addresses(b []byte) (src, dst netip.Addr) {
	if b[0]>>4 == 4 {
		return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	}
	return netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
}

func TestBadTranslations(t *testing.T) {
	n := labtest.Build(t, "pair")
	client, server := n.Addr("client", false), n.Addr("server", true)
	for what, err := range map[string]error{
		"to another family":         n.Client.Translate(client, server),
		"of nothing":                n.Client.Translate(netip.Addr{}, server),
		"at another host's":         n.Client.Masquerade(n.At("server").Iface(0), false),
		"at no interface":           n.Client.Masquerade(nil, false),
		"balanced, one unreachable": n.Client.Route(lab.Route{Dst: all4, Via: n.Addr("server", false), Or: []netip.Addr{netip.MustParseAddr("203.0.113.1")}}),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// TestBalanced sends flows and sees that each has a way of its own, that all
// ways are taken, and that echo requests, whatever is in them, take one.
func TestBalanced(t *testing.T) {
	n := labtest.Build(t, "diamond")
	eachFamily(t, func(t *testing.T, v6 bool) {
		for ttl, want := range []string{1: "r1", 2: "r2 r3", 3: "r4", 4: "r5 r6 r7 r8", 5: "r9"} {
			if ttl == 0 {
				continue
			}
			got, echo := ways(t, n, v6, ttl)
			if got != want || strings.Contains(echo, " ") {
				t.Errorf("TTL %d: got %q, and %q for echo requests, want %q, and one of them", ttl, got, echo, want)
			}
		}
	})
}

// ways sends flows, and echo requests, and returns the names of those who
// answer. That one of four ways is never taken has a probability of 10^-12.
func ways(t *testing.T, n *lab.Network, v6 bool, ttl int) (flows, echoes string) {
	t.Helper()
	a, server := newAsker(t, n.Client, v6), n.Addr("server", v6)
	who := func(got answer) string {
		addr, _, _ := strings.Cut(string(got), " ")
		return n.Owner(netip.MustParseAddr(addr))
	}
	seen, echo := map[string]bool{}, map[string]bool{}
	for range 100 {
		port := datagram(t, n.Client, server, 0, ttl)
		first := a.next(t)
		datagram(t, n.Client, server, port, ttl)
		if again := a.next(t); again != first {
			t.Errorf("TTL %d, port %d: got %q and then %q", ttl, port, first, again)
		}
		seen[who(first)] = true
		echo[who(a.ask(t, server, ttl))] = true
	}
	return words(seen), words(echo)
}

func words(set map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(set)), " ")
}

// TestBalancedRouteReturns has the links of a balanced route go down and up.
func TestBalancedRouteReturns(t *testing.T) {
	n := labtest.Build(t, "diamond")
	for _, i := range []int{1, 2} { // towards r2 and r3
		labtest.OK(t, n.At("r1").Iface(i).Down())
		labtest.OK(t, n.At("r1").Iface(i).Up())
	}
	eachFamily(t, func(t *testing.T, v6 bool) {
		if got, _ := ways(t, n, v6, 2); got != "r2 r3" {
			t.Errorf("got %q, want both ways", got)
		}
	})
}
