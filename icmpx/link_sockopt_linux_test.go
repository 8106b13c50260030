package icmpx_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/sys/unix"
)

// routeOf returns the addresses that a record route option holds.
func routeOf(t *testing.T, options []byte) []netip.Addr {
	t.Helper()
	opts, err := icmpx.ParseIPv4Options(options)
	if err != nil {
		t.Fatalf("options % x: %v", options, err)
	}
	for _, o := range opts {
		if r, err := o.Route(); err == nil {
			return r.Addrs
		}
	}
	t.Fatalf("no record route in % x", options)
	return nil
}

// eachIPv4Socket is eachSocket for IPv4 alone.
func eachIPv4Socket(t *testing.T, f func(t *testing.T, cfg icmpx.ICMPConfig)) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		if cfg.Family == icmpx.IPv4 {
			f(t, cfg)
		}
	})
}

// TestOptions pings with options, as an ordinary user where that is possible.
func TestOptions(t *testing.T) {
	eachIPv4Socket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		if cfg.Mode == icmpx.ModeDatagram {
			becomeOrdinary(t)
		}
		cfg.Options = icmpx.RecordRoute()
		l := listen(t, cfg)
		dst := loopback[cfg.Family]
		send(t, l, echo(l, dst, 1))
		got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		// Each of the two packets is recorded as it leaves and as it arrives,
		// the request's target also as it answers.
		if route := routeOf(t, got[len(got)-1].Options); len(route) < 3 || slices.ContainsFunc(route, func(a netip.Addr) bool { return a != dst }) {
			t.Errorf("recorded %v", route)
		}
	})
}

func TestNoOptions(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		send(t, l, echo(l, loopback[cfg.Family], 1))
		for _, r := range recvUntil(t, l, has(1, icmpx.KindEchoReply)) {
			if len(r.Options) != 0 {
				t.Errorf("got options % x", r.Options)
			}
		}
		if got := l.MaxPayload(); got != cfg.Family.MaxPayload() {
			t.Errorf("payload up to %d, want %d", got, cfg.Family.MaxPayload())
		}
	})
}

// TestOptionsTakeRoom sends what just fits beside options, and one byte more.
func TestOptionsTakeRoom(t *testing.T) {
	eachIPv4Socket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.Options = icmpx.RecordRoute()[:37] // the kernel fills up to 40
		cfg.Options[2] = 36
		l := listen(t, cfg)
		if got := l.MaxPayload(); got != 65507-40 {
			t.Fatalf("payload up to %d, want %d", got, 65507-40)
		}
		warm(t, l)
		req := echo(l, loopback[cfg.Family], 1)
		req.Size, req.DF = 28+l.MaxPayload(), icmpx.DFClear
		send(t, l, req)
		got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		if r := got[len(got)-1]; len(r.Payload) != l.MaxPayload() {
			t.Errorf("answer has %d bytes of payload, want %d", len(r.Payload), l.MaxPayload())
		}
		req.Size++
		if n, err := l.Send([]icmpx.Request{req}); n != 0 || !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("Send = %d, %v, want EMSGSIZE", n, err)
		}

		setMTU(t, "lo", 1400)
		fits, over := echo(l, req.Dst, 2), echo(l, req.Dst, 3)
		fits.Size, over.Size = 1360, 1361
		fits.DF, over.DF = icmpx.DFProbe, icmpx.DFProbe
		send(t, l, over, fits)
		for _, r := range recvUntil(t, l, func(got []icmpx.Reply) bool {
			return count(got, icmpx.KindEchoReply) == 1 && count(got, icmpx.KindTooBig) == 1
		}) {
			switch {
			case r.Kind == icmpx.KindEchoReply && r.Key != fits.Key,
				r.Kind == icmpx.KindTooBig && (r.Key != over.Key || r.MTU != 1400):
				t.Errorf("got %+v", r)
			}
		}
	})
}

// TestErrorAboutOptions has a router from before RFC 4884 put its extensions
// behind a quote with options.
func TestErrorAboutOptions(t *testing.T) {
	eachIPv4Socket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.Options = icmpx.RecordRoute()
		l := listen(t, cfg)
		dst := loopback[cfg.Family]
		quote := quoted(l, dst, 5, 0)
		header := append(slices.Clone(quote[:20]), cfg.Options...)
		header[0], header[10], header[11] = 0x4f, 0, 0
		binary.BigEndian.PutUint16(header[2:], uint16(len(header)+64))
		binary.BigEndian.PutUint16(header[10:], icmpx.Checksum(header))
		quote = append(append(header, quote[20:]...), make([]byte, 128)...)[:128]
		provokeMessage(t, l, append(append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, quote...), mplsExt()...), router4, dst)
		got := recvUntil(t, l, has(1, icmpx.KindTimeExceeded))[0]
		if got.Key.Tag != 5 || len(got.Quote.Payload) != 60 && len(got.Quote.Payload) != 56 {
			t.Errorf("about %v, quoted payload of %d bytes", got.Key, len(got.Quote.Payload))
		}
		if exts, err := icmpx.ParseExtensions(got.Ext); err != nil || len(exts) != 1 {
			t.Errorf("extensions % x: %v, %v", got.Ext, exts, err)
		}
	})
}

