package probe

import (
	"testing"
	"time"
)

// Invariant 8: no drift over an hour.
func TestPaceOverAnHour(t *testing.T) {
	l := newScriptLink(nil)
	bubble(t, Config{Rate: 7, Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
		begin := time.Now()
		for range 7 * 3600 {
			if err := e.Start(t.Context(), echoProbe(dst1), nil); err != nil {
				t.Fatal(err)
			}
		}
		// The interval is a whole number of nanoseconds.
		if got := time.Since(begin); got < time.Hour-time.Second || got > time.Hour {
			t.Errorf("an hour's probes took %v", got)
		}
	})
}

func TestPacer(t *testing.T) {
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	p := newPacer(1000, 1) // one a millisecond
	if got := p.reserve(at(0)); !got.Equal(at(0)) {
		t.Errorf("first at %v", got.Sub(begin))
	}
	if got := p.reserve(at(0)); !got.Equal(at(1)) {
		t.Errorf("second at %v", got.Sub(begin))
	}
	// The timer for it fired 5 ms late: five packets are owed at once.
	for want := 2; want <= 6; want++ {
		if got := p.reserve(at(6)); !got.Equal(at(want)) {
			t.Errorf("packet %d at %v", want, got.Sub(begin))
		}
	}
	if got := p.reserve(at(6)); !got.Equal(at(7)) {
		t.Errorf("after catching up: %v", got.Sub(begin))
	}
	// After a long sleep only the slack is made up for, not the whole absence.
	n := 0
	for !p.reserve(at(5000)).After(at(5000)) {
		n++
	}
	if n > int(slack/time.Millisecond)+1 {
		t.Errorf("%d packets at once after an absence", n)
	}
	b := newPacer(10, 5)
	for i := range 5 {
		if got := b.reserve(at(0)); got.After(at(0)) {
			t.Errorf("packet %d of a burst of five at %v", i+1, got.Sub(begin))
		}
	}
	if got := b.reserve(at(0)); !got.Equal(at(100)) {
		t.Errorf("after the burst: %v", got.Sub(begin))
	}
}
