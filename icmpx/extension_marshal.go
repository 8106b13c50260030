package icmpx

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/icmp"
)

// appendExtensions appends an extension structure of exts to b (RFC 4884
// section 7). Without sum its checksum is 0, "not computed".
func appendExtensions(b []byte, exts []icmp.Extension, sum bool) ([]byte, error) {
	if len(exts) > maxObjects {
		return nil, fmt.Errorf("marshal %d extension objects: %w", len(exts), ErrLimit)
	}
	start := len(b)
	b = append(b, extVersion<<4, 0, 0, 0)
	for _, ext := range exts {
		obj := len(b)
		var err error
		if b, err = appendObject(b, ext); err != nil {
			return nil, err
		}
		if !objectFits(b[obj:]) || int(binary.BigEndian.Uint16(b[obj:])) != len(b)-obj {
			return nil, fmt.Errorf("marshal extension object of %d bytes: %w", len(b)-obj, ErrLength)
		}
	}
	if sum {
		s := Checksum(b[start:])
		if s == 0 { // would read as "not computed"
			s = 0xffff
		}
		binary.BigEndian.PutUint16(b[start+2:], s)
	}
	return b, nil
}

// appendObject appends one object. Its length field is checked by the caller.
func appendObject(b []byte, ext icmp.Extension) ([]byte, error) {
	switch ext := ext.(type) {
	case *icmp.MPLSLabelStack:
		return appendMPLS(b, ext)
	case *icmp.InterfaceInfo:
		return appendInterfaceInfo(b, ext)
	case *icmp.InterfaceIdent:
		return appendInterfaceIdent(b, ext)
	case *icmp.RawExtension:
		return append(b, ext.Data...), nil
	}
	return nil, fmt.Errorf("marshal extension object %T: %w", ext, ErrVersion)
}

func appendMPLS(b []byte, ls *icmp.MPLSLabelStack) ([]byte, error) {
	if len(ls.Labels) > maxLabels {
		return nil, fmt.Errorf("marshal %d MPLS labels: %w", len(ls.Labels), ErrLimit)
	}
	b = appendObjectHeader(b, objHeaderLen+4*len(ls.Labels), classMPLS, 1)
	for _, l := range ls.Labels {
		switch {
		case l.Label < 0 || l.Label > 0xfffff:
			return nil, fmt.Errorf("marshal MPLS label %d: %w", l.Label, ErrLength)
		case l.TC < 0 || l.TC > 7:
			return nil, fmt.Errorf("marshal MPLS traffic class %d: %w", l.TC, ErrLength)
		case l.TTL < 0 || l.TTL > 255:
			return nil, fmt.Errorf("marshal MPLS TTL %d: %w", l.TTL, ErrLength)
		}
		v := uint32(l.Label)<<12 | uint32(l.TC)<<9 | uint32(l.TTL)
		if l.S {
			v |= 1 << 8
		}
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b, nil
}

func appendObjectHeader(b []byte, n int, class, ctype uint8) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	return append(b, class, ctype)
}
