package icmpx

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// An ICMPLink sends ICMP queries of one family and receives what answers them,
// on one socket. A raw and a datagram socket give the same replies, except for
// what the kernel keeps to itself: on a datagram socket the IP header that an
// error quotes (Quote.Family is 0 then).
//
// The methods may be called concurrently; of Recv only one call is in progress
// at a time, the others wait.
type ICMPLink struct {
	sock   *socket
	family Family
	mode   Mode
	id     uint16
	source netip.Addr
	device uint32                     // index of the interface it is bound to
	peer   atomic.Pointer[netip.Addr] // what it is connected to; nil: nothing
	optLen int                        // bytes of IPv4 options in every request
	paris  *echoFiller                // nil: checksums are as they come
	clock  clock
	zones  zoneTable
	route  *routeSocket

	apart *apartSocket // sends DFProbe requests; nil: sock does

	stamps stampRing
	byID   bool // transmit stamps come by number

	systemDF int // path-MTU discovery mode that sockets are born with

	// Each error that is taken from the error queue makes the next one
	// pending, which a send then returns (sock_dequeue_err_skb of
	// net/core/skbuff.c). dequeue is held while that may happen.
	dequeue sync.Mutex
	pending bool // errors may be pending at all: the error queue of a datagram socket is on

	// errorsQueued says that ICMP errors come by the error queue, so that they
	// are not wanted as packets as well.
	errorsQueued atomic.Bool

	out sender
	in  receiver
}

// ListenICMP opens a socket for queries of one family. The error is a
// *PrivilegeError if the process may not open one of the mode wanted.
func ListenICMP(cfg ICMPConfig) (*ICMPLink, error) {
	return listenICMP(cfg, scmStampID)
}

// listenICMP is ListenICMP with the type of the ancillary data that number
// transmit stamps, so that tests can play a kernel that does not know it.
func listenICMP(cfg ICMPConfig, stampIDType int) (*ICMPLink, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	fd, mode, err := openICMP(&cfg)
	if err != nil {
		return nil, err
	}
	l := &ICMPLink{
		family: cfg.Family, mode: mode, pending: mode == ModeDatagram,
		optLen: cfg.optionsLen(), clock: clock{time.Now()},
	}
	if err := l.configure(fd, &cfg, stampIDType); err != nil {
		return nil, errors.Join(fmt.Errorf("open %v %v icmp socket: %w", cfg.Family, mode, err), unix.Close(fd), l.closeApart())
	}
	if cfg.ConstantChecksum {
		l.paris = newEchoFiller(cfg.Family)
	}
	if l.sock, err = newSocket(fd, fmt.Sprintf("%v icmp", mode)); err != nil {
		return nil, errors.Join(fmt.Errorf("open %v %v icmp socket: %w", cfg.Family, mode, err), l.closeApart())
	}
	if err = l.apart.wrap(mode); err != nil {
		l.apart = nil // wrap has closed it
		return nil, errors.Join(fmt.Errorf("open %v %v icmp socket: %w", cfg.Family, mode, err), l.sock.close())
	}
	if l.route, err = openRoute(&cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("open route socket: %w", err), l.sock.close(), l.closeApart())
	}
	l.out.init(l, &cfg)
	l.in.init(l)
	if cfg.Connect.IsValid() {
		if err := l.Connect(cfg.Connect); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// openICMP opens the best socket that the mode allows, and says which it is.
func openICMP(cfg *ICMPConfig) (fd int, mode Mode, err error) {
	var raw, datagram error
	if cfg.Mode != ModeDatagram {
		if fd, raw = openFD(cfg.Family, unix.SOCK_RAW, cfg.Family.Protocol()); raw == nil {
			return fd, ModeRaw, nil
		}
		if !errors.Is(raw, os.ErrPermission) {
			return -1, 0, fmt.Errorf("open %v raw icmp socket: %w", cfg.Family, raw)
		}
	}
	if cfg.Mode != ModeRaw && !cfg.ZeroID {
		if fd, datagram = openFD(cfg.Family, unix.SOCK_DGRAM, cfg.Family.Protocol()); datagram == nil {
			return fd, ModeDatagram, nil
		}
		if raw == nil && !errors.Is(datagram, os.ErrPermission) {
			return -1, 0, fmt.Errorf("open %v datagram icmp socket: %w", cfg.Family, datagram)
		}
	}
	return -1, 0, privilegeError(cfg.Family, raw, datagram)
}

// privilegeError gathers what the user must know to get the privilege. What
// cannot be found out is left out.
func privilegeError(f Family, raw, datagram error) error {
	e := &PrivilegeError{Family: f, Raw: raw, Datagram: datagram, Groups: []int{os.Getegid()}}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ping_group_range"); err == nil {
		e.GroupRange = strings.Join(strings.Fields(string(b)), " ")
	}
	if groups, err := os.Getgroups(); err == nil {
		for _, g := range groups {
			if g != e.Groups[0] {
				e.Groups = append(e.Groups, g)
			}
		}
	}
	if exe, err := os.Executable(); err == nil {
		e.Executable = exe
	}
	return e
}

