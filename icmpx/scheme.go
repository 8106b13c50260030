package icmpx

import (
	"fmt"
	"syscall"
)

// A scheme is how the probes of a link to ports are told apart: what of their
// transport header is their key, and how the header is made of the key. The
// same probes have the same key on every kind of socket that shows it.
type scheme interface {
	// space returns the tags of probes between two ports; 0 is the default
	// destination port.
	space(sport, dport uint16) KeySpace
	// port returns the destination port of r.
	port(r *Request) uint16
	// size returns the length in bytes of the segment or datagram of r.
	size(r *Request, f Family) (int, error)
	// put writes the segment or datagram of r into b, which has its size, and
	// returns its payload.
	put(f *flow, b []byte, r *Request) []byte
	// tag returns the tag of a quoted probe, of which there are the first 8
	// bytes of the transport header; false if it cannot be one of the scheme's.
	tag(q *Quote) (uint32, bool)
	// proven returns the part of a quoted payload that is as the request says.
	proven(q *Quote) []byte
}

// firstPort is where the ports begin that nobody is expected to listen to
// (traceroute(8)).
const firstPort = 33434

// parisUDP keeps both ports: the tag is the checksum, 1 to 65,534.
type parisUDP struct{}

func (parisUDP) space(sport, dport uint16) KeySpace {
	return KeySpace{Flow: uint32(sport)<<16 | uint32(udpPort(dport)), First: 1, Last: 1<<16 - 2}
}

// udpPort returns the port to send to if port was asked for.
func udpPort(port uint16) uint16 {
	if port == 0 {
		return firstPort
	}
	return port
}

func (parisUDP) port(r *Request) uint16 { return udpPort(r.Port) }

func (parisUDP) size(r *Request, f Family) (int, error) {
	n, err := transportSize(r, f, udpHeaderLen)
	switch {
	case err != nil:
		return 0, err
	case r.Payload != nil:
		return 0, fmt.Errorf("a payload of one's own has no room for the tag of a constant flow: %w", syscall.EINVAL)
	case f == IPv6 && fillerOffset(n-udpHeaderLen) < 0:
		return 0, fmt.Errorf("%d bytes of payload have no room for the tag of a constant flow: %w", n-udpHeaderLen, syscall.EINVAL)
	}
	return n, nil
}

func (parisUDP) put(f *flow, b []byte, r *Request) []byte {
	p := b[udpHeaderLen:]
	FillPayload(p, r.Token, r.Pattern)
	hold := uint16(r.Key.Tag)
	if len(p) < fillerLen {
		hold = 0 // the IPv4 identification alone has the tag
	}
	f.putUDP(b, hold)
	return p
}

func (parisUDP) tag(q *Quote) (uint32, bool) {
	return uint32(q.Checksum), q.L4Len >= udpHeaderLen+fillerLen && q.Checksum != 0 && q.Checksum != 0xffff
}

func (parisUDP) proven(q *Quote) []byte {
	return provenPayload(q.Payload, max(int(q.L4Len)-udpHeaderLen, 0))
}

// classicUDP varies the destination port: it is the tag, from the first up.
type classicUDP struct{}

func (classicUDP) space(sport, dport uint16) KeySpace {
	return KeySpace{Flow: uint32(sport), First: uint32(udpPort(dport)), Last: 1<<16 - 1}
}

func (classicUDP) port(r *Request) uint16 { return uint16(r.Key.Tag) }

func (classicUDP) size(r *Request, f Family) (int, error) { return transportSize(r, f, udpHeaderLen) }

func (classicUDP) put(f *flow, b []byte, r *Request) []byte {
	p := b[udpHeaderLen:]
	putPayload(p, r)
	f.putUDP(b, 0)
	return p
}

func (classicUDP) tag(q *Quote) (uint32, bool) { return uint32(q.DstPort), true }

func (classicUDP) proven(q *Quote) []byte { return q.Payload }

// A synTCP keeps both ports: the sequence number has the tag, 1 to 65,535, and
// is the lower the larger the tag is. A host that holds a connection half open
// for an earlier probe finds a later one outside of its window, and does not
// take it for one that resets the connection (RFC 9293 section 3.10.7.4). The
// distance is more than any payload, which the answer may acknowledge or not.
type synTCP struct{ base uint32 } // where the numbers begin: a secret

const synStride = 16 // bits

func (synTCP) space(sport, dport uint16) KeySpace {
	return KeySpace{Flow: uint32(sport)<<16 | uint32(dport), First: 1, Last: 1<<16 - 1}
}

