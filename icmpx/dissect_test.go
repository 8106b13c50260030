package icmpx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

// outline prints the fields of a dissection, one to a line.
func outline(fields []icmpx.Field, indent string) string {
	var s strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&s, "%s%d+%d %s", indent, f.Offset, f.Len, f.Name)
		switch v := f.Value.(type) {
		case nil:
		case []byte:
			fmt.Fprintf(&s, " = %x", v)
		default:
			fmt.Fprintf(&s, " = %v", v)
		}
		s.WriteString("\n" + outline(f.Fields, indent+"\t"))
	}
	return s.String()
}

func TestDissectOutline(t *testing.T) {
	const want = `0+1 type = 11
1+1 code = 0
2+2 checksum = 41104
4+1 unused = 0
5+1 length = 32
6+2 unused = 0
8+128 quote
	8+1 version = 4
	8+1 header length = 24
	9+1 type of service = 0
	10+2 total length = 34
	12+2 identification = 7
	14+1 don't fragment = false
	14+1 more fragments = false
	14+2 fragment offset = 0
	16+1 time to live = 1
	17+1 protocol = 17
	18+2 header checksum = 14473
	20+4 source = 192.0.2.1
	24+4 destination = 198.51.100.2
	28+4 options
		28+4 option
			28+1 type = 148
			29+1 length = 4
			30+2 data = 0000
	32+10 UDP
		32+2 source port = 40000
		34+2 destination port = 33434
		36+2 length = 10
		38+2 checksum = 52480
		40+2 data = 6869
	42+94 padding = ZEROS
136+40 extension
	136+0 placement = compliant
	136+1 version = 2
	136+2 reserved = 0
	138+2 checksum = 8801
	140+8 object
		140+2 length = 8
		142+1 class = 1
		143+1 C-type = 1
		144+4 label
			144+3 label = 19380
			146+1 traffic class = 0
			146+1 bottom of stack = true
			147+1 time to live = 1
	148+28 object
		148+2 length = 28
		150+1 class = 2
		151+1 C-type = 15
		151+1 role = incoming interface
		152+4 interface index = 2
		156+2 address family = 1
		158+2 reserved = 0
		160+4 address = 192.0.2.1
		164+8 interface name = eth0
		172+4 MTU = 1500
`
	h := icmpx.IPv4Header{TotalLen: 34, ID: 7, TTL: 1, Proto: 17, Src: addr4a, Dst: addr4b, Options: unhex("94040000")}
	quote, err := h.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	quote = padded(append(quote, unhex("9c40829a000acd00 6869")...), 128)
	exts, err := icmpx.ParseExtensions(unhex("20002261 00080101 04bb4101 001c020f 00000002 00010000 c0000201 08657468 30000000 000005dc"))
	if err != nil {
		t.Fatal(err)
	}
	msg := mustMarshal(ipv4.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: quote, Extensions: exts})
	d := icmpx.Dissect(icmpx.IPv4, msg, icmpx.DissectOptions{})
	got := strings.Replace(outline(d.Fields, ""), strings.Repeat("00", 94), "ZEROS", 1)
	if got != want || len(d.Problems) != 0 {
		t.Errorf("got problems %v and\n%s", d.Problems, got)
	}
}

