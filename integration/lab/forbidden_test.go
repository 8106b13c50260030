//go:build linux

package lab

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestExplain(t *testing.T) {
	tests := []struct {
		name, path, value string
		want              []string
	}{
		{"none allowed", "/proc/sys/user/max_user_namespaces", "0", []string{"user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=15000"}},
		{"debian", "/proc/sys/kernel/unprivileged_userns_clone", "0", []string{"sysctl -w kernel.unprivileged_userns_clone=1"}},
		{"ubuntu", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", []string{"is 1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"}},
		{"container", "", "", []string{"CAP_SYS_ADMIN", "--privileged"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := explain(unix.EPERM, func(path string) string {
				if path == tt.path {
					return tt.value
				}
				return ""
			})
			var typed *ForbiddenError
			if !errors.As(err, &typed) || !errors.Is(err, unix.EPERM) {
				t.Fatalf("got %T %v, want a ForbiddenError of EPERM", err, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("got more than a line: %q", err)
			}
		})
	}
}

func TestMaps(t *testing.T) {
	tests := []struct {
		name, table string
		id          int
		want        bool
	}{
		{"all", "         0          0 4294967295\n", 65534, true},
		{"one", "         0      65534          1\n", 65534, false},
		{"one, itself", "         0      65534          1\n", 0, true},
		{"two ranges", "0 1000 1\n1 100000 65536\n", 65534, true},
		{"just beyond", "0 100000 65534\n", 65534, false},
		{"empty", "", 0, false},
		{"nonsense", "x y z\n", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := maps(tt.table, tt.id); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
