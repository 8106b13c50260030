package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// vector returns the path of a capture.
func vector(name string) string {
	return filepath.Join("..", "..", "internal", "packet", "testdata", "vectors", name)
}

// TestDecodeText compares the lines of whole captures with what was checked by
// eye and against tcpdump.
func TestDecodeText(t *testing.T) {
	names := []string{
		"gen/v4_unreach.pcap", "gen/v4_timex_param.pcap", "gen/v4_quench_redirect.pcap", "gen/v4_query.pcap", "gen/v4_xecho.pcap",
		"gen/v4_ext_compliant.pcap", "gen/v4_malformed.pcap", "gen/v6_errors.pcap", "gen/v6_ndp.pcap", "gen/v6_mld.pcap", "gen/v6_other.pcap",
		"gen/v6_exthdr.pcap", "gen/v6_malformed.pcap", "gen/v4_frag_overlap_conflict.pcap", "gen/v4_frag_sameid_othersrc.pcap",
		"gen/v6_frag_overlap.pcap", "gen/v6_frag_fragmentable_exthdr.pcap", "gen/lt_vlan_triple.pcap", "gen/lt_mpls_ethernet.pcap",
		"seeds/xp_slowlink.pcap", "seeds/bsd_ping_null.pcap",
	}
	var got bytes.Buffer
	for _, name := range names {
		w := &world{}
		code := w.run(t, "decode", "-tt#", "--all", vector(name))
		if code != exitOK || w.stderr.Len() > 0 {
			t.Errorf("%s: exit code %d, standard error %q", name, code, w.stderr.String())
		}
		got.WriteString("== " + name + "\n")
		got.Write(w.stdout.Bytes())
	}
	goldenText(t, "decode.golden", got.Bytes())
}

// goldenText compares got with a file of testdata, and writes it anew if
// UPDATE_GOLDEN is set.
func goldenText(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s, line %d: got %q, want %q", path, i+1, at(g, i), at(w, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// Two packets of the captures of link types.
const (
	firstOfPPP  = "1700000073.000000 IP 192.0.2.213 > 198.51.100.230: ICMP echo request, id 23725, seq 55207, length 32\n"
	secondOfPPP = "1700000073.001037 IP 198.51.100.230 > 192.0.2.213: ICMP echo reply, id 23725, seq 55207, length 32\n"
)

func TestDecodeFlags(t *testing.T) {
	ppp := vector("gen/lt_ppp.pcap")
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"count", []string{"-tt", "-c1", ppp}, exitOK, firstOfPPP},
		{"count over files", []string{"-tt", "-c", "5", ppp, ppp}, exitOK, ""},
		{"filter", []string{"-tt", "--filter", "type echo-reply and ip", ppp}, exitOK, secondOfPPP},
		{"as tcpdump", []string{"-n", "-tt", "-r", ppp, "icmp[icmptype]", "==", "icmp-echoreply"}, exitOK, secondOfPPP},
		{"no time", []string{"-t", "-c1", ppp}, exitOK, firstOfPPP[len("1700000073.000000 "):]},
		{"since the last", []string{"-ttt", "-c2", ppp}, exitOK, " 00:00:00.000000 " + firstOfPPP[18:] + " 00:00:00.001037 " + secondOfPPP[18:]},
		{"since the first", []string{"-ttttt", "-c2", ppp}, exitOK, " 00:00:00.000000 " + firstOfPPP[18:] + " 00:00:00.001037 " + secondOfPPP[18:]},
		{"nanoseconds", []string{"-tt", "--nano", "-c1", ppp}, exitOK, "1700000073.000000000 " + firstOfPPP[18:]},
		{"numbers", []string{"-t#", "-c1", ppp}, exitOK, "1  " + firstOfPPP[18:]},
		{"bytes", []string{"-tx", "-c1", vector("seeds/exchange_1byte.pcap")}, exitOK, ""},
		{"pairs", []string{"-t", "--pair", "-c2", ppp}, exitOK, firstOfPPP[18:] + secondOfPPP[18:len(secondOfPPP)-1] + " [reply to frame 1 after 1.037 ms]\n"},
	}
	for _, tt := range tests {
		w := &world{}
		code := w.run(t, append([]string{"decode"}, tt.args...)...)
		if code != tt.code || w.stderr.Len() > 0 || tt.want != "" && w.stdout.String() != tt.want {
			t.Errorf("%s: exit code %d, standard error %q, standard output\n%swant\n%s", tt.name, code, w.stderr.String(), w.stdout.String(), tt.want)
		}
	}
}

