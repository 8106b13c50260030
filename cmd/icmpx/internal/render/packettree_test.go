package render

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// treeFrames are frames of the captures that show each kind of line.
var treeFrames = []struct {
	file   string
	frames []int
}{
	{"v4_echo", []int{3, 11, 17, 24, 42}},
	{"v4_unreach", []int{6, 26, 42, 44}},
	{"v4_quench_redirect", []int{5}},
	{"v4_timex_param", []int{1}},
	{"v4_ext_compliant", []int{2, 10, 26, 30}},
	{"v4_query", []int{2, 3, 4, 10, 15, 21, 25, 31}},
	{"v4_xecho", []int{1, 13}},
	{"v4_ipopts", []int{1, 6, 9, 24}},
	{"v4_malformed", []int{1, 4, 6, 21, 35, 37, 44}},
	{"v4_frag_outoforder", []int{1, 2, 3}},
	{"v6_errors", []int{25, 38, 41, 43}},
	{"v6_exthdr", []int{1, 6, 11, 12}},
	{"v6_mld", []int{5, 8, 10}},
	{"v6_ndp", []int{3, 4, 5, 8, 11, 15, 16, 17, 19, 21, 22}},
	{"v6_other", []int{3, 5, 11, 15}},
}

func TestPacketTreeGolden(t *testing.T) {
	var b []byte
	for _, tt := range treeFrames {
		b = append(append(append(b, "# "...), tt.file...), '\n')
		b = appendTrees(t, b, tt.file, tt.frames)
	}
	golden(t, "packet-tree.golden", b)
}

func appendTrees(t *testing.T, b []byte, file string, frames []int) []byte {
	t.Helper()
	var tree PacketTree
	shown := 0
	eachPacket(t, filepath.Join(vectorDir, "gen", file+".pcap"), func(p *packet.Packet) {
		if slices.Contains(frames, p.Frame.Number) {
			b = tree.AppendPacket(b, p, nil)
			shown++
		}
	})
	if shown != len(frames) {
		t.Errorf("%s: showed %d frames of %v", file, shown, frames)
	}
	return b
}

// eachPacket decodes a capture, rebuilding its datagrams.
func eachPacket(t testing.TB, file string, do func(*packet.Packet)) {
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
		d     packet.Decoder
	)
	for {
		if err := r.Next(&frame); err != nil {
			return // some captures are damaged on purpose
		}
		d.Decode(&frame, &p)
		do(&p)
	}
}

// TestPacketTreeEdges shows what the captures do not: a hostile container, an
// unfinished checksum, names, findings, fragments and packets without ICMP.
func TestPacketTreeEdges(t *testing.T) {
	echo := unhexBytes("4500001d00010000 4001 8ea8 c0000201 c6336402 0800 0000 0001 0001 7e")
	var tree PacketTree
	var b []byte
	show := func(about string, f *packet.Frame, change func(*packet.Packet), findings ...Finding) {
		var (
			d packet.Decoder
			p packet.Packet
		)
		f.Link, f.Len = packet.LinkRaw, len(f.Data)
		d.Decode(f, &p)
		if change != nil {
			change(&p)
		}
		b = append(append(append(b, "# "...), about...), '\n')
		b = tree.AppendPacket(b, &p, findings)
	}
	show("hostile container", &packet.Frame{
		Data: echo, IfaceName: "eth0\x1b[2J", Direction: packet.Outgoing, Unfinished: true,
		Comments: []string{"line\nbreak", "\u202eright to left"},
	}, nil, Finding{Text: "odd\x07"})
	tree.Name = func(a netip.Addr) string { return "host\x1b." + a.String() }
	show("names", &packet.Frame{Number: 2, Time: time.Unix(1700000000, 5), Data: echo, Direction: packet.Incoming}, nil)
	tree.Name = nil
	show("in a tunnel and VLANs", &packet.Frame{Number: 3, Data: echo}, func(p *packet.Packet) {
		p.VLANs, p.Depth = []uint16{10, 20}, 2
	})
	show("last fragment", &packet.Frame{Number: 4, Data: unhexBytes("4500001d000100b9 4001 0000 c0000201 c6336402 010203040506070809")}, nil)
	show("UDP", &packet.Frame{Number: 5, Data: unhexBytes("4500001c00010000 4011 0000 c0000201 c6336402 0035 0035 0008 0000")}, nil)
	show("no IP packet", &packet.Frame{Number: 6, Data: unhexBytes("ff")}, nil)
	show("nothing", &packet.Frame{Number: 7}, nil)
	golden(t, "packet-tree-edges.golden", b)
}

