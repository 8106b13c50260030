package icmpx_test

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// tcpSegment is a SYN with an option and 3 bytes behind it.
const tcpSegment = "1388 0050 01020304 00000000 6002ffff abcd0000 020405b4 616263"

func TestParseQuote(t *testing.T) {
	v4 := func(proto uint8, total int, rest string) []byte {
		return append(quotedHeader(total, proto), unhex(rest)...)
	}
	base := icmpx.Quote{Family: icmpx.IPv4, Src: addr4a, Dst: addr4b, TTL: 1, ID: 7, HeaderOK: true}
	tests := []struct {
		name string
		b    []byte
		want func(*icmpx.Quote)
	}{
		{"UDP", v4(17, 32, "9c40829a000ccd00 61626364"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.L4Len, q.Checksum, q.Payload = true, 40000, 33434, 12, 0xcd00, []byte("abcd")
		}},
		{"UDP, only 8 bytes", v4(17, 1028, "9c40829a0404cd00"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.L4Len, q.Checksum, q.Payload = true, 40000, 33434, 1028, 0xcd00, []byte{}
		}},
		{"UDP, padded", v4(17, 32, "9c40829a000ccd00 61626364 00000000"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.L4Len, q.Checksum, q.Payload = true, 40000, 33434, 12, 0xcd00, []byte("abcd")
		}},
		{"UDP, padded, total length 0", v4(17, 32, "9c40829a000ccd00 61626364 00000000"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.L4Len, q.Checksum, q.Payload = true, 40000, 33434, 12, 0xcd00, []byte("abcd")
			q.TotalLen, q.HeaderOK = 0, false
		}},
		{"UDP, 7 bytes", v4(17, 28, "9c40829a000ccd"), func(q *icmpx.Quote) { q.Payload = unhex("9c40829a000ccd") }},
		{"header alone", v4(17, 28, ""), func(q *icmpx.Quote) { q.Payload = []byte{} }},
		{"TCP, 8 bytes", v4(6, 60, "1388 0050 01020304"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.Seq = true, 5000, 80, 0x01020304
		}},
		{"TCP with options and data", v4(6, 47, tcpSegment), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.Seq, q.Payload = true, 5000, 80, 0x01020304, []byte("abc")
		}},
		{"TCP with a data offset of 16", v4(6, 40, "1388 0050 01020304 00000000 4002ffff abcd0000"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.Seq = true, 5000, 80, 0x01020304
		}},
		{"echo request", v4(1, 32, "0800 1234 00010002 61626364"), func(q *icmpx.Quote) {
			q.HasL4, q.Type, q.Checksum, q.ICMPID, q.ICMPSeq, q.Payload = true, 8, 0x1234, 1, 2, []byte("abcd")
		}},
		{"extended echo request", v4(1, 28, "2a00 1234 00010201"), func(q *icmpx.Quote) {
			q.HasL4, q.Type, q.Checksum, q.ICMPID, q.ICMPSeq, q.Payload = true, 42, 0x1234, 1, 2, []byte{}
		}},
		{"ICMP error", v4(1, 28, "0b01 1234 00010002"), func(q *icmpx.Quote) {
			q.HasL4, q.Type, q.Code, q.Checksum, q.Payload = true, 11, 1, 0x1234, []byte{}
		}},
		{"SCTP", v4(132, 32, "0001 0002 11223344 deadbeef"), func(q *icmpx.Quote) {
			q.HasL4, q.SrcPort, q.DstPort, q.Payload = true, 1, 2, unhex("deadbeef")
		}},
		{"unknown protocol", v4(47, 28, "0000 0800 11223344"), func(q *icmpx.Quote) { q.Payload = unhex("0000 0800 11223344") }},
		{"ICMPv6 in IPv4 is no ICMP", v4(58, 28, "8000 1234 00010002"), func(q *icmpx.Quote) { q.Payload = unhex("8000 1234 00010002") }},
	}
	for _, tt := range tests {
		want := base
		want.TotalLen, want.Len = int(tt.b[2])<<8|int(tt.b[3]), len(tt.b)
		want.Proto = tt.b[9]
		tt.want(&want)
		if want.TotalLen == 0 {
			tt.b[2], tt.b[3] = 0, 0
		}
		got, err := icmpx.ParseQuote(tt.b, icmpx.IPv4)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", tt.name, err, got, want)
		}
	}
}

