package icmpx

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// An IPv4Option is one option of an IPv4 header (RFC 791 section 3.1).
type IPv4Option struct {
	Type uint8  // with the copied flag and the class, as on the wire; 7: record route, 68: timestamp
	Data []byte // what follows type and length; nil if the option is its type alone
}

// ParseIPv4Options reads the options of an IPv4 header, of at most 40 bytes, up
// to the end of option list or of b. What follows the end is padding and not
// looked at. The error is a *ParseError. Data shares b.
func ParseIPv4Options(b []byte) ([]IPv4Option, error) {
	if len(b) > maxIPv4Options {
		return nil, &ParseError{"IPv4 options", maxIPv4Options, ErrLength}
	}
	var opts []IPv4Option
	for off := 0; off < len(b) && b[off] != optionEnd; {
		n, err := optionLen(b[off:])
		if err != nil {
			return nil, &ParseError{"IPv4 option", off, err}
		}
		o := IPv4Option{Type: b[off]}
		if n > 1 {
			o.Data = b[off+2 : off+n : off+n]
		}
		opts = append(opts, o)
		off += n
	}
	return opts, nil
}

// A RouteRecord is what a record route option holds, or a source route.
type RouteRecord struct {
	Addrs []netip.Addr // recorded, in order
	Next  []netip.Addr // slots behind: free ones of a record route, hosts that a source route has yet to pass
}

// Route reads a record route option, or a loose or strict source route (RFC 791
// section 3.1). The error is a *ParseError that wraps ErrReserved if o is
// another option; its offset counts from the option's type. Bytes that are too
// few for a last slot are not looked at.
func (o IPv4Option) Route() (RouteRecord, error) {
	const first = 4 // what the pointer of an empty record is
	switch {
	case o.Type != optionRecordRoute && o.Type != optionLSRR && o.Type != optionSSRR:
		return RouteRecord{}, &ParseError{"record route", 0, ErrReserved}
	case len(o.Data) < 1:
		return RouteRecord{}, &ParseError{"record route", 1, ErrTruncated}
	}
	slots := o.Data[1:]
	used, ok := usedSlots(o.Data[0], first, 4, len(slots))
	if !ok {
		return RouteRecord{}, &ParseError{"record route pointer", 2, ErrReserved}
	}
	var r RouteRecord
	for i := 0; (i+1)*4 <= len(slots); i++ {
		a := netip.AddrFrom4([4]byte(slots[i*4:]))
		if i < used {
			r.Addrs = append(r.Addrs, a)
		} else {
			r.Next = append(r.Next, a)
		}
	}
	return r, nil
}

// usedSlots returns how many slots of size bytes a pointer says are used, if
// it is one: it counts bytes from 1 at the option's type, begins at first, and
// is beyond the room once that is full.
func usedSlots(pointer uint8, first, size, room int) (used int, ok bool) {
	off := int(pointer) - first
	switch {
	case off < 0:
		return 0, false
	case off >= room:
		return room / size, true
	}
	return off / size, off%size == 0
}

// A TimestampFlag says what a timestamp option asks for and holds (RFC 791
// section 3.1).
type TimestampFlag uint8

// The kinds of timestamp options.
const (
	TimestampOnly         TimestampFlag = 0 // times alone
	TimestampAddress      TimestampFlag = 1 // times, each with the address of who wrote it
	TimestampPrespecified TimestampFlag = 3 // times of hosts that the sender named
)

// String returns the word that ping has for f: "tsonly", "tsandaddr" or
// "tsprespec".
func (f TimestampFlag) String() string {
	switch f {
	case TimestampOnly:
		return "tsonly"
	case TimestampAddress:
		return "tsandaddr"
	case TimestampPrespecified:
		return "tsprespec"
	}
	return fmt.Sprintf("timestamp flag %d", uint8(f))
}

// slot is the size in bytes of one entry.
func (f TimestampFlag) slot() int {
	if f == TimestampOnly {
		return 4
	}
	return 8
}

// A TimestampRecord is what a timestamp option holds.
type TimestampRecord struct {
	Flag     TimestampFlag
	Overflow uint8            // hosts that found no room, 0 to 15
	Entries  []TimestampEntry // written so far, in order
	Next     []netip.Addr     // of TimestampPrespecified: hosts that have not written yet
}

