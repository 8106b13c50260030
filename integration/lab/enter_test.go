//go:build linux

package lab_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKilled kills a program with a network and sees that the network, the
// program's copy in the user namespace, and the programs in it are gone.
func TestKilled(t *testing.T) {
	cmd := helper(t, "hold")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	spaces := strings.Fields(line)
	if held(t, spaces) == 0 {
		t.Errorf("nobody in namespaces %v before the kill", spaces)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// All who are left hold the pipe: it ends with the last of them.
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("ended well, though killed")
	}
	if n := held(t, spaces); n != 0 {
		t.Errorf("%d threads in namespaces %v after the kill", n, spaces)
	}
}

// held counts the live threads that are in one of the namespaces.
func held(t *testing.T, spaces []string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/task/*/ns/net")
	if err != nil || len(links) == 0 {
		t.Fatalf("list threads: %d found, error %v", len(links), err)
	}
	n := 0
	for _, link := range links {
		// An error: the thread has ended meanwhile, or is not ours to see.
		if name, err := os.Readlink(link); err == nil && slices.Contains(spaces, name) {
			n++
		}
	}
	return n
}

func TestSignalReachesProgram(t *testing.T) {
	cmd := helper(t, "trap")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantExit(t, cmd.Wait(), 3)
}

func TestDeathBySignal(t *testing.T) {
	wantExit(t, helper(t, "suicide").Run(), 128+int(unix.SIGKILL))
}

func wantExit(t *testing.T, err error, code int) {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Errorf("ended with %v, want exit code %d", err, code)
	}
}
