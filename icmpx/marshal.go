package icmpx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Marshal returns the wire form of m: type, code, checksum and body. It is the
// inverse of Parse, and refuses what does not fit its field instead of wrapping
// it: codes, identifiers, lengths, labels, names, or a message that does not
// fit an IP packet. Bodies and extensions may be those of this package or of
// x/net/icmp; x/net's errors and extended echo requests are encoded as ours.
//
// The checksum of an ICMPv4 message is computed. That of an ICMPv6 message is
// computed if src and dst are IPv6 addresses; else m.Checksum is written as it is, and
// its zero is for the kernel to fill in.
func Marshal(m *icmp.Message, src, dst netip.Addr) ([]byte, error) {
	f, typ, err := messageType(m.Type)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Code < 0 || m.Code > math.MaxUint8:
		return nil, fmt.Errorf("marshal code %d: %w", m.Code, ErrLength)
	case m.Checksum < 0 || m.Checksum > math.MaxUint16:
		return nil, fmt.Errorf("marshal checksum %#x: %w", m.Checksum, ErrLength)
	case m.Body == nil:
		return nil, fmt.Errorf("marshal %s without a body: %w", TypeName(f, typ), ErrTruncated)
	}
	p, err := checkBody(m.Body)
	if err != nil {
		return nil, err
	}
	body, err := p.Marshal(f.Protocol())
	if err != nil {
		return nil, err
	}
	b := append(append(make([]byte, 0, 4+len(body)), typ, uint8(m.Code), 0, 0), body...)
	if len(b) > longestMessage(f) {
		return nil, fmt.Errorf("marshal %s of %d bytes: %w", TypeName(f, typ), len(b), ErrLength)
	}
	binary.BigEndian.PutUint16(b[2:], messageChecksum(f, b, m.Checksum, src, dst))
	return b, nil
}

// longestMessage is the length of the longest message that fits an IP packet
// without options or extension headers.
func longestMessage(f Family) int { return headerLen + f.MaxPayload() }

// messageType takes x/net's type apart.
func messageType(t icmp.Type) (Family, uint8, error) {
	n, f := -1, IPv4
	switch t := t.(type) {
	case ipv4.ICMPType:
		n = int(t)
	case ipv6.ICMPType:
		n, f = int(t), IPv6
	}
	if n < 0 || n > math.MaxUint8 {
		return 0, 0, fmt.Errorf("marshal message type %v: %w", t, ErrVersion)
	}
	return f, uint8(n), nil
}

// messageChecksum returns the checksum for b, whose checksum field is zero.
// Where it is zero, stored, the other zero of ones' complement, is as good.
func messageChecksum(f Family, b []byte, stored int, src, dst netip.Addr) uint16 {
	var sum uint16
	switch {
	case f != IPv6:
		sum = Checksum(b)
	case src.Is6() && dst.Is6():
		sum = ChecksumFrom(PseudoSum(src, dst, len(b), protoICMPv6), b)
	default:
		return uint16(stored)
	}
	if sum == 0 && stored == 0xffff {
		return 0xffff
	}
	return sum
}

// checkBody refuses values that x/net's bodies would wrap, and replaces those
// of its bodies that do not encode what they hold.
func checkBody(body icmp.MessageBody) (icmp.MessageBody, error) {
	switch p := body.(type) {
	case *icmp.Echo:
		return p, errors.Join(checkRange("identifier", p.ID, math.MaxUint16), checkRange("sequence number", p.Seq, math.MaxUint16))
	case *icmp.PacketTooBig:
		_, err := appendWord(nil, "MTU", p.MTU)
		return p, err
	case *icmp.DstUnreach:
		return &Unreachable{Data: p.Data, Extensions: p.Extensions}, nil
	case *icmp.TimeExceeded:
		return &TimeExceeded{Data: p.Data, Extensions: p.Extensions}, nil
	case *icmp.ParamProb:
		if uint64(p.Pointer) > math.MaxUint32 {
			return nil, fmt.Errorf("marshal pointer %d: %w", p.Pointer, ErrLength)
		}
		return &ParamProblem{Pointer: uint32(p.Pointer), Data: p.Data, Extensions: p.Extensions}, nil
	case *icmp.ExtendedEchoRequest:
		err := errors.Join(checkRange("identifier", p.ID, math.MaxUint16), checkRange("sequence number", p.Seq, math.MaxUint8))
		return &ExtEchoRequest{ID: uint16(p.ID), Seq: uint8(p.Seq), Local: p.Local, Extensions: p.Extensions}, err
	case *icmp.ExtendedEchoReply:
		return p, errors.Join(checkRange("identifier", p.ID, math.MaxUint16), checkRange("sequence number", p.Seq, math.MaxUint8),
			checkRange("extended echo state", p.State, 7))
	}
	return body, nil
}

func checkRange(what string, v, most int) error {
	if v < 0 || v > most {
		return fmt.Errorf("marshal %s %d: %w", what, v, ErrLength)
	}
	return nil
}
