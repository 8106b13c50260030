package router

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// A Config describes a router. The zero Config is one perfect hop.
type Config struct {
	Seed uint64 // of everything random

	// Hops are the chain, from the first port to the second; none: one hop.
	Hops []Hop

	// Delay is what the link between the last hop and the second port takes, in
	// either direction. There and Back say more about that link, by direction.
	Delay       time.Duration
	There, Back Way
}

// A Hop is a virtual router and the link by which it is reached from the first
// port. The zero Hop forwards everything at once and answers like a good
// citizen.
type Hop struct {
	// Addr4 and Addr6 are where its errors come from; zero: the address of the
	// port where the hop is the first, else 198.51.100.n and 2001:db8:ffff::n
	// for the hop number n of the chain, counted from 1, alternatives after all
	// others.
	Addr4, Addr6 netip.Addr

	Delay       time.Duration // of the link, in either direction; There and Back add to it
	There, Back Way           // of the link: towards the hop, and away from it

	Forward Policer // of packets that go to or through it; those beyond are dropped
	Answers Policer // of the errors that it sends; those beyond are not sent
	Silent  bool    // sends nothing itself
	Drop    bool    // forwards nothing: a black hole
	NoTTL   bool    // does not count the TTL down, hence is not seen by a trace
	ZeroTTL bool    // forwards packets with a TTL of 0 that came with 1

	// MTU is that of the link behind the hop, for packets towards the second
	// port, in bytes; ReturnMTU that of the link in front of it, for packets
	// back. 0: no limit. A larger IPv4 packet without DF is fragmented, any
	// other refused.
	MTU, ReturnMTU int
	Claim          int  // next-hop MTU that it reports; 0: the true one; negative: 0, as before RFC 1191
	NoTooBig       bool // drops what it would refuse or fragment, without a word

	Reject4, Reject6 Error // sent for every packet that would be forwarded; zero: none

	NAT4, NAT6 netip.Addr // source address of what it forwards towards the second port; zero: none
	NATShift   uint16     // added to the source port or the echo identifier
	NATRaw     bool       // leaves the quotes of errors as they come back, a broken NAT

	TOS *uint8 // type of service or traffic class that it writes into what it forwards; nil: kept

	Quote    Quote
	ReplyTTL uint8 // TTL that its own packets start with; 0: 64

	Rules []Rule // for packets and fragments that reach the hop, in either direction

	// Or are other hops in this place, among which packets are balanced: by
	// flow, or in turn with PerPacket. Each Salt, of the first of them, makes
	// for an independent choice; the same Salt in two places makes the same
	// choice in both, so that their hops form parallel branches.
	Or        []Hop
	PerPacket bool
	Salt      uint32
}

// A Way is one direction of a link.
type Way struct {
	Delay  time.Duration // added to that of the link
	Jitter time.Duration // each packet takes up to this much longer, at random; the order is kept
	Loss   float64       // probability that a packet is lost

	// Rules are for the packets that are not lost. They see packets that came
	// in fragments put together, and these are fragmented again as they were;
	// with Fragments they see the fragments.
	Rules     []Rule
	Fragments bool
}

// A Quote says what the errors of a hop say about the packet they are for. The
// zero Quote is the packet as it arrived, as much of it as fits an error of 576
// (RFC 1812 section 4.3.2.3) or 1280 bytes (RFC 4443 section 2.4).
type Quote struct {
	Len     int    // bytes quoted, IP header included; 0: as much as fits
	TTL     uint8  // TTL that it shows; 0: the one on arrival
	SwapLen bool   // shows the total length in little-endian byte order
	ZeroSum bool   // shows an IPv4 header checksum of 0, and none of UDP, TCP or ICMP
	Stale   bool   // shows the TTL changed and the IPv4 header checksum not
	Ext     []byte // RFC 4884 extension structure; the quote is padded to 128 bytes and cut to fit

	// LegacyExt puts Ext behind 128 bytes of quote without a length attribute,
	// as senders from before RFC 4884 did.
	LegacyExt bool

	// Edit changes the quote at last, in place. Nil: no change.
	Edit func(quote []byte)
}

// An Error is an ICMP error by its numbers on the wire; the zero Error is none.
type Error struct{ Type, Code uint8 }

// A Policer lets Burst packets through at once and Rate per second; the zero
// Policer lets all through.
type Policer struct {
	Burst int
	Rate  float64
}

