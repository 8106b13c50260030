package router

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// TestPingHops pings every address of the router from both ends.
func TestPingHops(t *testing.T) {
	for _, tt := range []struct {
		addr       string
		near, back int // TTL of the reply at the client, and at the server
	}{
		{"192.0.2.1", 64, 62}, {"198.51.100.2", 63, 63}, {"198.51.100.3", 62, 64}, {"203.0.113.1", 62, 64},
	} {
		addr := netip.MustParseAddr(tt.addr)
		b := newBench(t, Config{Hops: make([]Hop, 3)})
		b.in(0, 0, packet4(client4, addr, 64, ping()))
		b.in(ms, 1, packet4(server4, addr, 64, ping()))
		b.want(
			fmt.Sprintf("0s port 0: %v > 192.0.2.10 ttl %d 0/0 seq 1 len 28", addr, tt.near),
			fmt.Sprintf("1ms port 1: %v > 203.0.113.10 ttl %d 0/0 seq 1 len 28", addr, tt.back),
		)
	}
}

// TestFragments cuts packets at an MTU and puts them together again.
func TestFragments(t *testing.T) {
	b := newBench(t, Config{Hops: []Hop{{MTU: 600}, {MTU: 300}}})
	b.in(0, 0, udp(false, 64, 9, make([]byte, 1000)))
	b.want(
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 62 udp 40000>9 MF",
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 62 fragment 280+280 MF",
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 62 fragment 560+16 MF",
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 62 fragment 576+280 MF",
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 62 fragment 856+152",
	)
	if p := whole(t, b.out); len(p.Bytes) != 1028 {
		t.Errorf("put together to %d bytes, want 1028", len(p.Bytes))
	}
}

// TestFragmentRules has a rule see whole packets, and fragments if it asks for
// them.
func TestFragmentRules(t *testing.T) {
	for _, fragments := range []bool{false, true} {
		for _, v6 := range []bool{false, true} {
			cfg := onWay(When{First: 2, Last: 2}, Drop())
			cfg.There.Fragments = fragments
			b := newBench(t, cfg)
			var n int
			for i := range 3 {
				parts := cut(t, echo(v6, 64, i, 4000), 1400)
				n = len(parts)
				binaryID(parts, v6, uint16(i))
				for _, part := range parts {
					b.in(0, 0, part)
				}
			}
			want := 2 * n
			if fragments {
				want = 3*n - 1
			}
			if got := len(b.all()); got != want {
				t.Errorf("fragments %v, IPv6 %v: got %d fragments, want %d", fragments, v6, got, want)
			}
		}
	}
}

// binaryID gives fragments an identification.
func binaryID(parts [][]byte, v6 bool, id uint16) {
	for _, p := range parts {
		if v6 {
			binary.BigEndian.PutUint16(p[46:], id)
		} else {
			binary.BigEndian.PutUint16(p[4:], id)
			fixHeader(p)
		}
	}
}

// TestPilesBounded sends fragments that never become whole.
func TestPilesBounded(t *testing.T) {
	b := newBench(t, onWay(When{}, Flip(1)))
	for i := range 10000 {
		parts := cut(t, echo(false, 64, 1, 2000), 1400)
		binaryID(parts, false, uint16(i))
		b.in(0, 0, parts[i%2])
	}
	if n := len(b.e.piles); n > maxPiles {
		t.Errorf("%d piles, want at most %d", n, maxPiles)
	}
	for range 10000 { // the same part over and over
		b.in(0, 0, cut(t, echo(false, 64, 1, 2000), 1400)[0])
	}
	for _, s := range b.e.piles {
		if len(s.parts) > maxParts {
			t.Errorf("%d parts, want at most %d", len(s.parts), maxParts)
		}
	}
	b.want()
}

