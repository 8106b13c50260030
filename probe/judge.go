package probe

import (
	"encoding/binary"
	"slices"

	"github.com/icmpx/icmpx/icmpx"
)

// judge proves or disproves that a reply belongs to the probe it names: an
// echo reply by its whole payload, an error by as much of the probe's payload
// as it quotes. It sets Reply.Trust, Damage and Stale, and returns false if
// the reply may decide nothing.
func (ls *linkState) judge(ent *entry, res *Result) bool {
	r := &res.Reply
	got, whole := r.Payload, true
	switch {
	case r.Kind.Quotes():
		got, whole = r.Quote.Payload, false
	case r.Kind != icmpx.KindEchoReply:
		return true
	}
	want := ls.sentPayload(ent)
	if !whole {
		return ls.judgeQuote(ent, want, got, r)
	}
	damage, v := compare(want, ent.probe.Payload == nil, got)
	switch {
	case v == foreign && ls.stale(ent, got):
		res.Stale = true
		ls.eng.counters.Stale++
		ent.dest.stale++
		return false
	case v == foreign:
		r.Trust = icmpx.Forged
		ls.eng.counters.Forged++
		ent.dest.forged++
		return false
	case v == corrupt:
		res.Damage = damage
	case len(want) > 0:
		r.Trust = icmpx.Verified
	}
	return true
}

// judgeQuote checks the part of the payload that an error quotes. Fewer bytes
// than a token prove nothing either way.
func (ls *linkState) judgeQuote(ent *entry, want, got []byte, r *icmpx.Reply) bool {
	n := min(len(got), len(want))
	if n < tokenLen {
		return true
	}
	if !slices.Equal(got[:tokenLen], want[:tokenLen]) {
		r.Trust = icmpx.Forged
		ls.eng.counters.Forged++
		ent.dest.forged++
		return false
	}
	r.Trust = icmpx.Verified
	return true
}

// sentPayload returns what the probe carried. It is valid until the next call.
func (ls *linkState) sentPayload(ent *entry) []byte {
	p := &ent.probe
	n := p.PayloadLen(icmpx.FamilyOf(p.Dst))
	if p.Payload != nil && len(p.Payload) >= n {
		return p.Payload
	}
	if cap(ls.scratch) < n {
		ls.scratch = make([]byte, n)
	}
	b := ls.scratch[:n]
	if p.Payload != nil {
		clear(b[copy(b, p.Payload):])
		return b
	}
	icmpx.FillPayload(b, p.Token, p.Pattern)
	return b
}

// maxStale is how many earlier probes a foreign payload is compared with. It
// bounds the work that a forger can cause: a hash for each.
const maxStale = 256

// stale reports whether a foreign payload is that of an earlier probe to the
// same destination: one of the last, or the last to have had the same tag.
func (ls *linkState) stale(ent *entry, got []byte) bool {
	if len(got) < tokenLen || ent.probe.Payload != nil {
		return false
	}
	token := binary.BigEndian.Uint64(got)
	d := ent.dest
	if ent.number > d.size() && token == d.token(ent.number-d.size()) {
		return true
	}
	for n := ent.number - 1; n > 0 && ent.number-n <= maxStale; n-- {
		if token == d.token(n) {
			return true
		}
	}
	return false
}
