package icmpx_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// A described is a type, and a code of it if it has codes.
type described struct {
	f         icmpx.Family
	typ, code uint8
}

func (m described) String() string { return fmt.Sprintf("%v %d/%d", m.f, m.typ, m.code) }

// allMessages returns every type of the table with each of its codes, and with
// one that is not assigned, for the layout that the type has of its own.
func allMessages() []described {
	var list []described
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, t := range icmpx.Types(f) {
			list = append(list, described{f, t.Type, 0x7f})
			for _, c := range t.Codes {
				list = append(list, described{f, t.Type, c.Code})
			}
			if len(t.Codes) == 0 {
				list = append(list, described{f, t.Type, 0})
			}
		}
	}
	return list
}

// TestReferenceIsWhole wants every type and code to say who sends it, when, what
// it quotes and what to do, with sentences that end.
func TestReferenceIsWhole(t *testing.T) {
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, typ := range icmpx.Types(f) {
			name := fmt.Sprintf("%v %d", f, typ.Type)
			wantWhole(t, name, typ.Reference, typ.Status, typ.By)
			if icmpx.MessageLayout(f, typ.Type, 0) == nil {
				t.Errorf("%s has no layout", name)
			}
			seen := map[string]uint8{}
			for _, c := range typ.Codes {
				wantWhole(t, fmt.Sprintf("%s/%d", name, c.Code), c.Reference, c.Status, c.By)
				if other, ok := seen[c.When]; ok && typ.Status == icmpx.StatusStandard {
					t.Errorf("%s: codes %d and %d mean the same", name, other, c.Code)
				}
				seen[c.When] = c.Code
			}
		}
	}
}

func wantWhole(t *testing.T, name string, r icmpx.Reference, s icmpx.Status, by string) {
	t.Helper()
	for i, text := range []string{r.Sender, r.When, r.Quotes, r.Action, r.Linux} {
		if text == "" && i == 4 {
			continue
		}
		if len(text) < 6 || !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") || strings.Contains(text, "  ") {
			t.Errorf("%s: text %d is %q", name, i, text)
		}
	}
	if (s == icmpx.StatusDeprecated) != (by != "") {
		t.Errorf("%s: %v by %q", name, s, by)
	}
}

// TestLayoutsAgree holds every layout against Dissect: each field, set alone, is
// found under its name at its place with its value; what is reserved is
// recognized as such; and Dissect finds no field that the layout does not have.
func TestLayoutsAgree(t *testing.T) {
	fields := 0
	for _, m := range allMessages() {
		layout := icmpx.MessageLayout(m.f, m.typ, m.code)
		at := 0
		for i := range layout {
			field := &layout[i]
			if field.Bits == 0 {
				wantOpen(t, m, layout[:i], field)
				continue
			}
			if field.Bits > 32 && (field.Bits%8 != 0 || at%8 != 0) || field.Bits <= 32 && at/32 != (at+field.Bits-1)/32 {
				t.Errorf("%v: %s of %d bits at bit %d crosses a row", m, field.Name, field.Bits, at)
			}
			if at >= 32 {
				wantField(t, m, layout, field, at)
				fields++
			}
			at += field.Bits
		}
		wantNoMore(t, m, layout)
	}
	if fields < 500 {
		t.Errorf("only %d fields were tried", fields)
	}
}

// build returns a message with what the layout fixes, and all else zero.
func build(m described, layout icmpx.Layout) []byte {
	var b []byte
	at := 0
	for _, f := range layout {
		for len(b)*8 < at+f.Bits {
			b = append(b, 0)
		}
		if f.Fixed {
			put(b, at, f.Bits, f.Value)
		}
		at += f.Bits
	}
	b[0], b[1] = m.typ, m.code
	return b
}

// put writes the low bits of v at a bit.
func put(b []byte, at, bits int, v uint64) {
	for i := range bits {
		mask := byte(0x80) >> ((at + i) % 8)
		b[(at+i)/8] &^= mask
		if bits-1-i < 64 && v>>(bits-1-i)&1 != 0 {
			b[(at+i)/8] |= mask
		}
	}
}

