//go:build linux

package integration

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// A searched is a search for a path MTU that has ended.
type searched struct {
	done
	start  pmtuStart
	probes []pmtuProbe
	sum    pmtuSummary
}

// The events of a search, with the fields that tests look at. What may be null is
// a pointer.
type (
	pmtuStart struct {
		Event, Command, Target, Addr, Family, Method, Socket string
		Schema, Port                                         int
		LinkMTU                                              *int `json:"link_mtu"`
		RouteMTU                                             int  `json:"route_mtu"`
	}
	pmtuProbe struct {
		Size, TTL, Path    int
		Method, Fate, From string
		Kind, Failed       string
		MTU                *int
		RTT                *int64 `json:"rtt_ns"`
	}
	pmtuSummary struct {
		Event, Target, Addr string
		PMTU                *int `json:"pmtu"`
		Verdict, Direction  string
		AtLeast             *int `json:"at_least"`
		AtMost              *int `json:"at_most"`
		Limits              []pmtuLimit
		BlackHole           *pmtuHole `json:"black_hole"`
		ReturnMTU           int       `json:"return_path_mtu"`
		TCPMSS              *int      `json:"tcp_mss"`
		Forged, Strays      int
		Sent                int   `json:"probes_sent"`
		Bytes               int64 `json:"bytes_sent"`
		Rounds              int
		Interrupted         bool
		Hops                []pmtuHop
		Findings            []traceFinding
	}
	pmtuLimit struct {
		Place, From       string
		TTL, MTU          int
		Signalled, Tested bool
	}
	pmtuHole struct {
		MTU           int
		AfterTTL      *int `json:"after_ttl"`
		BeforeTTL     int  `json:"before_ttl"`
		After, Before string
	}
	pmtuHop struct {
		TTL  int
		From string
		MTU  *int
		End  bool
	}
)

// search runs "icmpx pmtu --json" on a host to its end.
func search(t *testing.T, h *lab.Host, as lab.User, args ...string) searched {
	t.Helper()
	s := searched{done: command(t, h, as, append([]string{"pmtu", "--json", "-n"}, args...)...)}
	s.read(t)
	return s
}

// read decodes the output: one start, probes, one summary.
func (s *searched) read(t *testing.T) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(s.stdout, "\n"), "\n")
	for i, line := range lines {
		e, into := decode(t, []byte(line)), any(nil)
		switch {
		case i == 0 && e.Event == "start":
			into = &s.start
		case i == len(lines)-1 && e.Event == "summary":
			into = &s.sum
		case e.Event == "probe":
			s.probes = append(s.probes, pmtuProbe{})
			into = &s.probes[len(s.probes)-1]
		default:
			t.Fatalf("line %d of %d: event %q", i+1, len(lines), e.Event)
		}
		labtest.OK(t, json.Unmarshal([]byte(line), into))
	}
	if s.start.Event == "" || s.sum.Event == "" {
		t.Fatalf("got no start or no summary in %d lines", len(lines))
	}
}

// An answer is what a search should say of a path. A zero field of a number says
// that there is none.
type answer struct {
	pmtu, link         int
	verdict, direction string
	limits             []pmtuLimit
	hole               *pmtuHole

	// The way back: at most that much, and at least seven bytes less, since IPv4
	// cuts fragments by eight.
	back int

	codes []string // of findings, in any order; not those about causes and segments
}

// is sees that the search ended as it should.
func (s *searched) is(t *testing.T, want answer) {
	t.Helper()
	sum := &s.sum
	code := 0
	if want.pmtu == 0 {
		code = 1
	}
	if s.code != code || s.stderr != "" || sum.Interrupted {
		t.Errorf("got exit code %d, stderr %q, interrupted %v, want %d and none", s.code, s.stderr, sum.Interrupted, code)
	}
	if value(sum.PMTU) != want.pmtu || sum.Verdict != want.verdict || sum.Direction != want.direction {
		t.Errorf("got path MTU %d, verdict %s, direction %s, want %d, %s, %s",
			value(sum.PMTU), sum.Verdict, sum.Direction, want.pmtu, want.verdict, want.direction)
	}
	if want.pmtu != 0 && (value(sum.AtLeast) != want.pmtu || value(sum.AtMost) != want.pmtu) {
		t.Errorf("got bounds %d and %d, want both %d", value(sum.AtLeast), value(sum.AtMost), want.pmtu)
	}
	if value(s.start.LinkMTU) != want.link {
		t.Errorf("got interface MTU %d, want %d", value(s.start.LinkMTU), want.link)
	}
	if !slices.Equal(sum.Limits, want.limits) {
		t.Errorf("got limits %+v, want %+v", sum.Limits, want.limits)
	}
	if got, want := holeOf(sum.BlackHole), holeOf(want.hole); got != want {
		t.Errorf("got black hole %+v, want %+v", got, want)
	}
	if b := sum.ReturnMTU; b > want.back || b < want.back-7 || (b == 0) != (want.back == 0) {
		t.Errorf("got %d bytes for the way back, want %d", b, want.back)
	}
	if got := s.codes(); !slices.Equal(got, sorted(want.codes)) {
		t.Errorf("got findings %v, want %v", got, want.codes)
	}
	s.consistent(t)
}

