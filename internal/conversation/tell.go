package conversation

import (
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// begin returns an event about a request; nil if nobody wants to know.
func (t *Tracker) begin(k Kind, e *entry) *Event {
	if t.opts.Sink == nil {
		return nil
	}
	ev := &t.event
	*ev = Event{Kind: k, RTT: -1}
	if e != nil {
		ev.about(&e.key)
		ev.Dst = addrOf(e.family, e.to)
		ev.Request = e.sent.frame
	}
	return ev
}

// about fills in what a key says.
func (ev *Event) about(k *key) {
	ev.Query = k.query
	ev.Src, ev.Dst = addrOf(k.family, k.asker), addrOf(k.family, k.asked)
	if k.query != NoQuery {
		ev.ID, ev.Seq = uint16(k.flow>>16), uint16(k.flow)
	}
}

func (t *Tracker) tellReply(e *entry, rtt time.Duration, late, ambiguous bool) {
	ev := t.begin(Reply, e)
	if ev == nil {
		return
	}
	ev.Request = e.near(&e.back).frame
	ev.Reply, ev.RTT, ev.Late, ev.Ambiguous = e.back.frame, rtt, late, ambiguous
	ev.From = ev.Dst
	if e.group {
		ev.From = addrOf(e.family, t.from)
	}
	t.opts.Sink(ev)
}

// tellAgain tells of a packet that came before: frame is that of a reply or an
// error, 0 if it is the request itself.
func (t *Tracker) tellAgain(k Kind, e *entry, earlier, frame int) {
	ev := t.begin(k, e)
	if ev == nil {
		return
	}
	ev.Earlier, ev.Reply = earlier, frame
	if frame != 0 {
		ev.From = addrOf(e.family, t.from)
	}
	t.opts.Sink(ev)
}

// tellCopy tells of a request that was seen before at another place.
func (t *Tracker) tellCopy(e *entry, frame int) {
	ev := t.begin(Copy, e)
	if ev == nil {
		return
	}
	ev.Earlier, ev.Request = e.sent.frame, frame
	t.opts.Sink(ev)
}

func (t *Tracker) tellUnanswered(e *entry, ended bool) {
	ev := t.begin(Unanswered, e)
	if ev == nil {
		return
	}
	if e.replied && e.before != 0 { // the last try was answered
		ev.Request = e.before
	}
	ev.Tries, ev.Ended = int(e.open), ended
	t.opts.Sink(ev)
}

func (t *Tracker) tellUnasked(p *packet.Packet, k *key) {
	ev := t.begin(Unasked, nil)
	if ev == nil {
		return
	}
	ev.about(k)
	ev.Reply, ev.From = p.Frame.Number, p.IP.Src
	t.opts.Sink(ev)
}

// tellError tells of an error about e, or about nothing in the capture.
func (t *Tracker) tellError(p *packet.Packet, e *entry, s *sighting, isNotice bool) {
	ev := t.begin(Error, e)
	if ev == nil {
		return
	}
	if e != nil {
		sent := e.near(s)
		ev.Request, ev.RTT, ev.Ambiguous = sent.frame, between(sent, s), e.open+e.lost > 1
		ev.Late = e.open == 0 && e.lost > 0
	} else {
		ev.Src, ev.Dst = t.quote.Src, t.quote.Dst
	}
	ev.Reply, ev.From, ev.Type, ev.Code, ev.Notice = s.frame, p.IP.Src, p.Type, p.Code, isNotice
	ev.Quote = t.quote
	t.opts.Sink(ev)
}
