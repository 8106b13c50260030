package pmtu_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

var attacker = netip.MustParseAddr("192.0.2.66")

// tooBig is a message that somebody else sends about a packet, before any answer.
func tooBig(p *probetest.Packet, mtu int) probetest.Delivery {
	r := p.Error(attacker, probetest.Error{Type: 3, Code: 4})
	r.MTU = mtu
	return probetest.Delivery{Reply: r}
}

// without is an effect that drops what f finds.
func without(f func(*icmpx.Reply) bool) probetest.Effect {
	return func(_ *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		kept := ds[:0]
		for _, d := range ds {
			if !f(&d.Reply) {
				kept = append(kept, d)
			}
		}
		return kept
	}
}

// before is an effect that adds a message.
func before(f func(*probetest.Packet) probetest.Delivery) probetest.Effect {
	return func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		return append([]probetest.Delivery{f(p)}, ds...)
	}
}

// What happens to answers that no scenario file can say.
func TestEffects(t *testing.T) {
	echo := func(r *icmpx.Reply) bool { return r.Kind == icmpx.KindEchoReply }
	tests := []struct {
		name, net string
		effect    probetest.Effect
		pmtu      int
		verdict   pmtu.Verdict
		direction pmtu.Direction
		back      int
		forged    bool
		code      pmtu.Code
	}{
		{"forged, 28 bytes quoted", "clear", before(func(p *probetest.Packet) probetest.Delivery {
			d := tooBig(p, 600)
			d.Reply.Quote.Payload, d.Reply.Quote.Len = nil, 28
			return d
		}), 1500, pmtu.Clear, pmtu.Unknown, 0, true, pmtu.CodeForged},
		{"forged where a link is small", "odd", before(func(p *probetest.Packet) probetest.Delivery {
			d := tooBig(p, 600)
			d.Reply.Quote.Payload, d.Reply.Quote.Len = nil, 28
			return d
		}), 1373, pmtu.Signalled, pmtu.Forward, 0, true, pmtu.CodeForged},
		{"wrong secret", "clear", before(func(p *probetest.Packet) probetest.Delivery {
			d := tooBig(p, 600)
			d.Reply.Quote.Payload = bytes.Repeat([]byte{1}, 20)
			return d
		}), 1500, pmtu.Clear, pmtu.Unknown, 0, true, pmtu.CodeForged},
		{"about a size never sent", "clear", before(func(p *probetest.Packet) probetest.Delivery {
			d := tooBig(p, 1300)
			d.Reply.Quote.TotalLen = 1499
			return d
		}), 1500, pmtu.Clear, pmtu.Unknown, 0, true, pmtu.CodeForged},
		{"about packets that may be fragmented", "clear", before(func(p *probetest.Packet) probetest.Delivery {
			d := tooBig(p, 1300)
			d.Reply.Quote.DF = false
			return d
		}), 1500, pmtu.Clear, pmtu.Unknown, 0, true, pmtu.CodeForged},
		{"large echoes vanish on the way back", "clear", without(func(r *icmpx.Reply) bool { return echo(r) && r.Bytes > 1380 }),
			1500, pmtu.BlackHoled, pmtu.Return, 1400, false, pmtu.CodeReturn},
		{"only small echoes are answered", "clear", without(func(r *icmpx.Reply) bool { return echo(r) && r.Bytes > 230 }),
			1500, pmtu.Clear, pmtu.Unknown, 0, false, pmtu.CodeSmallPings},
		{"no echo is answered", "odd", without(echo), 1373, pmtu.Signalled, pmtu.Forward, 0, false, pmtu.CodeLimit},
		{"datagrams vanish", "true-odd", without(func(r *icmpx.Reply) bool { return r.Quote.Proto == 17 }),
			1404, pmtu.BlackHoled, pmtu.Forward, 0, false, pmtu.CodeBlackHole},
		{"datagrams vanish, and what is behind the last router", "hole-last", without(func(r *icmpx.Reply) bool { return r.Quote.Proto == 17 }),
			0, pmtu.Unsure, pmtu.Unknown, 0, false, pmtu.CodeWhere},
		{"the first large answers are lost, the others come in fragments", "clear6", firstLost(1400),
			1500, pmtu.Clear, pmtu.Return, 1400, false, pmtu.CodeReturn},
		{"every answer twice", "true-odd", probetest.Duplicate(1, ms), 1404, pmtu.BlackHoled, pmtu.Forward, 0, false, pmtu.CodeBlackHole},
		{"answers are cut", "odd", probetest.Corrupt(probetest.Truncate(100)), 1373, pmtu.Signalled, pmtu.Forward, 0, false, pmtu.CodeLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			net := load(t, tt.net)
			net.Intercept = tt.effect
			s := discover(t, net, link(1500))
			s.check(t)
			r := &s.result
			if s.err != nil || r.PMTU != tt.pmtu || r.Verdict != tt.verdict || r.Direction != tt.direction ||
				r.ReturnMTU != tt.back || (r.Forged > 0) != tt.forged || !has(r, tt.code) {
				t.Errorf("%v\n%s", s.err, text(r))
			}
		})
	}
}

