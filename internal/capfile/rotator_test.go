package capfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// A disk holds files in memory and refuses those that are named.
type disk struct {
	files   map[string]*bytes.Buffer
	open    map[string]int
	opened  []string
	refuses map[string]bool
}

type diskFile struct {
	*bytes.Buffer
	d    *disk
	name string
}

func newDisk() *disk {
	return &disk{files: map[string]*bytes.Buffer{}, open: map[string]int{}, refuses: map[string]bool{}}
}

func (d *disk) create(name string) (io.WriteCloser, error) {
	if d.refuses[name] {
		return nil, fmt.Errorf("create %s: refused", name)
	}
	d.files[name] = &bytes.Buffer{}
	d.open[name]++
	d.opened = append(d.opened, name)
	return diskFile{d.files[name], d, name}, nil
}

func (f diskFile) Close() error {
	f.d.open[f.name]--
	return nil
}

// contents returns the frames of each file.
func (d *disk) contents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, file := range d.files {
		if d.open[name] != 0 {
			t.Errorf("%s is open %d times", name, d.open[name])
		}
		got := read(bytes.NewReader(file.Bytes()))
		if got.last != nil || got.stepped != 0 {
			t.Errorf("%s: %v, %v", name, got.last, got.damages)
		}
		all[name] = strings.Join(got.data(), " ")
	}
	return all
}

