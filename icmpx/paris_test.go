package icmpx

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestFillerExhaustive has every natural checksum come out as each of some
// checksums that may be wanted, and every wanted one from some natural ones.
func TestFillerExhaustive(t *testing.T) {
	some := []int{1, 2, 0x7fff, 0x8000, 0x8001, 0xfffd, 0xfffe}
	check := func(word, want uint16) {
		b := []byte{byte(word >> 8), byte(word), 0, 0}
		setFiller(b, 0x2fffd, 2, want)
		if got := ChecksumFrom(0x2fffd, b); got != want {
			t.Fatalf("behind %#04x the filler makes %#04x, want %#04x", word, got, want)
		}
	}
	for v := range 1 << 16 {
		for _, s := range some {
			check(uint16(v), uint16(s))
			if v != 0 && v != 0xffff {
				check(uint16(s), uint16(v))
			}
		}
	}
}

func TestFillerOffset(t *testing.T) {
	want := []int{-1, -1, 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 8}
	for n, off := range want {
		if got := fillerOffset(n); got != off {
			t.Errorf("filler of %d bytes at %d, want %d", n, got, off)
		}
		if got := len(provenPayload(make([]byte, n), n)); n >= 10 && got != n || n < 10 && got != max(off, 0) && off >= 0 {
			t.Errorf("%d of %d bytes are proven", got, n)
		}
	}
	if n := len(provenPayload(make([]byte, 3), 9)); n != 3 {
		t.Errorf("%d bytes of a short quote are proven, want 3", n)
	}
}

