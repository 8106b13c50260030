//go:build linux

package lab_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// A sizer sends echo requests of any size, none of which may be cut.
type sizer struct {
	*asker
	src  netip.Addr
	wire *lab.Injector
}

func newSizer(t *testing.T, n *lab.Network, v6 bool) *sizer {
	t.Helper()
	i := n.Client.Iface(0)
	wire, err := i.Injector()
	labtest.OK(t, err)
	t.Cleanup(func() { labtest.OK(t, wire.Close()) })
	return &sizer{newAsker(t, n.Client, v6), i.Addr(v6), wire}
}

// sendSize sends a packet of size bytes.
func (s *sizer) sendSize(t *testing.T, dst netip.Addr, size int) {
	t.Helper()
	s.seq++
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: s.seq}}
	head := 20
	if s.v6 {
		m.Type, head = ipv6.ICMPTypeEchoRequest, 40
	}
	m.Body.(*icmp.Echo).Data = make([]byte, size-head-8)
	body, err := icmpx.Marshal(&m, s.src, dst)
	labtest.OK(t, err)
	var packet []byte
	if s.v6 {
		h := icmpx.IPv6Header{PayloadLen: len(body), HopLimit: 64, Proto: unix.IPPROTO_ICMPV6, Src: s.src, Dst: dst}
		packet, err = h.AppendBinary(nil)
	} else {
		h := icmpx.IPv4Header{TotalLen: size, ID: uint16(s.seq), DF: true, TTL: 64, Proto: unix.IPPROTO_ICMP, Src: s.src, Dst: dst}
		packet, err = h.AppendBinary(nil)
	}
	labtest.OK(t, err)
	labtest.OK(t, s.wire.Send(append(packet, body...)))
}

func tooBig(a netip.Addr) answer {
	if a.Is6() {
		return answer(a.String() + " 2/0")
	}
	return answer(a.String() + " 3/4")
}

// TestSizes sends packets of all sizes that matter. Where nothing comes back,
// what is asked next is answered first.
func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		topology string
		size     int
		from     string // server, or the router that refuses; empty: nobody
	}{
		{"mtu-steps", 1300, "server"},
		{"mtu-steps", 1301, "r3"},
		{"mtu-steps", 1400, "r3"},
		{"mtu-steps", 1401, "r1"},
		{"mtu-steps:1500,1500,1333", 1333, "server"},
		{"mtu-steps:1500,1500,1333", 1334, "r2"},
		{"black-hole", 1400, "server"},
		{"black-hole", 1401, ""},
		{"black-hole:1500,1400,1500,1300", 1301, ""},
		{"black-hole:1500,1400,1500,1300", 1401, "r1"},
		{"true-hole", 1400, "server"},
		{"true-hole", 1405, ""},
		{"true-hole", 1500, ""},
		{"return-hole", 1400, "server"},
		{"old-router", 1400, "server"},
		{"old-router", 1401, "r2"},
		{"jumbo", 9000, "server"},
		{"jumbo", 9001, "r2"},
	} {
		eachFamily(t, func(t *testing.T, v6 bool) {
			n := labtest.Build(t, tt.topology)
			s, server := newSizer(t, n, v6), n.Addr("server", v6)
			s.sendSize(t, server, tt.size)
			want := reply(server)
			switch {
			case tt.from == "":
				s.send(t, n.Addr("r1", v6), 0)
				want = reply(n.Addr("r1", v6))
			case tt.from != "server":
				want = tooBig(n.Addr(tt.from, v6))
			}
			if got := s.next(t); got != want {
				t.Errorf("%s, %d bytes: got %q, want %q", tt.topology, tt.size, got, want)
			}
		})
	}
}

// TestSizesBack sends packets whose answers do not fit the way back: of IPv4
// these come in fragments, of IPv6 the second does, as the server has learnt.
func TestSizesBack(t *testing.T) {
	for topology, size := range map[string]int{"true-hole": 1404, "return-hole": 1500} {
		eachFamily(t, func(t *testing.T, v6 bool) {
			n := labtest.Build(t, topology)
			s, server := newSizer(t, n, v6), n.Addr("server", v6)
			if v6 {
				s.sendSize(t, server, size)
				if got, want := s.ask(t, n.Addr("r1", v6), 0), reply(n.Addr("r1", v6)); got != want {
					t.Errorf("%s: got %q, want %q", topology, got, want)
				}
			}
			s.sendSize(t, server, size)
			if got, want := s.next(t), reply(server); got != want {
				t.Errorf("%s: got %q, want %q", topology, got, want)
			}
		})
	}
}

