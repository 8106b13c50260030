package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Severity says how much a finding matters.
type Severity uint8

// Severities.
const (
	Info Severity = iota
	Warning
	Fault
)

// String returns the word for s that JSON output uses.
func (s Severity) String() string { return [...]string{"info", "warning", "fault"}[s] }

// A Finding is what the comparison amounts to, in plain words and in numbers.
type Finding struct {
	Code     string // stable word, as docs/json.md lists it
	Severity Severity
	Text     string
	Evidence []Fact
}

// A Fact is a number that a finding rests on. Value is an int, a bool, a string,
// a netip.Addr or a time.Duration.
type Fact struct {
	Name  string
	Value any
}

func (r *Result) find(code string, s Severity, text string, evidence ...Fact) {
	r.Findings = append(r.Findings, Finding{code, s, text, evidence})
}

// judge says what the numbers mean.
func (r *Result) judge() {
	if r.Interrupted {
		r.find("interrupted", Warning, "the captures were not read to their ends: numbers are of what was read")
	}
	if !r.Related {
		if !r.Interrupted {
			r.judgeUnrelated()
		}
		return
	}
	r.judgeLoss("A", "B", "ab", &r.AB)
	r.judgeLoss("B", "A", "ba", &r.BA)
	r.judgeBetween()
	r.judgeBeyond("A", "B", &r.Points[1].AB, &r.Points[0].AB)
	r.judgeBeyond("B", "A", &r.Points[0].BA, &r.Points[1].BA)
	r.judgeOrder("A to B", "ab", &r.AB)
	r.judgeOrder("B to A", "ba", &r.BA)
	r.judgeChanges()
	r.judgeDelay("A", "B", &r.Points[0].AB, &r.Points[1].AB)
	r.judgeDelay("B", "A", &r.Points[1].BA, &r.Points[0].BA)
	r.judgeHops("A to B", "ab", &r.AB)
	r.judgeHops("B to A", "ba", &r.BA)
	r.judgeClock()
	r.judgeRest()
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
}

func (r *Result) judgeUnrelated() {
	a, b := &r.Points[0], &r.Points[1]
	switch {
	case a.Messages == 0 || b.Messages == 0:
		r.find("no_icmp", Fault, "there is nothing to compare: a capture holds no ICMP message that has a time",
			Fact{"messages_a", int(a.Messages)}, Fact{"messages_b", int(b.Messages)})
	default:
		r.find("unrelated", Fault, fmt.Sprintf("these are not captures of the same traffic: %d of %d and %d messages are the same",
			r.Matched, a.Messages, b.Messages),
			Fact{"matched", int(r.Matched)}, Fact{"messages_a", int(a.Messages)}, Fact{"messages_b", int(b.Messages)})
	}
}

// judgeClock says how far times of the two captures may be compared.
func (r *Result) judgeClock() {
	c := &r.Clock
	switch {
	case c.Unsteady:
		r.find("clock_unsteady", Warning, "the clocks do not keep a straight line: one was set meanwhile, or changed its rate; delays of each way mean little, round-trip times are right",
			Fact{"gap", 2 * c.Bound})
	case !c.Known:
		text := "packets were seen at both points in one direction alone: the offset of the clocks cannot be told from the delay, and delays are what they exceed the smallest by"
		if r.Guessed {
			text = "nothing tells which way the packets go: no router between the points counted their TTL down, and no times differ between one way and the other; it was guessed that they go from A to B, and delays are what they exceed the smallest by"
		}
		r.find("one_way", Info, text, Fact{"guessed", r.Guessed})
	default:
		r.find("clock_assumption", Info, fmt.Sprintf("the offset of the clocks rests on the assumption that the fastest packets took as long one way as the other; the truth is within %v of it, and what one delay is too long, that of the other way is too short", c.Bound),
			Fact{"offset", c.Offset}, Fact{"bound", c.Bound})
	}
}

func (r *Result) judgeLoss(from, to, way string, w *Way) {
	if w.Lost == 0 {
		return
	}
	r.find("loss_between", Warning, fmt.Sprintf("between %s and %s, on the way from %s to %s, %d of %d packets were lost (%.3g%%)",
		"A", "B", from, to, w.Lost, w.Matched+w.Lost, w.LossPercent()),
		Fact{"direction", way}, Fact{"lost", int(w.Lost)}, Fact{"of", int(w.Matched + w.Lost)})
}

// judgeBetween names hosts between the points that refused packets.
func (r *Result) judgeBetween() {
	for i := range r.Between {
		s := &r.Between[i]
		what := icmpx.Describe(s.Mark.Family, s.Type, s.Code)
		r.find("refused_between", Warning, fmt.Sprintf("%v, between A and B, sent %s: %s", s.Addr, plural(s.Errors, "error"), what),
			Fact{"from", s.Addr}, Fact{"errors", int(s.Errors)}, Fact{"type", int(s.Type)}, Fact{"code", int(s.Code)})
	}
}

// judgeBeyond says what became of the requests that passed both points, behind
// the second.
func (r *Result) judgeBeyond(near, far string, t, first *Trips) {
	if t.Requests == 0 {
		return
	}
	missing := t.Requests - t.Answered
	if missing == 0 {
		return
	}
	r.find("loss_behind", Warning, fmt.Sprintf("behind %s, %d of %s that came from %s got no answer that %s saw", far, missing, plural(t.Requests, "request"), near, far),
		Fact{"point", strings.ToLower(far)}, Fact{"unanswered", int(missing)}, Fact{"requests", int(t.Requests)},
		Fact{"unanswered_at_the_other", int(first.Requests - first.Answered)})
}

