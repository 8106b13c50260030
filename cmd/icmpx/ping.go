package main

import (
	"context"
	"fmt"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/urfave/cli/v2"
)

// runPing carries out "icmpx ping". The order is that of privilege: read the
// flags, open every socket, drop all privileges, and only then resolve names
// and read packets.
func runPing(ctx context.Context, sys *system, c *cli.Context) (int, error) {
	cmd := findCommand("ping")
	r, err := parsePing(c, cmd, sys.uid)
	if err != nil {
		return 0, usage(cmd, err)
	}
	hosts, need4, need6, err := r.literals()
	if err != nil {
		return 0, &usageError{err: err} // about a host: the list of flags is no help
	}
	socks, err := openSockets(sys, icmpx.ICMPConfig{
		Source: r.source, Interface: r.device, TOS: -1, SendBuffer: r.sndbuf,
	}, need4, need6)
	if err != nil {
		return 0, err
	}
	s := newPingSession(ctx, sys, r, hosts, socks)
	s.resolve()
	return s.run()
}

// A pingHost is one host of a run.
type pingHost struct {
	render.Host
	text   render.Text
	status chan struct{} // asks for a line of status

	started bool // it has been announced, and gets a summary
	stats   probe.Stats
	err     error // why it is not pinged, or not any more
}

// literals returns the hosts, those given by address resolved, and which
// families they may need.
func (r *pingRun) literals() (hosts []*pingHost, need4, need6 bool, err error) {
	for _, name := range r.hosts {
		addr, literal, err := parseLiteral(name)
		if err != nil {
			return nil, false, false, err
		}
		f := icmpx.FamilyOf(addr)
		switch {
		case literal && r.family != 0 && f != r.family:
			return nil, false, false, fmt.Errorf("%s is not an %v address", name, r.family)
		case literal && r.payload() > f.MaxPayload():
			return nil, false, false, fmt.Errorf("-s %d does not fit into an %v packet: at most %d", r.payload(), f, f.MaxPayload())
		}
		need4 = need4 || f == icmpx.IPv4 || !literal && r.family != icmpx.IPv6
		need6 = need6 || f == icmpx.IPv6 || !literal && r.family != icmpx.IPv4
		hosts = append(hosts, &pingHost{
			Host: render.Host{
				Name: name, Addr: addr, Payload: r.payload(),
				Interface: r.device, FromSource: r.source.IsValid(),
			},
			text:   render.Text{Timestamps: r.timestamps, Quiet: r.quiet, Verbose: r.verbose, Prefix: len(r.hosts) > 1},
			status: make(chan struct{}, 1),
		})
	}
	return hosts, need4, need6, nil
}
