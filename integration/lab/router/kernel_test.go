//go:build linux

package router_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// patience is how long a test waits for what must come. It never passes in a
// test that passes.
const patience = 20 * time.Second

// build builds a client, a server and a router between them.
func build(t testing.TB, o lab.RoutedOptions) *lab.Routed {
	t.Helper()
	n, err := lab.BuildRouted(o)
	labtest.OK(t, err)
	t.Cleanup(func() {
		s := n.Router.Stats()
		labtest.OK(t, n.Close())
		if n, m := s.Unsent.Load(), s.SocketDrops.Load(); n != 0 || m != 0 {
			t.Errorf("%d frames refused by the kernel, %d without room", n, m)
		}
	})
	return n
}

// A prober sends ICMP messages from a host by a raw socket, and receives.
type prober struct {
	t        testing.TB
	fd       int
	v6       bool
	src, dst netip.Addr
	buf      []byte
}

func newProber(t testing.TB, n *lab.Routed, v6 bool) *prober {
	t.Helper()
	p := &prober{t: t, v6: v6, src: n.Addr("client", v6), dst: n.Addr("server", v6), buf: make([]byte, 1<<16)}
	family, proto := unix.AF_INET, unix.IPPROTO_ICMP
	if v6 {
		family, proto = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	labtest.OK(t, n.Client.Do(func() (err error) {
		p.fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, proto)
		return err
	}))
	t.Cleanup(func() { unix.Close(p.fd) })
	patience := unix.NsecToTimeval(int64(patience))
	labtest.OK(t, unix.SetsockoptTimeval(p.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience))
	labtest.OK(t, unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20))
	if !v6 {
		labtest.OK(t, unix.SetsockoptInt(p.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE))
	}
	return p
}

// fragment has the kernel send what is too long for the link in fragments.
func (p *prober) fragment() {
	p.t.Helper()
	if !p.v6 { // there it does so anyway
		labtest.OK(p.t, unix.SetsockoptInt(p.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT))
	}
}

// ttl sets the TTL of what is sent.
func (p *prober) ttl(ttl int) {
	p.t.Helper()
	if p.v6 {
		labtest.OK(p.t, unix.SetsockoptInt(p.fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, ttl))
	} else {
		labtest.OK(p.t, unix.SetsockoptInt(p.fd, unix.IPPROTO_IP, unix.IP_TTL, ttl))
	}
}

// send sends an echo request.
func (p *prober) send(seq int, payload []byte) {
	p.t.Helper()
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: seq, Data: payload}}
	if p.v6 {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	b, err := icmpx.Marshal(&m, p.src, p.dst)
	labtest.OK(p.t, err)
	var to unix.Sockaddr = &unix.SockaddrInet4{Addr: as4(p.dst)}
	if p.v6 {
		to = &unix.SockaddrInet6{Addr: p.dst.As16()}
	}
	labtest.OK(p.t, unix.Sendto(p.fd, b, 0, to))
}

func as4(a netip.Addr) [4]byte {
	if a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}

// An answer is an ICMP message that was received.
type answer struct {
	from netip.Addr
	msg  []byte
}

// String is short: "203.0.113.10 0/0 seq 1".
func (a answer) String() string {
	s := fmt.Sprintf("%v %d/%d", a.from, a.msg[0], a.msg[1])
	if a.msg[0] == 0 || a.msg[0] == 129 {
		s += fmt.Sprintf(" seq %d", int(a.msg[6])<<8|int(a.msg[7]))
	}
	return s
}

// payload is what an echo reply carries.
func (a answer) payload() []byte { return a.msg[8:] }

