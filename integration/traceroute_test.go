//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"testing"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
	"github.com/icmpx/icmpx/probe"
)

// sourceRouters are links that send by the gateways.
func sourceRouters(gateways []netip.Addr) map[string]tracer {
	list := map[string]tracer{}
	for _, mode := range []lib.Mode{lib.ModeRaw, lib.ModeDatagram} {
		ports := lib.PortConfig{Family: lib.IPv4, Mode: mode, Gateways: gateways}
		for _, classic := range []bool{false, true} {
			list[fmt.Sprintf("udp %v classic=%v", mode, classic)] = tracer{
				proto: lib.ProtoUDP, end: lib.KindUnreachable,
				open: func(lib.Family) (probe.Link, error) {
					return lib.ListenUDP(lib.UDPConfig{PortConfig: ports, Classic: classic})
				},
			}
		}
		list[fmt.Sprintf("tcp %v", mode)] = tracer{
			proto: lib.ProtoTCPSYN, end: lib.KindTCPClosed,
			open: func(lib.Family) (probe.Link, error) { return lib.ListenTCP(lib.TCPConfig{PortConfig: ports}) },
		}
	}
	return list
}

// TestSourceRoute sends by two routers that are on the way anyhow, one after the
// other: every answer finds its probe, although the packets before the last
// gateway are for another address. Only a connection never hears of errors about
// these.
func TestSourceRoute(t *testing.T) {
	gateways := []netip.Addr{netip.MustParseAddr("198.51.100.11"), netip.MustParseAddr("198.51.100.31")}
	for name, tr := range sourceRouters(gateways) {
		t.Run(name, func(t *testing.T) {
			n := labtest.Build(t, "chain")
			for _, host := range append([]string{"client"}, chainHops...) {
				settings := []lab.Sysctl{{Name: "net.ipv4.conf.all.accept_source_route", Value: "1"}, {Name: "net.ipv4.conf.eth0.accept_source_route", Value: "1"}}
				if host[0] == 'r' {
					settings = append(settings, lab.Sysctl{Name: "net.ipv4.conf.eth1.accept_source_route", Value: "1"})
				}
				labtest.OK(t, n.At(host).Sysctl(settings...))
			}
			capture, err := n.Client.Iface(0).Capture()
			labtest.OK(t, err)
			defer capture.Close()
			e := openEngine(t, n.Client, func() (probe.Link, error) { return tr.open(lib.IPv4) })
			first := 1
			if name == "tcp datagram" {
				first = 5
			}
			for ttl, list := range fire(t, e, tr, n.Addr("server", false), first, 2) {
				for i := range list {
					checkHop(t, n, tr, false, ttl, &list[i])
				}
			}
			frames, err := capture.Frames()
			labtest.OK(t, err)
			for _, f := range frames {
				h, err := lib.ParseIPv4Header(f.Data)
				if f.Out && f.Data[0]>>4 == 4 && (err != nil || len(h.Options) != 12 || h.Dst != gateways[0]) {
					t.Errorf("packet %+v, %v, want a source route by %v", h, err, gateways)
				}
			}
		})
	}
}
