package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/craft"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// maxLine is the longest line that is read: the largest packet takes a quarter
// of it.
const maxLine = 1 << 20

// An inputPacket is a packet that comes from standard input.
type inputPacket struct {
	data     []byte
	src, dst netip.Addr
	message  []byte
	family   icmpx.Family
	frame    int
}

// errNoBytes says what the lines of decode need.
var errNoBytes = &usageError{
	err:  errors.New("the packets come without their bytes"),
	hint: "icmpx decode --json FILE writes them",
}

// runSendInput carries out "icmpx send -": packets as decode describes them,
// sent as they are. A dry run shows them one by one, however many.
func runSendInput(ctx context.Context, sys *system, r *sendRun) (int, error) {
	s := newSendSession(ctx, sys, r)
	defer s.stop()
	if r.dry {
		if err := s.open(nil); err != nil {
			return 0, err
		}
		return s.showInput()
	}
	list, err := readInput(patientInput(ctx, sys))
	switch {
	case ctx.Err() != nil:
		return interruptCode(ctx), nil
	case err != nil:
		return 0, err
	}
	if err := r.checkInput(sys, list); err != nil {
		return 0, err
	}
	if err := s.open([]icmpx.Family{list[0].family}); err != nil {
		return 0, errors.Join(err, s.close())
	}
	code, err := s.sendInput(list)
	return code, errors.Join(err, s.close())
}

// eachInput hands out the packets of standard input. Lines that are no packets,
// and packets without ICMP or without the whole message, are left out.
func eachInput(in io.Reader, take func(*craft.Line, []byte) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		l, err := craft.ReadLine(lines.Text())
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, err)
		}
		if l.Event != "packet" || !l.HasICMP {
			continue
		}
		if l.Message == nil || len(l.Header) == 0 {
			return errNoBytes
		}
		data, err := l.Packet()
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, err)
		}
		if err := take(l, data); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	return nil
}

// showInput shows all packets.
func (s *sendSession) showInput() (int, error) {
	s.begin(&render.SendStart{DryRun: true})
	err := eachInput(patientInput(s.ctx, s.sys), func(_ *craft.Line, data []byte) error {
		s.show(data)
		return s.ctx.Err()
	})
	if s.ctx.Err() != nil {
		err = nil
	}
	if err == nil && s.shown == 0 && s.ctx.Err() == nil {
		err = errors.New("standard input holds no packet")
	}
	return s.end(nil, err)
}

