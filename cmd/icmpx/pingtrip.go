package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/probe"
)

// trip carries the payload to a host and back, in chunks.
func (s *pingSession) trip(engine *probe.Engine, h *pingHost, sink func(*probe.PingEvent)) {
	r := s.asked
	ctx := s.ctx
	if r.opts.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.opts.Deadline)
		defer cancel()
	}
	stats, err := probe.Trip(ctx, engine, h.Addr, r.file.src, r.file.size, probe.TripOptions{
		Chunk:    h.Payload,
		Retries:  r.file.retries,
		Interval: r.opts.Interval,
		Timeout:  r.opts.Timeout,

		TTL:          r.opts.TTL,
		TOS:          r.opts.TOS,
		DF:           r.opts.DF,
		IgnoreQuench: r.opts.IgnoreQuench,
		Report:       h.status,
	}, sink)
	if err != nil && ctx.Err() == nil {
		h.err = err
	}
	h.account.Stats = stats.Stats
	p := &render.Payload{
		File: r.file.name, Bytes: r.file.size, Returned: stats.BytesReturned, Sum: stats.Sum, Identical: stats.Identical,
		Chunk: h.Payload, Chunks: stats.Chunks, Done: stats.Done, Resent: stats.Resent,
	}
	if stats.Done < stats.Chunks { // the trip's sums end where it did
		p.Sum = r.file.sum(p.Sum)
	}
	if stats.BytesReturned > 0 {
		p.SumReturned = &stats.SumReturned
	}
	h.account.Payload = p
}

// whole returns what became of a payload that travelled whole in each probe.
func (s *pingSession) whole(h *pingHost) *render.Payload {
	sent := s.asked.opts.Payload
	p := &render.Payload{
		File: s.asked.file.name, Bytes: int64(len(sent)), Returned: int64(len(h.last)),
		Sum: sha256.Sum256(sent), Identical: h.came && !h.differed,
	}
	if h.came {
		sum := probe.Digest(sha256.Sum256(h.last))
		p.SumReturned = &sum
	}
	return p
}

// A progress is how far the files of all hosts have come.
type progress struct {
	mu    sync.Mutex
	begun time.Time
	done  map[*pingHost]int64 // bytes
}

// progressInterval is how often progress is shown.
const progressInterval = 200 * time.Millisecond

// progressTicks returns a channel that says when to show progress; none ever
// comes if there is none to show.
func (s *pingSession) progressTicks() (<-chan time.Time, func()) {
	if !s.asked.file.chunked || !s.sys.terminal || s.asked.quiet {
		return nil, func() {}
	}
	s.trips.begun, s.trips.done = time.Now(), make(map[*pingHost]int64)
	t := time.NewTicker(progressInterval)
	return t.C, t.Stop
}

// showProgress shows how far all files have come, on one line.
func (s *pingSession) showProgress(h *pingHost, ev *probe.PingEvent) {
	t := &s.trips
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		return
	}
	t.done[h] = min(ev.Done*int64(h.Payload), s.asked.file.size)
	var done, of int64
	for _, n := range t.done {
		done += n
		of += s.asked.file.size
	}
	s.out.progress(func(b []byte) []byte {
		return render.AppendProgress(b, done, of, time.Since(t.begun))
	})
}

// An interruption is the signal that ended a run, as the cause of its context.
type interruption struct{ signal int }

// Error names the signal by its number.
func (i *interruption) Error() string { return "interrupted by a signal" }

// interruptCode returns the exit code of a command with an end of its own that
// did not reach it: as a shell has it, 128 and the signal.
func interruptCode(ctx context.Context) int {
	var i *interruption
	if errors.As(context.Cause(ctx), &i) {
		return exitSignal + i.signal
	}
	return exitSignal + defaultSignal
}
