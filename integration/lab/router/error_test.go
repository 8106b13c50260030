package router

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/icmpx/icmpx/icmpx"
)

// message parses the ICMP message of a packet, strictly.
func message(t *testing.T, s sent) *icmp.Message {
	t.Helper()
	p := s.packet(t)
	m, err := icmpx.Parse(p.Family, p.Bytes[p.l4:], p.Src, p.Dst)
	if err != nil {
		t.Fatalf("%v: % x: %v", s, p.Bytes[p.l4:], err)
	}
	return m
}

// TestErrors has a hop send every kind of error, and sees that it is what it
// should be, byte for byte as icmpx has it.
func TestErrors(t *testing.T) {
	gateway := netip.MustParseAddr("192.0.2.7")
	tests := []struct {
		name string
		cfg  Config
		ip   []byte
		want string
		body any
	}{
		{"time exceeded", Config{}, echo(false, 1, 1, 8), "192.0.2.1 11/0", &icmpx.TimeExceeded{Data: echo(false, 1, 1, 8)}},
		{"time exceeded, IPv6", Config{}, echo(true, 1, 1, 8), "2001:db8:1::1 3/0", &icmpx.TimeExceeded{Data: echo(true, 1, 1, 8)}},
		{"arrived with TTL 0", Config{}, echo(false, 0, 1, 8), "192.0.2.1 11/0", &icmpx.TimeExceeded{Data: echo(false, 0, 1, 8)}},
		{"second hop", Config{Hops: make([]Hop, 2)}, echo(false, 2, 1, 8), "198.51.100.2 11/0", &icmpx.TimeExceeded{Data: echo(false, 1, 1, 8)}},
		{"hop without TTL", Config{Hops: []Hop{{NoTTL: true}, {}}}, echo(false, 1, 1, 8), "198.51.100.2 11/0", &icmpx.TimeExceeded{Data: echo(false, 1, 1, 8)}},
		{"zero-TTL forwarding", Config{Hops: []Hop{{ZeroTTL: true}, {}}}, echo(false, 1, 1, 8), "198.51.100.2 11/0", &icmpx.TimeExceeded{Data: echo(false, 0, 1, 8)}},
		{"own address", Config{Hops: []Hop{{Addr4: netip.MustParseAddr("198.51.100.99")}}}, echo(false, 1, 1, 8), "198.51.100.99 11/0", &icmpx.TimeExceeded{Data: echo(false, 1, 1, 8)}},
		{"fragmentation needed", Config{Hops: []Hop{{MTU: 100}}}, echo(false, 64, 1, 73), "192.0.2.1 3/4", &icmpx.FragNeeded{MTU: 100, Data: echo(false, 64, 1, 73)}},
		{"no next-hop MTU", Config{Hops: []Hop{{MTU: 100, Claim: -1}}}, echo(false, 64, 1, 73), "192.0.2.1 3/4", &icmpx.FragNeeded{Data: echo(false, 64, 1, 73)}},
		{"absurd next-hop MTU", Config{Hops: []Hop{{MTU: 100, Claim: 9000}}}, echo(false, 64, 1, 73), "192.0.2.1 3/4", &icmpx.FragNeeded{MTU: 9000, Data: echo(false, 64, 1, 73)}},
		{"packet too big", Config{Hops: []Hop{{MTU: 1280}}}, echo(true, 64, 1, 1280), "2001:db8:1::1 2/0", &icmp.PacketTooBig{MTU: 1280, Data: echo(true, 64, 1, 1280)[:1232]}},
		{"too big by rule", onWay(When{}, TooBig(70000)), echo(true, 64, 1, 8), "2001:db8:1::1 2/0", &icmp.PacketTooBig{MTU: 70000, Data: echo(true, 63, 1, 8)}},
		{"reject", Config{Hops: []Hop{{Reject4: Error{3, 13}}}}, echo(false, 64, 1, 8), "192.0.2.1 3/13", &icmpx.Unreachable{Data: echo(false, 64, 1, 8)}},
		{"reject, IPv6", Config{Hops: []Hop{{Reject6: Error{1, 1}}}}, echo(true, 64, 1, 8), "2001:db8:1::1 1/1", &icmpx.Unreachable{Data: echo(true, 64, 1, 8)}},
		{"refuse", Config{Hops: []Hop{{Rules: []Rule{{Do: Refuse(Error{3, 14}, Error{})}}}}}, echo(false, 64, 1, 8), "192.0.2.1 3/14", &icmpx.Unreachable{Data: echo(false, 64, 1, 8)}},
		{"problem", onWay(When{}, Problem(22)), echo(false, 64, 1, 8), "192.0.2.1 12/0", &icmpx.ParamProblem{Pointer: 22, Data: echo(false, 63, 1, 8)}},
		{"no route", Config{}, packet4(client4, netip.MustParseAddr("192.88.99.1"), 64, ping()), "192.0.2.1 3/0", nil},
		{"port unreachable", Config{Hops: make([]Hop, 2)}, udpTo(t, netip.MustParseAddr("198.51.100.2")), "198.51.100.2 3/3", nil},
		{"quench", Config{Hops: []Hop{{Rules: []Rule{{Do: SourceQuench()}}}}}, echo(false, 64, 1, 8), "192.0.2.1 4/0", &icmpx.SourceQuench{Data: echo(false, 64, 1, 8)}},
		{"redirect", Config{Hops: []Hop{{Rules: []Rule{{Do: Redirect(gateway, 1)}}}}}, echo(false, 64, 1, 8), "192.0.2.1 5/1", &icmpx.Redirect{Gateway: gateway, Data: echo(false, 64, 1, 8)}},
		{"long packet", Config{}, echo(false, 1, 1, 1400), "192.0.2.1 11/0", &icmpx.TimeExceeded{Data: echo(false, 1, 1, 1400)[:548]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.cfg)
			b.in(0, 0, tt.ip)
			var errs []sent
			for _, s := range b.all() {
				if s.port == 0 {
					errs = append(errs, s)
				}
			}
			if len(errs) != 1 {
				t.Fatalf("got %v, want one error", b.out)
			}
			p := errs[0].packet(t)
			if got := fmt.Sprintf("%v %d/%d", p.Src, p.Type, p.Code); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			m := message(t, errs[0])
			if tt.body == nil {
				return
			}
			want, err := icmpx.Marshal(&icmp.Message{Type: m.Type, Code: m.Code, Body: tt.body.(icmp.MessageBody)}, p.Src, p.Dst)
			if err != nil || !bytes.Equal(p.Bytes[p.l4:], want) {
				t.Errorf("got  % x\nwant % x (%v)", p.Bytes[p.l4:], want, err)
			}
		})
	}
}