// TestNAT translates there and back, and repairs quotes unless it is raw.
func TestNAT(t *testing.T) {
	out4, out6 := netip.MustParseAddr("198.51.100.150"), netip.MustParseAddr("2001:db8:ffff::150")
	for _, v6 := range []bool{false, true} {
		for _, raw := range []bool{false, true} {
			t.Run(fmt.Sprintf("v6=%v/raw=%v", v6, raw), func(t *testing.T) {
				b := newBench(t, Config{Hops: []Hop{{NAT4: out4, NAT6: out6, NATShift: 100, NATRaw: raw}, {}}})
				b.reply = true
				client, outside := client4, out4
				if v6 {
					client, outside = client6, out6
				}
				for i, ip := range [][]byte{echo(v6, 64, 1, 8), echo(v6, 2, 2, 8), udp(v6, 2, 9, []byte("x"))} {
					b.in(0, 0, ip)
					b.until(0)
					for _, s := range b.out {
						p := s.packet(t)
						if s.port == 1 && (p.Src != outside || p.ICMPID != 107) {
							t.Errorf("server got %v id %d, want from %v id 107", s, p.ICMPID, outside)
						}
						if s.port == 0 && p.Dst != client {
							t.Errorf("client got %v", s)
						}
					}
					last := b.out[len(b.out)-1].packet(t)
					b.out = nil
					if i == 0 {
						if last.ICMPID != 7 {
							t.Errorf("reply has id %d, want 7", last.ICMPID)
						}
						continue
					}
					q, err := icmpx.ParseQuote(last.Bytes[last.l4+8:], last.Family)
					wantSrc, wantID := client, uint16(7)
					if raw {
						wantSrc, wantID = outside, 107
					}
					id := q.ICMPID
					if q.Proto == protoUDP {
						id = q.SrcPort - 40000 + 7
					}
					if err != nil || q.Src != wantSrc || id != wantID || !v6 && !q.HeaderOK {
						t.Errorf("quote %+v (%v), want from %v id %d", q, err, wantSrc, wantID)
					}
					in := Packet{Bytes: last.Bytes[last.l4+8:]}
					if err := in.parse(); err != nil || transportSum(&in) != 0 {
						t.Errorf("quoted checksum is wrong (%v)", err)
					}
				}
			})
		}
	}
}

// TestBalance has flows take one of four hops, packets all of them in turn, and
// the same salt the same branch.
func TestBalance(t *testing.T) {
	place := func(salt uint32, perPacket bool) Hop {
		return Hop{Or: make([]Hop, 3), Salt: salt, PerPacket: perPacket}
	}
	from := func(cfg Config, ip []byte, ttl uint8) netip.Addr {
		b := newBench(t, cfg)
		ip[8] = ttl
		fixHeader(ip)
		b.in(0, 0, ip)
		p := b.all()[0].packet(t)
		return p.Src
	}
	flows := Config{Hops: []Hop{{}, place(1, false), place(1, false), place(2, false)}}
	seen, pairs, free := map[netip.Addr]bool{}, map[[2]netip.Addr]bool{}, map[[2]netip.Addr]bool{}
	for port := range uint16(200) {
		a := from(flows, udp(false, 64, port, nil), 2)
		if again := from(flows, udp(false, 64, port, []byte("other")), 2); again != a {
			t.Errorf("flow %d takes %v and %v", port, a, again)
		}
		seen[a] = true
		pairs[[2]netip.Addr{a, from(flows, udp(false, 64, port, nil), 3)}] = true
		free[[2]netip.Addr{a, from(flows, udp(false, 64, port, nil), 4)}] = true
	}
	if len(seen) != 4 || len(pairs) != 4 || len(free) != 16 {
		t.Errorf("%d hops, %d pairs with the same salt, %d with another, want 4, 4, 16", len(seen), len(pairs), len(free))
	}
	b := newBench(t, Config{Hops: []Hop{{}, place(0, true)}})
	for range 8 {
		b.in(0, 0, echo(false, 2, 1, 8))
	}
	turn := map[netip.Addr]int{}
	for _, s := range b.all() {
		p := s.packet(t)
		turn[p.Src]++
	}
	for a, n := range turn {
		if n != 2 || len(turn) != 4 {
			t.Errorf("%d of 8 packets took %v of %d hops, want 2 each of 4", n, a, len(turn))
		}
	}
}

// TestAlternativesHaveTheirOwn pings each hop of a balanced place.
func TestAlternativesHaveTheirOwn(t *testing.T) {
	cfg := Config{Hops: []Hop{{}, {Or: make([]Hop, 2)}, {}}}
	for _, a := range []string{"198.51.100.2", "198.51.100.4", "198.51.100.5"} {
		b := newBench(t, cfg)
		b.in(0, 0, packet4(client4, netip.MustParseAddr(a), 64, ping()))
		b.want(fmt.Sprintf("0s port 0: %s > 192.0.2.10 ttl 63 0/0 seq 1 len 28", a))
	}
}

