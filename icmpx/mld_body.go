package icmpx

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"

	"golang.org/x/net/icmp"
)

// MLD is the body of a multicast listener query, report or done of version 1 (RFC
// 2710 section 3).
type MLD struct {
	MaxDelay uint16     // milliseconds in which a query is to be answered; else 0
	Group    netip.Addr // the multicast address; the zero Addr stands for ::, as general queries have it
}

// MLDv2Query is the body of a multicast listener query of version 2 (RFC 9777
// section 5.1).
type MLDv2Query struct {
	MaxResponse uint16       // milliseconds in which it is to be answered; from 0x8000 on a floating-point code
	Group       netip.Addr   // as in MLD
	Suppress    bool         // routers shall not update their timers by it
	Robustness  uint8        // the querier's robustness variable, 0 to 7
	Interval    uint8        // seconds between its queries; from 0x80 on a floating-point code
	Sources     []netip.Addr // that are asked about
}

// MLDv2Report is the body of a multicast listener report of version 2 (RFC 9777
// section 5.2).
type MLDv2Report struct {
	Records []MLDRecord
}

// An MLDRecord is a multicast address record of an MLDv2Report.
type MLDRecord struct {
	Type    uint8 // 1 to 6, see MLDRecordName
	Group   netip.Addr
	Sources []netip.Addr
	Extra   []byte // auxiliary data, a multiple of 4 up to 1020 bytes; there should be none
}

// Len implements icmp.MessageBody.
func (p *MLD) Len(int) int { return 20 }

// Marshal implements icmp.MessageBody.
func (p *MLD) Marshal(proto int) ([]byte, error) {
	return appendMLD(proto, p.MaxDelay, p.Group)
}

func appendMLD(proto int, delay uint16, group netip.Addr) ([]byte, error) {
	if !group.IsValid() {
		group = netip.IPv6Unspecified()
	}
	if !group.Is6() {
		return nil, fmt.Errorf("marshal multicast address %v: %w", group, ErrVersion)
	}
	b := append(binary.BigEndian.AppendUint16(nil, delay), 0, 0)
	return appendAddr6(b, group), only6(proto, "multicast listener discovery")
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *MLDv2Query) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *MLDv2Query) Marshal(proto int) ([]byte, error) {
	b, err := appendMLD(proto, p.MaxResponse, p.Group)
	switch {
	case err != nil:
		return nil, err
	case p.Robustness > 7:
		return nil, fmt.Errorf("marshal robustness variable %d: %w", p.Robustness, ErrLength)
	}
	b = append(b, bit(p.Suppress, 0x08)|p.Robustness, p.Interval)
	return appendSources(b, p.Sources, nil)
}

// appendSources appends the number of source addresses, what stands between,
// and the addresses.
func appendSources(b []byte, sources []netip.Addr, between []byte) ([]byte, error) {
	if len(sources) > math.MaxUint16 {
		return nil, fmt.Errorf("marshal %d source addresses: %w", len(sources), ErrLength)
	}
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(sources))), between...)
	if len(sources) == 0 {
		return b, nil
	}
	return appendAddrs6(b, sources)
}

// Len implements icmp.MessageBody. It is 0 for what Marshal refuses.
func (p *MLDv2Report) Len(proto int) int { return bodyLen(p, proto) }

// Marshal implements icmp.MessageBody.
func (p *MLDv2Report) Marshal(proto int) ([]byte, error) {
	if err := only6(proto, "multicast listener report"); err != nil {
		return nil, err
	}
	if len(p.Records) > math.MaxUint16 {
		return nil, fmt.Errorf("marshal %d multicast records: %w", len(p.Records), ErrLength)
	}
	b := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(len(p.Records)))
	for i := range p.Records {
		var err error
		if b, err = p.Records[i].append(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (r *MLDRecord) append(b []byte) ([]byte, error) {
	words := len(r.Extra) / 4
	switch {
	case !r.Group.Is6():
		return nil, fmt.Errorf("marshal multicast address %v: %w", r.Group, ErrVersion)
	case len(r.Extra)%4 != 0 || words > math.MaxUint8:
		return nil, fmt.Errorf("marshal auxiliary data of %d bytes: %w", len(r.Extra), ErrLength)
	}
	group := r.Group.As16()
	b, err := appendSources(append(b, r.Type, byte(words)), r.Sources, group[:])
	return append(b, r.Extra...), err
}

var _ = []icmp.MessageBody{(*MLD)(nil), (*MLDv2Query)(nil), (*MLDv2Report)(nil)}
