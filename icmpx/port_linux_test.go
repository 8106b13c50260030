package icmpx_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

var (
	_ probe.Link = (*icmpx.UDPLink)(nil)
	_ probe.Link = (*icmpx.TCPLink)(nil)
)

const (
	// closedPort is where nobody listens in a namespace that is new: no port
	// that the kernel chooses for a source, or a probe may find itself.
	closedPort = 20000
	// sourcePort is where the probes of links come from that may choose.
	sourcePort = 30000
)

// A portCase is a kind of link to ports.
type portCase struct {
	name     string
	proto    icmpx.Proto
	cfg      icmpx.PortConfig
	classic  bool
	unstamps bool // the kernel does not take numbers for transmit stamps
}

// A portLink is either kind of link.
type portLink interface {
	probe.Link
	fmt.Stringer
	Mode() icmpx.Mode
	Family() icmpx.Family
	Limit() int
	SourcePorts() []uint16
	SourceFor(netip.Addr) (netip.Addr, error)
	MTUFor(netip.Addr) (int, error)
	LocalAddr() netip.Addr
}

func (c portCase) listen() (portLink, error) {
	udp := icmpx.UDPConfig{PortConfig: c.cfg, Classic: c.classic}
	tcp := icmpx.TCPConfig{PortConfig: c.cfg}
	switch {
	case c.proto == icmpx.ProtoTCPSYN && c.unstamps:
		return icmpx.ListenTCPWithoutStampNumbers(tcp)
	case c.proto == icmpx.ProtoTCPSYN:
		return icmpx.ListenTCP(tcp)
	case c.unstamps:
		return icmpx.ListenUDPWithoutStampNumbers(udp)
	}
	return icmpx.ListenUDP(udp)
}

// open opens the link, which ends with the test.
func (c portCase) open(t *testing.T) portLink {
	t.Helper()
	l, err := c.listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// once says that each probe has a socket of its own.
func (c portCase) once() bool { return c.cfg.Mode == icmpx.ModeDatagram && !c.classic }

// closed is what a closed port answers.
func (c portCase) closed() icmpx.Kind {
	if c.proto == icmpx.ProtoTCPSYN {
		return icmpx.KindTCPClosed
	}
	return icmpx.KindUnreachable
}

// eachPort runs f for all kinds, each in its own namespace.
func eachPort(t *testing.T, f func(t *testing.T, c portCase)) {
	for _, c := range []portCase{
		{name: "UDP", proto: icmpx.ProtoUDP},
		{name: "UDP classic", proto: icmpx.ProtoUDP, classic: true},
		{name: "TCP", proto: icmpx.ProtoTCPSYN},
	} {
		for _, c.cfg.Family = range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
			for _, c.cfg.Mode = range []icmpx.Mode{icmpx.ModeRaw, icmpx.ModeDatagram} {
				t.Run(fmt.Sprintf("%s %v %v", c.name, c.cfg.Family, c.cfg.Mode), func(t *testing.T) {
					enterNamespace(t)
					c.cfg.SourcePort = 0
					if !c.once() {
						c.cfg.SourcePort = sourcePort // which none of the probes goes to
					}
					f(t, c)
				})
			}
		}
	}
}

// request returns the n-th probe to a port, of the size that traces use.
func (c portCase) request(t *testing.T, l probe.Link, dst netip.Addr, port uint16, n uint32) icmpx.Request {
	t.Helper()
	r := icmpx.Request{
		Proto: c.proto, Dst: dst, Port: port, TOS: -1, Size: icmpx.FamilyOf(dst).HeaderLen() + 40,
		Token: 0x0102030405060708 + uint64(n)<<48,
	}
	space, ok := l.Keys(&r)
	if !ok {
		t.Fatalf("Keys takes no %+v", r)
	}
	r.Key = icmpx.Key{Flow: space.Flow, Tag: space.First + n}
	return r
}

func sendOn(t *testing.T, l probe.Link, rs ...icmpx.Request) []icmpx.Request {
	t.Helper()
	if n, err := l.Send(rs); n != len(rs) || err != nil {
		t.Fatalf("Send = %d of %d, %v", n, len(rs), err)
	}
	return rs
}

// recvOn collects replies until done says so.
func recvOn(t *testing.T, l probe.Link, done func(got []icmpx.Reply) bool) []icmpx.Reply {
	t.Helper()
	if err := l.SetRecvDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []icmpx.Reply
	rs := make([]icmpx.Reply, 32)
	for !done(got) {
		n, err := l.Recv(rs)
		if err != nil {
			t.Fatalf("Recv: %v after %d replies: %+v", err, len(got), got)
		}
		for _, r := range rs[:n] {
			r.Payload = append([]byte(nil), r.Payload...)
			r.Quote.Payload = append([]byte(nil), r.Quote.Payload...)
			got = append(got, r)
		}
	}
	return got
}

// queued returns all that is there. On loopback that is all answers to what was
// sent.
func queued(t *testing.T, l probe.Link) (got []icmpx.Reply) {
	t.Helper()
	if err := l.SetRecvDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		rs := make([]icmpx.Reply, 32)
		n, err := l.Recv(rs)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rs[:n]...)
	}
}

