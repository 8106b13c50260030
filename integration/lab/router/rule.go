package router

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Rule does something to some of the packets that come by.
type Rule struct {
	When When
	Do   Effect
}

// When chooses packets. All that is set must hold; the zero When chooses every
// packet.
type When struct {
	Match  func(*Packet) bool // nil: every packet; what follows counts those that match
	Size   int                // packets of at least this many bytes, likewise
	First  int                // counted per rule, from 1: not before this packet
	Last   int                // not after this packet; 0: no end
	Every  int                // the Nth, the 2Nth, ... of those for which all above holds
	Chance float64            // each with this probability; 0: every one
	Over   Policer            // those that exceed this rate; zero: all
}

// An Effect is what a rule does to a packet, which it may change. It is called
// by the router's own goroutine, and must neither block nor keep the packet.
type Effect func(*Packet) Verdict

// A Verdict says what becomes of a packet.
type Verdict uint8

// The verdicts.
const (
	Pass Verdict = iota // it goes on
	Gone                // it ends here
)

func checkRules(rules []Rule) error {
	for i, r := range rules {
		w := r.When
		switch {
		case r.Do == nil:
			return fmt.Errorf("rule %d does nothing", i+1)
		case w.Chance < 0 || w.Chance > 1:
			return fmt.Errorf("rule %d: %g is not a probability", i+1, w.Chance)
		case w.Every < 0 || w.First < 0 || w.Last < 0 || w.Size < 0:
			return fmt.Errorf("rule %d: negative number", i+1)
		case !w.Over.ok():
			return errors.New("negative burst or rate")
		}
	}
	return nil
}

// A rule is a Rule at work.
type rule struct {
	Rule
	seen, held int
	over       bucket
	rng        *rand.Rand
	payloads   [][]byte // what Replay remembers
}

// chooses says whether the rule applies to this packet, and counts it.
func (r *rule) chooses(p *Packet) bool {
	w := &r.When
	if w.Match != nil && !w.Match(p) || len(p.Bytes) < w.Size {
		return false
	}
	r.seen++
	if r.seen < w.First || w.Last > 0 && r.seen > w.Last {
		return false
	}
	r.held++
	switch {
	case w.Every > 1 && r.held%w.Every != 0:
		return false
	case w.Chance > 0 && r.rng.Float64() >= w.Chance:
		return false
	}
	return w.Over == Policer{} || !r.over.take(p.at)
}

// A bucket is a Policer at work. It counts in time, so that nothing is lost to
// rounding.
type bucket struct {
	Policer
	credit time.Duration
	cost   time.Duration // of a packet
	last   time.Duration
}

func newBucket(p Policer) bucket {
	b := bucket{Policer: p, cost: 1}
	if p.Rate > 0 {
		b.cost = max(time.Duration(float64(time.Second)/p.Rate), 1)
	}
	b.credit = b.most()
	return b
}

func (b *bucket) most() time.Duration { return time.Duration(max(b.Burst, 1)) * b.cost }

// take says whether a packet may pass at a time. Times may go back a little,
// since packets of several paths meet: nothing is earned then.
func (b *bucket) take(at time.Duration) bool {
	if b.Policer == (Policer{}) {
		return true
	}
	if at > b.last {
		if b.Rate > 0 {
			b.credit = min(b.credit+at-b.last, b.most())
		}
		b.last = at
	}
	if b.credit < b.cost {
		return false
	}
	b.credit -= b.cost
	return true
}

// EchoRequest matches ICMP echo requests of both families.
func EchoRequest(p *Packet) bool { return p.isICMP(echoRequest4, echoRequest6) }

// EchoReply matches ICMP echo replies of both families.
func EchoReply(p *Packet) bool { return p.isICMP(echoReply4, echoReply6) }

// ICMPError matches ICMP errors of both families.
func ICMPError(p *Packet) bool { return p.isError() }

// Probe matches what deserves an answer: everything but ICMP errors and echo
// replies.
func Probe(p *Packet) bool { return !p.isError() && !EchoReply(p) }

// There matches packets towards the second port.
func There(p *Packet) bool { return !p.Back }

// Back matches packets towards the first port.
func Back(p *Packet) bool { return p.Back }

// All matches what all of the conditions match.
func All(match ...func(*Packet) bool) func(*Packet) bool {
	return func(p *Packet) bool {
		for _, m := range match {
			if !m(p) {
				return false
			}
		}
		return true
	}
}

// Of matches the packets of a family.
func Of(f icmpx.Family) func(*Packet) bool {
	return func(p *Packet) bool { return p.Family == f }
}
