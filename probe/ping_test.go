package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A pingLog writes each event of a Ping as one short line.
type pingLog struct {
	begin time.Time
	lines []string
}

func (l *pingLog) sink(ev *PingEvent) {
	names := map[PingEventKind]string{
		PingReply: "reply", PingError: "error", PingLost: "lost", PingWaiting: "waiting",
		PingNotice: "notice", PingRejected: "rejected", PingReport: "report",
	}
	line := fmt.Sprintf("%v %s %d", time.Since(l.begin), names[ev.Kind], ev.Seq)
	if r := ev.Result; r != nil {
		if r.RTT > 0 {
			line += fmt.Sprintf(" %v", r.RTT)
		}
		switch {
		case r.Fate == Extra && r.Late:
			line += " late"
		case r.Fate == Extra:
			line += " dup"
		case r.Damage.Class != Intact:
			line += " " + r.Damage.Class.String()
		}
	}
	l.lines = append(l.lines, line)
}

// ping runs a Ping of dst1 in a bubble and returns its events and account.
func ping(t *testing.T, o PingOptions, stop time.Duration, onSend func(*scriptLink, *icmpx.Request) error) (lines []string, s Stats, took time.Duration) {
	t.Helper()
	bubble(t, Config{}, newScriptLink(onSend), func(t *testing.T, e *Engine) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if stop > 0 {
			time.AfterFunc(stop, cancel)
		}
		log := pingLog{begin: time.Now()}
		var err error
		s, err = Ping(ctx, e, dst1, o, log.sink)
		if err != nil {
			t.Errorf("ping: %v", err)
		}
		took = time.Since(log.begin)
		lines = log.lines
		time.Sleep(time.Minute) // whatever comes now must not be heard
		synctest.Wait()
		if len(log.lines) != len(lines) {
			t.Errorf("events after the end: %v", log.lines[len(lines):])
		}
	})
	if sum := s.Received + s.Corrupted + s.Errors + s.Lost + s.InFlight; sum != s.Sent {
		t.Errorf("%d sent, but %d accounted for: %+v", s.Sent, sum, s)
	}
	return lines, s, took
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("events:\n got %q\nwant %q", got, want)
	}
}

func TestPingCount(t *testing.T) {
	lines, s, took := ping(t, PingOptions{Count: 3}, 0, after(20*time.Millisecond))
	wantLines(t, lines, "20ms reply 1 20ms", "1.02s reply 2 20ms", "2.02s reply 3 20ms")
	if took != 2020*time.Millisecond || s.Duration != took {
		t.Errorf("took %v, says %v", took, s.Duration)
	}
	if s.Sent != 3 || s.Received != 3 || s.Pipe != 1 || s.RTT.Min != 20*time.Millisecond || s.RTT.Max != 20*time.Millisecond ||
		s.Stamps != icmpx.StampKernel || s.LossPercent() != 0 {
		t.Errorf("account %+v", s)
	}
}

// lossy answers truly after d, except the probes named.
func lossy(d time.Duration, lost ...uint32) func(*scriptLink, *icmpx.Request) error {
	return func(l *scriptLink, r *icmpx.Request) error {
		if slices.Contains(lost, r.Key.Tag) {
			return nil
		}
		return after(d)(l, r)
	}
}

// After the last probe the run waits the larger of the interval and twice the
// largest RTT, then what is open is lost.
func TestPingClosingWait(t *testing.T) {
	lines, s, took := ping(t, PingOptions{Count: 3}, 0, lossy(300*time.Millisecond, 3))
	wantLines(t, lines, "300ms reply 1 300ms", "1.3s reply 2 300ms", "3s lost 3")
	if took != 3*time.Second || s.Lost != 1 || s.LossPercent() < 33 {
		t.Errorf("took %v, account %+v", took, s)
	}
	_, _, took = ping(t, PingOptions{Count: 3}, 0, lossy(800*time.Millisecond, 3))
	if took != 3600*time.Millisecond {
		t.Errorf("with RTT 800 ms it took %v, want 3.6s", took)
	}
	lines, s, took = ping(t, PingOptions{Count: 2, Timeout: 4 * time.Second}, 0, nil)
	wantLines(t, lines, "4s lost 1", "5s lost 2")
	if took != 5*time.Second || s.Lost != 2 || s.LossPercent() != 100 || s.LongestLoss != 2 {
		t.Errorf("of a dead host: took %v, account %+v", took, s)
	}
}

// Interrupted: what was given its time is lost, the rest is in flight.
func TestPingInterrupted(t *testing.T) {
	lines, s, took := ping(t, PingOptions{}, 4500*time.Millisecond, lossy(10*time.Millisecond, 2, 5))
	wantLines(t, lines, "10ms reply 1 10ms", "2.01s reply 3 10ms", "3.01s reply 4 10ms", "4.5s lost 2")
	if took != 4500*time.Millisecond || s.Sent != 5 || s.Received != 3 || s.Lost != 1 || s.InFlight != 1 || s.LossPercent() != 25 {
		t.Errorf("took %v, account %+v", took, s)
	}
	_, s, _ = ping(t, PingOptions{}, 2500*time.Millisecond, nil)
	if s.Sent != 3 || s.InFlight != 3 || s.LossPercent() != 100 {
		t.Errorf("of a silent host: %+v, %v%%", s, s.LossPercent())
	}
}

