// Command testrun runs every test of the repository and says what ran: how many
// packages and tests, with or without the race detector, as root or rootless,
// and which tests were skipped and why. `make test` is its only caller.
//
// It runs go test once for the packages that need nothing, once for the tests
// in namespaces, and, when it is root, once more for these in a user namespace,
// as an ordinary user would run them.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	race := flag.String("race", "auto", "race detector: on, off, or auto: where a C compiler is present")
	timeout := flag.String("timeout", "4m", "longest time that the tests of one package may take")
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
	args     []string
	env      []string
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
	plain, namespaces, err := packages()
	if err != nil {
		return err
	}
	args := []string{"-timeout=" + timeout}
	if useRace {
		args = append(args, "-race")
	}
	var done []*tally
	for _, p := range phases(plain, namespaces, os.Geteuid() == 0) {
		p.args = append(slices.Clone(args), p.args...)
		t, err := p.run(w)
		if err != nil {
			return err
		}
		done = append(done, t)
	}
	return summarise(w, done, raceLine, vectors)
}

// phases returns what there is to run. Tests in namespaces depend on the kernel
// and its settings, so that their results are never taken from the cache.
func phases(plain, namespaces []string, root bool) []phase {
	all := []phase{{name: "unit tests and fuzz seeds", packages: plain}}
	rootless := phase{name: "namespaces, rootless", packages: namespaces, args: []string{"-count=1"}, env: []string{"ICMPX_LAB=rootless"}}
	if root {
		asRoot := rootless
		asRoot.name, asRoot.env = "namespaces, as root", nil
		all = append(all, asRoot)
	}
	return append(all, rootless)
}

// packages returns the packages whose tests need nothing, and those whose tests
// run in namespaces.
func packages() (plain, namespaces []string, err error) {
	cmd := exec.Command("go", "list", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w", err)
	}
	for _, p := range strings.Fields(string(out)) {
		if strings.Contains(p+"/", "/integration/") {
			namespaces = append(namespaces, p)
		} else {
			plain = append(plain, p)
		}
	}
	return plain, namespaces, nil
}

// run runs the phase, reports on w as go test does, and returns what it
// counted. Its error means that go test could not run; failed tests are in the
// tally.
func (p phase) run(w io.Writer) (*tally, error) {
	fmt.Fprintf(w, "== %s\n", p.name)
	cmd := exec.Command("go", slices.Concat([]string{"test", "-json"}, p.args, p.packages)...)
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
