//go:build linux

package lab

import (
	"fmt"
	"os"
	"strings"
)

// A ForbiddenError says that this machine lets the process create network
// namespaces neither directly nor in a user namespace.
type ForbiddenError struct {
	What   string // what forbids it
	Remedy string // the command or step that allows it
	Err    error  // what the kernel said
}

// Error returns one line with what forbids it, and what allows it.
func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("create network namespaces: %v: %s; %s", e.Err, e.What, e.Remedy)
}

// Unwrap returns what the kernel said.
func (e *ForbiddenError) Unwrap() error { return e.Err }

// locks are the settings by which kernels and distributions forbid user
// namespaces, from the most to the least specific.
var locks = []struct{ path, bad, remedy string }{
	{"/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"},
	{"/proc/sys/user/max_net_namespaces", "0", "sysctl -w user.max_net_namespaces=15000"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
}

// forbidden explains err, the reason why no namespace could be created.
func forbidden(err error) error {
	return explain(err, func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	})
}

func explain(err error, read func(path string) string) error {
	for _, l := range locks {
		if read(l.path) == l.bad {
			name := strings.ReplaceAll(strings.TrimPrefix(l.path, "/proc/sys/"), "/", ".")
			return &ForbiddenError{name + " is " + l.bad, "run: " + l.remedy, err}
		}
	}
	return &ForbiddenError{
		What:   "neither CAP_SYS_ADMIN nor a user namespace is to be had (a container's seccomp or security profile may forbid both)",
		Remedy: "run as root, or in a container started with: --privileged",
		Err:    err,
	}
}
