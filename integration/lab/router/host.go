package router

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// putEther writes an Ethernet header.
func putEther(b []byte, dst, src net.HardwareAddr, kind uint16) {
	copy(b, dst)
	copy(b[6:], src)
	binary.BigEndian.PutUint16(b[12:], kind)
}

// answer answers what came to an address of the hop: echo requests, and UDP
// datagrams, whose ports are closed.
func (r *engine) answer(n *node, p *Packet) {
	switch {
	case n.Silent || p.fragment():
	case EchoRequest(p):
		q := r.get(p.Bytes)
		head := p.Family.HeaderLen()
		q.Bytes = append(q.Bytes[:head], p.Bytes[p.l4:]...)
		q.Bytes[head] = byFamily[uint8](p.Family, echoReply4, echoReply6)
		r.originate(n, p, q, p.TOS, p.Src)
	case p.Proto == protoUDP:
		r.refuse(n, p, portError(p.Family), [4]byte{})
	}
}

const arpLen = 28 // of Ethernet and IPv4 (RFC 826)

// answerARP answers who asks for an address of the port.
func (r *engine) answerARP(now time.Duration, port int, frame []byte) {
	o := &r.ports[port]
	b := frame[etherLen:]
	if len(b) < arpLen || string(b[:8]) != "\x00\x01\x08\x00\x06\x04\x00\x01" {
		return
	}
	target := netip.AddrFrom4([4]byte(b[24:28]))
	if !slices.Contains(o.Addrs, target) {
		return
	}
	p := r.get(b[:arpLen])
	p.Bytes[7] = 2 // reply
	copy(p.Bytes[8:], o.MAC)
	copy(p.Bytes[14:], b[24:28])
	copy(p.Bytes[18:], b[8:18])
	putEther(p.ether[:], net.HardwareAddr(b[8:14]), o.MAC, etherARP)
	p.at, p.port, p.done = now, port, true
	r.queue.push(p)
}

const (
	solicitationLen  = 24 // of ICMPv6, without options
	advertisementLen = 32 // with the target's hardware address (RFC 4861 section 4.4)
	hopLimitND       = 255

	flagsAdvertised = 0xe0 // router, solicited, override
)

// answerSolicitation answers who asks for an address of the port by neighbour
// discovery (RFC 4861 section 7.2.4), and reports whether the frame asks for
// any. Who has no address yet is not answered.
func (r *engine) answerSolicitation(now time.Duration, port int, frame []byte) bool {
	o := &r.ports[port]
	head := icmpx.IPv6.HeaderLen()
	b := frame[etherLen:]
	if frame[12] != 0x86 || len(b) < head+solicitationLen || b[6] != protoICMPv6 || b[head] != solicitation6 {
		return false
	}
	q := Packet{Bytes: b}
	if q.parse() != nil {
		return false
	}
	msg := q.Bytes[head:]
	if q.TTL != hopLimitND || len(msg) < solicitationLen || q.Src.IsUnspecified() ||
		icmpx.ChecksumFrom(icmpx.PseudoSum(q.Src, q.Dst, len(msg), protoICMPv6), msg) != 0 {
		return true
	}
	target := netip.AddrFrom16([16]byte(msg[8:24]))
	if !slices.Contains(o.Addrs, target) {
		return true
	}
	p := r.get(make([]byte, head+advertisementLen))
	m := p.Bytes[head:]
	m[0], m[4] = advertisement6, flagsAdvertised
	copy(m[8:], msg[8:24])
	m[24], m[25] = 2, 1 // target's hardware address, in 8 bytes
	copy(m[26:], o.MAC)
	r.putHeader(p.Bytes, icmpx.IPv6, 0, hopLimitND, target, q.Src)
	fixTransport(m, protoICMPv6, target, q.Src)
	putEther(p.ether[:], net.HardwareAddr(frame[6:12]), o.MAC, etherIPv6)
	p.at, p.port, p.done = now, port, true
	r.queue.push(p)
	return true
}
