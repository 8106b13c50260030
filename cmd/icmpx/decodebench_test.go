package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// framesOf returns the frames of a capture.
func framesOf(t *testing.T, name string) *frames {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capfile.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list frames
	for {
		var frame packet.Frame
		err := r.Next(&frame)
		if errors.Is(err, io.EOF) {
			return &list
		}
		if err != nil {
			t.Fatal(err)
		}
		frame.Data = slices.Clone(frame.Data)
		list = append(list, frame)
	}
}

// writePings writes a capture of n frames of 98 bytes: echo requests and their
// replies, ten thousand a second.
func writePings(w io.Writer, n int) error {
	b := bufio.NewWriterSize(w, 1<<20)
	head := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0}
	if _, err := b.Write(head); err != nil {
		return err
	}
	frame := make([]byte, 16+98)
	for i := range n {
		binary.LittleEndian.PutUint32(frame, uint32(1700000000+i/10000))
		binary.LittleEndian.PutUint32(frame[4:], uint32(i%10000*100))
		frame[8], frame[12] = 98, 98
		copy(frame[16:], "\x02\x00\x00\x00\x00\x0a\x02\x00\x00\x00\x00\x0b\x08\x00")
		ip, msg := frame[30:50], frame[50:]
		copy(ip, "\x45\x00\x00\x54\x00\x00\x40\x00\x40\x01\x00\x00\xc0\x00\x02\x01\xc6\x33\x64\x02")
		icmpx.PutEcho(msg, 8, 0, 0x1234, uint16(i/2))
		if i%2 == 1 {
			copy(ip[12:], "\xc6\x33\x64\x02\xc0\x00\x02\x01")
			icmpx.PutEcho(msg, 0, 0, 0x1234, uint16(i/2))
		}
		binary.BigEndian.PutUint16(ip[10:], icmpx.Checksum(ip))
		icmpx.FillPayload(msg[8:], uint64(i/2), nil)
		msg[2], msg[3] = 0, 0
		binary.BigEndian.PutUint16(msg[2:], icmpx.Checksum(msg))
		if _, err := b.Write(frame); err != nil {
			return err
		}
	}
	return b.Flush()
}

// pingsFile returns the name of a capture of n pings. DECODE_CAPTURE names a
// file to keep it in, for other programs to read.
func pingsFile(tb testing.TB, n int) string {
	tb.Helper()
	name := os.Getenv("DECODE_CAPTURE")
	if name == "" {
		name = filepath.Join(tb.TempDir(), "pings.pcap")
	}
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(writePings(f, n), f.Close()); err != nil {
		tb.Fatal(err)
	}
	return name
}

// decodeTo decodes a file as the command does, in one of its views.
func decodeTo(tb testing.TB, stdout io.Writer, args ...string) {
	tb.Helper()
	sys := &system{stdout: stdout, stderr: io.Discard, drop: func() error { return nil }}
	if code := run(tb.Context(), append([]string{"decode"}, args...), sys); code != exitOK {
		tb.Fatalf("exit code %d", code)
	}
}

// BenchmarkDecodeMillion decodes a capture of a million pings.
func BenchmarkDecodeMillion(b *testing.B) {
	const n = 1_000_000
	name := pingsFile(b, n)
	for _, view := range []struct{ name, flag string }{
		{"line", "-n"}, {"json", "--json"}, {"tree", "-v"}, {"bytes", "-x"}, {"pair", "--pair"}, {"stats", "--stats"},
	} {
		b.Run(view.name, func(b *testing.B) {
			for b.Loop() {
				out, err := os.Create(filepath.Join(b.TempDir(), "out"))
				if err != nil {
					b.Fatal(err)
				}
				decodeTo(b, out, view.flag, name)
				if err := out.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/packet")
		})
	}
}

// TestDecodeAllocations makes sure that no view allocates for each packet, so
// that neither time nor memory grows with the file.
func TestDecodeAllocations(t *testing.T) {
	short, long := pingsFile(t, 1000), filepath.Join(t.TempDir(), "long.pcap")
	f, err := os.Create(long)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writePings(f, 21000), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-n", "--json", "-x"} {
		count := func(name string) uint64 {
			decodeTo(t, io.Discard, flag, name)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			decodeTo(t, io.Discard, flag, name)
			runtime.ReadMemStats(&after)
			return after.Mallocs - before.Mallocs
		}
		if n := int(count(long)) - int(count(short)); n > 1000 {
			t.Errorf("%s: %d allocations more for 20,000 packets more", flag, n)
		}
	}
}