func (synTCP) port(r *Request) uint16 { return r.Port }

func (synTCP) size(r *Request, f Family) (int, error) {
	if r.Size == 0 {
		return tcpHeaderLen + mssLen + len(r.Payload), nil
	}
	n, err := transportSize(r, f, tcpHeaderLen)
	if err == nil && n < synHeaderLen(n)+len(r.Payload) {
		return 0, errPayloadRoom(r)
	}
	return n, err
}

func (s synTCP) put(f *flow, b []byte, r *Request) []byte {
	p := b[synHeaderLen(len(b)):]
	putPayload(p, r)
	f.putSYN(b, s.base-r.Key.Tag<<synStride)
	return p
}

func (s synTCP) tag(q *Quote) (uint32, bool) {
	d := s.base - q.Seq
	return d >> synStride, d>>synStride != 0 && d<<synStride == 0
}

func (synTCP) proven(q *Quote) []byte { return q.Payload }

// answered returns the tag of the probe that ack acknowledges: the SYN, which
// counts for one, and its payload or not (RFC 9293 section 3.4).
func (s synTCP) answered(ack uint32) (uint32, bool) {
	d := s.base - (ack - 1)
	tag := d >> synStride
	if d<<synStride != 0 {
		tag++
	}
	return tag, tag != 0 && tag < 1<<synStride
}

// transportSize returns how many bytes of r stand behind the IP header, when
// the transport header has header of them.
func transportSize(r *Request, f Family, header int) (int, error) {
	n := header + len(r.Payload)
	if r.Size != 0 {
		if n = r.Size - f.HeaderLen(); n < header {
			return 0, fmt.Errorf("%d bytes are less than the headers of the packet: %w", r.Size, syscall.EINVAL)
		}
	}
	switch {
	case n < header+len(r.Payload):
		return 0, errPayloadRoom(r)
	case n > 8+f.MaxPayload():
		return 0, fmt.Errorf("%d bytes exceed the largest packet: %w", n+f.HeaderLen(), syscall.EMSGSIZE)
	}
	return n, nil
}

func errPayloadRoom(r *Request) error {
	return fmt.Errorf("payload of %d bytes exceeds a packet of %d: %w", len(r.Payload), r.Size, syscall.EINVAL)
}

// putPayload writes the payload that r asks for.
func putPayload(p []byte, r *Request) {
	if r.Payload != nil {
		clear(p[copy(p, r.Payload):])
		return
	}
	FillPayload(p, r.Token, r.Pattern)
}

// keyOf returns the key of the probe that q quotes, and whether it can be one
// of ours. Something on the way may have changed what the tag is made of, as a
// translator does that does not repair its quotes. Where the header names no
// probe, or one with another payload, the quoted payload tells which it is.
func keyOf(s scheme, sent *sentRing, ports []uint16, q *Quote) (Key, bool) {
	k, ok := headerKey(s, sent, ports, q)
	if ok && sent.agrees(k, q.Payload) {
		return k, true
	}
	if other, found := sent.bearing(q.Payload); found {
		return other, true
	}
	return k, ok
}

// headerKey returns the key of the probe that the quoted headers name, and
// whether it can be one of ours: from one of ports, to whatever port. The
// identification of IPv4, if headers are ours, repeats the tag: it tells the
// probe where the tag was changed.
func headerKey(s scheme, sent *sentRing, ports []uint16, q *Quote) (Key, bool) {
	own := false
	for _, p := range ports {
		own = own || p == q.SrcPort
	}
	tag, ok := s.tag(q)
	k := Key{Flow: s.space(q.SrcPort, q.DstPort).Flow, Tag: tag}
	if own && ok && (q.Family != IPv4 || sent.has(k)) {
		return k, true
	}
	if q.Family != IPv4 {
		return k, own && ok
	}
	id, found := sent.only(uint32(q.ID), func(e *sentProbe) bool {
		return (!own || e.key.Flow == k.Flow) && sameEnd(e, q, s)
	})
	if found {
		return id, true
	}
	return k, own && ok
}

// sameEnd reports whether a probe that was sent and a quoted one went to the
// same address, and to the same port unless that is the tag.
func sameEnd(e *sentProbe, q *Quote, s scheme) bool {
	if _, classic := s.(classicUDP); !classic && uint16(e.key.Flow) != q.DstPort {
		return false
	}
	return e.dst.Unmap() == q.Dst
}
