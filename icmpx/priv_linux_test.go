package icmpx_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/sys/unix"
)

// TestDropPrivileges builds a program without cgo, which alone can drop on all
// threads, and runs it with all privileges, without the one that the bounding
// set takes, and with none; each time also to keep two of them, or
// raw sockets.
func TestDropPrivileges(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "dropper")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./testdata/dropper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	enterNamespace(t)
	for first, want := range map[string]string{
		"nothing": "raw sockets before: true; bounding set empty: true",
		"setpcap": "raw sockets before: true; bounding set empty: false",
		"all":     "raw sockets before: false; bounding set empty: false",
	} {
		for _, args := range [][]string{{first}, {first, "keep"}, {first, "raw"}} {
			out, err := exec.CommandContext(t.Context(), exe, args...).CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != want {
				t.Errorf("after dropping %s: %v: %s, want %q", args, err, out, want)
			}
		}
	}
}

// TestDropPrivilegesHere is about this binary itself, in a process of its own.
func TestDropPrivilegesHere(t *testing.T) {
	const child = "ICMPX_TEST_DROP"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	switch err := icmpx.DropPrivileges(); {
	case errno == syscall.ENOTSUP && !errors.Is(err, icmpx.ErrPrivilegesKept):
		t.Errorf("with cgo: %v, want ErrPrivilegesKept", err)
	case errno == 0 && err != nil:
		t.Errorf("without cgo: %v", err)
	}
}
