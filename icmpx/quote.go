package icmpx

import (
	"encoding/binary"
	"net/netip"
)

// A Quote is what an ICMP error says about the packet that caused it: the
// quoted datagram, as far as its bytes go.
type Quote struct {
	Family   Family     // 0: nothing was quoted, or the socket does not show it
	Src, Dst netip.Addr // as quoted; an IPv6 address has no zone
	Proto    uint8      // transport protocol, after IPv6 extension headers
	TTL      uint8      // TTL or hop limit at the router that answers
	TOS      uint8      // type of service or traffic class
	ID       uint16     // IPv4 identification
	DF       bool       // IPv4 don't fragment
	MF       bool       // more fragments follow
	FragOff  uint16     // fragment offset in bytes
	TotalLen int        // bytes of the whole packet that the quoted header announces
	HeaderOK bool       // IPv4 header checksum is right

	// Transport fields, valid if at least 8 bytes of the transport header were
	// quoted (HasL4).
	HasL4            bool
	SrcPort, DstPort uint16 // UDP, TCP, SCTP, DCCP
	Seq              uint32 // TCP sequence number
	Checksum         uint16 // UDP or ICMP checksum
	L4Len            uint16 // UDP length
	Type, Code       uint8  // ICMP
	ICMPID, ICMPSeq  uint16 // ICMP echo and the other queries

	// Payload is what was quoted behind the 8 bytes of an ICMP or UDP header,
	// or behind the header of a TCP segment; if there is no transport header
	// that is understood (HasL4 is false), behind the IP headers. The padding
	// of RFC 4884 is no part of it where the quoted lengths tell it apart.
	Payload []byte
	Len     int // quoted bytes in all, IP header and padding included
}

// maxExtHeaders is how many IPv6 extension headers are walked. RFC 8200
// recommends no more than one of each kind, and there are six.
const maxExtHeaders = 8

// Transport and extension-header numbers (IANA protocol numbers).
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoDCCP     = 33
	protoRouting  = 43
	protoFragment = 44
	protoESP      = 50
	protoAH       = 51
	protoICMPv6   = 58
	protoNone     = 59
	protoDestOpts = 60
	protoSCTP     = 132
	protoMobility = 135
	protoUDPLite  = 136
	protoHIP      = 139
	protoShim6    = 140
)

// What keeps a quote from being read. They are values, so that the receive
// path reports them without allocating.
var (
	errQuoteShort   = &ParseError{Field: "quoted IP header", Err: ErrTruncated}
	errQuoteVersion = &ParseError{Field: "quoted IP version", Err: ErrVersion}
	errQuoteIHL     = &ParseError{Field: "quoted IP header length", Err: ErrLength}
)

// ParseQuote reads the start of an IP packet of family f as an ICMP error
// quotes it. As little as the IP header is enough, and 8 bytes of the transport
// header identify a probe; what is missing is left zero and is no error. IPv4
// options are skipped by the header length (RFC 791), IPv6 extension headers
// are walked up to the first that is unknown or cut (RFC 8200 section 4).
//
// Lengths and checksums in a quote are reported, not believed: old BSD kernels
// quote the total length and the fragment offset in host byte order, or with
// the header length added or taken away. The error is a *ParseError if the
// fixed header is cut short, of another version, or announces less than its own
// length. ParseQuote does not allocate; Payload shares b.
func ParseQuote(b []byte, f Family) (Quote, error) {
	var q Quote
	err := q.parse(b, f)
	return q, err
}

func (q *Quote) parse(b []byte, f Family) error {
	*q = Quote{Len: len(b)}
	switch {
	case len(b) < f.HeaderLen():
		return errQuoteShort
	case Family(b[0]>>4) != f:
		return errQuoteVersion
	case f == IPv6:
		q.parseIPv6(b)
		return nil
	}
	return q.parseIPv4(b)
}

func (q *Quote) parseIPv4(b []byte) error {
	hl := int(b[0]&0x0f) * 4
	if hl < IPv4.HeaderLen() {
		return errQuoteIHL
	}
	q.Family = IPv4
	q.TOS = b[1]
	q.TotalLen = int(binary.BigEndian.Uint16(b[2:]))
	q.ID = binary.BigEndian.Uint16(b[4:])
	q.TTL, q.Proto = b[8], b[9]
	q.Src = netip.AddrFrom4([4]byte(b[12:16]))
	q.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	frag := binary.BigEndian.Uint16(b[6:])
	if len(b) >= hl {
		q.HeaderOK = Checksum(b[:hl]) == 0
		frag = q.unswapFlags(frag)
	}
	q.DF, q.MF, q.FragOff = frag&flagDF != 0, frag&flagMF != 0, frag<<3
	if len(b) < hl {
		return nil
	}
	q.parseTransport(q.unpad(b, hl))
	return nil
}

