package pmtu

import (
	"slices"

	"github.com/icmpx/icmpx/icmpx"
)

// usual are the sizes of the first burst: MTUs that links and tunnels have, and
// the plateaus of RFC 1191 section 7.1.
var usual = []int{
	65535, 32000, 17914, 9216, 9000, 8950, 8166, 4470, 4352, 2002,
	1500, 1492, 1480, 1476, 1450, 1420, 1400, 1300, 1280, 1006, 576, 508, 296, 68,
}

// ordinary is a size that almost every path takes: the minimum of IPv6.
const ordinary = 1280

// leastIPv4 is the largest packet that every IPv4 host takes (RFC 791 section 3.1),
// and hardly a path does not.
const leastIPv4 = 576

// small is the size of controls: what every link takes, and any answer needs.
func (r *run) small() int { return max(smallest(r.family), r.opts.Min) }

// ladder returns the sizes of the first burst from the largest to the smallest.
// Its rules:
//  1. The largest size that may leave, the usual ones below it down to the
//     smallest MTU of the protocol, and a size that always passes.
//  2. Large ones go first: those that do not pass use up no answers of a
//     destination that limits them, and the first to be answered is the one that
//     matters.
//  3. Where every answer is an ICMP error, only one is between the largest and
//     the smallest: these are limited, see starved, and will be needed.
func (r *run) ladder(t track) []int {
	list := []int{r.top}
	for _, s := range usual {
		if t.limited() && !r.opts.LadderOnly && s != ordinary {
			continue
		}
		if s < r.top && s > r.small() && s >= r.family.MinMTU() {
			list = append(list, s)
		}
	}
	if r.top > r.small() {
		list = append(list, r.small())
	}
	return list
}

// usualSize reports whether MTUs of this size are common.
func usualSize(s int, f icmpx.Family) bool {
	return slices.Contains(usual, s) || s == f.MinMTU()
}

// spread returns up to k sizes between two others, evenly spaced, the largest
// first.
func spread(below, above, k int) []int {
	between := above - below - 1
	k = min(k, between)
	var list []int
	for i := k; i >= 1; i-- {
		list = append(list, below+(between+1)*i/(k+1))
	}
	return list
}

// fan returns how many sizes to try at once between two others. Its rule: as few
// as find the limit in one round of up to 6 sizes, two of up to 48, three of up
// to 512, else four.
func fan(below, above int) int {
	between := above - below - 1
	switch {
	case between <= 6:
		return between
	case between <= 48:
		return root(between, 2)
	case between <= 511:
		return root(between, 3)
	}
	return root(between, 4)
}

// root returns the least k for which rounds of k sizes divide a range that often.
func root(between, rounds int) int {
	for k := 1; ; k++ {
		total := 1
		for range rounds {
			total *= k + 1
		}
		if total > between {
			return k
		}
	}
}
