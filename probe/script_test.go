package probe

import (
	"cmp"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A scriptLink is a link whose every answer a test writes by hand: the
// invariants of the engine are tested on it, without a network's own rules in
// between.
type scriptLink struct {
	family icmpx.Family
	space  icmpx.KeySpace

	// onSend is called for each request, in order, with the link unlocked. It
	// may call answer.
	onSend func(l *scriptLink, r *icmpx.Request) error

	mu       sync.Mutex
	wake     chan struct{}
	queue    []scripted
	deadline time.Time
	stalled  time.Time // Recv hands nothing up before
	offset   time.Duration
	drops    uint32
	failing  []error // what Recv returns next
	closed   bool
	batches  []int // sizes of the Sends
	sent     []icmpx.Request
}

type scripted struct {
	due   time.Time
	reply icmpx.Reply
}

func newScriptLink(onSend func(l *scriptLink, r *icmpx.Request) error) *scriptLink {
	return &scriptLink{
		family: icmpx.IPv4,
		space:  icmpx.KeySpace{Flow: 7, First: 1, Last: 65536},
		onSend: onSend,
		wake:   make(chan struct{}),
	}
}

func (l *scriptLink) Keys(r *icmpx.Request) (icmpx.KeySpace, bool) {
	return l.space, r.Proto == icmpx.ProtoEcho && icmpx.FamilyOf(r.Dst) == l.family
}

func (l *scriptLink) Send(rs []icmpx.Request) (int, error) {
	l.mu.Lock()
	l.batches = append(l.batches, len(rs))
	l.mu.Unlock()
	for i := range rs {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return i, net.ErrClosed
		}
		rs[i].Sent, rs[i].ClockOffset = time.Now(), l.offset
		l.mu.Unlock()
		if l.onSend != nil {
			if err := l.onSend(l, &rs[i]); err != nil {
				return i, err
			}
		}
		l.mu.Lock()
		l.sent = append(l.sent, rs[i])
		l.mu.Unlock()
	}
	return len(rs), nil
}

// answer schedules a reply to arrive after d.
func (l *scriptLink) answer(d time.Duration, r icmpx.Reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	due := time.Now().Add(d)
	r.At = due.Round(0).Add(l.offset)
	l.queue = append(l.queue, scripted{due, r})
	slices.SortStableFunc(l.queue, func(a, b scripted) int { return a.due.Compare(b.due) })
	l.kick()
}

func (l *scriptLink) kick() {
	close(l.wake)
	l.wake = make(chan struct{})
}

func (l *scriptLink) Recv(rs []icmpx.Reply) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		now := time.Now()
		next := l.deadline
		if now.Before(l.stalled) {
			next = l.stalled
		} else {
			n := 0
			for n < len(rs) && len(l.queue) > 0 && !l.queue[0].due.After(now) {
				rs[n] = l.queue[0].reply
				rs[n].Read, rs[n].ClockOffset, rs[n].Drops = now, l.offset, l.drops
				l.queue = l.queue[1:]
				n++
			}
			switch {
			case l.closed:
				return 0, net.ErrClosed
			case n > 0:
				return n, nil
			case len(l.failing) > 0 && len(l.sent) > 0:
				err := l.failing[0]
				l.failing = l.failing[1:]
				return 0, err
			case !l.deadline.IsZero() && !now.Before(l.deadline):
				return 0, os.ErrDeadlineExceeded
			}
			if len(l.queue) > 0 && (next.IsZero() || l.queue[0].due.Before(next)) {
				next = l.queue[0].due
			}
		}
		l.wait(next)
	}
}

func (l *scriptLink) wait(until time.Time) {
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	wake := l.wake
	l.mu.Unlock()
	select {
	case <-wake:
	case <-timeout:
	}
	l.mu.Lock()
}

func (l *scriptLink) SetRecvDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	l.kick()
	return nil
}

func (l *scriptLink) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.kick()
	return nil
}

// echo returns the true answer to r.
func echo(r *icmpx.Request) icmpx.Reply {
	b := make([]byte, r.PayloadLen(icmpx.IPv4))
	if r.Payload != nil {
		copy(b, r.Payload)
	} else {
		icmpx.FillPayload(b, r.Token, r.Pattern)
	}
	return icmpx.Reply{
		Kind: icmpx.KindEchoReply, Key: r.Key, Dst: r.Dst, From: r.Dst,
		TTL: 64, Stamp: icmpx.StampKernel, Bytes: len(b) + 8, Payload: b,
	}
}

// stamp returns the transmit stamp of r.
func stamp(r *icmpx.Request) icmpx.Reply {
	return icmpx.Reply{Kind: icmpx.KindSent, Key: r.Key, Dst: r.Dst, Stamp: icmpx.StampKernel}
}

// unreachable returns a router's error about r that quotes n payload bytes.
func unreachable(r *icmpx.Request, from netip.Addr, n int) icmpx.Reply {
	e := echo(r)
	return icmpx.Reply{
		Kind: icmpx.KindUnreachable, Type: 3, Code: 1, Key: r.Key, Dst: r.Dst, From: from,
		Stamp: icmpx.StampKernel, Quote: icmpx.Quote{Family: icmpx.IPv4, Dst: r.Dst, Payload: e.Payload[:min(n, len(e.Payload))]},
	}
}

// after answers every request truly after d.
func after(d time.Duration) func(*scriptLink, *icmpx.Request) error {
	return func(l *scriptLink, r *icmpx.Request) error {
		l.answer(0, stamp(r))
		l.answer(d, echo(r))
		return nil
	}
}

var (
	dst1   = netip.MustParseAddr("192.0.2.1")
	dst2   = netip.MustParseAddr("192.0.2.2")
	router = netip.MustParseAddr("198.51.100.1")
)

func echoProbe(dst netip.Addr) Probe {
	return Probe{Request: icmpx.Request{Dst: dst, Size: 84}}
}

// bubble runs f in a bubble of fake time with an engine that is closed after.
// The bubble fails the test if a goroutine outlives it, which is invariant 7.
func bubble(t *testing.T, cfg Config, l *scriptLink, f func(t *testing.T, e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l.mu.Lock()
		l.wake = make(chan struct{}) // of this bubble
		l.mu.Unlock()
		e := New(cfg, l)
		f(t, e)
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// A recorder collects results in order.
type recorder struct {
	mu      sync.Mutex
	results []Result
}

func (c *recorder) done(r *Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results = append(c.results, r.Clone())
}

// byRef returns the results sorted by Ref, and for one Ref in order of arrival.
func (c *recorder) byRef() []Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	rs := slices.Clone(c.results)
	slices.SortStableFunc(rs, func(a, b Result) int { return cmp.Compare(a.Probe.Ref, b.Probe.Ref) })
	return rs
}

func (c *recorder) fates() []Fate {
	var fs []Fate
	for _, r := range c.byRef() {
		fs = append(fs, r.Fate)
	}
	return fs
}
