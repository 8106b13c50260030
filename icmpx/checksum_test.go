package icmpx_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// plainChecksum is RFC 1071 section 4.1 word for word.
func plainChecksum(sum uint64, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) > 0 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func TestChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 2100)
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	ones := make([]byte, 65535)
	for i := range ones {
		ones[i] = 0xff
	}
	for n := range 600 {
		for off := range 9 {
			b := random[off : off+n]
			if got, want := icmpx.Checksum(b), plainChecksum(0, b); got != want {
				t.Fatalf("%d bytes at %d: got %#04x, want %#04x", n, off, got, want)
			}
			sum := rng.Uint32()
			if got, want := icmpx.ChecksumFrom(sum, b), plainChecksum(uint64(sum), b); got != want {
				t.Fatalf("%d bytes at %d from %#x: got %#04x, want %#04x", n, off, sum, got, want)
			}
		}
	}
	for _, n := range []int{1, 2, 8, 31, 32, 33, 65534, 65535} {
		if got, want := icmpx.Checksum(ones[:n]), plainChecksum(0, ones[:n]); got != want {
			t.Errorf("%d bytes of ones: got %#04x, want %#04x", n, got, want)
		}
	}
}

func TestChecksumOfMessages(t *testing.T) {
	tests := []struct {
		name     string
		src, dst string
		proto    uint8
		msg      string
	}{
		{"UDP", "10.0.0.1", "10.0.0.2", 17, "9c40829a001056ba68656c6c6f313233"},
		{"ICMPv6", "::1", "::1", 58, "80001eb70001000261"},
		{"ICMPv6 too big", "fe80::1%eth0", "fe80::2", 58, "02009b9000000500 6000000000000000" +
			"0000000000000000000000000000000000000000000000000000000000000000"},
	}
	for _, tt := range tests {
		b := unhex(tt.msg)
		sum := icmpx.PseudoSum(netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.dst), len(b), tt.proto)
		if got := icmpx.ChecksumFrom(sum, b); got != 0 {
			t.Errorf("%s: sums to %#04x, want 0", tt.name, got)
		}
		b[len(b)-1] ^= 1
		if got := icmpx.ChecksumFrom(sum, b); got == 0 {
			t.Errorf("%s: a flipped bit goes unseen", tt.name)
		}
	}
}

func BenchmarkChecksum1500(b *testing.B) {
	data := make([]byte, 1480)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		icmpx.Checksum(data)
	}
}
