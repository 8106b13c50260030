package probe

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// What the system refuses ends as Failed, one probe at a time, and the run
// goes on.
func TestSendErrors(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOBUFS, syscall.EPERM, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN} {
		t.Run(errno.Error(), func(t *testing.T) {
			l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
				if r.Key.Tag == 2 {
					return errno
				}
				l.answer(time.Millisecond, echo(r))
				return nil
			})
			bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
				var rec recorder
				for i := range 3 {
					p := echoProbe(dst1)
					p.Ref = uint64(i)
					if err := e.Start(t.Context(), p, rec.done); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Second)
				if want := []Fate{Answered, Failed, Answered}; !slices.Equal(rec.fates(), want) {
					t.Fatalf("got %v, want %v", rec.fates(), want)
				}
				if r := rec.byRef()[1]; !errors.Is(r.Err, errno) {
					t.Errorf("failed with %v", r.Err)
				}
			})
		})
	}
}

// A batch of which the kernel takes only a part: the error belongs to the one
// it refused, the rest goes out.
func TestPartialBatch(t *testing.T) {
	hold := make(chan struct{})
	l := newScriptLink(nil)
	l.onSend = func(l *scriptLink, r *icmpx.Request) error {
		switch r.Key.Tag {
		case 1:
			<-hold // the others gather behind it
		case 4:
			return syscall.EPERM
		}
		l.answer(time.Millisecond, echo(r))
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		hold = make(chan struct{})
		l.wake = make(chan struct{})
		e := New(Config{}, l)
		defer e.Close()
		var rec recorder
		start := func(i int) {
			p := echoProbe(dst1)
			p.Ref = uint64(i)
			if err := e.Start(t.Context(), p, rec.done); err != nil {
				t.Error(err)
			}
		}
		go start(1)
		synctest.Wait()
		for i := 2; i <= 6; i++ {
			start(i)
		}
		close(hold)
		time.Sleep(time.Second)
		want := []Fate{Answered, Answered, Answered, Failed, Answered, Answered}
		if !slices.Equal(rec.fates(), want) {
			t.Errorf("got %v, want %v", rec.fates(), want)
		}
		if want := []int{1, 5, 2}; !slices.Equal(l.batches, want) {
			t.Errorf("batches %v, want %v", l.batches, want)
		}
	})
}

func TestDuplicateAndLate(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		l.answer(0, stamp(r))
		if r.Key.Tag == 1 {
			l.answer(10*time.Millisecond, echo(r))
			l.answer(20*time.Millisecond, echo(r))
			return nil
		}
		l.answer(1500*time.Millisecond, echo(r))
		return nil
	})
	bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
		var rec recorder
		for i := range 2 {
			p := echoProbe(dst1)
			p.Ref = uint64(i)
			if err := e.Start(t.Context(), p, rec.done); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		rs := rec.byRef()
		if want := []Fate{Answered, Extra, Lost, Extra}; !slices.Equal(rec.fates(), want) {
			t.Fatalf("got %v, want %v", rec.fates(), want)
		}
		if rs[1].Late || rs[1].RTT != 20*time.Millisecond {
			t.Errorf("duplicate: late %v, RTT %v", rs[1].Late, rs[1].RTT)
		}
		if !rs[3].Late || rs[3].RTT != 1500*time.Millisecond {
			t.Errorf("late one: late %v, RTT %v", rs[3].Late, rs[3].RTT)
		}
	})
}

