package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// decodeExample matches an example of a page: a command, and what it prints.
var decodeExample = regexp.MustCompile("(?s)```text\n\\$ icmpx (decode [^\n]*)\n(.*?)```\n")

// TestDecodeExamples runs the examples of docs/decode.md on the captures that
// they name. UPDATE_GOLDEN writes what they print anew.
func TestDecodeExamples(t *testing.T) {
	const page = "../../docs/decode.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	got := decodeExample.ReplaceAllStringFunc(string(text), func(block string) string {
		examples++
		command := decodeExample.FindStringSubmatch(block)[1]
		args := strings.Fields(command)
		args[len(args)-1] = findVector(t, args[len(args)-1])
		w := &world{}
		if code := w.run(t, args...); code != exitOK || w.stderr.Len() > 0 {
			t.Errorf("%s: exit code %d, %s", command, code, w.stderr.String())
		}
		return "```text\n$ icmpx " + command + "\n" + strings.TrimLeft(w.stdout.String(), "\n") + "```\n"
	})
	if examples == 0 {
		t.Fatal("the page has no examples")
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(text) {
		t.Error("docs/decode.md does not show what the commands print: UPDATE_GOLDEN=1 writes it")
	}
}

func findVector(t *testing.T, name string) string {
	t.Helper()
	for _, pattern := range []string{"gen", "seeds", "seeds/*"} {
		if list, _ := filepath.Glob(vector(filepath.Join(pattern, name))); len(list) == 1 {
			return list[0]
		}
	}
	t.Fatalf("no capture %s", name)
	return ""
}
