package probetest_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

var _ probe.Link = (*probetest.Link)(nil)

const ms = time.Millisecond

var (
	host4   = netip.MustParseAddr("203.0.113.9")
	other4  = netip.MustParseAddr("203.0.113.10")
	router1 = netip.MustParseAddr("198.51.100.1")
	router2 = netip.MustParseAddr("198.51.100.2")
	router3 = netip.MustParseAddr("198.51.100.3")
	host6   = netip.MustParseAddr("2001:db8:9::9")
	router6 = netip.MustParseAddr("2001:db8:1::1")
)

// plain is a host 20 ms away behind two routers.
func plain() probetest.Host {
	return probetest.Host{
		Addr: host4,
		Path: []probetest.Hop{{Addr: router1, RTT: 2 * ms}, {Addr: router2, RTT: 10 * ms}},
		Hop:  probetest.Hop{RTT: 20 * ms},
	}
}

// with returns options of the plain host with rules of its own.
func with(rules ...probetest.Rule) probetest.Options {
	h := plain()
	h.Rules = rules
	return probetest.Options{Hosts: []probetest.Host{h}}
}

// always returns a rule that applies to every packet.
func always(e probetest.Effect) probetest.Rule { return probetest.Rule{Do: e} }

// An arrival is a reply as a test saw it.
type arrival struct {
	icmpx.Reply
	after time.Duration // since the send
}

// A bench is a network with one link, in a bubble.
type bench struct {
	*testing.T
	net   *probetest.Net
	link  *probetest.Link
	start time.Time
}

// run calls f with a network in a bubble.
func run(t *testing.T, o probetest.Options, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, net: probetest.New(o), start: time.Now()}
		b.link = b.net.Link(icmpx.IPv4)
		f(b)
		b.link.Close()
	})
}

// echo returns a request with 56 bytes of payload and a token of its own.
func echo(tag uint32) icmpx.Request {
	return icmpx.Request{Dst: host4, Key: icmpx.Key{Flow: 4001, Tag: tag}, TOS: -1, Size: 84, Token: uint64(tag) * 0x0123456789abcdef}
}

func (b *bench) send(rs ...icmpx.Request) {
	b.Helper()
	if n, err := b.link.Send(rs); n != len(rs) || err != nil {
		b.Fatalf("sent %d of %d: %v", n, len(rs), err)
	}
}

// hear returns what arrives within d, with slices of its own.
func (b *bench) hear(d time.Duration) (all []arrival) {
	b.Helper()
	from := time.Now()
	b.link.SetRecvDeadline(from.Add(d))
	rs := make([]icmpx.Reply, 8)
	for {
		n, err := b.link.Recv(rs)
		for _, r := range rs[:n] {
			r.Payload, r.Quote.Payload, r.Ext = slices.Clone(r.Payload), slices.Clone(r.Quote.Payload), slices.Clone(r.Ext)
			all = append(all, arrival{r, time.Since(from)})
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if since := time.Since(from); since != d {
				b.Errorf("deadline of %v passed after %v", d, since)
			}
			return all
		}
		if err != nil {
			b.Fatalf("recv: %v", err)
		}
	}
}

// answers leaves the transmit stamps out.
func answers(all []arrival) []arrival {
	return slices.DeleteFunc(all, func(a arrival) bool { return a.Kind == icmpx.KindSent })
}

// ask sends one request and returns what comes back within 10 s.
func (b *bench) ask(r icmpx.Request) []arrival {
	b.Helper()
	b.send(r)
	return answers(b.hear(10 * time.Second))
}

// kinds names what came, in order.
func kinds(as []arrival) (names []string) {
	for _, a := range as {
		names = append(names, a.Kind.String())
	}
	return names
}

func (b *bench) wantKinds(as []arrival, want ...string) {
	b.Helper()
	if got := kinds(as); !slices.Equal(got, want) {
		b.Fatalf("got %q, want %q", got, want)
	}
}

