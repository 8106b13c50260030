//go:build linux

package lab

import (
	"net/netip"
)

// pair is the smallest network: no router, no loss, the shortest times.
func pair() Topology {
	return Topology{
		Name:  "pair",
		About: "two hosts and a cable",
		Drawing: `
  client ------------------------ server
  192.0.2.10/24                   192.0.2.20/24
  2001:db8:1::10/64               2001:db8:1::20/64

  absent  192.0.2.99  2001:db8:1::99   on the cable, but nobody is there
`,
		plan: plan{
			cables: []cable{
				{"client", "192.0.2.10/24 2001:db8:1::10/64", "server", "192.0.2.20/24 2001:db8:1::20/64"},
			},
			names: []planName{{"absent", "192.0.2.99 2001:db8:1::99"}},
		},
	}
}

// chain is a path of five routers, with dead ends off the third and the fifth.
func chain() Topology {
	return Topology{
		Name:  "chain",
		About: "five routers in a row, and dead ends of every kind",
		Drawing: `
  client ---- r1 ---- r2 ---- r3 ---- r4 ---- r5 ---- server

  host      IPv4              IPv6              (the address that faces the client)
  client    192.0.2.10        2001:db8:1::10
  r1        192.0.2.1         2001:db8:1::1
  r2        198.51.100.11     2001:db8:12::2
  r3        198.51.100.21     2001:db8:23::3
  r4        198.51.100.31     2001:db8:34::4
  r5        198.51.100.41     2001:db8:45::5
  server    203.0.113.10      2001:db8:2::10

  dead end     IPv4              IPv6             what a packet to it meets
  unreachable  198.51.100.201    2001:db8:dead::1  an unreachable route at r3
  prohibited   198.51.100.202    2001:db8:dead::2  a prohibit route at r3
  blackhole    198.51.100.203    2001:db8:dead::3  a blackhole route at r3
  noroute      198.51.100.204    2001:db8:dead::4  no route at r5
  absent       203.0.113.99      2001:db8:2::99    nobody, on the server's network
`,
		plan: plan{cables: chainCables, routes: chainRoutes, names: chainNames},
	}
}

var chainCables = []cable{
	{"client", "192.0.2.10/24 2001:db8:1::10/64", "r1", "192.0.2.1/24 2001:db8:1::1/64"},
	{"r1", "198.51.100.10/31 2001:db8:12::1/64", "r2", "198.51.100.11/31 2001:db8:12::2/64"},
	{"r2", "198.51.100.20/31 2001:db8:23::2/64", "r3", "198.51.100.21/31 2001:db8:23::3/64"},
	{"r3", "198.51.100.30/31 2001:db8:34::3/64", "r4", "198.51.100.31/31 2001:db8:34::4/64"},
	{"r4", "198.51.100.40/31 2001:db8:45::4/64", "r5", "198.51.100.41/31 2001:db8:45::5/64"},
	{"r5", "203.0.113.1/24 2001:db8:2::1/64", "server", "203.0.113.10/24 2001:db8:2::10/64"},
}

// Default routes lead towards the server, and end at r5.
var chainRoutes = []planRoute{
	{"client", everything, Unicast, "192.0.2.1 2001:db8:1::1"},
	{"r1", everything, Unicast, "198.51.100.11 2001:db8:12::2"},
	{"r2", everything, Unicast, "198.51.100.21 2001:db8:23::3"},
	{"r3", everything, Unicast, "198.51.100.31 2001:db8:34::4"},
	{"r4", everything, Unicast, "198.51.100.41 2001:db8:45::5"},
	{"server", everything, Unicast, "203.0.113.1 2001:db8:2::1"},
	{"r3", "198.51.100.201/32 2001:db8:dead::1/128", Unreachable, ""},
	{"r3", "198.51.100.202/32 2001:db8:dead::2/128", Prohibit, ""},
	{"r3", "198.51.100.203/32 2001:db8:dead::3/128", Blackhole, ""},
}

var chainNames = []planName{
	{"unreachable", "198.51.100.201 2001:db8:dead::1"},
	{"prohibited", "198.51.100.202 2001:db8:dead::2"},
	{"blackhole", "198.51.100.203 2001:db8:dead::3"},
	{"noroute", "198.51.100.204 2001:db8:dead::4"},
	{"absent", "203.0.113.99 2001:db8:2::99"},
}

// dark has a host that takes every packet and never says a word.
func dark() Topology {
	return Topology{
		Name:  "dark",
		About: "a router, and behind it a host that never answers",
		Drawing: `
  client ------------------ r1 ------------------ dark
  192.0.2.10/24  192.0.2.1/24  203.0.113.1/24     203.0.113.10/24
  2001:db8:1::10/64  ::1/64    2001:db8:2::1/64   2001:db8:2::10/64

  absent  203.0.113.99  2001:db8:2::99   next to the dark host, but nobody is there
`,
		plan: plan{
			cables: []cable{
				{"client", "192.0.2.10/24 2001:db8:1::10/64", "r1", "192.0.2.1/24 2001:db8:1::1/64"},
				{"r1", "203.0.113.1/24 2001:db8:2::1/64", "dark", "203.0.113.10/24 2001:db8:2::10/64"},
			},
			routes: []planRoute{
				{"client", everything, Unicast, "192.0.2.1 2001:db8:1::1"},
				{"dark", everything, Unicast, "203.0.113.1 2001:db8:2::1"},
			},
			names: []planName{{"absent", "203.0.113.99 2001:db8:2::99"}},
			finish: func(n *Network) error {
				return n.At("dark").Filter(
					Rule{Hook: Input, Dst: netip.MustParsePrefix("0.0.0.0/0"), Verdict: Drop},
					Rule{Hook: Input, Dst: netip.MustParsePrefix("::/0"), Verdict: Drop})
			},
		},
	}
}
