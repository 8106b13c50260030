package probe

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// An account books the results of one run to one host, and tells its sink of
// each. Its callers hold mu in all methods but begin.
type account struct {
	engine  *Engine
	dst     netip.Addr
	sink    func(*PingEvent)
	heed    bool // source quenches slow the run down
	base    Counters
	started time.Time
	changed chan struct{} // something was decided

	mu       sync.Mutex
	over     bool
	dest     *destination
	rejects  rejects   // of dest before this run
	event    PingEvent // the one under report
	throttle *throttle
	stats    Stats
	rtt      rttStats
	losses   lossRuns
}

func (a *account) begin(e *Engine, dst netip.Addr, sink func(*PingEvent), heed bool) {
	a.engine, a.dst, a.sink, a.heed = e, dst, sink, heed
	if sink == nil {
		a.sink = func(*PingEvent) {}
	}
	a.base = e.Counters()
	a.started = time.Now()
	a.changed = make(chan struct{}, 1)
}

// book enters a result. Probes are numbered by their Ref, from 1.
func (a *account) book(r *Result) {
	if r.Fate.Final() {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	}
	switch r.Fate {
	case Answered:
		a.answer(r)
	case Lost:
		a.stats.Lost++
		if r.NoWire {
			a.stats.OwnDrops++
		}
		a.losses.add(r.Probe.Ref, false)
		a.emit(PingLost, r)
	case Failed:
		a.stats.Errors++
		a.stats.Local++
		a.losses.add(r.Probe.Ref, false)
		a.emit(PingError, r)
	case Canceled:
		a.stats.InFlight++
	case Extra:
		a.extra(r)
	case Notice:
		a.notice(r)
	case Rejected:
		a.emit(PingRejected, r)
	}
}

func (a *account) answer(r *Result) {
	replied := isReply(r.Reply.Kind)
	a.losses.add(r.Probe.Ref, replied)
	switch {
	case !replied:
		a.stats.Errors++
		a.emit(PingError, r)
		return
	case r.Damage.Class != Intact:
		a.stats.Corrupted++
	default:
		a.stats.Received++
	}
	if a.rtt.n() == 0 {
		a.stats.Stamps = r.Stamps
	}
	a.stats.Stamps = min(a.stats.Stamps, r.Stamps)
	a.rtt.add(r.RTT)
	a.emit(PingReply, r)
}

// isReply reports whether an answer is what the host itself was asked for.
func isReply(k icmpx.Kind) bool { return k >= icmpx.KindEchoReply && k <= icmpx.KindExtEchoReply }

func (a *account) extra(r *Result) {
	if !isReply(r.Reply.Kind) {
		a.emit(PingNotice, r)
		return
	}
	if r.Late {
		a.stats.Late++
	} else {
		a.stats.Duplicates++
	}
	a.emit(PingReply, r)
}

// notice reports a redirect or a source quench. The latter slows the run
// down: forged ones, and those about other probes, did not come this far.
func (a *account) notice(r *Result) {
	a.emit(PingNotice, r)
	if r.Reply.Kind != icmpx.KindSourceQuench || !a.heed {
		return
	}
	if a.throttle.quench(time.Now(), a.rtt.max()) {
		a.tell(PingEvent{Kind: PingRate, Rate: a.throttle.rate, Why: "source quench"})
	}
}

// recover lets a throttled rate grow back.
func (a *account) recover(now time.Time) {
	if a.throttle.grow(now) {
		a.tell(PingEvent{Kind: PingRate, Rate: a.throttle.rate, Why: "recovering from source quench"})
	}
}

func (a *account) emit(k PingEventKind, r *Result) {
	a.tell(PingEvent{Kind: k, Seq: uint16(r.Probe.Key.Tag), Result: r})
}

// tell gives an event to the sink.
func (a *account) tell(ev PingEvent) {
	a.event = ev
	a.event.Dst = a.dst
	a.sink(&a.event)
}

// rejects are the replies that a destination's probes have rejected. The
// engine counts them: under a flood of forgeries not every one is reported.
type rejects struct{ forged, stale int }

func (a *account) rejected(d *destination) rejects {
	if d == nil {
		return rejects{}
	}
	a.engine.mu.Lock()
	defer a.engine.mu.Unlock()
	return rejects{d.forged, d.stale}
}

// sent notes where the run's probes go.
func (a *account) sent(t ticket) {
	if a.dest != t.dest {
		a.dest, a.rejects = t.dest, t.rejects
	}
}

// snapshot returns a complete copy of the account so far.
func (a *account) snapshot() Stats {
	s := a.stats
	r := a.rejected(a.dest)
	s.Forged, s.Stale = r.forged-a.rejects.forged, r.stale-a.rejects.stale
	s.RTT = a.rtt.summary()
	s.LongestLoss = a.losses.longest()
	s.Duration = time.Since(a.started)
	now := a.engine.Counters()
	s.Strays = int(now.Strays - a.base.Strays)
	s.OwnDrops += int(now.RecvDrops - a.base.RecvDrops)
	return s
}

// settle has the engine decide the flights that are open, and waits until all
// are booked. It unlocks mu meanwhile.
func (a *account) settle(open map[uint64]flight) {
	tickets := make([]ticket, 0, len(open))
	for _, n := range slices.Sorted(maps.Keys(open)) {
		tickets = append(tickets, open[n].ticket)
	}
	a.mu.Unlock()
	a.engine.hurry(tickets)
	a.mu.Lock()
	for len(open) > 0 {
		a.mu.Unlock()
		<-a.changed
		a.mu.Lock()
	}
}

// close ends the account: nothing more is booked or told.
func (a *account) close() Stats {
	a.over = true
	return a.snapshot()
}
