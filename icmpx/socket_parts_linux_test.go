package icmpx

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// packet4 is an IPv4 packet with the given header words and payload.
func packet4(ihl int, proto byte, payload ...byte) []byte {
	b := make([]byte, ihl*4)
	b[0], b[8], b[9] = 0x40|byte(ihl), 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(payload)))
	copy(b[12:], []byte{192, 0, 2, 1, 198, 51, 100, 1})
	binary.BigEndian.PutUint16(b[10:], Checksum(b))
	return append(b, payload...)
}

func packet6(proto byte, payload ...byte) []byte {
	b := make([]byte, 40)
	b[0], b[6], b[7], b[39] = 0x60, proto, 64, 1
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	return append(b, payload...)
}

func query8(typ byte, id, seq uint16) []byte {
	b := make([]byte, 16)
	PutEcho(b, typ, 0, id, seq)
	return b
}

func about(typ byte, quote []byte) []byte {
	return append([]byte{typ, 0, 0, 0, 0, 0, 0, 0}, quote...)
}

func TestIDFilter(t *testing.T) {
	const id, other = 0x1234, 0x4321
	tests := []struct {
		name string
		f    Family
		msg  []byte
		pass bool
	}{
		{"own reply", IPv4, packet4(5, 1, query8(0, id, 1)...), true},
		{"own reply behind options", IPv4, packet4(8, 1, query8(0, id, 1)...), true},
		{"other reply", IPv4, packet4(5, 1, query8(0, other, 1)...), false},
		{"own request", IPv4, packet4(5, 1, query8(8, id, 1)...), false},
		{"timestamp reply", IPv4, packet4(5, 1, query8(14, id, 1)...), true},
		{"information reply", IPv4, packet4(5, 1, query8(16, id, 1)...), true},
		{"mask reply", IPv4, packet4(5, 1, query8(18, id, 1)...), true},
		{"extended echo reply", IPv4, packet4(5, 1, query8(43, id, 1)...), true},
		{"router advertisement", IPv4, packet4(5, 1, query8(9, id, 1)...), false},
		{"photuris", IPv4, packet4(5, 1, query8(40, id, 1)...), false},
		{"error about own", IPv4, packet4(5, 1, about(11, packet4(5, 1, query8(8, id, 1)...))...), true},
		{"error behind options about own", IPv4, packet4(7, 1, about(3, packet4(5, 1, query8(8, id, 1)...))...), true},
		{"error about other", IPv4, packet4(5, 1, about(11, packet4(5, 1, query8(8, other, 1)...))...), false},
		{"error about UDP", IPv4, packet4(5, 1, about(3, packet4(5, 17, query8(8, id, 1)...))...), false},
		{"error about a packet with options", IPv4, packet4(5, 1, about(3, packet4(6, 1, query8(8, other, 1)...))...), true},
		{"redirect about own", IPv4, packet4(5, 1, about(5, packet4(5, 1, query8(8, id, 1)...))...), true},
		{"source quench about own", IPv4, packet4(5, 1, about(4, packet4(5, 1, query8(8, id, 1)...))...), true},
		{"parameter problem about own", IPv4, packet4(5, 1, about(12, packet4(5, 1, query8(8, id, 1)...))...), true},
		{"error with a short quote", IPv4, packet4(5, 1, about(11, packet4(5, 1, 8, 0, 0, 0))...), false},
		{"header alone", IPv4, packet4(5, 1), false},

		{"own reply", IPv6, query8(129, id, 1), true},
		{"other reply", IPv6, query8(129, other, 1), false},
		{"own request", IPv6, query8(128, id, 1), false},
		{"extended echo reply", IPv6, query8(161, id, 1), true},
		{"neighbour solicitation", IPv6, query8(135, id, 1), false},
		{"error about own", IPv6, about(3, packet6(58, query8(128, id, 1)...)), true},
		{"too big about own", IPv6, about(2, packet6(58, query8(128, id, 1)...)), true},
		{"unreachable about other", IPv6, about(1, packet6(58, query8(128, other, 1)...)), false},
		{"error about UDP", IPv6, about(1, packet6(17, query8(128, id, 1)...)), false},
		{"error about TCP", IPv6, about(1, packet6(6, query8(128, id, 1)...)), false},
		{"error about a fragment", IPv6, about(3, packet6(44, 58, 0, 0, 0, 0, 0, 0, 0)), true},
		{"error with a short quote", IPv6, about(3, packet6(58, 128, 0)), false},
	}
	for _, tt := range tests {
		t.Run(tt.f.String()+" "+tt.name, func(t *testing.T) {
			vm, err := bpf.NewVM(idFilter(tt.f, id))
			if err != nil {
				t.Fatal(err)
			}
			n, err := vm.Run(tt.msg)
			if err != nil || (n > 0) != tt.pass {
				t.Errorf("passes %d bytes, %v, want pass %v", n, err, tt.pass)
			}
		})
	}
}