// TestParseQuoteQuirks checks that headers as old kernels and middleboxes
// quote them still name their probe.
func TestParseQuoteQuirks(t *testing.T) {
	tests := []struct {
		name   string
		change func([]byte)
		check  func(icmpx.Quote) bool
	}{
		{"stale header checksum", func(b []byte) { b[10] ^= 1 }, func(q icmpx.Quote) bool { return !q.HeaderOK && q.HasL4 }},
		{"total length in host byte order", func(b []byte) { b[2], b[3] = b[3], b[2] }, func(q icmpx.Quote) bool { return q.TotalLen == 0x2000 && q.HasL4 }},
		{"total length without the header", func(b []byte) { b[3] -= 20 }, func(q icmpx.Quote) bool { return q.TotalLen == 12 && q.HasL4 && len(q.Payload) == 4 }},
		{"total length plus the header", func(b []byte) { b[3] += 20 }, func(q icmpx.Quote) bool { return q.TotalLen == 52 && q.HasL4 }},
		{"DF in host byte order", func(b []byte) { b[6], b[7] = 0, 0x40 }, func(q icmpx.Quote) bool { return q.DF && q.FragOff == 0 && q.HasL4 }},
		{"MF in host byte order", func(b []byte) { b[6], b[7] = 0, 0x20 }, func(q icmpx.Quote) bool { return q.MF && q.FragOff == 0 && q.HasL4 }},
		{"TTL 0", func(b []byte) { b[8] = 0 }, func(q icmpx.Quote) bool { return q.TTL == 0 && q.HasL4 }},
		{"reserved flag", func(b []byte) { b[6] = 0x80 }, func(q icmpx.Quote) bool { return !q.DF && !q.MF && q.FragOff == 0 && q.HasL4 }},
		{"first fragment", func(b []byte) { b[6] = 0x20 }, func(q icmpx.Quote) bool { return q.MF && q.HasL4 }},
		{"later fragment", func(b []byte) { b[7] = 185 }, func(q icmpx.Quote) bool { return q.FragOff == 1480 && !q.HasL4 && len(q.Payload) == 12 }},
		{"last fragment offset", func(b []byte) { b[6], b[7] = 0x1f, 0xff }, func(q icmpx.Quote) bool { return q.FragOff == 65528 && !q.HasL4 }},
		{"options", func(b []byte) { b[0] = 0x46 }, func(q icmpx.Quote) bool { return q.HasL4 && q.SrcPort == 0x000c }},
		{"options beyond the quote", func(b []byte) { b[0] = 0x4f }, func(q icmpx.Quote) bool { return !q.HasL4 && !q.HeaderOK && q.Dst == addr4b }},
	}
	for _, tt := range tests {
		b := append(quotedHeader(32, 17), unhex("9c40829a000ccd00 61626364")...)
		tt.change(b)
		if q, err := icmpx.ParseQuote(b, icmpx.IPv4); err != nil || !tt.check(q) {
			t.Errorf("%s: %v %+v", tt.name, err, q)
		}
	}
}

