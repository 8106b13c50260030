package icmpx_test

import (
	"errors"
	"math"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

// otherType is a message type that is neither ICMPv4's nor ICMPv6's.
type otherType struct{}

func (otherType) Protocol() int { return 99 }

func TestMarshalRefuses(t *testing.T) {
	const te, du = ipv4.ICMPTypeTimeExceeded, ipv4.ICMPTypeDestinationUnreachable
	echo := &icmp.Echo{}
	ext := func(e ...icmp.Extension) *icmpx.TimeExceeded { return &icmpx.TimeExceeded{Extensions: e} }
	label := func(l icmp.MPLSLabel) *icmpx.TimeExceeded {
		return ext(&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{l}})
	}
	info := func(i icmp.InterfaceInfo) *icmpx.TimeExceeded { return ext(&i) }
	ident := func(i icmp.InterfaceIdent) *icmpx.ExtEchoRequest {
		return &icmpx.ExtEchoRequest{Extensions: []icmp.Extension{&i}}
	}
	many := make([]icmp.Extension, 65)
	for i := range many {
		many[i] = labels(1)
	}
	type refusal struct {
		name string
		m    icmp.Message
		want error
	}
	tests := []refusal{
		{"no type", icmp.Message{Body: echo}, icmpx.ErrVersion},
		{"foreign type", icmp.Message{Type: otherType{}, Body: echo}, icmpx.ErrVersion},
		{"type over 255", icmp.Message{Type: ipv4.ICMPType(256), Body: echo}, icmpx.ErrVersion},
		{"type below 0", icmp.Message{Type: ipv6.ICMPType(-1), Body: echo}, icmpx.ErrVersion},
		{"code over 255", icmp.Message{Type: du, Code: 256, Body: echo}, icmpx.ErrLength},
		{"code below 0", icmp.Message{Type: du, Code: -1, Body: echo}, icmpx.ErrLength},
		{"checksum", icmp.Message{Type: du, Checksum: 65536, Body: echo}, icmpx.ErrLength},
		{"no body", icmp.Message{Type: du}, icmpx.ErrTruncated},
		{"identifier", icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 65536}}, icmpx.ErrLength},
		{"sequence number", icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{Seq: -1}}, icmpx.ErrLength},
		{"over 65,535 bytes", icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{Data: make([]byte, 65508)}}, icmpx.ErrLength},
		{"over 65,535 bytes of IPv6", icmp.Message{Type: ipv6.ICMPTypeEchoRequest, Body: &icmp.Echo{Data: make([]byte, 65528)}}, icmpx.ErrLength},
		{"pointer of ICMPv4", icmp.Message{Type: ipv4.ICMPTypeParameterProblem, Body: &icmpx.ParamProblem{Pointer: 256}}, icmpx.ErrLength},
		{"extensions of ICMPv6's parameter problem",
			icmp.Message{Type: ipv6.ICMPTypeParameterProblem, Body: &icmpx.ParamProblem{Extensions: many[:1]}}, icmpx.ErrLength},
		{"gateway of none", icmp.Message{Type: ipv4.ICMPTypeRedirect, Body: &icmpx.Redirect{}}, icmpx.ErrVersion},
		{"gateway of IPv6", icmp.Message{Type: ipv4.ICMPTypeRedirect, Body: &icmpx.Redirect{Gateway: addr6a}}, icmpx.ErrVersion},
		{"IPv6 mask", icmp.Message{Type: ipv4.ICMPType(18), Body: &icmpx.AddressMask{Mask: addr6a}}, icmpx.ErrVersion},
		{"no router", icmp.Message{Type: ipv4.ICMPTypeRouterAdvertisement, Body: &icmpx.RouterAdvertisement{}}, icmpx.ErrLength},
		{"256 routers", icmp.Message{Type: ipv4.ICMPTypeRouterAdvertisement,
			Body: &icmpx.RouterAdvertisement{Routers: make([]icmpx.Router, 256)}}, icmpx.ErrLength},
		{"router without address", icmp.Message{Type: ipv4.ICMPTypeRouterAdvertisement,
			Body: &icmpx.RouterAdvertisement{Routers: make([]icmpx.Router, 1)}}, icmpx.ErrVersion},
		{"state", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoReply, Body: &icmpx.ExtEchoReply{State: 8}}, icmpx.ErrLength},
		{"x/net's state", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoReply, Body: &icmp.ExtendedEchoReply{State: 8}}, icmpx.ErrLength},
		{"x/net's sequence number", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: &icmp.ExtendedEchoRequest{Seq: 256}}, icmpx.ErrLength},
		{"quote over 255 words", icmp.Message{Type: te, Body: &icmpx.TimeExceeded{Data: make([]byte, 1021), Extensions: many[:1]}}, icmpx.ErrLength},
		{"quote over 255 words of x/net", icmp.Message{Type: te, Body: &icmp.TimeExceeded{Data: make([]byte, 1100), Extensions: many[:1]}}, icmpx.ErrLength},
		{"quote over 255 words of 64 bits", icmp.Message{Type: ipv6.ICMPTypeTimeExceeded,
			Body: &icmpx.TimeExceeded{Data: make([]byte, 2041), Extensions: many[:1]}}, icmpx.ErrLength},
		{"legacy quote over 128 bytes", icmp.Message{Type: te,
			Body: &icmpx.TimeExceeded{Data: make([]byte, 129), Extensions: many[:1], Form: icmpx.FormLegacy}}, icmpx.ErrLength},
		{"legacy in ICMPv6", icmp.Message{Type: ipv6.ICMPTypeTimeExceeded,
			Body: &icmpx.TimeExceeded{Extensions: many[:1], Form: icmpx.FormLegacy}}, icmpx.ErrLength},
		{"form without extensions", icmp.Message{Type: te, Body: &icmpx.TimeExceeded{Form: icmpx.FormLegacy}}, icmpx.ErrLength},
		{"unknown form", icmp.Message{Type: te, Body: &icmpx.TimeExceeded{Form: 3, Extensions: many[:1]}}, icmpx.ErrReserved},
		{"65 objects", icmp.Message{Type: te, Body: ext(many...)}, icmpx.ErrLimit},
		{"33 labels", icmp.Message{Type: te, Body: ext(labels(33))}, icmpx.ErrLimit},
		{"label", icmp.Message{Type: te, Body: label(icmp.MPLSLabel{Label: 1 << 20})}, icmpx.ErrLength},
		{"traffic class", icmp.Message{Type: te, Body: label(icmp.MPLSLabel{TC: 8})}, icmpx.ErrLength},
		{"label TTL", icmp.Message{Type: te, Body: label(icmp.MPLSLabel{TTL: 256})}, icmpx.ErrLength},
		{"foreign extension", icmp.Message{Type: te, Body: ext(nil)}, icmpx.ErrVersion},
		{"raw extension that lies", icmp.Message{Type: te, Body: ext(&icmp.RawExtension{Data: unhex("00080101")})}, icmpx.ErrLength},
		{"raw extension of 3 bytes", icmp.Message{Type: te, Body: ext(&icmp.RawExtension{Data: unhex("000301")})}, icmpx.ErrLength},
		{"raw extension not padded", icmp.Message{Type: te, Body: ext(&icmp.RawExtension{Data: unhex("00050101 00")})}, icmpx.ErrLength},
		{"interface name", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Interface: &net.Interface{Name: strings.Repeat("x", 64)}})}, icmpx.ErrLength},
		{"interface name with a zero", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Interface: &net.Interface{Name: "a\x00b"}})}, icmpx.ErrLength},
		{"interface that is announced only", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Type: 8})}, icmpx.ErrTruncated},
		{"interface address that is announced only", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Type: 4})}, icmpx.ErrTruncated},
		{"interface address", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Addr: &net.IPAddr{IP: net.IP{1, 2, 3}}})}, icmpx.ErrLength},
		{"interface C-type", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Type: 0x30})}, icmpx.ErrReserved},
		{"interface C-type over 255", icmp.Message{Type: te, Body: info(icmp.InterfaceInfo{Type: 256})}, icmpx.ErrReserved},
		{"identified name", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: ident(icmp.InterfaceIdent{Type: 1, Name: strings.Repeat("x", 256)})}, icmpx.ErrLength},
		{"identified family", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: ident(icmp.InterfaceIdent{Type: 3, AFI: 65536})}, icmpx.ErrLength},
		{"identified address", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: ident(icmp.InterfaceIdent{Type: 3, Addr: make([]byte, 256)})}, icmpx.ErrLength},
		{"identified how", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: ident(icmp.InterfaceIdent{Type: 4})}, icmpx.ErrReserved},
	}
	if math.MaxInt > math.MaxUint32 { // an int of 32 bits holds nothing that does not fit 32 bits
		tests = append(tests,
			refusal{"MTU", icmp.Message{Type: ipv6.ICMPTypePacketTooBig, Body: &icmp.PacketTooBig{MTU: -1}}, icmpx.ErrLength},
			refusal{"x/net's pointer", icmp.Message{Type: ipv6.ICMPTypeParameterProblem, Body: &icmp.ParamProb{Pointer: math.MaxUint}}, icmpx.ErrLength},
			refusal{"identified index", icmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: ident(icmp.InterfaceIdent{Type: 2, Index: -1})}, icmpx.ErrLength},
		)
	}
	for _, body := range []icmp.MessageBody{
		&icmpx.FragNeeded{}, &icmpx.SourceQuench{}, &icmpx.Redirect{Gateway: addr4a}, &icmpx.Timestamp{}, &icmpx.Information{},
		&icmpx.AddressMask{}, &icmpx.RouterSolicitation{}, &icmpx.RouterAdvertisement{Routers: []icmpx.Router{{Addr: addr4a}}},
	} {
		tests = append(tests, refusal{"ICMPv4 body in ICMPv6", icmp.Message{Type: ipv6.ICMPTypeEchoRequest, Body: body}, icmpx.ErrVersion})
	}
	for _, tt := range tests {
		b, err := icmpx.Marshal(&tt.m, addr6a, addr6b)
		if !errors.Is(err, tt.want) || b != nil {
			t.Errorf("%s: got %d bytes, %v; want %v", tt.name, len(b), err, tt.want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "marshal ") {
			t.Errorf("%s: error %q does not say what was done", tt.name, err)
		}
	}
}
