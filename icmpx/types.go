package icmpx

import (
	"net/netip"
	"time"

	"golang.org/x/net/icmp"
)

// A Proto is what a probe is made of: the protocol and message that leave this
// host.
type Proto uint8

// The kinds of probes. The zero Proto is an ICMP echo.
const (
	ProtoEcho        Proto = iota // ICMP echo (RFC 792, RFC 4443)
	ProtoTimestamp                // ICMP timestamp (RFC 792), IPv4 only
	ProtoInformation              // ICMP information request (RFC 792, deprecated by RFC 6918), IPv4 only
	ProtoMask                     // ICMP address mask (RFC 950, deprecated by RFC 6918), IPv4 only
	ProtoExtEcho                  // ICMP extended echo (RFC 8335)
	ProtoUDP                      // UDP datagram to Port
	ProtoTCPSYN                   // TCP SYN to Port
)

// A Key is the part of a probe that the network hands back with its answer, and
// by which the answer finds its probe: for an echo Flow is the identifier and
// Tag the probe's number, whose low 16 bits are the sequence number.
type Key struct{ Flow, Tag uint32 }

// A KeySpace is the range of tags that a link can tell apart within one flow
// to one destination: First to Last, both included.
type KeySpace struct{ Flow, First, Last uint32 }

// DF chooses the path-MTU discovery mode of a packet (IP_MTU_DISCOVER and
// IPV6_MTU_DISCOVER of ip(7) and ipv6(7)).
type DF uint8

// The path-MTU discovery modes.
const (
	DFSystem DF = iota // the system's default; Linux: IP_PMTUDISC_WANT
	DFClear            // DF clear, fragment where needed: IP_PMTUDISC_DONT
	DFSet              // DF set, refuse what exceeds the cached path MTU: IP_PMTUDISC_DO
	DFProbe            // DF set, ignore the cached path MTU: IP_PMTUDISC_PROBE
)

// A Request is one packet to send.
type Request struct {
	Proto Proto
	Dst   netip.Addr // where to; an IPv6 zone is kept
	Port  uint16     // destination port of UDP and TCP
	Path  uint16     // which of several constant flows; 0 is the first
	Key   Key        // set by the engine, within what Link.Keys returned

	TTL uint8 // TTL or hop limit, 1 to 255; 0: the socket's
	TOS int16 // type of service or traffic class, 0 to 255; -1: the socket's
	DF  DF

	// Size is the length in bytes of the whole IP packet, without the IPv4
	// options that the link may add; 0: what Payload needs. A payload shorter
	// than Size asks for is followed by zeros.
	Size int

	// Payload is sent as it is and must not change until the final Result. If
	// it is nil the link writes Token, followed by Pattern over and over, into
	// as many bytes as Size leaves; see FillPayload.
	Payload []byte
	Token   uint64
	Pattern []byte // nil: 0x08, 0x09, 0x0a, ...

	Body icmp.MessageBody // of queries other than echo

	// Sent is set by Send, just before the system call. Its monotonic and wall
	// readings belong together; ClockOffset is their difference.
	Sent        time.Time
	ClockOffset time.Duration
}

// PayloadLen returns the number of payload bytes that the request carries in
// family f behind an ICMP echo header.
func (r *Request) PayloadLen(f Family) int {
	if r.Size == 0 {
		return len(r.Payload)
	}
	return max(r.Size-f.HeaderLen()-8, 0)
}

// A Kind says what an answer means, whichever family carried it.
type Kind uint8

// The kinds of answers. Their String is the word that JSON output uses.
const (
	KindUnknown          Kind = iota
	KindEchoReply             // echo reply
	KindTimestampReply        // timestamp reply
	KindInformationReply      // information reply
	KindMaskReply             // address mask reply
	KindExtEchoReply          // extended echo reply
	KindTimeExceeded          // TTL or hop limit exceeded, or reassembly time exceeded
	KindTooBig                // fragmentation needed, or packet too big
	KindUnreachable           // every other destination unreachable
	KindParamProblem          // parameter problem
	KindRedirect              // redirect: decides nothing
	KindSourceQuench          // source quench: decides nothing
	KindUDPAnswer             // a UDP datagram came back: the port is open
	KindTCPOpen               // SYN-ACK
	KindTCPClosed             // RST
	KindLocal                 // this host refused the packet
	KindSent                  // not an answer: the time at which the packet left this host
)

