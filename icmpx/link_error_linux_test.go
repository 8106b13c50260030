package icmpx_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/sys/unix"
)

// An icmpError is what a test has a router say about an echo request.
type icmpError struct {
	typ, code uint8
	word      uint32 // bytes 4 to 7
	ext       []byte // behind a quote of 128 bytes
}

// quoted returns the packet of an echo request as an error quotes it.
func quoted(l *icmpx.ICMPLink, dst netip.Addr, seq uint16, n int) []byte {
	typ := byte(8)
	if l.Family() == icmpx.IPv6 {
		typ = 128
	}
	msg := make([]byte, 64)
	icmpx.FillPayload(msg[8:], 42, nil)
	icmpx.PutEcho(msg, typ, 0, l.ID(), seq)
	var b []byte
	if l.Family() == icmpx.IPv4 {
		b = []byte{0x45, 0x20, 0, 84, 0x12, 0x34, 0x40, 0, 1, 1, 0, 0}
		b = append(b, dst.AsSlice()...)
		b = append(b, dst.AsSlice()...)
		binary.BigEndian.PutUint16(b[10:], icmpx.Checksum(b))
	} else {
		b = []byte{0x62, 0, 0, 0, 0, 64, 58, 1}
		b = append(b, dst.AsSlice()...)
		b = append(b, dst.AsSlice()...)
	}
	b = append(b, msg...)
	return append(b, make([]byte, max(n-len(b), 0))...)
}

// provoke has the error reach the link, from a raw socket on loopback. It is
// queued when provoke returns.
func provoke(t *testing.T, l *icmpx.ICMPLink, e icmpError, dst netip.Addr, seq uint16) {
	t.Helper()
	provokeFrom(t, l, e, router4, dst, seq)
}

// provokeFrom is provoke with the sender of an ICMPv4 error.
func provokeFrom(t *testing.T, l *icmpx.ICMPLink, e icmpError, src, dst netip.Addr, seq uint16) {
	t.Helper()
	msg := []byte{e.typ, e.code, 0, 0}
	msg = binary.BigEndian.AppendUint32(msg, e.word)
	if e.ext == nil {
		msg = append(msg, quoted(l, dst, seq, 0)...)
	} else {
		msg = append(append(msg, quoted(l, dst, seq, 128)[:128]...), e.ext...)
	}
	provokeMessage(t, l, msg, src, dst)
}

// provokeMessage is provoke with the whole message, but for its checksum.
func provokeMessage(t *testing.T, l *icmpx.ICMPLink, msg []byte, src, dst netip.Addr) {
	t.Helper()
	var fd int
	var err error
	if l.Family() == icmpx.IPv4 {
		binary.BigEndian.PutUint16(msg[2:], icmpx.Checksum(msg))
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	} else {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if l.Family() == icmpx.IPv4 {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: src.As4()}),
			unix.Sendto(fd, msg, 0, &unix.SockaddrInet4{Addr: dst.As4()}))
	} else {
		err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, 64),
			unix.Sendto(fd, msg, 0, &unix.SockaddrInet6{Addr: dst.As16()}))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// router4 is a loopback address other than the one pinged; IPv6 has just one.
var router4 = netip.MustParseAddr("127.0.0.2")

func routerOf(f icmpx.Family) netip.Addr {
	if f == icmpx.IPv4 {
		return router4
	}
	return loopback[f]
}

// mplsExt is an extension structure with one MPLS label (RFC 4950).
func mplsExt() []byte {
	b := []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0x05, 0xdc, 0x11, 0x01}
	binary.BigEndian.PutUint16(b[2:], icmpx.Checksum(b))
	return b
}

