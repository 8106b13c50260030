package icmpx

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Checksum returns the Internet checksum of b (RFC 1071), ready to be stored
// big-endian in a checksum field that was zero when it was computed. Over bytes
// whose checksum field is right it returns 0. A last odd byte counts as if a
// zero byte followed.
func Checksum(b []byte) uint16 {
	return ^bits.ReverseBytes16(fold(sumWords(b)))
}

// ChecksumFrom is Checksum continued from sum, the unfolded sum of big-endian
// 16-bit words that stand before b, as PseudoSum returns it.
func ChecksumFrom(sum uint32, b []byte) uint16 {
	return ^fold(uint64(sum) + uint64(bits.ReverseBytes16(fold(sumWords(b)))))
}

// PseudoSum returns the unfolded sum of the pseudo-header that the checksums
// of UDP, TCP and ICMPv6 cover: both addresses, the upper-layer length in bytes
// and the protocol number (RFC 768, RFC 9293 section 3.1, RFC 8200 section
// 8.1). The addresses must be of one family.
func PseudoSum(src, dst netip.Addr, length int, proto uint8) uint32 {
	n := uint32(length)
	return addrSum(src) + addrSum(dst) + n>>16 + n&0xffff + uint32(proto)
}

func addrSum(a netip.Addr) uint32 {
	if a.Is4() {
		b := a.As4()
		return uint32(binary.BigEndian.Uint16(b[:])) + uint32(binary.BigEndian.Uint16(b[2:]))
	}
	var sum uint32
	b := a.As16()
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	return sum
}

// sumWords returns the ones' complement sum of b read as little-endian words,
// eight bytes at a time: the sum does not depend on the byte order except that
// its own bytes are swapped (RFC 1071 section 2), and end-around carries may
// be added in any width.
func sumWords(b []byte) uint64 {
	var s, c uint64
	for len(b) >= 32 {
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[8:]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[16:]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[24:]), c)
		b = b[32:]
	}
	for len(b) >= 8 {
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b), c)
		b = b[8:]
	}
	if len(b) >= 4 {
		s, c = bits.Add64(s, uint64(binary.LittleEndian.Uint32(b)), c)
		b = b[4:]
	}
	if len(b) >= 2 {
		s, c = bits.Add64(s, uint64(binary.LittleEndian.Uint16(b)), c)
		b = b[2:]
	}
	if len(b) > 0 {
		s, c = bits.Add64(s, uint64(b[0]), c)
	}
	s, c = bits.Add64(s, 0, c)
	return s + c
}

// fold adds the carries of a sum of 16-bit words back until 16 bits are left.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}
