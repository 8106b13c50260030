package capfile

import "github.com/icmpx/icmpx/internal/packet"

// packetFlags is the option with the flags of a packet
// (draft-ietf-opsawg-pcapng section 4.3.1).
const packetFlags = 2

// Bits of the flags.
const (
	flagIncoming   = 1
	flagOutgoing   = 2
	flagDirection  = 3
	flagUnfinished = 1 << 9 // checksum not ready
)

// A timedPacket is what both kinds of packet blocks with a time hold.
type timedPacket struct {
	iface            uint32
	ticks            uint64
	captured, length uint32
	rest             []byte // packet, padding, options
}

// timed reads an Enhanced Packet Block, or the obsolete Packet Block, which has
// 16 bits for the interface and a count of drops where that has 32.
func (r *Reader) timed(typ uint32, b []byte, start int64, f *packet.Frame) bool {
	const fixed = 20
	if len(b) < fixed {
		r.note(start, "a packet block is too short")
		return false
	}
	o := r.section.order
	p := timedPacket{
		iface: o.uint32(b), ticks: uint64(o.uint32(b[4:]))<<32 | uint64(o.uint32(b[8:])),
		captured: o.uint32(b[12:]), length: o.uint32(b[16:]), rest: b[fixed:],
	}
	if typ == blockOldPacket {
		p.iface = uint32(o.uint16(b))
	}
	return r.packet(&p, start, f)
}

// packet fills f.
func (r *Reader) packet(p *timedPacket, start int64, f *packet.Frame) bool {
	if uint64(p.iface) >= uint64(len(r.section.interfaces)) {
		r.note(start, "a packet of interface %d, which is not described", p.iface)
		return false
	}
	if p.captured > maxPacket || int(p.captured) > len(p.rest) {
		r.note(start, "a packet block says that it holds %d bytes", p.captured)
		return false
	}
	i := &r.section.interfaces[p.iface]
	at, ok := i.clock.time(p.ticks)
	if !ok {
		r.note(start, "the time of a packet is out of range")
	}
	r.frames++
	*f = packet.Frame{
		Number: r.frames, Time: at, Len: int(p.length), Data: p.rest[:p.captured:p.captured],
		Link: i.Link, Iface: int(p.iface), IfaceName: i.Name,
	}
	if padded := int(p.captured+3) &^ 3; padded < len(p.rest) {
		r.packetOptions(p.rest[padded:], start, f)
	}
	return true
}

// packetOptions reads the options behind a packet. Those of the obsolete block
// are the same, as far as they are read.
func (r *Reader) packetOptions(b []byte, start int64, f *packet.Frame) {
	o := options{order: r.section.order, b: b}
	for o.next() {
		switch o.code {
		case optComment:
			f.Comments = append(f.Comments, text(o.value))
		case packetFlags:
			if len(o.value) == 4 {
				v := o.order.uint32(o.value)
				switch v & flagDirection {
				case flagIncoming:
					f.Direction = packet.Incoming
				case flagOutgoing:
					f.Direction = packet.Outgoing
				}
				f.Unfinished = v&flagUnfinished != 0
			}
		}
	}
	r.noteOptions(&o, start)
}

// simple reads a Simple Packet Block: a packet of the first interface, without
// a time.
func (r *Reader) simple(b []byte, start int64, f *packet.Frame) bool {
	if len(b) < 4 {
		r.note(start, "a packet block is too short")
		return false
	}
	if len(r.section.interfaces) == 0 {
		r.note(start, "a packet of interface 0, which is not described")
		return false
	}
	i := &r.section.interfaces[0]
	length := r.section.order.uint32(b)
	captured := int(min(length, 1<<31-1))
	if i.SnapLen > 0 {
		captured = min(captured, i.SnapLen)
	}
	if captured > len(b)-4 {
		r.note(start, "a packet block says that it holds %d bytes", captured)
		captured = len(b) - 4
	}
	if captured > maxPacket {
		r.note(start, "a packet block says that it holds %d bytes", captured)
		return false
	}
	r.frames++
	*f = packet.Frame{
		Number: r.frames, Len: int(length), Data: b[4 : 4+captured : 4+captured],
		Link: i.Link, IfaceName: i.Name,
	}
	return true
}
