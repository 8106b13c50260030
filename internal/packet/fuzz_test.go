package packet_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// checkPacket holds what is true of every packet.
func checkPacket(t *testing.T, p *packet.Packet) {
	t.Helper()
	switch {
	case p.HasICMP() && p.ICMP == 0:
		t.Fatal("a message of no family")
	case p.HasICMP() && len(p.Message) == 0:
		t.Fatal("a message without a byte")
	case p.HasICMP() && p.Type != p.Message[0]:
		t.Fatalf("type %d of a message that begins with %d", p.Type, p.Message[0])
	case p.HasICMP() && p.IP.Offset != 0 && p.Fragments == nil:
		t.Fatal("a later fragment was taken for ICMP")
	case p.Fragments != nil && p.Rebuilt == 0, p.Rebuilt != 0 && p.Fragments == nil:
		t.Fatalf("%d bytes rebuilt from %v", p.Rebuilt, p.Fragments)
	case p.Checksum == packet.Good && p.MessageLen != len(p.Message):
		t.Fatalf("a right checksum of %d bytes of %d", len(p.Message), p.MessageLen)
	case p.Start > len(p.Frame.Data), p.Depth > 0 && len(p.IP.Header) > 0 && p.IP.Family == 0:
		t.Fatalf("header at %d, depth %d", p.Start, p.Depth)
	case p.Rebuilt > 65535, len(p.VLANs) > 8, len(p.Problems) > 16:
		t.Fatalf("rebuilt %d, %d VLANs, %d problems", p.Rebuilt, len(p.VLANs), len(p.Problems))
	}
	p.Echo()
	p.ICMPPart()
}

// FuzzDecode reads any bytes as a frame of any link type.
func FuzzDecode(f *testing.F) {
	for _, name := range vectors(f, "gen/*") {
		var d packet.Decoder
		n := 0
		decodeFile(f, name, &d, func(p *packet.Packet) {
			if n++; n <= 3 && len(p.Frame.Data) < 600 {
				f.Add(uint16(p.Frame.Link), p.Frame.Data)
			}
		})
	}
	f.Add(uint16(packet.LinkRaw), ping6())
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		var d packet.Decoder
		var p packet.Packet
		frame := packet.Frame{Number: 1, Data: data, Len: len(data), Link: packet.LinkType(link)}
		d.Decode(&frame, &p)
		checkPacket(t, &p)
		frame.Len += 100 // the same, cut short
		d.Decode(&frame, &p)
		checkPacket(t, &p)
		d.NoReassembly = true
		d.Decode(&frame, &p)
		checkPacket(t, &p)
		if p.Fragments != nil {
			t.Fatal("rebuilt although that is off")
		}
	})
}

// FuzzReassembly makes fragments of instructions of 8 bytes: family and flags,
// identification, offset, length, first byte, and the time since the last.
func FuzzReassembly(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 2, 8, 0, 0, 0, 0, 2, 0, 2, 0, 0})
	f.Add([]byte{3, 0, 0, 0, 0, 2, 128, 0, 3, 0, 0, 0, 0, 2, 128, 0, 2, 0, 0, 2, 0, 2, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 2, 8, 0, 0, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0, 9, 0, 9, 0, 200})
	data := make([]byte, 2048)
	f.Fuzz(func(t *testing.T, in []byte) {
		feed := newFeed()
		for len(in) >= 8 {
			more, six := in[0]&1 != 0, in[0]&2 != 0
			id, off := binary.BigEndian.Uint16(in[1:])&3, int(binary.BigEndian.Uint16(in[2:])&0x1fff)*8
			part := data[:int(in[5])*8+int(in[0]>>5)]
			for i := range part {
				part[i] = in[6]
			}
			feed.at = feed.at.Add(time.Duration(in[7]) * time.Second / 2)
			in = in[8:]
			b := fragment6(58, uint32(id), off, more, part)
			if !six {
				b = ip4Fragment(id, off, more, part)
			}
			checkPacket(t, feed.frame(b))
			if n := packet.Held(&feed.d); n > 6<<20 {
				t.Fatalf("%d bytes are held", n)
			}
		}
	})
}

// ip4Fragment returns a fragment whose header may say what no right one does.
func ip4Fragment(id uint16, off int, more bool, part []byte) []byte {
	v := uint16(off / 8)
	if more {
		v |= 0x2000
	}
	b := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(part)))
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, v)
	b = append(b, 64, 1, 0, 0)
	b = append(append(b, src4.AsSlice()...), dst4.AsSlice()...)
	return append(b, part...)
}
