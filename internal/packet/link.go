package packet

import (
	"encoding/binary"
	"math"

	"github.com/icmpx/icmpx/icmpx"
)

// link reads the header that the link type of the frame says.
func (d *Decoder) link() next {
	switch d.f.Link {
	case LinkEthernet:
		return next{kind: kindEthernet}
	case LinkRaw, LinkRawOld:
		return next{kind: kindIP}
	case LinkIPv4:
		return next{kindEther, etherIPv4}
	case LinkIPv6:
		return next{kindEther, etherIPv6}
	case LinkCooked:
		return d.cooked()
	case LinkCookedV2:
		return d.cookedV2()
	case LinkNull, LinkLoop:
		return d.loopback()
	case LinkPPP:
		return d.pppFrame()
	}
	return d.rareLink()
}

// rareLink reads the headers of link types that are seldom met.
func (d *Decoder) rareLink() next {
	switch d.f.Link {
	case LinkICMP:
		d.rest = len(d.b) + d.missing()
		d.icmp(icmpx.IPv4)
		return none
	case LinkICMP6:
		d.rest = len(d.b) + d.missing()
		d.icmp(icmpx.IPv6)
		return none
	case LinkSLIP:
		if d.take(16, "SLIP header cut short") == nil {
			return none
		}
		return next{kind: kindIP}
	case LinkFrame:
		return d.frameRelay()
	case LinkARCnet:
		return d.arcnet()
	case LinkIPoIB:
		return d.ipoib()
	case LinkBrcm:
		return d.tagBehindAddresses(4)
	case LinkDSA:
		return d.tagBehindAddresses(4)
	case LinkEDSA:
		return d.tagBehindAddresses(8)
	case LinkBrcmLead:
		if d.take(4, "Broadcom tag cut short") == nil {
			return none
		}
		return next{kind: kindEthernet}
	}
	d.problem(ProblemLink, "link type is not read")
	return none
}

// cooked reads the header of a Linux cooked capture, version 1
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html).
func (d *Decoder) cooked() next {
	h := d.take(cookedLen, "cooked header cut short")
	if h == nil {
		return none
	}
	d.place()
	return d.cookedProtocol(be16(h[2:]), be16(h[14:]))
}

// cookedV2 reads the header of version 2
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html).
func (d *Decoder) cookedV2() next {
	h := d.take(cookedV2Len, "cooked header cut short")
	if h == nil {
		return none
	}
	d.place()
	return d.cookedProtocol(be16(h[8:]), be16(h))
}

// place notes which interface a cooked header says, and which way the frame
// went, if the capture itself says nothing of that. All interfaces together,
// "any", are none.
func (d *Decoder) place() {
	f := d.f
	if n := f.CookedInterface(); n != 0 && f.Iface == 0 && (f.IfaceName == "" || f.IfaceName == "any") {
		f.Iface, f.IfaceCooked = n, true
	}
	if f.Direction != DirectionUnknown {
		return
	}
	switch typ, _ := f.PacketType(); {
	case typ == PacketOutgoing:
		f.Direction = Outgoing
	case typ < PacketOutgoing:
		f.Direction = Incoming
	}
}

// Lengths of cooked headers in bytes.
const (
	cookedLen   = 16
	cookedV2Len = 20
)

// Packet types of Linux (if_packet.h): whom a frame was for. Higher ones are
// seen inside the kernel only.
const (
	PacketHost      = 0 // the capturing host
	PacketBroadcast = 1
	PacketMulticast = 2
	PacketOtherHost = 3
	PacketOutgoing  = 4 // sent by the capturing host
)

// PacketType returns the packet type in the cooked header that a frame begins
// with, and whether there is one.
func (f *Frame) PacketType() (typ uint16, ok bool) {
	switch {
	case f.Link == LinkCooked && len(f.Data) >= cookedLen:
		return be16(f.Data), true
	case f.Link == LinkCookedV2 && len(f.Data) >= cookedV2Len:
		return uint16(f.Data[10]), true
	}
	return 0, false
}

// CookedInterface returns the number of the interface in the cooked header that
// a frame begins with, by the kernel of the capturing host; 0: none.
func (f *Frame) CookedInterface() int {
	if f.Link != LinkCookedV2 || len(f.Data) < cookedV2Len {
		return 0
	}
	return int(min(binary.BigEndian.Uint32(f.Data[4:]), math.MaxInt32))
}

// Numbers of Linux in a cooked header: device types with other protocol
// numbers (if_arp.h), and protocols that are no EtherTypes (if_ether.h).
const (
	deviceGRE     = 778
	deviceNetlink = 824

	linux8022 = 0x0004 // LLC
)

