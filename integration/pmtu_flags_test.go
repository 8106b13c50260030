//go:build linux

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestPmtuMethods sees on the wire what each method sends, and that it finds the
// same.
func TestPmtuMethods(t *testing.T) {
	n := network(t, "mtu-steps")
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		icmp := uint8(unix.IPPROTO_ICMP)
		if v6 {
			icmp = unix.IPPROTO_ICMPV6
		}
		for method, protos := range map[string][]uint8{
			"icmp": {icmp}, "udp": {unix.IPPROTO_UDP}, "tcp": {unix.IPPROTO_TCP}, "auto": {icmp, unix.IPPROTO_UDP},
		} {
			t.Run(method, func(t *testing.T) {
				server := n.Addr("server", v6)
				args := []string{"--method", method, server.String()}
				if method == "tcp" && as == lab.Ordinary {
					d := command(t, n.Client, as, append([]string{"pmtu"}, args...)...)
					if d.code != 2 || d.stdout != "" || !strings.Contains(d.stderr, "icmpx: hint: ") || len(searchWire(t, c, server).probes) != 0 {
						t.Errorf("got exit code %d, %q and %q, want 2, nothing, a hint, and nothing sent", d.code, d.stdout, d.stderr)
					}
					return
				}
				s := search(t, n.Client, as, args...)
				s.leastly(t, steps(v6).truth(n))
				w := searchWire(t, c, server)
				s.onWire(t, w)
				seen := map[uint8]bool{}
				for _, p := range w.probes {
					seen[p.flow.proto] = true
				}
				for _, proto := range protos {
					if !seen[proto] {
						t.Errorf("protocol %d is not on the wire", proto)
					}
					delete(seen, proto)
				}
				if len(seen) != 0 || s.start.Method != method {
					t.Errorf("protocols %v too are on the wire; start says %s", seen, s.start.Method)
				}
			})
		}
	})
}

// leastly sees the path MTU and the limits that routers tell of, whatever this
// host's cache has learnt from searches before.
func (s *searched) leastly(t *testing.T, want answer) {
	t.Helper()
	var limits []pmtuLimit
	for _, l := range s.sum.Limits {
		if l.Place == "router" {
			limits = append(limits, l)
		}
	}
	if s.code != 0 || value(s.sum.PMTU) != want.pmtu || s.sum.Verdict != want.verdict || !slices.Equal(limits, want.limits) {
		t.Errorf("got exit code %d, path MTU %d, %s, limits %+v, want 0, %d, %s, %+v",
			s.code, value(s.sum.PMTU), s.sum.Verdict, limits, want.pmtu, want.verdict, want.limits)
	}
	s.consistent(t)
}

// TestPmtuHeaders sees on the wire what a command line asks for.
func TestPmtuHeaders(t *testing.T) {
	n := network(t, "mtu-steps")
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server, client := n.Addr("server", v6), n.Addr("client", v6)
		s := search(t, n.Client, as, "-t0x28", "-s", client.String(), "-I", "eth0", "-p", "33500", server.String())
		s.leastly(t, steps(v6).truth(n))
		w := searchWire(t, c, server)
		s.onWire(t, w)
		udp := 0
		for _, p := range w.probes {
			if p.tos != 0x28 || p.src != client {
				t.Errorf("got %+v on the wire", p)
			}
			if p.flow.proto == unix.IPPROTO_UDP {
				udp++
				if !strings.HasSuffix(p.flow.head, "82dc") { // 33500
					t.Errorf("got ports %s of a datagram", p.flow.head)
				}
			}
		}
		if udp == 0 || s.start.Port != 33500 {
			t.Errorf("%d datagrams on the wire; start says port %d", udp, s.start.Port)
		}
	})
}

// TestPmtuInterface asks for an interface that does not lead there.
func TestPmtuInterface(t *testing.T) {
	n := network(t, "mtu-steps")
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6)
		d := command(t, n.Client, as, "pmtu", "-n", "-I", "lo", "--wait", "0.2", "--timeout", "3", server.String())
		if d.code == 0 || len(searchWire(t, c, server).probes) != 0 {
			t.Errorf("got exit code %d, want another than 0, and nothing sent by eth0", d.code)
		}
	})
}

