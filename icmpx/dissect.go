package icmpx

import (
	"encoding/binary"
	"net/netip"
)

// A Field is a named field of a dissected message, or a group of them.
type Field struct {
	Name   string
	Offset int // of its first byte, from the start of the message
	Len    int // bytes that it is in; fields of some bits share theirs

	// Value is a uint64 of a number, a bool of a flag, a netip.Addr, a string
	// of a name or a word, or the []byte of anything else, which shares the
	// message; also of a field that is cut short. It is nil for a group, whose
	// members are Fields.
	Value  any
	Fields []Field
}

// A Dissection is what Dissect made of a message.
type Dissection struct {
	Fields   []Field
	Problems []ParseError // what is wrong, in the order in which it was met
}

// DissectOptions say what the message itself does not. The zero value knows
// nothing more.
type DissectOptions struct {
	Src, Dst netip.Addr // of the packet; the checksum of ICMPv6 needs them
	Len      int        // bytes of the whole message, if b may be the start of it; 0: len(b)
}

// Dissect names every field of b, an ICMP message of family f from its type
// byte on, as far as the bytes go: header, body, quoted packet with its options
// or extension headers and transport header, extension structure with its
// objects. What is wrong becomes a Problem, and the reading goes on where that
// makes sense. A quoted error's own quote is not followed. Dissect reads any
// input, and its output is bounded by a multiple of the input's length.
//
// A checksum that does not match is the Problem ErrChecksum at its offset; it is
// not verified if bytes or, for ICMPv6, addresses are missing.
func Dissect(f Family, b []byte, o DissectOptions) Dissection {
	var d Dissection
	c := cursor{d: &d, b: b}
	typ := uint8(c.uint("type", 1))
	code := uint8(c.uint("code", 1))
	sum := c.off
	c.uint("checksum", 2)
	switch {
	case c.cut:
	case o.Len > len(b):
		c.short = true
		c.body(f, typ, code, b, o.Len)
		c.problem("ICMP message", len(b), ErrTruncated)
	default:
		if !messageSumOK(f, b, o.Src, o.Dst) {
			c.problem("ICMP checksum", sum, ErrChecksum)
		}
		c.body(f, typ, code, b, len(b))
	}
	d.Fields = c.fields
	return d
}

// Find returns the first field along a path of names, nil if there is none.
func (d *Dissection) Find(path ...string) *Field {
	g := Field{Fields: d.Fields}
	return g.Find(path...)
}

// Find returns the first field along a path of names below f, nil if there is
// none.
func (f *Field) Find(path ...string) *Field {
	for _, name := range path {
		fields := f.Fields
		f = nil
		for i := range fields {
			if fields[i].Name == name {
				f = &fields[i]
				break
			}
		}
		if f == nil {
			return nil
		}
	}
	return f
}

// A cursor reads fields one behind the other.
type cursor struct {
	d      *Dissection
	b      []byte // what is left
	off    int    // where it begins in the message
	fields []Field
	cut    bool // a field was not whole: nothing behind it is read
	quiet  bool // that is no problem: the rest was not quoted, or it has been said
	short  bool // of the message: its end was cut off in the capture
}

func (c *cursor) problem(field string, off int, err error) {
	c.d.Problems = append(c.d.Problems, ParseError{field, off, err})
}

// add adds a field of n bytes at off.
func (c *cursor) add(name string, off, n int, value any) {
	c.fields = append(c.fields, Field{Name: name, Offset: off, Len: n, Value: value})
}

// take returns the next n bytes. If they are not all there it adds what there
// is and returns nil.
func (c *cursor) take(name string, n int) []byte {
	if c.cut {
		return nil
	}
	if n > len(c.b) {
		if len(c.b) > 0 {
			c.add(name, c.off, len(c.b), c.b)
		}
		c.off += len(c.b)
		c.b, c.cut = nil, true
		if !c.quiet {
			c.problem(name, c.off, ErrTruncated)
		}
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	c.off += n
	return b
}

// uint adds a number of 1 to 8 bytes and returns it.
func (c *cursor) uint(name string, n int) uint64 {
	b := c.take(name, n)
	if b == nil {
		return 0
	}
	var v uint64
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	c.add(name, c.off-n, n, v)
	return v
}

// zero adds n bytes that must be zero.
func (c *cursor) zero(name string, n int) {
	if c.uint(name, n) != 0 {
		c.problem(name, c.off-n, ErrReserved)
	}
}

// addr adds an address of 4 or 16 bytes.
func (c *cursor) addr(name string, n int) {
	if b := c.take(name, n); b != nil {
		a, _ := netip.AddrFromSlice(b)
		c.add(name, c.off-n, n, a)
	}
}

// bytes adds n bytes as they are.
func (c *cursor) bytes(name string, n int) []byte {
	b := c.take(name, n)
	if len(b) > 0 {
		c.add(name, c.off-n, n, b)
	}
	return b
}

// rest adds what is left, if anything is.
func (c *cursor) rest(name string) { c.bytes(name, len(c.b)) }

// group adds a group that read makes of the next n bytes.
func (c *cursor) group(name string, n int, read func(*cursor)) {
	b := c.take(name, n)
	if b == nil && (n > 0 || c.cut) {
		return
	}
	sub := cursor{d: c.d, b: b, off: c.off - n, quiet: c.quiet}
	read(&sub)
	c.fields = append(c.fields, Field{Name: name, Offset: c.off - n, Len: n, Fields: sub.fields})
}

// bits adds the fields that a byte is made of, from the highest bit on; it has
// been read. A width of 1 makes a flag.
func (c *cursor) bits(v uint8, parts ...bitField) {
	left := 8
	for _, p := range parts {
		left -= p.width
		x := v >> left & (1<<p.width - 1)
		switch {
		case p.name == "" && x != 0:
			c.problem("reserved bits", c.off-1, ErrReserved)
		case p.name == "":
		case p.width == 1:
			c.add(p.name, c.off-1, 1, x != 0)
		default:
			c.add(p.name, c.off-1, 1, uint64(x))
		}
	}
}

// A bitField is some bits of a byte; without a name they must be zero.
type bitField struct {
	name  string
	width int
}

// peek16 returns the 16 bits at off in what is left, or 0.
func (c *cursor) peek16(off int) int {
	if off+2 > len(c.b) {
		return 0
	}
	return int(binary.BigEndian.Uint16(c.b[off:]))
}
