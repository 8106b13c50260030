package icmpx

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
)

// maxNDOptions is how many options of one message are read or written. No sender
// comes near.
const maxNDOptions = 64

// ndUnit is the unit in which the length of an option counts, and
// ndOptionHeaderLen what leads it: type and length (RFC 4861 section 4.6).
const (
	ndUnit            = 8
	ndOptionHeaderLen = 2
)

// Options of neighbour discovery that are taken apart (IANA "IPv6 Neighbor
// Discovery Option Formats").
const (
	ndSourceLinkAddr = 1
	ndTargetLinkAddr = 2
	ndPrefixInfo     = 3
	ndRedirected     = 4
	ndMTU            = 5
	ndSourceAddrs    = 9
	ndTargetAddrs    = 10
	ndNonce          = 14
	ndRouteInfo      = 24
	ndRDNSS          = 25
	ndDNSSL          = 31
	ndCaptivePortal  = 37
	ndPREF64         = 38
)

// An NDOption is an option of neighbour discovery: *NDLinkAddr, *NDPrefixInfo,
// *NDRedirected, *NDMTU, *NDAddrList, *NDNonce, *NDRouteInfo, *NDRDNSS, *NDDNSSL,
// *NDCaptivePortal, *NDPREF64, or *NDRawOption for any other. What they hold is
// padded with zeros to a multiple of 8 bytes (RFC 4861 section 4.6).
type NDOption interface {
	// content returns the type and what follows type and length, without the
	// last padding.
	content() (typ uint8, b []byte, err error)
}

// NDLinkAddr is the option source or target link-layer address (RFC 4861 section
// 4.6.1).
type NDLinkAddr struct {
	Target bool   // else it is the source's
	Addr   []byte // as the link has it, with padding: 6 bytes, or 8 more and so on
}

// NDPrefixInfo is the option prefix information (RFC 4861 section 4.6.2).
type NDPrefixInfo struct {
	PrefixLen  uint8 // bits of Prefix that count, 0 to 128
	OnLink     bool  // addresses of the prefix are neighbours
	Autonomous bool  // hosts may make addresses of it
	RouterAddr bool  // Prefix is the router's whole address (RFC 6275 section 7.2)
	Delegated  bool  // hosts should ask DHCPv6 for a prefix instead (RFC 9762)
	Valid      uint32
	Preferred  uint32 // seconds, as Valid; 0xffffffff: for ever
	Prefix     netip.Addr
}

// NDRedirected is the option redirected header (RFC 4861 section 4.6.3).
type NDRedirected struct {
	Data []byte // the start of the redirected packet, with padding
}

// NDMTU is the option MTU (RFC 4861 section 4.6.4).
type NDMTU struct {
	MTU uint32 // of the link, in bytes
}

// NDAddrList is the option source or target address list of inverse neighbour
// discovery (RFC 3122 section 3.1).
type NDAddrList struct {
	Target bool         // else the addresses are the source's
	Addrs  []netip.Addr // 1 to 127
}

// NDNonce is the option nonce (RFC 3971 section 5.3.2).
type NDNonce struct {
	Nonce []byte // 6 bytes, or 8 more and so on
}

// NDRouteInfo is the option route information (RFC 4191 section 2.3).
type NDRouteInfo struct {
	PrefixLen  uint8 // bits of Prefix that count, 0 to 128
	Preference uint8 // as in NDRouterAdvertisement
	Lifetime   uint32
	Prefix     netip.Addr // as far as Units has room for it, the rest is zero
	Units      uint8      // length of the option in 8 bytes, 1 to 3; 0: as few as PrefixLen needs
}

// NDRDNSS is the option recursive DNS server (RFC 8106 section 5.1).
type NDRDNSS struct {
	Lifetime uint32       // seconds; 0xffffffff: for ever
	Servers  []netip.Addr // 1 to 127
}

// NDDNSSL is the option DNS search list (RFC 8106 section 5.2).
type NDDNSSL struct {
	Lifetime uint32   // seconds; 0xffffffff: for ever
	Domains  []string // without the last dot; labels hold no dot
}

// NDCaptivePortal is the option captive portal (RFC 8910 section 2.3).
type NDCaptivePortal struct {
	URI string // at most 2038 bytes
}

// NDPREF64 is the option PREF64: the prefix by which IPv4 is reached through NAT64
// (RFC 8781 section 4).
type NDPREF64 struct {
	Lifetime  uint16     // seconds, a multiple of 8 up to 65,528
	PrefixLen uint8      // 96, 64, 56, 48, 40 or 32
	Prefix    netip.Addr // its last 32 bits are zero
}

// NDRawOption is an option as it is, of any type.
type NDRawOption struct {
	Type uint8
	Data []byte // behind type and length; with padding if Parse made it
}

// appendNDOptions appends the wire form of options to the body b.
func appendNDOptions(b []byte, options []NDOption) ([]byte, error) {
	if len(options) > maxNDOptions {
		return nil, fmt.Errorf("marshal %d options: %w", len(options), ErrLimit)
	}
	for _, o := range options {
		if o == nil {
			return nil, fmt.Errorf("marshal an option that is nil: %w", ErrLength)
		}
		typ, data, err := o.content()
		if err != nil {
			return nil, err
		}
		n := align(ndOptionHeaderLen+len(data), ndUnit)
		if n/ndUnit > math.MaxUint8 {
			return nil, fmt.Errorf("marshal option %d of %d bytes: %w", typ, n, ErrLength)
		}
		b = append(append(b, typ, byte(n/ndUnit)), data...)
		b = append(b, make([]byte, n-ndOptionHeaderLen-len(data))...)
	}
	return b, nil
}