// A TimestampEntry is the time of one host.
type TimestampEntry struct {
	Addr netip.Addr // whose it is; the zero Addr in TimestampOnly

	// Time is in milliseconds since midnight UT, or, if it is NonStandard, in
	// the host's own terms, of 31 bits.
	Time        uint32
	NonStandard bool
}

// Timestamps reads a timestamp option (RFC 791 section 3.1). The error is a
// *ParseError that wraps ErrReserved if o is another option or has a flag that
// is not defined; its offset counts from the option's type. Bytes that are too
// few for a last entry are not looked at.
func (o IPv4Option) Timestamps() (TimestampRecord, error) {
	const first = 5 // what the pointer of an empty record is
	switch {
	case o.Type != optionTimestamp:
		return TimestampRecord{}, &ParseError{"timestamp option", 0, ErrReserved}
	case len(o.Data) < 2:
		return TimestampRecord{}, &ParseError{"timestamp option", 2 + len(o.Data), ErrTruncated}
	}
	r := TimestampRecord{Flag: TimestampFlag(o.Data[1] & 0x0f), Overflow: o.Data[1] >> 4}
	if r.Flag != TimestampOnly && r.Flag != TimestampAddress && r.Flag != TimestampPrespecified {
		return TimestampRecord{}, &ParseError{"timestamp flag", 3, ErrReserved}
	}
	slots, size := o.Data[2:], r.Flag.slot()
	used, ok := usedSlots(o.Data[0], first, size, len(slots))
	if !ok {
		return TimestampRecord{}, &ParseError{"timestamp pointer", 2, ErrReserved}
	}
	for i := 0; (i+1)*size <= len(slots); i++ {
		b := slots[i*size:][:size]
		switch {
		case i < used:
			r.Entries = append(r.Entries, timestampEntry(b))
		case r.Flag == TimestampPrespecified:
			r.Next = append(r.Next, netip.AddrFrom4([4]byte(b)))
		}
	}
	return r, nil
}

// timestampEntry reads a time, and the address before it if there is one.
func timestampEntry(b []byte) TimestampEntry {
	const nonStandard = 1 << 31
	var e TimestampEntry
	if len(b) > 4 {
		e.Addr, b = netip.AddrFrom4([4]byte(b)), b[4:]
	}
	v := binary.BigEndian.Uint32(b)
	e.Time, e.NonStandard = v&^nonStandard, v&nonStandard != 0
	return e
}

// RecordRoute returns the IPv4 options that have the routers on the way to a
// host and back, and the host itself, write down their addresses: a record
// route option with room for nine (RFC 791 section 3.1), behind a byte that
// aligns them.
func RecordRoute() []byte {
	b := make([]byte, maxIPv4Options)
	copy(b, []byte{optionNop, optionRecordRoute, maxIPv4Options - 1, 4})
	return b
}

// TimestampOption returns the IPv4 options that have the hosts on the way to a
// host and back write down their time of day: a timestamp option with room for
// nine times, for four of TimestampAddress, or for one of each of addrs, which
// TimestampPrespecified needs one to four of and the others none (RFC 791
// section 3.1). A host named in addrs writes when those before it have.
func TimestampOption(flag TimestampFlag, addrs ...netip.Addr) ([]byte, error) {
	const header, most = 4, 4
	slots := most
	switch {
	case flag == TimestampPrespecified:
		if slots = len(addrs); slots < 1 || slots > most {
			return nil, fmt.Errorf("make timestamp option: %d hosts, want 1 to %d: %w", slots, most, ErrLimit)
		}
	case flag != TimestampOnly && flag != TimestampAddress:
		return nil, fmt.Errorf("make timestamp option: flag %d: %w", flag, ErrReserved)
	case len(addrs) > 0:
		return nil, fmt.Errorf("make timestamp option: %d hosts in %v, which has none: %w", len(addrs), flag, ErrLimit)
	case flag == TimestampOnly:
		slots = (maxIPv4Options - header) / flag.slot()
	}
	b := make([]byte, header+slots*flag.slot())
	copy(b, []byte{optionTimestamp, byte(len(b)), header + 1, byte(flag)})
	for i, a := range addrs {
		if FamilyOf(a) != IPv4 {
			return nil, fmt.Errorf("make timestamp option: host %v: %w", a, ErrVersion)
		}
		v4 := a.As4()
		copy(b[header+i*flag.slot():], v4[:])
	}
	return b, nil
}
