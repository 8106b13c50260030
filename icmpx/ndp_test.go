package icmpx_test

import (
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

var (
	linkAddr = unhex("0200 0000 0001")
	routeA   = netip.MustParseAddr("2001:db8:aa::")
	groupA   = netip.MustParseAddr("ff02::1:ff00:77")
)

// everyOption is an option of each kind that Parse takes apart, and one that it
// does not.
func everyOption() []icmpx.NDOption {
	return []icmpx.NDOption{
		&icmpx.NDLinkAddr{Addr: linkAddr},
		&icmpx.NDLinkAddr{Target: true, Addr: append(unhex("0011223344556677"), make([]byte, 6)...)},
		&icmpx.NDPrefixInfo{PrefixLen: 64, OnLink: true, Autonomous: true, Valid: math.MaxUint32, Preferred: 604800, Prefix: routeA},
		&icmpx.NDPrefixInfo{PrefixLen: 128, RouterAddr: true, Delegated: true, Prefix: addr6a},
		&icmpx.NDRedirected{Data: quotedUDP(icmpx.IPv6)},
		&icmpx.NDMTU{MTU: 1500},
		&icmpx.NDAddrList{Addrs: []netip.Addr{addr6a}},
		&icmpx.NDAddrList{Target: true, Addrs: []netip.Addr{addr6a, addr6b}},
		&icmpx.NDNonce{Nonce: unhex("0e2b708bebf4")},
		&icmpx.NDRouteInfo{Preference: 3, Lifetime: 600, Prefix: netip.IPv6Unspecified()},
		&icmpx.NDRouteInfo{PrefixLen: 48, Preference: 1, Lifetime: 600, Prefix: routeA},
		&icmpx.NDRouteInfo{PrefixLen: 48, Lifetime: 600, Prefix: routeA, Units: 3},
		&icmpx.NDRouteInfo{PrefixLen: 65, Lifetime: 600, Prefix: addr6a},
		&icmpx.NDRDNSS{Lifetime: 300, Servers: []netip.Addr{addr6a, addr6b}},
		&icmpx.NDDNSSL{Lifetime: 600, Domains: []string{"example.org", "lab.example"}},
		&icmpx.NDCaptivePortal{URI: "https://portal.example"},
		&icmpx.NDPREF64{Lifetime: 600, PrefixLen: 96, Prefix: netip.MustParseAddr("64:ff9b::")},
		&icmpx.NDPREF64{Lifetime: 65528, PrefixLen: 32, Prefix: routeA},
		&icmpx.NDRawOption{Type: 200, Data: unhex("1349fa931936")},
	}
}

// discoveryRoundTrips is every kind of message of neighbour and listener
// discovery. The bytes of some were written by other programs.
func discoveryRoundTrips() []roundTrip {
	many := make([]icmpx.NDOption, 64)
	for i := range many {
		many[i] = &icmpx.NDRawOption{Type: 253, Data: make([]byte, 6)}
	}
	records := []icmpx.MLDRecord{
		{Type: 1, Group: groupA, Sources: []netip.Addr{addr6a, addr6b}, Extra: []byte{}},
		{Type: 255, Group: groupA, Sources: []netip.Addr{}, Extra: unhex("01020304")},
	}
	return []roundTrip{
		{"solicited by nobody", ipv6.ICMPTypeRouterSolicitation, 0, &icmpx.NDRouterSolicitation{}, ""},
		{"ICMPv6 router solicitation", ipv6.ICMPTypeRouterSolicitation, 0,
			&icmpx.NDRouterSolicitation{Options: []icmpx.NDOption{&icmpx.NDLinkAddr{Addr: linkAddr}}}, ""},
		{"ICMPv6 router advertisement", ipv6.ICMPTypeRouterAdvertisement, 0,
			&icmpx.NDRouterAdvertisement{HopLimit: 64, Managed: true, Other: true, HomeAgent: true, Preference: 3, Proxy: true,
				Lifetime: 1800, Reachable: math.MaxUint32, Retransmit: 1, Options: everyOption()}, ""},
		{"neighbour solicitation", ipv6.ICMPTypeNeighborSolicitation, 0,
			&icmpx.NeighborSolicitation{Target: addr6b, Options: []icmpx.NDOption{&icmpx.NDLinkAddr{Addr: linkAddr}}}, ""},
		{"64 options", ipv6.ICMPTypeNeighborSolicitation, 0, &icmpx.NeighborSolicitation{Target: addr6b, Options: many}, ""},
		{"neighbour advertisement", ipv6.ICMPTypeNeighborAdvertisement, 0,
			&icmpx.NeighborAdvertisement{Router: true, Solicited: true, Override: true, Target: addr6b}, ""},
		{"ICMPv6 redirect", ipv6.ICMPTypeRedirect, 0,
			&icmpx.NDRedirect{Target: addr6a, Destination: addr6b, Options: []icmpx.NDOption{&icmpx.NDRedirected{Data: quotedUDP(icmpx.IPv6)}}}, ""},
		{"inverse solicitation", ipv6.ICMPTypeInverseNeighborDiscoverySolicitation, 0,
			&icmpx.InverseNeighbor{Options: []icmpx.NDOption{&icmpx.NDAddrList{Addrs: []netip.Addr{addr6a}}}}, ""},
		{"inverse advertisement", ipv6.ICMPTypeInverseNeighborDiscoveryAdvertisement, 0, &icmpx.InverseNeighbor{}, ""},
		{"MLD query", ipv6.ICMPTypeMulticastListenerQuery, 0, &icmpx.MLD{MaxDelay: 10000, Group: netip.IPv6Unspecified()}, ""},
		{"MLD report", ipv6.ICMPTypeMulticastListenerReport, 0, &icmpx.MLD{Group: groupA}, ""},
		{"MLD done", ipv6.ICMPTypeMulticastListenerDone, 0, &icmpx.MLD{Group: groupA}, ""},
		{"MLDv2 query", ipv6.ICMPTypeMulticastListenerQuery, 0,
			&icmpx.MLDv2Query{MaxResponse: 0x8123, Group: groupA, Suppress: true, Robustness: 7, Interval: 125, Sources: []netip.Addr{addr6a}}, ""},
		{"MLDv2 report", ipv6.ICMPTypeVersion2MulticastListenerReport, 0, &icmpx.MLDv2Report{Records: records}, ""},
	}
}

func TestMarshalDiscoveryRefuses(t *testing.T) {
	option := func(o icmpx.NDOption) icmp.MessageBody {
		return &icmpx.NDRouterSolicitation{Options: []icmpx.NDOption{o}}
	}
	v4 := addr4a
	tests := []struct {
		name string
		body icmp.MessageBody
		want error
	}{
		{"no target", &icmpx.NeighborSolicitation{}, icmpx.ErrVersion},
		{"IPv4 target", &icmpx.NeighborAdvertisement{Target: v4}, icmpx.ErrVersion},
		{"IPv4 destination", &icmpx.NDRedirect{Target: addr6a, Destination: v4}, icmpx.ErrVersion},
		{"router preference", &icmpx.NDRouterAdvertisement{Preference: 4}, icmpx.ErrLength},
		{"65 options", &icmpx.InverseNeighbor{Options: make([]icmpx.NDOption, 65)}, icmpx.ErrLimit},
		{"nil", option(nil), icmpx.ErrLength},
		{"option of 2048 bytes", option(&icmpx.NDRawOption{Data: make([]byte, 2039)}), icmpx.ErrLength},
		{"prefix length", option(&icmpx.NDPrefixInfo{PrefixLen: 129, Prefix: routeA}), icmpx.ErrLength},
		{"IPv4 prefix", option(&icmpx.NDPrefixInfo{Prefix: v4}), icmpx.ErrVersion},
		{"IPv4 route", option(&icmpx.NDRouteInfo{Prefix: v4}), icmpx.ErrVersion},
		{"route preference", option(&icmpx.NDRouteInfo{Prefix: routeA, PrefixLen: 48, Preference: 4}), icmpx.ErrLength},
		{"route too short", option(&icmpx.NDRouteInfo{Prefix: routeA, PrefixLen: 48, Units: 1}), icmpx.ErrLength},
		{"route too long", option(&icmpx.NDRouteInfo{Prefix: routeA, PrefixLen: 48, Units: 4}), icmpx.ErrLength},
		{"route beyond its bytes", option(&icmpx.NDRouteInfo{Prefix: addr6a, PrefixLen: 48}), icmpx.ErrLength},
		{"no server", option(&icmpx.NDRDNSS{}), icmpx.ErrLength},
		{"IPv4 server", option(&icmpx.NDRDNSS{Servers: []netip.Addr{v4}}), icmpx.ErrVersion},
		{"128 servers", option(&icmpx.NDRDNSS{Servers: make([]netip.Addr, 128)}), icmpx.ErrVersion},
		{"no address", option(&icmpx.NDAddrList{}), icmpx.ErrLength},
		{"no domain", option(&icmpx.NDDNSSL{}), icmpx.ErrLength},
		{"empty domain", option(&icmpx.NDDNSSL{Domains: []string{""}}), icmpx.ErrLength},
		{"empty label", option(&icmpx.NDDNSSL{Domains: []string{"a..b"}}), icmpx.ErrLength},
		{"label of 64 bytes", option(&icmpx.NDDNSSL{Domains: []string{strings.Repeat("a", 64)}}), icmpx.ErrLength},
		{"long domain", option(&icmpx.NDDNSSL{Domains: []string{strings.Repeat("a.", 127)}}), icmpx.ErrLength},
		{"backslash", option(&icmpx.NDDNSSL{Domains: []string{`a\.b`}}), icmpx.ErrReserved},
		{"zero in a URI", option(&icmpx.NDCaptivePortal{URI: "a\x00b"}), icmpx.ErrReserved},
		{"long URI", option(&icmpx.NDCaptivePortal{URI: strings.Repeat("a", 2039)}), icmpx.ErrLength},
		{"PREF64 of 95 bits", option(&icmpx.NDPREF64{PrefixLen: 95, Prefix: routeA}), icmpx.ErrLength},
		{"PREF64 for 4 s", option(&icmpx.NDPREF64{PrefixLen: 96, Lifetime: 4, Prefix: routeA}), icmpx.ErrLength},
		{"PREF64 suffix", option(&icmpx.NDPREF64{PrefixLen: 96, Prefix: addr6a}), icmpx.ErrLength},
		{"PREF64 of IPv4", option(&icmpx.NDPREF64{PrefixLen: 96, Prefix: v4}), icmpx.ErrVersion},
		{"IPv4 group", &icmpx.MLD{Group: v4}, icmpx.ErrVersion},
		{"robustness", &icmpx.MLDv2Query{Robustness: 8}, icmpx.ErrLength},
		{"IPv4 source", &icmpx.MLDv2Query{Sources: []netip.Addr{v4}}, icmpx.ErrVersion},
		{"65536 sources", &icmpx.MLDv2Query{Sources: make([]netip.Addr, 65536)}, icmpx.ErrLength},
		{"65536 records", &icmpx.MLDv2Report{Records: make([]icmpx.MLDRecord, 65536)}, icmpx.ErrLength},
		{"no group", &icmpx.MLDv2Report{Records: make([]icmpx.MLDRecord, 1)}, icmpx.ErrVersion},
		{"extra of 3 bytes", &icmpx.MLDv2Report{Records: []icmpx.MLDRecord{{Group: groupA, Extra: make([]byte, 3)}}}, icmpx.ErrLength},
		{"extra of 1024 bytes", &icmpx.MLDv2Report{Records: []icmpx.MLDRecord{{Group: groupA, Extra: make([]byte, 1024)}}}, icmpx.ErrLength},
	}
	for _, tt := range tests {
		b, err := icmpx.Marshal(&icmp.Message{Type: ipv6.ICMPTypeRouterSolicitation, Body: tt.body}, addr6a, addr6b)
		if b != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %x, %v; want %v", tt.name, b, err, tt.want)
		}
	}
}