// TestErrors has both kinds of sockets see the same errors.
func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		f    icmpx.Family
		err  icmpError
		want icmpx.Reply
		ext  bool
	}{
		{"ttl", icmpx.IPv4, icmpError{typ: 11}, icmpx.Reply{Kind: icmpx.KindTimeExceeded}, false},
		{"host", icmpx.IPv4, icmpError{typ: 3, code: 1}, icmpx.Reply{Kind: icmpx.KindUnreachable}, false},
		{"prohibited", icmpx.IPv4, icmpError{typ: 3, code: 13}, icmpx.Reply{Kind: icmpx.KindUnreachable}, false},
		{"fragmentation needed", icmpx.IPv4, icmpError{typ: 3, code: 4, word: 1300}, icmpx.Reply{Kind: icmpx.KindTooBig, MTU: 1300}, false},
		{"parameter", icmpx.IPv4, icmpError{typ: 12, word: 9 << 24}, icmpx.Reply{Kind: icmpx.KindParamProblem, Pointer: 9}, false},
		{"source quench", icmpx.IPv4, icmpError{typ: 4}, icmpx.Reply{Kind: icmpx.KindSourceQuench}, false},
		{"extension", icmpx.IPv4, icmpError{typ: 11, word: 32 << 16, ext: mplsExt()}, icmpx.Reply{Kind: icmpx.KindTimeExceeded}, true},
		{"legacy extension", icmpx.IPv4, icmpError{typ: 11, ext: mplsExt()}, icmpx.Reply{Kind: icmpx.KindTimeExceeded}, true},
		{"hop limit", icmpx.IPv6, icmpError{typ: 3}, icmpx.Reply{Kind: icmpx.KindTimeExceeded}, false},
		{"no route", icmpx.IPv6, icmpError{typ: 1, code: 0}, icmpx.Reply{Kind: icmpx.KindUnreachable}, false},
		{"address", icmpx.IPv6, icmpError{typ: 1, code: 3}, icmpx.Reply{Kind: icmpx.KindUnreachable}, false},
		{"too big", icmpx.IPv6, icmpError{typ: 2, word: 1300}, icmpx.Reply{Kind: icmpx.KindTooBig, MTU: 1300}, false},
		{"next header", icmpx.IPv6, icmpError{typ: 4, code: 1, word: 40}, icmpx.Reply{Kind: icmpx.KindParamProblem, Pointer: 40}, false},
		{"extension", icmpx.IPv6, icmpError{typ: 3, word: 16 << 24, ext: mplsExt()}, icmpx.Reply{Kind: icmpx.KindTimeExceeded}, true},
	}
	for _, tt := range tests {
		for _, mode := range []icmpx.Mode{icmpx.ModeRaw, icmpx.ModeDatagram} {
			t.Run(tt.f.String()+" "+mode.String()+" "+tt.name, func(t *testing.T) {
				enterNamespace(t)
				l := listen(t, icmpx.ICMPConfig{Family: tt.f, Mode: mode})
				dst := loopback[tt.f]
				provoke(t, l, tt.err, dst, 0)
				got := recvUntil(t, l, has(1, tt.want.Kind))[0]
				if got.Type != tt.err.typ || got.Code != tt.err.code || got.MTU != tt.want.MTU || got.Pointer != tt.want.Pointer {
					t.Errorf("got %+v", got)
				}
				if want := (icmpx.Key{Flow: uint32(l.ID()), Tag: 65536}); got.Key != want || got.Dst != dst {
					t.Errorf("about %v to %v, want %v to %v", got.Key, got.Dst, want, dst)
				}
				if got.From != routerOf(tt.f) || got.IfIndex == 0 || got.TTL != 64 {
					t.Errorf("from %v by interface %d with TTL %d", got.From, got.IfIndex, got.TTL)
				}
				checkQuote(t, got, mode)
				if exts, err := icmpx.ParseExtensions(got.Ext); tt.ext && (err != nil || len(exts) != 1) || !tt.ext && got.Ext != nil {
					t.Errorf("extensions % x: %v, %v", got.Ext, exts, err)
				}
			})
		}
	}
}

func checkQuote(t *testing.T, got icmpx.Reply, mode icmpx.Mode) {
	t.Helper()
	q := got.Quote
	if !q.HasL4 || q.ICMPID != uint16(got.Key.Flow) || q.ICMPSeq != 0 || q.Checksum == 0 && got.Type < 100 && q.Family == icmpx.IPv4 {
		t.Errorf("quoted %+v", q)
	}
	if len(q.Payload) < 56 || q.Payload[7] != 42 {
		t.Errorf("quoted payload % x", q.Payload)
	}
	shown := mode == icmpx.ModeRaw
	if (q.Family != 0) != shown || (q.TTL == 1) != shown || q.Dst.IsValid() != shown {
		t.Errorf("%v socket shows quoted header as %+v", mode, q)
	}
}

