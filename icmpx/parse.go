package icmpx

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Parse reads b, one whole ICMP message of family f from its type byte on, and
// is strict: every length must fit, every checksum be right, every reserved bit
// and unused byte be zero, and an error must quote a whole IP header of its own
// family with 8 bytes behind it, or all of a shorter packet. Codes and values
// that are merely unassigned are not errors. What Parse accepts, Marshal turns
// back into the same bytes. For what the network really sends use Dissect or
// DecodeReply.
//
// The checksum of ICMPv6 covers the packet's addresses: it is verified if src
// and dst are IPv6 addresses (after a routing header the final destination),
// and otherwise taken as the kernel's word. For IPv4 they are ignored.
//
// Bodies are icmp.Echo and icmp.PacketTooBig of x/net, and this package's
// Unreachable, FragNeeded, TimeExceeded, ParamProblem, SourceQuench, Redirect,
// Timestamp, Information, AddressMask, RouterAdvertisement, RouterSolicitation,
// ExtEchoRequest and ExtEchoReply, and for ICMPv6 NDRouterSolicitation,
// NDRouterAdvertisement, NeighborSolicitation, NeighborAdvertisement, NDRedirect,
// InverseNeighbor, MLD, MLDv2Query and MLDv2Report; of any other type
// icmp.RawBody. They share b. The error is a *ParseError.
func Parse(f Family, b []byte, src, dst netip.Addr) (*icmp.Message, error) {
	switch {
	case f != IPv4 && f != IPv6:
		return nil, &ParseError{"address family", 0, ErrVersion}
	case len(b) < 4:
		return nil, &ParseError{"ICMP header", len(b), ErrTruncated}
	case len(b) > longestMessage(f):
		return nil, &ParseError{"ICMP message", longestMessage(f), ErrLength}
	case !messageSumOK(f, b, src, dst):
		return nil, &ParseError{"ICMP checksum", 2, ErrChecksum}
	}
	m := &icmp.Message{Code: int(b[1]), Checksum: int(binary.BigEndian.Uint16(b[2:]))}
	m.Type = ipv4.ICMPType(b[0])
	if f == IPv6 {
		m.Type = ipv6.ICMPType(b[0])
	}
	var err error
	if m.Body, err = parseBody(f, b); err != nil {
		return nil, err
	}
	return m, nil
}

// messageSumOK reports whether the checksum of a whole message is right, as
// far as that can be told.
func messageSumOK(f Family, b []byte, src, dst netip.Addr) bool {
	switch {
	case f != IPv6:
		return Checksum(b) == 0
	case src.Is6() && dst.Is6():
		return ChecksumFrom(PseudoSum(src, dst, len(b), protoICMPv6), b) == 0
	}
	return true
}

// parseBody reads the body of the message b, which has at least 4 bytes.
func parseBody(f Family, b []byte) (icmp.MessageBody, error) {
	parse := bodyParser(f, b[0])
	if parse == nil {
		return &icmp.RawBody{Data: b[4:]}, nil
	}
	if len(b) < headerLen {
		return nil, &ParseError{"ICMP header", len(b), ErrTruncated}
	}
	return parse(f, b)
}

// bodyParser returns what reads the bodies of a type; nil if they are left raw.
func bodyParser(f Family, typ uint8) func(Family, []byte) (icmp.MessageBody, error) {
	if f == IPv6 {
		switch typ {
		case v6Unreachable:
			return parseUnreachable
		case v6PacketTooBig:
			return parsePacketTooBig
		case v6TimeExceeded:
			return parseTimeExceeded
		case v6ParamProblem:
			return parseParamProblem
		case v6EchoRequest, v6EchoReply:
			return parseEcho
		case v6ExtEchoRequest:
			return parseExtEchoRequest
		case v6ExtEchoReply:
			return parseExtEchoReply
		}
		return discoveryParser(typ)
	}
	switch typ {
	case v4EchoReply, v4EchoRequest:
		return parseEcho
	case v4Unreachable:
		return parseUnreachable
	case v4SourceQuench:
		return parseSourceQuench
	case v4Redirect:
		return parseRedirect
	case v4RouterAdvert:
		return parseRouterAdvertisement
	case v4RouterSolicit:
		return parseRouterSolicitation
	case v4TimeExceeded:
		return parseTimeExceeded
	case v4ParamProblem:
		return parseParamProblem
	case v4TimestampRequest, v4TimestampReply:
		return parseTimestamp
	case v4InformationRequest, v4InformationReply:
		return parseInformation
	case v4MaskRequest, v4MaskReply:
		return parseAddressMask
	case v4ExtEchoRequest:
		return parseExtEchoRequest
	case v4ExtEchoReply:
		return parseExtEchoReply
	}
	return nil
}

// discoveryParser returns what reads the bodies of neighbour and multicast
// listener discovery.
func discoveryParser(typ uint8) func(Family, []byte) (icmp.MessageBody, error) {
	switch typ {
	case v6MLDQuery:
		return parseMLDQuery
	case v6MLDReport, v6MLDDone:
		return parseMLD
	case v6MLDv2Report:
		return parseMLDv2Report
	case v6RouterSolicit:
		return parseNDRouterSolicitation
	case v6RouterAdvert:
		return parseNDRouterAdvertisement
	case v6NeighborSolicit:
		return parseNeighborSolicitation
	case v6NeighborAdvert:
		return parseNeighborAdvertisement
	case v6Redirect:
		return parseNDRedirect
	case v6InverseSolicit, v6InverseAdvert:
		return parseInverseNeighbor
	}
	return nil
}
