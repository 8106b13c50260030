package icmpx

import (
	"encoding/binary"

	"golang.org/x/net/icmp"
)

// What MLD messages begin with, and their shortest lengths (RFC 9777 section
// 8.1): a query of more than 24 and less than 28 bytes is none.
const (
	mldLen       = 24
	mldv2Len     = 28
	mldRecordLen = 20
)

func parseMLD(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, mldLen, 0xffff0000, "multicast listener message"); err != nil {
		return nil, err
	}
	return &MLD{binary.BigEndian.Uint16(b[4:]), addr6At(b, 8)}, wholeLen(b, mldLen, "multicast listener message")
}

// parseMLDQuery reads a query, whose version is told by its length.
func parseMLDQuery(f Family, b []byte) (icmp.MessageBody, error) {
	if len(b) <= mldLen {
		return parseMLD(f, b)
	}
	if err := checkHeader6(b, mldv2Len, 0xffff0000, "multicast listener query"); err != nil {
		return nil, err
	}
	if b[24]&0xf0 != 0 {
		return nil, &ParseError{"reserved bits", 24, ErrReserved}
	}
	end := mldv2Len + 16*int(binary.BigEndian.Uint16(b[26:]))
	if err := wholeLen(b, end, "source addresses"); err != nil {
		return nil, err
	}
	return &MLDv2Query{
		MaxResponse: binary.BigEndian.Uint16(b[4:]), Group: addr6At(b, 8),
		Suppress: b[24]&0x08 != 0, Robustness: b[24] & 7, Interval: b[25],
		Sources: addrs6(b[mldv2Len:]),
	}, nil
}

func parseMLDv2Report(_ Family, b []byte) (icmp.MessageBody, error) {
	if err := checkHeader6(b, headerLen, 0x0000ffff, "multicast listener report"); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(b[6:]))
	off := headerLen
	if len(b) < off+n*mldRecordLen {
		return nil, &ParseError{"multicast records", len(b), ErrTruncated}
	}
	p := &MLDv2Report{Records: make([]MLDRecord, n)}
	for i := range p.Records {
		size := mldRecordSize(b[off:])
		if size == 0 {
			return nil, &ParseError{"multicast record", len(b), ErrTruncated}
		}
		r := b[off : off+size : off+size]
		end := size - 4*int(r[1])
		p.Records[i] = MLDRecord{r[0], addr6At(r, 4), addrs6(r[mldRecordLen:end]), r[end:]}
		off += size
	}
	return p, wholeLen(b, off, "multicast records")
}

// mldRecordSize returns the length of the record that b begins with, or 0 if it
// is not all there.
func mldRecordSize(b []byte) int {
	if len(b) < mldRecordLen {
		return 0
	}
	n := mldRecordLen + 16*int(binary.BigEndian.Uint16(b[2:])) + 4*int(b[1])
	if n > len(b) {
		return 0
	}
	return n
}
