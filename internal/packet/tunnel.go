package packet

import "github.com/icmpx/icmpx/icmpx"

// UDP ports of tunnels (IANA; 8472 is what Linux used for VXLAN before there
// was a number).
const (
	portGTP      = 2152
	portTeredo   = 3544
	portVXLAN    = 4789
	portGENEVE   = 6081
	portVXLANOld = 8472
)

// tunnel reads the header of an IP protocol that carries packets or frames.
func (d *Decoder) tunnel(proto uint8) next {
	switch proto {
	case protoIPv4, protoIPv6:
		return next{kind: kindIP}
	case protoAH:
		return d.authentication()
	case protoGRE:
		return d.gre()
	case protoUDP:
		return d.udp()
	case protoMPLS:
		return d.mpls()
	case protoEthernet:
		return next{kind: kindEthernet}
	case protoEtherIP: // RFC 3378 section 2: version 3, reserved bits
		if h := d.take(2, "EtherIP header cut short"); h == nil || h[0]>>4 != 3 {
			return none
		}
		return next{kind: kindEthernet}
	case protoPIM:
		return d.pim()
	}
	return none
}

// authentication reads the authentication header of an IPv4 packet (RFC 4302
// section 2); in IPv6 it is one of the extension headers.
func (d *Decoder) authentication() next {
	n, _ := icmpx.ExtensionHeaderLen(protoAH, d.b)
	h := d.take(max(n, 12), "authentication header cut short")
	if h == nil {
		return none
	}
	d.rest -= len(h)
	return next{kindProto, uint16(h[0])}
}

// gre reads a GRE header (RFC 2784, RFC 2890) or that of PPTP (RFC 2637), and
// that of ERSPAN behind it.
func (d *Decoder) gre() next {
	const (
		checksum = 0x8000
		routing  = 0x4000
		key      = 0x2000
		sequence = 0x1000
		ack      = 0x0080 // version 1
		version  = 0x0007
	)
	h := d.take(4, "GRE header cut short")
	if h == nil {
		return none
	}
	flags, typ := be16(h), be16(h[2:])
	if flags&routing != 0 || flags&version > 1 {
		return none
	}
	n := 0
	for _, flag := range [...]uint16{checksum, key, sequence} {
		if flags&flag != 0 {
			n += 4
		}
	}
	if flags&version == 1 && flags&ack != 0 {
		n += 4
	}
	if d.take(n, "GRE header cut short") == nil {
		return none
	}
	switch typ {
	case etherERSPAN:
		if flags&sequence == 0 { // type I has no header of its own
			return next{kind: kindEthernet}
		}
		return d.erspan(8)
	case etherERSPAN3:
		return d.erspan(12)
	}
	return next{kindEther, typ}
}

// erspan reads the n bytes of an ERSPAN header
// (draft-foschiano-erspan-03 section 4), and the subheader of type III that the
// last bit of its header announces.
func (d *Decoder) erspan(n int) next {
	h := d.take(n, "ERSPAN header cut short")
	if h == nil || n == 12 && h[11]&1 != 0 && d.take(8, "ERSPAN header cut short") == nil {
		return none
	}
	return next{kind: kindEthernet}
}

// pim reads the header of a PIM register, which carries a packet (RFC 7761
// section 4.9.3).
func (d *Decoder) pim() next {
	h := d.take(8, "PIM header cut short")
	if h == nil || h[0] != 0x21 || len(d.b) == 0 || d.b[0]>>4 == 0 { // version 2, type 1; a null register has no packet
		return none
	}
	return next{kind: kindIP}
}

// udp reads a UDP header and, by its ports, that of a tunnel.
func (d *Decoder) udp() next {
	if len(d.b) < 8 {
		return none
	}
	src, dst := be16(d.b), be16(d.b[2:])
	d.b = d.b[8:]
	switch {
	case dst == portVXLAN || dst == portVXLANOld:
		return d.vxlan()
	case dst == portGENEVE:
		return d.geneve()
	case dst == portGTP || src == portGTP:
		return d.gtp()
	case dst == portTeredo || src == portTeredo:
		return d.teredo()
	}
	return none
}

// vxlan reads a VXLAN header (RFC 7348 section 5).
func (d *Decoder) vxlan() next {
	const networkID = 0x08
	h := d.take(8, "VXLAN header cut short")
	if h == nil || h[0]&networkID == 0 {
		return none
	}
	return next{kind: kindEthernet}
}

// geneve reads a GENEVE header with its options (RFC 8926 section 3.4).
func (d *Decoder) geneve() next {
	h := d.take(8, "GENEVE header cut short")
	if h == nil || h[0]>>6 != 0 || d.take(int(h[0]&0x3f)*4, "GENEVE options cut short") == nil {
		return none
	}
	return next{kindEther, be16(h[2:])}
}

// gtp reads the header of a GTP-U packet that carries user data, with its
// extension headers (3GPP TS 29.281 section 5).
func (d *Decoder) gtp() next {
	const (
		optional  = 0x07 // a sequence number, an N-PDU number or an extension header is there
		extended  = 0x04
		userData  = 255
		versionPT = 0x30 // version 1, GTP
	)
	h := d.take(8, "GTP header cut short")
	if h == nil || h[0]&0xf0 != versionPT || h[1] != userData {
		return none
	}
	if h[0]&optional == 0 {
		return next{kind: kindIP}
	}
	o := d.take(4, "GTP header cut short")
	if o == nil {
		return none
	}
	typ := o[3]
	if h[0]&extended == 0 {
		typ = 0
	}
	for typ != 0 {
		if len(d.b) == 0 || d.b[0] == 0 {
			return none
		}
		x := d.take(int(d.b[0])*4, "GTP extension header cut short")
		if x == nil {
			return none
		}
		typ = x[len(x)-1]
	}
	return next{kind: kindIP}
}

// teredo reads the authentication and origin indications that may stand before
// the IPv6 packet in a Teredo datagram (RFC 4380 section 5.1.1).
func (d *Decoder) teredo() next {
	if len(d.b) >= 4 && d.b[0] == 0 && d.b[1] == 1 {
		if d.take(4+int(d.b[2])+int(d.b[3])+9, "Teredo header cut short") == nil {
			return none
		}
	}
	if len(d.b) >= 2 && d.b[0] == 0 && d.b[1] == 0 && d.take(8, "Teredo header cut short") == nil {
		return none
	}
	if len(d.b) < 40 || d.b[0]>>4 != 6 {
		return none
	}
	return d.ipv6()
}
