package render

import (
	"net/netip"
	"strconv"

	"github.com/icmpx/icmpx/internal/fingerprint"
)

// FingerprintText prints who made the probes of a capture, and what is odd about
// it, for people.
type FingerprintText struct {
	// Name returns the name of an address, "" if there is none; nil: addresses
	// alone.
	Name func(netip.Addr) string
}

// AppendReport appends a report; nothing if there is nothing to say.
func (t *FingerprintText) AppendReport(b []byte, r *fingerprint.Report) []byte {
	if len(r.Makers) > 0 {
		b = append(b, "\nMade by:\n"...)
	}
	for i := range r.Makers {
		b = t.appendMaker(b, &r.Makers[i])
	}
	if r.Unnamed > 0 {
		b = appendMany(append(b, "  and "...), r.Unnamed, "conversation")
		b = append(b, " more, for which there was no room\n"...)
	}
	if len(r.Findings) > 0 {
		b = append(b, "\nFindings:\n"...)
	}
	for i := range r.Findings {
		b = t.appendFinding(b, &r.Findings[i])
	}
	if r.Left > 0 {
		b = appendMany(append(b, "  and "...), r.Left, "message")
		b = append(b, " more that showed findings for which there was no room\n"...)
	}
	return b
}

// appendMaker appends a line for a maker, and below it the evidence.
func (t *FingerprintText) appendMaker(b []byte, m *fingerprint.Maker) []byte {
	b = t.appendHost(append(b, "  "...), m.Src)
	b = t.appendHost(append(b, " > "...), m.Dst)
	b = append(b, ": "...)
	if m.Tool == "" {
		b = append(b, "nobody known"...)
	} else {
		b = append(b, m.Tool...)
		if m.Note != "" {
			b = append(append(append(b, " ("...), m.Note...), ')')
		}
		for _, also := range m.Also {
			b = append(append(b, " or "...), also...)
		}
		b = append(append(append(b, ", "...), m.Level()...), " confidence"...)
	}
	b = appendMany(append(b, "; "...), m.Probes, m.Query+" probe")
	if m.Conversations > 1 {
		b = appendMany(append(b, " in "...), m.Conversations, "conversation")
	}
	b = strconv.AppendInt(append(b, ", from frame "...), int64(m.Frame), 10)
	b = append(b, '\n')
	b = appendReasons(b, "    ", m.Evidence)
	return appendReasons(b, "    but ", m.Contrary)
}

// appendReasons appends a line of words, if there are any.
func appendReasons(b []byte, lead string, words []string) []byte {
	for i, w := range words {
		if i == 0 {
			b = append(b, lead...)
		} else {
			b = append(b, "; "...)
		}
		b = append(b, w...)
	}
	if len(words) > 0 {
		b = append(b, '\n')
	}
	return b
}

// appendFinding appends a finding and its evidence.
func (t *FingerprintText) appendFinding(b []byte, f *fingerprint.Finding) []byte {
	b = append(append(append(b, "  "...), f.Severity...), ": "...)
	b = append(append(b, f.Text...), "\n    "...)
	b = append(b, f.Code...)
	for _, fact := range f.Evidence {
		b = append(append(append(b, ", "...), fact.Name...), ' ')
		switch v := fact.Value.(type) {
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case netip.Addr:
			b = t.appendHost(b, v)
		}
	}
	b = append(b, ", frames"...)
	b = appendFrames(b, f.Frames)
	return append(b, '\n')
}

// appendHost appends an address, and its name if that is known.
func (t *FingerprintText) appendHost(b []byte, a netip.Addr) []byte {
	b = AppendAddr(b, a)
	if t.Name == nil {
		return b
	}
	if name := t.Name(a); name != "" {
		b = append(AppendSafe(append(b, " ("...), name), ')')
	}
	return b
}

// PacketFindings appends what is odd about a packet to a list, as the views of
// packets take it.
func PacketFindings(list []Finding, found []fingerprint.Finding) []Finding {
	for i := range found {
		list = append(list, findingOf(&found[i]))
	}
	return list
}

func findingOf(f *fingerprint.Finding) Finding {
	out := Finding{Code: f.Code, Severity: f.Severity, Text: f.Text, Frames: f.Frames}
	for _, fact := range f.Evidence {
		out.Evidence = append(out.Evidence, Fact{Name: fact.Name, Value: fact.Value})
	}
	return out
}
