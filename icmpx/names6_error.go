package icmpx

var unreachable6 = TypeInfo{
	Type: v6Unreachable, Name: "Destination Unreachable", Text: "Destination unreachable", RFC: "4443",
	layout: &layoutError6,
	Reference: Reference{
		Sender: "A router on the way, a firewall, or the destination itself. The source address of the message tells which.",
		When:   "A packet could not be delivered, for another reason than congestion; the code says why.",
		Quotes: quotes6,
		Action: "Read the code. Then look at who sent it: the destination itself is reached and refuses; a router before it has no way on.",
		Linux:  "Errors to a host are limited after a burst (net.ipv6.icmp.ratelimit, the milliseconds between two: 1000, in newer kernels 100), so silence beside it proves nothing. A TCP connection that is being opened fails with it at once, a connected UDP socket with the fatal ones; others see it only with IPV6_RECVERR.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "No route to destination", Text: "No route", RFC: "4443", Reference: Reference{
			Sender: "A router on the way; or this host itself.",
			When:   "It has no route to the destination, not even a default route.",
			Action: "Run a trace and look at the last router: its routing table is what lacks the route. From an address of this host it is this host's own table: ip -6 route get ADDRESS.",
			Linux:  "ENETUNREACH, \"Network is unreachable\". As a router Linux sends it where no route matches, and for routes of type unreachable.",
		}},
		{Code: 1, Name: "Communication with destination administratively prohibited", Text: "Administratively prohibited", RFC: "4443", Reference: Reference{
			Sender: "A firewall or router with a filter.",
			When:   "A rule forbids the packet and says so, rather than dropping it in silence.",
			Action: "The sender of the message is where the rule is. Compare another port or protocol: filters are seldom for everything. nft calls it admin-prohibited, ip6tables icmp6-adm-prohibited.",
			Linux:  "EACCES, \"Permission denied\"; fatal to connected sockets. As a router Linux sends it for routes of type prohibit.",
		}},
		{Code: 2, Name: "Beyond scope of source address", Text: "Beyond scope of source address", RFC: "4443", Reference: Reference{
			Sender: "The router at which the packet would leave the zone of its source address.",
			When:   "A packet from a link-local address would have to leave its link.",
			Action: "The sender uses the wrong source: does it have a global address, and is that still valid? ip -6 address shows it, ip -6 route get ADDRESS the source it would take.",
			Linux:  "EHOSTUNREACH, \"No route to host\". As a router Linux sends it about packets from link-local addresses.",
		}},
		{Code: 3, Name: "Address unreachable", Text: "Address unreachable", RFC: "4443", Reference: Reference{
			Sender: "The router of the destination's own link; or this host about a neighbour.",
			When:   "The link is reached but nobody answers neighbour discovery for the address: the node is off, has another address, or a filter drops neighbour solicitations.",
			Action: "Is the node up, its address right? ip -6 neigh shows FAILED where nobody answered. ICMPv6 types 135 and 136 must pass every filter of the link.",
			Linux:  "EHOSTUNREACH, \"No route to host\". Sent after three solicitations, about 3 seconds.",
		}},
		{Code: 4, Name: "Port unreachable", Text: "Port unreachable", RFC: "4443", Reference: Reference{
			Sender: "The destination; or a firewall that rejects in its name.",
			When:   "Nobody listens on the UDP port. It is how traceroute by UDP knows that it has arrived.",
			Action: "The node is up and reached. Is the service running, on that port and on that address, and on IPv6 at all?",
			Linux:  "ECONNREFUSED, \"Connection refused\"; fatal to connected sockets.",
		}},
		{Code: 5, Name: "Source address failed ingress/egress policy", Text: "Source address failed ingress/egress policy", RFC: "4443", Reference: Reference{
			Sender: "A router or firewall, often the provider's.",
			When:   "The packet's source address is not allowed on the interface where it came in or would leave: with two uplinks it was most likely sent through the one whose prefix it does not carry.",
			Action: "Route by source address (ip -6 rule), so that each prefix leaves through its own uplink.",
			Linux:  "EACCES, \"Permission denied\"; fatal to connected sockets.",
		}},
		{Code: 6, Name: "Reject route to destination", Text: "Reject route to destination", RFC: "4443", Reference: Reference{
			Sender: "A router on the way.",
			When:   "Its route to the destination says to reject packets.",
			Action: "Look at the routing of its sender: such routes are made by hand, or cover a block of addresses of which the destination's part is not in use.",
			Linux:  "EACCES, \"Permission denied\"; fatal to connected sockets. Linux itself answers with code 0 or 1.",
		}},
		{Code: 7, Name: "Error in Source Routing Header", Text: "Error in source routing header", RFC: "6550", Reference: Reference{
			Sender: "A router of a low-power network that uses RPL.",
			When:   "The next hop in the source routing header is not a neighbour of the router.",
			Action: "The network has moved on since the header was made; the root recomputes it. Outside of RPL suspect its sender.",
			Linux:  "EPROTO, \"Protocol error\"; fatal to connected sockets.",
		}},
		{Code: 8, Name: "Headers too long", Text: "Headers too long", RFC: "8883", Reference: Reference{
			Sender: "A router on the way that looks for ports, as for load balancing.",
			When:   "The extension headers reach further into the packet than the router can read. The pointer is in an extension object.",
			Action: "Send fewer or shorter extension headers.",
			Linux:  "EPROTO, \"Protocol error\"; fatal to connected sockets. Linux never sends it.",
		}},
		{Code: 9, Name: "Error in P-Route", Text: "Error in P-Route", RFC: "9914", Reference: Reference{
			Sender: "A router of a low-power network that uses RPL with projected routes.",
			When:   "The packet could not go on along a route that the root has laid.",
			Action: "The root repairs the route. Outside of RPL suspect its sender.",
			Linux:  "EPROTO, \"Protocol error\"; fatal to connected sockets. Linux never sends it.",
		}},
	},
}

