package icmpx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// An apartSocket sends the DFProbe requests of a link that is to learn nothing
// (ICMPConfig.NoLearning). The kernel learns a path MTU by the socket that it
// hands a "too big" message to, unless that has the mode receiveOnly; but with
// this mode it clears DF in the headers that it writes (ip_sk_accept_pmtu and
// ip_dont_fragment of include/net/ip.h). So one socket sends, and another, which
// has the mode, is handed what comes back:
//
//   - A raw socket writes its headers itself. It is one of protocol 255, which no
//     message is about.
//   - A datagram socket shares the identifier of the link's own. Of two that do
//     the kernel takes the one that was bound last (ping_lookup of
//     net/ipv4/ping.c).
//
// Its error queue has transmit stamps, and nothing else.
type apartSocket struct {
	fd                int     // until it has sock
	sock              *socket // nil: not yet
	head              int     // bytes of IP header before a message
	tos               uint8
	ttl, multicastTTL uint8
}

// openApart opens the socket that sends, of the link's kind. A datagram socket
// has its identifier then.
func (l *ICMPLink) openApart(cfg *ICMPConfig, stampIDType int) (err error) {
	a := &apartSocket{tos: uint8(max(cfg.TOS, 0))}
	n := l.family.sock()
	typ, proto, mode, id := unix.SOCK_DGRAM, l.family.Protocol(), n.mtuModes[DFProbe], cfg.ID
	if l.mode == ModeRaw {
		typ, proto, mode, id = unix.SOCK_RAW, unix.IPPROTO_RAW, receiveOnly, 0
		a.head = l.family.HeaderLen()
	}
	if a.fd, err = openFD(l.family, typ, proto); err != nil {
		return err
	}
	opts := append(append(routeOptions(cfg), packetOptions(cfg)...), sockopt{n.level, n.mtuDiscover, mode, false, "path-MTU discovery"})
	err = errors.Join(setOptions(a.fd, opts), setBuffers(a.fd, cfg.SendBuffer, 0), a.readTTL(l.family))
	if err == nil && l.mode == ModeRaw {
		err = deafen(a.fd)
	}
	if err == nil && !cfg.UserStamps {
		enableStamps(a.fd, l.family, stampIDType)
	}
	if err == nil {
		_, err = bindDevice(a.fd, cfg.Interface)
	}
	src := cfg.Source
	if l.mode == ModeDatagram && !src.IsValid() {
		src = unspecified(l.family)
	}
	if err == nil {
		err = bindSource(a.fd, l.family, src, id, l.device)
	}
	if err != nil {
		return errors.Join(err, unix.Close(a.fd))
	}
	l.apart = a
	return nil
}

func (a *apartSocket) readTTL(f Family) error {
	for _, o := range []struct {
		name int
		ttl  *uint8
	}{{f.sock().ttl, &a.ttl}, {f.sock().multicastTTL, &a.multicastTTL}} {
		v, err := unix.GetsockoptInt(a.fd, f.sock().level, o.name)
		if err != nil {
			return os.NewSyscallError("getsockopt", err)
		}
		*o.ttl = uint8(v)
	}
	return nil
}

// shareID binds fd to the identifier of the datagram socket that sends. If that
// cannot be, it is closed: the link then does without.
func (l *ICMPLink) shareID(fd int, cfg *ICMPConfig) bool {
	if l.apart == nil || l.apart.head != 0 {
		return false
	}
	local, err := localAddr(l.apart.fd)
	if err == nil {
		err = sharing(l.apart.fd, fd, func() error { return bindSource(fd, l.family, local.Addr(), local.Port(), l.device) })
	}
	if err == nil {
		return true
	}
	_ = l.closeApart() // fails only when closed before
	l.apart = nil
	return false
}

// sharing lets two sockets be bound to the same port, or identifier, while bind
// binds the second. Later nobody else may join them.
func sharing(a, b int, bind func() error) error {
	set := func(v int) error {
		o := []sockopt{{unix.SOL_SOCKET, unix.SO_REUSEADDR, v, false, "sharing"}}
		return errors.Join(setOptions(a, o), setOptions(b, o))
	}
	if err := set(1); err != nil {
		return err
	}
	err := bind()
	return errors.Join(err, set(0))
}

// wrap hands the socket to the poller.
func (a *apartSocket) wrap(mode Mode) (err error) {
	if a == nil {
		return nil
	}
	a.sock, err = newSocket(a.fd, fmt.Sprintf("%v icmp, sending", mode))
	return err
}

func (l *ICMPLink) closeApart() error {
	switch a := l.apart; {
	case a == nil:
		return nil
	case a.sock == nil:
		return os.NewSyscallError("close", unix.Close(a.fd))
	default:
		return a.sock.close()
	}
}

// putHeader writes the IPv4 header of a request into b, which is the packet. The
// kernel fills in source, identification and checksum (raw_send_hdrinc of
// net/ipv4/raw.c).
func (a *apartSocket) putHeader(b []byte, r *Request) {
	clear(b[:a.head])
	b[0] = byte(IPv4)<<4 | byte(a.head/4)
	b[1] = a.tos
	if r.TOS >= 0 {
		b[1] = uint8(r.TOS)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	b[6] = 0x40 // DF
	switch b[8] = r.TTL; {
	case r.TTL != 0:
	case r.Dst.IsMulticast():
		b[8] = a.multicastTTL
	default:
		b[8] = a.ttl
	}
	b[9] = uint8(IPv4.Protocol())
	dst := r.Dst.Unmap().As4()
	copy(b[16:], dst[:])
}
