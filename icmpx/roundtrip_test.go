package icmpx_test

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/netip"
	"reflect"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

// A roundTrip is a message, and its bytes where they are known from elsewhere.
type roundTrip struct {
	name   string
	typ    icmp.Type
	code   int
	body   icmp.MessageBody
	golden string
}

// padded returns a quote padded with zeros to n bytes.
func padded(b []byte, n int) []byte { return append(b, make([]byte, n-len(b))...) }

func labels(n int) *icmp.MPLSLabelStack {
	ls := &icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{}}
	for i := range n {
		ls.Labels = append(ls.Labels, icmp.MPLSLabel{Label: 0xfffff - i, TC: i & 7, S: i == n-1, TTL: 255 - i})
	}
	return ls
}

const quote28 = "4500001c000700000111a5c80a0000010a0000029c40829a0008cd00"

// roundTrips is every kind of message that Parse takes apart.
func roundTrips() []roundTrip {
	q4, q6 := quotedUDP(icmpx.IPv4), quotedUDP(icmpx.IPv6)
	q4x, q6x := padded(quotedUDP(icmpx.IPv4), 128), padded(quotedUDP(icmpx.IPv6), 128)
	mpls := []icmp.Extension{&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: 19380, S: true, TTL: 1}}}}
	info := &icmp.InterfaceInfo{Class: 2, Type: 0x0f,
		Interface: &net.Interface{Index: 2, Name: "eth0", MTU: 1500}, Addr: &net.IPAddr{IP: net.IP{192, 0, 2, 1}}}
	largest := uint32(math.MaxUint32) // of which a 32-bit int makes -1
	name := &icmp.InterfaceIdent{Class: 3, Type: 1, Name: "e0"}
	all := []roundTrip{
		{"echo request", ipv4.ICMPTypeEcho, 0, &icmp.Echo{ID: 0x1234, Seq: 1, Data: unhex("0001020304050607")},
			"0800d9ba123400010001020304050607"},
		{"empty echo reply", ipv4.ICMPTypeEchoReply, 0, &icmp.Echo{ID: 0xffff, Data: []byte{}}, "0000 0000 ffff 0000"},
		{"echo with a code", ipv4.ICMPTypeEchoReply, 7, &icmp.Echo{ID: 1, Seq: 65535, Data: []byte{9}}, ""},
		{"largest echo", ipv4.ICMPTypeEcho, 0, &icmp.Echo{Data: make([]byte, 65507)}, ""},
		{"frag needed", ipv4.ICMPTypeDestinationUnreachable, 4, &icmpx.FragNeeded{MTU: 1400, Data: unhex(quote28)},
			"03040ba000000578" + quote28},
		{"frag needed, no MTU", ipv4.ICMPTypeDestinationUnreachable, 4, &icmpx.FragNeeded{Data: q4}, ""},
		{"frag needed with labels", ipv4.ICMPTypeDestinationUnreachable, 4,
			&icmpx.FragNeeded{MTU: 65535, Data: q4x, Extensions: mpls}, ""},
		{"source quench", ipv4.ICMPType(4), 0, &icmpx.SourceQuench{Data: q4}, ""},
		{"parameter problem", ipv4.ICMPTypeParameterProblem, 0, &icmpx.ParamProblem{Pointer: 255, Data: q4}, ""},
		{"parameter problem with labels", ipv4.ICMPTypeParameterProblem, 2,
			&icmpx.ParamProblem{Pointer: 20, Data: q4x, Extensions: mpls}, ""},
		{"timestamp", ipv4.ICMPTypeTimestamp, 0, &icmpx.Timestamp{ID: 1, Seq: 2, Originate: 46801267}, ""},
		{"timestamp reply", ipv4.ICMPTypeTimestampReply, 0,
			&icmpx.Timestamp{ID: 65535, Seq: 65535, Originate: math.MaxUint32, Receive: 1 << 31, Transmit: 1}, ""},
		{"information request", ipv4.ICMPType(15), 0, &icmpx.Information{ID: 0x0102, Seq: 0x0304}, "0f00ecf901020304"},
		{"information reply", ipv4.ICMPType(16), 0, &icmpx.Information{ID: 1, Seq: 2}, ""},
		{"address mask request", ipv4.ICMPType(17), 0, &icmpx.AddressMask{ID: 1, Seq: 2, Mask: netip.IPv4Unspecified()}, ""},
		{"address mask reply", ipv4.ICMPType(18), 0,
			&icmpx.AddressMask{ID: 1, Seq: 2, Mask: netip.AddrFrom4([4]byte{255, 255, 255, 252})}, ""},
		{"router solicitation", ipv4.ICMPTypeRouterSolicitation, 0, &icmpx.RouterSolicitation{}, "0a00f5ff00000000"},
		{"router advertisement", ipv4.ICMPTypeRouterAdvertisement, 16, &icmpx.RouterAdvertisement{Lifetime: 1800,
			Routers: []icmpx.Router{{Addr: addr4a, Preference: -1}, {Addr: addr4b, Preference: math.MinInt32}}, Extra: []byte{1, 0}}, ""},
		{"extended echo request", ipv4.ICMPTypeExtendedEchoRequest, 0,
			&icmpx.ExtEchoRequest{ID: 0xbeef, Seq: 1, Local: true, Extensions: []icmp.Extension{name}},
			"2a00160fbeef0101200077c60008030165300000"},
		{"extended echo request, bare", ipv6.ICMPTypeExtendedEchoRequest, 0, &icmpx.ExtEchoRequest{ID: 1, Seq: 255}, ""},
		{"extended echo request without checksum", ipv6.ICMPTypeExtendedEchoRequest, 0,
			&icmpx.ExtEchoRequest{ID: 1, Extensions: []icmp.Extension{name}, NoChecksum: true}, ""},
		{"extended echo reply", ipv4.ICMPTypeExtendedEchoReply, 0,
			&icmpx.ExtEchoReply{ID: 1, Seq: 2, State: 2, Active: true, IPv4: true, IPv6: true, Data: unhex("200077c60008030165300000")}, ""},
		{"extended echo reply, refused", ipv6.ICMPTypeExtendedEchoReply, 4, &icmpx.ExtEchoReply{ID: 1, State: 7, Data: []byte{}}, ""},
		{"time exceeded, 4884 golden", ipv4.ICMPTypeTimeExceeded, 0,
			&icmpx.TimeExceeded{Data: q4x, Extensions: append(mpls[:1:1], info)}, ""},
		{"time exceeded, no checksum", ipv4.ICMPTypeTimeExceeded, 0,
			&icmpx.TimeExceeded{Data: q4x, Extensions: mpls, Form: icmpx.FormNoChecksum}, ""},
		{"time exceeded, legacy", ipv4.ICMPTypeTimeExceeded, 0,
			&icmpx.TimeExceeded{Data: q4x, Extensions: mpls, Form: icmpx.FormLegacy}, ""},
		{"time exceeded, longest quote", ipv4.ICMPTypeTimeExceeded, 0,
			&icmpx.TimeExceeded{Data: padded(quotedUDP(icmpx.IPv4), 1020), Extensions: mpls}, ""},
		{"reassembly time exceeded", ipv4.ICMPTypeTimeExceeded, 1, &icmpx.TimeExceeded{Data: q4}, ""},
		{"ICMPv6 echo request", ipv6.ICMPTypeEchoRequest, 0, &icmp.Echo{ID: 1, Seq: 2, Data: []byte("a")}, ""},
		{"ICMPv6 echo reply", ipv6.ICMPTypeEchoReply, 0, &icmp.Echo{ID: 1, Seq: 2, Data: make([]byte, 65527)}, ""},
		{"packet too big", ipv6.ICMPTypePacketTooBig, 0, &icmp.PacketTooBig{MTU: 1280, Data: q6}, ""},
		{"packet too big, largest", ipv6.ICMPTypePacketTooBig, 1, &icmp.PacketTooBig{MTU: int(largest), Data: q6}, ""},
		{"ICMPv6 time exceeded", ipv6.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: q6}, ""},
		{"ICMPv6 time exceeded with labels", ipv6.ICMPTypeTimeExceeded, 1,
			&icmpx.TimeExceeded{Data: q6x, Extensions: []icmp.Extension{labels(32)}}, ""},
		{"ICMPv6 longest quote", ipv6.ICMPTypeTimeExceeded, 0,
			&icmpx.TimeExceeded{Data: padded(quotedUDP(icmpx.IPv6), 2040), Extensions: mpls}, ""},
		{"ICMPv6 parameter problem", ipv6.ICMPTypeParameterProblem, 1, &icmpx.ParamProblem{Pointer: math.MaxUint32, Data: q6}, ""},
		{"unknown type", ipv4.ICMPType(253), 2, &icmp.RawBody{Data: []byte{1, 2, 3}}, ""},
		{"certification path solicitation", ipv6.ICMPTypeCertificationPathSolicitation, 0, &icmp.RawBody{Data: make([]byte, 4)}, ""},
		{"nothing but a header", ipv4.ICMPType(44), 0, &icmp.RawBody{Data: []byte{}}, "2c00d3ff"},
	}
	for code := range 17 {
		if code != 4 {
			all = append(all, roundTrip{fmt.Sprintf("unreachable %d", code), ipv4.ICMPTypeDestinationUnreachable, code,
				&icmpx.Unreachable{Data: q4}, ""})
		}
		all = append(all, roundTrip{fmt.Sprintf("ICMPv6 unreachable %d", code), ipv6.ICMPTypeDestinationUnreachable, code,
			&icmpx.Unreachable{Data: q6x, Extensions: mpls}, ""})
	}
	for code := range 4 {
		all = append(all, roundTrip{fmt.Sprintf("redirect %d", code), ipv4.ICMPTypeRedirect, code,
			&icmpx.Redirect{Gateway: addr4a, Data: q4}, ""})
	}
	return append(all, discoveryRoundTrips()...)
}

