package render

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/conversation"
	"github.com/icmpx/icmpx/internal/extract"
)

func TestCaptureStats(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	a6, b6 := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("ff02::1")
	first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := conversation.Stats{
		Frames: 2013, Bytes: 196_274, First: first, Last: first.Add(10 * time.Second), Messages: 2012, Fragments: 1,
		ByType: []conversation.TypeCount{
			{Family: icmpx.IPv4, Type: 0, Messages: 998}, {Family: icmpx.IPv4, Type: 3, Code: 1, Messages: 4},
			{Family: icmpx.IPv4, Type: 8, Messages: 1005}, {Family: icmpx.IPv6, Type: 134, Messages: 4}, {Family: icmpx.IPv6, Type: 200, Code: 255, Messages: 1},
		},
		ByHosts: []conversation.HostPair{
			{Src: a, Dst: b, Packets: 2007, Bytes: 196_000, Requests: 1005, Replies: 998, Errors: 4, Unanswered: 3, RTT: conversation.RTT{N: 998, Avg: 1_234_567}},
			{Src: a6, Dst: b6, Packets: 5, Bytes: 200},
			{Src: b6, Dst: a6, Packets: 1, Bytes: 74},
		},
		Requests: 1005, Replies: 998, Errors: 4, Unanswered: 3, Late: 1, Duplicates: 2, AllErrors: 4,
		RTT: conversation.RTT{N: 998, Min: 1000, Avg: 1_234_567, Max: 2_000_000_000, Mdev: 5, P50: 1_000_000, P90: 2_000_000, P95: 3_000_000, P99: 4_000_000},
	}
	text := CaptureStatsText{Hosts: 2, Name: func(addr netip.Addr) string { return map[netip.Addr]string{b: "b\x1b.example"}[addr] }}
	want := `
--- ICMP statistics ---
2013 frames, 196274 bytes in 10.000 s: 201 frames/s, 157 kbit/s
   998  ICMP     0/0   Echo Reply
     4  ICMP     3/1   Destination Host Unreachable
  1005  ICMP     8/0   Echo Request
     4  ICMPv6 134/0   Router advertisement
     1  ICMPv6 200/255 Private experimentation, code 255
1005 requests: 998 answered, 4 ended by an error, 3 unanswered, 0.6965% loss
rtt min/avg/max/mdev = 0.001/1.235/2000.000/0.000 ms, p50/p90/p95/p99 = 1.000/2.000/3.000/4.000 ms
1 late reply, 2 duplicate replies, 4 error messages, 1 fragment of a message besides its last
hosts                       packets      bytes  requests   replies    errors     lost    avg ms
192.0.2.1 > b\027.example      2007     196000      1005       998         4        3     1.235
2001:db8::1 > ff02::1             5        200         0         0         0        0         -
and 1 more pair: 1 packet, 74 bytes
`
	compareText(t, string(text.AppendStats(nil, &s)), want)
	s.Folded, s.Others = 3, conversation.HostPair{Packets: 3, Bytes: 300}
	if got := string(text.AppendStats(nil, &s)); !strings.HasSuffix(got, "and many more hosts: 4 packets, 374 bytes\n") {
		t.Errorf("got %s", got)
	}
	compareText(t, string(new(CaptureStatsText).AppendStats(nil, &conversation.Stats{})), "\n--- ICMP statistics ---\n0 frames, 0 bytes\n")
}

// compareText compares texts line by line.
func compareText(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("line %d:\n%s\nwant\n%s", i+1, got, want)
		}
	}
}

func TestBitRate(t *testing.T) {
	for rate, want := range map[float64]string{0: "0.0 bit/s", 99.94: "99.9 bit/s", 99.96: "100 bit/s", 999.4: "999 bit/s", 999.6: "1.0 kbit/s", 12_345: "12.3 kbit/s", 5e6: "5.0 Mbit/s", 7e9: "7.0 Gbit/s", 7e13: "70000 Gbit/s"} {
		if got := string(appendBitRate(nil, rate)); got != want {
			t.Errorf("%v is %q, want %q", rate, got, want)
		}
	}
}

