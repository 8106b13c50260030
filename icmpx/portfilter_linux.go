package icmpx

import (
	"golang.org/x/net/bpf"
)

// errorFilter returns the program for a raw ICMP socket that hears errors about
// packets of a protocol from ports. Its rules:
//  1. only errors pass;
//  2. one passes, for a closer look, if its quote has IPv4 options or an IPv6
//     extension header;
//  3. one about another protocol does not pass;
//  4. one about a packet from one of the ports passes;
//  5. one about an IPv4 packet from another address than the error comes to
//     passes: a translator has changed the address, and perhaps the port;
//  6. nothing else passes.
//
// A load beyond the end of the packet drops it. Raw IPv4 sockets see the IP
// header, whose length goes into X; raw IPv6 sockets do not.
func errorFilter(f Family, proto uint8, ports []uint16) []bpf.Instruction {
	_, errs := f.answers()
	const quote = headerLen
	off := uint32(quote + f.HeaderLen())
	block := quotedProto(f, proto)
	block = append(block, bpf.LoadIndirect{Off: off, Size: 2})
	block = append(block, passAny(ports)...)
	if f == IPv4 {
		block = append(block, passTranslated...)
	}
	prog := append([]bpf.Instruction{headerLength(f)}, bpf.LoadIndirect{Off: 0, Size: 1})
	prog = append(prog, when(errs, append(block, dropPacket))...)
	return append(prog, dropPacket)
}

// headerLength loads the length of the IP header that comes with a packet.
func headerLength(f Family) bpf.Instruction {
	if f == IPv4 {
		return bpf.LoadMemShift{Off: 0}
	}
	return bpf.LoadConstant{Dst: bpf.RegX, Val: 0}
}

// quotedProto ends the program unless the error quotes proto right behind a
// plain IP header.
func quotedProto(f Family, proto uint8) []bpf.Instruction {
	const quote = headerLen
	if f == IPv6 {
		prog := []bpf.Instruction{bpf.LoadIndirect{Off: quote + 6, Size: 1}}
		others := []uint32{protoUDP, protoTCP, protoICMPv6, protoNone}
		for _, p := range others {
			if p != uint32(proto) {
				prog = append(prog, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: p, SkipTrue: 1}, dropPacket)
			}
		}
		return append(prog, unless(uint32(proto), passPacket)...)
	}
	prog := append([]bpf.Instruction{bpf.LoadIndirect{Off: quote, Size: 1}}, unless(0x45, passPacket)...)
	prog = append(prog, bpf.LoadIndirect{Off: quote + 9, Size: 1})
	return append(prog, unless(uint32(proto), dropPacket)...)
}

// passAny passes the packet if A is one of ports, and goes on if it is not.
func passAny(ports []uint16) []bpf.Instruction {
	var prog []bpf.Instruction
	for _, p := range ports {
		prog = append(prog, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(p), SkipTrue: 1}, passPacket)
	}
	return prog
}

// passTranslated passes an IPv4 error unless its quote comes from the address
// that it goes to.
var passTranslated = []bpf.Instruction{
	bpf.LoadIndirect{Off: headerLen + 12, Size: 4},
	bpf.StoreScratch{Src: bpf.RegA, N: 0},
	bpf.LoadAbsolute{Off: 16, Size: 4},
	bpf.TAX{},
	bpf.LoadScratch{Dst: bpf.RegA, N: 0},
	bpf.JumpIfX{Cond: bpf.JumpEqual, SkipTrue: 1},
	passPacket,
}

// tcpFilter returns the program for a raw TCP socket: what has SYN and ACK or
// RST, and goes to one of ports, passes.
func tcpFilter(f Family, ports []uint16) []bpf.Instruction {
	prog := []bpf.Instruction{
		headerLength(f),
		bpf.LoadIndirect{Off: 13, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: uint32(TCPRst), SkipTrue: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: uint32(TCPSyn), SkipFalse: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: uint32(TCPAck), SkipFalse: 1},
		bpf.Jump{Skip: 1},
		dropPacket,
		bpf.LoadIndirect{Off: 2, Size: 2},
	}
	return append(append(prog, passAny(ports)...), dropPacket)
}
