package trace

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A path is what is known of the way so far. It does nothing by itself: run
// asks, path judges.
type path struct {
	opts    *Options
	dst     netip.Addr
	hops    []hop // by TTL; the first is unused
	top     int   // last TTL of the window
	routers map[netip.Addr]bool
	largest time.Duration // RTT of all answers
	heard   bool          // there was an answer
	bounds  []bound       // with Options.MTU

	news    bool // there are answers that end has not seen
	endTTL  int  // what it has found before
	endSays meaning
}

// A hop is what is known of one TTL.
type hop struct {
	slots   []slot    // one for each probe that was asked
	opened  time.Time // when the window reached it
	last    time.Time // when it was asked last
	largest time.Duration
	heard   bool // one of its probes was answered
	retried bool // its silence had its second chance

	first, again Tally
	extra        int
}

// A slot is one probe of a row. It may be asked twice.
type slot struct {
	Probe
	first   time.Time // when it was asked for the first time
	asked   time.Time // and the last
	prompt  bool      // the first question was answered, not its repetition
	shrunk  int       // how often it was sent anew because it was too big
	lent    bool      // its answer stands in the row of the end
	refused bool      // this host could not send it the last time
}

func (s *slot) open() bool { return s.State == Open }

func newPath(o *Options, dst netip.Addr, now time.Time) *path {
	p := &path{opts: o, dst: dst, hops: make([]hop, o.MaxTTL+1), routers: map[netip.Addr]bool{}, top: o.FirstTTL - 1}
	p.widen(firstWindow, now)
	return p
}

// note learns from the answer to a probe that was sent with a TTL.
func (p *path) note(ttl int, a *Probe) {
	h := &p.hops[ttl]
	h.heard, p.heard, p.news = true, true, true
	h.largest = max(h.largest, a.RTT)
	p.largest = max(p.largest, a.RTT)
	if a.Kind == icmpx.KindTimeExceeded {
		p.routers[bare(a.From)] = true
	}
}

// lastHeard returns the last TTL of which a probe was answered, 0 if none was.
func (p *path) lastHeard() int {
	for t := p.top; t >= p.opts.FirstTTL; t-- {
		if p.hops[t].heard {
			return t
		}
	}
	return 0
}

// bare is an address in the one form in which addresses are compared: a quoted
// one has no zone.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func sameAddr(a, b netip.Addr) bool { return bare(a) == bare(b) }
