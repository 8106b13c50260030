// Package probetest is a network in memory, for tests and examples: hosts
// behind routers that delay, lose, duplicate, reorder and damage packets,
// translate addresses, balance load, keep silent, limit sizes and rates, and
// lie. A [Link] of it stands in for a socket. Non-test code must not import it.
//
// Describe the network with [Options], or read them with [Parse], and probe it:
//
//	n := probetest.New(probetest.Options{Hosts: []probetest.Host{{
//		Addr: netip.MustParseAddr("203.0.113.9"),
//		Path: []probetest.Hop{
//			{Addr: netip.MustParseAddr("198.51.100.1"), RTT: time.Millisecond},
//			{Addr: netip.MustParseAddr("198.51.100.2"), RTT: 5 * time.Millisecond, MTU: 1400},
//		},
//		Hop: probetest.Hop{RTT: 20 * time.Millisecond},
//	}}})
//	engine := probe.New(probe.Config{}, n.Link(icmpx.IPv4))
//
// # Time
//
// A Net waits with channels and timers alone. Under testing/synctest its time
// is the bubble's: it passes when everybody waits, RTTs come out exactly as
// configured, and ten thousand hosts take a fraction of a second. Call [New]
// inside the bubble. Outside of one it works in real time.
//
// Windows, steps and stalls of Options count from New; what shall happen by
// hand is a method (StepClock, Stall, Fail, SetHost), which time.AfterFunc can
// call at a time.
//
// The wall clock of a bubble cannot be set, and a bubble's times have no
// monotonic reading. Request.Sent and Reply.Read therefore never step. A [Step]
// shows in both ClockOffset, and in the kernel stamps of those packets that
// were under way: they move by what the clock did since the packet was sent.
//
// # What happens to a packet
//
// It leaves after TxDelay. At each hop of the path, nearest first: it may get
// lost on the way there (Loss); the hop's rules see it; the hop polices it
// (Forward). A router then counts the TTL down, rejects it (Reject), swallows
// it (Drop), compares it with the MTU of the link behind it, and translates and
// marks what it sends on (NAT, TOS). The host answers it as the protocol has
// it. What comes back passes the effects of the rules that saw the packet, from
// the nearest hop on, then those of Options.Rules, and at last
// Options.Intercept, an [Effect] that a test writes itself to answer anything
// at any time. Everything random comes from Seed.
//
// # What a Link hands up
//
// A transmit stamp (icmpx.KindSent) for each packet, not later than its answer,
// then the answers in order of arrival, as probe.Link documents. Slices of a
// reply are overwritten at the next Recv. Stray bits that only a kernel knows
// are made up: the answers come in on interface 2, to Source4 or Source6. An
// answer has the key of its probe even where a NAT rewrote the quote, which
// shows in Reply.Quote alone.
package probetest
