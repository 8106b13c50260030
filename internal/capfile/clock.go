package capfile

import (
	"math/bits"
	"time"
)

// A clock tells the times of an interface.
type clock struct {
	perSecond uint64 // ticks per second; 0: cannot be told
	offset    int64  // seconds
}

// setResolution sets what option if_tsresol says, and reports whether it can be
// read.
func (c *clock) setResolution(v uint8) bool {
	exponent := int(v & 0x7f)
	c.perSecond = 0
	switch {
	case v&0x80 != 0 && exponent < 64:
		c.perSecond = 1 << exponent
	case v&0x80 == 0 && exponent < 20:
		c.perSecond = 1
		for range exponent {
			c.perSecond *= 10
		}
	}
	return c.perSecond != 0
}

// time returns the time of a packet, zero where there is none, and whether it
// is in range.
func (c *clock) time(ticks uint64) (time.Time, bool) {
	var sec, nsec uint64
	switch c.perSecond {
	case 1e6: // spares the divisions
		sec, nsec = ticks/1e6, ticks%1e6*1e3
	case 1e9:
		sec, nsec = ticks/1e9, ticks%1e9
	case 0:
		return time.Time{}, true
	default:
		sec = ticks / c.perSecond
		hi, lo := bits.Mul64(ticks%c.perSecond, 1e9)
		nsec, _ = bits.Div64(hi, lo, c.perSecond)
	}
	if sec > lastSecond || c.offset > 2*lastSecond || c.offset < -2*lastSecond {
		return time.Time{}, false
	}
	t := moment(int64(sec)+c.offset, int64(nsec))
	return t, !t.IsZero()
}

// Times outside of these are not shown by anything, and cannot be real.
const (
	firstSecond = -62135596800 + 1 // the zero Time is the one before
	lastSecond  = 253402300799     // the end of the year 9999
)

// moment returns the time of a packet; the zero Time if it is not within the
// years 1 to 9999.
func moment(sec, nsec int64) time.Time {
	if sec < firstSecond || sec > lastSecond {
		return time.Time{}
	}
	return time.Unix(sec, nsec).UTC()
}
