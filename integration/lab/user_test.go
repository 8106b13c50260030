//go:build linux

package lab_test

import (
	"maps"
	"os/exec"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

func TestUsers(t *testing.T) {
	tests := []struct {
		name          string
		user          lab.User
		open          bool
		raw, datagram string
	}{
		{"root", lab.Root, true, "true", "true"},
		{"root, no datagram sockets", lab.Root, false, "true", "false"},
		{"ordinary", lab.Ordinary, true, "false", "true"},
		{"ordinary, no datagram sockets", lab.Ordinary, false, "false", "false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := labtest.Build(t, "pair")
			if tt.open {
				labtest.OK(t, n.Client.AllowPing())
			}
			got := facts(output(t, n.Client, helper(t, "privileges"), tt.user))
			want := map[string]string{
				"raw": tt.raw, "raw6": tt.raw, "packet": tt.raw,
				"datagram": tt.datagram, "datagram6": tt.datagram,
			}
			if !maps.Equal(got, want) {
				t.Errorf("got sockets %v, want %v", got, want)
			}
		})
	}
}

// TestOrdinaryHasNoCapabilities also sees that this process keeps its own: what
// an ordinary user's thread gives up is that thread's.
func TestOrdinaryHasNoCapabilities(t *testing.T) {
	n := labtest.Build(t, "pair")
	const none = "0000000000000000"
	status := func(as lab.User) map[string]string {
		text := output(t, n.Client, exec.CommandContext(t.Context(), "cat", "/proc/self/status"), as)
		return facts(strings.ReplaceAll(text, ":\t", " "))
	}
	user := status(lab.Ordinary)
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		if user[set] != none {
			t.Errorf("ordinary user: got %s %s, want %s", set, user[set], none)
		}
	}
	if !lab.Mapped() && (user["CapBnd"] != none || user["NoNewPrivs"] != "1") {
		t.Errorf("same user without capabilities: got bounding set %s, no_new_privs %s", user["CapBnd"], user["NoNewPrivs"])
	}
	if root := status(lab.Root); root["CapEff"] == none || root["NoNewPrivs"] != "0" {
		t.Errorf("root: got capabilities %s, no_new_privs %s", root["CapEff"], root["NoNewPrivs"])
	}
}

func TestNameHosts(t *testing.T) {
	for _, user := range []lab.User{lab.Root, lab.Ordinary} {
		n := labtest.Build(t, "pair")
		labtest.OK(t, n.Client.NameHosts(n.Names))
		text := output(t, n.Client, exec.CommandContext(t.Context(), "cat", "/etc/hosts"), user)
		for _, want := range []string{"192.0.2.20\tserver\n", "2001:db8:1::20\tserver\n", "127.0.0.1\tlocalhost\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("user %d: no %q in hosts file %q", user, want, text)
			}
		}
		if err := n.Client.NameHosts(n.Names); err == nil {
			t.Errorf("user %d: hosts named twice", user)
		}
	}
}

// output runs a command on a host and returns what it wrote.
func output(t *testing.T, h *lab.Host, cmd *exec.Cmd, as lab.User) string {
	t.Helper()
	var out strings.Builder
	cmd.Stdout = &out
	labtest.OK(t, h.Start(cmd, as))
	labtest.OK(t, cmd.Wait())
	return out.String()
}
