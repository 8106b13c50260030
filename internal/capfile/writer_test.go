package capfile_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// write returns a capture of frames.
func write(t *testing.T, o capfile.WriterOptions, frames ...packet.Frame) []byte {
	t.Helper()
	var out bytes.Buffer
	w := capfile.NewWriter(&out, o)
	for i := range frames {
		if err := w.Write(&frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	size := w.Size()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if size != int64(out.Len()) || w.Size() != size {
		t.Errorf("sizes %d and %d of %d bytes", size, w.Size(), out.Len())
	}
	return out.Bytes()
}

func TestWriterRoundTrip(t *testing.T) {
	frames := []packet.Frame{
		{Number: 1, Time: second.Add(123456789), Len: 1500, Data: []byte("abcde"), Link: packet.LinkRaw, IfaceName: "lo", Direction: packet.Incoming},
		{Number: 2, Time: second, Len: 4, Data: []byte("abcd"), Link: packet.LinkEthernet, Iface: 1, IfaceName: "lo", Direction: packet.Outgoing, Unfinished: true},
		{Number: 3, Time: time.Unix(0, 0).UTC(), Data: []byte{}, Link: packet.LinkRaw, Iface: 2, IfaceName: "ve\"th", Comments: []string{"a", "", "ü"}},
		{Number: 4, Time: second, Len: 4, Data: []byte("abcd"), Link: packet.LinkRaw, IfaceName: "lo"},
	}
	file := write(t, capfile.WriterOptions{Comment: "all", Filter: "icmp", SnapLen: 262144}, frames...)
	got := read(bytes.NewReader(file))
	if got.last != nil || got.stepped != 0 || !reflect.DeepEqual(got.frames, frames) {
		t.Errorf("read %+v, %v, %v\nwant %+v", got.frames, got.last, got.damages, frames)
	}
	if !slices.Equal(got.reader.Comments(), []string{"all"}) {
		t.Errorf("comments %q", got.reader.Comments())
	}
}

// TestWriterBounds has what a pcapng file cannot hold.
func TestWriterBounds(t *testing.T) {
	many := slices.Repeat([]string{strings.Repeat("c", 1<<17)}, 20)
	file := write(t, capfile.WriterOptions{Application: strings.Repeat("a", 1<<17)},
		packet.Frame{Time: time.Unix(-1, 0), Len: 1, Data: []byte("abc"), Comments: many},
		packet.Frame{Len: 3, Data: []byte("def"), Comments: []string{"bad \xff"}})
	got := read(bytes.NewReader(file))
	if got.last != nil || got.stepped != 0 || !slices.Equal(got.data(), []string{"abc", "def"}) {
		t.Fatalf("read %q, %v, %v", got.data(), got.last, got.damages)
	}
	f := got.frames[0]
	if n := len(f.Comments); n < 10 || n == 20 || len(f.Comments[0]) != 65535 || f.Len != 3 || f.Time.Unix() != 0 {
		t.Errorf("%d comments, length %d, time %v", n, f.Len, f.Time)
	}
	if c := got.frames[1].Comments; !slices.Equal(c, []string{"bad ?"}) {
		t.Errorf("comments %q", c)
	}
	w := capfile.NewWriter(io.Discard, capfile.WriterOptions{})
	if err := w.Write(&packet.Frame{Data: make([]byte, 1<<18+1)}); err == nil {
		t.Error("wrote a packet that cannot be read again")
	}
	if err := w.Write(&packet.Frame{Data: make([]byte, 1<<18)}); err != nil {
		t.Error(err)
	}
}

// TestWriterInterfaces describes interfaces of which no frame came.
func TestWriterInterfaces(t *testing.T) {
	o := capfile.WriterOptions{SnapLen: 99, Filter: "icmp", Interfaces: []capfile.WriterInterface{
		{Iface: 3, Name: "eth3", Link: packet.LinkRaw}, {Iface: 3, Name: "again", Link: packet.LinkRaw}, {Iface: 4, Name: "eth4", Link: packet.LinkEthernet},
	}}
	var out bytes.Buffer
	w := capfile.NewWriter(&out, o)
	for _, f := range []packet.Frame{{Link: packet.LinkNull}, {Iface: 4, IfaceName: "renamed", Link: packet.LinkEthernet}} {
		if err := w.Write(&f); err != nil {
			t.Fatal(err)
		}
	}
	w.Statistics(second, capfile.Statistics{Received: 1 << 40, Dropped: 3})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got := read(&out)
	want := []capfile.Interface{
		{Link: packet.LinkRaw, SnapLen: 99, Name: "eth3", Filter: "icmp", Statistics: &capfile.Statistics{Received: 1 << 40, Dropped: 3}},
		{Link: packet.LinkEthernet, SnapLen: 99, Name: "eth4", Filter: "icmp"},
		{Link: packet.LinkNull, SnapLen: 99, Filter: "icmp"},
	}
	if got.last != nil || !reflect.DeepEqual(got.reader.Interfaces(), want) || got.frames[0].Iface != 2 || got.frames[1].Iface != 1 {
		t.Errorf("read %+v, %v, interfaces %+v", got.frames, got.last, got.reader.Interfaces())
	}
}

// full is a file on a disk that has room for so many bytes.
type full struct {
	*os.File
	room int
}

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), f.room)
	f.room -= n
	n, err := f.File.Write(b[:n])
	if err == nil && n < len(b) {
		err = errors.New("no space left")
	}
	return n, err
}

