package render

import (
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/compare"
)

// A CompareText renders the comparison of two captures for people.
type CompareText struct {
	Verbose bool // each packet that was lost, repeated, overtaken or changed, on a line of its own

	listed bool // there was one
}

// AppendEvent appends a line about a packet.
func (t *CompareText) AppendEvent(b []byte, e *compare.Event) []byte {
	if !t.Verbose {
		return b
	}
	switch e.Kind {
	case compare.Match:
		if e.Changes == 0 && !e.Reordered {
			return b
		}
		b = appendMatchWords(b, e)
	case compare.Lost, compare.Duplicated, compare.Unseen:
		b = append(append(b, e.Kind.String()...), ' ')
		b = append(append(b, compareArrow(e.Direction)...), ": frame "...)
		b = strconv.AppendInt(b, int64(e.Mark().Frame), 10)
		b = append(append(append(b, " of "...), pointWord(e)...), ", "...)
		b = appendMark(b, e.Mark())
		if e.Again != 0 {
			b = strconv.AppendInt(append(b, ", as frame "...), int64(e.Again), 10)
		}
	default:
		return b
	}
	t.listed = true
	return append(b, '\n')
}

func appendMatchWords(b []byte, e *compare.Event) []byte {
	var words []string
	if e.Reordered {
		words = append(words, "reordered")
	}
	if e.Changes != 0 {
		words = append(words, "changed")
	}
	b = append(append(b, strings.Join(words, ", ")...), ' ')
	b = append(append(b, compareArrow(e.Direction)...), ": frame "...)
	b = strconv.AppendInt(b, int64(e.A.Frame), 10)
	b = strconv.AppendInt(append(b, " of A, "...), int64(e.B.Frame), 10)
	b = appendMark(append(b, " of B, "...), &e.A)
	if e.Changes != 0 {
		b = append(append(b, ": "...), strings.Join(fieldWords(e.Changes), ", ")...)
	}
	return b
}

// appendMark appends "192.0.2.1 > 198.51.100.7: Echo Request, id 1, seq 2".
func appendMark(b []byte, m *compare.Mark) []byte {
	b = AppendAddr(b, m.Src)
	b = AppendAddr(append(b, " > "...), m.Dst)
	b = append(append(b, ": "...), icmpx.Describe(m.Family, m.Type, m.Code)...)
	if m.Query {
		b = strconv.AppendInt(append(b, ", id "...), int64(m.ID), 10)
		b = strconv.AppendInt(append(b, ", seq "...), int64(m.Seq), 10)
	}
	return b
}

// AppendSummary appends what the comparison amounts to.
func (t *CompareText) AppendSummary(b []byte, s *CompareStart, r *compare.Result) []byte {
	if t.listed {
		b = append(b, '\n')
	}
	for i, name := range []string{"A: ", "B: "} {
		p := &r.Points[i]
		b = AppendSafe(append(b, name...), s.Files[i])
		b = appendMany(append(b, ": "...), p.Messages, "ICMP message")
		b = appendMany(append(b, " in "...), p.Frames, "frame")
		b = strconv.AppendFloat(append(b, ", "...), max(p.Last.Sub(p.First), 0).Seconds(), 'f', 3, 64)
		b = append(b, " s\n"...)
	}
	if r.Related {
		b = appendCompareClock(b, &r.Clock)
		b = appendWays(append(b, '\n'), r)
		b = appendPassed(b, r)
		b = appendChanges(b, r)
	}
	b = append(b, '\n')
	for i := range r.Findings {
		f := &r.Findings[i]
		b = append(append(b, f.Severity.String()...), ": "...)
		b = append(AppendSafe(b, f.Text), '\n')
	}
	return b
}

func appendCompareClock(b []byte, c *compare.Clock) []byte {
	if !c.Known {
		return append(b, "clock: the offset cannot be told\n"...)
	}
	word := " ahead of A"
	if c.Offset < 0 {
		word = " behind A"
	}
	b = append(append(b, "clock: B is "...), c.Offset.Abs().String()...)
	b = append(b, word...)
	if !c.Unsteady {
		b = append(append(b, ", ± "...), c.Bound.String()...)
	}
	if c.DriftKnown {
		b = strconv.AppendFloat(append(b, ", and gains "...), c.Drift, 'f', 1, 64)
		b = strconv.AppendFloat(append(b, " ± "...), c.DriftBound, 'f', 1, 64)
		b = append(b, " ppm"...)
	}
	return append(b, '\n')
}

// Where the columns of the table end.
const (
	compareLabel  = 18
	compareColumn = 18
)

