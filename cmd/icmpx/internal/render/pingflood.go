package render

import (
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// FloodSent is what a flood prints for each probe that leaves.
const FloodSent = "."

// AppendFlood appends what a flood prints for an event, in place of lines: a
// reply takes a dot away, so that the dots left are the probes without one; C
// is a reply whose payload changed, E an error.
func (t *Text) AppendFlood(b []byte, ev *probe.PingEvent) []byte {
	r := ev.Result
	switch {
	case t.Quiet:
		return b
	case ev.Kind == probe.PingReply && r.Damage.Class != probe.Intact:
		return append(b, "\bC"...)
	case ev.Kind == probe.PingReply:
		b = append(b, "\b \b"...)
		if t.Bell {
			b = append(b, '\a')
		}
		return b
	case ev.Kind == probe.PingError && r.Fate == probe.Failed:
		return append(b, 'E') // it got no dot
	case ev.Kind == probe.PingError && r.Reply.Kind != icmpx.KindUnknown:
		return append(b, "\bE"...)
	}
	return b
}
