package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// An event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// A tally counts the tests of one phase and repeats what go test would print
// without -json: a line for each package, and all that a failed test said.
type tally struct {
	name string
	w    io.Writer
	took time.Duration
	exit error // of go test

	packages, passed, failed int
	skipped                  []string

	said map[[2]string][]string // output of each test that is not decided, by package and test
}

func newTally(name string, w io.Writer) *tally {
	return &tally{name: name, w: w, said: map[[2]string][]string{}}
}

// read counts events until they end.
func (t *tally) read(events io.Reader) error {
	dec := json.NewDecoder(events)
	for {
		var e event
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read go test -json: %w", err)
		}
		if e.Test == "" {
			t.packageEvent(&e)
		} else {
			t.testEvent(&e)
		}
	}
}

func (t *tally) packageEvent(e *event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.w, e.Output)
	case "output":
		if e.Output != "PASS\n" && e.Output != "FAIL\n" {
			fmt.Fprint(t.w, e.Output)
		}
	case "pass":
		t.packages++
	case "fail":
		t.packages++
		t.flush(e.Package)
	}
}

func (t *tally) testEvent(e *event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			t.said[key] = append(t.said[key], e.Output)
		}
		return
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		fmt.Fprint(t.w, strings.Join(t.said[key], ""))
	case "skip":
		t.skipped = append(t.skipped, e.Test+": "+reasonOf(t.said[key]))
	default:
		return
	}
	delete(t.said, key)
}

// flush prints what the tests said that a package left undecided when it died.
func (t *tally) flush(pkg string) {
	for key, lines := range t.said {
		if key[0] == pkg {
			fmt.Fprint(t.w, strings.Join(lines, ""))
			delete(t.said, key)
		}
	}
}

// reasonOf returns what a skipped test said, on one line.
func reasonOf(said []string) string {
	said = slices.DeleteFunc(slices.Clone(said), func(line string) bool {
		return strings.HasPrefix(strings.TrimSpace(line), "--- SKIP")
	})
	if why := strings.Join(strings.Fields(strings.Join(said, " ")), " "); why != "" {
		return why
	}
	return "no reason given"
}

// ok reports whether the phase ran tests and all passed.
func (t *tally) ok() bool { return t.exit == nil && t.failed == 0 && t.passed > 0 }

// summarise prints what ran. Its error says that not all is well.
func summarise(w io.Writer, done []*tally, lines ...string) error {
	fmt.Fprintln(w, "== what ran")
	bad := 0
	for _, t := range done {
		verdict := "ok"
		if !t.ok() {
			verdict = "FAILED"
			bad++
		}
		fmt.Fprintf(w, "%-6s  %-26s %3d packages %5d tests passed %3d failed %3d skipped %6.1f s\n",
			verdict, t.name, t.packages, t.passed, t.failed, len(t.skipped), t.took.Seconds())
		for _, s := range t.skipped {
			fmt.Fprintf(w, "        skipped %s\n", s)
		}
		if t.passed+t.failed == 0 {
			fmt.Fprintf(w, "        no test ran\n")
		}
	}
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d test runs failed", bad, len(done))
	}
	return nil
}