func ping() *icmp.Message {
	return &icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: 1}}
}

func udpTo(t *testing.T, dst netip.Addr) []byte {
	t.Helper()
	p := Packet{Bytes: udp(false, 64, 33434, []byte("x"))}
	if err := p.parse(); err != nil {
		t.Fatal(err)
	}
	p.rewrite(p.targetAt(), dst)
	return p.Bytes
}

// TestSilence sends what nobody may answer, or nobody does.
func TestSilence(t *testing.T) {
	tooBig := packet4(client4, server4, 1, &icmp.Message{
		Type: ipv4.ICMPTypeDestinationUnreachable, Code: 4, Body: &icmpx.FragNeeded{MTU: 1400, Data: echo(false, 1, 1, 8)},
	})
	later := echo(false, 1, 1, 8)
	binary.BigEndian.PutUint16(later[6:], 3)
	fixHeader(later)
	badSum := echo(false, 1, 1, 8)
	badSum[10] ^= 1
	short := echo(true, 1, 1, 8)[:50]
	tests := []struct {
		name string
		cfg  Config
		ip   []byte
	}{
		{"error", Config{}, tooBig},
		{"later fragment", Config{}, later},
		{"from nobody", Config{}, packet4(netip.MustParseAddr("0.0.0.0"), server4, 1, ping())},
		{"from a multicast", Config{}, packet4(netip.MustParseAddr("224.0.0.1"), server4, 1, ping())},
		{"from class E", Config{}, packet4(netip.MustParseAddr("255.255.255.255"), server4, 1, ping())},
		{"to a multicast", Config{}, packet4(client4, netip.MustParseAddr("224.0.0.1"), 1, ping())},
		{"to a broadcast", Config{}, packet4(client4, netip.MustParseAddr("255.255.255.255"), 1, ping())},
		{"wrong header checksum", Config{}, badSum},
		{"cut short", Config{}, short},
		{"silent hop", Config{Hops: []Hop{{Silent: true}}}, echo(false, 1, 1, 8)},
		{"silent hop itself", Config{Hops: []Hop{{Silent: true}}}, packet4(client4, gate4, 64, ping())},
		{"black hole", Config{Hops: []Hop{{Drop: true}}}, echo(false, 64, 1, 8)},
		{"black hole by size", Config{Hops: []Hop{{MTU: 100, NoTooBig: true}}}, echo(false, 64, 1, 73)},
		{"refused by the other family alone", onWay(When{}, Refuse(Error{3, 13}, Error{})), echo(true, 64, 1, 8)},
		{"policer of what is forwarded", Config{Hops: []Hop{{Forward: Policer{Burst: 1}, Rules: []Rule{
			{When{Match: There}, Duplicate(1, 0)}, {When{Last: 1}, Drop()}, {When{Last: 1}, Drop()},
		}}}}, echo(false, 64, 1, 8)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.cfg)
			b.in(0, 0, tt.ip)
			b.want()
		})
	}
}

