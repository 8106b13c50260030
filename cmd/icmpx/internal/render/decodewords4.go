package render

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// ICMPv4 types that have words of their own.
const (
	type4Unreachable  = 3
	type4Quench       = 4
	type4Redirect     = 5
	type4Advert       = 9
	type4Solicit      = 10
	type4TimeExceeded = 11
	type4Problem      = 12
	type4Stamp        = 13
	type4StampReply   = 14
	type4Info         = 15
	type4InfoReply    = 16
	type4Mask         = 17
	type4MaskReply    = 18
	type4ExtEcho      = 42
	type4ExtReply     = 43
)

// cutMark says that what should follow was not captured.
const cutMark = " [|icmp]"

// appendMessage4 appends the words for an ICMPv4 message that is no echo.
func (t *PacketText) appendMessage4(b []byte, p *packet.Packet) []byte {
	m := p.Message
	if len(m) < 8 && hasWords4(p.Type) {
		return append(appendOtherType(append(b, "type-#"...), icmpx.IPv4, p.Type), cutMark...)
	}
	switch p.Type {
	case type4Unreachable, type4Quench, type4Redirect, type4TimeExceeded, type4Problem:
		return t.appendError4(b, p)
	case type4Advert:
		return t.appendAdvert4(b, m)
	case type4Solicit:
		return append(b, "router solicitation"...)
	case type4Stamp:
		return appendPlainIDSeq(append(b, "time stamp query"...), m)
	case type4StampReply:
		return appendStamps(appendPlainIDSeq(append(b, "time stamp reply"...), m), m)
	case type4Info:
		return append(b, "information request"...)
	case type4InfoReply:
		return append(b, "information reply"...)
	case type4Mask:
		return append(b, "address mask request"...)
	case type4MaskReply:
		return appendMask(b, m)
	case type4ExtEcho, type4ExtReply:
		return appendExtEcho(b, p)
	}
	return appendOtherType(append(b, "type-#"...), icmpx.IPv4, p.Type)
}

// hasWords4 reports whether a type has fields of its own in its first 8 bytes.
func hasWords4(typ uint8) bool {
	switch typ {
	case 1, 2, 6, 7:
		return false
	}
	return typ <= type4MaskReply || typ == type4ExtEcho || typ == type4ExtReply
}

// appendOtherType appends the number of a type, and its name if it has one.
func appendOtherType(b []byte, f icmpx.Family, typ uint8) []byte {
	b = strconv.AppendInt(b, int64(typ), 10)
	if name := icmpx.TypeName(f, typ); !isNumber(name) {
		b = append(append(append(b, " ("...), name...), ')')
	}
	return b
}

// isNumber reports whether a name of a type or code is what the unassigned have
// instead of one.
func isNumber(name string) bool {
	return strings.HasPrefix(name, "type ") || strings.Contains(name, ", code ")
}

// appendPlainIDSeq appends identifier and sequence number as tcpdump does for
// timestamps.
func appendPlainIDSeq(b, m []byte) []byte {
	b = strconv.AppendInt(append(b, " id "...), int64(binary.BigEndian.Uint16(m[4:])), 10)
	return strconv.AppendInt(append(b, " seq "...), int64(binary.BigEndian.Uint16(m[6:])), 10)
}

// appendStamps appends the three times of a timestamp reply (RFC 792).
func appendStamps(b, m []byte) []byte {
	if len(m) < 20 {
		return append(b, cutMark...)
	}
	for i, name := range [...]string{": org ", ", recv ", ", xmit "} {
		b = appendTimeOfDay(append(b, name...), binary.BigEndian.Uint32(m[8+4*i:]))
	}
	return b
}

// appendTimeOfDay appends milliseconds since midnight.
func appendTimeOfDay(b []byte, ms uint32) []byte {
	seconds := int64(ms / 1000)
	b = append(appendTwo(b, seconds/3600), ':')
	b = append(appendTwo(b, seconds/60%60), ':')
	b = append(appendTwo(b, seconds%60), '.')
	return append(b, '0'+byte(ms%1000/100), '0'+byte(ms%100/10), '0'+byte(ms%10))
}

func appendMask(b, m []byte) []byte {
	b = append(b, "address mask is "...)
	if len(m) < 12 {
		return append(b, cutMark[1:]...)
	}
	return appendHex32(b, binary.BigEndian.Uint32(m[8:]))
}

func appendHex32(b []byte, v uint32) []byte {
	b = append(b, "0x"...)
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

// maxRouters is how many routers of an advertisement a line shows.
const maxRouters = 16

// appendAdvert4 appends a router advertisement (RFC 1256): its lifetime, and
// each router with its preference.
func (t *PacketText) appendAdvert4(b, m []byte) []byte {
	lifetime := int64(binary.BigEndian.Uint16(m[6:]))
	b = append(b, "router advertisement lifetime "...)
	switch {
	case lifetime >= 3600:
		b = append(strconv.AppendInt(b, lifetime/3600, 10), ':')
		b = append(appendTwo(b, lifetime/60%60), ':')
		b = appendTwo(b, lifetime%60)
	case lifetime >= 60:
		b = append(strconv.AppendInt(b, lifetime/60, 10), ':')
		b = appendTwo(b, lifetime%60)
	default:
		b = strconv.AppendInt(b, lifetime, 10)
	}
	b = strconv.AppendInt(append(b, ' '), int64(m[4]), 10)
	b = append(b, ':')
	size := int(m[5]) * 4
	if size < 8 {
		b = strconv.AppendInt(append(b, " [size "...), int64(m[5]), 10)
		return append(b, ']')
	}
	m = m[8:]
	for i := range min(len(m)/size, maxRouters) {
		r := m[i*size:]
		b = netip.AddrFrom4([4]byte(r[:4])).AppendTo(append(b, " {"...))
		b = strconv.AppendInt(append(b, ' '), int64(int32(binary.BigEndian.Uint32(r[4:]))), 10)
		b = append(b, '}')
	}
	if len(m)/size > maxRouters {
		b = append(b, " ..."...)
	}
	return b
}

// appendExtEcho appends an extended echo (RFC 8335) of either family.
func appendExtEcho(b []byte, p *packet.Packet) []byte {
	m := p.Message
	reply := p.Type == type4ExtReply || p.Type == type6ExtReply
	if reply {
		b = append(b, "extended echo reply, id "...)
	} else {
		b = append(b, "extended echo request, id "...)
	}
	b = strconv.AppendInt(b, int64(binary.BigEndian.Uint16(m[4:])), 10)
	b = strconv.AppendInt(append(b, ", seq "...), int64(m[6]), 10)
	if !reply {
		return b
	}
	if p.Code != 0 {
		return appendCode(append(b, ", "...), p)
	}
	const active, ipv4, ipv6 = 4, 2, 1
	for _, flag := range [...]struct {
		bit  byte
		name string
	}{{active, ", active"}, {ipv4, ", IPv4"}, {ipv6, ", IPv6"}} {
		if m[7]&flag.bit != 0 {
			b = append(b, flag.name...)
		}
	}
	return b
}
