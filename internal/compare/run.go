package compare

import (
	"context"
	"errors"
	"io"

	"github.com/icmpx/icmpx/internal/packet"
)

// A reader reads the marks of one capture.
type reader struct {
	src     Source
	match   func(*packet.Packet) bool
	decoder packet.Decoder
	frame   packet.Frame
	p       packet.Packet
	count   *Point
}

func newReader(open Open, o *Options, count *Point) (*reader, error) {
	src, err := open()
	return &reader{src: src, match: o.Match, count: count}, err
}

// next reads the next message. The error is io.EOF behind the last.
func (r *reader) next(m *Mark) error {
	for {
		if err := r.src.Next(&r.frame); err != nil {
			return err
		}
		r.decoder.Decode(&r.frame, &r.p)
		r.count.frame(&r.p)
		if r.match != nil && !r.match(&r.p) || !m.set(&r.p) {
			continue
		}
		r.count.Messages++
		return nil
	}
}

// Run compares two captures. The error is that of a source. When ctx ends, the
// result is of what was read until then.
func Run(ctx context.Context, a, b Open, o Options) (*Result, error) {
	x := newComparison(ctx, &o)
	for i, open := range []Open{a, b} {
		if err := x.sample(i, open); err != nil {
			return nil, err
		}
	}
	x.settleClock()
	x.prepare()
	if err := x.merge(a, b); err != nil {
		return nil, err
	}
	return x.conclude(), nil
}

// A comparison is one Run.
type comparison struct {
	ctx    context.Context
	o      *Options
	window int64
	result Result

	samples [2]*samples
	guess   Direction // of what cannot be told: where all that can be told goes
	flows   [2]flows

	tables [2]*table
	recent [2]recent
	trips  [2]*trips
	queue  queue
	ways   [2]way
	tally  tally
}

func newComparison(ctx context.Context, o *Options) *comparison {
	return &comparison{
		ctx: ctx, o: o, window: o.window(),
		samples: [2]*samples{new(samples), new(samples)}, flows: [2]flows{{}, {}},
	}
}

// prepare makes room for the second reading.
func (x *comparison) prepare() {
	n, places := x.o.pending(), 1
	for places < n {
		places *= 2
	}
	for i := range 2 {
		x.tables[i] = newTable(n)
		x.recent[i] = make(recent, places)
		x.trips[i] = newTrips(max(places/2, 1))
	}
	x.queue.most = max(n/4, 1)
}

// often is after how many packets it is looked whether the user wants no more.
const often = 1 << 12

func (x *comparison) interrupted() bool {
	x.result.Interrupted = x.result.Interrupted || x.ctx.Err() != nil
	return x.result.Interrupted
}

// sample reads a capture for the first time.
func (x *comparison) sample(i int, open Open) error {
	r, err := newReader(open, x.o, &x.result.Points[i])
	if err != nil {
		return err
	}
	var m Mark
	for n := 0; ; n++ {
		if n%often == 0 && x.interrupted() {
			return nil
		}
		switch err := r.next(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		m.at = m.Time.UnixNano()
		x.samples[i].add(&m)
	}
}

// settleClock finds the offset of the clocks, and which flows go which way.
func (x *comparison) settleClock() {
	list := pairs(x.samples[0], x.samples[1], x.window)
	for i := range list {
		x.vote(list[i].a, list[i].b, list[i].b.at, list[i].x)
	}
	var ways [3][]passage
	for i := range list {
		f, way := x.flows[0].get(list[i].a, false)
		d := f.of(way)
		ways[d] = append(ways[d], passage{list[i].a.at, list[i].b.at})
	}
	ab, ba := ways[AB], ways[BA]
	switch {
	case len(ab) == 0 && len(ba) == 0:
		x.guess, ab = AB, ways[Unknown]
		x.result.Guessed = len(ab) > 0
	case len(ba) == 0:
		x.guess = AB
	case len(ab) == 0:
		x.guess = BA
	}
	x.result.Clock = newClock(ab, ba)
	x.samples = [2]*samples{}
	for i := range x.result.Points {
		p := &x.result.Points[i]
		p.first, p.last = x.align(i, p.First.UnixNano()), x.align(i, p.Last.UnixNano())
	}
}

// vote takes a packet that was seen at both points, x later by the clock of B.
func (x *comparison) vote(a, b *Mark, at, later int64) {
	if f, way := x.flows[0].get(a, true); f != nil {
		f.vote(way, at, later, a, b)
	}
	if f, way := x.flows[1].get(b, true); f != nil {
		f.vote(way, at, later, a, b)
	}
}

// align turns a time of a capture to the clock of A.
func (x *comparison) align(i int, t int64) int64 {
	if i == 1 {
		return t - x.result.Clock.offset(t)
	}
	return t
}

// merge reads both captures at once, in order of time.
func (x *comparison) merge(a, b Open) error {
	var heads [2]struct {
		r    *reader
		mark Mark
		over bool
	}
	advance := func(i int) error {
		h := &heads[i]
		err := h.r.next(&h.mark)
		if errors.Is(err, io.EOF) {
			h.over = true
			return nil
		}
		h.mark.at = x.align(i, h.mark.Time.UnixNano())
		return err
	}
	for i, open := range []Open{a, b} {
		r, err := newReader(open, x.o, new(Point))
		if err != nil {
			return err
		}
		heads[i].r = r
		if err := advance(i); err != nil {
			return err
		}
	}
	for n := 0; !heads[0].over || !heads[1].over; n++ {
		if n%often == 0 && x.interrupted() {
			x.queue.flush(x.emit)
			return nil // what still waits for its match is not lost
		}
		i := 0
		if heads[0].over || !heads[1].over && heads[1].mark.at < heads[0].mark.at {
			i = 1
		}
		x.take(i, &heads[i].mark)
		if err := advance(i); err != nil {
			return err
		}
	}
	for x.settleOldest() {
	}
	x.queue.flush(x.emit)
	return nil
}
