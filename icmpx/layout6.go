package icmpx

// Layouts of multicast listener discovery and neighbour discovery.
var (
	layoutMLDQuery = Layout{
		{Name: "maximum response code", Bits: 16, Note: "longest wait before a report, ms; from 32768 on an exponent and mantissa"},
		{Name: "reserved", Bits: 16},
		{Name: "group", Bits: 128, Note: ":: asks for all groups; a version 1 query ends here"},
		{Name: "reserved", Bits: 4},
		{Name: "suppress router-side processing", Bits: 1, Short: "S"},
		{Name: "robustness variable", Bits: 3, Short: "QRV", Note: "losses that are to be survived, and one"},
		{Name: "querier's query interval code", Bits: 8, Short: "QQIC", Note: "seconds; from 128 on an exponent and mantissa"},
		{Name: "number of sources", Bits: 16, Fixed: true, Value: 1},
		{Name: "source", Bits: 128, Note: "as many as there are"},
	}
	layoutMLD = Layout{
		{Name: "maximum response delay", Bits: 16, Note: "0 in reports"},
		{Name: "reserved", Bits: 16},
		{Name: "group", Bits: 128},
	}
	layoutMLDv2Report = Layout{
		{Name: "reserved", Bits: 16},
		{Name: "number of records", Bits: 16, Fixed: true, Value: 1},
		{Group: "record", Name: "record type", Bits: 8, Note: "1, 2 state; 3, 4 change of mode; 5, 6 sources more and fewer"},
		{Group: "record", Name: "auxiliary data length", Bits: 8, Short: "aux length", Note: "in 32-bit words"},
		{Group: "record", Name: "number of sources", Bits: 16, Fixed: true, Value: 1},
		{Group: "record", Name: "group", Bits: 128},
		{Group: "record", Name: "source", Bits: 128, Note: "as many as there are"},
	}
	layoutOptions = Layout{{Name: "reserved", Bits: 32}, {Name: "option"}}

	layoutRouterAdvert6 = Layout{
		{Name: "current hop limit", Bits: 8, Short: "hop limit", Note: "that hosts are to use; 0: the router does not say"},
		{Name: "managed address configuration", Bits: 1, Short: "M", Note: "addresses come from DHCPv6"},
		{Name: "other configuration", Bits: 1, Short: "O", Note: "other settings come from DHCPv6"},
		{Name: "home agent", Bits: 1, Short: "H"},
		{Name: "router preference", Bits: 2, Short: "Prf", Note: "1 high, 0 medium, 3 low (RFC 4191)"},
		{Name: "proxy", Bits: 1, Short: "P"},
		{Name: "reserved", Bits: 2},
		{Name: "router lifetime", Bits: 16, Note: "seconds as default router; 0: not one"},
		{Name: "reachable time", Bits: 32, Note: "ms; 0: the router does not say"},
		{Name: "retransmission timer", Bits: 32, Note: "ms; 0: the router does not say"},
		{Name: "option", Note: "prefixes, MTU, link-layer address, DNS servers"},
	}
	layoutNeighborSolicit = Layout{
		{Name: "reserved", Bits: 32},
		{Name: "target", Bits: 128, Note: "address that is looked for"},
		{Name: "option", Note: "the sender's link-layer address"},
	}
	layoutNeighborAdvert = Layout{
		{Name: "router", Bits: 1, Short: "R", Note: "the sender is a router"},
		{Name: "solicited", Bits: 1, Short: "S", Note: "it answers a solicitation"},
		{Name: "override", Bits: 1, Short: "O", Note: "it replaces what the cache says"},
		{Name: "reserved", Bits: 29},
		{Name: "target", Bits: 128},
		{Name: "option", Note: "the target's link-layer address"},
	}
	layoutRedirect6 = Layout{
		{Name: "reserved", Bits: 32},
		{Name: "target", Bits: 128, Note: "the better first hop; the destination itself if it is a neighbour"},
		{Name: "destination", Bits: 128},
		{Name: "option", Note: "the target's link-layer address, and the redirected packet"},
	}
)

