package probe

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Invariant 1: exactly one final result per accepted probe, whatever the
// network does.
func TestOneFinalResultEach(t *testing.T) {
	const probes = 2000
	rng := rand.New(rand.NewPCG(1, 2))
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		if rng.IntN(10) == 0 {
			return syscall.ENOBUFS
		}
		if rng.IntN(2) == 0 {
			l.answer(0, stamp(r))
		}
		for range rng.IntN(4) { // none to three answers, in time or late
			d := time.Duration(rng.IntN(2000)) * time.Millisecond
			reply := echo(r)
			switch rng.IntN(6) {
			case 0:
				reply.Payload[0] ^= 0xff // forged
			case 1:
				reply = unreachable(r, router, rng.IntN(60))
			case 2:
				reply.Payload = reply.Payload[:30] // corrupt
			case 3:
				reply.From, reply.Dst = router, router
			}
			l.answer(d, reply)
		}
		return nil
	})
	bubble(t, Config{Timeout: time.Second, Rate: 500, InFlight: 300}, l, func(t *testing.T, e *Engine) {
		var rec recorder
		for i := range probes {
			p := echoProbe(netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 7)}))
			p.Ref = uint64(i)
			if err := e.Start(t.Context(), p, rec.done); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		finals := make([]int, probes)
		for _, r := range rec.byRef() {
			if r.Fate.Final() {
				finals[r.Probe.Ref]++
			}
		}
		for i, n := range finals {
			if n != 1 {
				t.Errorf("probe %d ended %d times", i, n)
			}
		}
		fates := map[Fate]int{}
		for _, f := range rec.fates() {
			fates[f]++
		}
		for _, f := range []Fate{Answered, Lost, Failed, Extra, Rejected} {
			if fates[f] == 0 {
				t.Errorf("the chaos brought no %v", f)
			}
		}
	})
}

// Invariant 2: a probe is registered before it is sent.
func TestAnswerBeforeSendReturns(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		l.answer(0, stamp(r))
		l.answer(0, echo(r))
		synctest.Wait() // the receiver has it all before Send returns
		return nil
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		r, err := e.Do(t.Context(), echoProbe(dst1))
		if err != nil || r.Fate != Answered || r.RTT != 0 {
			t.Errorf("got %v after %v (%v), want answered at once", r.Fate, r.RTT, err)
		}
	})
}

// Invariant 4: a quoted destination that differs from the probe's is a stray.
func TestQuoteOfOtherDestination(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		other := unreachable(r, router, 56)
		other.Dst = dst2
		l.answer(time.Millisecond, other)
		l.answer(2*time.Millisecond, echo(r))
		return nil
	})
	var events []EventKind
	cfg := Config{Tap: func(ev Event) { events = append(events, ev.Kind) }}
	bubble(t, cfg, l, func(t *testing.T, e *Engine) {
		r, err := e.Do(t.Context(), echoProbe(dst1))
		if err != nil || r.Reply.Kind != icmpx.KindEchoReply {
			t.Errorf("got %v %v, want the echo reply", r.Reply.Kind, err)
		}
		if c := e.Counters(); c.Strays != 1 || c.Received != 1 || c.Sent != 1 {
			t.Errorf("counters %+v", c)
		}
	})
	if want := []EventKind{EventSent, EventStray, EventReceived}; !slices.Equal(events, want) {
		t.Errorf("tap saw %v, want %v", events, want)
	}
}

// Invariant 5: all callbacks come from one goroutine, in order.
func TestCallbacksInOrder(t *testing.T) {
	l := newScriptLink(after(time.Millisecond))
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		var got []uint64 // unguarded: the race detector watches
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 50 {
					p := echoProbe(dst1)
					p.Ref = uint64(g*50 + i)
					if err := e.Start(t.Context(), p, func(r *Result) { got = append(got, r.Number) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(got) != 200 || !slices.IsSorted(got) {
			t.Errorf("%d callbacks, sorted %v", len(got), slices.IsSorted(got))
		}
	})
}

// Invariant 5: a callback that blocks stops sending, never receiving.
func TestBlockedCallback(t *testing.T) {
	l := newScriptLink(after(time.Millisecond))
	bubble(t, Config{InFlight: 10, Timeout: time.Hour}, l, func(t *testing.T, e *Engine) {
		gate := make(chan struct{})
		started := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 25 {
				if err := e.Start(t.Context(), echoProbe(dst1), func(*Result) { <-gate }); err != nil {
					t.Error(err)
				}
				started++
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if started != 10 {
			t.Errorf("%d probes started behind a blocked callback, want 10", started)
		}
		if c := e.Counters(); c.Received != 10 {
			t.Errorf("%d replies received meanwhile, want 10", c.Received)
		}
		for range 20000 { // and nobody can fill the memory meanwhile
			reply := echo(&l.sent[0])
			l.answer(0, reply)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if c := e.Counters(); c.Received != 20010 || c.Unheard == 0 {
			t.Errorf("counters %+v, want 20010 received and some unheard", c)
		}
		close(gate)
		wg.Wait()
	})
}

// Invariant 6: an answer that arrived before the deadline counts whenever it
// is read.
func TestStalledReceiverLosesNothing(t *testing.T) {
	l := newScriptLink(after(900 * time.Millisecond))
	bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
		l.mu.Lock()
		l.stalled = time.Now().Add(time.Hour)
		l.mu.Unlock()
		var rec recorder
		for range 100 {
			if err := e.Start(t.Context(), echoProbe(dst1), rec.done); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Hour)
		for _, r := range rec.byRef() {
			if r.Fate != Answered || r.RTT != 900*time.Millisecond {
				t.Fatalf("%v after %v, want answered after 900ms", r.Fate, r.RTT)
			}
		}
		if n := len(rec.results); n != 100 {
			t.Errorf("%d results, want 100", n)
		}
	})
}

// Invariant 6, the other side: what arrived after the deadline is late, even
// if the receiver had not yet found the probe lost.
func TestLateByStamp(t *testing.T) {
	l := newScriptLink(after(1100 * time.Millisecond))
	bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
		l.mu.Lock()
		l.stalled = time.Now().Add(1500 * time.Millisecond)
		l.mu.Unlock()
		var rec recorder
		if err := e.Start(t.Context(), echoProbe(dst1), rec.done); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		rs := rec.byRef()
		if len(rs) != 2 || rs[0].Fate != Lost || rs[1].Fate != Extra || !rs[1].Late {
			t.Fatalf("got %v, want lost, then a late extra", rec.fates())
		}
		if rs[1].RTT != 1100*time.Millisecond {
			t.Errorf("late after %v", rs[1].RTT)
		}
	})
}

