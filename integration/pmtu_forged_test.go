//go:build linux

package integration

import (
	"bytes"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// tooBig returns a message from an address that a packet, of which quote is the
// start, was too big for a link of mtu bytes. It is for the packet's sender.
func tooBig(from netip.Addr, quote []byte, mtu int) ([]byte, error) {
	if from.Is6() {
		to := netip.AddrFrom16([16]byte(quote[8:24]))
		m := icmp.Message{Type: ipv6.ICMPTypePacketTooBig, Body: &icmp.PacketTooBig{MTU: mtu, Data: quote}}
		b, err := lib.Marshal(&m, from, to)
		if err != nil {
			return nil, err
		}
		h := lib.IPv6Header{PayloadLen: len(b), HopLimit: 64, Proto: unix.IPPROTO_ICMPV6, Src: from, Dst: to}
		head, err := h.AppendBinary(nil)
		return append(head, b...), err
	}
	to := netip.AddrFrom4([4]byte(quote[12:16]))
	m := icmp.Message{Type: ipv4.ICMPTypeDestinationUnreachable, Code: 4, Body: &lib.FragNeeded{MTU: uint16(mtu), Data: quote}}
	b, err := lib.Marshal(&m, from, to)
	if err != nil {
		return nil, err
	}
	h := lib.IPv4Header{TotalLen: lib.IPv4.HeaderLen() + len(b), ID: 1, TTL: 64, Proto: unix.IPPROTO_ICMP, Src: from, Dst: to}
	head, err := h.AppendBinary(nil)
	return append(head, b...), err
}

// An attacker is a host beside a path. It sees packets as they pass, and lies to
// their sender about them, before the truth can come back.
type attacker struct {
	t   *testing.T
	lie func(p []byte) (quote []byte, mtu int)

	mu    sync.Mutex
	wire  *lab.Injector // nil: not there yet, or no more
	addrs [2]netip.Addr // of IPv4 and IPv6
}

// attackedPath builds a path with an attacker: a second hop in front of a link
// of mtu bytes, 5 ms behind the first. The attacker hears of the large packets.
func attackedPath(t *testing.T, mtu int, lie func([]byte) ([]byte, int)) *lab.Routed {
	t.Helper()
	a := &attacker{t: t, lie: lie}
	tell := func(p *router.Packet) router.Verdict {
		a.attack(p.Bytes)
		return router.Pass
	}
	n, err := lab.BuildRouted(lab.RoutedOptions{
		Guests: []lab.Guest{{Name: "attacker"}},
		Router: router.Config{Hops: []router.Hop{
			{There: router.Way{Rules: []router.Rule{{When: router.When{Match: large}, Do: tell}}}},
			{Delay: 5 * time.Millisecond, MTU: mtu},
			{Delay: 5 * time.Millisecond},
		}},
	})
	labtest.OK(t, err)
	i := n.At("attacker").Iface(0)
	wire, err := i.Injector()
	labtest.OK(t, err)
	a.arm(wire, i)
	t.Cleanup(func() {
		labtest.OK(t, n.Router.Close()) // who tells the attacker
		labtest.OK(t, wire.Close())
		n.Network.Close()
	})
	labtest.OK(t, n.Client.AllowPing())
	return n
}

func (a *attacker) arm(wire *lab.Injector, i *lab.Iface) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wire, a.addrs = wire, [2]netip.Addr{i.Addr(false), i.Addr(true)}
}

// attack lies about a packet before the router passes it on, so that no answer
// is faster.
func (a *attacker) attack(p []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wire == nil {
		return
	}
	quote, mtu := a.lie(bytes.Clone(p))
	b, err := tooBig(a.addrs[p[0]>>4/6], quote, mtu)
	if err == nil {
		err = a.wire.Send(b)
	}
	if err != nil {
		a.t.Errorf("forge: %v", err)
	}
}

// large matches the probes of more than 1280 bytes.
func large(p *router.Packet) bool { return router.There(p) && router.Probe(p) && len(p.Bytes) > 1280 }

// headers are the bytes in front of the payload of ICMP and UDP.
func headers(p []byte) int {
	if p[0]>>4 == 6 {
		return 48
	}
	return 28
}

// shown is how much of a packet an error quotes.
func shown(p []byte) []byte { return p[:min(len(p), 500)] }