// next returns the next message, neighbour discovery and the like aside. It is
// valid until the one after it.
func (p *prober) next() answer {
	p.t.Helper()
	b := p.buf
	for {
		n, from, err := unix.Recvfrom(p.fd, b, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		labtest.OK(p.t, err)
		a := answer{msg: b[:n]}
		switch from := from.(type) {
		case *unix.SockaddrInet4:
			a.from, a.msg = netip.AddrFrom4(from.Addr), b[int(b[0]&0x0f)*4:n]
		case *unix.SockaddrInet6:
			a.from = netip.AddrFrom16(from.Addr)
		}
		if len(a.msg) < 8 {
			p.t.Fatalf("got %d bytes of ICMP", len(a.msg))
		}
		if !p.v6 || a.msg[0] < 128 || a.msg[0] == 129 {
			return a
		}
	}
}

// want receives as many messages as it is given.
func (p *prober) want(want ...string) []answer {
	p.t.Helper()
	var got []answer
	for i, w := range want {
		a := p.next()
		if a.String() != w {
			p.t.Errorf("message %d: got %v, want %s", i+1, a, w)
		}
		a.msg = bytes.Clone(a.msg)
		got = append(got, a)
	}
	return got
}

// reply is how an echo reply of the server reads.
func (p *prober) reply(seq int) string {
	kind := "0/0"
	if p.v6 {
		kind = "129/0"
	}
	return fmt.Sprintf("%v %s seq %d", p.dst, kind, seq)
}

// pattern is a payload that looks like nothing else.
func pattern(n int) []byte {
	b := make([]byte, n)
	icmpx.FillPayload(b, 0x1122334455667788, nil)
	return b
}

// both runs a test by both families.
func both(t *testing.T, o lab.RoutedOptions, test func(t *testing.T, n *lab.Routed, p *prober)) {
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprint("v6=", v6), func(t *testing.T) {
			n := build(t, o)
			test(t, n, newProber(t, n, v6))
		})
	}
}

func TestDelay(t *testing.T) {
	o := lab.RoutedOptions{Router: router.Config{Delay: 10 * time.Millisecond}}
	both(t, o, func(t *testing.T, n *lab.Routed, p *prober) {
		for seq := range 10 {
			start := time.Now()
			p.send(seq, pattern(56))
			a := p.want(p.reply(seq))
			// Never sooner; how much later is the machine's affair.
			if rtt := time.Since(start); rtt < 20*time.Millisecond {
				t.Errorf("answer after %v, want 20 ms", rtt)
			}
			if !bytes.Equal(a[0].payload(), pattern(56)) {
				t.Errorf("got payload % x", a[0].payload())
			}
		}
	})
}

// TestPath meets a chain of hops as a trace and a search for the MTU do.
func TestPath(t *testing.T) {
	cfg := router.Config{Hops: []router.Hop{{}, {Silent: true}, {MTU: 1400}, {MTU: 1300, Claim: -1}, {MTU: 1285, NoTooBig: true}}}
	both(t, lab.RoutedOptions{Router: cfg}, func(t *testing.T, n *lab.Routed, p *prober) {
		exceeded, tooBig, head := "11/0", "3/4", 28
		if p.v6 {
			exceeded, tooBig, head = "3/0", "2/0", 48
		}
		hop := func(i int) netip.Addr { return n.Addr(fmt.Sprintf("r%d", i), p.v6) }
		for ttl := 1; ttl <= 6; ttl++ {
			p.ttl(ttl)
			p.send(ttl, pattern(8))
			switch ttl {
			case 2:
			case 6:
				p.want(p.reply(ttl))
			default:
				p.want(fmt.Sprintf("%v %s", hop(ttl), exceeded))
			}
		}
		p.ttl(64)
		mtu := func(a answer) int { return int(a.msg[6])<<8 | int(a.msg[7]) }
		p.send(1, pattern(1401-head))
		if got := mtu(p.want(fmt.Sprintf("%v %s", hop(3), tooBig))[0]); got != 1400 {
			t.Errorf("got next-hop MTU %d, want 1400", got)
		}
		p.send(2, pattern(1301-head))
		if got := mtu(p.want(fmt.Sprintf("%v %s", hop(4), tooBig))[0]); got != 0 {
			t.Errorf("got next-hop MTU %d, want 0", got)
		}
		p.send(3, pattern(1286-head)) // vanishes
		p.send(4, pattern(1285-head))
		p.want(p.reply(4))
	})
}

