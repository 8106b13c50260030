package icmpx_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// sealed returns an ICMPv4 message with the right checksum.
func sealed(b []byte) []byte {
	b[2], b[3] = 0, 0
	binary.BigEndian.PutUint16(b[2:], icmpx.Checksum(b))
	return b
}

// extended returns a time exceeded with the given length attribute in bytes, a
// quote of that length or 128, and an extension structure whose checksum is
// right if it is not 0.
func extended(length int, structure string) []byte {
	b := append(unhex("0b00 0000 0000 0000"), padded(quotedUDP(icmpx.IPv4), max(length, 128))...)
	b[5] = byte(length / 4)
	s := unhex(structure)
	if len(s) >= 4 && (s[2] != 0 || s[3] != 0) {
		s[2], s[3] = 0, 0
		binary.BigEndian.PutUint16(s[2:], icmpx.Checksum(s))
	}
	return sealed(append(b, s...))
}

func TestParseRefuses(t *testing.T) {
	quote := quotedUDP(icmpx.IPv4)
	message := func(header string, body ...[]byte) []byte {
		b := unhex(header)
		for _, p := range body {
			b = append(b, p...)
		}
		return sealed(b)
	}
	bad := func(off int, v byte) []byte {
		q := append([]byte(nil), quote...)
		q[off] = v
		return message("0b00 0000 0000 0000", q)
	}
	tests := []struct {
		name   string
		msg    []byte
		field  string
		offset int
		want   error
	}{
		{"nothing", nil, "ICMP header", 0, icmpx.ErrTruncated},
		{"3 bytes", []byte{8, 0, 0}, "ICMP header", 3, icmpx.ErrTruncated},
		{"7 bytes of echo", sealed(make([]byte, 7)), "ICMP header", 7, icmpx.ErrTruncated},
		{"too long", sealed(make([]byte, 65516)), "ICMP message", 65515, icmpx.ErrLength},
		{"checksum", unhex("0800 d9bb 1234 0001 0001020304050607"), "ICMP checksum", 2, icmpx.ErrChecksum},
		{"time exceeded, byte 4", message("0b00 0000 0100 0000", quote), "unused byte", 4, icmpx.ErrReserved},
		{"time exceeded, byte 6", message("0b00 0000 0000 0100", quote), "unused byte", 6, icmpx.ErrReserved},
		{"unreachable, byte 7", message("0301 0000 0000 0001", quote), "unused byte", 7, icmpx.ErrReserved},
		{"frag needed, byte 4", message("0304 0000 0100 0578", quote), "unused byte", 4, icmpx.ErrReserved},
		{"parameter problem, byte 7", message("0c00 0000 0100 0001", quote), "unused byte", 7, icmpx.ErrReserved},
		{"source quench, byte 5", message("0400 0000 0001 0000", quote), "unused byte", 5, icmpx.ErrReserved},
		{"no quote", message("0b00 0000 0000 0000"), "quoted IP header", 8, icmpx.ErrTruncated},
		{"quote of 27 bytes", message("0b00 0000 0000 0000", quote[:27]), "quoted packet", 35, icmpx.ErrTruncated},
		{"quoted version", bad(0, 0x65), "quoted IP version", 8, icmpx.ErrVersion},
		{"quoted IHL 4", bad(0, 0x44), "quoted IP header length", 8, icmpx.ErrLength},
		{"quoted IHL 15", bad(0, 0x4f), "quoted packet", 36, icmpx.ErrTruncated},
		{"length attribute beyond", message("0b00 0000 0020 0000", quote), "length attribute", 5, icmpx.ErrTruncated},
		{"length attribute of 124", extended(124, "2000ffff 00080101 00001101"), "length attribute", 5, icmpx.ErrLength},
		{"length attribute with nothing behind", extended(128, ""), "length attribute", 5, icmpx.ErrLength},
		{"extension of 3 bytes", extended(128, "200000"), "extension header", 139, icmpx.ErrTruncated},
		{"extension version", extended(128, "1000ffff 00080101 00001101"), "extension version", 136, icmpx.ErrVersion},
		{"extension reserved bits", extended(128, "2001ffff 00080101 00001101"), "extension reserved bits", 136, icmpx.ErrReserved},
		{"no object", extended(128, "2000ffff"), "extension object", 140, icmpx.ErrTruncated},
		{"object of 0", extended(128, "2000ffff 00000101"), "extension object length", 140, icmpx.ErrLength},
		{"second object beyond", extended(128, "2000ffff 00080101 00001101 000c0101 00001101"), "extension object length", 148, icmpx.ErrLength},
		{"object of 5", extended(128, "20000000 00050101 00000000"), "extension object length", 140, icmpx.ErrLength},
		{"bytes left over", extended(128, "20000000 00040101 0000"), "bytes behind the extension objects", 144, icmpx.ErrLength},
		{"interface reserved bits", extended(128, "20000000 00040210"), "interface information C-type", 143, icmpx.ErrReserved},
		{"interface without index", extended(128, "20000000 00040208"), "interface information", 144, icmpx.ErrTruncated},
		{"interface address family", extended(128, "20000000 00100204 00030000 c0000201 00000000"), "interface address family", 144, icmpx.ErrVersion},
		{"interface address reserved word", extended(128, "20000000 000c0204 00010001 c0000201"), "interface address reserved word", 146, icmpx.ErrReserved},
		{"interface address cut", extended(128, "20000000 000c0204 00020000 20010db8"), "interface address", 152, icmpx.ErrTruncated},
		{"mapped interface address", extended(128, "20000000 00180204 00020000 00000000 00000000 0000ffff c0000201"), "interface address", 148, icmpx.ErrReserved},
		{"interface name length 0", extended(128, "20000000 00080202 00000000"), "interface name length", 144, icmpx.ErrLength},
		{"interface name length 68", extended(128, "20000000 00080202 44000000"), "interface name length", 144, icmpx.ErrLength},
		{"interface name beyond", extended(128, "20000000 00080202 08616263"), "interface name", 148, icmpx.ErrTruncated},
		{"interface name with too much padding", extended(128, "20000000 000c0202 08610000 00000000"), "interface name padding", 146, icmpx.ErrLength},
		{"interface name with other padding", extended(128, "20000000 00080202 04610062"), "interface name padding", 146, icmpx.ErrLength},
		{"bytes behind the interface", extended(128, "20000000 000c0208 00000001 00000000"), "bytes behind the interface information", 148, icmpx.ErrLength},
		{"33 labels", extended(128, "20000000 00880101"+repeated("00001101", 33)), "MPLS label stack", 272, icmpx.ErrLimit},
		{"65 objects", extended(128, "20000000"+repeated("0004c801", 65)), "extension object", 396, icmpx.ErrLimit},
		{"timestamp of 19 bytes", sealed(append([]byte{13}, make([]byte, 18)...)), "timestamps", 19, icmpx.ErrTruncated},
		{"timestamp of 21 bytes", sealed(append([]byte{14}, make([]byte, 20)...)), "bytes behind the timestamps", 20, icmpx.ErrLength},
		{"information of 9 bytes", sealed(append([]byte{15}, make([]byte, 8)...)), "bytes behind the information message", 8, icmpx.ErrLength},
		{"mask of 11 bytes", sealed(append([]byte{18}, make([]byte, 10)...)), "address mask", 11, icmpx.ErrTruncated},
		{"solicitation", message("0a00 0000 0000 0001"), "reserved word", 4, icmpx.ErrReserved},
		{"long solicitation", message("0a00 0000 0000 0000 00"), "bytes behind the router solicitation", 8, icmpx.ErrLength},
		{"advertisement of none", message("0900 0000 0002 0000"), "number of addresses", 4, icmpx.ErrLength},
		{"advertisement of words", message("0900 0000 0103 0000 c0000201 00000000 00000000"), "address entry size", 5, icmpx.ErrLength},
		{"advertisement of less", message("0900 0000 0202 0000 c0000201 00000000"), "router address", 16, icmpx.ErrTruncated},
		{"extended echo reserved bits", message("2a00 0000 0001 0102"), "reserved bits", 7, icmpx.ErrReserved},
		{"extended echo reply reserved bits", message("2b00 0000 0001 0110"), "reserved bits", 7, icmpx.ErrReserved},
		{"identified by a short index", message("2a00 0000 0001 0101 20000000 00040302"), "interface index", 16, icmpx.ErrLength},
		{"identified by a long index", message("2a00 0000 0001 0101 20000000 000c0302 00000001 00000000"), "interface index", 16, icmpx.ErrLength},
		{"identified by a lying address", message("2a00 0000 0001 0100 20000000 000c0303 00010800 c0000201"), "interface address length", 18, icmpx.ErrLength},
		{"identified by a padded address", message("2a00 0000 0001 0100 20000000 00100303 00010400 c0000201 00000000"), "interface address padding", 24, icmpx.ErrLength},
		{"identified by an address that is not", message("2a00 0000 0001 0100 20000000 00040303"), "interface address", 16, icmpx.ErrTruncated},
		{"identified by an address, reserved byte", message("2a00 0000 0001 0100 20000000 000c0303 00010401 c0000201"), "interface address reserved byte", 19, icmpx.ErrReserved},
		{"identified by a broken name", message("2a00 0000 0001 0101 20000000 00080301 61006200"), "interface name padding", 17, icmpx.ErrLength},
	}
	for _, tt := range tests {
		m, err := icmpx.Parse(icmpx.IPv4, tt.msg, netip.Addr{}, netip.Addr{})
		pe, ok := errors.AsType[*icmpx.ParseError](err)
		if !ok || m != nil {
			t.Errorf("%s: got %v, %v", tt.name, m, err)
			continue
		}
		if pe.Field != tt.field || pe.Offset != tt.offset || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v\nwant %s at %d: %v", tt.name, err, tt.field, tt.offset, tt.want)
		}
	}
}

