package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/craft"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A rawSender sends whole IP packets; *icmpx.RawSender is one.
type rawSender interface {
	SourceFor(netip.Addr) (netip.Addr, error)
	Send(packet []byte, dst netip.Addr) error
	Close() error
}

// listenRaw opens a socket of the kernel for whole packets.
func listenRaw(cfg icmpx.RawConfig) (rawSender, error) {
	s, err := icmpx.OpenRaw(cfg)
	if err != nil {
		return nil, err // not s: a nil *RawSender is no nil rawSender
	}
	return s, nil
}

// runSend carries out "icmpx send", in the order of privilege: flags and files,
// sockets, drop all privileges, names, packets.
func runSend(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("send")
	r, err := parseSend(line, cmd)
	if err != nil {
		return 0, usage(cmd, err)
	}
	if r.stdin {
		return runSendInput(ctx, sys, r)
	}
	if err := r.openFiles(ctx, sys); err != nil {
		if ctx.Err() != nil {
			return interruptCode(ctx), nil
		}
		return 0, usage(cmd, err)
	}
	addr, families, err := r.literal()
	if err == nil && addr.IsValid() {
		err = r.check(sys, addr)
	}
	if err != nil {
		return 0, usage(cmd, err)
	}
	s := newSendSession(ctx, sys, r)
	defer s.stop()
	if err := s.open(families); err != nil {
		return 0, errors.Join(err, s.close())
	}
	if !addr.IsValid() {
		if addr, err = s.resolve(); err == nil {
			if err = r.check(sys, addr); err != nil {
				err = usage(cmd, err)
			}
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return interruptCode(ctx), s.close()
	case err != nil:
		return 0, errors.Join(err, s.close())
	}
	code, err := s.sendMessage(cmd, addr)
	return code, errors.Join(err, s.close())
}

// openFiles reads the files that the message is made of.
func (r *sendRun) openFiles(ctx context.Context, sys *system) (err error) {
	line := r.fields.line
	if name, ok := line.Value("payload"); ok {
		if name == "-" {
			r.payload, err = readUpTo("standard input", patientInput(ctx, sys))
		} else {
			r.payload, err = readWhole(name)
		}
		if err != nil {
			return fmt.Errorf("--payload: %w", err)
		}
	}
	if name, ok := line.Value("quote-file"); ok {
		if r.quote, err = readWhole(name); err != nil {
			return fmt.Errorf("--quote-file: %w", err)
		}
	}
	if text, ok := line.Value("body"); ok {
		if name, file := strings.CutPrefix(text, "@"); file {
			r.body, err = readWhole(name)
		} else {
			r.body = r.fields.hexBytes("body", nil)
			err = r.fields.err
		}
		if err == nil && r.body == nil {
			r.body = []byte{}
		}
	}
	return err
}

// patientInput returns standard input as it is to be read: waiting for it ends
// with the run.
func patientInput(ctx context.Context, sys *system) io.Reader {
	return &pipeReader{ctx: ctx, r: sys.stdin, before: func() {}}
}

// literal returns the address of a host that is given by address, and which
// families may be needed: those that have a message of that name.
func (r *sendRun) literal() (netip.Addr, []icmpx.Family, error) {
	addr, literal, err := parseLiteralOf(r.host, r.family)
	switch {
	case err != nil:
		return netip.Addr{}, nil, err
	case literal:
		return addr, []icmpx.Family{icmpx.FamilyOf(addr)}, nil
	}
	var families []icmpx.Family
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		if _, _, ok := craft.Find(f, r.word); ok && (r.family == 0 || r.family == f) {
			families = append(families, f)
		}
	}
	if len(families) == 0 {
		_, _, err = r.find(max(r.family, icmpx.IPv4))
		return netip.Addr{}, nil, err
	}
	return netip.Addr{}, families, nil
}

// check refuses what may not be sent to an address, before anything is opened
// if the address is known by then.
func (r *sendRun) check(sys *system, addr netip.Addr) error {
	if _, err := r.message(placeholder(addr), addr); err != nil { // what is wrong with the flags
		return err
	}
	typ, code, err := r.find(icmpx.FamilyOf(addr))
	if err != nil {
		return err
	}
	if err := r.checkSource(sys); err != nil {
		return err
	}
	return r.checkTarget(sys, addr, typ, code)
}