// TestRotation writes frames "0", "1", ... one second apart. Behind the headers
// a file of more than 300 bytes has six of them.
func TestRotation(t *testing.T) {
	for _, tc := range []struct {
		name    string
		o       capfile.Rotation
		frames  int
		refuses string
		want    map[string]string
		opened  string
		notices int
		enough  bool
	}{
		{name: "one file", o: capfile.Rotation{Name: "f%S"}, frames: 3, want: map[string]string{"f%S": "0 1 2"}},
		{name: "size", o: capfile.Rotation{Name: "f", Size: 150}, frames: 5,
			want: map[string]string{"f": "0 1", "f1": "2 3", "f2": "4"}},
		{name: "size, ring of two", o: capfile.Rotation{Name: "f", Size: 150, Files: 2}, frames: 7,
			want: map[string]string{"f0": "4 5", "f1": "6"}, opened: "f0 f1 f0 f1"},
		{name: "size, ring of eleven", o: capfile.Rotation{Name: "f", Size: 150, Files: 11}, frames: 3,
			want: map[string]string{"f00": "0 1", "f01": "2"}},
		{name: "size, one file over and over", o: capfile.Rotation{Name: "f", Size: 150, Files: 1}, frames: 5,
			want: map[string]string{"f": "4"}, opened: "f f f"},
		{name: "period", o: capfile.Rotation{Name: "f%M%S", Period: 2 * time.Second}, frames: 5,
			want: map[string]string{"f1320": "0 1", "f1322": "2 3", "f1324": "4"}},
		{name: "period, no conversion", o: capfile.Rotation{Name: "f", Period: 2 * time.Second}, frames: 5,
			want: map[string]string{"f": "4"}, opened: "f f f"},
		{name: "period, two files", o: capfile.Rotation{Name: "f%S", Period: 2 * time.Second, Files: 2}, frames: 5,
			want: map[string]string{"f20": "0 1", "f22": "2 3"}, enough: true},
		{name: "period and size", o: capfile.Rotation{Name: "f%S_", Period: 3 * time.Second, Size: 150}, frames: 5,
			want: map[string]string{"f20_": "0 1", "f20_1": "2", "f23_": "3 4"}},
		{name: "period, size and ring of two", o: capfile.Rotation{Name: "f%S_", Period: 5 * time.Second, Size: 150, Files: 2}, frames: 6,
			want: map[string]string{"f20_0": "4", "f20_1": "2 3", "f25_0": "5"}},
		{name: "next file refused", o: capfile.Rotation{Name: "f", Size: 150}, frames: 6, refuses: "f1",
			want: map[string]string{"f": "0 1 2 3 4 5"}, notices: 1},
		{name: "next period refused", o: capfile.Rotation{Name: "f%S", Period: 2 * time.Second}, frames: 6, refuses: "f22",
			want: map[string]string{"f20": "0 1 2 3", "f24": "4 5"}, notices: 1},
		{name: "same file refused", o: capfile.Rotation{Name: "f", Period: 2 * time.Second}, frames: 3, refuses: "f",
			want: map[string]string{"f": "0 1 2"}, notices: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDisk()
			notices := 0
			tc.o.Open, tc.o.Location = d.create, time.UTC
			tc.o.Notice = func(error) { notices++ }
			r, err := capfile.NewRotator(tc.o, capfile.WriterOptions{}, second)
			if err != nil {
				t.Fatal(err)
			}
			d.refuses[tc.refuses] = true
			for i := range tc.frames {
				f := packet.Frame{Time: second.Add(time.Duration(i) * time.Second), Len: 1, Data: fmt.Append(nil, i)}
				if err = r.Write(&f); err != nil {
					break
				}
			}
			if tc.enough != errors.Is(err, capfile.ErrEnough) || err != nil && !tc.enough {
				t.Errorf("wrote: %v", err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if got := d.contents(t); !maps.Equal(got, tc.want) {
				t.Errorf("files %v, want %v", got, tc.want)
			}
			if opened := strings.Join(d.opened, " "); tc.opened != "" && opened != tc.opened {
				t.Errorf("opened %s, want %s", opened, tc.opened)
			}
			if notices != tc.notices {
				t.Errorf("%d notices, want %d", notices, tc.notices)
			}
		})
	}
}

// TestRotationRetries goes on in the old file for one more size, and then finds
// the next one.
func TestRotationRetries(t *testing.T) {
	d := newDisk()
	var notice error
	r, err := capfile.NewRotator(capfile.Rotation{Name: "f", Size: 200, Open: d.create, Notice: func(err error) { notice = err }}, capfile.WriterOptions{}, second)
	if err != nil {
		t.Fatal(err)
	}
	d.refuses["f1"] = true
	for i := range 20 {
		if err := r.Write(&packet.Frame{Len: 1, Data: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
		if notice != nil {
			d.refuses["f1"] = false
		}
		if r.Name() == "f1" {
			break
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := d.contents(t); len(got) != 2 || notice == nil || !strings.Contains(notice.Error(), "goes on in f:") || len(strings.Fields(got["f"])) < 8 {
		t.Errorf("files %v, notice %v", got, notice)
	}
}

// TestAdvance ends a capture whose last period is over without a frame. Each
// file ends with the counts.
func TestAdvance(t *testing.T) {
	d := newDisk()
	o := capfile.Rotation{Name: "f%S", Period: time.Second, Files: 2, Open: d.create, Location: time.UTC,
		Counts: func() capfile.Statistics { return capfile.Statistics{Received: 3, Dropped: 1} }}
	wo := capfile.WriterOptions{Interfaces: []capfile.WriterInterface{{Iface: 1, Name: "lo"}}}
	r, err := capfile.NewRotator(o, wo, second)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  error
	}{{999 * time.Millisecond, nil}, {time.Second, nil}, {1500 * time.Millisecond, nil}, {2 * time.Second, capfile.ErrEnough}, {0, capfile.ErrEnough}} {
		if err := r.Advance(second.Add(step.after)); err != step.want {
			t.Errorf("after %v: %v, want %v", step.after, err, step.want)
		}
	}
	if err := r.Write(&packet.Frame{}); err != capfile.ErrEnough {
		t.Errorf("wrote: %v", err)
	}
	if err := errors.Join(r.Flush(), r.Close()); err != nil {
		t.Error(err)
	}
	if !slices.Equal(d.opened, []string{"f20", "f21"}) {
		t.Errorf("opened %v", d.opened)
	}
	for name, file := range d.files {
		got := read(bytes.NewReader(file.Bytes()))
		if s := got.reader.Interfaces()[0].Statistics; s == nil || *s != (capfile.Statistics{Received: 3, Dropped: 1}) {
			t.Errorf("%s: statistics %v", name, s)
		}
	}
}

func TestRotatorRefuses(t *testing.T) {
	d := newDisk()
	for _, o := range []capfile.Rotation{
		{Name: "f", Files: 2}, {Name: "f", Size: -1}, {Name: "f", Period: -1}, {Name: "f", Files: -1, Size: 1},
		{Name: "f%", Period: 1}, {Name: "f%Q", Period: 1},
	} {
		o.Open = d.create
		if _, err := capfile.NewRotator(o, capfile.WriterOptions{}, second); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if len(d.opened) != 0 {
		t.Errorf("opened %v", d.opened)
	}
}

// TestRotatorOnDisk writes real files, over ones that are there.
func TestRotatorOnDisk(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "capture.pcapng")
	if err := os.WriteFile(name, bytes.Repeat([]byte("old"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := capfile.CheckDirectory(name); err != nil {
		t.Fatal(err)
	}
	r, err := capfile.NewRotator(capfile.Rotation{Name: name, Size: 150}, capfile.WriterOptions{}, second)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := r.Write(&packet.Frame{Data: []byte("abc")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{name: 2, name + "1": 1} {
		if n, last := readAll(t, file, func(*packet.Frame) {}); n != want || last != io.EOF {
			t.Errorf("%s: %d frames, %v; want %d", file, n, last, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left %v, %v", entries, err)
	}
	odd := "/proc/self/comm" // can be written to, and stands in a directory that takes no files
	if err := capfile.CheckDirectory(odd); err == nil {
		t.Error("a directory that takes no files passes")
	}
	for _, o := range []capfile.Rotation{{Name: odd, Size: 150}, {Name: odd, Period: time.Second}} {
		if _, err := capfile.NewRotator(o, capfile.WriterOptions{}, second); err == nil || !strings.Contains(err.Error(), "check directory") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	missing := filepath.Join(dir, "missing", "capture")
	if err := capfile.CheckDirectory(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("checked: %v", err)
	}
	if _, err := capfile.NewRotator(capfile.Rotation{Name: missing}, capfile.WriterOptions{}, second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opened: %v", err)
	}
}

func TestFileNames(t *testing.T) {
	at := time.Date(2024, 12, 30, 4, 5, 6, 0, time.FixedZone("X", 3600))
	for format, want := range map[string]string{
		"%Y%m%d-%H%M%S.pcap":       "20241230-040506.pcap",
		"%s %%":                    "1735527906 %",
		"%F %T %R %D":              "2024-12-30 04:05:06 04:05 12/30/24",
		"%a %A %b %h %B %e %j %y":  "Mon Monday Dec Dec December 30 365 24",
		"%I%p %k %C %Z %z":         "04AM  4 20 X +0100",
		"%u %w %V %G %g %U %W end": "1 1 01 2025 25 52 53 end",
	} {
		d := newDisk()
		o := capfile.Rotation{Name: format, Period: time.Hour, Open: d.create, Location: at.Location()}
		r, err := capfile.NewRotator(o, capfile.WriterOptions{}, at)
		if err != nil {
			t.Fatal(err)
		}
		if r.Name() != want {
			t.Errorf("%s: %q, want %q", format, r.Name(), want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"1": 1000000, "25": 25000000, "2k": 2048, "2K": 2048, "3m": 3 << 20, "4G": 4 << 30, "9223372036854": 9223372036854000000,
		"": 0, "0": 0, "k": 0, "-1": 0, "+1": 0, "1.5": 0, "1kb": 0, "9223372036855": 0, "9999999999999999999": 0, "8589934592g": 0,
	} {
		got, err := capfile.ParseSize(s)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v; want %d", s, got, err, want)
		}
	}
}
