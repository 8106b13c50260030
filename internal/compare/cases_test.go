package compare

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// TestAsymmetry: the offset is wrong by half of what one way is slower, which the
// bound allows for.
func TestAsymmetry(t *testing.T) {
	p := newPath(1)
	p.there.delay, p.back.delay = 12*time.Millisecond, 2*time.Millisecond
	p.offset = 2 * time.Hour
	p.pings(100, 20*time.Millisecond)
	r := p.run(t, Options{})
	within(t, "offset", r.Clock.Offset, p.offset+5*time.Millisecond, time.Microsecond)
	within(t, "bound", r.Clock.Bound, 7*time.Millisecond, time.Microsecond)
	within(t, "offset", r.Clock.Offset, p.offset, r.Clock.Bound)
	within(t, "sum of delays", r.AB.Delay.Min+r.BA.Delay.Min, 14*time.Millisecond, time.Microsecond)
	if f := r.finding("clock_assumption"); f == nil {
		t.Errorf("the assumption is not said: %+v", r.Findings)
	}
}

// TestNoDriftInNoise does not take varying delay for drift.
func TestNoDriftInNoise(t *testing.T) {
	known := 0
	for seed := range uint64(20) {
		p := newPath(seed)
		p.there.jitter, p.back.jitter = 5*time.Millisecond, 5*time.Millisecond
		p.pings(60, 50*time.Millisecond)
		r := p.run(t, Options{Pending: 1 << 10})
		within(t, "offset", r.Clock.Offset, 0, 2*time.Millisecond)
		if r.Clock.DriftKnown {
			known++
		}
	}
	if known > 5 {
		t.Errorf("found a drift in %d of 20", known)
	}
}

// TestOneWay has requests alone: delays are relative, and that is said.
func TestOneWay(t *testing.T) {
	p := newPath(3)
	p.silent = 1
	p.there.jitter, p.there.loss = 4*time.Millisecond, 0.1
	at := p.start
	for i := range 200 {
		p.ping(at, 7, uint16(i), p.payload(56))
		at = at.Add(10 * time.Millisecond)
	}
	r := p.run(t, Options{})
	if r.Clock.Known || r.finding("one_way") == nil || !r.Related || r.Guessed {
		t.Fatalf("got %+v", r)
	}
	if lost := int(r.AB.Lost) + int(r.Points[0].Outside); lost != p.lostThere || r.BA.Matched > 0 {
		t.Errorf("got %d lost, want %d", lost, p.lostThere)
	}
	within(t, "min", r.AB.Delay.Min, 0, time.Microsecond)
	within(t, "max", r.AB.Delay.Max, 4*time.Millisecond, 200*time.Microsecond)
}

// TestGuessed has nothing that tells which way packets go.
func TestGuessed(t *testing.T) {
	p := newPath(4)
	p.there, p.back = road{}, road{}
	p.silent = 1
	at := p.start
	for i := range 20 {
		p.ping(at, 7, uint16(i), p.payload(56))
		at = at.Add(10 * time.Millisecond)
	}
	r := p.run(t, Options{})
	if !r.Guessed || r.AB.Matched != 20 || r.AB.Lost > 0 {
		t.Errorf("got %+v", r)
	}
}

// TestSequenceWraps loses a request whose name comes again a minute later: the
// reply then is not taken for a late one to the first.
func TestSequenceWraps(t *testing.T) {
	p := newPath(6)
	p.ping(p.start, 7, 1, p.payload(56))
	p.there.loss = 1
	p.ping(p.start.Add(time.Second), 7, 2, p.payload(56))
	p.there.loss = 0
	p.ping(p.start.Add(2*time.Second), 7, 3, p.payload(56))
	p.ping(p.start.Add(66*time.Second), 7, 2, p.payload(56))
	p.ping(p.start.Add(90*time.Second), 7, 4, p.payload(56))
	at := p.run(t, Options{}).Points[0].AB
	if at.Requests != 5 || at.Answered != 4 || at.RTT.Max > 20*time.Millisecond {
		t.Errorf("got %+v, round trips %+v; want 4 of 5 answered within 20 ms", at, at.RTT)
	}
}

