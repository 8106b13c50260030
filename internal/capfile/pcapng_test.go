package capfile_test

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

func TestPcapngContents(t *testing.T) {
	for name, e := range map[string]endian{"little-endian": le, "big-endian": be} {
		t.Run(name, func(t *testing.T) {
			number := func(v uint64) string { return string(e.AppendUint64(nil, v)) }
			file := join(
				shb(e, option(e, 4, "tool"), option(e, 1, "on the file")),
				idb(e, 1, 96, option(e, 2, "eth0"), option(e, 3, "uplink\x00"), option(e, 1, "on the interface"),
					option(e, 11, "\x00icmp"), option(e, 9, "\x09"), option(e, 0, "")),
				block(e, 0x0bad, []byte("custom")),
				idb(e, 101, 0, option(e, 14, number(100))),
				epb(e, 1, 1700000000_000005, "abcde", option(e, 1, "first"), option(e, 1, "second"), option(e, 2, string(words(e, 1)))),
				epb(e, 0, 1700000000_000000007, "", option(e, 2, string(words(e, 0x202)))),
				block(e, 3, words(e, 5), []byte("simple-")),
				block(e, 2, e.AppendUint16(e.AppendUint16(nil, 1), 3), words(e, uint32(1700000000_000000>>32), uint32(1700000000_000000&(1<<32-1)), 2, 70), []byte("ol")),
				block(e, 5, words(e, 0, 0, 0), option(e, 4, number(9)), option(e, 7, number(2))),
			)
			got := read(iotest.HalfReader(bytes.NewReader(file)))
			if got.last != nil || got.stepped != 0 {
				t.Fatalf("ends with %v, damages %v", got.last, got.damages)
			}
			want := []packet.Frame{
				{Number: 1, Time: second.Add(100*time.Second + 5*time.Microsecond), Len: 5, Data: []byte("abcde"), Link: packet.LinkRaw, Iface: 1, Comments: []string{"first", "second"}, Direction: packet.Incoming},
				{Number: 2, Time: second.Add(7), Data: []byte{}, Link: packet.LinkEthernet, IfaceName: "eth0", Direction: packet.Outgoing, Unfinished: true},
				{Number: 3, Len: 5, Data: []byte("simpl"), Link: packet.LinkEthernet, IfaceName: "eth0"},
				{Number: 4, Time: second.Add(100 * time.Second), Len: 70, Data: []byte("ol"), Link: packet.LinkRaw, Iface: 1},
			}
			if !reflect.DeepEqual(got.frames, want) {
				t.Errorf("read\n%+v, want\n%+v", got.frames, want)
			}
			ifaces := []capfile.Interface{
				{Link: packet.LinkEthernet, SnapLen: 96, Name: "eth0", Description: "uplink", Filter: "icmp", Comments: []string{"on the interface"}, Statistics: &capfile.Statistics{Received: 9, Dropped: 2}},
				{Link: packet.LinkRaw},
			}
			if r := got.reader; !reflect.DeepEqual(r.Interfaces(), ifaces) || !slices.Equal(r.Comments(), []string{"on the file"}) || r.Format() != "pcapng" {
				t.Errorf("%s, interfaces %+v, comments %q", r.Format(), r.Interfaces(), r.Comments())
			}
		})
	}
}

func TestPcapngTimes(t *testing.T) {
	for _, tc := range []struct {
		resolution byte
		offset     int64
		ticks      uint64
		want       time.Time
		stepped    int
	}{
		{6, 0, 1, time.Unix(0, 1000), 0},
		{0, 0, 1700000000, second, 0},
		{3, -1, 1700000000_500, second.Add(-500 * time.Millisecond), 0},
		{9, 0, 1<<64 - 1, time.Unix(18446744073, 709551615), 0},
		{12, 0, 1_999_999_999_999, time.Unix(1, 999999999), 0},
		{19, 0, 1<<64 - 1, time.Unix(1, 844674407), 0},
		{20, 0, 5, time.Time{}, 1}, // finer than 64 bits can count
		{0x80 | 1, 0, 3, time.Unix(1, 500000000), 0},
		{0x80 | 63, 0, 3 << 62, time.Unix(1, 500000000), 0},
		{0x80 | 64, 0, 5, time.Time{}, 1},
		{0xff, 0, 5, time.Time{}, 1},
		{6, 0, 1<<64 - 1, time.Time{}, 1}, // the year 586512
		{0, 1<<63 - 1, 1<<64 - 1, time.Time{}, 1},
		{0, -1 << 63, 0, time.Time{}, 1},
		{0, -62135596800, 0, time.Time{}, 1}, // the zero Time means none
		{0, -62135596800, 1, time.Time{}.Add(time.Second), 0},
		{0, 253402300799, 0, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), 0},
		{0, 253402300799, 1, time.Time{}, 1},
	} {
		t.Run(fmt.Sprintf("%#x%+d", tc.resolution, tc.offset), func(t *testing.T) {
			got := read(bytes.NewReader(join(shb(le),
				idb(le, 1, 0, option(le, 9, string([]byte{tc.resolution})), option(le, 14, string(le.AppendUint64(nil, uint64(tc.offset))))),
				epb(le, 0, tc.ticks, "abc"))))
			if len(got.frames) != 1 || !got.frames[0].Time.Equal(tc.want) || got.stepped != tc.stepped {
				t.Errorf("read %+v, damages %v; want %v", got.frames, got.damages, tc.want)
			}
		})
	}
}

