package icmpx

import "encoding/binary"

const (
	// minQuote is the length that RFC 4884 section 5.1 pads a quote to before
	// an extension structure, and where the senders from before it put theirs.
	minQuote = 128

	extVersion      = 2 // RFC 4884 section 7
	structHeaderLen = 4
	objHeaderLen    = 4
)

// A placing says how an extension structure was found.
type placing uint8

const (
	placedNowhere   placing = iota // there is none
	placedCompliant                // by a length attribute of at least 128 bytes
	placedShort                    // by a length attribute below 128 bytes: against RFC 4884, but what is there proves itself
	placedLegacy                   // at 128 without a (right) length attribute, as before RFC 4884
)

// splitExtension returns the length of the quote, padding included, in the body
// of the error msg, which has at least 8 bytes, and how the extension structure
// behind it was found; what is behind it is the structure.
//
// A compliant length attribute is believed. Without one the structure must
// prove itself, since any long quote may look like the start of one: version 2,
// a checksum that is there and right, and a first object that fits. RFC 4884
// section 5.5 knows such senders for ICMPv4 alone.
func splitExtension(f Family, msg []byte) (quoteLen int, how placing) {
	body := msg[headerLen:]
	if !extensible(f, msg[0]) {
		return len(body), placedNowhere
	}
	n := lengthAttribute(f, msg)
	switch {
	case n >= minQuote && n < len(body):
		return n, placedCompliant
	case n >= minQuote && n == len(body):
		return n, placedNowhere
	case n > 0 && n < minQuote && provesExtension(body, n):
		return n, placedShort
	case f != IPv6 && provesExtension(body, minQuote):
		return minQuote, placedLegacy
	}
	return len(body), placedNowhere
}

// lengthAttribute returns how many bytes of quote, padding included, the error
// msg announces: words of 32 bits in ICMPv4, of 64 in ICMPv6 (RFC 4884 sections
// 4.1 to 4.5).
func lengthAttribute(f Family, msg []byte) int {
	if f == IPv6 {
		return int(msg[4]) * 8
	}
	return int(msg[5]) * 4
}

// provesExtension reports whether at n in an error's body there is what can
// hardly be anything but an extension structure.
func provesExtension(body []byte, n int) bool {
	if len(body) < n+structHeaderLen+objHeaderLen {
		return false
	}
	b := body[n:]
	if b[0]>>4 != extVersion || binary.BigEndian.Uint16(b[2:]) == 0 || !objectFits(b[structHeaderLen:]) {
		return false
	}
	return Checksum(b) == 0
}

// objectFits reports whether b begins with an extension object of a legal
// length (RFC 4884 section 8).
func objectFits(b []byte) bool {
	if len(b) < objHeaderLen {
		return false
	}
	n := int(binary.BigEndian.Uint16(b))
	return n >= objHeaderLen && n <= len(b) && n%4 == 0
}

// echoExtensionLen returns the length of the extension structure that leads
// the body b of an extended echo: its one object's length ends it, whatever
// data follow (RFC 8335 section 2). 0: there is none.
func echoExtensionLen(b []byte) int {
	if len(b) < structHeaderLen+objHeaderLen || b[0]>>4 != extVersion {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b[structHeaderLen:]))
	if n < objHeaderLen || structHeaderLen+n > len(b) {
		return 0
	}
	return structHeaderLen + n
}
