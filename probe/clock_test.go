package probe

import (
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// The wall clock may step at any time: the RTT stays true.
func TestClockStep(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, time.Millisecond, -time.Millisecond} {
		l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
			l.answer(0, stamp(r))
			if r.Key.Tag == 2 { // the clock steps while it is under way
				l.mu.Lock()
				l.offset += step
				l.mu.Unlock()
			}
			l.answer(20*time.Millisecond, echo(r))
			return nil
		})
		bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
			for n, want := range []icmpx.Stamp{icmpx.StampKernel, icmpx.StampUser, icmpx.StampKernel} {
				r, err := e.Do(t.Context(), echoProbe(dst1))
				if err != nil || r.RTT != 20*time.Millisecond || r.Stamps != want {
					t.Errorf("step %v, probe %d: RTT %v by %v (%v), want 20ms by %v", step, n+1, r.RTT, r.Stamps, err, want)
				}
			}
		})
	}
}

// Stamps name the worse of the two ends.
func TestStamps(t *testing.T) {
	tests := []struct {
		name     string
		tx       bool
		rx, want icmpx.Stamp
	}{
		{"both", true, icmpx.StampKernel, icmpx.StampKernel},
		{"no transmit stamp", false, icmpx.StampKernel, icmpx.StampUser},
		{"no receive stamp", true, icmpx.StampUser, icmpx.StampUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
				if tt.tx {
					l.answer(0, stamp(r))
				}
				reply := echo(r)
				reply.Stamp = tt.rx
				l.answer(7*time.Millisecond, reply)
				return nil
			})
			bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
				r, err := e.Do(t.Context(), echoProbe(dst1))
				if err != nil || r.Stamps != tt.want || r.RTT != 7*time.Millisecond {
					t.Errorf("RTT %v by %v (%v), want 7ms by %v", r.RTT, r.Stamps, err, tt.want)
				}
			})
		})
	}
}
