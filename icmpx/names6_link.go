package icmpx

// hopLimit255 is why forged discovery messages come from the link itself.
const hopLimit255 = " Receivers drop it unless its hop limit is 255, so that none comes from outside of the link."

var mldQuery6 = TypeInfo{
	Type: v6MLDQuery, Name: "Multicast Listener Query", Text: "MLD query", RFC: "2710",
	layout: &layoutMLDQuery,
	Reference: Reference{
		Sender: "The querier of the link: the multicast router, or the switch, with the lowest address.",
		When:   "Every 125 seconds to all nodes: who listens to which groups? And about one group, when a listener has left.",
		Quotes: quotesNothing,
		Action: "Let it pass on the link: without queries switches that snoop stop forwarding multicast, neighbour discovery included. Two queriers at once mean a split link.",
		Linux:  "Answered by version: net.ipv6.conf.*.force_mld_version, 0 is version 2 with a fall back to 1. Bridges can query: mcast_querier.",
	},
}

var mldReport6 = TypeInfo{
	Type: v6MLDReport, Name: "Multicast Listener Report", Text: "MLD report", RFC: "2710",
	layout: &layoutMLD,
	Reference: Reference{
		Sender: "Nodes that speak version 1 of MLD, or hear a querier that does.",
		When:   "It listens to the group: on joining, and in answer to a query.",
		Quotes: quotesNothing,
		Action: "Nothing. If version 2 is wanted, look for the querier of version 1.",
		Linux:  "Sent if the querier speaks version 1, or net.ipv6.conf.*.force_mld_version is 1.",
	},
}

var mldDone6 = TypeInfo{
	Type: v6MLDDone, Name: "Multicast Listener Done", Text: "MLD done", RFC: "2710",
	layout: &layoutMLD,
	Reference: Reference{
		Sender: "Nodes that speak version 1 of MLD.",
		When:   "It listens to the group no more; the querier asks whether anybody else does.",
		Quotes: quotesNothing,
		Action: "Nothing.",
		Linux:  "Sent if the querier speaks version 1, or net.ipv6.conf.*.force_mld_version is 1.",
	},
}

var mldv2Report6 = TypeInfo{
	Type: v6MLDv2Report, Name: "Version 2 Multicast Listener Report", Text: "MLDv2 report", RFC: "9777",
	layout: &layoutMLDv2Report,
	Reference: Reference{
		Sender: "Every node that listens to a multicast group, which is every node: neighbour discovery takes one.",
		When:   "On joining or leaving groups or changing sources, and in answer to a query; to ff02::16.",
		Quotes: quotesNothing,
		Action: "Nothing. Many at once come from an interface that came up.",
		Linux:  "Sent for each change, repeated by net.ipv6.mld_qrv.",
	},
}

var routerSolicit6 = TypeInfo{
	Type: v6RouterSolicit, Name: "Router Solicitation", Text: "Router solicitation", RFC: "4861",
	layout: &layoutOptions,
	Reference: Reference{
		Sender: "Hosts whose interface has come up.",
		When:   "It asks the routers of the link to advertise themselves at once.",
		Quotes: quotesNothing,
		Action: "Nothing. If it comes again and again no router answers: the host gets no address and no default route." + hopLimit255,
		Linux:  "Sent with growing pauses until a router answers: net.ipv6.conf.*.router_solicitations, router_solicitation_interval. Not on interfaces that forward, unless accept_ra is 2.",
	},
}

var routerAdvert6 = TypeInfo{
	Type: v6RouterAdvert, Name: "Router Advertisement", Text: "Router advertisement", RFC: "4861",
	layout: &layoutRouterAdvert6,
	Reference: Reference{
		Sender: "Routers of the link.",
		When:   "Every few minutes to all nodes, and in answer to a solicitation: default router, prefixes for addresses, MTU, DNS servers.",
		Quotes: quotesNothing,
		Action: "Know its senders: one that is not a router of yours, as from a misconfigured host, takes over the default route of all others. Switches can block it (RA Guard, RFC 6105)." + hopLimit255,
		Linux:  "Obeyed if net.ipv6.conf.*.accept_ra is 1 and the interface does not forward, or is 2. A router lifetime of 0 takes the default route away.",
	},
}

var neighborSolicit6 = TypeInfo{
	Type: v6NeighborSolicit, Name: "Neighbor Solicitation", Text: "Neighbor solicitation", RFC: "4861",
	layout: &layoutNeighborSolicit,
	Reference: Reference{
		Sender: "Any node of the link. From :: it is a check whether an address is taken (RFC 4862).",
		When:   "Who has this address? What ARP requests are in IPv4; also sent to one neighbour, to see whether it is still there.",
		Quotes: quotesNothing,
		Action: "Let it pass on the link, always. Unanswered ones: the target is not there, or multicast to its solicited-node group does not reach it." + hopLimit255,
		Linux:  "Three are sent, a second apart (net.ipv6.neigh.*.mcast_solicit, retrans_time_ms); then the address is FAILED in ip -6 neigh.",
	},
}

var neighborAdvert6 = TypeInfo{
	Type: v6NeighborAdvert, Name: "Neighbor Advertisement", Text: "Neighbor advertisement", RFC: "4861",
	layout: &layoutNeighborAdvert,
	Reference: Reference{
		Sender: "The node that has the address, or a proxy for it.",
		When:   "It answers a solicitation with its link-layer address; unasked it announces a change.",
		Quotes: quotesNothing,
		Action: "Two link-layer addresses for one target: a duplicate address, a fail-over, or somebody who draws traffic to himself." + hopLimit255,
		Linux:  "Unasked ones change an entry that is there, and make no new one unless net.ipv6.conf.*.accept_untracked_na allows. dadfailed in ip -6 address means that another node answered for the address.",
	},
}

var redirect6 = TypeInfo{
	Type: v6Redirect, Name: "Redirect Message", Text: "Redirect", RFC: "4861",
	layout: &layoutRedirect6,
	Reference: Reference{
		Sender: "The first router, only to nodes on its own link, from its link-local address.",
		When:   "The packet was forwarded, but another router of the link is nearer, or the destination is on the link itself: send there.",
		Quotes: "As much of the packet as fits, in the option redirected header.",
		Action: "Give the host the right route or prefix and it stops. On links where nodes do not trust each other refuse redirects." + hopLimit255,
		Linux:  "Obeyed by hosts if net.ipv6.conf.*.accept_redirects is 1; ip -6 route get shows the result.",
	},
}

var inverseSolicit6 = TypeInfo{
	Type: v6InverseSolicit, Name: "Inverse Neighbor Discovery Solicitation Message", Text: "Inverse neighbor solicitation", RFC: "3122",
	layout: &layoutOptions,
	Reference: Reference{
		Sender: "Nodes on frame relay and similar links.",
		When:   "Which IPv6 addresses has the node at this link-layer address?",
		Quotes: quotesNothing,
		Action: "Nothing on such links; on Ethernet suspect its sender.",
		Linux:  ignoredByLinux,
	},
}

var inverseAdvert6 = TypeInfo{
	Type: v6InverseAdvert, Name: "Inverse Neighbor Discovery Advertisement Message", Text: "Inverse neighbor advertisement", RFC: "3122",
	layout: &layoutOptions,
	Reference: Reference{
		Sender: "Nodes on frame relay and similar links.",
		When:   "It answers an inverse neighbor solicitation with the node's addresses.",
		Quotes: quotesNothing,
		Action: "Nothing on such links; on Ethernet suspect its sender.",
		Linux:  ignoredByLinux,
	},
}
