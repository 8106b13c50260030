package icmpx_test

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

func TestParseIPv4Options(t *testing.T) {
	tests := []struct {
		name string
		b    string
		want []icmpx.IPv4Option
	}{
		{"none", "", nil},
		{"end", "00", nil},
		{"end and padding", "00 ffffff", nil},
		{"no operation", "0101", []icmpx.IPv4Option{{Type: 1}, {Type: 1}}},
		{"router alert", "94040000", []icmpx.IPv4Option{{Type: 148, Data: []byte{0, 0}}}},
		{"empty data", "8202", []icmpx.IPv4Option{{Type: 130, Data: []byte{}}}},
		{"several", "01 0707 04 00000000 44080500 01020304 00", []icmpx.IPv4Option{
			{Type: 1}, {Type: 7, Data: unhex("0400000000")}, {Type: 68, Data: unhex("0500 01020304")}}},
	}
	for _, tt := range tests {
		got, err := icmpx.ParseIPv4Options(unhex(tt.b))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestParseIPv4OptionsRefuses(t *testing.T) {
	tests := []struct {
		name   string
		b      []byte
		offset int
		want   error
	}{
		{"41 bytes", make([]byte, 41), 40, icmpx.ErrLength},
		{"type alone", unhex("01 07"), 1, icmpx.ErrTruncated},
		{"length 0", unhex("0700"), 0, icmpx.ErrLength},
		{"length 1", unhex("0101 0701"), 2, icmpx.ErrLength},
		{"beyond the end", unhex("0704 04"), 0, icmpx.ErrLength},
	}
	for _, tt := range tests {
		got, err := icmpx.ParseIPv4Options(tt.b)
		var pe *icmpx.ParseError
		if !errors.As(err, &pe) || pe.Offset != tt.offset || !errors.Is(err, tt.want) || got != nil {
			t.Errorf("%s: got %+v, %v, want %v at byte %d", tt.name, got, err, tt.want, tt.offset)
		}
	}
}

func addrs(s ...string) []netip.Addr {
	var as []netip.Addr
	for _, a := range s {
		as = append(as, netip.MustParseAddr(a))
	}
	return as
}

func TestRouteRecord(t *testing.T) {
	two := "c0000201 c6336402"
	tests := []struct {
		name string
		typ  uint8
		data string
		want icmpx.RouteRecord
	}{
		{"empty", 7, "04" + two, icmpx.RouteRecord{Next: addrs("192.0.2.1", "198.51.100.2")}},
		{"one", 7, "08" + two, icmpx.RouteRecord{Addrs: addrs("192.0.2.1"), Next: addrs("198.51.100.2")}},
		{"full", 7, "0c" + two, icmpx.RouteRecord{Addrs: addrs("192.0.2.1", "198.51.100.2")}},
		{"more than full", 7, "ff" + two, icmpx.RouteRecord{Addrs: addrs("192.0.2.1", "198.51.100.2")}},
		{"without slots", 7, "04", icmpx.RouteRecord{}},
		{"odd room", 7, "08 c0000201 c633", icmpx.RouteRecord{Addrs: addrs("192.0.2.1")}},
		{"loose source route", 131, "08" + two, icmpx.RouteRecord{Addrs: addrs("192.0.2.1"), Next: addrs("198.51.100.2")}},
		{"strict source route", 137, "04" + two, icmpx.RouteRecord{Next: addrs("192.0.2.1", "198.51.100.2")}},
	}
	for _, tt := range tests {
		got, err := icmpx.IPv4Option{Type: tt.typ, Data: unhex(tt.data)}.Route()
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		o      icmpx.IPv4Option
		offset int
		want   error
	}{
		"timestamp":     {icmpx.IPv4Option{Type: 68, Data: unhex("0500")}, 0, icmpx.ErrReserved},
		"nothing":       {icmpx.IPv4Option{Type: 7}, 1, icmpx.ErrTruncated},
		"pointer 3":     {icmpx.IPv4Option{Type: 7, Data: unhex("03 00000000")}, 2, icmpx.ErrReserved},
		"pointer 0":     {icmpx.IPv4Option{Type: 7, Data: unhex("00 00000000")}, 2, icmpx.ErrReserved},
		"within a slot": {icmpx.IPv4Option{Type: 7, Data: unhex("06 00000000")}, 2, icmpx.ErrReserved},
	} {
		got, err := tt.o.Route()
		var pe *icmpx.ParseError
		if !errors.As(err, &pe) || pe.Offset != tt.offset || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %+v, %v, want %v at byte %d", name, got, err, tt.want, tt.offset)
		}
	}
}

func TestTimestampRecord(t *testing.T) {
	tests := []struct {
		name string
		data string
		want icmpx.TimestampRecord
	}{
		{"times alone", "0d00 0000002a 80000007 00000000", icmpx.TimestampRecord{Entries: []icmpx.TimestampEntry{
			{Time: 42}, {Time: 7, NonStandard: true}}}},
		{"overflow", "09f0 0526bfff", icmpx.TimestampRecord{Overflow: 15, Entries: []icmpx.TimestampEntry{{Time: 86425599}}}},
		{"with addresses", "0d11 c0000201 00000001 00000000 00000000", icmpx.TimestampRecord{
			Flag: icmpx.TimestampAddress, Overflow: 1,
			Entries: []icmpx.TimestampEntry{{Addr: netip.MustParseAddr("192.0.2.1"), Time: 1}}}},
		{"prespecified", "0d03 c0000201 ffffffff c6336402 00000000", icmpx.TimestampRecord{
			Flag:    icmpx.TimestampPrespecified,
			Entries: []icmpx.TimestampEntry{{Addr: netip.MustParseAddr("192.0.2.1"), Time: 1<<31 - 1, NonStandard: true}},
			Next:    addrs("198.51.100.2")}},
		{"without slots", "0500", icmpx.TimestampRecord{}},
		{"odd room", "2901 c0000201 00000001 c633", icmpx.TimestampRecord{
			Flag: icmpx.TimestampAddress, Entries: []icmpx.TimestampEntry{{Addr: netip.MustParseAddr("192.0.2.1"), Time: 1}}}},
	}
	for _, tt := range tests {
		got, err := icmpx.IPv4Option{Type: 68, Data: unhex(tt.data)}.Timestamps()
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		o      icmpx.IPv4Option
		offset int
		want   error
	}{
		"record route":  {icmpx.IPv4Option{Type: 7, Data: unhex("04")}, 0, icmpx.ErrReserved},
		"pointer alone": {icmpx.IPv4Option{Type: 68, Data: unhex("05")}, 3, icmpx.ErrTruncated},
		"flag 2":        {icmpx.IPv4Option{Type: 68, Data: unhex("0502")}, 3, icmpx.ErrReserved},
		"pointer 4":     {icmpx.IPv4Option{Type: 68, Data: unhex("0400 00000000")}, 2, icmpx.ErrReserved},
		"within a slot": {icmpx.IPv4Option{Type: 68, Data: unhex("0901 00000000 00000000")}, 2, icmpx.ErrReserved},
	} {
		got, err := tt.o.Timestamps()
		var pe *icmpx.ParseError
		if !errors.As(err, &pe) || pe.Offset != tt.offset || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %+v, %v, want %v at byte %d", name, got, err, tt.want, tt.offset)
		}
	}
}

