package pmtu_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

// A search through a network in memory, in which a link takes 1412 bytes and
// nobody says so. With links of package icmpx in place of its link the same
// searches the Internet.
func ExampleDiscover() {
	network := probetest.New(probetest.Options{Hosts: []probetest.Host{{
		Addr: netip.MustParseAddr("203.0.113.9"),
		Path: []probetest.Hop{
			{Addr: netip.MustParseAddr("198.51.100.1"), RTT: 2 * time.Millisecond},
			{Addr: netip.MustParseAddr("198.51.100.2"), RTT: 5 * time.Millisecond, MTU: 1412, NoTooBig: true},
			{Addr: netip.MustParseAddr("198.51.100.3"), RTT: 9 * time.Millisecond},
		},
		Hop: probetest.Hop{RTT: 14 * time.Millisecond},
	}}})
	engine := probe.New(probe.Config{}, network.Link(icmpx.IPv4))
	defer engine.Close()

	dst := netip.MustParseAddr("203.0.113.9")
	result, err := pmtu.Discover(context.Background(), engine, dst, pmtu.Options{LinkMTU: 1500}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Verdict, result.PMTU, result.Direction)
	for _, f := range result.Findings {
		fmt.Printf("%v: %s\n", f.Code, f.Text)
	}
	// Output:
	// black_hole 1412 forward
	// black_hole: packets above 1412 bytes vanish without a word between hop 2 (198.51.100.2) and hop 3 (198.51.100.3): connections open and hang; 198.51.100.2 must send fragmentation needed (type 3 code 4) with next-hop MTU 1412, and firewalls must let it through
	// likely_cause: 1412 bytes are consistent with WireGuard over IPv6 and PPPoE (88 bytes)
	// tcp_mss: TCP segments of up to 1372 bytes fit over IPv4 and of up to 1352 over IPv6: clamp the maximum segment size to that where connections hang
}
