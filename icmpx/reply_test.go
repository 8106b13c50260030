package icmpx_test

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

// quotedProbe returns a packet of family f whose payload is l4.
func quotedProbe(f icmpx.Family, proto uint8, l4 string) []byte {
	b := unhex(l4)
	if f == icmpx.IPv6 {
		return append(quotedHeader6(len(b), proto), b...)
	}
	return append(quotedHeader(20+len(b), proto), b...)
}

func TestDecodeReply(t *testing.T) {
	const (
		echo4 = "0800 1234 00070002 6162636465666768"
		echo6 = "8000 1234 00070002 6162636465666768"
		udp   = "9c40829a0010cd00 6162636465666768"
	)
	q4, q6 := quotedProbe(icmpx.IPv4, 1, echo4), quotedProbe(icmpx.IPv6, 58, echo6)
	echoKey, data := icmpx.Key{Flow: 7, Tag: 2}, []byte("abcdefgh")
	mpls := []icmp.Extension{labels(1)}
	structure := unhex("2000 ecf6 0008 0101 ffff f1ff")
	tests := []struct {
		name string
		f    icmpx.Family
		msg  []byte
		want icmpx.Reply
	}{
		{"echo reply", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeEchoReply, 7, &icmp.Echo{ID: 7, Seq: 2, Data: data}),
			icmpx.Reply{Kind: icmpx.KindEchoReply, Code: 7, Key: echoKey, Payload: data}},
		{"empty echo reply", icmpx.IPv4, unhex("0000 0000 ffff 0000"),
			icmpx.Reply{Kind: icmpx.KindEchoReply, Key: icmpx.Key{Flow: 65535}, Payload: []byte{}}},
		{"ICMPv6 echo reply", icmpx.IPv6, mustMarshal(ipv6.ICMPTypeEchoReply, 0, &icmp.Echo{ID: 7, Seq: 2, Data: data}),
			icmpx.Reply{Kind: icmpx.KindEchoReply, Type: 129, Key: echoKey, Payload: data}},
		{"timestamp reply", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeTimestampReply, 0, &icmpx.Timestamp{ID: 7, Seq: 2, Transmit: 1}),
			icmpx.Reply{Kind: icmpx.KindTimestampReply, Type: 14, Key: echoKey, Payload: unhex("000000000000000000000001")}},
		{"information reply", icmpx.IPv4, mustMarshal(ipv4.ICMPType(16), 0, &icmpx.Information{ID: 7, Seq: 2}),
			icmpx.Reply{Kind: icmpx.KindInformationReply, Type: 16, Key: echoKey, Payload: []byte{}}},
		{"mask reply", icmpx.IPv4, mustMarshal(ipv4.ICMPType(18), 0, &icmpx.AddressMask{ID: 7, Seq: 2}),
			icmpx.Reply{Kind: icmpx.KindMaskReply, Type: 18, Key: echoKey, Payload: make([]byte, 4)}},
		{"extended echo reply", icmpx.IPv4,
			mustMarshal(ipv4.ICMPTypeExtendedEchoReply, 2, &icmpx.ExtEchoReply{ID: 7, Seq: 2, State: 7, Data: unhex("200077c60008030165300000 6162")}),
			icmpx.Reply{Kind: icmpx.KindExtEchoReply, Type: 43, Code: 2, Key: echoKey, State: 7 << 5, Ext: unhex("200077c60008030165300000"), Payload: []byte("ab")}},
		{"bare extended echo reply", icmpx.IPv6, mustMarshal(ipv6.ICMPTypeExtendedEchoReply, 0, &icmpx.ExtEchoReply{ID: 7, Seq: 2}),
			icmpx.Reply{Kind: icmpx.KindExtEchoReply, Type: 161, Key: echoKey, Ext: []byte{}, Payload: []byte{}}},
		{"time exceeded", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: q4}),
			icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11, Key: echoKey, Dst: addr4b}},
		{"time exceeded with labels", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeTimeExceeded, 1, &icmpx.TimeExceeded{Data: q4, Extensions: mpls}),
			icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11, Code: 1, Key: echoKey, Dst: addr4b, Ext: structure}},
		{"time exceeded, legacy", icmpx.IPv4,
			mustMarshal(ipv4.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: q4, Extensions: mpls, Form: icmpx.FormLegacy}),
			icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11, Key: echoKey, Dst: addr4b, Ext: structure}},
		{"ICMPv6 time exceeded with labels", icmpx.IPv6, mustMarshal(ipv6.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: q6, Extensions: mpls}),
			icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 3, Key: echoKey, Dst: addr6b, Ext: structure}},
		{"unreachable", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeDestinationUnreachable, 13, &icmpx.Unreachable{Data: quotedProbe(icmpx.IPv4, 17, udp)}),
			icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 3, Code: 13, Key: icmpx.Key{Flow: 40000, Tag: 33434}, Dst: addr4b}},
		{"ICMPv6 unreachable", icmpx.IPv6, mustMarshal(ipv6.ICMPTypeDestinationUnreachable, 4, &icmpx.Unreachable{Data: quotedProbe(icmpx.IPv6, 17, udp)}),
			icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 1, Code: 4, Key: icmpx.Key{Flow: 40000, Tag: 33434}, Dst: addr6b}},
		{"TCP", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeDestinationUnreachable, 1, &icmpx.Unreachable{Data: quotedProbe(icmpx.IPv4, 6, tcpSegment)}),
			icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 3, Code: 1, Key: icmpx.Key{Flow: 5000<<16 + 80, Tag: 0x01020304}, Dst: addr4b}},
		{"frag needed", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeDestinationUnreachable, 4, &icmpx.FragNeeded{MTU: 1400, Data: q4, Extensions: mpls}),
			icmpx.Reply{Kind: icmpx.KindTooBig, Type: 3, Code: 4, Key: echoKey, Dst: addr4b, MTU: 1400, Ext: structure}},
		{"packet too big", icmpx.IPv6, mustMarshal(ipv6.ICMPTypePacketTooBig, 0, &icmp.PacketTooBig{MTU: math.MaxInt32, Data: q6}),
			icmpx.Reply{Kind: icmpx.KindTooBig, Type: 2, Key: echoKey, Dst: addr6b, MTU: math.MaxInt32}},
		{"parameter problem", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeParameterProblem, 0, &icmpx.ParamProblem{Pointer: 20, Data: q4}),
			icmpx.Reply{Kind: icmpx.KindParamProblem, Type: 12, Key: echoKey, Dst: addr4b, Pointer: 20}},
		{"ICMPv6 parameter problem", icmpx.IPv6, mustMarshal(ipv6.ICMPTypeParameterProblem, 1, &icmpx.ParamProblem{Pointer: math.MaxUint32, Data: q6}),
			icmpx.Reply{Kind: icmpx.KindParamProblem, Type: 4, Code: 1, Key: echoKey, Dst: addr6b, Pointer: math.MaxUint32}},
		{"redirect", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeRedirect, 1, &icmpx.Redirect{Gateway: addr4a, Data: q4}),
			icmpx.Reply{Kind: icmpx.KindRedirect, Type: 5, Code: 1, Key: echoKey, Dst: addr4b, Gateway: addr4a}},
		{"source quench", icmpx.IPv4, mustMarshal(ipv4.ICMPType(4), 0, &icmpx.SourceQuench{Data: q4}),
			icmpx.Reply{Kind: icmpx.KindSourceQuench, Type: 4, Key: echoKey, Dst: addr4b}},
	}
	got := icmpx.Reply{From: addr4a, TTL: 64, Bytes: -1, Pointer: 9, MTU: 9, State: 9, Gateway: addr6a, Dst: addr6a, Ext: []byte{1}, Payload: []byte{1},
		Key: icmpx.Key{Flow: 9, Tag: 9}, Quote: icmpx.Quote{HasL4: true, ID: 9}} // to be overwritten, test after test
	for _, tt := range tests {
		if err := icmpx.DecodeReply(tt.f, tt.msg, &got); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		tt.want.From, tt.want.TTL = addr4a, 64 // not the decoder's
		tt.want.Bytes = len(tt.msg)
		if tt.want.Kind.Quotes() {
			quote := tt.msg[8 : len(tt.msg)-len(tt.want.Ext)]
			tt.want.Quote, _ = icmpx.ParseQuote(quote, tt.f)
			if len(tt.want.Quote.Payload) != 8 && tt.want.Key.Tag != 0x01020304 {
				t.Errorf("%s: quote has %d bytes of payload", tt.name, len(tt.want.Quote.Payload))
			}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestDecodeReplyRefuses(t *testing.T) {
	te := func(quote []byte) []byte {
		return sealed(append(unhex("0b00 0000 0000 0000"), quote...))
	}
	tests := []struct {
		name string
		f    icmpx.Family
		msg  []byte
		want error
		kind icmpx.Kind
	}{
		{"nothing", icmpx.IPv4, nil, icmpx.ErrTruncated, 0},
		{"7 bytes", icmpx.IPv4, make([]byte, 7), icmpx.ErrTruncated, 0},
		{"echo request", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeEcho, 0, echoBody), icmpx.ErrNotAnswer, 0},
		{"timestamp request", icmpx.IPv4, mustMarshal(ipv4.ICMPTypeTimestamp, 0, &icmpx.Timestamp{}), icmpx.ErrNotAnswer, 0},
		{"router advertisement", icmpx.IPv4, unhex("0900 0000 0000 0000"), icmpx.ErrNotAnswer, 0},
		{"ICMPv6 echo request", icmpx.IPv6, mustMarshal(ipv6Echo, 0, echoBody), icmpx.ErrNotAnswer, 0},
		{"neighbour advertisement", icmpx.IPv6, append([]byte{136}, make([]byte, 23)...), icmpx.ErrNotAnswer, 0},
		{"ICMPv6 redirect", icmpx.IPv6, append([]byte{137}, make([]byte, 39)...), icmpx.ErrNotAnswer, 0},
		{"unassigned error", icmpx.IPv6, append([]byte{100}, make([]byte, 60)...), icmpx.ErrNotAnswer, 0},
		{"wrong checksum", icmpx.IPv4, unhex("0000 0001 0001 0001"), icmpx.ErrChecksum, icmpx.KindEchoReply},
		{"no quote", icmpx.IPv4, te(nil), icmpx.ErrTruncated, icmpx.KindTimeExceeded},
		{"quote of 19 bytes", icmpx.IPv4, te(quotedUDP(icmpx.IPv4)[:19]), icmpx.ErrTruncated, icmpx.KindTimeExceeded},
		{"7 bytes of UDP", icmpx.IPv4, te(quotedUDP(icmpx.IPv4)[:27]), icmpx.ErrTruncated, icmpx.KindTimeExceeded},
		{"quoted IPv6", icmpx.IPv4, te(quotedUDP(icmpx.IPv6)), icmpx.ErrVersion, icmpx.KindTimeExceeded},
		{"quoted IHL 4", icmpx.IPv4, te(append([]byte{0x44}, quotedUDP(icmpx.IPv4)[1:]...)), icmpx.ErrLength, icmpx.KindTimeExceeded},
		{"quoted echo reply", icmpx.IPv4, te(quotedProbe(icmpx.IPv4, 1, "0000 1234 00070002")), icmpx.ErrNotAnswer, icmpx.KindTimeExceeded},
		{"quoted error", icmpx.IPv4, te(quotedProbe(icmpx.IPv4, 1, "0b00 1234 00070002")), icmpx.ErrNotAnswer, icmpx.KindTimeExceeded},
		{"quoted SCTP", icmpx.IPv4, te(quotedProbe(icmpx.IPv4, 132, "0001 0002 00070002")), icmpx.ErrNotAnswer, icmpx.KindTimeExceeded},
		{"quoted GRE", icmpx.IPv4, te(quotedProbe(icmpx.IPv4, 47, "0001 0002 00070002")), icmpx.ErrNotAnswer, icmpx.KindTimeExceeded},
	}
	for _, tt := range tests {
		r := icmpx.Reply{Key: icmpx.Key{Flow: 1, Tag: 1}, Ext: []byte{1}}
		err := icmpx.DecodeReply(tt.f, tt.msg, &r)
		if !errors.Is(err, tt.want) || r.Kind != tt.kind || r.Bytes != len(tt.msg) || r.Key != (icmpx.Key{}) || r.Ext != nil {
			t.Errorf("%s: %v, %+v", tt.name, err, r)
		}
	}
}

// TestDecodeReplyExtensions checks where the receive path believes an
// extension structure.
func TestDecodeReplyExtensions(t *testing.T) {
	const mpls = "2000ffff 00080101 00001101" // extended puts the checksum right
	short := extended(32, mpls)
	short = sealed(append(short[:8+32], short[8+128:]...))
	past := extended(128, mpls)
	past[5] = 200
	longUnused := append(unhex("0b00 0000 0022 0000"), padded(quotedUDP(icmpx.IPv4), 548)...)
	tests := []struct {
		name       string
		msg        []byte
		quote, ext int
	}{
		{"compliant", extended(128, mpls), 128, 12},
		{"compliant, quote of 160", extended(160, mpls), 160, 12},
		{"compliant, checksum 0", extended(128, "20000000 00080101 00001101"), 128, 12},
		{"compliant, other version", extended(128, "30000000 00080101 00001101"), 128, 12},
		{"compliant, nothing behind", extended(128, ""), 128, 0},
		{"compliant, 3 bytes behind", extended(128, "200000"), 128, 3},
		{"legacy", extended(0, mpls), 128, 12},
		{"legacy, checksum 0", extended(0, "20000000 00080101 00001101"), 140, 0},
		{"legacy, object of 0", extended(0, "2000ffff 00000101 00001101"), 140, 0},
		{"legacy, too short", extended(0, "2000ffff"), 132, 0},
		{"short length that proves itself", short, 32, 12},
		{"length past the end, legacy behind 128", sealed(past), 128, 12},
		{"junk in the length byte", sealed(longUnused), 136, 412},
	}
	for _, tt := range tests {
		var r icmpx.Reply
		if err := icmpx.DecodeReply(icmpx.IPv4, tt.msg, &r); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if r.Quote.Len != tt.quote || len(r.Ext) != tt.ext {
			t.Errorf("%s: quote of %d bytes, extension of %d; want %d and %d", tt.name, r.Quote.Len, len(r.Ext), tt.quote, tt.ext)
		}
	}
	var r icmpx.Reply
	v6 := append(unhex("0300 0000 0000 0000"), padded(quotedUDP(icmpx.IPv6), 128)...)
	v6 = append(v6, extended(128, mpls)[136:]...)
	if err := icmpx.DecodeReply(icmpx.IPv6, v6, &r); err != nil || r.Ext != nil {
		t.Errorf("legacy in ICMPv6: %v, extension of %d bytes", err, len(r.Ext))
	}
	redirect := append(unhex("0501 0000 0a200101"), padded(quotedUDP(icmpx.IPv4), 128)...)
	redirect = sealed(append(redirect, extended(128, mpls)[136:]...))
	if err := icmpx.DecodeReply(icmpx.IPv4, redirect, &r); err != nil || r.Ext != nil {
		t.Errorf("redirect: %v, extension of %d bytes", err, len(r.Ext))
	}
}

// TestDecodeReplyEveryLength decodes every prefix of every message, with the
// checksum put right: no panic, and no field from beyond the end.
func TestDecodeReplyEveryLength(t *testing.T) {
	for _, tt := range roundTrips() {
		f := icmpx.Family(4)
		if _, ok := tt.typ.(ipv6.ICMPType); ok {
			f = icmpx.IPv6
		}
		whole := mustMarshal(tt.typ, tt.code, tt.body)
		for n := range min(len(whole), 300) {
			b := append(make([]byte, 0, n), whole[:n]...)
			if n >= 4 && f == icmpx.IPv4 {
				binary.BigEndian.PutUint16(b[2:], 0)
				binary.BigEndian.PutUint16(b[2:], icmpx.Checksum(b))
			}
			var r icmpx.Reply
			err := icmpx.DecodeReply(f, b, &r)
			if err == nil && r.Dst == (netip.Addr{}) == r.Kind.Quotes() {
				t.Errorf("%s: %d bytes: %+v", tt.name, n, r)
			}
		}
	}
}
