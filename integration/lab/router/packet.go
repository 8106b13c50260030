package router

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Protocols and ICMP types (IANA).
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoFrag   = 44
	protoICMPv6 = 58

	echoReply4, unreachable4, quench4, redirect4 = 0, 3, 4, 5
	echoRequest4, exceeded4, problem4            = 8, 11, 12
	unreachable6, tooBig6, exceeded6, problem6   = 1, 2, 3, 4
	echoRequest6, echoReply6                     = 128, 129
	solicitation6, advertisement6, redirect6     = 135, 136, 137
)

// l4HeaderLen is the length of an ICMP or UDP header.
const l4HeaderLen = 8

// maxLen is the largest value of the length field of an IP header.
const maxLen = 65535

// longest is the longest packet: the length of IPv6 does not count the header.
func longest(f icmpx.Family) int { return byFamily(f, maxLen, f.HeaderLen()+maxLen) }

// A Packet is an IP packet on its way through the router, as rules see it.
type Packet struct {
	icmpx.Quote // what its headers say; Fix brings it up to date

	Bytes []byte        // from the IP header on; an effect that changes them calls Fix
	Back  bool          // towards the first port
	Hop   int           // the hop that it is at, or whose link it is on, from 0; the last link has the number of hops
	Time  time.Duration // when it is there, since the router began

	r     *engine
	rule  *rule // whose effect is called
	at    time.Duration
	held  time.Duration // by effects: not part of the order of a link
	seq   uint64        // order of what is due at the same time
	nodes []*node       // the hops of its path, and the last link
	own   []*node       // memory for nodes
	c     int           // coordinate: 2k is the link to hop k, 2k+1 the hop
	next  int           // the next rule of the link or hop to look at
	l4    int           // offset of the transport header
	frag  int           // bytes of the largest fragment that it was put together from; 0: it came whole
	fid   uint32        // their identification
	port  int           // to leave by
	done  bool          // to leave
	ether [14]byte
	buf   []byte // memory for Bytes
}

// What keeps a packet from being forwarded.
var (
	errVersion = errors.New("unknown IP version")
	errLength  = errors.New("wrong length")
	errHeader  = errors.New("wrong header checksum")
)

// parse reads the headers, and cuts what follows the packet.
func (p *Packet) parse() error {
	b := p.Bytes
	if len(b) < 1 {
		return errLength
	}
	f := icmpx.Family(b[0] >> 4)
	if f != icmpx.IPv4 && f != icmpx.IPv6 {
		return errVersion
	}
	if len(b) < f.HeaderLen() {
		return errLength
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	hl := int(b[0]&0x0f) * 4
	if f == icmpx.IPv6 {
		hl = f.HeaderLen()
		total = hl + int(binary.BigEndian.Uint16(b[4:]))
	}
	if hl < f.HeaderLen() || total < hl || total > len(b) {
		return errLength
	}
	p.Bytes = b[:total]
	q, err := icmpx.ParseQuote(p.Bytes, f)
	if err != nil {
		return err
	}
	if f == icmpx.IPv4 && !q.HeaderOK {
		return errHeader
	}
	p.Quote, p.l4 = q, hl
	if f == icmpx.IPv6 && q.Proto != b[6] {
		h, err := icmpx.ParseIPv6Header(p.Bytes)
		if err != nil {
			return err
		}
		p.l4 = h.Len()
	}
	return nil
}

// fragment reports whether the packet is not whole.
func (p *Packet) fragment() bool { return p.MF || p.FragOff != 0 }

// icmp reports whether the packet is an ICMP message, or begins one.
func (p *Packet) icmp() bool { return p.HasL4 && int(p.Proto) == p.Family.Protocol() }

func (p *Packet) isICMP(v4, v6 uint8) bool {
	return p.icmp() && (p.Family == icmpx.IPv4 && p.Type == v4 || p.Family == icmpx.IPv6 && p.Type == v6)
}

// isError reports whether the packet is an ICMP error, or anything that takes
// its place: nothing may be said about it (RFC 1122 section 3.2.2, RFC 4443
// section 2.4).
func (p *Packet) isError() bool {
	if int(p.Proto) != p.Family.Protocol() {
		return false
	}
	if !p.HasL4 {
		return true // cut short
	}
	if p.Family == icmpx.IPv6 {
		return p.Type < 128 || p.Type == redirect6
	}
	switch p.Type {
	case unreachable4, quench4, redirect4, exceeded4, problem4:
		return true
	}
	return false
}

// Payload is what an ICMP query or its reply, or a UDP datagram, carries behind
// its header of 8 bytes; ok is false if the packet is none, or not whole.
func (p *Packet) Payload() (b []byte, ok bool) {
	if !p.HasL4 || p.fragment() || len(p.Bytes) < p.l4+l4HeaderLen {
		return nil, false
	}
	if p.Proto != protoUDP && (!p.icmp() || p.isError() || p.Family == icmpx.IPv6 && p.Type >= 130 && p.Type < 160) {
		return nil, false
	}
	return p.Bytes[p.l4+l4HeaderLen:], true
}

// SetPayload replaces the payload, with the lengths and checksums that belong
// to it. It reports whether the packet has one, and can take it.
func (p *Packet) SetPayload(payload []byte) bool {
	if _, ok := p.Payload(); !ok || p.l4+l4HeaderLen+len(payload) > longest(p.Family) {
		return false
	}
	head := p.l4 + l4HeaderLen
	p.Bytes = append(p.Bytes[:head:head], payload...)
	p.Fix()
	return true
}

// Fix makes the lengths and checksums of a changed packet right again, as far
// as a packet in fragments has them, and reads its headers anew.
func (p *Packet) Fix() {
	b := p.Bytes
	switch {
	case len(b) > longest(p.Family) || len(b) < p.l4 || p.l4 == 0:
		return
	case p.Family == icmpx.IPv6:
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-p.Family.HeaderLen()))
	default:
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		fixHeader(b)
	}
	src, dst := addresses(b, p.Family)
	if !p.fragment() {
		fixTransport(b[p.l4:], p.Proto, src, dst)
	}
	// What does not parse goes on as it is: that is what its changer wants.
	_ = p.parse()
}

