package conversation

import (
	"encoding/binary"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

func (t *Tracker) addReply(p *packet.Packet, q Query, half bool) {
	between := endsOf(p.IP.Family, p.IP.Dst, p.IP.Src)
	tally := t.hosts.count(&between, p.Frame.Len)
	id, seq := numbers(q, p.Message)
	k := keyOf(between, q, id, seq)
	i, e := t.findRequest(&k)
	s := t.sightingOf(p)
	t.from = between.asked
	switch {
	case half:
		if e != nil && e.open > 0 && !e.halfBack {
			e.back, e.halfBack = s, true
		}
	case e == nil:
		t.stats.unasked++
		tally.unasked++
		t.tellUnasked(p, &k)
	case !e.group && !e.halfBack && e.replied && e.back.again(&s):
		t.stats.copies++
		t.tellAgain(Copy, e, e.back.frame, s.frame)
	case e.replied && e.open == 0 && e.lost == 0 && !e.group:
		t.stats.duplicates++
		tally.duplicates++
		t.tellAgain(Duplicate, e, e.back.frame, s.frame)
	default:
		tally.replies++
		t.answered(e, s)
		if e.open == 0 {
			t.requests.move(i, decided)
		}
	}
}

// findRequest returns what a reply with a key answers: a request to its sender,
// or one to a group.
func (t *Tracker) findRequest(k *key) (int32, *entry) {
	i, e := t.requests.find(k)
	if e == nil && t.groups > 0 {
		all := *k
		all.asked = [16]byte{}
		i, e = t.requests.find(&all)
	}
	return i, e
}

// answered books a reply to a request.
func (t *Tracker) answered(e *entry, s sighting) {
	late := e.open == 0 && e.lost > 0
	ambiguous := e.open+e.lost > 1
	e.back, e.halfBack, e.replied = s, false, true
	switch {
	case e.open > 0:
		e.open--
		t.stats.waiting--
		t.stats.replies++
	case e.lost > 0:
		e.lost--
		t.stats.unanswered--
		t.stats.late++
		t.stats.replies++
		if u := &t.hosts.tally(e.family, e.asker, e.to).unanswered; *u > 0 {
			*u--
		}
	default: // of a group, or after an error
		t.stats.more++
	}
	rtt := between(e.near(&s), &s)
	if rtt >= 0 && !ambiguous {
		t.stats.rtt(rtt)
		t.hosts.tally(e.family, e.asker, e.to).rtts.add(rtt)
	}
	t.tellReply(e, rtt, late, ambiguous)
}

// between returns the time from one sighting to another; -1 if it is not known.
func between(a, b *sighting) time.Duration {
	if a.at == noTime || b.at == noTime || b.at < a.at {
		return -1
	}
	if d := time.Duration(b.at - a.at); d >= 0 {
		return d
	}
	return -1
}

func (t *Tracker) addError(p *packet.Packet, r role, half bool) {
	q := &t.quote
	var err error
	if *q, err = icmpx.ParseQuote(p.Message[headerLen:], p.IP.Family); err != nil {
		*q = icmpx.Quote{}
	}
	k, table := t.quoted(q)
	about := k.ends
	if table == nil && q.Family == 0 {
		about = endsOf(p.IP.Family, p.IP.Src, p.IP.Dst)
	}
	tally := t.hosts.count(&about, p.Frame.Len)
	if half {
		return
	}
	s := t.sightingOf(p)
	t.from = bytesOf(p.IP.Src)
	var i int32
	var e *entry
	switch table {
	case nil:
	case t.requests:
		i, e = t.findRequest(&k)
	default:
		i, e = table.find(&k)
	}
	if e != nil && e.back.again(&s) {
		t.stats.copies++
		t.tellAgain(Copy, e, e.back.frame, s.frame)
		return
	}
	t.stats.errors++
	tally.error++
	t.tellError(p, e, &s, r == notice)
	if e != nil && r == failure {
		t.failed(i, e, table, s)
	}
}

// failed books an error that ends a request.
func (t *Tracker) failed(i int32, e *entry, table *table, s sighting) {
	e.back, e.halfBack, e.replied = s, false, false
	if table != t.requests {
		return
	}
	switch {
	case e.open > 0:
		e.open--
		t.stats.waiting--
		t.stats.failed++
	case e.lost > 0:
		e.lost--
		t.stats.unanswered--
		t.stats.failed++
		if u := &t.hosts.tally(e.family, e.asker, e.to).unanswered; *u > 0 {
			*u--
		}
	}
	if e.open == 0 {
		table.move(i, decided)
	}
}

// quoted returns the key of what an error quotes, and the table to look it up
// in; nil if it is nothing that is remembered.
func (t *Tracker) quoted(q *icmpx.Quote) (key, *table) {
	between := endsOf(q.Family, q.Src, q.Dst)
	k := key{ends: between, proto: q.Proto}
	switch {
	case q.Family == 0 || !q.HasL4:
		return k, nil
	case q.Proto != protocolOf(q.Family):
		k.flow = uint32(q.SrcPort)<<16 | uint32(q.DstPort)
		k.tag = probeTag(q.Family, q.Proto, q.ID, q.L4Len, q.Seq)
		return k, t.probes
	}
	if r, query := roleOf(q.Family, q.Type); r == request {
		return keyOf(between, query, q.ICMPID, q.ICMPSeq), t.requests
	}
	return k, nil
}

// probeTag tells apart packets of one UDP or TCP flow, by what a router quotes
// and what a checksum that the device computes does not touch.
func probeTag(f icmpx.Family, proto uint8, id, udpLen uint16, seq uint32) uint32 {
	switch {
	case proto == protoTCP:
		return seq
	case f == icmpx.IPv4:
		return uint32(id)
	}
	return uint32(udpLen)
}

const (
	protoTCP = 6
	protoUDP = 17
)

// addOther takes a frame without an ICMP message: a later fragment of one, or a
// packet that an error may quote.
func (t *Tracker) addOther(p *packet.Packet) {
	between := endsOf(p.IP.Family, p.IP.Src, p.IP.Dst)
	switch {
	case p.IP.Family == 0:
		return
	case p.IP.Protocol == protocolOf(p.IP.Family):
		if p.IP.Fragment {
			t.stats.fragments++
		}
		t.hosts.count(&between, p.Frame.Len)
		return
	case p.IP.Offset != 0 || len(p.IP.Payload) < headerLen:
		return
	}
	k := key{ends: between, proto: p.IP.Protocol}
	l4 := p.IP.Payload
	switch k.proto {
	case protoUDP, protoTCP:
		k.flow = binary.BigEndian.Uint32(l4)
		k.tag = probeTag(p.IP.Family, k.proto, uint16(p.IP.ID), binary.BigEndian.Uint16(l4[4:]), binary.BigEndian.Uint32(l4[4:]))
	default:
		return
	}
	t.addProbe(&k, t.sightingOf(p))
}

// addProbe remembers a packet that is no ICMP, the last of its key.
func (t *Tracker) addProbe(k *key, s sighting) {
	if t.probes == nil {
		t.probes = newTable(min(probesKept, t.opts.Requests))
	}
	if i, e := t.probes.find(k); e != nil {
		if !e.sent.again(&s) {
			e.sent, e.back = s, sighting{}
			t.probes.move(i, decided)
		}
		return
	}
	if t.probes.full() {
		t.probes.remove(t.probes.lists[decided].first)
	}
	_, e := t.probes.put(k, decided)
	e.sent, e.to = s, k.asked
}
