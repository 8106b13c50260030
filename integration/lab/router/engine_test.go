package router

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

const ms = time.Millisecond

// The hosts and the router's addresses of the tests.
var (
	client4, client6 = netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8:1::10")
	server4, server6 = netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:2::10")
	gate4, gate6     = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8:1::1")
	guest4           = netip.MustParseAddr("198.51.100.202")
)

func testPorts(guestHop int) []Port {
	port := func(i byte, addrs []netip.Addr, networks ...string) Port {
		p := Port{MAC: net.HardwareAddr{2, 0, 0, 1, 0, i}, Peer: net.HardwareAddr{2, 0, 0, 0, 0, i}, Addrs: addrs}
		for _, n := range networks {
			p.Networks = append(p.Networks, netip.MustParsePrefix(n))
		}
		return p
	}
	ports := []Port{
		port(0, []netip.Addr{gate4, gate6}, "192.0.2.0/24", "2001:db8:1::/64"),
		port(1, []netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("2001:db8:2::1")}, "203.0.113.0/24", "2001:db8:2::/64"),
	}
	if guestHop >= 0 {
		g := port(2, []netip.Addr{netip.MustParseAddr("198.51.100.201")}, "198.51.100.200/29", "2001:db8:9::/64")
		g.Hop = guestHop
		ports = append(ports, g)
	}
	return ports
}

// A sent is what left the router, as a test wants to see it.
type sent struct {
	at   time.Duration
	port int
	ip   []byte
}

func (s sent) packet(t *testing.T) Packet {
	t.Helper()
	p := Packet{Bytes: s.ip}
	if err := p.parse(); err != nil {
		t.Fatalf("router sent % x: %v", s.ip, err)
	}
	if sum := transportSum(&p); !p.fragment() && sum != 0 {
		t.Errorf("router sent checksum off by %#x: % x", sum, s.ip)
	}
	return p
}

// transportSum is 0 if the packet's checksum is right.
func transportSum(p *Packet) uint16 {
	pseudo := uint32(0)
	if p.Proto != protoICMP {
		pseudo = icmpx.PseudoSum(p.Src, p.Dst, len(p.Bytes)-p.l4, p.Proto)
	}
	return icmpx.ChecksumFrom(pseudo, p.Bytes[p.l4:])
}

// String is short: time, port, source, destination, TTL and what it is.
func (s sent) String() string {
	p := Packet{Bytes: s.ip}
	if err := p.parse(); err != nil {
		return fmt.Sprintf("%v port %d: %v", s.at, s.port, err)
	}
	what := fmt.Sprintf("proto %d", p.Proto)
	switch {
	case p.FragOff != 0:
		what = fmt.Sprintf("fragment %d+%d", p.FragOff, len(p.Bytes)-p.l4)
	case p.icmp() && !p.isError():
		what = fmt.Sprintf("%d/%d seq %d len %d", p.Type, p.Code, p.ICMPSeq, len(p.Bytes))
	case p.icmp():
		what = fmt.Sprintf("%d/%d len %d", p.Type, p.Code, len(p.Bytes))
	case p.Proto == protoUDP:
		what = fmt.Sprintf("udp %d>%d", p.SrcPort, p.DstPort)
	}
	if p.MF {
		what += " MF"
	}
	return fmt.Sprintf("%v port %d: %v > %v ttl %d %s", s.at, s.port, p.Src, p.Dst, p.TTL, what)
}

// A bench runs an engine in a time of its own.
type bench struct {
	t     *testing.T
	e     *engine
	reply bool // the server answers echo requests at once
	out   []sent
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	e, err := newEngine(cfg, testPorts(0))
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, e: e}
}

// in has a packet arrive at a time, after all that is due before.
func (b *bench) in(at time.Duration, port int, ip []byte) {
	b.until(at)
	b.e.receive(at, port, frame(b.e.ports[port], ip))
}

func frame(p Port, ip []byte) []byte {
	kind := uint16(etherIPv4)
	if len(ip) > 0 && ip[0]>>4 == 6 {
		kind = etherIPv6
	}
	f := make([]byte, etherLen, etherLen+len(ip))
	putEther(f, p.MAC, p.Peer, kind)
	return append(f, ip...)
}

// until lets time pass.
func (b *bench) until(end time.Duration) {
	b.t.Helper()
	for at, ok := b.e.next(); ok && at <= end; at, ok = b.e.next() {
		for _, p := range b.e.due(at, nil) {
			s := sent{at, p.port, bytes.Clone(p.Bytes)}
			b.e.put(p)
			b.out = append(b.out, s)
			if q := s.packet(b.t); b.reply && s.port == 1 && EchoRequest(&q) {
				b.e.receive(at, 1, frame(b.e.ports[1], q.reply()))
			}
		}
	}
}

// all lets all time pass and returns what left by the ports.
func (b *bench) all() []sent {
	b.t.Helper()
	b.until(1 << 62)
	return b.out
}

// want compares what left with what should have.
func (b *bench) want(want ...string) []sent {
	b.t.Helper()
	got := b.all()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			b.t.Errorf("missing: %s", want[i])
		case i >= len(want):
			b.t.Errorf("besides: %v", got[i])
		case got[i].String() != want[i]:
			b.t.Errorf("%d: got %v\nwant %s", i, got[i], want[i])
		}
	}
	return got
}

