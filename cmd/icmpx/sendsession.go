package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/craft"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A sendSession is one run of "icmpx send".
type sendSession struct {
	outer context.Context // ends when the user wants it
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	sys   *system
	asked *sendRun
	out   output

	senders map[icmpx.Family]rawSender
	why     map[icmpx.Family]error // why there is none
	ear     packetSocket           // nil: answers are not waited for
	source  liveSource             // makes frames of what ear has heard

	decoder packet.Decoder // of what comes in
	frame   packet.Frame
	packet  packet.Packet

	text     render.SendText
	json     render.PacketJSON
	sent     int
	received int
	shown    int // packets that were shown
}

func newSendSession(ctx context.Context, sys *system, r *sendRun) *sendSession {
	s := &sendSession{outer: ctx, sys: sys, asked: r, senders: map[icmpx.Family]rawSender{}, why: map[icmpx.Family]error{}}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	s.json.Raw = true
	return s
}

// open opens what sending takes, unless nothing is sent, and gives up all
// privileges.
func (s *sendSession) open(families []icmpx.Family) error {
	r := s.asked
	if !r.dry {
		if err := s.openSockets(families); err != nil {
			return err
		}
	}
	if err := s.sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return fmt.Errorf("drop privileges: %w", err)
	}
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	return nil
}

func (s *sendSession) openSockets(families []icmpx.Family) error {
	for _, f := range families {
		cfg := s.asked.socket
		cfg.Family = f
		sender, err := s.sys.listenRaw(cfg)
		if err != nil {
			s.why[f] = hintedRaw(err)
			continue
		}
		s.senders[f] = sender
	}
	if len(s.senders) == 0 {
		return s.why[families[0]]
	}
	if s.asked.wait == 0 {
		return nil
	}
	_, program, err := liveFilter("icmp or icmp6", false)
	if err != nil {
		return err
	}
	// On every interface: what leaves by a VRF comes back by one of its
	// interfaces, and what goes to this host by the loopback.
	s.ear, err = s.sys.listenPackets(icmpx.PacketConfig{Filter: program, Delay: time.Millisecond})
	if err != nil {
		return hintedListen(err)
	}
	return nil
}

func (s *sendSession) close() error {
	var errs []error
	for _, sender := range s.senders {
		errs = append(errs, sender.Close())
	}
	if s.ear != nil {
		errs = append(errs, s.ear.Close())
	}
	return errors.Join(errs...)
}

// resolve returns the first address of the host that there is a socket for.
func (s *sendSession) resolve() (netip.Addr, error) {
	r := s.asked
	addrs, err := lookUp(s.ctx, s.sys.resolver, r.host, r.family)
	if err != nil {
		return netip.Addr{}, err
	}
	err = fmt.Errorf("%s has no address for %s", r.host, r.word)
	for _, a := range addrs {
		f := icmpx.FamilyOf(a)
		if _, _, ok := craft.Find(f, r.word); !ok {
			continue
		}
		if s.senders[f] != nil || r.dry {
			return a, nil
		}
		err = s.why[f]
	}
	return netip.Addr{}, err
}

// sourceFor returns the source address of packets to addr. A dry run does
// without a route there.
func (s *sendSession) sourceFor(addr netip.Addr) (netip.Addr, error) {
	r := s.asked
	if r.socket.Source.IsValid() {
		return r.socket.Source, nil
	}
	if !r.dry {
		src, err := s.senders[icmpx.FamilyOf(addr)].SourceFor(addr)
		if err != nil {
			return src, &hintedError{err: err, hint: hintIn(sendHints, err)}
		}
		return src.WithZone("").Unmap(), nil
	}
	cfg := r.socket
	cfg.Family = icmpx.FamilyOf(addr)
	src, err := s.sys.routeSource(cfg, addr)
	if err != nil {
		src = placeholder(addr)
		s.say(fmt.Sprintf("no source address is known: %v is shown: %v", src, err))
	}
	return src.WithZone("").Unmap(), nil
}

// sendMessage makes the message, shows it, sends it unless the run is dry, and
// shows what comes back. It returns the exit code.
func (s *sendSession) sendMessage(cmd *command, addr netip.Addr) (int, error) {
	src, err := s.sourceFor(addr)
	if err != nil {
		return 0, err
	}
	m, h, b, err := s.asked.build(src, addr)
	if err != nil {
		return 0, usage(cmd, err)
	}
	for _, w := range craft.Warnings(m, h) {
		s.say("warning: " + w)
	}
	if harm := craft.Harm(m.Family, m.Type, m.Code); harm != "" && !s.asked.stays(addr) {
		s.say(fmt.Sprintf("%s to %s: %s", craft.Describe(m.Family, m.Type, m.Code), addr, harm))
	}
	x := &craft.Exchange{Src: src.WithZone(""), Dst: addr.WithZone(""), Family: m.Family, Message: b[len(b)-messageLen(b, m.Family):]}
	s.begin(&render.SendStart{
		Target: s.asked.host, Addr: addr, Source: src, Type: m.Type, Code: m.Code,
		Count: s.asked.count, DryRun: s.asked.dry, Bytes: len(b),
	})
	s.show(b)
	if !s.asked.dry {
		for range s.asked.count {
			if err = s.sendOne(b, addr, x); err != nil || s.ctx.Err() != nil {
				break
			}
		}
		if err == nil {
			err = s.linger(x)
		}
	}
	return s.end(x, err)
}

