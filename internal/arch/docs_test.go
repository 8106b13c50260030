package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link matches a link of a Markdown page to another file of the repository.
var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// TestLinksLead wants the file behind every relative link.
func TestLinksLead(t *testing.T) {
	pages := []string{"README.md", "CHANGELOG.md"}
	more, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(more) == 0 {
		t.Fatalf("no pages in docs: %v", err)
	}
	for _, page := range more {
		pages = append(pages, filepath.Join("docs", filepath.Base(page)))
	}
	links := 0
	for _, page := range pages {
		for _, target := range submatches(link, read(t, page)) {
			links++
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), target)); err != nil {
				t.Errorf("%s: link to %s: %v", page, target, err)
			}
		}
	}
	if links == 0 {
		t.Error("no links found")
	}
}

// TestReadmeProgram compiles the program that the README shows.
func TestReadmeProgram(t *testing.T) {
	_, rest, ok := strings.Cut(read(t, "README.md"), "```go\n")
	program, _, end := strings.Cut(rest, "```")
	if !ok || !end || !strings.HasPrefix(program, "package main") {
		t.Fatal("README.md shows no Go program")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "vet", file)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("vet the README's program: %v\n%s", err, out)
	}
	if out, err := exec.Command("gofmt", "-l", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt would change the README's program: %v %s", err, out)
	}
}