// TestDiscoveryIsOfIPv6 checks that no body marshals for ICMPv4.
func TestDiscoveryIsOfIPv6(t *testing.T) {
	for _, tt := range discoveryRoundTrips() {
		if b, err := tt.body.Marshal(1); !errors.Is(err, icmpx.ErrVersion) {
			t.Errorf("%s: got %x, %v", tt.name, b, err)
		}
	}
}

// TestShortOptionsArePadded checks what Marshal does with contents that do not
// fill the last 8 bytes.
func TestShortOptionsArePadded(t *testing.T) {
	for _, o := range []icmpx.NDOption{
		&icmpx.NDLinkAddr{Addr: unhex("0102")}, &icmpx.NDNonce{Nonce: unhex("0102")}, &icmpx.NDRawOption{Type: 200, Data: unhex("0102")},
		&icmpx.NDCaptivePortal{URI: "\x01\x02"},
	} {
		b := mustMarshal(ipv6.ICMPTypeRouterSolicitation, 0, &icmpx.NDRouterSolicitation{Options: []icmpx.NDOption{o}})
		if got := b[8:]; len(got) != 8 || got[1] != 1 || [6]byte(got[2:]) != [6]byte{1, 2} {
			t.Errorf("%T: got %x", o, got)
		}
	}
	mld := mustMarshal(ipv6.ICMPTypeMulticastListenerQuery, 0, &icmpx.MLD{})
	if netip.AddrFrom16([16]byte(mld[8:])) != netip.IPv6Unspecified() {
		t.Errorf("group of a general query: got %x", mld[8:])
	}
}
