package render

import (
	"encoding/binary"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// Lengths in bytes of the fixed IP headers.
const (
	header4Len = 20
	header6Len = 40
)

// IPv6 extension headers, by their protocol numbers.
const (
	extHopByHop = 0
	extRouting  = 43
	extFragment = 44
	extAuth     = 51
	extDestOpts = 60
	extMobility = 135
	extHIP      = 139
	extShim6    = 140
)

// An ipEnd is what follows the headers of an IP packet.
type ipEnd struct {
	proto uint8
	off   int  // where it begins; -1: the headers are not whole
	later bool // it belongs to a fragment other than the first
}

// ipHeader appends the fields of an IP header, as far as the bytes go, and
// returns what follows them. sum says what was found of the checksum of an IPv4
// header; "": verify it.
func (o *object) ipHeader(f icmpx.Family, h []byte, sum string) ipEnd {
	if f == icmpx.IPv6 {
		return o.ipv6(h)
	}
	return o.ipv4(h, sum)
}

func (o *object) ipv4(h []byte, sum string) ipEnd {
	o.int("v", 4)
	if len(h) >= header4Len {
		o.addr4("src", h[12:16])
		o.addr4("dst", h[16:20])
	} else if len(h) >= 16 {
		o.addr4("src", h[12:16])
	}
	if len(h) < 1 {
		return ipEnd{off: -1}
	}
	hl := int(h[0]&15) * 4
	o.int("hl", int64(hl))
	if len(h) >= 2 {
		o.int("tos", int64(h[1]))
	}
	o.uint16At("len", h, 2)
	o.uint16At("id", h, 4)
	frag := o.fragment4(h)
	if len(h) >= 9 {
		o.int("ttl", int64(h[8]))
	}
	if len(h) < 10 {
		return ipEnd{off: -1}
	}
	o.int("proto", int64(h[9]))
	if len(h) >= 12 {
		o.sum("sum", binary.BigEndian.Uint16(h[10:]))
		o.str("sum_status", headerSum(h, hl, sum))
	}
	if hl > header4Len && len(h) > header4Len {
		o.options4(h[header4Len:min(hl, len(h))])
	}
	if hl < header4Len || hl > len(h) {
		return ipEnd{proto: h[9], off: -1}
	}
	return o.extensionHeaders(h, hl, ipEnd{proto: h[9], later: frag&0x1fff != 0})
}

// fragment4 appends the flags and the fragment offset, which it counts in units
// of 8 bytes as the header does.
func (o *object) fragment4(h []byte) (frag uint16) {
	if len(h) < 8 {
		return 0
	}
	frag = binary.BigEndian.Uint16(h[6:])
	if frag&0x8000 != 0 {
		o.yes("rb")
	}
	o.bool("df", frag&0x4000 != 0)
	o.bool("mf", frag&0x2000 != 0)
	o.int("off", int64(frag&0x1fff))
	return frag
}

// headerSum says what is found of the checksum of an IPv4 header, unless sum
// does already.
func headerSum(h []byte, hl int, sum string) string {
	switch {
	case sum != "":
		return sum
	case hl < header4Len || hl > len(h):
		return "unverified"
	case icmpx.Checksum(h[:hl]) != 0:
		return "bad"
	}
	return "good"
}

// options4 appends the types of IPv4 options, in hexadecimal as tables have
// them.
func (o *object) options4(b []byte) {
	o.key("opts")
	o.b = append(o.b, '[')
	for empty := len(o.b); len(b) > 0; {
		o.between(empty)
		o.b = append(appendHex(append(o.b, '"'), b[:1]), '"')
		n := 1
		switch {
		case b[0] == 0: // end of options
			n = len(b)
		case b[0] == 1: // no operation
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			n = len(b)
		default:
			n = int(b[1])
		}
		b = b[n:]
	}
	o.b = append(o.b, ']')
}

func (o *object) ipv6(h []byte) ipEnd {
	o.int("v", 6)
	if len(h) >= 24 {
		o.addr16("src", h[8:24])
	}
	if len(h) >= header6Len {
		o.addr16("dst", h[24:40])
	}
	if len(h) >= 4 {
		word := binary.BigEndian.Uint32(h)
		o.int("tc", int64(word>>20&0xff))
		o.int("flow", int64(word&0xfffff))
	}
	o.uint16At("plen", h, 4)
	if len(h) >= 7 {
		o.int("nxt", int64(h[6]))
	}
	if len(h) >= 8 {
		o.int("hlim", int64(h[7]))
	}
	if len(h) < header6Len {
		return ipEnd{off: -1}
	}
	return o.extensionHeaders(h, header6Len, ipEnd{proto: h[6]})
}

// extensionHeaders appends the extension headers that begin at off: those of
// IPv6, or an authentication header behind IPv4's. end says what follows the
// header before them.
func (o *object) extensionHeaders(h []byte, off int, end ipEnd) ipEnd {
	v6 := h[0]>>4 == 6
	empty := 0
	for !end.later {
		size, ok := icmpx.ExtensionHeaderLen(end.proto, h[off:])
		if !ok || !v6 && end.proto != extAuth {
			break
		}
		if empty == 0 {
			o.key("exthdrs")
			o.b = append(o.b, '[')
			empty = len(o.b)
		}
		o.between(empty)
		whole := size > 0 && size <= len(h)-off
		o.b = appendExtensionHeader(o.b, end.proto, h[off:], whole)
		if !whole {
			off = -1
			break
		}
		if end.proto == extFragment {
			end.later = binary.BigEndian.Uint16(h[off+2:])>>3 != 0
		}
		end.proto, off = h[off], off+size
	}
	if empty > 0 {
		o.b = append(o.b, ']')
	}
	end.off = off
	return end
}

func appendExtensionHeader(b []byte, proto uint8, h []byte, whole bool) []byte {
	o := begin(b)
	o.str("h", extensionWord(proto))
	if len(h) >= 1 {
		o.int("nxt", int64(h[0]))
	}
	switch {
	case proto == extFragment && whole:
		frag := binary.BigEndian.Uint16(h[2:])
		o.int("off", int64(frag>>3))
		o.int("mf", int64(frag&1))
		o.int("id", int64(binary.BigEndian.Uint32(h[4:])))
	case proto != extFragment && len(h) >= 2:
		o.int("len", int64(h[1]))
		if proto == extRouting && len(h) >= 4 {
			o.int("rt_type", int64(h[2]))
			o.int("segleft", int64(h[3]))
		}
	}
	return o.end()
}

func extensionWord(proto uint8) string {
	switch proto {
	case extHopByHop:
		return "hopopts"
	case extRouting:
		return "routing"
	case extFragment:
		return "frag"
	case extAuth:
		return "ah"
	case extDestOpts:
		return "dstopts"
	case extMobility:
		return "mobility"
	case extHIP:
		return "hip"
	}
	return "shim6"
}

// uint16At appends the 16 bits at off, if they are there.
func (o *object) uint16At(k string, b []byte, off int) {
	if len(b) >= off+2 {
		o.int(k, int64(binary.BigEndian.Uint16(b[off:])))
	}
}

// sum appends a checksum as it is usually written, 0x169f.
func (o *object) sum(k string, v uint16) {
	o.key(k)
	o.b = append(o.b, '"', '0', 'x', hexDigits[v>>12], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15], '"')
}

func (o *object) addr4(k string, b []byte) {
	o.key(k)
	o.b = append(o.b, '"')
	o.b = netip.AddrFrom4([4]byte(b)).AppendTo(o.b)
	o.b = append(o.b, '"')
}

func (o *object) addr16(k string, b []byte) {
	o.key(k)
	o.b = append(o.b, '"')
	o.b = netip.AddrFrom16([16]byte(b)).AppendTo(o.b)
	o.b = append(o.b, '"')
}
