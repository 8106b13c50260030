package craft

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

var (
	near4 = netip.MustParseAddr("192.0.2.1")
	far4  = netip.MustParseAddr("198.51.100.1")
	near6 = netip.MustParseAddr("2001:db8::1")
	far6  = netip.MustParseAddr("2001:db8:1::1")
)

// ends returns two addresses of a family.
func ends(f icmpx.Family) (src, dst netip.Addr) {
	if f == icmpx.IPv6 {
		return near6, far6
	}
	return near4, far4
}

// quoteOf returns a packet of a family as an error quotes it.
func quoteOf(t testing.TB, f icmpx.Family) []byte {
	t.Helper()
	src, dst := ends(f)
	b, err := (&Quote{Src: dst, Dst: src, Proto: "udp:40000:53", TTL: 9, ID: 7}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// filled returns a message of a type with something in each field that it has.
func filled(t testing.TB, f icmpx.Family, typ, code uint8) *Message {
	m := &Message{Family: f, Type: typ, Code: code}
	s := &m.Fields
	set := map[string]func(){
		"id": func() { s.ID = 0x1234 }, "seq": func() { s.Seq = 0x56 }, "data": func() { s.Data = []byte("some data") },
		"originate": func() { s.Originate = 1 }, "receive": func() { s.Receive = 1 << 31 }, "transmit": func() { s.Transmit = 3 },
		"mask": func() { s.Mask = netip.MustParseAddr("255.255.255.0") }, "mtu": func() { s.MTU = 1400 },
		"pointer": func() { s.Pointer = 20 }, "gateway": func() { s.Gateway = near4 },
		"quote": func() { s.Quote = quoteOf(t, f) },
		"mpls": func() {
			s.Quote = append(s.Quote, make([]byte, 128-len(s.Quote))...) // as it is padded to
			s.Extensions = []icmp.Extension{
				&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: 1<<20 - 1, TC: 7, S: true, TTL: 255}}},
				&icmp.RawExtension{Data: []byte{0, 8, 200, 1, 1, 2, 3, 4}},
			}
		},
		"iface-name": func() { s.Extensions = []icmp.Extension{&icmp.InterfaceIdent{Class: 3, Type: 1, Name: "eth0"}} },
		"flags":      func() { s.Flags = layoutOf(f, typ, code).flags }, "state": func() { s.State = 5 },
		"lifetime": func() { s.Lifetime = 1800 }, "router": func() { s.Routers = []icmpx.Router{{Addr: near4, Preference: -1}} },
		"hop-limit": func() { s.HopLimit = 64 }, "preference": func() { s.Preference = 3 },
		"reachable": func() { s.Reachable = 30000 }, "retransmit": func() { s.Retransmit = 1000 },
		"target": func() { s.Target = near6 }, "destination": func() { s.Destination = far6 },
		"option": func() { s.Options = []icmpx.NDOption{&icmpx.NDLinkAddr{Addr: []byte{2, 0, 0, 0, 0, 1}}} },
		"group":  func() { s.Group = netip.MustParseAddr("ff02::1:3") }, "max-delay": func() { s.MaxDelay = 1000 },
		"record": func() {
			s.Records = []icmpx.MLDRecord{{Type: 4, Group: netip.MustParseAddr("ff02::1:3"), Sources: []netip.Addr{near6}, Extra: []byte{1, 2, 3, 4}}}
		},
	}
	for _, name := range FieldNames(f, typ, code) {
		if do := set[name]; do != nil {
			do()
		}
	}
	return m
}

// TestEveryType makes a message of each type and code, assigned or not, and
// reads it back.
func TestEveryType(t *testing.T) {
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		src, dst := ends(f)
		for typ := range 256 {
			for _, code := range []uint8{0, 1, 2, 3, 4, 5, 13, 255} {
				for _, bad := range []bool{false, true} {
					m := filled(t, f, uint8(typ), code)
					m.BadChecksum = bad
					checkRoundTrip(t, m, src, dst)
				}
			}
		}
	}
}

