package render

import (
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
)

// AppendHeard appends how many packets listening gave so far, and how many the
// kernel had to drop.
func AppendHeard(b []byte, t *CaptureTally, n icmpx.PacketStats) []byte {
	b = strconv.AppendInt(b, int64(t.Frames), 10)
	if t.Frames == 1 {
		b = append(b, " packet captured, "...)
	} else {
		b = append(b, " packets captured, "...)
	}
	if t.Selected != t.Frames {
		b = strconv.AppendInt(b, int64(t.Selected), 10)
		b = append(b, " of them selected, "...)
	}
	return AppendDropped(b, n)
}

// AppendDropped appends how many packets the kernel had to drop.
func AppendDropped(b []byte, n icmpx.PacketStats) []byte {
	b = strconv.AppendUint(b, n.Dropped, 10)
	return append(b, " dropped by the kernel\n"...)
}
