package render

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/conversation"
	"github.com/icmpx/icmpx/internal/extract"
	"github.com/icmpx/icmpx/internal/packet"
)

// A CaptureStart says what is read or listened to.
type CaptureStart struct {
	Command string   // "decode" or "listen"
	Files   []string // of decode, as they were given
	Iface   string   // of listen: "any", or the name of an interface
	Link    packet.LinkType
	Linked  bool   // Link is that of all frames; else it is not known yet, or there are several
	Filter  string // as it was given; "" without
}

// AppendStart appends the event that opens a capture.
func (*PacketJSON) AppendStart(b []byte, s *CaptureStart, now time.Time) []byte {
	o := event(b, "start")
	o.int("schema", Schema)
	o.str("command", s.Command)
	if s.Iface != "" {
		o.str("iface", s.Iface)
	} else {
		o.strings("files", s.Files)
	}
	o.orNull("linktype", int64(s.Link), s.Linked)
	if s.Filter != "" {
		o.str("filter", s.Filter)
	}
	o.time("time", now)
	return o.line()
}

// AppendPair appends what was found out about a request, its answer, or both.
func (*PacketJSON) AppendPair(b []byte, e *conversation.Event) []byte {
	o := event(b, "pair")
	o.str("kind", e.Kind.String())
	o.frameOrNull("request", e.Request)
	o.frameOrNull("reply", e.Reply)
	o.orNull("rtt_ns", int64(e.RTT), e.RTT >= 0 && e.Request != 0 && e.Reply != 0)
	if e.Earlier != 0 {
		o.int("earlier", int64(e.Earlier))
	}
	o.addr("src", e.Src)
	o.addr("dst", e.Dst)
	if e.Reply != 0 {
		o.addr("from", e.From)
	}
	if e.Query != conversation.NoQuery {
		o.str("query", e.Query.String())
		o.int("id", int64(e.ID))
		o.int("seq", int64(e.Seq))
	}
	if e.Kind == conversation.Error {
		o.int("type", int64(e.Type))
		o.int("code", int64(e.Code))
		o.str("name", icmpx.Describe(icmpx.FamilyOf(e.From), e.Type, e.Code))
	}
	if e.Kind == conversation.Unanswered {
		o.int("tries", int64(e.Tries))
	}
	for _, mark := range [...]struct {
		key string
		set bool
	}{{"notice", e.Notice}, {"ambiguous", e.Ambiguous}, {"late", e.Late}, {"ended", e.Ended}} {
		if mark.set {
			o.yes(mark.key)
		}
	}
	return o.line()
}

// frameOrNull appends the number of a frame, null for 0.
func (o *object) frameOrNull(k string, n int) { o.orNull(k, int64(n), n != 0) }

// A Finding is what is odd about a capture, or about one packet of it.
type Finding struct {
	Code     string // stable word, as docs/json.md lists it
	Severity string // "info", "warning" or "fault"
	Text     string // plain words
	Frames   []int  // that show it, the first few of them; none in a packet's own
	Evidence []Fact // the numbers that say so
}

// A Fact is a piece of a finding's evidence. Value is an int, a bool, a string,
// a netip.Addr, a time.Duration, or a list of ints or addresses.
type Fact struct {
	Name  string // a constant of the program
	Value any
}

// AppendFinding appends the event of a finding.
func (*PacketJSON) AppendFinding(b []byte, f *Finding) []byte {
	o := event(b, "finding")
	o.finding(f)
	return o.line()
}

// findings appends a list of findings.
func (o *object) findings(k string, list []Finding) {
	o.key(k)
	o.b = append(o.b, '[')
	for i := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		c := begin(o.b)
		c.finding(&list[i])
		o.b = c.end()
	}
	o.b = append(o.b, ']')
}

func (o *object) finding(f *Finding) {
	o.str("code", f.Code)
	o.str("severity", f.Severity)
	o.str("text", f.Text)
	if len(f.Frames) > 0 {
		o.key("frames")
		o.b = appendInts(o.b, f.Frames)
	}
	o.key("evidence")
	c := begin(o.b)
	for _, fact := range f.Evidence {
		c.evidence(fact.Name, fact.Value)
	}
	o.b = c.end()
}

// AppendExtract appends the event of a file that was rebuilt of payloads.
func (*PacketJSON) AppendExtract(b []byte, f *extract.File) []byte {
	o := event(b, "extract")
	o.str("file", f.Path)
	o.addr("src", f.Src)
	o.addr("dst", f.Dst)
	o.int("id", int64(f.ID))
	o.str("message", map[bool]string{true: "request", false: "reply"}[f.Request])
	o.int("part", int64(f.Part))
	o.int("payloads", f.Payloads)
	o.int("bytes", f.Bytes)
	o.hex("sha256", f.SHA256[:])
	o.str("type", f.Type)
	o.int("first_seq", int64(f.FirstSeq))
	o.int("last_seq", int64(f.LastSeq))
	if f.LittleEndian {
		o.yes("little_endian")
	}
	o.key("gaps")
	o.b = append(o.b, '[')
	for i, g := range f.Gaps {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		c := begin(o.b)
		c.int("after_seq", int64(g.AfterSeq))
		c.int("missing", g.Missing)
		o.b = c.end()
	}
	o.b = append(o.b, ']')
	o.int("missing", f.Missing)
	if f.Part == 0 {
		o.wholeConversation(f)
	}
	return o.line()
}

// wholeConversation appends what is known of whole conversations alone.
func (o *object) wholeConversation(f *extract.File) {
	o.int("parts", int64(f.Parts))
	o.int("first_frame", int64(f.FirstFrame))
	o.int("last_frame", int64(f.LastFrame))
	o.int("repeats", int64(f.Repeats))
	o.key("conflicts")
	o.b = append(o.b, '[')
	for i, x := range f.Conflicts {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		c := begin(o.b)
		c.int("seq", int64(x.Seq))
		c.int("frame", int64(x.Frame))
		o.b = c.end()
	}
	o.b = append(o.b, ']')
	o.int("conflicted", int64(f.Conflicted))
	o.int("bad_checksums", int64(f.BadChecksums))
	o.int("cut_short", int64(f.CutShort))
	o.int("dropped", int64(f.Dropped))
}
