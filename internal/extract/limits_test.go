package extract

import (
	"bytes"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/packet"
)

// TestNotOverwritten checks that nothing that is there is changed, links least.
func TestNotOverwritten(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	name := filepath.Join(dir, "192.0.2.1_198.51.100.2_id7_request")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, name+"-2"); err != nil {
		t.Fatal(err)
	}
	var path string
	x, err := New(dir, Options{Sink: func(f *File) { path = f.Path }})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Check(); err != nil {
		t.Error(err)
	}
	if err := x.Add(echo(client, server, 7, 1, []byte("theirs"))); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil || string(b) != "mine" {
		t.Errorf("the file is %q: %v", b, err)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a link was followed")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "theirs" || path != name+"-3" {
		t.Errorf("%s is %q: %v", path, b, err)
	}
}

func TestNewErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file, Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file in place of the directory: %v", err)
	}
	if _, err := New(filepath.Join(file, "dir"), Options{}); err == nil {
		t.Error("a directory in a file")
	}
}

// TestManyConversations checks that many conversations end early, and that files
// stop where told, without a payload in the wrong place.
func TestManyConversations(t *testing.T) {
	var packets []*packet.Packet
	for i := range 300 {
		a := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		packets = append(packets, echo(a, server, uint16(i), 1, []byte{byte(i), byte(i >> 8)}))
	}
	var x *Extractor
	files := 0
	x, err := New(t.TempDir(), Options{Flows: 8, Files: 200, Sink: func(f *File) {
		files++
		b, err := os.ReadFile(f.Path)
		if err != nil || !bytes.Equal(b, []byte{byte(f.ID), byte(f.ID >> 8)}) {
			t.Errorf("%s is %q: %v", f.Path, b, err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		p.Frame.Number = i + 1
		if err := x.Add(p); err != nil {
			t.Fatal(err)
		}
		if len(x.flows) > 8 {
			t.Fatalf("%d conversations are open", len(x.flows))
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if want := (Stats{Conversations: 300, Files: 200, Skipped: 100}); x.Stats() != want || files != 200 {
		t.Errorf("got %+v, want %+v", x.Stats(), want)
	}
	if x.spool.used != 0 || x.spool.end > 9*firstBlock || x.extents != 0 {
		t.Errorf("the spool has %d bytes in use and ends at %d; %d extents", x.spool.used, x.spool.end, x.extents)
	}
}

// TestFullSpool checks that payloads beyond the limit are dropped and counted.
func TestFullSpool(t *testing.T) {
	got := extract(t, Options{Bytes: 10}, transferOf([]byte("0123456789abcdef"), 4, 1))
	if len(got) != 1 || string(got[0].data) != "01234567" || got[0].Dropped != 2 {
		t.Errorf("got %+v", got)
	}
}

// TestDisorder feeds payloads in the worst order: memory is bounded, and the
// conversation goes on in another file.
func TestDisorder(t *testing.T) {
	var files []File
	x, err := New(t.TempDir(), Options{Sink: func(f *File) { files = append(files, *f) }})
	if err != nil {
		t.Fatal(err)
	}
	p := echo(client, server, 7, 0, []byte{1, 2})
	const n = 3 * maxExtents
	for i := range n {
		p.Frame.Number = i + 1
		p.Message = p.Message[:9+i%2] // no two of one size
		p.MessageLen = len(p.Message)
		p.Message[6], p.Message[7] = byte(i>>8), byte(i)
		if err := x.Add(p); err != nil {
			t.Fatal(err)
		}
		if x.extents > maxExtents {
			t.Fatalf("%d extents", x.extents)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	var payloads int64
	for _, f := range files {
		payloads += f.Payloads
	}
	if len(files) != 3 || payloads != n {
		t.Errorf("%d files with %d payloads, want %d", len(files), payloads, n)
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		key  flowKey
		part int
		want string
	}{
		{flowKey{client, server, 7, true}, 0, "192.0.2.1_198.51.100.2_id7_request"},
		{flowKey{netip.MustParseAddr("::1"), netip.MustParseAddr("2001:db8::2"), 65535, false}, 2, "0--1_2001-db8--2_id65535_reply_part2"},
		{flowKey{netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("fe80::1%../../x"), 0, false}, 0, "0--ffff-192.0.2.1_fe80--1_id0_reply"},
		{flowKey{}, 0, "unknown_unknown_id0_reply"},
	}
	for _, tt := range tests {
		if got := fileName(tt.key, tt.part); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestRecognise(t *testing.T) {
	dos := append([]byte("MZ\x90\x00"), make([]byte, 60)...)
	tests := []struct{ head, want string }{
		{"", anything},
		{"\xff\xd8\xff\xe0", "image/jpeg"},
		{"\xff\xd8", anything},
		{"RIFF\x00\x00\x00\x00WEBP", "image/webp"},
		{"LIST\x00\x00\x00\x00WEBP", anything},
		{"PK\x03\x04", "application/zip"},
		{"PK", plainText},
		{"\x00\x00\x00\x20ftypheic", "image/heic"},
		{"\x00\x00\x00\x20ftypisom", "video/mp4"},
		{strings.Repeat("\x00", 257) + "ustar", "application/x-tar"},
		{string(dos), "application/vnd.microsoft.portable-executable"},
		{"MZ is how this text begins" + strings.Repeat(".", 64), plainText},
		{"BM ordinary text", plainText},
		{"BZh91AY&SY", "application/x-bzip2"},
		{"#!/bin/sh\n", "text/x-script"},
		{"abcdefghijklmnopqrstuvwabcdefghi", plainText},
		{"caf\u00e9\r\n", plainText},
		{"caf\xc3", anything},
		{strings.Repeat("a", headLen-1) + "\xc3\xa9", plainText}, // cut within a character
		{"caf\xe9s", anything},
		{"a\x1b[2J", anything},
		{"a\x00", anything},
		{"\u0085", anything},
		{"\xc3", anything},
	}
	for _, tt := range tests {
		if got := Recognise([]byte(tt.head)); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.head, got, tt.want)
		}
	}
}

// FuzzExtract feeds whatever comes: nothing panics, all files are inside of the
// directory, and each holds as many bytes as is said.
func FuzzExtract(f *testing.F) {
	f.Add([]byte("\x08\x00\x00\x01\x05abcde\x08\x00\x00\x02\x03xyz\x00\x00\x01\x00\x02ab"))
	f.Add(bytes.Repeat([]byte{0, 1, 2, 3}, 100))
	f.Fuzz(func(t *testing.T, in []byte) {
		dir := t.TempDir()
		inner := filepath.Join(dir, "inner")
		bytesOf := map[string]int64{}
		x, err := New(inner, Options{Flows: 3, Files: 50, Sink: func(f *File) { bytesOf[filepath.Base(f.Path)] = f.Bytes }})
		if err != nil {
			t.Fatal(err)
		}
		frame := 0
		for len(in) >= 5 {
			n := min(int(in[4]), len(in)-5)
			src := client
			if in[0]&1 != 0 {
				var b [16]byte
				copy(b[:], in)
				src = netip.AddrFrom16(b).WithZone("../x")
			}
			p := echo(src, server, uint16(in[1]&3), uint16(in[2])<<8|uint16(in[3]), in[5:5+n])
			frame++
			p.Frame.Number = frame
			p.Partial = in[0]&2 != 0
			p.MessageLen += int(in[0] & 4)
			p.Frame.Time = start.AddDate(0, 0, int(in[0]>>4)-8)
			if err := x.Add(p); err != nil {
				t.Fatal(err)
			}
			in = in[5+n:]
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		found := 0
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			found++
			info, err := d.Info()
			if want, ok := bytesOf[d.Name()]; !ok || err != nil || filepath.Dir(path) != inner || info.Size() != want {
				t.Errorf("%s has %d bytes, want %d: %v", path, info.Size(), want, err)
			}
			return nil
		})
		if err != nil || found != len(bytesOf) {
			t.Errorf("%d files, want %d: %v", found, len(bytesOf), err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	x, err := New(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	p := echo(client, server, 7, 0, make([]byte, 1400))
	b.SetBytes(1400)
	b.ReportAllocs()
	for i := range b.N {
		p.Frame.Number = i + 1
		p.Message[6], p.Message[7] = byte(i>>8), byte(i)
		if err := x.Add(p); err != nil {
			b.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
}
