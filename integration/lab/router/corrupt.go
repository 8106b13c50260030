package router

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Corrupt changes the payload of ICMP queries and their replies, and of UDP
// datagrams, and makes checksums and lengths right again, so that the receiver
// takes the packet. change gets a copy, and may keep its length or not. What
// comes in fragments is put together before, and fragmented as it was after.
func Corrupt(change func([]byte) []byte) Effect {
	return func(p *Packet) Verdict {
		if b, ok := p.Payload(); ok {
			p.SetPayload(change(bytes.Clone(b)))
		}
		return Pass
	}
}

// Flip inverts bits of the payload, counted from its start; bit 0 is the lowest
// of the first byte. Those past the end are left out, here as in the other
// changes.
func Flip(bits ...int) Effect {
	return Corrupt(func(b []byte) []byte {
		for _, i := range bits {
			if i >= 0 && i/8 < len(b) {
				b[i/8] ^= 1 << (i % 8)
			}
		}
		return b
	})
}

// FlipRandom inverts n bits of the payload at random places, each at most once.
func FlipRandom(n int) Effect {
	return func(p *Packet) Verdict {
		return Corrupt(func(b []byte) []byte {
			for _, i := range p.Rand().Perm(8 * len(b))[:min(max(n, 0), 8*len(b))] {
				b[i/8] ^= 1 << (i % 8)
			}
			return b
		})(p)
	}
}

// Truncate keeps the first n bytes of the payload.
func Truncate(n int) Effect {
	return Corrupt(func(b []byte) []byte { return b[:clamp(n, b)] })
}

// Pad adds n zero bytes behind the end of the payload.
func Pad(n int) Effect {
	return Corrupt(func(b []byte) []byte { return append(b, make([]byte, max(n, 0))...) })
}

// Insert puts n bytes of 0xee into the payload at an offset.
func Insert(at, n int) Effect {
	return Corrupt(func(b []byte) []byte {
		return slices.Insert(b, clamp(at, b), bytes.Repeat([]byte{0xee}, max(n, 0))...)
	})
}

// Remove takes n bytes out of the payload at an offset.
func Remove(at, n int) Effect {
	return Corrupt(func(b []byte) []byte {
		at := clamp(at, b)
		return slices.Delete(b, at, max(at, clamp(at+n, b)))
	})
}

// Zero clears the bytes of the payload from one offset until before another.
func Zero(from, to int) Effect {
	return Corrupt(func(b []byte) []byte {
		from := clamp(from, b)
		clear(b[from:max(from, clamp(to, b))])
		return b
	})
}

// BadChecksum makes the checksum of ICMP, UDP or TCP wrong.
func BadChecksum() Effect {
	return func(p *Packet) Verdict {
		at := checksumAt(p.Proto)
		if at < 0 || p.FragOff != 0 || len(p.Bytes) < p.l4+at+2 {
			return Pass
		}
		sum := p.Bytes[p.l4+at:]
		binary.BigEndian.PutUint16(sum, wrongSum(binary.BigEndian.Uint16(sum)))
		p.Checksum = binary.BigEndian.Uint16(sum)
		return Pass
	}
}

// wrongSum returns a checksum that differs from v in one bit, and is neither
// of the two zeros, which may mean none.
func wrongSum(v uint16) uint16 {
	for bit := uint16(1); ; bit <<= 1 {
		if w := v ^ bit; w != 0 && w != 0xffff {
			return w
		}
	}
}

func clamp(i int, b []byte) int { return min(max(i, 0), len(b)) }
