package probe

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

var errNoProgress = errors.New("link took no packet and gave no reason")

// maxRecvErrors is how many failures of Recv in a row mean that the link is
// broken for good.
const maxRecvErrors = 100

// receive reads one link until it is closed. It is the only reader, and the
// only place where probes are found lost.
func (ls *linkState) receive() {
	replies := make([]icmpx.Reply, batch)
	failures := 0
	for {
		n, err := ls.link.Recv(replies)
		ls.eng.mu.Lock()
		for i := range replies[:n] {
			ls.handle(&replies[i])
		}
		switch {
		case err == nil:
			failures = 0
		case errors.Is(err, os.ErrDeadlineExceeded):
			failures = 0
			ls.expire()
		case errors.Is(err, net.ErrClosed) || failures == maxRecvErrors:
			ls.broken = err
			ls.cancelAll(err)
			ls.eng.mu.Unlock()
			return
		default:
			failures++
		}
		ls.forgetOld(time.Now())
		ls.arm()
		ls.eng.mu.Unlock()
	}
}

// expire decides the probes whose deadline is not after the one at which the
// link has just seen its queues empty. The deadline is moved later only by the
// receiver itself, so ls.armed is at most the one that passed.
func (ls *linkState) expire() {
	if ls.armed.After(time.Now()) {
		return
	}
	for len(ls.pending) > 0 && !ls.pending[0].expires.After(ls.armed) {
		ls.lose(ls.pending[0])
	}
}

func (ls *linkState) lose(ent *entry) {
	noWire := ent.dest.stamped && ent.tx.IsZero()
	if noWire {
		ls.eng.counters.OwnDrops++
	}
	ls.decide(ent, Result{Fate: Lost, NoWire: noWire})
}

// handle books one reply. Its rules, in order:
//  1. a transmit stamp belongs to its probe, and is not an answer;
//  2. a probe is found by (destination, flow, tag); the destination is what an
//     error quotes, or the sender of a direct answer;
//  3. a direct answer with a known token from elsewhere is reported as such;
//  4. what finds no probe, or none that it can answer, is a stray;
//  5. what the secret or the payload disproves decides nothing;
//  6. redirects and source quenches decide nothing;
//  7. what arrived after the deadline finds the probe lost;
//  8. the first answer decides the probe, the others are extra.
func (ls *linkState) handle(r *icmpx.Reply) {
	ls.noteDrops(r.Drops)
	ent, alias := ls.find(r)
	if ent == nil || !fits(ent.probe.Proto, r.Kind) {
		if r.Kind != icmpx.KindSent {
			ls.stray(r)
		}
		return
	}
	if r.Kind == icmpx.KindSent {
		ent.tx, ent.txStamp, ent.dest.stamped = r.At, r.Stamp, true
		return
	}
	res := Result{Reply: *r, Alias: alias}
	res.RTT, res.Stamps, res.Sent = roundTrip(ent, r)
	ok := ls.judge(ent, &res)
	if ok && alias && !ent.probe.AnySource {
		ok = false
		ls.eng.counters.Strays++
	}
	if !ok {
		res.Fate = Rejected
		ls.eng.out.tapReply(EventRejected, &res.Reply, rejection(&res))
		ls.report(ent, &res)
		return
	}
	ls.eng.counters.Received++
	ls.eng.out.tapReply(EventReceived, &res.Reply, "")
	ls.settle(ent, &res)
}

// direct is the kind of answer that a host gives to each protocol's probe.
var direct = [...]icmpx.Kind{
	icmpx.ProtoEcho:        icmpx.KindEchoReply,
	icmpx.ProtoTimestamp:   icmpx.KindTimestampReply,
	icmpx.ProtoInformation: icmpx.KindInformationReply,
	icmpx.ProtoMask:        icmpx.KindMaskReply,
	icmpx.ProtoExtEcho:     icmpx.KindExtEchoReply,
	icmpx.ProtoUDP:         icmpx.KindUDPAnswer,
	icmpx.ProtoTCPSYN:      icmpx.KindTCPOpen,
}

// fits reports whether an answer of kind k can be about a probe of protocol p.
func fits(p icmpx.Proto, k icmpx.Kind) bool {
	return k.Quotes() || k == icmpx.KindSent || k == direct[p] ||
		p == icmpx.ProtoTCPSYN && k == icmpx.KindTCPClosed
}

