package render

import (
	"strconv"
)

// What a tree shows of data: so many lines of so many bytes.
const (
	dataRow  = 16
	dataRows = 2
)

// dataLines appends how long data is, what they look like, and how they begin in
// hexadecimal and ASCII.
func (w *tree) dataLines(data []byte) {
	w.begin("data")
	w.b = appendCount(w.b, len(data), "byte")
	w.b = appendPattern(w.b, data)
	w.end()
	w.nested(func() {
		for row := 0; row < dataRows && row*dataRow < len(data); row++ {
			w.dataRow(row*dataRow, data[row*dataRow:min((row+1)*dataRow, len(data))])
		}
		if rest := len(data) - dataRows*dataRow; rest > 0 {
			w.indent()
			w.b = appendCount(append(w.b, "... "...), rest, "byte")
			w.b = append(w.b, " more"...)
			w.end()
		}
	})
}

func (w *tree) dataRow(off int, row []byte) {
	w.indent()
	w.b = append(appendHexNumber(w.b, uint64(off), 4), ' ')
	for i := range dataRow {
		if i%2 == 0 {
			w.b = append(w.b, ' ')
		}
		if i < len(row) {
			w.b = append(w.b, hexDigits[row[i]>>4], hexDigits[row[i]&15])
		} else {
			w.b = append(w.b, ' ', ' ')
		}
	}
	w.b = append(w.b, ' ', ' ')
	for _, c := range row {
		if c < 0x20 || c > 0x7e {
			c = '.'
		}
		w.b = append(w.b, c)
	}
	w.end()
}

// minPattern is how many bytes show a pattern: fewer are one by chance.
const minPattern = 8

// appendPattern appends the rule that data follow, if it is a simple one.
func appendPattern(b, data []byte) []byte {
	if len(data) < minPattern {
		return b
	}
	if allSame(data) {
		return appendHexNumber(append(b, ", each "...), uint64(data[0]), 2)
	}
	if n := repeats(data); n > 0 {
		return appendHex(append(b, ", repeating 0x"...), data[:n])
	}
	if from := countsFrom(data); from >= 0 {
		b = append(b, ", "...)
		if from > 0 {
			b = append(strconv.AppendInt(append(b, "from byte "...), int64(from), 10), ' ')
		}
		b = append(b, "counting up "...)
		b = appendHexNumber(b, uint64(data[from]), 2)
		return appendHexNumber(append(b, " to "...), uint64(data[len(data)-1]), 2)
	}
	if printable(data) {
		return append(b, ", text"...)
	}
	return b
}

// countsFrom returns where data begin to count up byte by byte to their end: at
// 0, or behind the time or token that leads most pings, which is the smaller
// part; -1: they do not.
func countsFrom(data []byte) int {
	from := len(data) - 1
	for from > 0 && data[from] == data[from-1]+1 {
		from--
	}
	for _, lead := range [...]int{0, 4, 8, 12, 16, 20, 24} {
		if from <= lead && len(data)-lead >= max(minPattern, lead) {
			return lead
		}
	}
	return -1
}

// repeats returns the length of the shortest sequence that data repeat, the last
// time in part, 0 if there is none of at most 32 bytes that comes up again for 8.
func repeats(data []byte) int {
	for n := 2; n <= 32 && n+minPattern <= len(data); n++ {
		same := true
		for i := n; i < len(data) && same; i++ {
			same = data[i] == data[i-n]
		}
		if same {
			return n
		}
	}
	return 0
}

func printable(data []byte) bool {
	for _, c := range data {
		if (c < 0x20 || c > 0x7e) && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}