// Forged and stale replies decide nothing: the true answer, later, counts.
func TestForgedAndStale(t *testing.T) {
	var first icmpx.Reply
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		if r.Key.Tag == 1 {
			first = echo(r)
		}
		forged := echo(r)
		copy(forged.Payload, "attacker")
		l.answer(10*time.Millisecond, forged)
		if r.Key.Tag == 2 {
			stale := first
			stale.Key = r.Key
			l.answer(20*time.Millisecond, stale)
		}
		l.answer(30*time.Millisecond, echo(r))
		return nil
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		var rec recorder
		for i := range 2 {
			p := echoProbe(dst1)
			p.Ref = uint64(i)
			if err := e.Start(t.Context(), p, rec.done); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if want := []Fate{Rejected, Answered, Rejected, Rejected, Answered}; !slices.Equal(rec.fates(), want) {
			t.Fatalf("got %v, want %v", rec.fates(), want)
		}
		rs := rec.byRef()
		if rs[0].Reply.Trust != icmpx.Forged || rs[0].Stale || !rs[3].Stale {
			t.Errorf("forged: %v %v, stale: %v", rs[0].Reply.Trust, rs[0].Stale, rs[3].Stale)
		}
		if rs[4].RTT != 30*time.Millisecond || rs[4].Reply.Trust != icmpx.Verified {
			t.Errorf("true answer: RTT %v, %v", rs[4].RTT, rs[4].Reply.Trust)
		}
		if c := e.Counters(); c.Forged != 2 || c.Stale != 1 || c.Received != 2 || c.Strays != 0 {
			t.Errorf("counters %+v", c)
		}
	})
}

// A damaged answer decides its probe, and the damage is told.
func TestCorruptDecides(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		reply := echo(r)
		reply.Payload[40] ^= 0x10
		l.answer(time.Millisecond, reply)
		return nil
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		r, err := e.Do(t.Context(), echoProbe(dst1))
		want := Damage{Class: Flipped, Offset: 40, Want: 0x28, Got: 0x38}
		if err != nil || r.Fate != Answered || r.Damage != want || r.Reply.Trust != icmpx.Unverified {
			t.Errorf("%v %+v %v (%v), want answered %+v", r.Fate, r.Damage, r.Reply.Trust, err, want)
		}
	})
}

// A payload given by the user carries no token: it is compared whole.
func TestUserPayload(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		forged := echo(r)
		forged.Payload = []byte("something else entirely, of another length")
		l.answer(time.Millisecond, forged)
		l.answer(2*time.Millisecond, echo(r))
		return nil
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		p := Probe{Request: icmpx.Request{Dst: dst1, Payload: []byte("the quick brown fox jumps over the lazy dog")}}
		r, err := e.Do(t.Context(), p)
		if err != nil || r.Fate != Answered || r.RTT != 2*time.Millisecond || r.Reply.Trust != icmpx.Verified {
			t.Errorf("%v %v after %v (%v)", r.Fate, r.Reply.Trust, r.RTT, err)
		}
		if c := e.Counters(); c.Forged != 1 {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestErrorsQuoteTheToken(t *testing.T) {
	tests := []struct {
		name   string
		quoted int
		forge  bool
		fate   Fate
		trust  icmpx.Trust
	}{
		{"whole payload", 56, false, Answered, icmpx.Verified},
		{"token alone", 8, false, Answered, icmpx.Verified},
		{"eight transport bytes", 0, false, Answered, icmpx.Unverified},
		{"part of the token", 7, true, Answered, icmpx.Unverified},
		{"wrong token", 8, true, Rejected, icmpx.Forged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
				reply := unreachable(r, router, tt.quoted)
				if tt.forge {
					reply.Quote.Payload[0] ^= 1
				}
				l.answer(time.Millisecond, reply)
				return nil
			})
			bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
				var rec recorder
				if err := e.Start(t.Context(), echoProbe(dst1), rec.done); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				if r := rec.byRef()[0]; r.Fate != tt.fate || r.Reply.Trust != tt.trust || r.Reply.From != router {
					t.Errorf("%v %v from %v, want %v %v", r.Fate, r.Reply.Trust, r.Reply.From, tt.fate, tt.trust)
				}
			})
		})
	}
}

// Redirects and source quenches decide nothing.
func TestNotices(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		for _, k := range []icmpx.Kind{icmpx.KindRedirect, icmpx.KindSourceQuench} {
			notice := unreachable(r, router, 0)
			notice.Kind, notice.Gateway = k, dst2
			l.answer(time.Millisecond, notice)
		}
		l.answer(5*time.Millisecond, echo(r))
		return nil
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		var rec recorder
		if err := e.Start(t.Context(), echoProbe(dst1), rec.done); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if want := []Fate{Notice, Notice, Answered}; !slices.Equal(rec.fates(), want) {
			t.Errorf("got %v, want %v", rec.fates(), want)
		}
	})
}

