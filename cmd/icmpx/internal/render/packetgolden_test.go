package render

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/conversation"
	"github.com/icmpx/icmpx/internal/extract"
	"github.com/icmpx/icmpx/internal/owner"
	"github.com/icmpx/icmpx/internal/packet"
)

// shown are the frames of captures that the golden file shows.
var shown = []struct {
	file   string
	frames []int
}{
	{"gen/v4_echo.pcap", []int{1, 2}},
	{"gen/v4_unreach.pcap", []int{1, 4, 32, 43}},
	{"gen/v4_quench_redirect.pcap", []int{1, 8}},
	{"gen/v4_timex_param.pcap", []int{1}},
	{"gen/v4_query.pcap", []int{1, 5, 8, 15, 17, 30}},
	{"gen/v4_xecho.pcap", []int{1, 8, 13}},
	{"gen/v4_ext_compliant.pcap", []int{4, 10, 28, 33}},
	{"gen/v4_ipopts.pcap", []int{1, 24}},
	{"gen/v4_malformed.pcap", []int{1, 6, 17, 20, 22, 37, 40, 48}},
	{"gen/v4_frag_outoforder.pcap", []int{1, 2, 3}},
	{"gen/v6_echo.pcap", []int{1}},
	{"gen/v6_errors.pcap", []int{1, 10}},
	{"gen/v6_ndp.pcap", []int{3, 6, 15}},
	{"gen/v6_mld.pcap", []int{6}},
	{"gen/v6_exthdr.pcap", []int{5, 12}},
	{"gen/lt_qinq_88a8.pcap", []int{1}},
	{"gen/fmt_pcapng_options.pcapng", []int{1}},
}

