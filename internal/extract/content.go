package extract

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// headLen is how many bytes of a file are looked at to recognise it.
const headLen = 4096

// A signature is how files of a kind begin: the bytes of magic, off bytes from
// the start.
type signature struct {
	off   int
	magic string
	media string
}

// signatures are the beginnings that are known, the more special first where one
// begins like another. They are those of the formats' own documents, which the
// registrations of their media types name.
var signatures = [...]signature{
	{0, "\xff\xd8\xff", "image/jpeg"},
	{0, "\x89PNG\r\n\x1a\n", "image/png"},
	{0, "GIF87a", "image/gif"},
	{0, "GIF89a", "image/gif"},
	{8, "WEBP", "image/webp"},
	{8, "WAVE", "audio/vnd.wave"},
	{8, "AVI ", "video/x-msvideo"},
	{4, "ftypavif", "image/avif"},
	{4, "ftypheic", "image/heic"},
	{4, "ftyp", "video/mp4"},
	{0, "II*\x00", "image/tiff"},
	{0, "MM\x00*", "image/tiff"},
	{0, "BM", "image/bmp"},
	{0, "PK\x03\x04", "application/zip"},
	{0, "PK\x05\x06", "application/zip"},
	{0, "\x1f\x8b\x08", "application/gzip"},
	{0, "BZh", "application/x-bzip2"},
	{0, "\xfd7zXZ\x00", "application/x-xz"},
	{0, "\x28\xb5\x2f\xfd", "application/zstd"},
	{0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
	{0, "Rar!\x1a\x07", "application/vnd.rar"},
	{257, "ustar", "application/x-tar"},
	{0, "%PDF-", "application/pdf"},
	{0, "\x7fELF", "application/x-elf"},
	{0, "MZ", "application/vnd.microsoft.portable-executable"},
	{0, "\xcf\xfa\xed\xfe", "application/x-mach-binary"},
	{0, "\xca\xfe\xba\xbe", "application/java-vm"},
	{0, "\x00asm", "application/wasm"},
	{0, "#!", "text/x-script"},
	{0, "SQLite format 3\x00", "application/vnd.sqlite3"},
	{0, "\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"},
	{0, "\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"},
	{0, "\x0a\x0d\x0d\x0a", "application/x-pcapng"},
	{0, "OggS", "audio/ogg"},
	{0, "fLaC", "audio/flac"},
	{0, "ID3", "audio/mpeg"},
	{0, "SSH-", "application/x-ssh"},
	{0, "-----BEGIN ", "application/x-pem-file"},
}

// Media types of what no signature names.
const (
	plainText = "text/plain"
	anything  = "application/octet-stream"
)

// Recognise names the kind of a file by its first bytes, 4096 of which are
// enough, as a media type: what a signature names, "text/plain" for UTF-8
// without control characters other than white space, else
// "application/octet-stream". It says what the bytes look like, no more.
func Recognise(head []byte) string {
	head = head[:min(len(head), headLen)]
	for i := range signatures {
		s := &signatures[i]
		if len(head) >= s.off && bytes.HasPrefix(head[s.off:], []byte(s.magic)) && s.fits(head) {
			return s.media
		}
	}
	if isText(head) {
		return plainText
	}
	return anything
}

// fits asks more of a file whose signature is so short, or so far from the
// start, that other files have it by accident.
func (s *signature) fits(head []byte) bool {
	switch {
	case s.off == 8:
		return bytes.HasPrefix(head, []byte("RIFF"))
	case s.magic == "BM": // the reserved bytes are 0, the pixels begin in the first KiB
		return len(head) >= 14 && string(head[6:10]) == "\x00\x00\x00\x00" && string(head[12:14]) == "\x00\x00"
	case s.magic == "MZ": // a DOS header is 64 bytes long, and not all text
		return len(head) >= 64 && !isText(head[:64])
	case s.magic == "BZh":
		return len(head) >= 10 && head[3] >= '1' && head[3] <= '9' && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90")
	}
	return true
}

// isText reports whether bytes are UTF-8 text. The last character may be cut if
// there is more of the file.
func isText(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return len(b) == headLen && !utf8.FullRune(b[i:])
		case r < ' ' && !strings.ContainsRune("\t\n\r\f", r), r == 0x7f, 0x80 <= r && r < 0xa0:
			return false
		}
		i += n
	}
	return true
}

// isBinary reports whether a media type is one that a signature names, other
// than text.
func isBinary(media string) bool { return media != anything && !strings.HasPrefix(media, "text/") }
