package icmpx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

func TestIPv4Header(t *testing.T) {
	tests := []struct {
		name string
		h    icmpx.IPv4Header
		want string
	}{
		{"golden", icmpx.IPv4Header{TotalLen: 28, ID: 7, TTL: 1, Proto: 17,
			Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Options: []byte{}}, quote28[:40]},
		{"all", icmpx.IPv4Header{TOS: 0xb8, TotalLen: 65535, ID: 65535, DF: true, MF: true, FragOff: 65528, TTL: 255, Proto: 1,
			Src: addr4a, Dst: addr4b, Options: bytes.Repeat([]byte{1}, 40)}, ""},
		{"record route", icmpx.IPv4Header{TotalLen: 60, TTL: 64, Proto: 1, Src: addr4a, Dst: addr4b,
			Options: unhex("0707 04 00000000 00")}, ""},
	}
	for _, tt := range tests {
		b, err := tt.h.AppendBinary([]byte("before"))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		b = b[len("before"):]
		if tt.want != "" && !bytes.Equal(b, unhex(tt.want)) {
			t.Errorf("%s: got %x, want %s", tt.name, b, tt.want)
		}
		got, err := icmpx.ParseIPv4Header(append(b, 1, 2, 3))
		if err != nil || !reflect.DeepEqual(got, tt.h) || got.Len() != len(b) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", tt.name, err, got, tt.h)
		}
	}
}

func TestIPv4HeaderRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func([]byte) []byte
		offset int
		want   error
	}{
		{"19 bytes", func(b []byte) []byte { return b[:19] }, 19, icmpx.ErrTruncated},
		{"version", func(b []byte) []byte { b[0] = 0x56; return b }, 0, icmpx.ErrVersion},
		{"IHL 4", func(b []byte) []byte { b[0] = 0x44; return b }, 0, icmpx.ErrLength},
		{"IHL 15", func(b []byte) []byte { b[0] = 0x4f; return b }, 24, icmpx.ErrTruncated},
		{"total length", func(b []byte) []byte { b[2], b[3] = 0, 23; return b }, 2, icmpx.ErrLength},
		{"reserved flag", func(b []byte) []byte { b[6] = 0x80; return b }, 6, icmpx.ErrReserved},
		{"checksum", func(b []byte) []byte { b[10] ^= 1; return b }, 10, icmpx.ErrChecksum},
		{"option of 0", func(b []byte) []byte { b[21] = 0; return b }, 20, icmpx.ErrLength},
		{"option of 1", func(b []byte) []byte { b[21] = 1; return b }, 20, icmpx.ErrLength},
		{"option beyond", func(b []byte) []byte { b[21] = 5; return b }, 20, icmpx.ErrLength},
		{"option of one byte", func(b []byte) []byte { copy(b[20:], []byte{1, 1, 1, 7}); return b }, 23, icmpx.ErrTruncated},
	}
	for _, tt := range tests {
		h := icmpx.IPv4Header{TotalLen: 24, Src: addr4a, Dst: addr4b, Options: unhex("94040000")}
		b, err := h.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = icmpx.ParseIPv4Header(tt.change(b))
		pe, ok := errors.AsType[*icmpx.ParseError](err)
		if !ok || pe.Offset != tt.offset || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v at %d", tt.name, err, tt.want, tt.offset)
		}
	}
}

func TestHeadersRefuseToMarshal(t *testing.T) {
	v4 := icmpx.IPv4Header{TotalLen: 60, Src: addr4a, Dst: addr4b}
	v6 := icmpx.IPv6Header{Src: addr6a, Dst: addr6b}
	with4 := func(change func(*icmpx.IPv4Header)) func() ([]byte, error) {
		h := v4
		change(&h)
		return func() ([]byte, error) { return h.AppendBinary(nil) }
	}
	with6 := func(change func(*icmpx.IPv6Header)) func() ([]byte, error) {
		h := v6
		change(&h)
		return func() ([]byte, error) { return h.AppendBinary(nil) }
	}
	tests := []struct {
		name string
		do   func() ([]byte, error)
		want error
	}{
		{"41 bytes of options", with4(func(h *icmpx.IPv4Header) { h.Options = make([]byte, 44) }), icmpx.ErrLength},
		{"3 bytes of options", with4(func(h *icmpx.IPv4Header) { h.Options = make([]byte, 3) }), icmpx.ErrLength},
		{"total length 19", with4(func(h *icmpx.IPv4Header) { h.TotalLen = 19 }), icmpx.ErrLength},
		{"total length 65536", with4(func(h *icmpx.IPv4Header) { h.TotalLen = 65536 }), icmpx.ErrLength},
		{"fragment offset 4", with4(func(h *icmpx.IPv4Header) { h.FragOff = 4 }), icmpx.ErrLength},
		{"fragment offset 65536", with4(func(h *icmpx.IPv4Header) { h.FragOff = 65536 }), icmpx.ErrLength},
		{"fragment offset -8", with4(func(h *icmpx.IPv4Header) { h.FragOff = -8 }), icmpx.ErrLength},
		{"IPv6 source", with4(func(h *icmpx.IPv4Header) { h.Src = addr6a }), icmpx.ErrVersion},
		{"no destination", with4(func(h *icmpx.IPv4Header) { h.Dst = netip.Addr{} }), icmpx.ErrVersion},
		{"flow label", with6(func(h *icmpx.IPv6Header) { h.FlowLabel = 1 << 20 }), icmpx.ErrLength},
		{"payload length", with6(func(h *icmpx.IPv6Header) { h.PayloadLen = 65536 }), icmpx.ErrLength},
		{"payload length -1", with6(func(h *icmpx.IPv6Header) { h.PayloadLen = -1 }), icmpx.ErrLength},
		{"IPv4 source", with6(func(h *icmpx.IPv6Header) { h.Src = addr4a }), icmpx.ErrVersion},
		{"nine extension headers", with6(func(h *icmpx.IPv6Header) { h.Extensions = make([]icmpx.IPv6Extension, 9) }), icmpx.ErrLimit},
		{"UDP as an extension header", with6(func(h *icmpx.IPv6Header) {
			h.Extensions = []icmpx.IPv6Extension{{Type: 17, Data: make([]byte, 7)}}
		}), icmpx.ErrLength},
		{"an extension header that lies", with6(func(h *icmpx.IPv6Header) {
			h.Extensions = []icmpx.IPv6Extension{{Type: 60, Data: unhex("01 000000000000")}}
		}), icmpx.ErrLength},
		{"UDP length", func() ([]byte, error) { return (&icmpx.UDPHeader{Length: 7}).AppendBinary(nil) }, icmpx.ErrLength},
		{"TCP options", func() ([]byte, error) { return (&icmpx.TCPHeader{Options: make([]byte, 44)}).AppendBinary(nil) }, icmpx.ErrLength},
		{"TCP options of 1", func() ([]byte, error) { return (&icmpx.TCPHeader{Options: make([]byte, 1)}).AppendBinary(nil) }, icmpx.ErrLength},
	}
	for _, tt := range tests {
		if b, err := tt.do(); b != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %x, %v, want %v", tt.name, b, err, tt.want)
		}
	}
}

