package trace

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Sizes in TTLs.
const (
	firstWindow = 32 // asked at once; hardly a path is longer
	widening    = 16 // by which the window moves on
	edge        = 4  // last TTLs of the window, of which one must answer for it to move on after silence
)

// widen moves the window on by n TTLs, as far as Options.MaxTTL allows, and
// reports whether it moved.
func (p *path) widen(n int, now time.Time) bool {
	old := p.top
	p.top = min(p.top+n, p.opts.MaxTTL)
	for t := old + 1; t <= p.top; t++ {
		p.hops[t].opened = now
	}
	return p.top > old
}

// follow moves the window on. Its rules:
//
//  1. It moves at once when its last TTL was passed on by a router and the end
//     has not spoken: the path is certainly longer.
//  2. After silence (late) it moves when one of its last 4 TTLs has answered:
//     the last may be a router that keeps silent.
//  3. It does not move for packets that run in a loop.
func (p *path) follow(late bool, now time.Time) bool {
	if p.top >= p.opts.MaxTTL || p.spoken() {
		return false
	}
	from := p.top
	if late {
		from = max(p.top-edge+1, p.opts.FirstTTL)
	}
	for t := from; t <= p.top; t++ {
		if p.hops[t].heard {
			_, period := cycle(p.way())
			return period == 0 && p.widen(widening, now)
		}
	}
	return false
}

// way returns the first router that answered at each TTL, from Options.FirstTTL
// to the last that answered; the zero Addr stands for silence.
func (p *path) way() []netip.Addr {
	var list []netip.Addr
	for t := p.opts.FirstTTL; t <= p.lastHeard(); t++ {
		var a netip.Addr
		for i := range p.hops[t].slots {
			if s := &p.hops[t].slots[i]; s.State == Answered && s.Kind == icmpx.KindTimeExceeded {
				a = s.From
				break
			}
		}
		list = append(list, a)
	}
	return list
}

// Of a loop.
const (
	maxPeriod = 16 // routers
	minRounds = 2  // times that each of them is seen
)

// cycle finds a loop in which a way ends: the same routers again and again, in
// the same order. It returns the index at which it starts and how many routers
// it has, or a period of 0 for none. Silent places fit anywhere, but two
// routers at least must repeat. One router alone is not taken for a loop: it may
// be a translator that answers for all behind it.
func cycle(way []netip.Addr) (start, period int) {
	for period = 2; period <= min(maxPeriod, len(way)/minRounds); period++ {
		start = len(way) - period
		repeats := 0
		for i := start - 1; i >= 0; i-- {
			a, b := way[i], way[i+period]
			if a.IsValid() && b.IsValid() {
				if a != b {
					break
				}
				repeats++
			}
			start = i
		}
		for start < len(way) && !way[start].IsValid() {
			start++
		}
		if len(way)-start >= minRounds*period && repeats >= 2 && distinct(way[start:]) >= 2 {
			return start, period
		}
	}
	return 0, 0
}

// distinct returns how many routers there are among way.
func distinct(way []netip.Addr) int {
	seen := map[netip.Addr]bool{}
	for _, a := range way {
		if a.IsValid() {
			seen[a] = true
		}
	}
	return len(seen)
}
