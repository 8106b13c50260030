package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Method is what the probes of a trace are made of.
type Method uint8

// The methods. All but UDPClassic keep every field constant by which routers
// balance load, so that all probes of a trace take one path.
const (
	UDP        Method = iota // datagrams to one port that nobody uses; told apart by their checksum
	UDPClassic               // datagrams to a port that changes with each probe: paths may mix
	UDPFixed                 // datagrams to the port of a service
	ICMP                     // echo requests
	TCP                      // SYN segments
)

var methodNames = [...]string{UDP: "udp", UDPClassic: "udp-classic", UDPFixed: "udp-fixed", ICMP: "icmp", TCP: "tcp"}

// String returns the word for m that JSON output uses: "udp", "udp-classic",
// "udp-fixed", "icmp" or "tcp".
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// Proto returns the protocol of m's probes.
func (m Method) Proto() icmpx.Proto {
	switch m {
	case ICMP:
		return icmpx.ProtoEcho
	case TCP:
		return icmpx.ProtoTCPSYN
	}
	return icmpx.ProtoUDP
}

// DefaultPort returns the destination port of m's probes if none is chosen; 0
// for ICMP. They are those of traceroute(8).
func (m Method) DefaultPort() uint16 {
	switch m {
	case ICMP:
		return 0
	case TCP:
		return 80
	case UDPFixed:
		return 53
	}
	return 33434
}

// number is the protocol number of m's probes in family f.
func (m Method) number(f icmpx.Family) uint8 {
	switch m {
	case ICMP:
		return uint8(f.Protocol())
	case TCP:
		return 6
	}
	return 17
}

// defaultSize is the length in bytes of a packet without a source route if none
// is chosen, as traceroute(8) has it.
func (m Method) defaultSize(f icmpx.Family) int {
	if m == TCP {
		return 0 // what a SYN needs
	}
	return f.HeaderLen() + 40
}

// minPayload is the length in bytes of the transport header.
func (m Method) minPayload() int {
	if m == TCP {
		return 20
	}
	return 8
}

// Options say what Run asks and how long it waits. The zero Options trace with
// three UDP probes for each TTL.
type Options struct {
	Method   Method
	FirstTTL int    // first TTL to ask, 1 to 255; 0: 1
	MaxTTL   int    // last TTL to ask, FirstTTL to 255; 0: 64, the TTL of ordinary packets
	Queries  int    // probes for each TTL, 1 to 100; 0: 3
	Port     uint16 // destination port; 0: the method's DefaultPort
	Path     uint16 // which of several constant flows; 0 is the first

	Size int      // bytes of the whole IP packet; 0: the HeaderLen and 40 more, of TCP what a SYN needs
	TOS  int16    // type of service or traffic class, 0 to 255; -1: the socket's
	DF   icmpx.DF // path-MTU discovery mode

	// MTU makes packets that are too big for the path shrink to what a router
	// says instead of ending the trace, and Row.MTU say where. It implies
	// DFProbe, and a Size of 65,535 if none is chosen: this host's interface is
	// then the first to say.
	MTU bool

	// Gateways are those of the source route that the engine's link gives to the
	// packets of Method, as its icmpx.PortConfig has it: 8 at most, IPv4 only.
	// Size counts it, and quotes are judged by it. It is the link that sends it.
	Gateways []netip.Addr

	Wait     Wait
	SendWait time.Duration // pause between two probes; 0: none
	InFlight int           // probes that may be open at once; 0: no limit

	// LastQuestion are the methods that ask the destination when it does not
	// answer Method. Those of Method's own protocol, and those for which the
	// engine has no link, are left out. Nil: all; empty: none.
	LastQuestion []Method
}

// Wait says how long a probe is waited for before it counts as silent. It is
// waited for twice: see the package comment.
type Wait struct {
	// Max is the longest wait. 0: 5 s.
	Max time.Duration

	// Here, times the largest RTT seen, is the wait where nothing behind has
	// answered; at least 250 ms, and 1 s if nothing has answered at all (the
	// first timeout of RFC 6298 section 2.1). 0: 3; negative: Max.
	Here float64

	// Near, times the larger RTT of the nearest answers before and behind, is
	// the wait for a hop between hops that have answered; at least 50 ms. 0:
	// 1.5; negative: Max.
	Near float64
}

