package packet

import "time"

// A queue holds datagrams from the oldest to the newest.
type queue struct{ oldest, newest *datagram }

func (q *queue) push(g *datagram) {
	g.older, g.newer = q.newest, nil
	if q.newest != nil {
		q.newest.newer = g
	} else {
		q.oldest = g
	}
	q.newest = g
}

func (q *queue) drop(g *datagram) {
	if g.older != nil {
		g.older.newer = g.newer
	} else {
		q.oldest = g.newer
	}
	if g.newer != nil {
		g.newer.older = g.older
	} else {
		q.newest = g.older
	}
	g.older, g.newer = nil, nil
}

// find returns the datagram of a key, a new one if there is none.
func (r *reassembler) find(k fragmentKey, now time.Time) *datagram {
	if g := r.byKey[k]; g != nil {
		return g
	}
	if r.byKey == nil {
		r.byKey = make(map[fragmentKey]*datagram)
	}
	if len(r.byKey) >= maxDatagrams {
		r.evict()
	}
	g := &datagram{}
	if n := len(r.spare); n > 0 {
		g, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	g.key, g.began = k, now
	r.waiting.push(g)
	r.byKey[k] = g
	return g
}

// remove forgets a datagram.
func (r *reassembler) remove(g *datagram) {
	delete(r.byKey, g.key)
	r.queue(g).drop(g)
	r.used -= g.cost
	g.cost = 0
	if len(r.spare) < maxSpare && cap(g.data) <= maxSpareData && cap(g.frames) <= maxSpareFrames {
		g.reset()
		r.spare = append(r.spare, g)
	}
}

// queue returns the queue that a datagram is in.
func (r *reassembler) queue(g *datagram) *queue {
	if g.whole {
		return &r.done
	}
	return &r.waiting
}

// settle accounts for what a datagram takes now, and makes room for it.
func (r *reassembler) settle(g *datagram) {
	cost := datagramCost + cap(g.data) + cap(g.parts)*12 + cap(g.frames)*16 + cap(g.have)*8
	r.used += cost - g.cost
	g.cost = cost
	for r.used > maxReassembly {
		r.evict()
	}
}

// evict gives up the oldest datagram: one that was complete, if there is any.
func (r *reassembler) evict() {
	g := r.done.oldest
	if g == nil {
		g = r.waiting.oldest
		if !g.refused {
			r.count.Evicted++
		}
	}
	r.remove(g)
}

// refuse gives a datagram up whose fragments contradict each other. IPv6 drops
// the ones yet to come as well (RFC 5722 section 4), until their time is over;
// in IPv4 they begin anew.
func (r *reassembler) refuse(g *datagram) {
	r.count.Refused++
	if g.key.src.Is4() {
		r.remove(g)
		return
	}
	if g.whole { // a fragment that came again was too long
		r.done.drop(g)
		r.waiting.push(g)
	}
	g.reset()
	g.refused = true
	r.settle(g)
}

// expire gives up what has waited for too long. Frames without a time are never
// late.
func (r *reassembler) expire(now time.Time) {
	if now.IsZero() {
		return
	}
	for g := r.done.oldest; g != nil && now.Sub(g.began) > fragmentTimeout; g = r.done.oldest {
		r.remove(g)
	}
	for g := r.waiting.oldest; g != nil && now.Sub(g.began) > fragmentTimeout; g = r.waiting.oldest {
		if !g.refused {
			r.count.Expired++
		}
		r.remove(g)
	}
}
