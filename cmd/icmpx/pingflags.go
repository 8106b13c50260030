package main

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/urfave/cli/v2"
)

func pingCommand() *command {
	return &command{
		name:  "ping",
		args:  "HOST...",
		about: "send echo requests to hosts and time their answers",
		flags: []cli.Flag{
			&cli.BoolFlag{Name: "ipv4", Aliases: []string{"4"}, Usage: "use IPv4"},
			&cli.BoolFlag{Name: "ipv6", Aliases: []string{"6"}, Usage: "use IPv6"},
			&cli.StringFlag{Name: "count", Aliases: []string{"c"}, Usage: "stop after `N` probes; with -w, after N answers"},
			&cli.BoolFlag{Name: "timestamps", Aliases: []string{"D"}, Usage: "lead each line by its time, in seconds since 1970"},
			&cli.StringFlag{Name: "interval", Aliases: []string{"i"}, Usage: "`TIME` from one probe to the next: 0.2, 200ms; default 1"},
			&cli.StringFlag{Name: "interface", Aliases: []string{"I"}, Usage: "`NAME` of the interface or VRF, or the source address"},
			&cli.BoolFlag{Name: "json", Aliases: []string{"j"}, Usage: "one JSON object per line instead of text"},
			&cli.StringFlag{Name: "pmtudisc", Aliases: []string{"M"}, Usage: "path-MTU discovery `MODE`: do, want, dont, probe"},
			&cli.BoolFlag{Name: "numeric", Aliases: []string{"n"}, Usage: "do not look up names of addresses"},
			&cli.BoolFlag{Name: "outstanding", Aliases: []string{"O"}, Usage: "say when there is no answer yet after one interval"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print only the first line and the statistics"},
			&cli.StringFlag{Name: "size", Aliases: []string{"s"}, Usage: "payload `BYTES`; default 56"},
			&cli.StringFlag{Name: "sndbuf", Aliases: []string{"S"}, Usage: "`BYTES` of the socket's send buffer"},
			&cli.StringFlag{Name: "ttl", Aliases: []string{"t"}, Usage: "TTL or hop limit, `N` from 1 to 255"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "print lost probes, strays, percentiles and jitter as well"},
			&cli.StringFlag{Name: "deadline", Aliases: []string{"w"}, Usage: "end after `SECONDS`, whatever is open"},
			&cli.StringFlag{Name: "timeout", Aliases: []string{"W"}, Usage: "longest `TIME` to wait for an answer; default 10"},
		},
		refused: pingRefused,
		examples: []string{
			"icmpx ping -c 3 192.0.2.1           three probes, then the statistics",
			"icmpx ping -i 0.2 -w 10 a.example   five probes a second, for ten seconds",
			"icmpx ping -c 1 a.example b.example two hosts at once",
			"icmpx ping -M do -s 1472 192.0.2.1  does a packet of 1500 bytes pass whole?",
			"icmpx ping --json 2001:db8::1 | jq  for programs",
		},
		run: runPing,
	}
}

// pingRefused are the flags of iputils' ping that are not taken, each with what
// to use instead.
var pingRefused = []getopt.Flag{
	refuse('3', "--json gives times in nanoseconds"),
	refuse('a', "--json lets a program ring on each reply"),
	refuse('A', "-i sets a short interval, such as -i 0.2"),
	refuse('b', ""),
	refuse('B', "-I ADDRESS holds the source address"),
	refuse('C', "-I ADDRESS holds the source address"),
	refuse('d', ""),
	refuse('e', "each run has an identifier of its own, chosen at random"),
	refuse('f', "-i 0.002 -q sends as fast as users may"),
	refuse('F', ""),
	refuse('H', "names are looked up for hosts given by name, unless -n forbids it"),
	refuse('l', "-i sets a short interval, such as -i 0.002"),
	refuse('L', ""),
	refuse('m', ""),
	refuse('N', ""),
	refuse('p', ""),
	refuse('P', ""),
	refuse('Q', ""),
	refuse('r', "-I NAME chooses the interface"),
	refuse('R', ""),
	refuse('T', "-D prints timestamps of this host"),
	refuse('U', "times are the kernel's where it has them; --json says so in stamps"),
}

func refuse(letter rune, instead string) getopt.Flag {
	return getopt.Flag{Short: letter, Refused: true, Instead: instead}
}

// minUserInterval is the least interval of ordinary users, as iputils has it.
const minUserInterval = 2 * time.Millisecond

// A pingRun is what a command line of ping asks for.
type pingRun struct {
	hosts  []string
	family icmpx.Family // 0: either
	opts   probe.PingOptions
	source netip.Addr // -I with an address
	device string     // -I with a name
	sndbuf int

	json, numeric, quiet, timestamps, verbose bool
}

// parsePing reads the flags of ping. An error is a usage error.
func parsePing(c *cli.Context, cmd *command, uid int) (*pingRun, error) {
	r := &pingRun{
		hosts:      c.Args().Slice(),
		json:       c.Bool("json"),
		numeric:    c.Bool("numeric"),
		quiet:      c.Bool("quiet"),
		timestamps: c.Bool("timestamps"),
		verbose:    c.Bool("verbose"),
	}
	v := &valueReader{ctx: c, cmd: cmd}
	r.readOptions(v)
	r.sndbuf = v.whole("sndbuf", 1, math.MaxInt32, 0)
	if s, ok := v.text("interface"); ok {
		r.readInterface(v, s)
	}
	switch {
	case v.err != nil:
		return nil, v.err
	case c.Bool("ipv4") && c.Bool("ipv6"):
		return nil, errors.New("-4 and -6 exclude each other")
	case c.Bool("ipv4"):
		r.family = icmpx.IPv4
	case c.Bool("ipv6"):
		r.family = icmpx.IPv6
	}
	if uid != 0 && r.opts.Interval != 0 && r.opts.Interval < minUserInterval {
		return nil, fmt.Errorf("cannot flood; minimal interval allowed for user is %v", minUserInterval)
	}
	if len(r.hosts) == 0 {
		return nil, &usageError{err: errors.New("no host given"), hint: "icmpx ping HOST...; icmpx ping --help lists the flags"}
	}
	return r, r.matchSource()
}

// readOptions reads what the engine must know.
func (r *pingRun) readOptions(v *valueReader) {
	size := v.whole("size", 0, icmpx.IPv6.MaxPayload(), 56)
	if size == 0 {
		size = -1 // none at all
	}
	modes := []icmpx.DF{icmpx.DFSet, icmpx.DFSystem, icmpx.DFClear, icmpx.DFProbe}
	df := icmpx.DFSystem
	if i := v.choice("pmtudisc", "do", "want", "dont", "probe"); i >= 0 {
		df = modes[i]
	}
	r.opts = probe.PingOptions{
		Count:      v.whole("count", 1, math.MaxInt, 0),
		Interval:   v.duration("interval"),
		Timeout:    v.duration("timeout"),
		Deadline:   time.Duration(v.whole("deadline", 0, maxSeconds, 0)) * time.Second,
		PayloadLen: size,
		TTL:        uint8(v.whole("ttl", 1, 255, 0)),
		DF:         df,
		Waiting:    v.ctx.Bool("outstanding"),
	}
}

// readInterface tells an address from the name of an interface.
func (r *pingRun) readInterface(v *valueReader, s string) {
	if a, err := netip.ParseAddr(s); err == nil {
		r.source = a.Unmap()
		return
	}
	if s == "" || len(s) > 15 { // IFNAMSIZ
		v.fail("interface", s, "an address of this host, nor the name of an interface")
		return
	}
	r.device = s
}

// matchSource lets the source address decide the family.
func (r *pingRun) matchSource() error {
	if !r.source.IsValid() {
		return nil
	}
	f := icmpx.FamilyOf(r.source)
	if r.family != 0 && r.family != f {
		return fmt.Errorf("-I %v is not an %v address", r.source, r.family)
	}
	r.family = f
	return nil
}

// payload returns the number of payload bytes.
func (r *pingRun) payload() int { return max(r.opts.PayloadLen, 0) }

// satisfied reports whether a host did what was asked of it: it answered, its
// payloads came back whole, and by a deadline as often as was asked.
func (r *pingRun) satisfied(s *probe.Stats) bool {
	if s.Received == 0 || s.Corrupted > 0 {
		return false
	}
	return r.opts.Deadline == 0 || s.Received >= r.opts.Count
}
