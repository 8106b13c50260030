package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A pingRun is what a command line of ping asks for.
type pingRun struct {
	hosts   []string
	family  icmpx.Family // 0: either
	opts    probe.PingOptions
	socket  icmpx.ICMPConfig // of each family, which it lacks
	connect bool
	file    payloadAsk

	raised bool // the user is root

	json, numeric, names, quiet, timestamps, verbose bool
	audible, precise, flood, adaptive                bool
}

// A payloadAsk says which file travels, and how.
type payloadAsk struct {
	name    string // empty: none
	chunk   int    // bytes; 0: to be chosen
	retries int    // as probe.TripOptions has it
	set     bool   // retries was given

	*payload      // once it is open
	chunked  bool // it travels in chunks
}

// parsePing reads the flags of ping. An error is a usage error.
func parsePing(line *getopt.Line, cmd *command, uid int) (*pingRun, error) {
	r := &pingRun{
		hosts:      line.Operands,
		raised:     uid == 0,
		json:       line.Has("json"),
		numeric:    line.Has("numeric"),
		names:      line.Has("names"),
		quiet:      line.Has("quiet"),
		timestamps: line.Has("timestamps"),
		verbose:    line.Has("verbose"),
		audible:    line.Has("audible"),
		precise:    line.Has("precise"),
		flood:      line.Has("flood"),
		adaptive:   line.Has("adaptive"),
		connect:    line.Has("connect"),
	}
	v := &valueReader{line: line, cmd: cmd}
	r.readOptions(v)
	r.readSocket(v)
	r.readFile(v)
	r.readQuery(v)
	for _, step := range []func() error{
		func() error { return v.err },
		func() error { return r.chooseFamily(line) },
		func() error { return r.readIPOptions(v) },
		func() error { return r.pace(line) },
		func() error { return r.checkFile(line) },
		func() error { return r.checkQuery(line) },
		r.chooseHosts,
		r.matchSource,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
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
		Count:        v.whole("count", 1, math.MaxInt, 0),
		Interval:     v.duration("interval"),
		Preload:      v.whole("preload", 1, maxPreload, 0),
		Timeout:      v.duration("timeout"),
		Deadline:     time.Duration(v.whole("deadline", 0, maxSeconds, 0)) * time.Second,
		PayloadLen:   size,
		Pattern:      v.pattern("pattern"),
		TTL:          uint8(v.whole("ttl", 1, 255, 0)),
		TOS:          int16(v.number("tos", 255)),
		DF:           df,
		Waiting:      v.line.Has("outstanding"),
		IgnoreQuench: v.line.Has("ignore-quench"),
	}
}

// readSocket reads what the sockets must know.
func (r *pingRun) readSocket(v *valueReader) {
	id := v.number("identifier", math.MaxUint16)
	r.socket = icmpx.ICMPConfig{
		TOS:        -1,
		SendBuffer: v.whole("sndbuf", 1, math.MaxInt32, 0),
		Mark:       uint32(v.number("mark", math.MaxUint32)),
		ID:         uint16(id),
		ZeroID:     id == 0 && v.line.Has("identifier"),
		FlowLabel:  uint32(v.number("flowlabel", 1<<20-1)),
		Broadcast:  v.line.Has("broadcast"),
		FixSource:  v.line.Has("sticky-source"),
		DontRoute:  v.line.Has("dont-route"),
		NoLoop:     v.line.Has("no-loop"),
		UserStamps: v.line.Has("user-latency"),
		Debug:      v.line.Has("debug"),
	}
	for _, s := range v.line.Values("interface") {
		r.readInterface(v, s)
	}
}

// readInterface tells an address from the name of an interface.
func (r *pingRun) readInterface(v *valueReader, s string) {
	a, err := netip.ParseAddr(s)
	switch {
	case err == nil && r.socket.Source.IsValid():
		v.refuse(fmt.Errorf("-I %s: the source address is %v already", s, r.socket.Source))
	case err == nil:
		r.socket.Source = a.Unmap()
	case s == "" || len(s) > 15: // IFNAMSIZ
		v.fail("interface", s, "an address of this host, nor the name of an interface")
	case r.socket.Interface != "":
		v.refuse(fmt.Errorf("-I %s: the interface is %s already", s, r.socket.Interface))
	default:
		r.socket.Interface = s
	}
}

