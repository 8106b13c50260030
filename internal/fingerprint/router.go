package fingerprint

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A hopKey is a pair of hosts.
type hopKey struct{ src, dst netip.Addr }

// A firstHop is the station that the packets of a pair were sent to first: where
// they had most TTL left.
type firstHop struct {
	station [6]byte
	ttl     uint8
}

// learnHop remembers where a packet was sent to.
func (o *Observer) learnHop(p *packet.Packet) {
	to, _, ok := stations(p)
	if !ok || to[0]&1 != 0 { // to a group of stations
		return
	}
	h, fresh := o.hops.get(&hopKey{p.IP.Src, p.IP.Dst})
	if fresh || p.IP.TTL >= h.ttl {
		h.station, h.ttl = to, p.IP.TTL
	}
}

// A linkKey is a link of the capture, as far as it tells them apart.
type linkKey struct {
	iface  int
	vlan   uint16
	family icmpx.Family
}

// A link is what is known of the routers of a link.
type link struct {
	router netip.Addr // the first that advertised itself
	alive  bool       // with a lifetime
}

func linkOf(p *packet.Packet) linkKey {
	k := linkKey{iface: p.Frame.Iface, family: p.IP.Family}
	if n := len(p.VLANs); n > 0 {
		k.vlan = p.VLANs[n-1]
	}
	return k
}

// advertised takes a router advertisement.
func (o *Observer) advertised(p *packet.Packet) {
	m := p.Message
	lifetime := m[6]|m[7] != 0
	k := linkOf(p)
	l, fresh := o.links.get(&k)
	switch {
	case fresh:
		l.router, l.alive = p.IP.Src, lifetime
		return
	case l.router != p.IP.Src:
		if e := o.odd(routerSecond, p.IP.Src, netip.Addr{}, p.Frame.Number); e != nil {
			e.other = l.router
		}
		return
	case l.alive && !lifetime:
		o.odd(routerGone, p.IP.Src, netip.Addr{}, p.Frame.Number)
	}
	l.alive = lifetime
}

// redirected takes a redirect of either family.
func (o *Observer) redirected(p *packet.Packet) {
	gateway, about, ok := redirectOf(p)
	if !ok {
		return
	}
	e := o.odd(redirect, p.IP.Src, p.IP.Dst, p.Frame.Number)
	if e != nil {
		e.other = gateway
	}
	if o.invalidRedirect(p, gateway, about) {
		e = o.odd(redirectInvalid, p.IP.Src, p.IP.Dst, p.Frame.Number)
	} else if !o.fromFirstHop(p, about) {
		e = o.odd(redirectOther, p.IP.Src, p.IP.Dst, p.Frame.Number)
	}
	if e != nil {
		e.other = gateway
	}
}

// redirectOf returns the router that a redirect recommends, and the destination
// that it is about.
func redirectOf(p *packet.Packet) (gateway, about netip.Addr, ok bool) {
	m := p.Message
	if p.ICMP == icmpx.IPv6 {
		if len(m) < 40 {
			return gateway, about, false
		}
		return netip.AddrFrom16([16]byte(m[8:24])), netip.AddrFrom16([16]byte(m[24:40])), true
	}
	q, err := icmpx.ParseQuote(m[8:], icmpx.IPv4)
	if err != nil {
		return gateway, about, false
	}
	return netip.AddrFrom4([4]byte(m[4:8])), q.Dst, true
}

// invalidRedirect reports whether a redirect breaks the rules of RFC 1122
// section 3.2.2.2 or RFC 4861 section 8.1, as far as they can be told from
// outside. Hop limit and source of IPv6 are findings of their own.
func (o *Observer) invalidRedirect(p *packet.Packet, gateway, about netip.Addr) bool {
	if gateway.IsMulticast() || gateway.IsUnspecified() || gateway.IsLoopback() || about.IsMulticast() || gateway == p.IP.Dst {
		return true
	}
	if p.ICMP == icmpx.IPv6 {
		return gateway != about && !gateway.IsLinkLocalUnicast()
	}
	q, err := icmpx.ParseQuote(p.Message[8:], icmpx.IPv4)
	return err != nil || q.Src != p.IP.Dst || gateway == p.IP.Src
}

// fromFirstHop reports whether a redirect comes from the station that packets of
// that pair were sent to, or that is not known.
func (o *Observer) fromFirstHop(p *packet.Packet, about netip.Addr) bool {
	_, from, ok := stations(p)
	if !ok {
		return true
	}
	h := o.hops.find(&hopKey{p.IP.Dst, about})
	return h == nil || h.station == from
}
