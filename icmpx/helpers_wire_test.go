package icmpx_test

import (
	"encoding/hex"
	"net/netip"
	"strings"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

var (
	addr4a = netip.MustParseAddr("192.0.2.1")
	addr4b = netip.MustParseAddr("198.51.100.2")
	addr6a = netip.MustParseAddr("2001:db8::1")
	addr6b = netip.MustParseAddr("2001:db8::2")

	ipv6Echo = ipv6.ICMPTypeEchoRequest
	echoBody = &icmp.Echo{ID: 1, Seq: 2, Data: []byte("data")}
)

// quotedHeader returns an IPv4 header for a packet of the given length from
// 192.0.2.1 to 198.51.100.2.
func quotedHeader(total int, proto uint8) []byte {
	h := icmpx.IPv4Header{TotalLen: total, ID: 7, TTL: 1, Proto: proto, Src: addr4a, Dst: addr4b}
	b, err := h.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return b
}

// quotedHeader6 returns an IPv6 header from 2001:db8::1 to 2001:db8::2.
func quotedHeader6(payload int, proto uint8, exts ...icmpx.IPv6Extension) []byte {
	h := icmpx.IPv6Header{PayloadLen: payload, HopLimit: 1, Proto: proto, Src: addr6a, Dst: addr6b, Extensions: exts}
	b, err := h.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return b
}

// quotedUDP returns an IPv4 or IPv6 packet with an empty UDP datagram.
func quotedUDP(f icmpx.Family) []byte {
	udp := icmpx.UDPHeader{SrcPort: 40000, DstPort: 33434, Length: 8, Checksum: 0xcd00}
	b := quotedHeader(28, 17)
	if f == icmpx.IPv6 {
		b = quotedHeader6(8, 17)
	}
	b, err := udp.AppendBinary(b)
	if err != nil {
		panic(err)
	}
	return b
}

// mustMarshal marshals a message whose checksum, if it is ICMPv6's, is that
// between 2001:db8::1 and 2001:db8::2.
func mustMarshal(typ icmp.Type, code int, body icmp.MessageBody) []byte {
	b, err := icmpx.Marshal(&icmp.Message{Type: typ, Code: code, Body: body}, addr6a, addr6b)
	if err != nil {
		panic(err)
	}
	return b
}

// unhex decodes hexadecimal digits with spaces between them.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}
