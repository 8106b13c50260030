package probe

import (
	"net/netip"
	"testing"
)

// The key of the SipHash paper. The values come from an implementation in
// another language that gives the paper's own vector.
var paperKey = identity{[2]uint64{0x0706050403020100, 0x0f0e0d0c0b0a0908}}

func TestToken(t *testing.T) {
	tests := []struct {
		dst    string
		flow   uint32
		number uint64
		want   uint64
	}{
		{"192.0.2.1", 0, 1, 0xb288cbd572d7da43},
		{"192.0.2.1", 7, 1, 0x353712ee2fa32252},
		{"::ffff:192.0.2.1", 7, 1, 0x353712ee2fa32252},
		{"192.0.2.1", 1<<32 - 1, 65537, 0x75823dee9b4d04cc},
		{"2001:db8::1", 7, 1, 0xc3fbea9d8a162adb},
		{"fe80::1", 7, 1<<64 - 1, 0x21f37f8f341ce5ff},
		{"fe80::1%eth0", 7, 1<<64 - 1, 0x21f37f8f341ce5ff},
	}
	for _, tt := range tests {
		if got := paperKey.token(netip.MustParseAddr(tt.dst), tt.flow, tt.number); got != tt.want {
			t.Errorf("token(%s, %d, %d) = %#x, want %#x", tt.dst, tt.flow, tt.number, got, tt.want)
		}
	}
}

func TestTokenDoesNotAllocate(t *testing.T) {
	dst := netip.MustParseAddr("fe80::1%eth0")
	if n := testing.AllocsPerRun(100, func() { paperKey.token(dst, 1, 7) }); n != 0 {
		t.Errorf("token allocates %v times", n)
	}
}

func TestNewIdentity(t *testing.T) {
	if a, b := newIdentity(), newIdentity(); a == b || a.key[0] == a.key[1] {
		t.Errorf("newIdentity gave %x, then %x", a.key, b.key)
	}
}

func BenchmarkToken(b *testing.B) {
	dst := netip.MustParseAddr("2001:db8::1")
	b.ReportAllocs()
	for i := range b.N {
		paperKey.token(dst, 1, uint64(i))
	}
}