func TestPingDeadline(t *testing.T) {
	_, s, took := ping(t, PingOptions{Deadline: 2500 * time.Millisecond}, 0, after(time.Millisecond))
	if took != 2500*time.Millisecond || s.Sent != 3 || s.Received != 3 {
		t.Errorf("took %v, account %+v", took, s)
	}
	// With a count: until that many were answered, however many it takes.
	_, s, took = ping(t, PingOptions{Deadline: time.Minute, Count: 2}, 0, lossy(time.Millisecond, 1, 2))
	if took != 3001*time.Millisecond || s.Sent != 4 || s.Received != 2 {
		t.Errorf("took %v, account %+v", took, s)
	}
	// An error ends it.
	_, s, took = ping(t, PingOptions{Deadline: time.Minute}, 0, func(l *scriptLink, r *icmpx.Request) error {
		l.answer(5*time.Millisecond, unreachable(r, router, 8))
		return nil
	})
	if took != 5*time.Millisecond || s.Errors != 1 || s.Local != 0 {
		t.Errorf("took %v, account %+v", took, s)
	}
}

func TestPingWaiting(t *testing.T) {
	lines, _, _ := ping(t, PingOptions{Count: 3, Waiting: true, Timeout: 5 * time.Second}, 0, lossy(10*time.Millisecond, 1))
	wantLines(t, lines, "1s waiting 1", "1.01s reply 2 10ms", "2.01s reply 3 10ms", "3s lost 1")
}

func TestPingKinds(t *testing.T) {
	lines, s, _ := ping(t, PingOptions{Count: 6, Timeout: 1500 * time.Millisecond}, 0, func(l *scriptLink, r *icmpx.Request) error {
		l.answer(0, stamp(r))
		reply := echo(r)
		switch r.Key.Tag {
		case 1: // duplicated
			l.answer(2*time.Millisecond, reply)
		case 2: // unreachable
			reply = unreachable(r, router, 8)
		case 3: // damaged
			reply.Payload[20] ^= 1
		case 4: // forged first
			forged := echo(r)
			clear(forged.Payload[:8])
			copy(forged.Payload[8:], "not at all the pattern that was sent out there!!")
			l.answer(0, forged)
		case 5: // late
			l.answer(1600*time.Millisecond, reply)
			return nil
		case 6:
			return syscall.EPERM
		}
		l.answer(time.Millisecond, reply)
		return nil
	})
	wantLines(t, lines,
		"1ms reply 1 1ms", "2ms reply 1 2ms dup", "1.001s error 2 1ms", "2.001s reply 3 1ms flipped",
		"3s rejected 4", "3.001s reply 4 1ms", "5s error 6", "5.5s lost 5")
	want := Stats{Sent: 6, Received: 2, Corrupted: 1, Errors: 2, Lost: 1, Duplicates: 1, Forged: 1, Local: 1}
	got := s
	got.Duration, got.Pipe, got.RTT, got.Stamps, got.LongestLoss = 0, 0, Summary{}, 0, 0
	if got != want {
		t.Errorf("account\n got %+v\nwant %+v", got, want)
	}
}

// A late reply is shown, and does not undo the loss.
func TestPingLate(t *testing.T) {
	lines, s, _ := ping(t, PingOptions{Count: 4, Timeout: time.Second, Interval: 600 * time.Millisecond}, 0,
		func(l *scriptLink, r *icmpx.Request) error {
			d := 10 * time.Millisecond
			if r.Key.Tag == 1 {
				d = 1100 * time.Millisecond
			}
			return after(d)(l, r)
		})
	wantLines(t, lines, "610ms reply 2 10ms", "1s lost 1", "1.1s reply 1 1.1s late", "1.21s reply 3 10ms", "1.81s reply 4 10ms")
	if s.Late != 1 || s.Lost != 1 || s.Received != 3 || s.RTT.N != 3 || s.RTT.Max != 10*time.Millisecond {
		t.Errorf("account %+v", s)
	}
}

func TestPingReport(t *testing.T) {
	bubble(t, Config{}, newScriptLink(after(10*time.Millisecond)), func(t *testing.T, e *Engine) {
		ask := make(chan struct{})
		go func() {
			time.Sleep(2500 * time.Millisecond)
			ask <- struct{}{}
		}()
		var reports []Stats
		_, err := Ping(t.Context(), e, dst1, PingOptions{Count: 5, Report: ask}, func(ev *PingEvent) {
			if ev.Kind == PingReport {
				reports = append(reports, *ev.Stats)
			}
		})
		if err != nil || len(reports) != 1 || reports[0].Sent != 3 || reports[0].Received != 3 || reports[0].RTT.N != 3 {
			t.Errorf("%v %+v", err, reports)
		}
	})
}

