package pmtu

import (
	"cmp"
	"net/netip"
	"slices"
)

// A cell is what is known of one size on a track.
type cell struct {
	size    int
	arrived int   // asks that got to the track's end
	silent  int   // asks that nothing answered, of which that says something
	since   int   // round in which it first arrived
	rounds  []int // of the silent asks
	void    int   // asks that nothing answered, of which it says nothing, or that were not sent
	waiting int   // asks that are open
	refused []*refusal
}

// A digest is what was concluded from the log as it stands.
type digest struct {
	tables map[track]*table
	needed int // 0: not counted yet
}

// news forgets what was concluded, because the log has changed.
func (r *run) news() { r.known = digest{} }

// A class is why packets of some sizes do not arrive. The zero class is that
// they do, or that it is not known.
type class struct {
	silent bool
	from   netip.Addr // who refuses them
}

func (c *cell) class() class {
	switch {
	case c.arrived > 0:
	case len(c.refused) > 0:
		return class{from: c.refused[0].from}
	case c.silent > 0:
		return class{silent: true}
	}
	return class{}
}

// fails reports whether something speaks against the size, and nothing for it.
func (c *cell) fails() bool { return c.class() != class{} }

// verified reports whether a router refused the size beyond doubt.
func (c *cell) verified() bool {
	return slices.ContainsFunc(c.refused, func(f *refusal) bool { return f.verified })
}

// against counts what speaks against the size and cannot be proven.
func (c *cell) against() int { return c.silent + len(c.refused) }

// from returns what is known of the cell from a round on, but for what passed.
func (c *cell) from(round int) *cell {
	fresh := &cell{size: c.size, arrived: c.arrived}
	for _, f := range c.refused {
		if f.round >= round {
			fresh.refused = append(fresh.refused, f)
		}
	}
	for _, n := range c.rounds {
		if n >= round {
			fresh.silent++
		}
	}
	return fresh
}

// A table is what is known of the sizes of a track.
type table struct {
	track
	cells []cell // by size
	lo    int    // largest size that arrived; 0: none
}

// table gathers what is known of a track. Its rules:
//  1. An answer from the end of the track proves that the size passes, however
//     late it comes and whatever else was said about the probe.
//  2. What passes proves that every smaller size does: a cell below lo that was
//     only silent is loss.
//  3. Silence says something only if a probe that left later in the same burst
//     was answered by the end of the track: then neither the path nor a limit on
//     answers was at fault.
//  4. A refusal for its size counts for the way to the destination even if the
//     packet was to end at a hop behind the router that refused it.
//  5. Only what was asked since the path last changed counts.
//
// The table must not be changed. It is kept until something new is known.
func (r *run) table(t track) *table {
	if tab := r.known.tables[t]; tab != nil {
		return tab
	}
	tab := r.gather(t)
	if r.known.tables == nil {
		r.known.tables = make(map[track]*table)
	}
	r.known.tables[t] = tab
	return tab
}

func (r *run) gather(t track) *table {
	tab := &table{track: t}
	round, witness := 0, false
	for i := len(r.log) - 1; i >= r.since; i-- {
		a := &r.log[i]
		if t.ttl == 0 && a.track.at(0) == t && a.ttl != 0 && a.refusal != nil && a.refusal.tooBig && !a.refusal.void {
			tab.entry(a.size).refused = append(tab.entry(a.size).refused, a.refusal)
		}
		if a.track != t || !a.left() {
			continue
		}
		if a.round != round {
			round, witness = a.round, false
		}
		tab.book(a, witness)
		witness = witness || a.ended(t)
	}
	slices.SortFunc(tab.cells, func(a, b cell) int { return cmp.Compare(a.size, b.size) })
	return tab
}

func (t *table) book(a *ask, witness bool) {
	c := t.entry(a.size)
	switch {
	case a.ended(t.track):
		c.arrived++
		c.since = a.round // asks are booked from the last to the first
		t.lo = max(t.lo, a.size)
	case a.refusal != nil && !a.refusal.void:
		c.refused = append(c.refused, a.refusal)
	case a.state == open:
		c.waiting++
	case a.state == overdue && witness:
		c.silent++
		c.rounds = append(c.rounds, a.round)
	default:
		c.void++
	}
}

// entry returns the cell of a size, which it makes if there is none.
func (t *table) entry(size int) *cell {
	if c := t.cell(size); c != nil {
		return c
	}
	t.cells = append(t.cells, cell{size: size})
	return &t.cells[len(t.cells)-1]
}

// cell returns what is known of a size, nil if it was not asked.
func (t *table) cell(size int) *cell {
	for i := range t.cells {
		if t.cells[i].size == size {
			return &t.cells[i]
		}
	}
	return nil
}

// asked returns how often a size was asked, by whatever came of it.
func (t *table) asked(size int) int {
	c := t.cell(size)
	if c == nil {
		return 0
	}
	return c.arrived + c.silent + c.void + c.waiting + len(c.refused)
}

// A gap is two sizes with nothing known between them that are treated
// differently, so that a limit lies between: below passes it, above does not.
type gap struct {
	below int
	above *cell
	class class // of above
}

// closed reports whether the limit is known to the byte.
func (g *gap) closed() bool { return g.above.size == g.below+1 }

// gaps returns the limits that the table shows, the smallest MTU first: the
// farthest of the path. Where nothing arrived, what is silent may have passed:
// the first gap is then above it.
func (t *table) gaps() []gap {
	var list []gap
	below, before := t.lo, class{}
	if t.lo == 0 {
		before = class{silent: true}
	}
	cells := t.above()
	for i, c := range cells {
		k := c.class()
		if k.silent && loss(cells, i) {
			continue
		}
		if k != before {
			list = append(list, gap{below: below, above: c, class: k})
		}
		below, before = c.size, k
	}
	return list
}

// above returns the cells above lo that fail.
func (t *table) above() []*cell {
	var list []*cell
	for i := range t.cells {
		if c := &t.cells[i]; c.size > t.lo && c.fails() {
			list = append(list, c)
		}
	}
	return list
}

// loss reports whether the silence of cell i must be loss, because the same
// router refuses smaller sizes and larger ones.
func loss(cells []*cell, i int) bool {
	var below, above class
	for _, c := range cells[:i] {
		if k := c.class(); !k.silent {
			below = k
		}
	}
	for _, c := range slices.Backward(cells[i+1:]) {
		if k := c.class(); !k.silent {
			above = k
		}
	}
	return below == above && below != class{}
}
