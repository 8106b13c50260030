package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// randomBytes returns n bytes that no two tests share by accident.
func randomBytes(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// A farSide rebuilds what it is sent, by sequence number, and answers after d
// unless harm has done something else with the answer.
type farSide struct {
	d      time.Duration
	harm   func(l *scriptLink, r *icmpx.Request, reply *icmpx.Reply) (done bool)
	chunks map[uint32][]byte
}

func (f *farSide) onSend(l *scriptLink, r *icmpx.Request) error {
	if f.chunks == nil {
		f.chunks = make(map[uint32][]byte)
	}
	f.chunks[r.Key.Tag] = slices.Clone(r.Payload)
	reply := echo(r)
	if f.harm != nil && f.harm(l, r, &reply) {
		return nil
	}
	l.answer(f.d, reply)
	return nil
}

func (f *farSide) rebuilt() []byte {
	var b []byte
	for tag := uint32(1); f.chunks[tag] != nil; tag++ {
		b = append(b, f.chunks[tag]...)
	}
	return b
}

func trip(t *testing.T, data []byte, o TripOptions, f *farSide) (s TripStats, took time.Duration, err error) {
	t.Helper()
	bubble(t, Config{}, newScriptLink(f.onSend), func(t *testing.T, e *Engine) {
		begin := time.Now()
		s, err = Trip(t.Context(), e, dst1, bytes.NewReader(data), int64(len(data)), o, nil)
		took = time.Since(begin)
	})
	if sum := s.Received + s.Corrupted + s.Errors + s.Lost + s.InFlight; sum != s.Sent {
		t.Errorf("%d sent, but %d accounted for: %+v", s.Sent, sum, s.Stats)
	}
	return s, took, err
}

func TestTrip(t *testing.T) {
	for _, size := range []int{1, 999, 1000, 1001, 65507, 300000} {
		data := randomBytes(size)
		f := &farSide{d: 20 * time.Millisecond}
		s, took, err := trip(t, data, TripOptions{Chunk: 1000}, f)
		chunks := (size + 999) / 1000
		rounds := (chunks + 15) / 16
		if err != nil || !s.Identical || s.Sent != chunks || s.Received != chunks || s.Chunks != chunks || s.Done != chunks {
			t.Errorf("%d bytes: %v, %+v", size, err, s)
		}
		if want := time.Duration(rounds) * 20 * time.Millisecond; took != want {
			t.Errorf("%d bytes took %v, want %v: sixteen in flight", size, took, want)
		}
		if s.Sum != sha256.Sum256(data) || s.SumReturned != s.Sum || s.BytesReturned != int64(size) {
			t.Errorf("%d bytes: %d returned, sums %x %x", size, s.BytesReturned, s.Sum, s.SumReturned)
		}
		if !bytes.Equal(f.rebuilt(), data) {
			t.Errorf("%d bytes: the far side has something else", size)
		}
	}
}

// Loss, duplication, reordering and corruption: the file arrives all the same,
// there and back.
func TestTripThroughTrouble(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	data := randomBytes(300000)
	f := &farSide{d: 20 * time.Millisecond}
	f.harm = func(l *scriptLink, r *icmpx.Request, reply *icmpx.Reply) bool {
		switch rng.IntN(10) {
		case 0:
			return true // lost
		case 1:
			l.answer(f.d+5*time.Millisecond, echo(r)) // duplicated
		case 2:
			l.answer(f.d+30*time.Millisecond, *reply) // overtaken
			return true
		case 3:
			reply.Payload[len(reply.Payload)/2] ^= 0x40
		case 4:
			reply.Payload = reply.Payload[:len(reply.Payload)/2]
		}
		return false
	}
	s, _, err := trip(t, data, TripOptions{Chunk: 1000, Retries: 20}, f)
	if err != nil || !s.Identical || !bytes.Equal(f.rebuilt(), data) {
		t.Errorf("%v, %+v", err, s)
	}
	if s.Resent == 0 || s.Lost == 0 || s.Corrupted == 0 || s.Duplicates == 0 || s.Sent != s.Chunks+s.Resent {
		t.Errorf("too little trouble: %+v", s)
	}
}

// Answers that always come back damaged: the trip ends, not identical.
func TestTripDamaged(t *testing.T) {
	f := &farSide{d: time.Millisecond, harm: func(l *scriptLink, r *icmpx.Request, reply *icmpx.Reply) bool {
		if r.Key.Tag == 2 {
			reply.Payload[7] ^= 1
		}
		return false
	}}
	s, _, err := trip(t, randomBytes(3000), TripOptions{Chunk: 1000}, f)
	if err != nil || s.Identical || s.Corrupted != 6 || s.BytesReturned != 3000 || s.Sum == s.SumReturned {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestTripGivenUp(t *testing.T) {
	f := &farSide{harm: func(l *scriptLink, r *icmpx.Request, reply *icmpx.Reply) bool { return r.Key.Tag == 2 }}
	s, took, err := trip(t, randomBytes(3000), TripOptions{Chunk: 1000, Retries: 2}, f)
	if !errors.Is(err, ErrGivenUp) || s.Identical || s.Done != 1 || s.BytesReturned != 1000 || s.Lost != 3 {
		t.Errorf("%v, %+v", err, s)
	}
	if took > 10*time.Second {
		t.Errorf("giving up took %v", took)
	}
}

// What this host refuses is tried again later, not at once.
func TestTripRefused(t *testing.T) {
	refusals := 0
	l := newScriptLink(func(l *scriptLink, r *icmpx.Request) error {
		if refusals < 3 {
			refusals++
			return syscall.ENOBUFS
		}
		return after(time.Millisecond)(l, r)
	})
	bubble(t, Config{}, l, func(t *testing.T, e *Engine) {
		begin := time.Now()
		s, err := Trip(t.Context(), e, dst1, bytes.NewReader(randomBytes(100)), 100, TripOptions{Chunk: 1000}, nil)
		if err != nil || !s.Identical || s.Errors != 3 || s.Local != 3 || time.Since(begin) < time.Second {
			t.Errorf("%v after %v, %+v", err, time.Since(begin), s)
		}
	})
}

// A late answer is as good as one in time.
func TestTripLate(t *testing.T) {
	f := &farSide{d: 1500 * time.Millisecond} // the first timer is a second
	s, took, err := trip(t, randomBytes(1000), TripOptions{Chunk: 1000}, f)
	if err != nil || !s.Identical || took != 1500*time.Millisecond || s.Sent != 2 {
		t.Errorf("%v after %v, %+v", err, took, s)
	}
}

func TestTripSourceQuench(t *testing.T) {
	var rates int
	f := &farSide{d: 20 * time.Millisecond}
	f.harm = func(l *scriptLink, r *icmpx.Request, reply *icmpx.Reply) bool {
		if r.Key.Tag == 100 {
			quench := unreachable(r, router, 8)
			quench.Kind = icmpx.KindSourceQuench
			l.answer(time.Millisecond, quench)
		}
		return false
	}
	data := randomBytes(1000000)
	var slow time.Duration
	bubble(t, Config{}, newScriptLink(f.onSend), func(t *testing.T, e *Engine) {
		begin := time.Now()
		s, err := Trip(t.Context(), e, dst1, bytes.NewReader(data), int64(len(data)), TripOptions{Chunk: 1000}, func(ev *PingEvent) {
			if ev.Kind == PingRate {
				rates++
			}
		})
		if err != nil || !s.Identical {
			t.Errorf("%v, %+v", err, s)
		}
		slow = time.Since(begin)
	})
	_, fast, _ := trip(t, data, TripOptions{Chunk: 1000}, &farSide{d: 20 * time.Millisecond})
	if rates == 0 || slow <= fast {
		t.Errorf("%d rate changes, %v with a source quench, %v without", rates, slow, fast)
	}
}

func TestTripInterval(t *testing.T) {
	s, took, err := trip(t, randomBytes(10000), TripOptions{Chunk: 1000, Interval: 100 * time.Millisecond}, &farSide{d: time.Millisecond})
	if err != nil || !s.Identical || took != 901*time.Millisecond {
		t.Errorf("%v after %v, %+v", err, took, s)
	}
}

type brokenReader struct{}

func (brokenReader) ReadAt(b []byte, off int64) (int, error) {
	if off >= 2000 {
		return 0, io.ErrUnexpectedEOF
	}
	return len(b), nil
}

func TestTripErrors(t *testing.T) {
	bubble(t, Config{}, newScriptLink(after(time.Millisecond)), func(t *testing.T, e *Engine) {
		small := bytes.NewReader([]byte("x"))
		for name, o := range map[string]TripOptions{"no chunk": {}, "large chunk": {Chunk: 65508}} {
			if _, err := Trip(t.Context(), e, dst1, small, 1, o, nil); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		if _, err := Trip(t.Context(), e, dst1, small, 0, TripOptions{Chunk: 1}, nil); err == nil {
			t.Error("empty payload: accepted")
		}
		s, err := Trip(t.Context(), e, dst1, brokenReader{}, 5000, TripOptions{Chunk: 1000, InFlight: 1}, nil)
		if !errors.Is(err, io.ErrUnexpectedEOF) || s.Done != 2 {
			t.Errorf("broken source: %v, %+v", err, s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		s, err = Trip(ctx, e, dst1, bytes.NewReader(make([]byte, 5000)), 5000, TripOptions{Chunk: 1000, Interval: 100 * time.Millisecond}, nil)
		if !errors.Is(err, context.DeadlineExceeded) || s.Done != 3 || s.Identical {
			t.Errorf("interrupted: %v, %+v", err, s)
		}
	})
}
