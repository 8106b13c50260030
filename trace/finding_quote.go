package trace

import (
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// judgeQuotes says what happened to the packets on their way, as the errors
// quote them.
func (j *judgement) judgeQuotes() {
	j.judgeNAT()
	j.judgeTOS()
	j.judgeLength()
	j.judgeHidden()
	j.judgeAsymmetry()
}

// judgeMTU tells of links that are too small.
func (j *judgement) judgeMTU() {
	for i := range j.bounds {
		b := &j.bounds[i]
		if b.size == maxSize {
			continue // no link passes that on: it is what this host's own said, to begin with
		}
		j.add(CodeMTU, Info, b.ttl, fmt.Sprintf("%v passes on no more than %d bytes", b.from, b.mtu),
			Fact{"from", b.from}, Fact{"mtu", b.mtu}, Fact{"claimed", b.claimed}, Fact{"size", b.size})
	}
	seen := map[netip.Addr]bool{}
	j.each(func(row *Row, p *Probe) {
		if p.Kind != icmpx.KindTooBig || seen[p.From] {
			return
		}
		seen[p.From] = true
		text := fmt.Sprintf("%v passes on no more than %d bytes, the packets have %d", p.From, p.MTU, p.Size)
		if p.MTU == 0 {
			text = fmt.Sprintf("%v cannot pass on packets of %d bytes, and does not say how many it can", p.From, p.Size)
		}
		severity := Warning
		if row.End {
			severity = Fault
		}
		j.add(CodeMTU, severity, row.TTL, text, Fact{"from", p.From}, Fact{"mtu", p.MTU}, Fact{"claimed", p.MTU}, Fact{"size", p.Size})
	})
}

// judgeNAT tells where translation starts: of the source, as the first quote
// from behind the translator shows, and of the destination, as the errors show
// that come in its name.
func (j *judgement) judgeNAT() {
	source, dest := false, false
	after := 0 // last hop that quotes what was sent
	j.each(func(row *Row, p *Probe) {
		if p.Kind == icmpx.KindTimeExceeded && sameAddr(p.From, j.Dst) && !dest {
			dest = true
			j.add(CodeNAT, Info, row.TTL, fmt.Sprintf("errors from hop %d on carry the destination's address: the destination is translated there", row.TTL),
				Fact{"translated", "destination"}, Fact{"from", p.From}, Fact{"kind", p.Kind.String()})
		}
		if p.Quote.Family == 0 || source {
			return
		}
		if p.Changes&translated == 0 {
			after = row.TTL
			return
		}
		source = true
		fields := (p.Changes & translated).String()
		j.add(CodeNAT, Info, row.TTL, fmt.Sprintf("packets arrive at hop %d with another %s: a translator sits before it", row.TTL, plain(fields)),
			Fact{"translated", fields}, Fact{"after_hop", after}, Fact{"sent_source", p.source}, Fact{"quoted_source", p.Quote.Src})
	})
}

// judgeTOS tells of each change of the type of service.
func (j *judgement) judgeTOS() {
	now, after := int(j.TOS), 0
	j.each(func(row *Row, p *Probe) {
		if p.Quote.Family == 0 {
			return
		}
		if tos := int(p.Quote.TOS); now >= 0 && tos != now {
			what := "type of service"
			if tos>>2 == now>>2 {
				what = "congestion mark"
			}
			j.add(CodeTOS, Warning, row.TTL, fmt.Sprintf("the %s is 0x%02x at hop %d and was 0x%02x before", what, tos, row.TTL, now),
				Fact{"before", now}, Fact{"after", tos}, Fact{"after_hop", after})
		}
		now, after = int(p.Quote.TOS), row.TTL
	})
}

// judgeLength tells of the first hop to which packets come with another length.
func (j *judgement) judgeLength() {
	done := false
	j.each(func(row *Row, p *Probe) {
		if done || p.Changes&ChangedLength == 0 {
			return
		}
		done = true
		j.add(CodeLength, Warning, row.TTL, fmt.Sprintf("packets of %d bytes arrive at hop %d with %d", p.Size, row.TTL, p.Quote.TotalLen),
			Fact{"sent", p.Size}, Fact{"quoted", p.Quote.TotalLen})
	})
}

// judgeHidden tells of routers that refuse packets which have TTL left.
func (j *judgement) judgeHidden() {
	var at []int
	most := 0
	j.each(func(row *Row, p *Probe) {
		if p.Kind != icmpx.KindTimeExceeded || p.Quote.Family == 0 || p.Quote.TTL < 2 {
			return
		}
		most = max(most, int(p.Quote.TTL))
		if len(at) == 0 || at[len(at)-1] != row.TTL {
			at = append(at, row.TTL)
		}
	})
	if len(at) > 0 {
		j.add(CodeHidden, Info, at[0], fmt.Sprintf("packets arrive at %s with a TTL of up to %d: a tunnel hides routers", hops(at), most),
			Fact{"hops", at}, Fact{"quoted_ttl", most})
	}
}

// minAsymmetry is the difference in hops from which the two ways count as
// different: one may be a guess that is one off.
const minAsymmetry = 2

// judgeAsymmetry tells from where on up to the end answers take another number
// of hops back.
func (j *judgement) judgeAsymmetry() {
	var first, last *Probe
	start := 0
	for i := len(j.Rows) - 1; i >= 0; i-- {
		p := j.Rows[i].answer()
		if p == nil || p.Back == 0 {
			continue
		}
		if distance(p.Back, j.Rows[i].TTL) < minAsymmetry {
			break
		}
		first, start = p, j.Rows[i].TTL
		if last == nil {
			last = p
		}
	}
	if first == nil {
		return
	}
	j.add(CodeAsymmetry, Info, start, fmt.Sprintf("packets take %d hops to hop %d, its answers about %d back", start, start, first.Back),
		Fact{"forward", start}, Fact{"back", first.Back}, Fact{"reply_ttl", int(first.ReplyTTL)}, Fact{"last_back", last.Back})
}