func checkRoundTrip(t *testing.T, m *Message, src, dst netip.Addr) {
	t.Helper()
	b, err := m.Marshal(src, dst)
	if err != nil {
		t.Errorf("%v %d/%d: %v", m.Family, m.Type, m.Code, err)
		return
	}
	d := icmpx.Dissect(m.Family, b, icmpx.DissectOptions{Src: src, Dst: dst})
	for _, p := range d.Problems {
		if m.BadChecksum != errors.Is(&p, icmpx.ErrChecksum) && layoutOf(m.Family, m.Type, m.Code).fields != nil && errors.Is(&p, icmpx.ErrChecksum) {
			t.Errorf("%v %d/%d: %v", m.Family, m.Type, m.Code, &p)
		}
	}
	got, err := Read(m.Family, b, src, dst)
	if err != nil {
		t.Errorf("%v %d/%d: read: %v", m.Family, m.Type, m.Code, err)
		return
	}
	again, err := got.Marshal(src, dst)
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("%v %d/%d: again %x, %v; was %x", m.Family, m.Type, m.Code, again, err, b)
	}
	l := layoutOf(m.Family, m.Type, m.Code)
	if known := m.Family == icmpx.IPv4 || m.Code == 0 || !isNeighborDiscovery(m.Family, m.Type) && !isListenerDiscovery(m.Family, m.Type); known &&
		l.marshal != nil && !m.BadChecksum {
		if got.Body != nil || !reflect.DeepEqual(plain(got.Fields), plain(m.Fields)) {
			t.Errorf("%v %d/%d: read\n%+v\nwant\n%+v", m.Family, m.Type, m.Code, got.Fields, m.Fields)
		}
	}
}

// plain returns fields without the difference between nothing and none.
func plain(s Fields) Fields {
	for _, b := range []*[]byte{&s.Data, &s.Quote} {
		if len(*b) == 0 {
			*b = nil
		}
	}
	if len(s.Options) == 0 {
		s.Options = nil
	}
	return s
}

func TestRefused(t *testing.T) {
	label := &icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: 1 << 20}}}
	deep := &icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: make([]icmp.MPLSLabel, 33)}
	long := make([]byte, 1<<16)
	tests := []struct {
		name string
		m    Message
		err  error
	}{
		{"label", Message{Family: icmpx.IPv4, Type: 3, Fields: Fields{Extensions: []icmp.Extension{label}}}, icmpx.ErrLength},
		{"labels", Message{Family: icmpx.IPv4, Type: 3, Fields: Fields{Extensions: []icmp.Extension{deep}}}, icmpx.ErrLimit},
		{"objects", Message{Family: icmpx.IPv4, Type: 3, Fields: Fields{Extensions: slices.Repeat([]icmp.Extension{deep}, 65)}}, icmpx.ErrLimit},
		{"quote before extension", Message{Family: icmpx.IPv4, Type: 3, Fields: Fields{
			Quote: long[:2000], Extensions: []icmp.Extension{&icmp.RawExtension{Data: []byte{0, 4, 9, 9}}}}}, icmpx.ErrLength},
		{"data", Message{Family: icmpx.IPv4, Type: 8, Fields: Fields{Data: long[:65508]}}, icmpx.ErrLength},
		{"body", Message{Family: icmpx.IPv6, Type: 128, Body: long}, icmpx.ErrLength},
		{"MTU", Message{Family: icmpx.IPv4, Type: 3, Code: 4, Fields: Fields{MTU: 65536}}, icmpx.ErrLength},
		{"sequence number", Message{Family: icmpx.IPv4, Type: 42, Fields: Fields{Seq: 256}}, icmpx.ErrLength},
		{"gateway", Message{Family: icmpx.IPv4, Type: 5, Fields: Fields{Gateway: near6}}, icmpx.ErrVersion},
	}
	for _, tt := range tests {
		src, dst := ends(tt.m.Family)
		if b, err := tt.m.Marshal(src, dst); !errors.Is(err, tt.err) {
			t.Errorf("%s: %d bytes, %v; want %v", tt.name, len(b), err, tt.err)
		}
	}
	h := Header{Src: near4, Dst: far4, TTL: 1}
	if _, err := h.Packet(long[:65516]); !errors.Is(err, icmpx.ErrLength) {
		t.Errorf("a packet of 65536 bytes: %v", err)
	}
	if b, err := h.Packet(long[:65515]); err != nil || len(b) != 65535 {
		t.Errorf("a packet of 65535 bytes: %d, %v", len(b), err)
	}
}

