package icmpx

var renumbering6 = TypeInfo{
	Type: v6Renumbering, Name: "Router Renumbering", Text: "Router renumbering", RFC: "2894",
	layout: &layoutRenumbering,
	Reference: Reference{
		Sender: "A management station that renumbers the routers of a site; next to nobody uses it.",
		When:   "It has routers add, change or remove prefixes. It must be authenticated with IPsec.",
		Quotes: quotesNothing,
		Action: "Drop it at the border of the site (RFC 4890). If nobody of yours renumbers, suspect its sender.",
		Linux:  ignoredByLinux,
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Router Renumbering Command", Text: "Command", RFC: "2894", layout: &layoutRenumberingCommand, Reference: Reference{
			When: "It commands prefixes to be added, changed or removed.",
		}},
		{Code: 1, Name: "Router Renumbering Result", Text: "Result", RFC: "2894", layout: &layoutRenumberingResult, Reference: Reference{
			Sender: "The router that was commanded.",
			When:   "It tells what a command did, one entry for each prefix that it matched.",
		}},
		{Code: 255, Name: "Sequence Number Reset", Text: "Sequence number reset", RFC: "2894", Reference: Reference{
			When: "It has routers forget which commands they have seen, before the keys are changed.",
		}},
	},
}

var nodeQuery6 = TypeInfo{
	Type: v6NodeQuery, Name: "ICMP Node Information Query", Text: "Node information query", RFC: "4620", Status: StatusExperimental,
	layout: &layoutNodeQuery,
	Reference: Reference{
		Sender: "ping6 -w and -a of BSD, ping -N of Linux, and scanners.",
		When:   "It asks a node for its names or addresses; the code tells how the node is named in the question.",
		Quotes: quotesNothing,
		Action: "Drop it at the border (RFC 4890): the answer tells strangers names and addresses.",
		Linux:  "Ignored.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "The Data field contains an IPv6 address which is the Subject of this Query", Text: "About an IPv6 address", RFC: "4620", layout: &layoutNodeQuery6, Reference: Reference{
			When: "It asks the node that has this IPv6 address.",
		}},
		{Code: 1, Name: "The Data field contains a name which is the Subject of this Query, or is empty, as in the case of a NOOP", Text: "About a name", RFC: "4620", layout: &layoutNodeQueryName, Reference: Reference{
			When: "It asks the node of this name; empty, only whether it understands such queries.",
		}},
		{Code: 2, Name: "The Data field contains an IPv4 address which is the Subject of this Query", Text: "About an IPv4 address", RFC: "4620", layout: &layoutNodeQuery4, Reference: Reference{
			When: "It asks the node that has this IPv4 address.",
		}},
	},
}

var nodeReply6 = TypeInfo{
	Type: v6NodeReply, Name: "ICMP Node Information Response", Text: "Node information response", RFC: "4620", Status: StatusExperimental,
	layout: &layoutNodeReply,
	Reference: Reference{
		Sender: "The node that was asked, if it does that at all: BSD and its relatives do.",
		When:   "It answers a node information query; the code says whether it did.",
		Quotes: "Nothing, but query type and nonce of the query come back.",
		Action: "Switch it off where strangers can ask: net.inet6.icmp6.nodeinfo on BSD.",
		Linux:  ignoredByLinux,
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "A successful reply", Text: "Successful", RFC: "4620", Reference: Reference{When: "The answer is in the data, which may be empty."}},
		{Code: 1, Name: "The Responder refuses to supply the answer", Text: "Refused", RFC: "4620", Reference: Reference{When: "The node does not tell that to this asker."}},
		{Code: 2, Name: "The Qtype of the Query is unknown to the Responder", Text: "Unknown query type", RFC: "4620", Reference: Reference{When: "The node does not know what was asked for."}},
	},
}

// What is said of messages of RPL.
const (
	rplSender  = "A node of a low-power network that routes with RPL, such as a mesh of meters or sensors."
	rplAction  = "Nothing in such a network; in any other suspect its sender."
	rplSecure6 = "Nobody is known to use the secured form. "
)

var rpl6 = TypeInfo{
	Type: v6RPL, Name: "RPL Control Message", Text: "RPL control", RFC: "6550",
	layout: &layoutBody,
	Reference: Reference{
		Sender: rplSender,
		When:   "To build the tree (DODAG) along which such a network routes; the code tells which message it is.",
		Quotes: quotesNothing,
		Action: rplAction,
		Linux:  "The kernel has the data plane only (net.ipv6.conf.*.rpl_seg_enabled); a daemon takes part in RPL.",
	},
	Codes: []CodeInfo{
		{Code: rplDIS, Name: "DODAG Information Solicitation", Text: "DODAG information solicitation", RFC: "6550", layout: &layoutDIS, Reference: Reference{
			When: "It asks neighbours which trees they belong to.",
		}},
		{Code: rplDIO, Name: "DODAG Information Object", Text: "DODAG information object", RFC: "6550", layout: &layoutDIO, Reference: Reference{
			When: "It announces a tree and the sender's rank in it, so that others can join below.",
		}},
		{Code: rplDAO, Name: "Destination Advertisement Object", Text: "Destination advertisement object", RFC: "6550", layout: &layoutDAO, Reference: Reference{
			When: "It tells towards the root which destinations are below the sender.",
		}},
		{Code: rplDAOAck, Name: "Destination Advertisement Object Acknowledgment", Text: "Destination advertisement acknowledgment", RFC: "6550", layout: &layoutDAOAck, Reference: Reference{
			When: "It accepts or refuses a destination advertisement.",
		}},
		{Code: rplSecure | rplDIS, Name: "Secure DODAG Information Solicitation", Text: "Secure DODAG information solicitation", RFC: "6550", layout: &layoutRPLSecure, Reference: Reference{
			When: rplSecure6 + "It asks neighbours which trees they belong to.",
		}},
		{Code: rplSecure | rplDIO, Name: "Secure DODAG Information Object", Text: "Secure DODAG information object", RFC: "6550", layout: &layoutRPLSecure, Reference: Reference{
			When: rplSecure6 + "It announces a tree and the sender's rank in it.",
		}},
		{Code: rplSecure | rplDAO, Name: "Secure Destination Advertisement Object", Text: "Secure destination advertisement object", RFC: "6550", layout: &layoutRPLSecure, Reference: Reference{
			When: rplSecure6 + "It tells towards the root which destinations are below the sender.",
		}},
		{Code: rplSecure | rplDAOAck, Name: "Secure Destination Advertisement Object Acknowledgment", Text: "Secure destination advertisement acknowledgment", RFC: "6550", layout: &layoutRPLSecure, Reference: Reference{
			When: rplSecure6 + "It accepts or refuses a destination advertisement.",
		}},
		{Code: rplCheck, Name: "Consistency Check", Text: "Consistency check", RFC: "6550", layout: &layoutRPLSecure, Reference: Reference{
			When: rplSecure6 + "It compares the counters of two nodes, against replay.",
		}},
	},
}
