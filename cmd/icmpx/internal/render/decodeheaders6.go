package render

import (
	"encoding/binary"
	"strconv"

	"github.com/icmpx/icmpx/internal/packet"
)

// IPv6 extension headers that have words.
const (
	header6Hop      = 0
	header6Routing  = 43
	header6Fragment = 44
	header6Auth     = 51
	header6Dest     = 60
)

// maxHeaders6 is how many extension headers a line names.
const maxHeaders6 = 8

// appendHeaders6 appends a word for each IPv6 extension header, as tcpdump
// does: "HBH ", "RT6 (type=4, segleft=1) ", "frag (0|1448) ".
func appendHeaders6(b []byte, h *packet.IP) []byte {
	typ, x := h.Header[6], h.Header[40:]
	for range maxHeaders6 {
		n := headerLen6(typ, x)
		if n == 0 {
			return b
		}
		switch typ {
		case header6Hop:
			b = append(b, "HBH "...)
		case header6Dest:
			b = append(b, "DSTOPT "...)
		case header6Auth:
			b = append(b, "AH "...)
		case header6Routing:
			b = strconv.AppendInt(append(b, "RT6 (type="...), int64(x[2]), 10)
			b = strconv.AppendInt(append(b, ", segleft="...), int64(x[3]), 10)
			b = append(b, ") "...)
		case header6Fragment:
			off := binary.BigEndian.Uint16(x[2:]) &^ 7
			b = strconv.AppendInt(append(b, "frag ("...), int64(off), 10)
			b = strconv.AppendInt(append(b, '|'), int64(max(h.Length-len(h.Header)+len(x)-n, 0)), 10)
			b = append(b, ") "...)
		default:
			b = append(b, "exthdr-"...)
			b = append(strconv.AppendInt(b, int64(typ), 10), ' ')
		}
		typ, x = x[0], x[n:]
	}
	if headerLen6(typ, x) > 0 {
		b = append(b, "... "...)
	}
	return b
}

// headerLen6 returns the length of the extension header that b begins with; 0
// if it is none, or cut short.
func headerLen6(typ uint8, b []byte) int {
	if len(b) < 8 {
		return 0
	}
	n := 8
	switch typ {
	case header6Hop, header6Routing, header6Dest, 135, 139, 140: // mobility, host identity, shim6
		n = (int(b[1]) + 1) * 8
	case header6Auth:
		n = (int(b[1]) + 2) * 4
	case header6Fragment:
	default:
		return 0
	}
	if n > len(b) {
		return 0
	}
	return n
}

// fragmentLen returns how many bytes of its datagram a fragment carries, by its
// header.
func fragmentLen(h *packet.IP) int { return max(h.Length-len(h.Header), 0) }
