package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
)

func pmtuCommand() *command {
	return &command{
		name:  "pmtu",
		args:  "HOST",
		about: "find the path MTU to a host, what limits it, and where large packets vanish",
		flags: []getopt.Flag{
			{Short: '4', Long: "ipv4", Usage: "use IPv4"},
			{Short: '6', Long: "ipv6", Usage: "use IPv6"},
			{Long: "fwmark", Value: "N", Usage: "mark the packets for policy routing"},
			{Long: "hops", Usage: "print every hop and the MTU up to it"},
			{Short: 'I', Long: "interface", Value: "NAME", Usage: "NAME of the interface or VRF"},
			{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
			{Long: "ladder-only", Usage: "try usual sizes only, do not search between them"},
			{Short: 'l', Long: "max", Value: "N", Usage: "largest packet to send, in bytes; default the interface's MTU"},
			{Short: 'm', Long: "max-hops", Value: "TTL", Usage: "last TTL of the search for hops; default 30"},
			{Long: "max-packets", Value: "N", Usage: "packets at most, 10 to 10000; default 200"},
			{Long: "method", Value: "M", Usage: "auto, icmp, udp or tcp; default auto: icmp and udp"},
			{Long: "min", Value: "N", Usage: "smallest packet to send, in bytes; default the protocol's"},
			{Short: 'n', Long: "numeric", Usage: "do not look up names of addresses"},
			{Short: 'p', Long: "port", Value: "N", Usage: "destination port; default 33434, of tcp 80"},
			{Long: "rate", Value: "N", Usage: "packets per second at most; default no limit"},
			{Short: 's', Long: "source", Value: "ADDR", Usage: "source address"},
			{Short: 't', Long: "tos", Value: "N", Usage: "type of service or traffic class, up to 255"},
			{Long: "timeout", Value: "TIME", Usage: "longest time of the whole search; default 30"},
			{Short: 'v', Long: "verbose", Usage: "explain findings, and say what it took"},
			{Long: "wait", Value: "TIME", Usage: "longest wait for an answer; default 2"},
		},
		refused: pmtuRefused,
		examples: []string{
			"icmpx pmtu a.example                     the path MTU, and who limits it",
			"icmpx pmtu --hops 2001:db8::1            and every hop on the way",
			"icmpx pmtu --method tcp -p 443 a.example as a browser's packets go",
			"icmpx pmtu --json 192.0.2.1              for programs",
		},
		run: runPmtu,
	}
}

// pmtuRefused are the flags of tracepath that are not taken, each with what to
// use instead.
var pmtuRefused = []getopt.Flag{
	{Short: 'b', Refused: true, Instead: "names and addresses are both printed, unless -n is given"},
}

// A pmtuRun is what a command line of pmtu asks for.
type pmtuRun struct {
	host   string
	family icmpx.Family // 0: either
	opts   pmtu.Options
	socket traceSocket // what its sockets have in common
	rate   float64     // packets a second; 0: no limit

	json, numeric, verbose bool
}

// parsePmtu reads the flags of pmtu. An error is a usage error.
func parsePmtu(line *getopt.Line, cmd *command) (*pmtuRun, error) {
	r := &pmtuRun{json: line.Has("json"), numeric: line.Has("numeric"), verbose: line.Has("verbose")}
	v := &valueReader{line: line, cmd: cmd}
	r.readMethod(v)
	r.readOptions(v)
	r.readSocket(v)
	switch list := line.Operands; {
	case len(list) == 0:
		v.refuse(&usageError{err: errors.New("no host given"), hint: "icmpx pmtu HOST; icmpx pmtu --help lists the flags"})
	case len(list) > 1:
		v.refuse(errors.New("more than one host given"))
	default:
		r.host = list[0]
	}
	if v.err != nil {
		return nil, v.err
	}
	return r, r.chooseFamily(line)
}

// readMethod reads what the probes are made of.
func (r *pmtuRun) readMethod(v *valueReader) {
	methods := [...]pmtu.Method{pmtu.Auto, pmtu.ICMP, pmtu.UDP, pmtu.TCP}
	if i := v.choice("method", "auto", "icmp", "udp", "tcp"); i >= 0 {
		r.opts.Method = methods[i]
	}
	if r.opts.Method == pmtu.ICMP && v.line.Has("port") {
		v.refuse(errors.New("--method icmp sends echo requests, which have no ports: -p is for the other methods"))
	}
	r.opts.Port = uint16(v.whole("port", 1, 65535, 0))
}

// Limits of values; those of package pmtu.
const (
	maxPmtuSize    = 65575 // of IPv6: header and 65535 bytes
	minPmtuSize    = 68    // of IPv4 (RFC 791 section 3.2)
	minPmtuPackets = 10
	maxPmtuPackets = 10000
	maxPmtuRate    = 1_000_000
)

// readOptions reads what the strategy must know.
func (r *pmtuRun) readOptions(v *valueReader) {
	o := &r.opts
	o.Min = v.whole("min", minPmtuSize, maxPmtuSize, 0)
	o.Max = v.whole("max", minPmtuSize, maxPmtuSize, 0)
	if o.Max != 0 && o.Min > o.Max {
		v.refuse(fmt.Errorf("--min %d is above --max %d", o.Min, o.Max))
	}
	o.MaxTTL = v.whole("max-hops", 1, maxTraceTTL, 0)
	o.MaxPackets = v.whole("max-packets", minPmtuPackets, maxPmtuPackets, 0)
	o.TOS = -1
	if v.line.Has("tos") {
		o.TOS = int16(v.number("tos", 255))
	}
	o.LadderOnly, o.Hops = v.line.Has("ladder-only"), v.line.Has("hops")
	o.Wait, o.Timeout = v.duration("wait"), v.duration("timeout")
	r.rate = float64(v.whole("rate", 1, maxPmtuRate, 0))
}

// readSocket reads what the sockets must know.
func (r *pmtuRun) readSocket(v *valueReader) {
	r.socket.NoLearning = true
	r.socket.Mark = uint32(v.number("fwmark", 1<<32-1))
	if s, ok := v.text("interface"); ok {
		if s == "" || len(s) > 15 { // IFNAMSIZ
			v.fail("interface", s, "the name of an interface")
		}
		r.socket.Interface = s
	}
	if s, ok := v.text("source"); ok {
		a, err := netip.ParseAddr(s)
		if err != nil || a.IsUnspecified() || a.IsMulticast() {
			v.fail("source", s, "an address of this host")
		}
		r.socket.Source = a.Unmap()
	}
}

// chooseFamily settles the family as far as the command line does. An error is
// a usage error.
func (r *pmtuRun) chooseFamily(line *getopt.Line) error {
	four, six := line.Has("ipv4"), line.Has("ipv6")
	switch {
	case four && six:
		return errors.New("-4 and -6 exclude each other")
	case four:
		r.family = icmpx.IPv4
	case six:
		r.family = icmpx.IPv6
	}
	if !r.socket.Source.IsValid() {
		return nil
	}
	f := icmpx.FamilyOf(r.socket.Source)
	if r.family != 0 && r.family != f {
		return fmt.Errorf("-s %v is not an %v address", r.socket.Source, r.family)
	}
	r.family = f
	return nil
}
