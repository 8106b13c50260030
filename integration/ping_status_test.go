//go:build linux

package integration

import (
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestPingStatuses holds the exit codes that scripts rely on: what iputils' own
// tests ask of a ping, and what users type by mistake. Only codes, and that an
// error is one clear line, are looked at.
func TestPingStatuses(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.Client.AllowPing())
	good := []string{
		"-c1", "-c5 -i0.1", "-c1 -I lo", "-c1 -w1", "-c1 -W1", "-c1 -W1.1", "-c1 -W 1500ms",
		"-c1 -a", "-c2 -A", "-c1 -B", "-c1 -b", "-c1 -C", "-c1 -d", "-c1 -D", "-c1 -e 0x7b", "-c1 -L", "-c1 -n", "-c1 -H -n", "-c1 -O",
		"-c1 -q", "-c1 -U", "-c1 -v", "-c1 -Q 0x10", "-c1 -Q 16", "-c1 -s 0", "-c1 -s 1000", "-c1 -S 4096", "-c1 -t 1", "-c1 -p ff",
		"-c3 -l 3", "-c1 -M do", "-c1 -M dont", "-c1 -M want", "-c1 -3", "-c1 -r", "-fc2 -i 0.01",
	}
	bad := []string{
		"", "-c1.1", "-c0", "-c1 -I nonexisting", "-w0.1", "-w0,1", "-i 0", "-s 70000", "-c1 -t 256", "-c1 -Q 999", "-M maybe",
		"-c1 -e 99999", "-N name", "-Z", "--", "-c1 nobody.invalid.", "-c1 -p xyz", "-c1 -l 0", "-c1 --payload /nonexistent",
	}
	onlyRoot := []string{"-c1 -e 0", "-c1 -m 1"}
	if lab.Mapped() { // else the ordinary user is root by number, which these go by
		onlyRoot = append(onlyRoot, "-c2 -f", "-c1 -i 0.001", "-c1 -l 4")
	}
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
				for _, args := range good {
					wantCode(t, n, u.user, args+" "+host, 0)
				}
				wantCode(t, n, u.user, host+" -c1", 0)
				wantCode(t, n, u.user, "-c1 -- "+host, 0)
			}
			for _, args := range bad {
				host := " 127.0.0.1"
				if args == "" || args == "--" {
					host = ""
				}
				wantCode(t, n, u.user, args+host, 2)
			}
			for _, args := range onlyRoot {
				code := 0
				if u.user == lab.Ordinary {
					code = 2
				}
				wantCode(t, n, u.user, args+" 127.0.0.1", code)
			}
			for _, args := range []string{"-R 127.0.0.1", "-T tsonly 127.0.0.1", "-T tsandaddr 127.0.0.1", "-T tsprespec 127.0.0.1 127.0.0.1", "-F 0x12 ::1"} {
				wantCode(t, n, u.user, "-c1 "+args, 0)
			}
			wantCode(t, n, u.user, "-c1 -W 0.1 192.0.2.99", 1)
			wantCode(t, n, u.user, "-h", 0)
			wantCode(t, n, u.user, "-V", 0)
		})
	}
}

func wantCode(t *testing.T, n *lab.Network, as lab.User, args string, code int) {
	t.Helper()
	d := ping(t, n.Client, as, strings.Fields(args)...)
	first, rest, _ := strings.Cut(d.stderr, "\n")
	clear := strings.HasPrefix(first, "icmpx: error: ") && (rest == "" || strings.HasPrefix(rest, "icmpx: hint: "))
	if d.code != code || code == 2 && !clear {
		t.Errorf("ping %s: exit code %d, want %d: %s", args, d.code, code, d.stderr)
	}
}