// configure prepares fd, in an order that lets nothing in that is not for us:
// a raw socket hears the whole host until it has its filter.
func (l *ICMPLink) configure(fd int, cfg *ICMPConfig, stampIDType int) error {
	raw := l.mode == ModeRaw
	if raw {
		if err := deafen(fd); err != nil {
			return err
		}
	}
	if !cfg.UserStamps {
		l.byID = enableStamps(fd, l.family, stampIDType)
	}
	var err error
	n := l.family.sock()
	if l.systemDF, err = unix.GetsockoptInt(fd, n.level, n.mtuDiscover); err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	opts := append(append(routeOptions(cfg), packetOptions(cfg)...), infoOptions(l.family)...)
	if cfg.NoLearning && l.family == IPv4 {
		opts = append(opts, sockopt{n.level, n.mtuDiscover, receiveOnly, false, "path-MTU discovery"})
	}
	if !raw {
		opts = append(opts, errorOptions(l.family)...)
	}
	if err := setOptions(fd, opts); err != nil {
		return err
	}
	if err := setIPv4Options(fd, cfg.Options); err != nil {
		return err
	}
	if err := setBuffers(fd, cfg.SendBuffer, cfg.RecvBuffer); err != nil {
		return err
	}
	if l.device, err = bindDevice(fd, cfg.Interface); err != nil {
		return err
	}
	if cfg.NoLearning && l.family == IPv4 {
		if err := l.openApart(cfg, stampIDType); err != nil {
			return err
		}
	}
	return l.identify(fd, cfg)
}

// identify gives fd its source address and its identifier.
func (l *ICMPLink) identify(fd int, cfg *ICMPConfig) error {
	l.source, l.id = cfg.Source, cfg.ID
	if l.mode == ModeRaw {
		if l.id == 0 && !cfg.ZeroID {
			l.id = uint16(1 + rand.N(65535))
		}
		if err := bindSource(fd, l.family, cfg.Source, 0, l.device); err != nil {
			return err
		}
		if err := blockTypes(fd, l.family); err != nil {
			return err
		}
		return attach(fd, idFilter(l.family, l.id))
	}
	src := cfg.Source
	if !src.IsValid() {
		src = unspecified(l.family) // bound nevertheless: the kernel chooses the identifier
	}
	if !l.shareID(fd, cfg) {
		if err := bindSource(fd, l.family, src, cfg.ID, l.device); err != nil {
			return err
		}
	}
	local, err := localAddr(fd)
	if err != nil {
		return err
	}
	l.id = local.Port()
	return nil
}

