package main

import "github.com/icmpx/icmpx/cmd/icmpx/internal/render"

// A symptom is what programs print, in all the words that it is known by.
type symptom struct {
	phrases []string
	render.Symptom
}

// symptoms are what users see and no message alone explains: errors of the
// kernel and of programs, and silence. One word of them among others is enough.
var symptoms = [...]symptom{
	{[]string{"EHOSTUNREACH", "no route to host", "host is unreachable"}, render.Symptom{
		Name:   "No route to host (EHOSTUNREACH)",
		Means:  "Most often nobody answered ARP or neighbour discovery on this host's own network, or a firewall on the far side rejected the connection with host-prohibited or admin-prohibited. A missing route is another error: Network is unreachable.",
		Action: "ip neigh: FAILED for the destination or the gateway means that it is down or not on this link. Else icmpx trace shows who says so, and icmpx listen the message itself. ip route get ADDRESS shows routes of type unreachable.",
		See: []render.Message{
			{Family: v4, Type: 3, Code: 1}, {Family: v4, Type: 3, Code: 10}, {Family: v4, Type: 3, Code: 13}, {Family: v4, Type: 11, Code: 0},
			{Family: v6, Type: 1, Code: 3}, {Family: v6, Type: 1, Code: 2}, {Family: v6, Type: 3, Code: 0},
		},
	}},
	{[]string{"ENETUNREACH", "network is unreachable"}, render.Symptom{
		Name:   "Network is unreachable (ENETUNREACH)",
		Means:  "At once: this host has no route there, often no default route, or no IPv6 at all. After a round trip: a router has none.",
		Action: "ip route get ADDRESS. Without a default route look at the DHCP lease, or at router advertisements for IPv6. If this host has a route, icmpx trace shows the router that has not.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 0}, {Family: v4, Type: 3, Code: 9}, {Family: v6, Type: 1, Code: 0}},
	}},
	{[]string{"ECONNREFUSED", "connection refused"}, render.Symptom{
		Name:   "Connection refused (ECONNREFUSED)",
		Means:  "The host is reached and nobody listens on the port: TCP got a reset, UDP got port unreachable. A firewall may answer so in the host's name.",
		Action: "Is the service running, on that port, on that address and family? ss -lntu on the host shows. A TCP reset is not ICMP: icmpx listen will not show it.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 3}, {Family: v6, Type: 1, Code: 4}},
	}},
	{[]string{"EMSGSIZE", "message too long", "local error message too long", "message size too large"}, render.Symptom{
		Name:   "Message too long (EMSGSIZE)",
		Means:  "The packet is larger than the interface takes, or than a router on the way reported before, and may not be fragmented. Said as a local error no packet has left this host.",
		Action: "Send smaller ones: the MTU that is printed is what passes, headers included (28 bytes for an IPv4 ping, 48 for IPv6). ip route get ADDRESS shows what was learned; icmpx pmtu finds the true value.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 4}, {Family: v6, Type: 2, Whole: true}},
	}},
	{[]string{"pmtu", "path mtu", "mtu"}, render.Symptom{
		Name:   "pmtu (tracepath), path MTU",
		Means:  "The largest packet that passes the whole path without being cut. Routers tell it in fragmentation needed and packet too big; tracepath prints it where it learns of a smaller one.",
		Action: "A value below 1500 means a tunnel, VPN or PPPoE on the way. icmpx pmtu finds it, also where routers are silent about it.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 4}, {Family: v6, Type: 2, Whole: true}},
	}},
	{[]string{"black hole", "blackhole", "vanish without a word"}, render.Symptom{
		Name:   "black hole",
		Means:  "Packets vanish without an error. Of path MTU: too large ones are dropped, and the messages that say so do not come back; connections open and then hang, while ping and small requests work. Of routing: a route that drops in silence.",
		Action: "icmpx pmtu finds the link with the small MTU although nobody tells; then let fragmentation needed and packet too big pass the filters, or clamp TCP's MSS. icmpx trace shows where all packets end.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 4}, {Family: v6, Type: 2, Whole: true}},
	}},
	{[]string{"EPERM", "operation not permitted"}, render.Symptom{
		Name:   "Operation not permitted (EPERM)",
		Means:  "On sending: a packet filter of this very host drops the packet in its output chain. On opening a socket: the user may not open that kind of socket.",
		Action: "nft list ruleset, iptables -S OUTPUT. For sockets: the sysctl net.ipv4.ping_group_range lets ordinary users ping, and setcap cap_net_raw+ep lets a program open raw sockets.",
	}},
	{[]string{"EACCES", "permission denied"}, render.Symptom{
		Name:   "Permission denied (EACCES)",
		Means:  "On sending: a route of type prohibit, a broadcast address without asking for broadcast (ping -b), or over IPv6 a firewall that says prohibited. On opening a socket: the user may not.",
		Action: "ip route get ADDRESS shows prohibit. If a router says so, icmpx listen and icmpx trace show which.",
		See:    []render.Message{{Family: v6, Type: 1, Code: 1}, {Family: v6, Type: 1, Code: 5}, {Family: v6, Type: 1, Code: 6}, {Family: v4, Type: 3, Code: 13}},
	}},
	{[]string{"ETIMEDOUT", "connection timed out", "operation timed out"}, render.Symptom{
		Name:   "Connection timed out (ETIMEDOUT)",
		Means:  "Nobody answered at all: packets or answers are dropped in silence, by a filter or on a dead path, or the host is down behind a router that does not say so.",
		Action: "icmpx trace, and icmpx trace -T -p PORT: where the answers end is the place to look. If ping works a filter drops the port. If it hangs after it was connected suspect the path MTU: icmpx pmtu.",
	}},
	{[]string{"no reply", "request timed out", "request timeout", "no answer yet", "packet loss", "no response", "timed out"}, render.Symptom{
		Name:   "*, no reply, Request timed out",
		Means:  "No answer came in time. In one row of a trace it means little: many routers answer rarely, or not at all, and forward all the same. From some row on to the end, packets or their answers are dropped there.",
		Action: "Ask by another method: icmpx trace -I, -U, -T -p 443. If the last row answers, the silent ones before it do not matter. A host that is silent to ping may answer TCP.",
		See:    []render.Message{{Family: v4, Type: 11, Code: 0}, {Family: v6, Type: 3, Code: 0}},
	}},
	{[]string{"asymm"}, render.Symptom{
		Name:   "asymm (tracepath)",
		Means:  "The answer's TTL says that the way back has another number of hops than the way there.",
		Action: "Nothing: that is common and no fault. It matters where firewalls must see both directions.",
	}},
	{[]string{"general failure", "transmit failed"}, render.Symptom{
		Name:   "General failure (Windows)",
		Means:  "Windows could not send at all: no address or route of that family, a cable or adapter that is down, or a filter or VPN of this machine.",
		Action: "ipconfig /all and route print. Try ping -4, and with the VPN and third-party filter switched off.",
	}},
	{[]string{"ENOPROTOOPT", "protocol not available"}, render.Symptom{
		Name:   "Protocol not available (ENOPROTOOPT)",
		Means:  "The other host does not run the IP protocol of the packet. From a system call: an unknown socket option.",
		Action: "Load the protocol on the other host.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 2}},
	}},
	{[]string{"EPROTO", "protocol error"}, render.Symptom{
		Name:   "Protocol error (EPROTO)",
		Means:  "Somebody could not understand a header of a packet that was sent.",
		Action: "icmpx listen -v shows the message and the byte that it points to. Send without IP options or extension headers.",
		See:    []render.Message{{Family: v4, Type: 12, Whole: true}, {Family: v6, Type: 4, Whole: true}},
	}},
	{[]string{"EHOSTDOWN", "host is down"}, render.Symptom{
		Name:   "Host is down (EHOSTDOWN)",
		Means:  "The router next to the host says that it does not exist.",
		Action: "Check the address, and whether the host is attached to its network.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 7}},
	}},
	{[]string{"ENONET", "machine is not on the network"}, render.Symptom{
		Name:   "Machine is not on the network (ENONET)",
		Means:  "A router says that this host's own network is cut off. Nobody should send that any more.",
		Action: "icmpx listen shows who does.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 8}},
	}},
	{[]string{"EOPNOTSUPP", "operation not supported"}, render.Symptom{
		Name:   "Operation not supported (EOPNOTSUPP)",
		Means:  "From the network: a source route failed. From a system call: the socket cannot do that.",
		Action: "Send without source routing.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 5}},
	}},
	{[]string{"EREMOTEIO", "remote i/o error"}, render.Symptom{
		Name:   "Remote I/O error (EREMOTEIO)",
		Means:  "A ping socket was told of a source quench or a redirect; neither says that the packet is lost.",
		Action: "Go on. For redirects give this host the right route.",
		See:    []render.Message{{Family: v4, Type: 4, Whole: true}, {Family: v4, Type: 5, Whole: true}},
	}},
	{[]string{"ENOBUFS", "no buffer space available"}, render.Symptom{
		Name:   "No buffer space available (ENOBUFS)",
		Means:  "The send queue of this host's own interface is full: more was sent than the link takes. No network is to blame.",
		Action: "Send more slowly. tc -s qdisc shows what was dropped; on Wi-Fi and slow links it is common.",
	}},
	{[]string{"ENETDOWN", "network is down"}, render.Symptom{
		Name:   "Network is down (ENETDOWN)",
		Means:  "The interface of this host is down.",
		Action: "ip link set NAME up.",
	}},
	{[]string{"EINVAL", "invalid argument"}, render.Symptom{
		Name:   "Invalid argument (EINVAL)",
		Means:  "On sending: a route of type blackhole, or a link-local address without its zone.",
		Action: "ip route get ADDRESS. Write fe80::1%eth0, with the interface.",
	}},
	{[]string{"EADDRNOTAVAIL", "cannot assign requested address"}, render.Symptom{
		Name:   "Cannot assign requested address (EADDRNOTAVAIL)",
		Means:  "The source address that was asked for is not one of this host, or is still being checked for duplicates; or there is no address of that family to send from.",
		Action: "ip address; tentative and dadfailed say why an IPv6 address is not in use.",
	}},
	{[]string{"name or service not known", "unknown host", "could not find host", "temporary failure in name resolution", "cannot resolve"}, render.Symptom{
		Name:   "Name or service not known, Temporary failure in name resolution",
		Means:  "The name was not found, or no name server answered. No packet was sent to the host: this is DNS, not ICMP.",
		Action: "Ping an address, then the name server in /etc/resolv.conf.",
	}},
	{[]string{"dup"}, render.Symptom{
		Name:   "DUP!",
		Means:  "The same reply came more than once. To a broadcast or multicast address that is normal: each host answers.",
		Action: "To one host: a loop or a mirror in the switched network, two hosts with one address, or a link that repeats. icmpx listen -v shows the senders.",
	}},
	{[]string{"wrong data byte", "wrong total length", "truncated"}, render.Symptom{
		Name:   "wrong data byte, truncated",
		Means:  "The reply brings back other data than was sent, or less. Checksums passed, so something on the way changed it before it made a new one: a bad memory chip, a NAT, or a host that cuts large pings.",
		Action: "icmpx ping --payload FILE says what kind of damage it is and where.",
	}},
	{[]string{"different address"}, render.Symptom{
		Name:   "DIFFERENT ADDRESS!",
		Means:  "The reply came from another address than the one that was pinged: a host with several addresses, a NAT, or a forged reply.",
		Action: "icmpx does not count it as an answer. Ping that other address, and compare the TTL.",
	}},
	{[]string{"late"}, render.Symptom{
		Name:   "LATE!",
		Means:  "The reply came after its probe had been given up: later than -W, 10 seconds unless given. It is not counted as received.",
		Action: "A long queue on the way, or a link that wakes up slowly: compare the times of the replies around it. A larger -W counts such replies.",
	}},
	{[]string{"forged", "stale"}, render.Symptom{
		Name:   "FORGED!, STALE!",
		Means:  "The secret that the reply brings back is not that of its probe: it is wrong (FORGED), or that of an earlier probe (STALE). Somebody answers without having seen the probe, or something on the way holds old packets back or repeats them. It is not counted as received.",
		Action: "icmpx listen -v shows the sender and the TTL of such replies; compare them with those of good ones.",
	}},
	{[]string{"neighbor table overflow", "neighbor table overflow arp cache"}, render.Symptom{
		Name:   "neighbour: arp_cache: neighbor table overflow!",
		Means:  "This host knows more neighbours than its table takes: a large network, or a scan of it. New hosts then seem unreachable.",
		Action: "Raise net.ipv4.neigh.default.gc_thresh1, 2 and 3 (ipv6 likewise), or find who scans.",
		See:    []render.Message{{Family: v4, Type: 3, Code: 1}, {Family: v6, Type: 135, Whole: true}},
	}},
	{[]string{"ignores redirects"}, render.Symptom{
		Name:   "host ... ignores redirects",
		Means:  "This host, a router, told another of a better way nine times and it did not listen; it stops telling.",
		Action: "Give that host the right route, or set net.ipv4.conf.*.send_redirects to 0.",
		See:    []render.Message{{Family: v4, Type: 5, Code: 1}},
	}},
	{[]string{"error to a broadcast"}, render.Symptom{
		Name:   "sent an invalid ICMP type 3, code 3 error to a broadcast",
		Means:  "The host that the kernel names answers a broadcast with an error, which RFC 1122 section 3.2.2 forbids.",
		Action: "Harmless. That host is at fault; net.ipv4.icmp_ignore_bogus_error_responses silences the line.",
	}},
}
