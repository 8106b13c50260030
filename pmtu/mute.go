package pmtu

// scanSpan is how many hops are asked at once where the destination is silent.
const scanSpan = 16

// mute says what to ask where nothing arrives at the destination. Its rules:
//  1. The destination is asked once more, and all hops with small packets,
//     sixteen at once, as long as the last few answer.
//  2. If no hop answers the first method, the others are tried.
//  3. The farthest hop that answers stands in for the destination: limits up to
//     there are found with probes that end at it.
//  4. What routers claim about packets to the destination is tried too.
//  5. Where every answer is an ICMP error the destination is asked twice more,
//     after a pause: it may limit them.
func (r *run) mute() burst {
	if r.waitingLazy() {
		return nil
	}
	for _, m := range r.methods {
		if b := r.scan(m); len(b) > 0 {
			return b
		}
	}
	var b burst
	for _, m := range r.methods[:1] {
		b = append(b, r.sizes(r.table(track{method: m}))...)
	}
	if t := r.standIn(); t != nil && !r.mixed[t.track] {
		b = append(b, r.sizes(t)...)
		_, asks := r.locate(t)
		b = append(b, asks...)
	}
	if t := (track{method: r.methods[0]}); len(b) == 0 && t.limited() && r.patient < maxPatience {
		r.patient++
		b = append(b, ask{track: t, size: r.small(), again: afterPause})
	}
	return b
}

// waitingLazy reports whether an ask is open for which no round waits.
func (r *run) waitingLazy() bool {
	for i := range r.log {
		if a := &r.log[i]; a.state == open && a.lazy {
			return true
		}
	}
	return false
}

// scan asks for hops by one method; nothing once that is done, or if another
// method has found some.
func (r *run) scan(m Method) burst {
	hops := r.hopInfos(track{method: m})
	last := r.farthest(hops)
	if last >= r.opts.MaxTTL || last > 0 && r.muteAfter(hops, last+1) >= maxMute || last == 0 && r.standIn() != nil {
		return nil
	}
	var b burst
	t := track{method: m}
	for ttl := last + 1; ttl <= min(last+scanSpan, r.opts.MaxTTL); ttl++ {
		b.add(t.at(ttl), r.small())
	}
	for _, other := range r.methods {
		b.add(track{method: other}, r.small())
	}
	return b
}

// standIn returns what is known of the way to the farthest hop that answers; nil
// if none does.
func (r *run) standIn() *table {
	for _, m := range r.methods {
		hops := r.hopInfos(track{method: m})
		for ttl := len(hops) - 1; ttl > 0; ttl-- {
			if hops[ttl].answers > 0 {
				return r.table(track{method: m, ttl: ttl})
			}
		}
	}
	return nil
}