// TestWriterCutsBack fills the disk at every byte of a capture that stands
// behind something else: what is left is whole blocks.
func TestWriterCutsBack(t *testing.T) {
	frames := []packet.Frame{{Len: 5, Data: []byte("abcde")}, {Len: 6, Data: []byte("defghi")}}
	whole := write(t, capfile.WriterOptions{}, frames...)
	name := filepath.Join(t.TempDir(), "capture")
	const before = "what was there"
	for room := range len(whole) {
		if err := os.WriteFile(name, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		w := capfile.NewWriter(&full{file, room}, capfile.WriterOptions{})
		for i := range frames {
			if err := w.Write(&frames[i]); err != nil {
				t.Fatal(err)
			}
		}
		first := w.Flush()
		if again := w.Write(&frames[0]); first == nil || again != first || w.Flush() != first {
			t.Errorf("%d bytes: %v, then %v", room, first, again)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(left), before) {
			t.Fatalf("%d bytes: left %q, %v", room, left, err)
		}
		left = left[len(before):]
		if int64(len(left)) != w.Size() || len(left) > room || !bytes.HasPrefix(whole, left) {
			t.Errorf("%d bytes: left %d bytes, size %d", room, len(left), w.Size())
		}
		if got := read(bytes.NewReader(left)); len(left) > 0 && got.last != nil {
			t.Errorf("%d bytes: reads as %v", room, got.last)
		}
	}
}

// TestWriterToPipe fails in the middle of what cannot be truncated.
func TestWriterToPipe(t *testing.T) {
	w := capfile.NewWriter(shortWriter{}, capfile.WriterOptions{})
	if err := w.Flush(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("flushed: %v", err)
	}
}

type shortWriter struct{}

func (shortWriter) Write(b []byte) (int, error) { return len(b) / 2, nil }

// TestWriterNoAllocation writes frames as captures mostly have them.
func TestWriterNoAllocation(t *testing.T) {
	w := capfile.NewWriter(io.Discard, capfile.WriterOptions{})
	f := packet.Frame{Time: second, Len: 98, Data: make([]byte, 98), Direction: packet.Incoming}
	for range 2000 { // until the buffer has its size
		if err := w.Write(&f); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(1000, func() {
		if err := w.Write(&f); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}
