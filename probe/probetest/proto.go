package probetest

import "github.com/icmpx/icmpx/icmpx"

// A protoRow is what the network has to know of one kind of probe.
type protoRow struct {
	header int // bytes in front of the payload
	number [2]uint8
	keys   func(*Link, *icmpx.Request) icmpx.KeySpace
	answer func(*node, *icmpx.Request) (icmpx.Kind, bool) // false: the port is closed and says so in an ICMP error
}

var protos = [...]protoRow{
	icmpx.ProtoEcho:        {header: 8, number: icmpNumbers, keys: echoKeys, answer: always(icmpx.KindEchoReply)},
	icmpx.ProtoTimestamp:   {header: 8, number: icmpNumbers, keys: echoKeys, answer: always(icmpx.KindTimestampReply)},
	icmpx.ProtoInformation: {header: 8, number: icmpNumbers, keys: echoKeys, answer: always(icmpx.KindInformationReply)},
	icmpx.ProtoMask:        {header: 8, number: icmpNumbers, keys: echoKeys, answer: always(icmpx.KindMaskReply)},
	icmpx.ProtoExtEcho:     {header: 8, number: icmpNumbers, keys: extEchoKeys, answer: always(icmpx.KindExtEchoReply)},
	icmpx.ProtoUDP:         {header: 8, number: [2]uint8{17, 17}, keys: udpKeys, answer: udpAnswer},
	icmpx.ProtoTCPSYN:      {header: 20, number: [2]uint8{6, 6}, keys: tcpKeys, answer: tcpAnswer},
}

var icmpNumbers = [2]uint8{1, 58}

// transport returns the protocol number of r in family f.
func transport(p icmpx.Proto, f icmpx.Family) uint8 {
	if f == icmpx.IPv6 {
		return protos[p].number[1]
	}
	return protos[p].number[0]
}

// Echo: the identifier is the flow, the probe's number the tag, of which the
// sequence number is the low 16 bits.
func echoKeys(l *Link, _ *icmpx.Request) icmpx.KeySpace {
	return icmpx.KeySpace{Flow: l.flow, First: 1, Last: 1 << 16}
}

// Extended echo has 8 bits of sequence number (RFC 8335 section 2).
func extEchoKeys(l *Link, _ *icmpx.Request) icmpx.KeySpace {
	return icmpx.KeySpace{Flow: l.flow, First: 1, Last: 1 << 8}
}

// tracePort is where traceroute's UDP probes start.
const tracePort = 33434

// UDP: ports as the flow and the checksum as the tag, or (Classic) the source
// port as the flow and the destination port as the tag.
func udpKeys(l *Link, r *icmpx.Request) icmpx.KeySpace {
	sport := l.flow + uint32(r.Path)
	if l.net.opt.Classic {
		return icmpx.KeySpace{Flow: sport, First: tracePort, Last: 1<<16 - 1}
	}
	return icmpx.KeySpace{Flow: sport<<16 | uint32(orPort(r.Port)), First: 1, Last: 1<<16 - 1}
}

// TCP: ports as the flow, the sequence number as the tag.
func tcpKeys(l *Link, r *icmpx.Request) icmpx.KeySpace {
	return icmpx.KeySpace{Flow: (l.flow+uint32(r.Path))<<16 | uint32(r.Port), First: 1, Last: 1<<32 - 1}
}

func orPort(p uint16) uint16 {
	if p == 0 {
		return tracePort
	}
	return p
}

func always(k icmpx.Kind) func(*node, *icmpx.Request) (icmpx.Kind, bool) {
	return func(*node, *icmpx.Request) (icmpx.Kind, bool) { return k, true }
}

func udpAnswer(n *node, r *icmpx.Request) (icmpx.Kind, bool) {
	for _, port := range n.OpenUDP {
		if port == r.Port {
			return icmpx.KindUDPAnswer, true
		}
	}
	return icmpx.KindUnreachable, false
}

func tcpAnswer(n *node, r *icmpx.Request) (icmpx.Kind, bool) {
	for _, port := range n.OpenTCP {
		if port == r.Port {
			return icmpx.KindTCPOpen, true
		}
	}
	return icmpx.KindTCPClosed, true
}
