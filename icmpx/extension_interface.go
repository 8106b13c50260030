package icmpx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"strings"

	"golang.org/x/net/icmp"
)

// C-type bits of an interface information object: which sub-objects follow, in
// this order (RFC 5837 section 4.1). The two high bits are the interface's role.
const (
	infoIndex    = 0x08
	infoAddr     = 0x04
	infoName     = 0x02
	infoMTU      = 0x01
	infoAll      = infoIndex | infoAddr | infoName | infoMTU
	infoReserved = 0x30
)

// Address family identifiers (IANA).
const (
	afiIPv4 = 1
	afiIPv6 = 2
)

const maxInterfaceName = 63 // bytes (RFC 5837 section 4.3)

// parseInterfaceInfo reads an interface information object. An address of an
// unknown family ends the reading, since its length is not known; the object
// is then left raw.
func parseInterfaceInfo(b []byte) (icmp.Extension, error) {
	info := &icmp.InterfaceInfo{Class: classInterfaceInfo, Type: int(b[3])}
	if b[3]&(infoIndex|infoName|infoMTU) != 0 {
		info.Interface = &net.Interface{}
	}
	var first error
	if b[3]&infoReserved != 0 {
		first = &ParseError{"interface information C-type", 3, ErrReserved}
	}
	off := objHeaderLen
	for bit := uint8(infoIndex); bit != 0; bit >>= 1 {
		if b[3]&bit == 0 {
			continue
		}
		n, fatal, err := parseInfoField(info, bit, b[off:])
		if fatal {
			return nil, within(err, off)
		}
		if first == nil {
			first = within(err, off)
		}
		off += n
	}
	if off < len(b) && first == nil {
		first = &ParseError{"bytes behind the interface information", off, ErrLength}
	}
	return info, first
}

// parseInfoField reads the sub-object that bit announces from the start of b
// and returns its length. An error is fatal if the length is not known.
func parseInfoField(info *icmp.InterfaceInfo, bit uint8, b []byte) (n int, fatal bool, err error) {
	if len(b) < 4 {
		return 0, true, &ParseError{"interface information", len(b), ErrTruncated}
	}
	switch bit {
	case infoIndex:
		info.Interface.Index = int(binary.BigEndian.Uint32(b))
		return 4, false, nil
	case infoAddr:
		return parseInfoAddr(info, b)
	case infoName:
		return parseInfoName(info, b)
	}
	info.Interface.MTU = int(binary.BigEndian.Uint32(b))
	return 4, false, nil
}

// parseInfoAddr reads an address sub-object: family, reserved word, address
// (RFC 5837 section 4.2).
func parseInfoAddr(info *icmp.InterfaceInfo, b []byte) (n int, fatal bool, err error) {
	switch binary.BigEndian.Uint16(b) {
	case afiIPv4:
		n = 4 + net.IPv4len
	case afiIPv6:
		n = 4 + net.IPv6len
	default:
		return 0, true, &ParseError{"interface address family", 0, ErrVersion}
	}
	if n > len(b) {
		return 0, true, &ParseError{"interface address", len(b), ErrTruncated}
	}
	info.Addr = &net.IPAddr{IP: append(net.IP(nil), b[4:n]...)}
	switch {
	case b[2] != 0 || b[3] != 0:
		err = &ParseError{"interface address reserved word", 2, ErrReserved}
	case len(info.Addr.IP) == net.IPv6len && info.Addr.IP.To4() != nil:
		// ::ffff:a.b.c.d never stands on the wire, and net.IP cannot tell it
		// from an IPv4 address.
		err = &ParseError{"interface address", 4, ErrReserved}
	}
	return n, false, err
}

