// Package damage finds the pattern in the damage of many payloads: where in the
// packet it falls, how far apart, and which bits it turns.
package damage

import (
	"math/bits"
	"strconv"

	"github.com/icmpx/icmpx/probe"
)

// maxOffset bounds what a Map remembers: no payload is longer.
const maxOffset = 65536

// A Map gathers the damage of a run. The zero Map is of a run without any.
type Map struct {
	replies int
	classes [8]int
	wrong   []uint32 // how many times the byte at this offset was wrong
	total   int      // sum of wrong
	size    int      // of the longest payload sent

	turned, on, off byte // bits that differed, that came as 1, and as 0
}

// Replies returns how many damaged replies there were.
func (m *Map) Replies() int { return m.replies }

// Add takes one damaged reply: what was sent, what came back, and how the two
// differ.
func (m *Map) Add(want, got []byte, d probe.Damage) {
	m.replies++
	m.classes[int(d.Class)%len(m.classes)]++
	m.size = max(m.size, len(want))
	if d.Class != probe.Flipped && d.Class != probe.Zeroed {
		m.note(d.Offset)
		m.on, m.off = 0xff, 0xff // no bit was turned in its place
		return
	}
	for i := range min(len(want), len(got)) {
		if x := want[i] ^ got[i]; x != 0 {
			m.note(i)
			m.turned |= x
			m.on |= x & got[i]
			m.off |= x &^ got[i]
		}
	}
}

func (m *Map) note(offset int) {
	if offset < 0 || offset >= maxOffset {
		return
	}
	for len(m.wrong) <= offset {
		m.wrong = append(m.wrong, make([]uint32, max(len(m.wrong), 64))...)
	}
	m.wrong[offset]++
	m.total++
}

// AppendWords appends one line, without its end, that says what the damage has
// in common: "damage: 3 replies (2 flipped, 1 truncated), ...". header is the
// length in bytes of what stands before the payload in the packet.
func (m *Map) AppendWords(b []byte, header int) []byte {
	b = append(b, "damage: "...)
	b = append(strconv.AppendInt(b, int64(m.replies), 10), plural(m.replies, " reply (", " replies (")...)
	first := true
	for c, n := range m.classes {
		if n == 0 {
			continue
		}
		if !first {
			b = append(b, ", "...)
		}
		first = false
		b = append(strconv.AppendInt(b, int64(n), 10), ' ')
		b = append(b, probe.DamageClass(c).String()...)
	}
	b = m.appendPlace(append(b, ')'), header)
	return m.appendBit(b)
}

// appendPlace says where the wrong bytes are.
func (m *Map) appendPlace(b []byte, header int) []byte {
	low, high, apart, places := m.spread()
	switch {
	case places == 0:
		return b
	case places == 1:
		b = appendByte(append(b, plural(m.replies, ", at byte ", ", always at byte ")...), low)
		b = strconv.AppendInt(append(b, " of the payload ("...), int64(low+header), 10)
		return append(b, " of the packet)"...)
	case places > 2 && apart > 3:
		b = strconv.AppendInt(append(b, ", "...), int64(apart), 10)
		b = append(b, " bytes apart or a multiple of it, from byte "...)
	default:
		b = append(b, ", from byte "...)
	}
	b = appendByte(append(appendByte(b, low), " to "...), high)
	b = append(b, " of the payload"...)
	return m.appendPart(b)
}

// spread returns the first and the last wrong offset, the greatest common
// divisor of their distances, and how many there are.
func (m *Map) spread() (low, high, apart, places int) {
	for i, n := range m.wrong {
		if n == 0 {
			continue
		}
		if places == 0 {
			low = i
		}
		apart = gcd(apart, i-low)
		high = i
		places++
	}
	return low, high, apart, places
}

// parts are the quarters of a payload, in words.
var parts = [...]string{"first quarter", "second quarter", "third quarter", "last quarter"}

// mostOf is how much of the damage, in percent, makes a part of the payload
// worth a word.
const mostOf = 75

// appendPart says which quarter of the payload has most of it, if one has.
func (m *Map) appendPart(b []byte) []byte {
	var count [len(parts)]int
	quarter := (m.size + len(parts) - 1) / len(parts)
	if quarter < 4 {
		return b
	}
	for i, n := range m.wrong {
		count[min(i/quarter, len(parts)-1)] += int(n)
	}
	for i, n := range count {
		if percent := 100 * n / max(m.total, 1); percent >= mostOf {
			b = strconv.AppendInt(append(b, ", "...), int64(percent), 10)
			return append(append(b, "% of it in the "...), parts[i]...)
		}
	}
	return append(b, ", spread over it"...)
}

// appendBit says which bit it is, if it is always the same one, and whether it
// sticks.
func (m *Map) appendBit(b []byte) []byte {
	if bits.OnesCount8(m.turned) != 1 || m.on == 0xff {
		return b
	}
	b = append(b, plural(m.total, ", bit 0x", ", always bit 0x")...)
	b = strconv.AppendUint(b, uint64(m.turned), 16)
	switch {
	case m.total < 2:
	case m.off == 0:
		b = append(b, ", which is always set"...)
	case m.on == 0:
		b = append(b, ", which is always clear"...)
	}
	return b
}

func appendByte(b []byte, offset int) []byte {
	return strconv.AppendInt(append(b, '#'), int64(offset), 10)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
