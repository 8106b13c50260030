package packet

import (
	"encoding/binary"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// Protocol numbers (IANA).
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIPv4     = 4
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoICMPv6   = 58
	protoDestOpts = 60
	protoEtherIP  = 97
	protoPIM      = 103
	protoMobility = 135
	protoMPLS     = 137
	protoHIP      = 139
	protoShim6    = 140
	protoEthernet = 143
)

// ip reads an IP packet of the version that its first byte says.
func (d *Decoder) ip() next {
	switch {
	case len(d.b) == 0:
		d.problem(ProblemTruncated, "no IP header")
		return none
	case d.b[0]>>4 == 6:
		return d.ipv6()
	}
	return d.ipv4()
}

// ipUnder4 reads what is announced as IPv4. Some senders say so of IPv6 too;
// there are none that call IPv4 IPv6.
func (d *Decoder) ipUnder4() next {
	if len(d.b) > 0 && d.b[0]>>4 == 6 {
		d.problem(ProblemVersion, "IPv6 where IPv4 is announced")
		return d.ipv6()
	}
	return d.ipv4()
}

// begin enters another IP packet.
func (d *Decoder) begin(f icmpx.Family) *IP {
	if d.p.Depth++; d.p.Depth == 1 {
		d.p.Start = cap(d.f.Data) - cap(d.b) // what is left ends where the frame does
	}
	d.p.IP = IP{Family: f}
	d.final, d.lost = netip.Addr{}, false
	return &d.p.IP
}

// ipv4 reads an IPv4 header (RFC 791 section 3.1).
func (d *Decoder) ipv4() next {
	const fixed = 20
	h, b := d.begin(icmpx.IPv4), d.b
	if len(b) < fixed {
		h.Header = b
		d.problem(ProblemTruncated, "IPv4 header cut short")
		return none
	}
	n := int(b[0]&0x0f) * 4
	frag := be16(b[6:])
	h.Header = b[:min(max(n, fixed), len(b))]
	h.TOS, h.Length, h.ID = b[1], int(be16(b[2:])), uint32(be16(b[4:]))
	h.DF, h.MF, h.Offset = frag&0x4000 != 0, frag&0x2000 != 0, int(frag&0x1fff)*8
	h.Fragment = h.MF || h.Offset != 0
	h.TTL, h.Protocol = b[8], b[9]
	h.Src, h.Dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	switch {
	case b[0]>>4 != 4:
		*h = IP{Family: icmpx.IPv4, Header: h.Header}
		d.problem(ProblemVersion, "IPv4 header of another version")
		return none
	case n < fixed:
		d.problem(ProblemHeaderLength, "IPv4 header length below 20 bytes")
		return none
	case n > len(b):
		d.problem(ProblemTruncated, "IPv4 options cut short")
		return none
	}
	h.Checksum = d.checkHeader(h.Header)
	total := h.Length
	switch {
	case total == 0:
		d.problem(ProblemLength, "total length 0; the frame's length is taken")
		total = len(b) + d.missing()
	case total < n:
		d.problem(ProblemLength, "total length is less than the header's")
		return none
	}
	d.bound(total)
	d.first = false
	d.b = d.b[n:]
	d.rest = total - n
	if h.Fragment {
		return d.fragment(n)
	}
	return next{kindProto, uint16(h.Protocol)}
}

// checkHeader verifies the checksum of an IPv4 header.
func (d *Decoder) checkHeader(h []byte) Status {
	switch {
	case icmpx.Checksum(h) == 0:
		return Good
	case d.f.Unfinished:
		return Unfinished
	}
	d.problem(ProblemHeaderChecksum, "IPv4 header checksum is wrong")
	return Bad
}

// missing returns how many bytes of the frame were not captured.
func (d *Decoder) missing() int { return max(d.f.Len-len(d.f.Data), 0) }

// bound cuts what is left to the length that an IP header gives the packet: the
// rest is padding of the link. It notes if not all of it is there.
func (d *Decoder) bound(total int) {
	switch {
	case total <= len(d.b):
		d.b, d.partial = d.b[:total], false
	case d.partial: // the other fragments have the rest
	case d.missing() > 0:
		d.problem(ProblemTruncated, "the capture holds a part of the packet")
	default:
		d.problem(ProblemLength, "the IP header announces more than there is")
	}
}

// ipv6 reads an IPv6 header and the extension headers behind it (RFC 8200).
func (d *Decoder) ipv6() next {
	const fixed = 40
	h, b := d.begin(icmpx.IPv6), d.b
	if len(b) < fixed {
		h.Header = b
		d.problem(ProblemTruncated, "IPv6 header cut short")
		return none
	}
	h.Header = b[:fixed]
	h.TOS = b[0]<<4 | b[1]>>4
	h.Length = fixed + int(be16(b[4:]))
	h.Protocol, h.TTL = b[6], b[7]
	h.Src, h.Dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	if b[0]>>4 != 6 {
		*h = IP{Family: icmpx.IPv6, Header: h.Header}
		d.problem(ProblemVersion, "IPv6 header of another version")
		return none
	}
	if h.Length == fixed {
		h.Length += jumbo(b)
	}
	d.bound(h.Length)
	d.first = false
	d.rest = h.Length - fixed
	n, ok := d.extensions(d.b, fixed)
	h.Header = d.b[:n]
	d.b, d.rest = d.b[n:], d.rest-(n-fixed)
	switch {
	case !ok:
		return none
	case h.Fragment:
		return d.fragment(n)
	}
	return next{kindProto, uint16(h.Protocol)}
}

