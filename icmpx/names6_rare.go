package icmpx

// What is said of messages of Mobile IPv6.
const (
	mobileAction = "Nothing if you run Mobile IPv6; else suspect its sender."
	mobileLinux  = "The kernel leaves it to a daemon of Mobile IPv6."
)

var homeAgentRequest6 = TypeInfo{
	Type: v6HomeAgentRequest, Name: "Home Agent Address Discovery Request Message", Text: "Home agent discovery request", RFC: "6275",
	layout: &layoutHomeAgentRequest,
	Reference: Reference{
		Sender: "A mobile node that is away from home.",
		When:   "Which home agents does my home link have? It goes to their anycast address.",
		Quotes: quotesNothing, Action: mobileAction, Linux: mobileLinux,
	},
}

var homeAgentReply6 = TypeInfo{
	Type: v6HomeAgentReply, Name: "Home Agent Address Discovery Reply Message", Text: "Home agent discovery reply", RFC: "6275",
	layout: &layoutHomeAgentReply,
	Reference: Reference{
		Sender: "A home agent.",
		When:   "It answers a home agent discovery request with the home agents, best first.",
		Quotes: "Nothing, but the identifier of the request comes back.", Action: mobileAction, Linux: mobileLinux,
	},
}

var prefixSolicit6 = TypeInfo{
	Type: v6PrefixSolicit, Name: "Mobile Prefix Solicitation", Text: "Mobile prefix solicitation", RFC: "6275",
	layout: &layoutPrefixSolicit,
	Reference: Reference{
		Sender: "A mobile node that is away from home.",
		When:   "It asks its home agent for the prefixes of its home link.",
		Quotes: quotesNothing, Action: mobileAction, Linux: mobileLinux,
	},
}

var prefixAdvert6 = TypeInfo{
	Type: v6PrefixAdvert, Name: "Mobile Prefix Advertisement", Text: "Mobile prefix advertisement", RFC: "6275",
	layout: &layoutPrefixAdvert,
	Reference: Reference{
		Sender: "A home agent.",
		When:   "It tells a mobile node the prefixes of its home link, asked or when they change.",
		Quotes: "Nothing, but the identifier of a solicitation comes back.", Action: mobileAction, Linux: mobileLinux,
	},
}

var fastHandover6 = TypeInfo{
	Type: v6FastHandover, Name: "FMIPv6 Messages", Text: "Fast handover", RFC: "5568",
	layout: &layoutFastHandover,
	Reference: Reference{
		Sender: "Mobile nodes and access routers that do fast handover.",
		When:   "To prepare the move to another router: a solicitation for proxy advertisements is subtype 2, an advertisement 3.",
		Quotes: quotesNothing, Action: mobileAction, Linux: mobileLinux,
	},
}

var mobility6 = TypeInfo{
	Type: v6Mobility, Name: "Experimental Mobility Protocols", Text: "Experimental mobility protocol", RFC: "4065", Status: StatusExperimental,
	layout: &layoutSubtype,
	Reference: Reference{
		Sender: "Experiments with handover between access routers, such as CARD (RFC 4066) and CXTP (RFC 4067).",
		When:   "As the experiment has it; the subtype tells which.",
		Quotes: quotesNothing, Action: experimentAction, Linux: ignoredByLinux,
	},
}

// What is said of messages of SEND.
const sendAction = "Nothing if you run SEND; next to nobody does, so else suspect its sender."

var pathSolicit6 = TypeInfo{
	Type: v6PathSolicit, Name: "Certification Path Solicitation Message", Text: "Certification path solicitation", RFC: "3971",
	layout: &layoutPathSolicit,
	Reference: Reference{
		Sender: "Hosts that secure neighbour discovery with SEND.",
		When:   "It asks a router for the certificates that prove it to be one.",
		Quotes: quotesNothing, Action: sendAction, Linux: ignoredByLinux,
	},
}

var pathAdvert6 = TypeInfo{
	Type: v6PathAdvert, Name: "Certification Path Advertisement Message", Text: "Certification path advertisement", RFC: "3971",
	layout: &layoutPathAdvert,
	Reference: Reference{
		Sender: "Routers that secure neighbour discovery with SEND.",
		When:   "It brings one certificate of the router's path.",
		Quotes: "Nothing, but the identifier of a solicitation comes back.", Action: sendAction, Linux: ignoredByLinux,
	},
}

var multicastAdvert6 = TypeInfo{
	Type: v6MulticastAdvert, Name: "Multicast Router Advertisement", Text: "Multicast router advertisement", RFC: "4286",
	layout: &layoutMulticastAdvert,
	Reference: Reference{
		Sender: "Multicast routers, to switches that snoop: all snoopers, ff02::6a.",
		When:   "Every 20 seconds or so: multicast is to be forwarded to this port. The code is the interval in seconds.",
		Quotes: quotesNothing,
		Action: "Nothing. Without it a switch learns of routers by their queries alone.",
		Linux:  "Bridges that snoop take its port for one with a router.",
	},
}

var multicastSolicit6 = TypeInfo{
	Type: 152, Name: "Multicast Router Solicitation", Text: "Multicast router solicitation", RFC: "4286",
	layout: &layoutBody,
	Reference: Reference{
		Sender: "Switches that snoop on multicast, when they start.",
		When:   "It asks multicast routers to advertise themselves. The message ends behind the checksum.",
		Quotes: quotesNothing,
		Action: "Nothing.",
	},
}

