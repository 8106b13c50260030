package icmpx

import (
	"iter"
	"slices"
	"strings"
)

// A Named is what a name stands for: one message, or a type with all its codes.
type Named struct {
	Family Family
	Type   uint8
	Code   uint8
	Whole  bool // the type, whatever the code, which is 0 here
}

// shortNames are what people call messages besides their names in the RFCs.
var shortNames = [...]struct {
	name  string
	means []Named
}{
	{"echo", []Named{{IPv4, v4EchoRequest, 0, true}, {IPv6, v6EchoRequest, 0, true}}},
	{"ping", []Named{{IPv4, v4EchoRequest, 0, true}, {IPv6, v6EchoRequest, 0, true}}},
	{"unreachable", []Named{{IPv4, v4Unreachable, 0, true}, {IPv6, v6Unreachable, 0, true}}},
	{"network-unreachable", []Named{{IPv4, v4Unreachable, 0, false}, {IPv6, v6Unreachable, 0, false}}},
	{"host-unreachable", []Named{{IPv4, v4Unreachable, 1, false}, {IPv6, v6Unreachable, 3, false}}},
	{"prohibited", []Named{{IPv4, v4Unreachable, 13, false}, {IPv6, v6Unreachable, 1, false}}},
	{"frag-needed", []Named{{IPv4, v4Unreachable, 4, false}}},
	{"fragmentation-needed", []Named{{IPv4, v4Unreachable, 4, false}}},
	{"too-big", []Named{{IPv4, v4Unreachable, 4, false}, {IPv6, v6PacketTooBig, 0, true}}},
	{"quench", []Named{{IPv4, v4SourceQuench, 0, true}}},
	{"ttl-exceeded", []Named{{IPv4, v4TimeExceeded, 0, false}, {IPv6, v6TimeExceeded, 0, false}}},
	{"hop-limit-exceeded", []Named{{IPv6, v6TimeExceeded, 0, false}}},
	{"param-problem", []Named{{IPv4, v4ParamProblem, 0, true}, {IPv6, v6ParamProblem, 0, true}}},
	{"timestamp-request", []Named{{IPv4, v4TimestampRequest, 0, true}}},
	{"information", []Named{{IPv4, v4InformationRequest, 0, true}}},
	{"mask", []Named{{IPv4, v4MaskRequest, 0, true}}},
	{"mask-request", []Named{{IPv4, v4MaskRequest, 0, true}}},
	{"address-mask", []Named{{IPv4, v4MaskRequest, 0, true}}},
	{"mask-reply", []Named{{IPv4, v4MaskReply, 0, true}}},
	{"ext-echo", []Named{{IPv4, v4ExtEchoRequest, 0, true}, {IPv6, v6ExtEchoRequest, 0, true}}},
	{"ext-echo-reply", []Named{{IPv4, v4ExtEchoReply, 0, true}, {IPv6, v6ExtEchoReply, 0, true}}},
	{"neighbour-solicitation", []Named{{IPv6, v6NeighborSolicit, 0, true}}},
	{"neighbour-advertisement", []Named{{IPv6, v6NeighborAdvert, 0, true}}},
}

// MessagesNamed returns what a name stands for in either family, nil if it is
// nobody's: the short names that people use ("too-big"), then the names and
// texts of types ("time-exceeded"), then those of codes ("port-unreachable").
// Case does not matter, nor what stands between the words, nor "message" at the
// end.
func MessagesNamed(name string) []Named {
	var list []Named
	if name = slug(name); name == "" {
		return nil
	}
	for found, m := range names() {
		if found == name && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// MessageNames yields every name that MessagesNamed knows, as it is written
// there: in lower case, with dashes. Some come more than once.
func MessageNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range names() {
			if !yield(name) {
				return
			}
		}
	}
}

// names yields all names with what they stand for, the preferred ones first.
func names() iter.Seq2[string, Named] {
	return func(yield func(string, Named) bool) {
		for i := range shortNames {
			for _, m := range shortNames[i].means {
				if !yield(shortNames[i].name, m) {
					return
				}
			}
		}
		_ = eachType(func(f Family, t *TypeInfo) bool {
			m := Named{Family: f, Type: t.Type, Whole: true}
			return yield(slug(t.Name), m) && yield(slug(t.Text), m)
		}) && eachType(func(f Family, t *TypeInfo) bool {
			for i := range t.Codes {
				c := &t.Codes[i]
				m := Named{Family: f, Type: t.Type, Code: c.Code}
				if !yield(slug(c.Name), m) || !yield(slug(c.Text), m) {
					return false
				}
			}
			return true
		})
	}
}

// eachType calls do for all types until it returns false, and returns what the
// last call did.
func eachType(do func(Family, *TypeInfo) bool) bool {
	for _, f := range [...]Family{IPv4, IPv6} {
		for _, t := range typesOf(f) {
			if !do(f, t) {
				return false
			}
		}
	}
	return true
}

// slug returns a name as it is written on a command line: letters and digits in
// lower case, with one dash for all that stands between. An apostrophe stands
// for nothing, and "message" at the end adds nothing.
func slug(name string) string {
	b := make([]byte, 0, len(name))
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
		case c != '\'' && len(b) > 0 && b[len(b)-1] != '-':
			b = append(b, '-')
		}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "-"), "-message")
}
