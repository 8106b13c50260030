package craft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// A Quote describes the packet that an error is about, as far as errors quote
// it: the IP header and 8 bytes, or a whole TCP header.
type Quote struct {
	Src, Dst netip.Addr
	Proto    string // "udp:SPORT:DPORT", "tcp:SPORT:DPORT[:SEQ]", "icmp:ID:SEQ" or a protocol number
	TTL, TOS uint8
	ID       uint16 // IPv4
	DF       bool   // IPv4
}

// Numbers of transport protocols.
const (
	protoTCP = 6
	protoUDP = 17
)

// errProto says what --quote-proto takes.
var errProto = errors.New("want udp:SPORT:DPORT, tcp:SPORT:DPORT[:SEQ], icmp:ID:SEQ, or the number of a protocol")

// Marshal returns the quoted bytes.
func (q *Quote) Marshal() ([]byte, error) {
	f := icmpx.FamilyOf(q.Dst)
	if f != icmpx.FamilyOf(q.Src) {
		return nil, fmt.Errorf("quoted packet from %v to %v: addresses of two families", q.Src, q.Dst)
	}
	src, dst := q.Src.WithZone(""), q.Dst.WithZone("")
	proto, l4, err := q.transport(f, src, dst)
	if err != nil {
		return nil, fmt.Errorf("quoted protocol %q: %w", q.Proto, err)
	}
	if f == icmpx.IPv6 {
		h := icmpx.IPv6Header{TrafficClass: q.TOS, HopLimit: q.TTL, Src: src, Dst: dst, Proto: proto, PayloadLen: len(l4)}
		b, err := h.AppendBinary(nil)
		return append(b, l4...), err
	}
	h := icmpx.IPv4Header{TOS: q.TOS, TTL: q.TTL, ID: q.ID, DF: q.DF, Src: src, Dst: dst, Proto: proto, TotalLen: 20 + len(l4)}
	b, err := h.AppendBinary(nil)
	return append(b, l4...), err
}

// transport returns the protocol number and what follows the IP header.
func (q *Quote) transport(f icmpx.Family, src, dst netip.Addr) (uint8, []byte, error) {
	word, rest, _ := strings.Cut(q.Proto, ":")
	parts := strings.Split(rest, ":")
	switch word {
	case "udp":
		n, err := numbers(parts, 2, 2, 16)
		if err != nil {
			return 0, nil, err
		}
		b := ports(n)
		b = append(b, 0, 8, 0, 0)
		sum := icmpx.ChecksumFrom(icmpx.PseudoSum(src, dst, len(b), protoUDP), b)
		if sum == 0 { // which says that there is none (RFC 768)
			sum = 0xffff
		}
		binary.BigEndian.PutUint16(b[6:], sum)
		return protoUDP, b, nil
	case "tcp":
		n, err := numbers(parts, 2, 3, 32)
		if err != nil || n[0] > 0xffff || n[1] > 0xffff {
			return 0, nil, errProto
		}
		b := binary.BigEndian.AppendUint32(ports(n), uint32(append(n, 0)[2]))
		b = append(b, 0, 0, 0, 0, 5<<4, 0x02, 0xff, 0xff, 0, 0, 0, 0) // a SYN
		binary.BigEndian.PutUint16(b[16:], icmpx.ChecksumFrom(icmpx.PseudoSum(src, dst, len(b), protoTCP), b))
		return protoTCP, b, nil
	case "icmp", "icmp6":
		n, err := numbers(parts, 2, 2, 16)
		if err != nil {
			return 0, nil, err
		}
		m := Message{Family: f, Type: 8, Fields: Fields{ID: uint16(n[0]), Seq: uint16(n[1])}}
		if f == icmpx.IPv6 {
			m.Type = 128
		}
		b, err := m.Marshal(src, dst)
		return uint8(f.Protocol()), b, err
	}
	n, err := numbers([]string{q.Proto}, 1, 1, 8)
	if err != nil {
		return 0, nil, err
	}
	return uint8(n[0]), make([]byte, 8), nil
}

// ports begins a transport header.
func ports(n []uint64) []byte {
	b := make([]byte, 0, 20)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, uint16(n[0])), uint16(n[1]))
}

// numbers reads from least to most decimal numbers of so many bits.
func numbers(parts []string, least, most, bits int) ([]uint64, error) {
	if len(parts) < least || len(parts) > most {
		return nil, errProto
	}
	var list []uint64
	for _, s := range parts {
		n, err := strconv.ParseUint(s, 10, bits)
		if err != nil {
			return nil, errProto
		}
		list = append(list, n)
	}
	return list, nil
}
