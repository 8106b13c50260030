//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/labtest"
)

// A habit is one command line of iputils' ping, and what that printed.
type habit struct {
	name, args, stdout string
	code               int
}

// habits reads the captured outputs of iputils' ping.
func habits(t *testing.T) []habit {
	t.Helper()
	files, err := filepath.Glob("testdata/iputils/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var all []habit
	for _, f := range files {
		b, err := os.ReadFile(f)
		labtest.OK(t, err)
		first, rest, _ := strings.Cut(string(b), "\n")
		out, last, ok := strings.Cut(rest, "\nexit ")
		code, err := strconv.Atoi(strings.TrimSpace(last))
		if args, found := strings.CutPrefix(first, "$ ping "); found && ok && err == nil {
			all = append(all, habit{strings.TrimSuffix(filepath.Base(f), ".txt"), args, out + "\n", code})
			continue
		}
		t.Fatalf("%s is no capture", f)
	}
	return all
}

// varying is what differs from run to run of the same program.
var varying = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`(?m)^\[\d+\.\d{6}\]`), "[TIME]"},
	{regexp.MustCompile(`time=\d+(\.\d+)? ms`), "time=RTT"},
	{regexp.MustCompile(`, time \d+ms`), ", time MS"},
	{regexp.MustCompile(`= \d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3} ms`), "= RTTS"},
	{regexp.MustCompile(`ipg/ewma \d+\.\d{3}/\d+\.\d{3} ms`), "ipg/ewma RTTS"},
	{regexp.MustCompile(`(?m)^[.\x08 ]+$`), "DOTS"}, // a flood may have several probes under way
	{regexp.MustCompile(`pipe \d+, ipg`), "ipg"},
	{regexp.MustCompile(`\t\d+ absolute`), "\tCLOCK absolute"},
	{regexp.MustCompile(`(?m)\t-?\d+$`), "\tCLOCK"},
}

// still takes out what varies.
func still(out string) string {
	for _, v := range varying {
		out = v.find.ReplaceAllString(out, v.put)
	}
	return out
}

// differences are what icmpx does otherwise, on purpose: its timestamp options
// are as long as they have to be.
var differences = strings.NewReplacer("56(120)", "56(124)", "56(104)", "56(124)")

// TestPingAsIputils runs what scripts run, as root and as an ordinary user, and
// compares all that they could read.
func TestPingAsIputils(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			n := labtest.Build(t, "chain")
			labtest.OK(t, n.Client.AllowPing())
			for _, h := range habits(t) {
				if h.name == "flood" && u.socket == "datagram" {
					continue // users may not
				}
				t.Run(h.name, func(t *testing.T) {
					d := ping(t, n.Client, u.user, strings.Fields(h.args)...)
					want := still(h.stdout)
					if got := differences.Replace(still(d.stdout)); got != want || d.code != h.code {
						t.Errorf("exit code %d, want %d; standard output:\n%swant:\n%s", d.code, h.code, got, want)
					}
				})
			}
		})
	}
}

// TestPingExpressions feeds both outputs to the expressions that scripts and
// monitoring systems cut results out with: they find the same things in both.
func TestPingExpressions(t *testing.T) {
	expressions := []*regexp.Regexp{
		regexp.MustCompile(`(\d+) packets transmitted, (\d+) (?:packets )?received`),
		regexp.MustCompile(`(\d+(?:\.\d+)?)% packet loss`),
		regexp.MustCompile(`\+(\d+) errors`),
		regexp.MustCompile(`(\d+) bytes from ([^:]+): icmp_seq=(\d+) ttl=(\d+)`),
		regexp.MustCompile(`(?m)^From (\S+) icmp_seq=(\d+) (.*)$`),
		regexp.MustCompile(`time=\d+(?:\.\d+)? ?(ms)`),
		regexp.MustCompile(`(?:rtt|round-trip) (min/avg/max/(?:mdev|stddev)) = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms`),
		regexp.MustCompile(`(?m)^--- (\S+) ping statistics ---$`),
		regexp.MustCompile(`(?m)^PING (\S+?) ?\(([^)]+)\)`),
		regexp.MustCompile(`no answer yet for icmp_seq=(\d+)`),
	}
	n := labtest.Build(t, "chain")
	found := make([]int, len(expressions))
	for _, h := range habits(t) {
		d := ping(t, n.Client, 0, strings.Fields(h.args)...)
		for i, e := range expressions {
			want, got := e.FindAllStringSubmatch(h.stdout, -1), e.FindAllStringSubmatch(d.stdout, -1)
			if found[i] += len(want); !sameGroups(want, got) {
				t.Errorf("%s: %v finds %q, in the other output %q", h.args, e, got, want)
			}
		}
	}
	for i, e := range expressions {
		if found[i] == 0 {
			t.Errorf("%v finds nothing anywhere", e)
		}
	}
}

// sameGroups compares what expressions found, but not what varies around it.
func sameGroups(a, b [][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if strings.Join(a[i][1:], "\x00") != strings.Join(b[i][1:], "\x00") {
			return false
		}
	}
	return true
}