// checkSource refuses a source that is no address of this host. The kernel
// refuses it too, unless it is set up not to (net.ipv4.ip_nonlocal_bind).
func (r *sendRun) checkSource(sys *system) error {
	a := r.socket.Source
	if !a.IsValid() || sys.own(a) {
		return nil
	}
	return &usageError{
		err:  fmt.Errorf("%v is no address of this host: messages are sent in nobody else's name", a),
		hint: "ip address lists the addresses of this host",
	}
}

// checkTarget refuses what needs a word of consent.
func (r *sendRun) checkTarget(sys *system, addr netip.Addr, typ, code uint8) error {
	group := ""
	switch {
	case addr.IsMulticast():
		group = "multicast"
	case addr.Is4() && sys.broadcast(addr):
		group = "broadcast"
	case addr.IsUnspecified():
		return fmt.Errorf("%v is the address of nobody", addr)
	}
	f := icmpx.FamilyOf(addr)
	harm := craft.Harm(f, typ, code)
	switch {
	case group != "" && !r.socket.Broadcast:
		return &usageError{
			err:  fmt.Errorf("%v is a %s address: everybody there receives what is sent to it", addr, group),
			hint: "--broadcast allows it",
		}
	case harm != "" && !r.stays(addr) && !r.mine && !r.dry:
		return &usageError{
			err:  fmt.Errorf("%s goes to the loopback address alone: %s", craft.Describe(f, typ, code), harm),
			hint: "--yes-this-is-my-network sends it; --dry-run shows it",
		}
	}
	return nil
}

// stays reports whether a packet to an address cannot leave this host. To the
// loopback address it can, if it is told to leave by another interface.
func (r *sendRun) stays(a netip.Addr) bool {
	const loopback = "lo" // in every network namespace
	return a.IsLoopback() && (r.socket.Interface == "" || r.socket.Interface == loopback)
}

// placeholder is a source for a message that is not sent, of which it is only
// known where to.
func placeholder(dst netip.Addr) netip.Addr {
	if dst.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// build returns the packet from src to addr, and what it is.
func (r *sendRun) build(src, addr netip.Addr) (*craft.Message, *craft.Header, []byte, error) {
	m, err := r.message(src, addr)
	if err != nil {
		return nil, nil, nil, err
	}
	h := r.header
	h.Src, h.Dst = src, addr
	if !r.ttlSet {
		h.TTL = craft.DefaultTTL(m.Family, m.Type)
	}
	h.RouterAlert = craft.NeedsRouterAlert(m.Family, m.Type)
	msg, err := m.Marshal(src.WithZone(""), addr.WithZone(""))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", craft.Describe(m.Family, m.Type, m.Code), err)
	}
	b, err := h.Packet(msg)
	return m, &h, b, err
}

// ownAddress reports whether a is an address of an interface, or one of the
// loopback network.
func ownAddress(a netip.Addr) bool {
	if a.Is4() && a.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(addrs, func(ia net.Addr) bool {
		p, err := netip.ParsePrefix(ia.String())
		return err == nil && p.Addr().Unmap() == a.WithZone("")
	})
}

// decoded makes a frame of an IP packet and decodes it.
func decoded(d *packet.Decoder, f *packet.Frame, p *packet.Packet, b []byte) {
	f.Len, f.Data, f.Link = len(b), b, packet.LinkRaw
	d.Decode(f, p)
}

// hintedRaw says what would help against an error of opening the socket.
func hintedRaw(err error) error {
	if !errors.Is(err, os.ErrPermission) {
		return &hintedError{err: err, hint: hintIn(openHints, err)}
	}
	return &hintedError{err: err, hint: "sending any message takes CAP_NET_RAW: " + grantHint("cap_net_raw") + "; --dry-run takes nothing"}
}

// rawHints are for errors of sending a packet: those of ping, but for what names
// a flag.
func rawHints() []errnoHint {
	return append([]errnoHint{
		{syscall.ENOBUFS, "the queue of the device is full; a later attempt may pass"},
		{syscall.EMSGSIZE, "the packet exceeds what the interface takes, and --df forbids fragments"},
	}, sendHints...)
}
