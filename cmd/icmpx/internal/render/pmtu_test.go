package render

import (
	"bytes"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe"
)

var (
	pmtuHost4 = PmtuHost{
		Name: "a.example", Addr: netip.MustParseAddr("203.0.113.9"), Method: pmtu.Auto, Port: 33434,
		Socket: icmpx.ModeRaw, LinkMTU: 1500, RouteMTU: 1400,
	}
	pmtuHost6 = PmtuHost{
		Name: "b\x1b.example", Addr: netip.MustParseAddr("fe80::1%eth0"), Method: pmtu.ICMP, Socket: icmpx.ModeDatagram,
	}
	pmtuRouter1 = netip.MustParseAddr("198.51.100.1")
	pmtuRouter2 = netip.MustParseAddr("198.51.100.2")
)

func pmtuNames(a netip.Addr) string {
	return map[netip.Addr]string{pmtuRouter1: "r1.example", pmtuRouter2: "r\x1b2.example"}[a]
}

// A pmtuEnd is a result and what it shows.
type pmtuEnd struct {
	about string
	res   pmtu.Result
}

// pmtuResults has every verdict, place and direction.
func pmtuResults() []pmtuEnd {
	dst := pmtuHost4.Addr
	hole := pmtu.Result{
		Dst: dst, Method: pmtu.Auto, Port: 33434, PMTU: 1400, AtLeast: 1400, AtMost: 1400,
		Verdict: pmtu.BlackHoled, Direction: pmtu.Both, ReturnMTU: 1380, TCPMSS: 1360, LinkMTU: 1500,
		Limits: []pmtu.Limit{
			{Place: pmtu.Interface, MTU: 1500, Signalled: true, Tested: true},
			{Place: pmtu.Route, MTU: 1480, Signalled: true},
			{TTL: 1, From: pmtuRouter1, MTU: 1450, Signalled: true, Claim: 1450, Tested: true},
			{TTL: 1, From: pmtuRouter1, MTU: 1448, Signalled: true, Claim: 1300, Tested: true},
			{TTL: 2, From: pmtuRouter2, MTU: 1440, Signalled: true, Tested: true},
			{TTL: 2, From: pmtuRouter2, MTU: 1430, Signalled: true, Claim: 1430},
			{TTL: 3, MTU: 1420, Signalled: true},
			{MTU: 1400, Tested: true},
		},
		BlackHole: &pmtu.BlackHole{MTU: 1400, AfterTTL: 2, After: pmtuRouter2, BeforeTTL: 4, Before: dst},
		Hops: []pmtu.Hop{
			{TTL: 1, From: pmtuRouter1, RTT: 1017 * time.Microsecond, MTU: 1500}, {TTL: 2},
			{TTL: 3, From: dst, RTT: 4 * time.Millisecond, MTU: 1400, End: true},
		},
		Findings: []pmtu.Finding{
			{Code: pmtu.CodeBlackHole, Severity: pmtu.Fault, Hop: 2, Text: "packets above 1400 bytes vanish", Evidence: []pmtu.Fact{
				{Name: "mtu", Value: 1400}, {Name: "after", Value: pmtuRouter2}, {Name: "sure", Value: true}, {Name: "why", Value: "\x1b"}, {Name: "odd", Value: 1.5},
			}},
			{Code: pmtu.CodeMSS, Text: "clamp \x1b[31m to 1360"},
		},
		Sent: 40, Bytes: 51200, Rounds: 6, Forged: 2, Strays: 1, Duration: 1234 * time.Millisecond,
	}
	plain := func(v pmtu.Verdict, d pmtu.Direction, size, low, high int) pmtu.Result {
		return pmtu.Result{Dst: dst, Method: pmtu.ICMP, PMTU: size, AtLeast: low, AtMost: high, Verdict: v, Direction: d, Sent: 1, Rounds: 1}
	}
	interrupted := plain(pmtu.Unsure, pmtu.Unknown, 0, 0, 1499)
	interrupted.Interrupted = true
	half := plain(pmtu.BlackHoled, pmtu.Return, 0, 1280, 1400)
	half.BlackHole = &pmtu.BlackHole{MTU: 1280}
	return []pmtuEnd{
		{"a black hole, and all places", hole},
		{"clear", plain(pmtu.Clear, pmtu.Unknown, 1500, 1500, 1500)},
		{"local", plain(pmtu.Local, pmtu.Forward, 1400, 1400, 1400)},
		{"signalled", plain(pmtu.Signalled, pmtu.Forward, 1400, 1400, 1400)},
		{"unsure", plain(pmtu.Unsure, pmtu.Return, 0, 1280, 1399)},
		{"unsure, no upper bound", plain(pmtu.Unsure, pmtu.Unknown, 0, 1280, 0)},
		{"interrupted", interrupted},
		{"unanswered", plain(pmtu.Unanswered, pmtu.Unknown, 0, 0, 0)},
		{"a hole of unknown size", half},
		{"a verdict that is none", plain(pmtu.Verdict(99), pmtu.Direction(99), 1, 1, 1)},
	}
}