func has(r *pmtu.Result, c pmtu.Code) bool {
	for _, f := range r.Findings {
		if f.Code == c {
			return true
		}
	}
	return false
}

// firstLost is a host that learns of a small link on the way back by the loss of
// what it sends first, and fragments after that.
func firstLost(mtu int) probetest.Effect {
	var begin time.Time
	return func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		for i := range ds {
			r := &ds[i].Reply
			if r.Kind != icmpx.KindEchoReply || r.Bytes+p.Family.HeaderLen() <= mtu {
				continue
			}
			if begin.IsZero() {
				begin = p.Left
			}
			if p.Left.Equal(begin) {
				return nil
			}
			r.Frag = mtu
		}
		return ds
	}
}

// The path changes while it is searched.
func TestChanges(t *testing.T) {
	tests := []struct {
		name       string
		mtu, after int
		silent     bool
		at         time.Duration
		code       pmtu.Code
	}{
		{"down, between two bursts", 1450, 1300, false, 15 * ms, pmtu.CodeLimit},
		{"down, later", 1373, 1300, false, 30 * ms, pmtu.CodeChanged},
		{"up", 1300, 1450, false, 15 * ms, pmtu.CodeLimit},
		{"up to all", 1300, 1500, false, 15 * ms, ""},
		{"down to silence", 1373, 1300, true, 15 * ms, pmtu.CodeBlackHole},
		{"silently down", 1433, 1200, true, 70 * ms, pmtu.CodeChanged},
		{"silently up", 1300, 1450, true, 60 * ms, pmtu.CodeBlackHole},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := load(t, "odd").Hosts[0]
				with := func(mtu int) probetest.Host {
					h := host
					h.Path = append([]probetest.Hop(nil), host.Path...)
					h.Path[1].MTU, h.Path[1].NoTooBig = mtu, tt.silent
					return h
				}
				n := probetest.New(probetest.Options{Hosts: []probetest.Host{with(tt.mtu)}})
				e := probe.New(probe.Config{}, n.Link(icmpx.IPv4))
				time.AfterFunc(tt.at, func() { n.SetHost(with(tt.after)) })
				r, err := pmtu.Discover(t.Context(), e, host.Addr, link(1500), nil)
				if err != nil || r.PMTU != tt.after || tt.code != "" && !has(&r, tt.code) {
					t.Errorf("%v\n%s", err, text(&r))
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A only is a link for one protocol.
type only struct {
	*probetest.Link
	proto icmpx.Proto
}

func (l only) Keys(r *icmpx.Request) (icmpx.KeySpace, bool) {
	if r.Proto != l.proto {
		return icmpx.KeySpace{}, false
	}
	return l.Link.Keys(r)
}

// One of two methods does if the engine can carry no other.
func TestMissingLinks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		proto  icmpx.Proto
		method pmtu.Method
		fails  bool
	}{
		{"echo of both", icmpx.ProtoEcho, pmtu.Auto, false},
		{"UDP of both", icmpx.ProtoUDP, pmtu.Auto, false},
		{"neither", icmpx.ProtoTimestamp, pmtu.Auto, true},
		{"the other", icmpx.ProtoEcho, pmtu.TCP, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := load(t, "steps")
				n := probetest.New(net)
				e := probe.New(probe.Config{}, only{n.Link(icmpx.IPv4), tt.proto})
				s := with(t.Context(), e, net.Hosts[0].Addr, pmtu.Options{LinkMTU: 1500, Method: tt.method})
				switch {
				case tt.fails && !errors.Is(s.err, probe.ErrNoLink):
					t.Errorf("error %v", s.err)
				case !tt.fails && (s.err != nil || s.result.PMTU != 576):
					t.Errorf("%v\n%s", s.err, text(&s.result))
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A run that is ended says what it knows.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := load(t, "true-odd")
		n := probetest.New(o)
		e := probe.New(probe.Config{}, n.Link(icmpx.IPv4))
		ctx, cancel := context.WithTimeout(t.Context(), 75*ms)
		defer cancel()
		s := with(ctx, e, o.Hosts[0].Addr, link(1500))
		if !errors.Is(s.err, context.DeadlineExceeded) || !s.result.Interrupted || s.result.AtLeast != 1401 || s.result.Duration != 75*ms {
			t.Errorf("%v\n%s", s.err, text(&s.result))
		}
		time.AfterFunc(75*ms, func() { _ = e.Close() })
		s = with(t.Context(), e, o.Hosts[0].Addr, link(1500))
		if !errors.Is(s.err, net.ErrClosed) || !s.result.Interrupted {
			t.Errorf("%v\n%s", s.err, text(&s.result))
		}
	})
}

// What this host does not send.
func TestNotSent(t *testing.T) {
	refused := func(size int) func(*icmpx.Request) error {
		return func(r *icmpx.Request) error {
			if r.Size >= size {
				return syscall.EPERM
			}
			return nil
		}
	}
	net := load(t, "clear")
	net.SendErr = refused(0)
	if s := discover(t, net, link(1500)); !errors.Is(s.err, syscall.EPERM) {
		t.Errorf("nothing sent: error %v", s.err)
	}
	net.SendErr = refused(1450)
	s := discover(t, net, link(1500))
	if r := &s.result; s.err != nil || r.Verdict != pmtu.Unsure || r.AtLeast != 1449 && r.AtLeast != 1420 || !has(r, pmtu.CodeNotSent) {
		t.Errorf("large ones not sent: %v\n%s", s.err, text(r))
	}
}

func TestOptions(t *testing.T) {
	v4, v6 := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::9")
	for _, tt := range []struct {
		dst  netip.Addr
		o    pmtu.Options
		want string
	}{
		{netip.Addr{}, pmtu.Options{}, "invalid address"},
		{v4, pmtu.Options{Method: 9}, "unknown method 9"},
		{v4, pmtu.Options{Min: 67}, "below the smallest MTU of IPv4, 68"},
		{v6, pmtu.Options{Min: 1279}, "below the smallest MTU of IPv6, 1280"},
		{v6, pmtu.Options{Max: 1000}, "below the smallest MTU of IPv6, 1280"},
		{v4, pmtu.Options{Max: 65536}, "above the largest packet of IPv4, 65535"},
		{v4, pmtu.Options{Min: 1400, Max: 1300}, "above the largest size 1300"},
		{v4, pmtu.Options{Min: 1501, LinkMTU: 1500}, "above the interface's MTU, 1500"},
		{v4, pmtu.Options{Max: 1501, LinkMTU: 1500}, "above the interface's MTU, 1500"},
		{v4, pmtu.Options{LinkMTU: 60}, "below the 68 bytes of a probe"},
		{v4, pmtu.Options{LinkMTU: -1}, "negative MTU"},
		{v4, pmtu.Options{TTL: 256}, "TTL 256 is not 1 to 255"},
		{v4, pmtu.Options{MaxTTL: -1}, "last TTL -1 is not 1 to 255"},
		{v4, pmtu.Options{TOS: 256}, "type of service 256"},
		{v4, pmtu.Options{MaxPackets: 9}, "9 packets are not 10 to 10000"},
		{v4, pmtu.Options{Wait: -1}, "negative time"},
	} {
		_, err := pmtu.Discover(t.Context(), nil, tt.dst, tt.o, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.o, err, tt.want)
		}
		if sizes := tt.o.Min+tt.o.Max+tt.o.LinkMTU != 0; sizes != errors.Is(err, pmtu.ErrSize) {
			t.Errorf("%+v: error %v about sizes: %v", tt.o, err, sizes)
		}
	}
}

// Too big messages about probes that were never sent are ignored, and told of.
func TestStrays(t *testing.T) {
	o := load(t, "clear")
	o.Intercept = before(func(p *probetest.Packet) probetest.Delivery {
		d := tooBig(p, 600)
		d.Reply.Key.Tag += 5000
		return d
	})
	s := discover(t, o, link(1500))
	s.check(t)
	if r := &s.result; s.err != nil || r.PMTU != 1500 || r.Verdict != pmtu.Clear || r.Strays != r.Sent || !has(r, pmtu.CodeStrays) {
		t.Errorf("%v\n%s", s.err, text(r))
	}
}

// This host's firewall drops datagrams: echo does alone.
func TestOwnFirewall(t *testing.T) {
	o := load(t, "steps")
	o.SendErr = func(r *icmpx.Request) error {
		if r.Proto == icmpx.ProtoUDP {
			return syscall.EPERM
		}
		return nil
	}
	s := discover(t, o, link(1500))
	if r := &s.result; s.err != nil || r.PMTU != 576 || r.Sent > 40 || !has(r, pmtu.CodeNotSent) {
		t.Errorf("%v\n%s", s.err, text(r))
	}
}
