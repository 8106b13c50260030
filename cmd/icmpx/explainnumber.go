package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
)

// familyWords are what a family is called.
var familyWords = [...]struct {
	family icmpx.Family
	words  []string
}{
	{icmpx.IPv4, []string{"4:", "v4", "ipv4", "icmp4", "icmpv4", "ip4"}},
	{icmpx.IPv6, []string{"6:", "v6", "ipv6", "icmp6", "icmpv6", "ip6"}},
}

// tableIn reports whether a query asks for all types, of which family (0: both):
// "", "icmp", "icmpv6".
func tableIn(query string) (icmpx.Family, bool) {
	query = strings.TrimSpace(strings.ToLower(query))
	if query == "" || query == "icmp" {
		return 0, true
	}
	for _, p := range familyWords {
		if slices.Contains(p.words, query) {
			return p.family, true
		}
	}
	return 0, false
}

// familyIn returns the family that a query begins with, and what follows: "v6 3",
// "6:1/4", "icmp6 redirect". Plain icmp is what texts call either.
func familyIn(query string) (icmpx.Family, string) {
	query = strings.TrimSpace(strings.ToLower(query))
	for _, p := range familyWords {
		for _, w := range p.words {
			rest, ok := strings.CutPrefix(query, w)
			if ok && (w[1] == ':' || strings.IndexAny(rest, " ,:/") == 0) {
				return p.family, strings.TrimLeft(rest, " ,:/")
			}
		}
	}
	return 0, query
}

// A messageNumber is what a query of numbers asks for.
type messageNumber struct {
	typ, code int
	coded     bool
}

// parseNumber reads "3", "3/4", "3 4", "3.4", "type 3", "type=3, code=4", "icmp
// type 3 code 4".
func parseNumber(query string) (messageNumber, bool) {
	var n messageNumber
	text := strings.NewReplacer("=", " ", ",", " ", "/", " / ", ".", " / ", "-", " / ", ":", " ", "#", " ").Replace(strings.ToLower(query))
	words := slices.DeleteFunc(strings.Fields(text), func(w string) bool { return w == "icmp" })
	typed := len(words) > 0 && words[0] == "type"
	if typed {
		words = words[1:]
	}
	if len(words) == 3 && (words[1] == "/" || words[1] == "code") {
		words = slices.Delete(words, 1, 2)
	}
	coded := len(words) == 2
	if len(words) != 1 && !coded {
		return n, false
	}
	n.typ, n.coded = -1, coded
	if v, ok := parseByte(words[0]); ok {
		n.typ = v
	} else {
		return n, false
	}
	if coded {
		v, ok := parseByte(words[1])
		if !ok {
			return n, false
		}
		n.code = v
	}
	return n, true
}

// parseByte reads a number, decimal or 0x...; one above 255 is 256, which nothing
// has.
func parseByte(s string) (int, bool) {
	base := 10
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = rest, 16
	}
	v, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		return 0, false
	}
	return int(min(v, 256)), true
}

// numberIn returns what a query of numbers asks for; false if it is none.
func numberIn(query string, family icmpx.Family) ([]render.Entry, bool) {
	n, ok := parseNumber(query)
	if !ok {
		return nil, false
	}
	var list []render.Entry
	for _, f := range familiesOf(family) {
		if m, ok := n.message(f); ok {
			list = append(list, render.Entry{Message: m})
		}
	}
	return list, true
}

// message returns the message that a number names in a family, if it is assigned.
// The only code of a type without codes is 0.
func (n messageNumber) message(f icmpx.Family) (render.Message, bool) {
	if n.typ > 255 || n.code > 255 {
		return render.Message{}, false
	}
	m := render.Message{Family: f, Type: uint8(n.typ), Code: uint8(n.code), Whole: !n.coded}
	t, ok := icmpx.LookupType(f, m.Type)
	if !ok || !n.coded {
		return m, ok
	}
	if len(t.Codes) == 0 && n.code == 0 {
		m.Code, m.Whole = 0, true
		return m, true
	}
	_, ok = icmpx.LookupCode(f, m.Type, m.Code)
	return m, ok
}

// otherNumbers suggests the types whose code was not found.
func otherNumbers(query string, family icmpx.Family, found int) []string {
	n, _ := parseNumber(query)
	if found > 0 || !n.coded {
		return nil
	}
	var list []string
	for _, f := range familiesOf(family) {
		if m, ok := (messageNumber{typ: n.typ}).message(f); ok {
			list = append(list, m.Query()+" ("+icmpx.TypeName(f, m.Type)+")")
		}
	}
	return list
}

// markIn returns what a mark of a trace in a query means: "!X", "!F-1400", "!<9>",
// "*".
func markIn(query string, family icmpx.Family) []render.Entry {
	for _, word := range strings.Fields(query) {
		if n, ok := numberMark(word); ok {
			return n.entries(family)
		}
		mark, _, _ := strings.Cut(word, "-")
		if mark == lonelyMark && strings.TrimSpace(query) != mark && !strings.Contains(query, "ms "+mark) {
			continue
		}
		for i := range marks {
			if strings.EqualFold(marks[i].Name, mark) {
				s := marks[i]
				s.Name += " in a trace"
				return add(nil, []render.Entry{{Symptom: &s}}, family)
			}
		}
	}
	if strings.Trim(query, "* ?") == "" && strings.TrimSpace(query) != "" {
		return search([]string{"no", "reply"}, family)
	}
	return nil
}

// numberMark reads "!<9>", a code of destination unreachable that has no letter,
// and "!<12-0>", a type and a code; "!9" is how some print the former.
func numberMark(word string) (messageNumber, bool) {
	rest, ok := strings.CutPrefix(word, "!")
	if !ok {
		return messageNumber{}, false
	}
	typ, code, both := strings.Cut(strings.Trim(rest, "<>"), "-")
	n := messageNumber{typ: -1, coded: true}
	if !both {
		typ, code = "", typ
	} else if n.typ, ok = parseByte(typ); !ok {
		return n, false
	}
	n.code, ok = parseByte(code)
	return n, ok
}

// entries returns what a mark means; without a type it is destination
// unreachable.
func (n messageNumber) entries(family icmpx.Family) []render.Entry {
	var list []render.Entry
	for _, f := range familiesOf(family) {
		n := n
		if n.typ < 0 {
			n.typ = 3
			if f == icmpx.IPv6 {
				n.typ = 1
			}
		}
		if m, ok := n.message(f); ok {
			list = append(list, render.Entry{Message: m})
		}
	}
	return list
}