func TestPmtuTextGolden(t *testing.T) {
	tests := []struct {
		file string
		text PmtuText
	}{
		{"pmtu.golden", PmtuText{Name: pmtuNames}},
		{"pmtu-numeric.golden", PmtuText{Numeric: true, Name: pmtuNames}},
		{"pmtu-verbose.golden", PmtuText{Verbose: true}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b := tt.text.AppendStart(tt.text.AppendStart(nil, &pmtuHost4), &pmtuHost6)
			for _, end := range pmtuResults() {
				b = append(b, "# "+end.about+"\n"...)
				b = tt.text.AppendSummary(b, &pmtuHost4, &end.res)
			}
			b = append(b, "# status\n"...)
			for _, p := range []PmtuProgress{{}, {Round: 2, Probes: 1, AtMost: 1500}, {Round: 3, Probes: 9, AtLeast: 1280, AtMost: 1400}} {
				b = append(b, bytes.ReplaceAll(tt.text.AppendStatus(nil, &pmtuHost4, &p), []byte("\r"), nil)...)
			}
			golden(t, tt.file, b)
		})
	}
}

// pmtuLines renders every start, probe and end.
func pmtuLines() []byte {
	var j PmtuJSON
	b := j.AppendStart(j.AppendStart(nil, &pmtuHost4, t0), &pmtuHost6, t0)
	for _, p := range []pmtu.Probe{
		{Method: pmtu.ICMP, Size: 1500, Fate: probe.Lost, Sent: t0},
		{Method: pmtu.UDP, Size: 1500, TTL: 3, Path: 1, Fate: probe.Answered, From: pmtuRouter1, Kind: icmpx.KindTooBig, MTU: 1400, RTT: time.Millisecond, Sent: t0},
		{Method: pmtu.ICMP, Size: 1400, Fate: probe.Extra, From: pmtuHost4.Addr, Kind: icmpx.KindEchoReply, Frag: 1380, RTT: time.Millisecond, Sent: t0},
		{Method: pmtu.TCP, Size: 1400, Fate: probe.Failed, Err: syscall.EPERM},
		{Method: pmtu.TCP, Size: 1400, Fate: probe.Canceled, Sent: t0},
	} {
		b = j.AppendProbe(b, &p)
	}
	for _, end := range pmtuResults() {
		b = j.AppendSummary(b, &pmtuHost4, &end.res)
	}
	return b
}

func TestPmtuJSONGolden(t *testing.T) {
	golden(t, "pmtu-json.golden", pmtuLines())
}

func TestPmtuAddresses(t *testing.T) {
	var text PmtuText
	got := text.Addresses(&pmtuResults()[0].res)
	want := []netip.Addr{pmtuRouter1, pmtuHost4.Addr, pmtuRouter2}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestPmtuCodesDocumented holds docs/json.md against the codes of findings.
func TestPmtuCodesDocumented(t *testing.T) {
	source, err := os.ReadFile("../../../../pmtu/finding.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := bytes.Cut(doc, []byte("\n## pmtu\n"))
	codes := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"$`).FindAllSubmatch(source, -1)
	if len(codes) < 20 {
		t.Fatalf("found %d codes", len(codes))
	}
	for _, code := range codes {
		if row := "\n| `" + string(code[1]) + "` | "; !bytes.Contains(section, []byte(row)) {
			t.Errorf("docs/json.md does not explain %s", code[1])
		}
	}
}