// Layouts of rarer ICMPv6 messages.
var (
	layoutRenumbering = Layout{
		{Name: "sequence number", Bits: 32},
		{Name: "segment number", Bits: 8},
		{Name: "test", Bits: 1, Short: "T", Note: "nothing is to be changed"},
		{Name: "result requested", Bits: 1, Short: "R"},
		{Name: "all interfaces", Bits: 1, Short: "A"},
		{Name: "site-specific", Bits: 1, Short: "S"},
		{Name: "processed previously", Bits: 1, Short: "P"},
		{Name: "reserved", Bits: 3},
		{Name: "maximum delay", Bits: 16, Note: "ms"},
		{Name: "reserved", Bits: 32},
		{Name: "data"},
	}
	layoutRenumberingCommand = Layout{
		{Name: "sequence number", Bits: 32},
		{Name: "segment number", Bits: 8},
		{Name: "test", Bits: 1, Short: "T", Note: "nothing is to be changed"},
		{Name: "result requested", Bits: 1, Short: "R"},
		{Name: "all interfaces", Bits: 1, Short: "A"},
		{Name: "site-specific", Bits: 1, Short: "S"},
		{Name: "processed previously", Bits: 1, Short: "P"},
		{Name: "reserved", Bits: 3},
		{Name: "maximum delay", Bits: 16, Note: "ms"},
		{Name: "reserved", Bits: 32},
		{Group: "prefix control operation", Name: "operation", Bits: 8, Note: "1 add, 2 change, 3 set all prefixes"},
		{Group: "prefix control operation", Name: "operation length", Bits: 8, Short: "length", Fixed: true, Value: 3, Note: "in 8 bytes; 4 more for each prefix behind it"},
		{Group: "prefix control operation", Name: "ordinal", Bits: 8},
		{Group: "prefix control operation", Name: "match length", Bits: 8},
		{Group: "prefix control operation", Name: "minimum length", Bits: 8, Short: "minimum"},
		{Group: "prefix control operation", Name: "maximum length", Bits: 8, Short: "maximum"},
		{Group: "prefix control operation", Name: "reserved", Bits: 16},
		{Group: "prefix control operation", Name: "match prefix", Bits: 128},
	}
	layoutRenumberingResult = Layout{
		{Name: "sequence number", Bits: 32},
		{Name: "segment number", Bits: 8},
		{Name: "test", Bits: 1, Short: "T", Note: "nothing was changed"},
		{Name: "result requested", Bits: 1, Short: "R"},
		{Name: "all interfaces", Bits: 1, Short: "A"},
		{Name: "site-specific", Bits: 1, Short: "S"},
		{Name: "processed previously", Bits: 1, Short: "P"},
		{Name: "reserved", Bits: 3},
		{Name: "maximum delay", Bits: 16, Note: "ms"},
		{Name: "reserved", Bits: 32},
		{Group: "result", Name: "reserved", Bits: 14},
		{Group: "result", Name: "out of bounds", Bits: 1, Short: "B"},
		{Group: "result", Name: "forbidden", Bits: 1, Short: "F"},
		{Group: "result", Name: "ordinal", Bits: 8},
		{Group: "result", Name: "matched length", Bits: 8},
		{Group: "result", Name: "interface index", Bits: 32},
		{Group: "result", Name: "matched prefix", Bits: 128},
	}
	layoutHomeAgentRequest = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "mobile router", Bits: 1, Short: "R"},
		{Name: "reserved", Bits: 15},
	}
	layoutHomeAgentReply = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "mobile router", Bits: 1, Short: "R"},
		{Name: "reserved", Bits: 15},
		{Name: "home agent", Bits: 128, Note: "as many as there are"},
	}
	layoutPrefixSolicit = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "reserved", Bits: 16},
		{Name: "option"},
	}
	layoutPrefixAdvert = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "managed address configuration", Bits: 1, Short: "M"},
		{Name: "other configuration", Bits: 1, Short: "O"},
		{Name: "reserved", Bits: 14},
		{Name: "option", Note: "prefixes"},
	}
	layoutPathSolicit = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "component", Bits: 16, Note: "certificate that is asked for; 65535: all"},
		{Name: "option"},
	}
	layoutPathAdvert = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "all components", Bits: 16, Note: "certificates of the path"},
		{Name: "component", Bits: 16, Note: "number of this one"},
		{Name: "reserved", Bits: 16},
		{Name: "option"},
	}
	layoutMulticastAdvert = Layout{
		{Name: "query interval", Bits: 16, Note: "seconds"},
		{Name: "robustness variable", Bits: 16, Short: "robustness"},
	}
	layoutFastHandover = Layout{
		{Name: "subtype", Bits: 8, Note: "which message of RFC 5568"},
		{Name: "flags", Bits: 8},
		{Name: "identifier", Bits: 16},
		{Name: "option"},
	}
	layoutLocatorUpdate = Layout{
		{Name: "number of locators", Bits: 8, Short: "locators", Fixed: true, Value: 1},
		{Name: "operation", Bits: 8, Note: "1 advertisement, 2 acknowledgment"},
		{Name: "reserved", Bits: 16},
		{Group: "locator", Name: "locator", Bits: 64},
		{Group: "locator", Name: "preference", Bits: 16},
		{Group: "locator", Name: "lifetime", Bits: 16, Note: "seconds"},
	}
	layoutDuplicate = Layout{
		{Name: "status", Bits: 8, Note: "0 success, 1 duplicate address, 2 neighbour cache full"},
		{Name: "reserved", Bits: 8},
		{Name: "lifetime", Bits: 16, Note: "minutes"},
		{Name: "identifier", Bits: 64, Note: "EUI-64 of the node"},
		{Name: "registered address", Bits: 128},
	}
	layoutMPL = Layout{
		{Group: "seed", Name: "lowest sequence number", Bits: 8, Short: "lowest seq"},
		{Group: "seed", Name: "bitmap length", Bits: 6, Short: "bitmap", Note: "bytes"},
		{Group: "seed", Name: "seed identifier length", Bits: 2, Short: "S", Note: "code of its length: 0, 2, 8 or 16 bytes"},
	}
)
