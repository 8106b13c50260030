package trace

// final reports whether nothing at a TTL is open: each of its probes was asked
// and decided.
func (p *path) final(ttl int) bool {
	h := &p.hops[ttl]
	for i := range h.slots {
		if h.slots[i].open() {
			return false
		}
	}
	return len(h.slots) == p.opts.Queries
}

// emit hands out the rows that have become final. Its rules:
//
//  1. Rows come in order of TTL, each once.
//  2. A row is final when each of its probes is.
//  3. The row of the end, which is that of the lowest TTL that the end has
//     answered, is thus final once no lower TTL is open. It is the last.
func (r *run) emit() {
	limit := r.path.limit()
	for r.row <= limit && r.path.final(r.row) {
		r.hand(r.row)
	}
}

// flush hands out what an interrupted trace knows, up to the last answer.
func (r *run) flush() {
	for limit := min(r.path.limit(), r.path.lastHeard()); r.row <= limit; {
		r.hand(r.row)
	}
}

func (r *run) hand(ttl int) {
	row := r.path.buildRow(ttl)
	r.row = ttl + 1
	r.res.Rows = append(r.res.Rows, row)
	r.sink(&Event{Row: &row})
}

func (p *path) buildRow(ttl int) Row {
	h := &p.hops[ttl]
	e, _ := p.end()
	row := Row{
		TTL: ttl, Probes: make([]Probe, len(h.slots)), First: h.first, Again: h.again, Extra: h.extra,
		End: ttl == e, Dark: e == 0 && ttl > p.lastHeard(),
		Limited: (ttl == e || !p.lossy()) && p.limits(ttl, ttl == e),
	}
	for i := range h.slots {
		row.Probes[i] = h.slots[i].Probe
	}
	if row.End {
		for t := ttl + 1; t <= p.top; t++ {
			row.Beyond.Sent += p.hops[t].first.Sent
			row.Beyond.Answered += p.hops[t].first.Answered
		}
	}
	if mtu := p.mtu(ttl); mtu != 0 && (ttl == p.opts.FirstTTL || mtu < p.mtu(ttl-1) || p.mtu(ttl-1) == 0) {
		row.MTU = mtu
	}
	return row
}

// done reports whether the last row that matters is out, and no longer path can
// come of what is open.
func (r *run) done() bool { return r.row > r.path.limit() }
