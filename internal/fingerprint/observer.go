package fingerprint

import (
	"hash/maphash"
	"net/netip"
	"slices"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// Bounds of what an Observer remembers.
const (
	maxFlows   = 1 << 10 // conversations at a time
	maxMakers  = 256     // lines of a report
	maxHosts   = 1 << 10 // destinations whose rate is measured
	maxSources = 64      // hosts whose destinations are counted
	maxTargets = 1 << 10 // destinations counted of one host
	maxHops    = 1 << 10 // pairs of hosts whose first hop is known
	maxLinks   = 64      // links whose routers are known
)

// An Observer takes the packets of a capture in its order, and says who made
// them and what is odd about them. What it remembers is bounded. It is for one
// goroutine.
type Observer struct {
	seed    maphash.Seed
	flows   *lru[flowKey, flow]
	makers  makers
	meters  *lru[netip.Addr, meter]
	groups  *lru[netip.Addr, meter] // by the source of requests to groups
	sources *lru[netip.Addr, source]
	hops    *lru[hopKey, firstHop]
	links   *lru[linkKey, link]
	book    book
	found   []Finding
	quote   icmpx.Quote
}

// New returns an Observer that has seen nothing.
func New() *Observer {
	o := &Observer{
		seed: maphash.MakeSeed(), makers: makers{lines: make(map[makerKey]*Maker)},
		meters: newLRU[netip.Addr, meter](maxHosts, nil), groups: newLRU[netip.Addr, meter](maxSources, nil),
		sources: newLRU[netip.Addr, source](maxSources, nil), hops: newLRU[hopKey, firstHop](maxHops, nil),
		links: newLRU[linkKey, link](maxLinks, nil), book: book{entries: make(map[bookKey]*entry)},
	}
	o.flows = newLRU(maxFlows, func(k *flowKey, f *flow) { o.conclude(k, f) })
	return o
}

// Add takes the next packet of the capture and returns what is odd about it
// alone. It keeps nothing of the packet; the findings are valid until the next
// call.
func (o *Observer) Add(p *packet.Packet) []Finding {
	o.found = o.found[:0]
	if p.Message == nil || p.ICMP != p.IP.Family || len(p.Message) < 8 || p.Partial {
		return nil // no message, or the rest is yet to come
	}
	at := int64(noTime)
	if !p.Frame.Time.IsZero() {
		at = p.Frame.Time.UnixNano()
	}
	o.measure(p, at)
	o.learnHop(p)
	o.judgeMessage(p)
	switch roleOf(p.ICMP, p.Type) {
	case isRequest:
		o.addRequest(p, at)
	case isReply:
		o.addReply(p, at)
	case isError:
		o.addError(p, at)
	}
	return o.found
}

// role is what a message has to do with probes.
type role uint8

const (
	isOther role = iota
	isRequest
	isReply
	isError
)

func roleOf(f icmpx.Family, typ uint8) role {
	if f == icmpx.IPv6 {
		switch {
		case typ == 128:
			return isRequest
		case typ == 129:
			return isReply
		case typ < 128 && typ > 0:
			return isError
		}
		return isOther
	}
	switch typ {
	case 8, 13, 17:
		return isRequest
	case 0, 14, 18:
		return isReply
	case 3, 11, 12:
		return isError
	}
	return isOther
}

// queryOf returns what a request or its reply is about.
func queryOf(f icmpx.Family, typ uint8) query {
	if f == icmpx.IPv4 {
		switch typ {
		case 13, 14:
			return timestamp
		case 17, 18:
			return mask
		}
	}
	return echo
}

// sightOf returns a request or reply as a probe is described.
func sightOf(p *packet.Packet, v via, at int64) sight {
	m := p.Message
	s := sight{
		via: v, frame: p.Frame.Number, at: at, seq: uint16(m[6])<<8 | uint16(m[7]),
		ttl: p.IP.TTL, tos: p.IP.TOS, code: p.Code, df: p.IP.DF, fragment: p.Fragments != nil, ipid: p.IP.ID,
		data: m[8:], size: max(p.MessageLen-8, 0),
	}
	if p.MessageLen == 0 {
		s.size = len(s.data)
	}
	s.data = s.data[:min(len(s.data), s.size)]
	return s
}

func identifier(p *packet.Packet) uint16 { return uint16(p.Message[4])<<8 | uint16(p.Message[5]) }

func (o *Observer) addRequest(p *packet.Packet, at int64) {
	q := queryOf(p.ICMP, p.Type)
	k := flowKey{p.IP.Src, p.IP.Dst, q, identifier(p)}
	s := sightOf(p, itself, at)
	f := o.add(&k, p.IP.Family, &s)
	if q == echo {
		f.tunnel.request(&s, o.seed)
	}
	o.countTarget(p, at)
	o.checkGroup(p, at)
}

// addReply takes a reply, which has the numbers and the data of its request.
func (o *Observer) addReply(p *packet.Packet, at int64) {
	if queryOf(p.ICMP, p.Type) != echo {
		return // its data are the answer
	}
	k := flowKey{p.IP.Dst, p.IP.Src, echo, identifier(p)}
	s := sightOf(p, returned, at)
	f := o.add(&k, p.IP.Family, &s)
	f.tunnel.reply(&s, o.seed)
}

// addError takes what an error quotes of a probe.
func (o *Observer) addError(p *packet.Packet, at int64) {
	q := &o.quote
	var err error
	if *q, err = icmpx.ParseQuote(p.Message[8:], p.IP.Family); err != nil || !q.HasL4 || q.FragOff != 0 || q.MF {
		return
	}
	s := sight{
		via: quoted, frame: p.Frame.Number, at: at, ttl: q.TTL, tos: q.TOS, df: q.DF, ipid: uint32(q.ID),
		code: q.Code, data: q.Payload, size: len(q.Payload),
	}
	k := flowKey{src: q.Src, dst: q.Dst}
	switch {
	case q.Proto == 17:
		k.query, s.port = datagram, q.DstPort
		s.size = int(q.L4Len) - 8
	case int(q.Proto) == p.IP.Family.Protocol() && roleOf(p.ICMP, q.Type) == isRequest:
		k.query, k.id, s.seq = queryOf(p.ICMP, q.Type), q.ICMPID, q.ICMPSeq
		s.size = q.TotalLen - headerLen(p) - 8
	default:
		return
	}
	if s.size < 0 || s.size > 1<<16 {
		return // a broken quote
	}
	s.data = s.data[:min(len(s.data), s.size)]
	o.add(&k, p.IP.Family, &s)
}

// headerLen returns the length of the quoted IP header.
func headerLen(p *packet.Packet) int {
	if p.IP.Family == icmpx.IPv6 {
		return 40
	}
	if len(p.Message) < 9 {
		return 20
	}
	return int(p.Message[8]&15) * 4
}

// add takes a probe. A conversation whose data look different all of a sudden is
// of another program from there on: some systems ping with one identifier.
func (o *Observer) add(k *flowKey, family icmpx.Family, s *sight) *flow {
	f, fresh := o.flows.get(k)
	if fresh {
		f.habits.family = family
	} else if f.habits.via == s.via && f.habits.n > 0 && differs(f.habits.shapes, shapesOf(k.query, s.data, s.size)) {
		o.makers.fold(k, &f.habits)
		f.habits = habits{family: family}
	}
	f.habits.add(k.query, s, o.seed)
	return f
}

// differs reports whether data are of another kind than those before them.
func differs(before, now uint64) bool {
	const vague = 1 << anything
	before, now = before&^vague, now&^vague
	if before == 0 || before&now != 0 {
		return false
	}
	return now != 0 || before&firstOnly == 0
}

// conclude makes a verdict of a conversation that is forgotten.
func (o *Observer) conclude(k *flowKey, f *flow) {
	o.makers.fold(k, &f.habits)
	o.bookTunnel(k, f)
}

// A Report is what an Observer has found out.
type Report struct {
	Makers   []Maker
	Unnamed  uint64 // conversations beyond those of Makers, for which there was no room
	Findings []Finding
	Left     uint64 // messages that showed findings beyond those of Findings
}

// Report returns what was found out so far. The Observer can go on.
func (o *Observer) Report() Report {
	m := o.makers.clone()
	b := o.book.clone()
	saved := o.book
	o.book = b
	o.flows.each(func(k *flowKey, f *flow) {
		m.fold(k, &f.habits)
		o.bookTunnel(k, f)
	})
	r := Report{Makers: m.list(), Unnamed: m.unnamed, Findings: o.book.list(), Left: o.book.left}
	o.book = saved
	return r
}

// A Maker is who made probes of one host.
type Maker struct {
	Src, Dst      netip.Addr // Dst is the first of several
	Query         string     // "echo", "timestamp", "mask" or "udp"
	Conversations uint64     // with other identifiers or destinations
	Probes        uint64
	Frame         int // the first
	Verdict
}

type makerKey struct {
	src   netip.Addr
	query query
	tool  string
	note  string
	also  string // the first of them
}

// makers collects verdicts.
type makers struct {
	lines   map[makerKey]*Maker
	unnamed uint64
}

// fold takes the verdict of a conversation.
func (m *makers) fold(k *flowKey, h *habits) {
	if h.n == 0 || !h.read && h.via != itself {
		return // nothing to tell anybody by
	}
	v := judge(k, h)
	mk := makerKey{src: k.src, query: k.query, tool: v.Tool, note: v.Note}
	if len(v.Also) > 0 {
		mk.also = v.Also[0]
	}
	line := m.lines[mk]
	switch {
	case line == nil && len(m.lines) >= maxMakers:
		m.unnamed++
		return
	case line == nil:
		line = &Maker{Src: k.src, Dst: k.dst, Query: k.query.String(), Frame: h.frame, Verdict: v}
		m.lines[mk] = line
	default:
		if v.Confidence > line.Confidence {
			line.Verdict = v
		}
		if h.frame < line.Frame {
			line.Frame, line.Dst = h.frame, k.dst
		}
	}
	line.Conversations++
	line.Probes += h.n
}

func (m *makers) clone() makers {
	c := makers{lines: make(map[makerKey]*Maker, len(m.lines)), unnamed: m.unnamed}
	for k, line := range m.lines {
		same := *line
		c.lines[k] = &same
	}
	return c
}

// list returns the lines in the order of their first frame.
func (m *makers) list() []Maker {
	list := make([]Maker, 0, len(m.lines))
	for _, line := range m.lines {
		list = append(list, *line)
	}
	slices.SortFunc(list, compareMakers)
	return list
}
