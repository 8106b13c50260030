package capfile

import "fmt"

// foreign names what begins with b, as far as that can be told.
func foreign(b []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\x1f\x8b", "gzip-compressed data: unpack it first"},
		{"\x28\xb5\x2f\xfd", "zstd-compressed data: unpack it first"},
		{"\xfd7zXZ\x00", "xz-compressed data: unpack it first"},
		{"BZh", "bzip2-compressed data: unpack it first"},
		{"\x04\x22\x4d\x18", "lz4-compressed data: unpack it first"},
		{"PK\x03\x04", "a zip archive: unpack it first"},
		{"snoop\x00\x00\x00", "a snoop capture: convert it with editcap"},
		{"GMBU", "a Microsoft Network Monitor capture: convert it with editcap"},
		{"RTSS", "a Microsoft Network Monitor 1 capture: convert it with editcap"},
		{"TRSNIFF", "a Sniffer capture: convert it with editcap"},
		{"XCP\x00", "a NetXRay capture: convert it with editcap"},
		{"\x7fELF", "a program"},
		{"{", "text that may be JSON"},
	} {
		if len(b) >= len(f.magic) && string(b[:len(f.magic)]) == f.magic {
			return f.name
		}
	}
	if isERF(b) {
		return "what may be an ERF capture: convert it with editcap"
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c > '~' {
			return fmt.Sprintf("it begins with % x", b[:min(len(b), 4)])
		}
	}
	return "text"
}

// isERF reports whether b may begin with the header of an ERF record: a type,
// flags, and a record length that is no less than the header
// (https://www.endace.com/erf-extensible-record-format-types.pdf).
func isERF(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	typ, length := b[8]&0x7f, int(b[10])<<8|int(b[11])
	return typ >= 1 && typ <= 48 && length >= 16 && b[3] != 0 && b[9]&0xc0 == 0
}
