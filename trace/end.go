package trace

import (
	"github.com/icmpx/icmpx/icmpx"
)

// A meaning is what an answer says about the way.
type meaning uint8

const (
	passing meaning = iota // the way goes on
	refused                // somebody passes nothing on
	reached                // the destination itself
)

// means returns what an answer says. The destination counts as reached only by
// what nobody else says, since behind a Linux destination NAT the errors of
// every router carry its address:
//
//  1. a direct answer: an echo reply, a UDP datagram, SYN-ACK or RST;
//  2. port or protocol unreachable (ICMPv6: unknown next header) from the
//     destination's address;
//  3. to a UDP probe the same from another address, which is one of the
//     destination's own, unless it is a router that also refuses by TTL: then it
//     is a firewall.
//
// Time exceeded means that the way goes on. Everything else refuses the packet.
func (p *path) means(a *Probe) meaning { return p.meansTo(p.opts.Method, a) }

func (p *path) meansTo(m Method, a *Probe) meaning {
	switch a.Kind {
	case icmpx.KindEchoReply, icmpx.KindUDPAnswer, icmpx.KindTCPOpen, icmpx.KindTCPClosed:
		return reached
	case icmpx.KindTimeExceeded:
		return passing
	}
	if !endToEnd(icmpx.FamilyOf(p.dst), a) {
		return refused
	}
	if sameAddr(a.From, p.dst) || m.Proto() == icmpx.ProtoUDP && !p.routers[bare(a.From)] {
		return reached
	}
	return refused
}

// endToEnd reports whether an error is one that a destination makes because of
// what the packet carries: port or protocol unreachable (RFC 1122 section
// 3.2.2.1), or of ICMPv6 port unreachable and unrecognized next header (RFC 4443
// sections 3.1 and 3.4).
func endToEnd(f icmpx.Family, a *Probe) bool {
	if f == icmpx.IPv6 {
		return a.Kind == icmpx.KindUnreachable && a.Code == 4 || a.Kind == icmpx.KindParamProblem && a.Code == 1
	}
	return a.Kind == icmpx.KindUnreachable && (a.Code == 2 || a.Code == 3)
}

// end returns the TTL at which the path ends, as far as is known, and what the
// end has said; 0 if it has not spoken.
func (p *path) end() (ttl int, what meaning) {
	if p.news {
		p.endTTL, p.endSays = p.findEnd()
		p.news = false
	}
	return p.endTTL, p.endSays
}

// findEnd looks for the end among all answers.
//
//  1. It is the lowest TTL that the destination has answered.
//  2. Else it is the lowest TTL that somebody refused, if no larger one was
//     passed on: a router that refuses one probe and passes the next is not the
//     end.
func (p *path) findEnd() (ttl int, what meaning) {
	passed, refusedAt := 0, 0
	for t := p.opts.FirstTTL; t <= p.top; t++ {
		for i := range p.hops[t].slots {
			s := &p.hops[t].slots[i]
			if s.State != Answered {
				continue
			}
			switch p.means(&s.Probe) {
			case reached:
				return t, reached
			case passing:
				if t > refusedAt {
					refusedAt = 0
				}
				passed = t
			case refused:
				if refusedAt == 0 && t >= passed {
					refusedAt = t
				}
			}
		}
	}
	return refusedAt, refused
}

// limit returns the last TTL that matters: the end's, or that of the window.
func (p *path) limit() int {
	if e, _ := p.end(); e != 0 {
		return e
	}
	return p.top
}

// spoken reports whether the end has.
func (p *path) spoken() bool {
	e, _ := p.end()
	return e != 0
}

// speech returns the answer that makes a TTL the end; the zero Probe if there is
// none.
func (p *path) speech(ttl int, what meaning) Probe {
	for i := range p.hops[ttl].slots {
		if s := &p.hops[ttl].slots[i]; s.State == Answered && p.means(&s.Probe) == what {
			return s.Probe
		}
	}
	return Probe{}
}

// portState returns what the destination says about the port.
func (p *path) portState() PortState {
	e, what := p.end()
	if p.opts.Method == ICMP || e == 0 || what != reached {
		return PortUnknown
	}
	switch p.speech(e, what).Kind {
	case icmpx.KindTCPOpen, icmpx.KindUDPAnswer:
		return PortOpen
	case icmpx.KindTCPClosed, icmpx.KindUnreachable:
		return PortClosed
	}
	return PortUnknown
}
