package icmpx

// Layouts of what follows the checksum, as Dissect reads it.
var (
	layoutBody = Layout{{Name: "body"}}

	layoutEcho = Layout{
		{Name: "identifier", Bits: 16, Note: "tells the pings of one host apart"},
		{Name: "sequence number", Bits: 16, Note: "counts requests"},
		{Name: "data", Note: "comes back unchanged"},
	}
	layoutQuery = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 16},
	}
	layoutTimestamp = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 16},
		{Name: "originate timestamp", Bits: 32, Note: "when the request left, ms since midnight UT; high bit set: another clock"},
		{Name: "receive timestamp", Bits: 32, Note: "when it arrived, likewise"},
		{Name: "transmit timestamp", Bits: 32, Note: "when the reply left, likewise"},
	}
	layoutMask = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 16},
		{Name: "address mask", Bits: 32},
	}
	layoutDomainRequest = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 16},
	}
	layoutDomainReply = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 16},
		{Name: "time to live", Bits: 32, Note: "seconds that the names may be kept"},
		{Name: "name", Note: "domain names in DNS form"},
	}
	layoutExtRequest = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 8},
		{Name: "reserved", Bits: 7},
		{Name: "local", Bits: 1, Short: "L", Note: "set: the interface is the probed node's own; clear: its neighbour's"},
		{Name: "extension", Note: "names the interface, by name, index or address"},
	}
	layoutExtReply = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "sequence number", Bits: 8},
		{Name: "state", Bits: 3, Note: "of the neighbour: 1 incomplete, 2 reachable, 3 stale, 4 delay, 5 probe, 6 failed"},
		{Name: "reserved", Bits: 2},
		{Name: "active", Bits: 1, Short: "A", Note: "the interface is up"},
		{Name: "IPv4", Bits: 1, Short: "4", Note: "it runs IPv4"},
		{Name: "IPv6", Bits: 1, Short: "6", Note: "it runs IPv6"},
	}
)

// Notes that several layouts share.
const (
	noteLength4  = "of the quote in 32-bit words if an extension follows, else 0 (RFC 4884)"
	noteLength6  = "of the quote in 64-bit words if an extension follows, else 0 (RFC 4884)"
	noteExtended = "optional objects (RFC 4884), such as MPLS labels (RFC 4950) and interfaces (RFC 5837)"
)

// Layouts of errors.
var (
	layoutError4 = Layout{
		{Name: "unused", Bits: 8},
		{Name: "length", Bits: 8, Note: noteLength4},
		{Name: "unused", Bits: 16},
		{Name: "quote"},
		{Name: "extension", Note: noteExtended},
	}
	layoutFragNeeded = Layout{
		{Name: "unused", Bits: 8},
		{Name: "length", Bits: 8, Note: noteLength4},
		{Name: "next-hop MTU", Bits: 16, Note: "largest packet that passes, in bytes; 0 from routers older than RFC 1191"},
		{Name: "quote"},
		{Name: "extension", Note: noteExtended},
	}
	layoutParam4 = Layout{
		{Name: "pointer", Bits: 8, Note: "byte of the quoted packet that is wrong, counted from 0"},
		{Name: "length", Bits: 8, Note: noteLength4},
		{Name: "unused", Bits: 16},
		{Name: "quote"},
		{Name: "extension", Note: noteExtended},
	}
	layoutQuench   = Layout{{Name: "unused", Bits: 32}, {Name: "quote"}}
	layoutRedirect = Layout{
		{Name: "gateway", Bits: 32, Note: "address of the better router"},
		{Name: "quote"},
	}
	layoutPhoturis = Layout{
		{Name: "reserved", Bits: 16},
		{Name: "pointer", Bits: 16, Note: "offset of the security header in the quote"},
		{Name: "quote"},
	}
	layoutError6 = Layout{
		{Name: "length", Bits: 8, Note: noteLength6},
		{Name: "unused", Bits: 24},
		{Name: "quote"},
		{Name: "extension", Note: noteExtended},
	}
	layoutTooBig = Layout{
		{Name: "MTU", Bits: 32, Note: "largest packet that passes, in bytes"},
		{Name: "quote"},
	}
	layoutParam6 = Layout{
		{Name: "pointer", Bits: 32, Note: "byte of the quoted packet that is wrong, counted from 0"},
		{Name: "quote"},
	}
)

// Layouts of other ICMPv4 messages.
var (
	layoutRouterAdvert4 = Layout{
		{Name: "number of addresses", Bits: 8, Short: "addresses", Fixed: true, Value: 1, Note: "entries that follow"},
		{Name: "address entry size", Bits: 8, Short: "size", Fixed: true, Value: 2, Note: "of an entry, in 32-bit words"},
		{Name: "lifetime", Bits: 16, Note: "seconds"},
		{Group: "router", Name: "address", Bits: 32},
		{Group: "router", Name: "preference", Bits: 32, Note: "signed, higher is better; 0x80000000: never as default"},
	}
	layoutSolicit4   = Layout{{Name: "reserved", Bits: 32}}
	layoutTraceroute = Layout{
		{Name: "identifier", Bits: 16},
		{Name: "unused", Bits: 16},
		{Name: "outbound hop count", Bits: 16},
		{Name: "return hop count", Bits: 16},
		{Name: "output link speed", Bits: 32, Note: "bytes a second"},
		{Name: "output link MTU", Bits: 32, Note: "bytes"},
	}
	layoutConversion = Layout{
		{Name: "pointer", Bits: 32, Note: "byte of the packet that could not be converted"},
		{Name: "data", Note: "start of that packet"},
	}
	layoutSubtype = Layout{
		{Name: "subtype", Bits: 8, Note: "which experiment"},
		{Name: "reserved", Bits: 24},
		{Name: "data"},
	}
)
