//go:build linux

package lab_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

var (
	all4 = netip.MustParsePrefix("0.0.0.0/0")
	all6 = netip.MustParsePrefix("::/0")
)

// TestReject has a router reject with every code that there is, the ones that
// no router sends of its own included.
func TestReject(t *testing.T) {
	n := labtest.Build(t, "chain")
	for v6, codes := range map[bool]int{false: 16, true: 7} {
		a := newAsker(t, n.Client, v6)
		server, from, kind := n.Addr("server", v6), n.Addr("r3", v6), 3
		if v6 {
			kind = 1
		}
		for code := range codes {
			rule := lab.Rule{
				Hook: lab.Forward, Dst: netip.PrefixFrom(server, server.BitLen()),
				Verdict: lab.Reject, Code: uint8(code),
			}
			labtest.OK(t, n.At("r3").Filter(rule))
			want := answer(fmt.Sprintf("%v %d/%d", from, kind, code))
			if got := a.ask(t, server, 0); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			labtest.OK(t, n.At("r3").Unfilter())
		}
	}
}

// TestDropErrors makes a router silent: what it would say is dropped, what it
// forwards is not.
func TestDropErrors(t *testing.T) {
	n := labtest.Build(t, "chain")
	labtest.OK(t, n.At("r2").Filter(
		lab.Rule{Hook: lab.Output, Dst: all4, ICMPType: []uint8{3, 11}, Verdict: lab.Drop},
		lab.Rule{Hook: lab.Output, Dst: all6, ICMPType: []uint8{1, 3}, Verdict: lab.Drop}))
	for v6, want := range map[bool]answer{false: "198.51.100.21 11/0", true: "2001:db8:23::3 3/0"} {
		a := newAsker(t, n.Client, v6)
		a.send(t, n.Addr("server", v6), 2)
		if got := a.ask(t, n.Addr("server", v6), 3); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDropOwnOutput(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.Client.Filter(lab.Rule{Hook: lab.Output, Dst: all4, Proto: unix.IPPROTO_UDP, Port: 53, Verdict: lab.Drop}))
	send := func(port int) error {
		return n.Client.Do(func() error {
			c, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 20), Port: port})
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.Write([]byte("x"))
			return err
		})
	}
	if err := send(53); !errors.Is(err, unix.EPERM) {
		t.Errorf("to the filtered port: got %v, want EPERM", err)
	}
	if err := send(54); err != nil {
		t.Errorf("to another port: %v", err)
	}
}

func TestDownAndUp(t *testing.T) {
	n := labtest.Build(t, "chain")
	iface := n.Client.Iface(0)
	for _, v6 := range []bool{false, true} {
		labtest.OK(t, iface.Down())
		server := n.Addr("server", v6)
		err := n.Client.Do(func() error {
			c, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: server.AsSlice(), Port: 9})
			if err == nil {
				c.Close()
			}
			return err
		})
		if !errors.Is(err, unix.ENETUNREACH) {
			t.Errorf("down: got %v, want ENETUNREACH", err)
		}
		labtest.OK(t, iface.Up())
		kind := "0/0"
		if v6 {
			kind = "129/0"
		}
		if got, want := newAsker(t, n.Client, v6).ask(t, server, 0), answer(server.String()+" "+kind); got != want {
			t.Errorf("up again: got %q, want %q", got, want)
		}
	}
}

func TestSysctlIsTheHosts(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.At("server").Sysctl(lab.Sysctl{Name: "net.ipv4.icmp_echo_ignore_all", Value: "1"}))
	a := newAsker(t, n.At("server"), false)
	if got, want := a.ask(t, n.Addr("client", false), 0), answer("192.0.2.10 0/0"); got != want {
		t.Errorf("got %q, want %q: the other host has the setting too", got, want)
	}
	if err := n.Client.Sysctl(lab.Sysctl{Name: "net.ipv4.no_such", Value: "1"}); err == nil {
		t.Error("set a setting that does not exist")
	}
}

