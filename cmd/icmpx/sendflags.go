package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/craft"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
)

func sendCommand() *command {
	return &command{
		name:    "send",
		args:    "TYPE[/CODE] HOST",
		about:   "send one ICMP message of any type, and show what comes back",
		flags:   slices.Concat(sendFlags, fieldFlags),
		refused: sendRefused,
		examples: []string{
			"icmpx send echo 192.0.2.1 --id 7 --data 6869   an echo request with two bytes of data",
			"icmpx send timestamp 192.0.2.1                 what time does it have?",
			"icmpx send --dry-run port-unreachable 192.0.2.1 --quote-proto udp:4000:53",
			"                                               the bytes and the fields, without sending",
			"icmpx send redirect 127.0.0.1 --gateway 192.0.2.9 --quote-dst 192.0.2.1",
			"icmpx send 3/1 127.0.0.1 --mpls 16:0:1:64      an error with a label stack",
			"icmpx decode --json FILE | icmpx send --dry-run --json -",
			"                                               packets of a capture, made again",
		},
		run: runSend,
	}
}

// sendFlags are those that are not about one field of some messages.
var sendFlags = []getopt.Flag{
	{Short: '4', Long: "ipv4", Usage: "use IPv4"},
	{Short: '6', Long: "ipv6", Usage: "use IPv6"},
	{Short: 'b', Long: "broadcast", Usage: "allow broadcast and multicast addresses"},
	{Short: 'c', Long: "count", Value: "N", Usage: "send it N times, up to 100; 10 a second except to loopback"},
	{Long: "dry-run", Usage: "show what would be sent, and send nothing; takes no privilege"},
	{Short: 'I', Long: "interface", Value: "NAME", Usage: "interface or VRF, or an address of this host; or both, by two -I"},
	{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
	{Long: "source", Value: "ADDR", Usage: "the source address, one of this host"},
	{Short: 'W', Long: "timeout", Value: "TIME", Usage: "wait for answers; default 1, 0 does not wait"},
	{Long: "yes-this-is-my-network", Usage: "send what can harm its receiver to other hosts: redirects, advertisements, too big, source quench"},
	{Short: 't', Long: "ttl", Value: "N", Usage: "TTL or hop limit; default 64, as the message needs it"},
	{Short: 'Q', Long: "tos", Value: "TOS", Usage: "type of service or traffic class, 0x or decimal"},
	{Long: "df", Usage: "set don't fragment (IPv4)"},
	{Long: "ip-id", Value: "N", Usage: "identification (IPv4); default 1; 0 with --df alone"},
	{Short: 'F', Long: "flowlabel", Value: "LABEL", Usage: "flow label of IPv6, 0x or decimal"},
	{Long: "code", Value: "N", Usage: "code of the message"},
	{Long: "body", Value: "HEX", Usage: "all that follows the checksum, instead of fields; @FILE: from a file"},
	{Long: "bad-checksum", Usage: "make the checksum of the message wrong"},
}

// fieldFlags are the fields of messages; which has which, package craft knows.
var fieldFlags = []getopt.Flag{
	{Long: "id", Value: "N", Usage: "identifier; default 1"},
	{Long: "seq", Value: "N", Usage: "sequence number; default 1"},
	{Long: "data", Value: "HEX", Usage: "data of an echo, or behind a router advertisement"},
	{Long: "payload", Value: "FILE", Usage: "the same from a file; -: standard input"},
	{Long: "originate", Value: "MS", Usage: "timestamps: milliseconds since midnight UT; default now"},
	{Long: "receive", Value: "MS", Usage: "when a reply says that the request came; default 0"},
	{Long: "transmit", Value: "MS", Usage: "when a reply says that it left; default 0"},
	{Long: "mask", Value: "ADDR", Usage: "address mask"},
	{Long: "mtu", Value: "N", Usage: "next-hop MTU of fragmentation needed and packet too big; default 1280"},
	{Long: "pointer", Value: "N", Usage: "of a parameter problem: offset in the quote"},
	{Long: "gateway", Value: "ADDR", Usage: "of a redirect"},
	{Long: "quote", Value: "HEX", Usage: "the packet that an error is about, from its IP header on"},
	{Long: "quote-file", Value: "FILE", Usage: "the same from a file, as bytes"},
	{Long: "quote-src", Value: "ADDR", Usage: "or made of fields: source; default HOST"},
	{Long: "quote-dst", Value: "ADDR", Usage: "destination; default the source of the message"},
	{Long: "quote-proto", Value: "PROTO", Usage: "udp:SPORT:DPORT, tcp:SPORT:DPORT[:SEQ], icmp:ID:SEQ, or a number"},
	{Long: "quote-ttl", Value: "N", Usage: "TTL; default 1 in time exceeded, else 64"},
	{Long: "quote-tos", Value: "TOS", Usage: "type of service"},
	{Long: "quote-id", Value: "N", Usage: "identification (IPv4)"},
	{Long: "quote-df", Usage: "don't fragment (IPv4)"},
	{Long: "mpls", Value: "L:TC:S:TTL", Usage: "extension of an error: an entry of a label stack; more follow"},
	{Long: "interface-info", Value: "LIST", Usage: "extension: role=ROLE,index=N,addr=ADDR,name=NAME,mtu=N"},
	{Long: "extension", Value: "C:T:HEX", Usage: "extension: any object, by class, C-type and contents"},
	{Long: "extension-form", Value: "FORM", Usage: "compliant, no-checksum or legacy"},
	{Long: "iface-name", Value: "NAME", Usage: "extended echo: the interface that is asked about"},
	{Long: "iface-index", Value: "N", Usage: "the same by its number"},
	{Long: "iface-addr", Value: "ADDR", Usage: "the same by an address of it, or of a neighbour"},
	{Long: "flags", Value: "LIST", Usage: "flags of the message, as in solicited,override"},
	{Long: "state", Value: "N", Usage: "of an extended echo reply"},
	{Long: "lifetime", Value: "N", Usage: "seconds that a router is one; default 1800"},
	{Long: "router", Value: "ADDR[,N]", Usage: "router advertisement of IPv4: a router and its preference; more may follow"},
	{Long: "hop-limit", Value: "N", Usage: "router advertisement of IPv6: for hosts to use"},
	{Long: "preference", Value: "N", Usage: "of the router: 0 medium, 1 high, 3 low"},
	{Long: "reachable", Value: "MS", Usage: "that a neighbour counts as reachable"},
	{Long: "retransmit", Value: "MS", Usage: "between solicitations"},
	{Long: "target", Value: "ADDR", Usage: "of neighbour discovery; default HOST"},
	{Long: "destination", Value: "ADDR", Usage: "of a redirect of IPv6"},
	{Long: "source-link", Value: "MAC", Usage: "option: link-layer address of the source"},
	{Long: "target-link", Value: "MAC", Usage: "option: link-layer address of the target"},
	{Long: "prefix", Value: "PREFIX", Usage: "option: on-link and autonomous prefix; more may follow"},
	{Long: "link-mtu", Value: "N", Usage: "option: MTU"},
	{Long: "option", Value: "TYPE:HEX", Usage: "any option of neighbour discovery"},
	{Long: "group", Value: "ADDR", Usage: "multicast listener discovery: the group"},
	{Long: "max-delay", Value: "MS", Usage: "in which a query is to be answered"},
	{Long: "record", Value: "T,GROUP[,SRC]", Usage: "of a version 2 report: type 1 to 6, group, sources"},
}

// sendRefused are flags that people know from other tools and that are not
// taken.
var sendRefused = []getopt.Flag{
	{Long: "flood", Refused: true, Instead: "send makes one message at a time; icmpx ping -f floods with echo requests"},
	{Long: "fast", Refused: true, Instead: "send makes one message at a time; -c N repeats it, 10 a second"},
	{Long: "faster", Refused: true, Instead: "send makes one message at a time; -c N repeats it, 10 a second"},
	{Long: "spoof", Refused: true, Instead: "the source address is one of this host: --source ADDR"},
	{Long: "rand-source", Refused: true, Instead: "the source address is one of this host: --source ADDR"},
	{Long: "rand-dest", Refused: true, Instead: "send has one target"},
}

// Limits of send.
const (
	maxSends     = 100                    // of one call
	sendInterval = 100 * time.Millisecond // except to loopback
)

// A sendRun is what a command line of send asks for.
type sendRun struct {
	word, host string // message and target, as given
	stdin      bool   // packets come from standard input instead
	family     icmpx.Family
	socket     icmpx.RawConfig // without the family
	count      int
	wait       time.Duration
	waitSet    bool
	header     craft.Header // without addresses
	ttlSet     bool
	fields     *valueReader // read when the family is known
	payload    []byte       // what --payload holds
	quote      []byte       // what --quote-file holds
	body       []byte       // nil: fields

	dry, json, bad, mine bool
}

// parseSend reads the flags of send that do not depend on the message. An error
// is a usage error.
func parseSend(line *getopt.Line, cmd *command) (*sendRun, error) {
	v := &valueReader{line: line, cmd: cmd}
	r := &sendRun{
		dry: line.Has("dry-run"), json: line.Has("json"), bad: line.Has("bad-checksum"),
		mine: line.Has("yes-this-is-my-network"), fields: v,
		socket: icmpx.RawConfig{Broadcast: line.Has("broadcast")},
		count:  v.whole("count", 1, maxSends, 1),
	}
	r.readWait(v)
	r.readHeader(v)
	r.readSource(v)
	for _, step := range []func() error{
		func() error { return v.err },
		func() error { return r.readOperands(line) },
		func() error { return r.chooseFamily(line) },
		func() error { return r.checkStdin(line) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *sendRun) readWait(v *valueReader) {
	r.wait = time.Second
	if s, ok := v.text("timeout"); ok {
		r.waitSet = true
		if s == "0" {
			r.wait = 0
			return
		}
		r.wait = v.duration("timeout")
	}
}

func (r *sendRun) readHeader(v *valueReader) {
	id := v.whole("ip-id", 0, 65535, 1)
	r.ttlSet = v.line.Has("ttl")
	r.header = craft.Header{
		TTL: uint8(v.whole("ttl", 1, 255, 0)), TOS: uint8(v.number("tos", 255)), ID: uint16(id),
		DF: v.line.Has("df"), FlowLabel: uint32(v.number("flowlabel", 1<<20-1)),
	}
	if id == 0 && !r.header.DF {
		v.refuse(errors.New("--ip-id 0 goes with --df alone: else the kernel writes an identification of its own"))
	}
}

// readSource reads where packets leave and with which address.
func (r *sendRun) readSource(v *valueReader) {
	for _, s := range v.line.Values("interface") {
		a, err := netip.ParseAddr(s)
		switch {
		case err == nil:
			r.setSource(v, "-I", a)
		case s == "" || len(s) > 15: // IFNAMSIZ
			v.fail("interface", s, "an address of this host, nor the name of an interface")
		case r.socket.Interface != "":
			v.refuse(fmt.Errorf("-I %s: the interface is %s already", s, r.socket.Interface))
		default:
			r.socket.Interface = s
		}
	}
	if a := v.address("source"); a.IsValid() {
		r.setSource(v, "--source", a)
	}
}

func (r *sendRun) setSource(v *valueReader, flag string, a netip.Addr) {
	if r.socket.Source.IsValid() {
		v.refuse(fmt.Errorf("%s %v: the source address is %v already", flag, a, r.socket.Source))
	}
	r.socket.Source = a.Unmap()
}

// address reads an address; the zero Addr if it was not given.
func (v *valueReader) address(name string) netip.Addr {
	s, ok := v.text(name)
	if !ok {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		v.fail(name, s, "an address")
	}
	return a.Unmap()
}

// readOperands reads the message and the target.
func (r *sendRun) readOperands(line *getopt.Line) error {
	const how = "icmpx send TYPE HOST; icmpx send --help lists the fields"
	switch ops := line.Operands; {
	case len(ops) == 1 && ops[0] == "-":
		r.stdin = true
	case len(ops) == 0:
		return &usageError{err: errors.New("no message given"), hint: how}
	case len(ops) == 1:
		return &usageError{err: errors.New("no host given"), hint: how}
	case len(ops) > 2:
		return &usageError{err: errors.New("more than one host given: send has one target"), hint: how}
	default:
		r.word, r.host = ops[0], ops[1]
	}
	return nil
}

// chooseFamily finds the family that the flags ask for.
func (r *sendRun) chooseFamily(line *getopt.Line) error {
	for _, ask := range []struct {
		flag, name string
		family     icmpx.Family
	}{
		{"-4", "ipv4", icmpx.IPv4}, {"-6", "ipv6", icmpx.IPv6},
		{"--df", "df", icmpx.IPv4}, {"--ip-id", "ip-id", icmpx.IPv4}, {"-F", "flowlabel", icmpx.IPv6},
	} {
		switch {
		case !line.Has(ask.name):
		case r.family != 0 && r.family != ask.family && ask.flag == "-6":
			return errors.New("-4 and -6 exclude each other")
		case r.family != 0 && r.family != ask.family:
			return fmt.Errorf("%s is for %v only", ask.flag, ask.family)
		default:
			r.family = ask.family
		}
	}
	if f := icmpx.FamilyOf(r.socket.Source); r.socket.Source.IsValid() {
		if r.family != 0 && r.family != f {
			return fmt.Errorf("the source %v is not an %v address", r.socket.Source, r.family)
		}
		r.family = f
	}
	return nil
}

// checkStdin holds what does not go with packets from standard input, which are
// sent as they are.
func (r *sendRun) checkStdin(line *getopt.Line) error {
	if !r.stdin {
		return nil
	}
	for _, f := range slices.Concat(sendFlags, fieldFlags) {
		switch f.Long {
		case "broadcast", "dry-run", "interface", "json", "timeout", "yes-this-is-my-network":
			continue
		}
		if line.Has(f.Long) {
			return fmt.Errorf("--%s does not go with packets from standard input, which are sent as they are", f.Long)
		}
	}
	if r.socket.Source.IsValid() {
		return errors.New("-I takes an interface here: packets from standard input have their source addresses")
	}
	return nil
}

// given returns the names of the fields that were given.
func (r *sendRun) given() []string {
	var names []string
	for _, f := range fieldFlags {
		if r.fields.line.Has(f.Long) {
			names = append(names, f.Long)
		}
	}
	return names
}
