package render

import (
	"math"
	"strconv"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A style is how a number is written.
type style uint8

const (
	styleDecimal  style = iota
	styleHex            // as bytes
	styleBoth           // decimal, and in hexadecimal
	styleBytes          // a number of bytes
	styleSeconds        // with words if it is long, 0xffffffff for ever
	styleMinutes        // the same, in units of 60 s
	styleMillis         // milliseconds
	styleDay            // milliseconds since midnight UT (RFC 792)
	styleTOS            // differentiated services and congestion notification
	styleProtocol       // an IP protocol number
	styleSigned         // 32 bits with a sign
	stylePreference
	styleState
)

// styleOf returns how the number of a field is written.
func styleOf(name string) style {
	switch name {
	case "checksum", "header checksum", "flow label", "flags", "nonce", "verification tag", "capabilities",
		"reserved", "unused", "security parameters index", "RA flags", "flag mask", "tag":
		return styleHex
	case "identifier", "identification":
		return styleBoth
	case "total length", "payload length", "header length", "data offset", "fragment offset", "MTU", "next-hop MTU", "output link MTU":
		return styleBytes
	case "lifetime", "router lifetime", "valid lifetime", "preferred lifetime", "registration lifetime":
		return styleSeconds
	case "reachable time", "retransmission timer", "maximum response delay", "interval", "maximum delay":
		return styleMillis
	case "originate timestamp", "receive timestamp", "transmit timestamp", "timestamp":
		return styleDay
	case "type of service", "traffic class":
		return styleTOS
	case "protocol", "next header":
		return styleProtocol
	case "router preference", "route preference":
		return stylePreference
	case "state":
		return styleState
	}
	return styleDecimal
}

// number appends a number and the words that explain it.
func (w *tree) number(f *icmpx.Field, v uint64) []byte {
	switch f.Name {
	case "type", "code":
		return w.typeOrCode(f.Name, v)
	case "checksum", "header checksum":
		return w.checksum(f, v)
	case "length", "operation length":
		return w.lengthWords(strconv.AppendUint(w.b, v, 10), v)
	case "pointer":
		return w.pointer(strconv.AppendUint(w.b, v, 10), v)
	}
	s := styleOf(f.Name)
	switch {
	case w.in == "option" && f.Name == "lifetime" && w.kind >= 33 && w.kind <= 35,
		w.in == "" && f.Name == "lifetime" && w.family == icmpx.IPv6: // RFC 6775
		s = styleMinutes
	case w.in == "" && f.Name == "time to live":
		s = styleSeconds // of an answer about names
	case w.in == "router" && f.Name == "preference":
		s = styleSigned
	}
	if s != styleDecimal {
		return appendStyled(w.b, s, f, v)
	}
	return w.meaning(strconv.AppendUint(w.b, v, 10), f.Name, v)
}

// typeOrCode appends a type or a code with its name.
func (w *tree) typeOrCode(field string, v uint64) []byte {
	b := strconv.AppendUint(w.b, v, 10)
	f, text := w.family, ""
	if w.in == "" && f == icmpx.IPv6 && w.typ == 151 && field == "code" {
		return append(b, " (seconds between advertisements)"...) // RFC 4286 section 3.2.2
	}
	switch w.in {
	case "ICMP":
		f = icmpx.IPv4
	case "ICMPv6":
		f = icmpx.IPv6
	case "":
	default:
		w.kind = v
		return b // the heading of the group names it
	}
	if field == "type" {
		w.kind = v
		text = icmpx.TypeName(f, uint8(v))
	} else {
		text = icmpx.CodeRFCName(f, uint8(w.kind), uint8(v))
	}
	if text == "" || text == "type "+strconv.FormatUint(v, 10) {
		return b
	}
	return appendWords(b, text)
}

func appendWords(b []byte, text string) []byte {
	if text == "" {
		return b
	}
	return append(append(append(b, " ("...), text...), ')')
}

// lengthWords says how many bytes a length is: each kind counts in its own unit.
func (w *tree) lengthWords(b []byte, v uint64) []byte {
	unit, more := uint64(0), uint64(0)
	switch w.in {
	case "": // RFC 4884 section 4
		unit = 4
		if w.family == icmpx.IPv6 {
			unit = 8
		}
	case "option":
		if w.outer == "" && w.typ != 155 { // not of RPL
			unit = 8
		}
	case "prefix control operation":
		unit = 8
	case "hop-by-hop options", "destination options", "routing header", "mobility header", "host identity header", "shim6 header":
		unit, more = 8, 1
	case "authentication header":
		unit, more = 4, 2
	}
	if unit == 0 || v == 0 && more == 0 {
		return b
	}
	return append(appendCount(append(b, " ("...), int((v+more)*unit), "byte"), ')')
}

// pointer names the field that a parameter problem points at.
func (w *tree) pointer(b []byte, v uint64) []byte {
	if w.in != "" || w.dissected == nil {
		return b
	}
	q := w.dissected.Find("quote")
	if q == nil || v >= uint64(q.Len) {
		return b
	}
	return appendWords(b, fieldAt(q.Fields, q.Offset+int(v)))
}

// fieldAt returns the name of the field that the byte at off is in.
func fieldAt(fields []icmpx.Field, off int) string {
	for i := range fields {
		f := &fields[i]
		if off < f.Offset || off >= f.Offset+f.Len {
			continue
		}
		if f.Fields == nil {
			return f.Name
		}
		if name := fieldAt(f.Fields, off); name != "" {
			return f.Name + ", " + name
		}
	}
	return ""
}

func appendStyled(b []byte, s style, f *icmpx.Field, v uint64) []byte {
	switch s {
	case styleHex:
		if f.Name == "flow label" {
			return appendHexNumber(b, v, 5) // 20 bits
		}
		return appendHexNumber(b, v, 2*max(f.Len, 1))
	case styleBoth:
		b = append(strconv.AppendUint(b, v, 10), " ("...)
		return append(appendHexNumber(b, v, 2*f.Len), ')')
	case styleBytes:
		return appendCount(b, int(v), "byte")
	case styleSeconds:
		return appendSeconds(b, v)
	case styleMinutes:
		return appendMinutes(b, v)
	case styleMillis:
		return append(strconv.AppendUint(b, v, 10), " ms"...)
	case styleDay:
		return appendDayTime(b, uint32(v))
	case styleTOS:
		return appendTOS(b, uint8(v))
	case styleProtocol:
		return appendProtocolNumber(b, v)
	case styleSigned:
		return appendRouterPreference(b, int32(uint32(v)))
	case stylePreference:
		return appendWords(strconv.AppendUint(b, v, 10), [...]string{"medium", "high", "reserved", "low"}[v&3])
	case styleState:
		return appendWords(strconv.AppendUint(b, v, 10), neighborStates[v&7])
	}
	return strconv.AppendUint(b, v, 10)
}

// neighborStates are the states of RFC 8335 section 3.
var neighborStates = [8]string{"reserved", "incomplete", "reachable", "stale", "delay", "probe", "failed", ""}

func appendRouterPreference(b []byte, v int32) []byte {
	b = strconv.AppendInt(b, int64(v), 10)
	if v == math.MinInt32 {
		b = append(b, " (not a default router)"...)
	}
	return b
}

// appendSeconds appends a lifetime.
func appendSeconds(b []byte, v uint64) []byte {
	b = append(strconv.AppendUint(b, v, 10), " s"...)
	switch {
	case v == math.MaxUint32:
		return append(b, " (for ever)"...)
	case v >= 120:
		return append(appendSpan(append(b, " ("...), v), ')')
	}
	return b
}

func appendMinutes(b []byte, v uint64) []byte {
	return append(appendSpan(append(strconv.AppendUint(b, v, 10), " ("...), 60*v), ')')
}

// appendSpan appends seconds in the largest two units that they have: "30 d",
// "2 h 30 min".
func appendSpan(b []byte, v uint64) []byte {
	units := [...]struct {
		size uint64
		name string
	}{{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}}
	begin, parts := len(b), 0
	for _, u := range units {
		n := v / u.size
		v %= u.size
		if parts == 2 || n == 0 && (u.size > 1 || parts > 0) {
			continue
		}
		if len(b) > begin {
			b = append(b, ' ')
		}
		b = append(strconv.AppendUint(b, n, 10), u.name...)
		parts++
	}
	return b
}

// dayMillis is how many milliseconds a day has.
const dayMillis = 24 * 60 * 60 * 1000

// appendDayTime appends a time of a timestamp message: milliseconds since
// midnight UT, or something else if the high bit is set (RFC 792). Some systems
// send them with their bytes swapped.
func appendDayTime(b []byte, v uint32) []byte {
	b = strconv.AppendUint(b, uint64(v), 10)
	swapped := v>>24 | v>>8&0xff00 | v<<8&0xff0000 | v<<24
	switch {
	case v < dayMillis:
		return append(appendClock(append(b, " ms ("...), v), " UTC)"...)
	case v>>31 != 0 && v&^(1<<31) < dayMillis:
		return append(appendClock(append(b, " (not standard; without the high bit "...), v&^(1<<31)), ')')
	case swapped < dayMillis:
		return append(appendClock(append(b, " (in little-endian order "...), swapped), " UTC)"...)
	case v>>31 != 0:
		return append(b, " (not standard)"...)
	}
	return append(b, " (no time of day)"...)
}

// appendClock appends a time of day: 13:00:01.267.
func appendClock(b []byte, ms uint32) []byte {
	return time.UnixMilli(int64(ms)).UTC().AppendFormat(b, "15:04:05.000")
}
