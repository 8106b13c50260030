//go:build linux

package integration

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
	"github.com/icmpx/icmpx/probe"
)

// A tracer is a kind of link that a trace may use.
type tracer struct {
	name     string
	proto    lib.Proto
	end      lib.Kind // what a host without open ports answers
	constant bool     // all probes of a path have the same flow
	open     func(lib.Family) (probe.Link, error)
}

// openUDP returns what opens a UDP link.
func openUDP(mode lib.Mode, classic bool) func(lib.Family) (probe.Link, error) {
	return func(f lib.Family) (probe.Link, error) {
		return lib.ListenUDP(lib.UDPConfig{PortConfig: lib.PortConfig{Family: f, Mode: mode, Paths: 2}, Classic: classic})
	}
}

func openTCP(mode lib.Mode) func(lib.Family) (probe.Link, error) {
	return func(f lib.Family) (probe.Link, error) {
		return lib.ListenTCP(lib.TCPConfig{PortConfig: lib.PortConfig{Family: f, Mode: mode, Paths: 2}})
	}
}

func openEcho(mode lib.Mode) func(lib.Family) (probe.Link, error) {
	return func(f lib.Family) (probe.Link, error) {
		return lib.ListenICMP(lib.ICMPConfig{Family: f, Mode: mode, ConstantChecksum: true})
	}
}

var tracers = []tracer{
	{"udp", lib.ProtoUDP, lib.KindUnreachable, true, openUDP(lib.ModeRaw, false)},
	{"udp-classic", lib.ProtoUDP, lib.KindUnreachable, false, openUDP(lib.ModeRaw, true)},
	{"icmp", lib.ProtoEcho, lib.KindEchoReply, true, openEcho(lib.ModeRaw)},
	{"tcp", lib.ProtoTCPSYN, lib.KindTCPClosed, true, openTCP(lib.ModeRaw)},
	{"plain udp", lib.ProtoUDP, lib.KindUnreachable, false, openUDP(lib.ModeDatagram, false)},
	{"plain udp-classic", lib.ProtoUDP, lib.KindUnreachable, false, openUDP(lib.ModeDatagram, true)},
	{"plain icmp", lib.ProtoEcho, lib.KindEchoReply, true, openEcho(lib.ModeDatagram)},
	{"plain tcp", lib.ProtoTCPSYN, lib.KindTCPClosed, false, openTCP(lib.ModeDatagram)},
}

// chainHops are the routers of the topology chain, and its end.
var chainHops = []string{"r1", "r2", "r3", "r4", "r5", "server"}

// fire sends probes to dst, rounds for each TTL from the first, all at once, and
// returns their final results by TTL.
func fire(t *testing.T, e *probe.Engine, tr tracer, dst netip.Addr, first, rounds int) map[int][]probe.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	finals := make(chan probe.Result, 1000)
	const last = 8
	for range rounds {
		for ttl := first; ttl <= last; ttl++ {
			p := probe.Probe{Ref: uint64(ttl), Request: lib.Request{Proto: tr.proto, Dst: dst, Port: 33434, TTL: uint8(ttl), TOS: 0x20}}
			if p.Size = lib.FamilyOf(dst).HeaderLen() + 40; tr.proto == lib.ProtoTCPSYN {
				p.Size = 0
			}
			labtest.OK(t, e.Start(ctx, p, func(r *probe.Result) {
				if r.Fate.Final() {
					finals <- r.Clone()
				}
			}))
		}
	}
	byTTL := map[int][]probe.Result{}
	for range rounds * (last - first + 1) {
		select {
		case r := <-finals:
			byTTL[int(r.Probe.Ref)] = append(byTTL[int(r.Probe.Ref)], r)
		case <-ctx.Done():
			t.Fatalf("no more results behind %v", byTTL)
		}
	}
	return byTTL
}

// TestTraceLinks has every kind of link find the routers of a chain in order,
// by probes that take one path as far as the kind can see to that.
func TestTraceLinks(t *testing.T) {
	for _, tr := range tracers {
		t.Run(tr.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				n := labtest.Build(t, "chain")
				labtest.OK(t, n.Client.AllowPing())
				capture, err := n.Client.Iface(0).Capture()
				labtest.OK(t, err)
				defer capture.Close()
				e := openEngine(t, n.Client, func() (probe.Link, error) { return tr.open(family(v6)) })
				const rounds = 3
				results := fire(t, e, tr, n.Addr("server", v6), 1, rounds)
				for ttl, list := range results {
					for i := range list {
						checkHop(t, n, tr, v6, ttl, &list[i])
					}
				}
				if c := e.Counters(); c.Strays+c.Forged+c.Stale+c.OwnDrops != 0 {
					t.Errorf("counters %+v", c)
				}
				frames, err := capture.Frames()
				labtest.OK(t, err)
				checkFlows(t, tr, frames, 8*rounds)
			})
		})
	}
}