func TestRedirect(t *testing.T) {
	for _, mode := range []icmpx.Mode{icmpx.ModeRaw, icmpx.ModeDatagram} {
		t.Run(mode.String(), func(t *testing.T) {
			enterNamespace(t)
			l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: mode})
			provoke(t, l, icmpError{typ: 5, code: 1, word: 0xc0000201}, loopback[icmpx.IPv4], 1)
			got := recvUntil(t, l, has(1, icmpx.KindRedirect))[0]
			if want := netip.MustParseAddr("192.0.2.1"); got.Gateway != want || got.Code != 1 || got.Key.Tag != 1 {
				t.Errorf("got %+v, want gateway %v", got, want)
			}
		})
	}
}

// TestPendingErrors leaves errors about other probes on the socket: the next
// sends are not blamed for them, and none of them is lost.
func TestPendingErrors(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		dst := loopback[cfg.Family]
		unreachable := icmpError{typ: 3, code: 1}
		if cfg.Family == icmpx.IPv6 {
			unreachable = icmpError{typ: 1, code: 3}
		}
		const n = 30
		for i := range n {
			provoke(t, l, unreachable, dst, uint16(1000+i))
			send(t, l, echo(l, dst, uint32(1+i)), echo(l, dst, uint32(101+i)))
		}
		got := recvUntil(t, l, func(got []icmpx.Reply) bool {
			return count(got, icmpx.KindUnreachable) == n && count(got, icmpx.KindEchoReply) == 2*n
		})
		seen := map[icmpx.Key]bool{}
		for _, r := range got {
			if r.Kind != icmpx.KindSent && seen[r.Key] {
				t.Errorf("two replies with %v", r.Key)
			}
			seen[r.Key] = seen[r.Key] || r.Kind != icmpx.KindSent
		}
	})
}

// TestPendingErrorsWhileReading is the same with Recv in progress, which makes
// errors pending as it takes those before them from the queue.
func TestPendingErrorsWhileReading(t *testing.T) {
	enterNamespace(t)
	l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: icmpx.ModeDatagram})
	dst := loopback[icmpx.IPv4]
	const n = 300
	for i := range n {
		provoke(t, l, icmpError{typ: 11}, dst, uint16(1000+i))
	}
	done := make(chan []icmpx.Reply)
	go func() {
		done <- recvUntil(t, l, func(got []icmpx.Reply) bool {
			return count(got, icmpx.KindTimeExceeded) == n && count(got, icmpx.KindEchoReply) == n
		})
	}()
	for i := range n {
		send(t, l, echo(l, dst, uint32(2000+i)))
	}
	<-done
}

func TestSendErrors(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		l := listen(t, cfg)
		good := echo(l, loopback[cfg.Family], 1)
		prefix, bad := netip.MustParsePrefix("192.0.2.0/24"), netip.MustParseAddr("192.0.2.1")
		if cfg.Family == icmpx.IPv6 {
			prefix, bad = netip.MustParsePrefix("2001:db8::/32"), netip.MustParseAddr("2001:db8::1")
		}
		for _, tt := range []struct {
			typ  byte
			want unix.Errno
		}{
			{unix.RTN_UNREACHABLE, unix.EHOSTUNREACH},
			{unix.RTN_PROHIBIT, unix.EACCES},
			{unix.RTN_BLACKHOLE, unix.EINVAL},
			{0, unix.ENETUNREACH},
		} {
			if tt.typ != 0 {
				addRoute(t, prefix, tt.typ, "", 0)
			} else {
				bad = netip.MustParseAddr(map[icmpx.Family]string{icmpx.IPv4: "198.51.100.1", icmpx.IPv6: "2001:db9::1"}[cfg.Family])
			}
			n, err := l.Send([]icmpx.Request{good, echo(l, bad, 2), good})
			if n != 1 || !errors.Is(err, tt.want) {
				t.Errorf("route type %d: Send = %d, %v, want 1, %v", tt.typ, n, err, tt.want)
			}
		}
		wrong := echo(l, bad, 3)
		wrong.Proto = icmpx.ProtoUDP
		short := echo(l, good.Dst, 3)
		short.Size, short.Payload = 60, make([]byte, 60)
		tiny := echo(l, good.Dst, 3)
		tiny.Size = 5
		huge := echo(l, good.Dst, 3)
		huge.Size = 1 << 20
		for _, r := range []icmpx.Request{wrong, short, tiny, huge, {Dst: netip.Addr{}}} {
			if n, err := l.Send([]icmpx.Request{good, r}); n != 1 || err == nil {
				t.Errorf("Send of %+v = %d, %v", r, n, err)
			}
		}
	})
}