// TestAnswersPolicer has a hop that answers as a Linux router does: a burst,
// then at a rate.
func TestAnswersPolicer(t *testing.T) {
	b := newBench(t, Config{Hops: []Hop{{Answers: Policer{Burst: 6, Rate: 1}}}})
	var want []string
	for i := range 40 {
		at := time.Duration(i) * 100 * ms
		b.in(at, 0, echo(false, 1, i, 8))
		if i < 6 || i%10 == 0 && i > 0 {
			want = append(want, fmt.Sprintf("%v port 0: 192.0.2.1 > 192.0.2.10 ttl 64 11/0 len 64", at))
		}
	}
	b.want(want...)
}

func TestQuotes(t *testing.T) {
	ext, err := Extension(&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: 19380, S: true, TTL: 1}}})
	if want := unhex("2000993a 00080101 04bb4101"); err != nil || !bytes.Equal(ext, want) {
		t.Fatalf("got extension % x (%v), want % x", ext, err, want)
	}
	long, long6 := echo(false, 1, 1, 1000), echo(true, 1, 1, 1400)
	pad := func(b []byte) []byte { return append(b, make([]byte, 128-len(b))...) }
	edited := func(ip []byte, f func([]byte)) []byte { b := bytes.Clone(ip); f(b); return b }
	tests := []struct {
		name  string
		quote Quote
		ip    []byte
		want  []byte // behind the ICMP header
		attr  byte   // length attribute
	}{
		{"28 bytes", Quote{Len: 28}, long, long[:28], 0},
		{"128 bytes", Quote{Len: 128}, long, long[:128], 0},
		{"more than usual", Quote{Len: 700}, long, long[:700], 0},
		{"more than there is", Quote{Len: 2000}, echo(false, 1, 1, 8), echo(false, 1, 1, 8), 0},
		{"IPv6", Quote{Len: 48}, long6, long6[:48], 0},
		{"IPv6 as usual", Quote{}, long6, long6[:1232], 0},
		{"TTL", Quote{Len: 28, TTL: 5}, long, edited(long[:28], func(b []byte) { b[8] = 5; fixHeader(b) }), 0},
		{"stale checksum", Quote{Len: 28, TTL: 5, Stale: true}, long, edited(long[:28], func(b []byte) { b[8] = 5 }), 0},
		{"hop limit", Quote{Len: 48, TTL: 5}, long6, edited(long6[:48], func(b []byte) { b[7] = 5 }), 0},
		{"swapped length", Quote{Len: 28, SwapLen: true}, long, edited(long[:28], func(b []byte) { b[2], b[3] = b[3], b[2]; fixHeader(b) }), 0},
		{"no checksums", Quote{Len: 28, ZeroSum: true}, long, edited(long[:28], func(b []byte) { b[10], b[11], b[22], b[23] = 0, 0, 0, 0 }), 0},
		{"edit", Quote{Len: 28, Edit: func(b []byte) { clear(b[20:]) }}, long, append(bytes.Clone(long[:20]), make([]byte, 8)...), 0},
		{"extension", Quote{Ext: ext}, long, append(bytes.Clone(long[:536]), ext...), 134},
		{"extension behind a short quote", Quote{Len: 28, Ext: ext}, long, append(pad(bytes.Clone(long[:28])), ext...), 32},
		{"legacy extension", Quote{Ext: ext, LegacyExt: true}, long, append(bytes.Clone(long[:128]), ext...), 0},
		{"extension, IPv6", Quote{Ext: ext}, long6, append(bytes.Clone(long6[:1216]), ext...), 152},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, Config{Hops: []Hop{{Quote: tt.quote}}})
			b.in(0, 0, tt.ip)
			p := b.all()[0].packet(t)
			if got := p.Bytes[p.l4+8:]; !bytes.Equal(got, tt.want) {
				t.Errorf("got  %d % x\nwant %d % x", len(got), got, len(tt.want), tt.want)
			}
			attr := p.Bytes[p.l4+byFamily(p.Family, 5, 4)]
			if attr != tt.attr {
				t.Errorf("length attribute %d, want %d", attr, tt.attr)
			}
			if len(tt.quote.Ext) > 0 && !tt.quote.LegacyExt {
				if m := message(t, b.out[0]); len(m.Body.(*icmpx.TimeExceeded).Extensions) != 1 {
					t.Errorf("got %+v, want an extension", m.Body)
				}
			}
		})
	}
}

