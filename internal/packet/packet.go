// Package packet says what a captured frame holds: which IP datagram, whole or
// rebuilt from its fragments, and which ICMP message. Capture files and packet
// sockets give Frames, a Decoder makes Packets of them, and everything else
// (views, pairing, extraction, fingerprints, comparison) reads Packets.
package packet

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A LinkType says how a frame begins, by the numbers of
// https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// Link types that are read.
const (
	LinkNull     LinkType = 0   // BSD loopback: family in the byte order of the capturing host
	LinkEthernet LinkType = 1   // Ethernet, with any VLAN tags
	LinkSLIP     LinkType = 8   // SLIP, with the 16 bytes that BSD puts before the packet
	LinkPPP      LinkType = 9   // PPP, with or without address and control
	LinkRawOld   LinkType = 12  // IPv4 or IPv6, as some systems write it
	LinkRaw      LinkType = 101 // IPv4 or IPv6
	LinkFrame    LinkType = 107 // Frame Relay
	LinkLoop     LinkType = 108 // OpenBSD loopback: family in network byte order
	LinkCooked   LinkType = 113 // Linux cooked capture, version 1
	LinkARCnet   LinkType = 129 // ARCnet, as Linux writes it
	LinkIPv4     LinkType = 228 // IPv4
	LinkIPv6     LinkType = 229 // IPv6
	LinkIPoIB    LinkType = 242 // IP over InfiniBand
	LinkCookedV2 LinkType = 276 // Linux cooked capture, version 2
	LinkBrcm     LinkType = 281 // Ethernet with a Broadcom tag behind the addresses
	LinkBrcmLead LinkType = 282 // Ethernet with a Broadcom tag before the addresses
	LinkDSA      LinkType = 284 // Ethernet with a Marvell DSA tag
	LinkEDSA     LinkType = 285 // Ethernet with a Marvell EtherType DSA tag

	// No file has these: they are for messages without an IP header.
	LinkICMP  LinkType = 0xfff4
	LinkICMP6 LinkType = 0xfff6
)

// A Direction is the way a frame went, seen from the capturing host.
type Direction uint8

// Directions.
const (
	DirectionUnknown Direction = iota
	Incoming
	Outgoing
)

// A Frame is what a capture holds of one packet. Data, and what shares it, is
// valid until the next frame is read into the same Frame. Interface and direction
// may be unknown until a Decoder finds them in a cooked header.
type Frame struct {
	Number    int       // from 1, in the order of the capture
	Time      time.Time // zero where the container has none
	Len       int       // bytes on the wire
	Data      []byte    // bytes captured
	Link      LinkType
	Iface     int    // number of the interface: in its section of a file, or the kernel's; 0 if unknown
	IfaceName string // "" if unknown; comes from the capture: escape it
	Comments  []string
	Direction Direction
	// IfaceCooked: a Decoder found Iface in a cooked header; the capture itself
	// has no such number.
	IfaceCooked bool
	// Unfinished: the host left checksums to a device that had not computed
	// them when the frame was captured. They are not bad.
	Unfinished bool
}

// Status is what was found of a checksum.
type Status uint8

// Statuses of a checksum.
const (
	Unverified Status = iota // bytes or addresses are missing: a fragment, a packet cut short
	Good
	Bad
	Absent     // the bytes of the checksum itself are missing
	Unfinished // see Frame.Unfinished
)

// IP is the IP header that is nearest to the ICMP message, or the innermost of
// a packet without ICMP. Numbers are as the header has them, however wrong.
type IP struct {
	Family   icmpx.Family // 0: the frame holds no IP header
	Src, Dst netip.Addr   // without zones
	Header   []byte       // with options or extension headers, as far as captured
	Length   int          // of the datagram by its header: total length, or 40 + payload length
	TOS      uint8        // TOS octet, or traffic class
	TTL      uint8        // or hop limit
	ID       uint32       // identification; of IPv6, that of the fragment header
	DF, MF   bool
	Offset   int    // of a fragment, in bytes
	Fragment bool   // MF, an offset, or an IPv6 fragment header that says more than "whole"
	Protocol uint8  // of what follows Header
	Payload  []byte // what follows Header, as far as captured, or what was rebuilt; nil in a later fragment
	Checksum Status // of an IPv4 header
}

// A Packet is a decoded frame. What it holds shares the frame or the decoder's
// buffers, and is valid until the decoder's next packet.
type Packet struct {
	Frame *Frame
	VLANs []uint16 // VLAN identifiers, from the outside in
	Start int      // where the first IP header begins in Frame.Data; 0 without one
	Depth int      // IP headers up to and with IP: more than 1 in a tunnel, 0 without IP
	IP    IP

	// ICMP is whose ICMP the message is: 4 of protocol 1, 6 of next header 58,
	// 0 if no message begins or is completed in this frame. It differs from
	// IP.Family in packets that no host takes, and is set without a Message if
	// not a byte of one is there.
	ICMP icmpx.Family

	// Message is the ICMP message from its type byte on, as far as it is in
	// this frame: whole, cut short, the start of it in a first fragment, or
	// rebuilt in the frame that completes it. nil: no message begins or ends
	// here. It is never made from another fragment than the first.
	Message    []byte
	MessageLen int    // bytes that the message has by its IP header, or had before fragmentation; 0 if unknown (first fragment)
	Type, Code uint8  // of Message; Code is 0 if only one byte is there
	Partial    bool   // Message is what a first fragment, of its datagram or of one around that, holds of it
	Checksum   Status // of Message

	Fragments []int     // frames that Message was rebuilt from, in order of offset; nil if it came whole
	Rebuilt   int       // bytes of the rebuilt IP payload; 0 if not rebuilt
	Problems  []Problem // what is wrong outside of Message, in the order in which it was met
}

// A Problem is something wrong with a frame.
type Problem struct {
	Code string // stable word, as documented: "truncated", "overlap", ...
	Text string // plain words
}

// HasICMP reports whether p carries an ICMP message or a part of one.
func (p *Packet) HasICMP() bool { return p.Message != nil }

// ICMPPart reports whether p carries an ICMP message, a part of one, or a
// fragment of a datagram whose protocol is the ICMP of its family.
func (p *Packet) ICMPPart() bool {
	return p.ICMP != 0 || p.IP.Fragment && int(p.IP.Protocol) == p.IP.Family.Protocol()
}

// Echo returns the fields of an echo request or reply of either family, and
// whether p is one with a whole header.
func (p *Packet) Echo() (id, seq uint16, data []byte, request, ok bool) {
	m := p.Message
	if len(m) < 8 {
		return 0, 0, nil, false, false
	}
	switch {
	case p.ICMP == icmpx.IPv4 && p.Type == 8, p.ICMP == icmpx.IPv6 && p.Type == 128:
		request = true
	case p.ICMP == icmpx.IPv4 && p.Type == 0, p.ICMP == icmpx.IPv6 && p.Type == 129:
	default:
		return 0, 0, nil, false, false
	}
	return uint16(m[4])<<8 | uint16(m[5]), uint16(m[6])<<8 | uint16(m[7]), m[8:], request, true
}
