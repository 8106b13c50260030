package render

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// allEntries returns every type and every code that the library names.
func allEntries() []Entry {
	var list []Entry
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, t := range icmpx.Types(f) {
			list = append(list, Entry{Message: Message{Family: f, Type: t.Type, Whole: true}})
			for _, c := range t.Codes {
				list = append(list, Entry{Message: Message{Family: f, Type: t.Type, Code: c.Code}})
			}
		}
	}
	return list
}

var exampleSymptom = Entry{Symptom: &Symptom{
	Name: "No route", Means: "One thing.", Action: "Another.",
	See: []Message{{Family: icmpx.IPv4, Type: 3, Code: 1}, {Family: icmpx.IPv6, Type: 2, Whole: true}},
}}

// explainLines renders everything as JSON.
func explainLines() []byte {
	var j JSON
	b := j.AppendExplainStart(nil, "a\x1b[2J", t0)
	for _, e := range allEntries() {
		b = j.AppendEntry(b, &e)
	}
	b = j.AppendEntry(b, &exampleSymptom)
	b = j.AppendExplainSummary(b, 0, []string{"4:3"})
	return j.AppendExplainSummary(b, 1, nil)
}

func TestExplainGolden(t *testing.T) {
	var x ExplainText
	b := x.AppendEntry(nil, &exampleSymptom)
	for _, m := range []Message{
		{Family: icmpx.IPv4, Type: 3, Code: 4}, {Family: icmpx.IPv4, Type: 5, Whole: true}, {Family: icmpx.IPv4, Type: 43, Code: 0},
		{Family: icmpx.IPv6, Type: 130, Whole: true}, {Family: icmpx.IPv6, Type: 134, Whole: true}, {Family: icmpx.IPv6, Type: 152, Whole: true},
		{Family: icmpx.IPv6, Type: 155, Code: 2}, {Family: icmpx.IPv6, Type: 155, Whole: true}, {Family: icmpx.IPv6, Type: 146, Whole: true},
	} {
		b = x.AppendEntry(append(b, '\n'), &Entry{Message: m})
		b = x.AppendBrief(b, &Entry{Message: m})
	}
	b = x.AppendBrief(b, &exampleSymptom)
	b = x.AppendTable(b, icmpx.IPv4, true)
	b = x.AppendTable(b, icmpx.IPv6, false)
	golden(t, "explain.golden", b)
}

// TestExplainIsWhole wants everything about every message in its text, and lines
// that fit a terminal.
func TestExplainIsWhole(t *testing.T) {
	var x ExplainText
	for _, e := range allEntries() {
		text := string(x.AppendEntry(nil, &e))
		plain := strings.Join(strings.Fields(text), " ")
		known := e.known()
		for _, want := range []string{known.Name, known.RFC, known.Sender, known.When, known.Quotes, known.Action, known.Linux} {
			if !strings.Contains(plain, want) {
				t.Errorf("%s: the text lacks %q", e.Query(), want)
			}
		}
		for _, f := range e.layout() {
			if !strings.Contains(text, f.Name) && f.Name != "reserved" && f.Name != "unused" {
				t.Errorf("%s: the text does not name the field %q", e.Query(), f.Name)
			}
		}
		told, _, _ := strings.Cut(text, "\n  codes\n") // names are not broken
		for line := range strings.Lines(told) {
			if len(line) > 80 && !strings.Contains(line, known.Name) && !strings.Contains(line, "printed as") {
				t.Errorf("%s: a line of %d columns: %s", e.Query(), len(line), line)
			}
		}
	}
}

// TestDiagrams reads every diagram back: where its fields end, by the columns of
// the bars, is where those of the layout do.
func TestDiagrams(t *testing.T) {
	for _, e := range allEntries() {
		var want []int
		at := 0
		for _, f := range e.layout() {
			if f.Bits == 0 {
				at = (at/32 + 1) * 32
			} else {
				at += f.Bits
			}
			want = append(want, at)
		}
		got, row := []int{}, 0
		for line := range strings.Lines(string(AppendDiagram(nil, "  ", e.layout()))) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case strings.HasPrefix(line, "  |"):
				row++
				for i := 4; i < len(line); i++ {
					if line[i] == '|' {
						got = append(got, 32*(row-1)+(i-2)/2)
					}
				}
			case strings.HasPrefix(line, "  +  "):
				got = got[:len(got)-1] // the field goes on below
			}
			if len(line) > 2+2*32+1 {
				t.Errorf("%s: too wide: %q", e.Query(), line)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: fields end at bits %v, want %v\n%s", e.Query(), got, want, AppendDiagram(nil, "  ", e.layout()))
		}
	}
}

