package icmpx

import (
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A rawPair stands in for a packet socket: raw ICMP sockets of both families, or
// of the one that there is. They hear what this host receives for itself,
// without link headers, and IPv4 fragments put together.
type rawPair struct {
	poll    *pollSet
	names   ifNames
	list    []*rawEar
	snaplen int
	arr     arrival
	n       uint64

	queued, dropped atomic.Uint64 // what count has not returned yet
}

// A rawEar is one of its sockets.
type rawEar struct {
	sock   *socket
	family Family
	in     *inbox
	drops  uint32 // as the socket counts them
}

// Each read takes up to rawBatch messages of up to rawMessage bytes.
const (
	rawBatch   = 32
	rawMessage = 64 << 10
)

// openRaw opens the substitute for a packet socket.
func (s *PacketSocket) openRaw() (err error) {
	p := &rawPair{snaplen: s.cfg.Snaplen}
	if p.poll, err = newPollSet("packets"); err != nil {
		return err
	}
	var why error
	for _, f := range []Family{IPv4, IPv6} {
		if e, err := openRawEar(f, &s.cfg); err != nil {
			why = errors.Join(why, err)
		} else if err = p.add(e); err != nil {
			return errors.Join(err, p.close(), p.poll.close())
		}
	}
	if len(p.list) == 0 {
		return errors.Join(why, p.poll.close())
	}
	p.names.sock = p.list[0].sock
	s.sock, s.src = p.poll.socket, p
	return nil
}

func openRawEar(f Family, cfg *PacketConfig) (*rawEar, error) {
	fd, err := openFD(f, unix.SOCK_RAW, f.Protocol())
	if err != nil {
		return nil, err
	}
	if err = setUpRawEar(fd, f, cfg); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	e := &rawEar{family: f, in: newInbox(f, rawBatch, rawMessage, 0)}
	e.sock, err = newSocket(fd, "packets")
	return e, err
}

// setUpRawEar has a socket hear all that is for its interface, and nothing of
// what came before it was told which.
func setUpRawEar(fd int, f Family, cfg *PacketConfig) error {
	if err := deafen(fd); err != nil {
		return err
	}
	opts := append(infoOptions(f), sockopt{f.sock().level, f.sock().mtuDiscover, receiveOnly, false, "path-MTU discovery"})
	if err := setOptions(fd, opts); err != nil {
		return err
	}
	setStamps(fd, unix.SOF_TIMESTAMPING_RX_SOFTWARE|unix.SOF_TIMESTAMPING_SOFTWARE)
	if _, err := bindDevice(fd, cfg.Interface); err != nil {
		return err
	}
	if err := setBuffers(fd, 0, cfg.Buffer/2); err != nil { // the kernel doubles it
		return err
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0))
}

func (p *rawPair) add(e *rawEar) error {
	p.list = append(p.list, e)
	var err error
	if cerr := e.sock.raw.Control(func(fd uintptr) {
		err = p.poll.add(int(fd), len(p.list)-1, unix.EPOLLIN)
	}); cerr != nil {
		return cerr
	}
	return err
}

// more looks for a packet.
func (p *rawPair) more() bool {
	for _, e := range p.list {
		if !e.in.empty() {
			return true
		}
	}
	some := false
	for _, e := range p.list {
		_ = e.sock.raw.Control(e.in.recv) // closed: there is nothing
		some = some || !e.in.empty()
	}
	return some
}

func (p *rawPair) next(c *CapturedPacket) {
	for _, e := range p.list {
		if e.in.empty() {
			continue
		}
		e.in.pop(&p.arr)
		if d := p.arr.drops - e.drops; p.arr.drops != 0 && d != 0 {
			e.drops = p.arr.drops
			p.dropped.Add(uint64(d))
		}
		p.fill(c, e)
		p.n++
		p.queued.Add(1)
		return
	}
}

// fill makes a packet of an arrival. A raw IPv6 socket hands over no header:
// its fields come beside the message, and extension headers not at all.
func (p *rawPair) fill(c *CapturedPacket, e *rawEar) {
	a := &p.arr
	c.Time, c.IfIndex, c.IfName = a.stamp, int(a.ifIndex), p.names.of(a.ifIndex)
	if c.Time.IsZero() {
		c.Time = e.in.read.Round(0)
	}
	c.Link, c.Outgoing, c.Loopback, c.Unfinished = LinkRaw, false, a.name.IsLoopback(), false
	c.Data = c.Data[:0]
	if e.family == IPv6 {
		c.Data = binary.BigEndian.AppendUint32(c.Data, 6<<28|uint32(a.tos)<<20)
		c.Data = binary.BigEndian.AppendUint16(c.Data, uint16(len(a.data)))
		c.Data = append(c.Data, byte(IPv6.Protocol()), a.ttl)
		src, dst := a.name.As16(), a.to.As16()
		c.Data = append(append(c.Data, src[:]...), dst[:]...)
	}
	c.Len = len(c.Data) + len(a.data)
	c.Data = append(c.Data, a.data...)
	c.Data = c.Data[:min(len(c.Data), p.snaplen)]
}

func (p *rawPair) taken() uint64 { return p.n }

// stop leaves in the queues what is there.
func (p *rawPair) stop() error {
	var errs []error
	for _, e := range p.list {
		var err error
		cerr := e.sock.raw.Control(func(fd uintptr) { err = attachRaw(int(fd), captureNothing) })
		errs = append(errs, cerr, err)
	}
	return errors.Join(errs...)
}

// count counts what was handed out: the sockets do not tell how much they have
// queued.
func (p *rawPair) count(c *PacketStats) {
	c.Queued += p.queued.Swap(0)
	c.Dropped += p.dropped.Swap(0)
}

func (*rawPair) check() error { return nil }

func (*rawPair) paused() bool { return false }

func (p *rawPair) close() error {
	var errs []error
	for _, e := range p.list {
		errs = append(errs, e.sock.close())
	}
	return errors.Join(errs...)
}

func (*rawPair) link() (uint16, bool) { return LinkRaw, true }
