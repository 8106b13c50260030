package render

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

// A TraceText renders a trace as traceroute(8) does. What it adds comes behind
// the rows, or with Verbose. It keeps the silent rows at the end of a path back
// until it knows that they are: use one for each trace.
type TraceText struct {
	Numeric    bool // addresses alone (-n)
	Extensions bool // what answers say about labels and interfaces (-e)
	Back       bool // hops of the way back, where they differ (--back)
	Verbose    bool // explain findings, and say what it took (-v)

	Name func(netip.Addr) string // the name of an address, "" if there is none; nil: none is known
	AS   func(netip.Addr) string // the systems that announce it, "" if there is none; nil: nobody asked (-A)

	dark, darkEnd, stars int // rows kept back: first and last TTL, and their probes
}

// AppendStart appends the line that opens a trace.
func (t *TraceText) AppendStart(b []byte, h *TraceHost) []byte {
	b = AppendSafe(append(b, "traceroute to "...), h.Name)
	b = append(AppendAddr(append(b, " ("...), h.Addr), "), "...)
	b = append(strconv.AppendInt(b, int64(h.MaxTTL), 10), " hops max"...)
	if h.Size != 0 {
		b = strconv.AppendInt(append(b, ", "...), int64(h.Size), 10)
		b = append(b, " byte packets"...)
	}
	return append(b, '\n')
}

// AppendRow appends the line of a row, unless it is kept back.
func (t *TraceText) AppendRow(b []byte, row *trace.Row) []byte {
	if row.Dark {
		if t.dark == 0 {
			t.dark, t.stars = row.TTL, len(row.Probes)
		}
		t.darkEnd = row.TTL
		return b
	}
	b = appendTTL(t.appendDark(b), row.TTL)
	var from netip.Addr
	for i := range row.Probes {
		p := &row.Probes[i]
		if p.State != trace.Answered {
			b = append(b, ' ', stateMark(p.State))
		} else {
			if p.From != from {
				from = p.From
				b = t.appendRouter(append(b, ' '), row, p)
			}
			b = appendTraceTime(append(b, "  "...), p.RTT)
			b = appendTraceMark(b, p)
		}
		if i == 0 && row.MTU != 0 {
			b = strconv.AppendInt(append(b, " F="...), int64(row.MTU), 10)
		}
	}
	return append(b, '\n')
}

// appendDark appends the rows that were kept back, as one: " 9-32  * * *".
func (t *TraceText) appendDark(b []byte) []byte {
	if t.dark == 0 {
		return b
	}
	if t.dark == t.darkEnd {
		b = appendTTL(b, t.dark)
	} else {
		b = strconv.AppendInt(b, int64(t.dark), 10)
		b = append(strconv.AppendInt(append(b, '-'), int64(t.darkEnd), 10), ' ')
	}
	for range t.stars {
		b = append(b, " *"...)
	}
	t.dark = 0
	return append(b, '\n')
}

// appendTTL appends what leads a row: the TTL to the right of two columns.
func appendTTL(b []byte, ttl int) []byte {
	if ttl < 10 {
		b = append(b, ' ')
	}
	return append(strconv.AppendInt(b, int64(ttl), 10), ' ')
}

// stateMark is what stands for a probe without an answer.
func stateMark(s trace.State) byte {
	switch s {
	case trace.Lost:
		return '*'
	case trace.Limited:
		return '-'
	case trace.Failed:
		return 'x'
	}
	return '?'
}

// appendRouter appends who answered, and what it says besides.
func (t *TraceText) appendRouter(b []byte, row *trace.Row, p *trace.Probe) []byte {
	if t.Numeric {
		b = AppendAddr(b, p.From)
	} else {
		name := ""
		if t.Name != nil {
			name = t.Name(p.From)
		}
		if name == "" {
			b = AppendAddr(b, p.From)
		} else {
			b = AppendName(b, name)
		}
		b = append(AppendAddr(append(b, " ("...), p.From), ')')
	}
	if t.AS != nil {
		b = appendAS(b, t.AS(p.From))
	}
	if t.Extensions && len(p.Extensions) > 0 {
		b = append(appendExtensions(append(b, " <"...), p.Extensions), '>')
	}
	if t.Back && p.Back != 0 && p.Back != row.TTL {
		b = append(strconv.AppendInt(append(b, " '-"...), int64(p.Back), 10), '\'')
	}
	return b
}

// appendAS appends the systems that announce an address, as traceroute -A does.
func appendAS(b []byte, as string) []byte {
	if as == "" {
		as = "*"
	}
	return append(AppendSafe(append(b, " ["...), as), ']')
}

// appendTraceTime appends a time in milliseconds with three digits behind the
// point, always: "33.137 ms".
func appendTraceTime(b []byte, d time.Duration) []byte {
	us := (max(d, 0) + time.Microsecond/2) / time.Microsecond
	b = append(strconv.AppendInt(b, int64(us/1000), 10), '.')
	return append(appendFraction(b, int64(us%1000), 3), " ms"...)
}