var testFlows = []flow{
	{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2"), 40000, 33434, 0},
	{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::2"), 40001, 53, 0},
}

// TestParisUDP has all tags in both families, with payloads of all kinds of
// length: the checksum is the tag and right, and nothing else differs but the
// filler.
func TestParisUDP(t *testing.T) {
	for _, f := range testFlows {
		for _, n := range []int{2, 3, 8, 9, 10, 11, 32} {
			b := make([]byte, udpHeaderLen+n)
			r := Request{Token: 0x0102030405060708}
			for tag := 1; tag < 0xffff; tag++ {
				r.Key.Tag = uint32(tag)
				p := parisUDP{}.put(&f, b, &r)
				if got := int(binary.BigEndian.Uint16(b[6:])); got != tag {
					t.Fatalf("checksum %#04x, want %#04x", got, tag)
				}
				if c := ChecksumFrom(PseudoSum(f.src, f.dst, len(b), protoUDP), b); c != 0 {
					t.Fatalf("checksum of %d bytes is wrong by %#04x", n, c)
				}
				want := make([]byte, n)
				FillPayload(want, r.Token, nil)
				off := fillerOffset(n)
				copy(want[off:], p[off:off+fillerLen])
				if string(p) != string(want) {
					t.Fatalf("payload % x, want % x", p, want)
				}
			}
		}
	}
}

// TestPlainUDPChecksum is about packets whose checksum is not chosen: it is
// right, and never the 0 that says that there is none.
func TestPlainUDPChecksum(t *testing.T) {
	for _, f := range testFlows {
		seen := false
		for v := range 1 << 16 {
			b := make([]byte, udpHeaderLen+2)
			binary.BigEndian.PutUint16(b[8:], uint16(v))
			f.putUDP(b, 0)
			got := binary.BigEndian.Uint16(b[6:])
			if c := ChecksumFrom(PseudoSum(f.src, f.dst, len(b), protoUDP), b); got == 0 || c != 0 {
				t.Fatalf("checksum %#04x is wrong by %#04x", got, c)
			}
			seen = seen || got == 0xffff
		}
		if !seen {
			t.Error("no checksum was 0xffff")
		}
	}
}

// TestSYN has tags and payloads of all kinds: header and checksum are right, and
// the tag comes back from a quote and from either acknowledgement.
func TestSYN(t *testing.T) {
	for _, base := range []uint32{0, 1, 0x80000000, 0xffffffff, rand.Uint32()} {
		s := synTCP{base}
		for _, f := range testFlows {
			for _, n := range []int{20, 21, 23, 24, 60, 1480} {
				for _, tag := range []uint32{1, 2, 1000, 0x8000, 0xfffe, 0xffff} {
					checkSYN(t, s, f, n, tag)
				}
			}
		}
	}
}

func checkSYN(t *testing.T, s synTCP, f flow, n int, tag uint32) {
	t.Helper()
	b := make([]byte, n)
	payload := s.put(&f, b, &Request{Key: Key{Tag: tag}, Token: 0x0102030405060708})
	h, err := ParseTCPHeader(b)
	if err != nil || h.Flags != TCPSyn || h.SrcPort != f.sport || h.DstPort != f.dport || h.Len()+len(payload) != n {
		t.Fatalf("header %+v: %v", h, err)
	}
	if c := ChecksumFrom(PseudoSum(f.src, f.dst, n, protoTCP), b); c != 0 {
		t.Fatalf("checksum of %d bytes is wrong by %#04x", n, c)
	}
	if len(payload) >= 8 && binary.BigEndian.Uint64(payload) != 0x0102030405060708 {
		t.Errorf("payload % x has no token", payload[:8])
	}
	if got, ok := s.tag(&Quote{Seq: h.Seq}); got != tag || !ok {
		t.Errorf("quoted tag %d, %v, want %d", got, ok, tag)
	}
	if _, ok := s.tag(&Quote{Seq: h.Seq + 1}); ok {
		t.Errorf("tag taken from a sequence number of nobody")
	}
	for _, more := range []int{0, len(payload)} {
		if got, ok := s.answered(h.Seq + 1 + uint32(more)); got != tag || !ok {
			t.Errorf("with %d of %d bytes acknowledged, tag %d, %v, want %d", more, len(payload), got, ok, tag)
		}
	}
}

// TestIPHeaders parses what is written, but for what the kernel fills in.
func TestIPHeaders(t *testing.T) {
	b := make([]byte, 60)
	testFlows[0].putIP(b, ipFields{protoUDP, 7, 0xb8, 0x1234, true}, testFlows[0].dst, nil)
	binary.BigEndian.PutUint16(b[10:], Checksum(b[:20]))
	h, err := ParseIPv4Header(b)
	if err != nil || h.TOS != 0xb8 || h.TotalLen != 60 || h.ID != 0x1234 || !h.DF || h.TTL != 7 || h.Proto != protoUDP ||
		h.Src != testFlows[0].src || h.Dst != testFlows[0].dst {
		t.Errorf("IPv4 header %+v: %v", h, err)
	}
	b = make([]byte, 80)
	testFlows[1].putIP(b, ipFields{protoTCP, 7, 0xb8, 0, true}, testFlows[1].dst, nil)
	h6, err := ParseIPv6Header(b)
	if err != nil || h6.TrafficClass != 0xb8 || h6.PayloadLen != 40 || h6.HopLimit != 7 || h6.Proto != protoTCP ||
		h6.FlowLabel != testFlows[1].label() || h6.Src != testFlows[1].src || h6.Dst != testFlows[1].dst {
		t.Errorf("IPv6 header %+v: %v", h6, err)
	}
}

func TestSourceRoute(t *testing.T) {
	gateways := []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("192.0.2.10")}
	f := testFlows[0]
	route := appendSourceRoute(nil, gateways, f.dst)
	if len(route) != sourceRouteLen(len(gateways)) {
		t.Errorf("source route of %d bytes, want %d", len(route), sourceRouteLen(len(gateways)))
	}
	b := make([]byte, 20+len(route)+8)
	f.putIP(b, ipFields{proto: protoUDP, ttl: 1}, gateways[0], route)
	binary.BigEndian.PutUint16(b[10:], Checksum(b[:20+len(route)]))
	h, err := ParseIPv4Header(b)
	if err != nil || h.Dst != gateways[0] || h.Len() != len(b)-8 {
		t.Fatalf("header %+v: %v", h, err)
	}
	want := "\x01\x83\x0b\x04" + "\xc0\x00\x02\x0a" + "\xc6\x33\x64\x02"
	if string(h.Options) != want {
		t.Errorf("options % x, want % x", h.Options, want)
	}
}

// TestEchoFiller has all sequence numbers: the checksum is that of the path, and
// the reply has its payload back, unless it was damaged.
func TestEchoFiller(t *testing.T) {
	for _, family := range []Family{IPv4, IPv6} {
		for _, id := range []uint16{0, 1, 0x1234, 0xfffe, 0xffff} {
			for _, pattern := range [][]byte{nil, {0xaa}, {1, 2, 3}} {
				checkEchoFiller(t, family, id, uint16(rand.N(maxPaths)), pattern)
			}
		}
	}
}

func checkEchoFiller(t *testing.T, family Family, id, path uint16, pattern []byte) {
	t.Helper()
	e := newEchoFiller(family)
	r := Request{Path: path, Token: rand.Uint64(), Pattern: pattern}
	want := make([]byte, 32)
	FillPayload(want, r.Token, pattern)
	for seq := range 1 << 16 {
		b := make([]byte, headerLen+len(want))
		FillPayload(b[headerLen:], r.Token, pattern)
		PutEcho(b, family.row().echoRequest, 0, id, uint16(seq))
		e.hold(b, &r)
		binary.BigEndian.PutUint16(b[2:], 0)
		if got := Checksum(b); got != echoChecksum(id, path) {
			t.Fatalf("checksum %#04x, want %#04x", got, echoChecksum(id, path))
		}
		if string(b[headerLen:headerLen+8]) != string(want[:8]) {
			t.Fatalf("the token is gone")
		}
		b[0] = family.row().echoReply
		damaged := append([]byte(nil), b...)
		damaged[20] ^= 0x40
		before := string(damaged)
		if e.release(damaged); string(damaged) != before {
			t.Fatalf("a damaged reply was changed")
		}
		if e.release(b); string(b[headerLen:]) != string(want) {
			t.Fatalf("payload % x, want % x", b[headerLen:], want)
		}
	}
}

func TestEchoChecksum(t *testing.T) {
	for id := range 1 << 16 {
		a, b := echoChecksum(uint16(id), 0), echoChecksum(uint16(id), maxPaths-1)
		if a == 0 || a == 0xffff || b == 0 || b == 0xffff || a == b {
			t.Fatalf("identifier %#04x: checksums %#04x and %#04x", id, a, b)
		}
	}
}