// appendWays appends a table with a column for each way.
func appendWays(b []byte, r *compare.Result) []byte {
	row := func(label string, cell func(b []byte, w *compare.Way) []byte) {
		b = appendLeft(b, []byte(label), compareLabel)
		for _, w := range []*compare.Way{&r.AB, &r.BA} {
			b = appendRight(b, string(cell(nil, w)), compareColumn)
		}
		b = append(b, '\n')
	}
	b = appendRight(appendRight(appendLeft(b, nil, compareLabel), "A to B", compareColumn), "B to A", compareColumn)
	b = append(b, '\n')
	count := func(of func(w *compare.Way) uint64) func([]byte, *compare.Way) []byte {
		return func(b []byte, w *compare.Way) []byte { return strconv.AppendUint(b, of(w), 10) }
	}
	row("matched", count(func(w *compare.Way) uint64 { return w.Matched }))
	row("lost", func(b []byte, w *compare.Way) []byte {
		b = strconv.AppendUint(b, w.Lost, 10)
		if w.Lost == 0 {
			return b
		}
		return append(strconv.AppendFloat(append(b, " ("...), w.LossPercent(), 'g', 3, 64), "%)"...)
	})
	row("reordered", count(func(w *compare.Way) uint64 { return w.Reordered }))
	row("duplicated", count(func(w *compare.Way) uint64 { return w.Duplicated }))
	row("routers passed", appendHops)
	label := "delay ms, "
	if !r.Clock.Known {
		label = "excess ms, "
	}
	for _, x := range []struct {
		word string
		of   func(*compare.Spread) time.Duration
	}{
		{"min", func(s *compare.Spread) time.Duration { return s.Min }},
		{"avg", func(s *compare.Spread) time.Duration { return s.Avg }},
		{"p50", func(s *compare.Spread) time.Duration { return s.P50 }},
		{"p95", func(s *compare.Spread) time.Duration { return s.P95 }},
		{"max", func(s *compare.Spread) time.Duration { return s.Max }},
	} {
		row(label+x.word, func(b []byte, w *compare.Way) []byte {
			if w.Delay.N == 0 {
				return append(b, '-')
			}
			return strconv.AppendFloat(b, x.of(&w.Delay).Round(time.Microsecond).Seconds()*1e3, 'f', 3, 64)
		})
	}
	return b
}

func appendHops(b []byte, w *compare.Way) []byte {
	if w.Matched == 0 {
		return append(b, '-')
	}
	b = strconv.AppendInt(b, int64(w.MinHops), 10)
	if w.MaxHops != w.MinHops {
		b = strconv.AppendInt(append(b, " to "...), int64(w.MaxHops), 10)
	}
	return b
}

// appendPassed appends what each point saw of requests and their answers.
func appendPassed(b []byte, r *compare.Result) []byte {
	for _, x := range []struct {
		words  string
		trips  [2]*compare.Trips
		points [2]string
	}{
		{"requests A to B", [2]*compare.Trips{&r.Points[0].AB, &r.Points[1].AB}, [2]string{"A", "B"}},
		{"requests B to A", [2]*compare.Trips{&r.Points[1].BA, &r.Points[0].BA}, [2]string{"B", "A"}},
	} {
		if x.trips[0].Requests+x.trips[1].Requests == 0 {
			continue
		}
		b = append(append(append(b, '\n'), x.words...), '\n')
		for i, t := range x.trips {
			b = appendMany(append(append(append(b, "  at "...), x.points[i]...), ": "...), t.Requests, "request")
			b = append(strconv.AppendUint(append(b, ", "...), t.Answered, 10), " answered"...)
			if t.RTT.N > 0 {
				b = appendList(append(b, ", rtt min/avg/p95/max = "...), t.RTT.Min, t.RTT.Avg, t.RTT.P95, t.RTT.Max)
				b = append(b, " ms"...)
			}
			b = append(b, '\n')
		}
	}
	return b
}

// shownChanges is how many changes are listed.
const shownChanges = 20

func appendChanges(b []byte, r *compare.Result) []byte {
	if len(r.Changes) == 0 {
		return b
	}
	b = append(b, "\nchanged on the way\n"...)
	for i := range r.Changes[:min(len(r.Changes), shownChanges)] {
		c := &r.Changes[i]
		b = append(append(b, "  "...), compareArrow(c.Direction)...)
		b = append(append(append(b, "  "...), c.Field.String()...), ' ')
		switch c.Field {
		case compare.FieldSrc, compare.FieldDst:
			b = AppendAddr(b, c.Src)
			b = append(AppendAddr(append(b, " to "...), c.Dst), ' ')
		case compare.FieldID, compare.FieldTOS, compare.FieldDF, compare.FieldFragments:
			b = strconv.AppendInt(b, c.From, 10)
			b = append(strconv.AppendInt(append(b, " to "...), c.To, 10), ' ')
		}
		b = appendMany(append(b, "in "...), c.Count, "packet")
		b = append(b, '\n')
	}
	if n := len(r.Changes) - shownChanges; n > 0 {
		b = append(appendMany(append(b, "  and "...), uint64(n), "more kind"), " of change\n"...)
	}
	return b
}
