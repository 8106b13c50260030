//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// enteredEnv marks a process that Enter started in its own user namespace.
const enteredEnv = "ICMPX_LAB_ENTERED"

// NobodyID is the user and group id of an ordinary user where the lab runs as
// root.
const NobodyID = 65534

// Enter makes sure that this process may build networks. It must be the first
// thing that a program does.
//
// If the process may create network namespaces, Enter returns at once. If not,
// it runs the program once more, with the same arguments and standard files, in
// a new user namespace with the caller mapped to root, relays signals to it,
// and returns done and its exit code when it has ended: the caller then cleans
// up and ends with that code. With rootless set, a privileged process gives up
// its privilege first, so that the second way is taken in any case.
//
// The error is a *ForbiddenError if this machine allows neither.
func Enter(rootless bool) (code int, done bool, err error) {
	if os.Getenv(enteredEnv) != "" {
		if err := os.Unsetenv(enteredEnv); err != nil {
			return 0, false, err
		}
		if err := tryNamespace(); err != nil {
			return 0, false, forbidden(err)
		}
		return 0, false, nil
	}
	if rootless && os.Geteuid() == 0 && Mapped() {
		code, err = again(asNobody())
		return code, true, err
	}
	err = tryNamespace()
	if !rootless && !errors.Is(err, unix.EPERM) {
		if err != nil {
			err = forbidden(err)
		}
		return 0, false, err
	}
	code, err = again(asMappedRoot(), enteredEnv+"=1")
	if err != nil {
		return 0, false, forbidden(err)
	}
	return code, true, nil
}

// tryNamespace creates a network namespace on a thread that ends with it.
func tryNamespace() error {
	k, err := newKeeper(func() error {
		return os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET))
	})
	if err != nil {
		return err
	}
	k.close()
	return nil
}

// asNobody makes a child an ordinary user.
func asNobody() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: NobodyID, Gid: NobodyID}}
}

// asMappedRoot makes a child root of a new user namespace. Its own network
// namespace, with a loopback that is down, sees that nothing can leave by
// mistake.
func asMappedRoot() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// again runs this program once more and returns its exit code. The child dies
// with this thread, so the thread is kept.
func again(attr *syscall.SysProcAttr, env ...string) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The magic link needs no permission on the folders above the program.
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: os.Args}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = attr
	attr.Pdeathsig = unix.SIGKILL
	code, err := Relay(cmd, cmd.Start)
	if err != nil {
		return 0, fmt.Errorf("run the program again: %w", err)
	}
	return code, nil
}
