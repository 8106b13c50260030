package render

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/icmpx/icmpx/pmtu"
)

// A PmtuText renders a search for the path MTU for people: the path as a
// staircase of MTUs, one line a place that changes it, then what that means.
type PmtuText struct {
	Numeric bool // addresses alone (-n)
	Verbose bool // explain findings, and say what it took (-v)

	Name func(netip.Addr) string // the name of an address, "" if there is none; nil: none is known
}

// AppendStart appends the line that opens a search.
func (t *PmtuText) AppendStart(b []byte, h *PmtuHost) []byte {
	b = AppendSafe(append(b, "path MTU to "...), h.Name)
	return append(AppendAddr(append(b, " ("...), h.Addr), ")\n"...)
}

// AppendSummary appends what was found: hops if they were asked for, the
// staircase, the verdict, and the findings.
func (t *PmtuText) AppendSummary(b []byte, h *PmtuHost, res *pmtu.Result) []byte {
	for i := range res.Hops {
		b = t.appendHop(b, &res.Hops[i])
	}
	b = t.appendStairs(b, h, res)
	b = appendPmtuVerdict(b, res)
	for i := range res.Findings {
		f := &res.Findings[i]
		b = append(append(b, f.Severity.String()...), ": "...)
		b = append(AppendSafe(b, f.Text), '\n')
		if t.Verbose {
			b = appendWrapped(b, f.Code.Explain())
		}
	}
	if t.Verbose {
		b = appendPmtuEffort(b, h, res)
	}
	return b
}

// appendHop appends a row of the table of hops: " 3  r3.example (198.51.100.3)
// 2.017 ms  mtu 1400".
func (t *PmtuText) appendHop(b []byte, h *pmtu.Hop) []byte {
	b = append(appendTTL(b, h.TTL), ' ')
	if !h.From.IsValid() {
		b = append(b, '*')
	} else {
		b = t.appendHost(b, h.From)
		b = appendTraceTime(append(b, "  "...), h.RTT)
	}
	if h.MTU != 0 {
		b = strconv.AppendInt(append(b, "  mtu "...), int64(h.MTU), 10)
	}
	return append(b, '\n')
}

// appendStairs appends one line for each step: where, the MTU from there on, and
// how that is known. The first is that of the interface.
func (t *PmtuText) appendStairs(b []byte, h *PmtuHost, res *pmtu.Result) []byte {
	top := max(h.LinkMTU, res.LinkMTU)
	if top != 0 && !slices.ContainsFunc(res.Limits, func(l pmtu.Limit) bool { return l.Place == pmtu.Interface }) {
		b = append(appendStep(b, top, 0), "this host's interface\n"...)
	}
	for i := range res.Limits {
		l := &res.Limits[i]
		b = appendStep(b, l.MTU, l.TTL)
		switch l.Place {
		case pmtu.Interface:
			b = append(b, "this host's interface\n"...)
			continue
		case pmtu.Route:
			b = append(b, "this host's route, or its cached path MTU\n"...)
			continue
		}
		b = append(t.appendStepRouter(b, l), '\n')
	}
	return b
}

// appendStep appends what leads a step: "mtu 1400  hop 3  ", in columns.
func appendStep(b []byte, mtu, ttl int) []byte {
	start := len(b)
	b = strconv.AppendInt(append(b, "mtu "...), int64(mtu), 10)
	b = pad(b, start+len("mtu 65535  "))
	if ttl == 0 {
		return b
	}
	start = len(b)
	b = strconv.AppendInt(append(b, "hop "...), int64(ttl), 10)
	return pad(b, start+len("hop 99  "))
}

// pad appends at least one space, up to a length.
func pad(b []byte, n int) []byte {
	b = append(b, ' ')
	for len(b) < n {
		b = append(b, ' ')
	}
	return b
}

func (t *PmtuText) appendStepRouter(b []byte, l *pmtu.Limit) []byte {
	switch {
	case l.From.IsValid():
		b = t.appendHost(b, l.From)
	case l.TTL == 0:
		b = append(b, "somewhere on the path"...)
	default:
		b = append(b, "no answer"...)
	}
	switch {
	case !l.Signalled && l.TTL == 0 && !l.From.IsValid():
		b = append(b, ": larger packets vanish"...)
	case !l.Signalled:
		b = append(b, ": larger packets vanish behind it"...)
	case !l.Tested:
		b = append(b, ": says so, not tested"...)
	case l.Claim == 0:
		b = append(b, ": refuses larger packets, without saying how large they may be"...)
	case l.Claim != l.MTU:
		b = strconv.AppendInt(append(b, ": says "...), int64(l.Claim), 10)
		b = append(b, ", which is not true"...)
	default:
		b = append(b, ": says so, and it is true"...)
	}
	return b
}

