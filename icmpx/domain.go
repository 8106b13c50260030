package icmpx

import (
	"fmt"
	"strings"
)

// Lengths of domain names and their labels in bytes (RFC 1035 section 2.3.4).
const (
	maxDomain = 255
	maxLabel  = 63
)

// appendDomain appends the wire form of a domain name, whose labels are divided
// by dots: each label behind its length, then a zero (RFC 1035 section 3.1).
func appendDomain(b []byte, name string) ([]byte, error) {
	if len(name)+2 > maxDomain {
		return nil, fmt.Errorf("marshal domain name of %d bytes: %w", len(name), ErrLength)
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case len(label) == 0 || len(label) > maxLabel:
			return nil, fmt.Errorf("marshal domain name %q: %w", name, ErrLength)
		case strings.Contains(label, `\`):
			return nil, fmt.Errorf("marshal domain name %q: %w", name, ErrReserved)
		}
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0), nil
}

// domainAt returns the domain name that b begins with, and the length of its wire
// form. A dot within a label is returned as \. and a backslash as \\. Names are
// not compressed where ICMP carries them.
func domainAt(b []byte) (name string, n int, err error) {
	var text []byte
	for n < min(len(b), maxDomain) {
		size := int(b[n])
		switch {
		case size == 0:
			return string(text), n + 1, nil
		case size > maxLabel:
			return "", 0, ErrLength
		case n+1+size > len(b):
			return "", 0, ErrTruncated
		}
		if n > 0 {
			text = append(text, '.')
		}
		text = appendLabel(text, b[n+1:n+1+size])
		n += 1 + size
	}
	if n < maxDomain {
		return "", 0, ErrTruncated
	}
	return "", 0, ErrLength
}

func appendLabel(text, label []byte) []byte {
	for _, c := range label {
		if c == '.' || c == '\\' {
			text = append(text, '\\')
		}
		text = append(text, c)
	}
	return text
}

// hasDot reports whether a label of the domain name that b begins with, a whole
// one, holds what only an escape can write.
func hasDot(b []byte) bool {
	for n := 0; b[n] != 0; n += 1 + int(b[n]) {
		for _, c := range b[n+1 : n+1+int(b[n])] {
			if c == '.' || c == '\\' {
				return true
			}
		}
	}
	return false
}