// TestPcapngGoesOn has a damaged block in front of a good one.
func TestPcapngGoesOn(t *testing.T) {
	start := join(shb(le), idb(le, 1, 0))
	trailer := epb(le, 0, 1, "bad!")
	le.PutUint32(trailer[len(trailer)-4:], 99)
	odd := block(le, 6, words(le, 0, 0, 1, 3, 3), []byte("odd"))
	le.PutUint32(odd[4:], uint32(len(odd)-1))
	claims := epb(le, 0, 1, "abcd")
	le.PutUint32(claims[20:], 5)
	for _, tc := range []struct {
		name  string
		block []byte
		what  string
		data  []string
	}{
		{"trailer", trailer, "a block begins with length 36 and ends with 99", []string{"bad!", "good"}},
		{"length", odd, "the length of a block, 35, is no multiple of 4", []string{"odd", "good"}},
		{"captured length", claims, "a packet block says that it holds 5 bytes", []string{"good"}},
		{"interface", epb(le, 1, 1, "none"), "a packet of interface 1, which is not described", []string{"good"}},
		{"short packet", block(le, 6, words(le, 0)), "a packet block is too short", []string{"good"}},
		{"short simple packet", block(le, 3), "a packet block is too short", []string{"good"}},
		{"simple packet", block(le, 3, words(le, 100), []byte("part")), "a packet block says that it holds 100 bytes", []string{"part", "good"}},
		{"option", epb(le, 0, 1, "opts", words(le, 50<<16|1)), "an option is longer than its block", []string{"opts", "good"}},
		{"statistics", block(le, 5, words(le, 1, 0, 0)), "statistics of no interface that is described", []string{"good"}},
		{"interface description", block(le, 1), "the description of an interface is too short", []string{"good"}},
		{"long packet block", epb(le, 0, 1, strings.Repeat("x", 1<<20)), "a block of type 6 and 1048608 bytes is longer than is read", []string{"good"}},
		{"long packet", epb(le, 0, 1, strings.Repeat("x", 1<<18+1)), "a packet block says that it holds 262145 bytes", []string{"good"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(bytes.NewReader(join(start, tc.block, epb(le, 0, 2, "good"))))
			if got.last != nil || !slices.Equal(got.data(), tc.data) {
				t.Errorf("read %q, %v; want %q", got.data(), got.last, tc.data)
			}
			if got.stepped != 1 {
				t.Fatalf("damages %v", got.damages)
			}
			frame := 0
			if tc.name == "option" { // it is met behind the packet
				frame = 1
			}
			wantDamage(t, &got.damages[0], int64(len(start)), frame, tc.what)
		})
	}
}

// TestPcapngEnds has damage behind which nothing can be read.
func TestPcapngEnds(t *testing.T) {
	start := join(shb(le), idb(le, 1, 0), epb(le, 0, 1, "abc"))
	at := int64(len(start))
	noMagic := shb(le)
	noMagic[8]++
	version := shb(le)
	version[12] = 2
	for _, tc := range []struct {
		name   string
		tail   []byte
		offset int64
		what   string
	}{
		{"header of a block", []byte{6, 0, 0, 0, 1}, at + 5, "cut short in the header of a block"},
		{"block", epb(le, 0, 1, "abc")[:20], at + 20, "cut short in a block"},
		{"unknown block", block(le, 99, make([]byte, 1<<20))[:1<<19], at + 1<<19, "cut short in a block"},
		{"header of a section", shb(le)[:9], at + 9, "cut short in the header of a section"},
		{"length", words(le, 6, 8, 0, 8), at, "a block says that it is 8 bytes long"},
		{"highest length", words(le, 6, 1<<32-1, 0, 8), at, "the length of a block cannot be"},
		{"magic", noMagic, at, "a section without byte-order magic"},
		{"version", version, at, "version 2.0 of the format is not known"},
		{"short section", block(le, 0x0a0d0d0a, words(le, 0x1a2b3c4d)), at, "the header of a section is too short"},
		{"long section", words(le, 0x0a0d0d0a, 1<<24, 0x1a2b3c4d, 1), at, "the header of a section says that it is 16777216 bytes long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(bytes.NewReader(join(start, tc.tail)))
			wantDamage(t, got.last, tc.offset, 1, tc.what)
			if len(got.frames) != 1 {
				t.Errorf("%d frames", len(got.frames))
			}
		})
	}
}

