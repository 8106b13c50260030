package icmpx

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/net/icmp"
)

// C-types of an interface identification object (RFC 8335 section 2.1).
const (
	identName  = 1
	identIndex = 2
	identAddr  = 3
)

const maxIdentName = 255 // bytes (RFC 7223 names)

// parseInterfaceIdent reads an interface identification object of a known
// C-type.
func parseInterfaceIdent(b []byte) (icmp.Extension, error) {
	id := &icmp.InterfaceIdent{Class: classInterfaceIdent, Type: int(b[3])}
	body := b[objHeaderLen:]
	switch id.Type {
	case identName:
		name, pad := cutZeros(body)
		id.Name = string(name)
		if align(len(name), 4) != len(body) || !allZero(pad) || len(name) > maxIdentName {
			return id, &ParseError{"interface name padding", objHeaderLen + len(name), ErrLength}
		}
	case identIndex:
		if len(body) != 4 {
			return nil, &ParseError{"interface index", objHeaderLen, ErrLength}
		}
		id.Index = int(binary.BigEndian.Uint32(body))
	case identAddr:
		return parseIdentAddr(id, body)
	}
	return id, nil
}

// parseIdentAddr reads address family, address length, reserved byte and
// address, padded with zeros to 4 bytes.
func parseIdentAddr(id *icmp.InterfaceIdent, body []byte) (icmp.Extension, error) {
	if len(body) < 4 {
		return nil, &ParseError{"interface address", objHeaderLen + len(body), ErrTruncated}
	}
	n := int(body[2])
	if 4+n > len(body) {
		return nil, &ParseError{"interface address length", objHeaderLen + 2, ErrLength}
	}
	id.AFI = int(binary.BigEndian.Uint16(body))
	id.Addr = append([]byte(nil), body[4:4+n]...)
	switch {
	case body[3] != 0:
		return id, &ParseError{"interface address reserved byte", objHeaderLen + 3, ErrReserved}
	case align(n, 4) != len(body)-4 || !allZero(body[4+n:]):
		return id, &ParseError{"interface address padding", objHeaderLen + 4 + n, ErrLength}
	}
	return id, nil
}

func appendInterfaceIdent(b []byte, id *icmp.InterfaceIdent) ([]byte, error) {
	start := len(b)
	b = appendObjectHeader(b, 0, classInterfaceIdent, uint8(id.Type))
	var err error
	switch id.Type {
	case identName:
		if len(id.Name) > maxIdentName || strings.IndexByte(id.Name, 0) >= 0 {
			return nil, fmt.Errorf("marshal interface name of %d bytes: %w", len(id.Name), ErrLength)
		}
		b = append(b, id.Name...)
	case identIndex:
		if b, err = appendWord(b, "interface index", id.Index); err != nil {
			return nil, err
		}
	case identAddr:
		if id.AFI < 0 || id.AFI > 65535 || len(id.Addr) > 255 {
			return nil, fmt.Errorf("marshal interface address of family %d, %d bytes: %w", id.AFI, len(id.Addr), ErrLength)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(id.AFI))
		b = append(append(b, byte(len(id.Addr)), 0), id.Addr...)
	default:
		return nil, fmt.Errorf("marshal interface identification C-type %d: %w", id.Type, ErrReserved)
	}
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start))
	return b, nil
}