// parseInfoName reads a name sub-object: its length, itself included and a
// multiple of 4 up to 64, and the name padded with zeros (RFC 5837 section 4.3).
func parseInfoName(info *icmp.InterfaceInfo, b []byte) (n int, fatal bool, err error) {
	n = int(b[0])
	if n < 4 || n > maxInterfaceName+1 || n%4 != 0 {
		return 0, true, &ParseError{"interface name length", 0, ErrLength}
	}
	if n > len(b) {
		return 0, true, &ParseError{"interface name", len(b), ErrTruncated}
	}
	name, pad := cutZeros(b[1:n])
	info.Interface.Name = string(name)
	if nameLen(name) != n || !allZero(pad) {
		err = &ParseError{"interface name padding", 1 + len(name), ErrLength}
	}
	return n, false, err
}

// nameLen is the length of a name sub-object.
func nameLen[T ~string | ~[]byte](name T) int { return align(1+len(name), 4) }

func align(n, to int) int { return (n + to - 1) / to * to }

// cutZeros splits b before its first zero byte.
func cutZeros(b []byte) (name, pad []byte) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i], b[i:]
	}
	return b, nil
}

func allZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// infoType returns the C-type of an object: as it is if it announces
// sub-objects, else its role with the sub-objects that have values.
func infoType(info *icmp.InterfaceInfo) (uint8, error) {
	t := info.Type
	if t < 0 || t > 255 || t&infoReserved != 0 {
		return 0, fmt.Errorf("marshal interface information C-type %#x: %w", t, ErrReserved)
	}
	if t&infoAll == 0 {
		if ifi := info.Interface; ifi != nil {
			if ifi.Index > 0 {
				t |= infoIndex
			}
			if ifi.Name != "" {
				t |= infoName
			}
			if ifi.MTU > 0 {
				t |= infoMTU
			}
		}
		if info.Addr != nil {
			t |= infoAddr
		}
	}
	if t&(infoIndex|infoName|infoMTU) != 0 && info.Interface == nil || t&infoAddr != 0 && info.Addr == nil {
		return 0, fmt.Errorf("marshal interface information C-type %#x without the values: %w", t, ErrTruncated)
	}
	return uint8(t), nil
}

func appendInterfaceInfo(b []byte, info *icmp.InterfaceInfo) ([]byte, error) {
	t, err := infoType(info)
	if err != nil {
		return nil, err
	}
	start := len(b)
	b = appendObjectHeader(b, 0, classInterfaceInfo, t)
	if t&infoIndex != 0 {
		if b, err = appendWord(b, "interface index", info.Interface.Index); err != nil {
			return nil, err
		}
	}
	if t&infoAddr != 0 {
		if b, err = appendInfoAddr(b, info.Addr.IP); err != nil {
			return nil, err
		}
	}
	if t&infoName != 0 {
		if b, err = appendInfoName(b, info.Interface.Name); err != nil {
			return nil, err
		}
	}
	if t&infoMTU != 0 {
		if b, err = appendWord(b, "interface MTU", info.Interface.MTU); err != nil {
			return nil, err
		}
	}
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start))
	return b, nil
}

// appendWord appends v as 32 bits. (Where an int has no more than that, the
// upper half is negative.)
func appendWord(b []byte, what string, v int) ([]byte, error) {
	if uint64(uint(v)) > math.MaxUint32 {
		return nil, fmt.Errorf("marshal %s %d: %w", what, v, ErrLength)
	}
	return binary.BigEndian.AppendUint32(b, uint32(v)), nil
}

func appendInfoAddr(b []byte, ip net.IP) ([]byte, error) {
	if v4 := ip.To4(); v4 != nil {
		return append(append(b, 0, afiIPv4, 0, 0), v4...), nil
	}
	if len(ip) != net.IPv6len {
		return nil, fmt.Errorf("marshal interface address of %d bytes: %w", len(ip), ErrLength)
	}
	return append(append(b, 0, afiIPv6, 0, 0), ip...), nil
}

func appendInfoName(b []byte, name string) ([]byte, error) {
	if len(name) > maxInterfaceName || strings.IndexByte(name, 0) >= 0 {
		return nil, fmt.Errorf("marshal interface name of %d bytes: %w", len(name), ErrLength)
	}
	b = append(append(b, byte(nameLen(name))), name...)
	return append(b, make([]byte, nameLen(name)-1-len(name))...), nil
}