// TestResolve builds a link whose ends must find each other first.
func TestResolve(t *testing.T) {
	n := lab.New()
	defer n.Close()
	a, err := n.Host("a", lab.HostOptions{})
	labtest.OK(t, err)
	b, err := n.Host("b", lab.HostOptions{})
	labtest.OK(t, err)
	link, err := n.Link(a, b, lab.LinkOptions{
		A:       []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")},
		B:       []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")},
		Resolve: true,
	})
	labtest.OK(t, err)
	for v6, want := range map[bool]answer{false: "192.0.2.2 0/0", true: "2001:db8::2 129/0"} {
		if got := newAsker(t, a, v6).ask(t, link.B.Addr(v6), 0); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	n := labtest.Build(t, "pair")
	if _, err := n.Link(n.Client, n.Client, lab.LinkOptions{}); err == nil {
		t.Error("linked a host to itself")
	}
	far := lab.Route{Dst: all4, Via: netip.MustParseAddr("203.0.113.1")}
	if err := n.Client.Route(far); err == nil {
		t.Error("routed by a next hop out of reach")
	}
	if err := n.Client.Route(lab.Route{}); err == nil {
		t.Error("routed nothing")
	}
	if err := n.Client.Filter(lab.Rule{}); err == nil {
		t.Error("filtered nothing")
	}
	if _, err := lab.Build("nosuch"); err == nil {
		t.Error("built an unknown topology")
	}
}

// TestClosed uses a host after its end.
func TestClosed(t *testing.T) {
	n := labtest.Build(t, "pair")
	h := n.Client
	n.Close()
	if err := h.Sysctl(lab.Sysctl{Name: "net.ipv4.ip_forward", Value: "1"}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sysctl: got %v, want net.ErrClosed", err)
	}
	if err := h.Start(exec.Command("true"), lab.Root); !errors.Is(err, net.ErrClosed) {
		t.Errorf("start: got %v, want net.ErrClosed", err)
	}
	if err := h.Do(func() error { return nil }); err == nil {
		t.Error("do: no error")
	}
}

// TestDoSurvivesGoexit has a function end its goroutine, as a failing test does.
func TestDoSurvivesGoexit(t *testing.T) {
	n := labtest.Build(t, "pair")
	if err := n.Client.Do(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("no error from a function that ended its goroutine")
	}
}

// TestChecksumsOnTheWire sees that the kernel's own datagrams are whole, which
// they are not where a device is to finish them.
func TestChecksumsOnTheWire(t *testing.T) {
	for offload, whole := range map[bool]bool{false: true, true: false} {
		n := lab.New()
		defer n.Close()
		a, err := n.Host("a", lab.HostOptions{})
		labtest.OK(t, err)
		b, err := n.Host("b", lab.HostOptions{})
		labtest.OK(t, err)
		link, err := n.Link(a, b, lab.LinkOptions{
			A:       []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")},
			B:       []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")},
			Offload: offload,
		})
		labtest.OK(t, err)
		seen := captureUDP(t, link)
		if got := pseudoSum(seen.Data) == 0xffff; got != whole {
			t.Errorf("offload %v: datagram %x whole: %v, want %v", offload, seen.Data, got, whole)
		}
		if seen.Out {
			t.Error("a packet that came in is said to have gone out")
		}
	}
}

// captureUDP sends a datagram over a link and returns it as it came out.
func captureUDP(t *testing.T, link *lab.Link) lab.Frame {
	t.Helper()
	c, err := link.B.Capture()
	labtest.OK(t, err)
	defer c.Close()
	var far *net.UDPConn
	to := &net.UDPAddr{IP: link.B.Addr(false).AsSlice(), Port: 4000}
	labtest.OK(t, link.B.Host.Do(func() (err error) {
		far, err = net.ListenUDP("udp", to)
		return err
	}))
	defer far.Close()
	labtest.OK(t, link.A.Host.Do(func() error {
		near, err := net.DialUDP("udp", nil, to)
		if err != nil {
			return err
		}
		defer near.Close()
		_, err = near.Write([]byte("four"))
		return err
	}))
	_, err = far.Read(make([]byte, 9)) // it has passed the capture then
	labtest.OK(t, err)
	frames, err := c.Frames()
	labtest.OK(t, err)
	for _, f := range frames {
		if len(f.Data) == 32 && f.Data[9] == unix.IPPROTO_UDP {
			return f
		}
	}
	t.Fatalf("no datagram among %d frames", len(frames))
	return lab.Frame{}
}

// pseudoSum adds up an IPv4 datagram of UDP with its pseudo header: 0xffff if
// its checksum is right (RFC 768).
func pseudoSum(p []byte) uint32 {
	sum := uint32(p[9]) + uint32(len(p)-20)
	for b := p[12:]; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	return sum&0xffff + sum>>16
}

// TestShape sends more than the queue takes: the sender is told.
func TestShape(t *testing.T) {
	n := labtest.Build(t, "pair")
	iface := n.Client.Iface(0)
	send := func() (sent int, err error) {
		err = n.Client.Do(func() error {
			c, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 20), Port: 9})
			if err != nil {
				return err
			}
			defer c.Close()
			raw, err := c.SyscallConn()
			if err != nil {
				return err
			}
			// Without it UDP keeps a full queue to itself.
			if err := raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
			}); err != nil {
				return err
			}
			for range 100 {
				_, err := c.Write(make([]byte, 58))
				switch {
				case err == nil:
					sent++
				case !errors.Is(err, unix.ECONNREFUSED): // of an earlier one; this one was not sent
					return err
				}
			}
			return err
		})
		return sent, err
	}
	labtest.OK(t, iface.Shape(100, 1000, 1000)) // 100 bytes each: 10 leave, 10 wait
	if sent, err := send(); !errors.Is(err, unix.ENOBUFS) || sent < 20 || sent > 30 {
		t.Errorf("shaped: got %v after %d datagrams, want ENOBUFS after 20 and what left meanwhile", err, sent)
	}
	labtest.OK(t, iface.Unshape())
	if sent, err := send(); err != nil {
		t.Errorf("unshaped: %v after %d datagrams", err, sent)
	}
}