func (r *Result) judgeOrder(words, way string, w *Way) {
	if w.Reordered > 0 {
		r.find("reordered", Warning, fmt.Sprintf("from %s, %s arrived behind one that was sent later", words, plural(w.Reordered, "packet")),
			Fact{"direction", way}, Fact{"reordered", int(w.Reordered)})
	}
	if w.Duplicated > 0 {
		r.find("duplicated", Warning, fmt.Sprintf("from %s, %s came once more on the way", words, plural(w.Duplicated, "packet")),
			Fact{"direction", way}, Fact{"duplicated", int(w.Duplicated)})
	}
}

// judgeChanges says what the network did to packets.
func (r *Result) judgeChanges() {
	var counts [fields]uint64
	for i := range r.Changes {
		counts[r.Changes[i].Field] += r.Changes[i].Count
	}
	address := counts[FieldSrc] + counts[FieldDst]
	if address > 0 {
		r.find("translated", Info, fmt.Sprintf("addresses are translated (NAT) between A and B: %s", plural(address, "change")),
			Fact{"addresses", int(address)}, Fact{"identifiers", int(counts[FieldID])})
	}
	if n := counts[FieldQuote]; n > 0 {
		r.find("quote_untranslated", Fault, fmt.Sprintf("the translator (NAT) left the quotes of %s as they were: who gets them cannot tell what they are about", plural(n, "error")),
			Fact{"errors", int(n)})
	}
	damaged := max(counts[FieldPayload], counts[FieldLength], counts[FieldChecksum])
	if damaged > 0 {
		r.find("damaged", Fault, fmt.Sprintf("%s changed on the way: payload of %d, length of %d, checksum wrong afterwards of %d",
			plural(damaged, "message"), counts[FieldPayload], counts[FieldLength], counts[FieldChecksum]),
			Fact{"payload", int(counts[FieldPayload])}, Fact{"length", int(counts[FieldLength])}, Fact{"checksum", int(counts[FieldChecksum])})
	}
	if n := counts[FieldTOS]; n > 0 {
		r.find("remarked", Info, fmt.Sprintf("the type of service of %s was changed", plural(n, "packet")), Fact{"packets", int(n)})
	}
	if n := counts[FieldDF]; n > 0 {
		r.find("df_changed", Warning, fmt.Sprintf("don't fragment was changed in %s: path MTU discovery through here goes wrong", plural(n, "packet")), Fact{"packets", int(n)})
	}
}

// judgeDelay says where round trips spend their time. It takes no clock but each
// point's own.
func (r *Result) judgeDelay(near, far string, here, there *Trips) {
	if here.RTT.N == 0 || there.RTT.N == 0 {
		return
	}
	between := max(here.RTT.P50-there.RTT.P50, 0)
	r.find("delay_share", Info, fmt.Sprintf("of a typical round trip (the median) of %s at %s, %s are spent between A and B, %s behind %s",
		round(here.RTT.P50), near, round(between), round(there.RTT.P50), far),
		Fact{"rtt", here.RTT.P50}, Fact{"between", between}, Fact{"behind", there.RTT.P50}, Fact{"point", strings.ToLower(far)})
}

func (r *Result) judgeHops(words, way string, w *Way) {
	if w.Matched == 0 || w.MinHops == w.MaxHops {
		return
	}
	r.find("hops_vary", Info, fmt.Sprintf("from %s packets pass %d to %d routers: they take several ways", words, w.MinHops, w.MaxHops),
		Fact{"direction", way}, Fact{"min", w.MinHops}, Fact{"max", w.MaxHops})
}

// judgeRest says what was left out.
func (r *Result) judgeRest() {
	between := uint64(0)
	for i := range r.Between {
		between += r.Between[i].Errors
	}
	if n := r.AB.Unseen + r.BA.Unseen; n > between {
		r.find("unseen", Info, fmt.Sprintf("%s from where the other point is, not seen there: that capture has a gap, or there is another way", plural(n-between, "packet")),
			Fact{"packets", int(n - between)})
	}
	a, b := &r.Points[0], &r.Points[1]
	if n := a.Elsewhere + b.Elsewhere; n > 0 {
		r.find("elsewhere", Info, fmt.Sprintf("%s of conversations of which one point saw nothing: what may not pass there does not count as lost", plural(n, "packet")),
			Fact{"a", int(a.Elsewhere)}, Fact{"b", int(b.Elsewhere)})
	}
	if n := a.Outside + b.Outside; n > 0 {
		r.find("outside", Info, fmt.Sprintf("%s at times when the other capture had not begun, or may have ended: not counted as lost", plural(n, "packet")),
			Fact{"a", int(a.Outside)}, Fact{"b", int(b.Outside)})
	}
	if n := a.Copies + b.Copies; n > 0 {
		r.find("copies", Info, fmt.Sprintf("%s seen twice at one point, on several interfaces or with several TTLs: captured on one interface, the comparison is surer", plural(n, "packet")),
			Fact{"a", int(a.Copies)}, Fact{"b", int(b.Copies)})
	}
	if r.Unsettled > 0 {
		r.find("unsettled", Warning, fmt.Sprintf("for %s there was no room to wait: whether they were lost is not known", plural(r.Unsettled, "packet")),
			Fact{"packets", int(r.Unsettled)})
	}
}

func plural(n uint64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// round leaves about three digits of a time.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
