package icmpx

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// A Mode is a kind of ICMP socket.
type Mode uint8

// The kinds of ICMP sockets.
const (
	ModeAuto     Mode = iota // raw if the process may, else datagram
	ModeRaw                  // SOCK_RAW: needs CAP_NET_RAW
	ModeDatagram             // SOCK_DGRAM ("ping socket"): needs a group within net.ipv4.ping_group_range
)

// String returns "auto", "raw" or "datagram".
func (m Mode) String() string {
	switch m {
	case ModeRaw:
		return "raw"
	case ModeDatagram:
		return "datagram"
	}
	return "auto"
}

// An ICMPConfig says what ListenICMP opens. Only Family must be set.
type ICMPConfig struct {
	Family Family
	Mode   Mode

	// Source is the address to send from and to hear answers at; it must be a
	// unicast address of this host. The zero Addr leaves the choice to the
	// kernel, for each packet.
	Source netip.Addr
	// Interface is the name of the network device, or VRF, that all packets
	// leave and arrive by (SO_BINDTODEVICE). Empty: any.
	Interface string
	Mark      uint32 // SO_MARK, for policy routing; 0: none. Needs CAP_NET_RAW or CAP_NET_ADMIN

	// Connect is the only destination, if it is known yet; see ICMPLink.Connect.
	Connect netip.Addr
	// FixSource has packets to a destination keep the source address that the
	// first one had, whatever becomes of the routes; without that address a
	// send fails. The link remembers each destination. An IPv6 datagram socket
	// has one source for all: a send to where another would be needed fails
	// with EADDRNOTAVAIL. Source does the same from the start.
	FixSource bool
	// DontRoute sends to hosts on the networks of this host's interfaces only
	// (SO_DONTROUTE): what would need a gateway fails with ENETUNREACH. In IPv6
	// Linux takes the option and routes nevertheless.
	DontRoute bool

	TTL uint8 // TTL or hop limit of requests that have none, also of multicast; 0: the system's
	// MulticastTTL is TTL for multicast; 0: as TTL, or the system's, which is 1.
	MulticastTTL uint8
	NoLoop       bool // do not hear own multicast (IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP off)

	// FlowLabel is the flow label of IPv6 packets, up to 0xfffff (RFC 6437);
	// 0: the kernel's choice.
	FlowLabel uint32
	// Options are IPv4 options for every packet, up to 40 bytes (RFC 791
	// section 3.1); see RecordRoute and TimestampOption. Types that Linux does
	// not know need CAP_NET_RAW.
	Options []byte

	TOS int16 // type of service or traffic class of requests that have none, up to 255; 0 or -1: the system's, which is 0
	DF  DF    // path-MTU discovery mode of requests whose DF is DFSystem

	SendBuffer int // bytes; 0: the system's
	RecvBuffer int // bytes; 0: as large as sensible. More than net.core.rmem_max needs CAP_NET_ADMIN, and is cut to it without

	// ID is the identifier of the requests. 0: on a raw socket random, on a
	// datagram socket the kernel's choice.
	ID        uint16
	ZeroID    bool // the identifier is 0, which takes a raw socket
	Broadcast bool // let packets go to broadcast addresses (SO_BROADCAST)

	// ConstantChecksum has all echo requests of a path (Request.Path, 0 to 63)
	// share their checksum, by which routers choose among equal paths: two bytes
	// behind the token make up for the sequence number. The link takes them out
	// of replies. Payloads of less than 10 bytes have no room for it, and
	// Request.Payload must be nil.
	ConstantChecksum bool

	// NoLearning keeps the kernel from learning a path MTU from the "too big"
	// messages that DFProbe requests bring about, which it would hold for this
	// host and ten minutes. In IPv6 it changes nothing: from those about echo
	// requests Linux learns whoever sent them. It goes with no Options.
	NoLearning bool

	UserStamps bool // no times by the kernel: all are StampUser
	Debug      bool // have the kernel trace the socket (SO_DEBUG). Needs CAP_NET_ADMIN
}