// unswapFlags returns the flags and fragment offset in network byte order. A
// kernel that quotes them in its own also leaves a header checksum that is
// wrong, and hardly a fragment begins at 256 or 512.
func (q *Quote) unswapFlags(frag uint16) uint16 {
	if swapped := frag<<8 | frag>>8; !q.HeaderOK && (swapped == flagDF || swapped == flagMF) {
		return swapped
	}
	return frag
}

func (q *Quote) parseIPv6(b []byte) {
	q.Family = IPv6
	q.TOS = b[0]<<4 | b[1]>>4
	q.TotalLen = IPv6.HeaderLen() + int(binary.BigEndian.Uint16(b[4:]))
	q.Proto, q.TTL = b[6], b[7]
	q.Src = netip.AddrFrom16([16]byte(b[8:24]))
	q.Dst = netip.AddrFrom16([16]byte(b[24:40]))
	off := IPv6.HeaderLen()
	for i := 0; ; i++ {
		n, ok := ExtensionHeaderLen(q.Proto, b[off:])
		if !ok {
			q.parseTransport(q.unpad(b, off))
			return
		}
		if n == 0 || n > len(b)-off || i == maxExtHeaders {
			return
		}
		if q.Proto == protoFragment {
			frag := binary.BigEndian.Uint16(b[off+2:])
			q.FragOff, q.MF = frag&^7, frag&1 != 0
		}
		q.Proto = b[off]
		off += n
		if q.FragOff != 0 {
			q.Payload = q.unpad(b, off)
			return
		}
	}
}

// unpad returns the bytes of b behind its headers, without what follows the
// end of the packet that the header announces. A length that leaves no room for
// 8 transport bytes is one of the quirks, or says nothing.
func (q *Quote) unpad(b []byte, off int) []byte {
	if q.TotalLen >= off+8 && q.TotalLen < len(b) {
		b = b[:q.TotalLen]
	}
	return b[off:]
}

// ExtensionHeaderLen returns the length in bytes of the IPv6 extension header of
// type proto that b begins with, and whether proto is one that has a next header
// behind it (RFC 8200 section 4, RFC 4302, RFC 6275, RFC 7401, RFC 5533). The
// length is what the header says, which may be more than b has; 0 if b is too short
// to tell.
func ExtensionHeaderLen(proto uint8, b []byte) (n int, ok bool) {
	switch proto {
	case protoHopByHop, protoRouting, protoDestOpts, protoMobility, protoHIP, protoShim6:
		if len(b) >= 2 {
			n = (int(b[1]) + 1) * 8
		}
	case protoFragment:
		n = 8
	case protoAH:
		if len(b) >= 2 {
			n = (int(b[1]) + 2) * 4
		}
	default:
		return 0, false
	}
	return n, true
}

// parseTransport reads the transport header that b begins with, if it is one
// of a first fragment, 8 bytes of it are there, and its protocol is known.
func (q *Quote) parseTransport(b []byte) {
	q.Payload = b
	if q.FragOff != 0 || len(b) < 8 {
		return
	}
	switch q.Proto {
	case protoUDP, protoUDPLite:
		q.ports(b)
		q.L4Len = binary.BigEndian.Uint16(b[4:])
		q.Checksum = binary.BigEndian.Uint16(b[6:])
		if n := int(q.L4Len); q.Proto == protoUDP && n >= 8 && n < len(b) {
			b = b[:n]
		}
		q.Payload = b[8:]
	case protoTCP:
		q.ports(b)
		q.Seq = binary.BigEndian.Uint32(b[4:])
		q.Payload = tcpPayload(b)
	case protoSCTP, protoDCCP:
		q.ports(b)
		q.Payload = b[8:]
	case uint8(q.Family.Protocol()):
		q.parseICMP(b)
	}
}

func (q *Quote) ports(b []byte) {
	q.HasL4 = true
	q.SrcPort = binary.BigEndian.Uint16(b)
	q.DstPort = binary.BigEndian.Uint16(b[2:])
}

func (q *Quote) parseICMP(b []byte) {
	q.HasL4 = true
	q.Type, q.Code = b[0], b[1]
	q.Checksum = binary.BigEndian.Uint16(b[2:])
	q.Payload = b[headerLen:]
	switch queryOf(q.Family, q.Type) {
	case queryPlain:
		q.ICMPID = binary.BigEndian.Uint16(b[4:])
		q.ICMPSeq = binary.BigEndian.Uint16(b[6:])
	case queryExtended:
		// RFC 8335 section 2: the sequence number is one byte, flags follow it.
		q.ICMPID = binary.BigEndian.Uint16(b[4:])
		q.ICMPSeq = uint16(b[6])
	}
}

// tcpPayload returns what stands behind the TCP header that b begins with; nil
// if the header is not whole.
func tcpPayload(b []byte) []byte {
	if len(b) < tcpHeaderLen {
		return nil
	}
	n := int(b[12]>>4) * 4
	if n < tcpHeaderLen || n > len(b) {
		return nil
	}
	return b[n:]
}
