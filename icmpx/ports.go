package icmpx

import (
	"errors"
	"fmt"
	"net/netip"
)

// maxPaths is how many constant flows a link may hold source ports for.
const maxPaths = 64

// MaxOpen is how many probes a link on ordinary sockets, one for each probe,
// keeps track of at once; see TCPConfig and UDPConfig. A further one takes the
// place of the oldest, whose answer is then lost: the caller, who knows how long
// to wait, keeps no more open (Config.InFlight of package probe).
const MaxOpen = 64

// A PortConfig is what UDPConfig and TCPConfig have in common. Only Family must
// be set.
type PortConfig struct {
	Family Family
	Mode   Mode // ModeRaw: raw sockets; ModeDatagram: ordinary sockets, which need no privilege

	// Source is the address to send from and to hear answers at; it must be a
	// unicast address of this host. The zero Addr leaves the choice to the
	// kernel, for each destination.
	Source netip.Addr
	// SourcePort is the source port of the first path; the others have those
	// that follow it. 0: the kernel chooses. It must be 0 for sockets of one
	// probe each, which have ports of their own; the error is then
	// errors.ErrUnsupported.
	SourcePort uint16
	// Paths is how many constant flows there are, each with a source port of
	// its own, which is held by an ordinary socket: Request.Path is less. 0: 1;
	// 64 at most.
	Paths int
	// Interface is the name of the network device, or VRF, that all packets
	// leave and arrive by (SO_BINDTODEVICE). Empty: any.
	Interface string
	Mark      uint32 // SO_MARK, for policy routing; 0: none. Needs CAP_NET_RAW or CAP_NET_ADMIN

	TTL uint8 // TTL or hop limit of requests that have none; 0: the system's
	TOS int16 // type of service or traffic class of requests that have none, up to 255; 0 or -1: the system's, which is 0
	DF  DF    // path-MTU discovery mode of requests whose DF is DFSystem

	// FlowLabel is the IPv6 flow label of all packets (RFC 6437), up to 0xfffff,
	// in place of one that belongs to their ports. 0: none is asked for. Ordinary
	// sockets cannot take it: the error is errors.ErrUnsupported.
	FlowLabel uint32

	// Gateways are the addresses that packets go by before their destination
	// (RFC 791 section 3.1, loose source route): 8 at most, IPv4 only. The
	// kernel tells an ordinary TCP socket nothing of errors about packets on
	// their way to a gateway.
	Gateways []netip.Addr

	// NoLearning is that of ICMPConfig, for ordinary IPv4 sockets: the kernel
	// learns no path MTU from what answers DFProbe requests. Raw sockets never
	// let it, but for what IPv6 has to fragment. TCP on ordinary sockets, and
	// source routes, cannot.
	NoLearning bool

	SendBuffer int // bytes; 0: the system's
	RecvBuffer int // bytes; 0: as large as sensible. More than net.core.rmem_max needs CAP_NET_ADMIN, and is cut to it without
}

// A UDPConfig says what ListenUDP opens.
//
// On raw sockets (ModeRaw), all probes of a path to one port share the 5-tuple,
// and IPv6 probes the flow label. The UDP checksum tells them apart, which two
// bytes of payload behind the token make up for (the whole payload if it is
// shorter than 10 bytes); in IPv4 the identification field repeats it, and
// alone carries it where the payload is shorter than 2 bytes. So the payload is
// the link's own: Request.Payload must be nil.
//
// On ordinary sockets (ModeDatagram) the kernel does not show the checksum that
// an error quotes. Without Classic each probe then has a source port of its
// own, and so perhaps a path of its own, and MaxOpen of them may be open.
type UDPConfig struct {
	PortConfig

	// Classic varies the destination port with each probe, as the first
	// traceroute did: from Request.Port up, or 33,434 without it. Paths may mix.
	Classic bool
}

// A TCPConfig says what ListenTCP opens.
//
// On raw sockets (ModeRaw), all probes of a path to one port share the 5-tuple;
// the sequence number tells them apart. A host that has answered one with
// SYN-ACK answers no other of the same flow before this host's kernel, which
// knows of no connection, has reset it: that takes a round trip.
//
// On ordinary sockets (ModeDatagram) each probe is a connection attempt, which
// ends with the first answer; it has a source port of its own, and so perhaps a
// path of its own, and MaxOpen of them may be open. It has no payload, whatever
// its Size, and DFProbe is as DFSet, whose limit a SYN does not reach. The
// kernel repeats an unanswered SYN after a second; what comes then may belong
// to either, and is not believed.
type TCPConfig struct{ PortConfig }

// validate finds what is wrong with a configuration whatever the host. what is
// "udp" or "tcp".
func (c *PortConfig) validate(what string) error {
	err := c.check()
	if err != nil {
		return fmt.Errorf("open %s sockets: %w", what, err)
	}
	return nil
}

func (c *PortConfig) check() error {
	switch {
	case c.Family != IPv4 && c.Family != IPv6:
		return errors.New("no address family chosen")
	case c.Mode > ModeDatagram:
		return fmt.Errorf("unknown mode %d", c.Mode)
	case c.TOS < -1 || c.TOS > 255:
		return fmt.Errorf("type of service %d is not within -1 to 255", c.TOS)
	case c.DF > DFProbe:
		return fmt.Errorf("unknown path-MTU discovery mode %d", c.DF)
	case c.SendBuffer < 0 || c.RecvBuffer < 0:
		return errors.New("negative buffer size")
	case c.Source.IsValid() && FamilyOf(c.Source) != c.Family:
		return fmt.Errorf("source %v is not an %v address", c.Source, c.Family)
	case c.Source.IsValid() && (c.Source.IsMulticast() || c.Source.IsUnspecified()):
		return fmt.Errorf("source %v is not a unicast address", c.Source)
	case c.FlowLabel > 0xfffff || c.FlowLabel != 0 && c.Family != IPv6:
		return fmt.Errorf("flow label %#x is not one of IPv6, of 20 bits", c.FlowLabel)
	case c.Paths < 0 || c.Paths > maxPaths:
		return fmt.Errorf("%d paths are not within 1 to %d", c.Paths, maxPaths)
	case c.SourcePort != 0 && int(c.SourcePort)+c.paths() > 1<<16:
		return fmt.Errorf("%d paths do not fit behind source port %d", c.paths(), c.SourcePort)
	}
	return c.checkGateways()
}

func (c *PortConfig) checkGateways() error {
	switch {
	case len(c.Gateways) == 0:
		return nil
	case c.Family != IPv4:
		return fmt.Errorf("source routes of IPv6 (RFC 5095): %w", errors.ErrUnsupported)
	case len(c.Gateways) > maxGateways:
		return fmt.Errorf("%d gateways, and the source route has room for %d", len(c.Gateways), maxGateways)
	}
	for _, g := range c.Gateways {
		if !g.Is4() || g.IsMulticast() || g.IsUnspecified() {
			return fmt.Errorf("gateway %v is not a unicast IPv4 address", g)
		}
	}
	return nil
}

func (c *PortConfig) paths() int { return max(c.Paths, 1) }

// icmp returns the part of the configuration that an ICMPConfig has too.
func (c *PortConfig) icmp() *ICMPConfig {
	return &ICMPConfig{
		Family: c.Family, Source: c.Source, Interface: c.Interface, Mark: c.Mark,
		TTL: c.TTL, TOS: c.TOS, DF: c.DF, SendBuffer: c.SendBuffer, RecvBuffer: c.RecvBuffer,
	}
}