func openEngine(t *testing.T, h *lab.Host, open func() (probe.Link, error)) *probe.Engine {
	t.Helper()
	var l probe.Link
	labtest.OK(t, h.Do(func() (err error) {
		l, err = open()
		return err
	}))
	e := probe.New(probe.Config{Timeout: 5 * time.Second}, l)
	t.Cleanup(func() { e.Close() })
	return e
}

func checkHop(t *testing.T, n *lab.Network, tr tracer, v6 bool, ttl int, r *probe.Result) {
	t.Helper()
	hop := chainHops[min(ttl, len(chainHops))-1]
	kind := tr.end
	if hop != "server" {
		kind = lib.KindTimeExceeded
	}
	if r.Fate != probe.Answered || r.Reply.Kind != kind || r.Reply.From != n.Addr(hop, v6) {
		t.Errorf("TTL %d: %v, %v from %v (%v), want %v from %s", ttl, r.Fate, r.Reply.Kind, r.Reply.From, r.Err, kind, hop)
		return
	}
	if kind.Quotes() && tr.proto != lib.ProtoTCPSYN && r.Reply.Trust != lib.Verified {
		t.Errorf("TTL %d: answer is %v", ttl, r.Reply.Trust)
	}
	if r.Damage != (probe.Damage{}) {
		t.Errorf("TTL %d: payload came back changed: %+v", ttl, r.Damage)
	}
	if r.RTT <= 0 {
		t.Errorf("TTL %d: took %v", ttl, r.RTT)
	}
}

// checkFlows looks at what left the client: the checksums are right, and of a
// constant flow all that routers choose a path by is the same.
func checkFlows(t *testing.T, tr tracer, frames []lab.Frame, want int) {
	t.Helper()
	number := map[lib.Proto][2]uint8{lib.ProtoUDP: {17, 17}, lib.ProtoTCPSYN: {6, 6}, lib.ProtoEcho: {1, 58}}[tr.proto]
	flows, seen := map[string]int{}, 0
	for _, f := range frames {
		p, ok := transportOf(f)
		if !ok || p.proto != number[0] && p.proto != number[1] || p.proto == 58 && p.l4[0] != 128 || p.proto == 6 && p.l4[13] != lib.TCPSyn {
			continue
		}
		seen++
		sum := lib.PseudoSum(p.src, p.dst, len(p.l4), p.proto)
		if p.proto == 1 {
			sum = 0
		}
		if c := lib.ChecksumFrom(sum, p.l4); c != 0 {
			t.Errorf("checksum of % x is wrong by %#04x", p.l4, c)
		}
		flows[p.flow]++
	}
	if seen != want {
		t.Errorf("%d probes on the wire, want %d", seen, want)
	}
	if tr.constant && len(flows) != 1 {
		t.Errorf("%d flows, want 1: %v", len(flows), flows)
	}
}

// A sentPacket is a packet of the client.
type sentPacket struct {
	src, dst netip.Addr
	proto    uint8
	l4       []byte
	flow     string // addresses, protocol, the first 4 bytes behind, IPv6's flow label, and an echo's identifier
}

func transportOf(f lab.Frame) (p sentPacket, ok bool) {
	if !f.Out || len(f.Data) < 28 {
		return p, false
	}
	label := uint32(0)
	if f.Data[0]>>4 == 4 {
		h, err := lib.ParseIPv4Header(f.Data)
		if err != nil {
			return p, false
		}
		p = sentPacket{src: h.Src, dst: h.Dst, proto: h.Proto, l4: f.Data[h.Len():h.TotalLen]}
	} else {
		h, err := lib.ParseIPv6Header(f.Data)
		if err != nil {
			return p, false
		}
		p = sentPacket{src: h.Src, dst: h.Dst, proto: h.Proto, l4: f.Data[h.Len() : 40+h.PayloadLen]}
		label = h.FlowLabel
	}
	if len(p.l4) < 8 || p.proto == 6 && len(p.l4) < 20 {
		return p, false
	}
	p.flow = fmt.Sprintf("%v %v %d %x %x", p.src, p.dst, p.proto, p.l4[:4], label)
	if p.proto == 1 || p.proto == 58 {
		p.flow += fmt.Sprintf(" id %x", p.l4[4:6])
	}
	return p, true
}