// A Port is an end of the chain, or a place on it: a device with one host
// behind it.
type Port struct {
	Index int              // of the device
	MAC   net.HardwareAddr // of the router; not the device's own, so that the kernel ignores what is for the router
	Peer  net.HardwareAddr // of the host
	Addrs []netip.Addr     // of the router, which it answers ARP and neighbour solicitations for

	// Networks are the destinations behind the port.
	Networks []netip.Prefix

	// MTU is what the device takes, in bytes; 0: 1500. What grew beyond it on
	// its way, or was put together, is fragmented before it leaves.
	MTU int

	// Hop is the hop that the third port, or one that follows it, is attached
	// to, counted from 0. The first port is in front of the first hop and the
	// second behind the last.
	Hop int

	// Do runs a function on a thread in the namespace of the device.
	Do func(func() error) error
}

// maxHops bounds a chain, alternatives included: beyond, a TTL does not reach.
const maxHops = 255

// check says what is wrong with a configuration.
func (c *Config) check() error {
	total := 0
	errs := []error{c.There.check(), c.Back.check()}
	if c.Delay < 0 {
		errs = append(errs, errors.New("negative delay"))
	}
	for i := range c.Hops {
		total += 1 + len(c.Hops[i].Or)
		errs = append(errs, wrapHop(i, c.Hops[i].check()))
		for j := range c.Hops[i].Or {
			errs = append(errs, wrapHop(i, c.Hops[i].Or[j].check()))
			if len(c.Hops[i].Or[j].Or) > 0 {
				errs = append(errs, wrapHop(i, errors.New("alternatives of an alternative")))
			}
		}
	}
	if total > maxHops {
		errs = append(errs, fmt.Errorf("%d hops, more than %d", total, maxHops))
	}
	return errors.Join(errs...)
}

func wrapHop(i int, err error) error {
	if err != nil {
		return fmt.Errorf("hop %d: %w", i+1, err)
	}
	return nil
}

func (h *Hop) check() error {
	switch {
	case h.Delay < 0:
		return errors.New("negative delay")
	case h.MTU < 0 || h.ReturnMTU < 0 || h.Quote.Len < 0:
		return errors.New("negative length")
	case h.MTU > 0 && h.MTU < minMTU || h.ReturnMTU > 0 && h.ReturnMTU < minMTU:
		return fmt.Errorf("MTU below %d", minMTU)
	case !h.Forward.ok() || !h.Answers.ok():
		return errors.New("negative burst or rate")
	case !is4(h.Addr4) || !is6(h.Addr6) || !is4(h.NAT4) || !is6(h.NAT6):
		return errors.New("address of the other family")
	case len(h.Quote.Ext) > maxExt || len(h.Quote.Ext)%4 != 0:
		return fmt.Errorf("extension structure of %d bytes: at most %d, in words of 4", len(h.Quote.Ext), maxExt)
	}
	return errors.Join(h.There.check(), h.Back.check(), checkRules(h.Rules))
}

func is4(a netip.Addr) bool { return !a.IsValid() || a.Is4() }

func is6(a netip.Addr) bool { return !a.IsValid() || a.Is6() && !a.Is4In6() && a.Zone() == "" }

func (w *Way) check() error {
	switch {
	case w.Delay < 0 || w.Jitter < 0:
		return errors.New("negative time")
	case w.Loss < 0 || w.Loss > 1:
		return fmt.Errorf("loss %g is not a probability", w.Loss)
	}
	return checkRules(w.Rules)
}

// ok reports whether the policer's numbers make sense: to fill it takes less
// than a century.
func (p Policer) ok() bool {
	return p.Burst >= 0 && p.Rate >= 0 && (p.Rate == 0 || float64(p.Burst)/p.Rate < 3e9)
}

// checkPorts says what is wrong with the ports of a chain of n hops.
func checkPorts(ports []Port, n int) error {
	if len(ports) < 2 {
		return fmt.Errorf("%d ports, need 2", len(ports))
	}
	for i, p := range ports {
		switch {
		case len(p.MAC) != 6 || len(p.Peer) != 6:
			return fmt.Errorf("port %d: hardware address is not of 6 bytes", i+1)
		case p.MTU < 0 || p.MTU > 0 && p.MTU < minMTU:
			return fmt.Errorf("port %d: MTU %d", i+1, p.MTU)
		case i >= 2 && (p.Hop < 0 || p.Hop >= n):
			return fmt.Errorf("port %d: no hop %d", i+1, p.Hop)
		}
	}
	return nil
}
