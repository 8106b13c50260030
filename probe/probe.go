// Package probe is the engine that pairs probes with their fates, and the ping
// and the statistics that stand on it.
//
// An Engine is to probes what an http.Transport is to requests: shared by
// concurrent users, and closed once. Each tool is only a choice of the next
// [Probe].
package probe

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Link sends and receives the packets of one protocol and one family. It is
// the only border between the engine and the network: package icmpx implements
// it with sockets, package probetest with a network in memory.
type Link interface {
	// Keys returns the tags that the link can tell apart for requests like r,
	// and false if r is not of the link's family or protocol.
	Keys(r *icmpx.Request) (icmpx.KeySpace, bool)

	// Send sends requests in order and returns how many the kernel took; the
	// error says why it did not take the next one. It sets Sent and
	// ClockOffset of each request that it took.
	Send(rs []icmpx.Request) (int, error)

	// Recv waits for at least one reply and returns how many it stored. A
	// probe's transmit time (icmpx.KindSent) comes no later than its answer.
	// The error is os.ErrDeadlineExceeded only when, at or after the deadline,
	// all queues were just seen empty; it is net.ErrClosed after Close.
	Recv(rs []icmpx.Reply) (int, error)

	// SetRecvDeadline sets the time at which Recv gives up, also for a Recv in
	// progress. The zero time means never.
	SetRecvDeadline(t time.Time) error

	// Close ends the link and every call in progress.
	Close() error
}

// A Fate is what became of a probe.
type Fate uint8

// The fates. Answered, Lost, Failed and Canceled are final: every accepted
// probe ends in exactly one of them. The others may come besides, and decide
// nothing.
const (
	Answered Fate = iota + 1 // an answer came in time; Reply.Kind says which
	Lost                     // nothing came in time
	Failed                   // this host could not send it; Err says why
	Canceled                 // the engine was closed, or the caller gave up

	Extra    // a further answer: a duplicate, or late (Result.Late)
	Notice   // a redirect or source quench that quotes the probe
	Rejected // a reply in the probe's name that is not its answer: Reply.Trust is Forged, or Result.Stale or Alias is set
)

// Final reports whether f ends a probe.
func (f Fate) Final() bool { return f >= Answered && f <= Canceled }

// String returns the fate's name in lower case.
func (f Fate) String() string {
	names := [...]string{"unknown", "answered", "lost", "failed", "canceled", "extra", "notice", "rejected"}
	if int(f) < len(names) {
		return names[f]
	}
	return names[0]
}

// A Probe is a packet to send and how long to wait for its answer.
type Probe struct {
	icmpx.Request
	Timeout time.Duration // 0: the engine's
	Ref     uint64        // the caller's, returned untouched

	// Number, if it is not 0, sends the probe as that number of its destination
	// again, under the same tag and token: a retransmission. If the earlier one
	// is still pending, Start waits.
	Number uint64

	// AnySource lets an echo reply from an address other than Dst answer the
	// probe: for broadcast, multicast and anycast.
	AnySource bool
}

// A Result is what the engine says about a probe.
type Result struct {
	Probe Probe
	Fate  Fate
	Reply icmpx.Reply // of Answered, Extra, Notice and Rejected; its slices are valid until done returns
	Err   error       // of Failed and Canceled

	Number uint64        // the probe's number at its destination, from 1; the tag is its low bits
	Sent   time.Time     // when it left, by the clock that Stamps names
	RTT    time.Duration // of Answered and Extra
	Stamps icmpx.Stamp   // the worse of the two stamps behind RTT
	Damage Damage        // of an answer whose payload came back changed; zero if it did not
	Late   bool          // of Extra: the probe had been given up before
	Stale  bool          // of Rejected: it carries an earlier probe's payload
	Alias  bool          // of an answer: it came from another address than the probe went to
	NoWire bool          // of Lost: the probe left no transmit stamp on a device that stamps; it never left this host
}

// A Config says how an Engine paces and waits. The zero Config is sensible.
type Config struct {
	Rate     float64       // packets per second over all probes; 0: unlimited
	Burst    int           // probes that may leave at once at Rate; 0: 1
	InFlight int           // probes accepted and not yet reported; 0: 65,536
	Timeout  time.Duration // of a Probe that has none; 0: 10 s
	Tap      func(Event)   // sees all sent, received, stray and rejected; nil: nobody
}

// An EventKind says what a Tap saw.
type EventKind uint8

// The kinds of events.
const (
	EventSent     EventKind = iota + 1 // Request was handed to the kernel
	EventReceived                      // Reply belongs to a probe
	EventStray                         // Reply belongs to no probe; Why says what is wrong
	EventRejected                      // Reply was forged or stale
)

// An Event is what a Tap sees. Its pointers are valid until the Tap returns.
type Event struct {
	Kind    EventKind
	Request *icmpx.Request
	Reply   *icmpx.Reply
	Why     string
}

// Counters are an engine's totals since New.
type Counters struct {
	Sent      uint64 // packets that the kernel took
	Received  uint64 // replies that belong to a probe, duplicates and late ones included
	Strays    uint64 // replies that belong to no probe
	Forged    uint64 // replies with a wrong token
	Stale     uint64 // replies with an earlier probe's token
	OwnDrops  uint64 // packets that this host dropped: receive buffer full, or sent without a trace
	RecvDrops uint64 // of OwnDrops: for want of receive buffer
	Unheard   uint64 // extras, notices and events dropped because a callback blocked
}