// TestPmtuMark has the client's firewall drop what has no mark.
func TestPmtuMark(t *testing.T) {
	const mark = 77
	both(t, func(t *testing.T, v6 bool) {
		n := network(t, "mtu-steps")
		server := n.Addr("server", v6)
		labtest.OK(t, n.Client.Filter(lab.Rule{Hook: lab.Output, Dst: everywhere(v6), Unmarked: mark, Verdict: lab.Drop}))
		s := search(t, n.Client, lab.Root, "--fwmark", fmt.Sprint(mark), server.String())
		s.is(t, steps(v6).truth(n))
		d := command(t, n.Client, lab.Root, "pmtu", "-n", "--wait", "0.2", "--timeout", "3", server.String())
		if d.code == 0 {
			t.Errorf("without the mark: got exit code 0")
		}
		d = command(t, n.Client, lab.Ordinary, "pmtu", "--fwmark", fmt.Sprint(mark), server.String())
		if d.code != 2 || d.stdout != "" || !strings.HasPrefix(d.stderr, "icmpx: error: ") {
			t.Errorf("without privileges: got exit code %d, %q and %q, want 2, nothing and an error", d.code, d.stdout, d.stderr)
		}
	})
}

// TestPmtuRate bounds the rate. What a busy machine delays may catch up, so only
// half of the time is asked for that the packets should take; without the flag
// they take a hundredth of it.
func TestPmtuRate(t *testing.T) {
	const rate = 50
	n := network(t, "mtu-steps")
	c := tap(t, n)
	for _, u := range users {
		server := n.Addr("server", false)
		s := search(t, n.Client, u.user, "--rate", fmt.Sprint(rate), server.String())
		s.leastly(t, steps(false).truth(n))
		frames, err := c.Frames()
		labtest.OK(t, err)
		var first, last time.Time
		count := 0
		for _, f := range frames {
			if _, to, err := parseProbe(f.Data); err != nil || !f.Out || to != server {
				continue
			}
			if last = f.Time; count == 0 {
				first = f.Time
			}
			count++
		}
		if count != s.sum.Sent {
			t.Errorf("%d packets on the wire, %d probes", count, s.sum.Sent)
		}
		if took, want := last.Sub(first), time.Duration(count)*time.Second/rate; took < want/2 {
			t.Errorf("%s: %d packets took %v, want %v", u.name, count, took, want)
		}
	}
}

// TestPmtuHops prints every hop with the MTU up to it.
func TestPmtuHops(t *testing.T) {
	for _, topology := range []string{"mtu-steps", "black-hole"} {
		eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
			p := steps(v6)
			if topology == "black-hole" {
				p = path{topology, []int{1500, 1500, 1400, 1500}, v6}
			}
			n := network(t, topology)
			s := search(t, n.Client, as, "--hops", n.Addr("server", v6).String())
			s.is(t, p.truth(n))
			if len(s.sum.Hops) != len(p.mtus) {
				t.Fatalf("got hops %+v, want %d", s.sum.Hops, len(p.mtus))
			}
			for i, h := range s.sum.Hops {
				mtu := slices.Min(p.mtus[:i+1])
				if h.TTL != i+1 || h.From != p.hop(n, i+1) || value(h.MTU) != mtu || h.End != (i == len(p.mtus)-1) {
					t.Errorf("got hop %+v, want %d, %s, %d", h, i+1, p.hop(n, i+1), mtu)
				}
			}
		})
	}
}

// TestPmtuBounds bounds the sizes: nothing else is sent, and no path MTU claimed
// that was not proven.
func TestPmtuBounds(t *testing.T) {
	n := network(t, "mtu-steps") // 1300 bytes
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6)
		for _, tt := range []struct {
			args           []string
			pmtu, min, max int
		}{
			{[]string{"--max", "1350"}, 1300, 0, 1350},
			{[]string{"--max", "1290"}, 0, 0, 1290},
			{[]string{"--min", "1290"}, 1300, 1290, 1500},
			{[]string{"--min", "1290", "--max", "1310"}, 1300, 1290, 1310},
			{[]string{"--max", "1500", "--ladder-only"}, 1300, 0, 1500},
		} {
			s := search(t, n.Client, as, append(tt.args, server.String())...)
			if value(s.sum.PMTU) != tt.pmtu {
				s.honest(t, 1300)
			}
			for _, p := range searchWire(t, c, server).probes {
				if p.length > tt.max {
					t.Errorf("%v: a packet of %d bytes on the wire", tt.args, p.length)
				}
			}
		}
	})
}

// TestPmtuBudget gives too few packets, and others: no more are sent, and the
// result is right, or the bounds are.
func TestPmtuBudget(t *testing.T) {
	for _, p := range []path{{"black-hole", []int{1500, 1500, 1373, 1500}, false}, {"mtu-steps", []int{1500, 1373, 1401, 1311}, false}} {
		n := network(t, p.name())
		c := tap(t, n)
		eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
			server := n.Addr("server", v6)
			for _, packets := range []int{10, 16, 25, 40} {
				s := search(t, n.Client, as, "--max-packets", fmt.Sprint(packets), server.String())
				if sent := len(searchWire(t, c, server).probes); sent > packets {
					t.Errorf("%d packets on the wire, more than %d", sent, packets)
				}
				s.honest(t, slices.Min(p.mtus))
			}
		})
	}
}
