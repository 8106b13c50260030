package icmpx

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DropPrivileges gives up, on all threads and for good, every capability that
// the process has or could get back: the effective, permitted, inheritable and
// ambient sets, the bounding set (which takes CAP_SETPCAP), and what a file
// that it executes could give (no_new_privs). Sockets that are open stay so.
// Then it makes sure, by failing to open a raw socket.
//
// The error is ErrPrivilegesKept, and nothing was changed, in a program built
// with cgo. After any other error privileges may be left.
func DropPrivileges() error { return DropPrivilegesExcept() }

// DropPrivilegesExcept is DropPrivileges that leaves the process those of the
// named capabilities that it has. The bounding set is emptied as well: nothing
// that it executes gets them.
func DropPrivilegesExcept(keep ...Capability) error {
	if err := onAllThreads("set no_new_privs", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return err
	}
	if err := dropBounding(); err != nil {
		return err
	}
	err := onAllThreads("clear ambient capabilities", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	if err != nil && !errors.Is(err, unix.EINVAL) { // before Linux 4.3 there are none
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var left [2]unix.CapUserData
	if err := unix.Capget(&header, &left[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", os.NewSyscallError("capget", err))
	}
	only(&left, keep)
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&left[0])), 0)
	if errno != 0 {
		return fmt.Errorf("clear capabilities: %w", os.NewSyscallError("capset", errno))
	}
	if slices.Contains(keep, unix.CAP_NET_RAW) {
		return nil // a raw socket proves nothing then
	}
	return verifyDropped()
}

// only leaves in sets the named capabilities, as far as they are permitted, and
// puts them to effect.
func only(sets *[2]unix.CapUserData, keep []Capability) {
	var want [2]uint32
	for _, c := range keep {
		if int(c) < 32*len(want) { // else the kernel has none such
			want[c/32] |= 1 << (c % 32)
		}
	}
	for i := range sets {
		sets[i].Permitted &= want[i]
		sets[i].Effective, sets[i].Inheritable = sets[i].Permitted, 0
	}
}

// onAllThreads makes a system call on every thread of the process.
func onAllThreads(what string, trap, a1, a2 uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(trap, a1, a2, 0, 0, 0, 0)
	switch errno {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return ErrPrivilegesKept
	}
	return fmt.Errorf("%s: %w", what, os.NewSyscallError("prctl", errno))
}

// dropBounding empties the bounding set, if the process may. If it may not,
// no_new_privs alone keeps it from getting what the set allows.
func dropBounding() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", os.NewSyscallError("capget", err))
	}
	if have[0].Effective&(1<<unix.CAP_SETPCAP) == 0 {
		return nil
	}
	for c := uintptr(0); ; c++ {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil { // EINVAL: beyond the last capability
			return nil
		}
		if in == 0 {
			continue
		}
		if err := onAllThreads("clear bounding set", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c); err != nil {
			return err
		}
	}
}

// verifyDropped fails if a raw socket can still be opened.
func verifyDropped() error {
	for _, f := range []Family{IPv4, IPv6} {
		fd, err := openFD(f, unix.SOCK_RAW, f.Protocol())
		if err == nil {
			return errors.Join(errors.New("drop privileges: a raw socket can still be opened"), unix.Close(fd))
		}
	}
	return nil
}