// TestLongestQuote quotes all of a packet that fills an IP packet by itself.
func TestLongestQuote(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		cfg := onWay(When{}, Refuse(Error{3, 1}, Error{1, 0}))
		cfg.Hops = []Hop{{Quote: Quote{Len: 1 << 20, Ext: unhex("2000993a 00080101 04bb4101")}}}
		b := newBench(t, cfg)
		for _, part := range cut(t, echo(v6, 64, 1, 65507), 1500) {
			b.in(0, 0, part)
		}
		// It is cut for the extension, and leaves in fragments.
		p := whole(t, b.all())
		if q, err := icmpx.ParseQuote(p.Bytes[p.l4+8:], p.Family); err != nil || q.ICMPSeq != 1 || p.Dst != client4 && p.Dst != client6 {
			t.Errorf("got %+v (%v)", q, err)
		}
	}
}

// TestErrorTOS wants what Linux does: the precedence of internetwork control.
func TestErrorTOS(t *testing.T) {
	ip := echo(false, 1, 1, 8)
	ip[1] = 0xb8
	fixHeader(ip)
	b := newBench(t, Config{Hops: []Hop{{ReplyTTL: 255}}})
	b.in(0, 0, ip)
	if p := b.all()[0].packet(t); p.TOS != 0xd8 || p.TTL != 255 || p.DF || p.ID == 0 {
		t.Errorf("got TOS %#x TTL %d DF %v ID %d, want 0xd8, 255, clear and not 0", p.TOS, p.TTL, p.DF, p.ID)
	}
}