func TestFind(t *testing.T) {
	tests := []struct {
		f    icmpx.Family
		word string
		want string
	}{
		{icmpx.IPv4, "redirect", "5/0"}, {icmpx.IPv6, "redirect", "137/0"}, {icmpx.IPv4, "5/1", "5/1"},
		{icmpx.IPv4, "echo", "8/0"}, {icmpx.IPv4, "Echo-Request", "8/0"}, {icmpx.IPv6, "echo", "128/0"}, {icmpx.IPv6, "echo-reply", "129/0"},
		{icmpx.IPv4, "port-unreachable", "3/3"}, {icmpx.IPv6, "port-unreachable", "1/4"},
		{icmpx.IPv4, "too-big", "3/4"}, {icmpx.IPv6, "packet-too-big", "2/0"}, {icmpx.IPv4, "packet-too-big", "none"},
		{icmpx.IPv4, "source-quench", "4/0"}, {icmpx.IPv6, "source-quench", "none"},
		{icmpx.IPv6, "neighbor-advertisement", "136/0"}, {icmpx.IPv6, "mld-query", "130/0"},
		{icmpx.IPv6, "home-agent-address-discovery-request", "144/0"}, {icmpx.IPv4, "time-exceeded/1", "11/1"},
		{icmpx.IPv4, "frag-reassembly-time-exceeded", "11/1"}, {icmpx.IPv4, "256", "none"}, {icmpx.IPv4, "5/256", "none"}, {icmpx.IPv4, "", "none"},
	}
	for _, tt := range tests {
		got := "none"
		if typ, code, ok := Find(tt.f, tt.word); ok {
			got = fmt.Sprintf("%d/%d", typ, code)
		}
		if got != tt.want {
			t.Errorf("%v %q: got %s, want %s", tt.f, tt.word, got, tt.want)
		}
	}
}

func TestFlags(t *testing.T) {
	if got, err := ParseFlags(icmpx.IPv6, 136, 0, "override,solicited"); err != nil || got.String() != "solicited,override" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, list := range []string{"managed", "", "override,"} {
		if got, err := ParseFlags(icmpx.IPv6, 136, 0, list); err == nil || !strings.Contains(err.Error(), "router,solicited,override") {
			t.Errorf("%q: got %v, %v", list, got, err)
		}
	}
}

