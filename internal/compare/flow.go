package compare

import "net/netip"

// A Direction is which way a packet went.
type Direction uint8

// Directions.
const (
	Unknown Direction = iota
	AB                // from the first point to the second
	BA
)

// String returns "ab", "ba", or "".
func (d Direction) String() string {
	return [...]string{"", "ab", "ba"}[d]
}

// other returns the way back.
func (d Direction) other() Direction {
	return [...]Direction{Unknown, BA, AB}[d]
}

// A flow is what passes between two networks, both ways, as one capture has
// the addresses.
type flow struct {
	matched   bool // something of it was seen at both points
	direction Direction
	votes     float64 // above 0: packets from low to high went from A to B; weighed by how sure that is
	ttl       int     // the same by what became of the TTL
	last      [2]struct {
		at, x int64
		seen  bool
	}
	front [2]int // of what went either way, the last frame at the point that it passed first
}

// A flowKey names a flow: the lower address is the first.
type flowKey struct{ low, high netip.Addr }

// flowOf returns the flow of a packet, and 1 if the packet goes from its higher
// end to the lower, else 0. Hosts of one network (/24, /64) go the same way, so
// they are one end; if both ends are of one network, they are told apart.
func flowOf(src, dst netip.Addr) (flowKey, int) {
	s, d := network(src), network(dst)
	if s == d {
		s, d = src, dst
	}
	if d.Less(s) {
		return flowKey{d, s}, 1
	}
	return flowKey{s, d}, 0
}

func network(a netip.Addr) netip.Addr {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a
	}
	return p.Addr()
}

// flows are those of one capture.
type flows map[flowKey]*flow

// get returns the flow of a packet and its way within it; nil if it is not
// known, or with add if there are too many.
func (f flows) get(m *Mark, add bool) (*flow, int) {
	key, way := flowOf(m.flowSrc, m.flowDst)
	x := f[key]
	if x == nil && add && len(f) < maxFlows {
		x = new(flow)
		f[key] = x
	}
	return x, way
}

// near is up to which distance in nanoseconds two packets, one each way, are
// taken to have seen the same offset of the clocks.
const near = 1e9

// vote takes a packet that was seen at both points, x later by the clock of B
// than by that of A. Of two packets close to each other, one each way, that
// which went from A to B has the larger x: the delay is added to one, and taken
// from the other.
func (f *flow) vote(way int, at, x int64, a, b *Mark) {
	f.matched = true
	back := &f.last[1-way]
	if gap := at - back.at; back.seen && gap < near && gap > -near && x != back.x {
		weight := 1 / float64(max(gap, -gap, 1000))
		if (x > back.x) != (way == 0) {
			weight = -weight
		}
		f.votes += weight
	}
	f.last[way] = struct {
		at, x int64
		seen  bool
	}{at, x, true}
	f.ttl += sign(int(a.TTL)-int(b.TTL)) * (1 - 2*way)
	f.decide()
}

func sign(v int) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// decide says which way packets from the lower end go: by times, else by the
// TTL, which a router counts down.
func (f *flow) decide() {
	switch {
	case f.votes > 0 || f.votes == 0 && f.ttl > 0:
		f.direction = AB
	case f.votes < 0 || f.ttl < 0:
		f.direction = BA
	default:
		f.direction = Unknown
	}
}

// of returns which way a packet of the flow goes.
func (f *flow) of(way int) Direction {
	switch {
	case f == nil:
		return Unknown
	case way == 0:
		return f.direction
	}
	return f.direction.other()
}
