//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxRow is how many routers a row may have.
const maxRow = 30

// row returns n routers in a row, 1 to maxRow, between client and server. The
// address of router k that faces the client is 192.0.2.1 for the first, else
// 198.51.100.(2k-1) and 2001:db8:c:k::2.
func row(n int) []cable {
	cables := []cable{{"client", "192.0.2.10/24 2001:db8:1::10/64", "r1", "192.0.2.1/24 2001:db8:1::1/64"}}
	for k := 2; k <= n; k++ {
		cables = append(cables, cable{
			fmt.Sprintf("r%d", k-1), fmt.Sprintf("198.51.100.%d/31 2001:db8:c:%d::1/64", 2*k-2, k),
			fmt.Sprintf("r%d", k), fmt.Sprintf("198.51.100.%d/31 2001:db8:c:%d::2/64", 2*k-1, k),
		})
	}
	return append(cables, cable{
		fmt.Sprintf("r%d", n), "203.0.113.1/24 2001:db8:2::1/64", "server", "203.0.113.10/24 2001:db8:2::10/64",
	})
}

// chainPrefix stands before the number of routers in the name of a chain of
// another length.
const chainPrefix = "chain:"

// chainOf is a chain of as many routers as its name says.
func chainOf(name string) (Topology, error) {
	text := strings.TrimPrefix(name, chainPrefix)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRow || strconv.Itoa(n) != text {
		return Topology{}, fmt.Errorf("topology %q: number of routers is not 1 to %d", name, maxRow)
	}
	return rowOf(n), nil
}

// rowOf is a chain of n routers, 1 to maxRow.
func rowOf(n int) Topology {
	return Topology{
		Name:  chainPrefix + strconv.Itoa(n),
		About: fmt.Sprintf("a path of %d routers; chain:1 to chain:%d are paths of as many", n, maxRow),
		Drawing: `
  client ---- r1 ---- r2 ---- ... ---- rN ---- server

  host      IPv4              IPv6              (the address that faces the client)
  client    192.0.2.10        2001:db8:1::10
  r1        192.0.2.1         2001:db8:1::1
  r2        198.51.100.3      2001:db8:c:2::2
  r3        198.51.100.5      2001:db8:c:3::2
  rN        198.51.100.2N-1   2001:db8:c:N::2
  server    203.0.113.10      2001:db8:2::10
`,
		plan: plan{cables: row(n)},
	}
}

// limits is a row of routers as the kernel makes them.
func limits() Topology {
	return Topology{
		Name:  "limits",
		About: "five routers and a server that keep the kernel's limits on ICMP errors",
		Drawing: `
  client ---- r1 ---- r2 ---- r3 ---- r4 ---- r5 ---- server

  Addresses are those of chain:5. Each host behind the client sends another 6
  errors at once, then one a second; in IPv6 one every 100 ms.
`,
		plan: plan{cables: row(5), limits: true},
	}
}

