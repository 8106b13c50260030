//go:build linux

package lab_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestAnswers asks every destination of every topology, by both families.
func TestAnswers(t *testing.T) {
	tests := []struct {
		topology, dst string
		ttl           int
		want4, want6  answer
	}{
		{"pair", "server", 0, "192.0.2.20 0/0", "2001:db8:1::20 129/0"},
		{"pair", "server", 1, "192.0.2.20 0/0", "2001:db8:1::20 129/0"},
		{"chain", "server", 0, "203.0.113.10 0/0", "2001:db8:2::10 129/0"},
		{"chain", "server", 1, "192.0.2.1 11/0", "2001:db8:1::1 3/0"},
		{"chain", "server", 2, "198.51.100.11 11/0", "2001:db8:12::2 3/0"},
		{"chain", "server", 3, "198.51.100.21 11/0", "2001:db8:23::3 3/0"},
		{"chain", "server", 4, "198.51.100.31 11/0", "2001:db8:34::4 3/0"},
		{"chain", "server", 5, "198.51.100.41 11/0", "2001:db8:45::5 3/0"},
		{"chain", "server", 6, "203.0.113.10 0/0", "2001:db8:2::10 129/0"},
		{"chain", "r1", 0, "192.0.2.1 0/0", "2001:db8:1::1 129/0"},
		{"chain", "r2", 0, "198.51.100.11 0/0", "2001:db8:12::2 129/0"},
		{"chain", "r3", 0, "198.51.100.21 0/0", "2001:db8:23::3 129/0"},
		{"chain", "r4", 0, "198.51.100.31 0/0", "2001:db8:34::4 129/0"},
		{"chain", "r5", 0, "198.51.100.41 0/0", "2001:db8:45::5 129/0"},
		{"chain", "unreachable", 0, "198.51.100.21 3/1", "2001:db8:23::3 1/0"},
		{"chain", "prohibited", 0, "198.51.100.21 3/13", "2001:db8:23::3 1/1"},
		{"chain", "noroute", 0, "198.51.100.41 3/0", "2001:db8:45::5 1/0"},
		{"dark", "r1", 0, "192.0.2.1 0/0", "2001:db8:1::1 129/0"},
		{"dark", "dark", 1, "192.0.2.1 11/0", "2001:db8:1::1 3/0"},
	}
	for _, tt := range tests {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%s/ttl=%d/v6=%v", tt.topology, tt.dst, tt.ttl, v6), func(t *testing.T) {
				n := labtest.Build(t, tt.topology)
				want := tt.want4
				if v6 {
					want = tt.want6
				}
				got := newAsker(t, n.Client, v6).ask(t, n.Addr(tt.dst, v6), tt.ttl)
				if got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestNobodyThere waits for the last router to have asked for the address in
// vain, which takes the kernel three seconds.
func TestNobodyThere(t *testing.T) {
	for v6, want := range map[bool]answer{false: "198.51.100.41 3/1", true: "2001:db8:45::5 1/3"} {
		t.Run(fmt.Sprint("v6=", v6), func(t *testing.T) {
			t.Parallel()
			n := labtest.Build(t, "chain")
			if got := newAsker(t, n.Client, v6).ask(t, n.Addr("absent", v6), 0); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestSilence asks destinations that never answer, and then one behind them
// that does: nothing else may come.
func TestSilence(t *testing.T) {
	for _, tt := range []struct{ topology, silent, after string }{
		{"chain", "blackhole", "server"},
		{"dark", "dark", "r1"},
	} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/v6=%v", tt.silent, v6), func(t *testing.T) {
				n := labtest.Build(t, tt.topology)
				a := newAsker(t, n.Client, v6)
				a.send(t, n.Addr(tt.silent, v6), 0)
				kind := "0/0"
				if v6 {
					kind = "129/0"
				}
				after := n.Addr(tt.after, v6)
				if got, want := a.ask(t, after, 0), answer(after.String()+" "+kind); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestNoRateLimit sends more probes at once than a kernel with its own limits
// would answer.
func TestNoRateLimit(t *testing.T) {
	const probes = 120 // a socket holds about 150 answers
	for _, v6 := range []bool{false, true} {
		n := labtest.Build(t, "chain")
		a := newAsker(t, n.Client, v6)
		for range probes {
			a.send(t, n.Addr("server", v6), 3)
		}
		for range probes {
			a.next(t)
		}
	}
}

// TestRouteErrors asks for errors of the kind that keeps a limit, after others:
// these must not count.
func TestRouteErrors(t *testing.T) {
	n := labtest.Build(t, "chain")
	a := newAsker(t, n.Client, false)
	for range 3 {
		a.ask(t, n.Addr("server", false), 3)
	}
	for range 4 {
		if got, want := a.ask(t, n.Addr("unreachable", false), 0), answer("198.51.100.21 3/1"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRateLimitsKept(t *testing.T) {
	const name = "/proc/sys/net/ipv4/icmp_ratemask"
	n := lab.New()
	defer n.Close()
	for kept, want := range map[bool]string{true: "6168", false: "0"} {
		h, err := n.Host("h", lab.HostOptions{RateLimits: kept})
		labtest.OK(t, err)
		labtest.OK(t, h.Do(func() error {
			got, err := os.ReadFile(name)
			if strings.TrimSpace(string(got)) != want {
				t.Errorf("kept %v: got %s %q, want %s", kept, name, got, want)
			}
			return err
		}))
	}
}

// TestUDP sends a datagram each way over five routers, by ordinary sockets.
func TestUDP(t *testing.T) {
	n := labtest.Build(t, "chain")
	for _, v6 := range []bool{false, true} {
		server := net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Addr("server", v6), 4000))
		var far, near *net.UDPConn
		labtest.OK(t, n.At("server").Do(func() (err error) {
			far, err = net.ListenUDP("udp", server)
			return err
		}))
		defer far.Close()
		labtest.OK(t, n.Client.Do(func() (err error) {
			near, err = net.DialUDP("udp", nil, server)
			return err
		}))
		defer near.Close()
		_, err := near.Write([]byte("there"))
		labtest.OK(t, err)
		b := make([]byte, 100)
		k, from, err := far.ReadFromUDPAddrPort(b)
		labtest.OK(t, err)
		if want := n.Addr("client", v6); from.Addr().Unmap() != want || string(b[:k]) != "there" {
			t.Errorf("got %q from %v, want it from %v", b[:k], from, want)
		}
		_, err = far.WriteToUDPAddrPort([]byte("back"), from)
		labtest.OK(t, err)
		k, err = near.Read(b)
		labtest.OK(t, err)
		if string(b[:k]) != "back" {
			t.Errorf("got %q, want back", b[:k])
		}
	}
}

// TestIsolated sees that a host has no way out and no interface of the machine.
func TestIsolated(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.Client.Do(func() error {
		ifaces, err := net.Interfaces()
		if len(ifaces) != 2 || ifaces[0].Name != "lo" || ifaces[1].Name != "eth0" {
			t.Errorf("got interfaces %v, want lo and eth0", ifaces)
		}
		return err
	}))
}
