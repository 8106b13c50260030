package render

import "time"

// A clock writes times, and remembers how the last second looked: the packets
// of a capture come many to the second.
type clock struct {
	second int64
	text   [len("2006-01-02T15:04:05")]byte
	set    bool
}

// append appends t under k as object.time does.
func (c *clock) append(o *object, k string, t time.Time) {
	if t.IsZero() {
		o.null(k)
		return
	}
	if s := t.Unix(); !c.set || s != c.second {
		u := t.UTC()
		if y := u.Year(); y < 0 || y > 9999 {
			o.null(k)
			return
		}
		u.AppendFormat(c.text[:0], "2006-01-02T15:04:05")
		c.second, c.set = s, true
	}
	o.key(k)
	o.b = append(append(o.b, '"'), c.text[:]...)
	ns := t.Nanosecond()
	digits := [...]byte{'.', '0', '0', '0', '0', '0', '0', '0', '0', '0', 'Z', '"'}
	for i := 9; i > 0; i-- {
		digits[i] += byte(ns % 10)
		ns /= 10
	}
	o.b = append(o.b, digits[:]...)
}
