package craft

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// A Line is what an event of "icmpx decode --json" says of a packet.
type Line struct {
	Event   string // "packet", or another
	Frame   int    // number of the frame
	Header  []byte // of IP, with options or extension headers; nil: none
	Message []byte // nil: no message begins or is completed in the frame
	HasICMP bool   // there is one, its bytes may be missing
	Rebuilt bool   // of fragments: Header is that of the last
}

// maxDepth is how deep the values of a line may be nested. A packet has less
// than half of it.
const maxDepth = 32

var errJSON = errors.New("not a line of JSON")

// ReadLine reads one line.
func ReadLine(line string) (*Line, error) {
	var l Line
	s := scanner{text: line, leaf: l.take}
	s.value("", 0)
	s.space()
	if s.err == nil && s.text != "" {
		s.err = errJSON
	}
	if s.err != nil {
		return nil, s.err
	}
	return &l, nil
}

// take takes a value by its path.
func (l *Line) take(path, value string) error {
	var err error
	switch path {
	case ".event":
		l.Event = value
	case ".frame":
		_, err = fmt.Sscan(value, &l.Frame)
	case ".ip.raw":
		l.Header, err = hex.DecodeString(value)
	case ".icmp.raw":
		l.Message, err = hex.DecodeString(value)
	case ".icmp.v":
		l.HasICMP = true
	case ".reassembled_len":
		l.Rebuilt = true
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path[1:], err)
	}
	return nil
}

// Packet returns the bytes of the packet. One that came in fragments is made
// whole again: of its last header, with the flags and the length of the whole.
func (l *Line) Packet() ([]byte, error) {
	switch {
	case l.HasICMP && l.Message == nil:
		return nil, fmt.Errorf("frame %d comes without the bytes of its message", l.Frame)
	case len(l.Header) == 0:
		return nil, fmt.Errorf("frame %d has no IP header", l.Frame)
	}
	h := l.Header
	if l.Rebuilt {
		var err error
		if h, err = whole(h, len(l.Message)); err != nil {
			return nil, fmt.Errorf("frame %d: %w", l.Frame, err)
		}
	}
	return append(append(make([]byte, 0, len(h)+len(l.Message)), h...), l.Message...), nil
}

// whole returns the header of a datagram of n bytes behind it, made of that of
// its last fragment.
func whole(b []byte, n int) ([]byte, error) {
	if icmpx.Family(b[0]>>4) == icmpx.IPv6 {
		h, err := icmpx.ParseIPv6Header(b)
		if err != nil {
			return nil, err
		}
		var kept []icmpx.IPv6Extension
		for _, e := range h.Extensions {
			if e.Type != fragmentHeader {
				kept = append(kept, e)
			}
		}
		// Extension headers behind the fragment header came with the first one:
		// the datagram is made without them.
		h.Extensions, h.Proto = kept, uint8(icmpx.IPv6.Protocol())
		h.PayloadLen = h.Len() - icmpx.IPv6.HeaderLen() + n
		return h.AppendBinary(nil)
	}
	h, err := icmpx.ParseIPv4Header(b)
	if err != nil {
		return nil, err
	}
	h.MF, h.FragOff, h.TotalLen = false, 0, h.Len()+n
	return h.AppendBinary(nil)
}

// fragmentHeader is the protocol number of the IPv6 fragment header.
const fragmentHeader = 44

// A scanner walks through a JSON text and hands out its strings, numbers and
// words with the path of keys to them; those in lists have the list's.
type scanner struct {
	text string // what is left
	leaf func(path, value string) error
	err  error
}

func (s *scanner) space() { s.text = strings.TrimLeft(s.text, " \t\r\n") }

// eat takes a byte if it is next.
func (s *scanner) eat(c byte) bool {
	s.space()
	if s.err != nil || s.text == "" || s.text[0] != c {
		return false
	}
	s.text = s.text[1:]
	return true
}

func (s *scanner) need(c byte) {
	if !s.eat(c) && s.err == nil {
		s.err = errJSON
	}
}

func (s *scanner) value(path string, depth int) {
	switch {
	case s.err != nil:
	case depth > maxDepth:
		s.err = errJSON
	case s.eat('{'):
		s.list('}', func() {
			key := s.str()
			s.need(':')
			s.value(path+"."+key, depth+1)
		})
	case s.eat('['):
		s.list(']', func() { s.value(path, depth+1) })
	case s.text != "" && s.text[0] == '"':
		s.hand(path, s.str())
	default:
		s.hand(path, s.word())
	}
}

func (s *scanner) hand(path, value string) {
	if s.err == nil {
		s.err = s.leaf(path, value)
	}
}

// list reads items up to the byte that ends them.
func (s *scanner) list(end byte, item func()) {
	if s.eat(end) {
		return
	}
	for s.err == nil {
		item()
		if !s.eat(',') {
			s.need(end)
			return
		}
	}
}

// str reads a string. What is escaped in it stays so: no value that counts has
// anything to escape.
func (s *scanner) str() string {
	s.need('"')
	for i := 0; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			text := s.text[:i]
			s.text = s.text[i+1:]
			return text
		}
	}
	if s.err == nil {
		s.err = errJSON
	}
	return ""
}

// word reads a number, true, false or null.
func (s *scanner) word() string {
	n := strings.IndexAny(s.text, ",]} \t\r\n")
	if n < 0 {
		n = len(s.text)
	}
	word := s.text[:n]
	s.text = s.text[n:]
	if word == "" || strings.Trim(word, "0123456789+-.Etruefalsn") != "" {
		s.err = errJSON
	}
	return word
}
