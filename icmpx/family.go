package icmpx

import (
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Family is an Internet Protocol version. It is a value that selects a row of
// one table, so that IPv4 and IPv6 share every line of code that is not about
// the bytes themselves. The zero Family means "not chosen".
type Family uint8

// The address families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// FamilyOf returns the family of an address. An IPv4-mapped IPv6 address
// counts as IPv4, the zero Addr has no family.
func FamilyOf(a netip.Addr) Family {
	switch {
	case a.Is4() || a.Is4In6():
		return IPv4
	case a.Is6():
		return IPv6
	}
	return 0
}

// String returns "IPv4", "IPv6" or "IP".
func (f Family) String() string {
	switch f {
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "IP"
}

// Protocol is the protocol or next-header number of the family's ICMP: 1
// (RFC 792) or 58 (RFC 4443).
func (f Family) Protocol() int { return f.row().protocol }

// HeaderLen is the length in bytes of the fixed IP header: 20 (RFC 791) or 40
// (RFC 8200).
func (f Family) HeaderLen() int { return f.row().headerLen }

// MinMTU is the smallest MTU in bytes that a link may have: 68 (RFC 791) or
// 1280 (RFC 8200 section 5).
func (f Family) MinMTU() int { return f.row().minMTU }

// MaxPayload is the largest echo payload in bytes that one datagram without IP
// options or extension headers carries: 65,507 or 65,527.
func (f Family) MaxPayload() int { return f.row().maxPayload }

type familyRow struct {
	protocol, headerLen, minMTU, maxPayload int

	echoRequest, echoReply uint8
}

var familyTable = [2]familyRow{
	{
		protocol: 1, headerLen: ipv4.HeaderLen, minMTU: 68, maxPayload: 65535 - ipv4.HeaderLen - 8,
		echoRequest: uint8(ipv4.ICMPTypeEcho), echoReply: uint8(ipv4.ICMPTypeEchoReply),
	},
	{
		protocol: 58, headerLen: ipv6.HeaderLen, minMTU: 1280, maxPayload: 65535 - 8,
		echoRequest: uint8(ipv6.ICMPTypeEchoRequest), echoReply: uint8(ipv6.ICMPTypeEchoReply),
	},
}

func (f Family) row() *familyRow {
	if f == IPv6 {
		return &familyTable[1]
	}
	return &familyTable[0]
}
