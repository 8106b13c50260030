package icmpx

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// What keeps a message from being an answer. They are values, so that the
// receive path reports them without allocating.
var (
	errReplyShort     = &ParseError{Field: "ICMP header", Err: ErrTruncated}
	errReplyChecksum  = &ParseError{Field: "ICMP checksum", Offset: 2, Err: ErrChecksum}
	errReplyTransport = &ParseError{Field: "quoted transport header", Offset: headerLen, Err: ErrTruncated}
)

// DecodeReply reads msg, one ICMP message of family f from its type byte on,
// into r: Kind, Type, Code, Key, Bytes, and as the kind has them Payload,
// Gateway, MTU, Pointer, State, Quote, Ext and Dst (as quoted; a direct answer
// leaves it zero for the caller). What only the IP header or the socket knows is left
// as it is. Payload, Quote.Payload and Ext share msg.
//
// Key is made of what came back: the identifier and sequence number of an echo
// or another query, the ports of UDP, and source port<<16+destination port and
// the sequence number of TCP.
//
// The checksum of an ICMPv4 message is verified; the kernel has verified that
// of ICMPv6. The error is ErrNotAnswer if msg answers no probe (a request,
// neighbour discovery, an error about something that is not a probe), else a
// *ParseError; r then holds what had been read. DecodeReply does not allocate.
func DecodeReply(f Family, msg []byte, r *Reply) error {
	r.Kind, r.Type, r.Code, r.Key = KindUnknown, 0, 0, Key{}
	r.Dst, r.Gateway, r.MTU, r.Pointer, r.State = netip.Addr{}, netip.Addr{}, 0, 0, 0
	r.Bytes, r.Payload, r.Ext = len(msg), nil, nil
	err := r.decodeHeader(f, msg)
	if err == nil && r.Kind.Quotes() {
		return r.decodeError(f, msg)
	}
	r.Quote = Quote{}
	if err == nil {
		r.decodeQuery(msg)
	}
	return err
}

func (r *Reply) decodeHeader(f Family, msg []byte) error {
	if len(msg) < headerLen {
		return errReplyShort
	}
	r.Type, r.Code = msg[0], msg[1]
	r.Kind = kindOf(f, r.Type, r.Code)
	switch {
	case r.Kind == KindUnknown:
		return ErrNotAnswer
	case f != IPv6 && Checksum(msg) != 0:
		return errReplyChecksum
	}
	return nil
}

func (r *Reply) decodeQuery(msg []byte) {
	r.Key.Flow = uint32(binary.BigEndian.Uint16(msg[4:]))
	r.Payload = msg[headerLen:]
	if r.Kind != KindExtEchoReply {
		r.Key.Tag = uint32(binary.BigEndian.Uint16(msg[6:]))
		return
	}
	r.Key.Tag, r.State = uint32(msg[6]), msg[7]
	n := echoExtensionLen(r.Payload)
	r.Ext, r.Payload = r.Payload[:n], r.Payload[n:]
}

func (r *Reply) decodeError(f Family, msg []byte) error {
	switch r.Kind {
	case KindTooBig:
		r.MTU = nextHopMTU(f, msg)
	case KindRedirect:
		r.Gateway = netip.AddrFrom4([4]byte(msg[4:8]))
	case KindParamProblem:
		r.Pointer = pointer(f, msg)
	}
	n, how := splitExtension(f, msg)
	body := msg[headerLen:]
	if how != placedNowhere {
		r.Ext = body[n:]
	}
	if err := r.Quote.parse(body[:n], f); err != nil {
		return err
	}
	r.Dst = r.Quote.Dst
	var err error
	r.Key, err = r.Quote.key()
	return err
}

// key returns the key of the probe that was quoted. The error says that it is
// no probe, or cut short: an error about our own kernel's echo reply carries
// somebody else's identifier and must not be taken for one about our request.
func (q *Quote) key() (Key, error) {
	ours := uint8(q.Family.Protocol())
	switch {
	case q.Proto != protoUDP && q.Proto != protoTCP && q.Proto != ours:
		return Key{}, ErrNotAnswer
	case !q.HasL4:
		return Key{}, errReplyTransport
	case q.Proto == protoUDP:
		return Key{Flow: uint32(q.SrcPort), Tag: uint32(q.DstPort)}, nil
	case q.Proto == protoTCP:
		return Key{Flow: uint32(q.SrcPort)<<16 + uint32(q.DstPort), Tag: q.Seq}, nil
	case !isRequest(q.Family, q.Type):
		return Key{}, ErrNotAnswer
	}
	return Key{Flow: uint32(q.ICMPID), Tag: uint32(q.ICMPSeq)}, nil
}

// nextHopMTU reads the MTU of fragmentation needed (RFC 1191 section 4) or of
// packet too big (RFC 4443 section 3.2).
func nextHopMTU(f Family, msg []byte) int {
	if f != IPv6 {
		return int(binary.BigEndian.Uint16(msg[6:]))
	}
	mtu := binary.BigEndian.Uint32(msg[4:])
	if uint64(mtu) > math.MaxInt { // an int of 32 bits
		return math.MaxInt
	}
	return int(mtu)
}

// pointer reads the pointer of a parameter problem: one byte in ICMPv4 (RFC
// 792), four in ICMPv6 (RFC 4443 section 3.4).
func pointer(f Family, msg []byte) uint32 {
	if f != IPv6 {
		return uint32(msg[4])
	}
	return binary.BigEndian.Uint32(msg[4:])
}
