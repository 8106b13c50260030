package icmpx

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/icmp"
)

// checkHeader6 checks what all messages of neighbour and listener discovery have
// in common: a code of 0, n bytes before the options, and a reserved word of
// which mask may be set.
func checkHeader6(b []byte, n int, mask uint32, what string) error {
	switch {
	case b[1] != 0:
		return &ParseError{"code", 1, ErrReserved}
	case binary.BigEndian.Uint32(b[4:])&^mask != 0:
		return &ParseError{"reserved bits", 4, ErrReserved}
	case len(b) < n:
		return &ParseError{what, len(b), ErrTruncated}
	}
	return nil
}

func parseNDRouterSolicitation(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, 8, 0, "router solicitation"); err != nil {
		return nil, err
	}
	options, err := parseNDOptions(b, 8)
	if err != nil {
		return nil, err
	}
	return &NDRouterSolicitation{options}, nil
}

func parseNDRouterAdvertisement(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, 16, 0xfffcffff, "router advertisement"); err != nil {
		return nil, err
	}
	options, err := parseNDOptions(b, 16)
	if err != nil {
		return nil, err
	}
	return &NDRouterAdvertisement{
		HopLimit: b[4], Managed: b[5]&0x80 != 0, Other: b[5]&0x40 != 0, HomeAgent: b[5]&0x20 != 0,
		Preference: b[5] >> 3 & 3, Proxy: b[5]&0x04 != 0,
		Lifetime:  binary.BigEndian.Uint16(b[6:]),
		Reachable: binary.BigEndian.Uint32(b[8:]), Retransmit: binary.BigEndian.Uint32(b[12:]),
		Options: options,
	}, nil
}

func parseNeighborSolicitation(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, 24, 0, "neighbor solicitation"); err != nil {
		return nil, err
	}
	options, err := parseNDOptions(b, 24)
	if err != nil {
		return nil, err
	}
	return &NeighborSolicitation{addr6At(b, 8), options}, nil
}

func parseNeighborAdvertisement(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, 24, 0xe0000000, "neighbor advertisement"); err != nil {
		return nil, err
	}
	options, err := parseNDOptions(b, 24)
	if err != nil {
		return nil, err
	}
	return &NeighborAdvertisement{
		Router: b[4]&0x80 != 0, Solicited: b[4]&0x40 != 0, Override: b[4]&0x20 != 0,
		Target: addr6At(b, 8), Options: options,
	}, nil
}

func parseNDRedirect(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, 40, 0, "redirect"); err != nil {
		return nil, err
	}
	options, err := parseNDOptions(b, 40)
	if err != nil {
		return nil, err
	}
	return &NDRedirect{addr6At(b, 8), addr6At(b, 24), options}, nil
}

func parseInverseNeighbor(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, 8, 0, "inverse neighbor discovery"); err != nil {
		return nil, err
	}
	options, err := parseNDOptions(b, 8)
	if err != nil {
		return nil, err
	}
	return &InverseNeighbor{options}, nil
}

// addr6At returns the address at off, which is within b.
func addr6At(b []byte, off int) netip.Addr { return netip.AddrFrom16([16]byte(b[off:])) }

// addrs6 returns the addresses that b consists of.
func addrs6(b []byte) []netip.Addr {
	list := make([]netip.Addr, len(b)/16)
	for i := range list {
		list[i] = addr6At(b, 16*i)
	}
	return list
}

// ndOptionLen returns the length in bytes of the option that b begins with. One
// of length 0 would never end (RFC 4861 section 4.6).
func ndOptionLen(b []byte) (int, error) {
	switch {
	case len(b) < ndOptionHeaderLen:
		return 0, ErrTruncated
	case b[1] == 0, ndUnit*int(b[1]) > len(b):
		return 0, ErrLength
	}
	return ndUnit * int(b[1]), nil
}

// parseNDOptions reads the options of the message b from off to its end.
func parseNDOptions(b []byte, off int) ([]NDOption, error) {
	var list []NDOption
	for off < len(b) {
		if len(list) == maxNDOptions {
			return nil, &ParseError{"option", off, ErrLimit}
		}
		n, err := ndOptionLen(b[off:])
		if err != nil {
			return nil, &ParseError{"option length", min(off+1, len(b)), err}
		}
		o, err := parseNDOption(b[off : off+n : off+n])
		if err != nil {
			return nil, within(err, off)
		}
		list = append(list, o)
		off += n
	}
	return list, nil
}