func wantField(t *testing.T, m described, layout icmpx.Layout, f *icmpx.LayoutField, at int) {
	t.Helper()
	b := build(m, layout)
	if !f.Fixed {
		// The highest and the lowest bit, and none of the rest: a field that is
		// wider or narrower has another value.
		put(b, at, 1, 1)
		put(b, at+f.Bits-1, 1, 1)
	}
	d := icmpx.Dissect(m.f, b, icmpx.DissectOptions{})
	offset, size := at/8, (at+f.Bits-1)/8-at/8+1
	if f.Name == "reserved" || f.Name == "unused" {
		if !knownReserved(&d, offset, size) {
			t.Errorf("%v: bits %d to %d are not reserved", m, at, at+f.Bits-1)
		}
		return
	}
	got := fieldAt(d.Fields, f.Group, f.Name, offset)
	if got == nil {
		t.Errorf("%v: no field %q at %d: %+v", m, f.Name, offset, d.Fields)
		return
	}
	if got.Len != size {
		t.Errorf("%v: %q has %d bytes, want %d", m, f.Name, got.Len, size)
	}
	if want := valueOf(b, at, f.Bits, got.Value); fmt.Sprint(got.Value) != fmt.Sprint(want) {
		t.Errorf("%v: %q is %v, want %v", m, f.Name, got.Value, want)
	}
}

// knownReserved reports whether Dissect says of bytes that they are reserved.
func knownReserved(d *icmpx.Dissection, offset, size int) bool {
	for _, p := range d.Problems {
		if p.Offset >= offset && p.Offset < offset+size && p.Err == icmpx.ErrReserved {
			return true
		}
	}
	return fieldAt(d.Fields, "", "reserved", offset) != nil || fieldAt(d.Fields, "", "unused", offset) != nil
}

// fieldAt returns the field of a name at an offset, of a group unless that is "".
func fieldAt(fields []icmpx.Field, group, name string, offset int) *icmpx.Field {
	for i := range fields {
		f := &fields[i]
		if group == "" && f.Name == name && f.Offset == offset {
			return f
		}
		if group != "" && f.Name == group {
			if found := fieldAt(f.Fields, "", name, offset); found != nil {
				return found
			}
		}
	}
	return nil
}

// valueOf returns the bits of b as Dissect gives a value of that kind.
func valueOf(b []byte, at, bits int, kind any) any {
	bytes := b[at/8 : (at+bits+7)/8]
	switch kind.(type) {
	case netip.Addr:
		a, _ := netip.AddrFromSlice(bytes)
		return a
	case []byte:
		return bytes
	}
	var wide [8]byte
	copy(wide[8-len(bytes):], bytes)
	v := binary.BigEndian.Uint64(wide[:]) >> (7 - (at+bits-1)%8) & (1<<bits - 1)
	if _, ok := kind.(bool); ok {
		return v != 0
	}
	return v
}

