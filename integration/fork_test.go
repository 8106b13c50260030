//go:build linux

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// fork is a network of a client that is linked to two hosts.
type fork struct {
	client *lab.Host
	wires  [2]*lab.Capture
}

func buildFork(t *testing.T) *fork {
	t.Helper()
	n := lab.New()
	t.Cleanup(n.Close)
	host := func(name string) *lab.Host {
		h, err := n.Host(name, lab.HostOptions{})
		labtest.OK(t, err)
		labtest.OK(t, h.Sysctl(lab.Sysctl{Name: "net.ipv4.icmp_echo_ignore_broadcasts", Value: "0"}))
		return h
	}
	f := &fork{client: host("client")}
	labtest.OK(t, f.client.AllowPing())
	for i := range f.wires {
		net := fmt.Sprintf("192.0.%d.", 2+i)
		_, err := n.Link(f.client, host(fmt.Sprintf("h%d", i)), lab.LinkOptions{
			A: []netip.Prefix{netip.MustParsePrefix(net + "10/24"), netip.MustParsePrefix(fmt.Sprintf("2001:db8:%d::10/64", 2+i))},
			B: []netip.Prefix{netip.MustParsePrefix(net + "20/24"), netip.MustParsePrefix(fmt.Sprintf("2001:db8:%d::20/64", 2+i))},
		})
		labtest.OK(t, err)
		wire, err := f.client.Iface(i).Capture()
		labtest.OK(t, err)
		t.Cleanup(func() { wire.Close() })
		f.wires[i] = wire
	}
	return f
}

// sent returns the echo requests that have left by interface i since the last
// call.
func (f *fork) sent(t *testing.T, i int) (requests []packet) {
	t.Helper()
	frames, err := f.wires[i].Frames()
	labtest.OK(t, err)
	for _, frame := range frames {
		if p, ok := echoRequest(frame.Data); ok && frame.Out {
			requests = append(requests, p)
		}
	}
	return requests
}

// A packet is an echo request on the wire.
type packet struct {
	src, dst netip.Addr
	ttl      uint8
	label    uint32
	options  []byte
	id       uint16
}

func echoRequest(b []byte) (p packet, ok bool) {
	var icmp []byte
	switch {
	case len(b) >= 28 && b[0]>>4 == 4 && b[9] == unix.IPPROTO_ICMP:
		hl := int(b[0]&15) * 4
		p = packet{ttl: b[8], options: b[20:hl]}
		p.src, p.dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		icmp, ok = b[hl:], b[hl] == 8
	case len(b) >= 48 && b[0]>>4 == 6 && b[6] == unix.IPPROTO_ICMPV6:
		p = packet{ttl: b[7], label: uint32(b[1]&15)<<16 | uint32(b[2])<<8 | uint32(b[3])}
		p.src, p.dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		icmp, ok = b[40:], b[40] == 128
	default:
		return p, false
	}
	p.id = uint16(icmp[4])<<8 | uint16(icmp[5])
	return p, ok
}

func allHosts(v6 bool) netip.Addr {
	if v6 {
		return netip.MustParseAddr("ff02::1")
	}
	return netip.MustParseAddr("224.0.0.1")
}

// TestMulticast pings all hosts on one of two networks: they answer, and so
// does this host, unless it was told not to.
func TestMulticast(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		both(t, func(t *testing.T, v6 bool) {
			f := buildFork(t)
			for i := range f.wires {
				for _, noLoop := range []bool{false, true} {
					l := openLink(t, f.client, lib.ICMPConfig{
						Family: family(v6), Mode: mode, Interface: f.client.Iface(i).Name, NoLoop: noLoop,
					})
					f.checkMulticast(t, l, i, noLoop)
				}
			}
		})
	})
}

func (f *fork) checkMulticast(t *testing.T, l *lib.ICMPLink, i int, noLoop bool) {
	t.Helper()
	v6 := l.Family() == lib.IPv6
	sendRequest(t, l, request(l, allHosts(v6), 1))
	heard := map[bool]int{} // by whether it was this host
	wanted := 2
	if noLoop {
		wanted = 1
	}
	count := func(r lib.Reply) bool {
		self := r.From.WithZone("") == r.To.WithZone("")
		if r.Kind != lib.KindEchoReply || !self && r.IfIndex != f.client.Iface(i).Index {
			t.Errorf("got %+v", r)
		}
		heard[self]++
		return heard[true]+heard[false] == wanted
	}
	answers(t, l, count)
	// What is still to come comes before the answer to a second question.
	peer := f.client.Iface(i).Peer().Addr(v6)
	sendRequest(t, l, request(l, peer, 2))
	for _, r := range answers(t, l, func(r lib.Reply) bool { return r.Key.Tag == 2 }) {
		if r.Key.Tag == 1 {
			count(r)
		}
	}
	if heard[false] != 1 || (heard[true] != 1) == !noLoop {
		t.Errorf("interface %d, no loop %v: %d answers of this host, %d of others", i, noLoop, heard[true], heard[false])
	}
	here, there := f.sent(t, i), f.sent(t, 1-i)
	if len(here) != 2 || here[0].dst != allHosts(v6) || here[0].ttl != 1 || len(there) != 0 {
		t.Errorf("interface %d: sent %+v, and by the other %+v", i, here, there)
	}
}

