package icmpx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

// fuzzFamily turns the fuzzer's bool into a family.
func fuzzFamily(v6 bool) icmpx.Family {
	if v6 {
		return icmpx.IPv6
	}
	return icmpx.IPv4
}

// fuzzSeal puts the checksums of a message right, which a fuzzer does not
// guess: that of a compliant extension structure that has one, then that of the
// message.
func fuzzSeal(v6 bool, b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) < 8 {
		return b
	}
	n := 8 + 4*int(b[5])
	if v6 {
		n = 8 + 8*int(b[4])
	}
	switch {
	case b[0] == 42 || b[0] == 160:
		n = 8
	case n == 8:
		n = 8 + 128
	}
	if n+4 <= len(b) && (b[n+2] != 0 || b[n+3] != 0) {
		b[n+2], b[n+3] = 0, 0
		binary.BigEndian.PutUint16(b[n+2:], icmpx.Checksum(b[n:]))
	}
	if v6 {
		b[2], b[3] = 0, 0
		sum := icmpx.PseudoSum(addr6a, addr6b, len(b), 58)
		binary.BigEndian.PutUint16(b[2:], icmpx.ChecksumFrom(sum, b))
		return b
	}
	return sealed(b)
}

// fuzzSeeds adds every kind of message and every captured one.
func fuzzSeeds(f *testing.F, add func(v6 bool, msg []byte)) {
	f.Helper()
	for _, tt := range roundTrips() {
		if b := mustMarshal(tt.typ, tt.code, tt.body); len(b) < 4096 {
			_, v6 := tt.typ.(ipv6.ICMPType)
			add(v6, b)
		}
	}
	files, err := filepath.Glob("testdata/vectors/*.pcap")
	if err != nil || len(files) == 0 {
		f.Fatalf("found %d captures: %v", len(files), err)
	}
	for _, file := range files {
		frames, ether := readCapture(f, file)
		for _, frame := range frames {
			if c, ok := message(frame, ether); ok && len(c.msg) < 4096 {
				add(c.family == icmpx.IPv6, c.msg)
			}
		}
	}
}

// FuzzParse: Parse never panics, returns an error or a message, its errors
// point into the input, and what it accepts Marshal gives back.
func FuzzParse(f *testing.F) {
	fuzzSeeds(f, func(v6 bool, b []byte) { f.Add(v6, true, b) })
	f.Fuzz(func(t *testing.T, v6, seal bool, b []byte) {
		family, src := fuzzFamily(v6), netip.Addr{}
		if seal {
			b, src = fuzzSeal(v6, b), addr6a
		}
		before := bytes.Clone(b)
		m, err := icmpx.Parse(family, b, src, addr6b)
		if !bytes.Equal(b, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			pe, ok := errors.AsType[*icmpx.ParseError](err)
			if !ok || m != nil || pe.Field == "" || pe.Offset < 0 || pe.Offset > len(b) {
				t.Fatalf("got %v, %v", m, err)
			}
			return
		}
		got, err := icmpx.Marshal(m, src, addr6b)
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%v\ngot  %x\nwant %x\n%+v", err, got, b, m.Body)
		}
		if m.Body.Len(family.Protocol()) != len(b)-4 {
			t.Fatalf("body of %d bytes has Len %d", len(b)-4, m.Body.Len(family.Protocol()))
		}
	})
}

// FuzzDissect: Dissect never panics, its fields lie within the input and within
// their groups, their number is bounded, and with what Parse accepts it has no
// problem outside the quoted packet.
func FuzzDissect(f *testing.F) {
	fuzzSeeds(f, func(v6 bool, b []byte) { f.Add(v6, true, 0, b) })
	f.Fuzz(func(t *testing.T, v6, seal bool, whole int, b []byte) {
		if seal {
			b = fuzzSeal(v6, b)
		}
		o := icmpx.DissectOptions{Src: addr6a, Dst: addr6b, Len: whole}
		d := icmpx.Dissect(fuzzFamily(v6), b, o)
		if n := checkFields(t, d.Fields, 0, len(b)); n > 100+4*len(b) {
			t.Fatalf("%d fields from %d bytes", n, len(b))
		}
		if len(d.Problems) > 100+len(b) {
			t.Fatalf("%d problems from %d bytes", len(d.Problems), len(b))
		}
		for _, p := range d.Problems {
			if p.Offset < 0 || p.Offset > len(b) || p.Field == "" || p.Err == nil {
				t.Fatalf("problem %+v with %d bytes", p, len(b))
			}
		}
		if len(b) < 8 || whole > len(b) {
			return
		}
		agreeWithXNet(t, v6, b, &d)
		if m, err := icmpx.Parse(fuzzFamily(v6), b, o.Src, o.Dst); err == nil {
			dissectAgrees(t, &d, m.Body)
		}
	})
}

