package render

import (
	"strconv"

	"github.com/icmpx/icmpx/probe"
)

// appendDamage appends where a payload first differs from what was sent.
func appendDamage(b []byte, d *probe.Damage) []byte {
	b = append(b, "wrong data byte #"...)
	b = strconv.AppendInt(b, int64(d.Offset), 10)
	if d.Want < 0 {
		b = append(b, " should not be there"...)
	} else {
		b = append(b, " should be 0x"...)
		b = strconv.AppendInt(b, int64(d.Want), 16)
	}
	if d.Got < 0 {
		b = append(b, " but is missing"...)
	} else {
		b = append(b, " but was 0x"...)
		b = strconv.AppendInt(b, int64(d.Got), 16)
	}
	return append(append(append(b, " ("...), d.Class.String()...), ')')
}

// The shape of a difference in hexadecimal.
const (
	diffRow  = 16 // bytes a row
	diffRows = 8  // that are shown at most
)

// AppendDiff appends the rows of two payloads that differ, in hexadecimal: what
// was wanted above what came, with marks below what is wrong.
func (t *Text) AppendDiff(b []byte, h *Host, want, got []byte) []byte {
	shown := 0
	for at := 0; at < max(len(want), len(got)); at += diffRow {
		w, g := hexRow(want, at), hexRow(got, at)
		if string(w) == string(g) {
			continue
		}
		if shown++; shown > diffRows {
			return append(t.prefix(b, h), "      and further on\n"...)
		}
		b = append(t.appendRow(b, h, at, "want", w), '\n')
		b = append(t.appendRow(b, h, at, "got ", g), '\n')
		b = t.appendWrong(b, h, w, g)
	}
	return b
}

func hexRow(b []byte, at int) []byte { return b[min(at, len(b)):min(at+diffRow, len(b))] }

func (t *Text) appendRow(b []byte, h *Host, at int, what string, bytes []byte) []byte {
	b = t.prefix(b, h)
	start := len(b)
	b = strconv.AppendInt(append(b, '#'), int64(at), 10)
	for len(b) < start+len("#65535") {
		b = append(b, ' ')
	}
	b = append(append(b, ' '), what...)
	for _, c := range bytes {
		b = append(b, ' ', hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// appendWrong appends the line of marks.
func (t *Text) appendWrong(b []byte, h *Host, want, got []byte) []byte {
	b = append(t.prefix(b, h), "           "...)
	for i := range max(len(want), len(got)) {
		mark := "   "
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			mark = " ^^"
		}
		b = append(b, mark...)
	}
	for b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return append(b, '\n')
}
