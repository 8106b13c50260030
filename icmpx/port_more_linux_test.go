package icmpx_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/sys/unix"
)

// TestTCPOpenPort probes a port that is open, with and without a payload.
func TestTCPOpenPort(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.proto != icmpx.ProtoTCPSYN {
			return
		}
		l := c.open(t)
		dst := loopback[c.cfg.Family]
		server, err := net.Listen("tcp", net.JoinHostPort(dst.String(), "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		port := uint16(server.Addr().(*net.TCPAddr).Port)
		for n := range uint32(20) {
			req := c.request(t, l, dst, port, n)
			if n%2 == 0 {
				req.Size = 0
			}
			sendOn(t, l, req)
			got := recvOn(t, l, has(1, icmpx.KindTCPOpen))
			if r := got[len(got)-1]; r.Key != req.Key || r.From != dst || r.Dst != dst || count(got, icmpx.KindTCPClosed) != 0 {
				t.Fatalf("got %+v, want an answer to %+v", got, req)
			}
		}
	})
}

// TestUDPAnswers has services answer: with the probe itself, with its first two
// bytes, and with nothing of it.
func TestUDPAnswers(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.proto != icmpx.ProtoUDP {
			return
		}
		dst := loopback[c.cfg.Family]
		for name, answer := range map[string]func([]byte) []byte{
			"echo":  func(b []byte) []byte { return b },
			"dns":   func(b []byte) []byte { return append(b[:2:2], 0x81, 0x84, 0, 0) },
			"plain": func([]byte) []byte { return []byte("go away") },
		} {
			l := c.open(t)
			server, err := net.ListenUDP("udp", &net.UDPAddr{IP: dst.AsSlice()})
			if err != nil {
				t.Fatal(err)
			}
			port := uint16(server.LocalAddr().(*net.UDPAddr).Port)
			var reqs []icmpx.Request
			for n := range uint32(10) {
				r := c.request(t, l, dst, port, n)
				if c.classic {
					r = c.request(t, l, dst, port, 0) // the next tags are other ports
				}
				reqs = append(reqs, r)
			}
			for i := range reqs {
				sendOn(t, l, reqs[i])
				serveOne(t, server, answer)
				got := recvOn(t, l, has(1, icmpx.KindUDPAnswer))
				r := got[len(got)-1]
				if r.Key != reqs[i].Key || r.From != dst || r.Dst != dst || r.Bytes != 8+len(r.Payload) || len(r.Payload) == 0 {
					t.Errorf("%s: got %+v, want an answer to %+v", name, r, reqs[i])
				}
			}
			server.Close()
			l.Close()
		}
	})
}

func serveOne(t *testing.T, server *net.UDPConn, answer func([]byte) []byte) {
	t.Helper()
	b := make([]byte, 1500)
	n, from, err := server.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WriteToUDPAddrPort(answer(b[:n]), from); err != nil {
		t.Fatal(err)
	}
}

