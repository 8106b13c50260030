package probetest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Link is one family's end of a [Net]. It implements probe.Link, which it
// does not name, so that package probe's own tests can use it too.
type Link struct {
	net    *Net
	family icmpx.Family
	flow   uint32

	// All below is guarded by net.mu.
	queue    queue
	ready    []*item // arrived and kept: the socket's buffer
	order    uint64
	drops    uint32
	deadline time.Time
	closed   bool
	waiting  int
	wake     chan struct{} // closed, and replaced, to wake every Recv
	handed   [][]byte      // what the last Recv handed out
}

// Link opens a link of family f. Each link has its own flow, and receives the
// answers to what it sent itself.
func (n *Net) Link(f icmpx.Family) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &Link{
		net:    n,
		family: f,
		flow:   uint32(firstFlow + len(n.links)),
		wake:   make(chan struct{}),
	}
	n.links = append(n.links, l)
	return l
}

// firstFlow is the identifier, or source port, of the first link.
const firstFlow = 4001

// Keys returns the link's flow for requests like r, and false if r is of
// another family.
func (l *Link) Keys(r *icmpx.Request) (icmpx.KeySpace, bool) {
	if icmpx.FamilyOf(r.Dst) != l.family || int(r.Proto) >= len(protos) {
		return icmpx.KeySpace{}, false
	}
	ks := protos[r.Proto].keys(l, r)
	if last := l.net.opt.LastTag; last != 0 {
		ks.Last = max(min(ks.Last, last), ks.First)
	}
	return ks, true
}

// Send sends requests in order and returns how many left, or were taken and
// lost.
func (l *Link) Send(rs []icmpx.Request) (int, error) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	for i := range rs {
		if err := l.send(&rs[i]); err != nil {
			return i, err
		}
	}
	return len(rs), nil
}

func (l *Link) send(r *icmpx.Request) error {
	now := time.Now()
	if err := l.refuse(r, now); err != nil {
		return err
	}
	r.Sent, r.ClockOffset = now, l.net.clockOffset(now)
	p, err := l.net.newPacket(r, l.family, now)
	if err != nil {
		return err
	}
	if down, _ := l.net.outage(p.Left); down {
		return nil
	}
	deliveries := l.net.carry(p)
	if l.net.opt.hasTxStamps() && !p.NoStamp {
		l.add(p.Left, now, Delivery{Reply: sentReply(p)})
	}
	for _, d := range deliveries {
		l.add(p.Left.Add(max(d.After, 0)), now, d)
	}
	l.wakeLocked()
	return nil
}

// refuse returns why r is not sent, nil if it is.
func (l *Link) refuse(r *icmpx.Request, now time.Time) error {
	switch {
	case l.closed:
		return net.ErrClosed
	case l.net.fail != nil:
		return l.net.fail
	case icmpx.FamilyOf(r.Dst) != l.family || int(r.Proto) >= len(protos):
		return fmt.Errorf("send to %v: not a request of this %v link", r.Dst, l.family)
	}
	if down, err := l.net.outage(now); down && err != nil {
		return err
	}
	if l.net.opt.SendErr != nil {
		return l.net.opt.SendErr(r)
	}
	return nil
}

func (o *Options) hasTxStamps() bool { return !o.UserStamps && !o.NoTxStamps }

// add queues a delivery, for a packet sent at a time, with bytes of its own, so
// that scribbling over one reply does not reach another.
func (l *Link) add(arrival, sent time.Time, d Delivery) {
	d.Reply.Payload = bytes.Clone(d.Reply.Payload)
	d.Reply.Quote.Payload = bytes.Clone(d.Reply.Quote.Payload)
	d.Reply.Ext = bytes.Clone(d.Reply.Ext)
	l.order++
	due := arrival
	if d.Reply.Kind != icmpx.KindSent {
		due = due.Add(l.net.opt.RxDelay)
	}
	l.queue.add(&item{due: due, arrival: arrival, sent: sent, order: l.order, overflow: d.Overflow, reply: d.Reply})
}

