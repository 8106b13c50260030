package render

import (
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// diagramRuler numbers the bits of a row, tens above units.
const diagramRuler = " 0                   1                   2                   3\n" +
	" 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1\n"

// rowBits is the width of a diagram. Each bit takes two columns.
const rowBits = 32

// AppendDiagram appends a layout as RFCs draw it, 32 bits a row, each line led by
// indent.
func AppendDiagram(b []byte, indent string, layout icmpx.Layout) []byte {
	var d diagram
	for i := range layout {
		d.field(&layout[i])
	}
	if d.at%rowBits != 0 {
		d.b = append(d.b, '\n')
	}
	d.border(d.bits)
	for line := range strings.Lines(diagramRuler + string(d.b)) {
		b = append(append(b, indent...), line...)
	}
	return b
}

// A diagram is what has been drawn so far. A row is begun by its first field and
// ended by the one that fills it.
type diagram struct {
	b    []byte
	at   int // next bit
	bits int // that are drawn of the last row: how far its border reaches
}

// border draws a line above or below so many bits.
func (d *diagram) border(bits int) {
	d.b = append(d.b, strings.Repeat("+-", bits)...)
	d.b = append(d.b, "+\n"...)
}

func (d *diagram) field(f *icmpx.LayoutField) {
	first := d.at % rowBits
	if first == 0 {
		d.border(rowBits)
		d.b = append(d.b, '|')
	}
	switch {
	case f.Bits == 0:
		d.open(f, rowBits-first)
	case f.Bits > rowBits:
		d.tall(f)
	default:
		d.b = append(centered(d.b, labelOf(f, 2*f.Bits-1), 2*f.Bits-1), '|')
		d.advance(f.Bits)
	}
}

// advance ends the row if it is full.
func (d *diagram) advance(bits int) {
	d.at += bits
	d.bits = d.at % rowBits
	if d.bits == 0 {
		d.b = append(d.b, '\n')
		d.bits = rowBits
	}
}

// open draws a field without a length to the end of the row.
func (d *diagram) open(f *icmpx.LayoutField, bits int) {
	d.b = append(centered(d.b, labelOf(f, 2*bits-5)+" ...", 2*bits-1), '|')
	d.advance(bits)
}

// tall draws a field of several whole rows.
func (d *diagram) tall(f *icmpx.LayoutField) {
	const width = 2*rowBits - 1
	rows := f.Bits / rowBits
	for i := range rows {
		if i > 0 {
			d.b = append(centered(append(d.b, '+'), "", width), "+\n|"...)
		}
		label := ""
		if i == (rows-1)/2 {
			label = labelOf(f, width)
		}
		d.b = append(centered(d.b, label, width), "|\n"...)
	}
	d.at += f.Bits
	d.bits = rowBits
}

// labelOf returns what a field is called within a number of columns: its name
// and value as far as there is room.
func labelOf(f *icmpx.LayoutField, width int) string {
	name, short := f.Name, shortOf(f)
	if f.Fixed {
		v := strconv.FormatUint(f.Value, 10)
		for _, label := range []string{name + " = " + v, short + " = " + v, short + "=" + v, v} {
			if len(label) <= width {
				return label
			}
		}
	}
	if len(name) <= width {
		return name
	}
	return short
}

// shortOf returns the abbreviation of a field; what is reserved is 0.
func shortOf(f *icmpx.LayoutField) string {
	switch {
	case f.Short != "":
		return f.Short
	case f.Name == "reserved" || f.Name == "unused":
		return "0"
	}
	return f.Name
}

// centered appends text in the middle of a number of columns.
func centered(b []byte, text string, width int) []byte {
	left := max(width-len(text), 0) / 2
	b = append(b, strings.Repeat(" ", left)...)
	b = append(b, text...)
	return append(b, strings.Repeat(" ", max(width-len(text)-left, 0))...)
}
