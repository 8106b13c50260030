package icmpx

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// An IPv6Header is the header of an IPv6 packet with its extension headers
// (RFC 8200 sections 3 and 4).
type IPv6Header struct {
	TrafficClass uint8
	FlowLabel    uint32 // 20 bits
	PayloadLen   int    // bytes behind the fixed header, extension headers included, 0 to 65,535
	HopLimit     uint8
	Src, Dst     netip.Addr // without zones
	Extensions   []IPv6Extension
	Proto        uint8 // what follows the last header: the transport protocol
}

// An IPv6Extension is one IPv6 extension header.
type IPv6Extension struct {
	Type uint8  // its own protocol number: 0, 43, 44, 51, 60, 135, 139 or 140
	Data []byte // all of it but the first byte, which names the next header
}

// Len is the length in bytes of the fixed header and the extension headers.
func (h *IPv6Header) Len() int {
	n := IPv6.HeaderLen()
	for i := range h.Extensions {
		n += 1 + len(h.Extensions[i].Data)
	}
	return n
}

// ParseIPv6Header reads the header that b begins with, and the extension
// headers behind it; b[h.Len():] follows them. It stops at the first header
// that is no extension header, and behind a fragment header with an offset. The
// error is a *ParseError: every header must be whole, and there may be 8
// extension headers. The bytes behind are not looked at: PayloadLen may be more
// than b has. Extensions share b.
func ParseIPv6Header(b []byte) (IPv6Header, error) {
	if len(b) < IPv6.HeaderLen() {
		return IPv6Header{}, &ParseError{"IPv6 header", len(b), ErrTruncated}
	}
	if b[0]>>4 != 6 {
		return IPv6Header{}, &ParseError{"IP version", 0, ErrVersion}
	}
	h := IPv6Header{
		TrafficClass: b[0]<<4 | b[1]>>4,
		FlowLabel:    binary.BigEndian.Uint32(b) & 0xfffff,
		PayloadLen:   int(binary.BigEndian.Uint16(b[4:])),
		Proto:        b[6], HopLimit: b[7],
		Src: netip.AddrFrom16([16]byte(b[8:24])), Dst: netip.AddrFrom16([16]byte(b[24:40])),
	}
	for off := IPv6.HeaderLen(); ; {
		n, ok := ExtensionHeaderLen(h.Proto, b[off:])
		switch {
		case !ok:
			return h, nil
		case n == 0 || n > len(b)-off:
			return IPv6Header{}, &ParseError{"IPv6 extension header", off, ErrTruncated}
		case len(h.Extensions) == maxExtHeaders:
			return IPv6Header{}, &ParseError{"IPv6 extension header", off, ErrLimit}
		}
		h.Extensions = append(h.Extensions, IPv6Extension{Type: h.Proto, Data: b[off+1 : off+n : off+n]})
		laterFragment := h.Proto == protoFragment && binary.BigEndian.Uint16(b[off+2:])>>3 != 0
		h.Proto = b[off]
		off += n
		if laterFragment {
			return h, nil
		}
	}
}

// AppendBinary appends the wire form of the header and its extension headers
// to b. The error says which field does not fit.
func (h *IPv6Header) AppendBinary(b []byte) ([]byte, error) {
	switch {
	case h.FlowLabel > 0xfffff:
		return nil, fmt.Errorf("marshal IPv6 flow label %#x: %w", h.FlowLabel, ErrLength)
	case h.PayloadLen < 0 || h.PayloadLen > 65535:
		return nil, fmt.Errorf("marshal IPv6 payload length %d: %w", h.PayloadLen, ErrLength)
	case !h.Src.Is6() || !h.Dst.Is6():
		return nil, fmt.Errorf("marshal IPv6 addresses %v and %v: %w", h.Src, h.Dst, ErrVersion)
	case len(h.Extensions) > maxExtHeaders:
		return nil, fmt.Errorf("marshal %d IPv6 extension headers: %w", len(h.Extensions), ErrLimit)
	}
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel)
	b = binary.BigEndian.AppendUint16(b, uint16(h.PayloadLen))
	b = append(b, h.next(0), h.HopLimit)
	b = append(b, h.Src.WithZone("").AsSlice()...)
	b = append(b, h.Dst.WithZone("").AsSlice()...)
	for i, e := range h.Extensions {
		start := len(b)
		b = append(b, h.next(i+1))
		b = append(b, e.Data...)
		if n, ok := ExtensionHeaderLen(e.Type, b[start:]); !ok || n != len(b)-start {
			return nil, fmt.Errorf("marshal IPv6 extension header %d of %d bytes: %w", e.Type, len(b)-start, ErrLength)
		}
	}
	return b, nil
}

// next returns the protocol number of extension header i, or what follows the
// last.
func (h *IPv6Header) next(i int) uint8 {
	if i < len(h.Extensions) {
		return h.Extensions[i].Type
	}
	return h.Proto
}