func TestFindSent(t *testing.T) {
	const id = 0x1234
	echo4, echo6 := packet4(5, 1, query8(8, id, 7)...), packet6(58, query8(128, id, 0)...)
	for _, tt := range []struct {
		name string
		f    Family
		b    []byte
		want Key
		ok   bool
	}{
		{"bare", IPv4, echo4, Key{id, 7}, true},
		{"ethernet", IPv4, append(make([]byte, 14), echo4...), Key{id, 7}, true},
		{"vlan", IPv4, append(make([]byte, 18), echo4...), Key{id, 7}, true},
		{"odd", IPv4, append([]byte{0x45, 0x45, 0x45}, echo4...), Key{id, 7}, true},
		{"options", IPv4, packet4(9, 1, query8(8, id, 7)...), Key{id, 7}, true},
		{"other id", IPv4, packet4(5, 1, query8(8, 1, 7)...), Key{}, false},
		{"reply", IPv4, packet4(5, 1, query8(0, id, 7)...), Key{}, false},
		{"wrong header checksum", IPv4, append([]byte{echo4[0], 1}, echo4[2:]...), Key{}, false},
		{"cut short", IPv4, echo4[:24], Key{}, false},
		{"nothing", IPv4, nil, Key{}, false},
		{"too far", IPv4, append(make([]byte, maxLinkHeader+1), echo4...), Key{}, false},
		{"bare", IPv6, echo6, Key{id, 65536}, true},
		{"ethernet", IPv6, append(make([]byte, 14), echo6...), Key{id, 65536}, true},
		{"first fragment", IPv6, packet6(44, append([]byte{58, 0, 0, 1, 0, 0, 0, 0}, query8(128, id, 2)...)...), Key{id, 2}, true},
		{"later fragment", IPv6, packet6(44, append([]byte{58, 0, 1, 0, 0, 0, 0, 0}, query8(128, id, 2)...)...), Key{}, false},
		{"extended echo", IPv6, packet6(58, query8(160, id, 0x0500)...), Key{id, 5}, true},
	} {
		t.Run(tt.f.String()+" "+tt.name, func(t *testing.T) {
			key, dst, ok := findSent(tt.f, tt.b, id)
			if ok != tt.ok || key != tt.want || ok && !dst.IsValid() {
				t.Errorf("got %v to %v, %v, want %v, %v", key, dst, ok, tt.want, tt.ok)
			}
		})
	}
}

// TestStampRing wraps the ring: a number is good once, and not after its slot
// was given to another.
func TestStampRing(t *testing.T) {
	var r stampRing
	if _, _, _, ok := r.take(0); ok {
		t.Error("an empty ring knows a number")
	}
	dsts := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	for _, dst := range dsts {
		id := r.put(Key{1, 2}, dst, 3)
		key, got, scope, ok := r.take(id)
		if !ok || key != (Key{1, 2}) || got != dst.Unmap() || scope != 3 {
			t.Errorf("took %v to %v scope %d, %v", key, got, scope, ok)
		}
		if _, _, _, ok := r.take(id); ok {
			t.Error("a number is good twice")
		}
	}
	old := r.put(Key{1, 1}, dsts[0], 0)
	for range stampSlots {
		r.put(Key{1, 2}, dsts[0], 0)
	}
	if _, _, _, ok := r.take(old); ok {
		t.Error("a number is good after its slot was taken")
	}
}