// wantOpen checks a field without a length: it begins where the layout says.
func wantOpen(t *testing.T, m described, before icmpx.Layout, f *icmpx.LayoutField) {
	t.Helper()
	b := build(m, before)
	offset := len(b)
	switch last := before[len(before)-1]; {
	case f.Name == "extension" && last.Name == "quote":
		b, offset = withExtension(m, b)
	case f.Name == "extension":
		b = append(b, 0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 1)
	default:
		b = append(b, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	d := icmpx.Dissect(m.f, b, icmpx.DissectOptions{})
	if fieldAt(d.Fields, f.Group, f.Name, offset) == nil {
		t.Errorf("%v: no %q at %d: %+v", m, f.Name, offset, d.Fields)
	}
}

// withExtension returns an error with a quote of 128 bytes and an extension, and
// where that begins. The length attribute is set through the layout.
func withExtension(m described, b []byte) ([]byte, int) {
	unit, at := 4, 0
	if m.f == icmpx.IPv6 {
		unit = 8
	}
	for _, f := range icmpx.MessageLayout(m.f, m.typ, m.code) {
		if f.Name == "length" {
			put(b, at, f.Bits, uint64(128/unit))
		}
		at += f.Bits
	}
	b = append(b, make([]byte, 128)...)
	return append(b, 0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 1, 1), len(b)
}

// wantNoMore checks that the layout leaves out no field of Dissect.
func wantNoMore(t *testing.T, m described, layout icmpx.Layout) {
	t.Helper()
	d := icmpx.Dissect(m.f, build(m, layout), icmpx.DissectOptions{})
	var check func(group string, fields []icmpx.Field)
	check = func(group string, fields []icmpx.Field) {
		for i := range fields {
			f := &fields[i]
			if f.Fields != nil {
				check(f.Name, f.Fields)
				continue
			}
			if f.Len > 0 && !inLayout(layout, group, f) {
				t.Errorf("%v: the layout has no %q at %d", m, f.Name, f.Offset)
			}
		}
	}
	check("", d.Fields)
	for i := range d.Problems {
		p := &d.Problems[i]
		open := slices.ContainsFunc(layout, func(f icmpx.LayoutField) bool { return f.Bits == 0 && f.Name == p.Field })
		if (p.Err == icmpx.ErrReserved || p.Err == icmpx.ErrTruncated) && p.Field != "code" && p.Field != "quoted IP header" && p.Field != "quoted IPv6 header" && !open {
			t.Errorf("%v: a message laid out so has the problem %v", m, p)
		}
	}
}

func inLayout(layout icmpx.Layout, group string, f *icmpx.Field) bool {
	at := 0
	for _, l := range layout {
		if l.Name == f.Name && l.Group == group && at/8 == f.Offset {
			return true
		}
		if (l.Name == "reserved" || l.Name == "unused") && (f.Name == "reserved" || f.Name == "unused") &&
			at/8 <= f.Offset && f.Offset+f.Len <= (at+l.Bits+7)/8 {
			return true
		}
		at += l.Bits
	}
	return false
}

// TestLayoutsMarshal holds the layouts against messages that are written, not
// read.
func TestLayoutsMarshal(t *testing.T) {
	tests := []struct {
		m     described
		field string
		want  uint64
	}{
		{described{icmpx.IPv4, 3, 4}, "next-hop MTU", 1400},
		{described{icmpx.IPv4, 12, 0}, "pointer", 20},
		{described{icmpx.IPv6, 2, 0}, "MTU", 1280},
		{described{icmpx.IPv6, 4, 1}, "pointer", 40},
	}
	for _, tt := range tests {
		layout := icmpx.MessageLayout(tt.m.f, tt.m.typ, tt.m.code)
		b := build(tt.m, layout)
		at := 0
		for _, f := range layout {
			if f.Name == tt.field {
				put(b, at, f.Bits, tt.want)
			}
			at += f.Bits
		}
		b = append(b, quotedUDP(tt.m.f)...)
		msg, err := icmpx.Parse(tt.m.f, withSum(tt.m.f, b), netip.IPv6Loopback(), netip.IPv6Loopback())
		if err != nil {
			t.Fatalf("%v: %v", tt.m, err)
		}
		if got := fmt.Sprintf("%+v", msg.Body); !strings.Contains(got, fmt.Sprint(tt.want)) {
			t.Errorf("%v: %s, want %s %d", tt.m, got, tt.field, tt.want)
		}
	}
}

// withSum fills in the checksum of a message between loopback addresses.
func withSum(f icmpx.Family, b []byte) []byte {
	var sum uint32
	if f == icmpx.IPv6 {
		sum = icmpx.PseudoSum(netip.IPv6Loopback(), netip.IPv6Loopback(), len(b), 58)
	}
	binary.BigEndian.PutUint16(b[2:], icmpx.ChecksumFrom(sum, b))
	return b
}

func TestLookups(t *testing.T) {
	if _, ok := icmpx.LookupType(icmpx.IPv4, 44); ok {
		t.Error("type 44 is assigned")
	}
	if _, ok := icmpx.LookupCode(icmpx.IPv4, 44, 0); ok {
		t.Error("44/0 is assigned")
	}
	if _, ok := icmpx.LookupCode(icmpx.IPv4, 3, 16); ok {
		t.Error("3/16 is assigned")
	}
	c, ok := icmpx.LookupCode(icmpx.IPv4, 5, 1)
	if !ok || c.Sender == "" {
		t.Errorf("5/1 lacks what the type says: %+v", c)
	}
	if icmpx.MessageLayout(icmpx.IPv6, 5, 0) != nil {
		t.Error("ICMPv6 type 5 has a layout")
	}
	typ, _ := icmpx.LookupType(icmpx.IPv4, 3)
	typ.Codes[0].Name = "changed"
	if again, _ := icmpx.LookupType(icmpx.IPv4, 3); again.Codes[0].Name == "changed" {
		t.Error("the table can be changed from outside")
	}
}
