package probetest

import "fmt"

// A Rule does something to some of the packets that come by.
type Rule struct {
	When When
	Do   Effect
}

// When chooses packets. All that is set must hold; the zero When chooses every
// packet.
type When struct {
	Every  int     // the Nth, the 2Nth, ... of those for which the rest holds
	Chance float64 // each with this probability; 0: every one
	First  int     // counted per rule, from 1: not before this packet
	Last   int     // not after this packet; 0: no end
	Size   int     // packets of at least this many bytes
	During Window  // packets sent in this time; zero: always
}

// An Effect changes what comes back for a packet: it gets what the network
// would deliver and returns what it shall. It runs with the network locked,
// hence must not call methods of the Net or of a Link.
type Effect func(*Packet, []Delivery) []Delivery

// A rule is a Rule at work.
type rule struct {
	Rule
	seen, held int
}

func compileRules(rs []Rule) []*rule {
	var out []*rule
	for _, r := range rs {
		out = append(out, &rule{Rule: r})
	}
	return out
}

func checkRules(rs []Rule) error {
	for i, r := range rs {
		w := r.When
		switch {
		case r.Do == nil:
			return fmt.Errorf("rule %d does nothing", i+1)
		case w.Chance < 0 || w.Chance > 1:
			return fmt.Errorf("rule %d: %g is not a probability", i+1, w.Chance)
		case w.Every < 0 || w.First < 0 || w.Last < 0 || w.Size < 0 || w.During.From < 0 || w.During.To < 0:
			return fmt.Errorf("rule %d: negative number", i+1)
		}
	}
	return nil
}

// fires says whether the rule applies to this packet, and counts it.
func (r *rule) fires(n *Net, p *Packet) bool {
	w := &r.When
	r.seen++
	switch {
	case r.seen < w.First, w.Last > 0 && r.seen > w.Last, p.Size < w.Size:
		return false
	case !w.During.holds(p.Left.Sub(n.start)):
		return false
	}
	r.held++
	if w.Every > 1 && r.held%w.Every != 0 {
		return false
	}
	return w.Chance == 0 || n.chance(w.Chance)
}
