package craft

import (
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// A shortName is what people call a message besides its names in the RFCs.
type shortName struct {
	name       string
	family     icmpx.Family
	typ, code  uint8
	otherTyp   uint8 // of ICMPv6, if both is set
	otherCode  uint8
	bothFamily bool
}

var shortNames = [...]shortName{
	{name: "echo", family: icmpx.IPv4, typ: 8, bothFamily: true, otherTyp: 128},
	{name: "ping", family: icmpx.IPv4, typ: 8, bothFamily: true, otherTyp: 128},
	{name: "unreachable", family: icmpx.IPv4, typ: 3, bothFamily: true, otherTyp: 1},
	{name: "network-unreachable", family: icmpx.IPv4, typ: 3, bothFamily: true, otherTyp: 1},
	{name: "host-unreachable", family: icmpx.IPv4, typ: 3, code: 1, bothFamily: true, otherTyp: 1, otherCode: 3},
	{name: "port-unreachable", family: icmpx.IPv4, typ: 3, code: 3, bothFamily: true, otherTyp: 1, otherCode: 4},
	{name: "prohibited", family: icmpx.IPv4, typ: 3, code: 13, bothFamily: true, otherTyp: 1, otherCode: 1},
	{name: "frag-needed", family: icmpx.IPv4, typ: 3, code: 4},
	{name: "fragmentation-needed", family: icmpx.IPv4, typ: 3, code: 4},
	{name: "too-big", family: icmpx.IPv4, typ: 3, code: 4, bothFamily: true, otherTyp: 2},
	{name: "quench", family: icmpx.IPv4, typ: 4},
	{name: "ttl-exceeded", family: icmpx.IPv4, typ: 11, bothFamily: true, otherTyp: 3},
	{name: "hop-limit-exceeded", family: icmpx.IPv6, typ: 3},
	{name: "param-problem", family: icmpx.IPv4, typ: 12, bothFamily: true, otherTyp: 4},
	{name: "timestamp-request", family: icmpx.IPv4, typ: 13},
	{name: "information", family: icmpx.IPv4, typ: 15},
	{name: "mask", family: icmpx.IPv4, typ: 17},
	{name: "mask-request", family: icmpx.IPv4, typ: 17},
	{name: "address-mask", family: icmpx.IPv4, typ: 17},
	{name: "mask-reply", family: icmpx.IPv4, typ: 18},
	{name: "ext-echo", family: icmpx.IPv4, typ: 42, bothFamily: true, otherTyp: 160},
	{name: "ext-echo-reply", family: icmpx.IPv4, typ: 43, bothFamily: true, otherTyp: 161},
	{name: "neighbour-solicitation", family: icmpx.IPv6, typ: 135},
	{name: "neighbour-advertisement", family: icmpx.IPv6, typ: 136},
}

// Find returns the message that a word names, in a family, and whether there is
// one: by number as in "5" or "5/1", by the name of a type or code in lower case
// with dashes, as in "source-quench", or by a short name. A code may follow a
// name: "redirect/1".
func Find(f icmpx.Family, word string) (typ, code uint8, ok bool) {
	name, behind, more := strings.Cut(strings.ToLower(word), "/")
	if typ, code, ok = find(f, name); !ok || !more {
		return typ, code, ok
	}
	n, err := strconv.ParseUint(behind, 10, 8)
	return typ, uint8(n), err == nil
}

func find(f icmpx.Family, name string) (typ, code uint8, ok bool) {
	if n, err := strconv.ParseUint(name, 10, 8); err == nil {
		return uint8(n), 0, true
	}
	for i := range shortNames {
		s := &shortNames[i]
		switch {
		case s.name != name:
		case s.family == f:
			return s.typ, s.code, true
		case s.bothFamily:
			return s.otherTyp, s.otherCode, true
		}
	}
	types := icmpx.Types(f)
	for i := range types {
		if name == slug(types[i].Name) || name == slug(types[i].Text) {
			return types[i].Type, 0, true
		}
	}
	for i := range types {
		for _, c := range types[i].Codes {
			if name == slug(c.Name) || name == slug(c.Text) {
				return types[i].Type, c.Code, true
			}
		}
	}
	return 0, 0, false
}

// slug returns the name as it is written on a command line: letters and digits,
// in lower case, with one dash for all that stands between. "Message" at the
// end adds nothing.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSuffix(name, " Message")) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}
