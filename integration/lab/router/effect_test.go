package router

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// onWay configures one rule for the link between the only hop and the server.
func onWay(w When, do Effect) Config {
	return Config{There: Way{Rules: []Rule{{w, do}}}}
}

func TestWhen(t *testing.T) {
	tests := []struct {
		name string
		when When
		gone []int // of the packets 1 to 10, one each millisecond, odd ones of 36 bytes, even ones of 136
	}{
		{"all", When{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"every", When{Every: 3}, []int{3, 6, 9}},
		{"first", When{First: 8}, []int{8, 9, 10}},
		{"last", When{Last: 2}, []int{1, 2}},
		{"window", When{First: 4, Last: 5}, []int{4, 5}},
		{"size", When{Size: 37}, []int{2, 4, 6, 8, 10}},
		{"every of a size", When{Size: 37, Every: 2}, []int{4, 8}},
		{"every after first", When{First: 4, Every: 3}, []int{6, 9}},
		{"match", When{Match: func(p *Packet) bool { return p.ICMPSeq > 8 }}, []int{9, 10}},
		{"over a rate", When{Over: Policer{Burst: 2, Rate: 500}}, []int{4, 6, 8, 10}},
		{"burst at least 1", When{Over: Policer{Rate: 250}}, []int{2, 3, 4, 6, 7, 8, 10}},
		{"never", When{Match: EchoReply}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, onWay(tt.when, Drop()))
			for i := 1; i <= 10; i++ {
				b.in(time.Duration(i)*ms, 0, echo(false, 64, i, 8+(i+1)%2*100))
			}
			var gone []int
			for i := 1; i <= 10; i++ {
				came := func(s sent) bool { return binary.BigEndian.Uint16(s.ip[26:]) == uint16(i) }
				if !slices.ContainsFunc(b.all(), came) {
					gone = append(gone, i)
				}
			}
			if !slices.Equal(gone, tt.gone) {
				t.Errorf("dropped %v, want %v", gone, tt.gone)
			}
		})
	}
}

// TestChance counts: with this seed the outcome is always the same, and near
// what the probability says.
func TestChance(t *testing.T) {
	for name, cfg := range map[string]Config{
		"rule": onWay(When{Chance: 0.3}, Drop()),
		"loss": {There: Way{Loss: 0.3}},
	} {
		cfg.Seed = 42
		run := func() []sent {
			b := newBench(t, cfg)
			for i := range 2000 {
				b.in(time.Duration(i)*ms, 0, echo(false, 64, i, 8))
			}
			return b.all()
		}
		a, again := run(), run()
		if n := len(a); n < 1320 || n > 1480 { // 1400 +- 4 sigma
			t.Errorf("%s: %d of 2000 came, want about 1400", name, n)
		}
		same := slices.EqualFunc(a, again, func(x, y sent) bool { return bytes.Equal(x.ip, y.ip) })
		if !same {
			t.Errorf("%s: another outcome with the same seed", name)
		}
	}
}

func TestDelayReorders(t *testing.T) {
	b := newBench(t, onWay(When{Every: 2}, Delay(15*ms)))
	for i := range 4 {
		b.in(time.Duration(i)*10*ms, 0, echo(false, 64, i, 8))
	}
	b.want(
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 0 len 36",
		"20ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 2 len 36",
		"25ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 36",
		"45ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 3 len 36",
	)
}

func TestDuplicate(t *testing.T) {
	b := newBench(t, Config{Delay: ms, There: Way{Rules: []Rule{
		{Do: Duplicate(2, 5*ms)},
		{When: When{Every: 3}, Do: Drop()}, // the second copy: copies meet the rules that follow
	}}})
	b.in(0, 0, echo(false, 64, 1, 8))
	b.in(100*ms, 0, echo(true, 64, 2, 8))
	b.want(
		"1ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 36",
		"6ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 36",
		"101ms port 1: 2001:db8:1::10 > 2001:db8:2::10 ttl 63 128/0 seq 2 len 56",
		"106ms port 1: 2001:db8:1::10 > 2001:db8:2::10 ttl 63 128/0 seq 2 len 56",
	)
}

