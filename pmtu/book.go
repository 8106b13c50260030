package pmtu

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// drain books what has come.
func (r *run) drain() {
	list := r.box.Take()
	for i := range list {
		r.book(&list[i])
	}
}

// book gives a result to the ask that it is about.
func (r *run) book(res *probe.Result) {
	if res.Probe.Ref >= uint64(len(r.log)) {
		return
	}
	r.news()
	a := &r.log[res.Probe.Ref]
	switch res.Fate {
	case probe.Failed:
		r.failures++
		if r.failure == nil {
			r.failure = res.Err
		}
		a.state = failed
		r.tell(a, probe.Failed, res)
	case probe.Canceled:
		r.closed = fmt.Errorf("find path MTU to %v: %w", r.dst, res.Err)
	case probe.Rejected:
		if res.Reply.Trust == icmpx.Forged {
			r.res.Forged++
		}
	case probe.Answered, probe.Extra:
		r.answer(a, res)
	}
}

// answer books an answer. Its rules:
//  1. An answer that is not in time still counts: it makes an overdue ask heard.
//  2. All answers to a probe count, not only the first: what is forged may be
//     faster than what is true.
//  3. This host's own refusal says how large a packet may leave at most.
//  4. A refusal without the probe's secret does not end the wait for a true
//     answer, nor does it tell how long answers take.
func (r *run) answer(a *ask, res *probe.Result) {
	reply := &res.Reply
	if ownRefusal(reply) {
		r.ownLimit(a, reply.MTU)
		r.tell(a, probe.Answered, res)
		return
	}
	fate := probe.Extra
	if a.state == open && a.refusal == nil {
		fate = probe.Answered
	}
	switch {
	case r.fromEnd(a, reply):
		a.arrived = true
		a.rtt, a.frag, a.replyTTL, a.from = res.RTT, reply.Frag, reply.TTL, reply.From
	case reply.Kind == icmpx.KindTimeExceeded && reply.Code == 0:
		a.expired, a.exceeded = true, reply.From
		a.rtt = res.RTT
	default:
		r.refuse(a, r.newRefusal(a, reply))
	}
	r.contradict(a)
	if a.arrived || a.expired || a.refusal.verified {
		a.state = heard
		r.maxRTT = max(r.maxRTT, res.RTT)
	}
	r.tell(a, fate, res)
}

// refuse books a refusal. Only one of several can be true: that which carries the
// probe's secret or, if none or all do, the first.
func (r *run) refuse(a *ask, f *refusal) {
	switch old := a.refusal; {
	case old == nil:
		a.refusal = f
	case f.verified && !old.verified:
		a.refusal = f
		if f.from != old.from && !old.void {
			r.res.Forged++
		}
	}
}

// ownRefusal reports whether an answer was given by this host itself: it came
// without a packet, hence to no address and with nothing quoted, or from the
// address that it came to.
func ownRefusal(reply *icmpx.Reply) bool {
	switch reply.Kind {
	case icmpx.KindLocal:
		return true
	case icmpx.KindTooBig:
		return reply.From == reply.To || !reply.To.IsValid() && reply.Quote.Family == 0 && reply.TTL == 0
	}
	return false
}

// ownLimit books that this host did not let a packet out. Without a usable MTU
// the size itself is the only bound.
func (r *run) ownLimit(a *ask, mtu int) {
	a.state = local
	if mtu <= 0 || mtu >= a.size {
		mtu = a.size - 1
	}
	if mtu >= r.highest {
		return
	}
	r.highest = mtu
	r.top = min(r.top, mtu)
	switch {
	case r.opts.LinkMTU == 0:
		r.link = mtu
	default:
		r.refused = mtu
	}
}

// fromEnd reports whether only the destination gives such an answer: the direct
// ones, and refusals of its own. That a packet's TTL was used up is no answer of
// the destination even if it has its address: translators give them that.
func (r *run) fromEnd(a *ask, reply *icmpx.Reply) bool {
	switch reply.Kind {
	case icmpx.KindEchoReply, icmpx.KindUDPAnswer, icmpx.KindTCPOpen, icmpx.KindTCPClosed:
		return true
	case icmpx.KindUnreachable, icmpx.KindParamProblem:
		return sameAddr(reply.From, r.dst)
	}
	return false
}

func sameAddr(a, b netip.Addr) bool { return a.WithZone("") == b.WithZone("") }

