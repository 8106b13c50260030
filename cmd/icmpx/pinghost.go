package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
)

// resolve finds the address of a host that was given by name: the first of a
// family that this host has.
func (s *pingSession) resolve(h *pingHost) error {
	addrs, err := lookUp(s.ctx, s.sys.resolver, h.Name, s.asked.family)
	if err != nil {
		return err
	}
	h.Addr = addrs[0]
	for _, a := range addrs {
		if _, err := s.socks.of(a); err == nil {
			h.Addr = a
			break
		}
	}
	return nil
}

// prepare settles all that hangs on the address of a host, and finds what
// stands in the way.
func (s *pingSession) prepare(h *pingHost, named bool) error {
	sock, err := s.socks.of(h.Addr)
	if err != nil {
		return err
	}
	if err := s.asked.fits(h); err != nil {
		return err
	}
	h.Socket = sock.Mode()
	src, err := sock.SourceFor(h.Addr)
	if err := s.checkMany(h, err); err != nil {
		return err
	}
	if h.Source = s.asked.socket.Source; err == nil && !h.Source.IsValid() {
		h.Source = src // else there is no route now, which sending will say
	}
	if s.asked.file.name != "" {
		if err := s.size(h, sock); err != nil {
			return err
		}
	}
	if s.asked.connect {
		if err := sock.Connect(h.Addr); err != nil {
			return err
		}
	}
	s.lookUpNames(h, named)
	s.mu.Lock()
	s.byAddr[h.Addr] = h
	s.mu.Unlock()
	return nil
}

// checkMany finds out whether more than one host may answer, and what they must
// be spared. refusal is what the kernel said about a route to them.
func (s *pingSession) checkMany(h *pingHost, refusal error) error {
	kind := ""
	switch {
	case h.Addr.IsMulticast():
		kind = "multicast"
		h.Group = true
	case icmpx.FamilyOf(h.Addr) != icmpx.IPv4:
		return nil
	case s.asked.socket.Broadcast, errors.Is(refusal, syscall.EACCES):
		if !s.sys.broadcast(h.Addr) {
			return nil
		}
		kind = "broadcast"
	default:
		return nil
	}
	if err := s.asked.checkGroup(h.Name, h.Addr, kind); err != nil {
		return err
	}
	h.many = true
	if kind == "broadcast" {
		s.out.warn(func(b []byte) []byte {
			return append(render.AppendAddr(append(b, "icmpx: warning: pinging broadcast address "...), h.Addr), '\n')
		})
	}
	return nil
}

// size settles how a payload of the user's travels over the interface.
func (s *pingSession) size(h *pingHost, sock socket) error {
	r, f := s.asked, icmpx.FamilyOf(h.Addr)
	mtu, err := sock.MTUFor(h.Addr)
	if err != nil {
		return err
	}
	room := mtu - f.HeaderLen() - h.Options - 8
	if r.file.chunked && r.file.chunk == 0 {
		h.Payload = max(min(room, r.maxPayload(f)), 1)
	}
	if h.Payload > room && (r.opts.DF == icmpx.DFSet || r.opts.DF == icmpx.DFProbe) {
		return &usageError{
			err: fmt.Errorf("%d bytes of payload make a packet of %d, the way to %s takes %d, and -M forbids fragments",
				h.Payload, h.PacketBytes(), h.Name, mtu),
			hint: fmt.Sprintf("--chunk %d fits", max(room, 1)),
		}
	}
	return nil
}

// lookUpNames has the names of addresses looked up where output shows them.
func (s *pingSession) lookUpNames(h *pingHost, named bool) {
	r := s.asked
	if r.json || !r.names && (r.numeric || !named) {
		return
	}
	h.text.Name = s.names.of
	s.names.of(h.Addr) // so that it is known when the first reply comes, if it can be
}

// begin makes a host ready and announces it. It returns false if it is not to
// be pinged.
func (s *pingSession) begin(h *pingHost) bool {
	named := !h.Addr.IsValid()
	var err error
	if s.ctx.Err() != nil {
		err = context.Cause(s.ctx)
	}
	if err == nil && named {
		err = s.resolve(h)
	}
	if err == nil {
		err = s.prepare(h, named)
	}
	switch {
	case s.ctx.Err() != nil:
		h.cut = true
		return false
	case err != nil:
		h.err = err
		s.complain(h)
		return false
	}
	h.started = true
	s.out.print(func(b []byte) []byte { return s.appendStart(b, h) })
	return true
}