// TestUnrelated says so of captures with nothing in common, even if both hosts
// send the same payloads and numbers.
func TestUnrelated(t *testing.T) {
	plain := make([]byte, 56)
	for i := range plain {
		plain[i] = byte('a' + i%23)
	}
	for name, payload := range map[string]func(p *path) []byte{
		"random": func(p *path) []byte { return p.payload(56) },
		"plain":  func(*path) []byte { return plain },
	} {
		t.Run(name, func(t *testing.T) {
			p, q := newPath(5), newPath(6)
			for i := range 100 {
				p.ping(p.start.Add(time.Duration(i)*time.Second), 7, uint16(i), payload(p))
				q.ping(q.start.Add(time.Duration(i)*time.Second), 9, uint16(i), payload(q))
			}
			p.b = nil
			for _, f := range q.b { // between other hosts
				copy(f.Data[12:], []byte{10, 1, 2, 3})
				copy(f.Data[16:], []byte{10, 9, 8, 7})
				p.b.add(f.Time, f.Data)
			}
			r := p.run(t, Options{})
			if r.Related || r.Matched > 5 || r.finding("unrelated") == nil {
				t.Errorf("%d matched, related %v", r.Matched, r.Related)
			}
		})
	}
	empty := new(path)
	if r := empty.run(t, Options{}); r.Related || r.finding("no_icmp") == nil {
		t.Errorf("nothing and nothing: got %+v", r)
	}
}

// TestChanged finds what a device between the points does to packets.
func TestChanged(t *testing.T) {
	summed := func(b []byte) []byte { return resum(b) }
	for name, tt := range map[string]struct {
		change func(b []byte) []byte
		want   Changes
		by     By
		code   string
	}{
		"type of service": {func(b []byte) []byte { b[1] = 0xb8; return summed(b) }, 1 << FieldTOS, ByAll, "remarked"},
		"don't fragment":  {func(b []byte) []byte { b[6] = 0; return summed(b) }, 1 << FieldDF, ByAll, "df_changed"},
		"identification":  {func(b []byte) []byte { b[4] ^= 0xff; return summed(b) }, 1 << FieldIPID, ByName, ""},
		"late bit":        {func(b []byte) []byte { b[70] ^= 1; return b }, 1<<FieldPayload | 1<<FieldChecksum, ByAll, "damaged"},
		"early bit":       {func(b []byte) []byte { b[30] ^= 1; return b }, 1<<FieldPayload | 1<<FieldChecksum, ByName, "damaged"},
		"cut":             {func(b []byte) []byte { return datagram(client4, server4, be16(b[4:]), b[20:60]) }, 1<<FieldPayload | 1<<FieldLength, ByName, "damaged"},
		"translated and renumbered": {func(b []byte) []byte {
			copy(b[12:], []byte{203, 0, 113, 9})
			b[4] ^= 0xff
			return summed(b)
		}, 1<<FieldSrc | 1<<FieldIPID, ByPayload, "translated"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPath(7)
			p.change = tt.change
			p.pings(20, 20*time.Millisecond)
			changed := 0
			r := p.run(t, Options{Sink: func(e *Event) {
				if e.Kind != Match || e.Changes == 0 {
					return
				}
				changed++
				if e.Changes != tt.want || e.By != tt.by || e.Direction != AB {
					t.Errorf("got %v by %v %v, want %v by %v", e.Changes, e.By, e.Direction, tt.want, tt.by)
				}
			}})
			if changed != 20 || r.Changed != 20 || r.AB.Lost+r.BA.Lost > 0 || tt.code != "" && r.finding(tt.code) == nil {
				t.Errorf("%d changed; got %+v", changed, r)
			}
		})
	}
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }

// timeExceeded makes the error of a router about a packet.
func timeExceeded(router, to netip.Addr, ipid uint16, ip []byte) []byte {
	return datagram(router, to, ipid, append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, ip[:28]...))
}

