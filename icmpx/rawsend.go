package icmpx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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

// suits reports by an error that dst is no address of the family.
func (f Family) suits(dst netip.Addr) error {
	if FamilyOf(dst) != f {
		return fmt.Errorf("address %v of a packet of %v: %w", dst, f, ErrVersion)
	}
	return nil
}

// fragmentHeaderLen is the length in bytes of an IPv6 fragment header (RFC 8200
// section 4.5).
const fragmentHeaderLen = 8

// fragmentPacket splits an IP packet into fragments of at most mtu bytes each
// (RFC 791 section 3.2, RFC 8200 section 4.5). id is the identification of IPv6
// fragments, and of IPv4 ones if the packet has 0, which the kernel would replace
// in each of them by another. The error wraps ErrLength if the packet forbids
// it, if it is an IPv6 fragment already, if mtu leaves no room, or if the packet
// is longer than one put together can be.
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
	if room <= 0 || h.FragOff+len(b) > math.MaxUint16 {
		return nil, fmt.Errorf("fragments of %d bytes of a packet of %d: %w", mtu, h.FragOff+len(b), ErrLength)
	}
	if h.ID == 0 {
		h.ID = max(uint16(id), 1)
	}
	later := laterOptions(h.Options)
	var list [][]byte
	for off := 0; off < len(data); off += room {
		part := data[off:min(off+room, len(data))]
		f := h
		f.FragOff, f.MF, f.TotalLen = h.FragOff+off, h.MF || off+room < len(data), h.Len()+len(part)
		if off > 0 {
			f.Options = later
		}
		p, err := f.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		list = append(list, append(p, part...))
	}
	return list, nil
}

// optionCopied is the bit in the type of an IPv4 option that all fragments are to
// have (RFC 791 section 3.1).
const optionCopied = 0x80

// laterOptions returns the options of an IPv4 header as fragments behind the
// first have them: those that are not copied are padding, as in Linux
// (ip_options_fragment of net/ipv4/ip_options.c).
func laterOptions(options []byte) []byte {
	b := bytes.Clone(options)
	for off := 0; off < len(b) && b[off] != optionEnd; {
		n, err := optionLen(b[off:])
		if err != nil {
			break
		}
		if b[off]&optionCopied == 0 {
			for i := range n {
				b[off+i] = optionNop
			}
		}
		off += n
	}
	return b
}

// repeated returns the length of what every fragment of an IPv6 packet has: the
// headers up to the routing header, else the hop-by-hop options (RFC 8200
// section 4.5); at is where it names what follows. false if there is a fragment
// header already.
func (h *IPv6Header) repeated() (end, at int, whole bool) {
	end, at = IPv6.HeaderLen(), 6
	for i, off := 0, end; i < len(h.Extensions); i++ {
		e := &h.Extensions[i]
		if e.Type == protoFragment {
			return 0, 0, false
		}
		start := off
		off += 1 + len(e.Data)
		if e.Type == protoHopByHop || e.Type == protoRouting {
			end, at = off, start
		}
	}
	return end, at, true
}

// fragment6 is fragmentPacket of IPv6.
func fragment6(b []byte, mtu int, id uint32) ([][]byte, error) {
	h, err := ParseIPv6Header(b)
	if err != nil {
		return nil, err
	}
	end, at, whole := h.repeated()
	if !whole {
		return nil, fmt.Errorf("fragment of %d bytes on a way of %d: %w", len(b), mtu, ErrLength)
	}
	next, data := b[at], b[end:]
	room := (mtu - end - fragmentHeaderLen) &^ 7
	if room <= 0 || len(b)-IPv6.HeaderLen() > math.MaxUint16 {
		return nil, fmt.Errorf("fragments of %d bytes of a packet of %d: %w", mtu, len(b), ErrLength)
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
