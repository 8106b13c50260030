package icmpx_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/icmpx"
)

// TestNoLearning has links that are to learn nothing send and hear as others do,
// in every path-MTU discovery mode.
func TestNoLearning(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.NoLearning = true
		l := listen(t, cfg)
		warm(t, l)
		for i, df := range []icmpx.DF{icmpx.DFProbe, icmpx.DFClear, icmpx.DFSet, icmpx.DFSystem, icmpx.DFProbe} {
			req := echo(l, loopback[cfg.Family], uint32(100+i))
			req.DF, req.TTL, req.TOS = df, 7, 0x20
			req = send(t, l, req)[0]
			got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
			checkEcho(t, l, req, got)
			if len(got) != 2 || got[0].Kind != icmpx.KindSent || got[0].Key != req.Key || got[0].Dst != req.Dst || got[0].Stamp != icmpx.StampKernel {
				t.Errorf("mode %d: got %+v, want a transmit stamp and the answer", df, got)
			}
		}
	})
}

// TestNoLearningTooBig has what exceeds the interface be answered by this host.
func TestNoLearningTooBig(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		setMTU(t, "lo", 2000)
		cfg.NoLearning = true
		l := listen(t, cfg)
		for size, kind := range map[int]icmpx.Kind{2000: icmpx.KindEchoReply, 2001: icmpx.KindTooBig} {
			req := echo(l, loopback[cfg.Family], uint32(size))
			req.DF, req.Size = icmpx.DFProbe, size
			send(t, l, req)
			got := recvUntil(t, l, has(1, kind))
			if r := got[len(got)-1]; r.Key != req.Key || kind == icmpx.KindTooBig && r.MTU != 2000 {
				t.Errorf("%d bytes: got %+v", size, r)
			}
		}
	})
}

// TestNoLearningShares has a datagram link share its identifier with nobody else,
// and close what it opened.
func TestNoLearningShares(t *testing.T) {
	enterNamespace(t)
	before := len(socketNames(t))
	l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: icmpx.ModeDatagram, NoLearning: true})
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(l.ID())}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("another socket took the identifier: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n := len(socketNames(t)); n != before+1 {
		t.Errorf("%d sockets are open, %d were before", n, before+1)
	}
}

// TestNoLearningAlone has a datagram link that got no second socket send with one.
func TestNoLearningAlone(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.NoLearning, cfg.DF = true, icmpx.DFProbe
		l := listen(t, cfg)
		if cfg.Family != icmpx.IPv4 || l.Mode() != icmpx.ModeDatagram {
			return // it never is alone
		}
		if err := l.WithoutApart(cfg); err != nil {
			t.Fatal(err)
		}
		send(t, l, echo(l, loopback[cfg.Family], 1))
		recvUntil(t, l, has(1, icmpx.KindEchoReply))
		if mode, err := l.MTUMode(); err != nil || mode != unix.IP_PMTUDISC_PROBE {
			t.Errorf("path-MTU discovery mode %d, %v: the header says nothing of DF", mode, err)
		}
	})
}

func TestNoLearningOptions(t *testing.T) {
	cfg := icmpx.ICMPConfig{Family: icmpx.IPv4, NoLearning: true, Options: icmpx.RecordRoute()}
	if l, err := icmpx.ListenICMP(cfg); err == nil {
		t.Errorf("opened %v", l)
	}
}

// TestNoLearningPorts has ordinary sockets for UDP send and hear as others do.
func TestNoLearningPorts(t *testing.T) {
	for _, classic := range []bool{false, true} {
		t.Run(fmt.Sprintf("classic %v", classic), func(t *testing.T) {
			enterNamespace(t)
			before := len(socketNames(t))
			c := portCase{proto: icmpx.ProtoUDP, classic: classic, cfg: icmpx.PortConfig{Family: icmpx.IPv4, Mode: icmpx.ModeDatagram, NoLearning: true}}
			l := c.open(t)
			for n := range uint32(100) { // more than there are sockets
				dst := netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + n%3)})
				req := c.request(t, l, dst, closedPort, n)
				if req.DF = icmpx.DFProbe; n%7 == 6 {
					req.DF = icmpx.DFClear
				}
				sendOn(t, l, req)
				got := recvOn(t, l, has(1, icmpx.KindUnreachable))
				last := got[len(got)-1]
				if len(got) != 2 || last.Key != req.Key || last.From != dst || last.Dst != dst || got[0].Kind != icmpx.KindSent || got[0].Key != req.Key {
					t.Fatalf("probe %d: got %+v", n, got)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if n := len(socketNames(t)); n != before {
				t.Errorf("%d sockets are open, %d were before", n, before)
			}
		})
	}
}
