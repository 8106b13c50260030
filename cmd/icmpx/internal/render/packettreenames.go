package render

import (
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
)

// appendTOS appends the octet of differentiated services (RFC 2474, RFC 3168).
func appendTOS(b []byte, v uint8) []byte {
	b = appendHexNumber(b, uint64(v), 2)
	if v == 0 {
		return b
	}
	b = append(append(b, " ("...), dscpName(v>>2)...)
	switch v & 3 {
	case 1:
		b = append(b, ", ECT(1)"...)
	case 2:
		b = append(b, ", ECT(0)"...)
	case 3:
		b = append(b, ", congestion experienced"...)
	}
	return append(b, ')')
}

// dscpName returns the name of a differentiated services code point (IANA
// registry "DSCP").
func dscpName(v uint8) string {
	switch class, drop := v>>3, v>>1&3; {
	case v == 46:
		return "EF"
	case v == 44:
		return "VOICE-ADMIT"
	case v == 1:
		return "LE"
	case v&7 == 0:
		return "CS" + strconv.Itoa(int(class))
	case v&1 == 0 && class >= 1 && class <= 4:
		return "AF" + strconv.Itoa(int(class)) + strconv.Itoa(int(drop))
	}
	return "DSCP " + strconv.Itoa(int(v))
}

// appendProtocolNumber appends an IP protocol number with its name.
func appendProtocolNumber(b []byte, v uint64) []byte {
	return appendWords(strconv.AppendUint(b, v, 10), protocolName(uint8(v)))
}

// protocolName returns the name of an IP protocol, "" of rare ones (IANA
// "Protocol Numbers").
func protocolName(v uint8) string {
	switch v {
	case extHopByHop:
		return "hop-by-hop options"
	case protoICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case 4:
		return "IPv4"
	case protoTCP:
		return "TCP"
	case protoUDP:
		return "UDP"
	case protoDCCP:
		return "DCCP"
	case 41:
		return "IPv6"
	case extRouting:
		return "routing header"
	case extFragment:
		return "fragment header"
	case 47:
		return "GRE"
	case 50:
		return "ESP"
	case extAuth:
		return "authentication header"
	case protoICMPv6:
		return "ICMPv6"
	case 59:
		return "no next header"
	case extDestOpts:
		return "destination options"
	case 89:
		return "OSPF"
	case 103:
		return "PIM"
	case 112:
		return "VRRP"
	case protoSCTP:
		return "SCTP"
	case extMobility:
		return "mobility header"
	case protoUDPLite:
		return "UDP-Lite"
	case extHIP:
		return "host identity header"
	case extShim6:
		return "shim6 header"
	case 253, 254:
		return "experiment"
	}
	return ""
}

// optionName returns the name of an option, by the group that it stands in.
func (w *tree) optionName(v uint64) string {
	switch {
	case w.in == "options":
		return ipOptionName(v)
	case w.in == "hop-by-hop options" || w.in == "destination options":
		return ip6OptionName(v)
	case w.in == "" && w.typ == 155:
		return rplOptionName(v)
	}
	return icmpx.NDOptionName(uint8(v))
}

// ipOptionName returns the name of an IPv4 option (IANA "IP Option Numbers").
func ipOptionName(v uint64) string {
	switch v {
	case 0:
		return "End Of Options List"
	case 1:
		return "No Operation"
	case 7:
		return "Record Route"
	case 11:
		return "MTU Probe"
	case 12:
		return "MTU Reply"
	case 25:
		return "Quick-Start"
	case 68:
		return "Time Stamp"
	case 82:
		return "Traceroute"
	case 130:
		return "Security"
	case 131:
		return "Loose Source Route"
	case 133:
		return "Extended Security"
	case 134:
		return "Commercial Security"
	case 136:
		return "Stream ID"
	case 137:
		return "Strict Source Route"
	case 148:
		return "Router Alert"
	}
	return "unknown"
}

