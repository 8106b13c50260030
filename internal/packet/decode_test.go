package packet_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

var (
	src4, dst4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	src6, dst6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:f::2")
)

// echo returns an echo request of n payload bytes with a right checksum.
func echo(f icmpx.Family, seq uint16, n int) []byte {
	m := make([]byte, 8+n)
	icmpx.FillPayload(m[8:], uint64(seq)*0x0101, nil)
	typ, sum := uint8(8), uint32(0)
	if f == icmpx.IPv6 {
		typ, sum = 128, icmpx.PseudoSum(src6, dst6, len(m), 58)
	}
	m[0] = typ
	binary.BigEndian.PutUint16(m[4:], 0x1234)
	binary.BigEndian.PutUint16(m[6:], seq)
	binary.BigEndian.PutUint16(m[2:], icmpx.ChecksumFrom(sum, m))
	return m
}

// ip4 puts an IPv4 header before a payload.
func ip4(h icmpx.IPv4Header, payload []byte) []byte {
	h.Src, h.Dst, h.TTL = src4, dst4, 64
	if h.TotalLen == 0 {
		h.TotalLen = h.Len() + len(payload)
	}
	b, err := h.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return append(b, payload...)
}

// ip6 puts an IPv6 header before a payload.
func ip6(next uint8, payload []byte) []byte {
	b := []byte{0x60, 0, 0, 0, byte(len(payload) >> 8), byte(len(payload)), next, 64}
	b = append(append(b, src6.AsSlice()...), dst6.AsSlice()...)
	return append(b, payload...)
}

// fragment6 puts a fragment header before a part of a datagram.
func fragment6(next uint8, id uint32, off int, more bool, part []byte) []byte {
	v := uint16(off)
	if more {
		v |= 1
	}
	b := []byte{next, 0, byte(v >> 8), byte(v)}
	return ip6(44, append(binary.BigEndian.AppendUint32(b, id), part...))
}

