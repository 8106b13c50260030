package compare

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// A Result is what two captures say together.
type Result struct {
	Points [2]Point
	Clock  Clock

	// Guessed: nothing says which way the packets go. They are taken to go from
	// A to B.
	Guessed bool

	Matched uint64
	By      [4]uint64 // matches by how the packet was known again; the sum is Matched
	AB, BA  Way

	Changes      []Change // most frequent first
	OtherChanges uint64   // those that there was no room to tell apart
	Changed      uint64   // matches with any change

	// Between are hosts whose errors were seen at one point alone though they
	// belong to what passes both: they are between the points. Most errors first.
	Between []Sender

	Unsettled uint64
	Overlap   time.Duration // for how long both captures went on
	Related   bool          // they are captures of the same traffic
	Findings  []Finding     // most important first

	Interrupted bool // the captures were not read to their ends
}

// Share returns how much of what the smaller capture has while both went on was
// also in the other, from 0 to 1.
func (r *Result) Share() float64 {
	least := ^uint64(0)
	for i := range r.Points {
		p := &r.Points[i]
		least = min(least, r.Matched+p.Alone-p.Outside)
	}
	if least == 0 {
		return 0
	}
	return float64(r.Matched) / float64(least)
}

// A Point is what one capture has by itself.
type Point struct {
	Frames      uint64
	First, Last time.Time // earliest and latest frame; zero if there are no times
	Messages    uint64    // ICMP messages with a time, whole, rebuilt or cut by the capture
	Untimed     uint64    // frames without time
	Copies      uint64    // messages that were seen before, on another interface or with another TTL
	Alone       uint64    // messages that have no match
	Elsewhere   uint64
	Outside     uint64

	// AB and BA are requests for a reply that went either way and were seen here,
	// and what came back for them.
	AB, BA Trips

	first, last int64 // by the clock of A, in nanoseconds
}

// frame counts a frame.
func (p *Point) frame(x *packet.Packet) {
	p.Frames++
	t := x.Frame.Time
	if t.IsZero() {
		p.Untimed++
		return
	}
	if p.First.IsZero() || t.Before(p.First) {
		p.First = t
	}
	if t.After(p.Last) {
		p.Last = t
	}
}

// Trips are requests that passed a point, and what came back there. Only those
// count of conversations of which both points saw something, and whose answer
// could have been in the capture.
type Trips struct {
	Requests uint64
	Answered uint64 // by a reply or an error
	RTT      Spread // of the replies
}

// A Way is what became of the packets that went one way.
type Way struct {
	Matched    uint64
	Lost       uint64
	Unseen     uint64
	Reordered  uint64
	Duplicated uint64
	Delay      Spread
	MinHops    int // by how much the TTL went down, at least and at most
	MaxHops    int
}

// LossPercent returns the share that was lost, in percent.
func (w *Way) LossPercent() float64 {
	if w.Matched+w.Lost == 0 {
		return 0
	}
	return 100 * float64(w.Lost) / float64(w.Matched+w.Lost)
}

// A Spread describes a series of times. Quantiles are exact up to 64, and off by
// less than 1 % beyond.
type Spread struct {
	N                       uint64
	Min, Avg, P50, P95, Max time.Duration
}

// A Sender is a host that sent errors from between the points.
type Sender struct {
	Addr   netip.Addr
	Errors uint64
	Type   uint8 // of the first of them, with its family
	Code   uint8
	Mark   Mark // the first of them
}