func TestDissectProblems(t *testing.T) {
	type problem struct {
		field  string
		offset int
		err    error
	}
	option := func(o string) []byte {
		h := icmpx.IPv4Header{TotalLen: 32, Proto: 17, Src: addr4a, Dst: addr4b, Options: unhex(o)}
		b, err := h.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		return sealed(append(append(unhex("0b00 0000 0000 0000"), b...), unhex("9c40829a0008cd00")...))
	}
	tests := []struct {
		name string
		f    icmpx.Family
		msg  []byte
		o    icmpx.DissectOptions
		want []problem
	}{
		{"nothing", icmpx.IPv4, nil, icmpx.DissectOptions{}, []problem{{"type", 0, icmpx.ErrTruncated}}},
		{"3 bytes", icmpx.IPv4, unhex("0800 00"), icmpx.DissectOptions{}, []problem{{"checksum", 3, icmpx.ErrTruncated}}},
		{"6 bytes", icmpx.IPv4, sealed(unhex("0800 0000 0001")), icmpx.DissectOptions{}, []problem{{"sequence number", 6, icmpx.ErrTruncated}}},
		{"checksum", icmpx.IPv4, unhex("0800 0000 0001 0001"), icmpx.DissectOptions{}, []problem{{"ICMP checksum", 2, icmpx.ErrChecksum}}},
		{"cut in the capture", icmpx.IPv4, unhex("0800 0000 0001 0001"), icmpx.DissectOptions{Len: 9}, []problem{{"ICMP message", 8, icmpx.ErrTruncated}}},
		{"checksum of ICMPv6", icmpx.IPv6, mustMarshal(ipv6Echo, 0, echoBody), icmpx.DissectOptions{Src: addr6a, Dst: addr6a},
			[]problem{{"ICMP checksum", 2, icmpx.ErrChecksum}}},
		{"no checksum without addresses", icmpx.IPv6, mustMarshal(ipv6Echo, 0, echoBody), icmpx.DissectOptions{}, nil},
		{"quoted IP version", icmpx.IPv4, sealed(append(unhex("0b00 0000 0000 0000"), quotedUDP(icmpx.IPv6)...)), icmpx.DissectOptions{},
			[]problem{{"quoted IP version", 8, icmpx.ErrVersion}}},
		{"5 bytes of header", icmpx.IPv4, sealed(append(unhex("0b00 0000 0000 0000"), quotedUDP(icmpx.IPv4)[:5]...)), icmpx.DissectOptions{},
			[]problem{{"identification", 13, icmpx.ErrTruncated}}},
		{"header alone", icmpx.IPv4, sealed(append(unhex("0b00 0000 0000 0000"), quotedUDP(icmpx.IPv4)[:20]...)), icmpx.DissectOptions{},
			[]problem{{"quoted transport header", 28, icmpx.ErrTruncated}}},
		{"option of 0", icmpx.IPv4, option("07000000"), icmpx.DissectOptions{}, []problem{{"IP option", 28, icmpx.ErrLength}}},
		{"option beyond", icmpx.IPv4, option("01010107"), icmpx.DissectOptions{}, []problem{{"IP option", 31, icmpx.ErrTruncated}}},
		{"unused", icmpx.IPv4, sealed(append(unhex("0b00 0000 0100 0002"), quotedUDP(icmpx.IPv4)...)), icmpx.DissectOptions{},
			[]problem{{"unused", 4, icmpx.ErrReserved}, {"unused", 6, icmpx.ErrReserved}}},
		{"length beyond", icmpx.IPv4, sealed(append(unhex("0b00 0000 00ff 0000"), quotedUDP(icmpx.IPv4)...)), icmpx.DissectOptions{},
			[]problem{{"length attribute", 5, icmpx.ErrTruncated}}},
		{"advertisement that lies", icmpx.IPv4, sealed(unhex("0900 0000 0202 0708 c0000201 00000000 c000")), icmpx.DissectOptions{},
			[]problem{{"address", 18, icmpx.ErrTruncated}}},
		{"33 labels", icmpx.IPv4, extended(128, "20000000 00880101"+repeated("00001101", 33)), icmpx.DissectOptions{},
			[]problem{{"MPLS label stack", 272, icmpx.ErrLimit}}},
		{"65 objects", icmpx.IPv4, extended(128, "20000000"+repeated("0004c801", 65)), icmpx.DissectOptions{},
			[]problem{{"bytes behind the extension objects", 396, icmpx.ErrLength}}},
	}
	for _, tt := range tests {
		d := icmpx.Dissect(tt.f, tt.msg, tt.o)
		ok := len(d.Problems) == len(tt.want)
		for i := 0; ok && i < len(tt.want); i++ {
			p, w := d.Problems[i], tt.want[i]
			ok = p.Field == w.field && p.Offset == w.offset && errors.Is(&p, w.err)
		}
		if !ok {
			t.Errorf("%s: got %v, want %v\n%s", tt.name, d.Problems, tt.want, outline(d.Fields, ""))
		}
	}
}

