package icmpx

import "slices"

// A Status is how an assigned type or code stands today.
type Status uint8

// The statuses.
const (
	StatusStandard     Status = iota // on the standards track, and in force
	StatusExperimental               // of an experimental RFC, or for experiments
	StatusDeprecated                 // not to be sent any more
	StatusReserved                   // set aside by the registry, without a message
)

// String returns "standard", "experimental", "deprecated" or "reserved".
func (s Status) String() string {
	return [...]string{"standard", "experimental", "deprecated", "reserved"}[s&3]
}

// A Reference says in plain words what there is to know about a message.
type Reference struct {
	Sender string // who sends it
	When   string // on what occasion, and so what it means
	Quotes string // what it returns of the packet that it is about
	Action string // what to do when one sees it
	Linux  string // what Linux does with it: errors of sockets, settings; may be empty
}

// A Layout are the fields of a message in their order, as RFCs draw them. Their
// names are those of Dissect.
type Layout []LayoutField

// A LayoutField is a field of a Layout.
type LayoutField struct {
	Name  string // "reserved" and "unused" are zero
	Bits  int    // width; 0: any number of bytes
	Group string // of Dissect, that the field is in; such a group may come again
	Short string // abbreviation, where the name is too long for the width
	Fixed bool   // the field has Value wherever this layout holds
	Value uint64
	Note  string // unit or meaning; may be empty
}

// LookupType returns what is known of a type; false if it is not assigned. Its
// codes say what holds for all of them as well. The caller owns it.
func LookupType(f Family, typ uint8) (TypeInfo, bool) {
	t := findType(f, typ)
	if t == nil {
		return TypeInfo{}, false
	}
	info := *t
	info.Codes = slices.Clone(t.Codes)
	for i := range info.Codes {
		info.Codes[i].inherit(t)
	}
	return info, true
}

// LookupCode returns what is known of a code of a type; false if it is not
// assigned, or if the type has no codes. What holds for all codes of the type is
// filled in.
func LookupCode(f Family, typ, code uint8) (CodeInfo, bool) {
	t := findType(f, typ)
	if t == nil {
		return CodeInfo{}, false
	}
	c := t.code(code)
	if c == nil {
		return CodeInfo{}, false
	}
	info := *c
	info.inherit(t)
	return info, true
}

// inherit fills in what a code shares with its type.
func (c *CodeInfo) inherit(t *TypeInfo) {
	for _, text := range []struct{ code, typ *string }{
		{&c.Sender, &t.Sender}, {&c.When, &t.When}, {&c.Quotes, &t.Quotes}, {&c.Action, &t.Action}, {&c.Linux, &t.Linux},
	} {
		if *text.code == "" {
			*text.code = *text.typ
		}
	}
	if c.Status == StatusStandard {
		c.Status, c.By = t.Status, t.By
	}
}

// MessageLayout returns the layout of a message from its type byte on, header
// included; nil if the type is not assigned. The code chooses where codes are
// laid out differently, and one that is not assigned has the layout of the type.
func MessageLayout(f Family, typ, code uint8) Layout {
	t := findType(f, typ)
	if t == nil {
		return nil
	}
	body, chosen := t.layout, len(t.Codes) == 0 && code == 0
	if c := t.code(code); c != nil {
		chosen = true
		if c.layout != nil {
			body = c.layout
		}
	}
	return append(Layout{
		{Name: "type", Bits: 8, Fixed: true, Value: uint64(typ)},
		{Name: "code", Bits: 8, Fixed: chosen, Value: uint64(code)},
		{Name: "checksum", Bits: 16},
	}, *body...)
}