// eachFrame decodes a capture of the repository.
func eachFrame(t testing.TB, file string, yield func(*packet.Packet)) {
	t.Helper()
	f, err := os.Open(filepath.Join(vectorDir, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capfile.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var (
		frame packet.Frame
		p     packet.Packet
		d     packet.Decoder
	)
	for {
		if err := r.Next(&frame); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		d.Decode(&frame, &p)
		yield(&p)
	}
}

// captureLines renders every event of a capture.
func captureLines(t testing.TB) []byte {
	t.Helper()
	j := &PacketJSON{}
	b := j.AppendStart(nil, &CaptureStart{Command: "decode", Files: []string{"a.pcap", "\x1b[2J"}, Link: 1, Linked: true}, t0)
	b = j.AppendStart(b, &CaptureStart{Command: "listen", Iface: "any", Filter: "host 192.0.2.1"}, t0)
	for _, s := range shown {
		eachFrame(t, s.file, func(p *packet.Packet) {
			if slices.Contains(s.frames, p.Frame.Number) {
				b = j.AppendPacket(b, p, nil)
			}
		})
	}
	b = appendLive(t, b)
	b = appendSenders(b)
	for _, e := range pairEvents() {
		b = j.AppendPair(b, &e)
	}
	for _, f := range extractedFiles() {
		b = j.AppendExtract(b, &f)
	}
	b = j.AppendFinding(b, &oddity)
	r := fingerprintReport()
	b = j.AppendFingerprints(b, &r)
	for _, s := range captureSummaries() {
		b = j.AppendSummary(b, &s)
	}
	return b
}

// oddity is a finding with evidence of every type.
var oddity = Finding{
	Code: "tunnel_like", Severity: "warning", Text: "payloads look encrypted", Frames: []int{1, 2},
	Evidence: []Fact{
		{"payloads", 2}, {"two_way", true}, {"from", netip.MustParseAddr("192.0.2.1")}, {"name", "b\x1b[2J\xff"},
		{"interval", time.Second}, {"sizes", []int{56, 1400}}, {"hosts", []netip.Addr{netip.MustParseAddr("2001:db8::1")}},
		{"nothing", nil},
	},
}

// appendLive appends what only a live capture shows, with the bytes.
func appendLive(t testing.TB, b []byte) []byte {
	t.Helper()
	p := echoPacket(t, 4)
	f := p.Frame
	f.Iface, f.IfaceName, f.Direction = 3, "eth\x1b0", packet.Outgoing
	f.Comments = []string{"one", "two\n\u202e"}
	p.Checksum, p.VLANs = packet.Unfinished, []uint16{7}
	b = (&PacketJSON{Raw: true}).AppendPacket(b, p, []Finding{oddity})
	f.Direction, f.Time, f.Comments = packet.Incoming, time.Time{}, nil
	return (&PacketJSON{}).AppendPacket(b, p, nil)
}

// appendSenders appends which processes send, and which sockets there are.
func appendSenders(b []byte) []byte {
	ping := []owner.Process{{PID: 42, Command: "ping\x1b"}}
	b = AppendOwnerJSON(b, 1, &owner.Owner{State: owner.Found, Kind: owner.Ping, UID: 1000, Processes: ping})
	b = AppendOwnerJSON(b, 2, &owner.Owner{State: owner.Ended})
	return AppendSocketsJSON(b, &owner.Host{Hidden: 2, Rows: []owner.Row{
		{Socket: owner.Socket{Kind: owner.Ping, ID: 7, UID: 1000, Inode: 99, Namespace: 4026531840}, Processes: ping},
		{Socket: owner.Socket{Kind: owner.Raw, V6: true, Protocol: 58, Local: netip.MustParseAddr("2001:db8::1")}},
	}}, t0)
}

func pairEvents() []conversation.Event {
	a4, b4 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	a6, b6 := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	return []conversation.Event{
		{Kind: conversation.Reply, Query: conversation.Echo, Request: 1, Reply: 2, RTT: 43 * time.Microsecond, Src: a4, Dst: b4, From: b4, ID: 7, Seq: 1},
		{Kind: conversation.Reply, Query: conversation.ExtEcho, Request: 1, Reply: 9, RTT: -1, Src: a6, Dst: b6, From: b6, Ambiguous: true, Late: true},
		{Kind: conversation.Error, Query: conversation.Echo, Request: 3, Reply: 4, RTT: time.Millisecond, Src: a6, Dst: b6, From: a6, Type: 1, Code: 3},
		{Kind: conversation.Error, Reply: 5, RTT: -1, Src: a4, Dst: b4, From: router4, Type: 5, Notice: true},
		{Kind: conversation.Error, Reply: 6, RTT: -1, From: router4, Type: 11},
		{Kind: conversation.Duplicate, Query: conversation.Mask, Request: 1, Reply: 8, Earlier: 2, Src: a4, Dst: b4, From: b4},
		{Kind: conversation.Repeat, Query: conversation.Timestamp, Request: 9, Earlier: 1, RTT: -1, Src: a4, Dst: b4},
		{Kind: conversation.Copy, Query: conversation.Echo, Request: 10, Earlier: 9, RTT: -1, Src: a4, Dst: b4},
		{Kind: conversation.Unanswered, Query: conversation.Information, Request: 11, RTT: -1, Src: a4, Dst: b4, Tries: 2, Ended: true},
		{Kind: conversation.Unasked, Query: conversation.Echo, Reply: 12, RTT: -1, Src: a4, Dst: b4, From: b4, ID: 7, Seq: 65535},
	}
}

func extractedFiles() []extract.File {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	return []extract.File{
		{Path: "d/x", Src: a, Dst: b, ID: 512, Request: true, Parts: 1, Payloads: 9, Bytes: 16000, Type: "image/jpeg", FirstSeq: 1, LastSeq: 10,
			Gaps: []extract.Gap{{AfterSeq: 3, Missing: 1}}, Missing: 1, FirstFrame: 1, LastFrame: 20, Repeats: 1,
			Conflicts: []extract.Conflict{{Seq: 4, Frame: 9}}, Conflicted: 1, BadChecksums: 2, CutShort: 3, Dropped: 4},
		{Path: "d/y\x1b\xff", Src: b, Dst: a, ID: 512, Part: 1, Payloads: 1, Bytes: 1, Type: "application/octet-stream", LittleEndian: true},
	}
}

func captureSummaries() []CaptureSummary {
	rtt := conversation.RTT{N: 2, Min: 1, Avg: 2, Max: 3, Mdev: 1, P50: 2, P90: 3, P95: 3, P99: 3}
	pair := conversation.HostPair{
		Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.7"),
		Packets: 6, Bytes: 588, Requests: 3, Replies: 2, Unanswered: 1, RTT: rtt,
	}
	return []CaptureSummary{
		{Tally: CaptureTally{Frames: 7, ICMP: 6, Selected: 5, Damaged: 1}, OwnDrops: -1, Damage: []string{"a.pcap: cut short"}},
		{
			OwnDrops: 3, Hosts: true,
			Stats: &conversation.Stats{
				First: t0, Last: t0.Add(time.Second), Requests: 3, Replies: 2, Unanswered: 1, RTT: rtt, Folded: 1,
				ByType:  []conversation.TypeCount{{Family: icmpx.IPv4, Type: 8, Messages: 3, Bytes: 294}, {Family: icmpx.IPv6, Type: 200, Code: 9, Messages: 1}},
				ByHosts: []conversation.HostPair{pair}, Others: conversation.HostPair{Packets: 1},
			},
		},
	}
}

func TestPacketGolden(t *testing.T) { golden(t, "packet-json.golden", captureLines(t)) }

// TestPacketRaw makes sure that a packet can be made again from its line.
func TestPacketRaw(t *testing.T) {
	j := &PacketJSON{Raw: true}
	for _, file := range []string{"gen/v4_echo.pcap", "gen/v4_ext_compliant.pcap", "gen/v6_ndp.pcap", "gen/v6_exthdr.pcap"} {
		n := 0
		eachFrame(t, file, func(p *packet.Packet) {
			if len(p.Message) == 0 {
				return
			}
			line := packetLine(t, j, p)
			ip, _ := line["ip"].(map[string]any)["raw"].(string)
			m, _ := line["icmp"].(map[string]any)["raw"].(string)
			if ip != string(appendHex(nil, p.IP.Header)) || m != string(appendHex(nil, p.Message)) {
				t.Errorf("%s frame %d: %s %s", file, p.Frame.Number, ip, m)
			}
			n++
		})
		if n == 0 {
			t.Errorf("no message in %s", file)
		}
	}
}
