package icmpx

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A sourceTable remembers which source address packets to a destination have,
// and sees that they keep it. It is guarded by the sender's mutex.
type sourceTable struct {
	link  *ICMPLink
	byDst map[netip.Addr]netip.Addr

	// An IPv6 datagram socket checks a source address that comes with a packet,
	// and then sends from the one it is connected with (ping_v6_sendmsg of
	// net/ipv6/ping.c). So it is connected, and has one source for all.
	pin    bool
	pinned netip.Addr
}

func newSourceTable(l *ICMPLink) *sourceTable {
	return &sourceTable{
		link: l, byDst: make(map[netip.Addr]netip.Addr),
		pin: l.family == IPv6 && l.mode == ModeDatagram,
	}
}

// find returns the source address of packets to dst.
func (t *sourceTable) find(dst netip.Addr, scope uint32) (netip.Addr, error) {
	if src, ok := t.byDst[dst]; ok {
		return src, nil
	}
	src, err := t.link.route.source(dst, scope)
	if err == nil && t.pin {
		err = t.pinTo(src, dst, scope)
	}
	if err == nil {
		t.byDst[dst] = src
	}
	return src, err
}

// pinTo has the socket send from src, the source address of packets to dst.
func (t *sourceTable) pinTo(src, dst netip.Addr, scope uint32) error {
	if t.pinned.IsValid() {
		if src != t.pinned {
			return fmt.Errorf("source %v is not %v, which this socket has fixed: %w", src, t.pinned, unix.EADDRNOTAVAIL)
		}
		return nil
	}
	var err error
	cerr := t.link.sock.raw.Control(func(fd uintptr) { err = t.link.connect(int(fd), dst, scope) })
	if cerr != nil {
		return net.ErrClosed
	}
	if err == nil {
		t.pinned = src
	}
	return err
}

// zone is the interface of a source address: that of the destination's zone,
// and for a link-local source at least the link's.
func (t *sourceTable) zone(src netip.Addr, scope uint32) uint32 {
	if scope == 0 && src.IsLinkLocalUnicast() {
		return t.link.device
	}
	return scope
}
