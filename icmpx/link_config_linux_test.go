package icmpx_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/sys/unix"
)

func TestListenErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  icmpx.ICMPConfig
		want error
		text string
	}{
		{"foreign source", icmpx.ICMPConfig{Family: icmpx.IPv4, Source: netip.MustParseAddr("192.0.2.1")}, unix.EADDRNOTAVAIL, "192.0.2.1"},
		{"foreign source", icmpx.ICMPConfig{Family: icmpx.IPv6, Source: netip.MustParseAddr("2001:db8::1")}, unix.EADDRNOTAVAIL, "2001:db8::1"},
		{"foreign source", icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: icmpx.ModeDatagram, Source: netip.MustParseAddr("192.0.2.1")}, unix.EADDRNOTAVAIL, "192.0.2.1"},
		{"multicast source", icmpx.ICMPConfig{Family: icmpx.IPv4, Source: netip.MustParseAddr("224.0.0.1")}, unix.EADDRNOTAVAIL, "224.0.0.1"},
		{"other family's source", icmpx.ICMPConfig{Family: icmpx.IPv6, Source: netip.MustParseAddr("127.0.0.1")}, nil, "127.0.0.1"},
		{"unknown interface", icmpx.ICMPConfig{Family: icmpx.IPv4, Interface: "nosuch0"}, unix.ENODEV, `"nosuch0"`},
		{"unknown interface", icmpx.ICMPConfig{Family: icmpx.IPv6, Mode: icmpx.ModeDatagram, Interface: "nosuch0"}, unix.ENODEV, `"nosuch0"`},
		{"too long an interface", icmpx.ICMPConfig{Family: icmpx.IPv4, Interface: strings.Repeat("x", 40)}, unix.ENODEV, "xxx"},
		{"unknown zone", icmpx.ICMPConfig{Family: icmpx.IPv6, Source: netip.MustParseAddr("fe80::1%nosuch0")}, unix.ENODEV, "nosuch0"},
		{"no family", icmpx.ICMPConfig{}, nil, "family"},
		{"unknown mode", icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: 9}, nil, "mode"},
		{"unknown DF", icmpx.ICMPConfig{Family: icmpx.IPv4, DF: 9}, nil, "path-MTU"},
		{"TOS", icmpx.ICMPConfig{Family: icmpx.IPv4, TOS: 256}, nil, "256"},
		{"flow label", icmpx.ICMPConfig{Family: icmpx.IPv6, FlowLabel: 1 << 20}, nil, "flow label 0x100000"},
		{"IPv4 flow label", icmpx.ICMPConfig{Family: icmpx.IPv4, FlowLabel: 1}, nil, "IPv6"},
		{"IPv6 options", icmpx.ICMPConfig{Family: icmpx.IPv6, Options: icmpx.RecordRoute()}, nil, "IPv4"},
		{"long options", icmpx.ICMPConfig{Family: icmpx.IPv4, Options: make([]byte, 41)}, icmpx.ErrLength, "IPv4 options"},
		{"broken options", icmpx.ICMPConfig{Family: icmpx.IPv4, Options: []byte{7, 9, 4}}, icmpx.ErrLength, "IPv4 option at byte 0"},
		{"options that the kernel refuses", icmpx.ICMPConfig{Family: icmpx.IPv4, Options: []byte{7, 7, 3, 0, 0, 0, 0}}, unix.EINVAL, "set IP options"},
		{"identifier 0 and 7", icmpx.ICMPConfig{Family: icmpx.IPv4, ID: 7, ZeroID: true}, nil, "identifier 0"},
		{"identifier 0 of a datagram socket", icmpx.ICMPConfig{Family: icmpx.IPv4, ZeroID: true, Mode: icmpx.ModeDatagram}, nil, "identifier 0"},
		{"connect to the other family", icmpx.ICMPConfig{Family: icmpx.IPv6, Connect: netip.MustParseAddr("127.0.0.1")}, nil, "127.0.0.1"},
		{"connect without a route", icmpx.ICMPConfig{Family: icmpx.IPv4, Connect: netip.MustParseAddr("192.0.2.1")}, unix.ENETUNREACH, "connect to 192.0.2.1"},
		{"connect to an unknown zone", icmpx.ICMPConfig{Family: icmpx.IPv6, Connect: netip.MustParseAddr("fe80::1%nosuch0")}, unix.ENODEV, "nosuch0"},
		{"buffer", icmpx.ICMPConfig{Family: icmpx.IPv4, RecvBuffer: -1}, nil, "buffer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			enterNamespace(t)
			before := len(socketNames(t))
			l, err := icmpx.ListenICMP(tt.cfg)
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
		})
	}
}