// checkFields checks that fields lie within b and groups around their members,
// and counts them.
func checkFields(t *testing.T, fields []icmpx.Field, from, to int) int {
	t.Helper()
	n := len(fields)
	for _, f := range fields {
		if f.Name == "" || f.Offset < from || f.Len < 0 || f.Offset+f.Len > to {
			t.Fatalf("field %q is %d bytes at %d, within %d to %d", f.Name, f.Len, f.Offset, from, to)
		}
		if (f.Value == nil) == (f.Fields == nil) && f.Len > 0 {
			t.Fatalf("field %q has the value %v and %d fields", f.Name, f.Value, len(f.Fields))
		}
		n += checkFields(t, f.Fields, f.Offset, f.Offset+f.Len)
	}
	return n
}

// TestDissectEveryLength dissects every prefix of every message.
func TestDissectEveryLength(t *testing.T) {
	for _, tt := range roundTrips() {
		f := icmpx.IPv4
		if _, ok := tt.typ.(ipv6.ICMPType); ok {
			f = icmpx.IPv6
		}
		whole := mustMarshal(tt.typ, tt.code, tt.body)
		if d := icmpx.Dissect(f, whole, icmpx.DissectOptions{Src: addr6a, Dst: addr6b}); len(d.Problems) > 0 {
			t.Errorf("%s: %v", tt.name, d.Problems)
		}
		for n := range min(len(whole), 300) {
			b := append(make([]byte, 0, n), whole[:n]...)
			d := icmpx.Dissect(f, b, icmpx.DissectOptions{Len: len(whole)})
			if len(d.Problems) == 0 {
				t.Errorf("%s: no problem with %d of %d bytes", tt.name, n, len(whole))
			}
			checkFields(t, d.Fields, 0, n)
		}
	}
}