// TestCorrupt damages requests and datagrams of both families, the small and
// those in fragments, and sees that nothing else changes and the checksums,
// which bench looks at, are right.
func TestCorrupt(t *testing.T) {
	reverse := func(b []byte) []byte { slices.Reverse(b); return b }
	tests := []struct {
		name string
		do   Effect
		want func([]byte) []byte
	}{
		{"flip", Flip(0, 13, 1<<20, -1), func(b []byte) []byte { b[0] ^= 1; b[1] ^= 0x20; return b }},
		{"truncate", Truncate(17), func(b []byte) []byte { return b[:17] }},
		{"truncate to nothing", Truncate(0), func(b []byte) []byte { return b[:0] }},
		{"truncate beyond", Truncate(1 << 20), func(b []byte) []byte { return b }},
		{"pad", Pad(5), func(b []byte) []byte { return append(b, 0, 0, 0, 0, 0) }},
		{"insert", Insert(3, 2), func(b []byte) []byte { return slices.Insert(b, 3, 0xee, 0xee) }},
		{"remove", Remove(3, 2), func(b []byte) []byte { return slices.Delete(b, 3, 5) }},
		{"zero", Zero(4, 9), func(b []byte) []byte { clear(b[4:9]); return b }},
		{"zero the rest", Zero(4, 1<<20), func(b []byte) []byte { clear(b[4:]); return b }},
		{"any", Corrupt(reverse), reverse},
	}
	for _, tt := range tests {
		for _, size := range []int{56, 4000} {
			for _, v6 := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/v6=%v", tt.name, size, v6), func(t *testing.T) {
					payload := make([]byte, size)
					icmpx.FillPayload(payload, 0x1122334455667788, nil)
					for _, ip := range [][]byte{echo(v6, 64, 1, size), udp(v6, 64, 33434, payload)} {
						b := newBench(t, onWay(When{}, tt.do))
						for _, part := range cut(t, ip, 1500) {
							b.in(0, 0, part)
						}
						got, _ := whole(t, b.all()).Payload()
						if want := tt.want(bytes.Clone(payload)); !bytes.Equal(got, want) {
							t.Errorf("got  % x\nwant % x", got, want)
						}
					}
				})
			}
		}
	}
}

// cut cuts a packet into fragments, by a router that has nothing else to do.
func cut(t *testing.T, ip []byte, mtu int) [][]byte {
	t.Helper()
	if len(ip) <= mtu {
		return [][]byte{ip}
	}
	e, err := newEngine(Config{}, testPorts(-1))
	if err != nil {
		t.Fatal(err)
	}
	p := e.get(ip)
	if err := p.parse(); err != nil {
		t.Fatal(err)
	}
	p.setPath(e.chain.nodes)
	if !e.split(p, mtu) {
		t.Fatalf("cannot cut % x", ip)
	}
	var parts [][]byte
	for _, p := range e.work {
		parts = append(parts, bytes.Clone(p.Bytes))
	}
	return parts
}

// whole puts together what left, which must be one packet.
func whole(t *testing.T, out []sent) *Packet {
	t.Helper()
	e, err := newEngine(Config{}, testPorts(-1))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range out {
		if len(s.ip) > 1500 {
			t.Errorf("%v: more than the MTU", s)
		}
		p := e.get(s.ip)
		if err := p.parse(); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		if p.fragment() {
			p = e.gather(nil, p)
		}
		if p != nil && i == len(out)-1 {
			if transportSum(p) != 0 {
				t.Errorf("%v: wrong checksum", s)
			}
			return p
		}
		if p != nil {
			t.Fatalf("%v: there is more behind", s)
		}
	}
	t.Fatalf("no whole packet in %v", out)
	return nil
}

func TestFlipRandom(t *testing.T) {
	for _, n := range []int{0, 1, 8, 64, 1000} {
		b := newBench(t, onWay(When{}, FlipRandom(n)))
		b.in(0, 0, echo(false, 64, 1, 8))
		got := b.all()[0].ip
		diff := 0
		for i, v := range echo(false, 64, 1, 8)[28:] {
			for x := v ^ got[28+i]; x != 0; x &= x - 1 {
				diff++
			}
		}
		if diff != min(n, 64) {
			t.Errorf("flipped %d bits, want %d", diff, n)
		}
	}
}

func TestBadChecksum(t *testing.T) {
	for _, ip := range [][]byte{echo(false, 64, 1, 8), echo(true, 64, 1, 8), udp(false, 64, 9, nil), udp(true, 64, 9, nil)} {
		e, err := newEngine(onWay(When{}, BadChecksum()), testPorts(-1))
		if err != nil {
			t.Fatal(err)
		}
		e.receive(0, 0, frame(e.ports[0], ip))
		out := e.due(0, nil)
		if len(out) != 1 || out[0].parse() != nil || transportSum(out[0]) == 0 {
			t.Errorf("got %v, want a wrong checksum", out)
		}
	}
}

