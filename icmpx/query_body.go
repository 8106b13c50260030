package icmpx

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/net/icmp"
)

// Timestamp is the body of an ICMPv4 timestamp request or reply (RFC 792).
// Times are milliseconds since midnight UT, or anything if the high bit is set.
type Timestamp struct {
	ID, Seq                      uint16
	Originate, Receive, Transmit uint32
}

// Information is the body of an ICMPv4 information request or reply (RFC 792,
// deprecated by RFC 6918).
type Information struct {
	ID, Seq uint16
}

// AddressMask is the body of an ICMPv4 address mask request or reply (RFC 950,
// deprecated by RFC 6918).
type AddressMask struct {
	ID, Seq uint16
	Mask    netip.Addr // an IPv4 address; the zero Addr stands for 0.0.0.0, as requests have it
}

// RouterSolicitation is the body of an ICMPv4 router solicitation (RFC 1256).
type RouterSolicitation struct{}

// RouterAdvertisement is the body of an ICMPv4 router advertisement (RFC 1256).
type RouterAdvertisement struct {
	Lifetime uint16   // seconds that the addresses are valid
	Routers  []Router // 1 to 255
	Extra    []byte   // what follows them, such as mobility extensions (RFC 5944)
}

// A Router is one entry of a RouterAdvertisement.
type Router struct {
	Addr       netip.Addr // an IPv4 address
	Preference int32      // as a default router; the lowest means never
}

// ExtEchoRequest is the body of an extended echo request (RFC 8335 section 2).
type ExtEchoRequest struct {
	ID         uint16
	Seq        uint8
	Local      bool             // the interface is one of the node that is asked
	Extensions []icmp.Extension // one *icmp.InterfaceIdent
	NoChecksum bool             // leave the extension structure's checksum 0
}

// ExtEchoReply is the body of an extended echo reply (RFC 8335 section 3).
type ExtEchoReply struct {
	ID     uint16
	Seq    uint8
	State  uint8  // 0 to 7, of an entry in the neighbour table: 2 is reachable
	Active bool   // the interface is
	IPv4   bool   // it runs IPv4
	IPv6   bool   // it runs IPv6
	Data   []byte // what stood behind the request's header; Linux returns it
}

// Len implements icmp.MessageBody.
func (p *Timestamp) Len(int) int { return 16 }

// Marshal implements icmp.MessageBody.
func (p *Timestamp) Marshal(proto int) ([]byte, error) {
	b := idSeq(p.ID, p.Seq)
	b = binary.BigEndian.AppendUint32(b, p.Originate)
	b = binary.BigEndian.AppendUint32(b, p.Receive)
	b = binary.BigEndian.AppendUint32(b, p.Transmit)
	return b, only4(proto, "timestamp")
}

// Len implements icmp.MessageBody.
func (p *Information) Len(int) int { return 4 }

// Marshal implements icmp.MessageBody.
func (p *Information) Marshal(proto int) ([]byte, error) {
	return idSeq(p.ID, p.Seq), only4(proto, "information")
}

// Len implements icmp.MessageBody.
func (p *AddressMask) Len(int) int { return 8 }

// Marshal implements icmp.MessageBody.
func (p *AddressMask) Marshal(proto int) ([]byte, error) {
	mask := p.Mask
	if !mask.IsValid() {
		mask = netip.IPv4Unspecified()
	}
	if !mask.Is4() {
		return nil, fmt.Errorf("marshal address mask %v: %w", mask, ErrVersion)
	}
	return append(idSeq(p.ID, p.Seq), mask.AsSlice()...), only4(proto, "address mask")
}

// Len implements icmp.MessageBody.
func (p *RouterSolicitation) Len(int) int { return 4 }

// Marshal implements icmp.MessageBody.
func (p *RouterSolicitation) Marshal(proto int) ([]byte, error) {
	return make([]byte, 4), only4(proto, "router solicitation")
}

// entryWords is the size of a router advertisement's entries in 32-bit words.
const entryWords = 2

// Len implements icmp.MessageBody.
func (p *RouterAdvertisement) Len(int) int { return 4 + 4*entryWords*len(p.Routers) + len(p.Extra) }

// Marshal implements icmp.MessageBody.
func (p *RouterAdvertisement) Marshal(proto int) ([]byte, error) {
	if n := len(p.Routers); n < 1 || n > 255 {
		return nil, fmt.Errorf("marshal router advertisement of %d addresses: %w", n, ErrLength)
	}
	b := append(make([]byte, 0, p.Len(proto)), byte(len(p.Routers)), entryWords)
	b = binary.BigEndian.AppendUint16(b, p.Lifetime)
	for _, r := range p.Routers {
		if !r.Addr.Is4() {
			return nil, fmt.Errorf("marshal router address %v: %w", r.Addr, ErrVersion)
		}
		b = append(b, r.Addr.AsSlice()...)
		b = binary.BigEndian.AppendUint32(b, uint32(r.Preference))
	}
	return append(b, p.Extra...), only4(proto, "router advertisement")
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *ExtEchoRequest) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *ExtEchoRequest) Marshal(int) ([]byte, error) {
	b := append(binary.BigEndian.AppendUint16(nil, p.ID), p.Seq, bit(p.Local, 0x01))
	if len(p.Extensions) == 0 {
		return b, nil
	}
	return appendExtensions(b, p.Extensions, !p.NoChecksum)
}

// Len implements icmp.MessageBody.
func (p *ExtEchoReply) Len(int) int { return 4 + len(p.Data) }

// Marshal implements icmp.MessageBody.
func (p *ExtEchoReply) Marshal(int) ([]byte, error) {
	if p.State > 7 {
		return nil, fmt.Errorf("marshal extended echo state %d: %w", p.State, ErrLength)
	}
	flags := p.State<<5 | bit(p.Active, 0x04) | bit(p.IPv4, 0x02) | bit(p.IPv6, 0x01)
	b := append(binary.BigEndian.AppendUint16(nil, p.ID), p.Seq, flags)
	return append(b, p.Data...), nil
}

func idSeq(id, seq uint16) []byte {
	b := make([]byte, 4, 16)
	binary.BigEndian.PutUint16(b, id)
	binary.BigEndian.PutUint16(b[2:], seq)
	return b
}

func bit(set bool, mask uint8) uint8 {
	if set {
		return mask
	}
	return 0
}
