package render

import (
	"net/netip"
	"strings"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

// A TraceJSON renders a trace as one JSON object per line. docs/json.md
// describes them, docs/json.schema.json checks them.
type TraceJSON struct {
	Name func(netip.Addr) string // the name of an address, "" if there is none; nil: nobody asked
	AS   func(netip.Addr) string // the systems that announce it; nil: nobody asked
}

// AppendStart appends the event that opens a trace.
func (t *TraceJSON) AppendStart(b []byte, h *TraceHost, now time.Time) []byte {
	o := event(b, "start")
	o.int("schema", Schema)
	o.str("command", "trace")
	o.str("target", h.Name)
	o.addr("addr", h.Addr)
	o.str("family", familyWord(icmpx.FamilyOf(h.Addr)))
	o.orNull("payload_bytes", int64(h.payload()), h.Size != 0)
	o.orNull("packet_bytes", int64(h.Size), h.Size != 0)
	o.str("socket", socketWord(h.Socket))
	o.str("method", h.Method.String())
	if h.Port != 0 {
		o.int("port", int64(h.Port))
	}
	o.int("max_hops", int64(h.MaxTTL))
	o.time("time", now)
	return o.line()
}

// AppendRow appends the event of a row.
func (t *TraceJSON) AppendRow(b []byte, row *trace.Row) []byte {
	o := event(b, "hop")
	o.int("ttl", int64(row.TTL))
	o.key("probes")
	o.b = append(o.b, '[')
	for i := range row.Probes {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = t.appendProbe(o.b, row, &row.Probes[i])
	}
	o.b = append(o.b, ']')
	if row.End {
		o.yes("end")
	}
	if row.Limited {
		o.yes("limited")
	}
	if row.Extra > 0 {
		o.int("extra", int64(row.Extra))
	}
	if row.MTU != 0 {
		o.int("mtu", int64(row.MTU))
	}
	return o.line()
}

// appendProbe appends the object of one probe of a row.
func (t *TraceJSON) appendProbe(b []byte, row *trace.Row, p *trace.Probe) []byte {
	o := begin(b)
	switch p.State {
	case trace.Answered:
		t.answer(&o, p)
	case trace.Lost:
		o.yes("lost")
	case trace.Limited:
		o.yes("limited")
	case trace.Failed:
		why := failure(p.Err)
		o.str("failed", why.text())
		if name := why.name(); name != "" {
			o.str("errno", name)
		}
	default:
		o.yes("open")
	}
	if p.Asked > 1 {
		o.int("asked", int64(p.Asked))
	}
	if p.TTL != row.TTL {
		o.int("ttl", int64(p.TTL))
	}
	return o.end()
}

func (t *TraceJSON) answer(o *object, p *trace.Probe) {
	o.addr("from", p.From)
	o.known("name", t.Name, p.From)
	o.known("as", t.AS, p.From)
	o.int("rtt_ns", int64(p.RTT))
	o.str("stamps", p.Stamps.String())
	o.str("kind", p.Kind.String())
	message := isMessage(p.Kind)
	o.orNull("type", int64(p.Type), message)
	o.orNull("code", int64(p.Code), message)
	o.orNull("reply_ttl", int64(p.ReplyTTL), p.ReplyTTL != 0)
	if p.Back != 0 {
		o.int("back", int64(p.Back))
	}
	if p.Kind == icmpx.KindTooBig {
		o.int("mtu", int64(p.MTU))
	}
	if len(p.Extensions) > 0 {
		o.extensions("extensions", p.Extensions)
	}
	if p.Quote.Family != 0 {
		o.quote("quote", p)
	}
}

// isMessage reports whether an answer is an ICMP message, which has a type.
func isMessage(k icmpx.Kind) bool {
	return k.Quotes() || k > icmpx.KindUnknown && k <= icmpx.KindExtEchoReply
}

// known appends what is known of an address, if anything is.
func (o *object) known(k string, of func(netip.Addr) string, a netip.Addr) {
	if of == nil {
		return
	}
	if s := of(a); s != "" {
		o.str(k, s)
	}
}

// quote appends how a probe looked where it was refused.
func (o *object) quote(k string, p *trace.Probe) {
	q := &p.Quote
	o.key(k)
	c := begin(o.b)
	c.addr("src", q.Src)
	c.addr("dst", q.Dst)
	c.int("ttl", int64(q.TTL))
	c.int("tos", int64(q.TOS))
	c.int("len", int64(q.TotalLen))
	c.int("proto", int64(q.Proto))
	c.int("bytes", int64(q.Len))
	if q.HasL4 {
		c.transport("l4", q)
	}
	if p.Changes != 0 {
		c.strings("changed", strings.Split(p.Changes.String(), ","))
	}
	o.b = c.end()
}

// Transport protocols (IANA protocol numbers).
const (
	protoTCP = 6
	protoUDP = 17
)

// transport appends the quoted transport header, as far as every quote has it.
func (o *object) transport(k string, q *icmpx.Quote) {
	o.key(k)
	c := begin(o.b)
	switch q.Proto {
	case protoUDP:
		c.int("sport", int64(q.SrcPort))
		c.int("dport", int64(q.DstPort))
		c.int("len", int64(q.L4Len))
		c.int("sum", int64(q.Checksum))
	case protoTCP:
		c.int("sport", int64(q.SrcPort))
		c.int("dport", int64(q.DstPort))
		c.int("seq", int64(q.Seq))
	default:
		c.int("type", int64(q.Type))
		c.int("code", int64(q.Code))
		c.int("sum", int64(q.Checksum))
		c.int("id", int64(q.ICMPID))
		c.int("seq", int64(q.ICMPSeq))
	}
	o.b = c.end()
}

// strings appends an array of strings.
func (o *object) strings(k string, list []string) {
	o.key(k)
	o.b = append(o.b, '[')
	for i, s := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendString(o.b, s)
	}
	o.b = append(o.b, ']')
}

