package icmpx

import (
	"slices"
	"strconv"
)

// A TypeInfo is what is known of an assigned ICMP type.
type TypeInfo struct {
	Type   uint8
	Name   string // as the RFC calls it
	Text   string // short words, as ping prints them
	RFC    string // number of the defining RFC
	Status Status
	By     string // number of the RFC that deprecates it; may be empty
	Codes  []CodeInfo
	Reference

	layout *Layout // behind the checksum
}

// A CodeInfo is what is known of an assigned code of a type.
type CodeInfo struct {
	Code   uint8
	Name   string // as the RFC calls it
	Text   string // short words, as ping prints them
	RFC    string // number of the defining RFC
	Status Status
	By     string // number of the RFC that deprecates it; may be empty
	Reference

	layout *Layout // nil: as of the type
}

// Types returns the assigned types of family f in ascending order (IANA
// registries "ICMP Parameters" and "ICMPv6 Parameters"), each as LookupType does.
func Types(f Family) []TypeInfo {
	table := typesOf(f)
	list := make([]TypeInfo, len(table))
	for i, t := range table {
		list[i], _ = LookupType(f, t.Type)
	}
	return list
}

// TypeName returns the RFC's name of a type, "Time Exceeded"; "type 44" if it
// is not assigned.
func TypeName(f Family, typ uint8) string {
	if t := findType(f, typ); t != nil {
		return t.Name
	}
	return "type " + strconv.Itoa(int(typ))
}

// CodeName returns the short words that ping prints for a code, "Time to live
// exceeded" or "Address unreachable". A type that has no codes answers with its
// own words; what is not assigned prints as a number.
func CodeName(f Family, typ, code uint8) string {
	t := findType(f, typ)
	if t == nil {
		return "type " + strconv.Itoa(int(typ)) + ", code " + strconv.Itoa(int(code))
	}
	if c := t.code(code); c != nil {
		return c.Text
	}
	if len(t.Codes) == 0 && code == 0 {
		return t.Text
	}
	return t.Text + ", code " + strconv.Itoa(int(code))
}

// Describe returns the words that ping prints for a message: those of CodeName,
// led in ICMPv6 by those of the type, "Destination unreachable: Address
// unreachable".
func Describe(f Family, typ, code uint8) string {
	if t := findType(f, typ); f == IPv6 && t != nil && t.code(code) != nil {
		return t.Text + ": " + t.code(code).Text
	}
	return CodeName(f, typ, code)
}

func (t *TypeInfo) code(code uint8) *CodeInfo {
	for i := range t.Codes {
		if t.Codes[i].Code == code {
			return &t.Codes[i]
		}
	}
	return nil
}

func findType(f Family, typ uint8) *TypeInfo {
	ts := typesOf(f)
	i, ok := slices.BinarySearchFunc(ts, typ, func(t *TypeInfo, typ uint8) int { return int(t.Type) - int(typ) })
	if !ok {
		return nil
	}
	return ts[i]
}

func typesOf(f Family) []*TypeInfo {
	if f == IPv6 {
		return types6[:]
	}
	return types4[:]
}

// CodeRFCName returns the RFC's name of a code, "Time to Live exceeded in
// Transit"; "" if it is not assigned, or if its type has no codes.
func CodeRFCName(f Family, typ, code uint8) string {
	if t := findType(f, typ); t != nil {
		if c := t.code(code); c != nil {
			return c.Name
		}
	}
	return ""
}
