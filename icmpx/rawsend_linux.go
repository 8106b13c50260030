package icmpx

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A RawSender sends whole IP packets of one family, their headers included, as
// they are. It hears nothing. Its methods may be called by any goroutine.
type RawSender struct {
	family Family
	sock   *socket
	device uint32 // index of the interface it is bound to
	zones  zoneTable
	route  *routeSocket

	mu   sync.Mutex
	next uint32 // identification of the next packet that is fragmented
}

// OpenRaw opens a socket for packets with headers of one's own, which takes
// CAP_NET_RAW; without it the error is an os.ErrPermission.
func OpenRaw(cfg RawConfig) (*RawSender, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	fd, err := openFD(cfg.Family, unix.SOCK_RAW, unix.IPPROTO_RAW) // which includes the header
	if err != nil {
		return nil, fmt.Errorf("open %v raw socket: %w", cfg.Family, err)
	}
	s := &RawSender{family: cfg.Family, next: rand.Uint32()} // RFC 7739 section 5: nobody shall guess it
	if err := s.configure(fd, &cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("open %v raw socket: %w", cfg.Family, err), unix.Close(fd))
	}
	if s.sock, err = newSocket(fd, "raw"); err != nil {
		return nil, fmt.Errorf("open %v raw socket: %w", cfg.Family, err)
	}
	if s.route, err = openRoute(cfg.icmp()); err != nil {
		return nil, errors.Join(fmt.Errorf("open route socket: %w", err), s.sock.close())
	}
	return s, nil
}

// icmp returns what the kernel is asked about routes with.
func (c *RawConfig) icmp() *ICMPConfig {
	return &ICMPConfig{Family: c.Family, Source: c.Source, Interface: c.Interface, Broadcast: c.Broadcast, TOS: -1}
}

func (s *RawSender) configure(fd int, cfg *RawConfig) (err error) {
	opts := []sockopt{{cfg.Family.sock().level, cfg.Family.sock().mtuDiscover, receiveOnly, true, "path-MTU discovery"}}
	if cfg.Broadcast {
		opts = append(opts, sockopt{unix.SOL_SOCKET, unix.SO_BROADCAST, 1, false, "broadcast"})
	}
	if err := setOptions(fd, opts); err != nil {
		return err
	}
	if s.device, err = bindDevice(fd, cfg.Interface); err != nil {
		return err
	}
	return bindSource(fd, cfg.Family, cfg.Source, 0, s.device)
}

// RouteSource returns the address that packets to dst leave with. It needs no
// privilege and sends nothing.
func RouteSource(cfg RawConfig, dst netip.Addr) (netip.Addr, error) {
	if err := cfg.validate(); err != nil {
		return netip.Addr{}, err
	}
	if err := cfg.Family.suits(dst); err != nil {
		return netip.Addr{}, err
	}
	r, err := openRoute(cfg.icmp())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("open route socket: %w", err)
	}
	var zones zoneTable
	scope, err := zones.index(&socket{file: r.file, raw: r.raw}, dst)
	if err != nil {
		return netip.Addr{}, errors.Join(err, r.close())
	}
	src, err := r.source(dst, scope)
	if err != nil {
		err = fmt.Errorf("find the source of packets to %v: %w", dst, err)
	}
	return src, errors.Join(err, r.close())
}

// SourceFor returns the address that packets to dst leave with.
func (s *RawSender) SourceFor(dst netip.Addr) (netip.Addr, error) {
	if err := s.family.suits(dst); err != nil {
		return netip.Addr{}, err
	}
	scope, err := s.zones.index(s.sock, dst)
	if err != nil {
		return netip.Addr{}, err
	}
	src, err := s.route.source(dst, scope)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find the source of packets to %v: %w", dst, err)
	}
	return src, nil
}

// Send sends a whole IP packet to dst, which the header should name too, with
// the zone of a link-local address. Linux computes the header checksum of IPv4,
// and fills in an identification that is 0 unless DF is set. A packet that the
// interface has no room for is fragmented; if it forbids that, the error is
// ErrLength or unix.EMSGSIZE; it is ErrVersion for an address of the other family.
func (s *RawSender) Send(b []byte, dst netip.Addr) error {
	if err := s.family.suits(dst); err != nil {
		return fmt.Errorf("send to %v: %w", dst, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	scope, err := s.zones.index(s.sock, dst)
	if err != nil {
		return fmt.Errorf("send to %v: %w", dst, err)
	}
	err = s.write(b, dst, scope)
	if errors.Is(err, unix.EMSGSIZE) {
		err = s.fragmented(b, dst, scope)
	}
	if err != nil {
		return fmt.Errorf("send to %v: %w", dst, err)
	}
	return nil
}

func (s *RawSender) write(b []byte, dst netip.Addr, scope uint32) error {
	var err error
	cerr := s.sock.raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), b, 0, destination(s.family, dst, 0, scope))
		return err != unix.EAGAIN
	})
	if cerr != nil {
		return net.ErrClosed
	}
	return os.NewSyscallError("sendto", err)
}

// fragmented sends a packet in pieces that the interface takes.
func (s *RawSender) fragmented(b []byte, dst netip.Addr, scope uint32) error {
	mtu, _ := s.route.limit(dst, scope, DFProbe)
	if mtu <= 0 || mtu >= len(b) {
		return unix.EMSGSIZE
	}
	list, err := fragmentPacket(b, mtu, s.next)
	if err != nil {
		return err
	}
	s.next++
	for _, p := range list {
		if err := s.write(p, dst, scope); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the socket.
func (s *RawSender) Close() error { return errors.Join(s.sock.close(), s.route.close()) }
