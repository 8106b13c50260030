package icmpx

import (
	"bytes"
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

// TestFragmentPacket6 does so too: hop-by-hop options lead each fragment.
func TestFragmentPacket6(t *testing.T) {
	alert := IPv6Extension{Type: protoHopByHop, Data: []byte{0, 5, 2, 0, 0, 1, 0}}
	for _, exts := range [][]IPv6Extension{nil, {alert}} {
		whole := rawPacket(t, IPv6, 4000, false, exts...)
		list, err := fragmentPacket(whole, 1280, 0x1234)
		if err != nil || len(list) != 4 {
			t.Fatalf("%d fragments, %v", len(list), err)
		}
		var data []byte
		for i, p := range list {
			h, err := ParseIPv6Header(p)
			if err != nil || h.PayloadLen != len(p)-40 || len(p) > 1280 || len(h.Extensions) != len(exts)+1 {
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
	for _, tt := range []struct {
		name string
		b    []byte
		mtu  int
		err  error
	}{
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
