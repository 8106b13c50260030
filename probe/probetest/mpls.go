package probetest

import "encoding/binary"

// A Label is an entry of an MPLS label stack (RFC 3032).
type Label struct {
	Label uint32 // 20 bits
	TC    uint8  // 3 bits
	TTL   uint8
}

// MPLS returns the RFC 4884 extension structure with a label stack (RFC 4950),
// top first, for [Hop.Ext].
func MPLS(stack ...Label) []byte {
	b := make([]byte, 8, 8+4*len(stack))
	b[0] = 2 << 4 // version
	binary.BigEndian.PutUint16(b[4:], uint16(4+4*len(stack)))
	b[6], b[7] = 1, 1 // MPLS label stack, incoming
	for i, l := range stack {
		entry := l.Label<<12 | uint32(l.TC&7)<<9 | uint32(l.TTL)
		if i == len(stack)-1 {
			entry |= 1 << 8 // bottom of the stack
		}
		b = binary.BigEndian.AppendUint32(b, entry)
	}
	binary.BigEndian.PutUint16(b[2:], ^fold(sumBytes(b)))
	return b
}
