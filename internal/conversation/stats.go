package conversation

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
	"github.com/icmpx/icmpx/internal/quantile"
)

// Stats are what a Tracker counted so far. A rebuilt message counts once, with
// the bytes of the frame that completes it; a fragment on its own counts among
// Fragments.
type Stats struct {
	Frames      uint64
	Bytes       uint64    // of all frames, as they were on the wire
	First, Last time.Time // earliest and latest frame; zero if the capture has no times
	Messages    uint64    // ICMP messages
	Fragments   uint64    // fragments of ICMP that complete no message

	ByType []TypeCount // by family, type and code, in that order
	// ByHosts are the pairs of hosts that sent most, most packets first. Pairs
	// for which there was no room are in Others; Folded is how many times one was
	// put there.
	ByHosts []HostPair
	Others  HostPair
	Folded  uint64

	// Each try of a request ends in exactly one of Replies, Errors, Unanswered,
	// Waiting and Forgotten.
	Requests   uint64 // repeats included
	Replies    uint64 // tries that got their reply
	Errors     uint64 // tries that got an error instead
	Unanswered uint64
	Waiting    uint64 // time is not up yet
	Forgotten  uint64 // pushed out of the table: nothing is known of their fate

	Repeats    uint64 // requests that were sent again, unchanged
	Duplicates uint64 // replies that came again
	Late       uint64 // among Replies: those that came after the timeout
	More       uint64 // replies of further hosts to a request to a group, and replies after an error
	Unasked    uint64 // replies to nothing in the capture
	Copies     uint64 // packets that were seen at another place before
	AllErrors  uint64 // error messages, whatever they quote, notices included

	RTT RTT // of the replies whose request was sent once
}

// LossPercent returns the share of the requests whose fate is known that got no
// reply, in percent; 0 if there are none.
func (s *Stats) LossPercent() float64 {
	known := s.Replies + s.Errors + s.Unanswered
	if known == 0 {
		return 0
	}
	return 100 * float64(s.Errors+s.Unanswered) / float64(known)
}

// Duration is the capture time from the first frame to the last.
func (s *Stats) Duration() time.Duration { return s.Last.Sub(s.First) }

// A TypeCount counts messages of one type and code.
type TypeCount struct {
	Family     icmpx.Family // of the ICMP
	Type, Code uint8
	Messages   uint64
	Bytes      uint64 // of the frames
}

// A HostPair counts what passed between a host that asks (or sends what is no
// question) and one that is asked, both ways. An error counts with what it
// quotes.
type HostPair struct {
	Src, Dst   netip.Addr // zero in Stats.Others
	Packets    uint64
	Bytes      uint64 // of the frames
	Requests   uint64
	Replies    uint64
	Unanswered uint64
	Errors     uint64 // error messages
	Duplicates uint64
	Unasked    uint64
	RTT        RTT // without quantiles
}

// An RTT describes a series of round-trip times in capture time. Quantiles are
// exact up to 64 replies, and off by less than 1 % beyond.
type RTT struct {
	N                   uint64
	Min, Avg, Max, Mdev time.Duration
	P50, P90, P95, P99  time.Duration
}

// counts are what a Tracker counts of all packets.
type counts struct {
	frames, bytes, messages, fragments             uint64
	requests, replies, failed, unanswered, waiting uint64
	forgotten, repeats, duplicates, late, more     uint64
	unasked, copies, errors                        uint64
	first, last                                    time.Time
	types                                          [2][256]*[256]typeCount
	rtts                                           spread
	sketch                                         quantile.Sketch
}

type typeCount struct{ messages, bytes uint64 }

func (c *counts) frame(f *packet.Frame) {
	c.frames++
	c.bytes += uint64(max(f.Len, 0))
	if f.Time.IsZero() {
		return
	}
	if c.first.IsZero() || f.Time.Before(c.first) {
		c.first = f.Time
	}
	if f.Time.After(c.last) {
		c.last = f.Time
	}
}

// message counts what a packet carries; half: its first fragment alone.
func (c *counts) message(p *packet.Packet, half bool) {
	if half {
		c.fragments++
		return
	}
	c.messages++
	family := 0
	if p.ICMP == icmpx.IPv6 {
		family = 1
	}
	codes := &c.types[family][p.Type]
	if *codes == nil {
		*codes = new([256]typeCount)
	}
	n := &(*codes)[p.Code]
	n.messages++
	n.bytes += uint64(max(p.Frame.Len, 0))
}

func (c *counts) rtt(d time.Duration) {
	c.rtts.add(d)
	c.sketch.Add(uint64(d))
}

// Stats returns the statistics so far.
func (t *Tracker) Stats() Stats {
	c := &t.stats
	s := Stats{
		Frames: c.frames, Bytes: c.bytes, First: c.first, Last: c.last,
		Messages: c.messages, Fragments: c.fragments, ByType: c.byType(),
		Others: t.hosts.others.result(), Folded: t.hosts.folded,
		Requests: c.requests, Replies: c.replies, Errors: c.failed,
		Unanswered: c.unanswered, Waiting: c.waiting, Forgotten: c.forgotten,
		Repeats: c.repeats, Duplicates: c.duplicates, Late: c.late, More: c.more,
		Unasked: c.unasked, Copies: c.copies, AllErrors: c.errors,
		RTT: c.rtts.summary(),
	}
	if r := &s.RTT; r.N > 0 {
		q := func(permille uint64) time.Duration {
			return min(max(time.Duration(c.sketch.At(permille)), r.Min), r.Max)
		}
		r.P50, r.P90, r.P95, r.P99 = q(500), q(900), q(950), q(990)
	}
	s.ByHosts = t.hosts.results()
	return s
}

func (c *counts) byType() []TypeCount {
	var list []TypeCount
	for i, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for typ, codes := range c.types[i] {
			if codes == nil {
				continue
			}
			for code, n := range codes {
				if n.messages > 0 {
					list = append(list, TypeCount{f, uint8(typ), uint8(code), n.messages, n.bytes})
				}
			}
		}
	}
	return list
}

func (h *hosts) results() []HostPair {
	list := make([]HostPair, 0, len(h.pairs))
	for i := range h.pairs {
		p := &h.pairs[i]
		r := p.tally.result()
		r.Src, r.Dst = addrOf(p.family, p.asker), addrOf(p.family, p.asked)
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b HostPair) int {
		return cmp.Or(cmp.Compare(b.Packets, a.Packets), a.Src.Compare(b.Src), a.Dst.Compare(b.Dst))
	})
	return list
}

func (t *tally) result() HostPair {
	return HostPair{
		Packets: t.packets, Bytes: t.bytes, Requests: t.requests, Replies: t.replies,
		Unanswered: t.unanswered, Errors: t.error, Duplicates: t.duplicates,
		Unasked: t.unasked, RTT: t.rtts.summary(),
	}
}
