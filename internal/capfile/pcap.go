package capfile

import (
	"encoding/binary"

	"github.com/icmpx/icmpx/internal/packet"
)

// The magic numbers of pcap files, as a host of the writer's byte order reads
// them.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // A. Kuznetzov's: longer packet headers
)

// Lengths in bytes of headers in pcap files.
const (
	pcapHeader         = 24
	pcapRecord         = 16
	pcapRecordModified = 24
)

// A pcapFile is what the header of a pcap file says.
type pcapFile struct {
	order
	record  int // length of a packet's header
	unit    int64
	link    packet.LinkType
	snaplen int
	swapped swapping
}

// A swapping says how old writers ordered the two lengths of a packet.
type swapping uint8

const (
	lengthsAsNow   swapping = iota
	lengthsSwapped          // length on the wire first
	lengthsEither           // the smaller is that of what was captured
)

// openPcap reads the header of a pcap file, and reports whether it is one.
func (r *Reader) openPcap() (known bool, err error) {
	p := &r.pcap
	h := r.in.peek(4)
	if len(h) < 4 {
		return false, nil
	}
	switch magic := binary.LittleEndian.Uint32(h); magic {
	case magicMicro, magicNano, magicModified:
	default:
		p.order = big
	}
	p.record, p.unit = pcapRecord, 1000
	switch p.uint32(h) {
	case magicMicro:
	case magicNano:
		p.unit = 1
	case magicModified:
		p.record = pcapRecordModified
	default:
		return false, nil
	}
	r.format, r.next = "pcap", r.nextPcap
	if h = r.in.peek(pcapHeader); len(h) < pcapHeader {
		return true, r.cutShort("the header of the file")
	}
	major, minor := p.uint16(h[4:]), p.uint16(h[6:])
	switch {
	case major == 2 && minor < 3, major == 543: // 543: DG/UX
		p.swapped = lengthsSwapped
	case major == 2 && minor == 3:
		p.swapped = lengthsEither
	case major != 2:
		return true, r.damage(4, "version %d.%d of the format is not known", major, minor)
	}
	p.snaplen = int(p.uint32(h[16:]))
	// The high bits say how long a checksum the frames end with, which is of
	// no use: the IP header says where the packet ends.
	p.link = packet.LinkType(p.uint32(h[20:]))
	r.in.pos += pcapHeader
	return true, nil
}

// nextPcap reads the next packet of a pcap file.
func (r *Reader) nextPcap(f *packet.Frame) error {
	p := &r.pcap
	h := r.in.peek(p.record)
	if len(h) < p.record {
		return r.ended(len(h), "the header of a packet")
	}
	sec, fraction := p.uint32(h), p.uint32(h[4:])
	captured, length := p.uint32(h[8:]), p.uint32(h[12:])
	switch {
	case p.swapped == lengthsAsNow:
	case p.swapped == lengthsSwapped, captured > length:
		captured, length = length, captured
	}
	// A snapshot length that the packets exceed is a lie that harms nobody.
	if captured > maxPacket {
		return r.damage(r.in.offset(), "the header of a packet says %d bytes; at most %d are believed", captured, maxPacket)
	}
	var iface int
	var dir packet.Direction
	if p.record == pcapRecordModified {
		iface, dir = int(p.uint32(h[16:])), modifiedDirection(h[22])
	}
	n := p.record + int(captured)
	b := r.in.peek(n)
	if len(b) < n {
		return r.cutShort("a packet")
	}
	r.in.pos += n
	r.frames++
	*f = packet.Frame{
		Number: r.frames, Time: moment(int64(sec), int64(fraction)*p.unit),
		Len: int(length), Data: b[p.record:n:n], Link: p.link, Iface: iface, Direction: dir,
	}
	return nil
}

// modifiedDirection reads the packet type of Linux (if_packet.h) in the longer
// packet header.
func modifiedDirection(typ uint8) packet.Direction {
	const outgoing = 4
	switch {
	case typ == outgoing:
		return packet.Outgoing
	case typ < outgoing:
		return packet.Incoming
	}
	return packet.DirectionUnknown
}
