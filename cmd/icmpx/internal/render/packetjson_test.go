package render

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// echoPacket returns a decoded echo request of n data bytes.
func echoPacket(t testing.TB, n int) *packet.Packet {
	t.Helper()
	src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	h := icmpx.IPv4Header{TotalLen: 28 + n, ID: 4660, DF: true, TTL: 64, Proto: 1, Src: src, Dst: dst}
	header, err := h.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := make([]byte, 8+n)
	for i := range n {
		m[8+i] = byte(i)
	}
	icmpx.PutEcho(m, 8, 0, 0x1234, 7)
	binary.BigEndian.PutUint16(m[2:], icmpx.Checksum(m))
	data := append(append(make([]byte, 14), header...), m...)
	return &packet.Packet{
		Frame: &packet.Frame{Number: 1, Time: t0, Len: len(data), Data: data, Link: packet.LinkEthernet},
		Depth: 1,
		IP: packet.IP{
			Family: icmpx.IPv4, Src: src, Dst: dst, Header: header, Length: h.TotalLen, TTL: 64, ID: 4660, DF: true,
			Protocol: 1, Checksum: packet.Good,
		},
		ICMP: icmpx.IPv4, Message: m, MessageLen: len(m), Type: 8, Checksum: packet.Good,
	}
}

// packetLine renders p and reads the line back.
func packetLine(t testing.TB, j *PacketJSON, p *packet.Packet) map[string]any {
	t.Helper()
	b := j.AppendPacket(nil, p, nil)
	if strings.Count(string(b), "\n") != 1 || b[len(b)-1] != '\n' {
		t.Fatalf("not one line: %q", b)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

// TestPacketEchoAllocates holds the common case to no allocation.
func TestPacketEchoAllocates(t *testing.T) {
	p := echoPacket(t, 56)
	b := make([]byte, 0, 4096)
	var j PacketJSON
	if n := testing.AllocsPerRun(100, func() { b = j.AppendPacket(b[:0], p, nil) }); n != 0 {
		t.Errorf("%v allocations for an echo", n)
	}
}

// TestClock holds the clock that remembers against the one that does not.
func TestClock(t *testing.T) {
	var c clock
	for _, at := range []time.Time{
		t0, t0.Add(1), t0.Add(time.Second), t0, {}, time.Unix(0, 0), time.Unix(0, 999999999), time.Unix(-1, 5),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), {},
	} {
		got, want := begin(nil), begin(nil)
		c.append(&got, "t", at)
		want.time("t", at)
		if g, w := string(got.end()), string(want.end()); g != w {
			t.Errorf("%v: got %s, want %s", at, g, w)
		}
	}
}

func BenchmarkPacketJSON(b *testing.B) {
	p := echoPacket(b, 56)
	buf := make([]byte, 0, 4096)
	var j PacketJSON
	b.ReportAllocs()
	for b.Loop() {
		buf = j.AppendPacket(buf[:0], p, nil)
	}
	b.SetBytes(int64(len(buf)))
}

// FuzzPacketJSON renders whatever a decoder makes of a frame: each is one valid
// object on one line, which no terminal obeys.
func FuzzPacketJSON(f *testing.F) {
	for _, file := range []string{
		"gen/v4_echo.pcap", "gen/v4_ext_compliant.pcap", "gen/v4_xecho.pcap", "gen/v4_query.pcap", "gen/v4_malformed.pcap",
		"gen/v4_truncquote.pcap", "gen/v6_ndp.pcap", "gen/v6_errors.pcap", "gen/v6_exthdr.pcap", "gen/v6_other.pcap",
	} {
		eachFrame(f, file, func(p *packet.Packet) {
			f.Add(uint16(p.Frame.Link), uint8(p.Frame.Number), p.Frame.Data)
		})
	}
	f.Fuzz(func(t *testing.T, link uint16, bits uint8, data []byte) {
		frame := packet.Frame{
			Number: 1, Time: t0, Len: len(data) + int(bits>>6), Data: data, Link: packet.LinkType(link), Iface: int(bits & 3),
			IfaceName: string(data[:min(len(data), 20)]), Comments: []string{string(data)},
			Direction: packet.Direction(bits >> 2 & 3), Unfinished: bits&16 != 0,
		}
		var (
			d packet.Decoder
			p packet.Packet
		)
		d.Decode(&frame, &p)
		b := (&PacketJSON{Raw: bits&32 != 0}).AppendPacket(nil, &p, nil)
		if !json.Valid(b) || strings.Count(string(b), "\n") != 1 || b[len(b)-1] != '\n' {
			t.Fatalf("not one line of JSON: %q", b)
		}
		if strings.ContainsFunc(strings.TrimSuffix(string(b), "\n"), unsafeRune) {
			t.Fatalf("unsafe: %q", b)
		}
		if len(b) > 64*len(data)+4096 {
			t.Fatalf("%d bytes of JSON from %d", len(b), len(data))
		}
	})
}
