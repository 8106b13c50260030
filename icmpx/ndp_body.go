package icmpx

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/net/icmp"
)

// NDRouterSolicitation is the body of an ICMPv6 router solicitation (RFC 4861
// section 4.1).
type NDRouterSolicitation struct {
	Options []NDOption // at most 64, as in all bodies of neighbour discovery
}

// NDRouterAdvertisement is the body of an ICMPv6 router advertisement (RFC 4861
// section 4.2).
type NDRouterAdvertisement struct {
	HopLimit   uint8  // that hosts shall use; 0: no word about it
	Managed    bool   // addresses are to be had by DHCPv6
	Other      bool   // other configuration is
	HomeAgent  bool   // the router is a mobile IPv6 home agent (RFC 6275 section 7.1)
	Preference uint8  // of the router, 2 bits: 1 high, 0 medium, 3 low, 2 reserved (RFC 4191 section 2.2)
	Proxy      bool   // the router forwards neighbour discovery of others (RFC 4389 section 4.1.3.3)
	Lifetime   uint16 // seconds that it is a default router; 0: it is none
	Reachable  uint32 // milliseconds that a neighbour counts as reachable; 0: no word about it
	Retransmit uint32 // milliseconds between solicitations; 0: no word about it
	Options    []NDOption
}

// NeighborSolicitation is the body of an ICMPv6 neighbour solicitation (RFC 4861
// section 4.3).
type NeighborSolicitation struct {
	Target  netip.Addr // the address in question
	Options []NDOption
}

// NeighborAdvertisement is the body of an ICMPv6 neighbour advertisement (RFC
// 4861 section 4.4).
type NeighborAdvertisement struct {
	Router    bool       // the sender is a router
	Solicited bool       // it was asked
	Override  bool       // what is cached is to be replaced
	Target    netip.Addr // the address that is advertised
	Options   []NDOption
}

// NDRedirect is the body of an ICMPv6 redirect (RFC 4861 section 4.5). The packet
// that it is about is in an NDRedirected option.
type NDRedirect struct {
	Target      netip.Addr // the better first hop, or Destination if that is a neighbour
	Destination netip.Addr // the address that is redirected
	Options     []NDOption
}

// InverseNeighbor is the body of an inverse neighbour discovery solicitation or
// advertisement (RFC 3122 section 2).
type InverseNeighbor struct {
	Options []NDOption
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *NDRouterSolicitation) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *NDRouterSolicitation) Marshal(proto int) ([]byte, error) {
	if err := only6(proto, "router solicitation"); err != nil {
		return nil, err
	}
	return appendNDOptions(make([]byte, 4), p.Options)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *NDRouterAdvertisement) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *NDRouterAdvertisement) Marshal(proto int) ([]byte, error) {
	if err := only6(proto, "router advertisement"); err != nil {
		return nil, err
	}
	if p.Preference > 3 {
		return nil, fmt.Errorf("marshal router preference %d: %w", p.Preference, ErrLength)
	}
	flags := bit(p.Managed, 0x80) | bit(p.Other, 0x40) | bit(p.HomeAgent, 0x20) | p.Preference<<3 | bit(p.Proxy, 0x04)
	b := binary.BigEndian.AppendUint16([]byte{p.HopLimit, flags}, p.Lifetime)
	b = binary.BigEndian.AppendUint32(b, p.Reachable)
	b = binary.BigEndian.AppendUint32(b, p.Retransmit)
	return appendNDOptions(b, p.Options)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *NeighborSolicitation) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *NeighborSolicitation) Marshal(proto int) ([]byte, error) {
	return marshalTargets(proto, "neighbor solicitation", 0, p.Options, p.Target)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *NeighborAdvertisement) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *NeighborAdvertisement) Marshal(proto int) ([]byte, error) {
	flags := bit(p.Router, 0x80) | bit(p.Solicited, 0x40) | bit(p.Override, 0x20)
	return marshalTargets(proto, "neighbor advertisement", flags, p.Options, p.Target)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *NDRedirect) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *NDRedirect) Marshal(proto int) ([]byte, error) {
	return marshalTargets(proto, "redirect", 0, p.Options, p.Target, p.Destination)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *InverseNeighbor) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *InverseNeighbor) Marshal(proto int) ([]byte, error) {
	if err := only6(proto, "inverse neighbor discovery"); err != nil {
		return nil, err
	}
	return appendNDOptions(make([]byte, 4), p.Options)
}

// marshalTargets returns a body of flags, addresses and options.
func marshalTargets(proto int, what string, flags uint8, options []NDOption, addrs ...netip.Addr) ([]byte, error) {
	if err := only6(proto, what); err != nil {
		return nil, err
	}
	b := []byte{flags, 0, 0, 0}
	for _, a := range addrs {
		if !a.Is6() {
			return nil, fmt.Errorf("marshal %s of %v: %w", what, a, ErrVersion)
		}
		b = appendAddr6(b, a)
	}
	return appendNDOptions(b, options)
}

// appendAddr6 appends the 16 bytes of an IPv6 address.
func appendAddr6(b []byte, a netip.Addr) []byte {
	a16 := a.As16()
	return append(b, a16[:]...)
}

func only6(proto int, what string) error {
	if proto != IPv6.Protocol() {
		return fmt.Errorf("marshal %s for protocol %d: %w", what, proto, ErrVersion)
	}
	return nil
}

var _ = []icmp.MessageBody{
	(*NDRouterSolicitation)(nil), (*NDRouterAdvertisement)(nil), (*NeighborSolicitation)(nil),
	(*NeighborAdvertisement)(nil), (*NDRedirect)(nil), (*InverseNeighbor)(nil),
}
