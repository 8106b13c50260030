package main

import (
	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
)

func pingCommand() *command {
	return &command{
		name:    "ping",
		args:    "HOST...",
		about:   "send echo requests to hosts and time their answers",
		flags:   pingFlags,
		refused: pingRefused,
		examples: []string{
			"icmpx ping -c 3 192.0.2.1             three probes, then the statistics",
			"icmpx ping -i 0.2 -w 10 a.example     five probes a second, for ten seconds",
			"icmpx ping -c 1 a.example b.example   two hosts at once",
			"icmpx ping -M do -s 1472 192.0.2.1    does a packet of 1500 bytes pass whole?",
			"icmpx ping --payload FILE 192.0.2.1   does a file come back as it went?",
			"icmpx ping --json 2001:db8::1 | jq    for programs",
		},
		run: runPing,
	}
}

// pingFlags are iputils' flags by letter, then our own.
var pingFlags = []getopt.Flag{
	{Short: '3', Long: "precise", Usage: "round-trip times with three decimals, however long"},
	{Short: '4', Long: "ipv4", Usage: "use IPv4"},
	{Short: '6', Long: "ipv6", Usage: "use IPv6"},
	{Short: 'a', Long: "audible", Usage: "ring the bell at each reply"},
	{Short: 'A', Long: "adaptive", Usage: "send the next probe as soon as one is answered"},
	{Short: 'b', Long: "broadcast", Usage: "allow broadcast addresses"},
	{Short: 'B', Long: "sticky-source", Usage: "keep the source address that the first probe had"},
	{Short: 'c', Long: "count", Value: "N", Usage: "stop after N probes; with -w, after N answers"},
	{Short: 'C', Long: "connect", Usage: "connect the socket to the host: route and source fixed"},
	{Short: 'd', Long: "debug", Usage: "have the kernel trace the socket (SO_DEBUG)"},
	{Short: 'D', Long: "timestamps", Usage: "lead each line by its time, in seconds since 1970"},
	{Short: 'e', Long: "identifier", Value: "ID", Usage: "identifier of the probes; 0 takes a raw socket"},
	{Short: 'f', Long: "flood", Usage: "as fast as answers come; a dot a probe, less one a reply"},
	{Short: 'F', Long: "flowlabel", Value: "LABEL", Usage: "flow label of IPv6, 0x or decimal; 0: any"},
	{Short: 'H', Long: "names", Usage: "look up names of addresses for all hosts"},
	{Short: 'i', Long: "interval", Value: "TIME", Usage: "from one probe to the next: 0.2, 200ms; default 1"},
	{Short: 'I', Long: "interface", Value: "NAME", Usage: "interface or VRF, or the source address; or both, by two -I"},
	{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
	{Short: 'l', Long: "preload", Value: "N", Usage: "send N probes at once in the beginning"},
	{Short: 'L', Long: "no-loop", Usage: "do not hear own multicast"},
	{Short: 'm', Long: "mark", Value: "MARK", Usage: "mark of the packets, for policy routing"},
	{Short: 'M', Long: "pmtudisc", Value: "MODE", Usage: "path-MTU discovery: do, want, dont, probe"},
	{Short: 'n', Long: "numeric", Usage: "do not look up names of addresses"},
	{Short: 'O', Long: "outstanding", Usage: "say when there is no answer yet after one interval"},
	{Short: 'p', Long: "pattern", Value: "HEX", Usage: "fill the payload with up to 16 bytes, as in ff00"},
	{Short: 'q', Long: "quiet", Usage: "print only the first line and the statistics"},
	{Short: 'Q', Long: "tos", Value: "TOS", Usage: "type of service or traffic class, 0x or decimal"},
	{Short: 'r', Long: "dont-route", Usage: "only to hosts on the networks of the interfaces"},
	{Short: 'R', Long: "record-route", Usage: "have routers record the route (IPv4)"},
	{Short: 's', Long: "size", Value: "BYTES", Usage: "of payload; default 56"},
	{Short: 'S', Long: "sndbuf", Value: "BYTES", Usage: "of the socket's send buffer"},
	{Short: 't', Long: "ttl", Value: "N", Usage: "TTL or hop limit, from 1 to 255"},
	{Short: 'T', Long: "timestamp", Value: "KIND", Usage: "have routers write times (IPv4): tsonly, tsandaddr, or tsprespec, which takes up to four addresses before the host"},
	{Short: 'U', Long: "user-latency", Usage: "times of this process instead of the kernel's"},
	{Short: 'v', Long: "verbose", Usage: "lost probes, strays, damage in hexadecimal, percentiles and jitter as well"},
	{Short: 'w', Long: "deadline", Value: "SECONDS", Usage: "end after so long, whatever is still unanswered"},
	{Short: 'W', Long: "timeout", Value: "TIME", Usage: "longest wait for an answer; default 10"},
	{Long: "payload", Value: "FILE", Usage: "send a file, or - for standard input: whole in each probe, or in chunks"},
	{Long: "chunk", Value: "BYTES", Usage: "of the payload in each probe; default: all, or if that is too much, what fits a packet"},
	{Long: "retries", Value: "N", Usage: "times that a chunk is sent again; default 5"},
	{Long: "type", Value: "QUERY", Usage: "ask something else: timestamp, information, mask, ext-echo; default echo"},
	{Long: "iface-name", Value: "NAME", Usage: "ext-echo: the interface of the host that is asked about"},
	{Long: "iface-index", Value: "N", Usage: "the same by its number"},
	{Long: "iface-addr", Value: "ADDR", Usage: "the same by an address of it, or of a neighbour"},
	{Long: "ignore-quench", Usage: "show source quenches, and do not slow down"},
}

// pingRefused are the flags of iputils' ping that are not taken, each with what
// to use instead.
var pingRefused = []getopt.Flag{
	{Short: 'N', Refused: true, Instead: "node information queries (RFC 4620) are answered by next to nobody, and not by Linux; ask the resolver"},
	{Short: 'P', Refused: true},
}