// messageLen returns the length of the message in a packet that was built here.
func messageLen(b []byte, f icmpx.Family) int {
	if f == icmpx.IPv6 {
		h, err := icmpx.ParseIPv6Header(b)
		if err != nil {
			return 0
		}
		return len(b) - h.Len()
	}
	return len(b) - icmpx.IPv4.HeaderLen()
}

// sendOne sends a packet, and hears what comes until the next may be sent.
func (s *sendSession) sendOne(b []byte, addr netip.Addr, x *craft.Exchange) error {
	if s.sent > 0 && !s.asked.stays(addr) {
		if err := s.hear(x, time.Now().Add(sendInterval), false); err != nil {
			return err
		}
		if s.ctx.Err() != nil {
			return nil
		}
	}
	if err := s.senders[x.Family].Send(b, addr); err != nil {
		return &hintedError{err: err, hint: hintIn(rawHints(), err)}
	}
	s.sent++
	return nil
}

// linger waits for the answers that are still to come.
func (s *sendSession) linger(x *craft.Exchange) error {
	if s.ear == nil || !s.asked.waitSet && !x.MayFail() {
		return nil
	}
	return s.hear(x, time.Now().Add(s.asked.wait), !x.Dst.IsMulticast() && !s.asked.socket.Broadcast && x.Expects())
}

// hear shows what answers until a time; with all, until every packet was
// answered.
func (s *sendSession) hear(x *craft.Exchange, until time.Time, all bool) error {
	if s.ear == nil {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.ctx.Done():
		}
		return nil
	}
	defer context.AfterFunc(s.ctx, func() { _ = s.ear.Drain() })()
	for s.ctx.Err() == nil && !(all && s.received >= s.sent) {
		if err := s.ear.SetReadDeadline(until); err != nil {
			return err
		}
		err := s.ear.Next(&s.source.captured)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case s.source.captured.Outgoing:
			continue
		}
		s.source.fill(&s.frame)
		s.frame.Number = s.shown + s.received + 1
		s.decoder.Decode(&s.frame, &s.packet)
		if x.Answers(&s.packet) {
			s.received++
			s.out.print(s.appendReply)
		}
	}
	return nil
}

// end prints the account and returns the exit code.
func (s *sendSession) end(x *craft.Exchange, err error) (int, error) {
	s.out.printLast(func(b []byte) []byte {
		if s.asked.json {
			return render.AppendSendSummary(b, s.sent, s.received)
		}
		if s.asked.dry {
			return b
		}
		return s.text.AppendSummary(b, s.sent, s.received)
	})
	switch {
	case err != nil:
		return 0, err
	case s.out.failure() != nil:
		return 0, s.out.failure()
	case s.outer.Err() != nil:
		return interruptCode(s.outer), nil
	case s.ctx.Err() != nil: // nobody reads any more, and answers were not waited for
	case x != nil && !s.asked.dry && s.ear != nil && x.Expects() && s.received == 0:
		return exitNoAnswer, nil
	}
	return exitOK, nil
}

func (s *sendSession) begin(start *render.SendStart) {
	s.out.print(func(b []byte) []byte {
		if s.asked.json {
			return render.AppendSendStart(b, start, time.Now())
		}
		return s.text.AppendStart(b, start)
	})
}

// show shows a packet that is sent, or would be.
func (s *sendSession) show(data []byte) {
	var d packet.Decoder
	var p packet.Packet
	s.shown++
	f := packet.Frame{Number: s.shown}
	decoded(&d, &f, &p, data)
	s.out.print(func(b []byte) []byte {
		if s.asked.json {
			return s.json.AppendPacket(b, &p, nil)
		}
		return s.text.AppendPacket(b, &p)
	})
}

func (s *sendSession) appendReply(b []byte) []byte {
	if s.asked.json {
		return s.json.AppendReply(b, &s.packet)
	}
	return s.text.AppendReply(b, &s.packet)
}

// say writes a line to standard error.
func (s *sendSession) say(text string) {
	s.out.warn(func(b []byte) []byte { return append(render.AppendSafe(append(b, "icmpx: "...), text), '\n') })
}
