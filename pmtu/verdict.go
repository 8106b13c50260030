package pmtu

import "net/netip"

// An outlook is what the tracks say together about the way to the destination.
type outlook struct {
	way      *table  // the track that the path MTU follows from; nil: nothing arrived
	basis    *table  // way, or what is known of the way to the hop that stands in
	places   []place // its limits, nearest first
	settled  bool    // the path MTU is known
	least    int     // largest size that arrived by all methods that agree
	most     int     // one less than the smallest that certainly does not
	back     int     // MTU of the way back as far as vanishing answers tell; 0: none
	differ   bool    // two methods found different path MTUs
	split    bool    // so do single packets of the second
	doubtful bool    // on which way larger sizes vanish is not known
	partial  bool    // some limit above the path MTU is not known or proven
}

// outlook weighs the tracks. Its rules:
//  1. The path MTU is that of the first method that is answered, unless a rule
//     below says otherwise.
//  2. If larger sizes of echo vanish without a word and datagrams of such sizes
//     arrive, it is the way back that loses them: the path MTU is that of the
//     datagrams.
//  3. If datagrams do not pass which echoes of the size do, or those of another
//     flow, flows take different paths: the path MTU is the smaller one.
//  4. If packets that may each take a path of their own are refused which echoes of
//     the size are not, the smallest path MTU is not known.
//  5. If larger sizes of echo vanish at the destination, or nobody knows where,
//     and datagrams cannot tell, the path MTU is not known: it may be the way
//     back, or a host that does not answer larger echoes.
func (r *run) outlook() outlook {
	var o outlook
	t := r.main()
	if t == nil {
		o.places, o.basis = r.mutePlaces()
		o.most = r.muteMost(o.basis)
		return o
	}
	o.way, o.basis, o.least = t, t, t.lo
	o.settled = r.settled(t) && !r.mixed[t.track]
	places, _ := r.locate(t)
	for _, u := range r.others(t) {
		if r.scattered(u.track) && t.method != UDP && r.disputes(u, t.lo) {
			o.differ, o.split = true, true
			continue
		}
		if u.lo == 0 || o.way != t {
			continue
		}
		switch {
		case u.lo > t.lo && r.silentAbove(t):
			if forwardProven(places) || u.path != 0 {
				o.differ = true
				break
			}
			o.way, o.back, o.settled = u, t.lo, r.settled(u) && !r.mixed[u.track]
			places, _ = r.locate(u)
		case u.lo > t.lo:
			o.differ = true
		case u.lo < t.lo && r.against(u, t.lo):
			o.way, o.differ, o.settled = u, true, r.settled(u) && !r.mixed[u.track]
			places, _ = r.locate(u)
		}
	}
	if o.way == t && t.method == ICMP && r.silentAbove(t) && !forwardProven(places) && !r.provenBeside(t) {
		o.doubtful, o.settled = true, false
	}
	o.places, o.basis, o.least = places, o.way, o.way.lo
	o.most = r.ceiling(o.way, o.doubtful)
	o.partial = r.unresolved(o.way)
	if r.mixed[o.way.track] || r.contested(o.way) {
		o.settled = false
		o.least, o.most = r.always(o.way), o.way.lo
	}
	if o.split {
		o.settled = false
		o.least, o.most = r.splitBounds(t)
	}
	return o
}

// splitBounds returns the largest size that arrived of those below the smallest
// that was refused, and that less one, of packets that may each take a path of
// their own.
func (r *run) splitBounds(t *table) (least, most int) {
	most = t.lo
	others := r.others(t)
	for _, u := range others {
		for i := range u.cells {
			if c := &u.cells[i]; len(c.refused) > 0 {
				most = min(most, c.size-1)
			}
		}
	}
	for _, u := range others {
		for i := range u.cells {
			if c := &u.cells[i]; c.arrived > 0 && c.size <= most {
				least = max(least, c.size)
			}
		}
	}
	return least, most
}

// unresolved reports whether a limit of a track is not known to the byte, or not
// proven, or whether nothing is known of the largest packets.
func (r *run) unresolved(t *table) bool {
	if t.lo < r.top && r.topUnknown(t) {
		return true
	}
	for _, g := range t.gaps() {
		below := t.cell(g.below)
		if !g.closed() || !r.proven(t, g.above) || below != nil && r.hollow(&g, below) && !r.proven(t, below) {
			return true
		}
	}
	return false
}

