//go:build linux

package router_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestDamage has the kernels at both ends take what the router damaged, there
// or back, whole or in fragments.
func TestDamage(t *testing.T) {
	const seqs = 3
	tests := []struct {
		name string
		do   router.Effect
		want func([]byte) []byte
	}{
		{"flipped", router.Flip(100), func(b []byte) []byte { b[12] ^= 0x10; return b }},
		{"truncated", router.Truncate(30), func(b []byte) []byte { return b[:30] }},
		{"padded", router.Pad(7), func(b []byte) []byte { return append(b, make([]byte, 7)...) }},
		{"shifted", router.Insert(20, 1), func(b []byte) []byte { return slices.Insert(b, 20, 0xee) }},
		{"shifted back", router.Remove(20, 3), func(b []byte) []byte { return slices.Delete(b, 20, 23) }},
		{"zeroed", router.Zero(16, 32), func(b []byte) []byte { clear(b[16:32]); return b }},
	}
	for _, tt := range tests {
		for _, back := range []bool{false, true} {
			for _, size := range []int{56, 5000} {
				t.Run(fmt.Sprintf("%s/back=%v/%d", tt.name, back, size), func(t *testing.T) {
					way := router.Way{Rules: []router.Rule{{When: router.When{First: 2, Last: 2}, Do: tt.do}}}
					cfg := router.Config{There: way}
					if back {
						cfg = router.Config{Back: way}
					}
					both(t, lab.RoutedOptions{Router: cfg}, func(t *testing.T, n *lab.Routed, p *prober) {
						p.fragment()
						for seq := range seqs {
							p.send(seq, pattern(size))
							want := pattern(size)
							if seq == 1 {
								want = tt.want(want)
							}
							if got := p.want(p.reply(seq))[0].payload(); !bytes.Equal(got, want) {
								t.Errorf("seq %d: got % x\nwant % x", seq, got, want)
							}
						}
					})
				})
			}
		}
	}
}

// TestLargest sends the largest payload that there is, in fragments, through a
// router that puts it together and flips a bit near its end.
func TestLargest(t *testing.T) {
	cfg := router.Config{Back: router.Way{Rules: []router.Rule{{Do: router.Flip(8 * 65000)}}}}
	both(t, lab.RoutedOptions{Router: cfg}, func(t *testing.T, n *lab.Routed, p *prober) {
		p.fragment()
		size := icmpx.FamilyOf(p.dst).MaxPayload()
		p.send(1, pattern(size))
		want := pattern(size)
		want[65000] ^= 1
		if got := p.want(p.reply(1))[0].payload(); !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, want %d with one bit changed", len(got), size)
		}
	})
}

// TestBadChecksum sees what a raw socket gets: in IPv4 everything, in IPv6 what
// is right.
func TestBadChecksum(t *testing.T) {
	rule := router.Rule{When: router.When{Match: router.EchoReply, Last: 1}, Do: router.BadChecksum()}
	both(t, lab.RoutedOptions{Router: router.Config{Back: router.Way{Rules: []router.Rule{rule}}}}, func(t *testing.T, n *lab.Routed, p *prober) {
		p.send(1, pattern(56))
		p.send(2, pattern(56))
		if p.v6 {
			p.want(p.reply(2))
			return
		}
		got := p.want(p.reply(1), p.reply(2))
		if icmpx.Checksum(got[0].msg) == 0 || icmpx.Checksum(got[1].msg) != 0 {
			t.Errorf("got checksums off by %#x and %#x, want the first alone wrong", icmpx.Checksum(got[0].msg), icmpx.Checksum(got[1].msg))
		}
	})
}

func TestLoss(t *testing.T) {
	rule := router.Rule{When: router.When{Every: 3}, Do: router.Drop()}
	both(t, lab.RoutedOptions{Router: router.Config{There: router.Way{Rules: []router.Rule{rule}}}}, func(t *testing.T, n *lab.Routed, p *prober) {
		var want []string
		for seq := 1; seq <= 100; seq++ {
			p.send(seq, pattern(8))
			if seq%3 != 0 {
				want = append(want, p.reply(seq))
			}
		}
		p.want(want...)
	})
}

