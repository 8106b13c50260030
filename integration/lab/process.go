//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A User is whom a program runs as.
type User uint8

// The users.
const (
	// Root may do everything in the lab.
	Root User = iota

	// Ordinary has no privilege. Where the lab runs as root it is the user
	// nobody; in a rootless lab, which has no other user, it is the same user
	// with no capability left and none to be had (no_new_privs).
	Ordinary
)

// Start starts a program on the host, which ends with this process at the
// latest. The caller waits for it with cmd.Wait.
func (h *Host) Start(cmd *exec.Cmd, as User) error {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	// The program dies with the thread that started it: a keeper.
	attr.Pdeathsig = unix.SIGKILL
	cmd.SysProcAttr = &attr
	k := h.root
	if as == Ordinary {
		if Mapped() {
			attr.Credential = asNobody().Credential
		} else if err := h.startUser(); err != nil {
			return fmt.Errorf("drop privileges on host %s: %w", h.Name, err)
		} else {
			k = h.user
		}
	}
	return k.do(cmd.Start)
}

// startUser starts the thread that ordinary users' programs start from.
func (h *Host) startUser() (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.user != nil {
		return nil
	}
	h.user, err = newKeeper(func() error {
		if err := h.enter(); err != nil {
			return err
		}
		if err := mountHosts(h.names); err != nil {
			return err
		}
		return dropAll()
	})
	return err
}

// dropAll takes from the calling thread all capabilities, and the possibility
// to gain any by running a program. Threads have capabilities of their own: the
// rest of the process keeps its own.
func dropAll() error {
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) && c > 0 { // beyond the last one
			break
		}
		if err != nil {
			return os.NewSyscallError("prctl PR_CAPBSET_DROP", err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return os.NewSyscallError("capset", err)
	}
	return os.NewSyscallError("prctl PR_SET_NO_NEW_PRIVS", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

// Mapped reports whether the user nobody exists here: false in a rootless lab,
// whose user namespace has but one user.
func Mapped() bool {
	for _, path := range []string{"/proc/self/uid_map", "/proc/self/gid_map"} {
		b, err := os.ReadFile(path)
		if err != nil || !maps(string(b), NobodyID) {
			return false
		}
	}
	return true
}

// maps reports whether an id map of user_namespaces(7) has the id.
func maps(table string, id int) bool {
	for line := range strings.Lines(table) {
		var first, outside, n int
		if _, err := fmt.Sscan(line, &first, &outside, &n); err == nil && first <= id && id-first < n {
			return true
		}
	}
	return false
}
