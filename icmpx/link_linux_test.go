package icmpx_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

var _ probe.Link = (*icmpx.ICMPLink)(nil)

// patience is how long a test waits for what must come. It is no measure of
// anything: a test that reaches it has failed.
const patience = 20 * time.Second

var loopback = map[icmpx.Family]netip.Addr{
	icmpx.IPv4: netip.MustParseAddr("127.0.0.1"),
	icmpx.IPv6: netip.MustParseAddr("::1"),
}

// eachSocket runs f for both modes and families, each in its own namespace.
func eachSocket(t *testing.T, f func(t *testing.T, cfg icmpx.ICMPConfig)) {
	for _, family := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, mode := range []icmpx.Mode{icmpx.ModeRaw, icmpx.ModeDatagram} {
			t.Run(fmt.Sprintf("%v %v", family, mode), func(t *testing.T) {
				enterNamespace(t)
				f(t, icmpx.ICMPConfig{Family: family, Mode: mode})
			})
		}
	}
}

func listen(t *testing.T, cfg icmpx.ICMPConfig) *icmpx.ICMPLink {
	t.Helper()
	l, err := icmpx.ListenICMP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Logf("close: %v", err)
		}
	})
	return l
}

func echo(l *icmpx.ICMPLink, dst netip.Addr, tag uint32) icmpx.Request {
	return icmpx.Request{Dst: dst, TOS: -1, Key: icmpx.Key{Flow: uint32(l.ID()), Tag: tag}, Size: l.Family().HeaderLen() + 8 + 56, Token: 0x0102030405060708}
}

func send(t *testing.T, l *icmpx.ICMPLink, rs ...icmpx.Request) []icmpx.Request {
	t.Helper()
	if n, err := l.Send(rs); n != len(rs) || err != nil {
		t.Fatalf("Send = %d of %d, %v", n, len(rs), err)
	}
	return rs
}

// recvUntil collects replies until done says so.
func recvUntil(t *testing.T, l *icmpx.ICMPLink, done func(got []icmpx.Reply) bool) []icmpx.Reply {
	t.Helper()
	if err := l.SetRecvDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []icmpx.Reply
	for !done(got) {
		rs := make([]icmpx.Reply, 32)
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

func count(rs []icmpx.Reply, k icmpx.Kind) (n int) {
	for _, r := range rs {
		if r.Kind == k {
			n++
		}
	}
	return n
}

// has returns a condition for recvUntil.
func has(n int, k icmpx.Kind) func([]icmpx.Reply) bool {
	return func(got []icmpx.Reply) bool { return count(got, k) >= n }
}

func TestEcho(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		if l.Mode() != cfg.Mode || l.Family() != cfg.Family || l.ID() == 0 {
			t.Errorf("link is %v %v with id %d", l.Family(), l.Mode(), l.ID())
		}
		dst := loopback[cfg.Family]
		warm(t, l)
		for tag := uint32(1); tag <= 20; tag++ {
			req := echo(l, dst, tag)
			req.TTL, req.TOS = 7, 0x20
			req = send(t, l, req)[0]
			got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
			checkEcho(t, l, req, got)
			if len(got) != 2 || got[0].Kind != icmpx.KindSent || got[0].Key != req.Key || got[0].Dst != dst {
				t.Fatalf("got %+v, want a transmit stamp and the answer", got)
			}
			sent, reply := got[0], got[1]
			if sent.Stamp != icmpx.StampKernel || reply.Stamp != icmpx.StampKernel {
				t.Errorf("stamps by %v and %v, want the kernel", sent.Stamp, reply.Stamp)
			}
			if sent.At.Before(req.Sent.Round(0)) || reply.At.Before(sent.At) || reply.Read.Round(0).Before(reply.At) {
				t.Errorf("times out of order: Sent %v, left %v, arrived %v, read %v", req.Sent, sent.At, reply.At, reply.Read)
			}
		}
	})
}

func checkEcho(t *testing.T, l *icmpx.ICMPLink, req icmpx.Request, got []icmpx.Reply) {
	t.Helper()
	r := got[len(got)-1]
	want := make([]byte, 56)
	icmpx.FillPayload(want, req.Token, req.Pattern)
	switch {
	case r.Key != req.Key, r.From != req.Dst, r.Dst != req.Dst, r.To != req.Dst, r.Bytes != 64:
		t.Errorf("reply to %+v is %+v", req, r)
	case string(r.Payload) != string(want):
		t.Errorf("payload is % x, want % x", r.Payload, want)
	case r.TTL != 64 || r.IfIndex == 0 || r.Read.IsZero() || r.Read.Before(req.Sent):
		t.Errorf("ancillary data wrong: %+v", r)
	}
}
