package pmtu

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A Verdict says in a word how a path treats large packets.
type Verdict uint8

// The verdicts. The first that holds is given.
const (
	Unanswered Verdict = iota // the destination answered nothing
	Unsure                    // the path MTU could not be told: see AtLeast and AtMost
	Clear                     // what the outgoing interface takes passes
	Local                     // this host's interface, route or cache is the smallest limit
	Signalled                 // a router said that packets are too big
	BlackHoled                // packets above some size vanish without a word
)

var verdictNames = [...]string{
	Unanswered: "unanswered", Unsure: "unsure", Clear: "clear",
	Local: "local", Signalled: "signalled", BlackHoled: "black_hole",
}

// String returns the word for v that JSON output uses.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[Unsure]
}

// A Direction says which way of a path is limited.
type Direction uint8

// The directions.
const (
	Unknown Direction = iota // neither was found limited, or which one cannot be told
	Forward                  // the way to the destination
	Return                   // the way back
	Both
)

var directionNames = [...]string{Unknown: "unknown", Forward: "forward", Return: "return", Both: "both"}

// String returns "unknown", "forward", "return" or "both".
func (d Direction) String() string {
	if int(d) < len(directionNames) {
		return directionNames[d]
	}
	return directionNames[Unknown]
}

// A Place is where a limit was found.
type Place uint8

// The places.
const (
	Router    Place = iota // a link on the path
	Interface              // this host's interface
	Route                  // this host's route or its cached path MTU
)

// String returns "router", "interface" or "route".
func (p Place) String() string {
	return [...]string{Router: "router", Interface: "interface", Route: "route"}[min(p, Route)]
}

// A Limit is a step of the staircase: from here on larger packets do not pass.
type Limit struct {
	Place Place
	MTU   int // bytes of the largest packet that passes

	// TTL is the distance of the router in front of the small link; 0 of this
	// host, or if it is not known. From is its address: of the answer if
	// Signalled, else of the last hop that the larger packets reached. It may be
	// the zero Addr.
	TTL  int
	From netip.Addr

	Signalled bool // the router said so; else larger packets vanish
	Claim     int  // next-hop MTU that it reports, whatever it is; 0: none

	// Tested is set if both halves were: MTU bytes get past the limit and one
	// byte more does not. If it is not, MTU is what the router claims, and
	// nothing behind it answered.
	Tested bool
}

// A BlackHole is where packets above MTU bytes vanish without a word. They
// reach hop After, if AfterTTL is not 0, and do not reach hop Before, if
// BeforeTTL is not 0; smaller ones reach both. Hops between the two answer
// nothing.
type BlackHole struct {
	MTU       int
	AfterTTL  int
	After     netip.Addr
	BeforeTTL int
	Before    netip.Addr
}

// A Hop is a row of the table that Options.Hops asks for.
type Hop struct {
	TTL  int
	From netip.Addr // zero: it answered nothing
	RTT  time.Duration
	MTU  int  // bytes of the largest packet that gets there, as the limits before it have it; 0: not known
	End  bool // the destination
}

// A Result is what Discover has found. Sizes are of whole IP packets, in bytes.
type Result struct {
	Dst    netip.Addr
	Method Method
	Port   uint16 // of UDP and TCP

	// PMTU is the path MTU on the way to the destination: packets of that size
	// arrived and those a byte larger did not, or no larger ones may leave. 0: not
	// known. AtLeast is the largest size that arrived (0: none) and AtMost one
	// less than the smallest that was proven not to, but no less than any that
	// arrived during the search, or the interface's MTU (0: nothing is known); both
	// equal a known PMTU.
	PMTU            int
	AtLeast, AtMost int

	Verdict   Verdict
	Direction Direction
	Limits    []Limit    // from this host on
	BlackHole *BlackHole // nil if none was found on the way there
	ReturnMTU int        // of the way back, if that is known to be limited; 0: not
	TCPMSS    int        // largest segment that fits PMTU: 40 bytes less of IPv4, 60 of IPv6; 0: not known

	LinkMTU  int // of the interface; 0: not known
	RouteMTU int // of Options
	Hops     []Hop
	Findings []Finding

	Sent     int   // packets that left this host
	Bytes    int64 // and their length
	Rounds   int   // bursts in which they left
	Forged   int   // answers with a wrong secret, and refusals that proved false
	Strays   int   // replies on this engine, while it ran, that belong to no probe
	Duration time.Duration

	Interrupted bool // it ended before its time: see Discover
}

// A Probe is one packet and what became of it.
type Probe struct {
	Method Method // ICMP, UDP or TCP
	Size   int
	TTL    int // 0: to the destination
	Path   uint16

	// Fate is Answered; Lost if nothing came in time; Failed if this host could
	// not send it; Canceled if it was open when the run ended; or Extra, besides
	// one of these, for an answer that came later or again.
	Fate probe.Fate
	Err  error // of Failed

	// Of Answered and Extra.
	From   netip.Addr
	Kind   icmpx.Kind
	Type   uint8 // ICMP type and code
	Code   uint8
	MTU    int // of KindTooBig, as claimed
	Frag   int // bytes of the answer's largest fragment; 0 if it came whole
	RTT    time.Duration
	Stamps icmpx.Stamp
	Trust  icmpx.Trust
	Sent   time.Time
}

// An Event is what Discover tells while it runs: a probe, and what is known with
// it.
type Event struct {
	Probe           Probe
	Round           int
	AtLeast, AtMost int // as in Result, so far
}