var kindNames = [...]string{
	KindUnknown:          "unknown",
	KindEchoReply:        "echo_reply",
	KindTimestampReply:   "timestamp_reply",
	KindInformationReply: "information_reply",
	KindMaskReply:        "mask_reply",
	KindExtEchoReply:     "ext_echo_reply",
	KindTimeExceeded:     "time_exceeded",
	KindTooBig:           "too_big",
	KindUnreachable:      "unreachable",
	KindParamProblem:     "param_problem",
	KindRedirect:         "redirect",
	KindSourceQuench:     "source_quench",
	KindUDPAnswer:        "udp_answer",
	KindTCPOpen:          "tcp_open",
	KindTCPClosed:        "tcp_closed",
	KindLocal:            "local",
	KindSent:             "sent",
}

// String returns the word for k that JSON output uses.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[KindUnknown]
}

// Quotes reports whether an answer of kind k quotes the packet it is about.
func (k Kind) Quotes() bool { return k >= KindTimeExceeded && k <= KindSourceQuench }

// A Stamp says which clock took a time, from the least to the most exact.
type Stamp uint8

// The clocks.
const (
	StampUser     Stamp = iota // this process, around the system call
	StampKernel                // the kernel, at the device (SO_TIMESTAMPING, software)
	StampHardware              // the network device; reserved, never switched on
)

// String returns "user", "kernel" or "hardware".
func (s Stamp) String() string {
	switch s {
	case StampKernel:
		return "kernel"
	case StampHardware:
		return "hardware"
	}
	return "user"
}

// A Trust says how far an answer was proven to belong to its probe.
type Trust uint8

// The degrees of trust.
const (
	// Unverified: the addresses, id, sequence number, ports and checksum that
	// came back are right, and no secret could be checked (an error quotes as
	// little as 8 bytes of the probe's transport header).
	Unverified Trust = iota
	Verified         // the token or the whole payload came back right
	Forged           // the secret is wrong
)

// String returns "unverified", "verified" or "forged".
func (t Trust) String() string {
	switch t {
	case Verified:
		return "verified"
	case Forged:
		return "forged"
	}
	return "unverified"
}

// A Reply is one thing that a link received: an answer, an error that quotes a
// probe, or (KindSent) the transmit time of a probe.
type Reply struct {
	Kind Kind
	Type uint8 // ICMP type on the wire, of the family of From
	Code uint8 // ICMP code
	Key  Key

	// Dst is the address that the probe went to: as the error quotes it, or
	// the sender of a direct answer. A quoted IPv6 address has no zone.
	Dst     netip.Addr
	From    netip.Addr // sender of the answer
	To      netip.Addr // own address that it came to; zero if not known
	Gateway netip.Addr // of a redirect
	IfIndex int        // interface that it came in by; 0 if not known

	TTL     uint8  // TTL or hop limit at arrival; 0 if not known
	TOS     uint8  // type of service or traffic class at arrival
	MTU     int    // next-hop MTU in bytes of KindTooBig, as claimed
	Pointer uint32 // of KindParamProblem
	Frag    int    // bytes of the largest fragment of the answer; 0 if it came whole

	// State is the last byte of the header of KindExtEchoReply (RFC 8335
	// section 3): the state of a neighbour in the 3 high bits, then 0x04 the
	// interface is active, 0x02 it runs IPv4, 0x01 it runs IPv6.
	State uint8

	// At is when it arrived (KindSent: left), by the clock that Stamp names. A
	// kernel stamp has no monotonic reading. Read is when this process took it
	// from the socket; ClockOffset belongs to Read, as in Request.
	At          time.Time
	Stamp       Stamp
	Read        time.Time
	ClockOffset time.Duration

	Trust Trust

	// Bytes is the length of the ICMP message in bytes (UDP and TCP: of the
	// datagram or segment). Payload, Quote.Payload, Ext and Options share the
	// link's buffers and are valid until the next Recv.
	Bytes   int
	Payload []byte
	Quote   Quote
	Ext     []byte // RFC 4884 extension structure, unparsed; see ParseExtensions
	Options []byte // IPv4 options of the answer's own header; see ParseIPv4Options

	// Drops is how many packets the socket has dropped so far for want of
	// buffer (SO_RXQ_OVFL).
	Drops uint32
}