func repeated(s string, n int) string {
	all := ""
	for range n {
		all += s
	}
	return all
}

func TestParseRefusesICMPv6(t *testing.T) {
	ok := mustMarshal(ipv6Echo, 0, echoBody)
	if _, err := icmpx.Parse(icmpx.IPv6, ok, addr6a, addr6b); err != nil {
		t.Fatal(err)
	}
	_, err := icmpx.Parse(icmpx.IPv6, ok, addr6b, addr4a) // unknown: not an IPv6 address
	if err != nil {
		t.Errorf("without a pseudo-header: %v", err)
	}
	if _, err = icmpx.Parse(icmpx.IPv6, ok, addr6a, addr6a); !errors.Is(err, icmpx.ErrChecksum) {
		t.Errorf("another destination: %v", err)
	}
	if _, err = icmpx.Parse(0, ok, addr6a, addr6b); !errors.Is(err, icmpx.ErrVersion) {
		t.Errorf("no family: %v", err)
	}
	for name, msg := range map[string][]byte{
		"unreachable": append(unhex("0100 0000 0000 0001"), quotedUDP(icmpx.IPv6)...),
		"exceeded":    append(unhex("0300 0000 0001 0000"), quotedUDP(icmpx.IPv6)...),
	} {
		if _, err := icmpx.Parse(icmpx.IPv6, msg, netip.Addr{}, netip.Addr{}); !errors.Is(err, icmpx.ErrReserved) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseAmbiguous checks that what only looks like a legacy extension stays
// part of the quote.
func TestParseAmbiguous(t *testing.T) {
	for name, tail := range map[string]string{
		"no checksum":       "20000000 00080101 00001101",
		"wrong checksum":    "20001234 00080101 00001101",
		"version 1":         "1000ffff 00080101 00001101",
		"object of 0":       "2000ffff 00000101 00001101",
		"object not padded": "2000ffff 00050101 00001101",
	} {
		b := append(unhex("0b00 0000 0000 0000"), padded(quotedUDP(icmpx.IPv4), 128)...)
		b = sealed(append(b, unhex(tail)...))
		m, err := icmpx.Parse(icmpx.IPv4, b, netip.Addr{}, netip.Addr{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		te := m.Body.(*icmpx.TimeExceeded)
		if len(te.Data) != 140 || te.Extensions != nil || te.Form != icmpx.FormCompliant {
			t.Errorf("%s: quote of %d bytes, extensions %v", name, len(te.Data), te.Extensions)
		}
	}
}

func TestParseErrorText(t *testing.T) {
	err := &icmpx.ParseError{Field: "length attribute", Offset: 5, Err: icmpx.ErrTruncated}
	if got, want := err.Error(), "parse length attribute at byte 5: truncated"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
