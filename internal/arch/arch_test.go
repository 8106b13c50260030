package arch

import (
	"slices"
	"testing"
)

// A rule is one law of the architecture.
type rule struct {
	name  string
	check func(*pkg) []finding
}

// rules are all laws that look at one package at a time.
var rules = []rule{
	{"floors", checkFloors},
	{"owners", checkOwners},
	{"linked", checkLinked},
	{"kernel", checkKernel},
	{"process", checkProcess},
	{"plain imports", checkPlainImports},
	{"no init", checkNoInit},
	{"documented", checkDocumented},
	{"file length", checkFileLength},
	{"function length", checkFunctionLength},
}

// An exception lets one breach stand, for a reason. One that is no longer
// needed fails the test.
type exception struct{ rule, key, why string }

var exceptions = []exception{}

func TestArchitecture(t *testing.T) {
	pkgs := loadPackages(t)
	for _, row := range floors {
		if !slices.ContainsFunc(pkgs, func(p *pkg) bool { return matches(p.path, row.packages) }) {
			t.Errorf("no package is on floor %q: was it moved?", row.packages)
		}
	}
	used := make([]bool, len(exceptions))
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range pkgs {
				for _, f := range r.check(p) {
					if i := slices.IndexFunc(exceptions, func(e exception) bool { return e.rule == r.name && e.key == f.key }); i >= 0 {
						used[i] = true
						continue
					}
					t.Errorf("%s:%d: %s", f.key, f.line, f.text)
				}
			}
		})
	}
	for i, e := range exceptions {
		if e.why == "" {
			t.Errorf("exception to %q for %s has no reason", e.rule, e.key)
		}
		if !used[i] {
			t.Errorf("exception to %q for %s is no longer needed", e.rule, e.key)
		}
	}
}
