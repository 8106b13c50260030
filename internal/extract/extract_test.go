package extract

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

var (
	client = netip.MustParseAddr("192.0.2.1")
	server = netip.MustParseAddr("198.51.100.2")
	start  = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// echo returns what a decoder makes of an echo request.
func echo(src, dst netip.Addr, id, seq uint16, data []byte) *packet.Packet {
	f := icmpx.FamilyOf(src)
	m := make([]byte, 8, 8+len(data))
	m[0] = 8
	if f == icmpx.IPv6 {
		m[0] = 128
	}
	binary.BigEndian.PutUint16(m[4:], id)
	binary.BigEndian.PutUint16(m[6:], seq)
	m = append(m, data...)
	return &packet.Packet{
		Frame: &packet.Frame{Number: 1, Time: start}, IP: packet.IP{Family: f, Src: src, Dst: dst},
		ICMP: f, Message: m, MessageLen: len(m), Type: m[0], Checksum: packet.Good,
	}
}

// A result is a file with what is in it.
type result struct {
	File
	data []byte
}

// extract adds packets and returns the files.
func extract(t *testing.T, o Options, packets []*packet.Packet) []result {
	t.Helper()
	var got []result
	dir := t.TempDir()
	o.Sink = func(f *File) {
		b, err := os.ReadFile(f.Path)
		if err != nil {
			t.Error(err)
		}
		got = append(got, result{*f, b})
	}
	x, err := New(filepath.Join(dir, "new", "dir"), o)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		p.Frame.Number = i + 1
		if err := x.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "new", "dir"))
	if err != nil || len(entries) != len(got) || x.Stats().Files != len(got) {
		t.Errorf("%d entries in the directory, %d files, stats %+v: %v", len(entries), len(got), x.Stats(), err)
	}
	return got
}

// transferOf cuts a file into payloads, numbered from first on.
func transferOf(file []byte, chunk int, first uint16) []*packet.Packet {
	var list []*packet.Packet
	for b := range slices.Chunk(file, chunk) {
		list = append(list, echo(client, server, 7, first, b))
		first++
	}
	return list
}

func noise(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestTransfer carries files as the ping of this project sends them: chunk n is
// sequence number n, from 1, and wraps.
func TestTransfer(t *testing.T) {
	for _, tt := range []struct {
		size, chunk int
		first       uint16
	}{
		{1, 1400, 1}, {1400, 1400, 1}, {1401, 1400, 1}, {100_000, 1400, 1}, {100_000, 17, 65_000},
		{3 * 70_000, 3, 1}, {70_000, 1, 40_000}, {300_000, 65_507, 65_535},
	} {
		file := noise(tt.size, uint64(tt.size))
		got := extract(t, Options{}, transferOf(file, tt.chunk, tt.first))
		if len(got) != 1 || !bytes.Equal(got[0].data, file) || got[0].Missing != 0 || got[0].Parts != 0 || got[0].FirstSeq != tt.first {
			t.Errorf("%+v: %d files, %+v", tt, len(got), got[0].File)
		}
	}
}

// TestAnyOrder checks that order, repeats and other conversations make no
// difference.
func TestAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range 30 {
		file, other := noise(1+rng.IntN(200_000), uint64(round)), noise(5000, 99)
		packets := transferOf(file, 100, uint16(rng.Uint32()))
		for i, b := range slices.Collect(slices.Chunk(other, 500)) {
			packets = append(packets, echo(server, client, 7, uint16(i), b), echo(client, server, 8, uint16(i)<<8, b))
		}
		for range rng.IntN(1000) {
			packets = append(packets, packets[rng.IntN(len(packets))])
		}
		rng.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
		for i := range packets { // a repeated packet has a frame of its own
			p := *packets[i]
			frame := *p.Frame
			p.Frame = &frame
			packets[i] = &p
		}
		got := extract(t, Options{}, packets)
		if len(got) != 3 {
			t.Fatalf("round %d: %d files", round, len(got))
		}
		for _, f := range got {
			want := other
			if f.Src == client && f.ID == 7 {
				want = file
			}
			if !bytes.Equal(f.data, want) || f.Missing != 0 || f.Conflicted != 0 {
				t.Errorf("round %d: %d bytes, want %d; %+v", round, len(f.data), len(want), f.File)
			}
		}
	}
}

// TestLateOrder checks the order beyond the numbers that are collected first.
func TestLateOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	file := noise(200_000, 5)
	for _, little := range []bool{false, true} {
		packets := transferOf(file, 4, 40_000) // the numbers wrap
		for i := 0; i+100 < len(packets); i += 50 {
			rng.Shuffle(100, func(a, b int) { packets[i+a], packets[i+b] = packets[i+b], packets[i+a] })
		}
		if little {
			for _, p := range packets {
				p.Message[6], p.Message[7] = p.Message[7], p.Message[6]
			}
		}
		got := extract(t, Options{}, packets)
		if len(got) != 1 || !bytes.Equal(got[0].data, file) || got[0].Missing != 0 || got[0].LittleEndian != little {
			t.Errorf("little %v: %d files, %+v", little, len(got), got[0].File)
		}
	}
}