func TestEcho(t *testing.T) {
	o := with()
	o.TxDelay, o.RxDelay = 3*ms, 4*ms
	run(t, o, func(b *bench) {
		rs := []icmpx.Request{echo(1)}
		if n, err := b.link.Send(rs); n != 1 || err != nil {
			b.Fatal(n, err)
		}
		if !rs[0].Sent.Equal(b.start) || rs[0].ClockOffset == 0 {
			b.Errorf("sent %v, offset %v", rs[0].Sent, rs[0].ClockOffset)
		}
		all := b.hear(time.Second)
		b.wantKinds(all, "sent", "echo_reply")
		sent, got := all[0], all[1]
		if sent.after != 3*ms || !sent.At.Equal(b.start.Add(3*ms)) || sent.Key != rs[0].Key || sent.Stamp != icmpx.StampKernel {
			b.Errorf("transmit stamp %+v", sent)
		}
		if rtt := got.At.Sub(sent.At); rtt != 20*ms || got.after != 27*ms || got.Read.Sub(rs[0].Sent) != 27*ms {
			b.Errorf("round trip %v by stamps, read after %v", rtt, got.after)
		}
		if got.Key != rs[0].Key || got.Dst != host4 || got.From != host4 || got.TTL != 62 || got.Bytes != 64 {
			b.Errorf("reply %+v", got)
		}
		want := make([]byte, 56)
		icmpx.FillPayload(want, rs[0].Token, nil)
		if !slices.Equal(got.Payload, want) {
			b.Errorf("payload %x, want %x", got.Payload, want)
		}
	})
}

// Outside of a bubble times have a monotonic reading, but for kernel stamps.
func TestRealTime(t *testing.T) {
	n := probetest.New(probetest.Options{Hosts: []probetest.Host{{Addr: host4}}})
	l := n.Link(icmpx.IPv4)
	defer l.Close()
	rs := []icmpx.Request{echo(1)}
	if _, err := l.Send(rs); err != nil {
		t.Fatal(err)
	}
	got := make([]icmpx.Reply, 2)
	if n, err := l.Recv(got); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	for _, r := range got {
		if r.At != r.At.Round(0) || r.Read == r.Read.Round(0) || rs[0].Sent == rs[0].Sent.Round(0) {
			t.Errorf("sent %v, %v at %v, read %v", rs[0].Sent, r.Kind, r.At, r.Read)
		}
	}
}

func TestPayloads(t *testing.T) {
	run(t, with(), func(b *bench) {
		r := echo(1)
		r.Payload = []byte("hello")
		if got := b.ask(r); string(got[0].Payload) != "hello"+string(make([]byte, 51)) {
			b.Errorf("payload %q", got[0].Payload)
		}
		r.Size = 0
		if got := b.ask(r); string(got[0].Payload) != "hello" || got[0].Bytes != 13 {
			b.Errorf("payload %q", got[0].Payload)
		}
		r.Payload, r.Size, r.Pattern = nil, 20+8+12, []byte("ab")
		if got := b.ask(r); string(got[0].Payload[8:]) != "abab" || binary.BigEndian.Uint64(got[0].Payload) != r.Token {
			b.Errorf("payload %q", got[0].Payload)
		}
		r.Size = 65536
		if n, err := b.link.Send([]icmpx.Request{r}); n != 0 || err == nil {
			b.Errorf("sent a packet of 65,536 bytes")
		}
	})
}

func TestRecvContract(t *testing.T) {
	run(t, with(), func(b *bench) {
		// What is due at the deadline comes before the deadline's error.
		b.send(echo(1), echo(2))
		b.wantKinds(b.hear(20*ms), "sent", "sent", "echo_reply", "echo_reply")

		// A batch takes what is due, and leaves the rest.
		b.send(echo(3), echo(4))
		time.Sleep(time.Second)
		rs := make([]icmpx.Reply, 3)
		b.link.SetRecvDeadline(b.start) // long past: the queue still comes first
		if n, err := b.link.Recv(rs); n != 3 || err != nil {
			b.Errorf("recv = %d, %v; want 3", n, err)
		}
		held := rs[2].Payload
		if n, err := b.link.Recv(rs); n != 1 || err != nil {
			b.Errorf("recv = %d, %v; want 1", n, err)
		}
		if held[0] != 0xdb {
			b.Error("the payload of the last Recv is still good")
		}
		if n, err := b.link.Recv(rs); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			b.Errorf("recv = %d, %v; want the deadline", n, err)
		}
	})
}

func TestDeadlineWakesRecv(t *testing.T) {
	run(t, with(), func(b *bench) {
		time.AfterFunc(3*time.Second, func() { b.link.SetRecvDeadline(time.Now().Add(time.Second)) })
		_, err := b.link.Recv(make([]icmpx.Reply, 1))
		if since := time.Since(b.start); !errors.Is(err, os.ErrDeadlineExceeded) || since != 4*time.Second {
			b.Errorf("recv: %v after %v", err, since)
		}
	})
}