// silent has routers that forward and do not speak.
func silent() Topology {
	return Topology{
		Name:  "silent",
		About: "routers that send no errors: one, and two in a row",
		Drawing: `
  client ---- r1 ---- (r2) ---- r3 ---- (r4) ---- (r5) ---- server

  Addresses are those of chain:5. The hosts in brackets forward everything and
  send no errors.
`,
		plan: plan{cables: row(5), finish: func(n *Network) error {
			for _, name := range []string{"r2", "r4", "r5"} {
				if err := n.At(name).Mute(); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// diamond balances the flows, twice.
func diamond() Topology {
	return Topology{
		Name:  "diamond",
		About: "flows are balanced by their ports, first over two routers, then over four",
		Drawing: `
                                             .-- r5 --.
                  .-- r2 --.                 |-- r6 --|
  client ---- r1 -+        +---- r4 ---------+        +-- r9 ---- server
                  '-- r3 --'                 |-- r7 --|
                                             '-- r8 --'

  host      IPv4              IPv6              (the address that faces the client)
  client    192.0.2.10        2001:db8:1::10
  r1        192.0.2.1         2001:db8:1::1
  r2        198.51.100.3      2001:db8:12::2
  r3        198.51.100.5      2001:db8:13::2
  r4        198.51.100.7      2001:db8:24::2
  r5        198.51.100.11     2001:db8:45::2
  r6        198.51.100.13     2001:db8:46::2
  r7        198.51.100.15     2001:db8:47::2
  r8        198.51.100.17     2001:db8:48::2
  r9        198.51.100.19     2001:db8:59::2
  server    203.0.113.10      2001:db8:2::10

  Echo requests have no ports: all take one way. All answers come back by r5
  and r2. In IPv6 r4 and r9 may answer by the address that a packet came to.
`,
		plan: plan{cables: diamondCables, routes: diamondRoutes, finish: func(n *Network) error {
			for _, name := range []string{"r1", "r4"} {
				if err := n.At(name).Sysctl(byFlow...); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// byFlow has a router balance by addresses, protocol and ports, as policy 1
// does. But with policy 1 (net/ipv4/route.c, fib_multipath_hash) the kernel
// believes the hash that a packet has from the socket which it left by, and that
// survives the links of the lab though no wire carries it: it is random, and
// another for each socket. Policy 3 reads the packet.
var byFlow = []Sysctl{
	{"net.ipv4.fib_multipath_hash_fields", "55"}, // 1, 2: addresses; 4: protocol; 16, 32: ports
	{"net.ipv4.fib_multipath_hash_policy", "3"},
	{"net.ipv6.fib_multipath_hash_fields", "55"},
	{"net.ipv6.fib_multipath_hash_policy", "3"},
}

var diamondCables = []cable{
	{"client", "192.0.2.10/24 2001:db8:1::10/64", "r1", "192.0.2.1/24 2001:db8:1::1/64"},
	{"r1", "198.51.100.2/31 2001:db8:12::1/64", "r2", "198.51.100.3/31 2001:db8:12::2/64"},
	{"r1", "198.51.100.4/31 2001:db8:13::1/64", "r3", "198.51.100.5/31 2001:db8:13::2/64"},
	{"r2", "198.51.100.6/31 2001:db8:24::1/64", "r4", "198.51.100.7/31 2001:db8:24::2/64"},
	{"r3", "198.51.100.8/31 2001:db8:34::1/64", "r4", "198.51.100.9/31 2001:db8:34::2/64"},
	{"r4", "198.51.100.10/31 2001:db8:45::1/64", "r5", "198.51.100.11/31 2001:db8:45::2/64"},
	{"r4", "198.51.100.12/31 2001:db8:46::1/64", "r6", "198.51.100.13/31 2001:db8:46::2/64"},
	{"r4", "198.51.100.14/31 2001:db8:47::1/64", "r7", "198.51.100.15/31 2001:db8:47::2/64"},
	{"r4", "198.51.100.16/31 2001:db8:48::1/64", "r8", "198.51.100.17/31 2001:db8:48::2/64"},
	{"r5", "198.51.100.18/31 2001:db8:59::1/64", "r9", "198.51.100.19/31 2001:db8:59::2/64"},
	{"r6", "198.51.100.20/31 2001:db8:69::1/64", "r9", "198.51.100.21/31 2001:db8:69::2/64"},
	{"r7", "198.51.100.22/31 2001:db8:79::1/64", "r9", "198.51.100.23/31 2001:db8:79::2/64"},
	{"r8", "198.51.100.24/31 2001:db8:89::1/64", "r9", "198.51.100.25/31 2001:db8:89::2/64"},
	{"r9", "203.0.113.1/24 2001:db8:2::1/64", "server", "203.0.113.10/24 2001:db8:2::10/64"},
}

var diamondRoutes = []planRoute{
	{"r1", "203.0.113.0/24 2001:db8:2::/64", Unicast, "198.51.100.3 198.51.100.5 2001:db8:12::2 2001:db8:13::2"},
	{
		"r4", "203.0.113.0/24 2001:db8:2::/64", Unicast,
		"198.51.100.11 198.51.100.13 198.51.100.15 198.51.100.17 2001:db8:45::2 2001:db8:46::2 2001:db8:47::2 2001:db8:48::2",
	},
}

// nat has a translator of either kind.
func nat() Topology {
	return Topology{
		Name:  "nat",
		About: "a router that hides the client, and one that hides the server",
		Drawing: `
  client ---- r1 ---- r2 ---- r3 ---- r4 ---- server
          hides the       virtual is
          client          the server

  host      IPv4              IPv6              (the address that faces the client)
  client    192.0.2.10        2001:db8:1::10
  r1        192.0.2.1         2001:db8:1::1     sends the client's packets on as its own
  r2        198.51.100.3      2001:db8:c:2::2
  r3        198.51.100.5      2001:db8:c:3::2   sends what is for virtual to server
  r4        198.51.100.7      2001:db8:c:4::2
  server    203.0.113.10      2001:db8:2::10
  virtual   203.0.113.80      2001:db8:2::80    r3 and all behind it answer in its name
`,
		plan: plan{
			cables: row(4),
			names:  []planName{{"virtual", "203.0.113.80 2001:db8:2::80"}},
			finish: func(n *Network) error {
				r1, r3 := n.At("r1"), n.At("r3")
				for _, v6 := range []bool{false, true} {
					if err := r1.Masquerade(r1.Iface(1), v6); err != nil {
						return err
					}
					if err := r3.Translate(n.Addr("virtual", v6), n.Addr("server", v6)); err != nil {
						return err
					}
				}
				return nil
			},
		},
	}
}

// filtered has a firewall that refuses in every way that is common.
func filtered() Topology {
	return Topology{
		Name:  "filtered",
		About: "a firewall on the way, and what it says about whom",
		Drawing: `
  client ---- r1 ---- r2 ---- r3 ---- server
                   firewall

  Addresses are those of chain:3. What r2 answers to a packet for

  noroute   203.0.113.51  2001:db8:2::51   network unreachable; no route
  nohost    203.0.113.52  2001:db8:2::52   host unreachable; address unreachable
  port      203.0.113.53  2001:db8:2::53   port unreachable
  admin     203.0.113.54  2001:db8:2::54   communication administratively prohibited
  policy    203.0.113.55  2001:db8:2::55   host administratively prohibited; failed policy
  dropped   203.0.113.56  2001:db8:2::56   nothing
  noudp     203.0.113.57  2001:db8:2::57   to UDP nothing; the rest reaches the server
`,
		plan: plan{cables: filteredCables(), names: filteredNames, finish: func(n *Network) error {
			for name, r := range filteredRules {
				for _, v6 := range []bool{false, true} {
					if err := n.At("r2").Filter(r.to(n.Addr(name, v6))); err != nil {
						return err
					}
				}
			}
			return nil
		}},
	}
}

// filteredCables are those of a row, and the server has another address.
func filteredCables() []cable {
	cables := row(3)
	cables[len(cables)-1].bAddrs += " 203.0.113.57/24 2001:db8:2::57/64"
	return cables
}

var filteredNames = []planName{
	{"noroute", "203.0.113.51 2001:db8:2::51"},
	{"nohost", "203.0.113.52 2001:db8:2::52"},
	{"port", "203.0.113.53 2001:db8:2::53"},
	{"admin", "203.0.113.54 2001:db8:2::54"},
	{"policy", "203.0.113.55 2001:db8:2::55"},
	{"dropped", "203.0.113.56 2001:db8:2::56"},
	{"noudp", "203.0.113.57 2001:db8:2::57"},
}

// A refusal is a rule of the firewall, with the code of either family.
type refusal struct {
	verdict      Verdict
	proto        uint8
	code4, code6 uint8
}

var filteredRules = map[string]refusal{
	"noroute": {verdict: Reject, code4: 0, code6: 0},
	"nohost":  {verdict: Reject, code4: 1, code6: 3},
	"port":    {verdict: Reject, code4: 3, code6: 4},
	"admin":   {verdict: Reject, code4: 13, code6: 1},
	"policy":  {verdict: Reject, code4: 10, code6: 5},
	"dropped": {verdict: Drop},
	"noudp":   {verdict: Drop, proto: 17},
}

// to returns the rule for packets to an address.
func (r refusal) to(dst netip.Addr) Rule {
	rule := Rule{
		Hook: Forward, Dst: netip.PrefixFrom(dst, dst.BitLen()),
		Proto: r.proto, Verdict: r.verdict, Code: r.code4,
	}
	if dst.Is6() {
		rule.Code = r.code6
	}
	return rule
}
