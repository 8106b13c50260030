package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A packetSocket gives packets as they come by; *icmpx.PacketSocket is one.
type packetSocket interface {
	Next(*icmpx.CapturedPacket) error
	Ready() bool
	SetReadDeadline(time.Time) error
	Drain() error
	Stats() icmpx.PacketStats
	Link() uint16
	IncomingOnly() bool
	Close() error
}

// listenPackets opens a packet socket of the kernel.
func listenPackets(cfg icmpx.PacketConfig) (packetSocket, error) {
	s, err := icmpx.ListenPackets(cfg)
	if err != nil {
		return nil, err // not s: a nil *PacketSocket is no nil packetSocket
	}
	return s, nil
}

// How long a packet may wait to be read. The kernel hands over a block of its
// buffer after that time, however few packets are in it: the longer it takes, the
// more packets there is room for while reading is held up.
const (
	promptly  = time.Millisecond       // the process that sent it is looked for, and may end any moment
	unwatched = 100 * time.Millisecond // it goes to a pipe or a file
	recorded  = 200 * time.Millisecond // it goes to a capture file alone
)

// patience chooses that time; 0, for what a person sees at once, is the default of
// the socket.
func (r *listenRun) patience(stdout io.Writer) time.Duration {
	f, isFile := stdout.(*os.File)
	switch {
	case r.process:
		return promptly
	case r.flush || r.views.eager:
		return 0
	case !r.show && r.write != "-":
		return recorded
	case isFile && !isTerminal(f):
		return unwatched
	}
	return 0
}

// A liveSource makes frames of the packets of a socket.
type liveSource struct {
	sock packetSocket
	idle func()        // called before it waits
	tick func()        // called at least so often; nil: never
	each time.Duration // what so often is

	captured icmpx.CapturedPacket // the packet at hand
	frames   int
}

// Next waits for the next packet. Its error is io.EOF when the socket was
// drained.
func (s *liveSource) Next(f *packet.Frame) error {
	for {
		if !s.sock.Ready() {
			if err := s.rest(); err != nil {
				return err
			}
		}
		err := s.sock.Next(&s.captured)
		switch {
		case err == nil:
			s.frames++
			s.fill(f)
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case s.tick != nil:
			s.tick()
		}
	}
}

// rest prepares for a wait.
func (s *liveSource) rest() error {
	s.idle()
	if s.tick == nil {
		return nil
	}
	return s.sock.SetReadDeadline(time.Now().Add(s.each))
}

func (s *liveSource) fill(f *packet.Frame) {
	p := &s.captured
	*f = packet.Frame{
		Number: s.frames, Time: p.Time, Len: p.Len, Data: p.Data, Link: packet.LinkType(p.Link),
		Iface: p.IfIndex, IfaceName: p.IfName, Direction: packet.Incoming, Unfinished: p.Unfinished,
	}
	if p.Outgoing {
		f.Direction = packet.Outgoing
	}
}
