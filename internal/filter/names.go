package filter

import (
	"strings"

	"github.com/icmpx/icmpx/icmpx"
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

// shortNames are names of types beside those of the RFCs.
var shortNames = [...]struct{ short, name string }{
	{"echo", "echo-request"}, {"unreachable", "destination-unreachable"}, {"redirect", "redirect-message"},
}

// typesOf returns the types of either family that have a name.
func typesOf(name string) []familyType {
	name = plain(name)
	types := pcapType(name)
	for _, f := range [...]icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, t := range icmpx.Types(f) {
			if isNamed(name, t.Name, t.Text) {
				types = append(types, familyType{f, t.Type})
			}
		}
	}
	return types
}

// isNamed reports whether a thing with a long and a short name is meant.
func isNamed(name, long, short string) bool {
	long, short = plain(long), plain(short)
	if name == long || name == short {
		return true
	}
	for _, s := range shortNames {
		if name == s.short && (long == s.name || short == s.name) {
			return true
		}
	}
	return false
}

// codesOf returns the condition that a message has a code of that name; nil if
// no type has one.
func codesOf(name string) node {
	name = plain(name)
	var n node
	for _, f := range [...]icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, t := range icmpx.Types(f) {
			for _, c := range t.Codes {
				if !isNamed(name, c.Name, c.Text) {
					continue
				}
				n = orElse(n, &both{&isType{[]familyType{{f, t.Type}}}, &isCode{c.Code}})
			}
		}
	}
	return n
}

// orElse returns the condition that l, if there is one, or r is true.
func orElse(l, r node) node {
	if l == nil {
		return r
	}
	return &either{l, r}
}

// plain returns a name as it is written in filters: small letters, digits and
// single hyphens.
func plain(name string) string {
	var b strings.Builder
	hyphen := false
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '\'': // "Don't"
		case isLetter(c) && c != '_' || isDigit(c):
			if hyphen && b.Len() > 0 {
				b.WriteByte('-')
			}
			hyphen = false
			b.WriteByte(lower(c))
		default:
			hyphen = true
		}
	}
	return b.String()
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