// TestDiagramNames wants each narrow field to have an abbreviation that fits and
// that no other field of the layout has.
func TestDiagramNames(t *testing.T) {
	for _, e := range allEntries() {
		seen := map[string]string{}
		for _, f := range e.layout() {
			if f.Bits == 0 || f.Bits > 32 || f.Name == "reserved" || f.Name == "unused" {
				continue
			}
			label := labelOf(&f, 2*f.Bits-1)
			if len(label) > 2*f.Bits-1 {
				t.Errorf("%s: %q does not fit %d bits", e.Query(), label, f.Bits)
			}
			if other, ok := seen[label]; ok && other != f.Name {
				t.Errorf("%s: %q is %s and %s", e.Query(), label, other, f.Name)
			}
			seen[label] = f.Name
		}
	}
}

// TestMessagesPage holds docs/messages.md against the table; -update writes it
// anew.
func TestMessagesPage(t *testing.T) {
	golden(t, "../../../../../docs/messages.md", messagesPage())
}

// messagesPage returns the page of all messages.
func messagesPage() []byte {
	b := []byte("<!-- Generated from the table of package icmpx: go test ./cmd/icmpx/internal/render -run MessagesPage -update -->\n\n" +
		"# ICMP messages\n\n" +
		"All types and codes that IANA has assigned, as `icmpx explain` shows them: layout,\n" +
		"who sends them, when, what they quote, what to do, and what Linux does. Names of\n" +
		"fields are those of `icmpx decode -v`.\n")
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		b = append(b, "\n## "+messageProtocol(f)+"\n"...)
		for _, t := range icmpx.Types(f) {
			e := Entry{Message: Message{Family: f, Type: t.Type, Whole: true}}
			b = append(b, "\n### "+e.number()+" "+t.Name+"\n\n"...)
			b = appendPageEntry(b, &e, nil)
			for _, c := range t.Codes {
				e := Entry{Message: Message{Family: f, Type: t.Type, Code: c.Code}}
				b = append(b, "\n#### "+e.number()+" "+c.Name+"\n\n"...)
				b = appendPageEntry(b, &e, &t)
			}
		}
	}
	return b
}

// appendPageEntry appends an entry; of a code only what differs from its type.
func appendPageEntry(b []byte, e *Entry, of *icmpx.TypeInfo) []byte {
	t := e.known()
	b = append(b, e.standing(&t)+".\n"...)
	if of == nil || fmt.Sprint(typeLayout(e)[3:]) != fmt.Sprint(e.layout()[3:]) {
		b = append(b, "\n```\n"...)
		b = AppendDiagram(b, "", e.layout())
		b = append(b, "```\n"...)
		b = appendPageFields(b, e.layout())
	}
	b = append(b, '\n')
	var outer icmpx.Reference
	if of != nil {
		outer = of.Reference
	}
	for _, told := range [][3]string{
		{"Sent by", t.Sender, outer.Sender}, {"When", t.When, outer.When}, {"Quotes", t.Quotes, outer.Quotes},
		{"What to do", t.Action, outer.Action}, {"Linux", t.Linux, outer.Linux},
	} {
		if told[1] != told[2] || told[0] == "When" {
			b = append(b, "- "+told[0]+": "+told[1]+"\n"...)
		}
	}
	return b
}

// typeLayout returns the layout of the type that a code belongs to.
func typeLayout(e *Entry) icmpx.Layout {
	m := Message{Family: e.Family, Type: e.Type, Whole: true}
	return m.layout()
}

func appendPageFields(b []byte, layout icmpx.Layout) []byte {
	var rows bytes.Buffer
	at := 0
	for i := range layout {
		f := &layout[i]
		if inLegend(f) {
			place := "from byte " + strconv.Itoa(at/8)
			if f.Bits > 0 {
				place = strconv.Itoa(f.Bits) + " bits at byte " + strconv.Itoa(at/8)
			}
			if i > 0 && layout[i-1].Bits == 0 {
				place = "behind the " + layout[i-1].Name
			}
			name := f.Name
			if abbreviated(f) {
				name = f.Short + ", " + f.Name
			}
			fmt.Fprintf(&rows, "| %s | %s | %s |\n", name, place, f.Note)
		}
		at += f.Bits
	}
	if rows.Len() == 0 {
		return b
	}
	return append(append(b, "\n| field | | |\n|---|---|---|\n"...), rows.Bytes()...)
}