// TestClosedPort asks a port that nobody listens at.
func TestClosedPort(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		l := c.open(t)
		dst := loopback[c.cfg.Family]
		for n := range uint32(30) {
			req := c.request(t, l, dst, closedPort, n)
			if c.classic {
				req.TTL = uint8(1 + n)
			}
			req.TOS = 0x20
			req = sendOn(t, l, req)[0]
			got := recvOn(t, l, has(1, c.closed()))
			r := got[len(got)-1]
			if r.Key != req.Key || r.From != dst || r.Dst != dst || r.Read.Before(req.Sent) {
				t.Fatalf("got %+v, want an answer to %+v", r, req)
			}
			if c.proto == icmpx.ProtoUDP {
				checkQuoted(t, c, &req, &r)
				if len(got) != 2 || got[0].Kind != icmpx.KindSent || got[0].Key != req.Key || got[0].Dst != dst {
					t.Errorf("got %+v, want a transmit stamp and the answer", got)
				}
			}
		}
	})
}

// checkQuoted looks for the token in the quote, and in that of a raw socket for
// the rest.
func checkQuoted(t *testing.T, c portCase, req *icmpx.Request, r *icmpx.Reply) {
	t.Helper()
	q := &r.Quote
	want := make([]byte, 32)
	icmpx.FillPayload(want, req.Token, nil)
	if len(q.Payload) != len(want) || string(q.Payload[:8]) != string(want[:8]) {
		t.Errorf("quoted payload % x, want that of % x", q.Payload, want)
	}
	if c.cfg.Mode == icmpx.ModeDatagram {
		if q.Family != 0 || q.Proto != 17 {
			t.Errorf("quote %+v of an ordinary socket", *q)
		}
		return
	}
	header := c.cfg.Family.HeaderLen()
	if !q.HasL4 || q.TotalLen != header+40 || q.TOS != 0x20 || q.Dst != req.Dst {
		t.Errorf("quote %+v", *q)
	}
	if !c.classic && uint32(q.Checksum) != req.Key.Tag || c.cfg.Family == icmpx.IPv4 && uint32(q.ID) != req.Key.Tag {
		t.Errorf("quote %+v has not the tag %d", *q, req.Key.Tag)
	}
}

// TestPortDeadline has what is queued returned however late it is, and then a
// deadline that has passed.
func TestPortDeadline(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		l := c.open(t)
		if got := queued(t, l); len(got) != 0 {
			t.Fatalf("got %+v before anything was sent", got)
		}
		sendOn(t, l, c.request(t, l, loopback[c.cfg.Family], closedPort, 0))
		if got := queued(t, l); count(got, c.closed()) != 1 {
			t.Errorf("got %+v, want the answer that was queued", got)
		}
		errs := make(chan error)
		go func() {
			_, err := l.Recv(make([]icmpx.Reply, 1))
			errs <- err
		}()
		for _, at := range []time.Time{time.Now().Add(time.Hour), {}, time.Now()} { // the last one counts
			if err := l.SetRecvDeadline(at); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-errs; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Recv = %v, want a passed deadline", err)
		}
	})
}

func TestPortClose(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		before := len(socketNames(t))
		l := c.open(t)
		errs := make(chan error)
		go func() {
			_, err := l.Recv(make([]icmpx.Reply, 1))
			errs <- err
		}()
		req := c.request(t, l, loopback[c.cfg.Family], closedPort, 0)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-errs; err != net.ErrClosed {
			t.Errorf("Recv = %v, want net.ErrClosed", err)
		}
		if _, err := l.Send([]icmpx.Request{req}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send = %v, want net.ErrClosed", err)
		}
		if _, err := l.Recv(make([]icmpx.Reply, 1)); err != net.ErrClosed {
			t.Errorf("Recv after Close = %v, want net.ErrClosed", err)
		}
		if err := l.SetRecvDeadline(time.Time{}); err != net.ErrClosed {
			t.Errorf("SetRecvDeadline = %v, want net.ErrClosed", err)
		}
		if err := l.Close(); err != net.ErrClosed {
			t.Errorf("second Close = %v, want net.ErrClosed", err)
		}
		if after := len(socketNames(t)); after != before {
			t.Errorf("%d sockets open, were %d", after, before)
		}
	})
}

// TestPortBatch sends and receives more than any batch holds, into a slice that
// is smaller, or as much as may be open at once.
func TestPortBatch(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		l := c.open(t)
		n := 200
		if l.Limit() > 0 {
			n = l.Limit()
		}
		rs := make([]icmpx.Request, n)
		for i := range rs {
			rs[i] = c.request(t, l, loopback[c.cfg.Family], closedPort, uint32(i))
		}
		sendOn(t, l, rs...)
		if err := l.SetRecvDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		left, answered := map[icmpx.Key]bool{}, map[icmpx.Key]bool{}
		small := make([]icmpx.Reply, 3)
		for len(answered) < n {
			k, err := l.Recv(small)
			if err != nil {
				t.Fatalf("%v after %d answers", err, len(answered))
			}
			for _, r := range small[:k] {
				switch r.Kind {
				case icmpx.KindSent:
					left[r.Key] = true
				case c.closed():
					if !left[r.Key] && c.proto == icmpx.ProtoUDP || answered[r.Key] {
						t.Fatalf("answer to %v: sent %v, answered %v", r.Key, left[r.Key], answered[r.Key])
					}
					answered[r.Key] = true
				}
			}
		}
		for i := range rs {
			if !answered[rs[i].Key] {
				t.Errorf("%v was not answered", rs[i].Key)
			}
		}
	})
}
