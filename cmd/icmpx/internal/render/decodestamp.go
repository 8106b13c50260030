package render

import (
	"strconv"
	"time"
)

// A StampStyle is how the time of a packet is written: tcpdump's -t, as often
// as it is given.
type StampStyle uint8

// The styles.
const (
	StampClock    StampStyle = iota // 12:34:56.789012
	StampNone                       // -t: none
	StampEpoch                      // -tt: seconds since 1970
	StampDelta                      // -ttt: since the packet before
	StampDate                       // -tttt: with the date
	StampSinceOne                   // -ttttt: since the first packet
)

// A stamper writes times, and remembers how the last second looked: the packets
// of a capture come many to the second.
type stamper struct {
	second int64
	text   []byte
	ref    time.Time // what differences are from
	begun  bool
}

// append appends the time of a packet and a space. A packet without a time has
// dashes.
func (s *stamper) append(b []byte, style StampStyle, nanos bool, at time.Time) []byte {
	switch style {
	case StampNone:
		return b
	case StampDelta, StampSinceOne:
		return s.appendDifference(b, style, nanos, at)
	}
	if at.IsZero() {
		return append(b, "--:--:-- "...)
	}
	if second := at.Unix(); !s.begun || second != s.second {
		s.begun, s.second = true, second
		switch style {
		case StampEpoch:
			s.text = strconv.AppendInt(s.text[:0], second, 10)
		case StampDate:
			s.text = at.Local().AppendFormat(s.text[:0], "2006-01-02 15:04:05")
		default:
			s.text = at.Local().AppendFormat(s.text[:0], "15:04:05")
		}
	}
	b = append(b, s.text...)
	return append(appendDecimals(b, at.Nanosecond(), nanos), ' ')
}

// appendDifference appends the time since the packet before, or since the
// first: " 00:00:01.000000", with a dash in front if the time went back.
func (s *stamper) appendDifference(b []byte, style StampStyle, nanos bool, at time.Time) []byte {
	if at.IsZero() {
		return append(b, " --:--:-- "...)
	}
	if !s.begun {
		s.begun, s.ref = true, at
	}
	d := at.Sub(s.ref)
	if style == StampDelta {
		s.ref = at
	}
	sign := byte(' ')
	if d < 0 {
		sign, d = '-', max(-d, 0)
	}
	b = append(b, sign)
	seconds := int64(d / time.Second)
	b = append(appendTwo(b, seconds/3600), ':')
	b = append(appendTwo(b, seconds/60%60), ':')
	b = appendTwo(b, seconds%60)
	return append(appendDecimals(b, int(d%time.Second), nanos), ' ')
}

func appendTwo(b []byte, n int64) []byte {
	if n < 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, n, 10)
}

// appendDecimals appends the digits of a second behind its point, as many as
// asked for, without rounding.
func appendDecimals(b []byte, ns int, nanos bool) []byte {
	digits := [...]byte{'.', '0', '0', '0', '0', '0', '0', '0', '0', '0'}
	n := len(digits)
	if !nanos {
		n, ns = n-3, ns/1000
	}
	for i := n - 1; i > 0 && ns > 0; i-- {
		digits[i] += byte(ns % 10)
		ns /= 10
	}
	return append(b, digits[:n]...)
}
