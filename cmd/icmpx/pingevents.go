package main

import (
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// event prints one event of a host.
func (s *pingSession) event(h *pingHost, ev *probe.PingEvent) {
	now := time.Now()
	if ev.Kind == probe.PingReply {
		h.note(ev.Result)
	}
	switch {
	case ev.Kind == probe.PingReport:
		s.report(h, ev)
	case s.asked.quiet:
	case s.asked.json:
		s.out.print(func(b []byte) []byte { return s.json.AppendEvent(b, &h.Host, ev, now) })
	case s.asked.flood:
		s.out.print(func(b []byte) []byte { return h.text.AppendFlood(b, ev) })
	case render.IsLocal(&h.Host, ev):
		s.local(h, ev)
	case ev.Kind == probe.PingRejected && !s.strays.allow(now):
	case s.asked.file.chunked && !s.asked.verbose && ordinary(ev):
	default:
		s.out.print(func(b []byte) []byte { return s.appendEvent(b, h, ev, now) })
	}
}

// ordinary reports whether an event is one of the many of a file in chunks that
// nobody wants to read.
func ordinary(ev *probe.PingEvent) bool {
	return ev.Kind == probe.PingReply && ev.Result.Damage.Class == probe.Intact
}

func (s *pingSession) appendEvent(b []byte, h *pingHost, ev *probe.PingEvent, now time.Time) []byte {
	b = h.text.AppendEvent(b, &h.Host, ev, now)
	if s.asked.verbose && ev.Kind == probe.PingReply && ev.Result.Damage.Class != probe.Intact {
		b = h.text.AppendDiff(b, &h.Host, sentPayload(ev.Result), ev.Result.Reply.Payload)
	}
	return b
}

// note keeps what the summary says about the payloads of replies.
func (h *pingHost) note(r *probe.Result) {
	if r.Damage.Class != probe.Intact {
		h.account.Damage.Add(sentPayload(r), r.Reply.Payload, r.Damage)
		h.differed = true
	}
	if r.Probe.Payload != nil {
		h.last = append(h.last[:0], r.Reply.Payload...)
		h.came = true
	}
}

// sentPayload returns what a probe carried.
func sentPayload(r *probe.Result) []byte {
	p := &r.Probe
	if p.Payload != nil {
		return p.Payload
	}
	b := make([]byte, p.PayloadLen(icmpx.FamilyOf(p.Dst)))
	icmpx.FillPayload(b, p.Token, p.Pattern)
	return b
}

// report answers a question for the status, of the user or of the progress.
func (s *pingSession) report(h *pingHost, ev *probe.PingEvent) {
	if ev.Of > 0 {
		s.showProgress(h, ev)
	}
	if h.asked.Swap(false) {
		s.out.warn(func(b []byte) []byte { return h.text.AppendStatus(b, &h.Host, ev.Stats) })
	}
}

// local says what this host could not do, and once what helps.
func (s *pingSession) local(h *pingHost, ev *probe.PingEvent) {
	hint := sendHint(ev.Result)
	s.out.warn(func(b []byte) []byte {
		b = h.text.AppendLocal(append(b, "icmpx: error: "...), &h.Host, ev)
		b = append(b, '\n')
		if s.hinted[hint] {
			return b
		}
		s.hinted[hint] = true
		return appendHint(b, hint)
	})
}

// tap prints the dots of a flood, what belongs to no probe, and in JSON what
// was rejected.
func (s *pingSession) tap(e probe.Event) {
	if s.asked.quiet {
		return
	}
	if e.Kind == probe.EventSent && s.asked.flood && !s.asked.json {
		s.out.print(func(b []byte) []byte { return append(b, render.FloodSent...) })
	}
	wanted := e.Kind == probe.EventStray || e.Kind == probe.EventRejected && s.asked.json
	if !wanted || !s.asked.json && !s.asked.verbose {
		return
	}
	now := time.Now()
	if !s.strays.allow(now) {
		return
	}
	s.out.print(func(b []byte) []byte {
		if s.asked.json {
			return s.json.AppendStray(b, s.targetOf(e.Reply), e.Reply, e.Why)
		}
		return s.hosts[0].text.AppendStray(b, e.Reply, e.Why, now)
	})
}

// targetOf returns the name of the host that a stray seems to be about, or "".
func (s *pingSession) targetOf(r *icmpx.Reply) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, h := range s.byAddr {
		if a == r.Dst || a.WithZone("") == r.Dst.WithZone("") || a == r.From {
			return h.Name
		}
	}
	return ""
}

func (s *pingSession) appendStart(b []byte, h *pingHost) []byte {
	if s.asked.json {
		return s.json.AppendStart(b, &h.Host, time.Now())
	}
	return h.text.AppendStart(b, &h.Host)
}

// complain reports why a host is not pinged.
func (s *pingSession) complain(h *pingHost) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.hideProgress()
	report(s.out.stderr, h.err)
}
