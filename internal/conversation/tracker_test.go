package conversation

import (
	"net/netip"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

func TestQueries(t *testing.T) {
	tests := []struct {
		src, dst   netip.Addr
		ask, reply uint8
		query      Query
	}{
		{client, server, 8, 0, Echo},
		{client, server, 13, 14, Timestamp},
		{client, server, 15, 16, Information},
		{client, server, 17, 18, Mask},
		{client, server, 42, 43, ExtEcho},
		{client6, server6, 128, 129, Echo},
		{client6, server6, 160, 161, ExtEcho},
	}
	for _, tt := range tests {
		var got Event
		tr := New(Options{Sink: func(e *Event) { got = *e }})
		w := &world{Tracker: tr}
		seq := uint16(7)
		if tt.query == ExtEcho {
			seq = 7<<8 | 1 // the low byte holds flags
		}
		w.icmp(tt.src, tt.dst, message(tt.ask, 0, 0x1234, seq, "abc"))
		if tt.query == ExtEcho {
			seq = 7<<8 | 4
		}
		w.icmp(tt.dst, tt.src, message(tt.reply, 0, 0x1234, seq, "abc"))
		want := Event{Kind: Reply, Query: tt.query, Request: 1, Reply: 2, RTT: time.Millisecond, Src: tt.src, Dst: tt.dst, From: tt.dst, ID: 0x1234, Seq: seq}
		if tt.query == ExtEcho {
			want.Seq = 7
		}
		if got.Kind != want.Kind || got.Query != want.Query || got.Request != 1 || got.Reply != 2 || got.RTT != want.RTT ||
			got.Src != want.Src || got.Dst != want.Dst || got.From != want.From || got.ID != want.ID || got.Seq != want.Seq {
			t.Errorf("%v: got %+v\nwant %+v", tt.query, got, want)
		}
	}
}

func TestPairs(t *testing.T) {
	ask := func(w *world, seq uint16) { w.icmp(client, server, message(8, 0, 1, seq, "abc")) }
	answer := func(w *world, seq uint16) { w.icmp(server, client, message(0, 0, 1, seq, "abc")) }
	elsewhere := func(w *world, src, dst netip.Addr, typ uint8, iface int) {
		p := packetOf(src, dst, message(typ, 0, 1, 1, "abc"))
		p.Frame.Iface = iface
		w.add(p)
	}
	refuse := func(w *world, typ uint8, quoted []byte) {
		w.icmp(router, client, append([]byte{typ, 1, 0, 0, 0, 0, 0, 0}, quoted...))
	}
	request := ip4(client, server, 1, 0, message(8, 0, 1, 1, "abc"))
	tests := []struct {
		name  string
		play  func(w *world)
		event []string
	}{
		{"reply", func(w *world) { ask(w, 1); answer(w, 1) }, []string{"reply 1>2 1ms"}},
		{"overtaking", func(w *world) { ask(w, 1); ask(w, 2); answer(w, 2); answer(w, 1) }, []string{"reply 2>3 1ms", "reply 1>4 3ms"}},
		{"duplicate", func(w *world) { ask(w, 1); answer(w, 1); answer(w, 1) }, []string{"reply 1>2 1ms", "duplicate 1>3 after 2"}},
		{"unasked", func(w *world) { answer(w, 1) }, []string{"unasked 0>1"}},
		{"other host", func(w *world) { ask(w, 1); w.icmp(router, client, message(0, 0, 1, 1, "abc")) }, []string{"unasked 0>2", "unanswered 1>0 ended"}},
		{"repeat", func(w *world) { ask(w, 1); ask(w, 1); answer(w, 1) }, []string{"repeat 2>0 after 1", "reply 2>3 1ms ambiguous", "unanswered 1>0 ended"}},
		{"two tries, two replies", func(w *world) { ask(w, 1); ask(w, 1); answer(w, 1); answer(w, 1); answer(w, 1) },
			[]string{"repeat 2>0 after 1", "reply 2>3 1ms ambiguous", "reply 2>4 2ms", "duplicate 2>5 after 4"}},
		{"repeat after reply", func(w *world) { ask(w, 1); answer(w, 1); ask(w, 1); answer(w, 1) },
			[]string{"reply 1>2 1ms", "repeat 3>0 after 1", "reply 3>4 1ms"}},
		{"numbers used anew", func(w *world) {
			ask(w, 1)
			w.icmp(client, server, message(8, 0, 1, 1, "other"))
			w.icmp(server, client, message(0, 0, 1, 1, "other"))
		}, []string{"unanswered 1>0", "reply 2>3 1ms"}},
		{"timeout", func(w *world) { ask(w, 1); w.at += 10 * time.Second; ask(w, 2); answer(w, 2) },
			[]string{"unanswered 1>0", "reply 2>3 1ms"}},
		{"late", func(w *world) { ask(w, 1); w.at += 10 * time.Second; ask(w, 2); answer(w, 1) },
			[]string{"unanswered 1>0", "reply 1>3 10.002s late", "unanswered 2>0 ended"}},
		{"forgotten", func(w *world) { ask(w, 1); w.at += time.Minute; ask(w, 2); w.at += time.Minute; answer(w, 1) },
			[]string{"unanswered 1>0", "unanswered 2>0", "unasked 0>3"}},
		{"seen twice", func(w *world) {
			elsewhere(w, client, server, 8, 1)
			elsewhere(w, client, server, 8, 2)
			elsewhere(w, server, client, 0, 2)
			elsewhere(w, server, client, 0, 1)
		}, []string{"copy 2>0 after 1", "reply 2>3 1ms", "copy 1>4 after 3"}},
		{"error", func(w *world) { ask(w, 1); refuse(w, 3, request) }, []string{"error 1>2 1ms type 3"}},
		{"short quote", func(w *world) { ask(w, 1); refuse(w, 11, request[:28]) }, []string{"error 1>2 1ms type 11"}},
		{"too short a quote", func(w *world) { ask(w, 1); refuse(w, 11, request[:27]) }, []string{"error 0>2 type 11", "unanswered 1>0 ended"}},
		{"no quote", func(w *world) { ask(w, 1); refuse(w, 11, nil) }, []string{"error 0>2 type 11", "unanswered 1>0 ended"}},
		{"error of something else", func(w *world) { ask(w, 2); refuse(w, 3, request) }, []string{"error 0>2 type 3", "unanswered 1>0 ended"}},
		{"error about a reply", func(w *world) {
			ask(w, 1)
			refuse(w, 3, ip4(server, client, 1, 0, message(0, 0, 1, 1, "abc")))
		}, []string{"error 0>2 type 3", "unanswered 1>0 ended"}},
		{"redirect", func(w *world) { ask(w, 1); refuse(w, 5, request); answer(w, 1) }, []string{"error 1>2 1ms type 5 notice", "reply 1>3 2ms"}},
		{"reply after error", func(w *world) { ask(w, 1); refuse(w, 3, request); answer(w, 1) }, []string{"error 1>2 1ms type 3", "reply 1>3 2ms"}},
		{"error twice", func(w *world) { ask(w, 1); refuse(w, 3, request); refuse(w, 3, request) }, []string{"error 1>2 1ms type 3", "error 1>3 2ms type 3"}},
		{"broadcast", func(w *world) {
			all := netip.MustParseAddr("192.0.2.255")
			w.icmp(client, all, message(8, 0, 1, 1, ""))
			w.icmp(server, client, message(0, 0, 1, 1, ""))
			w.icmp(router, client, message(0, 0, 1, 1, ""))
		}, []string{"reply 1>2 1ms", "reply 1>3 2ms"}},
		{"multicast, no reply", func(w *world) { w.icmp(client6, netip.MustParseAddr("ff02::1"), message(128, 0, 1, 1, "")) },
			[]string{"unanswered 1>0 ended"}},
		{"fragments", func(w *world) {
			m := message(8, 0, 1, 1, "abcdefgh")
			w.fragment(client, server, m[:8], 0)
			w.fragment(client, server, m, 8, 1, 2)
			r := message(0, 0, 1, 1, "abcdefgh")
			w.fragment(server, client, nil, 8)
			w.fragment(server, client, r, 0, 4, 3)
		}, []string{"reply 2>4 2ms"}},
		{"fragments, the last are missing", func(w *world) {
			w.fragment(client, server, message(8, 0, 1, 1, ""), 0)
			w.fragment(server, client, message(0, 0, 1, 1, ""), 0)
		}, []string{"reply 1>2 1ms"}},
		{"request again, in fragments", func(w *world) {
			m := message(8, 0, 1, 1, "abcdefgh")
			w.fragment(client, server, m[:8], 0)
			w.fragment(client, server, m, 8, 1, 2)
			w.fragment(client, server, m[:8], 0)
			w.fragment(client, server, m, 8, 3, 4)
		}, []string{"repeat 4>0 after 2", "unanswered 4>0 tries 2 ended"}},
		{"too short", func(w *world) { w.icmp(client, server, []byte{8, 0, 0}); w.icmp(client, server, []byte{8}) }, nil},
		{"time goes back", func(w *world) { ask(w, 1); w.at -= time.Hour; answer(w, 1) }, []string{"reply 1>2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(Options{})
			tt.play(w)
			w.balance(t)
			w.Finish()
			w.want(t, tt.event...)
			if s := w.Stats(); s.Waiting != 0 {
				t.Errorf("%d requests wait for ever", s.Waiting)
			}
		})
	}
}

// TestProbes pairs errors with packets that are no ICMP.
func TestProbes(t *testing.T) {
	udp := []byte{0x9c, 0x40, 0x82, 0x9a, 0, 12, 0, 0, 'a', 'b', 'c', 'd'}
	tcp := []byte{0x13, 0x88, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0}
	probe := func(w *world, src, dst netip.Addr, proto uint8, id uint32, l4 []byte) {
		p := packetOf(src, dst, nil)
		p.IP.Protocol, p.IP.ID, p.IP.Payload = proto, id, l4
		w.add(p)
	}
	w := newWorld(Options{})
	probe(w, client, server, 17, 9, udp)
	probe(w, client, server, 17, 10, udp) // the same flow, another packet
	probe(w, client, server, 6, 11, tcp)
	probe(w, client6, server6, 17, 0, udp)
	probe(w, client, server, 17, 12, udp[:7])
	w.icmp(router, client, append(make([]byte, 0, 64), append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, ip4(client, server, 17, 9, udp)...)...))
	w.icmp(server, client, append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, ip4(client, server, 17, 10, udp)...))
	w.icmp(router, client, append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, ip4(client, server, 6, 0, tcp)...))
	w.icmp(server6, client6, append([]byte{1, 4, 0, 0, 0, 0, 0, 0}, ip6(client6, server6, 17, udp)...))
	w.icmp(router, client, append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, ip4(client, server, 17, 99, udp)...))
	w.Finish()
	w.want(t,
		"error 1>6 5ms type 11", "error 2>7 5ms type 3", "error 3>8 5ms type 11", "error 4>9 5ms type 1", "error 0>10 type 11")
}

