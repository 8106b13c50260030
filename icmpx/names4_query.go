package icmpx

var echoReply4 = TypeInfo{
	Type: v4EchoReply, Name: "Echo Reply", Text: "Echo Reply", RFC: "792",
	layout: &layoutEcho,
	Reference: Reference{
		Sender: "The host that was pinged.",
		When:   "It answers an echo request.",
		Quotes: "Nothing, but identifier, sequence number and data of the request come back unchanged.",
		Action: "Nothing: this is what ping wants. One that nobody asked for, or with other data, is late, forged, or damaged on the way.",
		Linux:  "The kernel answers by itself, with the code of the request and the TOS copied. icmp_echo_ignore_all silences it.",
	},
}

var echoRequest4 = TypeInfo{
	Type: v4EchoRequest, Name: "Echo", Text: "Echo Request", RFC: "792",
	layout: &layoutEcho,
	Reference: Reference{
		Sender: "Ping, monitoring, or traceroute by ICMP.",
		When:   "Somebody wants to know whether a host answers, and how fast. Every host must answer (RFC 1122 section 3.2.2.6).",
		Quotes: quotesNothing,
		Action: "Let it pass: networks that drop it are hard to repair. Limit its rate if need be.",
		Linux:  "Answered, unless net.ipv4.icmp_echo_ignore_all is set; requests to broadcast and multicast addresses not, unless icmp_echo_ignore_broadcasts is 0.",
	},
}

var routerAdvert4 = TypeInfo{
	Type: v4RouterAdvert, Name: "Router Advertisement", Text: "Router Advertisement", RFC: "1256",
	layout: &layoutRouterAdvert4,
	Reference: Reference{
		Sender: "Routers of the link that do router discovery; DHCP has all but replaced it.",
		When:   "Every 7 to 10 minutes to all hosts, and in answer to a solicitation: these are the routers of this link.",
		Quotes: quotesNothing,
		Action: "Nobody should need it. If no router of yours sends it, somebody offers himself as a default router: find him.",
		Linux:  "The kernel ignores it; only a daemon would act on it.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Normal router advertisement", Text: "Router Advertisement", RFC: "1256", Reference: Reference{
			When: "Every 7 to 10 minutes to all hosts, and in answer to a solicitation: these are the routers of this link.",
		}},
		{Code: 16, Name: "Does not route common traffic", Text: "Router Advertisement, no common traffic", RFC: "5944", Reference: Reference{
			Sender: "Mobility agents of Mobile IP.",
			When:   "The sender serves mobile nodes and wants no other traffic.",
			Action: "Do not use it as a default router.",
		}},
	},
}

var routerSolicit4 = TypeInfo{
	Type: v4RouterSolicit, Name: "Router Solicitation", Text: "Router Solicitation", RFC: "1256",
	layout: &layoutSolicit4,
	Reference: Reference{
		Sender: "Hosts that start and do router discovery.",
		When:   "It asks the routers of the link to advertise themselves at once.",
		Quotes: quotesNothing,
		Action: "Nothing; or find out why the host does not use DHCP.",
		Linux:  "The kernel ignores it, and never sends it.",
	},
}

var timestamp4 = TypeInfo{
	Type: v4TimestampRequest, Name: "Timestamp", Text: "Timestamp", RFC: "792",
	layout: &layoutTimestamp,
	Reference: Reference{
		Sender: "Network tools and scanners; clocks are set by NTP.",
		When:   "It asks for the other host's clock, to the millisecond.",
		Quotes: quotesNothing,
		Action: "Harmless, but it tells a stranger the clock; many filters drop it, and audits ask for that.",
		Linux:  "Answered by the kernel; no sysctl turns that off, a packet filter does.",
	},
}

var timestampReply4 = TypeInfo{
	Type: v4TimestampReply, Name: "Timestamp Reply", Text: "Timestamp Reply", RFC: "792",
	layout: &layoutTimestamp,
	Reference: Reference{
		Sender: "The host that was asked.",
		When:   "It answers a timestamp request with the times of arrival and departure by its own clock.",
		Quotes: "Nothing, but identifier, sequence number and originate timestamp of the request come back.",
		Action: "The differences of the stamps are the delays on the way there and back, if both clocks are right.",
		Linux:  "Ping sockets do not send the request; raw sockets do.",
	},
}