func TestRoundTrip(t *testing.T) {
	for _, tt := range roundTrips() {
		t.Run(tt.name, func(t *testing.T) {
			f := icmpx.IPv4
			if _, ok := tt.typ.(ipv6.ICMPType); ok {
				f = icmpx.IPv6
			}
			for _, src := range []netip.Addr{addr6a, {}} { // with and without the pseudo-header
				m := &icmp.Message{Type: tt.typ, Code: tt.code, Body: tt.body}
				b, err := icmpx.Marshal(m, src, addr6b)
				if err != nil {
					t.Fatal(err)
				}
				if tt.golden != "" && !bytes.Equal(b, unhex(tt.golden)) {
					t.Errorf("got  %x\nwant %s", b, tt.golden)
				}
				if got := tt.body.Len(f.Protocol()); got != len(b)-4 {
					t.Errorf("Len is %d, the body has %d bytes", got, len(b)-4)
				}
				got, err := icmpx.Parse(f, b, src, addr6b)
				if err != nil {
					t.Fatalf("%v\n%x", err, b)
				}
				if got.Type != tt.typ || got.Code != tt.code || !reflect.DeepEqual(got.Body, tt.body) {
					t.Errorf("got %v %d %+v\nwant %+v", got.Type, got.Code, got.Body, tt.body)
				}
				again, err := icmpx.Marshal(got, src, addr6b)
				if err != nil || !bytes.Equal(again, b) {
					t.Errorf("again %x: %v\nwant  %x", again, err, b)
				}
			}
		})
	}
}