// An echo reply from another address is reported as such, and is a success
// only where that was asked for.
func TestOtherSource(t *testing.T) {
	for _, any := range []bool{false, true} {
		l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
			reply := echo(r)
			reply.From, reply.Dst = dst2, dst2
			l.answer(time.Millisecond, reply)
			return nil
		})
		bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
			var rec recorder
			p := echoProbe(dst1)
			p.AnySource = any
			if err := e.Start(t.Context(), p, rec.done); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
			want := []Fate{Rejected, Lost}
			if any {
				want = []Fate{Answered}
			}
			if !slices.Equal(rec.fates(), want) || !rec.byRef()[0].Alias {
				t.Errorf("any source %v: got %v, want %v", any, rec.fates(), want)
			}
		})
	}
}

// A lost probe without a transmit stamp never left, where the device stamps.
func TestOwnDrops(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		switch {
		case r.Dst == dst2: // a device that does not stamp
		case r.Key.Tag == 1:
			l.answer(0, stamp(r))
			l.answer(time.Millisecond, echo(r))
		case r.Key.Tag == 2:
			l.answer(0, stamp(r))
		}
		return nil
	})
	bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
		var got []bool
		for range 3 {
			r, err := e.Do(t.Context(), echoProbe(dst1))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.NoWire)
		}
		r, _ := e.Do(t.Context(), echoProbe(dst2))
		got = append(got, r.NoWire)
		if want := []bool{false, false, true, false}; !slices.Equal(got, want) {
			t.Errorf("never left: %v, want %v", got, want)
		}
		l.mu.Lock()
		l.drops = 5 // the socket's buffer overflowed
		l.mu.Unlock()
		if _, err := e.Do(t.Context(), func() Probe { p := echoProbe(dst1); p.Timeout = time.Millisecond; return p }()); err != nil {
			t.Fatal(err)
		}
		l.answer(0, stamp(&l.sent[0]))
		synctest.Wait()
		if c := e.Counters(); c.OwnDrops != 1+1+5 {
			t.Errorf("own drops %d, want 7", c.OwnDrops)
		}
	})
}

// A Recv that fails now and then is no reason to give up; one that fails for
// good ends the probes, and takes no more.
func TestRecvErrors(t *testing.T) {
	l := newScriptLink(after(time.Millisecond))
	l.failing = []error{syscall.ENETDOWN}
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		if r, err := e.Do(t.Context(), echoProbe(dst1)); err != nil || r.Fate != Answered {
			t.Errorf("%v %v", r.Fate, err)
		}
		l.mu.Lock()
		l.failing = slices.Repeat([]error{syscall.EBADF}, maxRecvErrors+1)
		l.onSend = nil
		l.mu.Unlock()
		if r, err := e.Do(t.Context(), echoProbe(dst1)); r.Fate != Canceled || !errors.Is(err, syscall.EBADF) {
			t.Errorf("on a broken link: %v %v", r.Fate, err)
		}
		if err := e.Start(t.Context(), echoProbe(dst1), nil); !errors.Is(err, syscall.EBADF) {
			t.Errorf("Start on a broken link: %v", err)
		}
	})
}

// An answer of another protocol with the same key is none.
func TestWrongKind(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		reply := echo(r)
		reply.Kind = icmpx.KindTimestampReply
		l.answer(time.Millisecond, reply)
		l.answer(2*time.Millisecond, echo(r))
		return nil
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		r, err := e.Do(t.Context(), echoProbe(dst1))
		if err != nil || r.RTT != 2*time.Millisecond || e.Counters().Strays != 1 {
			t.Errorf("%v after %v (%v), %+v", r.Fate, r.RTT, err, e.Counters())
		}
	})
}