// appendTraceMark appends what an answer says besides that the TTL is used up or
// the destination reached, in traceroute's marks: " !H", " !F-1400", " !<9>".
func appendTraceMark(b []byte, p *trace.Probe) []byte {
	if p.Kind == icmpx.KindTooBig {
		return strconv.AppendInt(append(b, " !F-"...), int64(p.MTU), 10)
	}
	if !p.Kind.Quotes() {
		return b // a direct answer
	}
	marks := marks4[:]
	if icmpx.FamilyOf(p.From) == icmpx.IPv6 {
		marks = marks6[:]
	}
	for _, m := range marks {
		if m.typ == p.Type && m.code == p.Code {
			return append(b, m.mark...)
		}
	}
	b = append(b, " !<"...)
	if p.Kind != icmpx.KindUnreachable {
		b = append(strconv.AppendUint(b, uint64(p.Type), 10), '-')
	}
	return append(strconv.AppendUint(b, uint64(p.Code), 10), '>')
}

// An errorMark is traceroute's sign for an ICMP error; none is empty.
type errorMark struct {
	typ, code uint8
	mark      string
}

// marks4 are those of ICMP (RFC 792, RFC 1812 section 5.2.7.1).
var marks4 = [...]errorMark{
	{11, 0, ""},
	{3, 0, " !N"}, {3, 6, " !N"}, {3, 8, " !N"}, {3, 11, " !N"},
	{3, 1, " !H"}, {3, 7, " !H"}, {3, 12, " !H"},
	{3, 2, " !P"},
	{3, 3, ""},
	{3, 5, " !S"},
	{3, 9, " !X"}, {3, 10, " !X"}, {3, 13, " !X"},
	{3, 14, " !V"},
	{3, 15, " !C"},
}

// marks6 are those of ICMPv6 (RFC 4443 section 3).
var marks6 = [...]errorMark{
	{3, 0, ""},
	{1, 0, " !N"},
	{1, 1, " !X"},
	{1, 2, " !S"},
	{1, 3, " !H"},
	{1, 4, ""},
	{4, 1, " !P"},
}

// AppendSummary appends what comes behind the rows: the state of the port that
// was asked, findings, notes about the run, and with Verbose what it took.
func (t *TraceText) AppendSummary(b []byte, h *TraceHost, res *trace.Result, notes []string) []byte {
	b = t.appendDark(b)
	if tellsPort(res) {
		b = strconv.AppendUint(append(b, "port "...), uint64(res.Port), 10)
		b = append(append(b, " is "...), res.PortState.String()...)
		b = append(b, '\n')
	}
	for i := range res.Findings {
		b = t.appendFinding(b, &res.Findings[i])
	}
	for _, note := range notes {
		b = append(AppendSafe(append(b, "note: "...), note), '\n')
	}
	if t.Verbose {
		b = appendEffort(b, h, res)
	}
	return b
}

// appendFinding appends a finding, and with Verbose what it means.
func (t *TraceText) appendFinding(b []byte, f *trace.Finding) []byte {
	b = append(append(b, f.Severity.String()...), ": "...)
	b = append(AppendSafe(b, f.Text), '\n')
	if t.Verbose {
		b = appendWrapped(b, f.Code.Explain())
	}
	return b
}

// wrapAt is the length of the longest line of an explanation.
const wrapAt = 78

// appendWrapped appends words in lines that are indented.
func appendWrapped(b []byte, text string) []byte {
	const indent = "  "
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
			b = append(b, indent...)
			column = len(indent)
		case column+1+len(word) > wrapAt:
			b = append(append(b, '\n'), indent...)
			column = len(indent)
		default:
			b = append(b, ' ')
			column++
		}
		b = append(b, word...)
		column += len(word)
	}
	if column > 0 {
		b = append(b, '\n')
	}
	return b
}

// appendEffort appends what a trace took: "96 probes in 0.101 s by udp to port
// 33434, raw sockets", and the replies that were no answers.
func appendEffort(b []byte, h *TraceHost, res *trace.Result) []byte {
	b = appendCount(b, res.Sent, "probe")
	b = append(b, " in "...)
	b = strconv.AppendFloat(b, res.Duration.Seconds(), 'f', 3, 64)
	b = append(append(b, " s by "...), res.Method.String()...)
	if res.Port != 0 {
		b = strconv.AppendUint(append(b, " to port "...), uint64(res.Port), 10)
	}
	b = append(append(append(b, ", "...), h.Socket.String()...), " sockets"...)
	for _, n := range [...]struct {
		count int
		word  string
	}{
		{res.Strays, "stray"}, {res.Notices, "notice"},
	} {
		if n.count > 0 {
			b = appendCount(append(b, ", "...), n.count, n.word)
		}
	}
	return append(b, '\n')
}

func appendCount(b []byte, n int, word string) []byte {
	b = append(append(strconv.AppendInt(b, int64(n), 10), ' '), word...)
	if n != 1 {
		b = append(b, 's')
	}
	return b
}

// AppendStatus appends a line that says how far a trace is, for standard error.
func (t *TraceText) AppendStatus(b []byte, h *TraceHost, rows, answers int) []byte {
	b = AppendSafe(append(b, '\r'), h.Name)
	b = appendCount(append(b, ": "...), rows, "hop")
	return append(appendCount(append(b, " of the path known, "...), answers, "answer"), '\n')
}

// Addresses returns the addresses that a row shows, each once.
func Addresses(row *trace.Row) []netip.Addr {
	list := row.Routers()
	return slices.DeleteFunc(list, func(a netip.Addr) bool { return !a.IsValid() })
}