func TestSendWakesRecv(t *testing.T) {
	run(t, with(), func(b *bench) {
		time.AfterFunc(3*time.Second, func() { b.link.Send([]icmpx.Request{echo(1)}) })
		n, err := b.link.Recv(make([]icmpx.Reply, 1))
		if since := time.Since(b.start); n != 1 || err != nil || since != 3*time.Second {
			b.Errorf("recv: %d, %v after %v", n, err, since)
		}
	})
}

func TestClose(t *testing.T) {
	run(t, with(), func(b *bench) {
		time.AfterFunc(time.Second, func() { b.link.Close() })
		for range 2 {
			if _, err := b.link.Recv(make([]icmpx.Reply, 1)); !errors.Is(err, net.ErrClosed) {
				b.Errorf("recv: %v", err)
			}
		}
		if _, err := b.link.Send([]icmpx.Request{echo(1)}); !errors.Is(err, net.ErrClosed) {
			b.Errorf("send: %v", err)
		}
		if err := b.link.SetRecvDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			b.Errorf("deadline: %v", err)
		}
		if err := b.link.Close(); !errors.Is(err, net.ErrClosed) {
			b.Errorf("close: %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	n := probetest.New(probetest.Options{})
	a, b, six := n.Link(icmpx.IPv4), n.Link(icmpx.IPv4), n.Link(icmpx.IPv6)
	small := probetest.New(probetest.Options{LastTag: 10, Classic: true}).Link(icmpx.IPv4)
	tests := []struct {
		name string
		link *probetest.Link
		req  icmpx.Request
		want icmpx.KeySpace
	}{
		{"echo", a, icmpx.Request{Dst: host4}, icmpx.KeySpace{Flow: 4001, First: 1, Last: 65536}},
		{"the second link", b, icmpx.Request{Dst: host4}, icmpx.KeySpace{Flow: 4002, First: 1, Last: 65536}},
		{"other family", a, icmpx.Request{Dst: host6}, icmpx.KeySpace{}},
		{"IPv6", six, icmpx.Request{Dst: host6}, icmpx.KeySpace{Flow: 4003, First: 1, Last: 65536}},
		{"small", small, icmpx.Request{Dst: host4}, icmpx.KeySpace{Flow: 4001, First: 1, Last: 10}},
		{"UDP", a, icmpx.Request{Proto: icmpx.ProtoUDP, Dst: host4, Path: 2}, icmpx.KeySpace{Flow: 4003<<16 | 33434, First: 1, Last: 65535}},
		{"classic UDP", small, icmpx.Request{Proto: icmpx.ProtoUDP, Dst: host4}, icmpx.KeySpace{Flow: 4001, First: 33434, Last: 33434}},
		{"TCP", a, icmpx.Request{Proto: icmpx.ProtoTCPSYN, Dst: host4, Port: 80}, icmpx.KeySpace{Flow: 4001<<16 | 80, First: 1, Last: 1<<32 - 1}},
		{"unknown", a, icmpx.Request{Proto: 99, Dst: host4}, icmpx.KeySpace{}},
	}
	for _, tt := range tests {
		if got, ok := tt.link.Keys(&tt.req); got != tt.want || ok != (tt.want != icmpx.KeySpace{}) {
			t.Errorf("%s: keys %+v, %v; want %+v", tt.name, got, ok, tt.want)
		}
	}
}

// A tag has as many bits as a sequence number: what comes back does too.
func TestTagWraps(t *testing.T) {
	run(t, with(), func(b *bench) {
		for tag, want := range map[uint32]uint32{1: 1, 65535: 65535, 65536: 65536, 65537: 1} {
			if got := b.ask(echo(tag)); got[0].Key.Tag != want {
				b.Errorf("tag %d came back as %d, want %d", tag, got[0].Key.Tag, want)
			}
		}
	})
}

func TestTenThousandHosts(t *testing.T) {
	const hosts = 10_000
	o := probetest.Options{Lookup: func(a netip.Addr) *probetest.Host {
		b := a.As4()
		return &probetest.Host{Hop: probetest.Hop{RTT: time.Duration(b[3]) * ms}}
	}}
	run(t, o, func(b *bench) {
		for i := range hosts {
			r := echo(1)
			r.Dst = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			b.send(r)
		}
		got := answers(b.hear(time.Second))
		if len(got) != hosts || b.net.Packets() != hosts {
			b.Fatalf("%d answers to %d packets", len(got), b.net.Packets())
		}
		for _, a := range got {
			d := a.Dst.As4()
			if want := time.Duration(d[3]) * ms; a.after != want {
				b.Fatalf("%v answered after %v, want %v", a.Dst, a.after, want)
			}
		}
	})
}
