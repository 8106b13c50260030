package icmpx_test

import (
	"fmt"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/icmpx/icmpx/icmpx"
)

func ExampleMarshal() {
	b, err := icmpx.Marshal(&icmp.Message{
		Type: ipv4.ICMPTypeEcho,
		Body: &icmp.Echo{ID: 0x1234, Seq: 1, Data: []byte{0, 1, 2, 3, 4, 5, 6, 7}},
	}, netip.Addr{}, netip.Addr{})
	fmt.Printf("%x %v\n", b, err)
	// Output: 0800d9ba123400010001020304050607 <nil>
}

func ExampleParse() {
	b := unhex("03040ba000000578" + quote28)
	m, err := icmpx.Parse(icmpx.IPv4, b, netip.Addr{}, netip.Addr{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(icmpx.CodeName(icmpx.IPv4, b[0], b[1]), m.Body.(*icmpx.FragNeeded).MTU)
	_, err = icmpx.Parse(icmpx.IPv4, b[:30], netip.Addr{}, netip.Addr{})
	fmt.Println(err)
	// Output:
	// Frag needed and DF set 1400
	// parse ICMP checksum at byte 2: wrong checksum
}

func ExampleDissect() {
	b := unhex("0b00 0000 0000 0000" + quote28)
	d := icmpx.Dissect(icmpx.IPv4, b[:30], icmpx.DissectOptions{Len: len(b)})
	fmt.Println(d.Find("quote", "destination").Value)
	for _, p := range d.Problems {
		fmt.Println(p.Error())
	}
	// Output:
	// 10.0.0.2
	// parse destination port at byte 30: truncated
	// parse ICMP message at byte 30: truncated
}

func ExampleParseQuote() {
	q, err := icmpx.ParseQuote(unhex(quote28), icmpx.IPv4)
	fmt.Println(q.Src, q.Dst, q.TTL, q.SrcPort, q.DstPort, err)
	// Output: 10.0.0.1 10.0.0.2 1 40000 33434 <nil>
}

func ExampleDescribe() {
	fmt.Println(icmpx.Describe(icmpx.IPv4, 3, 1))
	fmt.Println(icmpx.Describe(icmpx.IPv6, 1, 3))
	fmt.Println(icmpx.Describe(icmpx.IPv4, 44, 5))
	// Output:
	// Destination Host Unreachable
	// Destination unreachable: Address unreachable
	// type 44, code 5
}
