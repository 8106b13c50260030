package probe

import "time"

// slack is the lateness that a sender may make up for: timers of Go fire up to
// a millisecond late, and a busy machine later.
const slack = 20 * time.Millisecond

// A pacer hands out the times at which packets may leave: a leaky bucket by
// absolute times (the generic cell rate algorithm of ITU-T I.371), so that
// neither a late timer nor a long run lets the rate drift.
type pacer struct {
	interval time.Duration // between packets; 0: unlimited
	ahead    time.Duration // how early a packet may be: (burst-1) intervals
	due      time.Time     // theoretical time of the next packet
	waited   bool          // the last packet had to wait
}

func newPacer(rate float64, burst int) pacer {
	if rate <= 0 {
		return pacer{}
	}
	interval := time.Duration(float64(time.Second) / rate)
	return pacer{interval: max(interval, 1), ahead: interval * time.Duration(max(burst, 1)-1)}
}

// reserve takes the next place and returns its time, which may be past.
func (p *pacer) reserve(now time.Time) time.Time {
	if p.interval == 0 {
		return now
	}
	floor := now
	if p.waited { // a sender that woke late gets its lost time back
		floor = now.Add(-slack)
	}
	if p.due.Before(floor) {
		p.due = floor
	}
	at := p.due.Add(-p.ahead)
	p.waited = at.After(now) || p.due.Before(now)
	p.due = p.due.Add(p.interval)
	return at
}