// TestGuest has a third host at the second of three hops.
func TestGuest(t *testing.T) {
	e, err := newEngine(Config{Hops: make([]Hop, 3), Delay: ms}, testPorts(1))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, e: e}
	b.in(0, 2, packet4(guest4, client4, 64, ping()))
	b.in(10*ms, 2, packet4(guest4, server4, 64, ping()))
	b.in(20*ms, 0, packet4(client4, guest4, 64, ping()))
	b.in(30*ms, 1, packet4(server4, guest4, 64, ping()))
	b.in(40*ms, 2, packet4(guest4, netip.MustParseAddr("198.51.100.2"), 64, ping()))
	b.in(50*ms, 2, packet4(guest4, client4, 1, ping()))
	b.want(
		"0s port 0: 198.51.100.202 > 192.0.2.10 ttl 62 8/0 seq 1 len 28",
		"11ms port 1: 198.51.100.202 > 203.0.113.10 ttl 62 8/0 seq 1 len 28",
		"20ms port 2: 192.0.2.10 > 198.51.100.202 ttl 62 8/0 seq 1 len 28",
		"31ms port 2: 203.0.113.10 > 198.51.100.202 ttl 62 8/0 seq 1 len 28",
		"40ms port 2: 198.51.100.2 > 198.51.100.202 ttl 64 0/0 seq 1 len 28",
		"50ms port 2: 198.51.100.2 > 198.51.100.202 ttl 64 11/0 len 56",
	)
}

// TestUpdate changes the MTU while a packet is on its way.
func TestUpdate(t *testing.T) {
	b := newBench(t, Config{Delay: 10 * ms})
	b.in(0, 0, echo(false, 64, 1, 1000))
	if err := b.e.update(Config{Hops: []Hop{{MTU: 600}}}); err != nil {
		t.Fatal(err)
	}
	b.in(ms, 0, echo(false, 64, 2, 1000))
	b.want(
		"1ms port 0: 192.0.2.1 > 192.0.2.10 ttl 64 3/4 len 576",
		"10ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 1028",
	)
	if err := b.e.update(Config{Delay: -1}); err == nil {
		t.Error("took a negative delay")
	}
}

func TestChecks(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::1")
	hop := func(h Hop) Config { return Config{Hops: []Hop{h}} }
	for name, cfg := range map[string]Config{
		"delay":              {Delay: -1},
		"hop delay":          hop(Hop{Delay: -1}),
		"way delay":          {There: Way{Delay: -1}},
		"jitter":             {Back: Way{Jitter: -1}},
		"loss":               hop(Hop{Back: Way{Loss: 1.5}}),
		"MTU":                hop(Hop{MTU: 67}),
		"return MTU":         hop(Hop{ReturnMTU: -1}),
		"policer":            hop(Hop{Answers: Policer{Rate: -1}}),
		"address":            hop(Hop{Addr4: v6}),
		"NAT":                hop(Hop{NAT4: v6}),
		"extension":          hop(Hop{Quote: Quote{Ext: make([]byte, 6)}}),
		"rule without":       {There: Way{Rules: []Rule{{}}}},
		"chance":             onWay(When{Chance: 2}, Drop()),
		"every":              onWay(When{Every: -1}, Drop()),
		"nested":             hop(Hop{Or: []Hop{{Or: make([]Hop, 1)}}}),
		"alternative":        hop(Hop{Or: []Hop{{MTU: 1}}}),
		"too many":           {Hops: make([]Hop, 256)},
		"same address twice": {Hops: []Hop{{}, {Addr6: v6}, {Addr6: v6}}},
	} {
		if _, err := newEngine(cfg, testPorts(-1)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, ports := range map[string][]Port{
		"one":              testPorts(-1)[:1],
		"guest nowhere":    testPorts(1),
		"hardware address": {{}, {}},
	} {
		if _, err := newEngine(Config{}, ports); err == nil {
			t.Errorf("ports: %s: no error", name)
		}
	}
}

// TestPad grows a packet beyond what the device takes.
func TestPad(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := newBench(t, onWay(When{}, Pad(500)))
		b.in(0, 0, echo(v6, 64, 1, 1400))
		if p := whole(t, b.all()); len(p.Bytes) < 1900 || len(b.out) != 2 {
			t.Errorf("got %v", b.out)
		}
	}
	b := newBench(t, onWay(When{}, Pad(70000)))
	b.in(0, 0, echo(false, 64, 1, 1400)) // does not fit an IP packet: as it was
	b.want("0s port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 1428")
}
