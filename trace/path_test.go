package trace

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

var (
	target = netip.MustParseAddr("203.0.113.9")
	alias  = netip.MustParseAddr("203.0.113.10")
	router = netip.MustParseAddr("198.51.100.1")
)

// routers turns letters into addresses; a * is silence.
func routers(way string) []netip.Addr {
	var list []netip.Addr
	for _, c := range way {
		a := netip.Addr{}
		if c != '*' {
			a = netip.AddrFrom4([4]byte{198, 51, 100, byte(c)})
		}
		list = append(list, a)
	}
	return list
}

func TestCycle(t *testing.T) {
	tests := []struct {
		way           string
		start, period int
	}{
		{"", 0, 0},
		{"ABCDEFGH", 0, 0},
		{"ABCDCD", 2, 2},
		{"ABCDCDC", 2, 2},
		{"ABABCD", 0, 0}, // it resolved itself
		{"ABCDEFDEF", 3, 3},
		{"ABCD*DCDCD", 2, 2},
		{"AB*CDCD", 3, 2},
		{"AAAA", 0, 0}, // one address: a translator
		{"ABBBBBBB", 0, 0},
		{"AB**B", 0, 0}, // too little to tell
		{"A*****", 0, 0},
		{"ABCABC", 0, 3},
		{"AB**", 0, 0},
		{"ABAB**", 0, 2},
		{"CDC", 0, 0}, // not twice round
		{strings.Repeat("ABCDEFGHIJKLMNOP", 2), 0, 16},
		{strings.Repeat("ABCDEFGHIJKLMNOPQ", 3), 0, 0}, // longer than is looked for
	}
	for _, tt := range tests {
		if start, period := cycle(routers(tt.way)); start != tt.start || period != tt.period {
			t.Errorf("cycle(%s) = %d, %d, want %d, %d", tt.way, start, period, tt.start, tt.period)
		}
	}
}

