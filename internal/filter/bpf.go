package filter

import (
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// maxProgram is the most instructions of a program. The kernel takes 4096, and
// charges them to the memory for options of a socket, of which older kernels
// have 20 KiB.
const maxProgram = 1024

// keepBytes is how much of a packet passes: all of it.
const keepBytes = 1 << 18

// BPF returns a program for a packet socket that passes the packets which Match
// may select, and in doubt others: Match decides. link is what the frames begin
// with: LinkEthernet, or LinkRaw for frames that begin with the IP header.
//
// With all false only what may carry ICMP passes: protocols 1 and 58 of either
// version, behind IPv6 extension headers and an authentication header too, and
// every fragment of such packets, since the message is rebuilt from them; behind
// Ethernet, VLAN tags and PPPoE, not in tunnels. With all true everything passes
// that Match selects of anything, also the packets of other tunnels and layers
// that only a decoder looks into.
//
// Conditions on the ICMP message do not hold back fragments; those on lengths,
// VLANs and directions, and on bytes far into the message, hold back nothing.
// The same is true of the whole filter if its program were too long.
func (f *Filter) BPF(link packet.LinkType, all bool) ([]bpf.Instruction, error) {
	var root node
	if f != nil {
		root = f.root
	}
	c := &compiler{all: all}
	if err := c.compile(link, root); err != nil {
		return nil, err
	}
	prog := c.program()
	if len(prog) > maxProgram {
		c = &compiler{all: all}
		if err := c.compile(link, nil); err != nil {
			return nil, err
		}
		prog = c.program()
	}
	return prog, nil
}

// A compiler writes a program. It first finds the IP header and says what kind
// of packet it is; each kind has its own copy of the conditions.
type compiler struct {
	assembler
	all                bool
	accept, drop, rest label // rest: what is not looked into
}

// Registers of the program.
const (
	ipAt      = 0 // scratch: where the IP header begins
	messageAt = 1 // scratch: where the ICMP message begins
)

func (c *compiler) compile(link packet.LinkType, root node) error {
	c.accept, c.drop, c.rest = c.label(), c.label(), c.label()
	switch link {
	case packet.LinkRaw:
		c.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: 0})
		c.version(root, false, c.rest)
	case packet.LinkEthernet:
		c.ethernet(root)
	default:
		return fmt.Errorf("no socket filter for frames of link type %d", link)
	}
	c.put(c.accept)
	c.emit(bpf.RetConstant{Val: keepBytes})
	c.put(c.rest)
	if c.all {
		c.emit(bpf.RetConstant{Val: keepBytes})
	}
	c.put(c.drop)
	c.emit(bpf.RetConstant{Val: 0})
	return nil
}

// EtherTypes.
const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherPPPoE = 0x8864
	etherLeast = 0x0600 // anything below is a length
)

// ethernet finds the IP header behind up to two VLAN tags and PPPoE.
func (c *compiler) ethernet(root node) {
	const header, tag, tags = 14, 4, 2
	ipv4, ipv6 := c.label(), c.label()
	for n := range tags + 1 {
		at := uint32(header + n*tag)
		next := c.label()
		c.ifLen(at, c.rest)
		c.emit(bpf.LoadAbsolute{Off: at - 2, Size: 2})
		c.etherType(at, ipv4, ipv6, next)
		c.put(next)
	}
	c.jump(c.accept) // more tags than are read
	c.put(ipv6)
	c.version(root, true, c.accept)
	c.put(ipv4)
	c.version(root, false, c.accept)
}

// ifLen goes to short if the frame has fewer than n bytes.
func (c *compiler) ifLen(n uint32, short label) {
	long := c.label()
	c.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	c.branch(bpf.JumpGreaterOrEqual, n, long, short)
	c.put(long)
}

// etherType goes by the EtherType in the accumulator, which ends at at. X
// becomes the place of the IP header.
func (c *compiler) etherType(at uint32, ipv4, ipv6, tagged label) {
	for _, tag := range [...]uint32{0x8100, 0x88a8, 0x9100, 0x9200} {
		c.ifEqual(tag, tagged)
	}
	is4, is6, pppoe, other := c.label(), c.label(), c.label(), c.label()
	c.ifEqual(etherIPv4, is4)
	c.ifEqual(etherIPv6, is6)
	c.ifEqual(etherPPPoE, pppoe)
	c.branch(bpf.JumpLessThan, etherLeast, c.accept, other) // LLC is rare, and may lead to IP

	c.put(pppoe)
	session4, session6 := c.label(), c.label()
	c.pppoe(at, session4, session6)
	c.land(session4, at+8, ipv4)
	c.land(session6, at+8, ipv6)
	c.land(is4, at, ipv4)
	c.land(is6, at, ipv6)
	c.put(other)
	c.jump(c.rest)
}

// pppoe goes by the protocol of a PPPoE session packet (RFC 2516 section 4) that
// begins at at. One so short that it may end within the headers passes.
func (c *compiler) pppoe(at uint32, ipv4, ipv6 label) {
	const longest = 2 + 60 + messageBytes
	session, long := c.label(), c.label()
	c.ifLen(at+8, c.rest)
	c.emit(bpf.LoadAbsolute{Off: at, Size: 2})
	c.branch(bpf.JumpEqual, 0x1100, session, c.rest)
	c.put(session)
	c.emit(bpf.LoadAbsolute{Off: at + 4, Size: 2})
	c.branch(bpf.JumpGreaterOrEqual, longest, long, c.accept)
	c.put(long)
	c.emit(bpf.LoadAbsolute{Off: at + 6, Size: 2})
	c.ifEqual(0x0021, ipv4)
	c.ifEqual(0x0057, ipv6)
	c.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x100})
	c.branch(bpf.JumpEqual, 0, c.rest, c.accept) // a number of one byte is odd
}

