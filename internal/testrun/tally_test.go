package main

import (
	"errors"
	"strings"
	"testing"
)

// events is what go test -json says of three packages: one with a test of each
// end, one that dies in a test, one without tests.
const events = `
{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"    a_test.go:1: chatter\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestBad","Output":"    a_test.go:2: got 1, want 2\n"}
{"Action":"output","Package":"m/a","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"m/a","Test":"TestBad"}
{"Action":"output","Package":"m/a","Test":"TestSkip","Output":"=== RUN   TestSkip\n"}
{"Action":"output","Package":"m/a","Test":"TestSkip","Output":"    a_test.go:3: no clock\n"}
{"Action":"output","Package":"m/a","Test":"TestSkip","Output":"--- SKIP: TestSkip (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestSkip"}
{"Action":"output","Package":"m/a","Output":"FAIL\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.010s\n"}
{"Action":"fail","Package":"m/a"}
{"Action":"output","Package":"m/b","Test":"TestDies","Output":"panic: oh\n"}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.020s\n"}
{"Action":"fail","Package":"m/b"}
{"ImportPath":"m/d","Action":"build-output","Output":"d.go:1: undefined: x\n"}
{"Action":"output","Package":"m/c","Output":"?   \tm/c\t[no test files]\n"}
{"Action":"skip","Package":"m/c"}
`

func TestTally(t *testing.T) {
	var out strings.Builder
	got := newTally("unit", &out)
	if err := got.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	if got.packages != 2 || got.passed != 1 || got.failed != 1 {
		t.Errorf("%d packages, %d passed, %d failed; want 2, 1, 1", got.packages, got.passed, got.failed)
	}
	if len(got.skipped) != 1 || got.skipped[0] != "TestSkip: a_test.go:3: no clock" {
		t.Errorf("skipped %q", got.skipped)
	}
	want := "    a_test.go:2: got 1, want 2\n--- FAIL: TestBad (0.00s)\nFAIL\tm/a\t0.010s\n" +
		"FAIL\tm/b\t0.020s\npanic: oh\nd.go:1: undefined: x\n?   \tm/c\t[no test files]\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestTallyRefusesGarbage(t *testing.T) {
	if err := newTally("unit", &strings.Builder{}).read(strings.NewReader("FAIL\n")); err == nil {
		t.Error("no error for a line that is not JSON")
	}
}

func TestSummarise(t *testing.T) {
	for _, test := range []struct {
		name  string
		tally tally
		ok    bool
	}{
		{"passed", tally{passed: 1}, true},
		{"failed", tally{passed: 1, failed: 1}, false},
		{"did not build", tally{passed: 1, exit: errors.New("exit status 1")}, false},
		{"nothing ran", tally{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := summarise(&out, []*tally{&test.tally}, "race detector on")
			if (err == nil) != test.ok {
				t.Errorf("error %v, want ok %v", err, test.ok)
			}
			if !strings.HasSuffix(out.String(), "race detector on\n") || strings.Contains(out.String(), "FAILED") == test.ok {
				t.Errorf("printed %q", out.String())
			}
		})
	}
}

func TestPhases(t *testing.T) {
	set := sortPackages([]string{module + "/cmd/icmpx", module + "/icmpx", module + "/integration", module + "/integration/lab", module + "/internal/arch"})
	for _, test := range []struct {
		root bool
		want string
	}{
		{true, "unit tests and fuzz seeds: cmd/icmpx internal/arch icmpx; namespaces, as root: integration integration/lab; " +
			"namespaces, rootless: integration integration/lab ICMPX_LAB=rootless; "},
		{false, "unit tests and fuzz seeds: cmd/icmpx internal/arch; sockets, rootless: icmpx exec=lab; " +
			"namespaces, rootless: integration integration/lab ICMPX_LAB=rootless; "},
	} {
		var got strings.Builder
		for _, p := range phases(set, test.root, "lab") {
			words := append([]string{p.name + ":"}, p.packages...)
			words = append(words, p.env...)
			if p.exec != "" {
				words = append(words, "exec="+p.exec)
			}
			got.WriteString(strings.ReplaceAll(strings.Join(words, " "), module+"/", "") + "; ")
		}
		if got.String() != test.want {
			t.Errorf("root %v:\ngot  %s\nwant %s", test.root, got.String(), test.want)
		}
	}
}

func TestVectorsLine(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		dir, want string
		ok        bool
	}{
		{"", "is not set", true},
		{dir, "ICMPX_VECTORS=" + dir, true},
		{dir + "/none", "", false},
	} {
		got, err := vectorsLine(test.dir)
		if (err == nil) != test.ok || !strings.Contains(got, test.want) {
			t.Errorf("vectorsLine(%q) = %q, %v", test.dir, got, err)
		}
	}
}

func TestRaceDetector(t *testing.T) {
	for mode, want := range map[string]bool{"on": true, "off": false} {
		if use, why, err := raceDetector(mode); use != want || why == "" || err != nil {
			t.Errorf("raceDetector(%q) = %v, %q, %v", mode, use, why, err)
		}
	}
	if _, _, err := raceDetector("maybe"); err == nil {
		t.Error("raceDetector accepts maybe")
	}
	if compiles([]string{"/nonexistent/cc"}) || compiles(nil) {
		t.Error("a compiler that is not there compiles")
	}
}