// TestDissectPaths looks up single fields in less common messages.
func TestDissectPaths(t *testing.T) {
	inside := func(f icmpx.Family, packet []byte) []byte {
		if f == icmpx.IPv6 {
			return mustMarshal(ipv6.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: packet})
		}
		return mustMarshal(ipv4.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: packet})
	}
	with := func(proto uint8, l4 string) []byte { return inside(icmpx.IPv4, quotedProbe(icmpx.IPv4, proto, l4)) }
	opts := func(o string) []byte {
		h := icmpx.IPv4Header{TotalLen: 36, Proto: 17, Src: addr4a, Dst: addr4b, Options: unhex(o)}
		h.TotalLen = h.Len() + 8
		b, err := h.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		return inside(icmpx.IPv4, append(b, unhex("9c40829a0008cd00")...))
	}
	headers := func(first uint8, chain string) []byte {
		b := unhex(chain + "9c40829a0008cd00")
		return inside(icmpx.IPv6, append(quotedHeader6(len(b), first), b...))
	}
	nine := repeated("3c00010400000000", 9)
	tests := []struct {
		name string
		f    icmpx.Family
		msg  []byte
		path string
		want any
		err  error // of a problem
	}{
		{"TCP flag", icmpx.IPv4, with(6, tcpSegment), "quote/TCP/SYN", true, nil},
		{"TCP data offset", icmpx.IPv4, with(6, tcpSegment), "quote/TCP/data offset", uint64(24), nil},
		{"TCP cut short", icmpx.IPv4, with(6, tcpSegment)[:36], "quote/TCP/sequence number", uint64(0x01020304), icmpx.ErrChecksum},
		{"TCP data offset of 16", icmpx.IPv4, with(6, "1388 0050 01020304 00000000 4002ffff abcd0000"), "quote/TCP/data offset", uint64(16), icmpx.ErrLength},
		{"UDP-Lite", icmpx.IPv4, with(136, "9c40829a0008cd00"), "quote/UDP-Lite/length", uint64(8), nil},
		{"SCTP", icmpx.IPv4, with(132, "0001000211223344"), "quote/SCTP/verification tag", uint64(0x11223344), nil},
		{"DCCP", icmpx.IPv4, with(33, "0001000211223344"), "quote/DCCP/destination port", uint64(2), nil},
		{"extended echo", icmpx.IPv4, with(1, "2a00123400010201"), "quote/ICMP/sequence number", uint64(2), nil},
		{"quoted error", icmpx.IPv4, with(1, "0b00123400000000"), "quote/ICMP/type", uint64(11), nil},
		{"GRE", icmpx.IPv4, with(47, "0000080011223344"), "quote/payload/data", "0000080011223344", nil},
		{"record route", icmpx.IPv4, opts("070708 c0000201 00"), "quote/options/option/pointer", uint64(8), nil},
		{"record route address", icmpx.IPv4, opts("070708 c0000209 01"), "quote/options/option/address", "192.0.2.9", nil},
		{"timestamps", icmpx.IPv4, opts("44080500 00000001"), "quote/options/option/timestamp", uint64(1), nil},
		{"timestamps with addresses", icmpx.IPv4, opts("440c0501 c0000209 00000001"), "quote/options/option/timestamp", uint64(1), nil},
		{"timestamp overflow", icmpx.IPv4, opts("440c05f1 c0000209 00000001"), "quote/options/option/overflow", uint64(15), nil},
		{"end of options", icmpx.IPv4, opts("00000000"), "quote/options/option/type", uint64(0), nil},
		{"hop-by-hop", icmpx.IPv6, headers(0, "1100010400000000"), "quote/hop-by-hop options/next header", uint64(17), nil},
		{"behind hop-by-hop", icmpx.IPv6, headers(0, "1100010400000000"), "quote/UDP/source port", uint64(40000), nil},
		{"routing", icmpx.IPv6, headers(43, "1100010400000000"), "quote/routing header/length", uint64(0), nil},
		{"authentication", icmpx.IPv6, headers(51, "110100000000000100000002"), "quote/authentication header/length", uint64(1), nil},
		{"mobility", icmpx.IPv6, headers(135, "1100010400000000"), "quote/mobility header/length", uint64(0), nil},
		{"host identity", icmpx.IPv6, headers(139, "1100010400000000"), "quote/host identity header/length", uint64(0), nil},
		{"shim6", icmpx.IPv6, headers(140, "1100010400000000"), "quote/shim6 header/length", uint64(0), nil},
		{"fragment", icmpx.IPv6, headers(44, "110005c901020304"), "quote/fragment header/fragment offset", uint64(1480), nil},
		{"behind a fragment", icmpx.IPv6, headers(44, "110005c901020304"), "quote/fragment/data", "9c40829a0008cd00", nil},
		{"fragment reserved", icmpx.IPv6, headers(44, "1101000001020304"), "quote/fragment header/identification", uint64(0x01020304), icmpx.ErrReserved},
		{"eight headers", icmpx.IPv6, headers(60, nine[:7*16]+"1100010400000000"), "quote/UDP/source port", uint64(40000), nil},
		{"nine headers", icmpx.IPv6, headers(60, nine), "quote/data", "3c000104000000009c40829a0008cd00", icmpx.ErrLimit},
		{"cut header", icmpx.IPv6, headers(60, "11ff010400000000"), "quote/data", "11ff0104000000009c40829a0008cd00", icmpx.ErrTruncated},
		{"nothing behind the header", icmpx.IPv6, inside(icmpx.IPv6, quotedHeader6(0, 59)), "quote/payload length", uint64(0), nil},
		{"no next header", icmpx.IPv6, headers(59, ""), "quote/payload/data", "9c40829a0008cd00", nil},
		{"extended information", icmpx.IPv4, extended(128, "20000000 00080401 0000002a"), "extension/object/pointer", uint64(42), nil},
		{"node identification", icmpx.IPv4, extended(128, "20000000 00140506 00010000 c0000209 08723100 00000000"), "extension/object/interface name", "r1", icmpx.ErrLength},
		{"identified by address", icmpx.IPv4, sealed(unhex("2a00 0000 0001 0100 20000000 000c0303 00010400 c0000209")), "extension/object/address", "192.0.2.9", nil},
		{"identified by MAC address", icmpx.IPv4, sealed(unhex("2a00 0000 0001 0100 20000000 00100303 40050600 0011223344550000")), "extension/object/address", "001122334455", nil},
		{"identified unknown", icmpx.IPv4, sealed(unhex("2a00 0000 0001 0100 20000000 00040304")), "extension/object/C-type", uint64(4), nil},
		{"interface by IPv6 address", icmpx.IPv4, extended(128, "20000000 001802c4 00020000 20010db8 00000000 00000000 00000001"), "extension/object/address", "2001:db8::1", nil},
		{"role", icmpx.IPv4, extended(128, "20000000 000802c8 00000001"), "extension/object/role", "next hop", nil},
		{"bytes behind an interface", icmpx.IPv4, extended(128, "20000000 000c0208 00000001 00000000"), "extension/object/data", "00000000", icmpx.ErrLength},
		{"reserved interface bits", icmpx.IPv4, extended(128, "20000000 00080218 00000001"), "extension/object/interface index", uint64(1), icmpx.ErrReserved},
		{"draft extension", icmpx.IPv4, extended(128, "1000ffff 00080101 00001101"), "extension/object/label/label", uint64(1), icmpx.ErrVersion},
		{"future extension", icmpx.IPv4, extended(128, "3000ffff 00080101 00001101"), "extension/data", "0008010100001101", icmpx.ErrVersion},
		{"router preference", icmpx.IPv4, sealed(unhex("0900 0000 0102 0708 c0000209 80000000 0102")), "router/preference", uint64(1 << 31), nil},
		{"router entry of three words", icmpx.IPv4, sealed(unhex("0900 0000 0103 0708 c0000209 80000000 00000007")), "router/data", "00000007", nil},
		{"mobility extension", icmpx.IPv4, sealed(unhex("0900 0000 0102 0708 c0000209 80000000 0102")), "data", "0102", nil},
	}
	for _, tt := range tests {
		d := icmpx.Dissect(tt.f, tt.msg, icmpx.DissectOptions{})
		got := any(nil)
		if f := d.Find(strings.Split(tt.path, "/")...); f != nil {
			got = f.Value
		}
		switch v := got.(type) {
		case []byte:
			got = fmt.Sprintf("%x", v)
		case fmt.Stringer:
			got = v.String()
		}
		found := tt.err == nil && len(d.Problems) == 0
		for _, p := range d.Problems {
			found = found || errors.Is(&p, tt.err)
		}
		if got != tt.want || !found {
			t.Errorf("%s: got %v, want %v; problems %v\n%s", tt.name, got, tt.want, d.Problems, outline(d.Fields, ""))
		}
	}
}

func TestDissectFind(t *testing.T) {
	d := icmpx.Dissect(icmpx.IPv4, mustMarshal(ipv4.ICMPTypeEcho, 0, &icmp.Echo{ID: 5}), icmpx.DissectOptions{})
	if f := d.Find("identifier"); f == nil || f.Value != uint64(5) || f.Offset != 4 {
		t.Errorf("got %+v", f)
	}
	if f := d.Find("identifier", "more"); f != nil {
		t.Errorf("got %+v", f)
	}
	if f := d.Find("quote"); f != nil {
		t.Errorf("got %+v", f)
	}
}