// TestPortsTooBig has this host refuse packets that may not be fragmented, and
// fragment those that may.
func TestPortsTooBig(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.proto == icmpx.ProtoTCPSYN && c.once() {
			return // its packets have one size
		}
		setMTU(t, "lo", 1400)
		l := c.open(t)
		dst := loopback[c.cfg.Family]
		if mtu, err := l.MTUFor(dst); mtu != 1400 || err != nil {
			t.Errorf("MTUFor = %d, %v, want 1400", mtu, err)
		}
		n := uint32(0)
		for _, df := range []icmpx.DF{icmpx.DFSet, icmpx.DFProbe} {
			fits, over := c.request(t, l, dst, closedPort, n), c.request(t, l, dst, closedPort, n+1)
			n += 2
			fits.Size, fits.DF, over.Size, over.DF = 1400, df, 1401, df
			got := make(chan []icmpx.Reply)
			go func() { got <- recvOn(t, l, has(1, icmpx.KindTooBig)) }()
			sendOn(t, l, fits, over)
			answers := <-got
			r := answers[len(answers)-1]
			if r.Key != over.Key || r.Dst != dst || r.MTU != 1400 || r.From != dst || r.At.IsZero() {
				t.Errorf("mode %d: got %+v, want MTU 1400", df, r)
			}
			for _, r := range queued(t, l) {
				if r.Kind == icmpx.KindTooBig || r.Key == over.Key {
					t.Errorf("a second answer: %+v", r)
				}
			}
		}
		for _, df := range []icmpx.DF{icmpx.DFSystem, icmpx.DFClear} {
			big := c.request(t, l, dst, closedPort, n)
			n++
			big.Size, big.DF = 3001, df
			sendOn(t, l, big)
			got := recvOn(t, l, has(1, c.closed()))
			if r := got[len(got)-1]; r.Key != big.Key {
				t.Errorf("mode %d: got %+v, want an answer to %+v", df, r, big)
			}
			if c.proto == icmpx.ProtoUDP && (len(got) < 2 || got[0].Kind != icmpx.KindSent || got[0].Key != big.Key) {
				t.Errorf("mode %d: got %+v, want a transmit stamp first", df, got)
			}
		}
	})
}

// TestPortSendErrors has sends fail, by the request or by the route, and sees
// that each is told, and hurts no other.
func TestPortSendErrors(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		dst, nowhere, barred := loopback[c.cfg.Family], netip.MustParseAddr("192.0.2.1"), netip.MustParsePrefix("198.51.100.0/24")
		if c.cfg.Family == icmpx.IPv6 {
			nowhere, barred = netip.MustParseAddr("2001:db8::1"), netip.MustParsePrefix("2001:db8:1::/64")
		}
		addRoute(t, barred, unix.RTN_UNREACHABLE, "", 0)
		l := c.open(t)
		good := c.request(t, l, dst, closedPort, 0)
		lost, refused, small, zone := good, good, good, good
		lost.Dst, refused.Dst, small.Size = nowhere, barred.Addr().Next(), c.cfg.Family.HeaderLen()+7
		zone.Dst = netip.MustParseAddr("fe80::1%nosuch0")
		other := good
		other.Proto = icmpx.ProtoEcho
		for _, tt := range []struct {
			bad  icmpx.Request
			want error
		}{{lost, unix.ENETUNREACH}, {refused, unix.EHOSTUNREACH}, {small, unix.EINVAL}, {other, unix.EINVAL}, {zone, nil}} {
			if tt.bad.Size == small.Size && c.proto == icmpx.ProtoTCPSYN && c.once() {
				continue
			}
			n, err := l.Send([]icmpx.Request{good, tt.bad, good})
			if n != 1 || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Send of %+v = %d, %v, want 1, %v", tt.bad, n, err, tt.want)
			}
			got := queued(t, l)
			if count(got, c.closed()) != 1 {
				t.Errorf("got %+v, want one answer", got)
			}
		}
	})
}

// TestPortPendingErrors has each probe's error wait on the socket when the next
// one is sent: none is taken for a failure to send.
func TestPortPendingErrors(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		l := c.open(t)
		for n := range uint32(64) {
			sendOn(t, l, c.request(t, l, loopback[c.cfg.Family], closedPort, n))
		}
		if got := count(queued(t, l), c.closed()); got != 64 {
			t.Errorf("%d answers, want 64", got)
		}
	})
}

// TestPortStampsWithoutNumbers is about kernels before 6.13.
func TestPortStampsWithoutNumbers(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.proto == icmpx.ProtoTCPSYN && c.once() {
			return // it has none
		}
		c.unstamps = true
		l := c.open(t)
		dst := loopback[c.cfg.Family]
		for n := range uint32(5) {
			req := c.request(t, l, dst, closedPort, n)
			sendOn(t, l, req)
			got := recvOn(t, l, has(1, c.closed()))
			if len(got) != 2 || got[0].Kind != icmpx.KindSent || got[0].Key != req.Key || got[0].Dst != dst || got[0].Stamp != icmpx.StampKernel {
				t.Errorf("got %+v, want a transmit stamp of %v first", got, req.Key)
			}
		}
	})
}