// TestSectionsAreSeparate has interfaces and byte order end with a section.
func TestSectionsAreSeparate(t *testing.T) {
	got := read(bytes.NewReader(join(
		shb(le, option(le, 1, "one")), idb(le, 1, 0), idb(le, 1, 0), epb(le, 1, 1, "a"),
		shb(be), idb(be, 101, 0, option(be, 2, "b0")), epb(be, 1, 1, "x"), epb(be, 0, 1, "b"))))
	if !slices.Equal(got.data(), []string{"a", "b"}) || got.stepped != 1 || got.frames[1].Link != packet.LinkRaw || len(got.reader.Comments()) != 0 {
		t.Errorf("read %+v, damages %v, comments %q", got.frames, got.damages, got.reader.Comments())
	}
}

// repeated gives the same bytes many times.
type repeated struct {
	b     []byte
	at    int
	times int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.times == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[r.at:])
	if r.at += n; r.at == len(r.b) {
		r.at = 0
		r.times--
	}
	return n, nil
}

// TestMemory has captures that want much of it: claims of length, and endless
// descriptions.
func TestMemory(t *testing.T) {
	long := strings.Repeat("n", 60000)
	start := join(shb(le), idb(le, 1, 0))
	for _, tc := range []struct {
		name  string
		file  io.Reader
		alloc uint64 // in all
		live  uint64 // at the end
	}{
		{"claimed length", bytes.NewReader(join(start, words(le, 6, 1<<20, 0, 0))), 1 << 20, 1 << 20},
		{"claimed unknown block", bytes.NewReader(join(start, words(le, 99, 1<<32-4, 0, 0))), 1 << 20, 1 << 20},
		{"claimed pcap packet", bytes.NewReader(join(pcapHead(le, 0xa1b2c3d4, 2, 4, 0, 1), pcapRecord(le, "", 0, 0, 1<<18, 1<<18))), 1 << 20, 1 << 20},
		{"many interfaces", &repeated{b: idb(le, 1, 0, option(le, 2, long), option(le, 1, long), option(le, 1, "")), times: 1000}, 16 << 20, 6 << 20},
		{"many small interfaces", &repeated{b: idb(le, 1, 0), times: 100000}, 16 << 20, 6 << 20},
		{"many statistics", &repeated{b: block(le, 5, words(le, 0, 0, 0)), times: 100000}, 16 << 20, 2 << 20},
		{"many packets", &repeated{b: epb(le, 0, 1, long), times: 1000}, 2 << 20, 2 << 20},
		{"much damage", &repeated{b: epb(le, 9, 1, "abc"), times: 100000}, 32 << 20, 2 << 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var before, after, live runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			in := tc.file
			if r, ok := in.(*repeated); ok {
				in = io.MultiReader(bytes.NewReader(start), r)
			}
			r, err := capfile.NewReader(in)
			if err != nil {
				t.Fatal(err)
			}
			var f packet.Frame
			for r.Next(&f) == nil {
			}
			runtime.ReadMemStats(&after)
			runtime.GC()
			runtime.ReadMemStats(&live)
			if n := after.TotalAlloc - before.TotalAlloc; n > tc.alloc {
				t.Errorf("%d bytes allocated, want at most %d", n, tc.alloc)
			}
			if live.HeapAlloc > before.HeapAlloc+tc.live {
				t.Errorf("%d bytes live, want at most %d", live.HeapAlloc-before.HeapAlloc, tc.live)
			}
			runtime.KeepAlive(r)
		})
	}
}

// TestNoAllocation reads frames as captures mostly have them.
func TestNoAllocation(t *testing.T) {
	for name, file := range map[string][]byte{"pcap": pcapOf(2000, 98), "pcapng": pcapngOf(2000, 98)} {
		r, err := capfile.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		var f packet.Frame
		if n := testing.AllocsPerRun(1000, func() {
			if err := r.Next(&f); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per frame", name, n)
		}
	}
}