func TestUserStamps(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		warm(t, listen(t, cfg)) // the kernel is taking times for somebody
		cfg.UserStamps = true
		l := listen(t, cfg)
		for tag := range uint32(20) {
			req := send(t, l, echo(l, loopback[cfg.Family], 1+tag))[0]
			for _, r := range recvUntil(t, l, has(1, icmpx.KindEchoReply)) {
				if r.Kind != icmpx.KindEchoReply || r.Stamp != icmpx.StampUser || r.At.Before(req.Sent) || !r.At.Equal(r.Read) {
					t.Errorf("got %+v, want an answer that this process has timed", r)
				}
			}
		}
	})
}

func TestZeroID(t *testing.T) {
	for f, dst := range loopback {
		t.Run(f.String(), func(t *testing.T) {
			enterNamespace(t)
			l := listen(t, icmpx.ICMPConfig{Family: f, ZeroID: true})
			if l.ID() != 0 || l.Mode() != icmpx.ModeRaw {
				t.Errorf("link is %v", l)
			}
			req := echo(l, dst, 3)
			send(t, l, req)
			got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
			if r := got[len(got)-1]; r.Key != req.Key {
				t.Errorf("got %+v, want an answer to %v", r, req.Key)
			}
			becomeOrdinary(t)
			_, err := icmpx.ListenICMP(icmpx.ICMPConfig{Family: f, ZeroID: true})
			var e *icmpx.PrivilegeError
			if !errors.As(err, &e) || e.Raw == nil || e.Datagram != nil {
				t.Errorf("without privilege: %v, want that raw sockets are not permitted", err)
			}
		})
	}
}

// TestDebug needs CAP_NET_ADMIN of the machine: being root of a user namespace
// is not enough.
func TestDebug(t *testing.T) {
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	machine := strings.Join(strings.Fields(string(b)), " ") == "0 0 4294967295"
	for _, ordinary := range []bool{false, true} {
		eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
			cfg.Debug = true
			if ordinary {
				cfg.Mode = icmpx.ModeDatagram
				becomeOrdinary(t)
			}
			l, err := icmpx.ListenICMP(cfg)
			if err == nil {
				defer l.Close()
			}
			if !machine || ordinary {
				if !errors.Is(err, unix.EACCES) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
					t.Errorf("got %v, want that CAP_NET_ADMIN is missing", err)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestConnect sees what only the peer may send, and errors of anybody, once.
func TestConnect(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		dst := loopback[cfg.Family]
		other := netip.MustParseAddr("127.0.0.3")
		unreachable := icmpError{typ: 3, code: 1}
		if cfg.Family == icmpx.IPv6 {
			other = netip.MustParseAddr("2001:db8::3")
			addAddress(t, "lo", netip.PrefixFrom(other, 64))
			unreachable = icmpError{typ: 1, code: 3}
		}
		cfg.Connect = dst
		l := listen(t, cfg)
		warm(t, l)
		req, stray := echo(l, dst, 1), echo(l, other, 1)
		if _, ok := l.Keys(&req); !ok {
			t.Error("Keys has none for the peer")
		}
		if _, ok := l.Keys(&stray); ok {
			t.Error("Keys has some for another destination")
		}
		if n, err := l.Send([]icmpx.Request{req, stray}); n != 1 || err == nil {
			t.Errorf("Send to another destination = %d, %v", n, err)
		}
		const errs = 5
		for i := range errs {
			provoke(t, l, unreachable, dst, uint16(100+i)) // in IPv6 by the peer itself
			send(t, l, echo(l, dst, uint32(2+i)))
		}
		got := recvUntil(t, l, func(got []icmpx.Reply) bool {
			return count(got, icmpx.KindEchoReply) == 1+errs && count(got, icmpx.KindUnreachable) >= errs
		})
		got = append(got, drain(t, l)...)
		if n := count(got, icmpx.KindUnreachable); n != errs {
			t.Errorf("%d errors, want %d", n, errs)
		}
		for _, r := range got {
			if r.Kind == icmpx.KindUnreachable && (r.Key.Tag < 100 || r.Dst != dst || r.From != routerOf(cfg.Family)) {
				t.Errorf("got %+v", r)
			}
		}
	})
}

// TestConnectErrors sees the errors that a raw socket gets as packets alone,
// and only from its peer, and those that the error queue has as well.
func TestConnectErrors(t *testing.T) {
	enterNamespace(t)
	l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: icmpx.ModeRaw})
	peer := loopback[icmpx.IPv4]
	if err := l.Connect(peer); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		err  icmpError
		want icmpx.Kind
	}{
		{icmpError{typ: 3, code: 1}, icmpx.KindUnreachable},
		{icmpError{typ: 3, code: 16}, icmpx.KindUnreachable}, // the kernel knows no such code
		{icmpError{typ: 3, code: 4, word: 1300}, icmpx.KindTooBig},
		{icmpError{typ: 4}, icmpx.KindSourceQuench},
		{icmpError{typ: 5, code: 1, word: 0xc0000201}, icmpx.KindRedirect},
		{icmpError{typ: 11}, icmpx.KindTimeExceeded},
		{icmpError{typ: 11, code: 1}, icmpx.KindTimeExceeded},
		{icmpError{typ: 12, word: 9 << 24}, icmpx.KindParamProblem},
	}
	for i, tt := range tests {
		provokeFrom(t, l, tt.err, peer, peer, uint16(i))
		got := append(recvUntil(t, l, has(1, tt.want)), drain(t, l)...)
		if len(got) != 1 || got[0].Code != tt.err.code || got[0].From != peer || got[0].Key.Tag != tagAt(i) {
			t.Errorf("%+v: got %+v, want one answer", tt.err, got)
		}
	}
}