// TestPortPaths has each path have a source port, and keys, of its own.
func TestPortPaths(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.once() {
			return
		}
		c.cfg.Paths = 3
		l := c.open(t)
		if ports := l.SourcePorts(); len(ports) != 3 || ports[0] != sourcePort || ports[1] != sourcePort+1 || ports[2] != sourcePort+2 {
			t.Fatalf("source ports %v", ports)
		}
		dst := loopback[c.cfg.Family]
		keys := map[icmpx.Key]bool{}
		for path := range uint16(3) {
			r := c.request(t, l, dst, closedPort, 0)
			r.Path = path
			space, ok := l.Keys(&r)
			if r.Key.Flow = space.Flow; !ok || keys[r.Key] {
				t.Fatalf("path %d: flow %#x, %v", path, space.Flow, ok)
			}
			keys[r.Key] = true
			sendOn(t, l, r)
			got := recvOn(t, l, has(1, c.closed()))
			if last := got[len(got)-1]; last.Key != r.Key || last.Kind.Quotes() && last.Quote.SrcPort != sourcePort+path && c.cfg.Mode == icmpx.ModeRaw {
				t.Errorf("path %d: got %+v", path, last)
			}
		}
		r := c.request(t, l, dst, closedPort, 0)
		r.Path = 3
		if _, ok := l.Keys(&r); ok {
			t.Error("Keys takes a path that there is none of")
		}
		if n, err := l.Send([]icmpx.Request{r}); n != 0 || !errors.Is(err, unix.EINVAL) {
			t.Errorf("Send on a path that there is none of = %d, %v", n, err)
		}
		if _, err := (c).listen(); !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), "source port 30000") {
			t.Errorf("a second link with the same ports: %v", err)
		}
	})
}

// TestPortConfig has what can be set be seen in what comes back.
func TestPortConfig(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		src := netip.MustParseAddr("127.0.0.5")
		if c.cfg.Family == icmpx.IPv6 {
			src = netip.MustParseAddr("2001:db8::5")
			addAddress(t, "lo", netip.PrefixFrom(src, 64))
		}
		c.cfg.Source, c.cfg.Interface, c.cfg.Mark = src, "lo", 7
		c.cfg.TTL, c.cfg.TOS, c.cfg.DF = 9, 0x40, icmpx.DFProbe
		c.cfg.SendBuffer, c.cfg.RecvBuffer = 1<<16, 1<<16
		l := c.open(t)
		if l.LocalAddr() != src || l.Mode() != c.cfg.Mode || l.Family() != c.cfg.Family || l.String() == "" {
			t.Errorf("link is %v from %v", l, l.LocalAddr())
		}
		if got, err := l.SourceFor(loopback[c.cfg.Family]); got != src || err != nil {
			t.Errorf("SourceFor = %v, %v, want %v", got, err, src)
		}
		req := c.request(t, l, loopback[c.cfg.Family], closedPort, 0)
		sendOn(t, l, req)
		got := recvOn(t, l, has(1, c.closed()))
		r := got[len(got)-1]
		if r.Key != req.Key || !c.once() && r.To != src {
			t.Errorf("got %+v, want an answer to %v at %v", r, req.Key, src)
		}
		if q := r.Quote; q.Family != 0 && (q.TTL != 9 || q.TOS != 0x40 || q.Src != src || c.cfg.Family == icmpx.IPv4 && !q.DF) {
			t.Errorf("quote %+v", q)
		}
	})
}