var packetTooBig6 = TypeInfo{
	Type: v6PacketTooBig, Name: "Packet Too Big", Text: "Packet too big", RFC: "4443",
	layout: &layoutTooBig,
	Reference: Reference{
		Sender: "The router in front of a link or tunnel that takes only smaller packets.",
		When:   "A packet was larger than the next link takes; routers of IPv6 never fragment. The message says which size passes. Path MTU discovery needs it (RFC 8201).",
		Quotes: quotes6,
		Action: "One now and then is how it should be: the sender lowers its packet size. It must never be filtered (RFC 4890 section 4.3.1): then large transfers hang while ping and small requests work. icmpx pmtu finds the link.",
		Linux:  "EMSGSIZE, \"Message too long\". The size is kept for 600 seconds (net.ipv6.route.mtu_expires), and never below 1280; ip -6 route get shows it.",
	},
}

var timeExceeded6 = TypeInfo{
	Type: v6TimeExceeded, Name: "Time Exceeded", Text: "Time exceeded", RFC: "4443",
	layout: &layoutError6,
	Reference: Reference{
		Sender: "A router on the way (code 0), or the destination (code 1).",
		When:   "The packet's time was up before it arrived whole.",
		Quotes: quotes6,
		Action: "Read the code.",
		Linux:  "Errors to a host are limited after a burst (net.ipv6.icmp.ratelimit, the milliseconds between two: 1000, in newer kernels 100), so a trace that asks faster sees gaps.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Hop limit exceeded in transit", Text: "Hop limit", RFC: "4443", Reference: Reference{
			Sender: "The router at which the hop limit ran out.",
			When:   "Each router takes one from the hop limit; here it came to 0. Traceroute provokes it on purpose, to be told of each router.",
			Action: "In a trace it is the answer wanted. In a ping it means a routing loop, or a hop limit that is too small: icmpx trace shows which, routers that come again are a loop.",
			Linux:  "EHOSTUNREACH, \"No route to host\", to TCP connections that are being opened and to sockets with IPV6_RECVERR. New packets start with net.ipv6.conf.*.hop_limit, 64, or what the router advertises.",
		}},
		{Code: 1, Name: "Fragment reassembly time exceeded", Text: "Defragmentation failure", RFC: "4443", Reference: Reference{
			Sender: "The destination, or a firewall that puts fragments together.",
			When:   "The first fragment of a packet arrived, others did not in time.",
			Action: "Fragments are lost; many networks drop those of IPv6. Send packets that need none; icmpx pmtu says how large.",
			Linux:  "Waits 60 seconds (net.ipv6.ip6frag_time). Sockets with IPV6_RECVERR are told EHOSTUNREACH.",
		}},
	},
}