// Loss is found at the deadline, not before and not by polling.
func TestLostAtDeadline(t *testing.T) {
	l := newScriptLink(nil)
	bubble(t, Config{Timeout: time.Second}, l, func(t *testing.T, e *Engine) {
		begin := time.Now()
		long := echoProbe(dst1)
		long.Timeout = time.Minute
		if err := e.Start(t.Context(), long, nil); err != nil {
			t.Fatal(err)
		}
		r, err := e.Do(t.Context(), echoProbe(dst1)) // an earlier deadline than the first's
		if err != nil || r.Fate != Lost || time.Since(begin) != time.Second {
			t.Errorf("%v after %v (%v), want lost after 1s", r.Fate, time.Since(begin), err)
		}
	})
}

// Invariant 9: no callback after Close, and Close ends what is open.
func TestCloseCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{}, newScriptLink(nil))
		var rec recorder
		for range 3 {
			if err := e.Start(t.Context(), echoProbe(dst1), rec.done); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if want := []Fate{Canceled, Canceled, Canceled}; !slices.Equal(rec.fates(), want) {
			t.Errorf("got %v, want %v", rec.fates(), want)
		}
		if r := rec.byRef()[0]; !errors.Is(r.Err, net.ErrClosed) {
			t.Errorf("canceled with %v", r.Err)
		}
		if err := e.Start(t.Context(), echoProbe(dst1), nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Start after Close: %v", err)
		}
		if err := e.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
	})
}

// Close frees the Starts that wait: for pace, for room, for a tag.
func TestCloseFreesStarts(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		last uint32
	}{
		{"pace", Config{Rate: 0.001}, 65536},
		{"room", Config{InFlight: 1}, 65536},
		{"tag", Config{}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newScriptLink(nil)
				l.space.Last = tt.last
				e := New(tt.cfg, l)
				if err := e.Start(t.Context(), echoProbe(dst1), nil); err != nil {
					t.Fatal(err)
				}
				errs := make(chan error, 1)
				go func() { errs <- e.Start(t.Context(), echoProbe(dst1), nil) }()
				synctest.Wait()
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
				if err := <-errs; !errors.Is(err, net.ErrClosed) {
					t.Errorf("waiting Start: %v", err)
				}
			})
		})
	}
}

// Do with a context that ends gives the probe up.
func TestDoCanceled(t *testing.T) {
	l := newScriptLink(after(time.Minute))
	bubble(t, Config{Timeout: time.Hour}, l, func(t *testing.T, e *Engine) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		r, err := e.Do(ctx, echoProbe(dst1))
		if r.Fate != Canceled || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v %v after %v", r.Fate, err, time.Since(begin))
		}
		time.Sleep(2 * time.Minute) // the answer is late for it, and harmless
		if c := e.Counters(); c.Received != 1 {
			t.Errorf("counters %+v", c)
		}
	})
}

// A canceled probe's deadline must not be taken for a later one's.
func TestDeadlineOfCanceledProbe(t *testing.T) {
	l := newScriptLink(nil)
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		first := echoProbe(dst1)
		first.Timeout = time.Second
		go func() { _, _ = e.Do(ctx, first) }()
		time.Sleep(600 * time.Millisecond)
		begin := time.Now()
		second := echoProbe(dst1)
		second.Timeout = 3 * time.Second
		r, err := e.Do(t.Context(), second)
		if err != nil || r.Fate != Lost || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v (%v), want lost after 3s", r.Fate, time.Since(begin), err)
		}
	})
}

func TestInvalidProbes(t *testing.T) {
	bubble(t, Config{}, newScriptLink(nil), func(t *testing.T, e *Engine) {
		for name, p := range map[string]Probe{
			"no address": {},
			"IPv6":       echoProbe(netip.MustParseAddr("2001:db8::1")),
			"UDP":        {Request: icmpx.Request{Proto: icmpx.ProtoUDP, Dst: dst1}},
			"size":       {Request: icmpx.Request{Dst: dst1, Size: -1}},
			"timeout":    {Request: icmpx.Request{Dst: dst1}, Timeout: -1},
		} {
			if err := e.Start(t.Context(), p, nil); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		if err := e.Start(t.Context(), echoProbe(netip.MustParseAddr("2001:db8::1")), nil); !errors.Is(err, ErrNoLink) {
			t.Errorf("IPv6 without a link: %v", err)
		}
	})
}
