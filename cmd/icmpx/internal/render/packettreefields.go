package render

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// fields appends fields of the group in, one to a line. Flags that share a byte
// share a line.
func (w *tree) fields(list []icmpx.Field, in string) {
	outer, was, kind := w.outer, w.in, w.kind
	w.outer, w.in = w.in, in
	for i := range list {
		f := &list[i]
		_, isFlag := f.Value.(bool)
		switch {
		case f.Value == nil:
			w.group(f)
		case isFlag:
			if first(list, i) {
				w.flags(list[i:])
			}
		default:
			w.line(f)
		}
		if f.Value != nil {
			w.tell(f.Offset + f.Len)
		}
	}
	w.outer, w.in, w.kind = outer, was, kind
}

// first reports whether no flag before list[i] is in the same byte.
func first(list []icmpx.Field, i int) bool {
	for j := i - 1; j >= 0 && list[j].Offset == list[i].Offset; j-- {
		if _, ok := list[j].Value.(bool); ok {
			return false
		}
	}
	return true
}

// flags appends the names of the flags that are set, of those that share the
// byte of the first.
func (w *tree) flags(list []icmpx.Field) {
	w.begin("flags")
	n := len(w.b)
	for i := range list {
		if list[i].Offset != list[0].Offset {
			break
		}
		if list[i].Value == true {
			if len(w.b) > n {
				w.b = append(w.b, ", "...)
			}
			w.b = append(w.b, list[i].Name...)
		}
	}
	if len(w.b) == n {
		w.b = append(w.b, "none"...)
	}
	w.end()
}

// group appends a group: a line that names it, and its fields.
func (w *tree) group(g *icmpx.Field) {
	if g.Name == "label" && len(g.Fields) == 4 {
		w.label(g)
		return
	}
	w.indent()
	w.b = append(append(w.b, g.Name...), ':')
	w.summary(g)
	w.end()
	w.nested(func() { w.fields(g.Fields, g.Name) })
}

// label appends an entry of an MPLS label stack (RFC 4950 section 4).
func (w *tree) label(g *icmpx.Field) {
	w.begin("label")
	w.b = strconv.AppendUint(w.b, uintOf(g, "label"), 10)
	w.b = strconv.AppendUint(append(w.b, ", traffic class "...), uintOf(g, "traffic class"), 10)
	if f := g.Find("bottom of stack"); f != nil && f.Value == true {
		w.b = append(w.b, ", bottom of stack"...)
	}
	w.b = strconv.AppendUint(append(w.b, ", time to live "...), uintOf(g, "time to live"), 10)
	w.end()
}

// uintOf returns the value of a number below g, 0 if it is not there.
func uintOf(g *icmpx.Field, path ...string) uint64 {
	if f := g.Find(path...); f != nil {
		v, _ := f.Value.(uint64)
		return v
	}
	return 0
}

// summary appends what a group is, in short.
func (w *tree) summary(g *icmpx.Field) {
	typ := g.Find("type")
	switch {
	case g.Name == "quote":
		w.quoteSummary(g)
	case g.Name == "option" && typ != nil:
		if v, ok := typ.Value.(uint64); ok {
			w.b = append(append(w.b, ' '), known(w.optionName(v), "option ")...)
		}
	case g.Name == "object" && g.Find("class") != nil:
		w.b = append(append(w.b, ' '), className(uintOf(g, "class"))...)
	case g.Name == "record" && len(g.Fields) > 0:
		w.b = append(append(w.b, ' '), known(icmpx.MLDRecordName(uint8(uintOf(g, "record type"))), "record ")...)
	}
}

// known returns a name, "unknown" if it is but a number behind prefix.
func known(name, prefix string) string {
	if strings.HasPrefix(name, prefix) {
		return "unknown"
	}
	return name
}

// quoteSummary appends what packet a quote is of, as far as it shows that.
func (w *tree) quoteSummary(g *icmpx.Field) {
	src, dst := g.Find("source"), g.Find("destination")
	if src == nil || dst == nil {
		return
	}
	for i, f := range [...]*icmpx.Field{src, dst} {
		a, ok := f.Value.(netip.Addr)
		if !ok {
			return
		}
		if i > 0 {
			w.b = append(w.b, " >"...)
		}
		w.b = w.addr(append(w.b, ' '), a)
	}
	for _, name := range [...]string{"UDP", "TCP", "ICMP", "ICMPv6", "SCTP", "DCCP", "UDP-Lite"} {
		l4 := g.Find(name)
		if l4 == nil {
			continue
		}
		w.b = append(append(w.b, ", "...), name...)
		if l4.Find("destination port") != nil {
			w.b = strconv.AppendUint(append(w.b, ' '), uintOf(l4, "source port"), 10)
			w.b = strconv.AppendUint(append(w.b, " > "...), uintOf(l4, "destination port"), 10)
		}
	}
}

// line appends a field that has a value.
func (w *tree) line(f *icmpx.Field) {
	if b, ok := f.Value.([]byte); ok && (f.Name == "data" || f.Name == "body") && (len(b) > dataRow || w.carries()) {
		w.dataLines(b)
		return
	}
	w.begin(f.Name)
	switch v := f.Value.(type) {
	case uint64:
		w.b = w.number(f, v)
	case netip.Addr:
		w.b = w.addr(w.b, v)
	case string:
		if f.Name == "role" || f.Name == "placement" {
			w.b = append(w.b, v...)
		} else {
			w.b = appendQuoted(w.b, v)
		}
	case []byte:
		w.b = appendBytes(w.b, f.Name, v)
	}
	w.end()
}

// carries reports whether the group at hand is one that carries data of users, and
// no option or header.
func (w *tree) carries() bool {
	switch w.in {
	case "", "UDP", "TCP", "ICMP", "ICMPv6", "UDP-Lite", "SCTP", "DCCP", "payload", "fragment", "quote":
		return true
	}
	return false
}

// maxBytes is how many bytes of a field are shown that are not data.
const maxBytes = 32

// appendBytes appends bytes in hexadecimal; those that are all zero, as a count.
func appendBytes(b []byte, name string, v []byte) []byte {
	switch {
	case len(v) > 2 && allSame(v) && v[0] == 0:
		return append(strconv.AppendInt(b, int64(len(v)), 10), " zero bytes"...)
	case name == "link-layer address" && len(v) <= 20:
		return appendColons(b, v)
	}
	b = appendHex(b, v[:min(len(v), maxBytes)])
	if len(v) > maxBytes {
		b = append(appendCount(append(b, "... ("...), len(v), "byte"), ')')
	}
	return b
}

func allSame(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return true
}

// appendColons appends bytes as link-layer addresses are written.
func appendColons(b, v []byte) []byte {
	for i, c := range v {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// appendHexNumber appends a number in hexadecimal, with at least that many
// digits.
func appendHexNumber(b []byte, v uint64, digits int) []byte {
	b = append(b, "0x"...)
	for v>>(4*digits) != 0 {
		digits++
	}
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}
