package trace

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/icmpx/icmpx/icmpx"
)

// judgePath says what is odd about the routers and their order.
func (j *judgement) judgePath() {
	if !j.judgeBalance() {
		j.judgeRepeats()
	}
	j.judgeZeroTTL()
	j.judgePrivate()
}

// judgeLoop tells of a loop in which the path ends.
func (j *judgement) judgeLoop(start, period int) {
	way := j.way()
	var members []netip.Addr
	var words []string
	for _, a := range way[start:] {
		if a.IsValid() && !slices.Contains(members, a) {
			members = append(members, a)
			words = append(words, a.String())
		}
	}
	hop := j.FirstTTL + start
	j.add(CodeLoop, Fault, hop, fmt.Sprintf("%s pass the packets to each other in a loop from hop %d on", list(words, "and"), hop),
		Fact{"period", period}, Fact{"routers", members}, Fact{"rounds", (len(way) - start) / period})
}

// judgeBalance tells of several routers at one TTL, and reports whether there
// were.
func (j *judgement) judgeBalance() bool {
	var at []int
	most := 0
	for i := range j.Rows {
		row := &j.Rows[i]
		if n := len(row.Routers()); n > 1 && !(row.End && j.Reached) {
			at, most = append(at, row.TTL), max(most, n)
		}
	}
	if len(at) == 0 {
		return false
	}
	evidence := []Fact{{"hops", at}, {"routers", most}}
	if j.Method == UDPClassic {
		j.add(CodeMixed, Info, at[0], fmt.Sprintf("several routers answer at %s: each probe may have taken another path", hops(at)), evidence...)
	} else {
		j.add(CodeBalanced, Info, at[0], fmt.Sprintf("several routers share the packets of one flow at %s", hops(at)), evidence...)
	}
	return true
}

// judgeRepeats tells of a router that answers at two distances with another one
// between, outside of a loop in which the path ends. The destination's address
// is a translator's business.
func (j *judgement) judgeRepeats() {
	way := j.way()
	end := len(way)
	if start, period := cycle(way); period != 0 && j.End() == nil {
		end = start
	}
	for i, a := range way[:end] {
		if !a.IsValid() || sameAddr(a, j.Dst) {
			continue
		}
		for k := i + 2; k < end; k++ {
			if way[k] == a && distinct(way[i:k]) > 1 {
				j.add(CodeRepeated, Warning, j.FirstTTL+i, fmt.Sprintf("%v answers at hop %d and again at hop %d", a, j.FirstTTL+i, j.FirstTTL+k),
					Fact{"from", a}, Fact{"hops", []int{j.FirstTTL + i, j.FirstTTL + k}})
				return
			}
		}
	}
}

// judgeZeroTTL tells of a router that passes on what it should refuse: the one
// behind it answers at two TTLs in a row, and the first time to a packet that
// came with a TTL of 0.
func (j *judgement) judgeZeroTTL() {
	for i := 1; i < len(j.Rows); i++ {
		a, b := j.Rows[i-1].answer(), j.Rows[i].answer()
		if a == nil || b == nil || !sameAddr(a.From, b.From) || a.Kind != icmpx.KindTimeExceeded || a.Quote.Family == 0 {
			continue
		}
		if a.Quote.TTL == 0 && b.Quote.Family != 0 && b.Quote.TTL == 1 {
			hop := j.Rows[i-1].TTL
			j.add(CodeZeroTTL, Warning, hop, fmt.Sprintf("the router at hop %d passes packets on whose TTL is used up; %v, behind it, appears twice", hop, a.From),
				Fact{"from", a.From}, Fact{"quoted_ttl", 0})
			return
		}
	}
}

// judgePrivate tells of the first private address behind a public one, unless
// the destination is private itself.
func (j *judgement) judgePrivate() {
	if private(j.Dst) {
		return
	}
	public := netip.Addr{}
	for i := range j.Rows {
		a := j.Rows[i].router()
		switch {
		case !a.IsValid() || sameAddr(a, j.Dst):
		case private(a) && public.IsValid():
			j.add(CodePrivate, Info, j.Rows[i].TTL, fmt.Sprintf("the private address %v follows the public %v", a, public),
				Fact{"from", a}, Fact{"after", public})
			return
		case !private(a) && a.IsGlobalUnicast():
			public = a
		}
	}
}

// shared is the space of carrier-grade NAT (RFC 6598).
func shared() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) }

// private reports whether an address is of RFC 1918, RFC 4193 or RFC 6598, or
// reaches no further than a link.
func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || shared().Contains(bare(a))
}