func TestDecodeBytes(t *testing.T) {
	w := &world{}
	code := w.run(t, "decode", "-t", "-c1", "-xx", vector("gen/lt_ppp.pcap"))
	lines := strings.Split(w.stdout.String(), "\n")
	if code != exitOK || len(lines) < 3 || !strings.HasPrefix(lines[1], "\t0x0000:  ff03 0021 4500 0034 ") || !strings.HasPrefix(lines[2], "\t0x0010:  ") {
		t.Errorf("exit code %d:\n%s", code, w.stdout.String())
	}
	w = &world{}
	w.run(t, "decode", "-t", "-c1", "-X", vector("gen/lt_ppp.pcap"))
	if lines := strings.Split(w.stdout.String(), "\n"); !strings.HasPrefix(lines[1], "\t0x0000:  4500 0034 ") {
		t.Errorf("without the link header:\n%s", w.stdout.String())
	}
}

// TestDecodeEnds runs into everything that can be wrong with a file.
func TestDecodeEnds(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("no capture at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(vector("gen/lt_ipv6.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	silent := filepath.Join(dir, "silent.pcap")
	if err := os.WriteFile(silent, whole[:24], 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		args   []string
		code   int
		lines  int
		stderr string
	}{
		{"cut short", []string{vector("gen/fmt_pcap_cut.pcap")}, exitOK, 3, "cut short"},
		{"no ICMP", []string{silent}, exitNoAnswer, 0, ""},
		{"nothing selected", []string{"--filter", "host 203.0.113.99", vector("gen/lt_ipv6.pcap")}, exitNoAnswer, 0, ""},
		{"no capture", []string{other}, exitError, 0, "not a pcap or pcapng capture"},
		{"no capture, then one", []string{other, vector("gen/lt_ipv6.pcap")}, exitError, 1, "not a pcap or pcapng capture"},
		{"no file", []string{filepath.Join(dir, "none")}, exitError, 0, "no such file"},
		{"a filter among files", []string{silent, "icmp and none"}, exitError, 0, "icmpx: hint: all words are files; a filter is"},
		{"a directory", []string{dir}, exitError, 0, "icmpx: error: " + dir + ": "},
		{"no name", nil, exitError, 0, "no file given"},
		{"bad filter", []string{"--filter", "tcp", silent}, exitError, 0, "is not an ICMP filter"},
		{"two filters", []string{"--filter", "icmp", "-r", silent, "icmp6"}, exitError, 0, "more than one filter"},
		{"link without hex", []string{"--link", "ip", silent}, exitError, 0, "--link is for --hex"},
		{"no-raw without json", []string{"--no-raw", silent}, exitError, 0, "--no-raw is a part of --json"},
		{"a habit", []string{"-i", "eth0"}, exitError, 0, "icmpx listen -i"},
		{"standard input twice", []string{"-", "-"}, exitError, 0, "can be read once"},
		{"names and no names", []string{"-n", "--resolve", silent}, exitError, 0, "exclude each other"},
	}
	for _, tt := range tests {
		w := &world{}
		code := w.run(t, append([]string{"decode"}, tt.args...)...)
		lines := strings.Count(w.stdout.String(), "\n")
		if code != tt.code || lines != tt.lines || !strings.Contains(w.stderr.String(), tt.stderr) || tt.stderr == "" && w.stderr.Len() > 0 {
			t.Errorf("%s: exit code %d, %d lines, standard error %q", tt.name, code, lines, w.stderr.String())
		}
	}
}

func TestDecodeStandardInput(t *testing.T) {
	data, err := os.ReadFile(vector("gen/lt_ppp.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{stdin: string(data)}
	if code := w.run(t, "decode", "-tt", "-c2", "-"); code != exitOK || w.stdout.String() != firstOfPPP+secondOfPPP {
		t.Errorf("exit code %d, standard output\n%s%s", code, w.stdout.String(), w.stderr.String())
	}
	if len(w.did) != 1 || w.did[0] != "drop" {
		t.Errorf("did %v; privileges are given up, and nothing else is done", w.did)
	}
}

// TestDecodePipe reads a pipe that stays open: what has come is shown before
// more comes, and the user can end it.
func TestDecodePipe(t *testing.T) {
	data, err := os.ReadFile(vector("gen/lt_ppp.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	shown := make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	sys := &system{
		stdin: r, stderr: io.Discard, drop: func() error { return nil },
		stdout: writer(func(b []byte) (int, error) { shown <- string(b); return len(b), nil }),
	}
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"decode", "-tt", "-"}, sys) }()
	if _, err := w.Write(data[:len(data)-1]); err != nil {
		t.Fatal(err)
	}
	if got := within(t, shown); !strings.HasPrefix(got, firstOfPPP+secondOfPPP) {
		t.Errorf("shown while the pipe is open:\n%s", got)
	}
	cancel()
	if code := within(t, ended); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	_ = w.Close()
}

// TestDecodePipeWithoutICMP ends a pipe that nothing has come by: the user ends it
// as its writer would, so the exit code says that there was no ICMP.
func TestDecodePipeWithoutICMP(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sys := &system{stdin: r, stdout: io.Discard, stderr: io.Discard, drop: func() error { return nil }}
	if code := run(ctx, []string{"decode", "-"}, sys); code != exitNoAnswer {
		t.Errorf("exit code %d, want %d", code, exitNoAnswer)
	}
}

// within waits for what must come.
func within[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came within 30 seconds")
	}
	return v
}

