package render

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
)

// Types of IPv4 options (RFC 791 section 3.1).
const (
	optionNop         = 1
	optionRecordRoute = 7
	optionTimestamp   = 68
)

// appendOptions appends the IPv4 options of a reply behind its line, as iputils
// does: the addresses and times that hosts on the way have written.
func (t *Text) appendOptions(b, options []byte) []byte {
	if len(options) == 0 {
		return b
	}
	opts, err := icmpx.ParseIPv4Options(options)
	if err != nil {
		return append(b, "\tunreadable IP options"...)
	}
	for _, o := range opts {
		switch o.Type {
		case optionNop:
		case optionRecordRoute:
			b = t.appendRoute(b, o)
		case optionTimestamp:
			b = t.appendTimestamps(b, o)
		default:
			b = strconv.AppendUint(append(b, "\nunknown option "...), uint64(o.Type), 16)
		}
	}
	return b
}

func (t *Text) appendRoute(b []byte, o icmpx.IPv4Option) []byte {
	r, err := o.Route()
	switch {
	case err != nil:
		return append(b, "\tunreadable record of the route"...)
	case len(r.Addrs) == 0:
		return b
	case slices.Equal(r.Addrs, t.route):
		return append(b, "\t(same route)"...)
	}
	t.route = r.Addrs
	b = append(b, "\nRR: "...)
	for _, a := range r.Addrs {
		b = append(t.address(append(b, '\t'), a), '\n')
	}
	return b
}

// appendTimestamps appends the first time as it is and the following ones as
// what passed since the one before, in milliseconds.
func (t *Text) appendTimestamps(b []byte, o icmpx.IPv4Option) []byte {
	r, err := o.Timestamps()
	switch {
	case err != nil:
		return append(b, "\tunreadable timestamps"...)
	case len(r.Entries) == 0:
		return b
	}
	b = append(b, "\nTS: "...)
	last := map[bool]int64{} // by whether the clock is standard
	for _, e := range r.Entries {
		b = append(b, '\t')
		if r.Flag != icmpx.TimestampOnly {
			b = append(t.address(b, e.Addr), '\t')
		}
		at := int64(e.Time)
		before, known := last[e.NonStandard]
		last[e.NonStandard] = at
		if known {
			at -= before
		}
		b = strconv.AppendInt(b, at, 10)
		if !known {
			b = append(b, " absolute"...)
		}
		if e.NonStandard {
			b = append(b, " not-standard"...)
		}
		b = append(b, '\n')
	}
	if r.Overflow > 0 {
		b = strconv.AppendUint(append(b, "Unrecorded hops: "...), uint64(r.Overflow), 10)
		b = append(b, '\n')
	}
	return b
}

// options adds what the IPv4 options of a reply hold.
func (o *object) options(options []byte) {
	opts, err := icmpx.ParseIPv4Options(options)
	if err != nil {
		return
	}
	for _, opt := range opts {
		switch opt.Type {
		case optionRecordRoute:
			if r, err := opt.Route(); err == nil {
				o.addrs("route", r.Addrs)
			}
		case optionTimestamp:
			if r, err := opt.Timestamps(); err == nil {
				o.timestamps(&r)
			}
		}
	}
}

func (o *object) addrs(k string, addrs []netip.Addr) {
	o.key(k)
	o.b = append(o.b, '[')
	for i, a := range addrs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendString(o.b, a.String())
	}
	o.b = append(o.b, ']')
}

func (o *object) timestamps(r *icmpx.TimestampRecord) {
	o.key("timestamps")
	o.b = append(o.b, '[')
	for i, e := range r.Entries {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		t := begin(o.b)
		if e.Addr.IsValid() {
			t.addr("addr", e.Addr)
		}
		t.int("ms", int64(e.Time))
		if e.NonStandard {
			t.yes("nonstandard")
		}
		o.b = t.end()
	}
	o.b = append(o.b, ']')
	if r.Overflow > 0 {
		o.int("timestamps_unrecorded", int64(r.Overflow))
	}
}

// prefixRest leads the lines behind the first one of a block by their host; of
// a run with one host they stay as they are.
func (t *Text) prefixRest(b []byte, start int, h *Host) []byte {
	first := start + bytes.IndexByte(b[start:], '\n') + 1
	if !t.Prefix || first == len(b) {
		return b
	}
	return t.prefixLines(b, first, h)
}