// TestOtherZero checks that the two zeros of ones' complement both pass and
// both come back.
func TestOtherZero(t *testing.T) {
	b := unhex("0000 0000 ffff 0000")
	for _, sum := range [][]byte{{0, 0}, {0xff, 0xff}} {
		copy(b[2:], sum)
		m, err := icmpx.Parse(icmpx.IPv4, b, netip.Addr{}, netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := icmpx.Marshal(m, netip.Addr{}, netip.Addr{}); err != nil || !bytes.Equal(got, b) {
			t.Errorf("got %x: %v, want %x", got, err, b)
		}
	}
}

// TestMarshalXNetBodies checks that x/net's bodies are encoded as they should
// be, also where x/net itself does not.
func TestMarshalXNetBodies(t *testing.T) {
	q4, q6 := quotedUDP(icmpx.IPv4), quotedUDP(icmpx.IPv6)
	ident := []icmp.Extension{&icmp.InterfaceIdent{Class: 3, Type: 2, Index: 1}}
	tests := []struct {
		typ        icmp.Type
		theirs     icmp.MessageBody
		ours       icmp.MessageBody
		xnetAgrees bool
	}{
		{ipv4.ICMPTypeDestinationUnreachable, &icmp.DstUnreach{Data: q4}, &icmpx.Unreachable{Data: q4}, true},
		{ipv4.ICMPTypeTimeExceeded, &icmp.TimeExceeded{Data: q4, Extensions: []icmp.Extension{labels(2)}},
			&icmpx.TimeExceeded{Data: q4, Extensions: []icmp.Extension{labels(2)}}, true},
		{ipv6.ICMPTypeTimeExceeded, &icmp.TimeExceeded{Data: q6, Extensions: []icmp.Extension{labels(2)}},
			&icmpx.TimeExceeded{Data: q6, Extensions: []icmp.Extension{labels(2)}}, true},
		{ipv4.ICMPTypeParameterProblem, &icmp.ParamProb{Pointer: 9, Data: q4}, &icmpx.ParamProblem{Pointer: 9, Data: q4}, true},
		{ipv6.ICMPTypeParameterProblem, &icmp.ParamProb{Pointer: 1 << 20, Data: q6}, &icmpx.ParamProblem{Pointer: 1 << 20, Data: q6}, true},
		{ipv4.ICMPTypeExtendedEchoRequest, &icmp.ExtendedEchoRequest{ID: 1, Seq: 2, Local: true, Extensions: ident},
			&icmpx.ExtEchoRequest{ID: 1, Seq: 2, Local: true, Extensions: ident}, true},
		{ipv4.ICMPTypeExtendedEchoReply, &icmp.ExtendedEchoReply{ID: 1, Seq: 2, State: 3, Active: true, IPv6: true},
			&icmpx.ExtEchoReply{ID: 1, Seq: 2, State: 3, Active: true, IPv6: true}, true},
		// A name without an index: x/net leaves the object empty.
		{ipv4.ICMPTypeTimeExceeded, &icmp.TimeExceeded{Data: q4, Extensions: []icmp.Extension{
			&icmp.InterfaceInfo{Class: 2, Type: 2, Interface: &net.Interface{Name: "eth0"}}}},
			&icmpx.TimeExceeded{Data: q4, Extensions: []icmp.Extension{&icmp.RawExtension{Data: unhex("000c0202 08657468 30000000")}}}, false},
		// A C-type without sub-objects means those that have values.
		{ipv4.ICMPTypeTimeExceeded, &icmp.TimeExceeded{Data: q4, Extensions: []icmp.Extension{
			&icmp.InterfaceInfo{Class: 2, Type: 0x80, Interface: &net.Interface{Index: 2, MTU: 1500}, Addr: &net.IPAddr{IP: net.IPv4(192, 0, 2, 1)}}}},
			&icmpx.TimeExceeded{Data: q4, Extensions: []icmp.Extension{&icmp.RawExtension{
				Data: unhex("0014028d 00000002 00010000 c0000201 000005dc")}}}, false},
	}
	for _, tt := range tests {
		theirs, ours := mustMarshal(tt.typ, 0, tt.theirs), mustMarshal(tt.typ, 0, tt.ours)
		if !bytes.Equal(theirs, ours) {
			t.Errorf("%T: got %x\nwant %x", tt.theirs, theirs, ours)
		}
		m := icmp.Message{Type: tt.typ, Body: tt.theirs}
		var pseudo []byte
		if tt.typ.Protocol() == icmpx.IPv6.Protocol() {
			pseudo = icmp.IPv6PseudoHeader(addr6a.AsSlice(), addr6b.AsSlice())
		}
		xnet, err := m.Marshal(pseudo)
		if agrees := err == nil && bytes.Equal(xnet, ours); agrees != tt.xnetAgrees {
			t.Errorf("%T: x/net agrees: %v (%v)\ngot  %x\nwant %x", tt.theirs, agrees, err, xnet, ours)
		}
	}
}