// Defaults and limits of Options.
const (
	defaultMaxTTL  = 64
	defaultQueries = 3
	defaultMaxWait = 5 * time.Second
	defaultHere    = 3
	defaultNear    = 1.5

	maxGateways = 8 // as icmpx.PortConfig has it
	maxQueries  = 100
	maxTTL      = 255
	maxSize     = 65535
)

// withDefaults returns o with its zero values filled in for a trace to dst, and
// an error that names the first value that makes no sense.
func (o Options) withDefaults(dst netip.Addr) (Options, error) {
	f := icmpx.FamilyOf(dst)
	if f == 0 {
		return o, fmt.Errorf("trace %v: invalid address", dst)
	}
	o.FirstTTL = orDefault(o.FirstTTL, 1)
	o.MaxTTL = orDefault(o.MaxTTL, max(defaultMaxTTL, min(o.FirstTTL, maxTTL)))
	o.Queries = orDefault(o.Queries, defaultQueries)
	o.Wait.Max = orDefault(o.Wait.Max, defaultMaxWait)
	o.Wait.Here = orDefault(o.Wait.Here, defaultHere)
	o.Wait.Near = orDefault(o.Wait.Near, defaultNear)
	if o.Method != ICMP {
		o.Port = orDefault(o.Port, o.Method.DefaultPort())
	}
	if o.MTU {
		o.DF, o.Size = icmpx.DFProbe, orDefault(o.Size, maxSize)
	}
	if n := o.Method.defaultSize(f); n != 0 {
		o.Size = orDefault(o.Size, n+route(o.Gateways).length())
	}
	if err := o.check(f); err != nil {
		return o, fmt.Errorf("trace %v: %w", dst, err)
	}
	return o, nil
}

// HeaderLen returns the length in bytes of the IP header of packets in family f,
// with the source route that Gateways are.
func (o *Options) HeaderLen(f icmpx.Family) int {
	return f.HeaderLen() + route(o.Gateways).length()
}

// minSize is the length in bytes of the shortest packet.
func (o *Options) minSize(f icmpx.Family) int { return o.HeaderLen(f) + o.Method.minPayload() }

func (o *Options) check(f icmpx.Family) error {
	switch {
	case int(o.Method) >= len(methodNames):
		return fmt.Errorf("unknown %v", o.Method)
	case o.FirstTTL < 1 || o.FirstTTL > maxTTL:
		return fmt.Errorf("first TTL %d is not 1 to %d", o.FirstTTL, maxTTL)
	case o.MaxTTL < o.FirstTTL || o.MaxTTL > maxTTL:
		return fmt.Errorf("last TTL %d is not %d to %d", o.MaxTTL, o.FirstTTL, maxTTL)
	case o.Queries < 1 || o.Queries > maxQueries:
		return fmt.Errorf("%d queries are not 1 to %d", o.Queries, maxQueries)
	case len(o.Gateways) > maxGateways:
		return fmt.Errorf("%d gateways are more than %d", len(o.Gateways), maxGateways)
	case len(o.Gateways) > 0 && (f != icmpx.IPv4 || slices.ContainsFunc(o.Gateways, func(a netip.Addr) bool { return !a.Is4() })):
		return fmt.Errorf("gateways and destination are not of IPv4 alone")
	case o.Size != 0 && (o.Size < o.minSize(f) || o.Size > maxSize):
		return fmt.Errorf("packet of %d bytes is not %d to %d", o.Size, o.minSize(f), maxSize)
	case o.TOS < -1 || o.TOS > 255:
		return fmt.Errorf("type of service %d is not 0 to 255", o.TOS)
	case o.Wait.Max < 0 || o.SendWait < 0 || o.InFlight < 0:
		return fmt.Errorf("negative wait or limit")
	}
	return nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
