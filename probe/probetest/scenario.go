package probetest

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// Parse reads a scenario, a text with one statement per line:
//
//	# what is it about
//	seed 7
//	host 203.0.113.9 rtt=20ms udp=53
//	  hop 198.51.100.1 rtt=1ms
//	  hop 198.51.100.2 rtt=5ms mtu=1400 mpls=16001/0/1
//	    rule every=3 drop
//	  or  198.51.100.3 rtt=5ms
//
// White space at the start of a line means nothing, a # ends it. Times are Go
// durations, lengths are bytes. Statements about the network and the probing
// host:
//
//	seed N              mtu N                buffer N           lasttag N
//	source ADDR         stamps kernel|receive|user              udp paris|classic
//	txdelay TIME        rxdelay TIME         step AT BY         stall FROM TO
//	outage FROM TO [ERROR]    where ERROR is ENOBUFS, EPERM, ENETUNREACH, ...
//
// A host is followed by the hops of its path, nearest first; "or" is another
// hop in the place of the one before it. Both take attributes, after the fields
// of [Hop]:
//
//	rtt=TIME delay=TIME jitter=TIME loss=PERCENT% forward=BURST/RATE answers=BURST/RATE
//	silent drop mtu=N claim=N notoobig returnmtu=N reject=TYPE/CODE nat=ADDR tos=N
//	quotelen=N quotettl=N ext=HEX mpls=LABEL/TC/TTL,... replyttl=N udp=PORT,... tcp=PORT,...
//	perpacket salt=N
//
// A rule belongs to the hop or host before it, to the network if there is none.
// It says when (see [When]), then what, in this order:
//
//	every=N chance=PERCENT% first=N last=N size=N from=TIME to=TIME
//	drop swallow unstamped overflow delay=TIME jitter=TIME dup=N[/GAP] as=ADDR
//	flip=BIT,... truncate=N pad=N insert=AT/N remove=AT/N zero=FROM/TO
//	forge=N[/OFFSET] replay=BACK[/OFFSET] refuse=TYPE/CODE redirect=GATEWAY[/CODE] quench
//
// A statement, attribute or value that is not known is an error that names its
// line, and so is one that is given twice.
func Parse(text string) (Options, error) {
	var s scenario
	line := 0
	for l := range strings.Lines(text) {
		line++
		l, _, _ = strings.Cut(l, "#")
		if f := strings.Fields(l); len(f) > 0 {
			if err := s.statement(f[0], f[1:]); err != nil {
				return Options{}, fmt.Errorf("line %d: %s: %w", line, f[0], err)
			}
		}
	}
	if err := s.opt.Check(); err != nil {
		return Options{}, err
	}
	return s.opt, nil
}

// A scenario is one being read.
type scenario struct {
	opt   Options
	at    position
	given map[string]bool // statements that may not come twice
}

// A position is where "or" and "rule" belong.
type position uint8

const (
	atNet position = iota
	atHost
	atHop
	atAlternative
)

func (s *scenario) statement(word string, args []string) error {
	switch word {
	case "host":
		return s.host(args)
	case "hop", "or":
		return s.hop(word, args)
	case "rule":
		return s.rule(args)
	case "source", "step", "stall", "outage":
	default:
		if s.given[word] {
			return fmt.Errorf("given twice")
		}
		if s.given == nil {
			s.given = map[string]bool{}
		}
		s.given[word] = true
	}
	st, ok := statements[word]
	if !ok {
		return fmt.Errorf("unknown statement")
	}
	if len(args) < st.least || len(args) > st.most {
		return fmt.Errorf("takes %s", st.usage)
	}
	return st.read(&s.opt, args)
}

func (s *scenario) host(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no address")
	}
	addr, err := parseAddr(args[0])
	if err != nil {
		return err
	}
	h := Host{Addr: addr}
	if err := h.Hop.attributes(args[1:]); err != nil {
		return err
	}
	s.opt.Hosts = append(s.opt.Hosts, h)
	s.at = atHost
	return nil
}

func (s *scenario) hop(word string, args []string) error {
	if s.at == atNet {
		return fmt.Errorf("belongs to no host")
	}
	var h Hop
	if len(args) == 0 {
		return fmt.Errorf("no address; * is a router without one")
	}
	if args[0] != "*" {
		addr, err := parseAddr(args[0])
		if err != nil {
			return err
		}
		h.Addr = addr
	}
	if err := h.attributes(args[1:]); err != nil {
		return err
	}
	path := &s.opt.Hosts[len(s.opt.Hosts)-1].Path
	if word == "hop" {
		*path = append(*path, h)
		s.at = atHop
		return nil
	}
	if s.at == atHost {
		return fmt.Errorf("belongs to no hop")
	}
	first := &(*path)[len(*path)-1]
	first.Or = append(first.Or, h)
	s.at = atAlternative
	return nil
}

