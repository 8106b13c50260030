// Package router is a router in userspace: a chain of virtual hops between the
// ends of veth pairs, which delays, loses, duplicates, reorders, damages,
// forges, limits, translates and misinforms, as no kernel does. The lab puts
// one between two hosts:
//
//	n, err := lab.BuildRouted(lab.RoutedOptions{Router: router.Config{
//		Hops: []router.Hop{
//			{Delay: 5 * time.Millisecond}, // each way
//			{Delay: 5 * time.Millisecond, MTU: 1400},
//			{Silent: true},
//		},
//		Back: router.Way{Loss: 0.01, Rules: []router.Rule{
//			{When: router.When{Every: 7, Match: router.EchoReply}, Do: router.Flip(100)},
//		}},
//	}})
//
// # What happens to a packet
//
// The chain has two ends: the first port, where the client is, and the second,
// where the server is. A packet from the client passes the link to the first
// hop, that hop, the link to the second hop, and so on, and at last the link
// from the last hop to the server. What comes back passes the same in reverse.
//
// On a link it may get lost, then the link's rules see it, then it takes the
// link's time. At a hop the hop's rules see it; the hop polices it; takes it, if
// it is its own; checks the TTL, rejects it, looks for a way on, and compares it
// with the MTU of the link that comes next; and it counts the TTL down,
// translates and marks what it sends on.
//
// Rules choose packets by a [When] and have an [Effect] each. There are many,
// and a test may write its own, which answers anything at any time:
//
//	func(p *router.Packet) router.Verdict {
//		if p.Family == icmpx.IPv4 && p.ICMPSeq == 3 {
//			p.Bytes[8] = 200 // the TTL
//			p.Fix()          // lengths and checksums
//		}
//		return router.Pass
//	}
//
// Everything is decided by the seed and by what arrived when: a router that
// receives the same packets at the same times sends the same packets at the
// same times.
//
// # Who answers what
//
// A hop answers echo requests to its address, and says that its UDP ports are
// closed. Its errors quote the packet as it arrived, as much as fits 576 or
// 1280 bytes, and follow the rules of RFC 1122 section 3.2.2 and RFC 4443
// section 2.4: none about errors, later fragments, and multicasts. The router
// answers ARP and neighbour solicitations for the addresses of its ports. It is
// no part of the kernel of the namespace that its ports are in: that must not
// forward, nor own any of these addresses.
package router
