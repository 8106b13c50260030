// Command testrun runs every test of the repository and says what ran: how many
// packages and tests, with or without the race detector, as root or rootless,
// and which tests were skipped and why. `make test` is its only caller.
//
// It runs go test once for the packages that need little, once for the tests in
// namespaces, and, when it is root, once more for these in a user namespace, as
// an ordinary user would run them. The tests of the sockets make namespaces of
// their own; for an ordinary user icmpx-lab gives them a place where they may.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const module = "github.com/icmpx/icmpx"

func main() {
	race := flag.String("race", "auto", "race detector: on, off, or auto: where a C compiler is present")
	timeout := flag.String("timeout", "6m", "longest time that the tests of one package may take")
	flag.Parse()
	if err := run(os.Stdout, *race, *timeout); err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(1)
	}
}

// A phase is one run of go test.
type phase struct {
	name     string
	packages []string
	env      []string
	exec     string // program that runs the test binaries; empty: none
	alone    bool   // one package at a time: routers in userspace need a processor
	only     string // a pattern of tests; empty: all
	fast     bool   // never with the race detector
}

func run(w io.Writer, race, timeout string) error {
	vectors, err := vectorsLine(os.Getenv("ICMPX_VECTORS"))
	if err != nil {
		return err
	}
	useRace, raceLine, err := raceDetector(race)
	if err != nil {
		return err
	}
	set, err := packages()
	if err != nil {
		return err
	}
	// Tests depend on the kernel, its settings and the user: none comes from the
	// cache.
	args := []string{"-count=1", "-timeout=" + timeout}
	if useRace {
		args = append(args, "-race")
	}
	root, lab := os.Geteuid() == 0, ""
	if !root {
		var remove func()
		if lab, remove, err = buildLab(); err != nil {
			return err
		}
		defer remove()
	}
	todo := phases(set, root, lab+" pair --")
	if useRace {
		todo = append(todo, allPaths())
	}
	var done []*tally
	for _, p := range todo {
		t, err := p.run(w, args)
		if err != nil {
			return err
		}
		done = append(done, t)
	}
	return summarise(w, done, raceLine, vectors)
}

// packageSet holds import paths by what their tests need.
type packageSet struct {
	plain      []string // nothing
	sockets    []string // the right to make namespaces
	namespaces []string // nothing: they get into namespaces by themselves
}

// phases returns what there is to run. An ordinary user's tests of sockets are
// run by the program lab.
func phases(set packageSet, root bool, lab string) []phase {
	rootless := phase{name: "namespaces, rootless", packages: set.namespaces, alone: true, env: []string{"ICMPX_LAB=rootless"}}
	if !root {
		return []phase{
			{name: "unit tests and fuzz seeds", packages: set.plain},
			{name: "sockets, rootless", packages: set.sockets, exec: lab},
			rootless,
		}
	}
	return []phase{
		{name: "unit tests and fuzz seeds", packages: slices.Concat(set.plain, set.sockets)},
		{name: "namespaces, as root", packages: set.namespaces, alone: true},
		rootless,
	}
}

// allPaths is all random paths of package pmtu. The race detector, which is many
// times slower, is shown a tenth of them.
func allPaths() phase {
	return phase{name: "random paths, without the race detector", packages: []string{module + "/pmtu"}, only: "^TestPaths", fast: true}
}

// packages returns the packages of the repository.
func packages() (packageSet, error) {
	cmd := exec.Command("go", "list", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return packageSet{}, fmt.Errorf("go list: %w", err)
	}
	return sortPackages(strings.Fields(string(out))), nil
}

func sortPackages(all []string) packageSet {
	var set packageSet
	for _, p := range all {
		switch {
		case strings.Contains(p+"/", "/integration/"):
			set.namespaces = append(set.namespaces, p)
		case p == module+"/icmpx":
			set.sockets = append(set.sockets, p)
		default:
			set.plain = append(set.plain, p)
		}
	}
	return set
}

// buildLab builds icmpx-lab in a folder of its own, which remove removes.
func buildLab() (lab string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "icmpx-testrun")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	lab = filepath.Join(dir, "icmpx-lab")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", lab, "./cmd/icmpx-lab")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build icmpx-lab: %w\n%s", err, out)
	}
	return lab, remove, nil
}

// run runs the phase with arguments for go test, reports on w as go test does,
// and returns what it counted. Its error means that go test could not run; failed tests are in the
// tally.
func (p phase) run(w io.Writer, args []string) (*tally, error) {
	fmt.Fprintf(w, "== %s\n", p.name)
	if p.exec != "" {
		args = append(slices.Clone(args), "-exec="+p.exec)
	}
	if p.alone {
		args = append(slices.Clone(args), "-p=1")
	}
	if p.only != "" {
		args = append(slices.Clone(args), "-run="+p.only)
	}
	if p.fast {
		args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-race" })
	}
	cmd := exec.Command("go", slices.Concat([]string{"test", "-json"}, args, p.packages)...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := newTally(p.name, w)
	readErr := t.read(events)
	if readErr != nil {
		_, _ = io.Copy(io.Discard, events)
	}
	t.exit = cmd.Wait()
	t.took = time.Since(start)
	return t, readErr
}

// raceDetector decides whether to use the race detector and says why.
func raceDetector(mode string) (use bool, why string, err error) {
	switch mode {
	case "on":
		return true, "race detector on", nil
	case "off":
		return false, "race detector off: asked for", nil
	case "auto":
	default:
		return false, "", fmt.Errorf("-race=%s: use on, off or auto", mode)
	}
	if !slices.Contains([]string{"amd64", "arm64", "ppc64le", "s390x"}, runtime.GOARCH) {
		return false, "race detector off: there is none for " + runtime.GOARCH, nil
	}
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return false, "", fmt.Errorf("go env: %w", err)
	}
	enabled, cc, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if enabled != "1" {
		return false, "race detector off: no C compiler, or CGO_ENABLED=0", nil
	}
	if !compiles(strings.Fields(cc)) {
		return false, "race detector off: " + cc + " does not compile C", nil
	}
	return true, "race detector on", nil
}

// compiles reports whether a C compiler and its library are there.
func compiles(cc []string) bool {
	if len(cc) == 0 {
		return false
	}
	cmd := exec.Command(cc[0], append(cc[1:], "-x", "c", "-", "-o", os.DevNull)...)
	cmd.Stdin = strings.NewReader("#include <stdlib.h>\nint main(void) { return 0; }\n")
	return cmd.Run() == nil
}

// vectorsLine says where the tests look for more captures to decode.
func vectorsLine(dir string) (string, error) {
	if dir == "" {
		return "vectors: those in the tree; ICMPX_VECTORS, a folder of more, is not set", nil
	}
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("ICMPX_VECTORS: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("ICMPX_VECTORS: %s is not a folder", dir)
	}
	return "vectors: those in the tree and ICMPX_VECTORS=" + dir, nil
}