func TestListenPortErrors(t *testing.T) {
	v4, v6 := icmpx.PortConfig{Family: icmpx.IPv4}, icmpx.PortConfig{Family: icmpx.IPv6}
	with := func(c icmpx.PortConfig, set func(*icmpx.PortConfig)) icmpx.PortConfig {
		set(&c)
		return c
	}
	gateways := func(n int) (list []netip.Addr) {
		for range n {
			list = append(list, netip.MustParseAddr("192.0.2.1"))
		}
		return list
	}
	for _, tt := range []struct {
		name string
		cfg  icmpx.PortConfig
		want error
		text string
	}{
		{"no family", icmpx.PortConfig{}, nil, "family"},
		{"unknown mode", with(v4, func(c *icmpx.PortConfig) { c.Mode = 9 }), nil, "mode"},
		{"unknown DF", with(v4, func(c *icmpx.PortConfig) { c.DF = 9 }), nil, "path-MTU"},
		{"TOS", with(v4, func(c *icmpx.PortConfig) { c.TOS = 256 }), nil, "256"},
		{"buffer", with(v4, func(c *icmpx.PortConfig) { c.RecvBuffer = -1 }), nil, "buffer"},
		{"foreign source", with(v4, func(c *icmpx.PortConfig) { c.Source = netip.MustParseAddr("192.0.2.1") }), unix.EADDRNOTAVAIL, "192.0.2.1"},
		{"foreign source", with(v6, func(c *icmpx.PortConfig) { c.Source = netip.MustParseAddr("2001:db8::1") }), unix.EADDRNOTAVAIL, "2001:db8::1"},
		{"multicast source", with(v4, func(c *icmpx.PortConfig) { c.Source = netip.MustParseAddr("224.0.0.1") }), nil, "224.0.0.1"},
		{"other family's source", with(v6, func(c *icmpx.PortConfig) { c.Source = netip.MustParseAddr("127.0.0.1") }), nil, "127.0.0.1"},
		{"unknown zone", with(v6, func(c *icmpx.PortConfig) { c.Source = netip.MustParseAddr("fe80::1%nosuch0") }), unix.ENODEV, "nosuch0"},
		{"unknown interface", with(v4, func(c *icmpx.PortConfig) { c.Interface = "nosuch0" }), unix.ENODEV, "nosuch0"},
		{"paths", with(v4, func(c *icmpx.PortConfig) { c.Paths = 65 }), nil, "65 paths"},
		{"ports", with(v4, func(c *icmpx.PortConfig) { c.Paths, c.SourcePort = 2, 65535 }), nil, "65535"},
		{"gateways of IPv6", with(v6, func(c *icmpx.PortConfig) { c.Gateways = gateways(1) }), errors.ErrUnsupported, "RFC 5095"},
		{"gateways", with(v4, func(c *icmpx.PortConfig) { c.Gateways = gateways(9) }), nil, "9 gateways"},
		{"gateway", with(v4, func(c *icmpx.PortConfig) { c.Gateways = []netip.Addr{netip.MustParseAddr("224.0.0.1")} }), nil, "224.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			enterNamespace(t)
			for _, c := range []portCase{
				{proto: icmpx.ProtoUDP}, {proto: icmpx.ProtoTCPSYN}, {proto: icmpx.ProtoUDP, classic: true},
			} {
				for _, mode := range []icmpx.Mode{icmpx.ModeRaw, icmpx.ModeDatagram} {
					c.cfg = tt.cfg
					c.cfg.Mode = max(c.cfg.Mode, mode)
					before := len(socketNames(t))
					l, err := c.listen()
					if err == nil {
						l.Close()
						t.Fatal("no error")
					}
					if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
						t.Errorf("got %v, want %v that names %s", err, tt.want, tt.text)
					}
					if after := len(socketNames(t)); after != before {
						t.Errorf("%d sockets open, were %d", after, before)
					}
				}
			}
		})
	}
}

