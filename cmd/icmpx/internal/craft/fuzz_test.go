package craft

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
)

// FuzzBytes reads any bytes as a message: what it is read as gives the same
// bytes.
func FuzzBytes(f *testing.F) {
	for typ := range 256 {
		for _, fam := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
			src, dst := ends(fam)
			if b, err := filled(f, fam, uint8(typ), 0).Marshal(src, dst); err == nil {
				f.Add(b, fam == icmpx.IPv6)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		fam := icmpx.IPv4
		if v6 {
			fam = icmpx.IPv6
		}
		src, dst := ends(fam)
		m, err := Read(fam, b, src, dst)
		if err != nil {
			return
		}
		again, err := m.Marshal(src, dst)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("got %x, %v; want %x", again, err, b)
		}
		Warnings(m, &Header{Src: src, Dst: dst})
	})
}

// FuzzFields makes messages of any fields: what is made is read as the same.
func FuzzFields(f *testing.F) {
	f.Add(true, uint8(3), uint8(0), uint16(1), uint16(2), uint32(3), []byte("data"), uint32(16))
	f.Add(false, uint8(136), uint8(0), uint16(0x700), uint16(0), uint32(1<<31), []byte{}, uint32(0))
	f.Fuzz(func(t *testing.T, v4 bool, typ, code uint8, a, b uint16, c uint32, data []byte, label uint32) {
		fam, src, dst := icmpx.IPv6, near6, far6
		if v4 {
			fam, src, dst = icmpx.IPv4, near4, far4
		}
		addr := netip.AddrFrom4([4]byte{byte(a >> 8), byte(a), byte(b >> 8), byte(b)})
		m := Message{Family: fam, Type: typ, Code: code, Fields: Fields{
			ID: a, Seq: b, Data: data, Originate: c, Receive: uint32(a), Transmit: uint32(b), Mask: addr,
			MTU: c, Pointer: c, Gateway: addr, Quote: data, State: uint8(a & 7), Lifetime: a, Flags: Flags(a) & layoutOf(fam, typ, code).flags,
			Routers: []icmpx.Router{{Addr: addr, Preference: int32(c)}}, HopLimit: uint8(a), Preference: uint8(a & 3),
			Reachable: c, Retransmit: uint32(b), Target: dst, Destination: src, Group: dst, MaxDelay: a,
			Options: []icmpx.NDOption{&icmpx.NDMTU{MTU: c}}, Records: []icmpx.MLDRecord{{Type: uint8(a), Group: dst}},
		}}
		if label != 0 {
			m.Fields.Extensions = []icmp.Extension{&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: int(label), TTL: int(uint8(a))}}}}
		}
		wire, err := m.Marshal(src, dst)
		if err != nil {
			return
		}
		h := Header{Src: src, Dst: dst, TTL: 1}
		if p, err := h.Packet(wire); err != nil || !bytes.HasSuffix(p, wire) {
			t.Fatalf("packet: %v", err)
		}
		got, err := Read(fam, wire, src, dst)
		if err != nil {
			t.Fatalf("%v %d/%d, %x: %v", fam, typ, code, wire, err)
		}
		if again, err := got.Marshal(src, dst); err != nil || !bytes.Equal(again, wire) {
			t.Errorf("got %x, %v; want %x", again, err, wire)
		}
	})
}

// FuzzLine reads any line.
func FuzzLine(f *testing.F) {
	f.Add(`{"event":"packet","frame":1,"ip":{"raw":"45"},"icmp":{"v":4,"raw":"08"},"reassembled_len":9}`)
	f.Fuzz(func(_ *testing.T, line string) {
		if l, err := ReadLine(line); err == nil {
			_, _ = l.Packet()
		}
	})
}
