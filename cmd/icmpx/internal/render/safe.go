package render

import (
	"net/netip"
	"unicode/utf8"
)

// maxName is how many bytes of a name are shown: a DNS name has at most 255 (RFC
// 1035 section 2.3.4).
const maxName = 255

// AppendSafe appends s so that a terminal shows it and obeys none of it. All
// text that came from the network, a resolver or a user passes here: control
// characters, C1 included, become \xNN or \u{NNNN}, so do characters that turn
// the direction of writing or take no room, and bytes that are not UTF-8. A
// backslash is doubled, so that no text can look like another's escape.
func AppendSafe(b []byte, s string) []byte {
	return appendEscaped(b, s, false)
}

// AppendName appends a host name from a resolver: letters, digits, dots, dashes
// and underscores as they are, every other byte as \DDD, as zone files have it
// (RFC 1035 section 5.1). A name beyond 255 bytes is cut, and ends in "...".
func AppendName(b []byte, name string) []byte {
	short := name[:min(len(name), maxName)]
	for i := range len(short) {
		c := short[i]
		if nameByte(c) {
			b = append(b, c)
			continue
		}
		b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
	if len(short) < len(name) {
		b = append(b, "..."...)
	}
	return b
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

// AppendAddr appends an address; a zone, which is the name of an interface, is
// escaped. The zero Addr is "?".
func AppendAddr(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(b, '?')
	}
	b = a.WithZone("").AppendTo(b)
	if zone := a.Zone(); zone != "" {
		b = AppendSafe(append(b, '%'), zone)
	}
	return b
}

// appendEscaped appends s with what is unsafe escaped, for text or for the inside
// of a JSON string.
func appendEscaped(b []byte, s string, json bool) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1 && json:
			b = append(b, '\\', '\\', 'x', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		case r == utf8.RuneError && size == 1:
			b = escapeText(b, rune(s[i]))
		case json && (unsafeRune(r) || r == '\\' || r == '"'):
			b = escapeJSON(b, r)
		case !json && (unsafeRune(r) || r == '\\'):
			b = escapeText(b, r)
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}

const hexDigits = "0123456789abcdef"

func escapeText(b []byte, r rune) []byte {
	switch {
	case r == '\\':
		return append(b, '\\', '\\')
	case r < 0x100:
		return append(b, '\\', 'x', hexDigits[r>>4&15], hexDigits[r&15])
	}
	b = append(b, '\\', 'u', '{')
	for shift := 20; shift >= 0; shift -= 4 {
		if r>>shift != 0 || shift == 0 {
			b = append(b, hexDigits[r>>shift&15])
		}
	}
	return append(b, '}')
}

// unsafeRune reports whether a terminal, an editor or an eye would be misled by
// r: control characters (C0, DEL, C1), line and paragraph separators, marks
// that turn the direction of writing, characters without width, and those that
// are no characters.
func unsafeRune(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r < 0xa0, r == 0xad: // controls, soft hyphen
	case r == 0x061c, r == 0x180e, r == 0xfeff: // Arabic letter mark, vowel separator, byte order mark
	case 0x200b <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e: // zero width, separators, embeddings
	case 0xfe00 <= r && r <= 0xfe0f, 0x2060 <= r && r <= 0x206f, 0xfff9 <= r && r <= 0xfffb: // selectors, isolates, annotations
	case 0xe000 <= r && r <= 0xf8ff, 0xe0000 <= r: // private use, tags, variation selectors
	case r&0xfffe == 0xfffe, 0xfdd0 <= r && r <= 0xfdef: // noncharacters
	default:
		return false
	}
	return true
}