// TestTooBig has this host refuse packets for their size, with Recv waiting:
// each is answered at once, and the deadline of Recv is kept.
func TestTooBig(t *testing.T) {
	eachSocket(t, func(t *testing.T, cfg icmpx.ICMPConfig) {
		setMTU(t, "lo", 1400)
		prefix := netip.MustParsePrefix("192.0.2.0/24")
		far := netip.MustParseAddr("192.0.2.1")
		if cfg.Family == icmpx.IPv6 {
			prefix, far = netip.MustParsePrefix("2001:db8::/64"), netip.MustParseAddr("2001:db8::1")
		}
		near, source := loopback[cfg.Family], loopback[cfg.Family]
		if cfg.Family == icmpx.IPv4 { // whose loopback addresses do not leave the host
			source = netip.MustParseAddr("198.51.100.1")
			addAddress(t, "lo", netip.PrefixFrom(source, 32))
		}
		addRoute(t, prefix, unix.RTN_UNICAST, "lo", 1300)
		l := listen(t, cfg)
		for _, tt := range []struct {
			dst  netip.Addr
			df   icmpx.DF
			size int
			mtu  int
			from netip.Addr
		}{
			{near, icmpx.DFSet, 1401, 1400, near},
			{near, icmpx.DFProbe, 1401, 1400, near},
			{far, icmpx.DFSet, 1301, 1300, source},
			{far, icmpx.DFProbe, 1401, 1400, source}, // the route's MTU is not the device's
		} {
			fits, over := echo(l, tt.dst, 1), echo(l, tt.dst, 2)
			fits.Size, over.Size = tt.mtu, tt.size
			fits.DF, over.DF = tt.df, tt.df
			got := make(chan []icmpx.Reply)
			go func() { got <- recvUntil(t, l, has(1, icmpx.KindTooBig)) }()
			send(t, l, fits, over, fits)
			var r icmpx.Reply
			for _, r = range <-got {
				if r.Kind == icmpx.KindTooBig {
					break
				}
			}
			if r.Key != over.Key || r.Dst != tt.dst || r.MTU != tt.mtu || r.From != tt.from || r.At.IsZero() {
				t.Errorf("%v mode %d: got %+v, want MTU %d from %v", tt.dst, tt.df, r, tt.mtu, tt.from)
			}
			for _, r := range drain(t, l) {
				if r.Kind == icmpx.KindTooBig {
					t.Errorf("a second answer: %+v", r)
				}
			}
		}
		big := echo(l, near, 3)
		big.Size, big.DF = 1401, icmpx.DFClear
		send(t, l, big)
		r := recvUntil(t, l, has(1, icmpx.KindEchoReply))
		if last := r[len(r)-1]; last.Bytes != 1401-cfg.Family.HeaderLen() || last.Frag == 0 || last.Frag > 1400 {
			t.Errorf("answer to a fragmented request: %+v", last)
		}
	})
}

// TestTooBigKeepsDeadline interrupts Recv by an answer of this host, and sees
// that the deadline that was set before still ends the next one.
func TestTooBigKeepsDeadline(t *testing.T) {
	enterNamespace(t)
	setMTU(t, "lo", 1400)
	l := listen(t, icmpx.ICMPConfig{Family: icmpx.IPv4})
	over := echo(l, loopback[icmpx.IPv4], 1)
	over.Size, over.DF = 1401, icmpx.DFProbe
	begin := time.Now()
	deadline := begin.Add(50 * time.Millisecond)
	if err := l.SetRecvDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	send(t, l, over, over)
	rs := make([]icmpx.Reply, 1)
	for range 2 {
		if n, err := l.Recv(rs); n != 1 || err != nil || rs[0].Kind != icmpx.KindTooBig {
			t.Fatalf("Recv = %d, %v, %+v", n, err, rs[0])
		}
	}
	if n, err := l.Recv(rs); n != 0 || err == nil || time.Now().Before(deadline) {
		t.Errorf("Recv = %d, %v, %v after begin", n, err, time.Since(begin))
	}
}
