package capfile_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
	"github.com/icmpx/icmpx/internal/vectortest"
)

// vectors is the folder of captures with known contents.
const vectors = "../packet/testdata/vectors"

// An expectation is a line of a file of expectations: what another program
// read of a frame, or how the file ends.
type expectation struct {
	Frame  int
	Tshark struct {
		TS          *string
		Len, Caplen int
		Iface       int
		Comment     any
	}
	End        string
	FramesRead int `json:"frames_read"`
}

// readExpected reads the expectations beside a capture.
func readExpected(t *testing.T, capture string) (frames []expectation, end *expectation) {
	t.Helper()
	f, err := os.Open(strings.TrimSuffix(strings.TrimSuffix(capture, ".pcap"), ".pcapng") + ".expected.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e expectation
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.End != "" {
			end = &e
		} else {
			frames = append(frames, e)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return frames, end
}

// numberedOtherwise are the captures in which the other program numbers what
// is no packet: frames from the given one on have one less here.
var numberedOtherwise = map[string]int{
	"fmt_pcapng_custom_block.pcapng": 3, // a custom block
}

// checkCapture compares the frames of a capture with the expectations.
func checkCapture(t *testing.T, file string, all bool) (compared int) {
	t.Helper()
	want, end := readExpected(t, file)
	byNumber := map[int]*expectation{}
	for i := range want {
		n := want[i].Frame
		if from := numberedOtherwise[filepath.Base(file)]; from != 0 && n >= from {
			n--
		}
		byNumber[n] = &want[i]
	}
	frames, last := readAll(t, file, func(f *packet.Frame) {
		if e := byNumber[f.Number]; e != nil {
			compareFrame(t, f, e)
			compared++
		} else if all {
			t.Errorf("frame %d is not expected", f.Number)
		}
	})
	if compared != len(byNumber) {
		t.Errorf("%d frames compared, %d expected", compared, len(byNumber))
	}
	var damage *capfile.Damage
	switch {
	case end == nil && last != io.EOF:
		t.Errorf("ends with %v after %d frames", last, frames)
	case end != nil && (!errors.As(last, &damage) || damage.Frame != end.FramesRead):
		t.Errorf("ends with %v, want damage after frame %d", last, end.FramesRead)
	}
	return compared
}

func compareFrame(t *testing.T, f *packet.Frame, e *expectation) {
	t.Helper()
	at := ""
	if !f.Time.IsZero() {
		at = fmt.Sprintf("%d.%09d", f.Time.Unix(), f.Time.Nanosecond())
	}
	want := ""
	if e.Tshark.TS != nil {
		want = *e.Tshark.TS
	}
	if at != want {
		t.Errorf("frame %d: time %q, want %q", f.Number, at, want)
	}
	if f.Len != e.Tshark.Len || len(f.Data) != e.Tshark.Caplen {
		t.Errorf("frame %d: %d of %d bytes, want %d of %d", f.Number, len(f.Data), f.Len, e.Tshark.Caplen, e.Tshark.Len)
	}
	if f.Iface != e.Tshark.Iface {
		t.Errorf("frame %d: interface %d, want %d", f.Number, f.Iface, e.Tshark.Iface)
	}
	if e.Tshark.Comment != nil && fmt.Sprint(e.Tshark.Comment) != strings.Join(f.Comments, "\n") {
		t.Errorf("frame %d: comments %q, want %q", f.Number, f.Comments, e.Tshark.Comment)
	}
}

// readAll reads a capture from beginning to end and returns the number of its
// frames and the last error.
func readAll(t *testing.T, file string, each func(*packet.Frame)) (frames int, last error) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := capfile.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var f packet.Frame
	for {
		if err := r.Next(&f); err != nil {
			if damages, n := r.Damages(); n > 0 {
				t.Logf("stepped over %d: %v", n, damages)
			}
			return frames, err
		}
		if frames++; f.Number != frames {
			t.Errorf("frame %d has number %d", frames, f.Number)
		}
		each(&f)
	}
}

// captures returns the captures below a folder.
func captures(t testing.TB, patterns ...string) []string {
	t.Helper()
	var files []string
	for _, p := range patterns {
		for _, ext := range []string{".pcap", ".pcapng"} {
			found, err := filepath.Glob(p + ext)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
	}
	return files
}

func TestVectors(t *testing.T) {
	files := captures(t, vectors+"/gen/*", vectors+"/seeds/*", vectors+"/seeds/*/*")
	if len(files) < 160 {
		t.Fatalf("%d captures in the tree; there are more", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if checkCapture(t, file, true) == 0 {
				t.Error("no frames")
			}
		})
	}
}

// TestPeers reads captures of other projects, which are not in the tree.
func TestPeers(t *testing.T) {
	dir := vectortest.Folder(t)
	files := captures(t, filepath.Join(dir, "dev/peers/*/*"))
	if len(files) == 0 {
		t.Fatalf("no captures in %s/dev/peers", dir)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { checkCapture(t, file, false) })
	}
}