// ifEqual goes to l if the accumulator is v.
func (c *compiler) ifEqual(v uint32, l label) {
	next := c.label()
	c.branch(bpf.JumpEqual, v, l, next)
	c.put(next)
}

// land sets X at a label and goes on to another.
func (c *compiler) land(from label, x uint32, to label) {
	c.put(from)
	c.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: x})
	c.jump(to)
}

// version goes by the version of the IP packet at X, to wrong for one that is not
// as announced. What is announced as IPv4 may be IPv6, but not the other way.
func (c *compiler) version(root node, only6 bool, wrong label) {
	is4, is6 := c.label(), c.label()
	c.emit(bpf.StoreScratch{Src: bpf.RegX, N: ipAt})
	c.ifRoom(20, c.rest)
	c.emit(bpf.LoadIndirect{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	c.ifEqual(6, is6)
	if only6 {
		c.jump(wrong)
	} else {
		c.branch(bpf.JumpEqual, 4, is4, wrong)
		c.put(is4)
		c.ipv4(root)
	}
	c.put(is6)
	c.ipv6(root)
}

// ifRoom goes to short if fewer than n bytes of the frame stand behind X, which
// is within it.
func (c *compiler) ifRoom(n uint32, short label) {
	room := c.label()
	c.emit(bpf.LoadExtension{Num: bpf.ExtLen}, bpf.ALUOpX{Op: bpf.ALUOpSub})
	c.branch(bpf.JumpGreaterOrEqual, n, room, short)
	c.put(room)
}

// IP protocol numbers.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoAH     = 51
	protoICMPv6 = 58
)

// ipv4 looks at an IPv4 packet at X.
func (c *compiler) ipv4(root node) {
	icmp, part := c.label(), c.label()
	c.emit(bpf.LoadIndirect{Off: 9, Size: 1})
	c.ifEqual(protoICMP, icmp)
	c.ifEqual(protoICMPv6, c.accept)
	c.ifEqual(protoAH, c.accept)
	c.others(root, icmpx.IPv4)

	c.put(icmp)
	whole, fine := c.label(), c.label()
	c.emit(bpf.LoadIndirect{Off: 6, Size: 2})
	c.branch(bpf.JumpBitsSet, 0x3fff, part, whole) // MF, offset
	c.put(whole)
	c.emit(bpf.LoadIndirect{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0f})
	c.branch(bpf.JumpGreaterOrEqual, 5, fine, part) // a header that cannot be
	c.put(fine)
	c.emit(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2}, bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.StoreScratch{Src: bpf.RegA, N: messageAt})
	c.emit(bpf.LoadIndirect{Off: 2, Size: 2}, bpf.ALUOpX{Op: bpf.ALUOpAdd}, // the end of the datagram
		bpf.LoadScratch{Dst: bpf.RegX, N: messageAt})
	c.reaches(part)
	c.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	c.reaches(part)
	c.conditions(root, view{icmpx.IPv4, protoICMP, true})
	c.put(part)
	c.conditions(root, view{icmpx.IPv4, protoICMP, false})
}

// ipv6 looks at an IPv6 packet at X.
func (c *compiler) ipv6(root node) {
	icmp, part, whole := c.label(), c.label(), c.label()
	c.ifRoom(40, c.rest)
	c.emit(bpf.LoadIndirect{Off: 6, Size: 1})
	c.ifEqual(protoICMPv6, icmp)
	c.ifEqual(protoICMP, c.accept)
	// Behind extension headers may be anything, and a fragment may be a part of
	// anything.
	for _, header := range [...]uint32{0, 43, 44, protoAH, 60, 135, 139, 140} {
		c.ifEqual(header, c.accept)
	}
	c.others(root, icmpx.IPv6)

	c.put(icmp)
	c.emit(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 40}, bpf.StoreScratch{Src: bpf.RegA, N: messageAt},
		bpf.LoadIndirect{Off: 4, Size: 2}) // payload length
	c.branch(bpf.JumpGreaterOrEqual, messageBytes, whole, part)
	c.put(whole)
	c.emit(bpf.LoadScratch{Dst: bpf.RegX, N: messageAt}, bpf.LoadExtension{Num: bpf.ExtLen})
	c.reaches(part)
	c.conditions(root, view{icmpx.IPv6, protoICMPv6, true})
	c.put(part)
	c.conditions(root, view{icmpx.IPv6, protoICMPv6, false})
}

// messageBytes are the first bytes of a message; conditions look at no others.
const messageBytes = 8

// reaches goes to short unless the accumulator is a place at least so many
// bytes behind X.
func (c *compiler) reaches(short label) {
	behind, far := c.label(), c.label()
	c.branchX(bpf.JumpGreaterOrEqual, behind, short)
	c.put(behind)
	c.emit(bpf.ALUOpX{Op: bpf.ALUOpSub})
	c.branch(bpf.JumpGreaterOrEqual, messageBytes, far, short)
	c.put(far)
}

// others goes by a protocol in the accumulator that is not ICMP. TCP is most of
// what is not wanted; what else there is may be a tunnel.
func (c *compiler) others(root node, family icmpx.Family) {
	if !c.all {
		c.jump(c.rest)
		return
	}
	tcp := c.label()
	c.branch(bpf.JumpEqual, protoTCP, tcp, c.rest)
	c.put(tcp)
	c.conditions(root, view{family, protoTCP, false})
}
