package icmpx_test

import (
	"bytes"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

func TestPutEcho(t *testing.T) {
	tests := []struct {
		name    string
		typ     uint8
		payload string
		id, seq uint16
		want    string
	}{
		{"IPv4", 8, "0001020304050607", 0x1234, 1, "0800d9ba123400010001020304050607"},
		{"IPv4, odd", 8, "61", 1, 2, "080096fc0001000261"},
		{"IPv6 leaves the checksum to the kernel", 128, "61", 1, 2, "800000000001000261"},
	}
	for _, tt := range tests {
		b := append(bytes.Repeat([]byte{0xee}, 8), unhex(tt.payload)...)
		icmpx.PutEcho(b, tt.typ, 0, tt.id, tt.seq)
		if want := unhex(tt.want); !bytes.Equal(b, want) {
			t.Errorf("%s: got %x, want %x", tt.name, b, want)
		}
	}
}

func TestFillPayload(t *testing.T) {
	const token = 0x0102030405060708
	tests := []struct {
		name    string
		n       int
		pattern string
		want    string
	}{
		{"empty", 0, "", ""},
		{"part of the token", 3, "", "010203"},
		{"the token", 8, "ff", "0102030405060708"},
		{"default pattern", 12, "", "010203040506070808090a0b"},
		{"one byte of pattern", 12, "ff", "0102030405060708ffffffff"},
		{"pattern that does not divide", 15, "aabbcc", "0102030405060708aabbccaabbccaa"},
		{"pattern longer than the payload", 10, "aabbcc", "0102030405060708aabb"},
	}
	for _, tt := range tests {
		b := make([]byte, tt.n)
		icmpx.FillPayload(b, token, unhex(tt.pattern))
		if want := unhex(tt.want); !bytes.Equal(b, want) {
			t.Errorf("%s: got %x, want %x", tt.name, b, want)
		}
	}
	for _, n := range []int{263, 264, 265, 1000, 65507} {
		long, patterned := make([]byte, n), make([]byte, n)
		icmpx.FillPayload(long, token, nil)
		icmpx.FillPayload(patterned, token, []byte("abc"))
		for i := 8; i < n; i++ {
			if long[i] != byte(i) || patterned[i] != "abc"[(i-8)%3] {
				t.Fatalf("%d bytes: byte %d is %#x and %#x", n, i, long[i], patterned[i])
			}
		}
	}
}
