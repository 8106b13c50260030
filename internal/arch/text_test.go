package arch

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// unwanted are words that the repository's text does not contain. They are
// spelled in two pieces here, so that this file passes.
var unwanted = []struct {
	name    string
	pattern *regexp.Regexp
	breach  string // a text that the pattern finds
	fine    string // one that it does not
}{
	{"path of one machine", regexp.MustCompile("(^|[^a-z0-9])/(wo" + "rk|home/[a-z]|root/)"), "see /wo" + "rk/x", "https://example.com/homework/network/root"},
	{"postponed work", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`), "// TO" + "DO: later", "mktemp -t a.XXXXXX"},
	{"number of an issue", regexp.MustCompile(`(?i)\bissue` + ` #?[0-9]{1,2}\b`), "as issue" + " 2 says", "golang/go issue 12345, issue and 2"},
}

func TestUnwantedWords(t *testing.T) {
	for _, u := range unwanted {
		if !u.pattern.MatchString(u.breach) || u.pattern.MatchString(u.fine) {
			t.Errorf("%s: the pattern finds %v, %v; want true, false", u.name, u.pattern.MatchString(u.breach), u.pattern.MatchString(u.fine))
		}
	}
	read := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return skipOutput(d, err)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
			return err
		}
		read++
		for i, line := range bytes.Split(text, []byte("\n")) {
			for _, u := range unwanted {
				if u.pattern.Match(line) {
					t.Errorf("%s:%d: %s: %.120s", name, i+1, u.name, line)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 20 {
		t.Fatalf("read %d files; the repository has more", read)
	}
}

// skipOutput steps over what is not source.
func skipOutput(d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	switch d.Name() {
	case ".git", "bin", "dist":
		return fs.SkipDir
	}
	return nil
}