var multicastTermination6 = TypeInfo{
	Type: 153, Name: "Multicast Router Termination", Text: "Multicast router termination", RFC: "4286",
	layout: &layoutBody,
	Reference: Reference{
		Sender: "Multicast routers that stop.",
		When:   "Multicast is no longer to be forwarded to this port. The message ends behind the checksum.",
		Quotes: quotesNothing,
		Action: "Nothing; forged, it cuts the receivers behind that router off.",
		Linux:  ignoredByLinux,
	},
}

var locatorUpdate6 = TypeInfo{
	Type: v6LocatorUpdate, Name: "ILNPv6 Locator Update Message", Text: "Locator update", RFC: "6743", Status: StatusExperimental,
	layout: &layoutLocatorUpdate,
	Reference: Reference{
		Sender: "Nodes that run the experiment ILNP.",
		When:   "It tells a peer where the node is now.",
		Quotes: quotesNothing, Action: experimentAction, Linux: ignoredByLinux,
	},
}

var duplicateRequest6 = TypeInfo{
	Type: v6DuplicateRequest, Name: "Duplicate Address Request", Text: "Duplicate address request", RFC: "6775",
	layout: &layoutDuplicate,
	Reference: Reference{
		Sender: "A router of a low-power wireless network (6LoWPAN).",
		When:   "It asks the border router whether an address that a node registers is taken.",
		Quotes: quotesNothing,
		Action: "Nothing in such a network; in any other suspect its sender.",
		Linux:  ignoredByLinux,
	},
}

var duplicateConfirm6 = TypeInfo{
	Type: v6DuplicateConfirm, Name: "Duplicate Address Confirmation", Text: "Duplicate address confirmation", RFC: "6775",
	layout: &layoutDuplicate,
	Reference: Reference{
		Sender: "The border router of a low-power wireless network (6LoWPAN).",
		When:   "It answers a duplicate address request; the status says whether the address is taken.",
		Quotes: "Nothing, but identifier and address of the request come back.",
		Action: "Nothing in such a network; in any other suspect its sender.",
		Linux:  ignoredByLinux,
	},
}

var mpl6 = TypeInfo{
	Type: v6MPL, Name: "MPL Control Message", Text: "MPL control", RFC: "7731",
	layout: &layoutMPL,
	Reference: Reference{
		Sender: "Forwarders of multicast in low-power networks.",
		When:   "It tells neighbours which messages the sender has, so that they can send what is missing.",
		Quotes: quotesNothing,
		Action: "Nothing in such a network; in any other suspect its sender.",
		Linux:  ignoredByLinux,
	},
}

// What is said of types that no message belongs to.
const (
	privateSender  = "Whoever runs a private experiment."
	privateWhen    = "As the experiment has it: RFC 4443 section 2.1 sets the type aside for that."
	reservedSender = "Nobody."
	reservedWhen   = "Never: RFC 4443 section 2.1 keeps the type for the day when the others have run out."
	reservedAction = "Suspect its sender."
)

var private100 = TypeInfo{
	Type: 100, Name: "Private experimentation", Text: "Private experimentation", RFC: "4443", Status: StatusExperimental, layout: &layoutBody,
	Reference: Reference{Sender: privateSender, When: privateWhen, Quotes: "As the experiment has it; types below 128 are errors.", Action: experimentAction, Linux: "An unknown error: sockets that it quotes are told EPROTO."},
}

var private101 = TypeInfo{
	Type: 101, Name: "Private experimentation", Text: "Private experimentation", RFC: "4443", Status: StatusExperimental, layout: &layoutBody,
	Reference: Reference{Sender: privateSender, When: privateWhen, Quotes: "As the experiment has it; types below 128 are errors.", Action: experimentAction, Linux: "An unknown error: sockets that it quotes are told EPROTO."},
}

var reserved127 = TypeInfo{
	Type: 127, Name: "Reserved for expansion of ICMPv6 error messages", Text: "Reserved for error messages", RFC: "4443", Status: StatusReserved, layout: &layoutBody,
	Reference: Reference{Sender: reservedSender, When: reservedWhen, Quotes: "Not laid down.", Action: reservedAction, Linux: "An unknown error: sockets that it quotes are told EPROTO."},
}

var private200 = TypeInfo{
	Type: 200, Name: "Private experimentation", Text: "Private experimentation", RFC: "4443", Status: StatusExperimental, layout: &layoutBody,
	Reference: Reference{Sender: privateSender, When: privateWhen, Quotes: quotesNothing, Action: experimentAction, Linux: ignoredByLinux},
}

var private201 = TypeInfo{
	Type: 201, Name: "Private experimentation", Text: "Private experimentation", RFC: "4443", Status: StatusExperimental, layout: &layoutBody,
	Reference: Reference{Sender: privateSender, When: privateWhen, Quotes: quotesNothing, Action: experimentAction, Linux: ignoredByLinux},
}

var reserved255 = TypeInfo{
	Type: 255, Name: "Reserved for expansion of ICMPv6 informational messages", Text: "Reserved for informational messages", RFC: "4443", Status: StatusReserved, layout: &layoutBody,
	Reference: Reference{Sender: reservedSender, When: reservedWhen, Quotes: quotesNothing, Action: reservedAction, Linux: ignoredByLinux},
}
