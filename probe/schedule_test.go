package probe

import (
	"fmt"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

func TestThrottle(t *testing.T) {
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	th := newThrottle(100 * time.Millisecond) // 10 a second
	steps := []struct {
		ms      int
		quench  bool
		changed bool
		rate    float64
	}{
		{0, true, true, 5},
		{10, true, false, 5},  // within the RTT
		{25, true, true, 2.5}, // the next RTT
		{900, false, false, 2.5},
		{1025, false, true, 3.75}, // a second after the last change
		{1500, false, false, 3.75},
		{4100, false, true, 7.5}, // three seconds at once
		{60000, false, true, 10}, // no more than asked
		{61000, false, false, 10},
	}
	for _, s := range steps {
		changed := false
		if s.quench {
			changed = th.quench(at(s.ms), 20*time.Millisecond)
		} else {
			changed = th.grow(at(s.ms))
		}
		if changed != s.changed || th.rate != s.rate {
			t.Errorf("at %d ms: changed %v, rate %v; want %v, %v", s.ms, changed, th.rate, s.changed, s.rate)
		}
	}
	for i := range 20 {
		th.quench(at(100000+1000*i), 0)
	}
	if th.rate != throttleFloor {
		t.Errorf("after many quenches: %v a second, want %v", th.rate, throttleFloor)
	}
	slow := newThrottle(time.Minute)
	if slow.quench(begin, 0) {
		t.Errorf("a rate below the floor was changed to %v", slow.rate)
	}
}

// A source quench halves the rate, which then grows back; each change is told.
func TestPingSourceQuench(t *testing.T) {
	for _, ignore := range []bool{false, true} {
		var rates []string
		var begin time.Time
		l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
			if r.Key.Tag == 10 {
				quench := unreachable(r, router, 8)
				quench.Kind = icmpx.KindSourceQuench
				l.answer(time.Millisecond, quench)
			}
			if r.Key.Tag == 5 { // not ours: it quotes a wrong token
				quench := unreachable(r, router, 8)
				quench.Kind = icmpx.KindSourceQuench
				quench.Quote.Payload[3] ^= 4
				l.answer(time.Millisecond, quench)
			}
			return after(10*time.Millisecond)(l, r)
		})
		var sent int
		bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
			begin = time.Now()
			s, err := Ping(t.Context(), e, dst1, PingOptions{Interval: 100 * time.Millisecond, Deadline: 6 * time.Second, IgnoreQuench: ignore}, func(ev *PingEvent) {
				if ev.Kind == PingRate {
					rates = append(rates, fmt.Sprintf("%v %g", time.Since(begin), ev.Rate))
				}
			})
			if err != nil {
				t.Error(err)
			}
			sent = s.Sent
			if s.Forged != 1 {
				t.Errorf("account %+v", s)
			}
		})
		want := []string{"901ms 5", "1.901s 6.25", "2.901s 7.5", "3.901s 8.75", "4.901s 10"}
		if ignore {
			want = nil
		}
		if fmt.Sprint(rates) != fmt.Sprint(want) {
			t.Errorf("ignore %v: rates %v, want %v", ignore, rates, want)
		}
		if full := sent >= 60; full != ignore {
			t.Errorf("ignore %v: %d probes in 6 s", ignore, sent)
		}
	}
}

// A flood sends as fast as the answers come, or once per interval.
func TestPingOnReply(t *testing.T) {
	_, s, took := ping(t, PingOptions{Count: 1000, OnReply: true, Interval: 10 * time.Millisecond}, 0, after(time.Millisecond))
	if took != time.Second || s.Received != 1000 || s.Pipe != 1 {
		t.Errorf("answered after 1 ms each: took %v, %+v", took, s)
	}
	_, s, took = ping(t, PingOptions{Count: 100, OnReply: true, Interval: 10 * time.Millisecond, Timeout: time.Second}, 0, nil)
	if took != 1990*time.Millisecond || s.Lost != 100 {
		t.Errorf("never answered: took %v, %+v", took, s)
	}
	_, s, took = ping(t, PingOptions{Count: 11, OnReply: true, MinInterval: 200 * time.Millisecond}, 0, after(time.Millisecond))
	if took != 2001*time.Millisecond || s.Received != 11 {
		t.Errorf("adaptive with a minimum: took %v, %+v", took, s)
	}
	// One lost probe must not slow the flood down for its whole timeout.
	_, s, took = ping(t, PingOptions{Count: 1000, OnReply: true, Interval: 10 * time.Millisecond}, 0, lossy(time.Millisecond, 500))
	if took != 1018*time.Millisecond || s.Lost != 1 { // the last 10 ms are the closing wait
		t.Errorf("with one lost: took %v, %+v", took, s)
	}
}

func TestPingPreload(t *testing.T) {
	lines, s, _ := ping(t, PingOptions{Count: 5, Preload: 3}, 0, after(100*time.Millisecond))
	wantLines(t, lines, "100ms reply 1 100ms", "100ms reply 2 100ms", "100ms reply 3 100ms",
		"1.1s reply 4 100ms", "2.1s reply 5 100ms")
	if s.Pipe != 3 {
		t.Errorf("pipe %d, want 3", s.Pipe)
	}
}