// lies are what attackers say about a packet of which they know the headers.
var lies = []struct {
	name  string
	paths []int // their MTUs
	lie   func(p []byte) (quote []byte, mtu int)
	seen  bool // by the sockets, so that it can be reported
}{
	{"less than passes", []int{1500, 1400}, func(p []byte) ([]byte, int) { return p[:headers(p)], 1300 }, true},
	{"below the smallest MTU", []int{1500, 1400}, func(p []byte) ([]byte, int) { return p[:headers(p)], 60 }, true},
	{"as before RFC 1191", []int{1400}, func(p []byte) ([]byte, int) { return p[:headers(p)], 0 }, true},
	{"no less than its size", []int{1400}, func(p []byte) ([]byte, int) { return p[:headers(p)], 9000 }, true},
	{"with another secret", []int{1400}, func(p []byte) ([]byte, int) {
		q := slices.Clone(shown(p))
		for i := range q[headers(p):] {
			q[headers(p)+i] ^= 0x55
		}
		return q, 1300
	}, true},
	{"about a size never sent", []int{1400}, func(p []byte) ([]byte, int) { return resized(p[:headers(p)], len(p)-19), 1300 }, true},
	{"about another program's packet", []int{1500}, func(p []byte) ([]byte, int) {
		q := slices.Clone(p[:headers(p)])
		at, udp := headers(p)-4, p[0]>>4 == 4 && p[9] == unix.IPPROTO_UDP || p[0]>>4 == 6 && p[6] == unix.IPPROTO_UDP
		if udp {
			at = headers(p) - 8 // its source port, else the identifier of ICMP
		}
		q[at] ^= 0x80
		return q, 1300
	}, false},
}

// resized returns the headers of a packet that says that it has another size.
func resized(head []byte, size int) []byte {
	q := slices.Clone(head)
	if q[0]>>4 == 6 {
		q[4], q[5] = byte((size-40)>>8), byte(size-40)
		return q
	}
	q[2], q[3], q[10], q[11] = byte(size>>8), byte(size), 0, 0
	sum := lib.Checksum(q[:20])
	q[10], q[11] = byte(sum>>8), byte(sum)
	return q
}

// TestPmtuForged has an attacker lie about every large packet, before the truth
// can come: it changes nothing, and is reported.
func TestPmtuForged(t *testing.T) {
	for i, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
				if i > 0 && v6 != (as == lab.Ordinary) {
					return // one family for each user will do, but for the first
				}
				for _, mtu := range l.paths {
					n := attackedPath(t, mtu, l.lie)
					s := search(t, n.Client, as, n.Addr("server", v6).String())
					s.unimpressed(t, n.Network, mtu, v6)
					if (s.sum.Forged > 0) != l.seen || (len(s.found("forged")) > 0) != l.seen {
						t.Errorf("path MTU %d: got %d forged, findings %v", mtu, s.sum.Forged, s.codes())
					}
				}
			})
		})
	}
}

// unimpressed sees that the result is that of a path without an attacker, with a
// link of mtu bytes behind the second hop.
func (s *searched) unimpressed(t *testing.T, n *lab.Network, mtu int, v6 bool) {
	t.Helper()
	verdict, direction, limits := "clear", "unknown", []pmtuLimit(nil)
	if mtu < 1500 {
		verdict, direction = "signalled", "forward"
		limits = []pmtuLimit{{Place: "router", From: n.Addr("r2", v6).String(), TTL: 2, MTU: mtu, Signalled: true, Tested: true}}
	}
	if sum := &s.sum; s.code != 0 || value(sum.PMTU) != mtu || sum.Verdict != verdict || sum.Direction != direction || !slices.Equal(sum.Limits, limits) {
		t.Errorf("got exit code %d, path MTU %d, %s, %s, limits %+v, want 0, %d, %s, %s, %+v",
			s.code, value(sum.PMTU), sum.Verdict, sum.Direction, sum.Limits, mtu, verdict, direction, limits)
	}
	s.consistent(t)
}

// TestPmtuForgedByReader has the attacker read what it lies about, secret and
// all, as only somebody on the path can. Nothing tells such a lie from a router
// that has changed its mind, so the search may be unsure, but it is not misled.
func TestPmtuForgedByReader(t *testing.T) {
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		for _, mtu := range []int{1500, 1400} {
			n := attackedPath(t, mtu, func(p []byte) ([]byte, int) { return shown(p), 1300 })
			s := search(t, n.Client, as, n.Addr("server", v6).String())
			s.honest(t, mtu)
			if s.sum.Forged == 0 {
				t.Errorf("path MTU %d: nothing forged was reported", mtu)
			}
		}
	})
}

// honest sees that a search tells the path MTU, or bounds around it.
func (s *searched) honest(t *testing.T, mtu int) {
	t.Helper()
	sum := &s.sum
	if got := value(sum.PMTU); got != 0 && (got != mtu || s.code != 0) {
		t.Errorf("got exit code %d and path MTU %d, want 0 and %d", s.code, got, mtu)
	}
	if sum.PMTU == nil && (s.code != 1 || sum.Verdict != "unsure" || value(sum.AtLeast) > mtu || value(sum.AtMost) < mtu) {
		t.Errorf("got exit code %d, %s of %d to %d, want 1, unsure, and %d in between",
			s.code, sum.Verdict, value(sum.AtLeast), value(sum.AtMost), mtu)
	}
	s.consistent(t)
}
