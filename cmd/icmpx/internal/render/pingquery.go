package render

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// day is what the times of timestamp messages wrap at, in milliseconds.
const day = 24 * 60 * 60 * 1000

// A times is what a timestamp reply says (RFC 792): milliseconds since midnight
// UT.
type times struct {
	originate, receive, transmit uint32

	// Estimates, if both clocks are right, in milliseconds: of the way there and
	// of the way back. odd: the other host's times are of another kind.
	there, back int64
	odd         bool
}

// timesOf reads the times of a reply that came in at a time by this host's
// clock.
func timesOf(payload []byte, at time.Time) (t times, ok bool) {
	if len(payload) < 12 {
		return t, false
	}
	t.originate = binary.BigEndian.Uint32(payload)
	t.receive = binary.BigEndian.Uint32(payload[4:])
	t.transmit = binary.BigEndian.Uint32(payload[8:])
	u := at.UTC()
	arrived := int64(u.Sub(u.Truncate(24*time.Hour)) / time.Millisecond)
	t.there = halfDay(int64(t.receive) - int64(t.originate))
	t.back = halfDay(arrived - int64(t.transmit))
	t.odd = t.receive >= day || t.transmit >= day || t.originate >= day // the highest bit says so too
	return t, true
}

// halfDay returns a difference between two times of day as what it is within 12
// hours.
func halfDay(d int64) int64 {
	d = (d%day + day) % day
	if d >= day/2 {
		d -= day
	}
	return d
}

// appendQuery appends what replies to other queries than echo say.
func (t *Text) appendQuery(b []byte, r *icmpx.Reply) []byte {
	switch r.Kind {
	case icmpx.KindTimestampReply:
		return t.appendTimes(b, r)
	case icmpx.KindMaskReply:
		if len(r.Payload) >= 4 {
			b = append(b, " mask="...)
			return netip.AddrFrom4([4]byte(r.Payload[:4])).AppendTo(b)
		}
	case icmpx.KindExtEchoReply:
		if r.Code != 0 {
			return append(append(b, ' '), icmpx.CodeName(icmpx.FamilyOf(r.From), r.Type, r.Code)...)
		}
		b = append(b, " interface="...)
		b = append(b, map[bool]string{true: "active", false: "inactive"}[r.State&0x04 != 0]...)
		if r.State&0x02 != 0 {
			b = append(b, ",ipv4"...)
		}
		if r.State&0x01 != 0 {
			b = append(b, ",ipv6"...)
		}
		if r.State>>5 != 0 {
			b = strconv.AppendUint(append(b, " neighbor="...), uint64(r.State>>5), 10)
		}
	}
	return b
}

// appendTimes appends how long each way took, by the two clocks, and how far
// these are apart if both ways took as long.
func (t *Text) appendTimes(b []byte, r *icmpx.Reply) []byte {
	s, ok := timesOf(r.Payload, r.At)
	switch {
	case !ok:
		return b
	case s.odd:
		b = append(b, " (times are not milliseconds since midnight)"...)
	default:
		b = strconv.AppendInt(append(b, " there="...), s.there, 10)
		b = strconv.AppendInt(append(b, "ms back="...), s.back, 10)
		b = strconv.AppendInt(append(b, "ms clock="...), (s.there-s.back)/2, 10)
		b = append(b, "ms"...)
	}
	if !t.Verbose {
		return b
	}
	b = strconv.AppendUint(append(b, " originate="...), uint64(s.originate), 10)
	b = strconv.AppendUint(append(b, " receive="...), uint64(s.receive), 10)
	return strconv.AppendUint(append(b, " transmit="...), uint64(s.transmit), 10)
}

// query appends what replies to other queries than echo say.
func (o *object) query(r *icmpx.Reply) {
	switch r.Kind {
	case icmpx.KindTimestampReply:
		s, ok := timesOf(r.Payload, r.At)
		if !ok {
			return
		}
		o.key("timestamp")
		c := begin(o.b)
		c.int("originate_ms", int64(s.originate))
		c.int("receive_ms", int64(s.receive))
		c.int("transmit_ms", int64(s.transmit))
		const ns = int64(time.Millisecond)
		c.orNull("there_ns", s.there*ns, !s.odd)
		c.orNull("back_ns", s.back*ns, !s.odd)
		c.orNull("clock_ns", (s.there-s.back)*ns/2, !s.odd)
		o.b = c.end()
	case icmpx.KindMaskReply:
		if len(r.Payload) >= 4 {
			o.addr("mask", netip.AddrFrom4([4]byte(r.Payload[:4])))
		}
	case icmpx.KindExtEchoReply:
		o.key("ext_echo")
		c := begin(o.b)
		c.int("code", int64(r.Code))
		c.str("name", icmpx.CodeName(icmpx.FamilyOf(r.From), r.Type, r.Code))
		c.int("state", int64(r.State>>5))
		c.bool("active", r.State&0x04 != 0)
		c.bool("ipv4", r.State&0x02 != 0)
		c.bool("ipv6", r.State&0x01 != 0)
		o.b = c.end()
	}
}
