package conversation

import (
	"math"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// Options say how a Tracker works. The zero value is sensible.
type Options struct {
	// Timeout is the capture time after which a request counts as unanswered;
	// 0: 10 s. A later answer is still known as such until Keep has passed.
	Timeout time.Duration
	// Keep is how long a decided request is remembered, to tell its duplicates;
	// 0: one minute.
	Keep time.Duration
	// Requests is how many requests are remembered at most; 0: 65,536, which
	// take 13 MiB. When there are more, decided ones are forgotten first, of which
	// there are an eighth at most (and 64 at least), then the oldest that wait
	// (Stats.Forgotten).
	Requests int
	// Hosts is how many pairs of hosts are told apart; 0: 1,024.
	Hosts int
	// Sink receives what is found out, before Add or Finish returns. nil:
	// statistics alone.
	Sink func(*Event)
}

// probesKept is how many packets other than ICMP are remembered in case that an
// error quotes them: those of the last moments.
const probesKept = 4096

// A Tracker pairs and counts the packets of a capture, which are added in its
// order. It is for one goroutine.
type Tracker struct {
	opts     Options
	requests *table
	probes   *table // what is no ICMP; nil until there is some
	groups   int    // requests to groups in the table
	hosts    *hosts
	stats    counts
	now      int64    // time of the frame at hand
	from     [16]byte // sender of the reply or error at hand
	event    Event
	quote    icmpx.Quote
}

// New returns a Tracker that has seen nothing.
func New(o Options) *Tracker {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Keep <= 0 {
		o.Keep = time.Minute
	}
	if o.Requests <= 0 {
		o.Requests = 1 << 16
	}
	if o.Hosts <= 0 {
		o.Hosts = 1 << 10
	}
	o.Requests = min(o.Requests, math.MaxInt32/2)
	return &Tracker{opts: o, requests: newTable(o.Requests), hosts: newHosts(o.Hosts)}
}

// Add takes the next packet of the capture. It keeps nothing of it.
func (t *Tracker) Add(p *packet.Packet) {
	t.stats.frame(p.Frame)
	t.now = timeOf(p.Frame)
	t.expire()
	if p.Message == nil {
		t.addOther(p)
		return
	}
	half := p.Partial // the rest is yet to come
	t.stats.message(p, half)
	r, q := bystander, NoQuery
	if len(p.Message) >= headerLen && p.ICMP == p.IP.Family {
		r, q = roleOf(p.ICMP, p.Type)
	}
	switch r {
	case request:
		t.addRequest(p, q, half)
	case reply:
		t.addReply(p, q, half)
	case failure, notice:
		t.addError(p, r, half)
	default:
		k := endsOf(p.IP.Family, p.IP.Src, p.IP.Dst)
		t.hosts.count(&k, p.Frame.Len)
	}
}

// Finish ends the capture: what still waits for an answer has none. What Add
// takes afterwards is of another capture; the statistics go on.
func (t *Tracker) Finish() {
	for i := t.requests.lists[waiting].first; i != 0; i = t.requests.lists[waiting].first {
		t.giveUp(i, true)
	}
	for i := t.requests.lists[decided].first; i != 0; i = t.requests.lists[decided].first {
		t.forget(i)
	}
	t.probes = nil
}

func timeOf(f *packet.Frame) int64 {
	if f.Time.IsZero() {
		return noTime
	}
	return f.Time.UnixNano()
}

// expire gives up what has waited too long, and forgets what was decided long
// ago, as the time of the frame at hand has it. A frame whose time is far off
// does harm to what waits at that moment, and to nothing else.
func (t *Tracker) expire() {
	for i := t.requests.lists[waiting].first; i != 0; i = t.requests.lists[waiting].first {
		if !t.older(t.requests.at(i).sent.at, t.opts.Timeout) {
			break
		}
		t.giveUp(i, false)
	}
	for done := &t.requests.lists[decided]; done.first != 0; {
		if n := int(done.n); n <= max(t.opts.Requests/8, 64) && !t.older(t.requests.at(done.first).sent.at, t.opts.Keep) {
			break
		}
		t.forget(done.first)
	}
}

// older reports whether a time lies more than d before the frame at hand.
func (t *Tracker) older(at int64, d time.Duration) bool {
	return at != noTime && t.now != noTime && at < t.now && uint64(t.now)-uint64(at) > uint64(d)
}

// giveUp counts the open tries of a request as unanswered. The request is
// remembered, as a reply may be late.
func (t *Tracker) giveUp(i int32, ended bool) {
	e := t.requests.at(i)
	if e.halfBack && e.open > 0 { // the rest of the reply never came: it did answer
		t.answered(e, e.back)
	}
	if e.open > 0 {
		t.stats.unanswered += uint64(e.open)
		t.stats.waiting -= uint64(e.open)
		t.hosts.tally(e.family, e.asker, e.to).unanswered += uint64(e.open)
		t.tellUnanswered(e, ended)
		e.lost, e.open = e.lost+e.open, 0
	}
	t.requests.move(i, decided)
}

// forget takes a request out of the table, open or not.
func (t *Tracker) forget(i int32) {
	e := t.requests.at(i)
	t.stats.forgotten += uint64(e.open)
	t.stats.waiting -= uint64(e.open)
	if e.group {
		t.groups--
	}
	t.requests.remove(i)
}

// sightingOf returns what of a packet tells it from others like it.
func (t *Tracker) sightingOf(p *packet.Packet) sighting {
	s := sighting{
		frame: p.Frame.Number, at: t.now, id: p.IP.ID, ttl: p.IP.TTL,
		iface: int32(p.Frame.Iface), dir: uint8(p.Frame.Direction),
	}
	if len(p.Message) >= 4 {
		s.sum = uint16(p.Message[2])<<8 | uint16(p.Message[3])
	}
	if len(p.VLANs) > 0 {
		s.vlan = p.VLANs[len(p.VLANs)-1]
	}
	return s
}

// keyOf returns the key of an ICMP query between two hosts.
func keyOf(k ends, q Query, id, seq uint16) key {
	return key{ends: k, proto: protocolOf(k.family), query: q, flow: uint32(id)<<16 | uint32(seq)}
}

func (t *Tracker) addRequest(p *packet.Packet, q Query, half bool) {
	between := endsOf(p.IP.Family, p.IP.Src, p.IP.Dst)
	tally := t.hosts.count(&between, p.Frame.Len)
	id, seq := numbers(q, p.Message)
	k := keyOf(between, q, id, seq)
	group := isGroup(p)
	if group {
		k.asked = [16]byte{}
	}
	s := t.sightingOf(p)
	if i, e := t.requests.find(&k); e != nil && t.knows(i, e, p, &s, half) {
		return
	}
	t.makeRoom()
	_, e := t.requests.put(&k, waiting)
	e.sent, e.to, e.half, e.group = s, between.asked, half, group
	e.open, e.tries = 1, 1
	if group {
		t.groups++
	}
	tally.requests++
	t.stats.requests++
	t.stats.waiting++
}

// knows handles a request that has the numbers of one before. It returns false
// if it is another one, which takes the place of that.
func (t *Tracker) knows(i int32, e *entry, p *packet.Packet, s *sighting, half bool) bool {
	switch {
	case half && !e.half: // it will come again, whole
		return true
	case e.half && !half && (slices.Contains(p.Fragments, e.sent.frame) || e.sent.sum == s.sum):
		e.sent, e.half = *s, false
	case e.sent.again(s):
		t.stats.copies++
		e.copied = *s
		t.tellCopy(e, s.frame)
	case e.sent.sum == s.sum && e.open < maxTries:
		t.repeat(i, e, s)
	default:
		if e.open > 0 {
			t.giveUp(i, false)
		}
		t.forget(i)
		return false
	}
	return true
}

// maxTries bounds how many tries of a request are open.
const maxTries = 1<<16 - 1

// repeat counts a request that was sent again.
func (t *Tracker) repeat(i int32, e *entry, s *sighting) {
	t.stats.requests++
	t.stats.waiting++
	t.stats.repeats++
	t.hosts.tally(e.family, e.asker, e.to).requests++
	e.before, e.sent, e.copied = e.sent.frame, *s, sighting{}
	e.open++
	e.tries = min(e.tries, maxTries-1) + 1
	t.requests.move(i, waiting)
	t.tellAgain(Repeat, e, e.before, 0)
}

// makeRoom forgets a request if the table is full: one that is decided, if there
// is any.
func (t *Tracker) makeRoom() {
	if !t.requests.full() {
		return
	}
	if i := t.requests.lists[decided].first; i != 0 {
		t.forget(i)
		return
	}
	t.forget(t.requests.lists[waiting].first)
}

// isGroup reports whether any host may answer a request: its destination is a
// multicast address, or looks like that of a broadcast.
func isGroup(p *packet.Packet) bool {
	a := p.IP.Dst
	if a.IsMulticast() {
		return true
	}
	if p.IP.Family != icmpx.IPv4 || !a.Is4() {
		return false
	}
	last := a.As4()[3]
	return last == 255 || last == 0
}
