package main

import (
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
)

const (
	v4 = icmpx.IPv4
	v6 = icmpx.IPv6
)

// aliases are names and printed texts of messages beside those of the library.
var aliases = [...]struct {
	text     string
	messages []render.Message
}{
	{"ping", echoMessages},
	{"echo", echoMessages},
	{"pong", []render.Message{{Family: v4, Type: 0, Whole: true}, {Family: v6, Type: 129, Whole: true}}},
	{"echo request", []render.Message{{Family: v4, Type: 8, Whole: true}, {Family: v6, Type: 128, Whole: true}}},
	{"echo reply", []render.Message{{Family: v4, Type: 0, Whole: true}, {Family: v6, Type: 129, Whole: true}}},
	{"timestamp request", []render.Message{{Family: v4, Type: 13, Whole: true}}},
	{"ptb", []render.Message{{Family: v6, Type: 2, Whole: true}}},
	{"too big", []render.Message{{Family: v4, Type: 3, Code: 4}, {Family: v6, Type: 2, Whole: true}}},
	{"frag needed", []render.Message{{Family: v4, Type: 3, Code: 4}}},
	{"need to frag", []render.Message{{Family: v4, Type: 3, Code: 4}}},
	{"communication prohibited by filter", []render.Message{{Family: v4, Type: 3, Code: 13}}},
	{"packet needs to be fragmented but DF set", []render.Message{{Family: v4, Type: 3, Code: 4}}},
	{"ttl expired in transit", hopMessages},
	{"ttl expired", hopMessages},
	{"ttl exceeded", hopMessages},
	{"time to live exceeded", hopMessages},
	{"hop limit exceeded", hopMessages},
	{"time exceeded in transit", hopMessages},
	{"ttl expired during reassembly", []render.Message{{Family: v4, Type: 11, Code: 1}, {Family: v6, Type: 3, Code: 1}}},
	{"reassembly time exceeded", []render.Message{{Family: v4, Type: 11, Code: 1}, {Family: v6, Type: 3, Code: 1}}},
	{"admin prohibited filter", []render.Message{{Family: v4, Type: 3, Code: 13}}},
	{"unreachable admin prohibited", []render.Message{{Family: v4, Type: 3, Code: 10}, {Family: v6, Type: 1, Code: 1}}},
	{"admin prohibited", []render.Message{{Family: v4, Type: 3, Code: 13}, {Family: v6, Type: 1, Code: 1}}},
	{"adm prohibited", []render.Message{{Family: v6, Type: 1, Code: 1}}},
	{"host prohibited", []render.Message{{Family: v4, Type: 3, Code: 10}}},
	{"net prohibited", []render.Message{{Family: v4, Type: 3, Code: 9}}},
	{"policy fail", []render.Message{{Family: v6, Type: 1, Code: 5}}},
	{"reject route", []render.Message{{Family: v6, Type: 1, Code: 6}}},
	{"unreachable route", []render.Message{{Family: v6, Type: 1, Code: 0}}},
	{"unreachable port", []render.Message{{Family: v4, Type: 3, Code: 3}, {Family: v6, Type: 1, Code: 4}}},
	{"unreachable address", []render.Message{{Family: v6, Type: 1, Code: 3}}},
	{"quench", []render.Message{{Family: v4, Type: 4, Whole: true}}},
	{"redirect", []render.Message{{Family: v4, Type: 5, Whole: true}, {Family: v6, Type: 137, Whole: true}}},
	{"rs", []render.Message{{Family: v6, Type: 133, Whole: true}}},
	{"ra", []render.Message{{Family: v6, Type: 134, Whole: true}}},
	{"ns", []render.Message{{Family: v6, Type: 135, Whole: true}}},
	{"na", []render.Message{{Family: v6, Type: 136, Whole: true}}},
	{"ndp", discoveryMessages},
	{"nd", discoveryMessages},
	{"neighbor discovery", discoveryMessages},
	{"mld", listenerMessages},
	{"multicast listener discovery", listenerMessages},
	{"netmask request", []render.Message{{Family: v4, Type: 17, Whole: true}}},
	{"netmask reply", []render.Message{{Family: v4, Type: 18, Whole: true}}},
	{"traceroute", []render.Message{
		{Family: v4, Type: 11, Code: 0}, {Family: v6, Type: 3, Code: 0}, {Family: v4, Type: 30, Whole: true},
	}},
	{"probe", []render.Message{
		{Family: v4, Type: 42, Whole: true}, {Family: v4, Type: 43, Whole: true},
		{Family: v6, Type: 160, Whole: true}, {Family: v6, Type: 161, Whole: true},
	}},
}

