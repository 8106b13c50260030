package compare

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A capture is what was seen at one point.
type capture []packet.Frame

func (c *capture) add(at time.Time, ip []byte) {
	*c = append(*c, packet.Frame{Time: at, Len: len(ip), Data: ip, Link: packet.LinkRaw})
}

// open puts the frames in order of time first.
func (c *capture) open() (Source, error) {
	slices.SortStableFunc(*c, func(a, b packet.Frame) int { return a.Time.Compare(b.Time) })
	return &player{frames: *c}, nil
}

type player struct {
	frames []packet.Frame
	n      int
}

func (p *player) Next(f *packet.Frame) error {
	if p.n == len(p.frames) {
		return io.EOF
	}
	*f = p.frames[p.n]
	p.n++
	f.Number = p.n
	return nil
}

// A road is one direction of a path between the points.
type road struct {
	delay, jitter time.Duration
	loss          float64 // probability
	late          float64 // of a packet that is overtaken
	twice         float64 // of a packet that comes twice
	hops          int
}

// A path is what lies between and behind the points. Packets of a client in
// front of A go to a server behind B.
type path struct {
	rand       *rand.Rand
	there      road
	back       road
	behind     time.Duration // round trip from B to the server
	silent     float64       // probability that the server does not answer
	offset     time.Duration // of the clock of B
	drift      float64       // of the clock of B
	nat        bool          // between the points
	v6         bool
	change     func(b []byte) []byte // changes a request on its way
	start      time.Time
	a, b       capture
	lostThere  int
	lostBack   int
	arrivals   []time.Time // of requests, in the order in which they were sent
	twiceThere int
	twiceBack  int
	unanswered int
}

func newPath(seed uint64) *path {
	return &path{
		rand: rand.New(rand.NewPCG(seed, 1)), start: time.Date(2024, 4, 5, 19, 35, 22, 0, time.UTC),
		there: road{delay: 5 * time.Millisecond, hops: 2}, back: road{delay: 5 * time.Millisecond, hops: 2},
	}
}

// atB returns what the clock of B shows.
func (p *path) atB(t time.Time) time.Time {
	return t.Add(p.offset + time.Duration(float64(t.Sub(p.start))*p.drift))
}

var (
	client4, server4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
	client6, server6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::1")
	public           = netip.MustParseAddr("203.0.113.1")
)

// pass sends a packet from one capture to another, and returns when it arrives;
// false: it does not.
func (p *path) pass(r *road, from, to *capture, fromClock, toClock func(time.Time) time.Time, at time.Time, sent, received []byte) (time.Time, int, bool) {
	from.add(fromClock(at), sent)
	if p.rand.Float64() < r.loss {
		return at, 0, false
	}
	d := r.delay
	if r.jitter > 0 {
		d += time.Duration(p.rand.Int64N(int64(r.jitter)))
	}
	copies := 1
	if p.rand.Float64() < r.twice {
		copies = 2
	}
	for i := range copies {
		to.add(toClock(at.Add(d+time.Duration(i)*50*time.Microsecond)), hopped(received, r.hops))
	}
	return at.Add(d), copies - 1, true
}

// ping sends a request and, if it arrives and is answered, a reply.
func (p *path) ping(at time.Time, id, seq uint16, payload []byte) {
	same := func(t time.Time) time.Time { return t }
	src, dst, outer, outerID := client4, server4, client4, id
	if p.v6 {
		src, dst, outer = client6, server6, client6
	}
	if p.nat {
		outer, outerID = public, id+1000
	}
	ipid := uint16(p.rand.Uint32())
	received := echo(outer, dst, true, outerID, seq, ipid, payload)
	if p.change != nil {
		received = p.change(received)
	}
	road := p.there
	if p.rand.Float64() < road.late {
		road.delay += 30 * time.Millisecond
	}
	at, twice, ok := p.pass(&road, &p.a, &p.b, same, p.atB, at, echo(src, dst, true, id, seq, ipid, payload), received)
	p.twiceThere += twice
	if !ok {
		p.lostThere++
		return
	}
	p.arrivals = append(p.arrivals, at)
	if p.rand.Float64() < p.silent {
		p.unanswered++
		return
	}
	ipid = uint16(p.rand.Uint32())
	_, twice, ok = p.pass(&p.back, &p.b, &p.a, p.atB, same, at.Add(p.behind), echo(dst, outer, false, outerID, seq, ipid, payload), echo(dst, src, false, id, seq, ipid, payload))
	p.twiceBack += twice
	if !ok {
		p.lostBack++
	}
}

