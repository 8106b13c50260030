package probetest_test

import (
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// A probe that may pass one router is answered by the second. Tests run the
// same under testing/synctest, where nobody waits.
func Example() {
	options, err := probetest.Parse(`
		stamps user
		host 203.0.113.9 rtt=3ms
		  hop 198.51.100.1 rtt=1ms
		  hop 198.51.100.2 rtt=2ms
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	link := probetest.New(options).Link(icmpx.IPv4)
	defer link.Close()

	request := icmpx.Request{Dst: netip.MustParseAddr("203.0.113.9"), TTL: 2, Size: 84}
	keys, _ := link.Keys(&request)
	request.Key = icmpx.Key{Flow: keys.Flow, Tag: keys.First}
	if _, err := link.Send([]icmpx.Request{request}); err != nil {
		fmt.Println(err)
		return
	}
	replies := make([]icmpx.Reply, 1)
	if _, err := link.Recv(replies); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(replies[0].Kind, "from", replies[0].From)
	fmt.Println("TTL", replies[0].Quote.TTL, "when it was refused")
	// Output:
	// time_exceeded from 198.51.100.2
	// TTL 1 when it was refused
}
