package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// requirement matches a direct requirement of a go.mod file, or a tool.
var requirement = regexp.MustCompile(`(?m)^(?:require\s+|tool\s+|\t)([a-z0-9.-]+\.[a-z]+/\S+)(?: v\S+)?$`)

// reason matches a row of the table in docs/dependencies.md.
var reason = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .*\\S.* \\|$")

// TestDependenciesHaveReasons holds docs/dependencies.md and the two go.mod
// files together.
func TestDependenciesHaveReasons(t *testing.T) {
	var direct, reasoned []string
	for _, mod := range []string{"go.mod", "internal/tools/go.mod"} {
		found := submatches(requirement, read(t, mod))
		if len(found) == 0 {
			t.Errorf("%s requires nothing", mod)
		}
		direct = append(direct, found...)
	}
	reasoned = submatches(reason, read(t, "docs/dependencies.md"))
	for _, d := range direct {
		if !slices.Contains(reasoned, d) {
			t.Errorf("docs/dependencies.md gives no reason for %s", d)
		}
	}
	for _, r := range reasoned {
		if !slices.Contains(direct, r) {
			t.Errorf("docs/dependencies.md has a reason for %s, which is not a direct dependency", r)
		}
	}
}

func TestRequirementPattern(t *testing.T) {
	mod := "module example.com/a/b\n\ngo 1.26.0\n\ntool example.com/c/cmd/d\n\nrequire example.com/e v1.0.0\n\n" +
		"require (\n\texample.com/f/v2 v2.0.0\n\texample.com/g v1.0.0 // indirect\n)\n"
	if got, want := strings.Join(submatches(requirement, mod), " "), "example.com/c/cmd/d example.com/e example.com/f/v2"; got != want {
		t.Errorf("direct requirements %q, want %q", got, want)
	}
}

func submatches(re *regexp.Regexp, text string) []string {
	var all []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