// TestParseControl has lengths in ancillary data lie.
func TestParseControl(t *testing.T) {
	good := make([]byte, 3*wordSpace)
	rest := putWord(good, unix.SOL_IP, unix.IP_TTL, 55)
	rest = putWord(rest, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 9)
	putWord(rest, unix.SOL_IP, unix.IP_RECVFRAGSIZE, 1400)
	var a arrival
	a.parseControl(IPv4.sock(), good)
	if a.ttl != 55 || a.drops != 9 || a.frag != 1400 {
		t.Errorf("got %+v", a)
	}
	for n := range good {
		var a arrival
		a.parseControl(IPv4.sock(), good[:n])
		if n < wordSpace-4 && a.ttl != 0 {
			t.Errorf("%d bytes give %+v", n, a)
		}
	}
	for _, typ := range []int{unix.IP_TTL, unix.IP_TOS, unix.IP_PKTINFO, unix.IP_RECVERR, unix.IP_RECVFRAGSIZE} {
		for n := range 12 { // data too short for the type
			b := make([]byte, unix.CmsgSpace(16))
			putHeader(b, unix.SOL_IP, typ, n)
			var a arrival
			a.parseControl(IPv4.sock(), b)
		}
	}
	for _, size := range []uint64{0, 1, 15, 1 << 20, 1 << 63} { // of the header itself
		b := make([]byte, 2*wordSpace)
		putWord(b, unix.SOL_IP, unix.IP_TTL, 55)
		binary.NativeEndian.PutUint64(b, size)
		var a arrival
		a.parseControl(IPv4.sock(), b)
		if a.ttl != 0 {
			t.Errorf("length %d gives %+v", size, a)
		}
	}
}

func TestParseSockaddr(t *testing.T) {
	var s sockaddr
	for _, want := range []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1")} {
		n := putSockaddr(&s, want, 4711, 5)
		b := sockaddrBytes(&s, n)
		got, port, scope := parseSockaddr(b)
		if got != want || port != 4711 || want.Is6() && scope != 5 {
			t.Errorf("got %v port %d scope %d, want %v", got, port, scope, want)
		}
		for i := range 8 {
			if got, _, _ := parseSockaddr(b[:i]); got.IsValid() {
				t.Errorf("%d bytes give %v", i, got)
			}
		}
	}
	if got, _, _ := parseSockaddr(make([]byte, 28)); got.IsValid() {
		t.Errorf("no family gives %v", got)
	}
}

func TestIPv4Payload(t *testing.T) {
	for _, tt := range []struct {
		b    []byte
		want int
	}{
		{packet4(5, 1, 1, 2, 3), 3},
		{packet4(15, 1, 1, 2, 3), 3},
		{packet4(5, 1), 0},
		{packet4(6, 1)[:20], -1},
		{packet4(5, 1)[:19], -1},
		{append([]byte{0x44}, packet4(5, 1)[1:]...), -1},
		{append([]byte{0x65}, packet4(5, 1)[1:]...), -1},
		{nil, -1},
	} {
		got := ipv4Payload(tt.b)
		if (got == nil) != (tt.want < 0) || got != nil && len(got) != tt.want {
			t.Errorf("% x gives % x, want %d bytes", tt.b, got, tt.want)
		}
	}
}

func TestClockOffset(t *testing.T) {
	now := time.Now()
	c := clock{now.Add(-time.Hour)}
	if got := c.offset(now); got != 0 {
		t.Errorf("offset is %v without a step", got)
	}
	stepped := clock{now.Round(0)} // without a monotonic reading Sub is by the wall clock
	if got := stepped.offset(now.Add(time.Second)); got != 0 {
		t.Errorf("offset is %v by the wall clock alone", got)
	}
}
