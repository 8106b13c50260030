package trace

import (
	"cmp"
	"slices"

	"github.com/icmpx/icmpx/icmpx"
)

// A Severity says how much a finding matters.
type Severity uint8

// The severities.
const (
	Info    Severity = iota // good to know
	Warning                 // may explain trouble
	Fault                   // the path does not work, or not for this method
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
	CodeLoop         Code = "loop"
	CodeRepeated     Code = "repeated_router"
	CodeUnreachable  Code = "unreachable"
	CodeFiltered     Code = "filtered"
	CodeSilent       Code = "silent_destination"
	CodeOtherMethod  Code = "silent_to_method"
	CodeMaxTTL       Code = "max_ttl"
	CodeNotSent      Code = "not_sent"
	CodeOtherAddress Code = "other_address"
	CodeMTU          Code = "mtu_drop"
	CodeNAT          Code = "nat"
	CodeTOS          Code = "tos_rewritten"
	CodeLength       Code = "length_changed"
	CodeHidden       Code = "hidden_hops"
	CodeZeroTTL      Code = "zero_ttl"
	CodeAsymmetry    Code = "asymmetry"
	CodeLimited      Code = "rate_limited"
	CodeLoss         Code = "loss"
	CodeBalanced     Code = "balanced"
	CodeMixed        Code = "paths_mixed"
	CodePrivate      Code = "private_after_public"
	CodeForged       Code = "forged"
)

// Explain returns what a code means, in a sentence or two for people.
func (c Code) Explain() string {
	switch c {
	case CodeLoop:
		return "Routers hand the packets to each other in a circle until their TTL is used up. Their routing tables contradict each other; the destination cannot be reached until that is mended."
	case CodeRepeated:
		return "One router answers at two distances, with others between. The path changed during the trace, or a short loop resolved itself."
	case CodeUnreachable:
		return "A router on the way, or the destination, says that the packets cannot be delivered. Nothing behind it sees them."
	case CodeFiltered:
		return "A firewall refuses the packets and says so. Another method or port may pass it."
	case CodeSilent:
		return "Behind the last router that answers everything is silent. A firewall drops the packets there, or the destination is down."
	case CodeOtherMethod:
		return "The destination is alive, but drops the packets of this method. Trace with the method that it answers."
	case CodeMaxTTL:
		return "The path is longer than the largest TTL that was asked."
	case CodeNotSent:
		return "This host itself refused to send some of the packets, for instance by its own firewall."
	case CodeOtherAddress:
		return "The destination answers from another of its addresses, as hosts and routers with several interfaces do."
	case CodeMTU:
		return "A link is too small for packets of this size. Connections that ignore this hang; icmpx pmtu finds the size that passes."
	case CodeNAT:
		return "A translator changes addresses or ports on the way, as the packets quoted from behind it show. One that repairs its quotes stays invisible."
	case CodeTOS:
		return "A router changes the type of service: quality-of-service marks are lost or replaced, or congestion is marked."
	case CodeLength:
		return "The packets arrive with another length than they were sent with. Something on the way cuts or rebuilds them."
	case CodeHidden:
		return "Packets arrive with more TTL left than there should be. They crossed a tunnel whose routers do not count it, so there are more routers than shown."
	case CodeZeroTTL:
		return "A router passes packets on whose TTL is used up. It is missing in the trace, and the router behind it appears twice."
	case CodeAsymmetry:
		return "Answers take another number of hops back than the packets took there. Round-trip times then include a way that the trace does not show. Not a fault."
	case CodeLimited:
		return "The router limits how often it answers, as almost all do. Packets through it are not affected; this is not loss."
	case CodeLoss:
		return "Probes are lost from here on up to the destination: traffic through this path suffers loss."
	case CodeBalanced:
		return "Several routers share the load at this distance, packet by packet although all belong to one flow. Packets may overtake each other."
	case CodeMixed:
		return "This method changes the port with each probe, so neighbouring rows may belong to different paths. Trace with a constant flow to see one of them."
	case CodePrivate:
		return "A private address follows a public one. A provider numbers its inner links so, or the packets entered another private network."
	case CodeForged:
		return "Answers came back whose secret is wrong. Somebody forges replies, or something rewrites payloads."
	}
	return ""
}

// A Fact is one piece of evidence. Value is an int, bool, string, netip.Addr,
// time.Duration, []int or []netip.Addr.
type Fact struct {
	Name  string
	Value any
}

// A Finding is something odd about a path.
type Finding struct {
	Code     Code
	Severity Severity
	Hop      int    // TTL of the row that it is about, or at which it starts; 0: the whole path
	Text     string // what is wrong, in plain words, without a period
	Evidence []Fact // the numbers that say so
}

// A judgement is a list of findings in the making.
type judgement struct {
	*Result
	family icmpx.Family
	bounds []bound
	list   []Finding
}

// judge returns what is odd about a finished trace, in order of hops.
func judge(res *Result, bounds []bound) []Finding {
	j := &judgement{Result: res, family: icmpx.FamilyOf(res.Dst), bounds: bounds}
	j.judgeEnd()
	j.judgeMTU()
	j.judgePath()
	j.judgeQuotes()
	j.judgeLoss()
	slices.SortStableFunc(j.list, func(a, b Finding) int { return cmp.Compare(a.Hop, b.Hop) })
	return j.list
}

func (j *judgement) add(c Code, s Severity, hop int, text string, evidence ...Fact) {
	j.list = append(j.list, Finding{c, s, hop, text, evidence})
}

// each calls f for every answered probe, in order of TTL, with its row.
func (j *judgement) each(f func(row *Row, p *Probe)) {
	for i := range j.Rows {
		row := &j.Rows[i]
		for k := range row.Probes {
			if p := &row.Probes[k]; p.State == Answered {
				f(row, p)
			}
		}
	}
}

// hops writes "hop 3" or "hops 3, 5 and 6".
func hops(list []int) string {
	if len(list) == 1 {
		return "hop " + itoa(list[0])
	}
	return "hops " + ranges(list)
}
