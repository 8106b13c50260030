// Package filter selects packets by expressions in the syntax of pcap-filter(7),
// as far as that is about ICMP and IP, and by a few words of its own.
//
//	host A, src host A, dst net A/LEN, net A mask M      addresses of the IP header
//	ip, ip6, icmp, icmp6, proto N, ip proto N            what it is
//	ip multicast, ip6 multicast                          where it goes
//	icmp[icmptype] == icmp-echo, ip[8] < 5, len > 100    comparisons of numbers
//	greater N, less N                                    length on the wire
//	vlan, vlan N, inbound, outbound                      as the capture says
//	type T, code C, id N, seq N                          of the ICMP message, either version
//	quoted host A, quoted src net A/LEN                  of the packet that an error quotes
//	and, or, not, &&, ||, !, ( )
//
// As in pcap, "and" and "or" bind equally, from the left, and a value without a
// word takes the last one: "host A or B". T and C are numbers or the names of
// package icmpx in small letters, "time-exceeded"; a name of a code says the
// type as well.
//
// What is compared is the header nearest to the ICMP message, and the message
// that the frame begins or completes: in the frame that completes a fragmented
// message that is the whole of it.
//
// A comparison of bytes that are not there is neither true nor false: a packet
// cut short is selected neither by "type echo" nor by "not type echo".
package filter

import (
	"fmt"

	"github.com/icmpx/icmpx/internal/packet"
)

// A Filter is a parsed expression. The nil Filter selects every packet.
type Filter struct {
	text string
	root node // nil selects every packet
}

// Match reports whether the filter selects p.
func (f *Filter) Match(p *packet.Packet) bool {
	return f == nil || f.root == nil || f.root.match(p) == yes
}

// String returns the expression that was parsed.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// A SyntaxError says where an expression cannot be read.
type SyntaxError struct {
	Offset int    // in bytes from the start of the expression
	Text   string // what is wrong there
}

// Error returns the place, counted from 1, and what is wrong.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("filter, column %d: %s", e.Offset+1, e.Text)
}
