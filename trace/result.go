package trace

import (
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
)

// A State is what became of a probe, over all the times that it was asked.
type State uint8

// The states.
const (
	Open     State = iota // undecided when the trace ended: it was interrupted, or no longer needed the answer
	Answered              // something came back
	Lost                  // nothing came back: a star
	Limited               // nothing came back, because the sender limits how often it answers
	Failed                // this host could not send it; Err says why
)

var stateNames = [...]string{Open: "open", Answered: "answered", Lost: "lost", Limited: "limited", Failed: "failed"}

// String returns the state's name in lower case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// A Probe is one question of a trace, and its answer. What the socket does not
// show is zero.
type Probe struct {
	State State
	TTL   int // that it was sent with; in the row of the end it may exceed the row's
	Asked int // how often it was asked: 1, or 2 after silence
	Size  int // bytes of the packet that was answered; 0: what a SYN needs
	Err   error

	// Of Answered.
	From     netip.Addr
	RTT      time.Duration
	Stamps   icmpx.Stamp // behind RTT
	Sent     time.Time
	Kind     icmpx.Kind
	Type     uint8 // ICMP type and code
	Code     uint8
	Trust    icmpx.Trust
	IfIndex  int   // interface that the answer came in by
	ReplyTTL uint8 // TTL of the answer at arrival
	ReplyTOS uint8
	Back     int // hops that the answer took, as guessed from ReplyTTL; 0: not known
	MTU      int // of KindTooBig, as claimed

	Extensions []icmp.Extension // RFC 4884: MPLS labels, interfaces
	Quote      icmpx.Quote      // how the probe looked where it was refused, without its payload
	Changes    Change           // what was changed on the way, as Quote shows

	source netip.Addr // own address that it came from
}

// A Tally counts probes and those of them that were answered.
type Tally struct{ Sent, Answered int }

// lost is how many were not answered.
func (t Tally) lost() int { return t.Sent - t.Answered }

// A Row is what was found at one TTL.
type Row struct {
	TTL    int
	Probes []Probe // as many as Options.Queries, in the order of asking; fewer if the trace was interrupted
	End    bool    // the path ends here: the destination, or a router that passes nothing on
	Dark   bool    // nothing answered from here on

	// Limited is set if the router, or the destination, was found to limit how
	// often it answers. Probes that it owes may stand in the row nevertheless:
	// because it was asked again, or has answered larger TTLs.
	Limited bool

	First  Tally // probes asked for the first time
	Again  Tally // and after silence
	Beyond Tally // of the end: probes with larger TTLs, which it had to answer as well

	Extra int // further answers to answered probes
	MTU   int // with Options.MTU: bytes that a packet may have to get here, if that is less than for the row before
}

// Routers returns the addresses that answered, each once, in order of their
// probes.
func (r *Row) Routers() []netip.Addr {
	var list []netip.Addr
	for i := range r.Probes {
		if p := &r.Probes[i]; p.State == Answered && !slices.Contains(list, p.From) {
			list = append(list, p.From)
		}
	}
	return list
}

// count returns how many of the row's probes are in state s.
func (r *Row) count(s State) int {
	n := 0
	for i := range r.Probes {
		if r.Probes[i].State == s {
			n++
		}
	}
	return n
}

// answer returns the first probe that was answered, nil if there is none.
func (r *Row) answer() *Probe {
	for i := range r.Probes {
		if r.Probes[i].State == Answered {
			return &r.Probes[i]
		}
	}
	return nil
}

// A PortState is what a destination says about the port that was asked.
type PortState uint8

// The port states.
const (
	PortUnknown  PortState = iota // ICMP, or UDP without an answer
	PortOpen                      // something listens
	PortClosed                    // the destination refuses
	PortFiltered                  // of TCP: a firewall or silence refuses
)

var portNames = [...]string{PortUnknown: "unknown", PortOpen: "open", PortClosed: "closed", PortFiltered: "filtered"}

// String returns "unknown", "open", "closed" or "filtered".
func (s PortState) String() string {
	if int(s) < len(portNames) {
		return portNames[s]
	}
	return portNames[PortUnknown]
}

// A Question is the last question of another method to the destination itself.
type Question struct {
	Method  Method
	Port    uint16 // of UDP and TCP
	Probe   Probe
	Reached bool // the answer is one that only the destination gives
}

// A Result is what a trace has found.
type Result struct {
	Dst      netip.Addr
	Method   Method
	Port     uint16 // 0 of ICMP
	FirstTTL int
	MaxTTL   int
	TOS      int16
	Size     int // bytes of the packets; 0: what a SYN needs

	Reached   bool // the destination itself has answered
	Hops      int  // TTL of the end; if it is not known, of the last row with an answer; 0: no answer
	Rows      []Row
	PortState PortState

	Questions []Question // what was asked when the destination was silent
	Findings  []Finding  // in order of hops

	Sent     int // probes, last questions included
	Strays   int // replies on this engine, while it ran, that belong to no probe
	Forged   int // and those with a wrong token
	Notices  int // redirects and source quenches
	Duration time.Duration

	Interrupted bool // it ended before its time: see Run
}

// End returns the row in which the path ends, nil if that is not known.
func (r *Result) End() *Row {
	if n := len(r.Rows); n > 0 && r.Rows[n-1].End {
		return &r.Rows[n-1]
	}
	return nil
}

// An Event is what a trace tells while it runs. Exactly one of its fields is
// set. What they point to must not be changed, and may be kept.
type Event struct {
	Probe *Probe // an answer has come; in any order
	Row   *Row   // a row is final; in order of TTL
}
