package icmpx

// Layouts of node information (RFC 4620 section 4).
var (
	layoutNodeQuery = Layout{
		{Name: "query type", Bits: 16, Note: "0 nothing, 2 node name, 3 IPv6 and 4 IPv4 addresses"},
		{Name: "reserved", Bits: 10},
		{Name: "global", Bits: 1, Short: "G"},
		{Name: "site-local", Bits: 1, Short: "S"},
		{Name: "link-local", Bits: 1, Short: "L"},
		{Name: "IPv4-compatible", Bits: 1, Short: "C"},
		{Name: "all addresses", Bits: 1, Short: "A"},
		{Name: "truncated", Bits: 1, Short: "T"},
		{Name: "nonce", Bits: 64, Note: "comes back in the response"},
		{Name: "data", Note: "what is asked about, by the code"},
	}
	layoutNodeReply = Layout{
		{Name: "query type", Bits: 16, Note: "0 nothing, 2 node name, 3 IPv6 and 4 IPv4 addresses"},
		{Name: "reserved", Bits: 10},
		{Name: "global", Bits: 1, Short: "G"},
		{Name: "site-local", Bits: 1, Short: "S"},
		{Name: "link-local", Bits: 1, Short: "L"},
		{Name: "IPv4-compatible", Bits: 1, Short: "C"},
		{Name: "all addresses", Bits: 1, Short: "A"},
		{Name: "truncated", Bits: 1, Short: "T"},
		{Name: "nonce", Bits: 64},
		{Name: "data", Note: "names or addresses, each with its time to live"},
	}
	layoutNodeQuery6 = Layout{
		{Name: "query type", Bits: 16, Note: "0 nothing, 2 node name, 3 IPv6 and 4 IPv4 addresses"},
		{Name: "reserved", Bits: 10},
		{Name: "global", Bits: 1, Short: "G"},
		{Name: "site-local", Bits: 1, Short: "S"},
		{Name: "link-local", Bits: 1, Short: "L"},
		{Name: "IPv4-compatible", Bits: 1, Short: "C"},
		{Name: "all addresses", Bits: 1, Short: "A"},
		{Name: "truncated", Bits: 1, Short: "T"},
		{Name: "nonce", Bits: 64, Note: "comes back in the response"},
		{Name: "subject", Bits: 128, Note: "address that is asked about"},
	}
	layoutNodeQueryName = Layout{
		{Name: "query type", Bits: 16, Note: "0 nothing, 2 node name, 3 IPv6 and 4 IPv4 addresses"},
		{Name: "reserved", Bits: 10},
		{Name: "global", Bits: 1, Short: "G"},
		{Name: "site-local", Bits: 1, Short: "S"},
		{Name: "link-local", Bits: 1, Short: "L"},
		{Name: "IPv4-compatible", Bits: 1, Short: "C"},
		{Name: "all addresses", Bits: 1, Short: "A"},
		{Name: "truncated", Bits: 1, Short: "T"},
		{Name: "nonce", Bits: 64, Note: "comes back in the response"},
		{Name: "subject", Note: "domain name in DNS form, or nothing"},
	}
	layoutNodeQuery4 = Layout{
		{Name: "query type", Bits: 16, Note: "0 nothing, 2 node name, 3 IPv6 and 4 IPv4 addresses"},
		{Name: "reserved", Bits: 10},
		{Name: "global", Bits: 1, Short: "G"},
		{Name: "site-local", Bits: 1, Short: "S"},
		{Name: "link-local", Bits: 1, Short: "L"},
		{Name: "IPv4-compatible", Bits: 1, Short: "C"},
		{Name: "all addresses", Bits: 1, Short: "A"},
		{Name: "truncated", Bits: 1, Short: "T"},
		{Name: "nonce", Bits: 64, Note: "comes back in the response"},
		{Name: "subject", Bits: 32, Note: "address that is asked about"},
	}
)

// Layouts of RPL control messages (RFC 6550 section 6).
var (
	layoutDIS = Layout{
		{Name: "flags", Bits: 8},
		{Name: "reserved", Bits: 8},
		{Name: "option"},
	}
	layoutDIO = Layout{
		{Name: "instance", Bits: 8},
		{Name: "version", Bits: 8},
		{Name: "rank", Bits: 16, Note: "distance from the root"},
		{Name: "grounded", Bits: 1, Short: "G"},
		{Name: "reserved", Bits: 1},
		{Name: "mode of operation", Bits: 3, Short: "MOP"},
		{Name: "preference", Bits: 3, Short: "Prf"},
		{Name: "DTSN", Bits: 8, Note: "destination advertisement trigger sequence number"},
		{Name: "flags", Bits: 8},
		{Name: "reserved", Bits: 8},
		{Name: "DODAG", Bits: 128, Note: "address of the root"},
		{Name: "option"},
	}
	layoutDAO = Layout{
		{Name: "instance", Bits: 8},
		{Name: "acknowledgment requested", Bits: 1, Short: "K"},
		{Name: "DODAG present", Bits: 1, Short: "D", Fixed: true, Value: 1, Note: "without it the DODAG is left out"},
		{Name: "flags", Bits: 6},
		{Name: "reserved", Bits: 8},
		{Name: "sequence number", Bits: 8},
		{Name: "DODAG", Bits: 128},
		{Name: "option"},
	}
	layoutDAOAck = Layout{
		{Name: "instance", Bits: 8},
		{Name: "DODAG present", Bits: 1, Short: "D", Fixed: true, Value: 1, Note: "without it the DODAG is left out"},
		{Name: "reserved", Bits: 7},
		{Name: "sequence number", Bits: 8},
		{Name: "status", Bits: 8, Note: "0 accepted, from 128 on refused"},
		{Name: "DODAG", Bits: 128},
		{Name: "option"},
	}
	layoutRPLSecure = Layout{
		{Name: "counter is time", Bits: 1, Short: "T"},
		{Name: "reserved", Bits: 7},
		{Name: "algorithm", Bits: 8},
		{Name: "key identifier mode", Bits: 2, Short: "KIM"},
		{Name: "reserved", Bits: 3},
		{Name: "security level", Bits: 3, Short: "LVL"},
		{Name: "security flags", Bits: 8, Short: "flags"},
		{Name: "counter", Bits: 32},
		{Name: "key identifier", Note: "0, 1 or 9 bytes; the message itself follows"},
	}
)
