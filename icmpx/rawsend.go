package icmpx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// A RawConfig says what OpenRaw opens. Only Family must be set.
type RawConfig struct {
	Family Family

	// Source is the address that packets may have; it must be a unicast address
	// of this host. The zero Addr leaves the choice to the kernel, see SourceFor.
	Source    netip.Addr
	Interface string // name of the network device, or VRF, that all packets leave by; empty: any
	Broadcast bool   // let packets go to broadcast addresses (SO_BROADCAST)
}

// validate finds what is wrong with a configuration whatever the host.
func (c *RawConfig) validate() error {
	switch {
	case c.Family != IPv4 && c.Family != IPv6:
		return errors.New("open raw socket: no address family chosen")
	case c.Source.IsValid() && FamilyOf(c.Source) != c.Family:
		return fmt.Errorf("open raw socket: source %v is not an %v address", c.Source, c.Family)
	}
	return nil
}

// fragmentHeaderLen is the length in bytes of an IPv6 fragment header (RFC 8200
// section 4.5).
const fragmentHeaderLen = 8

// fragmentPacket splits a whole IP packet, which is no fragment, into fragments
// of at most mtu bytes each (RFC 791 section 3.2, RFC 8200 section 4.5). id is
// the identification of IPv6 fragments; IPv4's is in the packet. Options of
// IPv4 are repeated in every fragment. The error wraps ErrLength if the packet
// forbids it, or if mtu leaves no room.
func fragmentPacket(b []byte, mtu int, id uint32) ([][]byte, error) {
	if len(b) > 0 && Family(b[0]>>4) == IPv6 {
		return fragment6(b, mtu, id)
	}
	h, err := ParseIPv4Header(b)
	if err != nil {
		return nil, err
	}
	if h.DF {
		return nil, fmt.Errorf("packet of %d bytes, which must not be fragmented, on a way of %d: %w", len(b), mtu, ErrLength)
	}
	data := b[h.Len():]
	room := (mtu - h.Len()) &^ 7
	if room <= 0 {
		return nil, fmt.Errorf("fragments of %d bytes: %w", mtu, ErrLength)
	}
	var list [][]byte
	for off := 0; off < len(data); off += room {
		part := data[off:min(off+room, len(data))]
		f := h
		f.FragOff, f.MF, f.TotalLen = off, off+room < len(data), h.Len()+len(part)
		p, err := f.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		list = append(list, append(p, part...))
	}
	return list, nil
}

// fragment6 is fragmentPacket of IPv6. Hop-by-hop options stay with every
// fragment; what else there is of extension headers is part of the data.
func fragment6(b []byte, mtu int, id uint32) ([][]byte, error) {
	h, err := ParseIPv6Header(b)
	if err != nil {
		return nil, err
	}
	end, at := IPv6.HeaderLen(), 6 // of what is repeated, and where it names what follows
	if len(h.Extensions) > 0 && h.Extensions[0].Type == protoHopByHop {
		at = end
		end += 1 + len(h.Extensions[0].Data)
	}
	next, data := b[at], b[end:]
	room := (mtu - end - fragmentHeaderLen) &^ 7
	if room <= 0 {
		return nil, fmt.Errorf("fragments of %d bytes: %w", mtu, ErrLength)
	}
	var list [][]byte
	for off := 0; off < len(data); off += room {
		part := data[off:min(off+room, len(data))]
		p := append(make([]byte, 0, end+fragmentHeaderLen+len(part)), b[:end]...)
		p[at] = protoFragment
		binary.BigEndian.PutUint16(p[4:], uint16(end-IPv6.HeaderLen()+fragmentHeaderLen+len(part)))
		p = append(p, next, 0)
		p = binary.BigEndian.AppendUint16(p, uint16(off)|uint16(bit(off+room < len(data), 1)))
		p = binary.BigEndian.AppendUint32(p, id)
		list = append(list, append(p, part...))
	}
	return list, nil
}
