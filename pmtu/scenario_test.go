package pmtu_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/pmtu"
)

var update = flag.Bool("update", false, "write what came out to the want files")

// scenarios are the networks of testdata. Each want file holds all that is to
// come out, the numbers of rounds and probes and the time among it.
var scenarios = []struct {
	net  string
	name string // of the want file, if it is not the network's
	opts pmtu.Options
}{
	{net: "clear", opts: link(1500)},
	{net: "clear", name: "clear-icmp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.ICMP}},
	{net: "clear", name: "clear-udp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.UDP}},
	{net: "clear", name: "clear-tcp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.TCP}},
	{net: "clear", name: "clear-route", opts: pmtu.Options{LinkMTU: 1500, RouteMTU: 1400}},
	{net: "clear", name: "clear-max", opts: pmtu.Options{LinkMTU: 1500, Max: 1300}},
	{net: "clear", name: "clear-min", opts: pmtu.Options{LinkMTU: 1500, Min: 1400}},
	{net: "clear", name: "clear-hops", opts: pmtu.Options{LinkMTU: 1500, Hops: true}},
	{net: "clear6", opts: link(1500)},
	{net: "steps", opts: link(1500)},
	{net: "steps", name: "steps-udp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.UDP}},
	{net: "steps", name: "steps-tcp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.TCP}},
	{net: "steps", name: "steps-hops", opts: pmtu.Options{LinkMTU: 1500, Hops: true}},
	{net: "steps", name: "steps-ladder", opts: pmtu.Options{LinkMTU: 1500, LadderOnly: true}},
	{net: "steps6", opts: link(1500)},
	{net: "odd", opts: link(1500)},
	{net: "odd", name: "odd-ladder", opts: pmtu.Options{LinkMTU: 1500, LadderOnly: true}},
	{net: "odd", name: "odd-min", opts: pmtu.Options{LinkMTU: 1500, Min: 1400}},
	{net: "far", opts: link(1500)},
	{net: "hole", opts: link(1500)},
	{net: "true", opts: link(1500)},
	{net: "true", name: "true-icmp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.ICMP}},
	{net: "true", name: "true-udp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.UDP}},
	{net: "true", name: "true-hops", opts: pmtu.Options{LinkMTU: 1500, Hops: true}},
	{net: "true-odd", opts: link(1500)},
	{net: "true-odd", name: "true-few", opts: pmtu.Options{LinkMTU: 1500, MaxPackets: 20}},
	{net: "true-odd", name: "true-late", opts: pmtu.Options{LinkMTU: 1500, Timeout: 60 * ms}},
	{net: "hole6", opts: link(1500)},
	{net: "hole-last", opts: link(1500)},
	{net: "hole-last", name: "hole-last-icmp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.ICMP}},
	{net: "hole-above", opts: link(1500)},
	{net: "hole-silent", opts: link(1500)},
	{net: "long-hole", opts: link(1500)},
	{net: "zero", opts: link(1500)},
	{net: "claim-low", opts: link(1500)},
	{net: "claim-high", opts: link(1500)},
	{net: "claim-absurd", opts: link(1500)},
	{net: "claim6", opts: link(1500)},
	{net: "below6", opts: link(1500)},
	{net: "short-quotes", opts: link(1500)},
	{net: "no-ttl", opts: link(1500)},
	{net: "way-back", opts: link(1500)},
	{net: "both-ways", opts: link(1500)},
	{net: "local", opts: link(1500)},
	{net: "local", name: "local-unknown"},
	{net: "jumbo", opts: link(9000)},
	{net: "jumbo", name: "jumbo-unknown"},
	{net: "jumbo-hole", opts: link(9216)},
	{net: "loopback", opts: link(65536)},
	{net: "loopback6"},
	{net: "small-pings", opts: link(1500)},
	{net: "limited", opts: link(1500)},
	{net: "limited", name: "limited-udp", opts: pmtu.Options{LinkMTU: 1500, Method: pmtu.UDP}},
	{net: "limited-signalled", opts: link(1500)},
	{net: "dead", opts: link(1500)},
	{net: "dead-said", opts: link(1500)},
	{net: "dead-clear", opts: link(1500)},
	{net: "dark", opts: link(1500)},
	{net: "refused", opts: link(1500)},
	{net: "balanced", opts: link(1500)},
	{net: "balanced-hole", opts: link(1500)},
	{net: "mixed", opts: link(1500)},
	{net: "mixed-hole", opts: link(1500)},
	{net: "lossy", opts: link(1500)},
	{net: "lossy-clear", opts: link(1500)},
	{net: "slow", opts: link(1500)},
	{net: "jitter", opts: link(1500)},
}

func link(mtu int) pmtu.Options { return pmtu.Options{LinkMTU: mtu} }

func TestScenarios(t *testing.T) {
	used := map[string]bool{}
	for _, sc := range scenarios {
		name := sc.name
		if name == "" {
			name = sc.net
		}
		if used[name+".want"] {
			t.Fatalf("two scenarios are called %s", name)
		}
		used[name+".want"], used[sc.net+".net"] = true, true
		t.Run(name, func(t *testing.T) {
			s := discover(t, load(t, sc.net), sc.opts)
			if s.err != nil {
				t.Fatal(s.err)
			}
			s.check(t)
			compare(t, filepath.Join("testdata", name+".want"), text(&s.result))
		})
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !used[filepath.Base(f)] {
			t.Errorf("%s belongs to no scenario", f)
		}
	}
}

// compare holds what came out against a want file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(b), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(want) || line != want[i] {
			t.Errorf("line %d: got %q, want %q", i+1, line, append(want, "nothing")[min(i, len(want))])
		}
	}
	if n := strings.Count(got, "\n") + 1; n < len(want) {
		t.Errorf("missing: %q", slices.Clone(want[n:]))
	}
}

// text writes a result as the want files have it.
func text(r *pmtu.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: path MTU %d (%d to %d), %v, %v; %d probes of %d bytes in %d rounds, %v\n",
		r.Method, r.PMTU, r.AtLeast, r.AtMost, r.Verdict, r.Direction, r.Sent, r.Bytes, r.Rounds, r.Duration)
	for _, l := range r.Limits {
		fmt.Fprintf(&b, "limit %d at %v", l.MTU, l.Place)
		if l.TTL != 0 {
			fmt.Fprintf(&b, " %d", l.TTL)
		}
		if l.From.IsValid() {
			fmt.Fprintf(&b, " %v", l.From)
		}
		fmt.Fprintf(&b, ", signalled %v, tested %v\n", l.Signalled, l.Tested)
	}
	if h := r.BlackHole; h != nil {
		fmt.Fprintf(&b, "black hole of %d from %d %v to %d %v\n", h.MTU, h.AfterTTL, h.After, h.BeforeTTL, h.Before)
	}
	if r.ReturnMTU != 0 {
		fmt.Fprintf(&b, "return %d\n", r.ReturnMTU)
	}
	if r.Forged+r.Strays > 0 {
		fmt.Fprintf(&b, "%d forged, %d strays\n", r.Forged, r.Strays)
	}
	for _, h := range r.Hops {
		fmt.Fprintf(&b, "%2d  %v  %v  %d  end %v\n", h.TTL, h.From, h.RTT, h.MTU, h.End)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%v %v %d: %s\n", f.Severity, f.Code, f.Hop, f.Text)
	}
	return b.String()
}