// chooseFamily finds the family that the flags ask for.
func (r *pingRun) chooseFamily(line *getopt.Line) error {
	for _, ask := range []struct {
		flag, name string
		family     icmpx.Family
	}{
		{"-4", "ipv4", icmpx.IPv4}, {"-6", "ipv6", icmpx.IPv6},
		{"-R", "record-route", icmpx.IPv4}, {"-T", "timestamp", icmpx.IPv4}, {"-F", "flowlabel", icmpx.IPv6},
	} {
		switch {
		case !line.Has(ask.name):
		case r.family == 0:
			r.family = ask.family
		case r.family != ask.family && ask.flag == "-6":
			return errors.New("-4 and -6 exclude each other")
		case r.family != ask.family:
			return fmt.Errorf("%s is for %v only", ask.flag, ask.family)
		}
	}
	return nil
}

// readIPOptions reads the IPv4 options that packets carry.
func (r *pingRun) readIPOptions(v *valueReader) error {
	kind := v.choice("timestamp", "tsonly", "tsandaddr", "tsprespec")
	route := v.line.Has("record-route")
	switch {
	case v.err != nil:
		return v.err
	case kind >= 0 && route:
		return errors.New("only one of -T or -R may be used")
	case route:
		r.socket.Options = icmpx.RecordRoute()
		return nil
	case kind < 0:
		return nil
	}
	flag := []icmpx.TimestampFlag{icmpx.TimestampOnly, icmpx.TimestampAddress, icmpx.TimestampPrespecified}[kind]
	var hosts []netip.Addr
	if flag == icmpx.TimestampPrespecified {
		var err error
		if hosts, err = r.takePrespecified(); err != nil {
			return err
		}
	}
	var err error
	r.socket.Options, err = icmpx.TimestampOption(flag, hosts...)
	return err
}

// takePrespecified takes the addresses that stand before the host.
func (r *pingRun) takePrespecified() ([]netip.Addr, error) {
	n := len(r.hosts) - 1
	if n < 1 || n > 4 {
		return nil, errors.New("-T tsprespec takes one to four IPv4 addresses, and then the host")
	}
	var addrs []netip.Addr
	for _, s := range r.hosts[:n] {
		a, err := netip.ParseAddr(s)
		if err != nil || !a.Unmap().Is4() {
			return nil, fmt.Errorf("-T tsprespec: %q is not an IPv4 address", s)
		}
		addrs = append(addrs, a.Unmap())
	}
	r.hosts = r.hosts[n:]
	return addrs, nil
}

// chooseHosts makes sure that there are hosts. One that is given twice is one.
func (r *pingRun) chooseHosts() error {
	var hosts []string
	for _, h := range r.hosts {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	r.hosts = hosts
	switch {
	case len(hosts) == 0:
		return &usageError{err: errors.New("no host given"), hint: "icmpx ping HOST...; icmpx ping --help lists the flags"}
	case len(hosts) > 1 && r.connect:
		return errors.New("-C connects the socket to one host, and there are several")
	}
	return nil
}

// matchSource lets the source address decide the family.
func (r *pingRun) matchSource() error {
	if !r.socket.Source.IsValid() {
		return nil
	}
	f := icmpx.FamilyOf(r.socket.Source)
	if r.family != 0 && r.family != f {
		return fmt.Errorf("-I %v is not an %v address", r.socket.Source, r.family)
	}
	r.family = f
	return nil
}

// pattern reads up to 16 bytes in hexadecimal. Of an odd number of digits the
// last is a byte by itself, as iputils reads it.
func (v *valueReader) pattern(name string) []byte {
	s, ok := v.text(name)
	if !ok {
		return nil
	}
	digits := strings.TrimPrefix(s, "0x")
	if len(digits)%2 == 1 {
		digits = digits[:len(digits)-1] + "0" + digits[len(digits)-1:]
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) == 0 || len(b) > maxPattern {
		v.fail(name, s, "one to 16 bytes in hexadecimal, as in ff00")
		return nil
	}
	return b
}

// maxPattern is how many bytes iputils' ping takes.
const maxPattern = 16
