package render

import "github.com/icmpx/icmpx/internal/fingerprint"

// AppendFingerprints appends an event for each maker of probes of a capture, and
// one for each finding.
func (j *PacketJSON) AppendFingerprints(b []byte, r *fingerprint.Report) []byte {
	for i := range r.Makers {
		b = j.appendMaker(b, &r.Makers[i])
	}
	for i := range r.Findings {
		f := findingOf(&r.Findings[i])
		b = j.AppendFinding(b, &f)
	}
	return b
}

func (*PacketJSON) appendMaker(b []byte, m *fingerprint.Maker) []byte {
	o := event(b, "fingerprint")
	o.addr("src", m.Src)
	o.addr("dst", m.Dst)
	o.str("query", m.Query)
	o.count("conversations", m.Conversations)
	o.count("probes", m.Probes)
	o.int("first_frame", int64(m.Frame))
	if m.Tool == "" {
		o.null("tool")
	} else {
		o.str("tool", m.Tool)
	}
	if m.Note != "" {
		o.str("note", m.Note)
	}
	o.float("confidence", m.Confidence)
	o.str("level", string(m.Level()))
	o.strings("also", m.Also)
	o.strings("evidence", m.Evidence)
	o.strings("contrary", m.Contrary)
	return o.line()
}