// readInput reads the packets to be sent: at most as many as one call may send.
func readInput(in io.Reader) ([]inputPacket, error) {
	var list []inputPacket
	err := eachInput(in, func(l *craft.Line, data []byte) error {
		if len(list) == maxSends {
			return &usageError{
				err:  fmt.Errorf("standard input holds more than %d packets, the most that one call sends", maxSends),
				hint: "icmpx decode --filter EXPR chooses some, -c N the first",
			}
		}
		p, err := wholePacket(data)
		if err != nil {
			return fmt.Errorf("frame %d cannot be sent as it is: %w", l.Frame, err)
		}
		p.frame = l.Frame
		list = append(list, *p)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = errors.New("standard input holds no packet")
	}
	return list, err
}

// wholePacket makes sure that a packet leaves as it is: the kernel writes length
// and checksum of an IPv4 header anew. What would send it on by other hosts is
// refused, as send has one target.
func wholePacket(b []byte) (*inputPacket, error) {
	var d packet.Decoder
	var p packet.Packet
	decoded(&d, new(packet.Frame), &p, b)
	switch {
	case p.ICMP == 0 || p.ICMP != p.IP.Family || p.Depth != 1:
		return nil, errors.New("it is no ICMP message in an IP packet of its own family")
	case p.IP.Fragment:
		return nil, errors.New("it is a fragment")
	case p.IP.Length != len(b):
		return nil, fmt.Errorf("its header says %d bytes, and there are %d", p.IP.Length, len(b))
	case len(p.Message) < 4:
		return nil, errors.New("its message has no whole header")
	}
	var err error
	if p.IP.Family == icmpx.IPv6 {
		err = checkHeader6(b)
	} else {
		err = checkHeader4(b)
	}
	if err != nil {
		return nil, err
	}
	return &inputPacket{data: b, src: p.IP.Src, dst: p.IP.Dst, message: p.Message, family: p.IP.Family}, nil
}

func checkHeader4(b []byte) error {
	h, err := icmpx.ParseIPv4Header(b)
	if err != nil {
		return err
	}
	options, err := icmpx.ParseIPv4Options(h.Options)
	if err != nil {
		return err
	}
	const loose, strict = 131, 137 // source routes (RFC 791 section 3.1)
	for i := range options {
		if t := options[i].Type; t == loose || t == strict {
			return errors.New("it has a source route")
		}
	}
	if h.ID == 0 && !h.DF {
		return errors.New("its identification is 0, which the kernel replaces")
	}
	return nil
}

func checkHeader6(b []byte) error {
	h, err := icmpx.ParseIPv6Header(b)
	if err != nil {
		return err
	}
	const (
		routing     = 43
		destination = 60 // options
	)
	for i := range h.Extensions {
		switch e := &h.Extensions[i]; {
		case e.Type == routing:
			return errors.New("it has a routing header")
		case e.Type == destination && hasHomeAddress(e.Data):
			return errors.New("it has a home address, which stands for its source")
		}
	}
	return nil
}

// hasHomeAddress looks for the home address option (RFC 6275 section 6.3) behind
// the first byte of a destination options header, its length.
func hasHomeAddress(b []byte) bool {
	const pad1, homeAddress = 0, 201
	for b = b[min(1, len(b)):]; len(b) > 0; {
		switch {
		case b[0] == homeAddress:
			return true
		case b[0] == pad1:
			b = b[1:]
		case len(b) < 2:
			return false
		default:
			b = b[min(2+int(b[1]), len(b)):]
		}
	}
	return false
}

// checkInput refuses packets that may not be sent. Nothing is sent then.
func (r *sendRun) checkInput(sys *system, list []inputPacket) error {
	for i := range list {
		p := &list[i]
		switch {
		case p.dst != list[0].dst:
			return &usageError{
				err:  fmt.Errorf("the packets go to %v and to %v: send has one target", list[0].dst, p.dst),
				hint: "icmpx decode --filter \"dst ADDRESS\" chooses those to one",
			}
		case p.dst.IsLinkLocalUnicast() && p.dst.Is6() && r.socket.Interface == "":
			return fmt.Errorf("%v is link-local: -I NAME says on which link", p.dst)
		case !sys.own(p.src):
			return &usageError{
				err:  fmt.Errorf("frame %d is from %v, which is no address of this host: messages are sent in nobody else's name", p.frame, p.src),
				hint: "--dry-run shows what would be sent",
			}
		}
		if err := r.checkTarget(sys, p.dst, p.message[0], p.message[1]); err != nil {
			return err
		}
	}
	return nil
}

// sendInput sends packets one by one.
func (s *sendSession) sendInput(list []inputPacket) (int, error) {
	first := &list[0]
	s.begin(&render.SendStart{
		Target: first.dst.String(), Addr: first.dst, Source: first.src, Type: first.message[0], Code: first.message[1],
		Count: len(list), Bytes: len(first.data),
	})
	dst := first.dst
	if dst.Is6() && (dst.IsLinkLocalUnicast() || dst.IsLinkLocalMulticast()) {
		dst = dst.WithZone(s.asked.socket.Interface)
	}
	var x *craft.Exchange
	for i := range list {
		p := &list[i]
		if harm := craft.Harm(p.family, p.message[0], p.message[1]); harm != "" && !s.asked.stays(dst) {
			s.say(fmt.Sprintf("%s to %v: %s", craft.Describe(p.family, p.message[0], p.message[1]), dst, harm))
		}
		s.show(p.data)
		next := &craft.Exchange{Src: p.src, Dst: p.dst, Family: p.family, Message: p.message}
		if x == nil {
			x = next
		}
		if err := s.sendOne(p.data, dst, x); err != nil {
			return s.end(x, err)
		}
		x = next
		if s.ctx.Err() != nil {
			break
		}
	}
	return s.end(x, s.linger(x))
}
