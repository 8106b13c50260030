package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
)

// runPing carries out "icmpx ping". The order is that of privilege: read the
// flags, open the payload and every socket, drop all privileges, and only then
// resolve names and read packets.
func runPing(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("ping")
	r, err := parsePing(line, cmd, sys.uid)
	if err != nil {
		return 0, usage(cmd, err)
	}
	hosts, need4, need6, err := r.literals()
	if err != nil {
		return 0, &usageError{err: err} // about a host: the list of flags is no help
	}
	if r.file.name != "" {
		err := r.openFile(ctx, sys, need4)
		switch {
		case ctx.Err() != nil:
			return interruptCode(ctx), nil
		case err != nil:
			return 0, err
		}
		defer r.file.close()
	}
	for _, h := range hosts {
		if h.Addr.IsValid() {
			if err := r.fits(h); err != nil {
				return 0, err
			}
		}
	}
	socks, err := openSockets(sys, r.socket, need4, need6)
	if err != nil {
		return 0, r.hintedQuery(err)
	}
	return newPingSession(ctx, sys, r, hosts, socks).run()
}

// A pingHost is one host of a run.
type pingHost struct {
	render.Host
	text   render.Text
	status chan struct{} // asks for a line of status

	asked atomic.Bool // the user did, not the progress
	many  bool        // more than one may answer each probe

	started bool // it has been announced, and gets a summary
	cut     bool // the run ended before it could begin
	account render.Account
	err     error // why it is not pinged, or not any more

	last     []byte // payload of the last reply, of a run with a payload
	came     bool   // there was one
	differed bool   // one was not what was sent
}

// literals returns the hosts, those given by address resolved, and which
// families they may need.
func (r *pingRun) literals() (hosts []*pingHost, need4, need6 bool, err error) {
	for _, name := range r.hosts {
		addr, literal, err := parseLiteralOf(name, r.family)
		if err != nil {
			return nil, false, false, err
		}
		f := icmpx.FamilyOf(addr)
		if addr.IsMulticast() {
			if err := r.checkGroup(name, addr, "multicast"); err != nil {
				return nil, false, false, err
			}
		}
		need4 = need4 || f == icmpx.IPv4 || !literal && r.family != icmpx.IPv6
		need6 = need6 || f == icmpx.IPv6 || !literal && r.family != icmpx.IPv4
		hosts = append(hosts, r.host(name, addr))
	}
	return hosts, need4, need6, nil
}

func (r *pingRun) host(name string, addr netip.Addr) *pingHost {
	return &pingHost{
		Host: render.Host{
			Name: name, Addr: addr,
			Interface: r.socket.Interface, FromSource: r.socket.Source.IsValid() || r.socket.FixSource,
		},
		text: render.Text{
			Timestamps: r.timestamps, Quiet: r.quiet, Verbose: r.verbose, Prefix: len(r.hosts) > 1,
			Bell: r.audible, Precise: r.precise, Gap: r.flood || r.adaptive,
		},
		status: make(chan struct{}, 1),
	}
}

// openFile opens the payload and decides whether it travels in chunks: if that
// was asked for, or if it is too large for one probe to a host of a family that
// is needed.
func (r *pingRun) openFile(ctx context.Context, sys *system, need4 bool) error {
	var err error
	if r.file.payload, err = openPayload(ctx, r.file.name, sys.stdin); err != nil {
		return err
	}
	most := r.maxPayload(icmpx.IPv6)
	if need4 {
		most = r.maxPayload(icmpx.IPv4)
	}
	r.file.chunked = r.file.chunk > 0 || r.file.size > int64(most)
	switch {
	case r.file.chunked:
		err = r.checkChunked()
	case r.file.set:
		err = errors.New("--retries is for a payload in chunks; see --chunk")
	default:
		r.opts.Payload, err = r.file.all()
	}
	if err != nil {
		return errors.Join(err, r.file.close())
	}
	return nil
}

// maxPayload returns the largest payload of a probe.
func (r *pingRun) maxPayload(f icmpx.Family) int { return f.MaxPayload() - r.optionBytes(f) }

// optionBytes returns how much of the IP header options take: full words.
func (r *pingRun) optionBytes(f icmpx.Family) int {
	if f != icmpx.IPv4 {
		return 0
	}
	return (len(r.socket.Options) + 3) &^ 3
}

// fits settles the size of the probes to a host whose address is known, as far
// as it does not hang on the interface.
func (r *pingRun) fits(h *pingHost) error {
	f := icmpx.FamilyOf(h.Addr)
	h.Options = r.optionBytes(f)
	flag := "-s"
	switch {
	case r.file.chunked:
		h.Payload, flag = r.file.chunk, "--chunk"
	case r.file.name != "":
		h.Payload, flag = len(r.opts.Payload), "--payload"
	case r.opts.Query != icmpx.ProtoEcho:
		if f == icmpx.IPv6 && r.opts.Query != icmpx.ProtoExtEcho {
			return &usageError{err: fmt.Errorf("%s is an IPv6 address: ICMPv6 has no %v request", h.Name, queryWords[r.opts.Query])}
		}
		h.Query, h.Payload = queryWords[r.opts.Query], r.opts.Body.Len(f.Protocol())-4
	default:
		h.Payload = max(r.opts.PayloadLen, 0)
	}
	if most := r.maxPayload(f); h.Payload > most {
		where := ""
		if h.Addr.String() != h.Name {
			where = fmt.Sprintf("%s is %v: ", h.Name, h.Addr)
		}
		return &usageError{err: fmt.Errorf("%s%s %d does not fit into an %v packet: at most %d", where, flag, h.Payload, f, most)}
	}
	if f == icmpx.IPv6 {
		h.FlowLabel = r.socket.FlowLabel
	}
	return nil
}

// satisfied reports whether a host did what was asked of it: it answered, its
// payloads came back whole, and by a deadline as often as was asked.
func (r *pingRun) satisfied(h *pingHost) bool {
	s := &h.account
	switch {
	case s.Payload != nil && !s.Payload.Identical:
		return false
	case r.file.chunked:
		return true
	case s.Received == 0 || s.Corrupted > 0:
		return false
	}
	return r.opts.Deadline == 0 || s.Received >= r.opts.Count
}
