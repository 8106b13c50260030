package fingerprint

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// judgeMessage finds what is odd about a message by itself.
func (o *Observer) judgeMessage(p *packet.Packet) {
	if src := p.IP.Src; src.IsMulticast() || src == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		o.odd(impossibleSource, src, p.IP.Dst, p.Frame.Number)
	}
	if p.ICMP == icmpx.IPv6 {
		o.judge6(p)
	} else {
		o.judge4(p)
	}
}

func (o *Observer) judge4(p *packet.Packet) {
	switch p.Type {
	case 3:
		if p.Code == 4 {
			o.checkMTU(p, int(p.Message[6])<<8|int(p.Message[7]))
		}
	case 4:
		o.odd(sourceQuench, p.IP.Src, p.IP.Dst, p.Frame.Number)
	case 5:
		o.redirected(p)
	case 8:
		o.checkEchoCode(p)
	case 9:
		o.advertised(p)
	case 6, 15, 16, 17, 18, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39:
		o.numbered(deprecated, p, int64(p.Type))
	}
}

func (o *Observer) judge6(p *packet.Packet) {
	switch p.Type {
	case 2:
		m := p.Message
		o.checkMTU(p, int(uint32(m[4])<<24|uint32(m[5])<<16|uint32(m[6])<<8|uint32(m[7])))
	case 128:
		o.checkEchoCode(p)
	case 133, 134, 135, 136, 137:
		o.judgeDiscovery(p)
	}
}

// judgeDiscovery holds the rules of RFC 4861 for all neighbour discovery.
func (o *Observer) judgeDiscovery(p *packet.Packet) {
	if p.IP.TTL != 255 {
		o.numbered(ndHopLimit, p, int64(p.IP.TTL))
	}
	byRouter := p.Type == 134 || p.Type == 137
	if byRouter && !p.IP.Src.IsLinkLocalUnicast() {
		o.odd(ndSource, p.IP.Src, p.IP.Dst, p.Frame.Number)
	}
	switch p.Type {
	case 134:
		o.advertised(p)
	case 137:
		o.redirected(p)
	}
}

// numbered notes a finding with a number.
func (o *Observer) numbered(c code, p *packet.Packet, n int64) {
	if e := o.odd(c, p.IP.Src, p.IP.Dst, p.Frame.Number); e != nil {
		e.number = n
	}
}

func (o *Observer) checkEchoCode(p *packet.Packet) {
	if p.Code != 0 {
		o.numbered(echoCode, p, int64(p.Code))
	}
}

// checkMTU looks at the limit of a "too big". 0 is what routers say that know no
// better (RFC 1191 section 5).
func (o *Observer) checkMTU(p *packet.Packet, mtu int) {
	least := 1280 // RFC 8200 section 5
	if p.ICMP == icmpx.IPv4 {
		least = 68 // RFC 791 section 3.2
		if mtu == 0 {
			return
		}
	}
	absurd := mtu < least
	if q, err := icmpx.ParseQuote(p.Message[8:], p.ICMP); err == nil && (q.HeaderOK || p.ICMP == icmpx.IPv6) {
		absurd = absurd || q.TotalLen > 0 && mtu >= q.TotalLen
	}
	if absurd {
		o.numbered(mtuAbsurd, p, int64(mtu))
	}
}
