package icmpx_test

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// A router advertisement: its lifetime, and the prefix that it gives.
func ExampleDissect_routerAdvertisement() {
	b := unhex("8600 0000 40c0 0708 00000000 00000000" +
		"0304 40c0 00015180 00003840 00000000 20010db8000000000000000000000000" +
		"0501 0000 000005dc")
	d := icmpx.Dissect(icmpx.IPv6, b, icmpx.DissectOptions{})
	fmt.Println("lifetime", d.Find("router lifetime").Value)
	for _, f := range d.Fields {
		if f.Name != "option" {
			continue
		}
		typ := f.Find("type").Value.(uint64)
		fmt.Println(icmpx.NDOptionName(uint8(typ)))
		if p := f.Find("prefix"); p != nil {
			fmt.Println(p.Value, f.Find("prefix length").Value)
		}
	}
	fmt.Println(len(d.Problems), "problems")
	// Output:
	// lifetime 1800
	// Prefix Information
	// 2001:db8:: 64
	// MTU
	// 0 problems
}

func ExampleMessageLayout() {
	for _, f := range icmpx.MessageLayout(icmpx.IPv4, 3, 4) {
		fmt.Printf("%2d %s\n", f.Bits, f.Name)
	}
	// Output:
	//  8 type
	//  8 code
	// 16 checksum
	//  8 unused
	//  8 length
	// 16 next-hop MTU
	//  0 quote
	//  0 extension
}

func ExampleMessagesNamed() {
	for _, m := range icmpx.MessagesNamed("Packet too big") {
		fmt.Println(m.Family, m.Type, icmpx.TypeName(m.Family, m.Type))
	}
	fmt.Println(len(icmpx.MessagesNamed(strings.Repeat("x", 9))))
	// Output:
	// IPv6 2 Packet Too Big
	// 0
}

// It takes CAP_NET_RAW to send packets with headers of one's own.
func ExampleOpenRaw() {
	s, err := icmpx.OpenRaw(icmpx.RawConfig{Family: icmpx.IPv4})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	dst := netip.MustParseAddr("192.0.2.1")
	src, err := s.SourceFor(dst)
	if err != nil {
		fmt.Println(err)
		return
	}
	msg := unhex("0800 d9ba 1234 0001 0001020304050607") // an echo request
	h := icmpx.IPv4Header{TTL: 64, Proto: 1, Src: src, Dst: dst, TotalLen: 20 + len(msg), DF: true}
	b, err := h.AppendBinary(nil)
	if err == nil {
		err = s.Send(append(b, msg...), dst)
	}
	if err != nil {
		fmt.Println(err)
	}
}
