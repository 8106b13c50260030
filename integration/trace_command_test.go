//go:build linux

package integration

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// A traced is a trace that has ended.
type traced struct {
	done
	start traceStart
	hops  []traceHop
	sum   traceSummary
}

// The events of a trace, with the fields that tests look at.
type (
	traceStart struct {
		Event, Command, Target, Addr, Method, Socket string
		Schema                                       int
		MaxHops                                      int `json:"max_hops"`
	}
	traceHop struct {
		TTL          int
		Probes       []traceProbe
		End, Limited bool
		MTU          int
	}
	traceProbe struct {
		Lost, Limited, Open bool
		Failed              string
		Asked               int
		From                string
		RTT                 *int64 `json:"rtt_ns"`
		Kind                string
		Type, Code          *int
		ReplyTTL            *int `json:"reply_ttl"`
		MTU                 int
		Extensions          []struct{ MPLS [][]int }
		Quote               *struct {
			Src, Dst string
			TTL, TOS int
			Changed  []string
		}
	}
	traceSummary struct {
		Event, Target, Addr string
		Reached             bool
		Hops                int
		PortState           string `json:"port_state"`
		ProbesSent          int    `json:"probes_sent"`
		Interrupted         bool
		Questions           []struct {
			Method  string
			Reached bool
		}
		Findings []traceFinding
		Notes    []string
	}
	traceFinding struct {
		Code, Severity, Text string
		Hop                  int
		Evidence             map[string]any
	}
)

// traceroute runs "icmpx trace --json" on a host to its end.
func traceroute(t *testing.T, h *lab.Host, as lab.User, args ...string) traced {
	t.Helper()
	tr := traced{done: command(t, h, as, append([]string{"trace", "--json", "-n"}, args...)...)}
	tr.read(t)
	return tr
}

// read decodes the output: one start, hops in order of TTL without a gap, one
// summary.
func (tr *traced) read(t *testing.T) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(tr.stdout, "\n"), "\n")
	for i, line := range lines {
		e, into := decode(t, []byte(line)), any(nil)
		switch {
		case i == 0 && e.Event == "start":
			into = &tr.start
		case i == len(lines)-1 && e.Event == "summary":
			into = &tr.sum
		case e.Event == "hop":
			tr.hops = append(tr.hops, traceHop{})
			into = &tr.hops[len(tr.hops)-1]
		default:
			t.Fatalf("line %d of %d: event %q", i+1, len(lines), e.Event)
		}
		labtest.OK(t, json.Unmarshal([]byte(line), into))
	}
	if tr.start.Event == "" || tr.sum.Event == "" {
		t.Fatalf("got no start or no summary in %d lines", len(lines))
	}
	for i, h := range tr.hops {
		if h.TTL != tr.hops[0].TTL+i {
			t.Errorf("got hop %d as number %d", h.TTL, i+1)
		}
	}
}

// hop returns the row of a TTL.
func (tr *traced) hop(t *testing.T, ttl int) traceHop {
	t.Helper()
	i := slices.IndexFunc(tr.hops, func(h traceHop) bool { return h.TTL == ttl })
	if i < 0 {
		t.Fatalf("got no hop %d among %d", ttl, len(tr.hops))
	}
	return tr.hops[i]
}

// codes returns the codes of the findings.
func (tr *traced) codes() (list []string) {
	for _, f := range tr.sum.Findings {
		list = append(list, f.Code)
	}
	return list
}

// finding returns the only finding of a code.
func (tr *traced) finding(t *testing.T, code string) traceFinding {
	t.Helper()
	var found []traceFinding
	for _, f := range tr.sum.Findings {
		if f.Code == code {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d findings %s among %v, want one", len(found), code, tr.codes())
	}
	if found[0].Text == "" || found[0].Severity == "" || len(found[0].Evidence) == 0 {
		t.Errorf("finding without words, severity or evidence: %+v", found[0])
	}
	return found[0]
}

// ended sees how a trace ended: its exit code goes with what it reached, and
// with --json nothing is said elsewhere.
func (tr *traced) ended(t *testing.T, reached bool, hops int) {
	t.Helper()
	code := 1
	if reached {
		code = 0
	}
	if tr.code != code || tr.stderr != "" || tr.sum.Reached != reached || tr.sum.Hops != hops || tr.sum.Interrupted {
		t.Errorf("got exit code %d, stderr %q and summary %+v, want %d and reached %v, %d hops",
			tr.code, tr.stderr, tr.sum, code, reached, hops)
	}
}

// answered sees that every probe of a hop was answered by an address.
func (h traceHop) answered(t *testing.T, probes int, from netip.Addr, kind string) {
	t.Helper()
	if len(h.Probes) != probes {
		t.Errorf("hop %d: got %d probes, want %d", h.TTL, len(h.Probes), probes)
	}
	for i, p := range h.Probes {
		if p.Lost || p.Limited || p.Open || p.Failed != "" || p.From != from.String() || p.Kind != kind {
			t.Errorf("hop %d, probe %d: got %+v, want %s from %v", h.TTL, i+1, p, kind, from)
		}
		if p.RTT == nil || *p.RTT <= 0 {
			t.Errorf("hop %d, probe %d: no RTT", h.TTL, i+1)
		}
	}
}

// lost sees that every probe of a hop is a star.
func (h traceHop) lost(t *testing.T, probes int) {
	t.Helper()
	if len(h.Probes) != probes {
		t.Errorf("hop %d: got %d probes, want %d", h.TTL, len(h.Probes), probes)
	}
	for i, p := range h.Probes {
		if !p.Lost || p.From != "" {
			t.Errorf("hop %d, probe %d: got %+v, want it lost", h.TTL, i+1, p)
		}
	}
}

// A traceMethod is a way to trace.
type traceMethod struct {
	name           string
	args           []string
	root, ordinary string // what JSON calls it, by privilege
	last           string // kind of the destination's answer
}

var traceMethods = []traceMethod{
	{"default", nil, "udp", "udp-classic", "unreachable"},
	{"classic", []string{"--classic"}, "udp-classic", "udp-classic", "unreachable"},
	{"fixed", []string{"-U"}, "udp-fixed", "udp-fixed", "unreachable"},
	{"icmp", []string{"-I"}, "icmp", "icmp", "echo_reply"},
	{"tcp", []string{"-T"}, "tcp", "tcp", "tcp_closed"},
}

// called is what JSON calls the method.
func (m traceMethod) called(as lab.User) string {
	if as == lab.Ordinary {
		return m.ordinary
	}
	return m.root
}

// constant reports whether all probes of a trace are of one flow. Without
// privileges an ordinary user's UDP and TCP cannot be.
func (m traceMethod) constant(as lab.User) bool {
	return m.called(as) != "udp-classic" && (as == lab.Root || m.name == "icmp")
}

// eachTrace runs a test for every user and family.
func eachTrace(t *testing.T, f func(t *testing.T, as lab.User, v6 bool)) {
	t.Helper()
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) { f(t, u.user, v6) })
		})
	}
}

