package probe

import (
	"net/netip"
	"time"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
)

// PingOptions say what Ping sends and how long it waits. The zero value pings
// once a second with 56 payload bytes until its context ends.
type PingOptions struct {
	Count    int           // probes; 0: until the context ends. With Deadline: answers to wait for
	Interval time.Duration // between probes; 0: 1 s. With OnReply: the longest
	Preload  int           // probes to send at once in the beginning; 0: 1
	Timeout  time.Duration // longest wait for an answer (-W); 0: 10 s
	Deadline time.Duration // end of the run, whatever is open (-w); 0: none

	// Query is what is asked instead of echo, and Body the rest of the message:
	// its identifier and sequence number are the link's, and Marshal is called
	// for each probe. There is no payload then. The zero Query is an echo.
	Query icmpx.Proto
	Body  icmp.MessageBody

	PayloadLen int      // bytes behind the ICMP header; 0: 56, negative: none
	Payload    []byte   // sent as it is, instead of token and pattern
	Pattern    []byte   // behind the token; nil: 0x08, 0x09, ...
	TTL        uint8    // 0: the system's
	TOS        int16    // 0: none
	DF         icmpx.DF // path-MTU discovery mode
	// OnReply sends the next probe as soon as one was answered, MinInterval
	// after the last at the earliest: flood and adaptive pings.
	OnReply     bool
	MinInterval time.Duration

	IgnoreQuench bool // report source quenches, but do not slow down

	AnySource bool            // let a reply from another address count (broadcast, multicast, anycast)
	Waiting   bool            // report each probe without an answer after one interval (-O)
	Report    <-chan struct{} // each receive yields a PingReport event
}

// A PingEventKind says what a PingEvent reports.
type PingEventKind uint8

// The kinds of ping events.
const (
	PingReply    PingEventKind = iota + 1 // a reply to the query: Result.Fate is Answered or Extra
	PingError                             // an ICMP error or a local failure decided the probe
	PingLost                              // no answer in time
	PingWaiting                           // no answer yet after one interval; Seq alone is set
	PingNotice                            // a redirect or source quench
	PingRejected                          // a forged or stale reply
	PingReport                            // Stats so far, asked for by Report
	PingRate                              // the rate changed: Rate and Why
)

// A PingEvent is one thing that happened during a Ping. It is valid until the
// sink returns.
type PingEvent struct {
	Kind   PingEventKind
	Dst    netip.Addr
	Seq    uint16
	Result *Result // nil for PingWaiting, PingReport and PingRate
	Stats  *Stats  // of PingReport
	Done   int64   // of a Trip's PingReport: chunks that are back
	Of     int64   // of a Trip's PingReport: chunks in all
	Rate   float64 // of PingRate: probes per second from now on
	Why    string  // of PingRate
}

// Stats is the account of a Ping. Each probe sent is in exactly one of
// Received, Corrupted, Errors, Lost and InFlight.
type Stats struct {
	Sent, Received, Corrupted, Errors, Lost, InFlight int

	Duplicates, Late, Forged, Stale int // besides
	Strays                          int // replies on this engine that belong to no probe
	OwnDrops                        int // probes that never left this host, and packets that this engine's socket dropped
	Local                           int // of Errors: probes that this host could not send

	Duration    time.Duration // from the first probe to the end
	Pipe        int           // most probes in flight at once
	RTT         Summary
	Stamps      icmpx.Stamp // the worst stamp behind RTT
	LongestLoss int         // longest run of consecutive probes without a reply
}

// LossPercent returns 100 (lost + errors) / (sent - in flight). If nothing is
// decided it is 100 when probes were sent and none was answered, else 0.
func (s *Stats) LossPercent() float64 {
	decided := s.Sent - s.InFlight
	switch {
	case decided > 0:
		return 100 * float64(s.Lost+s.Errors) / float64(decided)
	case s.Sent > 0:
		return 100
	}
	return 0
}

// A Summary describes round-trip times. All are zero when N is.
type Summary struct {
	N                   int
	Min, Avg, Max, Mdev time.Duration // Mdev: population standard deviation, as iputils' ping prints
	P50, P90, P95, P99  time.Duration
	EWMA                time.Duration // moving average with weight 1/8, as iputils' ping prints
	Jitter              time.Duration // RFC 3550 section 6.4.1, over consecutive replies
}
