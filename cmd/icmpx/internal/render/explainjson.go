package render

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// AppendExplainStart appends the event that leads the entries of a query.
func (JSON) AppendExplainStart(b []byte, query string, now time.Time) []byte {
	o := begin(b)
	o.str("event", "start")
	o.int("schema", Schema)
	o.str("command", "explain")
	o.str("query", query)
	o.time("time", now)
	return o.line()
}

// AppendEntry appends an entry.
func (JSON) AppendEntry(b []byte, e *Entry) []byte {
	o := begin(b)
	o.str("event", "entry")
	if e.Symptom != nil {
		o.symptom(e.Symptom)
		return o.line()
	}
	t := e.known()
	o.str("kind", "message")
	o.message(&e.Message)
	o.str("name", t.Name)
	o.str("text", t.Text)
	o.str("rfc", t.RFC)
	o.str("status", t.Status.String())
	if t.By != "" {
		o.str("deprecated_by", t.By)
	}
	o.str("sender", t.Sender)
	o.str("when", t.When)
	o.str("quotes", t.Quotes)
	o.str("action", t.Action)
	if t.Linux != "" {
		o.str("linux", t.Linux)
	}
	o.layout(e.layout())
	if e.Whole && len(t.Codes) > 0 {
		o.codes(t.Codes)
	}
	return o.line()
}

// message appends the numbers of a message.
func (o *object) message(m *Message) {
	v := int64(4)
	if m.Family == icmpx.IPv6 {
		v = 6
	}
	o.int("v", v)
	o.int("type", int64(m.Type))
	if !m.Whole {
		o.int("code", int64(m.Code))
	}
}

func (o *object) symptom(s *Symptom) {
	o.str("kind", "symptom")
	o.str("name", s.Name)
	o.str("means", s.Means)
	o.str("action", s.Action)
	o.list("see", len(s.See), func(o *object, i int) { o.message(&s.See[i]) })
}

func (o *object) codes(codes []icmpx.CodeInfo) {
	o.list("codes", len(codes), func(o *object, i int) {
		o.int("code", int64(codes[i].Code))
		o.str("name", codes[i].Name)
	})
}

// layout appends the fields of a message with their places in bits.
func (o *object) layout(layout icmpx.Layout) {
	at := 0
	o.list("layout", len(layout), func(o *object, i int) {
		f := &layout[i]
		if f.Group != "" {
			o.str("group", f.Group)
		}
		o.str("name", f.Name)
		o.orNull("offset", int64(at), at >= 0)
		o.orNull("bits", int64(f.Bits), f.Bits > 0)
		if f.Fixed {
			o.int("value", int64(f.Value))
		}
		if f.Note != "" {
			o.str("note", f.Note)
		}
		if at += f.Bits; f.Bits == 0 {
			at = -1 // nobody knows where the next begins
		}
	})
}

// list appends an array of n objects.
func (o *object) list(k string, n int, fill func(o *object, i int)) {
	o.key(k)
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		item := begin(o.b)
		fill(&item, i)
		o.b = item.end()
	}
	o.b = append(o.b, ']')
}

// AppendExplainSummary appends the event that ends a query.
func (JSON) AppendExplainSummary(b []byte, entries int, suggestions []string) []byte {
	o := begin(b)
	o.str("event", "summary")
	o.int("entries", int64(entries))
	o.strings("suggestions", suggestions)
	return o.line()
}
