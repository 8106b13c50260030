package trace

import (
	"slices"
	"time"
)

// tick is how exactly a kernel counts the time between two errors: jiffies are
// 10 ms or less.
const tick = 10 * time.Millisecond

// ever is longer than any trace.
const ever = 10000 * time.Hour

// A permit is one answer that a limit allows, and when it came to do so: after
// the probe before the one that was answered, and no later than that. Times
// count from the first probe that the limit has cost.
type permit struct{ after, until time.Duration }

// steady reports whether what a router left out, of probes that begin with the
// first one it did not answer, is what a limit leaves out that allows another
// answer in one interval, always the same: the bucket of tokens of inet_peer
// (net/ipv4/inetpeer.c), which others have too. Its rules:
//
//  1. Such a limit allows its k-th answer at k intervals behind some moment,
//     and gives it to the first probe that comes then. One interval must explain
//     all that came and all that did not, give or take a tick and what the round
//     trips differ by.
//  2. If a whole burst came before, three at least are missing and as many as
//     came, or the interval may be one that kernels have: few gaps fit many
//     intervals, and real loss leaves few.
//  3. If none did, as when a trace follows another, it must be one that kernels
//     have, six at least are missing, and two have come.
func steady(list []*slot, whole bool) bool {
	least, most := intervals(permits(list), tick+spread(list))
	if least > most {
		return false
	}
	came := answers(list)
	missing := len(list) - came
	usual := slices.ContainsFunc(kernelPaces[:], func(t time.Duration) bool { return least <= t && t <= most })
	if whole {
		return usual || missing >= max(came, 3)
	}
	return usual && missing >= 6 && came >= 2
}

// kernelPaces are the intervals of Linux: net.ipv4.icmp_ratelimit, and
// net.ipv6.icmp.ratelimit, which was a second too in earlier kernels.
var kernelPaces = [...]time.Duration{time.Second, 100 * time.Millisecond}

// permits returns what a limit has allowed to a list of probes. The first was
// used up before them, the last is still to come.
func permits(list []*slot) []permit {
	start := list[0].first
	g := []permit{{-ever, 0}}
	before := time.Duration(0) // when the probe before was asked
	for _, s := range list[1:] {
		at := s.first.Sub(start)
		if s.prompt {
			g = append(g, permit{before, at})
		}
		before = at
	}
	return append(g, permit{before, ever})
}

// intervals returns the least and the largest interval at which permits can
// follow each other, if two of them may be off by some slack. It is the slope of
// the lines that meet each of them at its time: any two bound it, and what all
// pairs allow, all together do.
func intervals(g []permit, slack time.Duration) (least, most time.Duration) {
	most = ever
	for j := range g {
		for i := range j {
			n := time.Duration(j - i)
			least = max(least, (g[j].after-g[i].until-slack)/n)
			most = min(most, (g[j].until-g[i].after+slack)/n)
		}
	}
	return least, most
}

// spread returns by how much the round trips of a list differ.
func spread(list []*slot) time.Duration {
	least, most := ever, time.Duration(0)
	for _, s := range list {
		if s.prompt {
			least, most = min(least, s.RTT), max(most, s.RTT)
		}
	}
	return max(most-least, 0)
}

// answers returns how many of a list were answered at once.
func answers(list []*slot) int {
	n := 0
	for _, s := range list {
		if s.prompt {
			n++
		}
	}
	return n
}
