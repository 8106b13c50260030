package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/internal/packet"
)

// Limits of what --hex reads: a line, and a packet. The second is libpcap's.
const (
	maxHexLine   = 1 << 20
	maxHexPacket = 256 << 10
)

// A hexSource reads packets from text: bytes in hex, with or without offsets
// and ASCII, as xxd, hexdump, od, tcpdump -x, Wireshark or a programmer writes
// them. An offset of 0, an empty line, and a line that is no hex begin another
// packet.
type hexSource struct {
	lines  *bufio.Scanner
	guess  bool
	link   packet.LinkType
	number int // of packets
	line   int

	data    []byte
	row     int  // bytes of the line before, which "*" repeats
	star    bool // the lines up to the next offset are as the one before
	swapped bool // all lines were words that may be in the byte order of a PC
	octal   bool // offsets are, as od has them
	next    hexLine
	waiting bool // next begins the packet to come
}

func newHexSource(r io.Reader, link packet.LinkType, guess bool) *hexSource {
	s := &hexSource{lines: bufio.NewScanner(r), link: link, guess: guess}
	s.lines.Buffer(make([]byte, 0, 64<<10), maxHexLine)
	return s
}

// Next reads the next packet.
func (s *hexSource) Next(f *packet.Frame) error {
	s.data, s.row, s.star, s.swapped, s.octal = s.data[:0], 0, false, true, false
	for {
		if !s.waiting {
			if err := s.read(); err != nil {
				return err
			}
		}
		switch {
		case s.next.end && len(s.data) == 0 && s.number == 0:
			return errNoHex
		case s.next.end && len(s.data) == 0:
			return io.EOF
		case s.next.begins(len(s.data)):
			s.waiting = !s.next.empty()
			return s.frame(f)
		}
		s.waiting = false
		if err := s.add(); err != nil {
			return fmt.Errorf("line %d: %w", s.line, err)
		}
	}
}

// read takes the next line apart.
func (s *hexSource) read() error {
	if !s.lines.Scan() {
		s.next = hexLine{end: true}
		if errors.Is(s.lines.Err(), bufio.ErrTooLong) {
			return fmt.Errorf("line %d: longer than %d bytes", s.line+1, maxHexLine)
		}
		return s.lines.Err()
	}
	s.line++
	s.next = parseHexLine(s.lines.Text())
	return nil
}

// begins reports whether a line begins another packet than one of which there
// are n bytes.
func (l *hexLine) begins(n int) bool {
	return n > 0 && (l.end || l.text || l.hasOffset && l.offset == 0)
}

// empty reports whether nothing of a line belongs to a packet.
func (l *hexLine) empty() bool { return l.text || l.end }

// errNoHex is for a text that is none of packets.
var errNoHex = errors.New("no line holds bytes in hex")

// errHexJump is for a dump that lacks lines.
var errHexJump = errors.New("the offset is not that of the next byte")

// add adds a line to the packet.
func (s *hexSource) add() error {
	l := &s.next
	offset := l.offset
	s.octal = s.octal || l.hasOffset && l.octal == len(s.data) && l.octal != offset
	if s.octal {
		offset = l.octal
	}
	switch {
	case l.text:
		return nil
	case l.star:
		s.star = s.row > 0
		return nil
	case l.hasOffset && s.star:
		if err := s.repeat(offset); err != nil {
			return err
		}
	case l.hasOffset && len(l.data) > 0 && offset != len(s.data):
		return errHexJump
	}
	s.star = false
	if len(s.data)+len(l.data) > maxHexPacket {
		return fmt.Errorf("a packet of more than %d bytes", maxHexPacket)
	}
	s.row = len(l.data)
	s.swapped = s.swapped && (l.words || len(l.data) == 0)
	s.data = append(s.data, l.data...)
	return nil
}

// repeat adds the line before as often as fits up to an offset.
func (s *hexSource) repeat(offset int) error {
	if offset < len(s.data) || offset > maxHexPacket {
		return errHexJump
	}
	for row := s.data[len(s.data)-s.row:]; len(s.data) < offset; {
		s.data = append(s.data, row[:min(len(row), offset-len(s.data))]...)
	}
	return nil
}

// frame makes a frame of the bytes that were read.
func (s *hexSource) frame(f *packet.Frame) error {
	s.number++
	link, ok := s.link, true
	if s.guess {
		link, ok = s.guessLink()
	}
	if !ok {
		return fmt.Errorf("packet %d, up to line %d: cannot tell what its bytes begin with; --link says it", s.number, s.line)
	}
	*f = packet.Frame{Number: s.number, Len: len(s.data), Data: s.data, Link: link}
	return nil
}