// TestErrors has a router behind B whose errors come through, one between whose
// errors A alone sees, and a translator that leaves quotes as they are.
func TestErrors(t *testing.T) {
	p := newPath(8)
	p.pings(10, 100*time.Millisecond)
	behind, between := netip.MustParseAddr("198.51.100.254"), netip.MustParseAddr("203.0.113.254")
	at := p.start.Add(3 * time.Second)
	for i := range 10 {
		at = at.Add(50 * time.Millisecond)
		inside := echo(client4, server4, true, 7, uint16(100+i), uint16(1000+i), p.payload(56))
		p.a.add(at, inside)
		if i < 4 { // refused on the way
			p.a.add(at.Add(2*time.Millisecond), timeExceeded(between, client4, uint16(i), inside))
			continue
		}
		outside := echo(public, server4, true, 9, uint16(100+i), uint16(1000+i), inside[28:])
		p.b.add(at.Add(5*time.Millisecond), hopped(outside, 2))
		p.b.add(at.Add(6*time.Millisecond), timeExceeded(behind, public, uint16(50+i), outside))
		quote := inside
		if i == 9 {
			quote = outside
		}
		p.a.add(at.Add(11*time.Millisecond), hopped(timeExceeded(behind, client4, uint16(50+i), quote), 2))
	}
	r := p.run(t, Options{})
	if r.AB.Matched != 12+6 || r.BA.Matched != 12+6 || r.AB.Lost != 4 || r.BA.Lost != 0 || r.BA.Unseen != 4 {
		t.Errorf("got %+v and %+v", r.AB, r.BA)
	}
	if len(r.Between) != 1 || r.Between[0].Addr != between || r.Between[0].Errors != 4 {
		t.Errorf("between: got %+v", r.Between)
	}
	for _, code := range []string{"loss_between", "refused_between", "quote_untranslated", "translated"} {
		if r.finding(code) == nil {
			t.Errorf("no finding %s", code)
		}
	}
	if r.finding("damaged") != nil || r.finding("unseen") != nil {
		t.Errorf("got %+v", r.Findings)
	}
	if trips := r.Points[1].AB; trips.Requests != 18 || trips.Answered != 18 {
		t.Errorf("at B: got %+v", trips)
	}
}

// TestOverlap does not call lost what the other capture was too short for, nor
// what never passes there.
func TestOverlap(t *testing.T) {
	p := newPath(9)
	p.offset = -time.Hour
	p.pings(100, 50*time.Millisecond)
	from, to := p.atB(p.start.Add(3*time.Second)), p.atB(p.start.Add(6*time.Second))
	var short capture
	for _, f := range p.b {
		if !f.Time.Before(from) && !f.Time.After(to) {
			short = append(short, f)
		}
	}
	p.b = short
	for i := range 30 { // to a host of a network that B is not on the way to
		p.a.add(p.start.Add(4*time.Second+time.Duration(i)*time.Millisecond), echo(client4, netip.MustParseAddr("203.0.113.77"), true, 8, uint16(i), 1, p.payload(56)))
	}
	r := p.run(t, Options{})
	if r.AB.Lost+r.BA.Lost > 0 || r.Points[0].Elsewhere != 30 || r.Points[0].Outside < 60 || r.Matched < 100 {
		t.Errorf("got %+v", r)
	}
	within(t, "overlap", r.Overlap, 3*time.Second, 100*time.Millisecond)
}

// TestCopies counts once what a router shows on two interfaces.
func TestCopies(t *testing.T) {
	p := newPath(10)
	p.there.loss = 0.2
	p.pings(100, 20*time.Millisecond)
	var any capture
	for _, f := range p.a {
		any.add(f.Time, f.Data)
		any.add(f.Time.Add(10*time.Microsecond), hopped(f.Data, 1))
	}
	n := len(p.a)
	p.a = any
	r := p.run(t, Options{})
	if int(r.Points[0].Copies) != n || int(r.AB.Lost) != p.lostThere || r.AB.Duplicated+r.BA.Duplicated > 0 {
		t.Errorf("got %d copies of %d, %+v", r.Points[0].Copies, n, r.AB)
	}
}