func TestDuplicateAndReorder(t *testing.T) {
	cfg := router.Config{Back: router.Way{Rules: []router.Rule{
		{When: router.When{Match: router.EchoReply, Every: 2}, Do: router.Delay(50 * time.Millisecond)},
		{When: router.When{Match: router.EchoReply, Every: 3}, Do: router.Duplicate(2, 0)},
	}}}
	both(t, lab.RoutedOptions{Router: cfg}, func(t *testing.T, n *lab.Routed, p *prober) {
		for seq := 1; seq <= 4; seq++ {
			p.send(seq, pattern(8))
		}
		p.want(p.reply(1), p.reply(3), p.reply(3), p.reply(3), p.reply(2), p.reply(4))
	})
}

// TestForged has replies that the server never sent, before, after and among
// the true ones, and many of them.
func TestForged(t *testing.T) {
	const many = 10000
	cfg := router.Config{Delay: 10 * time.Millisecond,
		There: router.Way{Rules: []router.Rule{
			{When: router.When{First: 1, Last: 1}, Do: router.Forge([]byte("forged"), 1, 0, 0)},
			{When: router.When{First: 3, Last: 3}, Do: router.Forge(nil, many, 0, 0)},
		}},
		Back: router.Way{Rules: []router.Rule{
			{When: router.When{Match: router.EchoReply, Last: 2}, Do: router.Replay(1, time.Millisecond)},
		}},
	}
	both(t, lab.RoutedOptions{Router: cfg}, func(t *testing.T, n *lab.Routed, p *prober) {
		p.send(1, pattern(8))
		got := p.want(p.reply(1), p.reply(1))
		if a, b := got[0].payload(), got[1].payload(); string(a) != "forged" || !bytes.Equal(b, pattern(8)) {
			t.Errorf("got %q and %q, want the forged one first", a, b)
		}
		p.send(2, pattern(16))
		got = p.want(p.reply(2), p.reply(2))
		if a, b := got[0].payload(), got[1].payload(); !bytes.Equal(a, pattern(16)) || !bytes.Equal(b, pattern(8)) {
			t.Errorf("got %q and %q, want the replay of the first behind the true one", a, b)
		}
		p.send(3, pattern(16))
		true3 := 0
		for range many + 1 {
			a := p.next()
			if a.String() != p.reply(3) {
				t.Fatalf("got %v", a)
			}
			if bytes.Equal(a.payload(), pattern(16)) {
				true3++
			}
		}
		if true3 != 1 {
			t.Errorf("%d true replies among the forged, want 1", true3)
		}
	})
}

// TestNotices has a quench for every second request and a redirect for the
// third, beside the answers.
func TestNotices(t *testing.T) {
	gateway := netip.MustParseAddr("192.0.2.7")
	hop := router.Hop{Rules: []router.Rule{
		{When: router.When{Match: router.EchoRequest, Every: 2}, Do: router.SourceQuench()},
		{When: router.When{Match: router.EchoRequest, Every: 3}, Do: router.Redirect(gateway, 1)},
	}}
	n := build(t, lab.RoutedOptions{Router: router.Config{Hops: []router.Hop{hop}}})
	// Or the kernel would follow the redirect.
	labtest.OK(t, n.Client.Sysctl(lab.Sysctl{Name: "net.ipv4.conf.all.accept_redirects", Value: "0"},
		lab.Sysctl{Name: "net.ipv4.conf.eth0.accept_redirects", Value: "0"}))
	p := newProber(t, n, false)
	p.send(1, pattern(8))
	p.want(p.reply(1))
	p.send(2, pattern(8))
	quench := p.want("192.0.2.1 4/0", p.reply(2))[0]
	p.send(3, pattern(8))
	redirect := p.want("192.0.2.1 5/1", p.reply(3))[0]
	for seq, a := range map[uint16]answer{2: quench, 3: redirect} {
		q, err := icmpx.ParseQuote(a.payload(), icmpx.IPv4)
		if err != nil || q.Dst != p.dst || q.ICMPID != 7 || q.ICMPSeq != seq {
			t.Errorf("%v quotes %+v (%v), want our request %d", a, q, err, seq)
		}
	}
	if got := netip.AddrFrom4([4]byte(redirect.msg[4:8])); got != gateway {
		t.Errorf("redirected to %v, want %v", got, gateway)
	}
}