// TestPortPrivileges is about a process that may not open raw sockets.
func TestPortPrivileges(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		becomeOrdinary(t)
		if c.cfg.Mode == icmpx.ModeRaw {
			if _, err := c.listen(); !errors.Is(err, unix.EPERM) {
				t.Errorf("raw sockets without privileges: %v", err)
			}
			c.cfg.Mode = icmpx.ModeAuto
		}
		if !c.classic {
			c.cfg.SourcePort = sourcePort
			if _, err := c.listen(); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "port 30000") {
				t.Errorf("a source port for sockets of one probe each: %v", err)
			}
			c.cfg.SourcePort = 0
		}
		l := c.open(t)
		if l.Mode() != icmpx.ModeDatagram {
			t.Errorf("mode %v", l.Mode())
		}
		sendOn(t, l, c.request(t, l, loopback[c.cfg.Family], closedPort, 0))
		recvOn(t, l, has(1, c.closed()))
	})
}

// TestPortsDoNotAllocate is about those that are meant for many packets.
func TestPortsDoNotAllocate(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.once() {
			return
		}
		l := c.open(t)
		const batch = 8
		reqs, replies := make([]icmpx.Request, batch), make([]icmpx.Reply, 4*batch)
		for i := range reqs {
			reqs[i] = c.request(t, l, loopback[c.cfg.Family], closedPort, uint32(i))
			reqs[i].TTL, reqs[i].TOS = 64, 0
		}
		answered := 0
		round := func() {
			if n, err := l.Send(reqs); n != batch || err != nil {
				t.Fatalf("Send = %d, %v", n, err)
			}
			for got := 0; got < batch; {
				n, err := l.Recv(replies)
				if err != nil {
					t.Fatal(err)
				}
				got += count(replies[:n], c.closed())
				answered += n
			}
		}
		round()
		if allocs := testing.AllocsPerRun(100, round); allocs != 0 || answered < 100*batch {
			t.Errorf("%v allocations for %d packets, %d received", allocs, batch, answered)
		}
	})
}

// TestPortLinkLocal has the zone of a link-local address go out and come back.
func TestPortLinkLocal(t *testing.T) {
	eachPort(t, func(t *testing.T, c portCase) {
		if c.cfg.Family != icmpx.IPv6 {
			return
		}
		addAddress(t, "lo", netip.MustParsePrefix("fe80::1/64"))
		l := c.open(t)
		dst := netip.MustParseAddr("fe80::1%lo")
		req := c.request(t, l, dst, closedPort, 0)
		sendOn(t, l, req)
		got := recvOn(t, l, has(1, c.closed()))
		r := got[len(got)-1]
		if r.From != dst || r.Dst.WithZone("") != dst.WithZone("") || r.Key != req.Key {
			t.Errorf("got %+v, want an answer from %v", r, dst)
		}
		if got[0].Dst.WithZone("") != dst.WithZone("") {
			t.Errorf("got %+v, want %v", got[0], dst)
		}
	})
}

// TestConstantChecksum has requests differ in nothing that routers look at, and
// replies come back with their payload as the request says.
func TestConstantChecksum(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.ConstantChecksum = true
		l := listen(t, cfg)
		for _, size := range []int{0, 9, 10, 56, 57} {
			for _, pattern := range [][]byte{nil, {0xab, 0xcd, 0xef}} {
				want := make([]byte, size)
				for tag := uint32(1); tag <= 5; tag++ {
					req := echo(l, loopback[cfg.Family], tag)
					req.Size, req.Pattern, req.Path = cfg.Family.HeaderLen()+8+size, pattern, uint16(tag%2)
					icmpx.FillPayload(want, req.Token, pattern)
					send(t, l, req)
					got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
					if r := got[len(got)-1]; r.Key != req.Key || string(r.Payload) != string(want) {
						t.Errorf("payload % x of %v, want % x of %v", r.Payload, r.Key, want, req.Key)
					}
				}
			}
		}
		own, path := echo(l, loopback[cfg.Family], 1), echo(l, loopback[cfg.Family], 1)
		own.Payload, path.Path = []byte("mine"), 64
		for _, r := range []icmpx.Request{own, path} {
			if n, err := l.Send([]icmpx.Request{r}); n != 0 || !errors.Is(err, unix.EINVAL) {
				t.Errorf("Send of %+v = %d, %v", r, n, err)
			}
		}
	})
}
