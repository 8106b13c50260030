//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestPingNotPermitted pings as somebody who may open neither kind of socket.
func TestPingNotPermitted(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "pair")
		var seen string // the setting as a program on the host reads it
		labtest.OK(t, n.Client.Do(func() error {
			b, err := os.ReadFile("/proc/sys/net/ipv4/ping_group_range")
			seen = strings.Join(strings.Fields(string(b)), " ")
			return err
		}))
		d := ping(t, n.Client, lab.Ordinary, "-c1", n.Addr("server", v6).String())
		if d.code != 2 || d.stdout != "" {
			t.Errorf("got exit code %d and output %q, want 2 and none", d.code, d.stdout)
		}
		text := strings.Join(strings.Fields(d.stderr), " ")
		for _, want := range []string{
			"icmpx: error: ", "icmpx: hint: ", "setcap cap_net_raw", "net.ipv4.ping_group_range", seen,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("stderr does not say %q", want)
			}
		}
	})
}

// TestPingDropsPrivileges looks at every thread of a ping that is under way.
func TestPingDropsPrivileges(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			n := labtest.Build(t, "pair")
			labtest.OK(t, n.Client.AllowPing())
			r := start(t, n.Client, u.user, "-i0.05", "--json", n.Addr("server", false).String())
			r.until(is("reply"))
			checkDropped(t, r.cmd.Process.Pid, u.user)
			r.signal(unix.SIGINT)
			if _, code := r.end(); code != 0 {
				t.Errorf("got exit code %d, want 0", code)
			}
		})
	}
}

// checkDropped sees that no thread of a process has a privilege, nor can gain
// one.
func checkDropped(t *testing.T, pid int, as lab.User) {
	t.Helper()
	const none = "0000000000000000"
	want := map[string]string{
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1",
	}
	threads := statuses(t, pid)
	if len(threads) == 0 {
		t.Error("found no threads")
	}
	for thread, got := range threads {
		for field, value := range want {
			// Who has none to begin with cannot empty the bounding set.
			if field == "CapBnd" && as == lab.Ordinary {
				continue
			}
			if got[field] != value {
				t.Errorf("thread %s: got %s %s, want %s", thread, field, got[field], value)
			}
		}
	}
}

// statuses returns the status of each thread of a process (proc(5)).
func statuses(t *testing.T, pid int) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	paths, err := filepath.Glob(filepath.Join("/proc", itoa(pid), "task/*/status"))
	labtest.OK(t, err)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(line, ":")
			fields[name] = strings.TrimSpace(value)
		}
		all[path] = fields
	}
	return all
}
