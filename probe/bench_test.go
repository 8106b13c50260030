package probe

import (
	"net"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A loopLink answers every request at once, without allocating.
type loopLink struct {
	reqs chan icmpx.Request
	end  chan struct{}
	buf  []byte
}

func newLoopLink() *loopLink {
	return &loopLink{reqs: make(chan icmpx.Request, 4*batch), end: make(chan struct{}), buf: make([]byte, 64*batch)}
}

func (l *loopLink) Keys(*icmpx.Request) (icmpx.KeySpace, bool) {
	return icmpx.KeySpace{Flow: 1, First: 1, Last: 65536}, true
}

func (l *loopLink) Send(rs []icmpx.Request) (int, error) {
	for i := range rs {
		rs[i].Sent = time.Now()
		l.reqs <- rs[i]
	}
	return len(rs), nil
}

func (l *loopLink) Recv(rs []icmpx.Reply) (int, error) {
	select {
	case r := <-l.reqs:
		for i, k := range []icmpx.Kind{icmpx.KindSent, icmpx.KindEchoReply} {
			now := time.Now()
			rs[i] = icmpx.Reply{Kind: k, Key: r.Key, Dst: r.Dst, From: r.Dst, At: now, Read: now, Stamp: icmpx.StampKernel}
		}
		rs[1].Payload = l.buf[:56]
		icmpx.FillPayload(rs[1].Payload, r.Token, nil)
		return 2, nil
	case <-l.end:
		return 0, net.ErrClosed
	}
}

func (l *loopLink) SetRecvDeadline(time.Time) error { return nil }

func (l *loopLink) Close() error {
	close(l.end)
	return nil
}

// BenchmarkEngine is a probe's whole way through the engine: start, transmit
// stamp, answer, callback.
func BenchmarkEngine(b *testing.B) {
	e := New(Config{InFlight: 64, Timeout: time.Second}, newLoopLink())
	defer e.Close()
	p := echoProbe(dst1)
	answered := 0
	done := func(r *Result) {
		if r.Fate == Answered {
			answered++
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Start(b.Context(), p, done); err != nil {
			b.Fatal(err)
		}
	}
}

// The way of a probe through the engine allocates nothing once it runs.
func TestEngineAllocations(t *testing.T) {
	warm, runs := 100000, 20000 // until tables and pools have their size
	if raceEnabled {
		t.Log("the race detector allocates: only the probes' fates are checked")
		warm, runs = 1000, 1000
	}
	e := New(Config{InFlight: 64, Timeout: time.Millisecond}, newLoopLink())
	defer e.Close()
	p := echoProbe(dst1)
	fates := make(chan Fate, 1)
	done := func(r *Result) {
		if r.Fate.Final() {
			fates <- r.Fate
		}
	}
	once := func() {
		if err := e.Start(t.Context(), p, done); err != nil {
			t.Fatal(err)
		}
		if f := <-fates; f != Answered && f != Lost {
			t.Fatalf("ended as %v", f)
		}
	}
	for range warm {
		once()
	}
	if n := testing.AllocsPerRun(runs, once); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations a probe", n)
	}
}
