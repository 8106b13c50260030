package extract

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// A flowKey tells conversations apart.
type flowKey struct {
	src, dst netip.Addr
	id       uint16
	request  bool
}

// A flow is a conversation that goes on.
type flow struct {
	flowKey
	sequence
	index
	room  room
	early int // numbers before the order is settled
	last  time.Time
	file  File // what is counted so far

	prev, next *flow // by the time of the last packet
}

// silence is how long a conversation is silent at least before the same numbers
// with other payloads begin a new one.
const silence = time.Minute

// enter counts a packet, and reports whether its payload is new; if it is, at is
// its place. anew says that it begins another conversation.
func (f *flow) enter(p *packet.Packet, seq uint16, data []byte, same func(off int64, size int, data []byte) (bool, error)) (at int64, fresh, anew bool, err error) {
	at = f.place(seq)
	off, size, found := f.find(at)
	if !found {
		f.note(p)
		return at, true, false, nil
	}
	is, err := same(off, size, data)
	switch {
	case err != nil:
	case is:
		f.note(p)
		f.file.Repeats++
	case p.Frame.Time.Sub(f.last) > silence && !f.last.IsZero():
		return 0, false, true, nil
	default:
		f.note(p)
		f.file.conflict(seq, p.Frame.Number)
	}
	return at, false, false, err
}

// note counts a packet of the conversation.
func (f *flow) note(p *packet.Packet) {
	if f.file.FirstFrame == 0 {
		f.file.FirstFrame = p.Frame.Number
	}
	f.file.LastFrame = p.Frame.Number
	f.last = p.Frame.Time
	if p.Checksum == packet.Bad {
		f.file.BadChecksums++
	}
	if len(p.Message) < p.MessageLen {
		f.file.CutShort++
	}
}

// store enters a payload of a place that has none.
func (f *flow) store(at int64, size int, off int64) {
	f.add(at, size, off)
	if f.settled {
		return
	}
	if f.early++; f.early >= earlySeqs {
		f.index = f.settle(f.index)
	}
}
