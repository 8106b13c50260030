package icmpx

import (
	"encoding/binary"
	"errors"

	"golang.org/x/net/icmp"
)

// Classes of extension objects (IANA "ICMP Extension Object Classes").
const (
	classMPLS           = 1 // RFC 4950
	classInterfaceInfo  = 2 // RFC 5837
	classInterfaceIdent = 3 // RFC 8335
	classExtendedInfo   = 4 // RFC 8883
	classNodeIdent      = 5 // draft-ietf-intarea-extended-icmp-nodeid
)

// What one extension structure may hold here. No sender comes near, and an
// input cannot make its reader allocate more.
const (
	maxObjects = 64
	maxLabels  = 32 // of one label stack
)

// ParseExtensions reads an extension structure (RFC 4884 section 7) from its
// header to the end of b: MPLS label stacks (RFC 4950), interface information
// (RFC 5837) and interface identification (RFC 8335) as x/net/icmp's types, any
// other object as an icmp.RawExtension that shares b.
//
// It is as lenient as reading on can be right: what could be read is returned
// beside the error, a *ParseError for the first thing that is wrong: the
// version (nothing is read then), reserved bits, a wrong checksum (0 means that
// none was computed), an object whose length does not fit, one whose contents
// do not (it is returned raw), bytes left over, or more objects or labels than
// 64 or 32. The number of objects and labels is bounded by these, whatever b
// announces.
func ParseExtensions(b []byte) ([]icmp.Extension, error) {
	if len(b) < structHeaderLen {
		return nil, &ParseError{"extension header", len(b), ErrTruncated}
	}
	if b[0]>>4 != extVersion {
		return nil, &ParseError{"extension version", 0, ErrVersion}
	}
	first := checkStructHeader(b)
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	var exts []icmp.Extension
	off := structHeaderLen
	for len(b)-off >= objHeaderLen {
		if len(exts) == maxObjects {
			note(&ParseError{"extension object", off, ErrLimit})
			return exts, first
		}
		if !objectFits(b[off:]) {
			note(&ParseError{"extension object length", off, ErrLength})
			return exts, first
		}
		n := int(binary.BigEndian.Uint16(b[off:]))
		ext, err := parseObject(b[off : off+n : off+n])
		note(within(err, off))
		exts = append(exts, ext)
		off += n
	}
	switch {
	case off < len(b):
		note(&ParseError{"bytes behind the extension objects", off, ErrLength})
	case len(exts) == 0:
		note(&ParseError{"extension object", off, ErrTruncated})
	}
	return exts, first
}

// checkStructHeader checks the reserved bits and the checksum of an extension
// structure.
func checkStructHeader(b []byte) error {
	switch {
	case b[0]&0x0f != 0 || b[1] != 0:
		return &ParseError{"extension reserved bits", 0, ErrReserved}
	case binary.BigEndian.Uint16(b[2:]) != 0 && Checksum(b) != 0:
		return &ParseError{"extension checksum", 2, ErrChecksum}
	}
	return nil
}

// within adds base to the offset of a *ParseError, and returns a true nil for
// none.
func within(err error, base int) error {
	if pe, ok := errors.AsType[*ParseError](err); ok {
		return &ParseError{pe.Field, base + pe.Offset, pe.Err}
	}
	return err
}

// parseObject reads one object, whose length is that of b. What cannot be read
// is returned raw, with the error.
func parseObject(b []byte) (icmp.Extension, error) {
	var ext icmp.Extension
	var err error
	switch {
	case b[2] == classMPLS && b[3] == 1:
		ext, err = parseMPLS(b)
	case b[2] == classInterfaceInfo:
		ext, err = parseInterfaceInfo(b)
	case b[2] == classInterfaceIdent && b[3] >= identName && b[3] <= identAddr:
		ext, err = parseInterfaceIdent(b)
	}
	if ext == nil {
		ext = &icmp.RawExtension{Data: b}
	}
	return ext, err
}

// parseMPLS reads a label stack (RFC 4950 section 4): label 20 bits, traffic
// class 3, bottom of stack 1, TTL 8.
func parseMPLS(b []byte) (icmp.Extension, error) {
	n := (len(b) - objHeaderLen) / 4
	var err error
	if n > maxLabels {
		n, err = maxLabels, &ParseError{"MPLS label stack", objHeaderLen + 4*maxLabels, ErrLimit}
	}
	ls := &icmp.MPLSLabelStack{Class: classMPLS, Type: 1, Labels: make([]icmp.MPLSLabel, n)}
	for i := range ls.Labels {
		v := binary.BigEndian.Uint32(b[objHeaderLen+4*i:])
		ls.Labels[i] = icmp.MPLSLabel{Label: int(v >> 12), TC: int(v >> 9 & 7), S: v>>8&1 != 0, TTL: int(v & 0xff)}
	}
	return ls, err
}
