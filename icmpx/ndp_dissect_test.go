package icmpx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// solicitation is a neighbour solicitation with options, and advertisement a
// router advertisement; without addresses their checksums are not verified.
func solicitation(options string) []byte {
	return unhex("8700 0000 00000000 fe800000000000000000000000000001" + options)
}

func advertisement(options string) []byte {
	return unhex("8600 0000 40480708 00000000 00000000" + options)
}

// TestDiscoveryProblems gives Parse and Dissect messages in which one thing is
// wrong. Parse refuses what it takes apart, with the same words.
func TestDiscoveryProblems(t *testing.T) {
	const prefix = "20010db8000000000000000000000000"
	tests := []struct {
		name   string
		msg    []byte
		field  string
		offset int
		err    error
	}{
		{"code", unhex("8501 0000 00000000"), "code", 1, icmpx.ErrReserved},
		{"MLD code", unhex("8301 0000 00000000" + prefix), "code", 1, icmpx.ErrReserved},
		{"option of length 0", solicitation("0100 000000000000"), "option length", 25, icmpx.ErrLength},
		{"option beyond the end", solicitation("0102 000000000001"), "option length", 25, icmpx.ErrLength},
		{"unknown option beyond the end", solicitation("c8ff 000000000001"), "option length", 25, icmpx.ErrLength},
		{"half an option", solicitation("01"), "option length", 25, icmpx.ErrTruncated},
		{"prefix information of 24 bytes", advertisement("0303 40c0" + repeated("00", 20)), "option length", 17, icmpx.ErrLength},
		{"MTU of 16 bytes", advertisement("0502 0000 000005dc 0000000000000000"), "option length", 17, icmpx.ErrLength},
		{"servers of 16 bytes", advertisement("1902" + repeated("00", 14)), "option length", 17, icmpx.ErrLength},
		{"servers and a half", advertisement("1904" + repeated("00", 30)), "option length", 17, icmpx.ErrLength},
		{"route of 32 bytes", advertisement("1804" + repeated("00", 30)), "option length", 17, icmpx.ErrLength},
		{"PREF64 of 8 bytes", advertisement("2601 000000000000"), "option length", 17, icmpx.ErrLength},
		{"interval of 16 bytes", advertisement("0702" + repeated("00", 14)), "option length", 17, icmpx.ErrLength},
		{"65 options", advertisement(repeated("fd01000000000000", 65)), "option", 16 + 64*8, icmpx.ErrLimit},
		{"prefix length", advertisement("0304 8100" + repeated("00", 28)), "prefix length", 18, icmpx.ErrLength},
		{"route length", advertisement("1802 4100" + repeated("00", 12)), "prefix length", 18, icmpx.ErrLength},
		{"PREF64 length code", advertisement("2602 0006" + repeated("00", 12)), "prefix length code", 19, icmpx.ErrReserved},
		{"compressed domain", advertisement("1f02 0000 0000003c c00c 000000000000"), "domain name", 24, icmpx.ErrLength},
		{"domain without an end", advertisement("1f02 0000 0000003c 0761626364656667"), "domain name", 24, icmpx.ErrTruncated},
		{"label beyond the end", advertisement("1f02 0000 0000003c 0861626364656667"), "domain name", 24, icmpx.ErrTruncated},
		{"no domain", advertisement("1f02 0000 0000003c 0000000000000000"), "padding", 24, icmpx.ErrLength},
		{"domain and too much padding", advertisement("1f03 0000 0000003c 016100" + repeated("00", 13)), "padding", 27, icmpx.ErrLength},
		{"domain padding", advertisement("1f02 0000 0000003c 016100 0000000001"), "padding", 27, icmpx.ErrReserved},
		{"URI padding", advertisement("2501 616200000001"), "padding", 20, icmpx.ErrReserved},
		{"URI and too much padding", advertisement("2502 6162" + repeated("00", 12)), "padding", 20, icmpx.ErrLength},
		{"MLD too long", unhex("8300 0000 00000000" + prefix + "00"), "bytes behind the multicast listener message", 24, icmpx.ErrLength},
		{"source missing", unhex("8200 0000 00000000" + prefix + "02 7d 0001"), "source", 28, icmpx.ErrTruncated},
		{"record missing", unhex("8f00 0000 0000 0002 04 00 0000" + prefix), "multicast record", 28, icmpx.ErrTruncated},
		{"bytes behind records", unhex("8f00 0000 0000 0000 04"), "bytes behind the multicast records", 8, icmpx.ErrLength},
	}
	for _, tt := range tests {
		if m, err := icmpx.Parse(icmpx.IPv6, tt.msg, addr4a, addr4a); err == nil {
			t.Errorf("%s: parsed %+v", tt.name, m.Body)
		} else if !errors.Is(err, tt.err) && tt.err != icmpx.ErrTruncated {
			t.Errorf("%s: Parse says %v, want %v", tt.name, err, tt.err)
		}
		d := icmpx.Dissect(icmpx.IPv6, tt.msg, icmpx.DissectOptions{})
		if len(d.Problems) != 1 || d.Problems[0] != (icmpx.ParseError{Field: tt.field, Offset: tt.offset, Err: tt.err}) {
			t.Errorf("%s: got %v, want %s at %d: %v\n%s", tt.name, d.Problems, tt.field, tt.offset, tt.err, outline(d.Fields, ""))
		}
		checkFields(t, d.Fields, 0, len(tt.msg))
	}
}

// TestDiscoveryReserved checks that each unused bit that is set is a problem,
// and refused by Parse.
func TestDiscoveryReserved(t *testing.T) {
	const zeros = "00000000000000000000000000000000"
	for _, tt := range []struct {
		name string
		msg  string
	}{
		{"router solicitation", "8500 0000 00000001"},
		{"router advertisement", "8600 0000 00010000 00000000 00000000"},
		{"neighbour solicitation", "8700 0000 01000000" + zeros},
		{"neighbour advertisement", "8800 0000 10000000" + zeros},
		{"its other bytes", "8800 0000 00000001" + zeros},
		{"redirect", "8900 0000 00010000" + zeros + zeros},
		{"inverse solicitation", "8d00 0000 00010000"},
		{"MLD", "8300 0000 00000001" + zeros},
		{"MLDv2 query", "8200 0000 00000000" + zeros + "10000000"},
		{"MLDv2 report", "8f00 0000 00010000"},
		{"prefix flags", "8500 0000 00000000 03044008" + zeros + "000000000000000000000000"},
		{"prefix", "8500 0000 00000000 0304400000000000 00000000 00000001" + zeros},
		{"MTU", "8500 0000 00000000 0501 0001 00000500"},
		{"redirected header", "8500 0000 00000000 0401 000000000001"},
		{"address list", "8500 0000 00000000 0903 000000000001" + zeros},
		{"route flags", "8500 0000 00000000 1801 0020 00000000"},
		{"servers", "8500 0000 00000000 1903 0001 00000000" + zeros},
		{"domains", "8500 0000 00000000 1f02 0001 00000000 0161000000000000"},
	} {
		msg := unhex(tt.msg)
		if _, err := icmpx.Parse(icmpx.IPv6, msg, addr4a, addr4a); !errors.Is(err, icmpx.ErrReserved) {
			t.Errorf("%s: Parse says %v", tt.name, err)
		}
		d := icmpx.Dissect(icmpx.IPv6, msg, icmpx.DissectOptions{})
		if len(d.Problems) != 1 || d.Problems[0].Err != icmpx.ErrReserved {
			t.Errorf("%s: got %v", tt.name, d.Problems)
		}
	}
}