// pings sends n requests with a payload that is different each time, and one at
// either end, that nothing happens to, so that both captures go on as long.
func (p *path) pings(n int, gap time.Duration) {
	mark := func(at time.Time, seq uint16) {
		there, back, silent, change := p.there, p.back, p.silent, p.change
		p.there = road{delay: there.delay, hops: there.hops}
		p.back = road{delay: back.delay, hops: back.hops}
		p.silent, p.change = 0, nil
		p.ping(at, 7, seq, p.payload(56))
		p.there, p.back, p.silent, p.change = there, back, silent, change
	}
	mark(p.start, 0)
	at := p.start.Add(2 * time.Second)
	for i := range n {
		p.ping(at, 7, uint16(i+1), p.payload(56))
		at = at.Add(gap)
	}
	mark(at.Add(2*time.Second), uint16(n+1))
}

func (p *path) payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(p.rand.Uint32())
	}
	return b
}

// reordered returns how many requests arrived behind one that was sent later.
func (p *path) reordered() (n int) {
	for i, at := range p.arrivals {
		if slices.ContainsFunc(p.arrivals[i+1:], func(later time.Time) bool { return later.Before(at) }) {
			n++
		}
	}
	return n
}

// run compares what was seen, in less room than usual: making it takes time.
func (p *path) run(t testing.TB, o Options) *Result {
	t.Helper()
	if o.Pending == 0 {
		o.Pending = 1 << 12
	}
	r, err := Run(t.Context(), p.a.open, p.b.open, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// echo makes an echo message in an IP packet.
func echo(src, dst netip.Addr, request bool, id, seq, ipid uint16, payload []byte) []byte {
	typ := byte(0)
	if request {
		typ = 8
	}
	if src.Is6() {
		typ = 129
		if request {
			typ = 128
		}
	}
	msg := append([]byte{typ, 0, 0, 0, byte(id >> 8), byte(id), byte(seq >> 8), byte(seq)}, payload...)
	return datagram(src, dst, ipid, msg)
}

// datagram puts an ICMP message into an IP packet and sets its checksum.
func datagram(src, dst netip.Addr, ipid uint16, msg []byte) []byte {
	msg[2], msg[3] = 0, 0
	if src.Is6() {
		binary.BigEndian.PutUint16(msg[2:], icmpx.ChecksumFrom(icmpx.PseudoSum(src, dst, len(msg), 58), msg))
		b := make([]byte, 40, 40+len(msg))
		b[0], b[6], b[7] = 0x60, 58, 64
		binary.BigEndian.PutUint16(b[4:], uint16(len(msg)))
		s, d := src.As16(), dst.As16()
		copy(b[8:], s[:])
		copy(b[24:], d[:])
		return append(b, msg...)
	}
	binary.BigEndian.PutUint16(msg[2:], icmpx.Checksum(msg))
	b := make([]byte, 20, 20+len(msg))
	b[0], b[6], b[8], b[9] = 0x45, 0x40, 64, 1
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(msg)))
	binary.BigEndian.PutUint16(b[4:], ipid)
	s, d := src.As4(), dst.As4()
	copy(b[12:], s[:])
	copy(b[16:], d[:])
	return append(resum(b), msg...)
}

// resum sets the checksum of an IPv4 header.
func resum(b []byte) []byte {
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], icmpx.Checksum(b[:20]))
	return b
}

// hopped returns a packet after so many routers.
func hopped(ip []byte, hops int) []byte {
	b := slices.Clone(ip)
	if b[0]>>4 == 6 {
		b[7] -= byte(hops)
		return b
	}
	b[8] -= byte(hops)
	return resum(b)
}

// finding returns the finding of a code, or nil.
func (r *Result) finding(code string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].Code == code {
			return &r.Findings[i]
		}
	}
	return nil
}
