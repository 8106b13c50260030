package icmpx

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Flags of the IPv4 header's fourth 16-bit word; the fragment offset follows
// them (RFC 791 section 3.1).
const (
	flagReserved = 0x8000
	flagDF       = 0x4000
	flagMF       = 0x2000
)

const maxIPv4Options = 40 // bytes; the header length is 4 bits of 32-bit words

// An IPv4Header is the header of an IPv4 packet (RFC 791 section 3.1). Its
// header length and checksum follow from the other fields.
type IPv4Header struct {
	TOS      uint8
	TotalLen int    // of the whole packet in bytes, 20 to 65,535
	ID       uint16 // identification
	DF, MF   bool   // don't fragment, more fragments
	FragOff  int    // fragment offset in bytes, a multiple of 8
	TTL      uint8
	Proto    uint8
	Src, Dst netip.Addr
	Options  []byte // as on the wire, at most 40 bytes, a multiple of 4
}

// Len is the length of the header in bytes, options included.
func (h *IPv4Header) Len() int { return IPv4.HeaderLen() + len(h.Options) }

// ParseIPv4Header reads the header that b begins with; b[h.Len():] follows it.
// The error is a *ParseError: the version, the header length and the total
// length must be legal, the options well-formed, the reserved flag 0 and the
// checksum right. The bytes behind the header are not looked at: TotalLen may
// be more than b has. Options shares b.
func ParseIPv4Header(b []byte) (IPv4Header, error) {
	if len(b) < IPv4.HeaderLen() {
		return IPv4Header{}, &ParseError{"IPv4 header", len(b), ErrTruncated}
	}
	hl := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	frag := binary.BigEndian.Uint16(b[6:])
	switch {
	case b[0]>>4 != 4:
		return IPv4Header{}, &ParseError{"IP version", 0, ErrVersion}
	case hl < IPv4.HeaderLen():
		return IPv4Header{}, &ParseError{"IPv4 header length", 0, ErrLength}
	case hl > len(b):
		return IPv4Header{}, &ParseError{"IPv4 options", len(b), ErrTruncated}
	case total < hl:
		return IPv4Header{}, &ParseError{"IPv4 total length", 2, ErrLength}
	case frag&flagReserved != 0:
		return IPv4Header{}, &ParseError{"IPv4 flags", 6, ErrReserved}
	}
	if off, err := checkOptions(b[IPv4.HeaderLen():hl]); err != nil {
		return IPv4Header{}, &ParseError{"IPv4 option", IPv4.HeaderLen() + off, err}
	}
	// The other zero of ones' complement, 0xffff, is no right checksum: a sum
	// that holds a version cannot be the one that it belongs to.
	if Checksum(b[:hl]) != 0 || binary.BigEndian.Uint16(b[10:]) == 0xffff {
		return IPv4Header{}, &ParseError{"IPv4 header checksum", 10, ErrChecksum}
	}
	return IPv4Header{
		TOS: b[1], TotalLen: total, ID: binary.BigEndian.Uint16(b[4:]),
		DF: frag&flagDF != 0, MF: frag&flagMF != 0, FragOff: int(frag << 3),
		TTL: b[8], Proto: b[9],
		Src: netip.AddrFrom4([4]byte(b[12:16])), Dst: netip.AddrFrom4([4]byte(b[16:20])),
		Options: b[IPv4.HeaderLen():hl:hl],
	}, nil
}

// AppendBinary appends the header's wire form to b. The error says which field
// does not fit.
func (h *IPv4Header) AppendBinary(b []byte) ([]byte, error) {
	switch {
	case len(h.Options) > maxIPv4Options || len(h.Options)%4 != 0:
		return nil, fmt.Errorf("marshal IPv4 options of %d bytes: %w", len(h.Options), ErrLength)
	case h.TotalLen < h.Len() || h.TotalLen > 65535:
		return nil, fmt.Errorf("marshal IPv4 total length %d: %w", h.TotalLen, ErrLength)
	case h.FragOff < 0 || h.FragOff > 65535 || h.FragOff%8 != 0:
		return nil, fmt.Errorf("marshal IPv4 fragment offset %d: %w", h.FragOff, ErrLength)
	case !h.Src.Is4() || !h.Dst.Is4():
		return nil, fmt.Errorf("marshal IPv4 addresses %v and %v: %w", h.Src, h.Dst, ErrVersion)
	}
	frag := uint16(h.FragOff / 8)
	if h.DF {
		frag |= flagDF
	}
	if h.MF {
		frag |= flagMF
	}
	start := len(b)
	b = append(b, 0x40|byte(h.Len()/4), h.TOS)
	b = binary.BigEndian.AppendUint16(b, uint16(h.TotalLen))
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = binary.BigEndian.AppendUint16(b, frag)
	b = append(b, h.TTL, h.Proto, 0, 0)
	b = append(b, h.Src.AsSlice()...)
	b = append(b, h.Dst.AsSlice()...)
	b = append(b, h.Options...)
	binary.BigEndian.PutUint16(b[start+10:], Checksum(b[start:]))
	return b, nil
}

// IPv4 option types that are one byte long (RFC 791 section 3.1).
const (
	optionEnd = 0
	optionNop = 1
)

// optionLen returns the length of the IPv4 option that b begins with; b is not
// empty. The error is ErrTruncated or ErrLength.
func optionLen(b []byte) (int, error) {
	switch {
	case b[0] == optionEnd || b[0] == optionNop:
		return 1, nil
	case len(b) < 2:
		return 0, ErrTruncated
	case b[1] < 2 || int(b[1]) > len(b):
		return 0, ErrLength
	}
	return int(b[1]), nil
}

// checkOptions reports where and how the options of an IPv4 header are broken.
func checkOptions(b []byte) (off int, err error) {
	for off < len(b) && b[off] != optionEnd {
		n, err := optionLen(b[off:])
		if err != nil {
			return off, err
		}
		off += n
	}
	return 0, nil
}