func TestRecordRoute(t *testing.T) {
	want := append(unhex("01 07 27 04"), make([]byte, 36)...)
	if got := icmpx.RecordRoute(); !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

func TestTimestampOption(t *testing.T) {
	one := addrs("192.0.2.1")
	tests := []struct {
		flag  icmpx.TimestampFlag
		addrs []netip.Addr
		want  []byte
	}{
		{icmpx.TimestampOnly, nil, append(unhex("44280500"), make([]byte, 36)...)},
		{icmpx.TimestampAddress, nil, append(unhex("44240501"), make([]byte, 32)...)},
		{icmpx.TimestampPrespecified, one, unhex("440c0503 c0000201 00000000")},
		{icmpx.TimestampPrespecified, addrs("192.0.2.1", "::ffff:198.51.100.2"), unhex("44140503 c0000201 00000000 c6336402 00000000")},
	}
	for _, tt := range tests {
		got, err := icmpx.TimestampOption(tt.flag, tt.addrs...)
		if err != nil || !bytes.Equal(got, tt.want) {
			t.Errorf("%v %v: got % x, %v, want % x", tt.flag, tt.addrs, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		flag  icmpx.TimestampFlag
		addrs []netip.Addr
		want  error
	}{
		{icmpx.TimestampOnly, one, icmpx.ErrLimit},
		{icmpx.TimestampAddress, one, icmpx.ErrLimit},
		{icmpx.TimestampPrespecified, nil, icmpx.ErrLimit},
		{icmpx.TimestampPrespecified, make([]netip.Addr, 5), icmpx.ErrLimit},
		{icmpx.TimestampPrespecified, addrs("2001:db8::1"), icmpx.ErrVersion},
		{icmpx.TimestampPrespecified, make([]netip.Addr, 1), icmpx.ErrVersion},
		{2, nil, icmpx.ErrReserved},
	} {
		if got, err := icmpx.TimestampOption(tt.flag, tt.addrs...); got != nil || !errors.Is(err, tt.want) {
			t.Errorf("%v %v: got % x, %v, want %v", tt.flag, tt.addrs, got, err, tt.want)
		}
	}
}

// FuzzIPv4Options reads options of any bytes: what is parsed must be what
// stands there, and the views must agree with it.
func FuzzIPv4Options(f *testing.F) {
	for _, s := range []string{"", "00", "0101", "94040000", "01 0707 08 c0000201", "83 0b 08 c0000201 c6336402 00",
		"440c1d01 c0000201 80000001", "44140d03 c0000201 00000000 c6336402 00000000"} {
		f.Add(unhex(s))
	}
	f.Add(icmpx.RecordRoute())
	f.Fuzz(func(t *testing.T, b []byte) {
		opts, err := icmpx.ParseIPv4Options(b)
		if err != nil {
			return
		}
		var again []byte
		for _, o := range opts {
			again = append(again, o.Type)
			if o.Data != nil {
				again = append(append(again, byte(2+len(o.Data))), o.Data...)
			}
			if r, err := o.Route(); err == nil && len(r.Addrs)+len(r.Next) != (len(o.Data)-1)/4 {
				t.Errorf("% x: %+v", o.Data, r)
			}
			if r, err := o.Timestamps(); err == nil && len(r.Entries)+len(r.Next) > (len(o.Data)-2)/4 {
				t.Errorf("% x: %+v", o.Data, r)
			}
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("got % x of % x", again, b)
		}
	})
}
