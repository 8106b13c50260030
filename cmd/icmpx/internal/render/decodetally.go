package render

import (
	"strconv"

	"github.com/icmpx/icmpx/internal/packet"
)

// A CaptureTally counts the frames of a capture.
type CaptureTally struct {
	Frames   int // that were read
	ICMP     int // with an ICMP message, a part of one, or a fragment of one
	Selected int // that were shown
	Damaged  int // with ICMP, and with something wrong: a checksum, a length, a fragment
}

// Add counts a packet.
func (t *CaptureTally) Add(p *packet.Packet) {
	t.Frames++
	if p.ICMPPart() {
		t.ICMP++
		if p.Checksum == packet.Bad || len(p.Problems) > 0 {
			t.Damaged++
		}
	}
}

// AppendStatus appends the line that answers SIGQUIT.
func (t *CaptureTally) AppendStatus(b []byte) []byte {
	b = strconv.AppendInt(b, int64(t.Frames), 10)
	b = strconv.AppendInt(append(b, " frames, "...), int64(t.ICMP), 10)
	b = strconv.AppendInt(append(b, " with ICMP, "...), int64(t.Damaged), 10)
	return append(b, " of them damaged\n"...)
}

// AppendReassembly appends what became of fragments, if there were any.
func AppendReassembly(b []byte, n packet.ReassemblyCount) []byte {
	if n.Fragments == 0 {
		return b
	}
	b = strconv.AppendInt(b, int64(n.Fragments), 10)
	b = strconv.AppendInt(append(b, " fragments: "...), int64(n.Rebuilt), 10)
	b = append(b, " datagrams rebuilt"...)
	for _, x := range [...]struct {
		n    int
		text string
	}{
		{n.Pending, " waiting for a part"}, {n.Expired, " never complete"}, {n.Refused, " void"}, {n.Evicted, " given up for want of memory"},
	} {
		if x.n > 0 {
			b = append(strconv.AppendInt(append(b, ", "...), int64(x.n), 10), x.text...)
		}
	}
	return append(b, '\n')
}