func (d *Decoder) cookedProtocol(device, protocol uint16) next {
	switch {
	case device == deviceNetlink:
		return none
	case device == deviceGRE:
		return next{kindEther, protocol}
	case protocol == linux8022:
		return d.llc()
	}
	return next{kindEther, protocol}
}

// loopback reads the address family that a BSD loopback frame begins with, in
// the byte order of the host that wrote it
// (https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html).
func (d *Decoder) loopback() next {
	h := d.take(4, "loopback header cut short")
	if h == nil {
		return none
	}
	family := binary.BigEndian.Uint32(h)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(h)
	}
	switch family {
	case 2:
		return next{kindEther, etherIPv4}
	case 10, 24, 28, 30: // Linux; NetBSD, OpenBSD; FreeBSD; macOS
		return next{kindEther, etherIPv6}
	}
	return none
}

// pppFrame reads the start of a PPP frame, whose address and control bytes may
// be compressed away (RFC 1661, RFC 1662).
func (d *Decoder) pppFrame() next {
	if len(d.b) >= 2 && (d.b[0] == 0xff || d.b[0] == 0x0f) && d.b[1] <= 3 {
		d.b = d.b[2:]
	}
	return d.pppProtocol()
}

// pppProtocol reads a PPP protocol number; an odd first byte is all of it (RFC
// 1661 section 6.5).
func (d *Decoder) pppProtocol() next {
	if len(d.b) > 0 && d.b[0]&1 == 1 {
		num := uint16(d.b[0])
		d.b = d.b[1:]
		return next{kindPPP, num}
	}
	h := d.take(2, "PPP header cut short")
	if h == nil {
		return none
	}
	return next{kindPPP, be16(h)}
}

// PPP protocol numbers (IANA).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
	pppMPLS = 0x0281
)

func (d *Decoder) ppp(num uint16) next {
	switch num {
	case pppIPv4, etherIPv4: // Cisco HDLC frames are found under link type PPP
		return next{kindEther, etherIPv4}
	case pppIPv6, etherIPv6:
		return next{kindEther, etherIPv6}
	case pppMPLS:
		return d.mpls()
	}
	return none
}

// frameRelay reads a Q.922 address of two to four bytes and what RFC 2427 puts
// behind it.
func (d *Decoder) frameRelay() next {
	n := 1
	for n <= len(d.b) && n < 4 && d.b[n-1]&1 == 0 {
		n++
	}
	if n < 2 || d.take(n, "frame relay header cut short") == nil {
		d.problem(ProblemLink, "frame relay address cannot be read")
		return none
	}
	if len(d.b) >= 2 && d.b[0] != 0x03 {
		h := d.take(2, "")
		return next{kindEther, be16(h)} // Cisco's encapsulation
	}
	h := d.take(2, "frame relay header cut short")
	if h == nil {
		return none
	}
	nlpid := h[1]
	if nlpid == 0 { // a pad byte
		if h = d.take(1, "frame relay header cut short"); h == nil {
			return none
		}
		nlpid = h[0]
	}
	switch nlpid {
	case 0xcc:
		return next{kindEther, etherIPv4}
	case 0x8e:
		return next{kindEther, etherIPv6}
	case 0x80:
		return d.snap()
	}
	return none
}

// arcnet reads the header that Linux gives an ARCnet packet: source,
// destination, offset, protocol, and behind a protocol that RFC 1201 fragments
// its flag and sequence number
// (https://www.tcpdump.org/linktypes/LINKTYPE_ARCNET_LINUX.html).
func (d *Decoder) arcnet() next {
	h := d.take(5, "ARCnet header cut short")
	if h == nil {
		return none
	}
	switch h[4] {
	case 0xf0: // IP as RFC 1051 has it
		return next{kindEther, etherIPv4}
	case 0xd4, 0xc4: // IP and IPv6 as RFC 1201 has them
		f := d.take(1, "ARCnet header cut short")
		if f == nil || f[0] == 0xff && d.take(3, "ARCnet header cut short") == nil || d.take(2, "ARCnet header cut short") == nil {
			return none
		}
		if f[0] != 0 && f[0] != 0xff {
			return none // a part of a packet
		}
		return next{kind: kindIP}
	}
	return none
}

// ipoib reads the header of IP over InfiniBand: a global routing header of 40
// bytes, an EtherType, two bytes without meaning (RFC 4391 section 6).
func (d *Decoder) ipoib() next {
	const routing = 40
	h := d.take(routing+4, "IPoIB header cut short")
	if h == nil {
		return none
	}
	return next{kindEther, be16(h[routing:])}
}

// tagBehindAddresses reads an Ethernet frame with n bytes of a switch's tag
// between its addresses and its EtherType.
func (d *Decoder) tagBehindAddresses(n int) next {
	h := d.take(12+n+2, "Ethernet header cut short")
	if h == nil {
		return none
	}
	return d.typeOrLength(be16(h[12+n:]))
}
