package packet

import (
	"encoding/binary"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// Limits of what is followed in one frame. No real frame comes near, and none
// can make its decoding long.
const (
	maxLayers = 32 // headers in all, but IPv6 extension headers and tags
	maxVLANs  = 8  // tags in all
	maxLabels = 16 // MPLS labels in a row
)

// A Decoder makes Packets of Frames, and rebuilds datagrams from the fragments
// that it sees: give it the frames of one capture in their order. The zero
// Decoder is ready; one goroutine at a time may use it.
//
// It reads any frame, never beyond it, and takes memory for fragments alone:
// at most about 4 MiB, however many there are.
type Decoder struct {
	// NoReassembly shows each frame by itself.
	NoReassembly bool

	f *Frame
	p *Packet

	b     []byte     // what is left of the packet, without what is known to be padding
	rest  int        // bytes that b has by the IP header: more than len(b) in a packet cut short
	first bool       // b is what a first fragment holds: rest is not the whole
	final netip.Addr // destination of the pseudo-header, if not that of the header
	lost  bool       // it cannot be told

	partial bool // b ends where a first fragment does, of this datagram or of one around it
	rebuilt bool // a datagram was rebuilt, in the buffer of the reassembler

	vlans    []uint16
	problems []Problem
	frags    reassembler
}

// A kind says what stands at the beginning of what is left.
type kind uint8

const (
	kindNone     kind = iota // nothing that is followed
	kindEthernet             // an Ethernet frame
	kindEther                // what an EtherType says
	kindPPP                  // what a PPP protocol number says
	kindIP                   // an IP packet of either version
	kindProto                // what an IP protocol number says
)

// A next is what follows a header, and the number that says so.
type next struct {
	kind kind
	num  uint16
}

// none is that nothing follows that could be read.
var none = next{}

// Decode reads the frame f into p, which it overwrites. What is wrong becomes
// a Problem, and the reading goes on where that makes sense. p shares f.Data
// and the decoder's buffers.
func (d *Decoder) Decode(f *Frame, p *Packet) {
	*p = Packet{Frame: f}
	d.f, d.p, d.b = f, p, f.Data
	d.vlans, d.problems = d.vlans[:0], d.problems[:0]
	d.first, d.partial, d.rebuilt = false, false, false
	n := d.link()
	for range maxLayers {
		switch n.kind {
		case kindEthernet:
			n = d.ethernet()
		case kindEther:
			n = d.etherType(n.num)
		case kindPPP:
			n = d.ppp(n.num)
		case kindIP:
			n = d.ip()
		case kindProto:
			n = d.protocol(uint8(n.num))
		}
		if n.kind == kindNone {
			break
		}
	}
	if n.kind != kindNone {
		d.problem(ProblemNesting, "more headers than are followed")
	}
	if len(d.vlans) > 0 {
		p.VLANs = d.vlans
	}
	if len(d.problems) > 0 {
		p.Problems = d.problems
	}
}

// take returns the next n bytes, or nil, and notes it, if they are not there.
func (d *Decoder) take(n int, what string) []byte {
	if len(d.b) < n {
		d.problem(ProblemTruncated, what)
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

// be16 returns the 16 bits that b begins with.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }

// protocol reads what an IP protocol number says is next.
func (d *Decoder) protocol(proto uint8) next {
	d.p.IP.Payload = d.b
	switch proto {
	case protoICMP:
		d.icmp(icmpx.IPv4)
	case protoICMPv6:
		d.icmp(icmpx.IPv6)
	default:
		return d.tunnel(proto)
	}
	return none
}

// icmp takes what is left for an ICMP message.
func (d *Decoder) icmp(f icmpx.Family) {
	p := d.p
	p.ICMP = f
	if !d.first {
		p.MessageLen = d.rest
	}
	if f != p.IP.Family && p.IP.Family != 0 {
		d.problem(ProblemFamily, "ICMP of the other IP version")
	}
	p.Checksum = Absent
	if len(d.b) == 0 {
		d.problem(ProblemEmpty, "no byte of the ICMP message is there")
		return
	}
	p.Message, p.Type, p.Partial = d.b, d.b[0], d.partial
	if len(d.b) > 1 {
		p.Code = d.b[1]
	}
	if len(d.b) >= 4 {
		p.Checksum = d.checkMessage(f)
	}
}

// checkMessage verifies the checksum of the ICMP message.
func (d *Decoder) checkMessage(f icmpx.Family) Status {
	var sum uint32
	switch {
	case d.first || d.rest != len(d.b):
		return Unverified
	case f == icmpx.IPv6 && (d.p.IP.Family != icmpx.IPv6 || d.lost):
		return Unverified // no addresses that the pseudo-header could be made of
	case f == icmpx.IPv6:
		dst := d.p.IP.Dst
		if d.final.IsValid() {
			dst = d.final
		}
		sum = icmpx.PseudoSum(d.p.IP.Src, dst, len(d.b), protoICMPv6)
	}
	switch {
	case icmpx.ChecksumFrom(sum, d.b) == 0:
		return Good
	case d.f.Unfinished:
		return Unfinished
	}
	return Bad
}
