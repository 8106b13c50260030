package render

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/compare"
)

// A CompareJSON renders the comparison of two captures for programs.
type CompareJSON struct {
	All bool // every packet that was seen at both points, and those that do not count
}

// A CompareStart says what is compared.
type CompareStart struct {
	Files  [2]string
	Filter string // "" if there is none
}

// AppendStart appends the first event.
func (*CompareJSON) AppendStart(b []byte, s *CompareStart, now time.Time) []byte {
	o := event(b, "start")
	o.int("schema", 1)
	o.str("command", "compare")
	o.strings("files", s.Files[:])
	if s.Filter != "" {
		o.str("filter", s.Filter)
	}
	o.time("time", now)
	return o.line()
}

// AppendEvent appends what became of a packet.
func (j *CompareJSON) AppendEvent(b []byte, e *compare.Event) []byte {
	switch e.Kind {
	case compare.Match:
		if j.All {
			b = appendMatch(b, "match", e)
		}
		if e.Changes != 0 {
			b = appendMatch(b, "changed", e)
		}
		return b
	case compare.Lost, compare.Duplicated, compare.Unseen:
	default:
		if !j.All {
			return b
		}
	}
	o := event(b, e.Kind.String())
	o.direction(e.Direction)
	point := "a"
	if e.InB {
		point = "b"
	}
	o.str("seen", point)
	if e.Again != 0 {
		o.int("earlier", int64(e.Again))
	}
	o.comparePacket("packet", e.Mark())
	return o.line()
}

// appendMatch appends a packet that was seen at both points.
func appendMatch(b []byte, name string, e *compare.Event) []byte {
	o := event(b, name)
	o.direction(e.Direction)
	o.str("by", e.By.String())
	o.int("delay_ns", e.Delay)
	o.int("hops", int64(e.Hops()))
	if e.Reordered {
		o.yes("reordered")
	}
	if name == "changed" {
		o.strings("fields", fieldWords(e.Changes))
	}
	o.comparePacket("a", &e.A)
	o.comparePacket("b", &e.B)
	return o.line()
}

func fieldWords(c compare.Changes) []string {
	var words []string
	for f := compare.FieldSrc; f <= compare.FieldFragments; f++ {
		if c.Has(f) {
			words = append(words, f.String())
		}
	}
	return words
}

func (o *object) direction(d compare.Direction) { o.str("direction", d.String()) }

// comparePacket appends a packet as it was at one point.
func (o *object) comparePacket(k string, m *compare.Mark) {
	o.key(k)
	c := begin(o.b)
	c.int("frame", int64(m.Frame))
	c.time("time", m.Time)
	c.addr("src", m.Src)
	c.addr("dst", m.Dst)
	c.int("v", int64(m.Family))
	c.int("type", int64(m.Type))
	c.int("code", int64(m.Code))
	c.str("name", icmpx.Describe(m.Family, m.Type, m.Code))
	if m.Query {
		c.int("id", int64(m.ID))
		c.int("seq", int64(m.Seq))
	}
	c.int("len", int64(m.Len))
	c.int("ttl", int64(m.TTL))
	c.int("tos", int64(m.TOS))
	if m.Src.Is4() {
		c.int("ip_id", int64(m.IPID))
		c.bool("df", m.DF)
	}
	if m.Fragments > 0 {
		c.int("fragments", int64(m.Fragments))
	}
	if m.Bad {
		c.str("sum_status", "bad")
	}
	o.b = c.end()
}

// AppendSummary appends the last event.
func (*CompareJSON) AppendSummary(b []byte, r *compare.Result, damage [2][]string) []byte {
	o := event(b, "summary")
	o.bool("related", r.Related)
	o.count("matched", r.Matched)
	o.percent("matched_percent", 100*r.Share())
	o.count("lost_ab", r.AB.Lost)
	o.count("lost_ba", r.BA.Lost)
	o.compareClock(r)
	o.compareWay("ab", &r.AB)
	o.compareWay("ba", &r.BA)
	o.bool("delay_relative", !r.Clock.Known)
	o.count("unsettled", r.Unsettled)
	o.count("changed", r.Changed)
	o.key("changes")
	o.b = appendArray(o.b, r.Changes, appendCompareChange)
	if r.OtherChanges > 0 {
		o.count("other_changes", r.OtherChanges)
	}
	o.key("by")
	c := begin(o.b)
	for i, n := range r.By {
		c.count(compare.By(i).String(), n)
	}
	o.b = c.end()
	o.int("overlap_ns", int64(r.Overlap))
	o.comparePoint("a", &r.Points[0], damage[0])
	o.comparePoint("b", &r.Points[1], damage[1])
	o.key("findings")
	o.b = appendArray(o.b, r.Findings, appendCompareFinding)
	return o.line()
}