// validate finds what is wrong with a configuration whatever the host.
func (c *ICMPConfig) validate() error {
	switch {
	case c.Family != IPv4 && c.Family != IPv6:
		return errors.New("open icmp socket: no address family chosen")
	case c.Mode > ModeDatagram:
		return fmt.Errorf("open icmp socket: unknown mode %d", c.Mode)
	case c.TOS < -1 || c.TOS > 255:
		return fmt.Errorf("open icmp socket: type of service %d is not within -1 to 255", c.TOS)
	case c.DF > DFProbe:
		return fmt.Errorf("open icmp socket: unknown path-MTU discovery mode %d", c.DF)
	case c.SendBuffer < 0 || c.RecvBuffer < 0:
		return errors.New("open icmp socket: negative buffer size")
	case c.Source.IsValid() && FamilyOf(c.Source) != c.Family:
		return fmt.Errorf("open icmp socket: source %v is not an %v address", c.Source, c.Family)
	case c.ZeroID && (c.ID != 0 || c.Mode == ModeDatagram):
		return errors.New("open icmp socket: identifier 0 needs a raw socket, and is the only one")
	case c.FlowLabel > maxFlowLabel:
		return fmt.Errorf("open icmp socket: flow label %#x is not within 0 to %#x", c.FlowLabel, maxFlowLabel)
	case c.FlowLabel != 0 && c.Family != IPv6:
		return errors.New("open icmp socket: flow labels are IPv6's")
	}
	return c.validateOptions()
}

// maxFlowLabel is 20 bits (RFC 8200 section 3).
const maxFlowLabel = 1<<20 - 1

func (c *ICMPConfig) validateOptions() error {
	if len(c.Options) == 0 {
		return nil
	}
	if c.NoLearning {
		return errors.New("open icmp socket: IP options, and learning nothing, exclude each other")
	}
	if c.Family != IPv4 {
		return errors.New("open icmp socket: record route, timestamps and other IP options are IPv4's")
	}
	if _, err := ParseIPv4Options(c.Options); err != nil {
		return fmt.Errorf("open icmp socket: %w", err)
	}
	return nil
}

// optionsLen is the length in bytes of the options in the header.
func (c *ICMPConfig) optionsLen() int { return (len(c.Options) + 3) &^ 3 }

// ErrPrivilegesKept is what DropPrivileges returns where it cannot reach all
// threads: in a program that uses cgo, which every race-detector build is.
var ErrPrivilegesKept = errors.New("privileges kept: a program built with cgo cannot drop them on all threads")

// A Capability is a privilege of Linux, by its number (capabilities(7)).
type Capability uint8

// Capabilities that DropPrivilegesExcept is asked to keep.
const (
	CapDACReadSearch Capability = 2  // CAP_DAC_READ_SEARCH: read what file permissions forbid
	CapSysPtrace     Capability = 19 // CAP_SYS_PTRACE: look into the processes of others
)

// A PrivilegeError says why the process may open neither kind of ICMP socket
// that it wanted. It is an os.ErrPermission.
type PrivilegeError struct {
	Family   Family
	Raw      error // why no raw socket; nil: none was tried
	Datagram error // why no datagram socket; nil: none was tried

	// GroupRange is the value of net.ipv4.ping_group_range, which counts for
	// IPv6 too: the first and the last group id that may open datagram
	// sockets, one blank between them. "1 0" allows nobody; empty: not known.
	GroupRange string
	Groups     []int  // effective and supplementary group ids of the process
	Executable string // path of the running program; empty: not known
}

// Error says what was refused, why, and what would help.
func (e *PrivilegeError) Error() string { return e.Summary() + "; " + e.Hint() }

// Summary says what was refused and why.
func (e *PrivilegeError) Summary() string {
	var why []string
	if e.Raw != nil {
		why = append(why, fmt.Sprintf("raw: %v", e.Raw))
	}
	if e.Datagram != nil {
		s := fmt.Sprintf("datagram: %v", e.Datagram)
		if e.GroupRange != "" {
			s += fmt.Sprintf(" (net.ipv4.ping_group_range is %q, groups of this process: %s)", e.GroupRange, e.groupList())
		}
		why = append(why, s)
	}
	return fmt.Sprintf("open %v icmp socket: %s", e.Family, strings.Join(why, "; "))
}

// Hint says what would let the process open a socket, as commands.
func (e *PrivilegeError) Hint() string {
	exe := e.Executable
	if exe == "" {
		exe = "icmpx"
	}
	return fmt.Sprintf("sudo setcap cap_net_raw+ep %s, or sudo sysctl -w net.ipv4.ping_group_range=%q, or run it as root",
		exe, "0 2147483647")
}

func (e *PrivilegeError) groupList() string {
	words := make([]string, len(e.Groups))
	for i, g := range e.Groups {
		words[i] = fmt.Sprint(g)
	}
	return strings.Join(words, " ")
}

// Is reports whether target is os.ErrPermission.
func (e *PrivilegeError) Is(target error) bool { return target == os.ErrPermission }

// Unwrap returns the causes that there are.
func (e *PrivilegeError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Raw, e.Datagram} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
