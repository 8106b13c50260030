package icmpx

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"
)

// rawPacket returns a packet with n bytes behind its headers.
func rawPacket(t *testing.T, f Family, n int, df bool, exts ...IPv6Extension) []byte {
	t.Helper()
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i)
	}
	var b []byte
	var err error
	if f == IPv6 {
		h := IPv6Header{HopLimit: 9, Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2"), Proto: protoICMPv6, Extensions: exts}
		h.PayloadLen = h.Len() - IPv6.HeaderLen() + n
		b, err = h.AppendBinary(nil)
	} else {
		h := IPv4Header{TTL: 9, ID: 7, DF: df, Proto: protoICMP, TotalLen: 24 + n, Options: []byte{148, 4, 0, 0},
			Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
		b, err = h.AppendBinary(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(b, data...)
}

// TestFragmentPacket4 puts the fragments of packets together again.
func TestFragmentPacket4(t *testing.T) {
	for _, n := range []int{1, 8, 551, 552, 553, 4000} {
		whole := rawPacket(t, IPv4, n, false)
		list, err := fragmentPacket(whole, 576, 0)
		if err != nil {
			t.Fatal(err)
		}
		var data []byte
		for i, p := range list {
			h, err := ParseIPv4Header(p)
			if err != nil || h.TotalLen != len(p) || len(p) > 576 || h.FragOff != len(data) || h.MF != (i < len(list)-1) || h.ID != 7 || len(h.Options) != 4 {
				t.Errorf("%d bytes: fragment %d: %+v, %v", n, i, h, err)
			}
			data = append(data, p[h.Len():]...)
		}
		if !bytes.Equal(data, whole[24:]) {
			t.Errorf("%d bytes: got %x", n, data)
		}
	}
}

// TestFragmentOptions has options that are not copied in the first fragment alone.
func TestFragmentOptions(t *testing.T) {
	h := IPv4Header{TTL: 9, Proto: protoICMP, TotalLen: 2032, Options: []byte{7, 3, 4, 148, 4, 0, 0, 7, 3, 4, 0, 0},
		Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
	b, err := h.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := fragmentPacket(append(b, make([]byte, 2000)...), 1500, 0xabcd0000)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d fragments, %v", len(list), err)
	}
	for i, want := range [][]byte{h.Options, {1, 1, 1, 148, 4, 0, 0, 1, 1, 1, 0, 0}} {
		got, err := ParseIPv4Header(list[i])
		if err != nil || !bytes.Equal(got.Options, want) || got.ID != 1 {
			t.Errorf("fragment %d: %+v, %v: want one identification that is not 0, and options %x", i, got, err, want)
		}
	}
}

// TestFragmentFragment splits a part of a packet further.
func TestFragmentFragment(t *testing.T) {
	h := IPv4Header{TTL: 9, ID: 7, Proto: protoICMP, TotalLen: 1020, MF: true, FragOff: 4096,
		Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
	b, err := h.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := fragmentPacket(append(b, make([]byte, 1000)...), 576, 0)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d fragments, %v", len(list), err)
	}
	for i, off := range []int{4096, 4096 + 552} {
		if got, err := ParseIPv4Header(list[i]); err != nil || got.FragOff != off || !got.MF || got.ID != 7 {
			t.Errorf("fragment %d: %+v, %v", i, got, err)
		}
	}
}

// TestFragmentPacket6 does so too: hop-by-hop options, and all headers up to the
// routing header, lead each fragment.
func TestFragmentPacket6(t *testing.T) {
	alert := IPv6Extension{Type: protoHopByHop, Data: []byte{0, 5, 2, 0, 0, 1, 0}}
	options := IPv6Extension{Type: protoDestOpts, Data: []byte{0, 1, 4, 0, 0, 0, 0}}
	route := IPv6Extension{Type: protoRouting, Data: append([]byte{2, 4, 0, 0, 0, 0, 0}, make([]byte, 16)...)}
	for _, exts := range [][]IPv6Extension{nil, {alert}, {alert, options, route}, {route}} {
		whole := rawPacket(t, IPv6, 4000, false, exts...)
		list, err := fragmentPacket(whole, 1280, 0x1234)
		if err != nil || len(list) != 4 {
			t.Fatalf("%d fragments, %v", len(list), err)
		}
		var data []byte
		for i, p := range list {
			h, err := ParseIPv6Header(p)
			last := len(h.Extensions) - 1
			if err != nil || h.Extensions[last].Type != protoFragment || h.PayloadLen != len(p)-40 || len(p) > 1280 || len(h.Extensions) != len(exts)+1 {
				t.Fatalf("fragment %d: %+v, %v", i, h, err)
			}
			q, err := ParseQuote(p, IPv6)
			if err != nil || int(q.FragOff) != len(data) || q.MF != (i < len(list)-1) || h.Proto != protoICMPv6 {
				t.Errorf("fragment %d: %+v, %v", i, q, err)
			}
			data = append(data, p[h.Len():]...)
		}
		if !bytes.Equal(data, whole[len(whole)-4000:]) {
			t.Errorf("got %x", data)
		}
	}
}

func TestFragmentPacketRefuses(t *testing.T) {
	part := IPv6Extension{Type: protoFragment, Data: []byte{0, 0, 1, 0, 0, 0, 7}}
	for _, tt := range []struct {
		name string
		b    []byte
		mtu  int
		err  error
	}{
		{"too long", append(rawPacket(t, IPv4, 100, false), make([]byte, 1<<16)...), 1500, ErrLength},
		{"too long in IPv6", append(rawPacket(t, IPv6, 100, false), make([]byte, 1<<16)...), 1500, ErrLength},
		{"a fragment in IPv6", rawPacket(t, IPv6, 2000, false, part), 1280, ErrLength},
		{"DF", rawPacket(t, IPv4, 100, true), 68, ErrLength},
		{"no room", rawPacket(t, IPv4, 100, false), 24, ErrLength},
		{"no room in IPv6", rawPacket(t, IPv6, 100, false), 48, ErrLength},
		{"nothing", nil, 68, ErrTruncated},
		{"half a header", []byte{0x60, 0}, 68, ErrTruncated},
	} {
		if list, err := fragmentPacket(tt.b, tt.mtu, 1); !errors.Is(err, tt.err) {
			t.Errorf("%s: %d fragments, %v", tt.name, len(list), err)
		}
	}
}

func TestRawConfig(t *testing.T) {
	for _, cfg := range []RawConfig{{}, {Family: 5}, {Family: IPv4, Source: netip.IPv6Loopback()}} {
		if cfg.validate() == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
}

// FuzzFragmentPacket splits what need not be a packet: fragments fit, and hold
// all that is behind the header, once and in order.
func FuzzFragmentPacket(f *testing.F) {
	f.Add(unhexed("4500001c000000004001b6dec0000201c0000202080000000000000000000000"), 28)
	f.Add(append(unhexed("60000000002000400000000000000000000000000000000100000000000000000000000000000001"), make([]byte, 32)...), 64)
	f.Fuzz(func(t *testing.T, b []byte, mtu int) {
		list, err := fragmentPacket(b, mtu, 7)
		if err != nil {
			return
		}
		var data []byte
		head, at := 0, 0 // of IPv6 fragments
		if h, err := ParseIPv6Header(b); err == nil {
			end, next, _ := h.repeated()
			head, at = end+fragmentHeaderLen, next
		}
		for _, p := range list {
			if len(p) > mtu {
				t.Errorf("a fragment of %d bytes, at most %d fit", len(p), mtu)
			}
			n := int(p[0]&0x0f) * 4
			if Family(p[0]>>4) != IPv6 {
				if _, err := ParseIPv4Header(p); err != nil {
					t.Fatalf("fragment %x: %v", p, err)
				}
			} else if n = head; p[at] != protoFragment {
				t.Fatalf("fragment %x has no fragment header at %d", p, head)
			}
			data = append(data, p[n:]...)
		}
		if !bytes.HasSuffix(b, data) || len(list) == 0 && len(data) != 0 {
			t.Errorf("%x became %x", b, list)
		}
	})
}

func unhexed(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