func TestBroadcast(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		f := buildFork(t)
		dst := netip.MustParseAddr("192.0.2.255")
		cfg := lib.ICMPConfig{Family: lib.IPv4, Mode: mode}
		l := openLink(t, f.client, cfg)
		if _, err := l.Send([]lib.Request{request(l, dst, 1)}); !errors.Is(err, unix.EACCES) {
			t.Errorf("got %v, want EACCES", err)
		}
		cfg.Broadcast = true
		l = openLink(t, f.client, cfg)
		sendRequest(t, l, request(l, dst, 1))
		answers(t, l, func(r lib.Reply) bool { return r.From == netip.MustParseAddr("192.0.2.20") })
	})
}

// TestPacketHeaders sees on the wire what a link was told to write there.
func TestPacketHeaders(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		both(t, func(t *testing.T, v6 bool) {
			f := buildFork(t)
			for _, tt := range []struct {
				cfg                lib.ICMPConfig
				ttl                uint8 // of the request
				unicast, multicast uint8
			}{
				{lib.ICMPConfig{}, 0, 64, 1},
				{lib.ICMPConfig{TTL: 9}, 0, 9, 9},
				{lib.ICMPConfig{MulticastTTL: 3}, 0, 64, 3},
				{lib.ICMPConfig{TTL: 9, MulticastTTL: 3}, 0, 9, 3},
				{lib.ICMPConfig{TTL: 9, MulticastTTL: 3}, 7, 7, 7},
			} {
				cfg := tt.cfg
				cfg.Family, cfg.Mode, cfg.Interface = family(v6), mode, "eth0"
				cfg.TOS = 0x28
				if v6 {
					cfg.FlowLabel = 0xabcde
				} else {
					cfg.Options = []byte{148, 4, 0, 0} // router alert
				}
				l := openLink(t, f.client, cfg)
				for dst, want := range map[netip.Addr]uint8{f.client.Iface(0).Peer().Addr(v6): tt.unicast, allHosts(v6): tt.multicast} {
					r := request(l, dst, 1)
					r.TTL = tt.ttl
					sendRequest(t, l, r)
					got := f.sent(t, 0)
					if len(got) != 1 || got[0].dst != dst || got[0].ttl != want || got[0].id != l.ID() ||
						got[0].label != cfg.FlowLabel || !bytes.Equal(got[0].options, cfg.Options) {
						t.Errorf("%+v: sent %+v to %v, want TTL %d", tt.cfg, got, dst, want)
					}
				}
			}
		})
	})
}

// TestFixSource has the route to a host change, and with it the address that
// packets leave from, unless that is fixed.
func TestFixSource(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		both(t, func(t *testing.T, v6 bool) {
			dst := netip.MustParsePrefix("203.0.113.0/24")
			if v6 {
				dst = netip.MustParsePrefix("2001:db8:9::/64")
			}
			for _, fix := range []bool{false, true} {
				f := buildFork(t)
				l := openLink(t, f.client, lib.ICMPConfig{Family: family(v6), Mode: mode, FixSource: fix})
				for i := range f.wires {
					end := f.client.Iface(i)
					labtest.OK(t, f.client.Route(lab.Route{Dst: dst, Via: end.Peer().Addr(v6)}))
					want := end.Addr(v6)
					if fix {
						want = f.client.Iface(0).Addr(v6)
					}
					sendRequest(t, l, request(l, dst.Addr().Next(), 1))
					if got := f.sent(t, i); len(got) != 1 || got[0].src != want {
						t.Errorf("fixed %v: sent %+v, want one from %v", fix, got, want)
					}
				}
			}
		})
	})
}

// TestFixSources has two hosts that are sent to from two addresses: each keeps
// its own, except that an IPv6 datagram socket can have only one.
func TestFixSources(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		both(t, func(t *testing.T, v6 bool) {
			f := buildFork(t)
			l := openLink(t, f.client, lib.ICMPConfig{Family: family(v6), Mode: mode, FixSource: true})
			for i := range f.wires {
				end := f.client.Iface(i)
				_, err := l.Send([]lib.Request{request(l, end.Peer().Addr(v6), 1)})
				got := f.sent(t, i)
				switch {
				case i == 1 && v6 && mode == lib.ModeDatagram:
					if !errors.Is(err, unix.EADDRNOTAVAIL) || len(got) != 0 {
						t.Errorf("got %v and sent %+v, want EADDRNOTAVAIL and nothing", err, got)
					}
				case err != nil || len(got) != 1 || got[0].src != end.Addr(v6):
					t.Errorf("got %v and sent %+v, want one from %v", err, got, end.Addr(v6))
				}
			}
		})
	})
}

// TestSourceFor asks in turn for the addresses that two hosts are sent to from,
// and of a link that is bound to one interface, which knows no other address.
func TestSourceFor(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		f := buildFork(t)
		free := openLink(t, f.client, lib.ICMPConfig{Family: family(v6)})
		bound := openLink(t, f.client, lib.ICMPConfig{Family: family(v6), Interface: "eth0"})
		for range 2 {
			for i := range f.wires {
				end := f.client.Iface(i)
				if got, err := free.SourceFor(end.Peer().Addr(v6)); err != nil || got != end.Addr(v6) {
					t.Errorf("got %v, %v, want %v", got, err, end.Addr(v6))
				}
				got, err := bound.SourceFor(end.Peer().Addr(v6))
				if i == 0 && (err != nil || got != end.Addr(v6)) || i == 1 && err == nil && got == end.Addr(v6) {
					t.Errorf("bound: got %v, %v to the network of %s", got, err, end.Name)
				}
			}
		}
	})
}