// TestConfig has all that can be set be seen in what comes back.
func TestConfig(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		src := netip.MustParseAddr("127.0.0.5")
		if cfg.Family == icmpx.IPv6 {
			src = netip.MustParseAddr("2001:db8::5")
			addAddress(t, "lo", netip.PrefixFrom(src, 64))
		}
		cfg.Source, cfg.Interface, cfg.Mark, cfg.ID = src, "lo", 7, 0xabcd
		cfg.TTL, cfg.TOS, cfg.DF = 9, 0x40, icmpx.DFProbe
		cfg.SendBuffer, cfg.RecvBuffer, cfg.Broadcast = 1<<16, 1<<16, true
		l := listen(t, cfg)
		if l.ID() != 0xabcd || l.LocalAddr() != src {
			t.Errorf("link has id %#x and source %v", l.ID(), l.LocalAddr())
		}
		dst := loopback[cfg.Family]
		if got, err := l.SourceFor(dst); got != src || err != nil {
			t.Errorf("SourceFor = %v, %v, want %v", got, err, src)
		}
		send(t, l, echo(l, dst, 1))
		rs := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		r := rs[len(rs)-1]
		if r.From != dst || r.To != src || r.TOS != 0x40 { // the kernel answers with the request's TOS
			t.Errorf("got %+v", r)
		}
	})
}

// TestInterface ties a link to an interface and leaves the rest to the kernel.
func TestInterface(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		cfg.Interface = "lo"
		l := listen(t, cfg)
		if l.LocalAddr().IsValid() {
			t.Errorf("source is %v", l.LocalAddr())
		}
		send(t, l, echo(l, loopback[cfg.Family], 1))
		recvUntil(t, l, has(1, icmpx.KindEchoReply))
	})
}

func TestKeys(t *testing.T) {
	four, six := loopback[icmpx.IPv4], loopback[icmpx.IPv6]
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		own, other := four, six
		if cfg.Family == icmpx.IPv6 {
			own, other = six, four
		}
		raw4 := cfg.Family == icmpx.IPv4 && cfg.Mode == icmpx.ModeRaw
		for _, tt := range []struct {
			proto icmpx.Proto
			dst   netip.Addr
			last  uint32
			want  bool
		}{
			{icmpx.ProtoEcho, own, 65536, true},
			{icmpx.ProtoEcho, other, 0, false},
			{icmpx.ProtoEcho, netip.Addr{}, 0, false},
			{icmpx.ProtoExtEcho, own, 256, true},
			{icmpx.ProtoTimestamp, own, 65536, raw4},
			{icmpx.ProtoInformation, own, 65536, raw4},
			{icmpx.ProtoMask, own, 65536, raw4},
			{icmpx.ProtoUDP, own, 0, false},
			{icmpx.ProtoTCPSYN, own, 0, false},
		} {
			got, ok := l.Keys(&icmpx.Request{Proto: tt.proto, Dst: tt.dst})
			want := icmpx.KeySpace{Flow: uint32(l.ID()), First: 1, Last: tt.last}
			if ok != tt.want || ok && got != want {
				t.Errorf("Keys of %d to %v = %+v, %v, want %+v, %v", tt.proto, tt.dst, got, ok, want, tt.want)
			}
		}
	})
}

// rawBody is a query's message body as bytes.
type rawBody []byte

func (b rawBody) Len(int) int                 { return len(b) }
func (b rawBody) Marshal(int) ([]byte, error) { return b, nil }

// TestQueries sends what is not an echo.
func TestQueries(t *testing.T) {
	extended := rawBody{0, 0, 0, 1, 0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 1} // is interface 1 there?
	for _, tt := range []struct {
		f     icmpx.Family
		mode  icmpx.Mode
		proto icmpx.Proto
		body  rawBody
		tag   uint32
		want  icmpx.Kind
	}{
		{icmpx.IPv4, icmpx.ModeRaw, icmpx.ProtoTimestamp, make(rawBody, 16), 65536, icmpx.KindTimestampReply},
		{icmpx.IPv4, icmpx.ModeRaw, icmpx.ProtoExtEcho, extended, 256, icmpx.KindExtEchoReply},
		{icmpx.IPv4, icmpx.ModeDatagram, icmpx.ProtoExtEcho, extended, 3, icmpx.KindExtEchoReply},
		{icmpx.IPv6, icmpx.ModeRaw, icmpx.ProtoExtEcho, extended, 256, icmpx.KindExtEchoReply},
		{icmpx.IPv6, icmpx.ModeDatagram, icmpx.ProtoExtEcho, extended, 3, icmpx.KindExtEchoReply},
	} {
		t.Run(fmt.Sprintf("%v %v %v", tt.f, tt.mode, tt.want), func(t *testing.T) {
			enterNamespace(t)
			if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_enable_probe", []byte("1"), 0); err != nil {
				t.Fatal(err)
			}
			l := listen(t, icmpx.ICMPConfig{Family: tt.f, Mode: tt.mode})
			r := echo(l, loopback[tt.f], tt.tag)
			r.Proto, r.Body, r.Size = tt.proto, tt.body, 0
			send(t, l, r)
			got := recvUntil(t, l, has(1, tt.want))
			if last := got[len(got)-1]; last.Key != r.Key || last.From != r.Dst {
				t.Errorf("got %+v, want an answer to %v", last, r.Key)
			}
			for _, body := range []rawBody{nil, {}, make(rawBody, 3), make(rawBody, 65536)} {
				r.Body = body
				if body == nil {
					r.Body = nil
				}
				if n, err := l.Send([]icmpx.Request{r}); n != 0 || err == nil {
					t.Errorf("Send of a body of %d bytes = %d, %v", len(body), n, err)
				}
			}
		})
	}
}

