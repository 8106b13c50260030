package fingerprint

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// Rules of rates.
const (
	floodRate   = 1000 // messages to one host in a second
	smurfRate   = 10   // requests to groups from one host in a second
	sweepHosts  = 16   // destinations of one host
	sweepWindow = 60e9 // within this many nanoseconds
	second      = 1e9
)

// A meter counts the messages of a second.
type meter struct {
	since int64
	n     int64
	src   netip.Addr // of all of them; invalid if they have several
}

// count counts a message and returns how many there were in its second.
func (m *meter) count(at int64, src netip.Addr) int64 {
	if m.n == 0 || at < m.since || at-m.since >= second {
		*m = meter{since: at, src: src}
	} else if m.src != src {
		m.src = netip.Addr{}
	}
	m.n++
	return m.n
}

// measure finds floods.
func (o *Observer) measure(p *packet.Packet, at int64) {
	if at == noTime {
		return
	}
	m, _ := o.meters.get(&p.IP.Dst)
	if n := m.count(at, p.IP.Src); n >= floodRate {
		if e := o.book.note(flood, m.src, p.IP.Dst, p.Frame.Number); e != nil {
			e.number = max(e.number, n)
		}
	}
}

// A source is a host that asks others.
type source struct {
	since   int64
	targets map[netip.Addr]struct{}
}

// countTarget finds sweeps.
func (o *Observer) countTarget(p *packet.Packet, at int64) {
	s, fresh := o.sources.get(&p.IP.Src)
	if fresh {
		s.targets = make(map[netip.Addr]struct{})
	}
	if at != noTime && (fresh || at < s.since || at-s.since > sweepWindow && len(s.targets) < sweepHosts) {
		s.since = at
		clear(s.targets)
	}
	if _, known := s.targets[p.IP.Dst]; known || len(s.targets) >= maxTargets {
		return
	}
	s.targets[p.IP.Dst] = struct{}{}
	if n := len(s.targets); n >= sweepHosts {
		if e := o.book.note(sweep, p.IP.Src, netip.Addr{}, p.Frame.Number); e != nil {
			e.number = max(e.number, int64(n))
		}
	}
}

// checkGroup finds requests that many hosts may answer.
func (o *Observer) checkGroup(p *packet.Packet, at int64) {
	if !toGroup(p) {
		return
	}
	o.odd(groupRequest, p.IP.Src, p.IP.Dst, p.Frame.Number)
	if at == noTime {
		return
	}
	m, _ := o.groups.get(&p.IP.Src)
	if n := m.count(at, p.IP.Dst); n >= smurfRate {
		if e := o.odd(smurf, p.IP.Src, p.IP.Dst, p.Frame.Number); e != nil {
			e.number = max(e.number, n)
		}
	}
}

// toGroup reports whether a packet is for many hosts: by its address, by that of
// its frame, or, if frames have none, by the looks of the address.
func toGroup(p *packet.Packet) bool {
	a := p.IP.Dst
	if a.IsMulticast() {
		return true
	}
	if p.IP.Family != icmpx.IPv4 || !a.Is4() {
		return false
	}
	if to, _, ok := stations(p); ok {
		return to == [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	return a.As4()[3] == 255
}

// stations returns the Ethernet addresses of a frame. A packet in a tunnel has
// none.
func stations(p *packet.Packet) (to, from [6]byte, ok bool) {
	f := p.Frame
	if f.Link != packet.LinkEthernet || len(f.Data) < 14 || p.Depth > 1 {
		return to, from, false
	}
	return [6]byte(f.Data[0:6]), [6]byte(f.Data[6:12]), true
}
