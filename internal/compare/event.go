package compare

import "net/netip"

// A Kind says what became of a packet.
type Kind uint8

// The kinds of events.
const (
	Match      Kind = iota // seen at both points
	Lost                   // on its way to the other point, and not seen there
	Duplicated             // came once more from the other point than it was seen there
	Unseen                 // came from where the other point is, and was not seen there
	Elsewhere              // nothing like it was seen at the other point, which it may not pass
	Outside                // before the other capture began, or too late to be in it
	Unsettled              // there were too many packets to wait for its match
)

// String returns the word for k that JSON output uses.
func (k Kind) String() string {
	return [...]string{"match", "lost", "duplicated", "unseen", "elsewhere", "outside", "unsettled"}[k]
}

// By says how a packet was known again.
type By uint8

// How packets are known again, the surest way first.
const (
	ByAll     By = iota // by everything that routers leave alone
	ByNAT               // by what translators of addresses leave alone
	ByName              // by addresses, identifier and sequence number
	ByPayload           // by sequence number and payload
)

// String returns the word for b that JSON output uses.
func (b By) String() string { return [...]string{"all", "nat", "name", "payload"}[b] }

// An Event is what became of one packet. It is valid until the sink returns.
type Event struct {
	Kind      Kind
	By        By // of a Match
	Direction Direction
	InA, InB  bool // where it was seen: which of A and B is there
	A, B      Mark
	Delay     int64 // of a Match, from the point that it passed first to the other, in nanoseconds
	Again     int   // of Duplicated, the frame that has it first
	Reordered bool  // of a Match: one that was sent later had arrived before
	Changes   Changes
}

func (e *Event) set(i int, m *Mark) {
	if i == 0 {
		e.A, e.InA = *m, true
		return
	}
	e.B, e.InB = *m, true
}

// Mark returns the packet where it was seen, the first point first.
func (e *Event) Mark() *Mark {
	if e.InA {
		return &e.A
	}
	return &e.B
}

// A Field is something of a packet that may change on its way. The TTL, which
// every router counts down, is none: see Event.Hops.
type Field uint8

// The fields.
const (
	FieldSrc Field = iota
	FieldDst
	FieldID       // identifier of a query
	FieldTOS      // TOS octet or traffic class
	FieldDF       // don't fragment
	FieldIPID     // identification of IPv4
	FieldLength   // of the message
	FieldPayload  // anything behind the checksum but the identifier
	FieldChecksum // it was right, and is not any more
	FieldQuote    // the quote is of another sender than the error is for: it was not translated back
	FieldFragments
	fields
)

// String returns the word for f that JSON output uses.
func (f Field) String() string {
	return [...]string{"src", "dst", "id", "tos", "df", "ip_id", "length", "payload", "checksum", "quote", "fragments"}[f]
}

// Changes is a set of fields.
type Changes uint16

// Has reports whether f is in the set.
func (c Changes) Has(f Field) bool { return c>>f&1 != 0 }

// Damage reports whether what changed is no business of the network: payload,
// length or checksum.
func (c Changes) Damage() bool {
	return c.Has(FieldPayload) || c.Has(FieldLength) || c.Has(FieldChecksum)
}

// changes returns what differs between m, seen at A, and o, seen at B.
func (m *Mark) changes(o *Mark, d Direction) (c Changes) {
	set := func(f Field, differs bool) {
		if differs {
			c |= 1 << f
		}
	}
	set(FieldSrc, m.Src != o.Src)
	set(FieldDst, m.Dst != o.Dst)
	set(FieldID, m.Query && m.ID != o.ID)
	set(FieldTOS, m.TOS != o.TOS)
	set(FieldDF, m.DF != o.DF)
	set(FieldIPID, m.IPID != o.IPID)
	set(FieldLength, m.Len != o.Len)
	set(FieldFragments, m.Fragments != o.Fragments)
	first, second := m, o
	if d == BA {
		first, second = o, m
	}
	set(FieldChecksum, second.Bad && !first.Bad)
	set(FieldQuote, second.stale && !first.stale)
	// The quote of an error is translated with its addresses.
	translated := m.isError && (m.Src != o.Src || m.Dst != o.Dst)
	set(FieldPayload, m.whole && o.whole && m.body != o.body && !translated)
	return c
}

// Hops returns by how much the TTL went down on the way of a Match; negative if
// it went up.
func (e *Event) Hops() int {
	if e.Direction == BA {
		return int(e.B.TTL) - int(e.A.TTL)
	}
	return int(e.A.TTL) - int(e.B.TTL)
}

// A Change is how often something was changed, and from what to what, as far as
// that is the same each time.
type Change struct {
	Field     Field
	Direction Direction
	Count     uint64
	From, To  int64      // of FieldID, FieldTOS, FieldDF, FieldFragments
	Src, Dst  netip.Addr // of FieldSrc and FieldDst: from Src to Dst
	Example   [2]int     // frames of the first, at A and at B
}

// change says what happened to a field of a Match, without count.
func (e *Event) change(f Field) Change {
	first, second := &e.A, &e.B
	if e.Direction == BA {
		first, second = second, first
	}
	c := Change{Field: f, Direction: e.Direction}
	switch f {
	case FieldSrc:
		c.Src, c.Dst = first.Src, second.Src
	case FieldDst:
		c.Src, c.Dst = first.Dst, second.Dst
	case FieldID:
		c.From, c.To = int64(first.ID), int64(second.ID)
	case FieldTOS:
		c.From, c.To = int64(first.TOS), int64(second.TOS)
	case FieldDF:
		c.From, c.To = one(first.DF), one(second.DF)
	case FieldFragments:
		c.From, c.To = int64(first.Fragments), int64(second.Fragments)
	}
	return c
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
