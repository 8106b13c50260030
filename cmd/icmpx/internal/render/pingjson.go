package render

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// Schema is the version of the shapes that JSON output has. It grows when a key
// changes its meaning or goes; keys may be added without notice.
const Schema = 1

// A JSON renders a ping as one JSON object per line. docs/json.md describes
// them, docs/json.schema.json checks them.
type JSON struct{}

// AppendStart appends the event that opens a run.
func (JSON) AppendStart(b []byte, h *Host, now time.Time) []byte {
	o := event(b, "start")
	o.int("schema", Schema)
	o.str("command", "ping")
	o.str("target", h.Name)
	o.addr("addr", h.Addr)
	o.str("family", familyWord(icmpx.FamilyOf(h.Addr)))
	o.int("payload_bytes", int64(h.Payload))
	o.int("packet_bytes", int64(h.PacketBytes()))
	o.str("socket", socketWord(h.Socket))
	if h.Query != "" {
		o.str("query", h.Query)
	}
	o.time("time", now)
	return o.line()
}

// AppendEvent appends the event, if it is one for output. now is the time of
// events that carry none of their own.
func (JSON) AppendEvent(b []byte, h *Host, ev *probe.PingEvent, now time.Time) []byte {
	switch ev.Kind {
	case probe.PingReply:
		return appendReply(b, h, ev)
	case probe.PingLost:
		o := event(b, "lost")
		o.str("target", h.Name)
		o.int("seq", int64(ev.Seq))
		o.time("time", orNow(ev.Result.Sent, now))
		return o.line()
	case probe.PingWaiting:
		o := event(b, "waiting")
		o.str("target", h.Name)
		o.int("seq", int64(ev.Seq))
		o.time("time", now)
		return o.line()
	case probe.PingError:
		return appendError(b, h, ev, now)
	case probe.PingNotice:
		return appendNotice(b, h, ev)
	case probe.PingRate:
		o := event(b, "rate")
		o.str("target", h.Name)
		o.float("pps", ev.Rate)
		o.str("why", ev.Why)
		return o.line()
	}
	return b
}

// AppendStray appends the event of a reply that is nobody's answer. target is
// the host that it seems to be about; "" if it is none.
func (JSON) AppendStray(b []byte, target string, r *icmpx.Reply, why string) []byte {
	o := event(b, "stray")
	if target != "" {
		o.str("target", target)
	}
	o.addr("from", r.From)
	o.str("why", why)
	return o.line()
}

// AppendSummary appends the event that closes a run.
func (JSON) AppendSummary(b []byte, h *Host, s *Account) []byte {
	o := event(b, "summary")
	o.str("target", h.Name)
	o.addr("addr", h.Addr)
	for _, n := range [...]struct {
		key   string
		count int
	}{
		{"sent", s.Sent}, {"received", s.Received}, {"corrupted", s.Corrupted}, {"errors", s.Errors},
		{"lost", s.Lost}, {"in_flight", s.InFlight}, {"duplicates", s.Duplicates}, {"late", s.Late},
		{"forged", s.Forged}, {"stale", s.Stale}, {"strays", s.Strays}, {"own_drops", s.OwnDrops},
	} {
		o.int(n.key, int64(n.count))
	}
	o.percent("loss_percent", s.LossPercent())
	o.int("duration_ns", int64(s.Duration))
	o.rtt("rtt_ns", &s.RTT)
	o.orNull("jitter_ns", int64(s.RTT.Jitter), s.RTT.N > 1)
	if s.Payload != nil {
		o.payload(s.Payload)
	}
	return o.line()
}

func appendReply(b []byte, h *Host, ev *probe.PingEvent) []byte {
	r := ev.Result
	o := event(b, "reply")
	o.str("target", h.Name)
	o.addr("from", r.Reply.From)
	o.int("seq", int64(ev.Seq))
	o.int("bytes", int64(r.Reply.Bytes))
	o.orNull("ttl", int64(r.Reply.TTL), r.Reply.TTL != 0)
	o.int("rtt_ns", int64(r.RTT))
	o.str("stamps", r.Stamps.String())
	o.query(&r.Reply)
	if r.Fate == probe.Extra && !r.Late {
		o.yes("duplicate")
	}
	if r.Late {
		o.yes("late")
	}
	if d := &r.Damage; d.Class != probe.Intact {
		o.key("corrupt")
		c := begin(o.b)
		c.int("offset", int64(d.Offset))
		c.orNull("want", int64(d.Want), d.Want >= 0)
		c.orNull("got", int64(d.Got), d.Got >= 0)
		c.str("class", d.Class.String())
		o.b = c.end()
	}
	if len(r.Reply.Options) > 0 {
		o.options(r.Reply.Options)
	}
	o.time("time", r.Reply.At)
	return o.line()
}

func appendError(b []byte, h *Host, ev *probe.PingEvent, now time.Time) []byte {
	r := ev.Result
	if r.Fate == probe.Failed {
		return appendFailed(b, h, ev, now)
	}
	f := icmpx.FamilyOf(h.Addr)
	o := event(b, "error")
	o.str("target", h.Name)
	o.int("seq", int64(ev.Seq))
	o.addr("from", r.Reply.From)
	o.str("kind", r.Reply.Kind.String())
	o.int("type", int64(r.Reply.Type))
	o.int("code", int64(r.Reply.Code))
	o.str("name", icmpx.Describe(f, r.Reply.Type, r.Reply.Code))
	if r.Reply.Kind == icmpx.KindTooBig {
		o.int("mtu", int64(r.Reply.MTU))
	}
	o.time("time", orNow(r.Reply.At, now))
	return o.line()
}

// appendFailed appends the error event of a probe that this host did not send.
func appendFailed(b []byte, h *Host, ev *probe.PingEvent, now time.Time) []byte {
	why := failure(ev.Result.Err)
	o := event(b, "error")
	o.str("target", h.Name)
	o.int("seq", int64(ev.Seq))
	o.null("from")
	o.str("kind", icmpx.KindLocal.String())
	o.null("type")
	o.null("code")
	o.str("name", why.text())
	if name := why.name(); name != "" {
		o.str("errno", name)
	}
	o.time("time", orNow(ev.Result.Sent, now))
	return o.line()
}

func appendNotice(b []byte, h *Host, ev *probe.PingEvent) []byte {
	r := &ev.Result.Reply
	o := event(b, "notice")
	o.str("target", h.Name)
	o.int("seq", int64(ev.Seq))
	o.str("kind", r.Kind.String())
	o.addr("from", r.From)
	if r.Kind == icmpx.KindRedirect {
		o.addr("gateway", r.Gateway)
	}
	return o.line()
}

// rtt appends a summary of round-trip times, or null if there were none.
func (o *object) rtt(k string, s *probe.Summary) {
	if s.N == 0 {
		o.null(k)
		return
	}
	o.key(k)
	r := begin(o.b)
	r.int("min", int64(s.Min))
	r.int("avg", int64(s.Avg))
	r.int("max", int64(s.Max))
	r.int("mdev", int64(s.Mdev))
	r.int("p50", int64(s.P50))
	r.int("p90", int64(s.P90))
	r.int("p95", int64(s.P95))
	r.int("p99", int64(s.P99))
	o.b = r.end()
}

// event opens an object that begins with its event.
func event(b []byte, name string) object {
	o := begin(b)
	o.str("event", name)
	return o
}

func familyWord(f icmpx.Family) string {
	if f == icmpx.IPv6 {
		return "ipv6"
	}
	return "ipv4"
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}
