package icmpx_test

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/vectortest"
)

// vectorFamilies returns the names of the captures in the tree: those whose
// frames hold one whole ICMP message each.
func vectorFamilies(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/vectors/*.pcap")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures in the tree: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".pcap")
	}
	return files
}

// TestMoreVectors decodes captures of the same families from the folder that
// ICMPX_VECTORS names, such as sets from other seeds, wherever they lie in it.
func TestMoreVectors(t *testing.T) {
	dir := vectortest.Folder(t)
	families := vectorFamilies(t)
	compared := 0
	err := filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
		name, isPcap := strings.CutSuffix(filepath.Base(file), ".pcap")
		if err != nil || !isPcap || !slices.Contains(families, name) {
			return err
		}
		frames, ether := readCapture(t, file)
		want := readExpected(t, strings.TrimSuffix(file, ".pcap")+".expected.jsonl")
		if len(frames) != len(want) {
			t.Errorf("%s: %d frames, %d expectations", file, len(frames), len(want))
			return nil
		}
		t.Run(name, func(t *testing.T) {
			for i, w := range want {
				checkFrame(t, name, w, frames[i], ether)
				compared++
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compared == 0 {
		t.Errorf("no capture of the families %v in %s", families, dir)
	}
	t.Logf("compared %d frames", compared)
}
