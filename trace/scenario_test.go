package trace_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/trace"
)

var update = flag.Bool("update", false, "write what came out to the want files")

// scenarios are the networks of testdata. Each is traced with the options, must
// take exactly that long and send exactly so many probes, and must yield the
// rows and findings of its want file. An empty took leaves the time to the file.
var scenarios = []struct {
	net  string
	name string // of the want file, if it is not the network's
	opts trace.Options
	took time.Duration
	sent int
}{
	// The longest RTT and two rounds more; probes beyond the end are counted.
	{net: "clean", took: 80*ms + 2*10*ms, sent: 3 * 32},
	{net: "clean", name: "clean-one", opts: trace.Options{Queries: 1}, took: 80 * ms, sent: 32},
	{net: "clean", name: "clean-icmp", opts: trace.Options{Method: trace.ICMP}, took: 100 * ms, sent: 96},
	{net: "clean", name: "clean-tcp", opts: trace.Options{Method: trace.TCP}, took: 100 * ms, sent: 96},
	{net: "clean", name: "clean-part", opts: trace.Options{FirstTTL: 5, MaxTTL: 9}, took: 45*ms + 2*10*ms, sent: 3 * 5},
	{net: "thirty", opts: trace.Options{Queries: 1}, took: 155 * ms, sent: 32},
	{net: "thirty", name: "thirty-tens", opts: trace.Options{Queries: 10}, took: 155*ms + 9*10*ms, sent: 10 * 32},
	{net: "six", took: 24*ms + 2*10*ms, sent: 96},
	{net: "six", name: "six-icmp", opts: trace.Options{Method: trace.ICMP}, took: 44 * ms, sent: 96},
	// The end has spoken before the second round.
	{net: "near", took: 3*ms + 2*10*ms, sent: 32 + 2},
	// 32 answers after 64 ms and moves the window on.
	{net: "long", took: 64*ms + 82*ms + 2*10*ms, sent: 3 * 48},
	{net: "long", name: "long-icmp-one", opts: trace.Options{Method: trace.ICMP, Queries: 1}, took: 146 * ms, sent: 48},
	// The edge is silent: after a dark end's wait the window moves, the silent are
	// asked again, and the destination its last question, all in one moment.
	{net: "long-silent", took: 270*ms + 82*ms + 20*ms, sent: 3*48 + 2*3 + 3},

	// Silence adds the wait of what is asked again, together, to the clean time:
	// one and a half times the neighbour's RTT of 45 ms.
	{net: "silent", took: 100*ms + 67500*time.Microsecond, sent: 96 + 3},
	{net: "silent", name: "silent-one", opts: trace.Options{Queries: 1}, took: 80*ms + 67500*time.Microsecond, sent: 32 + 1},
	{net: "silent", name: "silent-max", opts: trace.Options{Queries: 1, Wait: trace.Wait{Max: 200 * ms, Near: -1, Here: -1}}, took: 400 * ms, sent: 32 + 1},
	{net: "silent", name: "silent-near", opts: trace.Options{Queries: 1, Wait: trace.Wait{Near: 10}}, took: 900 * ms, sent: 32 + 1},
	// Hop 14 is overdue 1.5 times 75 ms after its last probe, and again.
	{net: "silent-many", took: 20*ms + 2*112500*time.Microsecond, sent: 96 + 4*3},
	// Two waits of three times the largest RTT, at least 250 ms; then the last
	// questions, of ICMP and of TCP to two ports.
	{net: "dead", took: 20*ms + 2*250*ms, sent: 96 + 16*3 + 3},
	{net: "dead", name: "dead-icmp", opts: trace.Options{Method: trace.ICMP, Queries: 1}, took: 2 * 250 * ms, sent: 32 + 16 + 3},
	{net: "dead", name: "dead-no-question", opts: trace.Options{Queries: 1, LastQuestion: []trace.Method{}}, took: 2 * 250 * ms, sent: 32 + 16},
	{net: "dead", name: "dead-here", opts: trace.Options{Queries: 1, Wait: trace.Wait{Here: 5}}, took: 2 * 400 * ms, sent: 32 + 16 + 3},
	// Nothing is known: a second twice, and nothing is asked again.
	{net: "deaf", took: 20*ms + 2*time.Second, sent: 96 + 3},

	// Three probes stay below every limit; those beyond the end fill its row.
	{net: "limited", took: 20*ms + 50*ms, sent: 96},
	// Ten do not: each router is asked once more, a second after the last.
	{net: "limited", name: "limited-ten", opts: trace.Options{Queries: 10}},
	// Their buckets refill during the run.
	{net: "limited", name: "limited-slow", opts: trace.Options{Queries: 20, SendWait: 20 * ms}},
	{net: "limited", name: "limited-slower", opts: trace.Options{Queries: 30, SendWait: 60 * ms}},
	{net: "limited-six", opts: trace.Options{Queries: 20}},
	{net: "limited-six", name: "limited-six-hundred", opts: trace.Options{Queries: 100}},
	{net: "limited-two"},
	{net: "limited-fast"},
	{net: "lossy", opts: trace.Options{Method: trace.ICMP, Queries: 5}},
	{net: "lossy", name: "lossy-twenty", opts: trace.Options{Queries: 20}},
	{net: "reordered", opts: trace.Options{Method: trace.ICMP}},

	{net: "diamond", took: 24*ms + 20*ms, sent: 96},
	{net: "diamond-classic", opts: trace.Options{Method: trace.UDPClassic}, took: 44 * ms, sent: 96},
	{net: "perpacket", took: 44 * ms, sent: 96},
	{net: "nat-source", took: 44 * ms, sent: 96},
	{net: "nat-source", name: "nat-source-icmp", opts: trace.Options{Method: trace.ICMP}, took: 44 * ms, sent: 96},
	{net: "nat-destination", took: 44 * ms, sent: 96},
	// A loop does not move the window on, and asks no last question.
	{net: "loop", took: 96*ms + 20*ms, sent: 96},
	{net: "labels", took: 44 * ms, sent: 96},
	{net: "remark", opts: trace.Options{TOS: 0xb8}, took: 48 * ms, sent: 96},
	{net: "way-back", took: 48 * ms, sent: 96},
	{net: "private", took: 44 * ms, sent: 96},

	{net: "mtu", opts: trace.Options{MTU: true, Size: 1500}},
	{net: "mtu", name: "mtu-refused", opts: trace.Options{DF: 2, Size: 1500}},
	{net: "mtu-unsaid", opts: trace.Options{MTU: true, Size: 1500}},
	{net: "open", opts: trace.Options{Method: trace.UDPFixed}, took: 44 * ms, sent: 96},
	{net: "open", name: "open-tcp", opts: trace.Options{Method: trace.TCP, Port: 443}, took: 44 * ms, sent: 96},
	{net: "alias", took: 44 * ms, sent: 96},
	{net: "firewall"},
	{net: "no-route"},
	{net: "forged", opts: trace.Options{Method: trace.ICMP}, took: 44 * ms, sent: 96},
	// Echo replies from elsewhere are strays: nothing is behind hop 5.
	{net: "strays", opts: trace.Options{Method: trace.ICMP}},
}

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
			s := run(t, load(t, sc.net), sc.opts)
			if s.err != nil {
				t.Fatal(s.err)
			}
			if sc.took != 0 && s.result.Duration != sc.took {
				t.Errorf("took %v, want %v", s.result.Duration, sc.took)
			}
			if sc.sent != 0 && s.result.Sent != sc.sent {
				t.Errorf("sent %d probes, want %d", s.result.Sent, sc.sent)
			}
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
