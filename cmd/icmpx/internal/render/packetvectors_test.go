package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
	"github.com/icmpx/icmpx/internal/vectortest"
)

// vectorDir holds the captures of the repository.
const vectorDir = "../../../../internal/packet/testdata/vectors"

// A vectorLine is one line of an expected.jsonl file.
type vectorLine struct {
	Frame  int
	Desc   string
	Built  map[string]any
	Tshark map[string]any

	End        string // not "": the last line, of a file cut short
	FramesRead int    `json:"frames_read"`
}

// TestPacketVectors decodes the captures of the repository and compares every
// line of JSON, key by key, with what the generator of the captures built and
// what tshark 4.0 shows; vectorKeys says which keys, and vectorExceptions what
// may differ.
//
// Each capture is decoded twice: frame by frame, and with its datagrams rebuilt
// where there is a reassembled.jsonl to compare that with. ICMP that is not in
// the expectations is a difference too.
func TestPacketVectors(t *testing.T) {
	testVectors(t, vectorDir, map[string]int{"gen": 97, "seeds": 72})
}

// TestPacketVectorsPeers does the same with captures of other projects, which
// are not in the repository.
func TestPacketVectorsPeers(t *testing.T) {
	dir := vectortest.Folder(t)
	testVectors(t, filepath.Join(dir, "dev"), map[string]int{"peers": 142})
}

func testVectors(t *testing.T, dir string, folders map[string]int) {
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		files := captures(t, filepath.Join(dir, folder))
		if len(files) != folders[folder] {
			t.Fatalf("%d captures in %s, want %d", len(files), folder, folders[folder])
		}
		used := map[string]bool{}
		for _, file := range files {
			base := strings.TrimSuffix(file, filepath.Ext(file))
			name, err := filepath.Rel(dir, base)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) {
				compareCapture(t, name, file, base+".expected.jsonl", true, used)
				if again := base + ".reassembled.jsonl"; exists(again) {
					compareCapture(t, name+".reassembled", file, again, false, used)
				}
			})
		}
		for _, e := range vectorExceptions {
			if strings.HasPrefix(e.file, folder+"/") {
				e.checkUsed(t, used)
			}
		}
	}
}

// captures lists the captures below a folder.
func captures(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && (ext == ".pcap" || ext == ".pcapng" || ext == ".cap") && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// compareCapture holds the lines of a capture against a file of expectations.
func compareCapture(t *testing.T, name, file, expectations string, alone bool, used map[string]bool) {
	t.Helper()
	want, end := readVectorLines(t, name, expectations)
	all := !strings.HasPrefix(name, "peers/") // every frame is expected
	got, err := decodeCapture(t, file, alone)
	if (err != nil) != (end != nil) {
		t.Errorf("read: %v, want damage: %v", err, end != nil)
	}
	if end != nil && len(got) != end.FramesRead {
		t.Errorf("%d frames, want %d", len(got), end.FramesRead)
	}
	for frame := 1; frame <= len(got); frame++ {
		g, w := got[frame-1], want[frame]
		delete(want, frame)
		var diffs []difference
		switch {
		case w == nil && !alone && startsDatagram(g):
		case w == nil && (all || g["icmp"] != nil):
			diffs = []difference{{"frame", "not expected"}}
		case w != nil:
			diffs = compareVector(w, g, alone)
		}
		for _, d := range diffs {
			if key, ok := exempt(name, frame, d.key); ok {
				used[key] = true
				continue
			}
			desc := ""
			if w != nil {
				desc = w.Desc
			}
			t.Errorf("%s frame %d (%s): %s: %s", name, frame, desc, d.key, d.text)
		}
	}
	for _, frame := range slices.Sorted(maps.Keys(want)) {
		if key, ok := exempt(name, frame, "frame"); ok {
			used[key] = true
			continue
		}
		t.Errorf("%s frame %d (%s): not there", name, frame, want[frame].Desc)
	}
}

// checkUsed fails for each key that no longer differs.
func (e *vectorException) checkUsed(t *testing.T, used map[string]bool) {
	t.Helper()
	for _, frame := range e.frames {
		for key := range strings.FieldsSeq(e.keys) {
			if name := exceptionKey(e.file, frame, key); !used[name] {
				t.Errorf("%s no longer differs: %s", name, e.reason)
			}
		}
	}
}

func exceptionKey(file string, frame int, key string) string {
	return fmt.Sprintf("%s frame %d key %s", file, frame, key)
}

// exempt reports whether a key of a frame may differ, and names the exception.
func exempt(file string, frame int, key string) (string, bool) {
	for _, e := range vectorExceptions {
		if e.file != file || !slices.Contains(e.frames, frame) {
			continue
		}
		for word := range strings.FieldsSeq(e.keys) {
			below, all := strings.CutSuffix(word, "*")
			if word == key || all && strings.HasPrefix(key, below) {
				return exceptionKey(file, frame, word), true
			}
		}
	}
	return "", false
}

// decodeCapture returns the line of each frame of a capture, and what ended the
// reading if it was not the end of the file.
func decodeCapture(t *testing.T, file string, alone bool) ([]map[string]any, error) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capfile.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	var (
		frame packet.Frame
		p     packet.Packet
		j     PacketJSON
		lines []map[string]any
	)
	d := packet.Decoder{NoReassembly: alone}
	s := loadSchema(t)
	for {
		if err := r.Next(&frame); errors.Is(err, io.EOF) {
			return lines, nil
		} else if err != nil {
			return lines, err
		}
		d.Decode(&frame, &p)
		line := packetLine(t, &j, &p)
		if bad := s.check(s.root["$defs"].(map[string]any)["packet"].(map[string]any), line); bad != "" {
			t.Errorf("frame %d does not fit its schema: %s", frame.Number, bad)
		}
		checkFields(t, &p, line)
		lines = append(lines, line)
	}
}