// settle gives an accepted reply its place in the life of its probe.
func (ls *linkState) settle(ent *entry, res *Result) {
	if k := res.Reply.Kind; k == icmpx.KindRedirect || k == icmpx.KindSourceQuench {
		res.Fate = Notice
		ls.report(ent, res)
		return
	}
	if ent.state == statePending && arrival(ent, &res.Reply).After(ent.expires) {
		ls.lose(ent)
	}
	if ent.state.open() {
		res.Fate = Answered
		ls.decide(ent, *res)
		return
	}
	res.Fate, res.Late = Extra, ent.fate != Answered
	ls.report(ent, res)
}

// find returns the probe that r names, and whether it was found only by its
// token: then the answer came from another address.
func (ls *linkState) find(r *icmpx.Reply) (*entry, bool) {
	dst := r.Dst
	if !dst.IsValid() {
		dst = r.From
	}
	k := entryKey{dst.Unmap().WithZone(""), r.Key.Flow, r.Key.Tag}
	if ent := ls.entries[k]; ent != nil {
		return ent, false
	}
	if r.Kind != icmpx.KindEchoReply || len(r.Payload) < tokenLen {
		return nil, false
	}
	ent := ls.tokens[binary.BigEndian.Uint64(r.Payload)]
	if ent == nil || ent.key.flow != r.Key.Flow || ent.key.tag != r.Key.Tag || ent.probe.Payload != nil {
		return nil, false
	}
	return ent, true
}

func (ls *linkState) stray(r *icmpx.Reply) {
	ls.eng.counters.Strays++
	why := "answers no probe of ours"
	if r.Kind.Quotes() {
		why = "quotes no probe of ours"
	}
	ls.eng.out.tapReply(EventStray, r, why)
}

func rejection(res *Result) string {
	switch {
	case res.Stale:
		return "carries an earlier probe's payload"
	case res.Reply.Trust == icmpx.Forged:
		return "wrong token"
	}
	return "came from another address"
}

// noteDrops counts what the socket dropped; the number it gives only grows,
// modulo 2^32.
func (ls *linkState) noteDrops(drops uint32) {
	if d := drops - ls.drops; drops != 0 && d < 1<<31 {
		ls.eng.counters.OwnDrops += uint64(d)
		ls.eng.counters.RecvDrops += uint64(d)
		ls.drops = drops
	}
}

// arrival returns when r arrived, on the clock that deadlines use. A kernel
// stamp is wall time only: its age at the time of reading carries over, unless
// the wall clock was set meanwhile and makes no sense of it.
func arrival(ent *entry, r *icmpx.Reply) time.Time {
	age := wallSub(r.Read, r.At)
	if r.Stamp == icmpx.StampUser || age < 0 || age > r.Read.Sub(ent.probe.Sent) {
		return r.Read
	}
	return r.Read.Add(-age)
}

// maxClockStep is by how much wall and monotonic clock may drift apart between
// sending and receiving before kernel stamps, which are wall time, are not
// believed.
const maxClockStep = 100 * time.Microsecond

// roundTrip returns the best RTT that the stamps allow, the worse of its two
// stamps, and the time of sending that belongs to it.
func roundTrip(ent *entry, r *icmpx.Reply) (time.Duration, icmpx.Stamp, time.Time) {
	sent := ent.probe.Sent
	user := max(r.Read.Sub(sent), 0)
	if step := r.ClockOffset - ent.probe.ClockOffset; ent.state != stateQueued && (step > maxClockStep || step < -maxClockStep) {
		return user, icmpx.StampUser, sent
	}
	start, stamp := sent, icmpx.StampUser
	if !ent.tx.IsZero() {
		start, stamp = ent.tx, ent.txStamp
	}
	rtt := wallSub(r.At, start)
	if rtt < 0 || rtt > user+maxClockStep {
		return user, icmpx.StampUser, sent
	}
	return rtt, min(stamp, r.Stamp), start
}

// wallSub returns t-u by the wall clock, whatever else the two carry.
func wallSub(t, u time.Time) time.Duration { return t.Round(0).Sub(u.Round(0)) }
