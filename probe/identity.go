package probe

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"

	"github.com/dchest/siphash"
)

// tokenLen is the length in bytes of the token that leads a default payload.
const tokenLen = 8

// An identity is the secret by which an engine knows its own probes again.
// Nobody who has not seen a probe can guess its token.
type identity struct{ key [2]uint64 }

// newIdentity returns an identity that no other run has.
func newIdentity() identity {
	var b [16]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return identity{[2]uint64{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}}
}

// token returns the secret of the number-th probe of a flow to dst: SipHash-2-4
// (Aumasson and Bernstein, 2012) of the 16-byte address, its zone left out, the
// number and the flow, big-endian. It does not allocate.
func (id identity) token(dst netip.Addr, flow uint32, number uint64) uint64 {
	var m [28]byte
	addr := dst.As16()
	copy(m[:], addr[:])
	binary.BigEndian.PutUint64(m[16:], number)
	binary.BigEndian.PutUint32(m[24:], flow)
	return siphash.Hash(id.key[0], id.key[1], m[:])
}
