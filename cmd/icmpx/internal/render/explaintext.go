package render

import (
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// A Message is an ICMP type, or one code of it.
type Message struct {
	Family icmpx.Family
	Type   uint8
	Code   uint8
	Whole  bool // the type with all its codes; Code means nothing
}

// A Symptom is what programs say, and no message alone explains.
type Symptom struct {
	Name   string    // as programs print it
	Means  string    // what it can mean
	Action string    // what to do
	See    []Message // messages that it can come from
}

// An Entry is a Message, or a Symptom if that is not nil.
type Entry struct {
	Message
	Symptom *Symptom
}

// known returns what is known of a message; a code is given as the type of that
// one code.
func (m *Message) known() icmpx.TypeInfo {
	t, _ := icmpx.LookupType(m.Family, m.Type)
	if m.Whole {
		return t
	}
	if c, ok := icmpx.LookupCode(m.Family, m.Type, m.Code); ok {
		t.Name, t.Text, t.RFC, t.Status, t.By, t.Reference, t.Codes = c.Name, c.Text, c.RFC, c.Status, c.By, c.Reference, nil
	}
	return t
}

// layout returns how the message is laid out. A type has the layout of its codes
// where they agree on none of their own.
func (m *Message) layout() icmpx.Layout {
	if !m.Whole {
		return icmpx.MessageLayout(m.Family, m.Type, m.Code)
	}
	t, _ := icmpx.LookupType(m.Family, m.Type)
	if len(t.Codes) == 0 {
		return icmpx.MessageLayout(m.Family, m.Type, 0)
	}
	for code := range 256 {
		if _, ok := icmpx.LookupCode(m.Family, m.Type, uint8(code)); !ok {
			return icmpx.MessageLayout(m.Family, m.Type, uint8(code))
		}
	}
	return nil
}

// messageProtocol returns "ICMP" or "ICMPv6".
func messageProtocol(f icmpx.Family) string {
	if f == icmpx.IPv6 {
		return "ICMPv6"
	}
	return "ICMP"
}

// number returns "3" of a type and "3/4" of a code.
func (m *Message) number() string {
	n := strconv.Itoa(int(m.Type))
	if !m.Whole {
		n += "/" + strconv.Itoa(int(m.Code))
	}
	return n
}

// Query returns how to ask for exactly this message: "4:3/1".
func (m *Message) Query() string {
	if m.Family == icmpx.IPv6 {
		return "6:" + m.number()
	}
	return "4:" + m.number()
}

// ExplainText writes entries of the reference for people.
type ExplainText struct{}

// AppendEntry appends all that is known of an entry.
func (x ExplainText) AppendEntry(b []byte, e *Entry) []byte {
	if e.Symptom != nil {
		return x.appendSymptom(b, e.Symptom)
	}
	t := e.known()
	b = append(b, messageProtocol(e.Family)+" "+e.number()+": "+t.Name+"\n"...)
	b = append(append(b, "  "+e.standing(&t)...), "\n\n"...)
	layout := e.layout()
	b = AppendDiagram(b, "  ", layout)
	b = appendLegend(b, layout)
	b = append(b, '\n')
	b = appendTold(b, "sent by", t.Sender)
	b = appendTold(b, "when", t.When)
	b = appendTold(b, "quotes", t.Quotes)
	b = appendTold(b, "do", t.Action)
	b = appendTold(b, "Linux", t.Linux)
	if e.Whole && len(t.Codes) > 0 {
		b = append(b, "\n  codes\n"...)
		b = appendCodes(b, &t)
	}
	return b
}

// standing returns what a message belongs to, how programs print it, and what it
// rests on.
func (m *Message) standing(t *icmpx.TypeInfo) string {
	var parts []string
	if !m.Whole {
		if of := icmpx.TypeName(m.Family, m.Type); of != t.Name {
			parts = append(parts, "a "+of)
		}
	}
	if t.Text != t.Name {
		parts = append(parts, `printed as "`+t.Text+`"`)
	}
	return strings.Join(append(parts, "RFC "+t.RFC, standingOf(t.Status, t.By)), "; ")
}

func standingOf(s icmpx.Status, by string) string {
	if by != "" {
		return s.String() + " by RFC " + by
	}
	return s.String()
}

func appendCodes(b []byte, t *icmpx.TypeInfo) []byte {
	for i := range t.Codes {
		c := &t.Codes[i]
		b = append(b, "  "+padded(strconv.Itoa(int(c.Code)), 4, true)+"  "+c.Name...)
		if c.Status != t.Status || c.By != t.By {
			b = append(b, " ("+standingOf(c.Status, c.By)+")"...)
		}
		b = append(b, '\n')
	}
	return b
}

// appendLegend appends what the diagram has no room for: names of fields that are
// abbreviated, and notes.
func appendLegend(b []byte, layout icmpx.Layout) []byte {
	wide := 0
	for i := range layout {
		if inLegend(&layout[i]) {
			wide = max(wide, len(legendName(&layout[i])))
		}
	}
	for i, begun := 0, false; i < len(layout); i++ {
		f := &layout[i]
		if !inLegend(f) {
			continue
		}
		if !begun {
			b, begun = append(b, '\n'), true
		}
		b = appendHanging(b, "  "+padded(legendName(f), wide, false)+"  ", f.Note)
	}
	return b
}

func inLegend(f *icmpx.LayoutField) bool { return f.Note != "" || abbreviated(f) }

// abbreviated reports whether the diagram does not show the name of a field.
func abbreviated(f *icmpx.LayoutField) bool {
	return f.Short != "" && f.Bits <= rowBits && !strings.HasPrefix(labelOf(f, 2*f.Bits-1), f.Name)
}

func legendName(f *icmpx.LayoutField) string {
	if abbreviated(f) {
		return f.Short + ", " + f.Name
	}
	return f.Name
}

func (ExplainText) appendSymptom(b []byte, s *Symptom) []byte {
	b = append(b, s.Name...)
	b = append(b, "\n\n"...)
	b = appendTold(b, "means", s.Means)
	b = appendTold(b, "do", s.Action)
	for i := range s.See {
		label := ""
		if i == 0 {
			label = "see"
		}
		m := &s.See[i]
		t := m.known()
		b = append(b, "  "+padded(label, toldColumn, false)+"icmpx explain "+padded(m.Query(), 8, false)+t.Name+"\n"...)
	}
	return b
}

// AppendBrief appends one line that names an entry and how to ask for it.
func (ExplainText) AppendBrief(b []byte, e *Entry) []byte {
	if e.Symptom != nil {
		return append(b, "  "+padded("", 8, false)+e.Symptom.Name+"\n"...)
	}
	t := e.known()
	name := t.Name
	if !e.Whole {
		if of := icmpx.TypeName(e.Family, e.Type); of != name {
			name = of + ": " + name
		}
	}
	return append(b, "  "+padded(e.Query(), 8, false)+name+"\n"...)
}

// AppendTable appends the types of a family, and with codes set their codes.
func (ExplainText) AppendTable(b []byte, f icmpx.Family, codes bool) []byte {
	b = append(b, messageProtocol(f)+" types\n"...)
	for _, t := range icmpx.Types(f) {
		b = append(b, padded(strconv.Itoa(int(t.Type)), 5, true)+"  "+padded(t.Name, 52, false)+" RFC "+padded(t.RFC, 5, false)...)
		if t.Status != icmpx.StatusStandard {
			b = append(b, t.Status.String()...)
		}
		for b[len(b)-1] == ' ' {
			b = b[:len(b)-1]
		}
		b = append(b, '\n')
		if codes {
			b = appendCodes(b, &t)
		}
	}
	return b
}

// toldColumn is where what is told begins, behind two blanks; lines end at
// lastColumn.
const (
	toldColumn = 9
	lastColumn = 78
)

// appendTold appends a paragraph behind its label; nothing if it is empty.
func appendTold(b []byte, label, text string) []byte {
	if text == "" {
		return b
	}
	return appendHanging(b, "  "+padded(label, toldColumn, false), text)
}

// appendHanging appends text broken into lines, the first behind lead and the
// others below its beginning.
func appendHanging(b []byte, lead, text string) []byte {
	b = append(b, strings.TrimRight(lead, " ")...)
	used, column := len(strings.TrimRight(lead, " ")), len(lead)
	for word := range strings.FieldsSeq(text) {
		if used > column && used+1+len(word) > lastColumn {
			b = append(b, '\n')
			used = 0
		}
		pad := max(1, column-used)
		b = append(append(b, strings.Repeat(" ", pad)...), word...)
		used += pad + len(word)
	}
	return append(b, '\n')
}

// padded returns s with blanks up to a width, in front of it or behind.
func padded(s string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(width-len(s), 0))
	if right {
		return blanks + s
	}
	return s + blanks
}