func TestCheckFields(t *testing.T) {
	if err := CheckFields(icmpx.IPv4, 5, 1, []string{"gateway", "quote-proto"}); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		typ  uint8
		name string
		want string
	}{{5, "mtu", "it has --gateway"}, {30, "id", "made with --body alone"}} {
		if err := CheckFields(icmpx.IPv4, tt.typ, 0, []string{tt.name}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("type %d: got %v, want %q", tt.typ, err, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	aboutError := Message{Family: icmpx.IPv4, Type: 3, Code: 1}
	aboutError.Fields.Quote, _ = (&Header{Src: far4, Dst: near4, TTL: 1}).Packet([]byte{3, 1, 0, 0, 0, 0, 0, 0})
	tests := []struct {
		m    Message
		h    Header
		want string
	}{
		{Message{Family: icmpx.IPv4, Type: 8}, Header{Src: near4, Dst: far4, TTL: 64}, ""},
		{Message{Family: icmpx.IPv4, Type: 4}, Header{Src: near4, Dst: far4, TTL: 64}, "RFC 6633"},
		{Message{Family: icmpx.IPv4, Type: 15}, Header{Src: near4, Dst: far4, TTL: 64}, "RFC 6918"},
		{Message{Family: icmpx.IPv4, Type: 44}, Header{Src: near4, Dst: far4, TTL: 64}, "no type 44"},
		{Message{Family: icmpx.IPv4, Type: 8, Code: 1}, Header{Src: near4, Dst: far4, TTL: 64}, "no code 1"},
		{Message{Family: icmpx.IPv4, Type: 3, Code: 8}, Header{Src: near4, Dst: far4, TTL: 64}, "code 8"},
		{Message{Family: icmpx.IPv4, Type: 5, Code: 1}, Header{Src: near4, Dst: far4, TTL: 64}, "only gateways"},
		{aboutError, Header{Src: near4, Dst: far4, TTL: 64}, "about an ICMP error"},
		{Message{Family: icmpx.IPv4, Type: 11}, Header{Src: near4, Dst: netip.MustParseAddr("224.0.0.1"), TTL: 64}, "multicast"},
		{Message{Family: icmpx.IPv6, Type: 135}, Header{Src: near6, Dst: far6, TTL: 64}, "hop limit is not 255"},
		{Message{Family: icmpx.IPv6, Type: 134}, Header{Src: near6, Dst: far6, TTL: 255}, "link-local"},
		{Message{Family: icmpx.IPv6, Type: 143}, Header{Src: near6, Dst: far6, TTL: 2}, "hop limit 1"},
	}
	for _, tt := range tests {
		got := strings.Join(Warnings(&tt.m, &tt.h), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%d/%d: got %q, want %q", tt.m.Type, tt.m.Code, got, tt.want)
		}
	}
}

func TestHarm(t *testing.T) {
	harmful := map[string]bool{"4 3/4": true, "4 4/0": true, "4 5/0": true, "4 9/0": true, "6 2/0": true, "6 134/0": true, "6 136/0": true, "6 137/0": true}
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for typ := range 256 {
			for _, code := range []uint8{0, 4} {
				name := fmt.Sprintf("%d %d/%d", f, typ, code)
				want := harmful[name] || code == 4 && harmful[fmt.Sprintf("%d %d/0", f, typ)]
				if got := Harm(f, uint8(typ), code) != ""; got != want {
					t.Errorf("%s: got %v, want %v", name, got, want)
				}
			}
		}
	}
}

func TestQuote(t *testing.T) {
	for _, tt := range []struct{ proto, want string }{
		{"udp:40000:53", "9c4000350008"}, {"tcp:1:2", "000100020000000000000000" + "5002ffff"}, {"tcp:1:2:3", "0001000200000003"},
		{"icmp:7:8", "0800f7f000070008"}, {"47", "0000000000000000"},
	} {
		b, err := (&Quote{Src: far4, Dst: near4, Proto: tt.proto, TTL: 3, TOS: 4, ID: 5, DF: true}).Marshal()
		if err != nil || !strings.HasPrefix(hex.EncodeToString(b[20:]), tt.want) {
			t.Errorf("%s: got %x, %v", tt.proto, b[20:], err)
		}
		q, err := icmpx.ParseQuote(b, icmpx.IPv4)
		if err != nil || q.Src != far4 || q.Dst != near4 || q.TTL != 3 || q.TOS != 4 || q.ID != 5 || !q.DF || !q.HeaderOK {
			t.Errorf("%s: got %+v, %v", tt.proto, q, err)
		}
	}
	for _, proto := range []string{"", "udp", "udp:1", "udp:1:65536", "udp:a:b", "tcp:65536:1", "tcp:1:2:3:4", "icmp:1", "256", "-1"} {
		if b, err := (&Quote{Src: far4, Dst: near4, Proto: proto}).Marshal(); err == nil {
			t.Errorf("%q: got %x", proto, b)
		}
	}
	if b, err := (&Quote{Src: far4, Dst: near6, Proto: "47"}).Marshal(); err == nil {
		t.Errorf("two families: got %x", b)
	}
}

// TestAnswers makes packets that may be answers.
func TestAnswers(t *testing.T) {
	send := func(f icmpx.Family, m string) *Exchange {
		src, dst := ends(f)
		b, _ := hex.DecodeString(m)
		return &Exchange{Src: src, Dst: dst, Family: f, Message: b}
	}
	echo := send(icmpx.IPv4, "0800f7fd00010002")
	quoted, _ := (&Header{Src: near4, Dst: far4, TTL: 1}).Packet(echo.Message)
	other, _ := (&Header{Src: near4, Dst: far4, TTL: 1}).Packet([]byte{8, 0, 0, 0, 0, 1, 0, 3})
	tests := []struct {
		name string
		x    *Exchange
		from netip.Addr
		m    string
		want bool
	}{
		{"echo reply", echo, far4, "0000fffc00010002", true},
		{"another sequence number", echo, far4, "0000fffb00010003", false},
		{"the request itself", echo, far4, "0800f7fd00010002", false},
		{"an error", echo, near4, "0b00000000000000" + hex.EncodeToString(quoted), true},
		{"an error about another", echo, near4, "0b00000000000000" + hex.EncodeToString(other), false},
		{"short", echo, far4, "0000", false},
		{"timestamp", send(icmpx.IPv4, "0d00000000010002"), far4, "0e00000000010002", true},
		{"extended echo", send(icmpx.IPv4, "2a00000000010501"), far4, "2b00000000010544", true},
		{"about an error, an error", send(icmpx.IPv4, "0301000000000000"+hex.EncodeToString(quoted)), near4, "0b00000000000000" + hex.EncodeToString(quoted), false},
		{"neighbour", send(icmpx.IPv6, "8700000000000000"+strings.Repeat("11", 16)), far6, "8800000060000000" + strings.Repeat("11", 16), true},
		{"another neighbour", send(icmpx.IPv6, "8700000000000000"+strings.Repeat("11", 16)), far6, "8800000060000000" + strings.Repeat("12", 16), false},
		{"router", send(icmpx.IPv6, "8500000000000000"), far6, "8600000000000000", true},
	}
	for _, tt := range tests {
		b, _ := hex.DecodeString(tt.m)
		p := packet.Packet{ICMP: tt.x.Family, Message: b, IP: packet.IP{Family: tt.x.Family, Src: tt.from, Dst: tt.x.Src}}
		if got := tt.x.Answers(&p); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
	if !echo.Expects() || send(icmpx.IPv4, "03010000").Expects() || send(icmpx.IPv4, "03010000").MayFail() || !send(icmpx.IPv4, "00000000").MayFail() {
		t.Error("what is expected")
	}
}
