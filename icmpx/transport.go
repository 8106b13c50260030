package icmpx

import (
	"encoding/binary"
	"fmt"
)

// A UDPHeader is the header of a UDP datagram (RFC 768).
type UDPHeader struct {
	SrcPort, DstPort uint16
	Length           uint16 // header and data in bytes, at least 8
	Checksum         uint16 // 0: none (IPv4 only)
}

// ParseUDPHeader reads the 8-byte header that b begins with. The error is a
// *ParseError; the checksum covers what may not be here and is not verified.
func ParseUDPHeader(b []byte) (UDPHeader, error) {
	if len(b) < 8 {
		return UDPHeader{}, &ParseError{"UDP header", len(b), ErrTruncated}
	}
	h := UDPHeader{
		SrcPort:  binary.BigEndian.Uint16(b),
		DstPort:  binary.BigEndian.Uint16(b[2:]),
		Length:   binary.BigEndian.Uint16(b[4:]),
		Checksum: binary.BigEndian.Uint16(b[6:]),
	}
	if h.Length < 8 {
		return UDPHeader{}, &ParseError{"UDP length", 4, ErrLength}
	}
	return h, nil
}

// AppendBinary appends the header's wire form to b.
func (h *UDPHeader) AppendBinary(b []byte) ([]byte, error) {
	if h.Length < 8 {
		return nil, fmt.Errorf("marshal UDP length %d: %w", h.Length, ErrLength)
	}
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint16(b, h.Length)
	return binary.BigEndian.AppendUint16(b, h.Checksum), nil
}

// The flags of a TCP header (RFC 9293 section 3.1).
const (
	TCPFin uint8 = 1 << iota
	TCPSyn
	TCPRst
	TCPPsh
	TCPAck
	TCPUrg
	TCPEce
	TCPCwr
)

const (
	tcpHeaderLen  = 20
	maxTCPOptions = 40
)

// A TCPHeader is the header of a TCP segment (RFC 9293 section 3.1).
type TCPHeader struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            uint8 // TCPFin to TCPCwr
	Window           uint16
	Checksum         uint16
	Urgent           uint16
	Options          []byte // as on the wire, at most 40 bytes, a multiple of 4
}

// Len is the length of the header in bytes, options included.
func (h *TCPHeader) Len() int { return tcpHeaderLen + len(h.Options) }

// ParseTCPHeader reads the header that b begins with; b[h.Len():] follows it.
// The error is a *ParseError: the data offset must be legal and the reserved
// bits 0. The checksum covers what may not be here and is not verified. Options
// shares b.
func ParseTCPHeader(b []byte) (TCPHeader, error) {
	if len(b) < tcpHeaderLen {
		return TCPHeader{}, &ParseError{"TCP header", len(b), ErrTruncated}
	}
	n := int(b[12]>>4) * 4
	switch {
	case n < tcpHeaderLen:
		return TCPHeader{}, &ParseError{"TCP data offset", 12, ErrLength}
	case n > len(b):
		return TCPHeader{}, &ParseError{"TCP options", len(b), ErrTruncated}
	case b[12]&0x0f != 0:
		return TCPHeader{}, &ParseError{"TCP reserved bits", 12, ErrReserved}
	}
	return TCPHeader{
		SrcPort:  binary.BigEndian.Uint16(b),
		DstPort:  binary.BigEndian.Uint16(b[2:]),
		Seq:      binary.BigEndian.Uint32(b[4:]),
		Ack:      binary.BigEndian.Uint32(b[8:]),
		Flags:    b[13],
		Window:   binary.BigEndian.Uint16(b[14:]),
		Checksum: binary.BigEndian.Uint16(b[16:]),
		Urgent:   binary.BigEndian.Uint16(b[18:]),
		Options:  b[tcpHeaderLen:n:n],
	}, nil
}

// AppendBinary appends the header's wire form to b. The error says which field
// does not fit.
func (h *TCPHeader) AppendBinary(b []byte) ([]byte, error) {
	if len(h.Options) > maxTCPOptions || len(h.Options)%4 != 0 {
		return nil, fmt.Errorf("marshal TCP options of %d bytes: %w", len(h.Options), ErrLength)
	}
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint32(b, h.Seq)
	b = binary.BigEndian.AppendUint32(b, h.Ack)
	b = append(b, byte(h.Len()/4)<<4, h.Flags)
	b = binary.BigEndian.AppendUint16(b, h.Window)
	b = binary.BigEndian.AppendUint16(b, h.Checksum)
	b = binary.BigEndian.AppendUint16(b, h.Urgent)
	return append(b, h.Options...), nil
}
