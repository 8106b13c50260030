package render

import (
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/trace"
)

// A PmtuJSON renders a search for the path MTU as one JSON object per line.
// docs/json.md describes them, docs/json.schema.json checks them.
type PmtuJSON struct{}

// AppendStart appends the event that opens a search.
func (PmtuJSON) AppendStart(b []byte, h *PmtuHost, now time.Time) []byte {
	o := event(b, "start")
	o.int("schema", Schema)
	o.str("command", "pmtu")
	o.str("target", h.Name)
	o.addr("addr", h.Addr)
	o.str("family", familyWord(icmpx.FamilyOf(h.Addr)))
	o.str("socket", socketWord(h.Socket))
	o.str("method", h.Method.String())
	if h.Port != 0 {
		o.int("port", int64(h.Port))
	}
	o.orNull("link_mtu", int64(h.LinkMTU), h.LinkMTU != 0)
	if h.RouteMTU != 0 {
		o.int("route_mtu", int64(h.RouteMTU))
	}
	o.time("time", now)
	return o.line()
}

// AppendProbe appends the event of a probe that is decided.
func (PmtuJSON) AppendProbe(b []byte, p *pmtu.Probe) []byte {
	o := event(b, "probe")
	o.int("size", int64(p.Size))
	if p.TTL != 0 {
		o.int("ttl", int64(p.TTL))
	}
	o.str("method", p.Method.String())
	if p.Path != 0 {
		o.int("path", int64(p.Path))
	}
	o.str("fate", p.Fate.String())
	switch p.Fate {
	case probe.Answered, probe.Extra:
		o.addr("from", p.From)
		o.str("kind", p.Kind.String())
		if p.Kind == icmpx.KindTooBig {
			o.int("mtu", int64(p.MTU))
		}
		if p.Frag != 0 {
			o.int("fragment_bytes", int64(p.Frag))
		}
		o.int("rtt_ns", int64(p.RTT))
	case probe.Failed:
		why := failure(p.Err)
		o.str("failed", why.text())
		if name := why.name(); name != "" {
			o.str("errno", name)
		}
	}
	o.time("time", p.Sent)
	return o.line()
}

// AppendSummary appends the event that closes a search.
func (PmtuJSON) AppendSummary(b []byte, h *PmtuHost, res *pmtu.Result) []byte {
	o := event(b, "summary")
	o.str("target", h.Name)
	o.addr("addr", h.Addr)
	o.orNull("pmtu", int64(res.PMTU), res.PMTU != 0)
	o.str("verdict", res.Verdict.String())
	o.orNull("at_least", int64(res.AtLeast), res.AtLeast != 0)
	o.orNull("at_most", int64(res.AtMost), res.AtMost != 0)
	o.str("direction", res.Direction.String())
	o.key("limits")
	o.b = appendArray(o.b, res.Limits, appendLimitJSON)
	o.blackHole(res.BlackHole)
	if res.ReturnMTU != 0 {
		o.int("return_path_mtu", int64(res.ReturnMTU))
	}
	o.orNull("tcp_mss", int64(res.TCPMSS), res.TCPMSS != 0)
	o.int("forged", int64(res.Forged))
	o.int("strays", int64(res.Strays))
	o.int("probes_sent", int64(res.Sent))
	o.int("bytes_sent", res.Bytes)
	o.int("rounds", int64(res.Rounds))
	o.int("duration_ns", int64(res.Duration))
	if res.Interrupted {
		o.yes("interrupted")
	}
	if len(res.Hops) > 0 {
		o.key("hops")
		o.b = appendArray(o.b, res.Hops, appendHopJSON)
	}
	o.key("findings")
	o.b = appendArray(o.b, res.Findings, appendPmtuFinding)
	return o.line()
}

// appendArray appends an array of what each appends.
func appendArray[T any](b []byte, list []T, each func([]byte, *T) []byte) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = each(b, &list[i])
	}
	return append(b, ']')
}

func appendLimitJSON(b []byte, l *pmtu.Limit) []byte {
	o := begin(b)
	o.str("place", l.Place.String())
	if l.TTL != 0 {
		o.int("ttl", int64(l.TTL))
	}
	o.addr("from", l.From)
	o.int("mtu", int64(l.MTU))
	o.bool("signalled", l.Signalled)
	o.bool("tested", l.Tested)
	return o.end()
}

// blackHole appends where packets vanish, if they do.
func (o *object) blackHole(h *pmtu.BlackHole) {
	if h == nil {
		return
	}
	o.key("black_hole")
	c := begin(o.b)
	c.int("mtu", int64(h.MTU))
	c.orNull("after_ttl", int64(h.AfterTTL), h.AfterTTL != 0)
	c.addr("after", h.After)
	if h.BeforeTTL != 0 {
		c.int("before_ttl", int64(h.BeforeTTL))
		c.addr("before", h.Before)
	}
	o.b = c.end()
}

func appendHopJSON(b []byte, h *pmtu.Hop) []byte {
	o := begin(b)
	o.int("ttl", int64(h.TTL))
	o.addr("from", h.From)
	o.orNull("rtt_ns", int64(h.RTT), h.From.IsValid())
	o.orNull("mtu", int64(h.MTU), h.MTU != 0)
	if h.End {
		o.yes("end")
	}
	return o.end()
}

func appendPmtuFinding(b []byte, f *pmtu.Finding) []byte {
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
		c.fact(trace.Fact(fact))
	}
	o.b = c.end()
	return o.end()
}
