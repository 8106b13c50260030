package main

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/internal/packet"
)

// A frameSource gives the frames of a capture one after the other, and io.EOF
// behind the last; *capfile.Reader is one. Next overwrites the frame, whose
// Data is valid until the next call. A source that waits for packets calls
// flush of its capture before it does, and returns when the context of the run
// ends.
type frameSource interface {
	Next(*packet.Frame) error
}

// A seen is a packet on its way through the consumers of a capture. It is valid
// until the last of them has returned.
type seen struct {
	*packet.Packet
	Findings []render.Finding // what the consumers before said about it
	Pairing  []byte           // what request or answer it belongs to, in words; empty: none, or nobody looked
}

// A consumer takes the packets of a capture that were selected, in order:
// judges, which add findings, stand before views, which print them. What it
// appends to b goes to standard output, behind what the consumers before it
// appended.
type consumer interface {
	packet(b []byte, s *seen) []byte
	// end is called once, behind the last packet of the last source.
	end(b []byte) []byte
}

// A sectioned is a consumer that says something before the first packet of each
// source and behind the last: what the source is, and what it held.
type sectioned interface {
	begin(b []byte, src *sourceInfo) []byte
	shut(b []byte, tally *render.CaptureTally, damage []string) []byte
}

// A sourceInfo says what is read.
type sourceInfo struct {
	name   string // of a file, or of an interface
	live   bool   // it is an interface
	link   packet.LinkType
	linked bool // all frames have that link type
}

// A reporter is a consumer that has something to say about the capture so far
// when the user asks with SIGQUIT: it appends lines for standard error.
type reporter interface {
	report(b []byte) []byte
}

// A closer is a consumer whose work can fail, on a full disk for example; close
// is called once, behind end.
type closer interface {
	close() error
}

// captureBuffer is how much output is collected before it is written.
const captureBuffer = 64 << 10

// A capture is what decode and listen have in common: the way of packets from a
// source through the decoder and the selection to the consumers.
type capture struct {
	decoder packet.Decoder
	all     bool                      // frames without ICMP as well
	match   func(*packet.Packet) bool // the filter; nil: all match
	most    int                       // packets that are selected at most; 0: no limit

	consumers []consumer
	out       *output
	eager     bool // write each packet's lines at once

	ctx   context.Context // of the run; nil: it ends by itself
	ended atomic.Bool     // ctx has ended: the user, or the reader of standard output, wants no more

	mu    sync.Mutex          // held while a packet is with the consumers
	tally render.CaptureTally // of all sources
	part  render.CaptureTally // of the source at hand
	over  bool                // the consumers have said what they say at the end
	b     []byte
	frame packet.Frame
	p     packet.Packet
	seen  seen

	fragments packet.ReassemblyCount // of the sources before the one at hand
}

// errEnough ends a source when as many packets were seen as were asked for.
var errEnough = errors.New("enough packets")

// watch makes the capture end with ctx. What it returns takes that back.
func (c *capture) watch(ctx context.Context) (stop func() bool) {
	c.ctx = ctx
	return context.AfterFunc(ctx, func() { c.ended.Store(true) })
}

// begin makes the capture ready for another source, whose frames and fragments
// are its own.
func (c *capture) begin(src *sourceInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fragments = c.reassembly()
	c.decoder = packet.Decoder{}
	c.frame, c.part = packet.Frame{}, render.CaptureTally{}
	for _, x := range c.consumers {
		if x, ok := x.(sectioned); ok {
			c.b = x.begin(c.b, src)
		}
	}
}

// reassembly returns what became of all fragments so far. c.mu is held.
func (c *capture) reassembly() packet.ReassemblyCount {
	n, now := c.fragments, c.decoder.Reassembly()
	n.Fragments += now.Fragments
	n.Rebuilt += now.Rebuilt
	n.Expired += now.Expired
	n.Evicted += now.Evicted
	n.Refused += now.Refused
	n.Pending += now.Pending
	return n
}

// fragmentsGivenUp returns how many datagrams were not rebuilt for want of
// memory.
func (c *capture) fragmentsGivenUp() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reassembly().Evicted
}

// shut ends a source. Behind the last of them the consumers say what they have
// to say at the end.
func (c *capture) shut(last bool, damage []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last {
		c.conclude()
	}
	for _, x := range c.consumers {
		if x, ok := x.(sectioned); ok {
			c.b = x.shut(c.b, &c.part, damage)
		}
	}
	c.write()
}

// conclude ends all consumers, once. c.mu is held.
func (c *capture) conclude() {
	if c.over {
		return
	}
	c.over = true
	for _, x := range c.consumers {
		c.b = x.end(c.b)
	}
}

// run takes all frames of a source. The error is nil at the end of it, or when
// the run was ended; errEnough behind the last packet that was asked for; else
// what Next returned.
func (c *capture) run(src frameSource) error {
	for !c.ended.Load() {
		if err := src.Next(&c.frame); err != nil {
			if errors.Is(err, io.EOF) || c.ctx != nil && c.ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := c.take(); err != nil {
			return err
		}
	}
	return nil
}

// take hands the frame at hand to the consumers.
func (c *capture) take() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decoder.Decode(&c.frame, &c.p)
	c.tally.Add(&c.p)
	c.part.Add(&c.p)
	if !c.all && !c.p.ICMPPart() || c.match != nil && !c.match(&c.p) {
		return nil
	}
	c.tally.Selected++
	c.part.Selected++
	c.seen = seen{Packet: &c.p}
	for _, x := range c.consumers {
		c.b = x.packet(c.b, &c.seen)
	}
	if c.eager || len(c.b) >= captureBuffer {
		c.write()
	}
	if c.most > 0 && c.tally.Selected >= c.most {
		return errEnough
	}
	return nil
}

// flush writes what has been collected. Whoever waits for packets calls it
// before.
func (c *capture) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write()
}

// write is flush with c.mu held.
func (c *capture) write() {
	if len(c.b) > 0 {
		c.out.writeAll(c.b)
		c.b = c.b[:0]
	}
}

// report returns what the consumers say about the capture so far.
func (c *capture) report() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.tally.AppendStatus(nil)
	for _, x := range c.consumers {
		if r, ok := x.(reporter); ok {
			b = r.report(b)
		}
	}
	return b
}

// passReports writes a report to standard error whenever the user asks, until
// ended is closed.
func (c *capture) passReports(status <-chan os.Signal, ended <-chan struct{}) {
	for {
		select {
		case <-status:
		case <-ended:
			return
		}
		text := c.report()
		c.out.warn(func(b []byte) []byte { return append(b, text...) })
	}
}

// finish has the consumers say what they have to say at the end, and close.
func (c *capture) finish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conclude()
	c.write()
	var errs []error
	for _, x := range c.consumers {
		if x, ok := x.(closer); ok {
			errs = append(errs, x.close())
		}
	}
	return errors.Join(append(errs, c.out.failure())...)
}
