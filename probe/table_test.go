package probe

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Invariant 3: each destination counts its own tags from the first.
func TestTagsCountPerDestination(t *testing.T) {
	l := newScriptLink(after(10 * time.Millisecond))
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		for range 3 {
			for _, dst := range []netip.Addr{dst1, dst2} {
				if _, err := e.Do(t.Context(), echoProbe(dst)); err != nil {
					t.Fatal(err)
				}
			}
		}
		var tags []uint32
		for _, r := range l.sent {
			tags = append(tags, r.Key.Tag)
		}
		if want := []uint32{1, 1, 2, 2, 3, 3}; !slices.Equal(tags, want) {
			t.Errorf("tags %v, want %v", tags, want)
		}
	})
}

// Invariant 3: when the space runs out, the oldest decided tags are reused
// first, and a pending one never.
func TestTagReuse(t *testing.T) {
	delays := []time.Duration{20, 1e6, 10, 30} // the second stays pending
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		if n := len(l.sent); n < len(delays) {
			l.answer(delays[n]*time.Millisecond, echo(r))
		}
		return nil
	})
	l.space.Last = 4
	bubble(t, Config{Timeout: time.Hour}, l, func(t *testing.T, e *Engine) {
		var rec recorder
		start := func() { // three more tags are free after the first four
			if err := e.Start(t.Context(), echoProbe(dst1), rec.done); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			start()
		}
		time.Sleep(time.Second)
		for range 3 {
			start()
		}
		var tags []uint32
		for _, r := range l.sent {
			tags = append(tags, r.Key.Tag)
		}
		if want := []uint32{1, 2, 3, 4, 3, 1, 4}; !slices.Equal(tags, want) {
			t.Errorf("tags %v, want %v: the decided in the order of decision", tags, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := e.Start(ctx, echoProbe(dst1), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start with all tags pending: %v, want it to wait", err)
		}
		if err := e.Start(t.Context(), echoProbe(dst2), nil); err != nil {
			t.Errorf("another destination has tags of its own: %v", err)
		}
	})
}

// A Start that waits for a tag goes on as soon as one is decided.
func TestStartWaitsForTag(t *testing.T) {
	l := newScriptLink(after(time.Second))
	l.space.Last = 1
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		begin := time.Now()
		for range 3 {
			if err := e.Start(t.Context(), echoProbe(dst1), nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(begin); got != 2*time.Second {
			t.Errorf("three probes on one tag took %v, want 2s", got)
		}
	})
}

// Sequence numbers wrap with probes outstanding: nothing is mixed up.
func TestTagWrap(t *testing.T) {
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		if r.Key.Tag != 3 { // its answer never comes
			l.answer(15*time.Millisecond, echo(r))
		}
		return nil
	})
	l.space.Last = 10
	bubble(t, Config{Timeout: 100 * time.Millisecond, Rate: 100}, l, func(t *testing.T, e *Engine) {
		var rec recorder
		for i := range 200 {
			p := echoProbe(dst1)
			p.Ref = uint64(i)
			if err := e.Start(t.Context(), p, rec.done); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for _, r := range rec.byRef() {
			want := Answered
			if r.Probe.Key.Tag == 3 {
				want = Lost
			}
			if r.Fate != want {
				t.Fatalf("probe %d, tag %d: %v, want %v", r.Probe.Ref, r.Probe.Key.Tag, r.Fate, want)
			}
			if want == Answered && r.RTT != 15*time.Millisecond {
				t.Fatalf("probe %d: RTT %v", r.Probe.Ref, r.RTT)
			}
		}
	})
}

// Link-local destinations of two zones never share a tag.
func TestZones(t *testing.T) {
	l := newScriptLink(after(time.Millisecond))
	l.family = icmpx.IPv6
	l.onSend = func(l *scriptLink, r *icmpx.Request) error {
		reply := echo(r)
		reply.Payload = reply.Payload[:0]
		b := make([]byte, r.PayloadLen(icmpx.IPv6))
		icmpx.FillPayload(b, r.Token, nil)
		reply.Payload = b
		l.answer(time.Millisecond, reply)
		return nil
	}
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		for _, zone := range []string{"a", "b", "a"} {
			p := echoProbe(netip.MustParseAddr("fe80::1%" + zone))
			p.Size = 104
			if r, err := e.Do(t.Context(), p); err != nil || r.Fate != Answered {
				t.Errorf("zone %s: %v %v", zone, r.Fate, err)
			}
		}
		if a, b := l.sent[0].Key, l.sent[1].Key; a == b {
			t.Errorf("both zones use %+v", a)
		}
	})
}