// consistent sees what holds of every search.
func (s *searched) consistent(t *testing.T) {
	t.Helper()
	sum := &s.sum
	sent, bytes := 0, int64(0)
	for _, p := range s.probes {
		if p.Fate == "answered" || p.Fate == "lost" || p.Fate == "canceled" {
			sent, bytes = sent+1, bytes+int64(p.Size)
		}
	}
	if sum.Sent != sent || sum.Bytes != bytes {
		t.Errorf("summary says %d probes and %d bytes, reported were %d and %d", sum.Sent, sum.Bytes, sent, bytes)
	}
	mss := 40
	if strings.Contains(sum.Addr, ":") {
		mss = 60
	}
	if value(sum.PMTU) != 0 && value(sum.TCPMSS) != value(sum.PMTU)-mss {
		t.Errorf("got TCP MSS %d for a path MTU of %d", value(sum.TCPMSS), value(sum.PMTU))
	}
	for _, f := range sum.Findings {
		if f.Text == "" || f.Severity == "" || len(f.Evidence) == 0 {
			t.Errorf("finding without words, severity or evidence: %+v", f)
		}
	}
	if s.start.Schema != 1 || s.start.Command != "pmtu" || s.start.Addr != sum.Addr {
		t.Errorf("got start %+v, want schema 1 of pmtu to %s", s.start, sum.Addr)
	}
}

// value returns what may be null; 0: it is.
func value(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}

// A flatHole is a pmtuHole that can be compared.
type flatHole struct {
	mtu, after, before int
	afterAddr, addr    string
}

func holeOf(h *pmtuHole) flatHole {
	if h == nil {
		return flatHole{}
	}
	return flatHole{h.MTU, value(h.AfterTTL), h.BeforeTTL, h.After, h.Before}
}

// codes returns the codes of the findings, sorted. Those that any limit may have
// are left out: what it is likely made of, and what fits it.
func (s *searched) codes() (list []string) {
	for _, f := range s.sum.Findings {
		if f.Code != "likely_cause" && f.Code != "tcp_mss" {
			list = append(list, f.Code)
		}
	}
	return sorted(list)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// found returns the findings of a code.
func (s *searched) found(code string) (list []traceFinding) {
	for _, f := range s.sum.Findings {
		if f.Code == code {
			list = append(list, f)
		}
	}
	return list
}

// A pmtuWire is what a search sent, as captured.
type pmtuWire struct {
	probes []wireProbe
	bytes  int64
}

// searchWire returns what left the client for dst since the last call: segments
// that the kernel itself sends to end a connection are no probes.
func searchWire(t *testing.T, c *lab.Capture, dst netip.Addr) (w pmtuWire) {
	t.Helper()
	for _, p := range sent(t, c, dst).probes {
		w.probes = append(w.probes, p)
		w.bytes += int64(p.length)
	}
	return w
}

// onWire sees that what left is what the summary says: whole packets that no
// router may cut.
func (s *searched) onWire(t *testing.T, w pmtuWire) {
	t.Helper()
	if len(w.probes) != s.sum.Sent || w.bytes != s.sum.Bytes {
		t.Errorf("summary says %d probes of %d bytes, on the wire were %d of %d", s.sum.Sent, s.sum.Bytes, len(w.probes), w.bytes)
	}
	for _, p := range w.probes {
		if !p.df && !p.src.Is6() {
			t.Errorf("a probe of %d bytes may be cut", p.length)
		}
		if p.flow.proto == unix.IPPROTO_FRAGMENT {
			t.Errorf("a fragment of %d bytes left", p.length)
		}
	}
}
