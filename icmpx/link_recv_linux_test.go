package icmpx_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

func TestDeadline(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		rs := make([]icmpx.Reply, 8)
		past := time.Now().Add(-time.Hour)

		if err := l.SetRecvDeadline(past); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Recv(rs); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Recv of nothing = %d, %v, want a passed deadline", n, err)
		}
		// What is queued is returned however late it is.
		send(t, l, echo(l, loopback[cfg.Family], 1))
		var got []icmpx.Reply
		for {
			n, err := l.Recv(rs)
			if err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
				break
			}
			got = append(got, rs[:n]...)
		}
		if count(got, icmpx.KindEchoReply) != 1 {
			t.Errorf("got %+v, want the answer that was queued", got)
		}
	})
}

func TestDeadlineWakesRecv(t *testing.T) {
	enterNamespace(t)
	l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv4})
	errs := make(chan error)
	go func() {
		_, err := l.Recv(make([]icmpx.Reply, 1))
		errs <- err
	}()
	for range 3 { // the last one counts, whenever Recv begins to wait
		if err := l.SetRecvDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetRecvDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := <-errs; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Recv = %v, want a passed deadline", err)
	}
}

func TestClose(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		before := len(socketNames(t))
		l := listen(t, cfg)
		errs := make(chan error)
		go func() {
			_, err := l.Recv(make([]icmpx.Reply, 1))
			errs <- err
		}()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-errs; err != net.ErrClosed {
			t.Errorf("Recv = %v, want net.ErrClosed", err)
		}
		if _, err := l.Send([]icmpx.Request{echo(l, loopback[cfg.Family], 1)}); !errors.Is(err, net.ErrClosed) {
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

// TestBatch sends and receives more than any batch holds, into a slice that is
// smaller: nothing is lost, and each transmit stamp comes before its answer.
func TestBatch(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		const n = 200
		rs := make([]icmpx.Request, n)
		for i := range rs {
			rs[i] = echo(l, loopback[cfg.Family], uint32(65536-n/2+i)%65536+1)
		}
		warm(t, l)
		send(t, l, rs...)
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
				case icmpx.KindEchoReply:
					if !left[r.Key] || answered[r.Key] {
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

// warm sends probes until the kernel stamps both ends.
func warm(t *testing.T, l *icmpx.ICMPLink) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < patience; {
		send(t, l, echo(l, loopback[l.Family()], 60000))
		got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		if len(got) == 2 && got[0].Stamp == icmpx.StampKernel && got[1].Stamp == icmpx.StampKernel {
			return
		}
	}
	t.Fatal("the kernel gives no stamps")
}

// TestStampsWithoutNumbers plays a kernel before 6.13: the transmit stamp is
// found by the packet that comes with it.
func TestStampsWithoutNumbers(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l, err := icmpx.ListenWithoutStampNumbers(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if l.StampsByNumber() {
			t.Fatal("stamps come by number")
		}
		warm(t, l)
		for _, size := range []int{0, 56, 1400, 60000} {
			req := echo(l, loopback[cfg.Family], 65536)
			req.Size = cfg.Family.HeaderLen() + 8 + size
			send(t, l, req)
			got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
			if len(got) != 2 || got[0].Kind != icmpx.KindSent || got[0].Key != req.Key || got[0].Dst != req.Dst {
				t.Fatalf("size %d: got %+v, want a transmit stamp and the answer", size, got)
			}
		}
	})
}

func TestLargest(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		req := echo(l, loopback[cfg.Family], 1)
		req.Size = cfg.Family.HeaderLen() + 8 + cfg.Family.MaxPayload()
		req.DF = icmpx.DFClear // the largest IPv6 packet exceeds the MTU of lo
		req.Pattern = []byte("pattern")
		send(t, l, req)
		got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		r := got[len(got)-1]
		want := make([]byte, cfg.Family.MaxPayload())
		icmpx.FillPayload(want, req.Token, req.Pattern)
		if string(r.Payload) != string(want) {
			t.Errorf("%d payload bytes came back of %d, or changed", len(r.Payload), len(want))
		}
		if cfg.Family == icmpx.IPv6 && (r.Frag == 0 || r.Frag > 65536) {
			t.Errorf("largest fragment is %d bytes", r.Frag)
		}
		if cfg.Family == icmpx.IPv4 && r.Frag != 0 {
			t.Errorf("largest fragment is %d bytes of a packet that came whole", r.Frag)
		}
	})
}

