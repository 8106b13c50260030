//go:build linux

// Package integration tests the real binary on the real kernel, in networks of
// namespaces.
package integration

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// binEnv hands the folder of the built binaries to the test's own copy in a
// user namespace, where there is no network to build with.
const binEnv = "ICMPX_LAB_TEST_BIN"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(binEnv) == "" {
		dir, err := build()
		defer os.RemoveAll(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := os.Setenv(binEnv, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return labtest.Run(m, os.Stderr)
}

// build builds the binaries as they are released, where everybody can run them.
func build() (string, error) {
	dir, err := os.MkdirTemp("", "icmpx-bin")
	if err != nil {
		return dir, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	cmd := exec.Command("go", "build", "-o", dir, "../cmd/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the binaries: %w\n%s", err, out)
	}
	return dir, nil
}

// binary returns the path of a built binary.
func binary(t *testing.T, name string) string {
	t.Helper()
	if err := watchSources(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(os.Getenv(binEnv), name)
}

// watchSources reads the folders of what the binaries are made of, so that the
// go command takes no cached result for them once they have changed; nor that of
// one mode for the other's.
var watchSources = sync.OnceValue(func() error {
	_ = os.Getenv(labtest.Env)
	for _, dir := range []string{"../icmpx", "../probe", "../trace", "../pmtu", "../cmd", "../internal"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
})

// both runs a test for IPv4 and IPv6.
func both(t *testing.T, f func(t *testing.T, v6 bool)) {
	t.Helper()
	t.Run("IPv4", func(t *testing.T) { f(t, false) })
	t.Run("IPv6", func(t *testing.T) { f(t, true) })
}

// users are the ways to be allowed to ping, with the socket that each uses.
var users = []struct {
	name   string
	user   lab.User
	socket string
}{
	{"root", lab.Root, "raw"},
	{"ordinary", lab.Ordinary, "datagram"},
}