// ip6OptionName returns the name of an option of hop-by-hop or destination
// options (IANA "Destination Options and Hop-by-Hop Options").
func ip6OptionName(v uint64) string {
	switch v {
	case 0x00:
		return "Pad1"
	case 0x01:
		return "PadN"
	case 0x04:
		return "Tunnel Encapsulation Limit"
	case 0x05:
		return "Router Alert"
	case 0x07:
		return "CALIPSO"
	case 0x08:
		return "SMF_DPD"
	case 0x0f:
		return "Performance and Diagnostic Metrics"
	case 0x11, 0x31:
		return "IOAM"
	case 0x23, 0x63:
		return "RPL"
	case 0x26:
		return "Quick-Start"
	case 0x30:
		return "Minimum Path MTU"
	case 0x6d:
		return "MPL"
	case 0x8b:
		return "ILNP Nonce"
	case 0xc2:
		return "Jumbo Payload"
	case 0xc9:
		return "Home Address"
	}
	return "unknown"
}

// rplOptionName returns the name of an option of RPL (RFC 6550 section 6.7).
func rplOptionName(v uint64) string {
	names := [...]string{"Pad1", "PadN", "DAG Metric Container", "Routing Information", "DODAG Configuration", "RPL Target",
		"Transit Information", "Solicited Information", "Prefix Information", "RPL Target Descriptor"}
	if v < uint64(len(names)) {
		return names[v]
	}
	return "unknown"
}

// className returns the name of a class of extension objects (IANA "ICMP
// Extension Object Classes").
func className(v uint64) string {
	switch v {
	case 1:
		return "MPLS Label Stack"
	case 2:
		return "Interface Information"
	case 3:
		return "Interface Identification"
	case 4:
		return "Extended Information"
	case 5:
		return "Node Identification"
	}
	return "unknown"
}

// meaning appends what a number of the body stands for.
func (w *tree) meaning(b []byte, name string, v uint64) []byte {
	switch name {
	case "address family":
		return appendWords(b, familyNumber(v))
	case "record type":
		return b // the heading names it
	case "query type":
		return appendWords(b, queryName(v))
	case "maximum response code":
		return append(append(strconv.AppendUint(append(b, " ("...), responseDelay(v), 10), " ms"...), ')')
	case "querier's query interval code":
		return append(append(strconv.AppendUint(append(b, " ("...), queryInterval(v), 10), " s"...), ')')
	case "scaled lifetime":
		return append(append(strconv.AppendUint(append(b, " ("...), 8*v, 10), " s"...), ')')
	case "address entry size":
		return append(appendCount(append(b, " ("...), int(4*v), "byte"), ')')
	case "auxiliary data length":
		return append(appendCount(append(b, " ("...), int(4*v), "byte"), ')')
	}
	return b
}

// familyNumber returns the name of an address family (IANA "Address Family
// Numbers").
func familyNumber(v uint64) string {
	switch v {
	case 1:
		return "IPv4"
	case 2:
		return "IPv6"
	case 16389:
		return "48-bit MAC"
	case 16390:
		return "64-bit MAC"
	}
	return ""
}

// queryName returns the name of a type of node information query (RFC 4620
// section 4).
func queryName(v uint64) string {
	switch v {
	case 0:
		return "no operation"
	case 2:
		return "node name"
	case 3:
		return "node addresses"
	case 4:
		return "IPv4 addresses"
	}
	return ""
}

// responseDelay returns the milliseconds of a maximum response code (RFC 9777
// section 5.1.3).
func responseDelay(v uint64) uint64 {
	if v < 0x8000 {
		return v
	}
	return (v&0xfff | 0x1000) << (v>>12&7 + 3)
}

// queryInterval returns the seconds of a querier's query interval code (RFC 9777
// section 5.1.9).
func queryInterval(v uint64) uint64 {
	if v < 0x80 {
		return v
	}
	return (v&0xf | 0x10) << (v>>4&7 + 3)
}
