package icmpx

// types6 are the types of ICMPv6 that IANA has assigned, in ascending order.
var types6 = [...]*TypeInfo{
	&unreachable6, &packetTooBig6, &timeExceeded6, &paramProblem6,
	&private100, &private101, &reserved127, &echoRequest6, &echoReply6,
	&mldQuery6, &mldReport6, &mldDone6,
	&routerSolicit6, &routerAdvert6, &neighborSolicit6, &neighborAdvert6, &redirect6,
	&renumbering6, &nodeQuery6, &nodeReply6, &inverseSolicit6, &inverseAdvert6, &mldv2Report6,
	&homeAgentRequest6, &homeAgentReply6, &prefixSolicit6, &prefixAdvert6, &pathSolicit6, &pathAdvert6,
	&mobility6, &multicastAdvert6, &multicastSolicit6, &multicastTermination6, &fastHandover6, &rpl6,
	&locatorUpdate6, &duplicateRequest6, &duplicateConfirm6, &mpl6, &extEcho6, &extEchoReply6,
	&private200, &private201, &reserved255,
}

// quotes6 is what most ICMPv6 errors quote.
const quotes6 = "As much of the packet that it is about as fits: the error as a whole has at most 1280 bytes (RFC 4443 section 2.4)."

var echoRequest6 = TypeInfo{
	Type: v6EchoRequest, Name: "Echo Request", Text: "Echo request", RFC: "4443",
	layout: &layoutEcho,
	Reference: Reference{
		Sender: "Ping, monitoring, or traceroute by ICMP.",
		When:   "Somebody wants to know whether a node answers, and how fast. Every node must answer.",
		Quotes: quotesNothing,
		Action: "Let it pass (RFC 4890 section 4.3.1): IPv6 is not worth scanning for, and without it networks are hard to repair.",
		Linux:  "Answered, also to multicast addresses, unless net.ipv6.icmp.echo_ignore_all, echo_ignore_multicast or echo_ignore_anycast is set.",
	},
}

var echoReply6 = TypeInfo{
	Type: v6EchoReply, Name: "Echo Reply", Text: "Echo reply", RFC: "4443",
	layout: &layoutEcho,
	Reference: Reference{
		Sender: "The node that was pinged.",
		When:   "It answers an echo request.",
		Quotes: "Nothing, but identifier, sequence number and data of the request come back unchanged.",
		Action: "Nothing: this is what ping wants. One that nobody asked for, or with other data, is late, forged, or damaged on the way.",
		Linux:  "The kernel answers by itself. net.ipv6.icmp.echo_ignore_all silences it.",
	},
}

var extEcho6 = TypeInfo{
	Type: v6ExtEchoRequest, Name: "Extended Echo Request", Text: "Extended echo request", RFC: "8335",
	layout: &layoutExtRequest,
	Reference: Reference{
		Sender: "Tools that ask a node about one of its interfaces (PROBE).",
		When:   "It asks whether the interface that it names, by name, index or address, is up; or whether a neighbour of the node is.",
		Quotes: quotesNothing,
		Action: "It tells strangers about interfaces: answer it only to your own management addresses (RFC 8335 section 8).",
		Linux:  "Not answered, unless net.ipv4.icmp_echo_enable_probe is 1; that one setting is for both families. Neighbours are never told of.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "No Error", Text: "No error", RFC: "8335"},
	},
}

var extEchoReply6 = TypeInfo{
	Type: v6ExtEchoReply, Name: "Extended Echo Reply", Text: "Extended echo reply", RFC: "8335",
	layout: &layoutExtReply,
	Reference: Reference{
		Sender: "The node that was asked about one of its interfaces.",
		When:   "It answers an extended echo request; the code says whether it could.",
		Quotes: "Nothing, but identifier and sequence number of the request come back.",
		Action: actionExtEcho,
		Linux:  "Linux returns the extension of the request behind the header as well.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "No Error", Text: "No error", RFC: "8335", Reference: Reference{When: "The interface was found; the flags say how it is."}},
		{Code: 1, Name: "Malformed Query", Text: "Malformed query", RFC: "8335", Reference: Reference{When: "The request does not name an interface in a way that the node understands."}},
		{Code: 2, Name: "No Such Interface", Text: "No such interface", RFC: "8335", Reference: Reference{When: "The node has no interface of that name, index or address."}},
		{Code: 3, Name: "No Such Table Entry", Text: "No such table entry", RFC: "8335", Reference: Reference{When: "The node's ARP table or neighbour cache has no such address."}},
		{Code: 4, Name: "Multiple Interfaces Satisfy Query", Text: "Multiple interfaces satisfy query", RFC: "8335", Reference: Reference{When: "Several interfaces fit; ask by index."}},
	},
}
