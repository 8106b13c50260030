package craft

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Message is an ICMP message as a command line describes it.
type Message struct {
	Family     icmpx.Family
	Type, Code uint8
	Fields     Fields

	// Body is all that follows the checksum, instead of what Fields say; nil:
	// they say it. Types that have none get 4 bytes of zero.
	Body []byte

	BadChecksum bool // one that is wrong on purpose
}

// Marshal returns the bytes of the message in a packet from src to dst, which
// the checksum of ICMPv6 covers.
func (m *Message) Marshal(src, dst netip.Addr) ([]byte, error) {
	if err := m.fit(); err != nil {
		return nil, err
	}
	msg := icmp.Message{Type: ipv4.ICMPType(m.Type), Code: int(m.Code), Body: m.body()}
	if m.Family == icmpx.IPv6 {
		msg.Type = ipv6.ICMPType(m.Type)
	}
	b, err := icmpx.Marshal(&msg, src, dst)
	if err != nil {
		return nil, err
	}
	if m.BadChecksum {
		Spoil(b)
	}
	return b, nil
}

// fit refuses values that are larger than the field of this type.
func (m *Message) fit() error {
	s := &m.Fields
	if n := 8 + max(len(s.Data), len(s.Quote), len(m.Body)-4); n > 8+m.Family.MaxPayload() {
		return tooLong(m.Family, n)
	}
	if m.Body != nil {
		return nil
	}
	switch l := layoutOf(m.Family, m.Type, m.Code); {
	case (l == &extRequestLayout || l == &extReplyLayout) && s.Seq > math.MaxUint8:
		return fmt.Errorf("sequence number %d: an extended echo has room for 255: %w", s.Seq, icmpx.ErrLength)
	case l == &fragNeededLayout && s.MTU > math.MaxUint16:
		return fmt.Errorf("MTU %d: fragmentation needed has room for 65535: %w", s.MTU, icmpx.ErrLength)
	}
	return nil
}

// body returns the body as the library has it.
func (m *Message) body() icmp.MessageBody {
	l := layoutOf(m.Family, m.Type, m.Code)
	switch {
	case m.Body != nil:
		return &icmp.RawBody{Data: m.Body}
	case l.marshal == nil:
		return &icmp.RawBody{Data: make([]byte, 4)}
	}
	return l.marshal(&m.Fields)
}

// Spoil makes the checksum of a message wrong. No checksum that is right for
// the same bytes is 0x5555 away from another.
func Spoil(b []byte) {
	if len(b) >= 4 {
		binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])^0x5555)
	}
}

// Read returns the message that b, the bytes of one in a packet from src to dst,
// is made of: Marshal gives the same bytes. What icmpx.Parse refuses, or has no
// fields, is left as it is, in Body. It shares b. The error says that there is
// no whole header, or a checksum that neither Marshal nor Spoil makes.
func Read(f icmpx.Family, b []byte, src, dst netip.Addr) (*Message, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("message of %d bytes: %w", len(b), icmpx.ErrTruncated)
	}
	m := &Message{Family: f, Type: b[0], Code: b[1]}
	if p, err := icmpx.Parse(f, b, src, dst); err == nil {
		l := layoutOf(f, m.Type, m.Code)
		if l.read != nil && l.read(&m.Fields, p.Body) && same(m, b, src, dst) {
			return m, nil
		}
	}
	*m = Message{Family: f, Type: b[0], Code: b[1], Body: b[4:]}
	if m.Body == nil {
		m.Body = []byte{}
	}
	if same(m, b, src, dst) {
		return m, nil
	}
	if m.BadChecksum = true; same(m, b, src, dst) {
		return m, nil
	}
	return nil, fmt.Errorf("message of type %d: %w", m.Type, icmpx.ErrChecksum)
}

// same reports whether Marshal gives b.
func same(m *Message, b []byte, src, dst netip.Addr) bool {
	again, err := m.Marshal(src, dst)
	return err == nil && string(again) == string(b)
}
