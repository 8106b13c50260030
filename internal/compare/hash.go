package compare

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// A hash is made of what a packet has, step by step. It is the same in every
// run, so that results are; who makes packets of one hash on purpose confuses
// the comparison of these packets, and nothing else.
type hash uint64

// hashMul is an odd number whose bits are mixed well.
const hashMul = 0xd6e8feb86659fd93

func newHash() hash { return 0x9e3779b97f4a7c15 }

// word adds a number.
func (h hash) word(v uint64) hash {
	hi, lo := bits.Mul64(uint64(h)^v, hashMul)
	return hash(hi ^ lo ^ bits.RotateLeft64(uint64(h), 29))
}

// bytes adds a text and its length.
func (h hash) bytes(b []byte) hash {
	n := len(b)
	for ; len(b) >= 8; b = b[8:] {
		h = h.word(binary.LittleEndian.Uint64(b))
	}
	var tail [8]byte
	copy(tail[:], b)
	return h.word(binary.LittleEndian.Uint64(tail[:])).word(uint64(n))
}

// addr adds an address.
func (h hash) addr(a netip.Addr) hash {
	b := a.As16()
	return h.word(binary.LittleEndian.Uint64(b[:8])).word(binary.LittleEndian.Uint64(b[8:]))
}

// sum returns the hash, with all of its bits as good as each other.
func (h hash) sum() uint64 {
	v := uint64(h)
	v ^= v >> 32
	v *= hashMul
	v ^= v >> 29
	v *= hashMul
	return v ^ v>>32
}