var paramProblem6 = TypeInfo{
	Type: v6ParamProblem, Name: "Parameter Problem", Text: "Parameter problem", RFC: "4443",
	layout: &layoutParam6,
	Reference: Reference{
		Sender: "The destination; or a router on the way, about headers that it must read.",
		When:   "A header of the packet cannot be understood, and the packet was dropped.",
		Quotes: quotes6,
		Action: "The pointer tells which byte of the quoted packet is wrong. Send without extension headers; if none were sent, something on the way damages packets.",
		Linux:  "EPROTO, \"Protocol error\"; fatal to connected sockets.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Erroneous header field encountered", Text: "Wrong header field", RFC: "4443", Reference: Reference{
			When: "A field of the IPv6 header or of an extension header has a value that it must not have.",
		}},
		{Code: 1, Name: "Unrecognized Next Header type encountered", Text: "Unknown header", RFC: "4443", Reference: Reference{
			Sender: "The destination.",
			When:   "It does not know the header or protocol that the next header field tells: what protocol unreachable is in IPv4.",
			Action: "The node is up. Load or configure the protocol there.",
		}},
		{Code: 2, Name: "Unrecognized IPv6 option encountered", Text: "Unknown option", RFC: "4443", Reference: Reference{
			When:   "It does not know an option whose type demands to be told so; also about packets to multicast addresses.",
			Action: "Send without that option; its type is at the pointer.",
		}},
		{Code: 3, Name: "IPv6 First Fragment has incomplete IPv6 Header Chain", Text: "Incomplete header chain in first fragment", RFC: "7112", Reference: Reference{
			When:   "The headers of a fragmented packet do not all fit its first fragment, which RFC 7112 forbids: filters could not see the ports.",
			Action: "Suspect its sender of evading a filter; ordinary stacks do not send such packets.",
			Linux:  "EPROTO, \"Protocol error\"; fatal to connected sockets. Linux sends it about fragments that it puts together.",
		}},
		{Code: 4, Name: "SR Upper-layer Header Error", Text: "Segment routing upper-layer header error", RFC: "8754", Reference: Reference{
			Sender: "A node of a segment routing network.",
			When:   "The last segment is the node's, and the header behind the routing header is not one that this segment takes.",
			Action: "Check the segment list of whoever made the packet.",
		}},
		{Code: 5, Name: "Unrecognized Next Header type encountered by intermediate node", Text: "Unknown header at intermediate node", RFC: "8883", Reference: Reference{
			Sender: "A router on the way that insists on knowing every header.",
			When:   "It dropped the packet for a header that it does not know.",
			Action: "Send without that header, or go another way.",
		}},
		{Code: 6, Name: "Extension header too big", Text: "Extension header too big", RFC: "8883", Reference: Reference{
			Sender: senderLimits, When: "One extension header is longer than it can read.", Action: actionLimits,
		}},
		{Code: 7, Name: "Extension header chain too long", Text: "Extension header chain too long", RFC: "8883", Reference: Reference{
			Sender: senderLimits, When: "All extension headers together are longer than it can read.", Action: actionLimits,
		}},
		{Code: 8, Name: "Too many extension headers", Text: "Too many extension headers", RFC: "8883", Reference: Reference{
			Sender: senderLimits, When: "There are more extension headers than it can read.", Action: actionLimits,
		}},
		{Code: 9, Name: "Too many options in extension header", Text: "Too many options in extension header", RFC: "8883", Reference: Reference{
			Sender: senderLimits, When: "An extension header has more options than it can read.", Action: actionLimits,
		}},
		{Code: 10, Name: "Option too big", Text: "Option too big", RFC: "8883", Reference: Reference{
			Sender: senderLimits, When: "An option is longer than it can read.", Action: actionLimits,
		}},
	},
}

// What is said of the limits of RFC 8883.
const (
	senderLimits = "A router on the way that can read only so much of a packet."
	actionLimits = "Send fewer or shorter extension headers and options."
)
