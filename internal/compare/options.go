package compare

import (
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// A Source gives the frames of a capture one after the other, and io.EOF behind
// the last. Next overwrites the frame, whose Data is valid until the next call.
type Source interface {
	Next(*packet.Frame) error
}

// An Open begins to read a capture, from its first frame, each time it is
// called.
type Open func() (Source, error)

// Options say how captures are compared. The zero value is sensible.
type Options struct {
	// Window is how long after it was seen at one point a packet may be seen at
	// the other; 0: 10 s.
	Window time.Duration

	// Pending is how many packets of each capture may wait for their match at
	// once, and how many matches for their place in the order of time; 0: 65,536,
	// which take 80 MB in all. If there are more, the oldest wait no longer.
	Pending int

	// Match selects packets; nil: all that are ICMP.
	Match func(*packet.Packet) bool

	// Sink receives what became of each packet, in order of time, before Run
	// returns. nil: nobody does.
	Sink func(*Event)
}

// Bounds that are no options: what they take is part of the 80 MB.
const (
	defaultWindow  = 10 * time.Second
	defaultPending = 1 << 16
	maxSamples     = 1 << 13 // per capture and kind of key
	maxFlows       = 1 << 14 // per capture
	maxChanges     = 1 << 8  // changes that are told apart
	maxHosts       = 1 << 6  // hosts between the points that are told apart
)

func (o *Options) window() int64 {
	if o.Window > 0 {
		return int64(o.Window)
	}
	return int64(defaultWindow)
}

func (o *Options) pending() int {
	if o.Pending > 0 {
		return o.Pending
	}
	return defaultPending
}