// checkFields makes sure that a line has every field of a body without keys.
func checkFields(t *testing.T, p *packet.Packet, line map[string]any) {
	t.Helper()
	m := p.Message
	if len(m) == 0 || shapeOf(p.ICMP, m[0]) != shapeOther {
		return
	}
	var want []string
	for i, f := range icmpx.Dissect(p.ICMP, m, icmpx.DissectOptions{Src: p.IP.Src, Dst: p.IP.Dst, Len: wholeLen(p)}).Fields {
		header := i < 3 && (f.Name == "type" || f.Name == "code" || f.Name == "checksum")
		if !header && !isZeroReserved(&f) {
			want = appendLeaves(want, &f, f.Name)
		}
	}
	fields, _ := line["icmp"].(map[string]any)["fields"].([]any)
	if got := appendPairs(nil, fields, ""); !slices.Equal(got, want) {
		t.Errorf("frame %d: fields\n got %q\nwant %q", p.Frame.Number, got, want)
	}
}

// appendLeaves lists the values below a field, with their paths.
func appendLeaves(list []string, f *icmpx.Field, path string) []string {
	switch v := f.Value.(type) {
	case nil:
		for i := range f.Fields {
			list = appendLeaves(list, &f.Fields[i], path+"/"+f.Fields[i].Name)
		}
		return list
	case []byte:
		return append(list, fmt.Sprintf("%s=%x", path, v))
	default:
		return append(list, fmt.Sprintf("%s=%v", path, v))
	}
}

// appendPairs does the same with the [name, value] of JSON.
func appendPairs(list []string, fields []any, path string) []string {
	for _, f := range fields {
		pair := f.([]any)
		at := path + pair[0].(string)
		switch v := pair[1].(type) {
		case []any:
			list = appendPairs(list, v, at+"/")
		case float64:
			list = append(list, fmt.Sprintf("%s=%.0f", at, v))
		default:
			list = append(list, fmt.Sprintf("%s=%v", at, v))
		}
	}
	return list
}

// readVectorLines reads a file of expectations, by frame.
func readVectorLines(t *testing.T, name, file string) (byFrame map[int]*vectorLine, end *vectorLine) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	byFrame = map[int]*vectorLine{}
	none := 0
	for dec := json.NewDecoder(bytes.NewReader(b)); ; {
		var w vectorLine
		if err := dec.Decode(&w); errors.Is(err, io.EOF) {
			return byFrame, end
		} else if err != nil {
			t.Fatal(err)
		}
		switch {
		case w.End != "":
			end = &w
			continue
		case slices.Contains(notFrames[name], w.Frame):
			none++
			continue
		}
		w.Frame -= none
		byFrame[w.Frame] = &w
	}
}
