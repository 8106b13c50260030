package packet_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// TestCompleteUnderPressure completes a datagram while the memory for fragments
// is used up: it must not be lost by making room for itself.
func TestCompleteUnderPressure(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 40000)
	data := make([]byte, 4000)
	f := newFeed()
	f.frame(part4(m, 7777, 0, 504))
	for id := uint16(0); id < 1000 && packet.Held(&f.d) < 4<<20-10_000; id++ {
		f.frame(ip4(icmpx.IPv4Header{Proto: 17, ID: id, FragOff: 8, MF: true}, data))
	}
	if f.d.Reassembly().Evicted != 0 {
		t.Fatal("there is no room left")
	}
	p := f.frame(part4(m, 7777, 504, len(m)))
	if !bytes.Equal(p.Message, m) || p.ICMP != icmpx.IPv4 || len(p.Fragments) != 2 {
		t.Errorf("%d of %d bytes, ICMP %v, fragments %v", len(p.Message), len(m), p.ICMP, p.Fragments)
	}
}

// TestVoidAfterComplete has a fragment come again that would have made its
// datagram too long: the datagram was complete, and is void now. What waits must
// still come to its end.
func TestVoidAfterComplete(t *testing.T) {
	whole := make([]byte, 65535)
	f := newFeed()
	f.frame(fragment6(58, 5, 0, true, whole[:40000]))
	if p := f.frame(fragment6(58, 5, 40000, false, whole[40000:])); p.Rebuilt != len(whole) {
		t.Fatalf("%d bytes were rebuilt: %v", p.Rebuilt, p.Problems)
	}
	again := []byte{44, 0, 1, 4, 0, 0, 0, 0, 58, 0, byte(40000 >> 8), byte(40000 & 0xff), 0, 0, 0, 5}
	p := f.frame(ip6(0, append(again, whole[40000:]...)))
	if len(p.Problems) != 1 || p.Problems[0].Code != packet.ProblemTooLong {
		t.Fatalf("problems: %v", p.Problems)
	}
	m := echo(icmpx.IPv6, 1, 1000)
	f.frame(part6(m, 6, 0, 504))
	f.at = f.at.Add(2 * time.Minute)
	f.frame(part6(m, 7, 0, 504))
	if p := f.frame(part6(m, 7, 504, len(m))); !bytes.Equal(p.Message, m) {
		t.Errorf("%d of %d bytes", len(p.Message), len(m))
	}
	if c := f.d.Reassembly(); c.Expired != 1 || c.Pending != 0 || c.Refused != 1 {
		t.Errorf("%+v", c)
	}
}

// TestTunnelPart reads the first fragment of a tunnel's packet: the message in
// it is a part of one, though its own header is that of no fragment.
func TestTunnelPart(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	inner := ip4(icmpx.IPv4Header{Proto: 1, ID: 3}, m)
	outer := func(lo, hi int) []byte {
		return ip4(icmpx.IPv4Header{Proto: 4, ID: 9, FragOff: lo, MF: hi < len(inner)}, inner[lo:hi])
	}
	f := newFeed()
	p := f.frame(outer(0, 504))
	if !p.Partial || p.Message == nil || p.MessageLen != len(m) || p.Checksum != packet.Unverified || len(p.Problems) > 0 {
		t.Errorf("first: %+v", p)
	}
	if p = f.frame(outer(504, len(inner))); p.Partial || !bytes.Equal(p.Message, m) || p.Checksum != packet.Good {
		t.Errorf("completed: partial %v, %d bytes", p.Partial, len(p.Message))
	}
	if p = f.frame(part4(m, 4, 0, 504)); !p.Partial || p.MessageLen != 0 {
		t.Errorf("plain fragment: partial %v, length %d", p.Partial, p.MessageLen)
	}
}

// TestRebuiltTwice rebuilds a fragment, and with it a datagram, in one frame:
// the header that was rebuilt first stays as it was.
func TestRebuiltTwice(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	inner1, inner2 := part4(m, 9, 0, 504), part4(m, 9, 504, 1008)
	f := newFeed()
	outer := func(id uint16, inner []byte, lo, hi int) []byte {
		return ip4(icmpx.IPv4Header{Proto: 4, ID: id, FragOff: lo, MF: hi < len(inner)}, inner[lo:hi])
	}
	long := echo(icmpx.IPv4, 2, 4000) // leaves a buffer in which all that follows has room
	f.frame(part4(long, 1, 0, 800))
	f.frame(part4(long, 1, 800, len(long)))
	f.frame(outer(1, inner1, 0, 400))
	f.frame(outer(1, inner1, 400, len(inner1)))
	f.frame(outer(2, inner2, 0, 400))
	p := f.frame(outer(2, inner2, 400, len(inner2)))
	if !bytes.Equal(p.Message, m) || !bytes.Equal(p.IP.Header, inner2[:20]) {
		t.Errorf("header % x, not % x", p.IP.Header, inner2[:20])
	}
	if binary.BigEndian.Uint16(p.IP.Header[4:]) != uint16(p.IP.ID) {
		t.Error("the header is not that of the fields")
	}
}

// TestTunnelFirstOfFirst rebuilds a tunnel's packet that holds the first
// fragment of another: the message is a part.
func TestTunnelFirstOfFirst(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	inner := part4(m, 9, 0, 504)
	f := newFeed()
	outer := func(lo, hi int) []byte {
		return ip4(icmpx.IPv4Header{Proto: 4, ID: 1, FragOff: lo, MF: hi < len(inner)}, inner[lo:hi])
	}
	f.frame(outer(0, 400))
	p := f.frame(outer(400, len(inner)))
	if !p.Partial || p.Fragments != nil || p.Rebuilt != 0 || p.Checksum != packet.Unverified {
		t.Errorf("partial %v, fragments %v, rebuilt %d, checksum %v", p.Partial, p.Fragments, p.Rebuilt, p.Checksum)
	}
}