// 10 ms apart for a minute: 6000 probes, at their times.
func TestPingPace(t *testing.T) {
	l := newScriptLink(after(5 * time.Millisecond))
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s, err := Ping(ctx, e, dst1, PingOptions{Interval: 10 * time.Millisecond}, nil)
		if err != nil || s.Sent < 6000 || s.Sent > 6001 {
			t.Errorf("%d probes in a minute (%v)", s.Sent, err)
		}
		for i, r := range l.sent {
			if at := r.Sent.Sub(begin); at != time.Duration(i)*10*time.Millisecond {
				t.Fatalf("probe %d left at %v", i+1, at)
			}
		}
	})
}

// A process that was stopped goes on at its pace, and does not send all that
// it missed.
func TestPingAfterStop(t *testing.T) {
	l := newScriptLink(nil)
	l.onSend = func(l *scriptLink, r *icmpx.Request) error {
		err := after(time.Millisecond)(l, r)
		if r.Key.Tag == 10 {
			time.Sleep(time.Hour)
		}
		return err
	}
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		s, err := Ping(t.Context(), e, dst1, PingOptions{Interval: 100 * time.Millisecond, Count: 100}, nil)
		if err != nil || s.Received != 100 {
			t.Errorf("%+v %v", s, err)
		}
		resumed := l.sent[9].Sent.Add(time.Hour)
		burst := 0
		for _, r := range l.sent[10:] {
			if r.Sent.Sub(resumed) < 10*time.Millisecond {
				burst++
			}
		}
		if burst > int(maxBehind/(100*time.Millisecond))+1 {
			t.Errorf("%d probes at once after the stop", burst)
		}
	})
}

// Several pings share an engine.
func TestPingSeveral(t *testing.T) {
	const hosts = 200
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		return after(time.Duration(r.Dst.As4()[3])*time.Millisecond)(l, r)
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		all := make(chan error)
		for i := range hosts {
			dst := netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)})
			go func() {
				s, err := Ping(t.Context(), e, dst, PingOptions{Count: 5}, nil)
				if want := time.Duration(i+1) * time.Millisecond; err == nil && (s.Received != 5 || s.RTT.Min != want || s.RTT.Max != want) {
					err = fmt.Errorf("%v: %+v", dst, s)
				}
				all <- err
			}()
		}
		for range hosts {
			if err := <-all; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPingErrors(t *testing.T) {
	bubble(t, Config{}, newScriptLink(nil), func(t *testing.T, e *Engine) {
		if _, err := Ping(t.Context(), e, netip.Addr{}, PingOptions{}, nil); err == nil {
			t.Error("no address: no error")
		}
		if _, err := Ping(t.Context(), e, dst1, PingOptions{PayloadLen: 65508}, nil); err == nil {
			t.Error("too large a payload: no error")
		}
		s, err := Ping(t.Context(), e, netip.MustParseAddr("2001:db8::1"), PingOptions{}, nil)
		if !errors.Is(err, ErrNoLink) || s.Sent != 0 {
			t.Errorf("no link: %v, %d sent", err, s.Sent)
		}
	})
}

// What has arrived when the run is interrupted is read before the account is
// closed: a process that was stopped lost nothing while it slept.
func TestPingInterruptedBehind(t *testing.T) {
	l := newScriptLink(after(10 * time.Millisecond))
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		l.mu.Lock()
		l.stalled = time.Now().Add(9 * time.Second)
		l.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 8500*time.Millisecond)
		defer cancel()
		s, err := Ping(ctx, e, dst1, PingOptions{}, nil)
		if err != nil || s.Sent != 9 || s.Received != 9 || s.RTT.Max != 10*time.Millisecond {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// Probes that never left this host are told, also those that the end of the
// run finds open.
func TestPingOwnDrops(t *testing.T) {
	_, s, _ := ping(t, PingOptions{Count: 5}, 0, func(l *scriptLink, r *icmpx.Request) error {
		if r.Key.Tag == 2 || r.Key.Tag == 5 {
			return nil
		}
		return after(time.Millisecond)(l, r)
	})
	if s.Lost != 2 || s.OwnDrops != 2 {
		t.Errorf("account %+v", s)
	}
}

// A flood of forgeries is counted in full, whether each is reported or not.
func TestPingForgedFlood(t *testing.T) {
	const forgeries = 6000
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		for range forgeries {
			forged := echo(r)
			clear(forged.Payload)
			copy(forged.Payload, "not the token, nor anything like the pattern that was sent")
			l.answer(time.Millisecond, forged)
		}
		return after(20*time.Millisecond)(l, r)
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		heard := 0
		gate := make(chan struct{}) // keeps the reader from reading while they come
		time.AfterFunc(10*time.Millisecond, func() { close(gate) })
		s, err := Ping(t.Context(), e, dst1, PingOptions{Count: 1}, func(ev *PingEvent) {
			if ev.Kind == PingRejected {
				heard++
				<-gate
			}
		})
		if err != nil || s.Received != 1 || s.Forged != forgeries || heard == 0 || heard == forgeries {
			t.Errorf("%v, %d heard, %+v", err, heard, s)
		}
	})
}
