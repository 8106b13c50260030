package pmtu

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// judgeClaims says which routers report next-hop MTUs that are of no use. Each is
// named once.
func (j *judgement) judgeClaims() {
	zero, wrong := map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for i := range j.log {
		f := j.log[i].refusal
		switch {
		case f == nil || !f.tooBig || f.void:
		case f.claim == 0 && !zero[f.from]:
			zero[f.from] = true
			j.add(CodeZeroMTU, Warning, j.hopOf(f), fmt.Sprintf("%v refuses packets without saying what it would take: next-hop MTU 0, as before RFC 1191", f.from), Fact{"from", f.from})
		case f.claim != 0 && f.claim < j.family.MinMTU() && !wrong[f.from]:
			wrong[f.from] = true
			j.add(CodeBadClaim, Warning, j.hopOf(f), fmt.Sprintf("%v reports a next-hop MTU of %d bytes, below the %d that every %v link must take: hosts ignore that", f.from, f.claim, j.family.MinMTU(), j.family),
				Fact{"from", f.from}, Fact{"claim", f.claim}, Fact{"size", f.size})
		case f.claim != 0 && j.absurd(f) && !wrong[f.from]:
			wrong[f.from] = true
			j.add(CodeBadClaim, Warning, j.hopOf(f), fmt.Sprintf("%v reports a next-hop MTU of %d bytes, which is not true", f.from, f.claim),
				Fact{"from", f.from}, Fact{"claim", f.claim}, Fact{"size", f.size})
		}
	}
	if n := j.res.Forged; n > 0 {
		j.add(CodeForged, Warning, 0, fmt.Sprintf("%d answers were forged or proved false; they did not change the result", n), Fact{"forged", n})
	}
}

// hopOf returns the distance of a router that refuses packets, as it was found or
// is quoted; 0 if neither says.
func (j *judgement) hopOf(f *refusal) int {
	for _, l := range j.res.Limits {
		if l.Signalled && l.From == f.from && l.TTL != 0 {
			return l.TTL
		}
	}
	return f.hop
}

// judgeStrays tells of messages that found no probe.
func (j *judgement) judgeStrays() {
	if n := j.res.Strays; n > 0 {
		j.add(CodeStrays, Info, 0, fmt.Sprintf("%d messages belong to no probe of this search; they were ignored", n), Fact{"strays", n})
	}
}

// absurd reports whether a claim cannot be true, or was tested and is not.
func (j *judgement) absurd(f *refusal) bool {
	if f.mtu == 0 {
		return true
	}
	for _, l := range j.res.Limits {
		if l.Place == Router && l.Signalled && l.Tested && l.From == f.from {
			return l.MTU != f.mtu
		}
	}
	return false
}

func (j *judgement) judgePaths() {
	switch {
	case j.split, len(j.mixed) > 0 && j.scattered(j.way.track):
		j.add(CodeFlows, Warning, 0, fmt.Sprintf("packets of different flows take paths with different MTUs: up to %d bytes always passed, up to %d sometimes", j.least, j.most), j.trackFacts()...)
	case j.differ:
		j.add(CodeFlows, Warning, 0, "packets of different flows take paths with different MTUs; the smallest that was found is given", j.trackFacts()...)
	}
	if len(j.mixed) > 0 && !j.scattered(j.way.track) {
		j.add(CodeMixed, Warning, 0, fmt.Sprintf("packets of one flow take paths with different MTUs in turn: up to %d bytes always passed, up to %d sometimes", j.least, j.most),
			Fact{"at_least", j.least}, Fact{"at_most", j.most})
	}
	if j.changes > 0 || j.raised {
		j.add(CodeChanged, Warning, 0, "the path MTU changed during the search; the result is that of the last path", Fact{"changes", j.changes})
	}
}

func (j *judgement) trackFacts() []Fact {
	var list []Fact
	for _, m := range j.methods {
		list = append(list, Fact{m.String(), j.table(track{method: m}).lo})
	}
	return list
}

// judgeDoubt says why the path MTU, or limits above it, could not be told.
func (j *judgement) judgeDoubt() {
	switch {
	case j.way == nil || j.res.PMTU != 0 && !j.partial:
		return
	case j.res.PMTU != 0 && j.budget() == 0:
		j.add(CodeBudget, Info, 0, fmt.Sprintf("%d packets did not do to find all limits above the path MTU", j.opts.MaxPackets), Fact{"max_packets", j.opts.MaxPackets})
		return
	case j.res.PMTU != 0:
		j.add(CodeOpen, Info, 0, "not all limits above the path MTU could be told")
		return
	}
	if j.doubtful {
		j.add(CodeWhere, Warning, 0, fmt.Sprintf("echo requests above %d bytes are not answered, and it cannot be told whether they, or their answers, vanish, or the destination ignores them", j.least),
			Fact{"at_least", j.least})
	}
	switch {
	case j.least >= j.top && j.top < j.highest:
		j.add(CodeBounds, Info, 0, fmt.Sprintf("%d bytes, the most that was to be tried, pass", j.top), Fact{"max", j.top})
	case j.opts.LadderOnly:
		j.add(CodeBounds, Info, 0, fmt.Sprintf("only the usual sizes were tried: %d bytes pass, above %d none do", j.least, j.res.AtMost),
			Fact{"at_least", j.least}, Fact{"at_most", j.res.AtMost})
	case j.budget() == 0:
		j.add(CodeBudget, Info, 0, fmt.Sprintf("%d packets did not do to tell the path MTU", j.opts.MaxPackets), Fact{"max_packets", j.opts.MaxPackets})
	case time.Since(j.began) >= j.opts.Timeout:
		j.add(CodeTime, Info, 0, fmt.Sprintf("%v did not do to tell the path MTU", j.opts.Timeout))
	}
}

// judgeSilence says what kept the destination from answering.
func (j *judgement) judgeSilence() {
	if j.way != nil || j.res.Interrupted || j.res.Sent == 0 {
		return
	}
	for i := range j.log {
		if f := j.log[i].refusal; f != nil && !f.tooBig && !f.void && j.log[i].ttl == 0 {
			v6 := j.family == icmpx.IPv6
			kind := "unreachable"
			if v6 && f.typ == 3 || !v6 && f.typ == 11 {
				kind = "TTL used up"
			}
			j.add(CodeUnreachable, Fault, f.hop, fmt.Sprintf("%v cannot deliver packets to the destination: %s (type %d code %d)", f.from, kind, f.typ, f.code),
				Fact{"from", f.from}, Fact{"type", int(f.typ)}, Fact{"code", int(f.code)})
			return
		}
	}
	last := 0
	if j.basis != nil {
		last = j.basis.ttl
	}
	text := "nothing answers at all, neither the destination nor a router"
	if last > 0 {
		text = fmt.Sprintf("the destination answers nothing; what was found holds up to hop %d, the last that answers", last)
	}
	j.add(CodeSilent, Warning, last, text, Fact{"last_hop", last})
}
