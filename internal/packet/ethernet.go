package packet

// EtherTypes (IEEE 802, IANA).
const (
	etherIPv4    = 0x0800
	etherTEB     = 0x6558 // transparent Ethernet bridging: Ethernet in GRE, VXLAN-GPE, GENEVE
	etherVLAN    = 0x8100
	etherIPv6    = 0x86dd
	etherPPP     = 0x880b
	etherMPLS    = 0x8847
	etherMPLSUp  = 0x8848 // upstream-assigned labels, once multicast
	etherPPPoE   = 0x8864
	etherService = 0x88a8
	etherERSPAN  = 0x88be // ERSPAN type I and II
	etherMACsec  = 0x88e5
	etherOld     = 0x9100 // what came before 0x88a8
	etherOlder   = 0x9200
	etherERSPAN3 = 0x22eb

	etherLeast = 0x0600 // anything below is a length (IEEE 802.3)
)

// ethernet reads an Ethernet header.
func (d *Decoder) ethernet() next {
	if len(d.b) < 14 {
		d.problem(ProblemTruncated, "Ethernet header cut short")
		return none
	}
	typ := be16(d.b[12:])
	d.b = d.b[14:]
	return d.typeOrLength(typ)
}

// typeOrLength reads what follows the last two bytes of an Ethernet header.
func (d *Decoder) typeOrLength(v uint16) next {
	if v >= etherLeast {
		return next{kindEther, v}
	}
	if int(v) < len(d.b) {
		d.b = d.b[:v]
	}
	return d.llc()
}

// llc reads an LLC header (IEEE 802.2), which leads to IP by way of SNAP.
func (d *Decoder) llc() next {
	h := d.take(3, "LLC header cut short")
	if h == nil {
		return none
	}
	switch {
	case h[0] == 0xaa && h[1] == 0xaa && h[2] == 0x03:
		return d.snap()
	case h[0] == 0x06 && h[1] == 0x06:
		return next{kindEther, etherIPv4}
	}
	return none
}

// snap reads a SNAP header: an organisation, and a protocol of its own; those
// of organisation 0 are EtherTypes (RFC 1042).
func (d *Decoder) snap() next {
	h := d.take(5, "SNAP header cut short")
	switch {
	case h == nil:
		return none
	case h[0] == 0 && h[1] == 0 && (h[2] == 0 || h[2] == 0xf8): // 00-00-f8: bridge tunnels of IEEE 802.1H
		return next{kindEther, be16(h[3:])}
	case h[0] == 0 && h[1] == 0x80 && h[2] == 0xc2 && (h[4] == 1 || h[4] == 7): // bridged Ethernet (RFC 2427)
		return next{kind: kindEthernet}
	}
	return none
}

// etherType reads what an EtherType says is next.
func (d *Decoder) etherType(typ uint16) next {
	switch typ {
	case etherIPv4:
		return d.ipUnder4()
	case etherIPv6:
		return d.ipv6()
	case etherVLAN, etherService, etherOld, etherOlder:
		return d.vlan()
	case etherPPPoE:
		return d.pppoe()
	case etherMPLS, etherMPLSUp:
		return d.mpls()
	case etherMACsec:
		return d.macsec()
	case etherTEB:
		return next{kind: kindEthernet}
	case etherPPP:
		return d.pppFrame()
	}
	return none
}

// vlan reads a tag: priority and VLAN, then the EtherType (IEEE 802.1Q).
func (d *Decoder) vlan() next {
	if len(d.vlans) == maxVLANs {
		d.problem(ProblemNesting, "more VLAN tags than are followed")
		return none
	}
	if len(d.b) >= 2 {
		d.vlans = append(d.vlans, be16(d.b)&0x0fff)
	}
	h := d.take(4, "VLAN tag cut short")
	if h == nil {
		return none
	}
	return d.typeOrLength(be16(h[2:]))
}

// pppoe reads the header of a PPPoE session packet (RFC 2516 section 4).
func (d *Decoder) pppoe() next {
	h := d.take(6, "PPPoE header cut short")
	if h == nil || h[0] != 0x11 || h[1] != 0 {
		return none
	}
	if n := int(be16(h[4:])); n < len(d.b) {
		d.b = d.b[:n]
	}
	return d.pppProtocol()
}

// MPLS labels with a meaning of their own (RFC 3032 section 2.1).
const (
	labelNull4 = 0
	labelNull6 = 2
)

// mpls reads a stack of labels (RFC 3032). What follows is not said anywhere:
// an IP packet shows by its version; another nibble is that of a pseudowire's
// control word (RFC 4385), which leads to Ethernet.
func (d *Decoder) mpls() next {
	for range maxLabels {
		h := d.take(4, "MPLS label cut short")
		if h == nil {
			return none
		}
		if h[2]&1 == 0 {
			continue
		}
		switch label := uint32(be16(h))<<4 | uint32(h[2]>>4); {
		case len(d.b) == 0:
			d.problem(ProblemTruncated, "nothing behind the MPLS labels")
			return none
		case label == labelNull4, d.b[0]>>4 == 4:
			return next{kindEther, etherIPv4}
		case label == labelNull6, d.b[0]>>4 == 6:
			return next{kindEther, etherIPv6}
		case d.b[0] == 0:
			d.b = d.b[min(4, len(d.b)):]
			return next{kind: kindEthernet}
		}
		return none
	}
	d.problem(ProblemNesting, "more MPLS labels than are followed")
	return none
}

// macsec reads the security tag of a frame that is signed and not encrypted
// (IEEE 802.1AE section 9). The signature behind it is no part of an IP packet.
func (d *Decoder) macsec() next {
	const (
		channel   = 0x20 // an 8-byte channel identifier follows
		encrypted = 0x08
		changed   = 0x04
	)
	h := d.take(6, "MACsec tag cut short")
	if h == nil || h[0]&(encrypted|changed) != 0 {
		return none
	}
	if h[0]&channel != 0 && d.take(8, "MACsec tag cut short") == nil {
		return none
	}
	typ := d.take(2, "MACsec tag cut short")
	if typ == nil {
		return none
	}
	return d.typeOrLength(be16(typ))
}
