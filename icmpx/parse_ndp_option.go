package icmpx

import (
	"encoding/binary"
	"net/netip"
)

// ndOptionFits reports whether an option of a type may have n bytes, header
// included. Types that are not known may have any length.
func ndOptionFits(typ uint8, n int) bool {
	switch typ {
	case ndPrefixInfo:
		return n == 32
	case ndMTU, ndoInterval, ndoHomeAgent, ndoCapability, ndoShortcutLimit:
		return n == 8
	case ndoTimestamp:
		return n == 16
	case ndSourceAddrs, ndTargetAddrs, ndRDNSS:
		return n >= 24 && n%16 == 8
	case ndRouteInfo:
		return n <= 24
	case ndDNSSL, ndoAddrRegistration:
		return n >= 16
	case ndPREF64:
		return n == 16
	case ndoContext:
		return n == 16 || n == 24
	case ndoBorderRouter, ndoMobilityAnchor, ndoAddrPrefix, ndoNewPrefix:
		return n == 24
	}
	return true
}

// parseNDOption reads one whole option.
func parseNDOption(b []byte) (NDOption, error) {
	typ, data := b[0], b[ndOptionHeaderLen:]
	if !ndOptionFits(typ, len(b)) {
		return nil, &ParseError{"option length", 1, ErrLength}
	}
	switch typ {
	case ndSourceLinkAddr, ndTargetLinkAddr:
		return &NDLinkAddr{typ == ndTargetLinkAddr, data}, nil
	case ndNonce:
		return &NDNonce{data}, nil
	case ndPrefixInfo:
		return parsePrefixInfo(b)
	case ndRedirected:
		return &NDRedirected{b[8:]}, reservedZero(b, 2, 8)
	case ndMTU:
		return &NDMTU{binary.BigEndian.Uint32(b[4:])}, reservedZero(b, 2, 4)
	case ndSourceAddrs, ndTargetAddrs:
		return &NDAddrList{typ == ndTargetAddrs, addrs6(b[8:])}, reservedZero(b, 2, 8)
	case ndRouteInfo:
		return parseRouteInfo(b)
	case ndRDNSS:
		return &NDRDNSS{binary.BigEndian.Uint32(b[4:]), addrs6(b[8:])}, reservedZero(b, 2, 4)
	case ndDNSSL:
		return parseDNSSL(b)
	case ndCaptivePortal:
		return parseCaptivePortal(b)
	case ndPREF64:
		return parsePREF64(b)
	}
	return &NDRawOption{typ, data}, nil
}

// reservedZero checks that the bytes of b from one offset to another are zero.
func reservedZero(b []byte, from, to int) error {
	if !allZero(b[from:to]) {
		return &ParseError{"reserved bytes", from, ErrReserved}
	}
	return nil
}

func parsePrefixInfo(b []byte) (NDOption, error) {
	switch {
	case b[2] > 128:
		return nil, &ParseError{"prefix length", 2, ErrLength}
	case b[3]&0x0f != 0:
		return nil, &ParseError{"reserved bits", 3, ErrReserved}
	}
	return &NDPrefixInfo{
		PrefixLen: b[2], OnLink: b[3]&0x80 != 0, Autonomous: b[3]&0x40 != 0, RouterAddr: b[3]&0x20 != 0, Delegated: b[3]&0x10 != 0,
		Valid: binary.BigEndian.Uint32(b[4:]), Preferred: binary.BigEndian.Uint32(b[8:]),
		Prefix: addr6At(b, 16),
	}, reservedZero(b, 12, 16)
}

func parseRouteInfo(b []byte) (NDOption, error) {
	switch {
	case b[2] > 128 || b[1] < routeUnits(b[2]):
		return nil, &ParseError{"prefix length", 2, ErrLength}
	case b[3]&^0x18 != 0:
		return nil, &ParseError{"reserved bits", 3, ErrReserved}
	}
	r := &NDRouteInfo{
		PrefixLen: b[2], Preference: b[3] >> 3,
		Lifetime: binary.BigEndian.Uint32(b[4:]), Prefix: addr6Prefix(b[8:]),
	}
	if b[1] != routeUnits(b[2]) {
		r.Units = b[1]
	}
	return r, nil
}

// addr6Prefix returns the address that begins with b, of which at most 16 bytes
// count, and is zero behind it.
func addr6Prefix(b []byte) netip.Addr {
	var a [16]byte
	copy(a[:], b)
	return netip.AddrFrom16(a)
}

func parseDNSSL(b []byte) (NDOption, error) {
	o := &NDDNSSL{Lifetime: binary.BigEndian.Uint32(b[4:])}
	off := 8
	for off < len(b) && b[off] != 0 {
		name, n, err := domainAt(b[off:])
		if err != nil {
			return nil, &ParseError{"domain name", off, err}
		}
		if hasDot(b[off:]) {
			return nil, &ParseError{"domain name", off, ErrReserved}
		}
		o.Domains = append(o.Domains, name)
		off += n
	}
	switch {
	case len(o.Domains) == 0 || len(b)-off >= ndUnit:
		return nil, &ParseError{"padding", off, ErrLength}
	case !allZero(b[off:]):
		return nil, &ParseError{"padding", off, ErrReserved}
	}
	return o, reservedZero(b, 2, 4)
}

func parseCaptivePortal(b []byte) (NDOption, error) {
	uri, pad := cutZeros(b[2:])
	switch {
	case len(pad) >= ndUnit:
		return nil, &ParseError{"padding", len(b) - len(pad), ErrLength}
	case !allZero(pad):
		return nil, &ParseError{"padding", len(b) - len(pad), ErrReserved}
	}
	return &NDCaptivePortal{string(uri)}, nil
}

func parsePREF64(b []byte) (NDOption, error) {
	v := binary.BigEndian.Uint16(b[2:])
	if int(v&7) >= len(pref64Lens) {
		return nil, &ParseError{"prefix length code", 3, ErrReserved}
	}
	return &NDPREF64{v &^ 7, pref64Lens[v&7], addr6Prefix(b[4:16])}, nil
}
