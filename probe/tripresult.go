package probe

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Digest is a SHA-256 sum.
type Digest [sha256.Size]byte

// sums are the running digests of what was sent and of what came back, both in
// order of the payload.
type sums struct {
	sent, back           hash.Hash
	bytesSent, bytesBack int64
}

func newSums() sums { return sums{sent: sha256.New(), back: sha256.New()} }

func (s *sums) add(sent, back []byte) {
	s.sent.Write(sent)
	s.back.Write(back)
	s.bytesSent += int64(len(sent))
	s.bytesBack += int64(len(back))
}

func (s *sums) into(t *TripStats) {
	t.Bytes, t.BytesReturned = s.bytesSent, s.bytesBack
	s.sent.Sum(t.Sum[:0])
	s.back.Sum(t.SumReturned[:0])
}

// done takes every result of the run's probes, from the engine's goroutine.
func (t *traveller) done(r *Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	c := int64(r.Number) - 1
	switch {
	case r.Fate.Final():
		delete(t.open, r.Probe.Ref)
		if t.ending && r.Fate == Lost {
			r.Fate = Canceled
		}
		t.decided(c, r)
	case r.Fate == Extra && c >= t.base && c < t.next:
		t.late(c, r)
	case r.Fate == Notice && r.Reply.Kind == icmpx.KindSourceQuench && !t.quenched.active() && t.opts.Interval == 0:
		// The rate that the answers have paced is the one to be halved.
		t.quenched = newThrottle(max(t.rto.srtt, time.Millisecond) / time.Duration(t.opts.InFlight))
	}
	t.book(r)
}

// late takes an answer that came after its chunk was given up for this time,
// and before it was sent again.
func (t *traveller) late(c int64, r *Result) {
	if p := t.parcel(c); p.state == parcelWaiting && r.Reply.Kind == icmpx.KindEchoReply && r.Damage.Class == Intact {
		p.state, p.returned = parcelDone, nil
		t.advance()
	}
}

// decided moves a chunk on: back, or to be sent again, or given up.
func (t *traveller) decided(c int64, r *Result) {
	p := t.parcel(c)
	back := r.Fate == Answered && r.Reply.Kind == icmpx.KindEchoReply
	switch {
	case back && r.Damage.Class == Intact:
		p.state, p.returned = parcelDone, nil
		if p.tries == 1 { // an answer to a try that was repeated may be to either
			t.rto.sample(r.RTT)
		}
	case back && p.tries > t.opts.Retries:
		p.state, p.returned = parcelDone, slices.Clone(r.Reply.Payload)
	case p.tries > t.opts.Retries || r.Fate == Canceled:
		p.state = parcelWaiting
		if t.failed == nil {
			t.failed = fmt.Errorf("chunk %d of %d, sent %d times: %w", c+1, t.chunks, p.tries, ErrGivenUp)
		}
	default:
		p.state = parcelWaiting
		if r.Fate != Lost && !back { // refused: waiting may help, haste does not
			p.after = time.Now().Add(t.rto.wait(p.tries))
		}
	}
	t.advance()
}

// advance accounts for the chunks that are back, in their order.
func (t *traveller) advance() {
	for t.base < t.next && t.parcel(t.base).state == parcelDone {
		p := t.parcel(t.base)
		back := p.payload
		if p.returned != nil {
			back = p.returned
		}
		t.sums.add(p.payload, back)
		t.base++
	}
}

// An rto is a retransmission timer after RFC 6298. The zero rto has no sample.
type rto struct {
	srtt, rttvar time.Duration
}

// Bounds of a retransmission timer: before the first sample it is a second
// (section 2.1), and a chunk's timer doubles with each try (section 5.5).
const (
	firstRTO = time.Second
	leastRTO = 200 * time.Millisecond
)

func (t *rto) sample(rtt time.Duration) {
	if t.srtt == 0 {
		t.srtt, t.rttvar = rtt, rtt/2
		return
	}
	t.rttvar += ((t.srtt - rtt).Abs() - t.rttvar) / 4
	t.srtt += (rtt - t.srtt) / 8
}

// wait returns the timer of a try, the first being 1.
func (t *rto) wait(try int) time.Duration {
	d := firstRTO
	if t.srtt > 0 {
		d = max(leastRTO, t.srtt+4*t.rttvar)
	}
	return d << min(try-1, 6)
}