func TestDecodeClosedOutput(t *testing.T) {
	w := &world{broken: syscall.EPIPE}
	if code := w.run(t, "decode", vector("gen/v4_echo.pcap")); code != exitOK || w.stderr.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, w.stderr.String())
	}
	w = &world{broken: syscall.ENOSPC}
	if code := w.run(t, "decode", vector("gen/v4_echo.pcap")); code != exitError || !strings.Contains(w.stderr.String(), "no space left") {
		t.Errorf("exit code %d, standard error %q", code, w.stderr.String())
	}
}

func TestDecodeResolve(t *testing.T) {
	w := &world{names: map[string][]string{"192.0.2.213": {"a\x1b.example."}}}
	code := w.run(t, "decode", "-t", "-c1", "--resolve", vector("gen/lt_ppp.pcap"))
	if want := `IP a\027.example > 198.51.100.230: ICMP echo request, id 23725, seq 55207, length 32` + "\n"; code != exitOK || w.stdout.String() != want {
		t.Errorf("exit code %d: %q, want %q", code, w.stdout.String(), want)
	}
}

// TestDecodeJSON makes sure of what surrounds the packets: each file has a
// start and a summary, and what was extracted stands before the last.
func TestDecodeJSON(t *testing.T) {
	w := &world{}
	dir := filepath.Join(t.TempDir(), "new")
	code := w.run(t, "decode", "-j", "--extract", dir, vector("gen/fmt_pcap_cut.pcap"), vector("seeds/xp_slowlink.pcap"))
	var events []string
	for line := range strings.Lines(w.stdout.String()) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, `{"event":"`), `"`)
		if n := len(events); n == 0 || events[n-1] != name {
			events = append(events, name)
		}
	}
	got := strings.Join(events, " ")
	if code != exitOK || !strings.HasPrefix(got, "start packet pair") || !strings.HasSuffix(got, "extract summary") || strings.Count(got, "start") != 2 || strings.Count(got, "summary") != 2 {
		t.Errorf("exit code %d, events %s", code, got)
	}
	if !strings.Contains(w.stdout.String(), `"damage":["damaged after frame 3`) {
		t.Error("the summary does not say that the capture is cut short")
	}
}

func TestDecodeExtract(t *testing.T) {
	w := &world{}
	dir := filepath.Join(t.TempDir(), "new")
	code := w.run(t, "decode", "-t", "--extract", dir, "--stats", vector("seeds/xp_slowlink.pcap"))
	want, err := os.ReadFile(vector("seeds/slowlink_whole.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "192.168.1.23_192.168.1.2_id512_request_part1"))
	if err != nil || !bytes.Equal(got, want) || code != exitOK {
		t.Errorf("exit code %d, %d bytes, want %d; %v", code, len(got), len(want), err)
	}
	if out := w.stdout.String(); !strings.Contains(out, "_part1: image/jpeg, 6144 bytes") || !strings.Contains(out, "ICMP statistics") {
		t.Errorf("standard output:\n%s", out)
	}
}

// TestDecodeReport asks a decoder that waits for how far it is.
func TestDecodeReport(t *testing.T) {
	c := capture{out: &output{}}
	c.consumers = []consumer{&textView{}, (&decodeSession{asked: &decodeRun{stats: true}}).newPairer()}
	src := framesOf(t, vector("gen/lt_ppp.pcap"))
	c.begin(&sourceInfo{})
	if err := c.run(src); err != nil {
		t.Fatal(err)
	}
	got := string(c.report())
	if !strings.HasPrefix(got, "4 frames, 4 with ICMP, 0 of them damaged\n") || !strings.Contains(got, "ICMP statistics") {
		t.Errorf("report:\n%s", got)
	}
}

// frames are a source.
type frames []packet.Frame

func (f *frames) Next(x *packet.Frame) error {
	if len(*f) == 0 {
		return io.EOF
	}
	*x, *f = (*f)[0], (*f)[1:]
	return nil
}

// TestDecodeInterrupted ends a run before its file ends.
func TestDecodeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interruption{int(syscall.SIGTERM)})
	var stderr bytes.Buffer
	sys := &system{stdout: io.Discard, stderr: &stderr, drop: func() error { return nil }}
	code := run(ctx, []string{"decode", vector("gen/v4_echo.pcap")}, sys)
	if code != exitSignal+int(syscall.SIGTERM) || !strings.Contains(stderr.String(), " with ICMP, ") {
		t.Errorf("exit code %d, standard error %q", code, stderr.String())
	}
}