// maxJumbo is the longest payload that is reckoned with: more than any capture
// has of one packet, and an int of 32 bits.
const maxJumbo = 1 << 30

// jumbo returns the payload length that the jumbo option of a hop-by-hop header
// at the start of the payload of b gives (RFC 2675 section 2), or 0.
func jumbo(b []byte) int {
	const option, fixed = 0xc2, 40
	opts := b[fixed:]
	if b[6] != protoHopByHop || len(opts) < 8 {
		return 0
	}
	opts = opts[2:min((int(opts[1])+1)*8, len(opts))]
	for len(opts) >= 2 {
		if opts[0] == 0 { // one byte of padding
			opts = opts[1:]
			continue
		}
		n := 2 + int(opts[1])
		if n > len(opts) {
			break
		}
		if opts[0] == option && n == 6 {
			if v := binary.BigEndian.Uint32(opts[2:]); v > 65535 {
				return int(min(v, maxJumbo))
			}
		}
		opts = opts[n:]
	}
	return 0
}

// extensions walks the IPv6 extension headers that begin at off in b, up to
// and with the header of a fragment that is not the whole. It sets Protocol and
// what a fragment header says, and returns where the headers end, and whether
// they led to something.
func (d *Decoder) extensions(b []byte, off int) (end int, ok bool) {
	h := &d.p.IP
	for { // each is at least 8 bytes long
		n, is := icmpx.ExtensionHeaderLen(h.Protocol, b[off:])
		switch {
		case !is:
			return off, true
		case n == 0 || n > len(b)-off:
			d.problem(ProblemExtension, "IPv6 extension header cut short")
			return len(b), false
		}
		x := b[off : off+n]
		typ := h.Protocol
		h.Protocol = x[0]
		off += n
		switch typ {
		case protoRouting:
			d.routing(x)
		case protoFragment:
			v := be16(x[2:])
			if h.Fragment {
				d.problem(ProblemExtension, "fragment of a fragment")
				if v&^7 != 0 {
					return off, false
				}
				continue
			}
			h.ID, h.Offset, h.MF = binary.BigEndian.Uint32(x[4:]), int(v&^7), v&1 != 0
			if h.Fragment = h.MF || h.Offset != 0; h.Fragment {
				return off, true
			}
		}
	}
}

// routing takes the final destination from a routing header that has segments
// left: checksums cover it (RFC 8200 section 8.1).
func (d *Decoder) routing(x []byte) {
	const (
		sourceRoute = 0 // RFC 2460, deprecated by RFC 5095
		mobile      = 2 // RFC 6275
		rpl         = 3 // RFC 6554
		segment     = 4 // RFC 8754: the list is in reverse
	)
	typ, left := x[2], x[3]
	at := len(x) - 16
	switch {
	case left == 0:
		return
	case typ == segment:
		at = 8
	case typ == rpl:
		d.lastHop(x)
		return
	case typ != sourceRoute && typ != mobile:
		d.lost = true
		return
	}
	if at < 8 || at+16 > len(x) {
		d.lost = true
		return
	}
	d.final = netip.AddrFrom16([16]byte(x[at : at+16]))
}

// lastHop takes the final destination of RFC 6554's source route, which leaves
// out as many leading bytes of its last address as that shares with the
// destination of the packet.
func (d *Decoder) lastHop(x []byte) {
	same, pad := int(x[4]&0x0f), int(x[5]>>4)
	end := len(x) - pad
	if end-(16-same) < 8 {
		d.lost = true
		return
	}
	a := d.p.IP.Dst.As16()
	copy(a[same:], x[end-(16-same):end])
	d.final = netip.AddrFrom16(a)
}

// fragment takes what is left for a fragment, behind n bytes of IP header: it
// goes on with the datagram that it completes, or with what a first fragment
// begins.
func (d *Decoder) fragment(n int) next {
	h := &d.p.IP
	if whole, proto := d.rebuild(n); whole != nil {
		d.b, d.rest = whole, len(whole)
		d.p.Rebuilt = len(whole)
		d.partial, d.rebuilt = false, true
		return d.upper(proto)
	}
	d.p.Fragments, d.p.Rebuilt = nil, 0 // those of a datagram around this one
	if h.Offset != 0 {
		return none
	}
	d.first, d.partial = true, true
	if h.Family == icmpx.IPv4 {
		return next{kindProto, uint16(h.Protocol)}
	}
	// What the first fragment has of the fragmentable part's headers belongs to
	// its own.
	start := len(h.Header)
	all := h.Header[: start+len(d.b) : start+len(d.b)]
	end, ok := d.extensions(all, start)
	h.Header, d.b = all[:end], all[end:]
	if !ok {
		return none
	}
	return next{kindProto, uint16(h.Protocol)}
}

// upper reads what a rebuilt datagram holds: proto, behind extension headers
// if it is IPv6. The header of the packet stays that of its frame.
func (d *Decoder) upper(proto uint8) next {
	h := &d.p.IP
	if h.Family == icmpx.IPv4 {
		return next{kindProto, uint16(proto)}
	}
	own := h.Protocol
	h.Protocol = proto
	n, ok := d.extensions(d.b, 0)
	proto, h.Protocol = h.Protocol, own
	d.b = d.b[n:]
	d.rest = len(d.b)
	if !ok {
		return none
	}
	return next{kindProto, uint16(proto)}
}