// guessLink tells what the bytes begin with. Words without an ASCII column are
// most likely in the byte order of a PC.
func (s *hexSource) guessLink() (packet.LinkType, bool) {
	if s.swapped {
		swapWords(s.data)
		if link, ok := sureLink(s.data); ok {
			return link, true
		}
		swapWords(s.data)
	}
	return guessLink(s.data)
}

// swapWords swaps the bytes of each word; a last odd byte stays.
func swapWords(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}

// A hexLine is what a line of text says.
type hexLine struct {
	data      []byte
	offset    int
	octal     int // offset, if its digits are; -1: they cannot be
	hasOffset bool
	words     bool // written as words of two bytes behind an offset, without ASCII: od -x and hexdump
	star      bool // the lines up to the next offset are as the one before
	text      bool // nothing that is hex
	end       bool // the end of the text
}

// parseHexLine takes a line apart.
func parseHexLine(s string) hexLine {
	s = strings.TrimRight(s, " \t\r\n")
	rest := strings.TrimLeft(s, " \t")
	switch rest {
	case "":
		return hexLine{text: true}
	case "*":
		return hexLine{star: true}
	}
	if digits, behind, bare, ok := cutOffset(rest); ok {
		l := hexLine{offset: number(digits, 16), octal: -1, hasOffset: true}
		if bare {
			l.octal = number(digits, 8)
		}
		groups := 0
		l.data, groups, rest = dumpedBytes(behind)
		l.words = bare && rest == "" && groups*2 == len(l.data)
		if len(l.data) > 0 || bare && behind == "" { // hexdump ends with an offset alone
			return l
		}
	}
	if data, ok := plainBytes(s); ok {
		return hexLine{data: data}
	}
	return hexLine{text: true}
}

// cutOffset cuts the offset off a line of a dump: "0x0010:", "00000010:",
// "00000010  " or, of od and hexdump, "0000020 " (bare).
func cutOffset(s string) (offset, rest string, bare, ok bool) {
	digits := strings.TrimPrefix(s, "0x")
	n := 0
	for n < len(digits) && hexValue(digits[n]) >= 0 {
		n++
	}
	rest = digits[n:]
	colon := strings.HasPrefix(rest, ":")
	switch {
	case n < 1 || n > 8:
		return "", "", false, false
	case colon && (len(rest) == 1 || rest[1] == ' ' || rest[1] == '\t'):
		rest = rest[1:]
	case n >= 4 && (strings.HasPrefix(rest, "  ") || strings.HasPrefix(rest, "\t")):
	case (n == 6 || n == 7) && (rest == "" || rest[0] == ' '): // od, hexdump
		bare = true
	case n == 8 && rest == "": // the last line of hexdump -C
		bare = true
	default:
		return "", "", false, false
	}
	return digits[:n], rest, bare, true
}

// number returns the value of at most 8 digits, or -1.
func number(digits string, base int) int {
	v, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		return -1
	}
	return int(v)
}

// dumpedBytes reads the bytes of a line of a dump, up to the column of ASCII:
// behind two spaces or more, but for the gap that hexdump -C has in the middle,
// or behind a bar. It returns what is left of the line, and how many groups of
// digits there were.
func dumpedBytes(s string) (data []byte, groups int, rest string) {
	s = strings.TrimLeft(s, " \t")
	single := true
	for s != "" {
		n := 0
		for n < len(s) && hexValue(s[n]) >= 0 {
			n++
		}
		if n == 0 || n%2 != 0 || n < len(s) && s[n] != ' ' && s[n] != '\t' || groups >= 8 && single && n != 2 {
			return data, groups, s
		}
		for i := 0; i < n; i += 2 {
			data = append(data, byte(hexValue(s[i])<<4|hexValue(s[i+1])))
		}
		groups++
		single = single && n == 2
		s = s[n:]
		gap := len(s) - len(strings.TrimLeft(s, " \t"))
		s = s[gap:]
		if gap >= 2 && (gap > 2 || groups != 8 || !single) {
			return data, groups, s
		}
	}
	return data, groups, ""
}

// plainBytes reads a line that is hex and nothing else: digits in groups of any
// even length, bytes with 0x or \x before them, with spaces, commas, colons or
// dashes between.
func plainBytes(s string) ([]byte, bool) {
	s = strings.NewReplacer(`\x`, " ", "0x", " ", "0X", " ").Replace(s)
	var data []byte
	for _, group := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t,;:-\"'{}[]", r) }) {
		if len(group)%2 != 0 {
			return nil, false
		}
		for i := 0; i < len(group); i += 2 {
			hi, lo := hexValue(group[i]), hexValue(group[i+1])
			if hi < 0 || lo < 0 {
				return nil, false
			}
			data = append(data, byte(hi<<4|lo))
		}
	}
	return data, len(data) > 0
}

// hexValue returns the value of a hex digit, or -1.
func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