func TestIPv6Header(t *testing.T) {
	tests := []struct {
		name string
		h    icmpx.IPv6Header
	}{
		{"plain", icmpx.IPv6Header{PayloadLen: 8, HopLimit: 64, Src: addr6a, Dst: addr6b, Proto: 58}},
		{"all", icmpx.IPv6Header{TrafficClass: 0xab, FlowLabel: 0xfffff, PayloadLen: 65535, HopLimit: 255,
			Src: addr6a, Dst: netip.IPv6Unspecified(), Proto: 59}},
		{"extension headers", icmpx.IPv6Header{PayloadLen: 56, Src: addr6a, Dst: addr6b, Proto: 17, Extensions: []icmpx.IPv6Extension{
			{Type: 0, Data: unhex("00 0502 0000 0100")}, {Type: 44, Data: unhex("00 0001 01020304")},
			{Type: 51, Data: unhex("01 0000 00000001 00000002")}, {Type: 60, Data: unhex("01 010c 000000000000000000000000")},
		}}},
		{"later fragment", icmpx.IPv6Header{PayloadLen: 56, Src: addr6a, Dst: addr6b, Proto: 60,
			Extensions: []icmpx.IPv6Extension{{Type: 44, Data: unhex("00 05c8 01020304")}}}},
	}
	for _, tt := range tests {
		b, err := tt.h.AppendBinary(nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := icmpx.ParseIPv6Header(append(b, 1, 2, 3))
		if err != nil || !reflect.DeepEqual(got, tt.h) || got.Len() != len(b) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", tt.name, err, got, tt.h)
		}
		for n := range b {
			if _, err := icmpx.ParseIPv6Header(b[:n]); !errors.Is(err, icmpx.ErrTruncated) {
				t.Errorf("%s: %d bytes: %v", tt.name, n, err)
			}
		}
	}
	if _, err := icmpx.ParseIPv6Header(make([]byte, 40)); !errors.Is(err, icmpx.ErrVersion) {
		t.Errorf("version 0: %v", err)
	}
}

func TestTransportHeaders(t *testing.T) {
	udp, err := icmpx.ParseUDPHeader(unhex("9c40829a001056ba68656c6c6f313233"))
	want := icmpx.UDPHeader{SrcPort: 40000, DstPort: 33434, Length: 16, Checksum: 0x56ba}
	if err != nil || udp != want {
		t.Errorf("UDP: got %+v, %v", udp, err)
	}
	if b, err := udp.AppendBinary(nil); err != nil || !bytes.Equal(b, unhex("9c40829a001056ba")) {
		t.Errorf("UDP: got %x, %v", b, err)
	}
	tcp, err := icmpx.ParseTCPHeader(unhex(tcpSegment))
	if err != nil || tcp.Seq != 0x01020304 || tcp.Flags != icmpx.TCPSyn || tcp.Len() != 24 || tcp.Window != 0xffff {
		t.Errorf("TCP: got %+v, %v", tcp, err)
	}
	if b, err := tcp.AppendBinary(nil); err != nil || !bytes.Equal(b, unhex(tcpSegment)[:24]) {
		t.Errorf("TCP: got %x, %v", b, err)
	}
	refused := []struct {
		name string
		err  error
		want error
	}{
		{"UDP of 7 bytes", second(icmpx.ParseUDPHeader(make([]byte, 7))), icmpx.ErrTruncated},
		{"UDP length 7", second(icmpx.ParseUDPHeader(unhex("0001000200070000"))), icmpx.ErrLength},
		{"TCP of 19 bytes", second(icmpx.ParseTCPHeader(make([]byte, 19))), icmpx.ErrTruncated},
		{"TCP data offset", second(icmpx.ParseTCPHeader(make([]byte, 20))), icmpx.ErrLength},
		{"TCP options", second(icmpx.ParseTCPHeader(unhex(tcpSegment)[:23])), icmpx.ErrTruncated},
		{"TCP reserved bits", second(icmpx.ParseTCPHeader(binary.BigEndian.AppendUint64(make([]byte, 12), 0x5100_0000_0000_0000))), icmpx.ErrReserved},
	}
	for _, tt := range refused {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, tt.err, tt.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