func (s *scenario) rule(args []string) error {
	r, err := parseRule(args)
	if err != nil {
		return err
	}
	rules := s.rules()
	*rules = append(*rules, r)
	return nil
}

// rules returns where a rule belongs.
func (s *scenario) rules() *[]Rule {
	if s.at == atNet {
		return &s.opt.Rules
	}
	h := &s.opt.Hosts[len(s.opt.Hosts)-1]
	if s.at == atHost {
		return &h.Rules
	}
	hop := &h.Path[len(h.Path)-1]
	if s.at == atAlternative {
		hop = &hop.Or[len(hop.Or)-1]
	}
	return &hop.Rules
}

// A statement is one about the network.
type statement struct {
	least, most int // arguments
	usage       string
	read        func(*Options, []string) error
}

var statements = map[string]statement{
	"seed":    one("a number", func(o *Options) *uint64 { return &o.Seed }, parseUint[uint64]),
	"mtu":     one("bytes", func(o *Options) *int { return &o.MTU }, parseCount),
	"buffer":  one("a number of replies", func(o *Options) *int { return &o.Buffer }, parseCount),
	"lasttag": one("a tag", func(o *Options) *uint32 { return &o.LastTag }, parseUint[uint32]),
	"txdelay": one("a time", func(o *Options) *time.Duration { return &o.TxDelay }, parseTime),
	"rxdelay": one("a time", func(o *Options) *time.Duration { return &o.RxDelay }, parseTime),
	"udp":     {1, 1, "paris or classic", readUDP},
	"stamps":  {1, 1, "kernel, receive or user", readStamps},
	"source":  {1, 1, "an address", readSource},
	"step":    {2, 2, "a time and a duration", readStep},
	"stall":   {2, 2, "two times", readStall},
	"outage":  {2, 3, "two times and perhaps an error", readOutage},
}

func one[T any](usage string, field func(*Options) *T, parse func(string) (T, error)) statement {
	return statement{1, 1, usage, func(o *Options, args []string) (err error) {
		*field(o), err = parse(args[0])
		return err
	}}
}

func readUDP(o *Options, args []string) error {
	switch args[0] {
	case "paris":
	case "classic":
		o.Classic = true
	default:
		return fmt.Errorf("unknown method %q", args[0])
	}
	return nil
}

func readStamps(o *Options, args []string) error {
	switch args[0] {
	case "kernel":
	case "receive":
		o.NoTxStamps = true
	case "user":
		o.UserStamps = true
	default:
		return fmt.Errorf("unknown stamps %q", args[0])
	}
	return nil
}

func readSource(o *Options, args []string) error {
	a, err := parseAddr(args[0])
	if err != nil {
		return err
	}
	if a.Is4() {
		o.Source4 = a
	} else {
		o.Source6 = a
	}
	return nil
}

func readStep(o *Options, args []string) error {
	at, err := parseTime(args[0])
	if err != nil {
		return err
	}
	by, err := parseSignedTime(args[1])
	if err != nil {
		return err
	}
	o.Steps = append(o.Steps, Step{At: at, By: by})
	return nil
}

func readStall(o *Options, args []string) error {
	w, err := parseWindow(args[0], args[1])
	o.Stalls = append(o.Stalls, w)
	return err
}

func readOutage(o *Options, args []string) error {
	w, err := parseWindow(args[0], args[1])
	if err != nil {
		return err
	}
	out := Outage{Window: w}
	if len(args) == 3 {
		if out.Err = sendErrors[args[2]]; out.Err == nil {
			return fmt.Errorf("unknown error %q", args[2])
		}
	}
	o.Outages = append(o.Outages, out)
	return nil
}

// sendErrors are those that a kernel refuses to send with.
var sendErrors = map[string]error{
	"EACCES":        syscall.EACCES,
	"EADDRNOTAVAIL": syscall.EADDRNOTAVAIL,
	"EHOSTUNREACH":  syscall.EHOSTUNREACH,
	"EINVAL":        syscall.EINVAL,
	"EMSGSIZE":      syscall.EMSGSIZE,
	"ENETDOWN":      syscall.ENETDOWN,
	"ENETUNREACH":   syscall.ENETUNREACH,
	"ENOBUFS":       syscall.ENOBUFS,
	"EPERM":         syscall.EPERM,
}