func (o *NDLinkAddr) content() (uint8, []byte, error) {
	if o.Target {
		return ndTargetLinkAddr, o.Addr, nil
	}
	return ndSourceLinkAddr, o.Addr, nil
}

func (o *NDPrefixInfo) content() (uint8, []byte, error) {
	if err := checkPrefix(o.Prefix, o.PrefixLen); err != nil {
		return 0, nil, err
	}
	flags := bit(o.OnLink, 0x80) | bit(o.Autonomous, 0x40) | bit(o.RouterAddr, 0x20) | bit(o.Delegated, 0x10)
	b := binary.BigEndian.AppendUint32([]byte{o.PrefixLen, flags}, o.Valid)
	b = binary.BigEndian.AppendUint32(b, o.Preferred)
	return ndPrefixInfo, appendAddr6(append(b, 0, 0, 0, 0), o.Prefix), nil
}

func checkPrefix(a netip.Addr, bits uint8) error {
	switch {
	case !a.Is6():
		return fmt.Errorf("marshal prefix %v: %w", a, ErrVersion)
	case bits > 128:
		return fmt.Errorf("marshal prefix length %d: %w", bits, ErrLength)
	}
	return nil
}

func (o *NDRedirected) content() (uint8, []byte, error) {
	return ndRedirected, append(make([]byte, 6), o.Data...), nil
}

func (o *NDMTU) content() (uint8, []byte, error) {
	return ndMTU, binary.BigEndian.AppendUint32([]byte{0, 0}, o.MTU), nil
}

func (o *NDAddrList) content() (uint8, []byte, error) {
	typ := uint8(ndSourceAddrs)
	if o.Target {
		typ = ndTargetAddrs
	}
	b, err := appendAddrs6(make([]byte, 6), o.Addrs)
	return typ, b, err
}

// appendAddrs6 appends at least one address.
func appendAddrs6(b []byte, addrs []netip.Addr) ([]byte, error) {
	if len(addrs) == 0 {
		return nil, fmt.Errorf("marshal an empty list of addresses: %w", ErrLength)
	}
	for _, a := range addrs {
		if !a.Is6() {
			return nil, fmt.Errorf("marshal address %v: %w", a, ErrVersion)
		}
		b = appendAddr6(b, a)
	}
	return b, nil
}

func (o *NDNonce) content() (uint8, []byte, error) { return ndNonce, o.Nonce, nil }

func (o *NDRouteInfo) content() (uint8, []byte, error) {
	if err := checkPrefix(o.Prefix, o.PrefixLen); err != nil {
		return 0, nil, err
	}
	units := o.Units
	if units == 0 {
		units = routeUnits(o.PrefixLen)
	}
	a := o.Prefix.As16()
	room := 8 * (int(units) - 1)
	switch {
	case o.Preference > 3:
		return 0, nil, fmt.Errorf("marshal route preference %d: %w", o.Preference, ErrLength)
	case units < routeUnits(o.PrefixLen) || units > 3:
		return 0, nil, fmt.Errorf("marshal route of %d bits in %d units: %w", o.PrefixLen, units, ErrLength)
	case !allZero(a[room:]):
		return 0, nil, fmt.Errorf("marshal route %v in %d bytes: %w", o.Prefix, room, ErrLength)
	}
	b := binary.BigEndian.AppendUint32([]byte{o.PrefixLen, o.Preference << 3}, o.Lifetime)
	return ndRouteInfo, append(b, a[:room]...), nil
}

// routeUnits returns the length of the shortest option that holds a route of so
// many bits.
func routeUnits(bits uint8) uint8 { return 1 + (min(bits, 128)+63)/64 }

func (o *NDRDNSS) content() (uint8, []byte, error) {
	b, err := appendAddrs6(binary.BigEndian.AppendUint32([]byte{0, 0}, o.Lifetime), o.Servers)
	return ndRDNSS, b, err
}

func (o *NDDNSSL) content() (uint8, []byte, error) {
	if len(o.Domains) == 0 {
		return 0, nil, fmt.Errorf("marshal an empty search list: %w", ErrLength)
	}
	b := binary.BigEndian.AppendUint32([]byte{0, 0}, o.Lifetime)
	for _, name := range o.Domains {
		var err error
		if b, err = appendDomain(b, name); err != nil {
			return 0, nil, err
		}
	}
	return ndDNSSL, b, nil
}

func (o *NDCaptivePortal) content() (uint8, []byte, error) {
	if _, pad := cutZeros([]byte(o.URI)); len(pad) > 0 {
		return 0, nil, fmt.Errorf("marshal URI %q: %w", o.URI, ErrReserved)
	}
	return ndCaptivePortal, []byte(o.URI), nil
}

// pref64Lens are the lengths of a PREF64 prefix by their code (RFC 8781 section
// 4).
var pref64Lens = [...]uint8{96, 64, 56, 48, 40, 32}

func (o *NDPREF64) content() (uint8, []byte, error) {
	code := -1
	for i, n := range pref64Lens {
		if n == o.PrefixLen {
			code = i
		}
	}
	switch {
	case code < 0 || o.Lifetime%8 != 0:
		return 0, nil, fmt.Errorf("marshal PREF64 of %d bits for %d s: %w", o.PrefixLen, o.Lifetime, ErrLength)
	case !o.Prefix.Is6():
		return 0, nil, fmt.Errorf("marshal prefix %v: %w", o.Prefix, ErrVersion)
	}
	a := o.Prefix.As16()
	if !allZero(a[12:]) {
		return 0, nil, fmt.Errorf("marshal prefix %v: %w", o.Prefix, ErrLength)
	}
	return ndPREF64, append(binary.BigEndian.AppendUint16(nil, o.Lifetime|uint16(code)), a[:12]...), nil
}

func (o *NDRawOption) content() (uint8, []byte, error) { return o.Type, o.Data, nil }
