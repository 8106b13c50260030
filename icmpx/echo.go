package icmpx

import "encoding/binary"

// headerLen is the length of an ICMP header: type, code, checksum and the four
// bytes whose meaning the type decides (RFC 792, RFC 4443).
const headerLen = 8

// tokenLen is the length of the token that leads a payload.
const tokenLen = 8

// PutEcho writes the 8-byte header of an echo request or reply, or of another
// query with the same header, into b, whose other bytes are the payload and
// must be in place. For the types of ICMPv4 (below 128) it also computes the
// checksum over all of b; for those of ICMPv6 it leaves it 0, for the kernel to
// fill in. b must have at least 8 bytes.
func PutEcho(b []byte, typ, code uint8, id, seq uint16) {
	_ = b[headerLen-1]
	b[0], b[1], b[2], b[3] = typ, code, 0, 0
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	if typ < 128 {
		binary.BigEndian.PutUint16(b[2:], Checksum(b))
	}
}

// FillPayload fills b with a probe's default payload: token big-endian in bytes
// 0 to 7, or as much of it as fits, then pattern over and over. Without a
// pattern byte i is i modulo 256, so that 0x08, 0x09, ... follow the token.
func FillPayload(b []byte, token uint64, pattern []byte) {
	var t [tokenLen]byte
	binary.BigEndian.PutUint64(t[:], token)
	rest := b[copy(b, t[:]):]
	if len(pattern) > 0 {
		repeat(rest, pattern)
		return
	}
	for i := range min(len(rest), 256) {
		rest[i] = byte(tokenLen + i)
	}
	if len(rest) > 256 {
		repeat(rest, rest[:256])
	}
}

// repeat fills b with copies of pattern, which may be the start of b.
func repeat(b, pattern []byte) {
	for n := copy(b, pattern); n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}
