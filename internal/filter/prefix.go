package filter

import (
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// prefix reads the address v and, for a network, how much of it counts.
func (p *parser) prefix(q qualifier, v token) (netip.Prefix, error) {
	var none netip.Prefix
	a, given, err := p.address(q, v)
	if err != nil {
		return none, err
	}
	if q.family != 0 && q.family != icmpx.FamilyOf(a) {
		return none, p.fail(v, "%s is no %s address", a, q.family)
	}
	next := p.peek()
	n := given
	switch {
	case next.text == "%":
		return none, p.fail(next, "packets have addresses without zones")
	case q.what == aHost && (next.text == "/" || next.text == "mask"):
		return none, p.fail(next, "a host has no mask: say \"net %s/LEN\"", v.text)
	case p.accept("/"):
		if n, err = p.maskLength(a.BitLen()); err != nil {
			return none, err
		}
	case next.text == "mask":
		if n, err = p.mask(a); err != nil {
			return none, err
		}
	}
	prefix := netip.PrefixFrom(a, n)
	if network := prefix.Masked(); network != prefix {
		return none, p.fail(v, "%s has bits beyond its mask: the network is %s", v.text, network)
	}
	return prefix, nil
}

// address reads an address, or the first bytes of an IPv4 network, and returns
// how many bits it gives.
func (p *parser) address(q qualifier, v token) (a netip.Addr, given int, err error) {
	if a, err = netip.ParseAddr(v.text); err == nil {
		return a, a.BitLen(), nil
	}
	if q.what == aNet && !strings.Contains(v.text, ":") && v.kind == tokenNumber {
		if parts := strings.Count(v.text, ".") + 1; parts < 4 {
			if a, err = netip.ParseAddr(v.text + strings.Repeat(".0", 4-parts)); err == nil {
				return a, 8 * parts, nil
			}
		}
	}
	if v.kind == tokenWord && !strings.Contains(v.text, ":") {
		return a, 0, p.fail(v, "%.40q is not an address; names of hosts are not looked up", v.text)
	}
	return a, 0, p.fail(v, "%.60q is not an address", v.text)
}

// maskLength reads the length of a prefix of at most most bits.
func (p *parser) maskLength(most int) (int, error) {
	t := p.take()
	n, err := strconv.Atoi(t.text)
	if err != nil || n < 0 || n > most {
		return 0, p.fail(t, "the length of this prefix must be from 0 to %d", most)
	}
	return n, nil
}

// mask reads a mask of IPv4 and returns how many bits it has.
func (p *parser) mask(a netip.Addr) (int, error) {
	at := p.take()
	if !a.Is4() {
		return 0, p.fail(at, "a mask is for IPv4: say /LEN")
	}
	t := p.take()
	m, err := netip.ParseAddr(t.text)
	if err != nil || !m.Is4() {
		return 0, p.fail(t, "%.40q is not a mask such as 255.255.255.0", t.text)
	}
	b := m.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n := bits.LeadingZeros32(^v)
	if v<<n != 0 {
		return 0, p.fail(t, "mask %s has gaps", m)
	}
	return n, nil
}