// dissectAgrees checks that a message that Parse accepts has no problem outside
// the quoted packet, which Parse does not judge.
func dissectAgrees(t *testing.T, d *icmpx.Dissection, body icmp.MessageBody) {
	t.Helper()
	switch body.(type) {
	case *icmpx.ExtEchoReply, *icmp.RawBody:
		return // neither does it judge what a reply carries, or what it leaves raw
	}
	if f := d.Find("extension", "placement"); f != nil && f.Value == "legacy" {
		return // or takes a structure that is broken within for a part of the quote
	}
	for _, p := range d.Problems {
		if !inQuote(d.Fields, p.Offset) {
			t.Fatalf("%v\n%+v", &p, body)
		}
	}
}

// inQuote reports whether off is within a quoted packet or at its end, wherever
// the quote is.
func inQuote(fields []icmpx.Field, off int) bool {
	for _, f := range fields {
		if f.Name == "quote" && off >= f.Offset && off <= f.Offset+f.Len || inQuote(f.Fields, off) {
			return true
		}
	}
	return false
}

// FuzzQuote: ParseQuote never panics and does not allocate, its payload lies
// within the input, and it agrees with the strict header parsers. DissectHeader
// reads the same bytes within the same bounds as Dissect.
func FuzzQuote(f *testing.F) {
	fuzzSeeds(f, func(v6 bool, b []byte) {
		if len(b) > 8 {
			f.Add(v6, b[8:])
		}
	})
	f.Fuzz(func(t *testing.T, v6 bool, b []byte) {
		d := icmpx.DissectHeader(fuzzFamily(v6), b)
		if n := checkFields(t, d.Fields, 0, len(b)); n > 100+4*len(b) || len(d.Problems) > 100 {
			t.Fatalf("%d fields and %d problems from %d bytes", n, len(d.Problems), len(b))
		}
		q, err := icmpx.ParseQuote(b, fuzzFamily(v6))
		if err != nil {
			if _, ok := errors.AsType[*icmpx.ParseError](err); !ok || q.Family != 0 {
				t.Fatalf("got %+v, %v", q, err)
			}
			return
		}
		if q.Len != len(b) || len(q.Payload) > len(b) || q.Family != fuzzFamily(v6) || q.HasL4 && q.FragOff != 0 {
			t.Fatalf("got %+v of %d bytes", q, len(b))
		}
		if v6 {
			quoteAgrees6(t, q, b)
		} else {
			quoteAgrees4(t, q, b)
		}
	})
}

func quoteAgrees4(t *testing.T, q icmpx.Quote, b []byte) {
	t.Helper()
	h, err := icmpx.ParseIPv4Header(b)
	if err != nil {
		return
	}
	if !q.HeaderOK || q.Src != h.Src || q.Dst != h.Dst || q.TOS != h.TOS || q.ID != h.ID || q.TTL != h.TTL ||
		q.Proto != h.Proto || q.DF != h.DF || q.MF != h.MF || int(q.FragOff) != h.FragOff || q.TotalLen != h.TotalLen {
		t.Fatalf("quote %+v\nheader %+v", q, h)
	}
	if again, err := h.AppendBinary(nil); err != nil || !bytes.Equal(again, b[:h.Len()]) {
		t.Fatalf("header %x: %v, want %x", again, err, b[:h.Len()])
	}
	transportAgrees(t, q, b[h.Len():])
}

func quoteAgrees6(t *testing.T, q icmpx.Quote, b []byte) {
	t.Helper()
	h, err := icmpx.ParseIPv6Header(b)
	if err != nil {
		return
	}
	if q.Src != h.Src || q.Dst != h.Dst || q.TOS != h.TrafficClass || q.TTL != h.HopLimit || q.Proto != h.Proto ||
		q.TotalLen != 40+h.PayloadLen {
		t.Fatalf("quote %+v\nheader %+v", q, h)
	}
	if again, err := h.AppendBinary(nil); err != nil || !bytes.Equal(again, b[:h.Len()]) {
		t.Fatalf("header %x: %v, want %x", again, err, b[:h.Len()])
	}
	transportAgrees(t, q, b[h.Len():])
}

func transportAgrees(t *testing.T, q icmpx.Quote, b []byte) {
	t.Helper()
	if !q.HasL4 {
		return
	}
	if h, err := icmpx.ParseUDPHeader(b); q.Proto == 17 && err == nil {
		if q.SrcPort != h.SrcPort || q.DstPort != h.DstPort || q.L4Len != h.Length || q.Checksum != h.Checksum {
			t.Fatalf("quote %+v\nUDP %+v", q, h)
		}
	}
	if h, err := icmpx.ParseTCPHeader(b); q.Proto == 6 && err == nil {
		again, err := h.AppendBinary(nil)
		if q.SrcPort != h.SrcPort || q.DstPort != h.DstPort || q.Seq != h.Seq || err != nil || !bytes.Equal(again, b[:h.Len()]) {
			t.Fatalf("quote %+v\nTCP %+v: %x, %v", q, h, again, err)
		}
	}
}

