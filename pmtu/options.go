package pmtu

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Method is what the probes are made of.
type Method uint8

// The methods.
const (
	Auto Method = iota // ICMP, and UDP beside it, to tell the two directions apart
	ICMP               // echo requests: the answers are as large as the probes
	UDP                // datagrams to a closed port: the answers are small
	TCP                // SYN segments that carry data: the answers are small
)

var methodNames = [...]string{Auto: "auto", ICMP: "icmp", UDP: "udp", TCP: "tcp"}

// String returns the word for m that JSON output uses: "auto", "icmp", "udp"
// or "tcp".
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// Proto returns the protocol of m's probes; those of Auto are echo requests in
// the first place.
func (m Method) Proto() icmpx.Proto {
	switch m {
	case UDP:
		return icmpx.ProtoUDP
	case TCP:
		return icmpx.ProtoTCPSYN
	}
	return icmpx.ProtoEcho
}

// DefaultPort returns the destination port of m's probes if none is chosen, as
// traceroute(8) has it; 0 of ICMP. That of Auto is for its datagrams.
func (m Method) DefaultPort() uint16 {
	switch m {
	case ICMP:
		return 0
	case TCP:
		return 80
	}
	return 33434
}

// Options say what Discover may send and how long it waits. The zero Options
// are sensible, but LinkMTU should be set: without it the first round trip is
// spent on a packet of the largest size there is.
type Options struct {
	Method Method
	Port   uint16 // destination port of UDP and TCP; 0: the method's DefaultPort

	// LinkMTU is the MTU in bytes of the interface that leads to the
	// destination; 0: not known. RouteMTU is what the system's route or its
	// cache says if that is less; 0: nothing. It limits what the system sends,
	// not what is probed.
	LinkMTU, RouteMTU int

	// Min and Max bound the sizes that are probed, in bytes of the whole packet.
	// 0: from what the protocol needs to LinkMTU. Min is at least 68 of IPv4 and
	// 1280 of IPv6; both are at most LinkMTU.
	Min, Max int

	// Scattered says that each datagram has a source port of its own, as on
	// sockets without privileges, and so perhaps a path of its own: what becomes of
	// one says nothing certain about another.
	Scattered bool

	LadderOnly bool // try the usual sizes only, do not search between them
	Hops       bool // ask every hop of the path too: fills Result.Hops

	TTL    int   // of probes to the destination, 1 to 255; 0: 64
	MaxTTL int   // of the search for hops, 1 to 255; 0: 30
	TOS    int16 // type of service or traffic class, 0 to 255; -1: the socket's

	MaxPackets int           // probes at most, 10 to 10,000; 0: 200
	Wait       time.Duration // longest wait for an answer; 0: 2 s
	Timeout    time.Duration // of the whole run; 0: 30 s
}

// ErrSize is wrapped by errors about sizes in Options that make no sense.
var ErrSize = errors.New("size out of range")

// Defaults and limits of Options.
const (
	defaultTTL        = 64
	defaultMaxTTL     = 30
	defaultMaxPackets = 200
	defaultWait       = 2 * time.Second
	defaultTimeout    = 30 * time.Second

	minPackets = 10
	maxPackets = 10000
	maxTTL     = 255
)

// withDefaults returns o with its zero values filled in for a run to dst, and an
// error that names the first value that makes no sense.
func (o Options) withDefaults(dst netip.Addr) (Options, error) {
	f := icmpx.FamilyOf(dst)
	if f == 0 {
		return o, fmt.Errorf("find path MTU to %v: invalid address", dst)
	}
	o.TTL = orDefault(o.TTL, defaultTTL)
	o.MaxTTL = orDefault(o.MaxTTL, defaultMaxTTL)
	o.MaxPackets = orDefault(o.MaxPackets, defaultMaxPackets)
	o.Wait = orDefault(o.Wait, defaultWait)
	o.Timeout = orDefault(o.Timeout, defaultTimeout)
	if o.Method != ICMP {
		o.Port = orDefault(o.Port, o.Method.DefaultPort())
	}
	err := o.check()
	if err == nil {
		err = o.checkSizes(f)
	}
	if err != nil {
		return o, fmt.Errorf("find path MTU to %v: %w", dst, err)
	}
	return o, nil
}

func (o *Options) check() error {
	switch {
	case int(o.Method) >= len(methodNames):
		return fmt.Errorf("unknown %v", o.Method)
	case o.TTL < 1 || o.TTL > maxTTL:
		return fmt.Errorf("TTL %d is not 1 to %d", o.TTL, maxTTL)
	case o.MaxTTL < 1 || o.MaxTTL > maxTTL:
		return fmt.Errorf("last TTL %d is not 1 to %d", o.MaxTTL, maxTTL)
	case o.TOS < -1 || o.TOS > 255:
		return fmt.Errorf("type of service %d is not 0 to 255", o.TOS)
	case o.MaxPackets < minPackets || o.MaxPackets > maxPackets:
		return fmt.Errorf("%d packets are not %d to %d", o.MaxPackets, minPackets, maxPackets)
	case o.Wait < 0 || o.Timeout < 0:
		return fmt.Errorf("negative time")
	}
	return nil
}

// checkSizes knows that a Min and a Max of zero leave the choice to Discover.
func (o *Options) checkSizes(f icmpx.Family) error {
	floor, ceiling := f.MinMTU(), largest(f)
	switch {
	case o.LinkMTU < 0 || o.RouteMTU < 0:
		return fmt.Errorf("negative MTU: %w", ErrSize)
	case o.LinkMTU != 0 && o.LinkMTU < smallest(f):
		return fmt.Errorf("interface MTU %d is below the %d bytes of a probe: %w", o.LinkMTU, smallest(f), ErrSize)
	case o.Min != 0 && o.Min < floor:
		return fmt.Errorf("least size %d is below the smallest MTU of %v, %d: %w", o.Min, f, floor, ErrSize)
	case o.Max != 0 && o.Max < floor:
		return fmt.Errorf("largest size %d is below the smallest MTU of %v, %d: %w", o.Max, f, floor, ErrSize)
	case o.Max > ceiling || o.Min > ceiling:
		return fmt.Errorf("size %d is above the largest packet of %v, %d: %w", max(o.Min, o.Max), f, ceiling, ErrSize)
	case o.Max != 0 && o.Min > o.Max:
		return fmt.Errorf("least size %d is above the largest size %d: %w", o.Min, o.Max, ErrSize)
	case o.LinkMTU != 0 && max(o.Min, o.Max) > o.LinkMTU:
		return fmt.Errorf("size %d is above the interface's MTU, %d: %w", max(o.Min, o.Max), o.LinkMTU, ErrSize)
	}
	return nil
}

// smallest is the length in bytes of the smallest probe: headers of any method
// with its secret. Of IPv4 it is the smallest MTU that a link may have.
func smallest(f icmpx.Family) int { return f.HeaderLen() + 48 }

// largest is the length in bytes of the largest packet of a family without
// jumbo payloads (RFC 2675).
func largest(f icmpx.Family) int { return f.HeaderLen() + 8 + f.MaxPayload() }

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
