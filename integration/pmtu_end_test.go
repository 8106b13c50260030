//go:build linux

package integration

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestPmtuInterrupted ends a search that still waits: it tells what it knows.
func TestPmtuInterrupted(t *testing.T) {
	n := network(t, "dark")
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			for s, want := range map[unix.Signal]int{unix.SIGINT: 130, unix.SIGTERM: 143} {
				r := begin(t, n.Client, u.user, "pmtu", "--json", "-n", "--wait", "30", n.Addr("dark", false).String())
				r.untilLine(`"event":"start"`)
				r.signal(s)
				text, code := r.rest()
				lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
				var sum pmtuSummary
				labtest.OK(t, json.Unmarshal([]byte(lines[len(lines)-1]), &sum))
				if code != want || sum.Event != "summary" || !sum.Interrupted || sum.PMTU != nil || r.stderr.Len() != 0 {
					t.Errorf("%v: got exit code %d, summary %+v and stderr %q, want %d, interrupted, no path MTU",
						s, code, sum, r.stderr.String(), want)
				}
			}
			r := begin(t, n.Client, u.user, "pmtu", "-n", "--wait", "30", n.Addr("dark", true).String())
			r.untilLine("path MTU to 2001:db8:2::10")
			r.signal(unix.SIGINT)
			if text, code := r.rest(); code != 130 || text == "" {
				t.Errorf("got exit code %d and %q, want 130 and what is known", code, text)
			}
		})
	}
}

// TestPmtuClosedOutput closes the reader's end while probes still come.
func TestPmtuClosedOutput(t *testing.T) {
	n := network(t, "mtu-steps")
	for _, u := range users {
		r := begin(t, n.Client, u.user, "pmtu", "--json", "-n", "--rate", "20", n.Addr("server", false).String())
		r.untilLine(`"event":"probe"`)
		labtest.OK(t, r.pipe.Close())
		if code := exitCode(t, r.cmd.Wait()); code > 1 || r.stderr.Len() != 0 {
			t.Errorf("%s: got exit code %d and stderr %q, want a quiet end", u.name, code, r.stderr.String())
		}
	}
}

// TestPmtuNotPermitted searches as somebody who may open neither kind of ICMP
// socket: datagrams do without.
func TestPmtuNotPermitted(t *testing.T) {
	for _, p := range []path{steps(false), {"black-hole", []int{1500, 1500, 1400, 1500}, false}} {
		both(t, func(t *testing.T, v6 bool) {
			p.v6 = v6
			n := labtest.Build(t, p.topology)
			c, server := tap(t, n), n.Addr("server", v6)
			d := command(t, n.Client, lab.Ordinary, "pmtu", "--method", "icmp", server.String())
			if d.code != 2 || d.stdout != "" || len(searchWire(t, c, server).probes) != 0 {
				t.Errorf("got exit code %d and output %q, want 2, none, and nothing sent", d.code, d.stdout)
			}
			for _, want := range []string{"icmpx: error: ", "icmpx: hint: ", "setcap cap_net_raw", "net.ipv4.ping_group_range"} {
				if !strings.Contains(d.stderr, want) {
					t.Errorf("stderr does not say %q", want)
				}
			}
			for _, method := range []string{"auto", "udp"} {
				s := search(t, n.Client, lab.Ordinary, "--method", method, server.String())
				s.leastly(t, p.truth(n))
				for _, w := range searchWire(t, c, server).probes {
					if w.flow.proto != unix.IPPROTO_UDP {
						t.Errorf("protocol %d on the wire", w.flow.proto)
					}
				}
			}
		})
	}
}

// TestPmtuDropsPrivileges looks at every thread of a search that is under way.
func TestPmtuDropsPrivileges(t *testing.T) {
	n := network(t, "dark")
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			r := begin(t, n.Client, u.user, "pmtu", "--json", "-n", "--wait", "30", n.Addr("dark", false).String())
			r.untilLine(`"event":"start"`)
			checkDropped(t, r.cmd.Process.Pid, u.user)
			r.signal(unix.SIGTERM)
			if _, code := r.rest(); code != 143 {
				t.Errorf("got exit code %d, want 143", code)
			}
		})
	}
}

// TestPmtuBadUse makes every mistake: an error, what would do, and not one packet.
func TestPmtuBadUse(t *testing.T) {
	n := network(t, "pair")
	c := tap(t, n)
	server, server6 := n.Addr("server", false).String(), n.Addr("server", true).String()
	tests := [][]string{
		{},
		{server, server},
		{"no-such-host.invalid"},
		{"-6", server},
		{"-4", server6},
		{"-4", "-6", server},
		{"--min", "1400", "--max", "1300", server},
		{"--min", "67", server},
		{"--min", "1279", server6},
		{"--max", "1279", server6},
		{"--max", "1501", server},
		{"--max", "1501", server6},
		{"--min", "1501", server},
		{"--min", "x", server},
		{"--method", "sctp", server},
		{"--method", "icmp", "-p", "80", server},
		{"-p0", server},
		{"-p65536", server},
		{"--max-packets", "9", server},
		{"--max-packets", "10001", server},
		{"--rate", "0", server},
		{"--wait", "0", server},
		{"--timeout", "0", server},
		{"-m0", server},
		{"-m256", server},
		{"-t256", server},
		{"-s", "192.0.2.99", server},
		{"-s", "2001:db8:1::10", server},
		{"-I", "nosuch0", server},
		{"224.0.0.1"},
		{"ff02::1%eth0"},
		{"--no-such-flag", server},
		{"-b", server},
	}
	shape := regexp.MustCompile(`\Aicmpx: error: .+\n(icmpx: hint: .+\n)*\z`)
	for _, args := range tests {
		for _, u := range users {
			d := command(t, n.Client, u.user, append([]string{"pmtu"}, args...)...)
			if d.code != 2 || d.stdout != "" || !shape.MatchString(d.stderr) {
				t.Errorf("pmtu %v as %s: got exit code %d, output %q and stderr %q, want 2, none and an error",
					args, u.name, d.code, d.stdout, d.stderr)
			}
			if w := sent(t, c, n.Addr("server", false)); len(w.probes)+w.other != 0 {
				t.Errorf("pmtu %v as %s: %d packets left", args, u.name, len(w.probes)+w.other)
			}
		}
	}
}
