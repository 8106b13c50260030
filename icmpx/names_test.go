package icmpx_test

import (
	"strings"
	"testing"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

func TestNames(t *testing.T) {
	tests := []struct {
		f                     icmpx.Family
		typ, code             uint8
		name, words, sentence string
	}{
		{icmpx.IPv4, 0, 0, "Echo Reply", "Echo Reply", ""},
		{icmpx.IPv4, 0, 7, "Echo Reply", "Echo Reply, code 7", ""},
		{icmpx.IPv4, 3, 0, "Destination Unreachable", "Destination Net Unreachable", ""},
		{icmpx.IPv4, 3, 1, "Destination Unreachable", "Destination Host Unreachable", ""},
		{icmpx.IPv4, 3, 3, "Destination Unreachable", "Destination Port Unreachable", ""},
		{icmpx.IPv4, 3, 4, "Destination Unreachable", "Frag needed and DF set", ""},
		{icmpx.IPv4, 3, 13, "Destination Unreachable", "Packet filtered", ""},
		{icmpx.IPv4, 3, 16, "Destination Unreachable", "Destination Unreachable, code 16", ""},
		{icmpx.IPv4, 4, 0, "Source Quench", "Source Quench", ""},
		{icmpx.IPv4, 5, 1, "Redirect", "Redirect Host", ""},
		{icmpx.IPv4, 11, 0, "Time Exceeded", "Time to live exceeded", ""},
		{icmpx.IPv4, 11, 1, "Time Exceeded", "Frag reassembly time exceeded", ""},
		{icmpx.IPv4, 12, 0, "Parameter Problem", "Parameter problem", ""},
		{icmpx.IPv4, 43, 2, "Extended Echo Reply", "Extended Echo Reply: no such interface", ""},
		{icmpx.IPv4, 44, 5, "type 44", "type 44, code 5", ""},
		{icmpx.IPv6, 1, 0, "Destination Unreachable", "No route", "Destination unreachable: No route"},
		{icmpx.IPv6, 1, 3, "Destination Unreachable", "Address unreachable", "Destination unreachable: Address unreachable"},
		{icmpx.IPv6, 1, 77, "Destination Unreachable", "Destination unreachable, code 77", ""},
		{icmpx.IPv6, 2, 0, "Packet Too Big", "Packet too big", ""},
		{icmpx.IPv6, 3, 0, "Time Exceeded", "Hop limit", "Time exceeded: Hop limit"},
		{icmpx.IPv6, 4, 1, "Parameter Problem", "Unknown header", "Parameter problem: Unknown header"},
		{icmpx.IPv6, 129, 0, "Echo Reply", "Echo reply", ""},
		{icmpx.IPv6, 135, 0, "Neighbor Solicitation", "Neighbor solicitation", ""},
		{icmpx.IPv6, 143, 0, "Version 2 Multicast Listener Report", "MLDv2 report", ""},
		{icmpx.IPv6, 5, 0, "type 5", "type 5, code 0", ""},
	}
	for _, tt := range tests {
		if tt.sentence == "" {
			tt.sentence = tt.words
		}
		name, words, sentence := icmpx.TypeName(tt.f, tt.typ), icmpx.CodeName(tt.f, tt.typ, tt.code), icmpx.Describe(tt.f, tt.typ, tt.code)
		if name != tt.name || words != tt.words || sentence != tt.sentence {
			t.Errorf("%v %d/%d: got %q, %q, %q", tt.f, tt.typ, tt.code, name, words, sentence)
		}
	}
}

// TestTypesTable checks what the look-ups rely on, and that nothing is missing
// from the table.
func TestTypesTable(t *testing.T) {
	for f, want := range map[icmpx.Family]int{icmpx.IPv4: 32, icmpx.IPv6: 44} {
		types := icmpx.Types(f)
		if len(types) != want {
			t.Errorf("%v: %d types, want %d", f, len(types), want)
		}
		for i, typ := range types {
			if i > 0 && types[i-1].Type >= typ.Type {
				t.Errorf("%v: type %d after %d", f, typ.Type, types[i-1].Type)
			}
			if typ.Name == "" || typ.Text == "" || typ.RFC == "" {
				t.Errorf("%v: type %d is not whole: %+v", f, typ.Type, typ)
			}
			for j, code := range typ.Codes {
				if j > 0 && typ.Codes[j-1].Code >= code.Code {
					t.Errorf("%v: type %d has code %d after %d", f, typ.Type, code.Code, typ.Codes[j-1].Code)
				}
				if code.Name == "" || code.Text == "" || code.RFC == "" {
					t.Errorf("%v: type %d code %d is not whole: %+v", f, typ.Type, code.Code, code)
				}
			}
		}
		types[0].Name = "changed"
		if icmpx.Types(f)[0].Name == "changed" {
			t.Errorf("%v: the table can be changed from outside", f)
		}
	}
	for typ := range 256 {
		if got := icmpx.TypeName(icmpx.IPv4, uint8(typ)); ipv4.ICMPType(typ).String() != "<nil>" && strings.HasPrefix(got, "type ") {
			t.Errorf("IPv4 type %d has no name", typ)
		}
		if got := icmpx.TypeName(icmpx.IPv6, uint8(typ)); ipv6.ICMPType(typ).String() != "<nil>" && strings.HasPrefix(got, "type ") {
			t.Errorf("IPv6 type %d has no name", typ)
		}
	}
}

// TestCodesOfUnreachable checks that every code that the RFCs define is known.
func TestCodesOfUnreachable(t *testing.T) {
	for typ, codes := range map[uint8]int{3: 16, 5: 4, 11: 2, 12: 3, 40: 6} {
		for code := range codes {
			if words := icmpx.CodeName(icmpx.IPv4, typ, uint8(code)); words == icmpx.CodeName(icmpx.IPv4, typ, 200) {
				t.Errorf("IPv4 %d/%d: %q", typ, code, words)
			}
		}
	}
	count := map[uint8]int{}
	for _, typ := range icmpx.Types(icmpx.IPv6) {
		count[typ.Type] = len(typ.Codes)
	}
	for typ, codes := range map[uint8]int{1: 10, 3: 2, 4: 11, 161: 5} {
		if count[typ] != codes {
			t.Errorf("IPv6 %d: %d codes, want %d", typ, count[typ], codes)
		}
	}
}