// TestDiscoveryPaths looks up fields of rare messages.
func TestDiscoveryPaths(t *testing.T) {
	const addr = "20010db8000000000000000000000001"
	tests := []struct {
		name string
		f    icmpx.Family
		msg  string
		path string
		want any
	}{
		{"new prefix", icmpx.IPv6, "8500 0000 00000000 1203 0040 00000000" + addr, "option/address", "2001:db8::1"},
		{"address or prefix", icmpx.IPv6, "8500 0000 00000000 1103 0280 00000000" + addr, "option/prefix length", uint64(128)},
		{"shortcut limit", icmpx.IPv6, "8500 0000 00000000 0601 070000000000", "option/shortcut limit", uint64(7)},
		{"home agent", icmpx.IPv6, "8500 0000 00000000 0801 0000 0005 003c", "option/preference", uint64(5)},
		{"SEND timestamp", icmpx.IPv6, "8500 0000 00000000 0d02 000000000000 000000000009 8000", "option/seconds", uint64(9)},
		{"mobility anchor", icmpx.IPv6, "8500 0000 00000000 1703 1f80 0000003c" + addr, "option/address", "2001:db8::1"},
		{"address registration", icmpx.IPv6, "8500 0000 00000000 2102 01 000000 003c 0011223344556677", "option/identifier", "0011223344556677"},
		{"6LoWPAN context", icmpx.IPv6, "8500 0000 00000000 2202 40 15 0000 003c 20010db800000000", "option/context length", uint64(64)},
		{"border router", icmpx.IPv6, "8500 0000 00000000 2303 0001 0002 003c" + addr, "option/version high", uint64(2)},
		{"capability", icmpx.IPv6, "8500 0000 00000000 2401 8000 00000000", "option/capabilities", uint64(0x8000)},
		{"escaped label", icmpx.IPv6, "8600 0000 00000000 00000000 00000000 1f02 0000 00000000 03612e62 00000000", "option/domain", `a\.b`},
		{"node name, one label", icmpx.IPv6, "8c00 0000 0002 0000 0000000000000001 00000000 0161 0000", "name", "a"},
		{"node addresses", icmpx.IPv6, "8c00 0000 0003 0000 0000000000000001 00000007" + addr, "address", "2001:db8::1"},
		{"subject name", icmpx.IPv6, "8b01 0000 0002 0000 0000000000000001 0161 0000", "subject", "a"},
		{"subject IPv4", icmpx.IPv6, "8b02 0000 0002 0000 0000000000000001 c0000201", "subject", "192.0.2.1"},
		{"renumbering result", icmpx.IPv6, "8a01 0000 00000001 00 00 0000 00000000 00 02 05 40 00000003" + addr, "result/interface index", uint64(3)},
		{"renumbering reset", icmpx.IPv6, "8aff 0000 00000001 00 00 0000 00000000 01", "data", "01"},
		{"certification path", icmpx.IPv6, "9500 0000 0001 0002 0003 0000", "component", uint64(3)},
		{"mobility", icmpx.IPv6, "9600 0000 05 000000 01", "subtype", uint64(5)},
		{"router advertisement of multicast", icmpx.IPv6, "9714 0000 007d 0002", "robustness variable", uint64(2)},
		{"fast handover", icmpx.IPv6, "9a00 0000 02 00 0009", "identifier", uint64(9)},
		{"duplicate address", icmpx.IPv6, "9d00 0000 01 00 003c 0011223344556677" + addr, "registered address", "2001:db8::1"},
		{"MPL", icmpx.IPv6, "9f00 0000 05 05 0001 aa", "seed/seed identifier", "0001"},
		{"MPL messages", icmpx.IPv6, "9f00 0000 05 05 0001 aa", "seed/buffered messages", "aa"},
		{"DIO", icmpx.IPv6, "9b01 0000 1e f0 0100 88 f0 00 00" + addr + "0302 0102", "rank", uint64(256)},
		{"DIO option", icmpx.IPv6, "9b01 0000 1e f0 0100 88 f0 00 00" + addr + "0302 0102", "option/data", "0102"},
		{"DAO", icmpx.IPv6, "9b02 0000 1e c0 00 f1" + addr, "DODAG", "2001:db8::1"},
		{"DAO without DODAG", icmpx.IPv6, "9b02 0000 1e 80 00 f1 00", "option/type", uint64(0)},
		{"secure DIS", icmpx.IPv6, "9b80 0000 80 00 80 00 00000007 00112233445566 7788 00 00", "key identifier", "001122334455667788"},
		{"secure DIS of a pair", icmpx.IPv6, "9b80 0000 80 00 40 00 00000007 09 00", "flags", uint64(9)},
		{"secure DIS, signed", icmpx.IPv6, "9b80 0000 80 00 c2 00 00000007 09 00", "flags", uint64(9)},
		{"secure DIS, encrypted", icmpx.IPv6, "9b80 0000 80 00 43 00 00000007 0900", "body", "0900"},
		{"secure DIS, signed and encrypted", icmpx.IPv6, "9b80 0000 80 00 c1 00 00000007 001122334455667788 0900", "body", "0900"},
		{"consistency check", icmpx.IPv6, "9b8a 0000 00 00 00 00 00000007 01 1e 80 0001" + addr + "00000009", "destination counter", uint64(9)},
		{"unknown RPL code", icmpx.IPv6, "9b09 0000 0102", "body", "0102"},
		{"locator update", icmpx.IPv6, "9c00 0000 01 01 0000 0011223344556677 0001 003c", "locator/preference", uint64(1)},
		{"private", icmpx.IPv6, "c803 0000 0102", "body", "0102"},
		{"traceroute", icmpx.IPv4, "1e00 0000 0001 0000 0003 0004 00000064 000005dc", "output link MTU", uint64(1500)},
		{"conversion error", icmpx.IPv4, "1f02 0000 00000007 01", "pointer", uint64(7)},
		{"domain name reply", icmpx.IPv4, "2600 0000 0001 0002 0000012c 016100", "name", "a"},
		{"Photuris", icmpx.IPv4, "2801 0000 0000 0014" + quote28, "quote/UDP/source port", uint64(40000)},
		{"care-of address", icmpx.IPv4, "0900 0000 0102 0708 c0000209 00000000 100a 0001 003c 8000 c0000201 00", "mobility extension/care-of address", "192.0.2.1"},
	}
	for _, tt := range tests {
		msg := unhex(tt.msg)
		if tt.f == icmpx.IPv4 {
			msg = sealed(msg)
		}
		d := icmpx.Dissect(tt.f, msg, icmpx.DissectOptions{})
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
		if got != tt.want || len(d.Problems) > 0 {
			t.Errorf("%s: got %v, want %v; problems %v\n%s", tt.name, got, tt.want, d.Problems, outline(d.Fields, ""))
		}
		for n := range len(msg) { // no prefix of it makes a field reach beyond
			checkFields(t, icmpx.Dissect(tt.f, msg[:n:n], icmpx.DissectOptions{}).Fields, 0, n)
		}
	}
}

