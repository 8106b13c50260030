package pmtu

// A Severity says how much a finding matters.
type Severity uint8

// The severities.
const (
	Info    Severity = iota // good to know
	Warning                 // may explain trouble
	Fault                   // large packets do not get through
)

var severityNames = [...]string{Info: "info", Warning: "warning", Fault: "fault"}

// String returns "info", "warning" or "fault".
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return severityNames[Info]
}

// A Code names a kind of finding. Codes are never renamed.
type Code string

// The codes. Explain says what each means.
const (
	CodeBlackHole   Code = "black_hole"
	CodeLimit       Code = "mtu_limit"
	CodeCause       Code = "likely_cause"
	CodeMSS         Code = "tcp_mss"
	CodeZeroMTU     Code = "zero_mtu"
	CodeBadClaim    Code = "wrong_mtu"
	CodeForged      Code = "forged"
	CodeStrays      Code = "strays"
	CodeRoute       Code = "route_mtu"
	CodeLocal       Code = "local_limit"
	CodeReturn      Code = "return_limit"
	CodeSmallPings  Code = "small_pings"
	CodeBelow       Code = "below_minimum"
	CodeFlows       Code = "flows_differ"
	CodeMixed       Code = "paths_mixed"
	CodeChanged     Code = "path_changed"
	CodeWhere       Code = "unknown_direction"
	CodeBudget      Code = "out_of_packets"
	CodeTime        Code = "out_of_time"
	CodeBounds      Code = "size_bounds"
	CodeOpen        Code = "limits_unknown"
	CodeSilent      Code = "silent_destination"
	CodeUnreachable Code = "unreachable"
	CodeNotSent     Code = "not_sent"
)

var explanations = [...]struct {
	code Code
	text string
}{
	{CodeBlackHole, "Packets above some size vanish, and no router says so. Connections open, and hang as soon as they carry much data. The router in front of the small link must send the ICMP message that packets are too big, and every firewall on its way back must let it through."},
	{CodeLimit, "A link takes no larger packets, and the router in front of it says so. Hosts adapt as long as that message reaches them."},
	{CodeCause, "Links and tunnels of a known kind have this MTU. That is a hint, not a proof."},
	{CodeMSS, "The largest TCP segment that fits the path MTU: to be set where connections hang, as the maximum segment size that a router or firewall clamps to."},
	{CodeZeroMTU, "A router reports no next-hop MTU, as those from before RFC 1191 do. Hosts must guess, and lose time or end with a size too small."},
	{CodeBadClaim, "A router reports a next-hop MTU that is not true. Hosts that believe it send packets too small, or too large."},
	{CodeForged, "Messages came in that somebody forged, or that proved false. They did not change the result."},
	{CodeStrays, "Messages came in that belong to no probe. They were ignored."},
	{CodeRoute, "The route of this host, or the path MTU in its cache, limits packets more than the path does. A stale cache entry lasts ten minutes; ip route flush cache removes it."},
	{CodeLocal, "This host itself does not let larger packets out."},
	{CodeReturn, "The way back from the destination takes only smaller packets than the way there."},
	{CodeSmallPings, "The destination answers only small echo requests, although larger packets reach it."},
	{CodeBelow, "The path takes less than 1280 bytes, which every IPv6 link must (RFC 8200 section 5). IPv6 does not work over it."},
	{CodeFlows, "Packets of different flows take paths with different MTUs."},
	{CodeMixed, "Packets of one flow take paths with different MTUs in turn, so there is no single path MTU."},
	{CodeChanged, "The path changed while it was searched."},
	{CodeWhere, "Larger packets vanish, but it cannot be told on which way, or whether the destination ignores them."},
	{CodeBudget, "The number of packets that may be sent did not do."},
	{CodeTime, "The time did not do."},
	{CodeBounds, "The sizes that were allowed do not contain the path MTU."},
	{CodeOpen, "Above the path MTU there are limits that the search did not settle. The path MTU itself is proven."},
	{CodeSilent, "The destination answers nothing, so the path MTU to it cannot be known. What was found holds up to the last hop that answers."},
	{CodeUnreachable, "A router says that packets cannot be delivered to the destination."},
	{CodeNotSent, "This host itself refused to send some of the packets, for instance by its own firewall."},
}

// Explain returns what a code means, in a sentence or two for people.
func (c Code) Explain() string {
	for i := range explanations {
		if explanations[i].code == c {
			return explanations[i].text
		}
	}
	return ""
}

// A Fact is one piece of evidence. Value is an int, bool, string or netip.Addr.
type Fact struct {
	Name  string
	Value any
}

// A Finding is something that a path does to large packets.
type Finding struct {
	Code     Code
	Severity Severity
	Hop      int    // TTL of the router that it is about; 0: the whole path, or not known
	Text     string // what is wrong, in plain words, with the numbers of the remedy; without a period
	Evidence []Fact // the numbers that say so
}
