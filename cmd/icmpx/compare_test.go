package main

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// comparedFiles writes two captures of 50 pings, 4 ms apart in each direction, an
// hour by the clocks, of which each tenth request is lost between.
func comparedFiles(t *testing.T) (a, b string) {
	t.Helper()
	dir := t.TempDir()
	start := time.Date(2024, 4, 5, 19, 35, 22, 0, time.UTC)
	write := func(name string, second bool) string {
		name = filepath.Join(dir, name)
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w := capfile.NewWriter(f, capfile.WriterOptions{Application: "test"})
		put := func(at time.Time, ip []byte) {
			if second {
				at = at.Add(time.Hour)
			}
			if err := w.Write(&packet.Frame{Time: at, Len: len(ip), Data: ip, Link: packet.LinkRaw}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 50 {
			at := start.Add(time.Duration(i) * 100 * time.Millisecond)
			lost := i%10 == 5
			if second && lost {
				continue
			}
			if second {
				at = at.Add(4 * time.Millisecond)
			}
			put(at, pingPacket(true, second, uint16(i)))
			if lost {
				continue
			}
			back := 10 * time.Millisecond
			if second {
				back = 2 * time.Millisecond
			}
			put(at.Add(back), pingPacket(false, second, uint16(i)))
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return name
	}
	return write("a.pcapng", false), write("b.pcapng", true)
}

// pingPacket makes an echo message; at B a request has passed two routers, a
// reply at A.
func pingPacket(request, second bool, seq uint16) []byte {
	src, dst, typ, ttl := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1"), byte(8), byte(64)
	if !request {
		src, dst, typ = dst, src, 0
	}
	if request == second {
		ttl = 62
	}
	b := make([]byte, 84)
	b[0], b[3], b[8], b[9] = 0x45, 84, ttl, 1
	s, d := src.As4(), dst.As4()
	copy(b[12:], s[:])
	copy(b[16:], d[:])
	binary.BigEndian.PutUint16(b[4:], seq+1000*uint16(typ))
	binary.BigEndian.PutUint16(b[10:], icmpx.Checksum(b[:20]))
	binary.BigEndian.PutUint64(b[28:], uint64(seq+1)*0x9e3779b97f4a7c15)
	icmpx.PutEcho(b[20:], typ, 0, 7, seq)
	b[22], b[23] = 0, 0
	binary.BigEndian.PutUint16(b[22:], icmpx.Checksum(b[20:]))
	return b
}

func TestCompareText(t *testing.T) {
	a, b := comparedFiles(t)
	w := &world{}
	if code := w.run(t, "compare", "-v", a, b); code != exitOK || w.stderr.Len() > 0 {
		t.Fatalf("exit code %d, %s", code, w.stderr.String())
	}
	text := w.stdout.String()
	for _, want := range []string{
		"clock: B is 1h0m0s ahead of A, ± 4ms", "lost                         5 (10%)                 0\n",
		"lost A > B: frame 11 of A, 192.0.2.1 > 198.51.100.1: Echo Request, id 7, seq 5\n",
		"routers passed                     2                 2\n", "delay ms, avg                  4.000             4.000\n",
		"  at A: 50 requests, 45 answered", "  at B: 45 requests, 45 answered",
		"warning: between A and B, on the way from A to B, 5 of 50 packets were lost (10%)\n",
		"8ms are spent between A and B, 2ms behind B",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Count(text, "\nlost A > B") != 4 {
		t.Errorf("got\n%s", text)
	}
}

func TestCompareJSON(t *testing.T) {
	a, b := comparedFiles(t)
	for _, tt := range []struct {
		args          []string
		lost, matches int
		of            int
	}{
		{[]string{a, b}, 5, 0, 0},
		{[]string{"--matches", a, b}, 5, 90, 0},
		{[]string{"--filter", "type echo-reply", a, b}, 0, 0, 0},
	} {
		w := &world{}
		if code := w.run(t, append([]string{"compare", "--json"}, tt.args...)...); code != exitOK || w.stderr.Len() > 0 {
			t.Errorf("%v: exit code %d, %s", tt.args, code, w.stderr.String())
		}
		count := map[string]int{}
		var first, last string
		for line := range strings.Lines(w.stdout.String()) {
			var e struct{ Event string }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if first == "" {
				first = e.Event
			}
			last = e.Event
			count[e.Event]++
		}
		if first != "start" || last != "summary" || count["lost"] != tt.lost || count["match"] != tt.matches {
			t.Errorf("%v: got %v", tt.args, count)
		}
	}
}

func TestCompareUsage(t *testing.T) {
	a, b := comparedFiles(t)
	cut := filepath.Join(t.TempDir(), "cut.pcapng")
	whole, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, whole[:len(whole)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{a}, exitError, "two files are compared, 1 given"},
		{[]string{a, b, a}, exitError, "two files are compared, 3 given"},
		{[]string{a, "-"}, exitError, "standard input cannot be compared"},
		{[]string{a, "/dev/null"}, exitError, "no file that can be read twice"},
		{[]string{a, filepath.Dir(a)}, exitError, "no file that can be read twice"},
		{[]string{a, a + "none"}, exitError, "no such file"},
		{[]string{a, "compare_test.go"}, exitError, "compare_test.go: "},
		{[]string{"-v", "--json", a, b}, exitError, "-v is for people"},
		{[]string{"--matches", a, b}, exitError, "--matches is a part of --json"},
		{[]string{"--window", "0", a, b}, exitError, "a time above 0"},
		{[]string{"--filter", "(", a, b}, exitError, "hint: icmp"},
		{[]string{a, vector("seeds/bsd_ping.pcap")}, exitNoAnswer, ""},
		{[]string{a, cut}, exitOK, "cut.pcapng: "},
		{[]string{a, a}, exitOK, "both captures are the same file"},
	} {
		w := &world{}
		code := w.run(t, append([]string{"compare"}, tt.args...)...)
		if got := w.stderr.String(); code != tt.code || !strings.Contains(got, tt.stderr) || tt.stderr == "" && got != "" {
			t.Errorf("%v: exit code %d, standard error %q; want %d, %q", tt.args, code, got, tt.code, tt.stderr)
		}
	}
}
