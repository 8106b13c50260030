//go:build linux

package integration

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/labtest"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

// icmpxLab prepares the other binary. It builds its own network.
func icmpxLab(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), binary(t, "icmpx-lab"), args...)
}

func TestLabCommand(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		code   int
		stdout string // part of it
		stderr string // part of it
	}{
		{"help", []string{"--help"}, 0, "usage: icmpx-lab", ""},
		{"list", []string{"list"}, 0, "198.51.100.201", ""},
		{"MTUs", []string{"jumbo:9216,1400", "--", "cat", "/proc/sys/net/ipv6/conf/eth0/mtu"}, 0, "9216\n", ""},
		{"exit code", []string{"pair", "--", "sh", "-c", "exit 7"}, 7, "", ""},
		{"death by signal", []string{"pair", "--", "sh", "-c", "kill -KILL $$"}, 137, "", ""},
		{"hosts", []string{"chain", "--", "cat", "/etc/hosts"}, 0, "203.0.113.10\tserver\n", ""},
		{"rootless", []string{"--rootless", "chain", "--", "id", "-u"}, 0, "0\n", ""},
		{"user", []string{"--user", "chain", "--", "sh", "-c", "grep CapEff /proc/self/status"}, 0, "CapEff:\t0000000000000000", ""},
		{"flags of the command", []string{"pair", "--", "echo", "--user", "--"}, 0, "--user --\n", ""},
		{"no such command", []string{"pair", "--", "no-such-command"}, 127, "", "icmpx-lab: error: "},
		{"no command", []string{"pair", "--", "/dev/null"}, 126, "", "icmpx-lab: error: "},
		{"no topology", nil, 2, "", "no topology"},
		{"unknown topology", []string{"pear"}, 2, "", `unknown topology "pear"`},
		{"unknown flag", []string{"-x", "pair"}, 2, "", "unknown flag -x"},
		{"command without --", []string{"pair", "ls"}, 2, "", "follows --"},
		{"nothing after --", []string{"pair", "--"}, 2, "", "no command"},
		{"demo without a binary", []string{"demo", "/nonexistent"}, 1, "", "icmpx-lab: error: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			cmd := icmpxLab(t, tt.args...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if code := exitCode(t, cmd.Run()); code != tt.code {
				t.Errorf("got exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(stdout.String(), tt.stdout) || (tt.stdout == "" && stdout.Len() > 0) {
				t.Errorf("got stdout %q, want %q in it", stdout.String(), tt.stdout)
			}
			if !strings.Contains(stderr.String(), tt.stderr) || (tt.stderr == "" && stderr.Len() > 0) {
				t.Errorf("got stderr %q, want %q in it", stderr.String(), tt.stderr)
			}
		})
	}
}

// TestLabCommandSignal interrupts the lab: its command gets the signal, once,
// and decides how the lab ends.
func TestLabCommandSignal(t *testing.T) {
	for _, flag := range []string{"--user", "--rootless"} {
		cmd := icmpxLab(t, flag, "pair", "--", "sh", "-c", "trap 'echo got; exit 5' INT; echo ready; while :; do sleep 0.01; done")
		stdout, err := cmd.StdoutPipe()
		labtest.OK(t, err)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
		labtest.OK(t, cmd.Start())
		out := bufio.NewReader(stdout)
		if line, err := out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("got %q and %v, want ready", line, err)
		}
		labtest.OK(t, cmd.Process.Signal(unix.SIGINT))
		rest, err := io.ReadAll(out)
		labtest.OK(t, err)
		if code := exitCode(t, cmd.Wait()); code != 5 || string(rest) != "got\n" {
			t.Errorf("%s: got exit code %d and %q, want 5 and got", flag, code, rest)
		}
	}
}

// TestLabForbidden runs the lab where neither way is allowed: in a user namespace
// that may have no further namespaces. It says so in a line.
func TestLabForbidden(t *testing.T) {
	const forbid = "for n in user net; do echo 0 > /proc/sys/user/max_${n}_namespaces || exit 9; done; "
	for _, flag := range []string{"", "--rootless"} {
		var stderr strings.Builder
		inner := forbid + binary(t, "icmpx-lab") + " " + flag + " pair -- true"
		cmd := icmpxLab(t, "--rootless", "pair", "--", "sh", "-c", inner)
		cmd.Stderr = &stderr
		code := exitCode(t, cmd.Run())
		text := stderr.String()
		if code != 1 || strings.Count(text, "\n") != 1 ||
			!strings.Contains(text, "user.max_user_namespaces is 0; run: sysctl -w user.max_user_namespaces=15000") {
			t.Errorf("%q: got exit code %d and stderr %q", flag, code, text)
		}
	}
}

// TestDemo shows the demonstration to nobody: it checks itself.
func TestDemo(t *testing.T) {
	out, err := icmpxLab(t, "demo", binary(t, "icmpx")).CombinedOutput()
	if code := exitCode(t, err); code != 0 {
		t.Errorf("got exit code %d, want 0:\n%s", code, out)
	}
}