// compareClock appends what is known of the clock of B against that of A.
func (o *object) compareClock(r *compare.Result) {
	k := &r.Clock
	o.orNull("offset_ns", int64(k.Offset), k.Known)
	o.orNull("offset_bound_ns", int64(k.Bound), k.Known && !k.Unsteady)
	if k.Known {
		o.time("offset_at", k.Ref)
	} else {
		o.null("offset_at")
	}
	if !k.DriftKnown {
		o.null("drift_ppm")
		o.null("drift_bound_ppm")
		return
	}
	o.float("drift_ppm", k.Drift)
	o.float("drift_bound_ppm", k.DriftBound)
}

// compareWay appends what became of the packets that went one way.
func (o *object) compareWay(way string, w *compare.Way) {
	o.count("matched_"+way, w.Matched)
	o.percent("loss_percent_"+way, w.LossPercent())
	o.count("reordered_"+way, w.Reordered)
	o.count("duplicated_"+way, w.Duplicated)
	o.count("unseen_"+way, w.Unseen)
	o.compareSpread("delay_"+way+"_ns", &w.Delay)
	if w.Matched == 0 {
		o.null("hops_" + way)
		return
	}
	o.key("hops_" + way)
	c := begin(o.b)
	c.int("min", int64(w.MinHops))
	c.int("max", int64(w.MaxHops))
	o.b = c.end()
}

func (o *object) compareSpread(k string, s *compare.Spread) {
	if s.N == 0 {
		o.null(k)
		return
	}
	o.key(k)
	c := begin(o.b)
	c.int("min", int64(s.Min))
	c.int("avg", int64(s.Avg))
	c.int("p50", int64(s.P50))
	c.int("p95", int64(s.P95))
	c.int("max", int64(s.Max))
	o.b = c.end()
}

func appendCompareChange(b []byte, c *compare.Change) []byte {
	o := begin(b)
	o.str("field", c.Field.String())
	o.direction(c.Direction)
	o.count("count", c.Count)
	switch c.Field {
	case compare.FieldSrc, compare.FieldDst:
		o.addr("from", c.Src)
		o.addr("to", c.Dst)
	case compare.FieldID, compare.FieldTOS, compare.FieldDF, compare.FieldFragments:
		o.int("from", c.From)
		o.int("to", c.To)
	}
	o.int("frame_a", int64(c.Example[0]))
	o.int("frame_b", int64(c.Example[1]))
	return o.end()
}

func appendCompareFinding(b []byte, f *compare.Finding) []byte {
	o := begin(b)
	o.str("code", f.Code)
	o.str("severity", f.Severity.String())
	o.str("text", f.Text)
	o.key("evidence")
	c := begin(o.b)
	for _, fact := range f.Evidence {
		c.evidence(fact.Name, fact.Value)
	}
	o.b = c.end()
	return o.end()
}

// comparePoint appends what one capture has by itself.
func (o *object) comparePoint(k string, p *compare.Point, damage []string) {
	o.key(k)
	c := begin(o.b)
	c.count("frames", p.Frames)
	c.count("messages", p.Messages)
	c.time("first", p.First)
	c.time("last", p.Last)
	c.count("alone", p.Alone)
	c.count("elsewhere", p.Elsewhere)
	c.count("outside", p.Outside)
	c.count("copies", p.Copies)
	c.count("untimed", p.Untimed)
	c.compareTrips("requests_ab", &p.AB)
	c.compareTrips("requests_ba", &p.BA)
	if len(damage) > 0 {
		c.strings("damage", damage)
	}
	o.b = c.end()
}

func (o *object) compareTrips(k string, t *compare.Trips) {
	if t.Requests == 0 {
		o.null(k)
		return
	}
	o.key(k)
	c := begin(o.b)
	c.count("requests", t.Requests)
	c.count("answered", t.Answered)
	c.compareSpread("rtt_ns", &t.RTT)
	o.b = c.end()
}

// pointWord is a point as text names it.
func pointWord(e *compare.Event) string {
	if e.InB {
		return "B"
	}
	return "A"
}

// compareArrow is a direction as text names it.
func compareArrow(d compare.Direction) string {
	if d == compare.BA {
		return "B > A"
	}
	return "A > B"
}
