package conversation

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Kind says what an Event found out.
type Kind uint8

// The kinds of events. Their String is the word that JSON output uses.
const (
	Reply      Kind = iota // a request got its reply
	Error                  // an ICMP error; Request is 0 if what it quotes is not in the capture
	Duplicate              // the reply of a request came again
	Repeat                 // the same request again; Earlier is the time before
	Copy                   // Reply, or else Request, is a packet that was seen before, at another place; Earlier is where
	Unanswered             // a request got no answer in time
	Unasked                // a reply that answers nothing in the capture
)

var kindNames = [...]string{"reply", "error", "duplicate", "repeat", "copy", "unanswered", "unasked"}

// String returns the word for k that JSON output uses.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// An Event is one thing found out. It is valid until the sink returns.
type Event struct {
	Kind  Kind
	Query Query // NoQuery: the packet was no ICMP query
	// Request is the number of the request's frame; 0 if it is not in the capture.
	// Of a request that was seen on several interfaces it is the frame on that of
	// the answer.
	Request int
	Reply   int // number of the frame of the reply or error; 0 if there is none
	Earlier int // number of the frame that this one repeats; 0 if none

	// RTT is the capture time between Request and Reply; negative if there is
	// none, or the capture does not say. A request of several fragments counts
	// from its completing one.
	RTT time.Duration

	Src, Dst netip.Addr // who asked, and who was asked; of an error as quoted
	From     netip.Addr // who sent the reply or error
	ID, Seq  uint16     // of Query

	// Ambiguous: the request had been sent more than once when the answer came,
	// so RTT, from the last time on, may be of another one. It is left out of
	// the statistics.
	Ambiguous bool
	Late      bool // the request had been given up as unanswered
	Tries     int  // of Unanswered: how many times the request was sent in vain
	Ended     bool // of Unanswered: the capture ended before its time was up

	Type, Code uint8       // of an error
	Notice     bool        // an error that decides nothing: redirect, source quench
	Quote      icmpx.Quote // of an error; Family is 0 if nothing legible was quoted
}