// TestPlug pulls the client's cable: when it is back, the kernel has to ask
// again who the router is.
func TestPlug(t *testing.T) {
	both(t, lab.RoutedOptions{}, func(t *testing.T, n *lab.Routed, p *prober) {
		p.send(1, pattern(8))
		p.want(p.reply(1))
		labtest.OK(t, n.Client.Iface(0).Down())
		labtest.OK(t, n.Client.Iface(0).Up())
		p.send(2, pattern(8))
		p.want(p.reply(2))
		inner := n.At("r1").Iface(0)
		labtest.OK(t, inner.Down())
		labtest.OK(t, inner.Up())
		p.send(3, pattern(8))
		p.want(p.reply(3))
	})
}

// TestGuestHost has an attacker at the second hop, whom the hosts reach and who
// reaches them.
func TestGuestHost(t *testing.T) {
	o := lab.RoutedOptions{
		Router: router.Config{Hops: make([]router.Hop, 3)},
		Guests: []lab.Guest{{Name: "attacker", Hop: 1}, {Name: "other", Hop: 2}},
	}
	both(t, o, func(t *testing.T, n *lab.Routed, p *prober) {
		for i, name := range []string{"attacker", "other", "server"} {
			p.dst = n.Addr(name, p.v6)
			p.send(i, pattern(8))
			p.want(p.reply(i))
		}
	})
}

// TestUpdate changes the router while it runs.
func TestUpdate(t *testing.T) {
	both(t, lab.RoutedOptions{}, func(t *testing.T, n *lab.Routed, p *prober) {
		p.send(1, pattern(8))
		p.want(p.reply(1))
		labtest.OK(t, n.Router.Update(router.Config{Hops: []router.Hop{{Reject4: router.Error{Type: 3, Code: 13}, Reject6: router.Error{Type: 1, Code: 1}}}}))
		p.send(2, pattern(8))
		want := "192.0.2.1 3/13"
		if p.v6 {
			want = "2001:db8:1::1 1/1"
		}
		p.want(want)
		if err := n.Router.Update(router.Config{Delay: -1}); err == nil {
			t.Error("took a negative delay")
		}
	})
}

// TestEnd ends routers by Close, twice, by the end of their devices, and by
// their context.
func TestEnd(t *testing.T) {
	n, err := lab.BuildRouted(lab.RoutedOptions{})
	labtest.OK(t, err)
	labtest.OK(t, n.Close())
	labtest.OK(t, n.Close())
	for name, end := range map[string]func(cancel func(), n *lab.Net){
		"context": func(cancel func(), _ *lab.Net) { cancel() },
		"devices": func(_ func(), n *lab.Net) { n.Close() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n, ports := bare(t)
		r, err := router.Start(ctx, router.Config{}, ports...)
		labtest.OK(t, err)
		end(cancel, n)
		select {
		case <-r.Done():
		case <-time.After(patience):
			t.Errorf("%s: router goes on", name)
		}
		labtest.OK(t, r.Close())
		n.Close()
	}
}

// bare builds two hosts with links to a third, without addresses, and returns
// the ports of a router there.
func bare(t *testing.T) (*lab.Net, []router.Port) {
	t.Helper()
	n := lab.New()
	inner, err := n.Host("inner", lab.HostOptions{})
	labtest.OK(t, err)
	var ports []router.Port
	for _, name := range []string{"a", "b"} {
		h, err := n.Host(name, lab.HostOptions{})
		labtest.OK(t, err)
		l, err := n.Link(h, inner, lab.LinkOptions{})
		labtest.OK(t, err)
		ports = append(ports, router.Port{Index: l.B.Index, MAC: l.B.MAC, Peer: l.A.MAC, Do: inner.Do})
	}
	return n, ports
}

// TestRefused starts routers that cannot be.
func TestRefused(t *testing.T) {
	if _, err := lab.BuildRouted(lab.RoutedOptions{Router: router.Config{Delay: -1}}); err == nil {
		t.Error("built a router with a negative delay")
	}
	if _, err := lab.BuildRouted(lab.RoutedOptions{Guests: []lab.Guest{{Name: "client"}}}); err == nil {
		t.Error("built a guest with the name of another host")
	}
	n, ports := bare(t)
	defer n.Close()
	ports[1].Index = 4711
	if _, err := router.Start(t.Context(), router.Config{}, ports...); err == nil {
		t.Error("started on a device that is not there")
	}
}
