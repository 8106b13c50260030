package pmtu

import (
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// A judgement is a list of findings in the making.
type judgement struct {
	*run
	*outlook
	list []Finding
}

// judge says what was found, the worst first that concerns everybody.
func (r *run) judge(o *outlook) []Finding {
	j := &judgement{run: r, outlook: o}
	j.judgeLimits()
	j.judgeReturn()
	j.judgeOwn()
	j.judgeMSS()
	j.judgeClaims()
	j.judgeStrays()
	j.judgePaths()
	j.judgeDoubt()
	j.judgeSilence()
	return j.list
}

func (j *judgement) add(c Code, s Severity, hop int, text string, evidence ...Fact) {
	j.list = append(j.list, Finding{c, s, hop, text, evidence})
}

// message names the ICMP message by which routers say that packets are too big.
func (r *run) message() string {
	if r.family == icmpx.IPv6 {
		return "packet too big (type 2)"
	}
	return "fragmentation needed (type 3 code 4)"
}

func (j *judgement) judgeLimits() {
	for _, l := range j.res.Limits {
		switch {
		case l.Place != Router:
			continue
		case l.Signalled:
			j.add(CodeLimit, Info, l.TTL, at(l.TTL, l.From)+" "+signal(&l), Fact{"mtu", l.MTU}, Fact{"from", l.From})
		case j.res.BlackHole != nil && j.res.BlackHole.MTU == l.MTU:
			j.judgeHole(j.res.BlackHole)
		default:
			j.add(CodeBlackHole, Fault, l.TTL, fmt.Sprintf("packets above %d bytes vanish without a word behind %s", l.MTU, at(l.TTL, l.From)), Fact{"mtu", l.MTU})
		}
		if c := cause(l.MTU, j.family); c != "" {
			j.add(CodeCause, Info, l.TTL, fmt.Sprintf("%d bytes are consistent with %s", l.MTU, c), Fact{"mtu", l.MTU})
		}
	}
}

// signal says what a router does that refuses larger packets.
func signal(l *Limit) string {
	switch {
	case !l.Tested:
		return fmt.Sprintf("says that it passes on at most %d bytes; nothing behind it answers", l.MTU)
	case l.Claim == 0:
		return fmt.Sprintf("passes on at most %d bytes, and refuses more without saying so", l.MTU)
	case l.Claim != l.MTU:
		return fmt.Sprintf("passes on at most %d bytes, but says %d", l.MTU, l.Claim)
	}
	return fmt.Sprintf("passes on at most %d bytes and says so", l.MTU)
}

// judgeHole says where packets vanish and who must do what about it.
func (j *judgement) judgeHole(h *BlackHole) {
	where := "on the way to " + at(h.BeforeTTL, h.Before)
	who, or := "the router in front of the small link", ""
	if sameAddr(h.Before, j.dst) {
		or = "; or the destination itself drops them"
	}
	switch {
	case h.AfterTTL > 0 && h.BeforeTTL > 0:
		where = fmt.Sprintf("between %s and %s", at(h.AfterTTL, h.After), at(h.BeforeTTL, h.Before))
		if h.BeforeTTL == h.AfterTTL+1 {
			who = h.After.String()
		}
	case h.AfterTTL > 0:
		where = "behind " + at(h.AfterTTL, h.After)
	case h.BeforeTTL == 0:
		where = "somewhere on the way"
	}
	j.add(CodeBlackHole, Fault, h.AfterTTL,
		fmt.Sprintf("packets above %d bytes vanish without a word %s: connections open and hang; %s must send %s with next-hop MTU %d, and firewalls must let it through%s",
			h.MTU, where, who, j.message(), h.MTU, or),
		Fact{"mtu", h.MTU}, Fact{"after_ttl", h.AfterTTL}, Fact{"after", h.After}, Fact{"before_ttl", h.BeforeTTL}, Fact{"before", h.Before})
}

// at names a hop as well as it is known.
func at(ttl int, a netip.Addr) string {
	switch {
	case ttl == 0 && !a.IsValid():
		return "an unknown hop"
	case ttl == 0:
		return a.String()
	case !a.IsValid():
		return fmt.Sprintf("hop %d", ttl)
	}
	return fmt.Sprintf("hop %d (%v)", ttl, a)
}

func (j *judgement) judgeReturn() {
	switch {
	case j.back > 0 && !j.backBelievable(j.outlook):
		j.add(CodeSmallPings, Info, 0, fmt.Sprintf("the destination answers echo requests of up to %d bytes only, although %d bytes reach it", j.back, j.least),
			Fact{"echo", j.back}, Fact{"arrived", j.least})
	case j.back > 0:
		j.add(CodeReturn, Fault, 0, fmt.Sprintf("answers above %d bytes do not come back although packets of %d bytes arrive: they vanish on the way back, or the destination does not answer larger echo requests", j.back, j.least),
			Fact{"return_mtu", j.back}, Fact{"arrived", j.least})
	case j.res.ReturnMTU > 0:
		j.add(CodeReturn, Warning, 0, fmt.Sprintf("answers above %d bytes come back in fragments: a link on the way back is that small", j.res.ReturnMTU),
			Fact{"return_mtu", j.res.ReturnMTU})
	}
}

func (j *judgement) judgeOwn() {
	if m := j.opts.RouteMTU; m > 0 && j.res.PMTU > m {
		j.add(CodeRoute, Warning, 0, fmt.Sprintf("this host's route or its cache limits packets to %d bytes although %d pass: see ip route get %v, and ip route flush cache", m, j.res.PMTU, j.dst),
			Fact{"route_mtu", m}, Fact{"pmtu", j.res.PMTU})
	}
	if j.refused > 0 {
		j.add(CodeLocal, Warning, 0, fmt.Sprintf("this host lets out at most %d bytes, less than the %d of its interface", j.refused, j.link),
			Fact{"mtu", j.refused}, Fact{"link_mtu", j.link})
	}
	if j.failures > 0 {
		text := fmt.Sprintf("this host could not send %d probes", j.failures)
		if j.failure != nil {
			text += ": " + j.failure.Error()
		}
		j.add(CodeNotSent, Warning, 0, text, Fact{"failed", j.failures})
	}
}

// judgeMSS gives the remedy's number where the path is smaller than the link.
func (j *judgement) judgeMSS() {
	m := j.res.PMTU
	if m == 0 {
		return
	}
	if j.family == icmpx.IPv6 && m < icmpx.IPv6.MinMTU() {
		j.add(CodeBelow, Fault, 0, fmt.Sprintf("the path takes %d bytes, but every IPv6 link must take 1280", m), Fact{"pmtu", m})
	}
	if m >= max(j.highest, min(j.link, largest(j.family))) {
		return
	}
	v4, v6 := m-icmpx.IPv4.HeaderLen()-tcpHeader, m-icmpx.IPv6.HeaderLen()-tcpHeader
	j.add(CodeMSS, Info, 0, fmt.Sprintf("TCP segments of up to %d bytes fit over IPv4 and of up to %d over IPv6: clamp the maximum segment size to that where connections hang", v4, v6),
		Fact{"mss_ipv4", v4}, Fact{"mss_ipv6", v6})
}