func TestParseQuoteIPv6(t *testing.T) {
	const udp = "9c40829a000ccd0061626364"
	hbh := icmpx.IPv6Extension{Type: 0, Data: unhex("00 010400000000")}
	routing := icmpx.IPv6Extension{Type: 43, Data: unhex("02 0400 00000000 20010db8000000000000000000000003")}
	ah := icmpx.IPv6Extension{Type: 51, Data: unhex("04 0000 00000001 00000002 aabbccddeeff001122334455")}
	frag := func(off string) icmpx.IPv6Extension {
		return icmpx.IPv6Extension{Type: 44, Data: unhex("00" + off + "01020304")}
	}
	dst := icmpx.IPv6Extension{Type: 60, Data: unhex("00 010400000000")}
	tests := []struct {
		name  string
		exts  []icmpx.IPv6Extension
		cut   int // bytes taken from the end
		proto uint8
		ok    bool
		off   uint16
		mf    bool
	}{
		{"none", nil, 0, 17, true, 0, false},
		{"none, 8 bytes", nil, 4, 17, true, 0, false},
		{"none, 7 bytes", nil, 5, 17, false, 0, false},
		{"hop-by-hop", []icmpx.IPv6Extension{hbh}, 0, 17, true, 0, false},
		{"all", []icmpx.IPv6Extension{hbh, dst, routing, frag("0001"), ah, dst}, 0, 17, true, 0, true},
		{"later fragment", []icmpx.IPv6Extension{frag("05c8")}, 0, 17, false, 1480, false},
		{"cut in a header", []icmpx.IPv6Extension{hbh}, 12 + 3, 0, false, 0, false},
		{"cut in the first two bytes of a header", []icmpx.IPv6Extension{hbh}, 12 + 7, 0, false, 0, false},
		{"eight", []icmpx.IPv6Extension{hbh, dst, dst, dst, dst, dst, dst, dst}, 0, 17, true, 0, false},
	}
	for _, tt := range tests {
		n := 12
		for _, e := range tt.exts {
			n += 1 + len(e.Data)
		}
		b := append(quotedHeader6(n, 17, tt.exts...), unhex(udp)...)
		b = b[:len(b)-tt.cut]
		q, err := icmpx.ParseQuote(b, icmpx.IPv6)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if q.Family != icmpx.IPv6 || q.Src != addr6a || q.Dst != addr6b || q.TTL != 1 || q.Len != len(b) || q.TotalLen != 40+n {
			t.Errorf("%s: header %+v", tt.name, q)
		}
		if q.Proto != tt.proto || q.HasL4 != tt.ok || q.FragOff != tt.off || q.MF != tt.mf {
			t.Errorf("%s: got protocol %d, transport %v, offset %d, more %v", tt.name, q.Proto, q.HasL4, q.FragOff, q.MF)
		}
		if tt.ok && (q.SrcPort != 40000 || q.DstPort != 33434 || len(q.Payload) != 4-tt.cut) {
			t.Errorf("%s: transport %+v", tt.name, q)
		}
	}
}

// TestParseQuoteGivesUp checks that a ninth extension header ends the walk.
func TestParseQuoteGivesUp(t *testing.T) {
	b := quotedHeader6(80, 60)
	for range 9 {
		b = append(b, unhex("3c00 010400000000")...)
	}
	b = append(b, unhex("9c40829a0008cd00")...)
	q, err := icmpx.ParseQuote(b, icmpx.IPv6)
	if err != nil || q.HasL4 || q.Proto != 60 {
		t.Errorf("got %v %+v", err, q)
	}
	if _, err := icmpx.ParseIPv6Header(b); !errors.Is(err, icmpx.ErrLimit) {
		t.Errorf("header: %v", err)
	}
}

func TestParseQuoteRefuses(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		f    icmpx.Family
		want error
	}{
		{"nothing", nil, icmpx.IPv4, icmpx.ErrTruncated},
		{"19 bytes", quotedHeader(28, 17)[:19], icmpx.IPv4, icmpx.ErrTruncated},
		{"39 bytes", quotedHeader6(8, 17)[:39], icmpx.IPv6, icmpx.ErrTruncated},
		{"IPv6 for IPv4", quotedHeader6(8, 17), icmpx.IPv4, icmpx.ErrVersion},
		{"IPv4 for IPv6", append(quotedHeader(48, 17), make([]byte, 28)...), icmpx.IPv6, icmpx.ErrVersion},
		{"IHL 4", append([]byte{0x44}, quotedHeader(28, 17)[1:]...), icmpx.IPv4, icmpx.ErrLength},
		{"no family", quotedHeader(28, 17), 0, icmpx.ErrVersion},
	}
	for _, tt := range tests {
		q, err := icmpx.ParseQuote(tt.b, tt.f)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if q.Family != 0 || q.Dst != (netip.Addr{}) || q.Len != len(tt.b) {
			t.Errorf("%s: got %+v", tt.name, q)
		}
	}
}
