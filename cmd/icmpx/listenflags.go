package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
)

func listenCommand() *command {
	return &command{
		name:  "listen",
		args:  "[FILTER]",
		about: "show and explain the ICMP packets that this host sends, receives and forwards",
		flags: []getopt.Flag{
			{Long: "all", Usage: "frames without ICMP as well"},
			{Short: 'B', Long: "buffer", Value: "KIB", Usage: "size of the kernel's buffer, in KiB; default 16384"},
			{Short: 'c', Long: "count", Value: "N", Usage: "stop after N packets"},
			{Short: 'x', Long: "dump", Usage: "bytes in hex and as ASCII; twice: link header as well"},
			{Short: 'X', Long: "dump-ascii", Usage: "the same as -x"},
			{Short: 'W', Long: "files", Value: "N", Usage: "with -C: a ring of N files; with -G: stop after N files"},
			{Long: "extract", Value: "DIR", Usage: "write what echo payloads carry to files in DIR"},
			{Long: "filter", Value: "EXPR", Usage: "packets that match alone, as FILTER"},
			{Long: "fingerprint", Usage: "who made the probes, and what is odd about them, at the end"},
			{Long: "for", Value: "TIME", Usage: "stop after so long"},
			{Short: 'I', Long: "interface", Value: "NAME", Usage: "interface to listen on; default any"},
			{Short: 'i', Long: "on", Value: "NAME", Usage: "the same as -I"},
			{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
			{Short: 'l', Long: "line-buffered", Usage: "write each packet at once"},
			{Long: "nano", Usage: "times in nanoseconds"},
			{Short: 'p', Long: "no-promiscuous", Usage: "hear what is for this host only; the default"},
			{Short: '#', Long: "number", Usage: "the number of each frame"},
			{Short: 'n', Long: "numeric", Usage: "do not look up names of addresses; the default"},
			{Short: 'U', Long: "packet-buffered", Usage: "with -w: write each packet at once"},
			{Long: "pair", Usage: "say which request each answer belongs to"},
			{Long: "print", Usage: "with -w: show packets as well"},
			{Long: "process", Usage: "which process of this host sent each packet"},
			{Long: "promiscuous", Usage: "hear what is for other hosts too"},
			{Long: "no-raw", Usage: "with --json: leave out the bytes of each message"},
			{Long: "resolve", Usage: "look up names of addresses"},
			{Short: 'G', Long: "rotate-seconds", Value: "N", Usage: "with -w: another file every N seconds"},
			{Short: 'C', Long: "rotate-size", Value: "N", Usage: "with -w: another file every N million bytes; or N and k, m, g"},
			{Short: 's', Long: "snapshot-length", Value: "N", Usage: "bytes kept of a packet; default 262144"},
			{Long: "sockets", Usage: "list the ICMP sockets of this host and their processes"},
			{Long: "stats", Usage: "statistics at the end and on SIGQUIT: types, hosts, loss, RTT"},
			{Short: 't', Long: "stamp", Usage: "no times; -tt since 1970, -ttt since the last, -tttt date"},
			{Short: 'v', Long: "verbose", Usage: "every field of each packet"},
			{Short: 'w', Long: "write", Value: "FILE", Usage: "write packets to a pcapng file instead of showing them"},
		},
		refused: []getopt.Flag{
			{Short: 'A', Refused: true, Instead: "-x shows the bytes in hex and as ASCII"},
			{Short: 'D', Refused: true, Instead: "ip link lists the interfaces"},
			{Short: 'e', Refused: true, Instead: "-xx shows the link header"},
			{Short: 'r', Refused: true, Instead: "icmpx decode -r reads a capture"},
			{Short: 'Z', Refused: true, Instead: "icmpx gives up all privileges by itself"},
		},
		examples: []string{
			"icmpx listen                             all ICMP of this host",
			"icmpx listen -I eth0 -v host 192.0.2.1   every field of what one host sends and gets",
			"icmpx listen -w a.pcapng --for 60        a minute into a file",
			"icmpx listen --process type echo         who pings",
			"icmpx listen --sockets                   who could",
		},
		run: runListen,
	}
}

// A listenRun is what a command line of listen asks for.
type listenRun struct {
	views   decodeRun
	filter  string
	socket  icmpx.PacketConfig
	until   time.Duration // 0: until it is interrupted
	write   string        // name of the file; "": none
	rotate  capfile.Rotation
	flush   bool // write each packet to the file at once
	show    bool // packets are shown
	process bool
	sockets bool
}

// parseListen reads the flags of listen. An error is a usage error.
func parseListen(line *getopt.Line, cmd *command) (*listenRun, error) {
	r := &listenRun{process: line.Has("process"), sockets: line.Has("sockets"), flush: line.Has("packet-buffered")}
	v := &valueReader{line: line, cmd: cmd}
	if r.sockets {
		r.views.json = line.Has("json")
		return r, refuseOthers(line, cmd)
	}
	r.views.readViews(v)
	r.readSocket(v)
	r.readFiles(v)
	r.until = v.duration("for")
	r.filter = strings.Join(line.Operands, " ")
	if f, ok := v.text("filter"); ok {
		if r.filter != "" {
			v.refuse(errors.New("more than one filter given"))
		}
		r.filter = f
	}
	r.views.filter = r.filter
	r.show = r.write == "" || line.Has("print") || r.views.json
	return r, v.err
}

// refuseOthers refuses what --sockets has no use for: the flags of packets. That
// addresses have no names is so anyway.
func refuseOthers(line *getopt.Line, cmd *command) error {
	const why = "--sockets lists sockets, and listens to no packets"
	if len(line.Operands) > 0 {
		return errors.New(why + ": it takes no filter")
	}
	for _, f := range cmd.flags {
		if line.Has(f.Long) && !slices.Contains([]string{"sockets", "json", "numeric"}, f.Long) {
			v := valueReader{line: line, cmd: cmd}
			return fmt.Errorf("%s goes with packets: %s", v.spell(f.Long), why)
		}
	}
	return nil
}

// Bounds of values.
const (
	maxInterface = 15 // IFNAMSIZ, without its last byte
	maxFiles     = 1_000_000
	maxPeriod    = 10 * 365 * 24 * 3600 // seconds
)

// readSocket reads what the socket must know.
func (r *listenRun) readSocket(v *valueReader) {
	c := &r.socket
	for _, name := range []string{"interface", "on"} {
		s, ok := v.text(name)
		switch {
		case !ok:
		case s == "" || len(s) > maxInterface:
			v.fail(name, s, "the name of an interface")
		case c.Interface != "" && c.Interface != s:
			v.refuse(errors.New("more than one interface given"))
		default:
			c.Interface = s
		}
	}
	c.Buffer = v.whole("buffer", icmpx.MinBuffer>>10, icmpx.MaxBuffer>>10, 0) << 10
	c.Snaplen = v.whole("snapshot-length", 0, icmpx.MaxSnaplen, 0)
	c.Promiscuous = v.line.Has("promiscuous")
	switch {
	case c.Promiscuous && v.line.Has("no-promiscuous"):
		v.refuse(errors.New("-p and --promiscuous exclude each other"))
	case c.Promiscuous && (c.Interface == "" || c.Interface == "any"):
		v.refuse(&usageError{err: errors.New("--promiscuous is of one interface"), hint: "-I names it"})
	}
}

// readFiles reads where packets are written to.
func (r *listenRun) readFiles(v *valueReader) {
	r.write, _ = v.text("write")
	if _, given := v.text("write"); given && r.write == "" {
		v.fail("write", r.write, "the name of a file")
	}
	r.rotate.Name = r.write
	if s, ok := v.text("rotate-size"); ok {
		n, err := capfile.ParseSize(s)
		if err != nil {
			v.fail("rotate-size", s, "a size such as 10 (million bytes), 512k, 10m or 1g")
		}
		r.rotate.Size = n
	}
	r.rotate.Period = time.Duration(v.whole("rotate-seconds", 1, maxPeriod, 0)) * time.Second
	r.rotate.Files = v.whole("files", 1, maxFiles, 0)
	rotates := r.rotate.Size != 0 || r.rotate.Period != 0
	switch {
	case r.write == "" && (rotates || r.rotate.Files != 0 || r.flush || v.line.Has("print")):
		v.refuse(&usageError{err: errors.New("no file given to write to"), hint: "-w FILE goes with -C, -G, -W, -U and --print"})
	case r.write == "-" && rotates:
		v.refuse(errors.New("standard output is one file: -C and -G need a name"))
	case r.write == "-" && (r.views.json || v.line.Has("print")):
		v.refuse(errors.New("standard output cannot take both a capture and text"))
	case r.rotate.Files != 0 && !rotates:
		v.refuse(&usageError{err: errors.New("-W is a number of files"), hint: "-C or -G says when another begins"})
	}
}
