package capfile

import (
	"encoding/binary"
	"math/bits"
)

// An order is the byte order of the host that wrote a file, or a section of one.
// The zero order is little-endian.
type order bool

const big order = true

func (o order) uint16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if o == big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (o order) uint32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if o == big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (o order) uint64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if o == big {
		v = bits.ReverseBytes64(v)
	}
	return v
}