var information4 = TypeInfo{
	Type: v4InformationRequest, Name: "Information Request", Text: "Information Request", RFC: "792", Status: StatusDeprecated, By: "6918",
	layout: &layoutQuery,
	Reference: Reference{
		Sender: "Scanners. Once hosts without an address.",
		When:   "Once: which network am I on? RARP, BOOTP and DHCP took its place.",
		Quotes: quotesNothing,
		Action: "Drop it: nobody needs it, and it serves to tell systems apart.",
		Linux:  "Ignored.",
	},
}

var informationReply4 = TypeInfo{
	Type: v4InformationReply, Name: "Information Reply", Text: "Information Reply", RFC: "792", Status: StatusDeprecated, By: "6918",
	layout: &layoutQuery,
	Reference: Reference{
		Sender: "Very old systems.",
		When:   "It answers an information request; the addresses in its IP header are the answer.",
		Quotes: "Nothing, but identifier and sequence number of the request come back.",
		Action: "Nothing; note which system still answers.",
		Linux:  "Ignored, and never sent.",
	},
}

var mask4 = TypeInfo{
	Type: v4MaskRequest, Name: "Address Mask Request", Text: "Address Mask Request", RFC: "950", Status: StatusDeprecated, By: "6918",
	layout: &layoutMask,
	Reference: Reference{
		Sender: "Scanners. Once hosts that knew their address and not their netmask.",
		When:   "Once: which netmask does this network have? DHCP took its place.",
		Quotes: quotesNothing,
		Action: "Drop it: nobody needs it, and the answer tells strangers how the network is divided.",
		Linux:  "Ignored.",
	},
}

var maskReply4 = TypeInfo{
	Type: v4MaskReply, Name: "Address Mask Reply", Text: "Address Mask Reply", RFC: "950", Status: StatusDeprecated, By: "6918",
	layout: &layoutMask,
	Reference: Reference{
		Sender: "Old routers and hosts that are set up as authorities for the netmask.",
		When:   "It answers an address mask request, or announces the mask unasked.",
		Quotes: "Nothing, but identifier and sequence number of the request come back.",
		Action: "Switch it off at its sender.",
		Linux:  "Ignored, and never sent.",
	},
}

var extEcho4 = TypeInfo{
	Type: v4ExtEchoRequest, Name: "Extended Echo Request", Text: "Extended Echo Request", RFC: "8335",
	layout: &layoutExtRequest,
	Reference: Reference{
		Sender: "Tools that ask a node about one of its interfaces (PROBE).",
		When:   "It asks whether the interface that it names, by name, index or address, is up; or whether a neighbour of the node is.",
		Quotes: quotesNothing,
		Action: "It tells strangers about interfaces: answer it only to your own management addresses (RFC 8335 section 8).",
		Linux:  "Not answered, unless net.ipv4.icmp_echo_enable_probe is 1; that one setting is for both families. Neighbours are never told of.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "No Error", Text: "Extended Echo Request", RFC: "8335"},
	},
}

var extEchoReply4 = TypeInfo{
	Type: v4ExtEchoReply, Name: "Extended Echo Reply", Text: "Extended Echo Reply", RFC: "8335",
	layout: &layoutExtReply,
	Reference: Reference{
		Sender: "The node that was asked about one of its interfaces.",
		When:   "It answers an extended echo request; the code says whether it could.",
		Quotes: "Nothing, but identifier and sequence number of the request come back.",
		Action: actionExtEcho,
		Linux:  "Linux returns the extension of the request behind the header as well.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "No Error", Text: "Extended Echo Reply", RFC: "8335", Reference: Reference{When: "The interface was found; the flags say how it is."}},
		{Code: 1, Name: "Malformed Query", Text: "Extended Echo Reply: malformed query", RFC: "8335", Reference: Reference{When: "The request does not name an interface in a way that the node understands."}},
		{Code: 2, Name: "No Such Interface", Text: "Extended Echo Reply: no such interface", RFC: "8335", Reference: Reference{When: "The node has no interface of that name, index or address."}},
		{Code: 3, Name: "No Such Table Entry", Text: "Extended Echo Reply: no such table entry", RFC: "8335", Reference: Reference{When: "The node's ARP table or neighbour cache has no such address."}},
		{Code: 4, Name: "Multiple Interfaces Satisfy Query", Text: "Extended Echo Reply: multiple interfaces satisfy query", RFC: "8335", Reference: Reference{When: "Several interfaces fit; ask by index."}},
	},
}

const actionExtEcho = "Code 0 and flag A: the interface is up. With any other code nothing was found to tell about; ask in another way."
