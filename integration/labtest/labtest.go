//go:build linux

// Package labtest runs tests inside the lab.
package labtest

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
)

// Env is the environment variable that says how tests run: empty, with the
// privileges there are; "rootless", without root's in any case.
const Env = "ICMPX_LAB"

// Run is for TestMain: it runs the tests where they may build networks, and
// returns the exit code. Where they may not, it says why on stderr and fails.
func Run(m *testing.M, stderr io.Writer) int {
	mode := os.Getenv(Env)
	if mode != "" && mode != "rootless" {
		fmt.Fprintf(stderr, "%s=%s: want rootless or nothing\n", Env, mode)
		return 1
	}
	if mode == "rootless" {
		os.Args = slices.DeleteFunc(os.Args, privateFile)
	}
	code, done, err := lab.Enter(mode == "rootless")
	switch {
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	case done:
		return code
	}
	return m.Run()
}

// privateFile reports whether a flag names a file of the go command that an
// ordinary user may not be able to write.
func privateFile(arg string) bool {
	return strings.HasPrefix(arg, "-test.testlogfile=") ||
		strings.HasPrefix(arg, "-test.gocoverdir=") ||
		strings.HasPrefix(arg, "-test.coverprofile=")
}

// Build builds a topology that ends with the test.
func Build(t testing.TB, topology string) *lab.Network {
	t.Helper()
	// Asked for here again, so that the go command sees it, and does not take
	// the cached result of one mode for the other's.
	t.Logf("%s=%q, user nobody exists: %v", Env, os.Getenv(Env), lab.Mapped())
	n, err := lab.Build(topology)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// OK fails the test if err is not nil.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
