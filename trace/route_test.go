package trace_test

import (
	"net/netip"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
	"github.com/icmpx/icmpx/trace"
)

const routeBytes = 3 + 2*4 + 1 // of two gateways

// routed is a path of five routers by the second and the fourth: packets carry a
// source route, which the network in memory does not know, and errors quote them
// so.
func routed() (probetest.Options, []netip.Addr) {
	o := chain(5)
	path := o.Hosts[0].Path
	gateways := []netip.Addr{path[1].Addr, path[3].Addr}
	o.Intercept = func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		for i := range ds {
			q := &ds[i].Reply.Quote
			if q.Family == 0 {
				continue
			}
			q.TotalLen += routeBytes
			switch {
			case p.Request.TTL <= 2:
				q.Dst = gateways[0]
			case p.Request.TTL <= 4:
				q.Dst = gateways[1]
			}
		}
		return ds
	}
	return o, gateways
}

// A source route is no translator, and its option no damage; but what is
// neither gateway nor destination is.
func TestSourceRoute(t *testing.T) {
	o, gateways := routed()
	for _, m := range []trace.Method{trace.UDP, trace.UDPClassic, trace.UDPFixed, trace.TCP} {
		o.Classic = m == trace.UDPClassic
		s := run(t, o, trace.Options{Method: m, Gateways: gateways})
		r := &s.result
		if !r.Reached || r.Hops != 6 {
			t.Errorf("%s", text(r))
		}
		wantCodes(t, r)
		if want := 60 + routeBytes; m != trace.TCP && (r.Size != want || r.Rows[0].Probes[0].Size != want) {
			t.Errorf("%v: packets of %d bytes, of which %d are told, want %d", m, r.Rows[0].Probes[0].Size, r.Size, want)
		}
	}
	o.Classic = false
	s := run(t, o, trace.Options{})
	wantCodes(t, &s.result, "nat", "length_changed")
	s = run(t, o, trace.Options{Gateways: gateways[:1]})
	wantCodes(t, &s.result, "length_changed", "nat")
	if f := s.result.Findings; len(f) == 2 && f[1].Hop != 3 {
		t.Errorf("the translator is before hop %d, want 3", f[1].Hop)
	}
}

// What a router says about packets counts their source route too.
func TestSourceRouteMTU(t *testing.T) {
	o, gateways := routed()
	router, inner := o.Hosts[0].Path[2].Addr, o.Intercept
	o.Intercept = func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		if p.Request.TTL <= 3 || p.Size+routeBytes <= 1400 {
			return inner(p, ds)
		}
		r := p.Error(router, probetest.Error{Type: 3, Code: 4})
		r.MTU = 1400
		return inner(p, []probetest.Delivery{{After: 10 * ms, Reply: r}})
	}
	s := run(t, o, trace.Options{MTU: true, Gateways: gateways, Size: 1500})
	r := &s.result
	if !r.Reached || r.Rows[2].MTU != 0 || r.Rows[3].MTU != 1400 || r.Rows[5].Probes[0].Size != 1400 {
		t.Errorf("%s", text(r))
	}
	wantCodes(t, r, "mtu_drop")
	s = run(t, o, trace.Options{MTU: true, Gateways: gateways})
	if r := &s.result; !r.Reached || r.Size != 65535 || r.Rows[5].Probes[0].Size != 1400 {
		t.Errorf("%s", text(r))
	}
}

// The last question goes by no source route, and is judged so.
func TestSourceRouteQuestion(t *testing.T) {
	o := load(t, "dead")
	s := run(t, o, trace.Options{Gateways: []netip.Addr{router(1)}})
	for _, q := range s.result.Questions {
		if want := map[trace.Method]int{trace.ICMP: 60}[q.Method]; q.Probe.Size != want {
			t.Errorf("asked by %v with %d bytes, want %d", q.Method, q.Probe.Size, want)
		}
	}
	if len(s.result.Questions) == 0 {
		t.Error("no last question")
	}
}

func router(n byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, n}) }

func TestHeaderLen(t *testing.T) {
	for n, want := range map[int]int{0: 20, 1: 28, 2: 32, 8: 56} {
		o := trace.Options{Gateways: make([]netip.Addr, n)}
		if got := o.HeaderLen(icmpx.IPv4); got != want {
			t.Errorf("%d gateways: header of %d bytes, want %d", n, got, want)
		}
	}
	if got := (&trace.Options{}).HeaderLen(icmpx.IPv6); got != 40 {
		t.Errorf("IPv6: header of %d bytes", got)
	}
}