func unspecified(f Family) netip.Addr {
	if f == IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// Keys returns the identifier as flow, and as tags the numbers 1 to 65,536,
// whose low 16 bits are the sequence number: the last is 0 on the wire. An
// extended echo has 8 bits (RFC 8335). It returns false for requests of the
// other family, to another destination than the link is connected to, and for
// what the socket cannot send: a datagram socket sends echo and extended echo,
// and IPv6 has no other query.
func (l *ICMPLink) Keys(r *Request) (KeySpace, bool) {
	typ, ok := l.requestType(r.Proto)
	if !ok || !l.reaches(r.Dst) {
		return KeySpace{}, false
	}
	return KeySpace{Flow: uint32(l.id), First: 1, Last: lastTag(l.family, typ)}, true
}

// reaches reports whether the link sends to dst.
func (l *ICMPLink) reaches(dst netip.Addr) bool {
	if peer := l.peer.Load(); peer != nil {
		return dst.Unmap() == *peer
	}
	return FamilyOf(dst) == l.family
}

// requestType returns the ICMP type that a probe has on the wire, and whether
// the socket may send it.
func (l *ICMPLink) requestType(p Proto) (uint8, bool) {
	switch p {
	case ProtoEcho:
		return l.family.row().echoRequest, true
	case ProtoExtEcho:
		if l.family == IPv6 {
			return v6ExtEchoRequest, true
		}
		return v4ExtEchoRequest, true
	}
	if l.family != IPv4 || l.mode != ModeRaw {
		return 0, false
	}
	switch p {
	case ProtoTimestamp:
		return v4TimestampRequest, true
	case ProtoInformation:
		return v4InformationRequest, true
	case ProtoMask:
		return v4MaskRequest, true
	}
	return 0, false
}

// lastTag is the number of sequence numbers that a query has room for.
func lastTag(f Family, typ uint8) uint32 {
	if queryOf(f, typ) == queryExtended {
		return 1 << 8
	}
	return 1 << 16
}

// tagOf returns the tag of a sequence number: tags begin with 1, so that of 0
// is the last.
func tagOf(f Family, typ uint8, seq uint16) uint32 {
	if seq == 0 {
		return lastTag(f, typ)
	}
	return uint32(seq)
}

// SetRecvDeadline sets the time at which Recv gives up, also for a Recv in
// progress; the zero time means never. The error is net.ErrClosed after Close.
func (l *ICMPLink) SetRecvDeadline(t time.Time) error { return l.sock.setDeadline(t) }

// Close ends the link and every call in progress. A second Close returns
// net.ErrClosed.
func (l *ICMPLink) Close() error {
	if err := l.sock.close(); err != nil {
		return err
	}
	return errors.Join(l.route.close(), l.closeApart())
}

// Mode returns which kind of socket it is: ModeRaw or ModeDatagram.
func (l *ICMPLink) Mode() Mode { return l.mode }

// Family returns the address family of the link.
func (l *ICMPLink) Family() Family { return l.family }

// ID returns the identifier of the link's queries.
func (l *ICMPLink) ID() uint16 { return l.id }

// MaxPayload returns the largest echo payload in bytes that the link sends: the
// family's, less its IPv4 options.
func (l *ICMPLink) MaxPayload() int { return l.family.MaxPayload() - l.optLen }

// headerLen is the length in bytes of the IP header of the link's requests.
func (l *ICMPLink) headerLen() int { return l.family.HeaderLen() + l.optLen }

// LocalAddr returns the source address that the link was given; the zero Addr
// if the kernel chooses.
func (l *ICMPLink) LocalAddr() netip.Addr { return l.source }

// SourceFor returns the address of this host that packets to dst leave from,
// as the routes are now. It sends nothing.
func (l *ICMPLink) SourceFor(dst netip.Addr) (netip.Addr, error) {
	if FamilyOf(dst) != l.family {
		return netip.Addr{}, fmt.Errorf("find source for %v: not an %v address", dst, l.family)
	}
	scope, err := l.zones.index(l.sock, dst)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find source for %v: %w", dst, err)
	}
	src, err := l.route.source(dst, scope)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find source for %v: %w", dst, err)
	}
	return l.zones.with(l.sock, src, scope), nil
}

// String describes the link, for messages.
func (l *ICMPLink) String() string {
	return fmt.Sprintf("%v %v icmp socket, id %d", l.family, l.mode, l.id)
}
