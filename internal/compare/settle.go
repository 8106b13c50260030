package compare

// take takes the next packet of capture i.
func (x *comparison) take(i int, m *Mark) {
	for j := range x.tables {
		for o := x.tables[j].oldest(); o != nil && o.at < m.at-x.window; o = x.tables[j].oldest() {
			x.settle(j, false)
		}
	}
	x.queue.release(m.at-x.window, x.emit)
	again, copied := x.recent[i].look(m, x.window)
	if copied {
		x.result.Points[i].Copies++
		return
	}
	m.again = again
	x.trips[i].add(x, i, m)
	if s := x.tables[1-i].find(byAll, m, x.window); s != none {
		o := x.tables[1-i].remove(s)
		x.match(i, m, &o, byAll)
		return
	}
	if x.tables[i].full() {
		x.settle(i, true)
	}
	x.tables[i].add(m)
}

// settleOldest settles the packet that waits longest; false if none does.
func (x *comparison) settleOldest() bool {
	a, b := x.tables[0].oldest(), x.tables[1].oldest()
	switch {
	case a == nil && b == nil:
		return false
	case b == nil || a != nil && a.at <= b.at:
		x.settle(0, false)
	default:
		x.settle(1, false)
	}
	return true
}

// settle takes the oldest packet of capture i, whose time is up, or whose room is
// needed: if nothing of the other capture is the same, something may be the same
// but for a change.
func (x *comparison) settle(i int, pressed bool) {
	t := x.tables[i]
	m := t.remove(t.age.first)
	for k := byNAT; k < kinds; k++ {
		if s := x.tables[1-i].find(k, &m, x.window); s != none {
			o := x.tables[1-i].remove(s)
			x.match(i, &m, &o, k)
			return
		}
	}
	e := Event{Kind: x.fate(i, &m), Direction: x.direction(i, &m)}
	e.set(i, &m)
	switch {
	case e.Kind == Lost && m.again != 0 && e.Direction == toward(i):
		e.Kind, e.Again = Duplicated, m.again
	case e.Kind == Lost && e.Direction == toward(i):
		e.Kind = Unseen
	case e.Kind == Lost && pressed && x.waited(i, &m) < 2*x.margin()+pressedWait:
		e.Kind = Unsettled
	}
	x.queue.push(m.at, &e, x.emit)
}

// pressedWait is how long in nanoseconds a packet must have waited to count as
// lost when its room is needed, besides twice the longest delay.
const pressedWait = 10e6

// waited returns how long a packet has waited that leaves its table.
func (x *comparison) waited(i int, m *Mark) int64 {
	if o := x.tables[i].newest(); o != nil {
		return o.at - m.at
	}
	return 0
}

// toward returns the way that leads to point i.
func toward(i int) Direction {
	if i == 0 {
		return BA
	}
	return AB
}

// fate returns what is to be said about a packet that was seen at point i alone:
// Lost if it should have been seen at the other.
func (x *comparison) fate(i int, m *Mark) Kind {
	f, _ := x.flows[i].get(m, false)
	if f == nil || !f.matched {
		return Elsewhere
	}
	other := &x.result.Points[1-i]
	before, after := int64(0), x.margin()
	if x.direction(i, m) == toward(i) {
		before, after = after, 0
	}
	if m.at-before < other.first || m.at+after > other.last {
		return Outside
	}
	return Lost
}

// margin is how much longer than its packet a capture must have gone on.
func (x *comparison) margin() int64 {
	return min(max(x.ways[0].max, x.ways[1].max, 0), maxMargin)
}

// maxMargin bounds the margin in nanoseconds, so that one late packet does not
// excuse many.
const maxMargin = 1e9

// direction returns which way a packet of capture i goes. What its flow does not
// tell goes where it can be lost.
func (x *comparison) direction(i int, m *Mark) Direction {
	f, way := x.flows[i].get(m, false)
	d := f.of(way)
	switch {
	case d != Unknown:
		return d
	case x.guess != Unknown:
		return x.guess
	}
	return toward(1 - i)
}

// match takes a packet of capture i and the same of the other.
func (x *comparison) match(i int, m, o *Mark, k kind) {
	e := Event{Kind: Match, By: By(k)}
	e.set(i, m)
	e.set(1-i, o)
	a, b := &e.A, &e.B
	x.vote(a, b, b.Time.UnixNano(), b.Time.UnixNano()-a.Time.UnixNano())
	f, way := x.flows[0].get(a, false)
	e.Direction = f.of(way)
	later := b.at - a.at
	if e.Direction == Unknown {
		switch {
		case !x.result.Clock.Known:
			e.Direction = x.guess
		case later >= 0:
			e.Direction = AB
		default:
			e.Direction = BA
		}
	}
	e.Delay = later
	at := b.at
	if e.Direction == BA {
		e.Delay, at = -later, a.at
	}
	e.Changes = a.changes(b, e.Direction)
	x.queue.push(at, &e, x.emit)
}