// TestErrorNames checks that an error on its own says what it quotes.
func TestErrorNames(t *testing.T) {
	var got Event
	w := &world{Tracker: New(Options{Sink: func(e *Event) { got = *e }})}
	udp := []byte{0x9c, 0x40, 0x82, 0x9a, 0, 8, 0, 0}
	w.icmp(router, client, append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, ip4(client, server, 17, 9, udp)...))
	if got.Src != client || got.Dst != server || got.From != router || got.Quote.Proto != 17 || got.Quote.DstPort != 33434 || got.Quote.ID != 9 {
		t.Errorf("got %+v", got)
	}
}

func TestNoTimes(t *testing.T) {
	w := newWorld(Options{})
	for i, m := range [][]byte{message(8, 0, 1, 1, ""), message(0, 0, 1, 1, "")} {
		p := packetOf(client, server, m)
		if i == 1 {
			p = packetOf(server, client, m)
		}
		p.Frame.Number = i + 1
		w.Add(p)
	}
	w.Finish()
	w.want(t, "reply 1>2")
	if s := w.Stats(); s.RTT.N != 0 || !s.First.IsZero() || s.Duration() != 0 || s.Replies != 1 {
		t.Errorf("got %+v", s)
	}
}

// TestNothing adds frames that hold nothing of use.
func TestNothing(t *testing.T) {
	w := newWorld(Options{})
	w.add(&packet.Packet{Frame: &packet.Frame{}})
	w.add(&packet.Packet{Frame: &packet.Frame{Len: -1}, Message: []byte{}})
	w.add(&packet.Packet{Frame: &packet.Frame{}, Type: 8, Message: message(8, 0, 0, 0, "")})
	w.Finish()
	w.want(t, "unanswered 3>0 ended")
}
