package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/spelling"
)

// pcapNames are the names that pcap-filter(7) has for numbers: the offsets of
// type and code in a message, and types.
var pcapNames = [...]struct {
	name  string
	value uint32
}{
	{"icmptype", 0}, {"icmpcode", 1}, {"icmp6type", 0}, {"icmp6code", 1},

	{"icmp-echoreply", 0}, {"icmp-unreach", 3}, {"icmp-sourcequench", 4}, {"icmp-redirect", 5}, {"icmp-echo", 8},
	{"icmp-routeradvert", 9}, {"icmp-routersolicit", 10}, {"icmp-timxceed", 11}, {"icmp-paramprob", 12},
	{"icmp-tstamp", 13}, {"icmp-tstampreply", 14}, {"icmp-ireq", 15}, {"icmp-ireqreply", 16},
	{"icmp-maskreq", 17}, {"icmp-maskreply", 18},

	{"icmp6-destinationunreach", 1}, {"icmp6-packettoobig", 2}, {"icmp6-timeexceeded", 3}, {"icmp6-parameterproblem", 4},
	{"icmp6-echo", 128}, {"icmp6-echoreply", 129},
	{"icmp6-multicastlistenerquery", 130}, {"icmp6-multicastlistenerreportv1", 131}, {"icmp6-multicastlistenerdone", 132},
	{"icmp6-routersolicit", 133}, {"icmp6-routeradvert", 134}, {"icmp6-neighborsolicit", 135}, {"icmp6-neighboradvert", 136},
	{"icmp6-redirect", 137}, {"icmp6-routerrenum", 138}, {"icmp6-nodeinformationquery", 139}, {"icmp6-nodeinformationresponse", 140},
	{"icmp6-ineighbordiscoverysolicit", 141}, {"icmp6-ineighbordiscoveryadvert", 142}, {"icmp6-multicastlistenerreportv2", 143},
	{"icmp6-homeagentdiscoveryrequest", 144}, {"icmp6-homeagentdiscoveryreply", 145}, {"icmp6-mobileprefixsolicit", 146},
	{"icmp6-mobileprefixadvert", 147}, {"icmp6-certpathsolicit", 148}, {"icmp6-certpathadvert", 149},
	{"icmp6-multicastrouteradvert", 151}, {"icmp6-multicastroutersolicit", 152}, {"icmp6-multicastrouterterm", 153},
}

// pcapName returns the number that a name of pcap stands for.
func pcapName(name string) (uint32, bool) {
	for _, n := range pcapNames {
		if n.name == name {
			return n.value, true
		}
	}
	return 0, false
}

// pcapType returns the type that a name of pcap stands for, with its family.
func pcapType(name string) []familyType {
	v, ok := pcapName(name)
	switch {
	case !ok:
		return nil
	case strings.HasPrefix(name, "icmp-"):
		return []familyType{{icmpx.IPv4, uint8(v)}}
	case strings.HasPrefix(name, "icmp6-"):
		return []familyType{{icmpx.IPv6, uint8(v)}}
	}
	return nil
}

// typed returns the condition that a message is one that a name stands for: the
// types of that name in a family, or where it has none the codes; nil if nobody
// has the name.
func typed(name string) node {
	whole, coded := named(name)
	return meant(whole, coded, false)
}

// codes returns the condition that a message has a code of that name; of a
// family that has the name for a type alone, the type. It is nil if no type has
// such a code.
func codes(name string) node {
	whole, coded := named(name)
	if len(coded) == 0 {
		return nil
	}
	return meant(whole, coded, true)
}

// named returns the types and the codes that have a name.
func named(name string) (whole, coded []icmpx.Named) {
	for _, t := range pcapType(strings.ToLower(name)) {
		whole = append(whole, icmpx.Named{Family: t.family, Type: t.typ, Whole: true})
	}
	for _, m := range icmpx.MessagesNamed(name) {
		if m.Whole {
			whole = append(whole, m)
		} else {
			coded = append(coded, m)
		}
	}
	return whole, coded
}

// meant returns the condition of some types and codes. Of a family that is in
// both, codes says which counts.
func meant(whole, coded []icmpx.Named, codes bool) node {
	var types []familyType
	for _, m := range whole {
		if !codes || !hasFamily(coded, m.Family) {
			types = append(types, familyType{m.Family, m.Type})
		}
	}
	var n node
	if types != nil {
		n = &isType{types}
	}
	for _, m := range coded {
		if codes || !hasFamily(whole, m.Family) {
			n = orElse(n, &both{&isType{[]familyType{{m.Family, m.Type}}}, &isCode{m.Code}})
		}
	}
	return n
}

func hasFamily(list []icmpx.Named, f icmpx.Family) bool {
	return slices.ContainsFunc(list, func(m icmpx.Named) bool { return m.Family == f })
}

// orElse returns the condition that l, if there is one, or r is true.
func orElse(l, r node) node {
	if l == nil {
		return r
	}
	return &either{l, r}
}

// didYouMean returns what is added to the error about a name that nobody has;
// "" if no name is like it.
func didYouMean(name string) string {
	near := spelling.Nearest(strings.ReplaceAll(strings.ToLower(name), "_", "-"), func(yield func(string) bool) {
		for known := range icmpx.MessageNames() {
			if !yield(known) {
				return
			}
		}
		for i := range pcapNames {
			if strings.Contains(pcapNames[i].name, "-") && !yield(pcapNames[i].name) {
				return
			}
		}
	})
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