// Recv waits for at least one reply and stores those that have arrived, in
// order of arrival. What the previous Recv handed out is overwritten: whoever
// kept a slice of it, against the rules of probe.Link, finds 0xdb bytes.
func (l *Link) Recv(rs []icmpx.Reply) (int, error) {
	if len(rs) == 0 {
		return 0, nil
	}
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.scribble()
	for {
		if l.closed {
			return 0, net.ErrClosed
		}
		now := time.Now()
		until := l.net.stalledUntil(now)
		if until.IsZero() {
			l.collect(now)
			if n := l.hand(rs, now); n > 0 {
				return n, nil
			}
			if !l.deadline.IsZero() && !now.Before(l.deadline) {
				return 0, os.ErrDeadlineExceeded
			}
			until = l.nextEvent()
		}
		l.wait(until)
	}
}

// nextEvent returns when Recv has to look again; the zero time: when woken.
func (l *Link) nextEvent() time.Time {
	at := l.deadline
	if len(l.queue) > 0 && (at.IsZero() || l.queue[0].due.Before(at)) {
		at = l.queue[0].due
	}
	return at
}

// wait unlocks the network until something changes or the time has come.
func (l *Link) wait(until time.Time) {
	var timeout <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timeout = t.C
	}
	wake := l.wake
	l.waiting++
	l.net.mu.Unlock()
	select {
	case <-wake:
	case <-timeout:
	}
	l.net.mu.Lock()
	l.waiting--
}

// wakeLocked makes every waiting Recv look again.
func (l *Link) wakeLocked() {
	if l.waiting > 0 {
		close(l.wake)
		l.wake = make(chan struct{})
	}
}

// collect moves what has arrived by now into the buffer, or drops it.
func (l *Link) collect(now time.Time) {
	for it := l.queue.next(now); it != nil; it = l.queue.next(now) {
		if down, _ := l.net.outage(it.arrival); down && it.reply.Kind != icmpx.KindSent {
			continue
		}
		if limit := l.net.opt.Buffer; it.overflow || limit > 0 && len(l.ready) >= limit {
			l.drops++
			continue
		}
		l.ready = append(l.ready, it)
	}
}

// hand stores buffered replies in rs.
func (l *Link) hand(rs []icmpx.Reply, now time.Time) int {
	n := min(len(rs), len(l.ready))
	for i, it := range l.ready[:n] {
		rs[i] = it.reply
		l.stamp(&rs[i], it, now)
		l.handed = append(l.handed, rs[i].Payload, rs[i].Quote.Payload, rs[i].Ext)
		l.ready[i] = nil
	}
	l.ready = l.ready[n:]
	return n
}

// stamp sets the times of a reply. A kernel stamp is of the wall clock, hence
// shows the steps that it made since the packet was sent.
func (l *Link) stamp(r *icmpx.Reply, it *item, now time.Time) {
	n := l.net
	r.Read, r.ClockOffset, r.Drops = now, n.clockOffset(now), l.drops
	if n.opt.UserStamps {
		r.At, r.Stamp = now, icmpx.StampUser
		return
	}
	steps := n.shift(it.arrival.Sub(n.start)) - n.shift(it.sent.Sub(n.start))
	r.At, r.Stamp = it.arrival.Round(0).Add(steps), icmpx.StampKernel
}

func (l *Link) scribble() {
	for _, b := range l.handed {
		for i := range b {
			b[i] = 0xdb
		}
	}
	l.handed = l.handed[:0]
}

// SetRecvDeadline sets the time at which Recv gives up, also for a Recv in
// progress.
func (l *Link) SetRecvDeadline(t time.Time) error {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.deadline = t
	l.wakeLocked()
	return nil
}

// Close ends the link and every call in progress. Closing again is
// net.ErrClosed.
func (l *Link) Close() error {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	l.wakeLocked()
	return nil
}