func TestForge(t *testing.T) {
	const request, reply = "port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 36", "port 0: 203.0.113.10 > 192.0.2.10 ttl 63 0/0 seq 1 len"
	bad := []byte("wrong!")
	tests := []struct {
		name        string
		there, back Effect
		want        []string
		fake        []int // which of them are not true
	}{
		{"before the target sees it", Forge(bad, 1, 0, 0), nil,
			[]string{"0s " + reply + " 34", "10ms " + request, "20ms " + reply + " 36"}, []int{0}},
		{"20 ms ahead of the true one", nil, Forge(nil, 1, -20*ms, 0),
			[]string{"10ms " + request, "20ms " + reply + " 36", "40ms " + reply + " 36"}, []int{1}},
		{"after the true one", nil, Forge(bad, 2, ms, 2*ms),
			[]string{"10ms " + request, "20ms " + reply + " 36", "21ms " + reply + " 34", "23ms " + reply + " 34"}, []int{2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Config{Delay: 10 * ms}
			if tt.there != nil {
				cfg.There.Rules = []Rule{{Do: tt.there}}
			}
			if tt.back != nil {
				cfg.Back.Rules = []Rule{{Do: tt.back}}
			}
			b := newBench(t, cfg)
			b.reply = true
			b.in(0, 0, echo(false, 64, 1, 8))
			for i, s := range b.want(tt.want...) {
				p := s.packet(t)
				got, _ := p.Payload()
				if fake := !bytes.Equal(got, echo(false, 64, 1, 8)[28:]); fake != slices.Contains(tt.fake, i) {
					t.Errorf("%v has payload % x", s, got)
				}
				if p.ICMPID != 7 {
					t.Errorf("%v has identifier %d", s, p.ICMPID)
				}
			}
		})
	}
}

func TestReplay(t *testing.T) {
	b := newBench(t, Config{Back: Way{Rules: []Rule{{When{Match: EchoReply}, Replay(2, ms)}}}})
	b.reply = true
	for i := range 5 {
		b.in(time.Duration(i)*10*ms, 0, echo(true, 64, i, 8+i))
	}
	var got []string
	for _, s := range b.all() {
		if p := s.packet(t); s.port == 0 {
			payload, _ := p.Payload()
			got = append(got, fmt.Sprintf("%v seq %d len %d", s.at, p.ICMPSeq, len(payload)))
		}
	}
	want := []string{"0s seq 0 len 8", "10ms seq 1 len 9", "20ms seq 2 len 10", "21ms seq 2 len 8",
		"30ms seq 3 len 11", "31ms seq 3 len 9", "40ms seq 4 len 12", "41ms seq 4 len 10"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSendFrom(t *testing.T) {
	b := newBench(t, Config{Back: Way{Rules: []Rule{
		{Do: SendFrom(netip.MustParseAddr("203.0.113.66"))}, {Do: SendFrom(netip.MustParseAddr("2001:db8:2::66"))},
	}}})
	b.in(0, 1, reversed(echo(false, 64, 1, 8)))
	b.in(0, 1, reversed(echo(true, 64, 1, 8)))
	b.want(
		"0s port 0: 203.0.113.66 > 192.0.2.10 ttl 63 0/0 seq 1 len 36",
		"0s port 0: 2001:db8:2::66 > 2001:db8:1::10 ttl 63 129/0 seq 1 len 56",
	)
}

// reversed is the reply to an echo request.
func reversed(ip []byte) []byte {
	p := Packet{Bytes: ip}
	if err := p.parse(); err != nil {
		panic(err)
	}
	return p.reply()
}

func TestMark(t *testing.T) {
	tos := uint8(0x28)
	for _, v6 := range []bool{false, true} {
		b := newBench(t, Config{Hops: []Hop{{TOS: &tos}, {}}, There: Way{Rules: []Rule{{Do: Mark(0xb9)}}}})
		b.in(0, 0, echo(v6, 2, 1, 8))
		b.in(0, 0, echo(v6, 64, 1, 8))
		out := b.all()
		p, q := out[0].packet(t), out[1].packet(t)
		if quote, err := icmpx.ParseQuote(p.Bytes[p.l4+8:], p.Family); err != nil || quote.TOS != tos {
			t.Errorf("second hop quotes TOS %#x (%v), want %#x", quote.TOS, err, tos)
		}
		if q.TOS != 0xb9 {
			t.Errorf("got TOS %#x, want 0xb9", q.TOS)
		}
	}
}

// TestHook sees that an effect of a test's own may do to a packet what it
// likes.
func TestHook(t *testing.T) {
	hook := func(p *Packet) Verdict {
		switch p.ICMPSeq {
		case 1: // cut short of its header: gone
			p.Bytes = p.Bytes[:3]
		case 2: // in place, and made right again
			p.Bytes[p.l4+7] = 22
			p.Fix()
		case 3: // goes back to where it came from
			p.Answer(reversed(p.Bytes), 5*ms)
			return Gone
		case 4: // nonsense is not sent
			p.Send([]byte{0x45, 0}, 0)
			p.Send(nil, 0)
		}
		return Pass
	}
	b := newBench(t, onWay(When{}, hook))
	for i := 1; i <= 4; i++ {
		b.in(time.Duration(i)*10*ms, 0, echo(false, 64, i, 8))
	}
	b.want(
		"20ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 22 len 36",
		"35ms port 0: 203.0.113.10 > 192.0.2.10 ttl 63 0/0 seq 3 len 36",
		"40ms port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 4 len 36",
	)
}
