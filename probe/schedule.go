package probe

import "time"

// maxBehind is by how much Ping may fall behind its schedule before it starts
// a new one instead of catching up: a process that was stopped for an hour does
// not send an hour's probes at once.
const maxBehind = time.Second

// A schedule says when the next probe of a Ping is due. Its rules, in order:
//  1. under a source quench, one throttled interval after the last probe;
//  2. the first probes, as many as preload says, at once;
//  3. on reply, as soon as an answer came, but not sooner than the minimum
//     after the last probe, and one interval after it if none came; without a
//     minimum, as many are under way as come back within a millisecond, so
//     that a flood of a near host is not one of wake-ups;
//  4. else at absolute times one interval apart, so that neither late timers
//     nor slow sinks make the pace drift.
type schedule struct {
	interval, minimum time.Duration
	preload           uint64
	onReply           bool

	throttle throttle
	next     time.Time // by rule 4
	last     time.Time // when the last probe was sent
	credit   uint64    // probes that answers allow now
	flight   uint64    // probes that are to be under way on reply
	rtt      time.Duration
}

// maxFlight bounds the probes under way on reply, unless preload is more;
// flightTime is what comes back within it.
const (
	maxFlight  = 32
	flightTime = time.Millisecond
)

func newSchedule(o *PingOptions, now time.Time) schedule {
	s := schedule{
		interval: o.Interval, minimum: o.MinInterval, onReply: o.OnReply,
		preload: uint64(max(o.Preload, 1)), next: now, last: now,
	}
	s.flight = s.preload
	s.throttle = newThrottle(o.Interval)
	return s
}

// due returns when probe n, counted from 1, is to leave.
func (s *schedule) due(n uint64) time.Time {
	switch {
	case s.throttle.active():
		return s.last.Add(s.throttle.interval())
	case n <= s.preload:
		return s.last
	case s.onReply && s.credit > 0:
		return s.last.Add(s.minimum)
	case s.onReply:
		return s.last.Add(s.interval)
	}
	return s.next
}

// sent notes that probe n has left.
func (s *schedule) sent(n uint64, now time.Time) {
	s.last = now
	if s.credit > 0 && n > s.preload {
		s.credit--
	}
	switch {
	case s.throttle.active():
		s.next = now.Add(s.interval)
		return
	case n == 1 || n > s.preload:
		s.next = s.next.Add(s.interval)
	}
	if now.Sub(s.next) > maxBehind {
		s.next = now
	}
}

// answered notes that a probe was decided, after rtt if it was answered.
func (s *schedule) answered(rtt time.Duration) {
	switch {
	case rtt > 0 && s.rtt == 0:
		s.rtt = rtt
	case rtt > 0:
		s.rtt += (rtt - s.rtt) / 8
	}
	want := s.preload
	if s.minimum == 0 && s.rtt > 0 {
		want = max(want, min(maxFlight, uint64(flightTime/s.rtt)))
	}
	switch {
	case s.flight > want: // this one is not followed by another
		s.flight--
		return
	case s.flight < want:
		s.flight++
		s.credit++
	}
	s.credit = min(s.credit+1, s.flight)
}

// Limits of a throttle, in probes per second, and how it grows back.
const (
	throttleFloor  = 0.1
	throttleGrowth = 1.0 / 8 // of the asked rate, each second
)

// A throttle halves a rate at each source quench and lets it grow back: what
// RFC 1122 section 3.2.2.3 asks of a transport, for probes.
type throttle struct {
	asked, rate float64 // probes per second
	halved      time.Time
	grown       time.Time // until when growth is accounted for
}

func newThrottle(interval time.Duration) throttle {
	asked := float64(time.Second) / float64(max(interval, 1))
	return throttle{asked: asked, rate: asked}
}

func (t *throttle) active() bool { return t.rate < t.asked }

func (t *throttle) interval() time.Duration { return time.Duration(float64(time.Second) / t.rate) }

// quench halves the rate, at most once per rtt and not below the floor. It
// reports whether the rate changed.
func (t *throttle) quench(now time.Time, rtt time.Duration) bool {
	if !t.halved.IsZero() && now.Sub(t.halved) < rtt {
		return false
	}
	before := t.rate
	t.rate = max(t.rate/2, min(throttleFloor, t.asked))
	t.halved, t.grown = now, now
	return t.rate != before
}

// nextGrowth returns how long from now the rate stays as it is.
func (t *throttle) nextGrowth(now time.Time) time.Duration {
	return t.grown.Add(time.Second).Sub(now)
}

// grow gives back what has been earned by now, in steps of a second. It
// reports whether the rate changed.
func (t *throttle) grow(now time.Time) bool {
	steps := now.Sub(t.grown) / time.Second
	if !t.active() || steps <= 0 {
		return false
	}
	t.grown = t.grown.Add(steps * time.Second)
	t.rate = min(t.asked, t.rate+float64(steps)*throttleGrowth*t.asked)
	return true
}
