package render

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A Text renders a ping as iputils' ping does: what scripts cut out of its lines
// stands where they look for it. What it adds comes behind, or with Verbose.
type Text struct {
	Timestamps bool // lead each line by its time (-D)
	Quiet      bool // only the first line and the statistics (-q)
	Verbose    bool // more about each reply, percentiles and jitter (-v)
	Prefix     bool // lead each line by its host: there are several
	Bell       bool // ring at each reply (-a)
	Precise    bool // round-trip times with three decimals (-3)
	Gap        bool // the statistics say how far apart the probes were (-f, -A)

	Name func(netip.Addr) string // the name of an address, "" if not known; nil: none is

	route []netip.Addr // that was recorded last
}

// AppendStart appends the line that opens a run.
func (t *Text) AppendStart(b []byte, h *Host) []byte {
	b = t.prefix(b, h)
	b = AppendSafe(append(b, "PING "...), h.Name)
	v6 := icmpx.FamilyOf(h.Addr) == icmpx.IPv6
	if v6 {
		b = append(AppendAddr(append(b, '('), h.Addr), ") "...)
	} else {
		b = append(AppendAddr(append(b, " ("...), h.Addr), ") "...)
	}
	if h.FlowLabel != 0 {
		b = append(b, ", flow 0x"...)
		for shift := 16; shift >= 0; shift -= 4 {
			b = append(b, hexDigits[h.FlowLabel>>shift&15])
		}
		b = append(b, ", "...)
	}
	b = appendOrigin(b, h)
	if h.Query != "" {
		b = append(append(b, h.Query...), " requests, "...)
	}
	b = strconv.AppendInt(b, int64(h.Payload), 10)
	if v6 {
		return append(b, " data bytes\n"...)
	}
	b = strconv.AppendInt(append(b, '('), int64(h.PacketBytes()), 10)
	return append(b, ") bytes of data.\n"...)
}

// AppendPattern appends the line that shows the pattern of -p.
func AppendPattern(b, pattern []byte) []byte {
	return append(appendHex(append(b, "PATTERN: 0x"...), pattern), '\n')
}

// appendOrigin appends "from ADDRESS INTERFACE: " as far as -I asked for it.
func appendOrigin(b []byte, h *Host) []byte {
	if h.Interface == "" && !h.FromSource {
		return b
	}
	b = append(b, "from "...)
	if h.Source.IsValid() {
		b = append(AppendAddr(b, h.Source), ' ')
	}
	return append(AppendSafe(b, h.Interface), ": "...)
}

// AppendEvent appends the lines for an event that belong on standard output;
// there may be none. now is the time of events that carry none of their own.
func (t *Text) AppendEvent(b []byte, h *Host, ev *probe.PingEvent, now time.Time) []byte {
	if t.Quiet || IsLocal(h, ev) {
		return b
	}
	r := ev.Result
	switch ev.Kind {
	case probe.PingReply:
		return t.reply(b, h, ev)
	case probe.PingRejected:
		if r.Reply.Kind == icmpx.KindEchoReply {
			return t.reply(b, h, ev)
		}
		return t.icmp(b, h, ev, ": icmp_seq=")
	case probe.PingError:
		return t.icmp(b, h, ev, " icmp_seq=")
	case probe.PingNotice:
		return t.icmp(b, h, ev, ": icmp_seq=")
	case probe.PingWaiting:
		b = append(t.lead(b, h, now), "no answer yet for icmp_seq="...)
		return append(appendSeq(b, ev), '\n')
	case probe.PingLost:
		return t.lost(b, h, ev, now)
	case probe.PingRate:
		return t.rate(b, h, ev, now)
	}
	return b
}

// icmp appends the line of an ICMP error, or of a notice.
func (t *Text) icmp(b []byte, h *Host, ev *probe.PingEvent, colon string) []byte {
	r := &ev.Result.Reply
	b = t.address(append(t.lead(b, h, r.At), "From "...), r.From)
	b = append(appendSeq(append(b, colon...), ev), ' ')
	b = appendICMP(b, icmpx.FamilyOf(h.Addr), r)
	return append(appendMarks(b, ev.Result), '\n')
}

// rate appends the line of a rate that changed.
func (t *Text) rate(b []byte, h *Host, ev *probe.PingEvent, now time.Time) []byte {
	b = append(t.lead(b, h, now), "rate now "...)
	b = strconv.AppendFloat(b, ev.Rate, 'g', 4, 64)
	b = AppendSafe(append(b, " probes per second: "...), ev.Why)
	return append(b, '\n')
}

func (t *Text) lost(b []byte, h *Host, ev *probe.PingEvent, now time.Time) []byte {
	if !t.Verbose {
		return b
	}
	b = append(t.lead(b, h, now), "no answer for icmp_seq="...)
	b = appendSeq(b, ev)
	if ev.Result.NoWire {
		b = append(b, " (it left no trace on the wire)"...)
	}
	return append(b, '\n')
}

// AppendStray appends a line for a reply that belongs to no probe, if Verbose.
func (t *Text) AppendStray(b []byte, r *icmpx.Reply, why string, now time.Time) []byte {
	if !t.Verbose || t.Quiet {
		return b
	}
	b = t.address(append(t.stamp(b, now), "From "...), r.From)
	b = append(b, ": stray "...)
	b = appendICMP(b, icmpx.FamilyOf(r.From), r)
	b = AppendSafe(append(b, ": "...), why)
	return append(b, '\n')
}