// TestPacketTreeComplete shows every frame of the captures, and looks for every
// field in it.
func TestPacketTreeComplete(t *testing.T) {
	var tree PacketTree
	frames := 0
	for _, dir := range []string{"gen", "seeds"} {
		for _, file := range captures(t, filepath.Join(vectorDir, dir)) {
			frames += checkTrees(t, &tree, file)
		}
	}
	if frames < 1000 {
		t.Errorf("saw %d frames; the captures hold more", frames)
	}
}

func checkTrees(t *testing.T, tree *PacketTree, file string) int {
	t.Helper()
	frames := 0
	eachPacket(t, file, func(p *packet.Packet) {
		frames++
		text := string(tree.AppendPacket(nil, p, nil))
		for line := range strings.Lines(text) {
			for _, r := range strings.TrimSuffix(line, "\n") {
				if unsafeRune(r) {
					t.Errorf("%s frame %d: %q", file, p.Frame.Number, line)
				}
			}
		}
		header := icmpx.DissectHeader(p.IP.Family, p.IP.Header)
		checkShown(t, file, p, text, header.Fields)
		if len(p.Message) > 0 {
			message := icmpx.Dissect(p.ICMP, p.Message, icmpx.DissectOptions{Len: wholeLen(p)})
			checkShown(t, file, p, text, message.Fields)
		}
	})
	return frames
}

// checkShown looks for the names of fields; flags that are not set have no line.
func checkShown(t *testing.T, file string, p *packet.Packet, text string, fields []icmpx.Field) {
	t.Helper()
	for i := range fields {
		f := &fields[i]
		want := "  " + f.Name + ":"
		switch set := f.Value.(type) {
		case bool:
			want = f.Name
			if !set {
				want = ""
			}
		case []byte:
			if f.Name == "body" {
				want = "  data:"
			}
		}
		if f.Name == "label" && f.Fields != nil {
			continue // one line
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s frame %d: no %q in\n%s", file, p.Frame.Number, want, text)
		}
		checkShown(t, file, p, text, f.Fields)
	}
}