// TestAccount checks what is said of a conversation with faults.
func TestAccount(t *testing.T) {
	data := func(n int) []byte { return fmt.Appendf(nil, "payload %04d\n", n) }
	var packets []*packet.Packet
	for _, seq := range []int{0, 1, 2, 5, 6, 7, 9} {
		packets = append(packets, echo(client, server, 7, uint16(65534+seq), data(seq)))
	}
	again := echo(client, server, 7, 65535, data(1))
	other := echo(client, server, 7, 0, data(99))
	bad := echo(client, server, 7, 8, data(10))
	bad.Checksum = packet.Bad
	short := echo(client, server, 7, 9, []byte("short"))
	short.MessageLen = 1000
	fragment := echo(client, server, 7, 10, data(12))
	fragment.IP.Fragment, fragment.Partial = true, true
	empty := echo(client, server, 7, 10, nil)
	packets = append(packets, again, other, bad, short, fragment, empty)
	got := extract(t, Options{}, packets)
	if len(got) != 1 {
		t.Fatalf("%d files", len(got))
	}
	f := got[0].File
	want := "payload 0000\npayload 0001\npayload 0002\npayload 0005\npayload 0006\npayload 0007\npayload 0009\npayload 0010\nshort"
	if string(got[0].data) != want {
		t.Errorf("got %q", got[0].data)
	}
	if f.Payloads != 10 || f.Repeats != 1 || f.Conflicted != 1 || f.Conflicts[0] != (Conflict{0, 9}) || f.BadChecksums != 1 || f.CutShort != 1 ||
		f.FirstSeq != 65534 || f.LastSeq != 10 || f.FirstFrame != 1 || f.LastFrame != 13 || f.Type != "text/plain" {
		t.Errorf("got %+v", f)
	}
	if gaps := []Gap{{0, 2}, {5, 1}}; !slices.Equal(f.Gaps, gaps) || f.Missing != 3 {
		t.Errorf("got %+v, want %+v", f.Gaps, gaps)
	}
}

// TestAnew checks that numbers that begin again after a silence begin another
// file.
func TestAnew(t *testing.T) {
	packets := transferOf([]byte("first text, in pieces"), 4, 1)
	for _, p := range transferOf([]byte("another text, in other pieces"), 4, 1) {
		p.Frame.Time = start.Add(time.Hour)
		packets = append(packets, p)
	}
	got := extract(t, Options{}, packets)
	if len(got) != 2 || string(got[0].data) != "first text, in pieces" || string(got[1].data) != "another text, in other pieces" ||
		filepath.Base(got[1].Path) != filepath.Base(got[0].Path)+"-2" || got[0].Conflicted+got[1].Conflicted != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestCut cuts conversations into transfers.
func TestCut(t *testing.T) {
	ping := []byte("abcdefghijklmnopqrstuvwabcdefghi")
	png := append([]byte("\x89PNG\r\n\x1a\n"), noise(600, 3)...)
	sized := func(n int, seed uint64) []byte { return noise(n, seed) }
	tests := []struct {
		name     string
		payloads [][]byte
		parts    [][]int // numbers of the payloads of each part
	}{
		{"one size", [][]byte{sized(100, 1), sized(100, 2)}, nil},
		{"short end", [][]byte{sized(100, 1), sized(100, 2), sized(50, 3)}, nil},
		{"pings around", [][]byte{ping, sized(100, 1), sized(100, 2), ping}, [][]int{{1, 2}}},
		{"pings around, short end", [][]byte{ping, ping, sized(100, 1), sized(100, 2), sized(31, 3), ping, ping}, [][]int{{2, 3, 4}}},
		{"a ping behind", [][]byte{sized(100, 1), sized(100, 2), ping}, [][]int{{0, 1}}},
		{"zeros behind", [][]byte{sized(100, 1), sized(100, 2), make([]byte, 56)}, [][]int{{0, 1}}},
		{"two transfers", [][]byte{sized(100, 1), sized(100, 2), sized(31, 3), sized(200, 4), sized(200, 5)}, [][]int{{0, 1, 2}, {3, 4}}},
		{"one picture", [][]byte{ping, png, ping}, [][]int{{1}}},
		{"one payload of noise", [][]byte{ping, sized(300, 1), ping}, nil},
		{"the same again and again", [][]byte{ping, sized(100, 1), sized(100, 1), sized(100, 1), ping}, nil},
		{"an empty ping", [][]byte{nil, sized(100, 1), sized(100, 2)}, nil},
		{"an empty ping inside", [][]byte{ping, sized(100, 1), nil, sized(100, 2), ping}, [][]int{{1, 3}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var packets []*packet.Packet
			for i, b := range tt.payloads {
				packets = append(packets, echo(client, server, 7, uint16(100+i), b))
			}
			got := extract(t, Options{}, packets)
			if string(got[0].data) != string(bytes.Join(tt.payloads, nil)) || got[0].Parts != len(tt.parts) || len(got) != 1+len(tt.parts) {
				t.Fatalf("%d files, %+v", len(got), got[0].File)
			}
			for i, numbers := range tt.parts {
				var want []byte
				for _, n := range numbers {
					want = append(want, tt.payloads[n]...)
				}
				if f := got[i+1]; !bytes.Equal(f.data, want) || f.Part != i+1 || f.FirstSeq != uint16(100+numbers[0]) || !strings.HasSuffix(f.Path, fmt.Sprintf("_part%d", i+1)) {
					t.Errorf("part %d: %d bytes, want %d; %+v", i+1, len(f.data), len(want), f.File)
				}
			}
		})
	}
}

// TestManySizes checks that a tunnel, whose payloads have all sizes, is not cut.
func TestManySizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var packets []*packet.Packet
	var want []byte
	for i := range 5000 {
		b := noise(rng.IntN(300), uint64(i))
		want = append(want, b...)
		packets = append(packets, echo(client, server, 7, uint16(i), b))
	}
	got := extract(t, Options{}, packets)
	if len(got) != 1 || !bytes.Equal(got[0].data, want) {
		t.Errorf("%d files, %+v", len(got), got[0].File)
	}
}
