package icmpx

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/icmp"
)

func parseEcho(_ Family, b []byte) (icmp.MessageBody, error) {
	return &icmp.Echo{
		ID:   int(binary.BigEndian.Uint16(b[4:])),
		Seq:  int(binary.BigEndian.Uint16(b[6:])),
		Data: b[headerLen:],
	}, nil
}

// wholeLen checks that a message of a fixed length has it.
func wholeLen(b []byte, n int, field string) error {
	switch {
	case len(b) < n:
		return &ParseError{field, len(b), ErrTruncated}
	case len(b) > n:
		return &ParseError{"bytes behind the " + field, n, ErrLength}
	}
	return nil
}

func parseTimestamp(_ Family, b []byte) (icmp.MessageBody, error) {
	return &Timestamp{
		ID:        binary.BigEndian.Uint16(b[4:]),
		Seq:       binary.BigEndian.Uint16(b[6:]),
		Originate: uint32At(b, 8),
		Receive:   uint32At(b, 12),
		Transmit:  uint32At(b, 16),
	}, wholeLen(b, 20, "timestamps")
}

// uint32At reads 32 bits at off, or 0 beyond the end: the caller checks lengths.
func uint32At(b []byte, off int) uint32 {
	if len(b) < off+4 {
		return 0
	}
	return binary.BigEndian.Uint32(b[off:])
}

func parseInformation(_ Family, b []byte) (icmp.MessageBody, error) {
	return &Information{
		ID:  binary.BigEndian.Uint16(b[4:]),
		Seq: binary.BigEndian.Uint16(b[6:]),
	}, wholeLen(b, headerLen, "information message")
}

func parseAddressMask(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := wholeLen(b, 12, "address mask"); err != nil {
		return nil, err
	}
	return &AddressMask{
		ID:   binary.BigEndian.Uint16(b[4:]),
		Seq:  binary.BigEndian.Uint16(b[6:]),
		Mask: netip.AddrFrom4([4]byte(b[8:12])),
	}, nil
}

func parseRouterSolicitation(_ Family, b []byte) (icmp.MessageBody, error) {
	if !allZero(b[4:headerLen]) {
		return nil, &ParseError{"reserved word", 4, ErrReserved}
	}
	return &RouterSolicitation{}, wholeLen(b, headerLen, "router solicitation")
}

func parseRouterAdvertisement(_ Family, b []byte) (icmp.MessageBody, error) {
	n := int(b[4])
	end := headerLen + 4*entryWords*n
	switch {
	case n == 0:
		return nil, &ParseError{"number of addresses", 4, ErrLength}
	case b[5] != entryWords:
		return nil, &ParseError{"address entry size", 5, ErrLength}
	case len(b) < end:
		return nil, &ParseError{"router address", len(b), ErrTruncated}
	}
	ra := &RouterAdvertisement{Lifetime: binary.BigEndian.Uint16(b[6:]), Routers: make([]Router, n), Extra: b[end:]}
	for i := range ra.Routers {
		e := b[headerLen+4*entryWords*i:]
		ra.Routers[i] = Router{netip.AddrFrom4([4]byte(e[:4])), int32(binary.BigEndian.Uint32(e[4:]))}
	}
	return ra, nil
}

func parseExtEchoRequest(_ Family, b []byte) (icmp.MessageBody, error) {
	if b[7]&^0x01 != 0 {
		return nil, &ParseError{"reserved bits", 7, ErrReserved}
	}
	p := &ExtEchoRequest{ID: binary.BigEndian.Uint16(b[4:]), Seq: b[6], Local: b[7] != 0}
	if len(b) == headerLen {
		return p, nil
	}
	var err error
	if p.Extensions, err = ParseExtensions(b[headerLen:]); err != nil {
		return nil, within(err, headerLen)
	}
	p.NoChecksum = binary.BigEndian.Uint16(b[headerLen+2:]) == 0
	return p, nil
}

func parseExtEchoReply(_ Family, b []byte) (icmp.MessageBody, error) {
	if b[7]&0x18 != 0 {
		return nil, &ParseError{"reserved bits", 7, ErrReserved}
	}
	return &ExtEchoReply{
		ID: binary.BigEndian.Uint16(b[4:]), Seq: b[6],
		State: b[7] >> 5, Active: b[7]&0x04 != 0, IPv4: b[7]&0x02 != 0, IPv6: b[7]&0x01 != 0,
		Data: b[headerLen:],
	}, nil
}
