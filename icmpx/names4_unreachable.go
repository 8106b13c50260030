package icmpx

var unreachable4 = TypeInfo{
	Type: v4Unreachable, Name: "Destination Unreachable", Text: "Destination Unreachable", RFC: "792",
	layout: &layoutError4,
	Reference: Reference{
		Sender: "A router on the way, a firewall, or the destination itself. The source address of the message tells which.",
		When:   "A packet could not be delivered, and will not be; the code says why.",
		Quotes: quotes4,
		Action: "Read the code. Then look at who sent it: the destination itself is reached and refuses; a router before it has no way on.",
		Linux:  "Sends at most one a second to a host after a burst (net.ipv4.icmp_ratelimit), so silence beside it proves nothing. The code becomes the error of a socket: a TCP connection that is being opened fails with it at once, a connected UDP socket with the fatal ones; others see it only with IP_RECVERR.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Net Unreachable", Text: "Destination Net Unreachable", RFC: "792", Reference: Reference{
			Sender: "A router on the way.",
			When:   "It has no route to the destination's network, not even a default route.",
			Action: "Run a trace and look at the last router: its routing table is what lacks the route. From an address of this host it is this host's own table: ip route get ADDRESS.",
			Linux:  "ENETUNREACH, \"Network is unreachable\". As a router Linux sends it where no route matches.",
		}},
		{Code: 1, Name: "Host Unreachable", Text: "Destination Host Unreachable", RFC: "792", Reference: Reference{
			Sender: "The router of the destination's own network; or this host about a neighbour.",
			When:   "The network is reached but the host does not answer ARP: it is off, has another address, or is in another VLAN. Also sent for routes that say unreachable.",
			Action: "Is the host up, its address and netmask right, its switch port in the right VLAN? If the sender is an address of this host, look at ip neigh: FAILED means that nobody answered ARP.",
			Linux:  "EHOSTUNREACH, \"No route to host\". ARP gives up after three requests, about 3 seconds. Sent by Linux after that, and for routes of type unreachable.",
		}},
		{Code: 2, Name: "Protocol Unreachable", Text: "Destination Protocol Unreachable", RFC: "792", Reference: Reference{
			Sender: "The destination.",
			When:   "It does not run the IP protocol of the packet, such as SCTP, GRE or ESP.",
			Action: "The host is up. Load or configure the protocol there, or mind that a firewall may answer this way in its name.",
			Linux:  "ENOPROTOOPT, \"Protocol not available\"; fatal to connected sockets.",
		}},
		{Code: 3, Name: "Port Unreachable", Text: "Destination Port Unreachable", RFC: "792", Reference: Reference{
			Sender: "The destination; or a firewall that rejects in its name.",
			When:   "Nobody listens on the UDP port. It is how traceroute by UDP knows that it has arrived.",
			Action: "The host is up and reached. Is the service running, on that port and on that address? nft reject and iptables REJECT send this by default, also for TCP.",
			Linux:  "ECONNREFUSED, \"Connection refused\"; fatal to connected sockets.",
		}},
		{Code: 4, Name: "Fragmentation Needed and Don't Fragment was Set", Text: "Frag needed and DF set", RFC: "792", layout: &layoutFragNeeded, Reference: Reference{
			Sender: "The router in front of a link or tunnel that takes only smaller packets.",
			When:   "A packet was larger than the next link takes and must not be fragmented. The message says which size passes (RFC 1191). Path MTU discovery needs it.",
			Action: "One now and then is how it should be: the sender lowers its packet size. Filtering it makes large transfers hang while ping and small requests work. icmpx pmtu finds the link; clamping TCP's MSS or a lower MTU on the sender's interface is the remedy.",
			Linux:  "EMSGSIZE, \"Message too long\". The size is kept for 600 seconds (net.ipv4.route.mtu_expires), not below net.ipv4.route.min_pmtu; ip route get shows it, ip route flush cache forgets it.",
		}},
		{Code: 5, Name: "Source Route Failed", Text: "Source Route Failed", RFC: "792", Reference: Reference{
			Sender: "A router on the way.",
			When:   "A packet with a source route option could not take that way, or the router does not do source routing.",
			Action: "Send without the option: nearly all networks drop source routes on purpose.",
			Linux:  "EOPNOTSUPP, \"Operation not supported\". net.ipv4.conf.*.accept_source_route lets Linux obey them.",
		}},
		{Code: 6, Name: "Destination Network Unknown", Text: "Destination Net Unknown", RFC: "1122", Status: StatusDeprecated, By: "1812", Reference: Reference{
			Sender: "A router on the way; none should: RFC 1812 section 5.2.7.1 has it send code 0.",
			When:   "The router claims that the destination's network does not exist.",
			Action: "As for code 0: look at the routing of the router that sent it.",
			Linux:  "ENETUNREACH, \"Network is unreachable\"; fatal to connected sockets.",
		}},
		{Code: 7, Name: "Destination Host Unknown", Text: "Destination Host Unknown", RFC: "1122", Reference: Reference{
			Sender: "The router of the destination's own network.",
			When:   "Its link layer told it that the host does not exist.",
			Action: "Check the address, and whether the host is attached to that network.",
			Linux:  "EHOSTDOWN, \"Host is down\"; fatal to connected sockets.",
		}},
		{Code: 8, Name: "Source Host Isolated", Text: "Source Host Isolated", RFC: "1122", Status: StatusDeprecated, By: "1812", Reference: Reference{
			Sender: "Nobody: routers send code 0 or 1 instead (RFC 1812 section 5.2.7.1).",
			When:   "Once: the sender's own network is cut off.",
			Action: "Suspect the device that sends it: it is very old, or the message is forged.",
			Linux:  "ENONET, \"Machine is not on the network\"; fatal to connected sockets.",
		}},
		{Code: 9, Name: "Communication with Destination Network is Administratively Prohibited", Text: "Destination Net Prohibited", RFC: "1122", Reference: Reference{
			Sender: "A firewall or router with a filter. RFC 1812 section 5.2.7.1 wants code 13 instead; filters still choose freely.",
			When:   "A rule forbids traffic to that network.",
			Action: "Ask whoever runs the sender of the message; the rule is there. nft and iptables call it net-prohibited and icmp-net-prohibited.",
			Linux:  "ENETUNREACH, \"Network is unreachable\"; fatal to connected sockets.",
		}},
		{Code: 10, Name: "Communication with Destination Host is Administratively Prohibited", Text: "Destination Host Prohibited", RFC: "1122", Reference: Reference{
			Sender: "A firewall, often that of the destination itself: it was long the last rule of Red Hat's and firewalld's rule sets.",
			When:   "A rule forbids traffic to that host or service.",
			Action: "The way there works. Open the port in the firewall of the address that sent the message. nft and iptables call it host-prohibited and icmp-host-prohibited.",
			Linux:  "EHOSTUNREACH, \"No route to host\", which misleads: the route is there, a rule is too. Fatal to connected sockets.",
		}},
		{Code: 11, Name: "Destination Network Unreachable for Type of Service", Text: "Destination Net Unreachable for Type of Service", RFC: "1122", Reference: Reference{
			Sender: "A router that routes by type of service; there are hardly any.",
			When:   "There are routes to the network, but none for the packet's TOS.",
			Action: "Send with TOS 0, or give the router a route for this one.",
			Linux:  "ENETUNREACH, \"Network is unreachable\".",
		}},
		{Code: 12, Name: "Destination Host Unreachable for Type of Service", Text: "Destination Host Unreachable for Type of Service", RFC: "1122", Reference: Reference{
			Sender: "A router that routes by type of service; there are hardly any.",
			When:   "There are routes to the host, but none for the packet's TOS.",
			Action: "Send with TOS 0, or give the router a route for this one.",
			Linux:  "EHOSTUNREACH, \"No route to host\".",
		}},
		{Code: 13, Name: "Communication Administratively Prohibited", Text: "Packet filtered", RFC: "1812", Reference: Reference{
			Sender: "A firewall or router with a filter.",
			When:   "A rule or access list forbids the packet and says so, rather than dropping it in silence.",
			Action: "The sender of the message is where the rule is. Compare another port or protocol: filters are seldom for everything. nft and iptables call it admin-prohibited and icmp-admin-prohibited.",
			Linux:  "EHOSTUNREACH, \"No route to host\"; fatal to connected sockets. As a router Linux sends it for routes of type prohibit.",
		}},
		{Code: 14, Name: "Host Precedence Violation", Text: "Precedence Violation", RFC: "1812", Reference: Reference{
			Sender: "The first router, if it enforces precedence; there are hardly any.",
			When:   "The precedence bits of the packet's TOS are not allowed for this destination or protocol.",
			Action: "Send with TOS 0.",
			Linux:  "EHOSTUNREACH, \"No route to host\"; fatal to connected sockets.",
		}},
		{Code: 15, Name: "Precedence cutoff in effect", Text: "Precedence Cutoff", RFC: "1812", Reference: Reference{
			Sender: "A router whose operators demand a least precedence; there are hardly any.",
			When:   "The packet's precedence is below that least one.",
			Action: "Ask whoever runs the router.",
			Linux:  "EHOSTUNREACH, \"No route to host\"; fatal to connected sockets.",
		}},
	},
}
