package conversation

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

func TestStats(t *testing.T) {
	w := newWorld(Options{})
	for seq := range uint16(4) {
		w.icmp(client, server, message(8, 0, 1, seq, "abc"))
		if seq < 3 {
			w.at += time.Duration(seq) * time.Millisecond
			w.icmp(server, client, message(0, 0, 1, seq, "abc"))
		}
	}
	w.icmp(router, client, append([]byte{3, 1, 0, 0, 0, 0, 0, 0}, ip4(client, server, 1, 0, message(8, 0, 1, 3, "abc"))...))
	w.icmp(client6, server6, message(135, 0, 0, 0, ""))
	w.icmp(client6, server6, message(128, 0, 1, 1, ""))
	s := w.Stats()
	if s.Messages != 10 || s.Frames != 10 || s.Requests != 5 || s.Replies != 3 || s.Errors != 1 || s.AllErrors != 1 || s.Waiting != 1 || s.LossPercent() != 25 {
		t.Errorf("got %+v", s)
	}
	if want := (RTT{3, time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond, 816497, 2 * time.Millisecond, 3 * time.Millisecond, 3 * time.Millisecond, 3 * time.Millisecond}); s.RTT != want {
		t.Errorf("got %+v\nwant %+v", s.RTT, want)
	}
	types := []TypeCount{{icmpx.IPv4, 0, 0, 3, 135}, {icmpx.IPv4, 3, 1, 1, 73}, {icmpx.IPv4, 8, 0, 4, 180}, {icmpx.IPv6, 128, 0, 1, 62}, {icmpx.IPv6, 135, 0, 1, 62}}
	if len(s.ByType) != len(types) {
		t.Fatalf("got %+v", s.ByType)
	}
	for i, want := range types {
		if s.ByType[i] != want {
			t.Errorf("got %+v, want %+v", s.ByType[i], want)
		}
	}
	if len(s.ByHosts) != 2 {
		t.Fatalf("got %+v", s.ByHosts)
	}
	if h := s.ByHosts[0]; h.Src != client || h.Dst != server || h.Packets != 8 || h.Requests != 4 || h.Replies != 3 || h.Errors != 1 || h.RTT.N != 3 {
		t.Errorf("got %+v", h)
	}
	if h := s.ByHosts[1]; h.Src != client6 || h.Packets != 2 || h.Requests != 1 {
		t.Errorf("got %+v", h)
	}
}

// TestFlood asks a million times with no answer: memory is bounded, and what was
// forgotten is said.
func TestFlood(t *testing.T) {
	const n = 1_000_000
	tr := New(Options{Requests: 1000, Hosts: 100})
	w := &world{Tracker: tr}
	m := message(8, 0, 0, 0, "")
	p := packetOf(client, server, m)
	for i := range uint32(n) {
		binary.BigEndian.PutUint32(m[4:], i)
		p.IP.Src = netip.AddrFrom4([4]byte{192, 0, 2, byte(i >> 12)})
		w.at = 0 // all at once
		w.add(p)
	}
	s := w.Stats()
	if s.Requests != n || s.Waiting != 1000 || s.Forgotten != n-1000 {
		t.Errorf("got %d requests, %d waiting, %d forgotten", s.Requests, s.Waiting, s.Forgotten)
	}
	if tr.requests.used > 1000 || len(s.ByHosts) != 100 {
		t.Errorf("%d entries, %d pairs of hosts", tr.requests.used, len(s.ByHosts))
	}
	var packets uint64
	for _, h := range append(s.ByHosts, s.Others) {
		packets += h.Packets
	}
	if packets != n {
		t.Errorf("the pairs of hosts have %d packets", packets)
	}
	w.balance(t)
}

// TestHeavyHosts checks that pairs that send more than their share stay, however
// many pass by.
func TestHeavyHosts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w := &world{Tracker: New(Options{Requests: 10, Hosts: 64})}
	heavy := 0
	for i := range 100_000 {
		src := netip.AddrFrom4([4]byte{10, byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())})
		if i%40 == 39 { // 2.5 % are more than 1 of 64
			src = client
			heavy++
		}
		w.icmp(src, server, []byte{9, 0, 0, 0})
	}
	s := w.Stats()
	if h := s.ByHosts[0]; h.Src != client || h.Packets < uint64(heavy)*9/10 {
		t.Errorf("got %+v, want %v with %d packets", h, client, heavy)
	}
	if s.Folded == 0 || s.Others.Packets == 0 {
		t.Errorf("nothing was folded: %+v", s.Others)
	}
}

// TestAnsweredFirst checks that a full table forgets what is decided before what
// waits.
func TestAnsweredFirst(t *testing.T) {
	w := newWorld(Options{Requests: 4})
	w.icmp(client, server, message(8, 0, 1, 1, ""))
	for seq := uint16(2); seq < 100; seq++ {
		w.icmp(client, server, message(8, 0, 1, seq, ""))
		w.icmp(server, client, message(0, 0, 1, seq, ""))
	}
	w.events = nil
	w.icmp(server, client, message(0, 0, 1, 1, ""))
	w.want(t, "reply 1>198 197ms")
}

// traffic is an endless exchange of echoes.
type traffic struct {
	w       *world
	ask     *packet.Packet
	reply   *packet.Packet
	counter uint32
}

func newTraffic(o Options) *traffic {
	return &traffic{
		w:   &world{Tracker: New(o)},
		ask: packetOf(client, server, message(8, 0, 1, 1, "0123456789")), reply: packetOf(server, client, message(0, 0, 1, 1, "0123456789")),
	}
}

func (tr *traffic) next() {
	tr.counter++
	binary.BigEndian.PutUint32(tr.ask.Message[4:], tr.counter)
	binary.BigEndian.PutUint32(tr.reply.Message[4:], tr.counter)
	tr.w.add(tr.ask)
	tr.w.add(tr.reply)
}

func TestAddAllocations(t *testing.T) {
	events := 0
	tr := newTraffic(Options{Requests: 1000, Sink: func(*Event) { events++ }})
	for range 2000 {
		tr.next()
	}
	if n := testing.AllocsPerRun(1000, tr.next); n != 0 {
		t.Errorf("a request and its reply allocate %v times", n)
	}
	if events < 3000 {
		t.Errorf("%d events", events)
	}
}

func BenchmarkAdd(b *testing.B) {
	tr := newTraffic(Options{})
	b.ReportAllocs()
	for range b.N / 2 {
		tr.next()
	}
}
