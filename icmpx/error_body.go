package icmpx

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"

	"golang.org/x/net/icmp"
)

// A Form is how the extension structure of an error is laid out. The zero Form
// is what RFC 4884 asks for.
type Form uint8

// The forms.
const (
	FormCompliant  Form = iota // behind the quote, where the length attribute says
	FormNoChecksum             // the same, its checksum 0 (RFC 4884 section 7: not computed)
	FormLegacy                 // at byte 128 of the body without a length attribute, as before RFC 4884; ICMPv4 only
)

// Unreachable is the body of a destination unreachable message other than
// fragmentation needed (RFC 792, RFC 4443 section 3.1, RFC 4884 sections 4.1
// and 4.4).
type Unreachable struct {
	Data       []byte // the quoted packet; padded with zeros to 128 bytes or more where extensions follow
	Extensions []icmp.Extension
	Form       Form // of Extensions
}

// TimeExceeded is the body of a time exceeded message (RFC 792, RFC 4443
// section 3.3, RFC 4884 sections 4.2 and 4.5).
type TimeExceeded struct {
	Data       []byte // as in Unreachable
	Extensions []icmp.Extension
	Form       Form
}

// ParamProblem is the body of a parameter problem message (RFC 792, RFC 4443
// section 3.4, RFC 4884 section 4.3).
type ParamProblem struct {
	Pointer    uint32           // offset of the wrong byte in the packet; at most 255 in ICMPv4
	Data       []byte           // as in Unreachable
	Extensions []icmp.Extension // ICMPv4 only
	Form       Form
}

// FragNeeded is the body of an ICMPv4 destination unreachable message with code
// 4, fragmentation needed and DF set (RFC 792, RFC 1191 section 4, RFC 4884
// section 4.1).
type FragNeeded struct {
	MTU        uint16 // of the next hop in bytes, IP header included; 0: a router from before RFC 1191
	Data       []byte // as in Unreachable
	Extensions []icmp.Extension
	Form       Form
}

// SourceQuench is the body of an ICMPv4 source quench (RFC 792, deprecated by
// RFC 6633).
type SourceQuench struct {
	Data []byte // the quoted packet
}

// Redirect is the body of an ICMPv4 redirect (RFC 792).
type Redirect struct {
	Gateway netip.Addr // the better first hop, an IPv4 address
	Data    []byte     // the quoted packet
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *Unreachable) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *Unreachable) Marshal(proto int) ([]byte, error) {
	return quoting{p.Data, p.Extensions, p.Form}.marshal(proto, [4]byte{})
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *TimeExceeded) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *TimeExceeded) Marshal(proto int) ([]byte, error) {
	return quoting{p.Data, p.Extensions, p.Form}.marshal(proto, [4]byte{})
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *ParamProblem) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *ParamProblem) Marshal(proto int) ([]byte, error) {
	var rest [4]byte
	q := quoting{p.Data, p.Extensions, p.Form}
	if proto == IPv6.Protocol() {
		binary.BigEndian.PutUint32(rest[:], p.Pointer)
		if len(p.Extensions) > 0 {
			return nil, fmt.Errorf("marshal extensions of an ICMPv6 parameter problem: %w", ErrLength)
		}
		return q.marshal(proto, rest)
	}
	if p.Pointer > math.MaxUint8 {
		return nil, fmt.Errorf("marshal pointer %d: %w", p.Pointer, ErrLength)
	}
	rest[0] = byte(p.Pointer)
	return q.marshal(proto, rest)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *FragNeeded) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *FragNeeded) Marshal(proto int) ([]byte, error) {
	if err := only4(proto, "fragmentation needed"); err != nil {
		return nil, err
	}
	var rest [4]byte
	binary.BigEndian.PutUint16(rest[2:], p.MTU)
	return quoting{p.Data, p.Extensions, p.Form}.marshal(proto, rest)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *SourceQuench) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *SourceQuench) Marshal(proto int) ([]byte, error) {
	if err := only4(proto, "source quench"); err != nil {
		return nil, err
	}
	return quoting{data: p.Data}.marshal(proto, [4]byte{})
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *Redirect) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *Redirect) Marshal(proto int) ([]byte, error) {
	if err := only4(proto, "redirect"); err != nil {
		return nil, err
	}
	if !p.Gateway.Is4() {
		return nil, fmt.Errorf("marshal redirect gateway %v: %w", p.Gateway, ErrVersion)
	}
	return quoting{data: p.Data}.marshal(proto, p.Gateway.As4())
}

// bodyLen is the length of what a body marshals to, or 0.
func bodyLen(p icmp.MessageBody, proto int) int {
	b, err := p.Marshal(proto)
	if err != nil {
		return 0
	}
	return len(b)
}

func only4(proto int, what string) error {
	if proto != IPv4.Protocol() {
		return fmt.Errorf("marshal %s for protocol %d: %w", what, proto, ErrVersion)
	}
	return nil
}

// quoting is what the bodies of errors have in common.
type quoting struct {
	data []byte
	exts []icmp.Extension
	form Form
}

// marshal returns the body that begins with the rest of the ICMP header. The
// length attribute counts 32-bit words in ICMPv4 and 64-bit words in ICMPv6,
// in one byte (RFC 4884 section 5.1).
func (q quoting) marshal(proto int, rest [4]byte) ([]byte, error) {
	if len(q.exts) == 0 {
		if q.form != FormCompliant {
			return nil, fmt.Errorf("marshal form %d without extensions: %w", q.form, ErrLength)
		}
		return append(rest[:len(rest):len(rest)], q.data...), nil
	}
	unit, at := 4, 1
	if proto == IPv6.Protocol() {
		unit, at = 8, 0
	}
	n := max(minQuote, align(len(q.data), unit))
	switch {
	case q.form > FormLegacy:
		return nil, fmt.Errorf("marshal form %d of extensions: %w", q.form, ErrReserved)
	case q.form != FormLegacy && n/unit > math.MaxUint8:
		return nil, fmt.Errorf("marshal quote of %d bytes before extensions: %w", len(q.data), ErrLength)
	case q.form == FormLegacy && (n > minQuote || unit == 8):
		return nil, fmt.Errorf("marshal quote of %d bytes before legacy extensions: %w", len(q.data), ErrLength)
	case q.form != FormLegacy:
		rest[at] = byte(n / unit)
	}
	b := make([]byte, 4+n)
	copy(b, rest[:])
	copy(b[4:], q.data)
	return appendExtensions(b, q.exts, q.form != FormNoChecksum)
}