// FuzzExtensions: ParseExtensions never panics, stays within its limits, its
// errors point into the input, and what it accepts is marshalled back.
func FuzzExtensions(f *testing.F) {
	for _, s := range []string{
		"2000993a 00080101 04bb4101",
		"20002261 00080101 04bb4101 001c020f 00000002 00010000 c0000201 08657468 30000000 000005dc",
		"20000000 00180206 00020000 20010db8 00000000 00000000 00000001",
		"20000000 00100303 40050600 0011223344550000", "20000000 00000000", "20000000 00180206 00030000 20010db8",
		"200077c6 00080301 65300000", "20000000 000cc801 0102030405060708", "10000000 00080101 04bb4101",
	} {
		f.Add(true, unhex(s))
	}
	fuzzSeeds(f, func(_ bool, b []byte) {
		if len(b) > 8+128 {
			f.Add(false, b[8+128:])
		}
	})
	f.Fuzz(func(t *testing.T, seal bool, b []byte) {
		if seal && len(b) >= 4 {
			b = bytes.Clone(b)
			b[2], b[3] = 0, 0
			binary.BigEndian.PutUint16(b[2:], icmpx.Checksum(b))
		}
		exts, err := icmpx.ParseExtensions(b)
		if len(exts) > 64 {
			t.Fatalf("%d objects", len(exts))
		}
		if err != nil {
			if pe, ok := errors.AsType[*icmpx.ParseError](err); !ok || pe.Offset < 0 || pe.Offset > len(b) {
				t.Fatalf("got %v", err)
			}
			return
		}
		form := icmpx.FormCompliant
		if b[2] == 0 && b[3] == 0 {
			form = icmpx.FormNoChecksum
		}
		got, err := icmpx.Marshal(&icmp.Message{Type: ipv4.ICMPTypeTimeExceeded, Body: &icmpx.TimeExceeded{Extensions: exts, Form: form}},
			netip.Addr{}, netip.Addr{})
		if len(b) < 65000 && (err != nil || !bytes.Equal(got[8+128:], b)) {
			t.Fatalf("%v\ngot  %x\nwant %x", err, got, b)
		}
	})
}

// FuzzDecodeReply: DecodeReply never panics, what it fills in lies within the
// input, and it agrees with Parse.
func FuzzDecodeReply(f *testing.F) {
	fuzzSeeds(f, func(v6 bool, b []byte) { f.Add(v6, true, b) })
	f.Fuzz(func(t *testing.T, v6, seal bool, b []byte) {
		if seal {
			b = fuzzSeal(v6, b)
		}
		r := icmpx.Reply{Dst: addr4a, Ext: []byte{1}, Payload: []byte{1}, Gateway: addr4a, MTU: 1, Pointer: 1}
		err := icmpx.DecodeReply(fuzzFamily(v6), b, &r)
		if r.Bytes != len(b) || len(r.Payload)+len(r.Ext) > max(len(b)-8, 0) {
			t.Fatalf("got %+v of %d bytes", r, len(b))
		}
		if err != nil {
			if r.Key != (icmpx.Key{}) {
				t.Fatalf("%v, but a key: %+v", err, r)
			}
			return
		}
		if r.Kind == icmpx.KindUnknown || r.Kind.Quotes() != r.Quote.HasL4 || r.Dst != r.Quote.Dst {
			t.Fatalf("got %+v", r)
		}
		if m, err := icmpx.Parse(fuzzFamily(v6), b, netip.Addr{}, netip.Addr{}); err == nil {
			replyAgrees(t, &r, m.Body)
		}
	})
}

// replyAgrees compares a reply with a body that Parse made of the same bytes.
func replyAgrees(t *testing.T, r *icmpx.Reply, body icmp.MessageBody) {
	t.Helper()
	ok := true
	var exts []icmp.Extension
	switch p := body.(type) {
	case *icmp.Echo:
		ok = r.Key == icmpx.Key{Flow: uint32(p.ID), Tag: uint32(p.Seq)} && bytes.Equal(r.Payload, p.Data)
	case *icmpx.Timestamp:
		ok = r.Key == icmpx.Key{Flow: uint32(p.ID), Tag: uint32(p.Seq)}
	case *icmpx.ExtEchoReply:
		ok = r.Key == icmpx.Key{Flow: uint32(p.ID), Tag: uint32(p.Seq)} && len(r.Ext)+len(r.Payload) == len(p.Data)
	case *icmp.PacketTooBig:
		ok = (r.MTU == p.MTU || p.MTU < 0) && r.Quote.Len == len(p.Data) // below 0: an int of 32 bits
	case *icmpx.FragNeeded:
		ok, exts = r.MTU == int(p.MTU) && r.Quote.Len == len(p.Data), p.Extensions
	case *icmpx.ParamProblem:
		ok, exts = r.Pointer == p.Pointer && r.Quote.Len == len(p.Data), p.Extensions
	case *icmpx.Redirect:
		ok = r.Gateway == p.Gateway && r.Quote.Len == len(p.Data)
	case *icmpx.Unreachable:
		exts = p.Extensions
	case *icmpx.TimeExceeded:
		exts = p.Extensions
	}
	if !ok {
		t.Fatalf("reply %+v\nbody %+v", r, body)
	}
	if exts == nil {
		return // none, or a legacy structure that is broken within
	}
	if got, err := icmpx.ParseExtensions(r.Ext); err != nil || !reflect.DeepEqual(got, exts) {
		t.Fatalf("reply has extensions %v: %v, want %v", got, err, exts)
	}
}
