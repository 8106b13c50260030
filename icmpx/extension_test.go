package icmpx_test

import (
	"errors"
	"net"
	"reflect"
	"testing"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
)

func TestParseExtensions(t *testing.T) {
	mpls := &icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: 19380, S: true, TTL: 1}}}
	raw := func(s string) *icmp.RawExtension { return &icmp.RawExtension{Data: unhex(s)} }
	ifInfo := func(typ int, ifi *net.Interface, ip net.IP) *icmp.InterfaceInfo {
		info := &icmp.InterfaceInfo{Class: 2, Type: typ, Interface: ifi}
		if ip != nil {
			info.Addr = &net.IPAddr{IP: ip}
		}
		return info
	}
	ip6 := net.ParseIP("2001:db8::1")
	tests := []struct {
		name string
		b    string
		want []icmp.Extension
		err  error
	}{
		{"golden labels", "2000993a 00080101 04bb4101", []icmp.Extension{mpls}, nil},
		{"golden labels and interface",
			"20002261 00080101 04bb4101 001c020f 00000002 00010000 c0000201 08657468 30000000 000005dc",
			[]icmp.Extension{mpls, ifInfo(0x0f, &net.Interface{Index: 2, Name: "eth0", MTU: 1500}, net.IP{192, 0, 2, 1})}, nil},
		{"checksum not computed", "20000000 00080101 04bb4101", []icmp.Extension{mpls}, nil},
		{"empty label stack", "20000000 00040101", []icmp.Extension{&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{}}}, nil},
		{"other C-type of MPLS", "20000000 00080102 04bb4101", []icmp.Extension{raw("00080102 04bb4101")}, nil},
		{"extended information", "20000000 00080401 0000002a", []icmp.Extension{raw("00080401 0000002a")}, nil},
		{"unknown class", "20000000 000cc801 0102030405060708", []icmp.Extension{raw("000cc801 0102030405060708")}, nil},
		{"unknown way to identify", "20000000 00040304", []icmp.Extension{raw("00040304")}, nil},
		{"next hop by IPv6 address", "20000000 001802c4 00020000 20010db8 00000000 00000000 00000001", []icmp.Extension{ifInfo(0xc4, nil, ip6)}, nil},
		{"name alone", "20000000 000c0202 08657468 30000000", []icmp.Extension{ifInfo(2, &net.Interface{Name: "eth0"}, nil)}, nil},
		{"name and MTU, outgoing", "20000000 000c0283 04703100 000005dc", []icmp.Extension{ifInfo(0x83, &net.Interface{Name: "p1", MTU: 1500}, nil)}, nil},
		{"role alone", "20000000 00040280", []icmp.Extension{ifInfo(0x80, nil, nil)}, nil},
		{"by name", "20000000 00080301 65300000", []icmp.Extension{&icmp.InterfaceIdent{Class: 3, Type: 1, Name: "e0"}}, nil},
		{"by index", "20000000 00080302 00000002", []icmp.Extension{&icmp.InterfaceIdent{Class: 3, Type: 2, Index: 2}}, nil},
		{"by MAC address", "20000000 00100303 40050600 0011223344550000", []icmp.Extension{
			&icmp.InterfaceIdent{Class: 3, Type: 3, AFI: 16389, Addr: unhex("001122334455")}}, nil},

		{"wrong checksum", "20001234 00080101 04bb4101", []icmp.Extension{mpls}, icmpx.ErrChecksum},
		{"reserved bits", "20010000 00080101 04bb4101", []icmp.Extension{mpls}, icmpx.ErrReserved},
		{"reserved interface bits", "20000000 00080218 00000002", []icmp.Extension{ifInfo(0x18, &net.Interface{Index: 2}, nil)}, icmpx.ErrReserved},
		{"version 1", "10000000 00080101 04bb4101", nil, icmpx.ErrVersion},
		{"3 bytes", "200000", nil, icmpx.ErrTruncated},
		{"no object", "20000000", nil, icmpx.ErrTruncated},
		{"object of 0 behind labels", "20000000 00080101 04bb4101 00000101", []icmp.Extension{mpls}, icmpx.ErrLength},
		{"2 bytes behind labels", "20000000 00080101 04bb4101 0008", []icmp.Extension{mpls}, icmpx.ErrLength},
		{"broken object before labels", "20000000 00040208 00080101 04bb4101", []icmp.Extension{raw("00040208"), mpls}, icmpx.ErrTruncated},
		{"unknown address family", "20000000 00180206 00030000 20010db8 08657468 30000000 00000000",
			[]icmp.Extension{raw("00180206 00030000 20010db8 08657468 30000000 00000000")}, icmpx.ErrVersion},
		{"name with more padding than it needs", "20000000 000c0202 08650000 00000000", []icmp.Extension{ifInfo(2, &net.Interface{Name: "e"}, nil)}, icmpx.ErrLength},
		{"name not padded enough", "20000000 00050301 65", nil, icmpx.ErrLength},
	}
	for _, tt := range tests {
		got, err := icmpx.ParseExtensions(unhex(tt.b))
		if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", tt.name, err, got, tt.want)
		}
	}
}

// TestParseExtensionsBounds checks that no input makes ParseExtensions return
// more than its limits.
func TestParseExtensionsBounds(t *testing.T) {
	objects := append(unhex("20000000"), unhex(repeated("0004c801", 1000))...)
	exts, err := icmpx.ParseExtensions(objects)
	if len(exts) != 64 || !errors.Is(err, icmpx.ErrLimit) {
		t.Errorf("%d objects, %v", len(exts), err)
	}
	stack := append(unhex("20000000 0fa40101"), unhex(repeated("00001101", 1000))...)
	exts, err = icmpx.ParseExtensions(stack)
	if len(exts) != 1 || !errors.Is(err, icmpx.ErrLimit) || len(exts[0].(*icmp.MPLSLabelStack).Labels) != 32 {
		t.Errorf("%d objects, %v", len(exts), err)
	}
}
