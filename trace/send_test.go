package trace_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

// A host that can send nothing says why, after one round.
func TestCannotSend(t *testing.T) {
	o := chain(9)
	o.SendErr = func(*icmpx.Request) error { return syscall.ENETUNREACH }
	s := run(t, o, trace.Options{})
	if !errors.Is(s.err, syscall.ENETUNREACH) || s.result.Sent != 0 || len(s.result.Rows) != 0 || s.result.Duration != 0 {
		t.Errorf("error %v, %s", s.err, text(&s.result))
	}
}

// What the kernel had no buffer for is asked again; what it never lets pass is
// told.
func TestSendFailures(t *testing.T) {
	o := chain(9)
	n := 0
	o.SendErr = func(r *icmpx.Request) error {
		n++
		switch {
		case r.TTL == 7:
			return syscall.EPERM
		case n == 4:
			return syscall.ENOBUFS
		}
		return nil
	}
	s := run(t, o, trace.Options{Queries: 1})
	r := &s.result
	if s.err != nil || !r.Reached || r.Sent != 31 || r.Duration != 70*ms {
		t.Errorf("error %v, %s", s.err, text(r))
	}
	if p := r.Rows[3].Probes[0]; p.State != trace.Answered || p.Asked != 2 || p.Err != nil {
		t.Errorf("hop 4: %+v", p)
	}
	if p := r.Rows[6].Probes[0]; p.State != trace.Failed || !errors.Is(p.Err, syscall.EPERM) {
		t.Errorf("hop 7: %+v", p)
	}
	wantCodes(t, r, "not_sent")
}

// What this host does not let out asks nobody.
func TestQuestionNotSent(t *testing.T) {
	o := chain(5)
	o.Hosts[0].Drop = true
	o.SendErr = func(r *icmpx.Request) error {
		if r.Proto == icmpx.ProtoTCPSYN {
			return syscall.EPERM
		}
		return nil
	}
	s := run(t, o, trace.Options{})
	for _, q := range s.result.Questions {
		want := trace.Lost
		if q.Method == trace.TCP {
			want = trace.Failed
		}
		if q.Probe.State != want {
			t.Errorf("%v port %d: %v, want %v", q.Method, q.Port, q.Probe.State, want)
		}
	}
	if n := len(s.result.Questions); n != 3 {
		t.Errorf("%d questions, want 3", n)
	}
}