func TestPairing(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	udp := icmpx.Quote{Family: icmpx.IPv4, Src: a, Dst: b, Proto: 17, HasL4: true, SrcPort: 40000, DstPort: 33434}
	tests := []struct {
		event conversation.Event
		want  string
	}{
		{conversation.Event{Kind: conversation.Reply, Request: 1, RTT: 1_042_000}, "reply to frame 1 after 1.042 ms"},
		{conversation.Event{Kind: conversation.Reply, Request: 1, RTT: -1, Late: true, Ambiguous: true}, "reply to frame 1, late, or to an earlier try"},
		{conversation.Event{Kind: conversation.Duplicate, Request: 1, Earlier: 2}, "duplicate reply to frame 1, the same as frame 2"},
		{conversation.Event{Kind: conversation.Repeat, Request: 3, Earlier: 1}, "same request as frame 1"},
		{conversation.Event{Kind: conversation.Copy, Request: 3, Earlier: 1}, "same packet as frame 1"},
		{conversation.Event{Kind: conversation.Unasked, Reply: 1}, "reply that nobody asked for"},
		{conversation.Event{Kind: conversation.Unanswered, Query: conversation.Mask, Request: 3, Src: a, Dst: b, ID: 7, Seq: 9, Tries: 2, Ended: true},
			"frame 3, address mask request 192.0.2.1 > 198.51.100.2 id 7 seq 9: no answer to 2 tries before the capture ended"},
		{conversation.Event{Kind: conversation.Error, Request: 1, RTT: 2_000_000}, "about frame 1 after 2.000 ms"},
		{conversation.Event{Kind: conversation.Error}, "about nothing legible"},
		{conversation.Event{Kind: conversation.Error, Quote: udp}, "about UDP 192.0.2.1.40000 > 198.51.100.2.33434, which is not in the capture"},
		{conversation.Event{Kind: conversation.Error, Quote: icmpx.Quote{Family: icmpx.IPv4, Src: a, Dst: b, Proto: 1, HasL4: true, Type: 8}},
			"about Echo Request 192.0.2.1 > 198.51.100.2, which is not in the capture"},
		{conversation.Event{Kind: conversation.Error, Quote: icmpx.Quote{Family: icmpx.IPv4, Src: a, Dst: b, Proto: 47}},
			"about protocol 47 192.0.2.1 > 198.51.100.2, which is not in the capture"},
	}
	for _, tt := range tests {
		if got := string(AppendPairing(nil, &tt.event)); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestExtracted(t *testing.T) {
	f := extract.File{
		Path: "out\x1b/a_b_id7_request", Type: "image/jpeg", Bytes: 6144, Payloads: 3, SHA256: [32]byte{0xf8, 1},
		Gaps:    []extract.Gap{{AfterSeq: 4, Missing: 1}, {AfterSeq: 9, Missing: 2}, {AfterSeq: 20, Missing: 1}, {AfterSeq: 30, Missing: 1}, {AfterSeq: 40, Missing: 1}},
		Missing: 6, Repeats: 1, Conflicted: 1, Conflicts: []extract.Conflict{{Seq: 4, Frame: 12}}, BadChecksums: 2, CutShort: 1, Dropped: 3,
	}
	want := `out\x1b/a_b_id7_request: image/jpeg, 6144 bytes in 3 payloads, sha256 f801` + strings.Repeat("00", 30) + `
  6 sequence numbers missing: 1 after seq 4, 2 after seq 9, 1 after seq 20, 1 after seq 30, ...
  1 payload came again
  1 packet with another payload under the same sequence number, not used: frame 12
  2 packets with a wrong checksum, used all the same
  1 packet cut short in the capture
  3 payloads left out for want of room
`
	compareText(t, string(AppendExtracted(nil, &f)), want)
}