// fixHeader computes the checksum of an IPv4 header, which is whole.
func fixHeader(b []byte) {
	hl := min(int(b[0]&0x0f)*4, len(b))
	binary.BigEndian.PutUint16(b[10:], 0)
	binary.BigEndian.PutUint16(b[10:], icmpx.Checksum(b[:hl]))
}

// fixTransport computes the checksum of a whole transport packet, and the
// length of UDP. A UDP checksum of 0, none, stays.
func fixTransport(b []byte, proto uint8, src, dst netip.Addr) {
	at := checksumAt(proto)
	if at < 0 || len(b) < at+2 {
		return
	}
	if proto == protoUDP {
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
		if src.Is4() && b[6] == 0 && b[7] == 0 {
			return
		}
	}
	b[at], b[at+1] = 0, 0
	var pseudo uint32
	if proto != protoICMP {
		pseudo = icmpx.PseudoSum(src, dst, len(b), proto)
	}
	sum := icmpx.ChecksumFrom(pseudo, b)
	if sum == 0 && proto == protoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[at:], sum)
}

// checksumAt is where a transport header has its checksum; -1: not known.
func checksumAt(proto uint8) int {
	switch proto {
	case protoICMP, protoICMPv6:
		return 2
	case protoUDP:
		return 6
	case protoTCP:
		return 16
	}
	return -1
}

func addresses(b []byte, f icmpx.Family) (src, dst netip.Addr) {
	if f == icmpx.IPv6 {
		return netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	}
	return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
}

// decrement counts the TTL down, and the IPv4 checksum up (RFC 1141).
func (p *Packet) decrement() {
	b := p.Bytes
	p.TTL--
	if p.Family == icmpx.IPv6 {
		b[7]--
		return
	}
	b[8]--
	sum := uint32(binary.BigEndian.Uint16(b[10:])) + 0x100
	binary.BigEndian.PutUint16(b[10:], uint16(sum+sum>>16))
}

// setTOS writes the type of service or traffic class.
func (p *Packet) setTOS(tos uint8) {
	p.TOS = tos
	if p.Family == icmpx.IPv6 {
		p.Bytes[0], p.Bytes[1] = 0x60|tos>>4, tos<<4|p.Bytes[1]&0x0f
		return
	}
	p.Bytes[1] = tos
	fixHeader(p.Bytes)
}

// Rand is the source of randomness of the rule whose effect is called.
func (p *Packet) Rand() *rand.Rand { return p.rule.rng }

// Hold keeps the packet back for a time, while others overtake it.
func (p *Packet) Hold(d time.Duration) { p.held += max(d, 0) }

// Send sends another packet on the same way from here, a time after this one
// goes on. The router copies it. What does not parse is not sent.
func (p *Packet) Send(ip []byte, after time.Duration) {
	p.send(ip, p.held+max(after, 0), p.c, p.next, p.Back)
}

// Answer sends a packet in the opposite direction from here, a time after this
// one is here.
func (p *Packet) Answer(ip []byte, after time.Duration) {
	c := p.c + 1
	if !p.Back {
		c = p.c - 1
	}
	p.send(ip, max(after, 0), c, 0, !p.Back)
}

func (p *Packet) send(ip []byte, after time.Duration, c, next int, back bool) {
	q := p.r.get(ip)
	q.at = p.at + after
	q.setPath(p.nodes)
	q.c, q.next, q.Back = c, next, back
	q.frag, q.fid = p.frag, p.fid
	if q.parse() != nil {
		p.r.put(q)
		return
	}
	p.r.work = append(p.r.work, q)
}

// setPath gives the packet a path of its own where paths differ.
func (p *Packet) setPath(nodes []*node) {
	if len(nodes) > 0 && nodes[0].r.balanced {
		p.own = append(p.own[:0], nodes...)
		nodes = p.own
	}
	p.nodes = nodes
}

// reply returns a copy of an echo request turned into its reply, as the target
// would send it; a copy of anything else.
func (p *Packet) reply() []byte {
	b := slices.Clone(p.Bytes)
	if !EchoRequest(p) || p.fragment() {
		return b
	}
	src, dst := p.Src, p.Dst
	if p.Family == icmpx.IPv6 {
		copy(b[8:], dst.AsSlice())
		copy(b[24:], src.AsSlice())
		b[7], b[p.l4] = 64, echoReply6
	} else {
		copy(b[12:], dst.AsSlice())
		copy(b[16:], src.AsSlice())
		b[8], b[p.l4] = 64, echoReply4
		fixHeader(b)
	}
	fixTransport(b[p.l4:], p.Proto, dst, src)
	return b
}