// TestDataPatterns names the rules that data follow.
func TestDataPatterns(t *testing.T) {
	count := func(n int, from byte) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = from + byte(i)
		}
		return b
	}
	lead := func(n int, b []byte) []byte { return append(bytes.Repeat([]byte{0xa5, 0x17}, n/2), b...) }
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, ""},
		{"too few", count(7, 0), ""},
		{"zeros", make([]byte, 8), ", each 0x00"},
		{"count", count(8, 0), ", counting up 0x00 to 0x07"},
		{"count over the end", count(300, 0), ", counting up 0x00 to 0x2b"},
		{"count behind a time", lead(8, count(48, 8)), ", from byte 8 counting up 0x08 to 0x37"},
		{"count behind a longer time", lead(16, count(40, 16)), ", from byte 16 counting up 0x10 to 0x37"},
		{"count behind much", lead(30, count(20, 0)), ""},
		{"pattern", bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 4), ", repeating 0xdeadbeef"},
		{"pattern, cut", bytes.Repeat([]byte{1, 2, 4}, 5)[:13], ", repeating 0x010204"},
		{"letters", []byte("abcdefghijklmnopqrstuvwabcdefghi"), ", repeating 0x6162636465666768696a6b6c6d6e6f7071727374757677"},
		{"text", []byte("hello there\r\n"), ", text"},
		{"random", []byte{0x9f, 1, 0x33, 0, 0x17, 0xc0, 2, 0xff}, ""},
	} {
		if got := string(appendPattern(nil, tt.data)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTreeWords writes numbers whose words have many cases.
func TestTreeWords(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{string(appendSeconds(nil, 60)), "60 s"},
		{string(appendSeconds(nil, 120)), "120 s (2 min)"},
		{string(appendSeconds(nil, 90061)), "90061 s (1 d 1 h)"},
		{string(appendSeconds(nil, 1<<32-1)), "4294967295 s (for ever)"},
		{string(appendMinutes(nil, 0)), "0 (0 s)"},
		{string(appendMinutes(nil, 60)), "60 (1 h)"},
		{string(appendDayTime(nil, 0)), "0 ms (00:00:00.000 UTC)"},
		{string(appendDayTime(nil, 86399999)), "86399999 ms (23:59:59.999 UTC)"},
		{string(appendDayTime(nil, 86400000)), "86400000 (in little-endian order 01:40:39.045 UTC)"},
		{string(appendDayTime(nil, 1<<31)), "2147483648 (not standard; without the high bit 00:00:00.000)"},
		{string(appendDayTime(nil, 0xffffffff)), "4294967295 (not standard)"},
		{string(appendDayTime(nil, 0x7fffffff)), "2147483647 (no time of day)"},
		{string(appendTOS(nil, 0)), "0x00"},
		{string(appendTOS(nil, 0xb9)), "0xb9 (EF, ECT(1))"},
		{string(appendTOS(nil, 0x28)), "0x28 (AF11)"},
		{string(appendTOS(nil, 0xc3)), "0xc3 (CS6, congestion experienced)"},
		{string(appendTOS(nil, 0x06)), "0x06 (LE, ECT(0))"},
		{string(appendTOS(nil, 0xff)), "0xff (DSCP 63, congestion experienced)"},
		{strconv.FormatUint(responseDelay(0x7fff), 10), "32767"},
		{strconv.FormatUint(responseDelay(0x8000), 10), "32768"},
		{strconv.FormatUint(responseDelay(0xffff), 10), "8387584"},
		{strconv.FormatUint(queryInterval(0x7f), 10), "127"},
		{strconv.FormatUint(queryInterval(0x80), 10), "128"},
		{strconv.FormatUint(queryInterval(0xff), 10), "31744"},
		{string(appendHexNumber(nil, 0x12345, 4)), "0x12345"},
		{string(appendHexNumber(nil, 1<<64-1, 16)), "0xffffffffffffffff"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// FuzzPacketTree: the tree of any frame is there, is safe to print, and is not
// longer than a multiple of the frame.
func FuzzPacketTree(f *testing.F) {
	for _, tt := range treeFrames {
		eachPacket(f, filepath.Join(vectorDir, "gen", tt.file+".pcap"), func(p *packet.Packet) {
			if slices.Contains(tt.frames, p.Frame.Number) {
				f.Add(bytes.Clone(p.Frame.Data), uint16(p.Frame.Link), p.Frame.Len)
			}
		})
	}
	f.Fuzz(func(t *testing.T, data []byte, link uint16, length int) {
		var (
			d    packet.Decoder
			p    packet.Packet
			tree PacketTree
		)
		d.Decode(&packet.Frame{Number: 1, Data: data, Len: max(length, len(data)), Link: packet.LinkType(link)}, &p)
		b := tree.AppendPacket(nil, &p, nil)
		if len(b) == 0 || b[len(b)-1] != '\n' || len(b) > 20000+400*len(data) {
			t.Fatalf("%d bytes of text from %d bytes", len(b), len(data))
		}
		for _, r := range string(b) {
			if r != '\n' && unsafeRune(r) {
				t.Fatalf("%q", b)
			}
		}
	})
}

func unhexBytes(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}