// Messages that have several names.
var (
	echoMessages = []render.Message{
		{Family: v4, Type: 8, Whole: true}, {Family: v4, Type: 0, Whole: true},
		{Family: v6, Type: 128, Whole: true}, {Family: v6, Type: 129, Whole: true},
	}
	hopMessages       = []render.Message{{Family: v4, Type: 11, Code: 0}, {Family: v6, Type: 3, Code: 0}}
	discoveryMessages = []render.Message{
		{Family: v6, Type: 133, Whole: true}, {Family: v6, Type: 134, Whole: true}, {Family: v6, Type: 135, Whole: true},
		{Family: v6, Type: 136, Whole: true}, {Family: v6, Type: 137, Whole: true},
	}
	listenerMessages = []render.Message{
		{Family: v6, Type: 130, Whole: true}, {Family: v6, Type: 131, Whole: true},
		{Family: v6, Type: 132, Whole: true}, {Family: v6, Type: 143, Whole: true},
	}
)

// marks are what traces print behind a time: those of traceroute for Linux and of
// this program, then what BSD and tracepath print else.
var marks = [...]render.Symptom{
	{
		Name: "!X", Means: "A firewall or router says that a rule forbids the packet.",
		Action: "The address on that row is where the rule is. Try another method or port: icmpx trace -I, -T -p 443.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 13}, {Family: v4, Type: 3, Code: 10}, {Family: v4, Type: 3, Code: 9}, {Family: v6, Type: 1, Code: 1}},
	},
	{
		Name: "!H", Means: "The network is reached, the host is not: nobody answers ARP or neighbour discovery for it. tracepath prints it for IPv4 rules that forbid the packet as well.",
		Action: "The router on that row is next to the host. Is the host up, its address right, its port in the right VLAN?",
		See:    []render.Message{{Family: v4, Type: 3, Code: 1}, {Family: v4, Type: 3, Code: 7}, {Family: v4, Type: 3, Code: 12}, {Family: v6, Type: 1, Code: 3}},
	},
	{
		Name: "!N", Means: "The router on that row has no route to the destination.",
		Action: "Look at the routing table of that router.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 0}, {Family: v4, Type: 3, Code: 6}, {Family: v4, Type: 3, Code: 11}, {Family: v6, Type: 1, Code: 0}},
	},
	{
		Name: "!P", Means: "The host does not run the protocol of the probes; it is reached. In BSD's traceroute6: a rule forbids the packet. In tracepath: a parameter problem.",
		Action: "Trace by another method: icmpx trace -I, -U or -T.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 2}, {Family: v6, Type: 4, Code: 1}, {Family: v6, Type: 1, Code: 1}},
	},
	{
		Name: "!S", Means: "A source route failed; over IPv6 the source address is not for beyond its link.",
		Action: "Trace without a source route; over IPv6 choose a global source address.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 5}, {Family: v6, Type: 1, Code: 2}},
	},
	{
		Name: "!F", Means: "The probe is larger than the next link takes; the number behind it is the size that passes.",
		Action: "Send smaller probes. icmpx pmtu finds every such link of the path.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 4}, {Family: v6, Type: 2, Whole: true}},
	},
	{
		Name: "!V", Means: "The precedence bits of the TOS are not allowed there.",
		Action: "Send with TOS 0.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 14}},
	},
	{
		Name: "!C", Means: "The precedence bits of the TOS are below the least that the router demands.",
		Action: "Ask whoever runs that router.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 15}},
	},
	{
		Name: "!A", Means: "In tracepath, and of IPv4 in BSD's traceroute and on some switches: a rule forbids the packet. In BSD's traceroute6: nobody answers neighbour discovery for the address.",
		Action: "A rule is at the address on that row; try another method or port. Else that router is next to the host: is the host up, its address right?",
		See:    []render.Message{{Family: v4, Type: 3, Code: 9}, {Family: v4, Type: 3, Code: 13}, {Family: v6, Type: 1, Code: 1}, {Family: v6, Type: 1, Code: 3}},
	},
	{
		Name: "!Z", Means: "BSD: a rule forbids traffic to the host.",
		Action: "The address on that row is where the rule is. Try another method or port: icmpx trace -I, -T -p 443.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 10}},
	},
	{
		Name: "!U", Means: "BSD: the router on that row claims that the network does not exist.",
		Action: "Look at the routing table of that router.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 6}},
	},
	{
		Name: "!W", Means: "BSD: the router next to the host says that it does not exist.",
		Action: "Check the address, and whether the host is attached to its network.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 7}},
	},
	{
		Name: "!I", Means: "BSD: a router says that this host's own network is cut off. Nobody should send that any more.",
		Action: "Suspect the device on that row.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 8}},
	},
	{
		Name: "!Q", Means: "BSD: there is no route to the network for the TOS of the probes.",
		Action: "Send with TOS 0.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 11}},
	},
	{
		Name: "!T", Means: "BSD: there is no route to the host for the TOS of the probes.",
		Action: "Send with TOS 0.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 12}},
	},
	{
		Name: lonelyMark, Means: "BSD and some switches: the destination answered, and its answer came in with a TTL of 1 or 0. It reuses the TTL of the probe, so its answers arrive only when that is large enough for both ways.",
		Action: "Nothing: the path may be shorter than the trace, with as many silent rows as the way back is long.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 3}, {Family: v6, Type: 1, Code: 4}},
	},
}

// lonelyMark is a mark that other texts end with as well.
const lonelyMark = "!"