func TestDiscoveryNames(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{icmpx.NDOptionName(3), "Prefix Information"},
		{icmpx.NDOptionName(38), "PREF64"},
		{icmpx.NDOptionName(200), "option 200"},
		{icmpx.MLDRecordName(4), "Change To Exclude Mode"},
		{icmpx.MLDRecordName(0), "record 0"},
		{icmpx.CodeRFCName(icmpx.IPv4, 11, 0), "Time to Live exceeded in Transit"},
		{icmpx.CodeRFCName(icmpx.IPv4, 8, 0), ""},
		{icmpx.CodeRFCName(icmpx.IPv6, 1, 200), ""},
		{icmpx.CodeRFCName(icmpx.IPv6, 99, 0), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// TestDissectHeader checks the headers of packets by themselves, and that none
// of their prefixes makes a field reach beyond.
func TestDissectHeader(t *testing.T) {
	h4 := icmpx.IPv4Header{TotalLen: 60, TTL: 1, Proto: 1, Src: addr4a, Dst: addr4b, Options: unhex("94040000")}
	b4, err := h4.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	ah4 := icmpx.IPv4Header{TotalLen: 60, TTL: 1, Proto: 51, Src: addr4a, Dst: addr4b}
	bah, err := ah4.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	bah = append(bah, unhex("0101 0000 00000001 00000007")...)
	tests := []struct {
		name string
		f    icmpx.Family
		b    []byte
		path string
		want any
		err  error
	}{
		{"IPv4 option", icmpx.IPv4, b4, "options/option/type", uint64(148), nil},
		{"header checksum", icmpx.IPv4, append(b4[:8:8], append([]byte{9}, b4[9:]...)...), "time to live", uint64(9), icmpx.ErrChecksum},
		{"header length of 0", icmpx.IPv4, append([]byte{0x40}, b4[1:20]...), "protocol", uint64(1), icmpx.ErrLength},
		{"authenticated IPv4", icmpx.IPv4, bah, "authentication header/sequence number", uint64(7), nil},
		{"router alert", icmpx.IPv6, append(quotedHeader6(8, 0), unhex("3a000502 00000100")...), "hop-by-hop options/option/type", uint64(5), nil},
		{"option beyond", icmpx.IPv6, append(quotedHeader6(8, 0), unhex("3a000509 00000100")...), "hop-by-hop options/data", "050900000100", icmpx.ErrLength},
		{"segments", icmpx.IPv6, append(quotedHeader6(24, 43), unhex("3a020401 00000000 20010db8000000000000000000000001")...),
			"routing header/segment", "2001:db8::1", nil},
		{"source route", icmpx.IPv6, append(quotedHeader6(24, 43), unhex("3a020001 00000000 20010db8000000000000000000000001")...),
			"routing header/address", "2001:db8::1", nil},
		{"unknown routing header", icmpx.IPv6, append(quotedHeader6(8, 43), unhex("3a006301 01020304")...), "routing header/data", "01020304", nil},
		{"fragment header", icmpx.IPv6, append(quotedHeader6(8, 44), unhex("3a0005c9 01020304")...), "fragment header/fragment offset", uint64(1480), nil},
		{"cut header", icmpx.IPv6, append(quotedHeader6(8, 0), unhex("3a")...), "data", "3a", icmpx.ErrTruncated},
	}
	for _, tt := range tests {
		d := icmpx.DissectHeader(tt.f, tt.b)
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
		ok := len(d.Problems) == 0 && tt.err == nil
		for _, p := range d.Problems {
			ok = ok || errors.Is(&p, tt.err)
		}
		if got != tt.want || !ok {
			t.Errorf("%s: got %v, want %v; problems %v\n%s", tt.name, got, tt.want, d.Problems, outline(d.Fields, ""))
		}
		for n := range len(tt.b) {
			checkFields(t, icmpx.DissectHeader(tt.f, tt.b[:n:n]).Fields, 0, n)
		}
	}
}
