package capfile

import (
	"bytes"
	"slices"

	"github.com/icmpx/icmpx/internal/packet"
)

// Limits of what is kept of one section, whatever it holds.
const (
	maxInterfaces = 4096
	maxTexts      = 1 << 20 // bytes of names and comments
)

// A section is what the blocks of a section said so far.
type section struct {
	order      order
	interfaces []netInterface
	comments   []string
	texts      int // bytes of text that were kept
}

// An Interface is what a capture says of an interface that it was made on.
type Interface struct {
	Link        packet.LinkType
	SnapLen     int    // bytes that were captured of each packet at most; 0 if not limited
	Name        string // "" if unknown; as all texts it comes from the capture: escape it
	Description string
	Filter      string
	Comments    []string
	Statistics  *Statistics // the last that were given; nil if none were
}

// Statistics are what a capturing system counted.
type Statistics struct {
	Received uint64 // packets that passed the filter, or came, if there was none
	Dropped  uint64 // those of them that were lost for want of room
}

// A netInterface is an Interface and its way of telling time.
type netInterface struct {
	Interface
	clock clock
}

// Interfaces returns the interfaces that the current section has described so
// far. Those of a pcap file are one, without a name.
func (r *Reader) Interfaces() []Interface {
	if r.format == "pcap" {
		return []Interface{{Link: r.pcap.link, SnapLen: r.pcap.snaplen}}
	}
	list := make([]Interface, len(r.section.interfaces))
	for i := range list {
		list[i] = r.section.interfaces[i].Interface
	}
	return list
}

// Comments returns the comments on the current section as a whole.
func (r *Reader) Comments() []string { return slices.Clone(r.section.comments) }

// sectionHeader reads a Section Header Block. The length that it gives the
// section is of no use: it ends with the next one or with the file.
func (r *Reader) sectionHeader(b []byte, start int64) error {
	const fixed = 16
	if len(b) < fixed {
		return r.damage(start, "the header of a section is too short")
	}
	s := &r.section
	if major, minor := s.order.uint16(b[4:]), s.order.uint16(b[6:]); major != 1 {
		return r.damage(start, "version %d.%d of the format is not known", major, minor)
	}
	o := options{order: s.order, b: b[fixed:]}
	for o.next() {
		if o.code == optComment {
			s.comments = s.keepIn(s.comments, o.value)
		}
	}
	r.noteOptions(&o, start)
	return nil
}

// newInterface reads an Interface Description Block.
func (r *Reader) newInterface(b []byte, start int64) {
	const fixed = 8
	s := &r.section
	switch {
	case len(b) < fixed:
		// The numbers of the others must not change.
		r.note(start, "the description of an interface is too short")
		b = make([]byte, fixed)
	case len(s.interfaces) == maxInterfaces:
		r.note(start, "more than %d interfaces", maxInterfaces)
		return
	}
	i := netInterface{clock: clock{perSecond: 1e6}}
	i.Link = packet.LinkType(s.order.uint16(b))
	i.SnapLen = int(min(s.order.uint32(b[4:]), 1<<31-1))
	o := options{order: s.order, b: b[fixed:]}
	for o.next() {
		switch {
		case o.code == optComment:
			i.Comments = s.keepIn(i.Comments, o.value)
		case o.code == ifResolution && len(o.value) == 1:
			if !i.clock.setResolution(o.value[0]) {
				r.note(start, "an interface has times of a resolution that is not read: %#02x", o.value[0])
			}
		case o.code == ifOffset && len(o.value) == 8:
			i.clock.offset = int64(s.order.uint64(o.value))
		case o.code == ifName:
			i.Name = s.keep(o.value)
		case o.code == ifDescription:
			i.Description = s.keep(o.value)
		case o.code == ifFilter && len(o.value) > 1 && o.value[0] == 0:
			i.Filter = s.keep(o.value[1:])
		}
	}
	r.noteOptions(&o, start)
	s.interfaces = append(s.interfaces, i)
}

// Options of interfaces (draft-ietf-opsawg-pcapng section 4.2).
const (
	ifName        = 2
	ifDescription = 3
	ifResolution  = 9
	ifFilter      = 11 // a first byte of 0 says that it is text
	ifOffset      = 14
)

// Options of an Interface Statistics Block (section 4.6).
const (
	statReceived = 4
	statDropped  = 5
	statAccepted = 6 // by the filter
	statOSDrop   = 7
)

// statistics reads an Interface Statistics Block.
func (r *Reader) statistics(b []byte, start int64) {
	const fixed = 12
	s := &r.section
	if len(b) < fixed || uint64(s.order.uint32(b)) >= uint64(len(s.interfaces)) {
		r.note(start, "statistics of no interface that is described")
		return
	}
	st := &Statistics{}
	o := options{order: s.order, b: b[fixed:]}
	for o.next() {
		if len(o.value) != 8 {
			continue
		}
		switch v := s.order.uint64(o.value); o.code {
		case statReceived, statAccepted:
			st.Received = max(st.Received, v)
		case statDropped, statOSDrop:
			st.Dropped = max(st.Dropped, v)
		}
	}
	r.noteOptions(&o, start)
	s.interfaces[s.order.uint32(b)].Statistics = st
}

// keep returns the text b, or less of it if the section has no more room.
func (s *section) keep(b []byte) string {
	b = b[:min(len(b), maxTexts-s.texts)]
	s.texts += len(b)
	return text(b)
}

// keepIn appends the text b to list, if the section has room.
func (s *section) keepIn(list []string, b []byte) []string {
	const each = 16 // an empty string is not free
	if s.texts += each; s.texts > maxTexts {
		s.texts = maxTexts
		return list
	}
	return append(list, s.keep(b))
}

// text returns b as a string. Some writers end texts with a zero byte, which is
// no part of them.
func text(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }
