package icmpx

import (
	"encoding/binary"
	"net/netip"
)

// hearError makes a reply of an ICMP error on a raw socket, and reports whether
// it is about a probe of ours.
func (l *portLink) hearError(e *ear, a *arrival, r *Reply) bool {
	msg := a.data
	if l.family == IPv4 {
		if msg = ipv4Payload(msg); msg == nil {
			return false
		}
	}
	*r = Reply{}
	// Its key is that of no scheme, and it may find none.
	_ = DecodeReply(l.family, msg, r)
	if !r.Kind.Quotes() || r.Quote.Proto != l.proto || !r.Quote.HasL4 {
		return false
	}
	if r.Kind == KindTooBig && a.name == r.Quote.Src {
		return false // this host's own, of which the send was told
	}
	var ok bool
	if r.Key, ok = keyOf(l.scheme, &l.sent, l.ports, &r.Quote); !ok {
		return false
	}
	if r.Kind == KindTimeExceeded {
		l.sent.note(r.Key)
	}
	r.Dst = l.goal(r.Key, r.Quote.Dst)
	r.Quote.Payload = quotedPayload(l.scheme, r)
	l.describe(r, a, e.data.read)
	r.From = l.zones.with(l.names, a.name, max(a.scope, a.ifIndex))
	return true
}

// quotedPayload returns the part of the quoted payload by which the probe can
// be proven. A router that quotes nothing of it may yet fill the place up with
// zeros, for an extension structure to follow (RFC 4884 section 5.1).
func quotedPayload(s scheme, r *Reply) []byte {
	b := s.proven(&r.Quote)
	if len(r.Ext) > 0 && len(b) >= tokenLen && binary.BigEndian.Uint64(b) == 0 {
		return nil
	}
	return b
}

// hearDatagram makes a reply of a UDP datagram that came to the source port of
// a path, and reports whether it may be an answer.
func (l *portLink) hearDatagram(e *ear, a *arrival, r *Reply) bool {
	from := a.name.Unmap()
	key, ok := l.datagramKey(l.ports[e.path], from, a)
	if !ok {
		return false
	}
	*r = Reply{Kind: KindUDPAnswer, Key: key, Bytes: udpHeaderLen + len(a.data), Payload: a.data}
	l.direct(e, a, r)
	return true
}

// datagramKey returns the key of the probe that a datagram answers, from its
// ports, and its data if these do not say.
func (l *portLink) datagramKey(sport uint16, from netip.Addr, a *arrival) (Key, bool) {
	space := l.scheme.space(sport, a.port)
	if _, classic := l.scheme.(classicUDP); classic {
		return Key{Flow: space.Flow, Tag: uint32(a.port)}, true
	}
	e, ok := l.sent.claim(space.Flow, from, a.data)
	return e.key, ok
}

// hearSegment makes a reply of a TCP segment on a raw socket, and reports
// whether it answers a probe of ours.
func (l *portLink) hearSegment(e *ear, a *arrival, r *Reply) bool {
	seg := a.data
	if l.family == IPv4 {
		seg = ipv4Payload(seg)
	}
	h, err := ParseTCPHeader(seg)
	if err != nil {
		return false
	}
	*r = Reply{Bytes: len(seg)}
	switch {
	case h.Flags&TCPRst != 0 && h.Flags&TCPAck != 0:
		r.Kind = KindTCPClosed
	case h.Flags&TCPSyn != 0 && h.Flags&TCPAck != 0:
		r.Kind = KindTCPOpen
	default:
		return false
	}
	tag, ok := l.scheme.(synTCP).answered(h.Ack)
	if !ok {
		return false
	}
	r.Key = Key{Flow: uint32(h.DstPort)<<16 | uint32(h.SrcPort), Tag: tag}
	l.direct(e, a, r)
	return true
}

// direct gives r what is known of an answer that came from the end itself.
func (l *portLink) direct(e *ear, a *arrival, r *Reply) {
	l.describe(r, a, e.data.read)
	r.From = l.zones.with(l.names, a.name, max(a.scope, a.ifIndex))
	r.Dst = r.From
}