// echo builds an echo request from the client to the server.
func echo(v6 bool, ttl uint8, seq, payload int) []byte {
	data := make([]byte, payload)
	icmpx.FillPayload(data, 0x1122334455667788, nil)
	if v6 {
		return packet6(client6, server6, ttl, &icmp.Message{
			Type: ipv6.ICMPTypeEchoRequest, Body: &icmp.Echo{ID: 7, Seq: seq, Data: data},
		})
	}
	return packet4(client4, server4, ttl, &icmp.Message{
		Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: seq, Data: data},
	})
}

func packet4(src, dst netip.Addr, ttl uint8, m *icmp.Message) []byte {
	msg := must(icmpx.Marshal(m, src, dst))
	h := icmpx.IPv4Header{TotalLen: 20 + len(msg), ID: 99, DF: true, TTL: ttl, Proto: protoICMP, Src: src, Dst: dst}
	return append(must(h.AppendBinary(nil)), msg...)
}

func packet6(src, dst netip.Addr, ttl uint8, m *icmp.Message) []byte {
	msg := must(icmpx.Marshal(m, src, dst))
	h := icmpx.IPv6Header{PayloadLen: len(msg), HopLimit: ttl, Proto: protoICMPv6, Src: src, Dst: dst}
	return append(must(h.AppendBinary(nil)), msg...)
}

// udp builds a datagram from the client to the server.
func udp(v6 bool, ttl uint8, port uint16, payload []byte) []byte {
	u := icmpx.UDPHeader{SrcPort: 40000, DstPort: port, Length: uint16(8 + len(payload))}
	msg := append(must(u.AppendBinary(nil)), payload...)
	if v6 {
		fixTransport(msg, protoUDP, client6, server6)
		h := icmpx.IPv6Header{PayloadLen: len(msg), HopLimit: ttl, Proto: protoUDP, Src: client6, Dst: server6}
		return append(must(h.AppendBinary(nil)), msg...)
	}
	binary.BigEndian.PutUint16(msg[6:], 1) // any but none
	fixTransport(msg, protoUDP, client4, server4)
	h := icmpx.IPv4Header{TotalLen: 20 + len(msg), ID: 98, TTL: ttl, Proto: protoUDP, Src: client4, Dst: server4}
	return append(must(h.AppendBinary(nil)), msg...)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestForward(t *testing.T) {
	b := newBench(t, Config{})
	b.reply = true
	b.in(0, 0, echo(false, 64, 1, 56))
	b.in(ms, 0, echo(true, 64, 1, 56))
	b.want(
		"0s port 1: 192.0.2.10 > 203.0.113.10 ttl 63 8/0 seq 1 len 84",
		"0s port 0: 203.0.113.10 > 192.0.2.10 ttl 63 0/0 seq 1 len 84",
		"1ms port 1: 2001:db8:1::10 > 2001:db8:2::10 ttl 63 128/0 seq 1 len 104",
		"1ms port 0: 2001:db8:2::10 > 2001:db8:1::10 ttl 63 129/0 seq 1 len 104",
	)
}

func TestDelays(t *testing.T) {
	b := newBench(t, Config{
		Hops:  []Hop{{Delay: 5 * ms}, {There: Way{Delay: 2 * ms}, Back: Way{Delay: 3 * ms}}},
		Delay: 10 * ms, Back: Way{Delay: ms},
	})
	b.reply = true
	b.in(ms, 0, echo(false, 64, 1, 8))
	b.in(ms, 0, echo(true, 1, 2, 8))
	b.in(ms, 0, echo(true, 2, 3, 8))
	b.want(
		"11ms port 0: 2001:db8:1::1 > 2001:db8:1::10 ttl 64 3/0 len 104",
		"16ms port 0: 2001:db8:ffff::2 > 2001:db8:1::10 ttl 63 3/0 len 104",
		"18ms port 1: 192.0.2.10 > 203.0.113.10 ttl 62 8/0 seq 1 len 36",
		"37ms port 0: 203.0.113.10 > 192.0.2.10 ttl 62 0/0 seq 1 len 36",
	)
}

// TestJitterKeepsOrder sees that no packet overtakes another, that errors of
// nearer hops are not held back by those of farther ones, and that the same
// seed makes the same times.
func TestJitterKeepsOrder(t *testing.T) {
	run := func(seed uint64) []sent {
		b := newBench(t, Config{Seed: seed, Hops: []Hop{{Delay: ms, Back: Way{Jitter: 20 * ms}}, {Delay: 500 * ms}}})
		for i := range 200 {
			b.in(time.Duration(i)*ms, 0, echo(false, uint8(1+i%2), i, 8))
		}
		return b.all()
	}
	a := run(1)
	if len(a) != 200 {
		t.Fatalf("got %d packets, want 200", len(a))
	}
	last := map[string]int{}
	for i, s := range a {
		p := s.packet(t)
		q, err := icmpx.ParseQuote(p.Bytes[p.l4+8:], p.Family)
		if err != nil {
			t.Fatal(err)
		}
		from := p.Src.String()
		if n, ok := last[from]; ok && int(q.ICMPSeq) <= n {
			t.Errorf("packet %d: %d of %s came after %d", i, q.ICMPSeq, from, n)
		}
		last[from] = int(q.ICMPSeq)
		if from == gate4.String() && s.at > time.Duration(q.ICMPSeq)*ms+2*ms+20*ms {
			t.Errorf("%v of %d: held back", s, q.ICMPSeq)
		}
	}
	same, other := true, true
	for i, s := range run(1) {
		same = same && s.at == a[i].at
	}
	for i, s := range run(2) {
		other = other && s.at == a[i].at
	}
	if !same || other {
		t.Errorf("same seed, same times: %v; another seed, same times: %v", same, other)
	}
}
