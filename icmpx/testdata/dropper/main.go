// Dropper drops its privileges and makes sure that they are gone on each of
// its threads.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/sys/unix"
)

func main() {
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run() error {
	stop := threads(8)
	defer stop()
	if err := dropFirst(os.Args[1]); err != nil {
		return err
	}
	before := opens()
	var keep []icmpx.Capability
	want := uint64(0)
	switch strings.Join(os.Args[2:], "") {
	case "keep":
		keep = []icmpx.Capability{icmpx.CapSysPtrace, icmpx.CapDACReadSearch}
		want = 1<<icmpx.CapSysPtrace | 1<<icmpx.CapDACReadSearch
	case "raw":
		keep = []icmpx.Capability{unix.CAP_NET_RAW, 64 + icmpx.CapSysPtrace} // of the second there is none
		want = 1 << unix.CAP_NET_RAW
	}
	if os.Args[1] == "all" {
		want = 0 // it has none to keep
	}
	if err := icmpx.DropPrivilegesExcept(keep...); err != nil {
		return err
	}
	if opens() != (want&(1<<unix.CAP_NET_RAW) != 0) {
		return errors.New("a raw socket opened after the drop, or did not though it should")
	}
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) < 8 {
		return fmt.Errorf("%d threads: %w", len(files), err)
	}
	empty := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		n, err := check(string(b), want)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		empty += n
	}
	if empty != 0 && empty != len(files) {
		return fmt.Errorf("bounding set empty on %d threads of %d", empty, len(files))
	}
	fmt.Printf("raw sockets before: %v; bounding set empty: %v\n", before, empty != 0)
	return nil
}

// dropFirst takes "nothing", CAP_SETPCAP ("setpcap") or "all" from the
// effective and permitted sets of all threads.
func dropFirst(what string) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return err
	}
	switch what {
	case "setpcap":
		caps[0].Effective &^= 1 << unix.CAP_SETPCAP
		caps[0].Permitted &^= 1 << unix.CAP_SETPCAP
	case "all":
		caps = [2]unix.CapUserData{}
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&caps[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// opens reports whether a raw socket can be opened.
func opens() bool {
	l, err := icmpx.ListenICMP(icmpx.ICMPConfig{Family: icmpx.IPv4, Mode: icmpx.ModeRaw})
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// threads keeps n threads from ending until the function that it returns.
func threads(n int) (stop func()) {
	var ready, done sync.WaitGroup
	hold := make(chan struct{})
	ready.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			ready.Done()
			<-hold
		})
	}
	ready.Wait()
	return func() { close(hold); done.Wait() }
}

// check returns 1 if a thread's bounding set is empty. want is the capabilities
// that it must have.
func check(status string, want uint64) (int, error) {
	empty := 0
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		zero := strings.Trim(value, "0") == ""
		switch name {
		case "CapPrm", "CapEff":
			if value != fmt.Sprintf("%016x", want) {
				return 0, fmt.Errorf("%s is %s, want %016x", name, value, want)
			}
		case "CapInh", "CapAmb":
			if !zero {
				return 0, fmt.Errorf("%s is %s", name, value)
			}
		case "NoNewPrivs":
			if value != "1" {
				return 0, fmt.Errorf("no_new_privs is %s", value)
			}
		case "CapBnd":
			if zero {
				empty = 1
			}
		}
	}
	return empty, nil
}