// newRefusal checks what a router says. Its rules, after RFC 5927 section 7 and
// RFC 8899 section 4.6.1:
//  1. Only fragmentation needed and packet too big say anything about MTUs.
//  2. A next-hop MTU is a claim. It is tested if it is less than the packet that
//     it is about and at least the protocol's minimum, 68 (RFC 791) or 1280 (RFC
//     8200 section 5), else the router has no more said than that the packet is
//     too big: 0 is what routers from before RFC 1191 say.
//  3. What is quoted must be the packet: not shorter or longer than sent, except
//     as old BSD kernels have it, by the header's length. If not, it proves
//     nothing.
//  4. The TTL that is quoted tells the router's distance.
func (r *run) newRefusal(a *ask, reply *icmpx.Reply) *refusal {
	f := &refusal{
		from: reply.From, size: a.size, round: a.round, tooBig: reply.Kind == icmpx.KindTooBig,
		typ: reply.Type, code: reply.Code, claim: reply.MTU,
		verified: reply.Trust == icmpx.Verified && plausible(&reply.Quote, a.size),
	}
	if f.tooBig && reply.MTU < a.size && reply.MTU >= r.family.MinMTU() {
		f.mtu = reply.MTU
	}
	if back := come(reply.TTL); back <= r.opts.MaxTTL {
		f.back = back
	}
	if q := int(reply.Quote.TTL); q > 0 {
		sent := a.ttl
		if sent == 0 {
			sent = r.opts.TTL
		}
		if hop := sent - q + 1; hop >= 1 && hop <= r.opts.MaxTTL {
			f.hop = hop
		}
	}
	return f
}

func plausible(q *icmpx.Quote, size int) bool {
	if q.Family == 0 || q.TotalLen == 0 {
		return true // the socket does not show it, or offload filled it in later
	}
	if q.Family == icmpx.IPv4 && !q.DF {
		return false
	}
	off := q.TotalLen - size
	return off == 0 || q.Family == icmpx.IPv4 && (off == 20 || off == -20)
}

// contradict voids a refusal of a packet that arrived nevertheless: somebody
// lied.
func (r *run) contradict(a *ask) {
	if f := a.refusal; a.arrived && f != nil && !f.void {
		f.void = true
		r.res.Forged++
	}
}

// tell reports a probe to the sink.
func (r *run) tell(a *ask, fate probe.Fate, res *probe.Result) {
	ev := Event{Round: a.round, Probe: Probe{
		Method: a.method, Size: a.size, TTL: a.ttl, Path: a.path, Fate: fate, Sent: a.sent,
	}}
	if res != nil {
		p, reply := &ev.Probe, &res.Reply
		p.Err, p.From, p.Kind, p.Type, p.Code = res.Err, reply.From, reply.Kind, reply.Type, reply.Code
		p.MTU, p.Frag, p.RTT, p.Stamps, p.Trust = reply.MTU, reply.Frag, res.RTT, res.Stamps, reply.Trust
		if !res.Sent.IsZero() {
			p.Sent = res.Sent
		}
	}
	ev.AtLeast, ev.AtMost = r.bounds()
	r.sink(&ev)
}

// patience returns how long to wait for an answer. Its rule: three times the
// longest RTT seen, at least 50 ms; 1 s while nothing has answered (the first
// timeout of RFC 6298 section 2.1); at most Options.Wait.
func (r *run) patience() time.Duration {
	wait := time.Second
	if r.maxRTT > 0 {
		wait = max(3*r.maxRTT, 50*time.Millisecond)
	}
	return min(wait, r.opts.Wait)
}

// giveUp ends the wait for an ask. What was refused by somebody has been answered
// as far as can be said.
func (r *run) giveUp(a *ask) {
	r.news()
	if a.refusal != nil {
		a.state = heard
		return
	}
	a.state = overdue
	r.tell(a, probe.Lost, nil)
}

// overdue gives up what has been waited for long enough. It returns when the
// next ask will be, and whether the round still waits for one; when the time of
// the whole run is over none does.
func (r *run) overdue(now time.Time) (next time.Time, busy bool) {
	wait := r.patience()
	for i := range r.log {
		a := &r.log[i]
		if a.state != open {
			continue
		}
		due := a.sent.Add(wait)
		if !due.After(now) {
			r.giveUp(a)
			continue
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
		busy = busy || !a.lazy
	}
	return next, busy && now.Before(r.deadline)
}