// TestFragments matches a message that came whole at one point and in fragments at
// the other.
func TestFragments(t *testing.T) {
	p := newPath(11)
	p.pings(5, 20*time.Millisecond)
	whole := echo(client4, server4, true, 7, 500, 4711, p.payload(1400))
	at := p.start.Add(time.Second)
	p.a.add(at, whole)
	for i, cut := range [][2]int{{0, 800}, {800, 1408}} {
		b := append(append([]byte{}, whole[:20]...), whole[20+cut[0]:20+cut[1]]...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		flags := uint16(cut[0] / 8)
		if i == 0 {
			flags |= 0x2000
		}
		binary.BigEndian.PutUint16(b[6:], flags)
		p.b.add(at.Add(5*time.Millisecond+time.Duration(i)*time.Microsecond), hopped(b, 2))
	}
	r := p.run(t, Options{})
	if r.AB.Matched != 8 || r.AB.Lost+r.BA.Unseen+r.AB.Unseen > 0 || r.Changed != 1 {
		t.Errorf("got %+v", r)
	}
	found := false
	for _, c := range r.Changes {
		found = found || c.Field == FieldFragments && c.From == 0 && c.To == 2
	}
	if !found {
		t.Errorf("got changes %+v", r.Changes)
	}
}

// TestClockSet says so when a clock is set between.
func TestClockSet(t *testing.T) {
	p := newPath(12)
	p.pings(100, 20*time.Millisecond)
	half := p.start.Add(3 * time.Second)
	for i := range p.b {
		if p.b[i].Time.After(half) {
			p.b[i].Time = p.b[i].Time.Add(time.Second)
		}
	}
	r := p.run(t, Options{})
	if !r.Clock.Unsteady || r.finding("clock_unsteady") == nil || r.Matched != 204 || r.AB.Lost+r.BA.Lost > 0 {
		t.Errorf("got %+v", r)
	}
}

// TestPressed has less room than packets that wait: none is called lost that is
// not.
func TestPressed(t *testing.T) {
	p := newPath(13)
	p.nat, p.there.loss = true, 0.1
	p.pings(500, time.Millisecond)
	r := p.run(t, Options{Pending: 64})
	if r.AB.Lost+r.BA.Lost > uint64(p.lostThere) || r.AB.Lost+r.Unsettled < uint64(p.lostThere) || int(r.Matched) != 2*(502-p.lostThere) {
		t.Errorf("%d were lost; got %+v, unsettled %d", p.lostThere, r.AB, r.Unsettled)
	}
}

// TestInterrupted ends early, at the first look: what was not read is not lost.
func TestInterrupted(t *testing.T) {
	p := newPath(14)
	p.pings(100, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Run(ctx, p.a.open, p.b.open, Options{})
	if err != nil || !r.Interrupted || r.finding("interrupted") == nil || r.finding("unrelated") != nil || r.AB.Lost > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestSourceFails passes on why a capture cannot be read, at either reading.
func TestSourceFails(t *testing.T) {
	p := newPath(15)
	p.pings(10, time.Millisecond)
	broken := errors.New("broken")
	for fails := range 4 {
		opened := 0
		open := func(c *capture) Open {
			return func() (Source, error) {
				opened++
				if opened == fails+1 {
					return nil, broken
				}
				return c.open()
			}
		}
		if _, err := Run(t.Context(), open(&p.a), open(&p.b), Options{}); !errors.Is(err, broken) {
			t.Errorf("opening number %d: got %v", fails+1, err)
		}
	}
}

// FuzzRun reads two captures of any bytes.
func FuzzRun(f *testing.F) {
	p := newPath(1)
	p.pings(3, time.Millisecond)
	for _, frame := range p.a {
		f.Add(frame.Data, int64(5), uint8(3))
	}
	f.Add(timeExceeded(server4, client4, 1, p.a[0].Data), int64(-1), uint8(200))
	f.Fuzz(func(t *testing.T, b []byte, step int64, n uint8) {
		var x path
		for i := range int(n) {
			at := time.Unix(0, step*int64(i))
			data := append([]byte{}, b...)
			if len(data) > 0 {
				data[(i*7)%len(data)] ^= byte(i)
			}
			x.a.add(at, b)
			x.b.add(at.Add(time.Duration(step)), data)
		}
		r := x.run(t, Options{Pending: 16, Sink: func(e *Event) {
			if e.Direction == Unknown || e.InA != (e.A.Frame > 0) || e.InB != (e.B.Frame > 0) {
				t.Errorf("got %+v", e)
			}
		}})
		for i, point := range r.Points {
			if point.Messages != r.Matched+point.Alone+point.Copies {
				t.Errorf("point %d: %d messages, %d matched, %d alone, %d copies", i, point.Messages, r.Matched, point.Alone, point.Copies)
			}
		}
	})
}
