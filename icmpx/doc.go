// Package icmpx reads and writes ICMP and ICMPv6 as the network really carries
// them, and sends and receives them through the sockets of Linux.
//
// The wire part is pure and runs everywhere. [Parse] and [Marshal] are strict
// inverses of each other around the messages of golang.org/x/net/icmp; [Dissect]
// names every field of any bytes and says where they stop making sense;
// [ParseQuote] reads what an error quotes, and [DecodeReply] is the receive
// path, without an allocation. [ParseExtensions] reads the RFC 4884 extensions
// behind a quote. [TypeName], [CodeName] and [Describe] know every assigned type
// and code.
//
// Everything that comes from the network is hostile here: no input makes these
// functions panic, read beyond it, or allocate more than a multiple of its
// length.
package icmpx
