package packet

// Held returns how many bytes a decoder holds for fragments: it counts what is
// there, not what was booked.
func Held(d *Decoder) int {
	n := cap(d.frags.out) + cap(d.frags.frames)*8
	add := func(g *datagram) {
		n += datagramCost + cap(g.data) + cap(g.parts)*12 + cap(g.frames)*16 + cap(g.have)*8
	}
	for _, g := range d.frags.byKey {
		add(g)
	}
	for _, g := range d.frags.spare {
		add(g)
	}
	return n
}