// network builds a topology whose users may ping.
func network(t *testing.T, topology string) *lab.Network {
	t.Helper()
	n := labtest.Build(t, topology)
	labtest.OK(t, n.Client.AllowPing())
	return n
}

// flow is what routers balance by: addresses and protocol, the ports or what
// ICMP has in their place, and the flow label of IPv6.
type flow struct {
	proto uint8
	head  string // first 4 bytes behind the IP header, in hexadecimal digits
	id    uint16 // of echo requests
	label uint32
}

// An outgoing is what left a client for a destination.
type outgoing struct {
	probes []wireProbe
	other  int // packets to other destinations
}

type wireProbe struct {
	flow        flow
	src         netip.Addr
	ttl, length int
	tos         uint8
	df          bool // of IPv4
}

func (w outgoing) flows() map[flow]int {
	all := map[flow]int{}
	for _, p := range w.probes {
		all[p.flow]++
	}
	return all
}

func (w outgoing) count(ttl int) (n int) {
	for _, p := range w.probes {
		if p.ttl == ttl {
			n++
		}
	}
	return n
}

// tap records what leaves the client.
func tap(t *testing.T, n *lab.Network) *lab.Capture {
	t.Helper()
	c, err := n.Client.Iface(0).Capture()
	labtest.OK(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// sent returns the probes to dst that were captured since the last call: of TCP
// the SYN segments.
func sent(t *testing.T, c *lab.Capture, dst netip.Addr) (w outgoing) {
	t.Helper()
	frames, err := c.Frames()
	labtest.OK(t, err)
	for _, f := range frames {
		if !f.Out {
			continue
		}
		p, to, err := parseProbe(f.Data)
		labtest.OK(t, err)
		switch {
		case to.IsMulticast(): // the kernel's own: listeners and routers of IPv6
		case to != dst:
			w.other++
		case p.flow.proto == unix.IPPROTO_TCP && f.Data[len(f.Data)-transportLen(f.Data)+13]&0x12 != 2:
		default:
			w.probes = append(w.probes, p)
		}
	}
	return w
}

// transportLen is the number of bytes behind the IP header.
func transportLen(b []byte) int {
	if b[0]>>4 == 4 {
		return len(b) - int(b[0]&15)*4
	}
	return len(b) - 40
}

func parseProbe(b []byte) (p wireProbe, to netip.Addr, err error) {
	p.length = len(b)
	switch {
	case len(b) >= 28 && b[0]>>4 == 4:
		to = netip.AddrFrom4([4]byte(b[16:]))
		p.src = netip.AddrFrom4([4]byte(b[12:]))
		p.ttl, p.flow.proto, p.tos, p.df = int(b[8]), b[9], b[1], b[6]&0x40 != 0
		b = b[int(b[0]&15)*4:]
	case len(b) >= 48 && b[0]>>4 == 6:
		to = netip.AddrFrom16([16]byte(b[24:]))
		p.src = netip.AddrFrom16([16]byte(b[8:]))
		p.ttl, p.flow.proto, p.tos = int(b[7]), b[6], b[0]<<4|b[1]>>4
		p.flow.label = uint32(b[1]&15)<<16 | uint32(b[2])<<8 | uint32(b[3])
		b = b[40:]
	default:
		return p, to, fmt.Errorf("no IP packet: % x", b)
	}
	p.flow.head = fmt.Sprintf("%x", b[:4])
	if p.flow.proto == unix.IPPROTO_ICMP || p.flow.proto == unix.IPPROTO_ICMPV6 {
		p.flow.id = uint16(b[4])<<8 | uint16(b[5])
	}
	return p, to, nil
}