// TestOthersTraffic has two links and other senders on one host: each link
// hears only its own answers, and no request.
func TestOthersTraffic(t *testing.T) {
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		t.Run(f.String(), func(t *testing.T) {
			enterNamespace(t)
			a := listen(t, icmpx.ICMPConfig{Family: f, Mode: icmpx.ModeRaw, ID: 1})
			b := listen(t, icmpx.ICMPConfig{Family: f, Mode: icmpx.ModeRaw, ID: 2})
			c := listen(t, icmpx.ICMPConfig{Family: f, Mode: icmpx.ModeDatagram, ID: 3})
			for tag := uint32(1); tag <= 5; tag++ {
				for _, l := range []*icmpx.ICMPLink{a, b, c} {
					send(t, l, echo(l, loopback[f], tag))
				}
			}
			for i, l := range []*icmpx.ICMPLink{a, b, c} {
				for _, r := range drain(t, l) {
					if r.Key.Flow != uint32(i+1) || r.Kind != icmpx.KindEchoReply && r.Kind != icmpx.KindSent {
						t.Errorf("link %d heard %+v", i+1, r)
					}
				}
			}
		})
	}
}

// drain returns all that is queued. On loopback an answer is queued before
// Send returns.
func drain(t *testing.T, l *icmpx.ICMPLink) (got []icmpx.Reply) {
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

// TestLinkLocal has the zone of a link-local address go out and come back as
// the request wrote it.
func TestLinkLocal(t *testing.T) {
	for _, mode := range []icmpx.Mode{icmpx.ModeRaw, icmpx.ModeDatagram} {
		for _, zone := range []string{"lo", "1"} {
			t.Run(mode.String()+" "+zone, func(t *testing.T) {
				enterNamespace(t)
				addAddress(t, "lo", netip.MustParsePrefix("fe80::1/64"))
				l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv6, Mode: mode})
				dst := netip.MustParseAddr("fe80::1%" + zone)
				send(t, l, echo(l, dst, 1))
				for _, r := range recvUntil(t, l, has(1, icmpx.KindEchoReply)) {
					if r.Dst != dst || r.Kind == icmpx.KindEchoReply && r.From != dst {
						t.Errorf("Dst %v, From %v, want %v", r.Dst, r.From, dst)
					}
				}
				if src, err := l.SourceFor(dst); err != nil || src != dst {
					t.Errorf("SourceFor = %v, %v, want %v", src, err, dst)
				}
				if _, err := l.Send([]icmpx.Request{echo(l, dst.WithZone("nosuch0"), 2)}); err == nil {
					t.Error("an unknown zone was taken")
				}
			})
		}
	}
}

// TestDrops overflows the receive buffer: the next answer says how many were
// dropped. The kernel may count lost transmit stamps as well.
func TestDrops(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.RecvBuffer = 8 << 10
		l := listen(t, cfg)
		const n = 100
		for tag := uint32(1); tag <= n; tag++ {
			send(t, l, echo(l, loopback[cfg.Family], tag))
		}
		lost := n - count(drain(t, l), icmpx.KindEchoReply)
		send(t, l, echo(l, loopback[cfg.Family], n+1))
		got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		if drops := int(got[len(got)-1].Drops); lost == 0 || drops < lost || drops > 2*n {
			t.Errorf("%d of %d lost, %d dropped", lost, n, drops)
		}
	})
}
