package icmpx

// Words that many types share that nobody sends.
const (
	nobodySends    = "Nobody: it is deprecated, and was hardly ever implemented."
	suspectSender  = "Suspect its sender: a very old system, a test tool, or a tunnel that hides in ICMP."
	ignoredByLinux = "Ignored, and never sent."
)

var alternateHost4 = TypeInfo{
	Type: 6, Name: "Alternate Host Address", Text: "Alternate Host Address", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never: no RFC says what it was for.",
		Quotes: "No RFC says.", Action: suspectSender, Linux: ignoredByLinux,
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Alternate Address for Host", Text: "Alternate Address for Host", RFC: "6918", Status: StatusDeprecated, By: "6918"},
	},
}

var traceroute4 = TypeInfo{
	Type: v4Traceroute, Name: "Traceroute", Text: "Traceroute", RFC: "1393", Status: StatusDeprecated, By: "6918",
	layout: &layoutTraceroute,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Once: routers were to answer a packet with the traceroute IP option, which would have traced a path with one packet. Real traceroute lives on time exceeded.",
		Quotes: quotesNothing, Action: suspectSender, Linux: ignoredByLinux,
	},
}

var conversion4 = TypeInfo{
	Type: v4ConversionError, Name: "Datagram Conversion Error", Text: "Datagram Conversion Error", RFC: "1475", Status: StatusDeprecated, By: "6918",
	layout: &layoutConversion,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Once: a converter between IPv4 and TP/IX, a rejected successor of IPv4, could not convert a packet.",
		Quotes: "The start of the packet that could not be converted.", Action: suspectSender, Linux: ignoredByLinux,
	},
}

var mobileRedirect4 = TypeInfo{
	Type: 32, Name: "Mobile Host Redirect", Text: "Mobile Host Redirect", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never on the open network: it was to tell where a mobile host is. Mobile IP uses UDP.",
		Quotes: "No RFC says.", Action: suspectSender, Linux: ignoredByLinux,
	},
}

var whereAreYou4 = TypeInfo{
	Type: 33, Name: "IPv6 Where-Are-You", Text: "IPv6 Where-Are-You", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never: a draft of what became neighbour discovery of IPv6.",
		Quotes: quotesNothing, Action: suspectSender, Linux: ignoredByLinux,
	},
}

var iAmHere4 = TypeInfo{
	Type: 34, Name: "IPv6 I-Am-Here", Text: "IPv6 I-Am-Here", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never: a draft of what became neighbour discovery of IPv6.",
		Quotes: quotesNothing, Action: suspectSender, Linux: ignoredByLinux,
	},
}

var registration4 = TypeInfo{
	Type: 35, Name: "Mobile Registration Request", Text: "Mobile Registration Request", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never: Mobile IP registers over UDP, port 434.",
		Quotes: quotesNothing, Action: suspectSender, Linux: ignoredByLinux,
	},
}

var registrationReply4 = TypeInfo{
	Type: 36, Name: "Mobile Registration Reply", Text: "Mobile Registration Reply", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never: Mobile IP registers over UDP, port 434.",
		Quotes: quotesNothing, Action: suspectSender, Linux: ignoredByLinux,
	},
}

var domain4 = TypeInfo{
	Type: v4DomainRequest, Name: "Domain Name Request", Text: "Domain Name Request", RFC: "1788", Status: StatusDeprecated, By: "6918",
	layout: &layoutDomainRequest,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Once: which names do you have? Reverse DNS answers that.",
		Quotes: quotesNothing, Action: suspectSender, Linux: ignoredByLinux,
	},
}

var domainReply4 = TypeInfo{
	Type: v4DomainReply, Name: "Domain Name Reply", Text: "Domain Name Reply", RFC: "1788", Status: StatusDeprecated, By: "6918",
	layout: &layoutDomainReply,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Once: the names of the host that was asked.",
		Quotes: "Nothing, but identifier and sequence number of the request come back.", Action: suspectSender, Linux: ignoredByLinux,
	},
}

var skip4 = TypeInfo{
	Type: 39, Name: "SKIP", Text: "SKIP", RFC: "6918", Status: StatusDeprecated, By: "6918",
	layout: &layoutBody,
	Reference: Reference{
		Sender: nobodySends,
		When:   "Never: part of a key management that IKE took the place of.",
		Quotes: "No RFC says.", Action: suspectSender, Linux: ignoredByLinux,
	},
}

var mobility4 = TypeInfo{
	Type: v4Mobility, Name: "Experimental Mobility Protocols", Text: "Experimental mobility protocol", RFC: "4065", Status: StatusExperimental,
	layout: &layoutSubtype,
	Reference: Reference{
		Sender: "Experiments with handover between access routers, such as CARD (RFC 4066) and CXTP (RFC 4067).",
		When:   "As the experiment has it; the subtype tells which.",
		Quotes: quotesNothing,
		Action: "Outside of an experiment of your own, suspect its sender.",
		Linux:  ignoredByLinux,
	},
}

// What is said of the two types for experiments.
const (
	experimentSender = "Whoever runs an experiment with a new message."
	experimentWhen   = "As the experiment has it: the type is set aside for trials, and never for products (RFC 3692)."
	experimentAction = "Outside of an experiment of your own, suspect its sender."
)

var experimentOne4 = TypeInfo{
	Type: 253, Name: "RFC3692-style Experiment 1", Text: "Experiment 1", RFC: "4727", Status: StatusExperimental,
	layout:    &layoutBody,
	Reference: Reference{Sender: experimentSender, When: experimentWhen, Quotes: "As the experiment has it.", Action: experimentAction, Linux: ignoredByLinux},
}

var experimentTwo4 = TypeInfo{
	Type: 254, Name: "RFC3692-style Experiment 2", Text: "Experiment 2", RFC: "4727", Status: StatusExperimental,
	layout:    &layoutBody,
	Reference: Reference{Sender: experimentSender, When: experimentWhen, Quotes: "As the experiment has it.", Action: experimentAction, Linux: ignoredByLinux},
}
