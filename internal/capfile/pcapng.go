package capfile

import (
	"encoding/binary"

	"github.com/icmpx/icmpx/internal/packet"
)

// Types of pcapng blocks (draft-ietf-opsawg-pcapng section 4). Others are
// stepped over.
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockOldPacket  = 2 // obsolete
	blockSimple     = 3
	blockStatistics = 5
	blockPacket     = 6
)

// The byte-order magic of a section, as the two orders read it.
const (
	magicOrder        = 0x1a2b3c4d
	magicOrderSwapped = 0x4d3c2b1a
)

// maxBlock is the most bytes of a block that is read; there is room for the
// largest packet and for long comments. Longer ones are stepped over.
const maxBlock = 1 << 20

// blockFrame is what stands around the body of a block: type and length before
// it, the length again behind.
const blockFrame = 12

// openPcapng reads the first section header, and reports whether there is one.
func (r *Reader) openPcapng() (known bool, err error) {
	h := r.in.peek(4)
	if len(h) < 4 || binary.LittleEndian.Uint32(h) != blockSection {
		return false, nil
	}
	r.format, r.next = "pcapng", r.nextPcapng
	h = r.in.peek(12)
	if len(h) < 12 {
		return true, r.cutShort("the header of the file")
	}
	if !isOrder(h[8:]) {
		return true, &FormatError{"it begins as pcapng and has no byte-order magic"}
	}
	_, err = r.block(nil)
	return true, err
}

// isOrder reports whether b begins with the byte-order magic.
func isOrder(b []byte) bool {
	v := binary.LittleEndian.Uint32(b)
	return v == magicOrder || v == magicOrderSwapped
}

// nextPcapng reads blocks up to the next packet.
func (r *Reader) nextPcapng(f *packet.Frame) error {
	for {
		if found, err := r.block(f); found || err != nil {
			return err
		}
	}
}

// block reads one block, and reports whether it held a packet.
func (r *Reader) block(f *packet.Frame) (found bool, err error) {
	h := r.in.peek(8)
	if len(h) < 8 {
		return false, r.ended(len(h), "the header of a block")
	}
	if binary.LittleEndian.Uint32(h) == blockSection {
		// The order of the length is known from what follows it.
		if h = r.in.peek(12); len(h) < 12 {
			return false, r.cutShort("the header of a section")
		}
		if !isOrder(h[8:]) {
			return false, r.damage(r.in.offset(), "a section without byte-order magic")
		}
		r.section = section{order: order(binary.LittleEndian.Uint32(h[8:]) != magicOrder)}
	}
	o := r.section.order
	typ, length := o.uint32(h), o.uint32(h[4:])
	if length < blockFrame {
		return false, r.damage(r.in.offset(), "a block says that it is %d bytes long", length)
	}
	if length%4 != 0 {
		r.note(r.in.offset(), "the length of a block, %d, is no multiple of 4", length)
		length += 4 - length%4 // wraps to 0 at the highest
		if length == 0 {
			return false, r.damage(r.in.offset(), "the length of a block cannot be")
		}
	}
	switch typ {
	case blockSection, blockInterface, blockOldPacket, blockSimple, blockStatistics, blockPacket:
		if length > maxBlock {
			return false, r.tooLong(typ, length)
		}
	default:
		return false, r.skipBlock(length)
	}
	b := r.in.peek(int(length))
	if len(b) < int(length) {
		return false, r.cutShort("a block")
	}
	start := r.in.offset()
	r.in.pos += int(length)
	if tail := o.uint32(b[length-4:]); tail != length {
		r.note(start, "a block begins with length %d and ends with %d", length, tail)
	}
	return r.read(typ, b[8:length-4:length-4], start, f)
}

// tooLong steps over a block that is longer than is read.
func (r *Reader) tooLong(typ, length uint32) error {
	if typ == blockSection {
		return r.damage(r.in.offset(), "the header of a section says that it is %d bytes long", length)
	}
	r.note(r.in.offset(), "a block of type %d and %d bytes is longer than is read", typ, length)
	return r.skipBlock(length)
}

// skipBlock steps over a block.
func (r *Reader) skipBlock(length uint32) error {
	if !r.in.skip(int64(length)) {
		return r.cutShort("a block")
	}
	return nil
}

// read reads the body of a block that stands at start.
func (r *Reader) read(typ uint32, body []byte, start int64, f *packet.Frame) (found bool, err error) {
	switch typ {
	case blockPacket, blockOldPacket:
		found = r.timed(typ, body, start, f)
	case blockSimple:
		found = r.simple(body, start, f)
	case blockSection:
		err = r.sectionHeader(body, start)
	case blockInterface:
		r.newInterface(body, start)
	case blockStatistics:
		r.statistics(body, start)
	}
	return found, err
}
