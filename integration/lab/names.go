//go:build linux

package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// A Name is an entry of a hosts file.
type Name struct {
	Name string
	Addr netip.Addr
}

// hostsFile is what name lookups read first (hosts(5)).
const hostsFile = "/etc/hosts"

// NameHosts lets programs on the host look names up, by mounting a hosts file
// over theirs. It must come before the first program that starts there.
func (h *Host) NameHosts(names []Name) error {
	var b bytes.Buffer
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost\n")
	for _, n := range names {
		fmt.Fprintf(&b, "%v\t%s\n", n.Addr, n.Name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.user != nil || h.names != nil {
		return fmt.Errorf("name hosts for %s: named or programs started before", h.Name)
	}
	h.names = b.Bytes()
	return wrap("name hosts for "+h.Name, h.root.do(func() error { return mountHosts(h.names) }))
}

// mountHosts gives the calling thread a mount namespace of its own and mounts
// content over the hosts file there. The file itself is gone at once: the mount
// alone holds it.
func mountHosts(content []byte) (err error) {
	if content == nil {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount private /", err)
	}
	f, err := os.CreateTemp("", "icmpx-lab-hosts")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return os.NewSyscallError("mount "+hostsFile, unix.Mount(f.Name(), hostsFile, "", unix.MS_BIND, ""))
}