func TestMeans(t *testing.T) {
	unreachable := func(code uint8, from netip.Addr) Probe {
		return Probe{Kind: icmpx.KindUnreachable, Code: code, From: from}
	}
	tests := []struct {
		name   string
		method Method
		answer Probe
		want   meaning
	}{
		{"echo reply", ICMP, Probe{Kind: icmpx.KindEchoReply, From: target}, reached},
		{"udp answer", UDP, Probe{Kind: icmpx.KindUDPAnswer, From: target}, reached},
		{"syn-ack", TCP, Probe{Kind: icmpx.KindTCPOpen, From: target}, reached},
		{"rst", TCP, Probe{Kind: icmpx.KindTCPClosed, From: target}, reached},
		{"time exceeded", UDP, Probe{Kind: icmpx.KindTimeExceeded, From: router}, passing},
		{"time exceeded in the target's name", UDP, Probe{Kind: icmpx.KindTimeExceeded, From: target}, passing},
		{"port", UDP, unreachable(3, target), reached},
		{"protocol", UDP, unreachable(2, target), reached},
		{"port, from an alias", UDP, unreachable(3, alias), reached},
		{"port, from a router", UDP, unreachable(3, router), refused},
		{"port, to an echo", ICMP, unreachable(3, alias), refused},
		{"port, to an echo, from the target", ICMP, unreachable(3, target), reached},
		{"host, from the target", UDP, unreachable(1, target), refused},
		{"prohibited, from the target", UDP, unreachable(10, target), refused},
		{"too big", UDP, Probe{Kind: icmpx.KindTooBig, From: router}, refused},
		{"parameter problem", UDP, Probe{Kind: icmpx.KindParamProblem, Code: 1, From: target}, refused},
		{"local", UDP, Probe{Kind: icmpx.KindLocal, From: router}, refused},
		{"unknown", UDP, Probe{From: router}, refused},
	}
	for _, tt := range tests {
		o := Options{Method: tt.method, FirstTTL: 1, MaxTTL: 9}
		p := newPath(&o, target, time.Time{})
		p.routers[router] = true
		if got := p.means(&tt.answer); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	o := Options{FirstTTL: 1, MaxTTL: 9}
	p := newPath(&o, netip.MustParseAddr("2001:db8::9"), time.Time{})
	for _, a := range []Probe{{Kind: icmpx.KindUnreachable, Code: 4, From: p.dst}, {Kind: icmpx.KindParamProblem, Code: 1, From: p.dst}} {
		if p.means(&a) != reached {
			t.Errorf("%v/%d does not reach an IPv6 host", a.Kind, a.Code)
		}
	}
	if p.means(&Probe{Kind: icmpx.KindUnreachable, Code: 3, From: p.dst}) != refused {
		t.Error("address unreachable reaches an IPv6 host")
	}
}

func TestWait(t *testing.T) {
	const ms = time.Millisecond
	o := Options{FirstTTL: 1, MaxTTL: 40, Wait: Wait{Max: 2 * time.Second, Here: 3, Near: 1.5}}
	p := newPath(&o, target, time.Time{})
	hear := func(ttl int, rtt time.Duration, k icmpx.Kind) {
		a := Probe{State: Answered, Kind: k, From: router, RTT: rtt, TTL: ttl}
		p.hops[ttl].slots = []slot{{Probe: a}}
		p.note(ttl, &a)
	}
	want := func(ttl int, d time.Duration) {
		t.Helper()
		if got := p.wait(ttl); got != d {
			t.Errorf("wait(%d) = %v, want %v", ttl, got, d)
		}
	}
	want(1, time.Second) // nothing is known
	hear(4, 8*ms, icmpx.KindTimeExceeded)
	want(1, 50*ms)  // between this host and hop 4, at least 50 ms
	want(5, 250*ms) // dark, at least 250 ms
	hear(2, 400*ms, icmpx.KindTimeExceeded)
	want(1, 600*ms)
	want(3, 600*ms)
	want(5, 1200*ms)
	want(4, 1200*ms) // its own answers are no side behind
	hear(9, 100*ms, icmpx.KindEchoReply)
	want(7, 150*ms)
	want(9, 150*ms) // the end is its own
	hear(6, 1900*ms, icmpx.KindTimeExceeded)
	want(7, 2*time.Second) // never longer than the longest
	want(30, 2*time.Second)
	o.Wait = Wait{Max: 3 * time.Second, Here: -1, Near: -1}
	want(1, 3*time.Second)
	want(30, 3*time.Second)
	o.Wait = Wait{Max: 20 * ms, Here: 3, Near: 1.5}
	want(1, 20*ms)
	want(30, 20*ms)
}

func TestChanges(t *testing.T) {
	own := netip.MustParseAddr("192.0.2.7")
	sent := icmpx.Request{Dst: target, Size: 60, Key: icmpx.Key{Flow: 4001<<16 | 33434, Tag: 77}}
	quote := icmpx.Quote{Family: icmpx.IPv4, Src: own, Dst: target, Proto: 17, TTL: 1, TotalLen: 60, HasL4: true, SrcPort: 4001, DstPort: 33434, Checksum: 77}
	tests := []struct {
		name   string
		change func(*icmpx.Quote)
		want   Change
	}{
		{"nothing", func(*icmpx.Quote) {}, 0},
		{"not shown", func(q *icmpx.Quote) { *q = icmpx.Quote{} }, 0},
		{"source", func(q *icmpx.Quote) { q.Src = alias }, ChangedSource},
		{"destination", func(q *icmpx.Quote) { q.Dst = alias }, ChangedDestination},
		{"ports", func(q *icmpx.Quote) { q.SrcPort, q.DstPort = 1, 2 }, ChangedSourcePort | ChangedDestinationPort},
		{"ports not quoted", func(q *icmpx.Quote) { q.SrcPort, q.HasL4 = 0, false }, 0},
		{"checksum", func(q *icmpx.Quote) { q.Checksum++ }, ChangedChecksum},
		{"tos", func(q *icmpx.Quote) { q.TOS = 0x20 }, ChangedTOS},
		{"length", func(q *icmpx.Quote) { q.TotalLen = 48 }, ChangedLength},
		{"length without header", func(q *icmpx.Quote) { q.TotalLen = 40 }, 0},
		{"length with two", func(q *icmpx.Quote) { q.TotalLen = 80 }, 0},
		{"length swapped", func(q *icmpx.Quote) { q.TotalLen = 60 << 8 }, 0},
		{"length of a fragment", func(q *icmpx.Quote) { q.TotalLen, q.MF = 1500, true }, 0},
		{"length not said", func(q *icmpx.Quote) { q.TotalLen = 0 }, 0},
	}
	for _, tt := range tests {
		r := icmpx.Reply{To: own, Quote: quote}
		tt.change(&r.Quote)
		if got := changes(UDP, nil, &sent, &r); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := (ChangedSource | ChangedTOS | ChangedLength).String(); got != "source,tos,length" {
		t.Errorf("String = %q", got)
	}
	if got := Change(0xffff).String(); strings.Count(got, ",") != len(changeNames)-1 {
		t.Errorf("String = %q", got)
	}
}

// The key of each method lies elsewhere.
func TestTransportChanges(t *testing.T) {
	tests := []struct {
		method Method
		key    icmpx.Key
		same   icmpx.Quote
	}{
		{UDP, icmpx.Key{Flow: 5<<16 | 6, Tag: 7}, icmpx.Quote{SrcPort: 5, DstPort: 6, Checksum: 7}},
		{UDPFixed, icmpx.Key{Flow: 5<<16 | 53, Tag: 7}, icmpx.Quote{SrcPort: 5, DstPort: 53, Checksum: 7}},
		{UDPClassic, icmpx.Key{Flow: 5, Tag: 33434}, icmpx.Quote{SrcPort: 5, DstPort: 33434, Checksum: 9}},
		{TCP, icmpx.Key{Flow: 5<<16 | 80, Tag: 1 << 30}, icmpx.Quote{SrcPort: 5, DstPort: 80, Seq: 1 << 30}},
		{ICMP, icmpx.Key{Flow: 5, Tag: 65536}, icmpx.Quote{ICMPID: 5, ICMPSeq: 0}},
	}
	for _, tt := range tests {
		if c := transportChanges(tt.method, tt.key, &tt.same); c != 0 {
			t.Errorf("%v: %v changed", tt.method, c)
		}
		tt.same.SrcPort++
		tt.same.ICMPID++
		if c := transportChanges(tt.method, tt.key, &tt.same); c != ChangedSourcePort {
			t.Errorf("%v: %v changed, want the source port", tt.method, c)
		}
	}
}

func TestWayBack(t *testing.T) {
	for _, tt := range []struct {
		ttl   uint8
		there int
		want  int
	}{
		{0, 5, 0}, {64, 1, 1}, {255, 1, 1}, {251, 5, 5}, {60, 5, 5}, {250, 3, 6}, {120, 9, 9},
		{56, 200, 200}, {56, 8, 9}, {56, 70, 73}, {1, 64, 64}, {64, 0, 1},
	} {
		if got := wayBack(tt.ttl, tt.there); got != tt.want {
			t.Errorf("wayBack(%d, %d) = %d, want %d", tt.ttl, tt.there, got, tt.want)
		}
	}
}
