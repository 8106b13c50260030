package trace_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
	"github.com/icmpx/icmpx/trace"
)

// A trace through a network in memory. With links of package icmpx in place of
// its link the same finds the way through the Internet.
func ExampleRun() {
	network := probetest.New(probetest.Options{Hosts: []probetest.Host{{
		Addr: netip.MustParseAddr("203.0.113.9"),
		Path: []probetest.Hop{
			{Addr: netip.MustParseAddr("198.51.100.1"), RTT: 2 * time.Millisecond},
			{Addr: netip.MustParseAddr("198.51.100.2"), RTT: 5 * time.Millisecond, NAT: netip.MustParseAddr("192.0.2.77")},
			{Addr: netip.MustParseAddr("198.51.100.3"), RTT: 9 * time.Millisecond},
		},
		Hop: probetest.Hop{RTT: 14 * time.Millisecond},
	}}})
	engine := probe.New(probe.Config{}, network.Link(icmpx.IPv4))
	defer engine.Close()

	dst := netip.MustParseAddr("203.0.113.9")
	result, err := trace.Run(context.Background(), engine, dst, trace.Options{Queries: 1}, func(ev *trace.Event) {
		if ev.Row != nil {
			p := ev.Row.Probes[0]
			fmt.Println(ev.Row.TTL, p.From, p.Kind, p.RTT)
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("reached:", result.Reached)
	for _, f := range result.Findings {
		fmt.Printf("%v at hop %d: %s\n", f.Code, f.Hop, f.Text)
	}
	// Output:
	// 1 198.51.100.1 time_exceeded 2ms
	// 2 198.51.100.2 time_exceeded 5ms
	// 3 198.51.100.3 time_exceeded 9ms
	// 4 203.0.113.9 unreachable 14ms
	// reached: true
	// nat at hop 3: packets arrive at hop 3 with another source and checksum: a translator sits before it
}
