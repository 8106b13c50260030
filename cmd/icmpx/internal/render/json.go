package render

import (
	"math"
	"net/netip"
	"strconv"
	"time"
)

// An object appends one JSON object to a byte slice, key by key in the order of
// the calls. Whatever it is given, what it appends is valid: keys are constants
// of this package, strings are escaped, numbers are integers or finite.
type object struct {
	b     []byte
	comma bool
}

// begin opens an object behind b.
func begin(b []byte) object { return object{b: append(b, '{')} }

// end closes the object and returns the whole slice.
func (o *object) end() []byte { return append(o.b, '}') }

// line closes the object and ends its line.
func (o *object) line() []byte { return append(o.b, '}', '\n') }

func (o *object) key(k string) {
	if o.comma {
		o.b = append(o.b, ',')
	}
	o.comma = true
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) null(k string) {
	o.key(k)
	o.b = append(o.b, "null"...)
}

func (o *object) str(k, v string) {
	o.key(k)
	o.b = appendString(o.b, v)
}

func (o *object) yes(k string) {
	o.key(k)
	o.b = append(o.b, "true"...)
}

func (o *object) int(k string, v int64) {
	o.key(k)
	o.b = strconv.AppendInt(o.b, v, 10)
}

// orNull appends v, or null if there is none.
func (o *object) orNull(k string, v int64, there bool) {
	if !there {
		o.null(k)
		return
	}
	o.int(k, v)
}

// percent appends v with six significant digits.
func (o *object) percent(k string, v float64) {
	o.key(k)
	if !(v >= 0 && v <= 100) {
		v = 0
	}
	o.b = strconv.AppendFloat(o.b, v, 'g', 6, 64)
}

// float appends v with four significant digits; what is no finite number is 0.
func (o *object) float(k string, v float64) {
	o.key(k)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	o.b = strconv.AppendFloat(o.b, v, 'g', 4, 64)
}

// addr appends an address with its zone, or null.
func (o *object) addr(k string, a netip.Addr) {
	o.key(k)
	if !a.IsValid() {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, '"')
	o.b = a.WithZone("").AppendTo(o.b)
	if zone := a.Zone(); zone != "" {
		o.b = appendEscaped(append(o.b, '%'), zone, true)
	}
	o.b = append(o.b, '"')
}

// timeLayout is RFC 3339 with all nine digits of the nanoseconds.
const timeLayout = "2006-01-02T15:04:05.000000000Z07:00"

// time appends a moment in UTC, or null for the zero Time and for years that
// RFC 3339 cannot write.
func (o *object) time(k string, t time.Time) {
	t = t.UTC()
	if y := t.Year(); t.IsZero() || y < 0 || y > 9999 {
		o.null(k)
		return
	}
	o.key(k)
	o.b = append(o.b, '"')
	o.b = t.AppendFormat(o.b, timeLayout)
	o.b = append(o.b, '"')
}

// appendString appends s as a JSON string. What AppendSafe would change is
// written as \uNNNN, so that programs read the true text and terminals still
// obey none of it; a byte that is no UTF-8 reads as \xNN.
func appendString(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), s, true), '"')
}

func escapeJSON(b []byte, r rune) []byte {
	switch {
	case r == '\\' || r == '"':
		return append(b, '\\', byte(r))
	case r >= 0x10000:
		r -= 0x10000
		b = appendUnit(b, 0xd800+r>>10)
		return appendUnit(b, 0xdc00+r&0x3ff)
	}
	return appendUnit(b, r)
}

// appendUnit appends one UTF-16 code unit as an escape.
func appendUnit(b []byte, u rune) []byte {
	return append(b, '\\', 'u', hexDigits[u>>12&15], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}
