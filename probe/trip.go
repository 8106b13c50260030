package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// TripOptions say how Trip carries a payload. The zero value is sensible but
// for Chunk.
type TripOptions struct {
	Chunk    int           // payload bytes a probe, from 1 to the family's MaxPayload
	InFlight int           // probes under way at once; 0: 16
	Retries  int           // times that a chunk is sent again; 0: 5, negative: never
	Interval time.Duration // between probes; 0: as the answers come
	Timeout  time.Duration // longest wait for an answer; 0: 10 s

	TTL          uint8 // 0: the system's
	TOS          int16 // -1: the socket's
	DF           icmpx.DF
	IgnoreQuench bool            // report source quenches, but do not slow down
	Report       <-chan struct{} // each receive yields a PingReport event
}

// TripStats are the account of a Trip. Its Sent counts every try.
type TripStats struct {
	Stats
	Chunks, Done         int   // chunks of the payload, and how many made the trip
	Bytes, BytesReturned int64 // that were sent, and that came back, in order
	Sum, SumReturned     Digest
	Resent               int  // tries after the first
	Identical            bool // the whole payload came back as it was sent
}

// ErrGivenUp is wrapped by Trip's error when a chunk spent its retries.
var ErrGivenUp = errors.New("no answer to any try")

// Trip carries size bytes of src to dst and back in the payloads of consecutive
// echo requests: chunk n travels as sequence number n, modulo 65,536, each time
// that it is sent. A chunk is sent again until it is answered intact, or its
// retries are spent; it waits for an answer as RFC 6298 has it, at most Timeout.
//
// Trip ends when all is back, when a chunk that was never answered has spent
// its retries (the error wraps ErrGivenUp), when src fails, or when the context
// ends (its error). The account is right in every case. Events come as Ping's.
func Trip(ctx context.Context, e *Engine, dst netip.Addr, src io.ReaderAt, size int64, o TripOptions, sink func(*PingEvent)) (TripStats, error) {
	f := icmpx.FamilyOf(dst)
	switch {
	case f == 0:
		return TripStats{}, fmt.Errorf("trip to %v: invalid address", dst)
	case o.Chunk < 1 || o.Chunk > f.MaxPayload():
		return TripStats{}, fmt.Errorf("trip to %v: chunks of %d bytes: want 1 to %d", dst, o.Chunk, f.MaxPayload())
	case size < 1:
		return TripStats{}, fmt.Errorf("trip to %v: nothing to carry", dst)
	}
	t := newTraveller(e, dst, src, size, o.withDefaults(), sink)
	err := t.run(ctx)
	return t.finish(), err
}