func TestSendReceiveDoNotAllocate(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		warm(t, l)
		const batch = 8
		reqs, replies := make([]icmpx.Request, batch), make([]icmpx.Reply, 2*batch)
		for i := range reqs {
			reqs[i] = echo(l, loopback[cfg.Family], uint32(1+i))
			reqs[i].TTL, reqs[i].TOS = 64, 0
		}
		answered := 0
		allocs := testing.AllocsPerRun(100, func() {
			if n, err := l.Send(reqs); n != batch || err != nil {
				t.Fatalf("Send = %d, %v", n, err)
			}
			for got := 0; got < 2*batch; {
				n, err := l.Recv(replies)
				if err != nil {
					t.Fatal(err)
				}
				got += n
				answered += n
			}
		})
		if allocs != 0 || answered < 100*2*batch {
			t.Errorf("%v allocations for %d packets, %d received", allocs, batch, answered)
		}
	})
}

// BenchmarkEcho sends and receives batches over loopback.
func BenchmarkEcho(b *testing.B) {
	l, err := icmpx.ListenICMP(icmpx.ICMPConfig{Family: icmpx.IPv4})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	const batch = 64
	reqs, replies := make([]icmpx.Request, batch), make([]icmpx.Reply, batch)
	for i := range reqs {
		reqs[i] = echo(l, loopback[icmpx.IPv4], uint32(1+i))
	}
	b.ReportAllocs()
	for n := 0; n < b.N; n += batch {
		if _, err := l.Send(reqs); err != nil {
			b.Fatal(err)
		}
		for answered := 0; answered < batch; {
			k, err := l.Recv(replies)
			if err != nil {
				b.Fatal(err)
			}
			answered += count(replies[:k], icmpx.KindEchoReply)
		}
	}
}

// becomeOrdinary takes all capabilities from the test's thread, which is not
// given back: what sockets a thread may open is then up to its groups.
func becomeOrdinary(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		t.Fatal(err)
	}
}

func TestNoPermission(t *testing.T) {
	for _, mode := range []icmpx.Mode{icmpx.ModeAuto, icmpx.ModeRaw, icmpx.ModeDatagram} {
		t.Run(mode.String(), func(t *testing.T) {
			newNamespace(t)
			becomeOrdinary(t)
			b, err := os.ReadFile("/proc/sys/net/ipv4/ping_group_range")
			if err != nil {
				t.Fatal(err)
			}
			groups := strings.Join(strings.Fields(string(b)), " ")
			_, err = icmpx.ListenICMP(icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: mode})
			var e *icmpx.PrivilegeError
			if !errors.As(err, &e) || !errors.Is(err, os.ErrPermission) {
				t.Fatalf("%v is no PrivilegeError", err)
			}
			if (e.Raw != nil) != (mode != icmpx.ModeDatagram) || (e.Datagram != nil) != (mode != icmpx.ModeRaw) {
				t.Errorf("causes %v and %v", e.Raw, e.Datagram)
			}
			if e.GroupRange != groups || !slices.Contains(e.Groups, os.Getegid()) || e.Executable == "" {
				t.Errorf("got %+v", e)
			}
			want := []string{"setcap cap_net_raw+ep " + e.Executable, `sysctl -w net.ipv4.ping_group_range="0 2147483647"`}
			if mode != icmpx.ModeRaw {
				want = append(want, fmt.Sprintf("ping_group_range is %q, groups of this process: ", groups))
			}
			for _, s := range want {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v does not say %s", err, s)
				}
			}
		})
	}
}

// TestOrdinaryUser pings without any privilege, from a datagram socket.
func TestOrdinaryUser(t *testing.T) {
	for f, dst := range loopback {
		t.Run(f.String(), func(t *testing.T) {
			enterNamespace(t)
			becomeOrdinary(t)
			l := listen(t, icmpx.ICMPConfig{Family: f, RecvBuffer: 1 << 30})
			if l.Mode() != icmpx.ModeDatagram {
				t.Errorf("socket is %v", l.Mode())
			}
			warm(t, l)
			send(t, l, echo(l, dst, 1))
			recvUntil(t, l, has(1, icmpx.KindEchoReply))
			if _, err := icmpx.ListenICMP(icmpx.ICMPConfig{Family: f, Mark: 1}); !errors.Is(err, os.ErrPermission) {
				t.Errorf("a mark without privilege: %v", err)
			}
		})
	}
}