// TestBlackHoleSpeaks has the silent router say everything else.
func TestBlackHoleSpeaks(t *testing.T) {
	n := labtest.Build(t, "black-hole")
	eachFamily(t, func(t *testing.T, v6 bool) {
		r2 := n.Addr("r2", v6)
		a := newAsker(t, n.Client, v6)
		datagram(t, n.Client, r2, 0, 0)
		if got, want := a.next(t), closed(r2); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := a.ask(t, n.Addr("server", v6), 2), exceeded(r2); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestSizedNames(t *testing.T) {
	for _, name := range []string{
		"mtu-steps:", "mtu-steps:1500", "mtu-steps:1500,67", "mtu-steps:1500,65536", "mtu-steps:1500,01400", "mtu-steps:1500,x",
		"mtu-steps:1500,1400,", "mtu-steps:" + strings.Repeat("1500,", 31) + "1500", "black-hole:1400,1500", "black-hole:1500,1500",
		"true-hole:1400,1500", "true-hole:1500,70", "return-hole:1500,1400", "return-hole:1400,1300,1500", "old-router:1279,1200", "nosuch:1500,1400",
	} {
		if _, err := lab.Find(name); err == nil {
			t.Errorf("found topology %q", name)
		}
	}
	names := map[string]bool{}
	for _, topology := range lab.Topologies() {
		names[topology.Name] = true
	}
	for _, name := range []string{"mtu-steps", "black-hole", "true-hole", "return-hole", "old-router", "jumbo"} {
		if !names[name] {
			t.Errorf("topology %s is missing", name)
		}
	}
	got, err := lab.Find("black-hole:1500,1400,1300")
	if err != nil || !strings.Contains(got.Drawing, "client ---- r1 ---- r2 ---- server") || !strings.Contains(got.Drawing, "1300") {
		t.Errorf("got %+v, %v, want a drawing of it", got, err)
	}
}

// TestSmallLinksHaveNoIPv6 builds a row that IPv6 cannot go by.
func TestSmallLinksHaveNoIPv6(t *testing.T) {
	n := labtest.Build(t, "mtu-steps:1500,576")
	if a := n.Addr("server", true); a.IsValid() {
		t.Errorf("the server has %v", a)
	}
	s, server := newSizer(t, n, false), n.Addr("server", false)
	s.sendSize(t, server, 577)
	if got, want := s.next(t), tooBig(n.Addr("r1", false)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAbove has a filter look at the length of packets: of three only the smallest
// is answered.
func TestAbove(t *testing.T) {
	eachFamily(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "chain:1")
		server, r1 := n.Addr("server", v6), n.Addr("r1", v6)
		labtest.OK(t, n.At("server").Filter(lab.Rule{Hook: lab.Input, Dst: netip.PrefixFrom(server, server.BitLen()), Above: 228, Verdict: lab.Drop}))
		s := newSizer(t, n, v6)
		for _, size := range []int{1000, 229, 228} {
			s.sendSize(t, server, size)
		}
		if got, want := s.next(t), reply(server); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := s.ask(t, r1, 0), reply(r1); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestRouteMTU reads what a host's route says.
func TestRouteMTU(t *testing.T) {
	n := labtest.Build(t, "chain:1")
	eachFamily(t, func(t *testing.T, v6 bool) {
		server := n.Addr("server", v6)
		check := func(want int) {
			t.Helper()
			got, err := n.Client.RouteMTU(server)
			if err != nil || got != want {
				t.Errorf("got %d, %v, want %d", got, err, want)
			}
		}
		check(0)
		dst := netip.PrefixFrom(server, server.BitLen())
		labtest.OK(t, n.Client.Route(lab.Route{Dst: dst, Via: n.Addr("r1", v6), MTU: 1400}))
		check(1400)
	})
	if _, err := n.Client.RouteMTU(netip.MustParseAddr("198.18.0.1")); err == nil {
		t.Error("got no error for a destination without a route")
	}
}

// TestInjectNothing refuses what is no packet.
func TestInjectNothing(t *testing.T) {
	n := labtest.Build(t, "pair")
	wire, err := n.Client.Iface(0).Injector()
	labtest.OK(t, err)
	if err := wire.Send(nil); !errors.Is(err, unix.EINVAL) {
		t.Errorf("got %v, want %v", err, unix.EINVAL)
	}
	labtest.OK(t, wire.Close())
}
