package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

func traceCommand() *command {
	return &command{
		name:  "trace",
		args:  "HOST [PACKETLEN]",
		about: "show the routers on the way to a host, all at once, and what is odd about them",
		flags: []getopt.Flag{
			{Short: '4', Long: "ipv4", Usage: "use IPv4"},
			{Short: '6', Long: "ipv6", Usage: "use IPv6"},
			{Short: 'A', Long: "as-path-lookups", Usage: "print the autonomous system of each address, from DNS"},
			{Long: "back", Usage: "print the hops of the way back where they differ"},
			{Long: "classic", Usage: "another UDP port with each probe, as traceroute does"},
			{Long: "dot", Usage: "a graph for graphviz instead of text"},
			{Short: 'e', Long: "extensions", Usage: "print MPLS labels and interfaces that routers tell of"},
			{Short: 'f', Long: "first", Value: "TTL", Usage: "first TTL; default 1"},
			{Short: 'F', Long: "dont-fragment", Usage: "set DF: what is too big comes back as !F-MTU"},
			{Long: "fwmark", Value: "N", Usage: "mark the packets for policy routing"},
			{Short: 'g', Long: "gateway", Value: "ADDR,...", Usage: "UDP, TCP: loose source route by up to 8 IPv4 gateways"},
			{Short: 'i', Long: "interface", Value: "NAME", Usage: "NAME of the interface or VRF"},
			{Short: 'I', Long: "icmp", Usage: "echo requests instead of UDP"},
			{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
			{Short: 'l', Long: "flowlabel", Value: "N", Usage: "flow label of IPv6 packets, up to 0xfffff"},
			{Short: 'm', Long: "max-hops", Value: "TTL", Usage: "last TTL; default 64"},
			{Long: "mtu", Usage: "print where the path gets narrower"},
			{Short: 'n', Long: "numeric", Usage: "do not look up names of addresses"},
			{Short: 'N', Long: "sim-queries", Value: "N", Usage: "at most N probes open at once; default all"},
			{Short: 'p', Long: "port", Value: "N", Usage: "destination port: 33434, -U 53, -T 80; --classic: the first"},
			{Short: 'q', Long: "queries", Value: "N", Usage: "probes for each TTL, up to 100; default 3"},
			{Long: "resolver", Value: "ADDR", Usage: "name server to ask, ADDR or ADDR:PORT"},
			{Short: 's', Long: "source", Value: "ADDR", Usage: "source address"},
			{Long: "sport", Value: "N", Usage: "source port"},
			{Short: 't', Long: "tos", Value: "N", Usage: "type of service or traffic class, up to 255"},
			{Short: 'T', Long: "tcp", Usage: "TCP SYN instead of UDP"},
			{Short: 'U', Long: "udp", Usage: "UDP to the port of a service"},
			{Short: 'v', Long: "verbose", Usage: "explain findings, and say what it took"},
			{Short: 'w', Long: "wait", Value: "MAX,...", Usage: "MAX[,HERE,NEAR]: longest wait, and factors; default 5,3,1.5"},
			{Short: 'z', Long: "sendwait", Value: "TIME", Usage: "pause between two probes; above 10: milliseconds"},
		},
		refused: traceRefused,
		examples: []string{
			"icmpx trace a.example            the way there, in one round trip",
			"icmpx trace -T -p 443 a.example  as a browser's packets take it",
			"icmpx trace -n -q 1 192.0.2.1    one probe for each TTL, no names",
			"icmpx trace --mtu 2001:db8::1    where the path gets narrower",
			"icmpx trace --dot a.example | dot -Tsvg >path.svg",
		},
		run: runTrace,
	}
}

// traceRefused are the flags of traceroute that are not taken, each with what to
// use instead.
var traceRefused = []getopt.Flag{
	{Short: 'd', Long: "debug", Refused: true, Instead: "-v says more about the run"},
	{Short: 'D', Long: "dccp", Refused: true, Instead: "-I, -T and -U choose the probes"},
	{Short: 'L', Refused: true, Instead: "UDP-Lite is not available; -U sends UDP to one port"},
	{Short: 'M', Long: "module", Refused: true, Instead: "-I, -T, -U and --classic choose the probes"},
	{Short: 'O', Long: "options", Refused: true, Instead: "each option that icmpx has is a flag of its own"},
	{Short: 'P', Long: "protocol", Refused: true, Instead: "-I, -T and -U choose the probes"},
	{Short: 'r', Refused: true, Instead: "-i NAME chooses the interface"},
}

// A traceRun is what a command line of trace asks for.
type traceRun struct {
	host   string
	family icmpx.Family  // 0: either
	opts   trace.Options // Size is set once the family is known
	length int           // PACKETLEN; 0: the method's
	socket traceSocket   // what its sockets have in common
	server netip.AddrPort

	json, dot, numeric, extensions, back, as, verbose bool
}

// parseTrace reads the flags of trace. An error is a usage error.
func parseTrace(line *getopt.Line, cmd *command) (*traceRun, error) {
	r := &traceRun{
		json: line.Has("json"), dot: line.Has("dot"), numeric: line.Has("numeric"),
		extensions: line.Has("extensions"), back: line.Has("back"), as: line.Has("as-path-lookups"),
		verbose: line.Has("verbose"),
	}
	v := &valueReader{line: line, cmd: cmd}
	r.readMethod(v)
	r.readOptions(v)
	r.readSocket(v)
	r.readOperands(v)
	if r.json && r.dot {
		v.refuse(errors.New("--json and --dot exclude each other"))
	}
	if v.err != nil {
		return nil, v.err
	}
	return r, r.chooseFamily(line)
}

// readMethod reads what the probes are made of.
func (r *traceRun) readMethod(v *valueReader) {
	chosen := 0
	for _, m := range []struct {
		flag   string
		method trace.Method
	}{
		{"icmp", trace.ICMP}, {"tcp", trace.TCP}, {"udp", trace.UDPFixed}, {"classic", trace.UDPClassic},
	} {
		if v.line.Has(m.flag) {
			r.opts.Method = m.method
			chosen++
		}
	}
	if chosen > 1 {
		v.refuse(errors.New("-I, -T, -U and --classic exclude each other"))
	}
	r.checkMethod(v)
	r.opts.Port = uint16(v.whole("port", 1, 65535, 0))
	r.socket.SourcePort = uint16(v.whole("sport", 1, 65535, 0))
}

// checkMethod finds flags that the method has no use for.
func (r *traceRun) checkMethod(v *valueReader) {
	has := v.line.Has
	icmp, tcp := r.opts.Method == trace.ICMP, r.opts.Method == trace.TCP
	switch {
	case icmp && (has("port") || has("sport")):
		v.refuse(errors.New("-I sends echo requests, which have no ports: -p and --sport are for UDP and TCP"))
	case icmp && has("gateway"):
		v.refuse(errors.New("-g is for UDP and TCP, not for -I"))
	case tcp && has("mtu"):
		v.refuse(errors.New("--mtu is for UDP and ICMP: a SYN carries no data to make it large"))
	}
}

// Limits of values.
const (
	maxTraceTTL     = 255
	maxTraceQueries = 100
	maxTraceOpen    = 65535
	maxFlowLabel    = 1<<20 - 1 // 20 bits (RFC 8200 section 3)
)

// readOptions reads what the strategy must know.
func (r *traceRun) readOptions(v *valueReader) {
	o := &r.opts
	o.FirstTTL = v.whole("first", 1, maxTraceTTL, 0)
	o.MaxTTL = v.whole("max-hops", 1, maxTraceTTL, 0)
	o.Queries = v.whole("queries", 1, maxTraceQueries, 0)
	o.InFlight = v.whole("sim-queries", 1, maxTraceOpen, 0)
	o.TOS = int16(v.number("tos", 255))
	o.MTU = v.line.Has("mtu")
	o.DF = icmpx.DFClear
	if v.line.Has("dont-fragment") {
		o.DF = icmpx.DFProbe
	}
	r.socket.NoLearning = o.MTU || o.DF == icmpx.DFProbe
	if s, ok := v.text("wait"); ok {
		r.readWait(v, s)
	}
	if s, ok := v.text("sendwait"); ok {
		r.readSendWait(v, s)
	}
	if o.MaxTTL != 0 && o.MaxTTL < o.FirstTTL {
		v.refuse(fmt.Errorf("-m %d is below -f %d", o.MaxTTL, o.FirstTTL))
	}
}

// readWait reads MAX[,HERE[,NEAR]]. As in traceroute a factor that is left out,
// or 0, has no effect: the wait is MAX.
func (r *traceRun) readWait(v *valueReader, s string) {
	const want = "MAX or MAX,HERE,NEAR: a time above 0 and two factors, such as 5,3,10"
	parts := strings.Split(s, ",")
	longest, err := parseDuration(parts[0])
	if err != nil || longest <= 0 || longest > maxSeconds*time.Second || len(parts) > 3 {
		v.fail("wait", s, want)
		return
	}
	factors := [2]float64{-1, -1}
	for i, part := range parts[1:] {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil || strings.Trim(part, "0123456789.") != "" || f > maxSeconds {
			v.fail("wait", s, want)
			return
		}
		if f > 0 {
			factors[i] = f
		}
	}
	r.opts.Wait = trace.Wait{Max: longest, Here: factors[0], Near: factors[1]}
}

// readSendWait reads the pause between probes: a bare number above 10 is one of
// milliseconds, as in traceroute.
func (r *traceRun) readSendWait(v *valueReader, s string) {
	const want = "a time from 0 up, such as 0.5, 200ms or 200"
	d, err := parseDuration(s)
	if err == nil && d > 10*time.Second && strings.Trim(s, "0123456789.") == "" {
		d /= 1000
	}
	if err != nil || d < 0 || d > maxSeconds*time.Second {
		v.fail("sendwait", s, want)
		return
	}
	r.opts.SendWait = d
}

// readSocket reads what the sockets must know.
func (r *traceRun) readSocket(v *valueReader) {
	r.socket.Mark = uint32(v.number("fwmark", 1<<32-1))
	r.socket.FlowLabel = uint32(v.number("flowlabel", maxFlowLabel))
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
	for _, list := range v.line.Values("gateway") {
		r.readGateways(v, list)
	}
	if s, ok := v.text("resolver"); ok {
		server, err := parseServer(s)
		if err != nil {
			v.fail("resolver", s, "the address of a name server: 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53")
		}
		r.server = server
	}
}

// maxGateways is what an IPv4 header has room for beside the destination (RFC
// 791 section 3.1).
const maxGateways = 8

func (r *traceRun) readGateways(v *valueReader, list string) {
	for s := range strings.SplitSeq(list, ",") {
		a, err := netip.ParseAddr(s)
		if err != nil || !a.Is4() || a.IsMulticast() || a.IsUnspecified() {
			v.fail("gateway", s, "the IPv4 address of a gateway: IPv6 has no source routes (RFC 5095)")
			return
		}
		r.socket.Gateways = append(r.socket.Gateways, a)
	}
	r.opts.Gateways = r.socket.Gateways
	if n := len(r.socket.Gateways); n > maxGateways {
		v.refuse(fmt.Errorf("%d gateways are more than the %d that a source route has room for", n, maxGateways))
	}
}

// maxPacket is the length in bytes of the largest IPv4 packet.
const maxPacket = 65535

// readOperands reads the host and the packet length.
func (r *traceRun) readOperands(v *valueReader) {
	list := v.line.Operands
	switch {
	case v.err != nil:
	case len(list) == 0:
		v.refuse(&usageError{err: errors.New("no host given"), hint: "icmpx trace HOST [PACKETLEN]; icmpx trace --help lists the flags"})
	case len(list) > 2:
		v.refuse(errors.New("more than a host and a packet length given"))
	}
	if v.err != nil {
		return
	}
	r.host = list[0]
	if len(list) < 2 {
		return
	}
	n, err := strconv.Atoi(list[1])
	if err != nil || n < 0 || n > maxPacket {
		v.refuse(fmt.Errorf("packet length: %q is not a whole number from 0 to %d", list[1], maxPacket))
		return
	}
	r.length = max(n, 1)
}

// chooseFamily settles the family as far as the command line does: -4, -6, and
// what exists in one family only. An error is a usage error.
func (r *traceRun) chooseFamily(line *getopt.Line) error {
	wishes := []struct {
		made   bool
		family icmpx.Family
		flag   string
	}{
		{line.Has("ipv4"), icmpx.IPv4, "-4"},
		{line.Has("ipv6"), icmpx.IPv6, "-6"},
		{len(r.socket.Gateways) > 0, icmpx.IPv4, "-g"},
		{r.socket.FlowLabel != 0, icmpx.IPv6, "-l"},
		{r.socket.Source.IsValid(), icmpx.FamilyOf(r.socket.Source), "-s " + r.socket.Source.String()},
	}
	by := ""
	for _, w := range wishes {
		switch {
		case !w.made:
		case r.family == 0:
			r.family, by = w.family, w.flag
		case r.family != w.family:
			return fmt.Errorf("%s and %s exclude each other: %s is for %v", by, w.flag, w.flag, w.family)
		}
	}
	return nil
}

// size returns the length in bytes of the whole IP packets that are asked for in
// family f; 0 leaves it to the method. Shorter ones than the method can send are
// made as short as it can.
func (r *traceRun) size(f icmpx.Family) int {
	if r.length == 0 {
		if r.opts.Method == trace.TCP || r.opts.MTU {
			return 0
		}
		return r.opts.HeaderLen(f) + defaultTracePayload
	}
	return max(r.length, r.opts.HeaderLen(f)+leastTransport(r.opts.Method))
}

// defaultTracePayload is how many bytes follow the IP header by default, as in
// traceroute.
const defaultTracePayload = 40

// leastTransport is the least number of bytes behind the IP header: the
// transport header and, of ICMP and UDP, the two bytes that keep the flow
// constant. Those of ICMP stand behind a token of eight.
func leastTransport(m trace.Method) int {
	if m == trace.TCP {
		return 20
	}
	if m == trace.ICMP {
		return 8 + 8 + 2
	}
	return 8 + 2
}
