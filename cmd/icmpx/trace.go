package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

// runTrace carries out "icmpx trace". The order is that of privilege: read the
// flags, open every socket, those of the last question too, drop all
// privileges, and only then resolve names and read packets.
func runTrace(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("trace")
	r, err := parseTrace(line, cmd)
	if err != nil {
		return 0, usage(cmd, err)
	}
	addr, families, err := r.literal()
	if err != nil {
		return 0, &usageError{err: err} // about the host: the list of flags is no help
	}
	r.socket.Method = r.opts.Method
	links, err := openTrace(sys, r.socket, families)
	if err != nil {
		return 0, &hintedError{err: err, hint: r.socket.hint(err)}
	}
	dir := sys.directory(r.server)
	if !addr.IsValid() {
		addr, err = r.resolve(ctx, dir, links)
	}
	var s *traceSession
	if err == nil {
		s, err = newTraceSession(ctx, sys, r, addr, links)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return interruptCode(ctx), links.keep(0)
	case err != nil:
		return 0, errors.Join(err, links.keep(0))
	}
	s.registry = newRegistry(s.ctx, dir, !r.numeric, r.as)
	return s.run(links)
}

// literal returns the address of a host that is given by address, and which
// families may be needed.
func (r *traceRun) literal() (netip.Addr, []icmpx.Family, error) {
	addr, literal, err := parseLiteralOf(r.host, r.family)
	switch {
	case err != nil:
		return netip.Addr{}, nil, err
	case literal:
		return addr, []icmpx.Family{icmpx.FamilyOf(addr)}, nil
	case r.family != 0:
		return netip.Addr{}, []icmpx.Family{r.family}, nil
	}
	return netip.Addr{}, []icmpx.Family{icmpx.IPv4, icmpx.IPv6}, nil
}

// resolve returns the first address of the host that there is a socket for.
func (r *traceRun) resolve(ctx context.Context, dir directory, links *traceLinks) (netip.Addr, error) {
	addrs, err := lookUp(ctx, dir, r.host, r.family)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if _, err := links.of(a); err == nil {
			return a, nil
		}
	}
	_, err = links.of(addrs[0])
	return netip.Addr{}, err
}

// settle returns the options of a trace to an address by a kind of socket, what
// output says about it, and what is to be known about how it is run.
func (r *traceRun) settle(addr netip.Addr, mode icmpx.Mode, mtu int) (trace.Options, render.TraceHost, []string, error) {
	o := r.opts
	f := icmpx.FamilyOf(addr)
	o.Size = r.size(f)
	notes := withoutPrivileges(&o, mode)
	if o.MaxTTL == 0 {
		o.MaxTTL = max(defaultMaxHops, o.FirstTTL)
	}
	if o.Port == 0 {
		o.Port = o.Method.DefaultPort()
	}
	h := render.TraceHost{
		Name: r.host, Addr: addr, Method: o.Method, Port: o.Port, MaxTTL: o.MaxTTL, Socket: mode,
		Size: packetSize(&o, f, mode), Route: o.HeaderLen(f) - f.HeaderLen(),
	}
	switch {
	case addr.IsMulticast():
		return o, h, nil, fmt.Errorf("%s is a group: there is no one way there", r.host)
	case o.DF == icmpx.DFProbe && !o.MTU && mtu != 0 && h.Size > mtu:
		return o, h, nil, &usageError{
			err:  fmt.Errorf("-F forbids to fragment, and a packet of %d bytes exceeds the interface's MTU of %d", h.Size, mtu),
			hint: "a smaller PACKETLEN passes; --mtu finds how large it may be",
		}
	}
	return o, h, notes, nil
}

// defaultMaxHops is the TTL of ordinary packets.
const defaultMaxHops = 64

// withoutPrivileges adapts a trace to ordinary sockets, and returns what that
// means for it.
func withoutPrivileges(o *trace.Options, mode icmpx.Mode) []string {
	if mode == icmpx.ModeRaw {
		return nil
	}
	limit := func() {
		if o.InFlight == 0 || o.InFlight > icmpx.MaxOpen {
			o.InFlight = icmpx.MaxOpen
		}
	}
	switch o.Method {
	case trace.UDP:
		o.Method = trace.UDPClassic
		return []string{"without privileges each probe goes to another port: rows may belong to different paths"}
	case trace.UDPFixed:
		limit()
		return []string{fmt.Sprintf("without privileges each probe has a source port of its own, and at most %d are open at once: rows may belong to different paths", icmpx.MaxOpen)}
	case trace.TCP:
		limit()
		notes := []string{fmt.Sprintf("without privileges each probe is an attempt to connect, and at most %d are open at once: rows may belong to different paths", icmpx.MaxOpen)}
		if o.Size != 0 {
			notes = append(notes, "without privileges the kernel alone makes a SYN: PACKETLEN has no effect")
			o.Size = 0
		}
		return notes
	}
	return nil
}

// Bytes behind the IP header of a SYN that has no payload: of raw sockets, with
// the largest segment as its one option.
const synBytes = 20 + 4

// packetSize returns the length in bytes of the first packets, 0 if the kernel
// alone knows.
func packetSize(o *trace.Options, f icmpx.Family, mode icmpx.Mode) int {
	switch {
	case o.Method == trace.TCP && mode != icmpx.ModeRaw:
		return 0
	case o.Size != 0:
		return o.Size
	case o.MTU:
		return maxPacket
	}
	return o.HeaderLen(f) + synBytes
}
