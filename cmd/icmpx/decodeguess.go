package main

import (
	"encoding/binary"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// guessLink tells what the bytes of a packet begin with, by what is hardly an
// accident first, then by what merely looks so.
func guessLink(b []byte) (packet.LinkType, bool) {
	if link, ok := sureLink(b); ok {
		return link, true
	}
	switch {
	case looksIP(b):
		return packet.LinkRaw, true
	case len(b) < 4:
		return 0, false
	case known(icmpx.IPv4, b[0]):
		return packet.LinkICMP, true
	case known(icmpx.IPv6, b[0]):
		return packet.LinkICMP6, true
	}
	return 0, false
}

// sureLink is guessLink by lengths and checksums that fit, and by EtherTypes.
func sureLink(b []byte) (packet.LinkType, bool) {
	switch {
	case fits4(b), fits6(b):
		return packet.LinkRaw, true
	case etherAt(b, 12):
		return packet.LinkEthernet, true
	case len(b) >= 8 && b[0]|b[1]|b[2]|b[3] != 0 && icmpx.Checksum(b) == 0:
		return packet.LinkICMP, true
	case len(b) >= 17 && b[0] == 0 && b[1] <= 4 && etherAt(b, 14):
		return packet.LinkCooked, true
	case len(b) >= 21 && b[2] == 0 && b[3] == 0 && etherAt([]byte{b[0], b[1], b[20]}, 0):
		return packet.LinkCookedV2, true
	}
	return 0, false
}

// fits4 reports whether b is an IPv4 packet, or one with padding or an end that
// is missing, whose header checksum is right.
func fits4(b []byte) bool {
	if len(b) < 20 || b[0]>>4 != 4 {
		return false
	}
	n := int(b[0]&15) * 4
	return n >= 20 && n <= len(b) && (icmpx.Checksum(b[:n]) == 0 || int(binary.BigEndian.Uint16(b[2:])) == len(b))
}

// fits6 reports whether b is an IPv6 packet of the length that it says.
func fits6(b []byte) bool {
	return len(b) >= 40 && b[0]>>4 == 6 && 40+int(binary.BigEndian.Uint16(b[4:])) == len(b)
}

// etherAt reports whether at off there is an EtherType that leads to IP, with
// such a packet behind it.
func etherAt(b []byte, off int) bool {
	if len(b) < off+3 {
		return false
	}
	switch binary.BigEndian.Uint16(b[off:]) {
	case 0x0800:
		return b[off+2]>>4 == 4
	case 0x86dd:
		return b[off+2]>>4 == 6
	case 0x8100, 0x88a8, 0x9100, 0x8847, 0x8864:
		return true
	}
	return false
}

func looksIP(b []byte) bool {
	return len(b) >= 20 && b[0]>>4 == 4 && b[0]&15 >= 5 || len(b) >= 40 && b[0]>>4 == 6
}

// known reports whether a type is one that has been assigned.
func known(f icmpx.Family, typ uint8) bool {
	for _, t := range icmpx.Types(f) {
		if t.Type == typ {
			return true
		}
	}
	return false
}
