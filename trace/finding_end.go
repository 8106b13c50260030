package trace

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// judgeEnd says why a path ends where it does.
func (j *judgement) judgeEnd() {
	j.judgeSending()
	if j.Forged > 0 {
		j.add(CodeForged, Warning, 0, fmt.Sprintf("%d answers carried a wrong secret", j.Forged), Fact{"forged", j.Forged})
	}
	if row := j.End(); row != nil {
		j.judgeSpeech(row)
		return
	}
	if j.Interrupted || j.Sent == 0 {
		return
	}
	if start, period := cycle(j.way()); period != 0 {
		j.judgeLoop(start, period)
		return
	}
	if j.Hops == j.MaxTTL {
		j.add(CodeMaxTTL, Warning, j.Hops, fmt.Sprintf("the path goes on behind TTL %d, the last that was asked", j.MaxTTL), Fact{"max_ttl", j.MaxTTL})
		return
	}
	j.judgeSilence()
}

// judgeSending tells of probes that never left.
func (j *judgement) judgeSending() {
	failed, first := 0, (*Probe)(nil)
	hop := 0
	for i := range j.Rows {
		for k := range j.Rows[i].Probes {
			if p := &j.Rows[i].Probes[k]; p.State == Failed {
				failed++
				if first == nil {
					first, hop = p, j.Rows[i].TTL
				}
			}
		}
	}
	if failed > 0 {
		j.add(CodeNotSent, Warning, hop, fmt.Sprintf("this host could not send %d probes: %v", failed, first.Err),
			Fact{"failed", failed}, Fact{"error", fmt.Sprint(first.Err)})
	}
}

// judgeSpeech says what the end has said.
func (j *judgement) judgeSpeech(row *Row) {
	p := row.last()
	switch {
	case p == nil:
	case j.Reached && !sameAddr(p.From, j.Dst):
		j.add(CodeOtherAddress, Info, row.TTL, fmt.Sprintf("the destination answers from %v", p.From), Fact{"from", p.From})
	case j.Reached || p.Kind == icmpx.KindTooBig: // see judgeMTU
	case filters(j.family, p):
		j.add(CodeFiltered, Fault, row.TTL, fmt.Sprintf("%v refuses these packets: %s", p.From, j.words(p)), j.speech(p)...)
	default:
		j.add(CodeUnreachable, Fault, row.TTL, fmt.Sprintf("%v cannot deliver the packets: %s", p.From, j.words(p)), j.speech(p)...)
	}
}

// last returns the last answered probe of a row that says more than that the
// TTL was used up, else its first; nil if none was answered.
func (r *Row) last() *Probe {
	found := r.answer()
	for i := range r.Probes {
		if p := &r.Probes[i]; p.State == Answered && p.Kind != icmpx.KindTimeExceeded {
			found = p
		}
	}
	return found
}

func (j *judgement) words(p *Probe) string {
	if p.Kind == icmpx.KindLocal {
		return "this host refuses to send them"
	}
	return strings.ToLower(icmpx.CodeName(j.family, p.Type, p.Code))
}

func (j *judgement) speech(p *Probe) []Fact {
	return []Fact{{"from", p.From}, {"type", int(p.Type)}, {"code", int(p.Code)}, {"kind", p.Kind.String()}}
}

// filters reports whether an error comes from a rule that somebody has written:
// communication administratively prohibited (RFC 1812 section 5.2.7.1), ingress
// policy or a route to nowhere (RFC 4443 section 3.1), or port and protocol
// unreachable from somebody who is not the destination.
func filters(f icmpx.Family, p *Probe) bool {
	if p.Kind != icmpx.KindUnreachable {
		return false
	}
	if f == icmpx.IPv6 {
		return p.Code == 1 || p.Code == 5 || p.Code == 6 || endToEnd(f, p)
	}
	return p.Code == 9 || p.Code == 10 || p.Code == 13 || endToEnd(f, p)
}

// judgeSilence says what is silent, and whether the destination is alive.
func (j *judgement) judgeSilence() {
	evidence := []Fact{{"last_hop", j.Hops}, {"method", j.Method.String()}}
	tried := []string{j.Method.String()}
	var alive []string
	for i := range j.Questions {
		q := &j.Questions[i]
		tried = append(tried, q.name())
		switch {
		case q.Reached:
			alive = append(alive, q.name())
			evidence = append(evidence, Fact{"alive_to", q.name()}, Fact{"rtt", q.Probe.RTT}, Fact{"kind", q.Probe.Kind.String()})
		case q.Probe.State == Answered && filters(j.family, &q.Probe):
			j.add(CodeFiltered, Warning, 0, fmt.Sprintf("%v refuses %s: %s", q.Probe.From, q.name(), j.words(&q.Probe)), j.speech(&q.Probe)...)
		}
	}
	where := "nothing answers at all"
	if j.Hops > 0 {
		where = fmt.Sprintf("nothing behind hop %d answers", j.Hops)
	}
	if len(alive) > 0 {
		j.add(CodeOtherMethod, Warning, j.Hops, fmt.Sprintf("the destination is silent to %v and alive to %s; %s", j.Method, list(alive, "and"), where), evidence...)
		return
	}
	evidence = append(evidence, Fact{"tried", strings.Join(tried, ",")})
	j.add(CodeSilent, Fault, j.Hops, fmt.Sprintf("%s, nor does the destination to %s", where, list(tried, "or")), evidence...)
}

// name is how a question is called: "icmp", "tcp port 443".
func (q *Question) name() string {
	if q.Method == ICMP {
		return q.Method.String()
	}
	return q.Method.String() + " port " + strconv.Itoa(int(q.Port))
}

// way returns the router that passed on each row, as path.way does.
func (j *judgement) way() []netip.Addr {
	list := make([]netip.Addr, 0, len(j.Rows))
	for i := range j.Rows {
		if j.Rows[i].Dark {
			break
		}
		list = append(list, j.Rows[i].router())
	}
	return list
}

// router returns the first router that a row shows.
func (r *Row) router() netip.Addr {
	for i := range r.Probes {
		if p := &r.Probes[i]; p.State == Answered && p.Kind == icmpx.KindTimeExceeded {
			return p.From
		}
	}
	return netip.Addr{}
}
