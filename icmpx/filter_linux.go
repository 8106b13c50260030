package icmpx

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Raw sockets hear all ICMP of the host. Two filters in the kernel leave what
// may answer us: one by type, which is the cheaper, and a program that reads
// the identifier.

// answers are the types that pass, of queries and of errors.
func (f Family) answers() (queries, errors []uint8) {
	if f == IPv6 {
		return []uint8{v6EchoReply, v6ExtEchoReply},
			[]uint8{v6Unreachable, v6PacketTooBig, v6TimeExceeded, v6ParamProblem}
	}
	return []uint8{v4EchoReply, v4TimestampReply, v4InformationReply, v4MaskReply, v4ExtEchoReply},
		[]uint8{v4Unreachable, v4SourceQuench, v4Redirect, v4TimeExceeded, v4ParamProblem}
}

// blockTypes lets the types of answers pass. In IPv4 it knows only the types
// below 32; the others are left to the program.
func blockTypes(fd int, f Family) error {
	queries, errs := f.answers()
	filter := unix.ICMPv6Filter{}
	for i := range filter.Data {
		filter.Data[i] = 1<<32 - 1
	}
	for _, t := range append(queries, errs...) {
		filter.Data[t/32] &^= 1 << (t % 32)
	}
	n := f.sock()
	var err error
	if f == IPv6 {
		err = unix.SetsockoptICMPv6Filter(fd, n.filterLevel, n.filterOption, &filter)
	} else {
		err = unix.SetsockoptInt(fd, n.filterLevel, n.filterOption, int(int32(filter.Data[0])))
	}
	if err != nil {
		return fmt.Errorf("set icmp filter: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// idFilter returns the program for identifier id. Its rules:
//  1. a query's answer passes if it has the identifier;
//  2. an error passes if the ICMP header that it quotes has the identifier;
//  3. an error passes, for a closer look, if its quote has IPv4 options or an
//     IPv6 extension header other than those of UDP and TCP;
//  4. nothing else passes.
//
// A load beyond the end of the packet drops it. Raw IPv4 sockets see the IP
// header, whose length goes into X; raw IPv6 sockets do not.
func idFilter(f Family, id uint16) []bpf.Instruction {
	queries, errs := f.answers()
	var x bpf.Instruction = bpf.LoadConstant{Dst: bpf.RegX, Val: 0}
	if f == IPv4 {
		x = bpf.LoadMemShift{Off: 0}
	}
	prog := []bpf.Instruction{x, bpf.LoadIndirect{Off: 0, Size: 1}}
	prog = append(prog, when(queries, passID(4, id))...)
	prog = append(prog, when(errs, append(quoteChecks(f), passID(headerLen+f.HeaderLen()+4, id)...))...)
	return append(prog, dropPacket)
}

var (
	passPacket = bpf.RetConstant{Val: 1 << 30} // the most bytes to keep
	dropPacket = bpf.RetConstant{Val: 0}
)

// when runs block, which ends the program, if A is one of values.
func when(values []uint8, block []bpf.Instruction) []bpf.Instruction {
	var prog []bpf.Instruction
	for i, v := range values {
		prog = append(prog, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(v), SkipTrue: uint8(len(values) - i)})
	}
	prog = append(prog, bpf.Jump{Skip: uint32(len(block))})
	return append(prog, block...)
}

// unless returns ret if A is not v.
func unless(v uint32, ret bpf.RetConstant) []bpf.Instruction {
	return []bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: 1}, ret}
}

// passID passes the packet if the 16 bits at off are id.
func passID(off int, id uint16) []bpf.Instruction {
	prog := append([]bpf.Instruction{bpf.LoadIndirect{Off: uint32(off), Size: 2}}, unless(uint32(id), dropPacket)...)
	return append(prog, passPacket)
}

// quoteChecks end the program unless the error quotes ICMP right behind a
// plain IP header.
func quoteChecks(f Family) []bpf.Instruction {
	const quote = headerLen
	if f == IPv6 {
		return append([]bpf.Instruction{
			bpf.LoadIndirect{Off: quote + 6, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: protoUDP, SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoTCP, SkipTrue: 1},
			dropPacket,
		}, unless(uint32(f.Protocol()), passPacket)...)
	}
	prog := append([]bpf.Instruction{bpf.LoadIndirect{Off: quote, Size: 1}}, unless(0x45, passPacket)...)
	prog = append(prog, bpf.LoadIndirect{Off: quote + 9, Size: 1})
	return append(prog, unless(uint32(f.Protocol()), dropPacket)...)
}

// attach puts prog in place of the socket's filter.
func attach(fd int, prog []bpf.Instruction) error {
	raw, err := bpf.Assemble(prog)
	if err != nil {
		return fmt.Errorf("assemble filter: %w", err)
	}
	return attachRaw(fd, raw)
}

// attachRaw is attach for an assembled program.
func attachRaw(fd int, raw []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(raw))
	for i, ins := range raw {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: unsafe.SliceData(filter)}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
		return fmt.Errorf("attach filter: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// deafen closes the socket's receive side and throws away what is in its
// queue. A raw socket hears everything from its first moment, so its filter
// must not be the first thing it gets: what came before would stay.
func deafen(fd int) error {
	if err := attach(fd, []bpf.Instruction{bpf.RetConstant{Val: 0}}); err != nil {
		return err
	}
	var b [1]byte
	for {
		_, _, err := unix.Recvfrom(fd, b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			return nil
		default:
			return fmt.Errorf("empty receive queue: %w", os.NewSyscallError("recvfrom", err))
		}
	}
}