// AppendSummary appends the event that closes a trace. notes are what is to be
// known about how it was run.
func (t *TraceJSON) AppendSummary(b []byte, h *TraceHost, res *trace.Result, notes []string) []byte {
	o := event(b, "summary")
	o.str("target", h.Name)
	o.addr("addr", h.Addr)
	o.bool("reached", res.Reached)
	o.int("hops", int64(res.Hops))
	if tellsPort(res) {
		o.str("port_state", res.PortState.String())
	}
	o.int("probes_sent", int64(res.Sent))
	o.int("strays", int64(res.Strays))
	o.int("forged", int64(res.Forged))
	o.int("notices", int64(res.Notices))
	o.int("duration_ns", int64(res.Duration))
	if res.Interrupted {
		o.yes("interrupted")
	}
	if len(res.Questions) > 0 {
		t.questions(&o, res.Questions)
	}
	o.key("findings")
	o.b = append(o.b, '[')
	for i := range res.Findings {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendFindingJSON(o.b, &res.Findings[i])
	}
	o.b = append(o.b, ']')
	if len(notes) > 0 {
		o.strings("notes", notes)
	}
	return o.line()
}

// questions appends what the destination said to the other methods.
func (t *TraceJSON) questions(o *object, list []trace.Question) {
	o.key("questions")
	o.b = append(o.b, '[')
	for i := range list {
		q := &list[i]
		if i > 0 {
			o.b = append(o.b, ',')
		}
		c := begin(o.b)
		c.str("method", q.Method.String())
		if q.Port != 0 {
			c.int("port", int64(q.Port))
		}
		c.bool("reached", q.Reached)
		if q.Probe.State == trace.Answered {
			c.addr("from", q.Probe.From)
			c.int("rtt_ns", int64(q.Probe.RTT))
			c.str("kind", q.Probe.Kind.String())
		}
		o.b = c.end()
	}
	o.b = append(o.b, ']')
}

func appendFindingJSON(b []byte, f *trace.Finding) []byte {
	o := begin(b)
	o.str("code", string(f.Code))
	o.str("severity", f.Severity.String())
	if f.Hop != 0 {
		o.int("hop", int64(f.Hop))
	}
	o.str("text", f.Text)
	o.key("evidence")
	c := begin(o.b)
	for _, fact := range f.Evidence {
		c.fact(fact)
	}
	o.b = c.end()
	return o.end()
}

// fact appends one piece of evidence.
func (o *object) fact(f trace.Fact) { o.evidence(f.Name, f.Value) }

// evidence appends a number, a flag, a text or a list of what a finding rests
// on; the key of a duration ends in _ns.
func (o *object) evidence(name string, value any) {
	switch v := value.(type) {
	case int:
		o.int(name, int64(v))
	case bool:
		o.bool(name, v)
	case string:
		o.str(name, v)
	case netip.Addr:
		o.addr(name, v)
	case time.Duration:
		o.int(name+"_ns", int64(v))
	case []int:
		o.key(name)
		o.b = appendInts(o.b, v)
	case []netip.Addr:
		words := make([]string, len(v))
		for i, a := range v {
			words[i] = a.String()
		}
		o.strings(name, words)
	default:
		o.null(name)
	}
}
