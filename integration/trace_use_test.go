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

// TestTraceInterrupted ends a trace that still waits: it tells what it knows.
func TestTraceInterrupted(t *testing.T) {
	n := network(t, "dark")
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			for s, want := range map[unix.Signal]int{unix.SIGINT: 130, unix.SIGTERM: 143} {
				r := begin(t, n.Client, u.user, "trace", "--json", "-n", "-w30", n.Addr("dark", false).String())
				r.untilLine(`"event":"hop","ttl":1,`)
				r.signal(s)
				text, code := r.rest()
				lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
				var sum traceSummary
				labtest.OK(t, json.Unmarshal([]byte(lines[len(lines)-1]), &sum))
				if code != want || sum.Event != "summary" || !sum.Interrupted || sum.Reached || sum.Hops != 1 || r.stderr.Len() != 0 {
					t.Errorf("%v: got exit code %d, summary %+v and stderr %q, want %d, interrupted behind hop 1",
						s, code, sum, r.stderr.String(), want)
				}
			}
			r := begin(t, n.Client, u.user, "trace", "-n", "-w30", n.Addr("dark", true).String())
			r.untilLine(" 1  2001:db8:1::1  ")
			r.signal(unix.SIGINT)
			if text, code := r.rest(); code != 130 {
				t.Errorf("got exit code %d and %q, want 130", code, text)
			}
		})
	}
}

// TestTraceClosedOutput closes the reader's end while rows still come.
func TestTraceClosedOutput(t *testing.T) {
	n := network(t, "chain:30")
	for _, flag := range []string{"--json", "-n"} {
		r := begin(t, n.Client, lab.Root, "trace", flag, "-q1", "-z0.02", n.Addr("server", false).String())
		for range 3 {
			if _, err := r.out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		labtest.OK(t, r.pipe.Close())
		if code := exitCode(t, r.cmd.Wait()); code > 1 || r.stderr.Len() != 0 {
			t.Errorf("%s: got exit code %d and stderr %q, want a quiet end", flag, code, r.stderr.String())
		}
	}
}

// TestTraceNotPermitted traces as somebody who may open neither kind of ICMP
// socket. Other methods need none.
func TestTraceNotPermitted(t *testing.T) {
	n := labtest.Build(t, "chain:3")
	c := tap(t, n)
	both(t, func(t *testing.T, v6 bool) {
		server := n.Addr("server", v6)
		d := command(t, n.Client, lab.Ordinary, "trace", "-I", server.String())
		if d.code != 2 || d.stdout != "" || len(sent(t, c, server).probes) != 0 {
			t.Errorf("got exit code %d and output %q, want 2, none, and nothing sent", d.code, d.stdout)
		}
		for _, want := range []string{"icmpx: error: ", "icmpx: hint: ", "setcap cap_net_raw", "net.ipv4.ping_group_range"} {
			if !strings.Contains(d.stderr, want) {
				t.Errorf("stderr does not say %q", want)
			}
		}
		for _, args := range [][]string{{}, {"-T"}} {
			tr := traceroute(t, n.Client, lab.Ordinary, append(args, server.String())...)
			tr.ended(t, true, 4)
		}
	})
}

// TestTraceDropsPrivileges looks at every thread of a trace that is under way.
func TestTraceDropsPrivileges(t *testing.T) {
	n := network(t, "dark")
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			r := begin(t, n.Client, u.user, "trace", "--json", "-n", "-w30", n.Addr("dark", false).String())
			r.untilLine(`"event":"hop","ttl":1,`)
			checkDropped(t, r.cmd.Process.Pid, u.user)
			r.signal(unix.SIGTERM)
			if _, code := r.rest(); code != 143 {
				t.Errorf("got exit code %d, want 143", code)
			}
		})
	}
}

// TestTraceBadUse makes every mistake: an error, what would do, and not one
// packet.
func TestTraceBadUse(t *testing.T) {
	n := network(t, "pair")
	c := tap(t, n)
	server, server6 := n.Addr("server", false).String(), n.Addr("server", true).String()
	long := strings.Repeat("192.0.2.20,", 8) + "192.0.2.20"
	tests := [][]string{
		{},
		{"no-such-host.invalid"},
		{"-6", server},
		{"-4", server6},
		{"-f5", "-m4", server},
		{"-f0", server},
		{"-m0", server},
		{"-m256", server},
		{"-q0", server},
		{"-q101", server},
		{"-N0", server},
		{"-p0", server},
		{"-p65536", server},
		{"-p", "http", server},
		{"--sport", "0", server},
		{"--sport", "65536", server},
		{"-I", "-p80", server},
		{"-I", "-T", server},
		{"-w0", server},
		{"-w", "5,x", server},
		{"-z", "-1", server},
		{"-t256", server},
		{"-l0x100000", server6},
		{"-l5", server},
		{"-g", long, server},
		{"-g", "2001:db8::1", server6},
		{"-s", "192.0.2.99", server},
		{"-s", "2001:db8:1::99", server6},
		{"-s", "2001:db8:1::10", server},
		{"-i", "nosuch0", server},
		{"-F", server, "1501"},
		{"-F", server6, "1501"},
		{server, "65536"},
		{server, "-1"},
		{server, "sixty"},
		{server, "60", "61"},
		{"--resolver", "example", server},
		{"--json", "--dot", server},
		{"--no-such-flag", server},
		{"-D", server},
		{"-UL", server},
		{"-P", "6", server},
		{"-M", "tcp", server},
		{"-O", "ack", server},
		{"-r", server},
		{"-d", server},
	}
	shape := regexp.MustCompile(`\Aicmpx: error: .+\n(icmpx: hint: .+\n)*\z`)
	for _, args := range tests {
		for _, u := range users {
			d := command(t, n.Client, u.user, append([]string{"trace"}, args...)...)
			if d.code != 2 || d.stdout != "" || !shape.MatchString(d.stderr) {
				t.Errorf("trace %v as %s: got exit code %d, output %q and stderr %q, want 2, none and an error",
					args, u.name, d.code, d.stdout, d.stderr)
			}
			if w := sent(t, c, n.Addr("server", false)); len(w.probes)+w.other != 0 {
				t.Errorf("trace %v as %s: %d packets left", args, u.name, len(w.probes)+w.other)
			}
		}
	}
}