// appendHost appends an address with its name: "r1.example (198.51.100.1)".
func (t *PmtuText) appendHost(b []byte, a netip.Addr) []byte {
	name := ""
	if t.Name != nil && !t.Numeric {
		name = t.Name(a)
	}
	if name == "" {
		return AppendAddr(b, a)
	}
	return append(AppendAddr(append(AppendName(b, name), " ("...), a), ')')
}

// verdictWords say what a verdict means, behind the size.
var verdictWords = [...]string{
	pmtu.Unanswered: "the destination answers nothing",
	pmtu.Unsure:     "unsure",
	pmtu.Clear:      "clear, everything that leaves this host arrives",
	pmtu.Local:      "limited by this host itself",
	pmtu.Signalled:  "limited by the path, and routers say so",
	pmtu.BlackHoled: "black hole, larger packets vanish without a word",
}

// appendPmtuVerdict appends the verdict in a line: "path MTU 1400: black hole,
// larger packets vanish without a word on the way there".
func appendPmtuVerdict(b []byte, res *pmtu.Result) []byte {
	b = append(b, "path MTU "...)
	if res.PMTU != 0 {
		b = strconv.AppendInt(b, int64(res.PMTU), 10)
	} else {
		b = appendBounds(b, res.AtLeast, res.AtMost)
	}
	verdict := res.Verdict
	if int(verdict) >= len(verdictWords) {
		verdict = pmtu.Unsure
	}
	b = append(append(b, ": "...), verdictWords[verdict]...)
	if verdict != pmtu.Clear && verdict != pmtu.Local {
		b = append(b, directionWords(res.Direction)...)
	}
	if res.ReturnMTU != 0 {
		b = strconv.AppendInt(append(b, "; way back "...), int64(res.ReturnMTU), 10)
	}
	if res.Interrupted {
		b = append(b, "; ended before its time"...)
	}
	return append(b, '\n')
}

// directionWords say which way is limited.
func directionWords(d pmtu.Direction) string {
	switch d {
	case pmtu.Forward:
		return ", on the way there"
	case pmtu.Return:
		return ", on the way back"
	case pmtu.Both:
		return ", both ways"
	}
	return ""
}

// appendBounds appends what is known of a size: "from 1280 to 1400".
func appendBounds(b []byte, low, high int) []byte {
	switch {
	case low == 0 && high == 0:
		return append(b, "unknown"...)
	case low == 0:
		return strconv.AppendInt(append(b, "at most "...), int64(high), 10)
	case high <= low:
		return strconv.AppendInt(append(b, "at least "...), int64(low), 10)
	}
	b = strconv.AppendInt(append(b, "from "...), int64(low), 10)
	return strconv.AppendInt(append(b, " to "...), int64(high), 10)
}

// appendPmtuEffort appends what a search took: "25 probes, 30120 bytes, in 3
// rounds and 0.101 s by udp to port 33434, raw sockets".
func appendPmtuEffort(b []byte, h *PmtuHost, res *pmtu.Result) []byte {
	b = appendCount(b, res.Sent, "probe")
	b = strconv.AppendInt(append(b, ", "...), res.Bytes, 10)
	b = appendCount(append(b, " bytes, in "...), res.Rounds, "round")
	b = append(b, " and "...)
	b = strconv.AppendFloat(b, res.Duration.Seconds(), 'f', 3, 64)
	b = append(append(b, " s by "...), res.Method.String()...)
	if res.Port != 0 {
		b = strconv.AppendUint(append(b, " to port "...), uint64(res.Port), 10)
	}
	b = append(append(append(b, ", "...), h.Socket.String()...), " sockets"...)
	if res.Strays > 0 {
		b = appendCount(append(b, ", "...), res.Strays, "stray")
	}
	return append(b, '\n')
}

// AppendProgress appends how far a search is, for a line of the terminal.
func (t *PmtuText) AppendProgress(b []byte, p *PmtuProgress) []byte {
	b = appendBounds(append(b, "path MTU "...), p.AtLeast, p.AtMost)
	b = appendCount(append(b, ", "...), p.Probes, "probe")
	return strconv.AppendInt(append(b, " decided, round "...), int64(p.Round), 10)
}

// AppendStatus appends a line that says how far a search is, for standard error.
func (t *PmtuText) AppendStatus(b []byte, h *PmtuHost, p *PmtuProgress) []byte {
	b = append(AppendSafe(append(b, '\r'), h.Name), ": "...)
	return append(t.AppendProgress(b, p), '\n')
}

// Addresses returns the addresses that a summary shows with their names.
func (t *PmtuText) Addresses(res *pmtu.Result) []netip.Addr {
	var list []netip.Addr
	add := func(a netip.Addr) {
		if a.IsValid() && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	for i := range res.Hops {
		add(res.Hops[i].From)
	}
	for i := range res.Limits {
		add(res.Limits[i].From)
	}
	return list
}