// tagAt is the tag of sequence number i.
func tagAt(i int) uint32 {
	if i == 0 {
		return 65536
	}
	return uint32(i)
}

// TestFixSource takes the source address away from a link that may not use
// another.
func TestFixSource(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		dst, prefix := netip.MustParseAddr("192.0.2.1"), 24
		if cfg.Family == icmpx.IPv6 {
			dst, prefix = netip.MustParseAddr("2001:db8::1"), 64
		}
		addAddress(t, "lo", netip.PrefixFrom(dst, prefix))
		free := listen(t, cfg)
		cfg.FixSource = true
		fixed := listen(t, cfg)
		for _, l := range []*icmpx.ICMPLink{free, fixed} {
			send(t, l, echo(l, dst, 1))
			got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
			if r := got[len(got)-1]; r.To != dst {
				t.Errorf("source was %v, want %v", r.To, dst)
			}
		}
		deleteAddress(t, "lo", netip.PrefixFrom(dst, prefix))
		addRoute(t, netip.PrefixFrom(dst, prefix).Masked(), unix.RTN_UNICAST, "lo", 0)
		send(t, free, echo(free, dst, 2))
		if n, err := fixed.Send([]icmpx.Request{echo(fixed, dst, 2)}); n != 0 || err == nil {
			t.Errorf("Send without the address = %d, %v", n, err)
		}
		unroutable := netip.MustParseAddr("198.51.100.1")
		if cfg.Family == icmpx.IPv6 {
			unroutable = netip.MustParseAddr("2001:db9::1")
		}
		if n, err := fixed.Send([]icmpx.Request{echo(fixed, unroutable, 1)}); n != 0 || !errors.Is(err, unix.ENETUNREACH) {
			t.Errorf("Send without a route = %d, %v, want ENETUNREACH", n, err)
		}
	})
}

// TestAllOptionsDoNotAllocate sends with all that costs work for each packet.
func TestAllOptionsDoNotAllocate(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.FixSource, cfg.Connect = true, loopback[cfg.Family]
		if cfg.Family == icmpx.IPv6 {
			cfg.FlowLabel = 0xabcde
		} else {
			cfg.Options = icmpx.RecordRoute()
		}
		l := listen(t, cfg)
		warm(t, l)
		reqs, replies := []icmpx.Request{echo(l, cfg.Connect, 1)}, make([]icmpx.Reply, 2)
		reqs[0].TTL, reqs[0].TOS = 64, 0
		allocs := testing.AllocsPerRun(100, func() {
			if n, err := l.Send(reqs); n != 1 || err != nil {
				t.Fatalf("Send = %d, %v", n, err)
			}
			for got := 0; got < 2; {
				n, err := l.Recv(replies)
				if err != nil {
					t.Fatal(err)
				}
				got += n
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations for a packet", allocs)
		}
	})
}
