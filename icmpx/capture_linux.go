package icmpx

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A PacketSocket hears packets of this host's interfaces, as they come from the
// devices and as they go to them. One goroutine may call Next; all other methods
// may be called by any.
type PacketSocket struct {
	cfg  PacketConfig
	sock *socket
	src  packetSource

	look  func(fd uintptr) bool // bound once so that calls do not allocate
	once  func(fd uintptr)
	fault error // what look found wrong with the socket

	draining atomic.Bool

	timing   sync.Mutex
	deadline time.Time // of reading, as the user set it
	limited  bool      // another one is set

	mu     sync.Mutex // held by Next, and by what takes the memory away
	closed bool

	counting sync.Mutex
	counted  PacketStats
}

// A packetSource is where the packets of a PacketSocket come from: a ring, or
// the queues of raw sockets.
type packetSource interface {
	more() bool                  // whether next has a packet; it looks for one if need be
	next(p *CapturedPacket)      // hands out a packet
	taken() uint64               // packets handed out
	stop() error                 // has the kernel give no further packets
	count(*PacketStats)          // adds what the kernel has counted since the last time
	check() error                // what is wrong with the socket, if there are no packets
	paused() bool                // whether check is to be asked again after a while
	close() error                // gives the memory back
	link() (typ uint16, in bool) // link type; whether it hears incoming packets only
}

// ListenPackets opens a packet socket, which takes CAP_NET_RAW. It begins to
// hear when all is set up, so that no packet comes by unfiltered.
//
// An Ethernet device, and a loopback, gives its packets with their link header.
// What others put before IP is of no known form, and all interfaces together
// have none in common: these give LinkCooked.
//
// Where the system has no packet sockets and yet raw ICMP sockets, it hears the
// ICMP messages that this host receives, and of what it sends nothing: see
// IncomingOnly. Without the privilege the error is an os.ErrPermission. An
// interface that does not exist is syscall.ENODEV, one that is down
// syscall.ENETDOWN.
func ListenPackets(cfg PacketConfig) (*PacketSocket, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &PacketSocket{cfg: cfg}
	err := s.openRing()
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, os.ErrPermission) {
		if rerr := s.openRaw(); rerr == nil {
			err = nil
		} else if !errors.Is(err, os.ErrPermission) {
			err = errors.Join(err, rerr)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	s.bind()
	return s, nil
}

// bind makes the functions that wait for packets.
func (s *PacketSocket) bind() {
	s.look = func(uintptr) bool {
		if s.src.more() {
			return true
		}
		was := s.src.paused()
		s.fault = s.src.check()
		return s.fault != nil || s.src.paused() != was // which changes how long to wait
	}
	s.once = func(fd uintptr) { s.look(fd) }
}

// Next waits for a packet. Its errors are os.ErrDeadlineExceeded at the read
// deadline, io.EOF after Drain when all packets were read, net.ErrClosed after
// Close, and syscall.ENODEV when the interface has gone. An interface that goes
// down is waited for.
func (s *PacketSocket) Next(p *CapturedPacket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.closed {
			return net.ErrClosed
		}
		if s.src.more() {
			s.src.next(p)
			return nil
		}
		if err := s.wait(); err != nil {
			return err
		}
	}
}

// wait waits until there may be a packet.
func (s *PacketSocket) wait() error {
	draining := s.draining.Load()
	if draining {
		s.sock.settle()
		if s.drained() {
			return io.EOF
		}
	}
	own, err := s.limit(draining)
	if err != nil {
		return err
	}
	s.fault = nil
	err = s.sock.read(s.look, s.once)
	switch {
	case s.fault != nil:
		return s.fault
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case s.src.more(), s.draining.Load() && !draining:
		return nil
	case draining:
		return io.EOF
	case own && !s.expired():
		return nil
	}
	return err
}

// limit sets the time at which waiting ends, and reports whether it is not the
// user's: the kernel hands a block over when it is full, or after Delay, of
// which it may take note late; and it does not tell that an interface which was
// down has gone.
func (s *PacketSocket) limit(draining bool) (own bool, err error) {
	s.timing.Lock()
	defer s.timing.Unlock()
	now := time.Now()
	switch {
	case draining:
		return true, s.sock.setDeadline(now.Add(3*s.cfg.Delay + drainGrace))
	case s.src.paused():
		t := now.Add(lookAgain)
		if !s.deadline.IsZero() && s.deadline.Before(t) {
			t = s.deadline
		}
		s.limited = true
		return true, s.sock.setDeadline(t)
	case s.limited:
		s.limited = false
		return false, s.sock.setDeadline(s.deadline)
	}
	return false, nil
}

// expired reports whether the user's deadline has passed.
func (s *PacketSocket) expired() bool {
	s.timing.Lock()
	defer s.timing.Unlock()
	return !s.deadline.IsZero() && !time.Now().Before(s.deadline)
}

const (
	drainGrace = 200 * time.Millisecond // how long a packet may be under way inside the kernel
	lookAgain  = 250 * time.Millisecond // how often an interface is looked for that is down
)

// drained reports whether Next has returned all that the kernel has queued.
func (s *PacketSocket) drained() bool { return s.Stats().Queued <= s.src.taken() }

// Ready reports whether Next has a packet without waiting. It is for the
// goroutine that calls Next.
func (s *PacketSocket) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && s.src.more()
}

// SetReadDeadline sets the time at which Next gives up waiting; the zero Time:
// never. It also ends a Next in progress.
func (s *PacketSocket) SetReadDeadline(t time.Time) error {
	if s.draining.Load() {
		return nil // Next ends by itself
	}
	s.timing.Lock()
	defer s.timing.Unlock()
	s.deadline = t
	return s.sock.setDeadline(t)
}

// Drain has the kernel take no further packets. Next goes on with what was
// taken, and returns io.EOF then: so Queued and Dropped are all that passed the
// filter.
func (s *PacketSocket) Drain() error {
	err := s.src.stop()
	s.draining.Store(true)
	s.sock.kick()
	return err
}

// Stats returns what the socket has counted so far, also after Close.
func (s *PacketSocket) Stats() PacketStats {
	s.counting.Lock()
	defer s.counting.Unlock()
	s.src.count(&s.counted)
	return s.counted
}

// Link returns the link type of all packets.
func (s *PacketSocket) Link() uint16 {
	typ, _ := s.src.link()
	return typ
}

// IncomingOnly reports whether the socket is a substitute that hears only what
// this host receives.
func (s *PacketSocket) IncomingOnly() bool {
	_, in := s.src.link()
	return in
}

// Close ends the socket and every call in progress.
func (s *PacketSocket) Close() error {
	s.Stats()
	if err := s.sock.close(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.src.close()
}

// ifNames remembers the names of interfaces, which ask the kernel.
type ifNames struct {
	sock  *socket
	known map[uint32]string
	last  uint32 // asked for, and
	name  string // its name
}

// maxIfNames bounds what is remembered: interfaces may come and go.
const maxIfNames = 4096

// of returns the name of an interface; "" if it has gone.
func (n *ifNames) of(index uint32) string {
	if index == n.last {
		return n.name
	}
	name, ok := n.known[index]
	if !ok {
		name = n.ask(index)
	}
	n.last, n.name = index, name
	return name
}

func (n *ifNames) ask(index uint32) string {
	name, err := n.sock.interfaceName(index)
	if err != nil {
		name = ""
	}
	if n.known == nil || len(n.known) >= maxIfNames {
		n.known = make(map[uint32]string)
	}
	n.known[index] = name
	return name
}