func (o TripOptions) withDefaults() TripOptions {
	if o.InFlight <= 0 {
		o.InFlight = 16
	}
	if o.Retries == 0 {
		o.Retries = 5
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	return o
}

// A traveller is one run of Trip. Its mutex is the account's.
type traveller struct {
	account
	opts     TripOptions
	src      io.ReaderAt
	size     int64
	chunks   int64
	template Probe
	onResult func(*Result)
	timer    *time.Timer

	window   []parcel // chunk c is at c % len(window)
	base     int64    // first chunk that has not made the trip
	next     int64    // first chunk that was never sent
	tries    uint64   // Ref of the last probe
	open     map[uint64]flight
	lastSent time.Time
	rto      rto
	quenched throttle
	sums     sums
	trip     TripStats
	failed   error
	ending   bool // what is lost now was not waited for
}

// A parcel is a chunk under way.
type parcel struct {
	payload  []byte // as sent
	returned []byte // as it came back, if that differs
	tries    int
	state    parcelState
	after    time.Time // not to be sent again before
}

type parcelState uint8

const (
	parcelWaiting parcelState = iota // to be sent, perhaps again
	parcelOpen                       // a probe of it is under way
	parcelDone                       // it has come back
)

// windowFactor is how many times InFlight chunks a lost one may hold up.
const windowFactor = 4

func newTraveller(e *Engine, dst netip.Addr, src io.ReaderAt, size int64, o TripOptions, sink func(*PingEvent)) *traveller {
	t := &traveller{
		opts: o, src: src, size: size,
		chunks: (size + int64(o.Chunk) - 1) / int64(o.Chunk),
		template: Probe{Request: icmpx.Request{
			Proto: icmpx.ProtoEcho, Dst: dst, TTL: o.TTL, TOS: o.TOS, DF: o.DF,
		}},
		window: make([]parcel, windowFactor*o.InFlight),
		open:   make(map[uint64]flight),
		sums:   newSums(),
	}
	t.begin(e, dst, sink, !o.IgnoreQuench)
	t.throttle = &t.quenched
	t.quenched = newThrottle(max(o.Interval, time.Millisecond/time.Duration(o.InFlight)))
	t.onResult = t.done
	t.trip.Chunks = int(t.chunks)
	return t
}

func (t *traveller) run(ctx context.Context) error {
	t.timer = time.NewTimer(0)
	defer t.timer.Stop()
	for {
		c, wait, err := t.choose()
		switch {
		case err != nil:
			return err
		case wait < 0: // all is back
			return nil
		case wait == 0:
			if err := t.send(ctx, c); err != nil {
				return err
			}
			continue
		}
		t.timer.Reset(wait)
		select {
		case <-t.timer.C:
		case <-t.changed:
		case <-t.opts.Report:
			t.report()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// idle is how long choose waits at most: everything else wakes it.
const idle = time.Hour

// choose returns the chunk to send now, or how long to wait before looking
// again; a negative wait means that all is back. What has to be sent again goes
// first.
func (t *traveller) choose() (chunk int64, wait time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.recover(now)
	if t.failed != nil || t.base == t.chunks {
		return 0, -1, t.failed
	}
	if len(t.open) >= t.opts.InFlight {
		return 0, t.growth(now), nil
	}
	wait = t.growth(now)
	for c := t.base; c < min(t.next+1, t.chunks, t.base+int64(len(t.window))); c++ {
		p := t.parcel(c)
		switch {
		case c < t.next && p.state != parcelWaiting:
			continue
		case c < t.next && p.after.After(now):
			wait = min(wait, p.after.Sub(now))
			continue
		}
		if pause := t.pause(now); pause > 0 {
			return 0, min(pause, wait), nil
		}
		return c, 0, nil
	}
	return 0, wait, nil
}

// pause returns how long the pace asks to wait before the next probe.
func (t *traveller) pause(now time.Time) time.Duration {
	gap := t.opts.Interval
	if t.quenched.active() {
		gap = t.quenched.interval()
	}
	if gap == 0 || t.tries == 0 {
		return 0
	}
	return t.lastSent.Add(gap).Sub(now)
}

func (t *traveller) growth(now time.Time) time.Duration {
	if t.quenched.active() {
		return max(t.quenched.nextGrowth(now), 1)
	}
	return idle
}

func (t *traveller) parcel(c int64) *parcel { return &t.window[c%int64(len(t.window))] }

// load reads chunk c into its parcel when it is sent for the first time.
func (t *traveller) load(c int64) error {
	p := t.parcel(c)
	off := c * int64(t.opts.Chunk)
	n := int(min(int64(t.opts.Chunk), t.size-off))
	if cap(p.payload) < n {
		p.payload = make([]byte, n)
	}
	*p = parcel{payload: p.payload[:n]}
	if _, err := t.src.ReadAt(p.payload, off); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read payload at byte %d: %w", off, err)
	}
	return nil
}

func (t *traveller) send(ctx context.Context, c int64) error {
	t.mu.Lock()
	if c == t.next {
		if err := t.load(c); err != nil {
			t.mu.Unlock()
			return err
		}
		t.next++
	} else {
		t.trip.Resent++
	}
	p := t.parcel(c)
	p.state = parcelOpen
	p.tries++
	t.tries++
	probe := t.template
	probe.Ref, probe.Number, probe.Payload = t.tries, uint64(c)+1, p.payload
	probe.Timeout = min(t.rto.wait(p.tries), t.opts.Timeout)
	t.stats.Sent++
	t.stats.Pipe = max(t.stats.Pipe, len(t.open)+1)
	t.lastSent = time.Now()
	t.open[probe.Ref] = flight{sent: t.lastSent}
	t.mu.Unlock()

	tk, err := t.engine.start(ctx, probe, t.onResult)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.stats.Sent--
		delete(t.open, probe.Ref)
		return err
	}
	t.sent(tk)
	if f, ok := t.open[probe.Ref]; ok {
		f.ticket = tk
		t.open[probe.Ref] = f
	}
	return nil
}

// report gives the account so far to the sink.
func (t *traveller) report() {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.snapshot()
	s.InFlight = len(t.open)
	t.tell(PingEvent{Kind: PingReport, Stats: &s, Done: t.base, Of: t.chunks})
}

// finish decides what is still open, after what has already arrived was read,
// and closes the account. What then has no answer is in flight.
func (t *traveller) finish() TripStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
	t.settle(t.open)
	s := t.trip
	s.Stats = t.close()
	s.Done = int(t.base)
	t.sums.into(&s)
	s.Identical = t.base == t.chunks && s.Sum == s.SumReturned && s.Bytes == s.BytesReturned
	return s
}
