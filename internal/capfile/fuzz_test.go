package capfile_test

import (
	"bytes"
	"os"
	"reflect"
	"testing"
	"testing/iotest"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// FuzzReader reads anything. Frames are parts of the file, the same however it
// comes, and the same again after they were written.
func FuzzReader(f *testing.F) {
	for _, pattern := range []string{"fmt_*", "lt_ethernet", "v4_echo"} {
		for _, name := range captures(f, vectors+"/gen/"+pattern) {
			file, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(file)
		}
	}
	f.Add(join(pcapHead(be, 0xa1b2cd34, 2, 4, 100, 101), pcapRecord(be, "abc", 1, 5, 3, 9, 4, 8<<16|4<<8)))
	f.Add(join(shb(be, option(be, 1, "c")), idb(be, 1, 0, option(be, 9, "\x8a")), epb(be, 0, 1<<40, "abc", option(be, 2, "\x00\x00\x02\x01"), option(be, 1, "c")), shb(le)))
	f.Fuzz(func(t *testing.T, file []byte) {
		got := read(bytes.NewReader(file))
		total := 0
		for _, f := range got.frames {
			total += len(f.Data)
			if !bytes.Contains(file, f.Data) {
				t.Fatalf("frame %d is not in the file", f.Number)
			}
		}
		if total > len(file) {
			t.Errorf("%d bytes in frames of a file of %d", total, len(file))
		}
		if len(got.damages) > 16 || got.stepped < len(got.damages) {
			t.Errorf("%d damages remembered of %d", len(got.damages), got.stepped)
		}
		slow := read(iotest.OneByteReader(bytes.NewReader(file)))
		if !reflect.DeepEqual(slow.frames, got.frames) || !reflect.DeepEqual(slow.last, got.last) || !reflect.DeepEqual(slow.damages, got.damages) {
			t.Errorf("byte by byte %d frames, %v, %v; at once %d, %v, %v", len(slow.frames), slow.last, slow.damages, len(got.frames), got.last, got.damages)
		}
		writeAgain(t, got.frames)
	})
}

// writeAgain writes frames and compares what is read then.
func writeAgain(t *testing.T, frames []packet.Frame) {
	t.Helper()
	var out bytes.Buffer
	w := capfile.NewWriter(&out, capfile.WriterOptions{})
	for i := range frames {
		if err := w.Write(&frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	again := read(&out)
	if again.last != nil || again.stepped != 0 || len(again.frames) != len(frames) {
		t.Fatalf("written again: %d frames of %d, %v, %v", len(again.frames), len(frames), again.last, again.damages)
	}
	for i, f := range again.frames {
		was := &frames[i]
		sameTime := f.Time.Equal(was.Time) || was.Time.Unix() < 0 && f.Time.Unix() == 0 || was.Time.Unix() > 1<<34
		if !bytes.Equal(f.Data, was.Data) || f.Link != was.Link || f.Direction != was.Direction || f.Unfinished != was.Unfinished || !sameTime {
			t.Errorf("written again, frame %d: %+v, was %+v", i+1, f, *was)
		}
	}
}
