package icmpx

import (
	"encoding/binary"
	"net/netip"
)

const udpHeaderLen = 8

// A flow is what all probes of one path have in common: the 5-tuple but for the
// protocol. Addresses have no zone.
type flow struct {
	src, dst     netip.Addr
	sport, dport uint16
	asked        uint32 // IPv6 flow label; 0: one that belongs to the ports
}

// label returns the IPv6 flow label of the flow (RFC 6437): constant for it,
// and another for other ports, unless one was asked for.
func (f *flow) label() uint32 {
	if f.asked != 0 {
		return f.asked
	}
	const golden = 0x9e3779b1 // 2^32 divided by the golden ratio: it spreads close ports
	return (uint32(f.sport)<<16 | uint32(f.dport)) * golden >> 12
}

// putUDP writes the header of the datagram b, whose data are in place. If hold
// is not 0, the filler makes it the checksum; the data must have room for it.
func (f *flow) putUDP(b []byte, hold uint16) {
	f.putPorts(b)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[6:], 0)
	sum := PseudoSum(f.src, f.dst, len(b), protoUDP)
	if hold != 0 {
		setFiller(b, sum, udpHeaderLen+fillerOffset(len(b)-udpHeaderLen), hold)
		binary.BigEndian.PutUint16(b[6:], hold)
		return
	}
	check := ChecksumFrom(sum, b)
	if check == 0 { // which says that there is none (RFC 768)
		check = 0xffff
	}
	binary.BigEndian.PutUint16(b[6:], check)
}

const (
	synWindow = 64240 // bytes; what Linux offers on Ethernet
	mssLen    = 4     // bytes of the maximum segment size option
)

// synHeaderLen returns the length of the header of a SYN in a segment of n
// bytes: with the option that names the maximum segment size, which no stack
// leaves out, wherever there is room for it.
func synHeaderLen(n int) int {
	if n >= tcpHeaderLen+mssLen {
		return tcpHeaderLen + mssLen
	}
	return tcpHeaderLen
}

// putSYN writes the header of the SYN b, whose data behind synHeaderLen are in
// place (RFC 9293 section 3.1).
func (f *flow) putSYN(b []byte, seq uint32) {
	n := synHeaderLen(len(b))
	f.putPorts(b)
	binary.BigEndian.PutUint32(b[4:], seq)
	clear(b[8:n])
	b[12], b[13] = byte(n/4)<<4, TCPSyn
	binary.BigEndian.PutUint16(b[14:], synWindow)
	if n > tcpHeaderLen {
		const kindMSS = 2 // RFC 9293 section 3.7.1
		family := FamilyOf(f.dst)
		b[20], b[21] = kindMSS, mssLen
		binary.BigEndian.PutUint16(b[22:], uint16(1500-family.HeaderLen()-tcpHeaderLen))
	}
	binary.BigEndian.PutUint16(b[16:], ChecksumFrom(PseudoSum(f.src, f.dst, len(b), protoTCP), b))
}

func (f *flow) putPorts(b []byte) {
	binary.BigEndian.PutUint16(b, f.sport)
	binary.BigEndian.PutUint16(b[2:], f.dport)
}

// An ipFields are the fields of an IP header that a probe chooses.
type ipFields struct {
	proto, ttl, tos uint8
	id              uint16 // IPv4 only
	df              bool   // IPv4 only
}

// putIP writes the IP header that b begins with; all of b is the packet. The
// header checksum of IPv4 is left to the kernel, which computes it in any case.
// via is where the packet goes first: the destination, or with a source route,
// whose option is in route, its first gateway. IPv6 has no route.
func (f *flow) putIP(b []byte, h ipFields, via netip.Addr, route []byte) {
	if f.dst.Is6() {
		binary.BigEndian.PutUint32(b, 6<<28|uint32(h.tos)<<20|f.label())
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-IPv6.HeaderLen()))
		b[6], b[7] = h.proto, h.ttl
		src, dst := f.src.As16(), f.dst.As16()
		copy(b[8:], src[:])
		copy(b[24:], dst[:])
		return
	}
	b[0], b[1] = 0x40|byte((IPv4.HeaderLen()+len(route))/4), h.tos
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[4:], h.id)
	binary.BigEndian.PutUint16(b[6:], 0)
	if h.df {
		binary.BigEndian.PutUint16(b[6:], flagDF)
	}
	b[8], b[9], b[10], b[11] = h.ttl, h.proto, 0, 0
	src, dst := f.src.As4(), via.As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	copy(b[20:], route)
}

// maxGateways is how many gateways a packet may be sent by, as for
// traceroute(8). The option has room for one more.
const maxGateways = 8

// sourceRouteLen is the length in bytes of the options for n gateways.
func sourceRouteLen(n int) int {
	if n == 0 {
		return 0
	}
	return 4 + 4*n
}

// appendSourceRoute appends the option by which a packet goes through gateways:
// those behind the first, which the header names, and the destination (RFC 791
// section 3.1, loose source and record route).
func appendSourceRoute(b []byte, gateways []netip.Addr, dst netip.Addr) []byte {
	const first = 4 // pointer to the first address, counted from 1
	b = append(b, optionNop, optionLSRR, byte(3+4*len(gateways)), first)
	for _, g := range gateways[1:] {
		a := g.As4()
		b = append(b, a[:]...)
	}
	a := dst.As4()
	return append(b, a[:]...)
}