func bytesOf(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// addresses are those of an Ethernet header.
const addresses = "02000000000a 02000000000b "

func ping4() []byte { return ip4(icmpx.IPv4Header{Proto: 1}, echo(icmpx.IPv4, 1, 16)) }
func ping6() []byte { return ip6(58, echo(icmpx.IPv6, 1, 16)) }

// TestLinks reads an echo request of each family behind every kind of header.
func TestLinks(t *testing.T) {
	tests := []struct {
		name  string
		link  packet.LinkType
		head  string // before IPv4
		head6 string // before IPv6; "": as before IPv4
		vlans int
		depth int
	}{
		{"ethernet", packet.LinkEthernet, addresses + "0800", addresses + "86dd", 0, 1},
		{"vlan", packet.LinkEthernet, addresses + "8100 0005 0800", addresses + "8100 0005 86dd", 1, 1},
		{"three tags", packet.LinkEthernet, addresses + "88a8 0005 9100 0006 8100 0007 0800", addresses + "88a8 0005 9100 0006 8100 0007 86dd", 3, 1},
		{"mpls", packet.LinkEthernet, addresses + "8847 00010040 00011140", "", 0, 1},
		{"mpls pseudowire", packet.LinkEthernet, addresses + "8847 00011140 00000000" + addresses + "0800", addresses + "8847 00011140 00000000" + addresses + "86dd", 0, 1},
		{"ppp", packet.LinkPPP, "ff03 0021", "ff03 0057", 0, 1},
		{"ppp compressed", packet.LinkPPP, "21", "57", 0, 1},
		{"null", packet.LinkNull, "02000000", "1e000000", 0, 1},
		{"null of the other order", packet.LinkNull, "00000002", "0000001c", 0, 1},
		{"loop", packet.LinkLoop, "00000002", "00000018", 0, 1},
		{"raw", packet.LinkRaw, "", "", 0, 1},
		{"raw, old", packet.LinkRawOld, "", "", 0, 1},
		{"slip", packet.LinkSLIP, "00000000000000000000000000000000", "", 0, 1},
		{"frame relay", packet.LinkFrame, "1841 03cc", "1841 038e", 0, 1},
		{"frame relay, cisco", packet.LinkFrame, "1841 0800", "1841 86dd", 0, 1},
		{"cooked", packet.LinkCooked, "0000 0001 0006 02000000000a0000 0800", "0000 0001 0006 02000000000a0000 86dd", 0, 1},
		{"cooked 2", packet.LinkCookedV2, "0800 0000 00000002 0001 04 06 02000000000a0000", "86dd 0000 00000002 0001 04 06 02000000000a0000", 0, 1},
		{"cooked, tagged", packet.LinkCooked, "0000 0001 0006 02000000000a0000 8100 0005 0800", "0000 0001 0006 02000000000a0000 8100 0005 86dd", 1, 1},
		{"broadcom", packet.LinkBrcm, addresses + "21000004 0800", addresses + "21000004 86dd", 0, 1},
		{"broadcom in front", packet.LinkBrcmLead, "21000004" + addresses + "0800", "21000004" + addresses + "86dd", 0, 1},
		{"dsa", packet.LinkDSA, addresses + "c0010000 0800", addresses + "c0010000 86dd", 0, 1},
		{"edsa", packet.LinkEDSA, addresses + "dada0000 c0010000 0800", addresses + "dada0000 c0010000 86dd", 0, 1},
		{"macsec", packet.LinkEthernet, addresses + "88e5 2000 00000001 02000000000a0001 0800", addresses + "88e5 0000 00000001 86dd", 0, 1},
		{"vxlan", packet.LinkRaw, udp(4789) + "0800000000000100" + addresses + "0800", udp(4789) + "0800000000000100" + addresses + "86dd", 0, 2},
		{"vxlan, old port", packet.LinkRaw, udp(8472) + "0800000000000100" + addresses + "0800", udp(8472) + "0800000000000100" + addresses + "86dd", 0, 2},
		{"geneve with an option", packet.LinkRaw, udp(6081) + "0100655800000100 01020300" + addresses + "0800", udp(6081) + "0100655800000100 01020300" + addresses + "86dd", 0, 2},
		{"gtp", packet.LinkRaw, udp(2152) + "30ff000000000001", "", 0, 2},
		{"gtp with an extension", packet.LinkRaw, udp(2152) + "34ff000000000001 00000085 01100900", "", 0, 2},
		{"gre", packet.LinkRaw, proto(47) + "0000 0800", proto(47) + "0000 86dd", 0, 2},
		{"gre with all fields", packet.LinkRaw, proto(47) + "b000 0800 00000000 00000001 00000002", proto(47) + "b000 86dd 00000000 00000001 00000002", 0, 2},
		{"erspan 1", packet.LinkRaw, proto(47) + "0000 88be" + addresses + "0800", proto(47) + "0000 88be" + addresses + "86dd", 0, 2},
		{"erspan 2", packet.LinkRaw, proto(47) + "1000 88be 00000001 1000000000000000" + addresses + "0800", proto(47) + "1000 88be 00000001 1000000000000000" + addresses + "86dd", 0, 2},
		{"ip in ip", packet.LinkRaw, proto(4), proto(41), 0, 2},
		{"ah", packet.LinkRaw, proto(51) + "0404000000000001 00000001 000000000000000000000000", proto(51) + "2904000000000001 00000001 000000000000000000000000", 0, 2},
		{"etherip", packet.LinkRaw, proto(97) + "3000" + addresses + "0800", proto(97) + "3000" + addresses + "86dd", 0, 2},
		{"pim register", packet.LinkRaw, proto(103) + "21000000 00000000", "", 0, 2},
	}
	for _, tt := range tests {
		if tt.head6 == "" {
			tt.head6 = tt.head
		}
		for f, data := range map[icmpx.Family][]byte{
			icmpx.IPv4: append(bytesOf(tt.head), ping4()...), icmpx.IPv6: append(bytesOf(tt.head6), ping6()...),
		} {
			p := decodeOne(data, tt.link)
			_, seq, payload, request, ok := p.Echo()
			if !ok || !request || seq != 1 || len(payload) != 16 || p.ICMP != f || p.Checksum != packet.Good {
				t.Errorf("%s, %v: type %d of %d bytes, checksum %v, problems %v", tt.name, f, p.Type, len(p.Message), p.Checksum, p.Problems)
			}
			if len(p.VLANs) != tt.vlans || p.Depth != tt.depth || len(p.Problems) != 0 {
				t.Errorf("%s, %v: VLANs %v, depth %d, problems %v", tt.name, f, p.VLANs, p.Depth, p.Problems)
			}
		}
	}
}

// proto returns an outer IPv4 header whose length is taken from the frame, in
// hex.
func proto(p uint8) string {
	h := icmpx.IPv4Header{Proto: p, TotalLen: 65535}
	b := ip4(h, nil)
	binary.BigEndian.PutUint16(b[2:], 0)
	return hex.EncodeToString(b)
}

// udp returns such a header with UDP to a port behind it.
func udp(port uint16) string {
	b := binary.BigEndian.AppendUint16([]byte{0xc0, 0}, port)
	return proto(17) + hex.EncodeToString(append(b, 0, 0, 0, 0))
}

func decodeOne(data []byte, link packet.LinkType) *packet.Packet {
	var d packet.Decoder
	var p packet.Packet
	d.Decode(&packet.Frame{Number: 1, Len: len(data), Data: data, Link: link}, &p)
	// An outer header of length 0 is how the tests make tunnels.
	if len(p.Problems) > 0 && p.Problems[0].Code == packet.ProblemLength && p.Depth > 1 {
		p.Problems = p.Problems[1:]
	}
	return &p
}

// TestProblems gives each problem a frame.
func TestProblems(t *testing.T) {
	short := ping4()
	tests := []struct {
		name  string
		link  packet.LinkType
		data  []byte
		lost  int // bytes of the frame that were not captured
		code  string
		icmp  icmpx.Family
		check packet.Status
	}{
		{"unknown link", 147, ping4(), 0, packet.ProblemLink, 0, 0},
		{"nothing", packet.LinkRaw, nil, 0, packet.ProblemTruncated, 0, 0},
		{"snapped", packet.LinkRaw, short[:36], 8, packet.ProblemTruncated, icmpx.IPv4, packet.Unverified},
		{"total length too large", packet.LinkRaw, short[:36], 0, packet.ProblemLength, icmpx.IPv4, packet.Unverified},
		{"header length", packet.LinkRaw, append([]byte{0x44}, short[1:]...), 0, packet.ProblemHeaderLength, 0, 0},
		{"options cut", packet.LinkRaw, append([]byte{0x4f}, short[1:]...), 0, packet.ProblemTruncated, 0, 0},
		{"version", packet.LinkIPv6, short, 0, packet.ProblemVersion, 0, 0},
		{"the other version", packet.LinkIPv4, ping6(), 0, packet.ProblemVersion, icmpx.IPv6, packet.Good},
		{"header checksum", packet.LinkRaw, change(short, 8), 0, packet.ProblemHeaderChecksum, icmpx.IPv4, packet.Good},
		{"family", packet.LinkRaw, ip6(1, echo(icmpx.IPv4, 1, 8)), 0, packet.ProblemFamily, icmpx.IPv4, packet.Good},
		{"the other family", packet.LinkRaw, ip4(icmpx.IPv4Header{Proto: 58}, echo(icmpx.IPv6, 1, 8)), 0, packet.ProblemFamily, icmpx.IPv6, packet.Unverified},
		{"empty", packet.LinkRaw, ip6(58, nil), 0, packet.ProblemEmpty, icmpx.IPv6, packet.Absent},
		{"extension header", packet.LinkRaw, ip6(0, []byte{58, 4, 0, 0, 0, 0, 0, 0}), 0, packet.ProblemExtension, 0, 0},
		{"tags", packet.LinkEthernet, bytesOf(addresses + strings.Repeat("8100 0001 ", 9) + "0800"), 0, packet.ProblemNesting, 0, 0},
		{"labels", packet.LinkEthernet, bytesOf(addresses + "8847" + strings.Repeat("00010040", 20)), 0, packet.ProblemNesting, 0, 0},
		{"headers", packet.LinkRaw, matryoshka(40), 0, packet.ProblemNesting, 0, 0},
	}
	for _, tt := range tests {
		var d packet.Decoder
		var p packet.Packet
		d.Decode(&packet.Frame{Number: 1, Len: len(tt.data) + tt.lost, Data: tt.data, Link: tt.link}, &p)
		found := false
		for _, problem := range p.Problems {
			found = found || problem.Code == tt.code
		}
		if !found || p.ICMP != tt.icmp || tt.icmp != 0 && p.Checksum != tt.check {
			t.Errorf("%s: problems %v, ICMP %d, checksum %v; want %s", tt.name, p.Problems, p.ICMP, p.Checksum, tt.code)
		}
	}
}

// change returns a copy of b with a byte changed.
func change(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// matryoshka returns n IP packets in one another.
func matryoshka(n int) []byte {
	b := ping4()
	for range n {
		b = ip4(icmpx.IPv4Header{Proto: 4}, b)
	}
	return b
}

func TestUnfinishedChecksum(t *testing.T) {
	data := change(ping4(), 22)
	var d packet.Decoder
	var p packet.Packet
	d.Decode(&packet.Frame{Data: data, Len: len(data), Link: packet.LinkRaw, Unfinished: true}, &p)
	if p.Checksum != packet.Unfinished {
		t.Errorf("checksum %v, want unfinished", p.Checksum)
	}
}

// TestFinalDestination verifies checksums over the address that a routing
// header ends at.
func TestFinalDestination(t *testing.T) {
	final := netip.MustParseAddr("2001:db8:f::99")
	m := echo(icmpx.IPv6, 1, 8)
	m[2], m[3] = 0, 0
	binary.BigEndian.PutUint16(m[2:], icmpx.ChecksumFrom(icmpx.PseudoSum(src6, final, len(m), 58), m))
	full := final.AsSlice()
	tests := []struct {
		name   string
		header []byte
		want   packet.Status
	}{
		{"source route", append([]byte{58, 2, 0, 1, 0, 0, 0, 0}, full...), packet.Good},
		{"mobile", append([]byte{58, 2, 2, 1, 0, 0, 0, 0}, full...), packet.Good},
		{"segment routing", append(append([]byte{58, 4, 4, 1, 1, 0, 0, 0}, full...), src6.AsSlice()...), packet.Good},
		{"rpl", append([]byte{58, 1, 3, 1, 0x0f, 0x70, 0, 0, full[15]}, 0, 0, 0, 0, 0, 0, 0), packet.Good},
		{"nothing left", append([]byte{58, 2, 0, 0, 0, 0, 0, 0}, full...), packet.Bad},
		{"unknown type", append([]byte{58, 2, 9, 1, 0, 0, 0, 0}, full...), packet.Unverified},
		{"too short", []byte{58, 0, 0, 1, 0, 0, 0, 0}, packet.Unverified},
	}
	for _, tt := range tests {
		p := decodeOne(ip6(43, append(tt.header, m...)), packet.LinkRaw)
		if p.Checksum != tt.want || p.ICMP != icmpx.IPv6 {
			t.Errorf("%s: checksum %v, want %v; problems %v", tt.name, p.Checksum, tt.want, p.Problems)
		}
	}
}

func TestStart(t *testing.T) {
	data := append(bytesOf(addresses+"8100 0005 0800"), ip4(icmpx.IPv4Header{Proto: 4}, ping4())...)
	if p := decodeOne(append(data, 0, 0, 0), packet.LinkEthernet); p.Start != 18 || p.Depth != 2 {
		t.Errorf("the first of %d IP headers begins at %d, want 18 of 2", p.Depth, p.Start)
	}
}

// TestAllocations makes sure that the usual frame costs none.
func TestAllocations(t *testing.T) {
	whole4 := append(bytesOf(addresses+"0800"), ping4()...)
	whole6 := append(bytesOf(addresses+"8100 0005 86dd"), ping6()...)
	m := echo(icmpx.IPv4, 1, 2000)
	parts := [][]byte{
		ip4(icmpx.IPv4Header{Proto: 1, ID: 7, MF: true}, m[:1480]),
		ip4(icmpx.IPv4Header{Proto: 1, ID: 7, FragOff: 1480}, m[1480:]),
	}
	var d packet.Decoder
	var p packet.Packet
	var f packet.Frame
	at := time.Unix(1700000000, 0)
	decode := func(link packet.LinkType, frames ...[]byte) {
		for _, data := range frames {
			at = at.Add(time.Millisecond)
			f = packet.Frame{Data: data, Len: len(data), Link: link, Time: at}
			d.Decode(&f, &p)
		}
	}
	frames := [][]byte{whole4, whole6}
	for range 100 {
		decode(packet.LinkRaw, parts...)
	}
	if n := testing.AllocsPerRun(1000, func() { decode(packet.LinkEthernet, frames...) }); n != 0 {
		t.Errorf("%v allocations for whole packets", n)
	}
	decode(packet.LinkRaw, parts...)
	if n := testing.AllocsPerRun(1000, func() { decode(packet.LinkRaw, parts...) }); n != 0 || p.Rebuilt != len(m) {
		t.Errorf("%v allocations for fragments; rebuilt %d bytes", n, p.Rebuilt)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := append(bytesOf(addresses+"0800"), ip4(icmpx.IPv4Header{Proto: 1}, echo(icmpx.IPv4, 1, 56))...)
	var d packet.Decoder
	var p packet.Packet
	f := packet.Frame{Data: data, Len: len(data), Link: packet.LinkEthernet}
	for b.Loop() {
		d.Decode(&f, &p)
	}
}
