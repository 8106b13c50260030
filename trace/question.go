package trace

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/icmpx/icmpx/probe"
)

// A question is a last question under way.
type question struct {
	Question
	asked   time.Time
	refused bool
}

func (q *question) open() bool { return q.Probe.State == Open }

// lastPorts are asked by TCP: the two that are open, or closed by the host
// itself, more often than any other.
var lastPorts = [...]uint16{443, 80}

// askLast asks the destination once by the other methods, with the TTL of
// ordinary packets and by no source route, and reports whether it did. A method
// that the engine has no link for is left out.
func (r *run) askLast() (asked bool, err error) {
	if r.asked {
		return false, nil
	}
	r.asked = true
	for _, m := range r.lastMethods() {
		ports, size := []uint16{m.DefaultPort()}, m.defaultSize(r.family)
		if m == TCP {
			ports = lastPorts[:]
		}
		for _, port := range ports {
			err := r.start(ask{question: len(r.questions)}, r.request(m, nil, port, 0, size))
			if errors.Is(err, probe.ErrNoLink) {
				break
			}
			if err != nil {
				return asked, fmt.Errorf("ask %v by %v: %w", r.dst, m, err)
			}
			q := question{Question: Question{Method: m, Port: port}, asked: time.Now()}
			q.Probe.Asked, q.Probe.Size = 1, size
			r.questions = append(r.questions, q)
			asked = true
		}
	}
	return asked, nil
}

// lastMethods returns the methods of the last question, one for each protocol
// but the trace's own.
func (r *run) lastMethods() []Method {
	want := r.opts.LastQuestion
	if want == nil {
		want = []Method{ICMP, TCP, UDP}
	}
	used := []Method{r.opts.Method}
	var list []Method
	for _, m := range want {
		if int(m) < len(methodNames) && !slices.ContainsFunc(used, func(o Method) bool { return o.Proto() == m.Proto() }) {
			used = append(used, m)
			list = append(list, m)
		}
	}
	return list
}

// answerLast books the answer to a last question.
func (r *run) answerLast(i int, res *probe.Result) {
	q := &r.questions[i]
	switch {
	case !q.open():
	case res.Fate == probe.Failed:
		q.refused, q.Probe.Err = true, res.Err
	default:
		asked := q.Probe.Asked
		q.Probe = newProbe(q.Method, nil, res)
		q.Probe.Asked = asked
		q.Reached = r.path.meansTo(q.Method, &q.Probe) == reached
	}
}