// AppendLocal appends what this host could not do, without a line's end. It
// belongs on standard error.
func (t *Text) AppendLocal(b []byte, h *Host, ev *probe.PingEvent) []byte {
	b = t.prefix(b, h)
	r := ev.Result
	if r.Fate == probe.Failed {
		return AppendSafe(append(b, "sendmsg: "...), failure(r.Err).text())
	}
	b = append(b, "local error: message too long"...)
	if r.Reply.MTU == 0 {
		return b
	}
	b = append(b, ", mtu"...)
	if icmpx.FamilyOf(h.Addr) == icmpx.IPv6 {
		b = append(b, ": "...)
	} else {
		b = append(b, '=')
	}
	return strconv.AppendInt(b, int64(r.Reply.MTU), 10)
}

// reply appends the line of an echo reply, and one more if its payload changed.
func (t *Text) reply(b []byte, h *Host, ev *probe.PingEvent) []byte {
	r := ev.Result
	start := len(b)
	b = t.lead(b, h, r.Reply.At)
	b = strconv.AppendInt(b, int64(r.Reply.Bytes), 10)
	b = t.address(append(b, " bytes from "...), r.Reply.From)
	b = appendSeq(append(b, ": icmp_seq="...), ev)
	if t.Verbose {
		b = append(b, " ident="...)
		b = strconv.AppendUint(b, uint64(r.Reply.Key.Flow), 10)
	}
	if r.Reply.TTL != 0 {
		b = append(b, " ttl="...)
		b = strconv.AppendUint(b, uint64(r.Reply.TTL), 10)
	}
	b = t.appendTime(append(b, " time="...), r.RTT)
	b = t.appendQuery(b, &r.Reply)
	if !h.Group || t.Verbose || r.Fate != probe.Extra || r.Late {
		b = appendMarks(b, r)
	}
	if t.Bell {
		b = append(b, '\a')
	}
	b = append(t.appendOptions(b, r.Reply.Options), '\n')
	b = t.prefixRest(b, start, h)
	if r.Damage.Class != probe.Intact {
		b = append(appendDamage(t.prefix(b, h), &r.Damage), '\n')
	}
	return b
}

func (t *Text) appendTime(b []byte, rtt time.Duration) []byte {
	if t.Precise {
		return append(appendList(b, max(rtt, 0)), " ms"...)
	}
	return appendMillis(b, rtt)
}

// appendMarks appends what is odd about a reply.
func appendMarks(b []byte, r *probe.Result) []byte {
	if r.Fate == probe.Extra && !r.Late {
		b = append(b, " (DUP!)"...)
	}
	if r.Late {
		b = append(b, " (LATE!)"...)
	}
	if r.Reply.Trust == icmpx.Forged {
		b = append(b, " (FORGED!)"...)
	}
	if r.Stale {
		b = append(b, " (STALE!)"...)
	}
	if r.Alias && !r.Probe.AnySource {
		b = append(b, " (DIFFERENT ADDRESS!)"...)
	}
	return b
}

// appendICMP appends the words for an ICMP error, redirect or source quench.
func appendICMP(b []byte, f icmpx.Family, r *icmpx.Reply) []byte {
	b = append(b, icmpx.Describe(f, r.Type, r.Code)...)
	switch r.Kind {
	case icmpx.KindTooBig:
		if f == icmpx.IPv6 {
			return strconv.AppendInt(append(b, ": mtu="...), int64(r.MTU), 10)
		}
		b = strconv.AppendInt(append(b, " (mtu = "...), int64(r.MTU), 10)
		return append(b, ')')
	case icmpx.KindParamProblem:
		if f == icmpx.IPv6 {
			return strconv.AppendUint(append(b, " at "...), uint64(r.Pointer), 10)
		}
		return strconv.AppendUint(append(b, ": pointer = "...), uint64(r.Pointer), 10)
	case icmpx.KindRedirect:
		b = AppendAddr(append(b, "(New nexthop: "...), r.Gateway)
		return append(b, ')')
	}
	return b
}

func appendSeq(b []byte, ev *probe.PingEvent) []byte {
	return strconv.AppendUint(b, uint64(ev.Seq), 10)
}

// lead appends what stands before every line: the host, then the time.
func (t *Text) lead(b []byte, h *Host, at time.Time) []byte {
	return t.stamp(t.prefix(b, h), at)
}

func (t *Text) prefix(b []byte, h *Host) []byte {
	if !t.Prefix {
		return b
	}
	return append(AppendSafe(b, h.Name), ": "...)
}

// stamp appends seconds and microseconds since 1970, as iputils has them.
func (t *Text) stamp(b []byte, at time.Time) []byte {
	if !t.Timestamps {
		return b
	}
	us := at.UnixMicro()
	b = strconv.AppendInt(append(b, '['), us/1e6, 10)
	return append(appendFraction(append(b, '.'), us%1e6, 6), "] "...)
}

// address appends an address, behind its name if that is known.
func (t *Text) address(b []byte, a netip.Addr) []byte {
	name := ""
	if t.Name != nil {
		name = t.Name(a)
	}
	if name == "" {
		return AppendAddr(b, a)
	}
	return append(AppendAddr(append(AppendName(b, name), " ("...), a), ')')
}