// contested reports whether a size that arrived is refused beyond doubt: there
// were too many contradictions to look into all.
func (r *run) contested(t *table) bool {
	size := r.disputed(t)
	return size != 0 && t.cell(size).verified()
}

// always returns the largest size that arrived of those that are smaller than
// every one that was refused or, above the smallest of all, silent.
func (r *run) always(t *table) int {
	least := 0
	for i := range t.cells {
		c := &t.cells[i]
		if len(c.refused) > 0 || i > 0 && c.silent > 0 {
			break
		}
		if c.arrived > 0 {
			least = c.size
		}
	}
	return least
}

// muteMost is most where the destination is silent: t is the way to the hop that
// stands in, nil if there is none.
func (r *run) muteMost(t *table) int {
	most := r.highest
	for _, m := range r.methods {
		for _, c := range r.table(track{method: m}).cells {
			if c.verified() && c.refused[0].tooBig {
				most = min(most, c.size-1)
			}
		}
	}
	if t != nil {
		most = min(most, r.ceiling(t, false))
	}
	return most
}

// silentAbove reports whether what is larger than the path MTU vanishes, as far
// as is known.
func (r *run) silentAbove(t *table) bool {
	gaps := t.gaps()
	return t.lo < r.top && len(gaps) > 0 && gaps[0].below == t.lo && gaps[0].class.silent
}

// forwardProven reports whether the hops show that the smallest limit is on the
// way there: they are reached by what passes, and not by what is larger.
func forwardProven(places []place) bool {
	if len(places) == 0 {
		return false
	}
	p := &places[len(places)-1]
	return p.done && p.before != 0 && !p.end
}

// provenBeside reports whether the second method too loses what is larger than
// the path MTU.
func (r *run) provenBeside(t *table) bool {
	u := r.second(t)
	if u == nil || u.lo != t.lo {
		return false
	}
	c := u.cell(t.lo + 1)
	return c != nil && c.fails() && r.proven(u, c)
}

// against reports whether a size is certainly lost on a track.
func (r *run) against(t *table, size int) bool {
	for _, c := range t.above() {
		if c.size <= size && r.proven(t, c) {
			return true
		}
	}
	return false
}

// ceiling returns one less than the smallest size that certainly does not arrive.
func (r *run) ceiling(t *table, doubtful bool) int {
	most := r.highest
	for _, c := range t.above() {
		if doubtful && c.class().silent {
			continue
		}
		if r.proven(t, c) {
			most = min(most, c.size-1)
		}
	}
	return most
}

// bounds is what is known of the path MTU while the search runs: by the first
// method, without weighing.
func (r *run) bounds() (least, most int) {
	t := r.main()
	if t == nil {
		return 0, r.highest
	}
	most = r.highest
	for _, c := range t.above() {
		if c.verified() {
			most = min(most, c.size-1)
		}
	}
	return t.lo, most
}

// mutePlaces returns the limits where the destination is silent: those on the way
// to the hop that stands in, and those that routers claim behind it.
func (r *run) mutePlaces() (list []place, t *table) {
	if t = r.standIn(); t != nil {
		list, _ = r.locate(t)
	}
	full := r.table(track{method: r.methods[0]})
	for _, g := range full.gaps() {
		known := false
		for i := range list {
			known = known || list[i].class == g.class
		}
		if !known && !g.class.silent {
			p := place{gap: g}
			if h := r.hopOfRouter(full.track, g.class.from); h > 0 {
				p.after, p.before = h, h+1
			}
			list = append(list, p)
		}
	}
	return list, t
}

// hopOfRouter returns the distance of a router by what its refusals quote, or else
// that of the one hop that bears its address; 0 if neither tells.
func (r *run) hopOfRouter(t track, from netip.Addr) int {
	if hop, quoted := r.hint(t, from); quoted {
		return hop
	}
	hop := 0
	for ttl, h := range r.hopInfos(t) {
		if h.addr != from || h.end {
			continue
		}
		if hop != 0 {
			return 0 // translators give several hops one address
		}
		hop = ttl
	}
	return hop
}
