package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/owner"
)

// A fakeWire is a packet socket that hears what a test puts on it.
type fakeWire struct {
	packets []icmpx.CapturedPacket
	cfg     icmpx.PacketConfig
	drained bool
	closed  bool
	dropped uint64
	onlyIn  bool
	fault   error // what comes behind the packets; nil: nothing, until Drain
	waits   chan struct{}
}

func (w *fakeWire) Next(p *icmpx.CapturedPacket) error {
	if len(w.packets) > 0 {
		*p, w.packets = w.packets[0], w.packets[1:]
		return nil
	}
	if w.fault != nil {
		return w.fault
	}
	<-w.waits
	return io.EOF
}

func (w *fakeWire) Ready() bool                     { return len(w.packets) > 0 }
func (w *fakeWire) SetReadDeadline(time.Time) error { return nil }
func (w *fakeWire) Stats() icmpx.PacketStats        { return icmpx.PacketStats{Dropped: w.dropped} }
func (w *fakeWire) Link() uint16                    { return icmpx.LinkRaw }
func (w *fakeWire) IncomingOnly() bool              { return w.onlyIn }

func (w *fakeWire) Drain() error {
	if !w.drained {
		w.drained = true
		close(w.waits)
	}
	return nil
}

func (w *fakeWire) Close() error {
	if w.closed {
		return net.ErrClosed
	}
	w.closed = true
	return nil
}

// A fakeFinder knows one process.
type fakeFinder struct{ hidden, closed bool }

func (f *fakeFinder) Find(inodes []uint64) (owner.Answer, error) {
	a := owner.Answer{Processes: map[uint64][]owner.Process{}}
	for _, n := range inodes {
		a.Processes[n] = []owner.Process{{PID: 100, Command: "pi\x1bng"}}
	}
	if f.hidden {
		a = owner.Answer{Hidden: 1}
	}
	return a, nil
}

func (f *fakeFinder) Close() error { f.closed = true; return nil }

// echoPacket is an echo request or reply from 192.0.2.1 to 192.0.2.2.
func echoPacket(typ byte, seq uint16, out bool) icmpx.CapturedPacket {
	b := []byte{0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, typ, 0, 0, 0, 0x12, 0x34, 0, 0}
	binary.BigEndian.PutUint16(b[10:], icmpx.Checksum(b[:20]))
	binary.BigEndian.PutUint16(b[26:], seq)
	binary.BigEndian.PutUint16(b[22:], icmpx.Checksum(b[20:]))
	return icmpx.CapturedPacket{Time: time.Unix(1e9, 0), Len: 28, Data: b, Link: icmpx.LinkRaw, IfIndex: 2, IfName: "eth0", Outgoing: out}
}

// A listenWorld is what listen sees of the host.
type listenWorld struct {
	wire           fakeWire
	finder         fakeFinder
	openErr        error
	dropErr        error
	dropped        func() // called when privileges are given up; nil: nothing is
	proc           fs.FS
	stdout, stderr bytes.Buffer
	did            []string
}

func (w *listenWorld) run(t *testing.T, ctx context.Context, args ...string) int {
	t.Helper()
	w.wire.waits = make(chan struct{})
	note := func(what string) { w.did = append(w.did, what) }
	return run(ctx, append([]string{"listen"}, args...), &system{
		stdin: strings.NewReader(""), stdout: &w.stdout, stderr: &w.stderr,
		version: func() string { return "test" }, proc: w.proc, uid: 1000,
		drop: func() error {
			note("drop")
			if w.dropped != nil {
				w.dropped()
			}
			return w.dropErr
		},
		listenPackets: func(cfg icmpx.PacketConfig) (packetSocket, error) {
			note("socket")
			w.wire.cfg = cfg
			if w.openErr != nil {
				return nil, w.openErr
			}
			return &w.wire, nil
		},
		startHelper:     func() (processFinder, error) { note("helper"); return &w.finder, nil },
		dropToProcesses: func() error { note("drop to processes"); return w.dropErr },
	})
}

// ended is a context that is over: what is there is read, and no more.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestListenText(t *testing.T) {
	w := listenWorld{wire: fakeWire{packets: []icmpx.CapturedPacket{echoPacket(8, 1, true), echoPacket(0, 1, false)}, dropped: 7}}
	code := w.run(t, ended(t), "-t", "-i", "eth0")
	if want := "icmpx: listening on eth0\n2 packets captured, 7 dropped by the kernel\n"; code != 0 || w.stderr.String() != want {
		t.Errorf("got exit code %d, stderr %q, want %q", code, w.stderr.String(), want)
	}
	if n := strings.Count(w.stdout.String(), "192.0.2.1 > 192.0.2.2: ICMP echo re"); n != 2 {
		t.Errorf("got %q", w.stdout.String())
	}
	if !w.wire.drained || !w.wire.closed {
		t.Error("the socket was left open")
	}
}

// TestListenOrder gives up privileges when all is open that takes one.
func TestListenOrder(t *testing.T) {
	w := listenWorld{proc: fstest.MapFS{}}
	file := filepath.Join(t.TempDir(), "a")
	if code := w.run(t, ended(t), "--process", "-w", file); code != 1 || strings.Join(w.did, ", ") != "socket, helper, drop" {
		t.Errorf("got exit code %d, %q; %s", code, w.did, w.stderr.String())
	}
	if !w.finder.closed {
		t.Error("the helper was left alone")
	}
	if w.wire.cfg.Delay != promptly {
		t.Errorf("packets may wait for %v", w.wire.cfg.Delay)
	}
}

func TestListenFails(t *testing.T) {
	bad := errors.New("bad")
	for _, tt := range []struct {
		name string
		w    listenWorld
		args []string
		want string
	}{
		{"privilege", listenWorld{openErr: syscall.EPERM}, nil, "setcap cap_net_raw+ep"},
		{"interface down", listenWorld{openErr: syscall.ENETDOWN}, nil, "ip link set"},
		{"no memory", listenWorld{openErr: syscall.ENOMEM}, nil, "-B"},
		{"no such interface", listenWorld{openErr: syscall.ENODEV}, nil, "ip link lists"},
		{"drop", listenWorld{dropErr: bad}, []string{"--process"}, "drop privileges: bad"},
		{"drop for sockets", listenWorld{dropErr: bad}, []string{"--sockets"}, "drop privileges: bad"},
		{"no proc", listenWorld{proc: fstest.MapFS{"x": nil}}, []string{"--sockets"}, ""},
		{"packets", listenWorld{wire: fakeWire{fault: bad}}, nil, "error: bad"},
		{"file", listenWorld{}, []string{"-w", "/nonexistent/a"}, "no such file or directory"},
		{"directory", listenWorld{}, []string{"-w", "/proc/self/comm", "-C1"}, "check directory of capture files"},
		{"directory", listenWorld{}, []string{"-w", "/proc/self/comm", "-G1"}, "check directory of capture files"},
	} {
		code := tt.w.run(t, t.Context(), tt.args...)
		if tt.want != "" && (code != 2 || !strings.Contains(tt.w.stderr.String(), tt.want)) {
			t.Errorf("%s: exit code %d, stderr %q, want %q", tt.name, code, tt.w.stderr.String(), tt.want)
		}
		if strings.Join(tt.w.did, " ") == "socket" && tt.w.openErr == nil && !tt.w.wire.closed {
			t.Errorf("%s: the socket was left open", tt.name)
		}
	}
}

func TestListenIncomingOnly(t *testing.T) {
	w := listenWorld{wire: fakeWire{onlyIn: true}}
	if code := w.run(t, ended(t)); code != 1 || !strings.Contains(w.stderr.String(), "only the ICMP messages that this host receives") {
		t.Errorf("got exit code %d, stderr %q", code, w.stderr.String())
	}
}

// rawTable has a raw socket of each host.
const rawTable = "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref pointer drops\n" +
	"1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000 5 0 21 2 0 0\n"

func TestListenProcess(t *testing.T) {
	proc := fstest.MapFS{"self/net/raw": {Data: []byte(rawTable)}}
	packets := func() []icmpx.CapturedPacket {
		return []icmpx.CapturedPacket{echoPacket(8, 1, true), echoPacket(0, 1, true), echoPacket(8, 2, false)}
	}
	for _, tt := range []struct {
		args   []string
		hidden bool
		want   string
		hint   bool
	}{
		{nil, false, ` [sent by pi\x1bng 100]` + "\n", false},
		{nil, true, " [sender is a hidden process of uid 5]\n", true},
		{[]string{"-x"}, false, "\n\t" + `[sent by pi\x1bng 100]` + "\n", false},
		{[]string{"-v"}, false, "\n\t" + `[sent by pi\x1bng 100]` + "\n", false},
		{[]string{"-j"}, false, `{"event":"process","frame":1,"state":"found","socket":"raw","uid":5,"processes":[{"pid":100,"command":"pi\u001bng"}]}` + "\n", false},
		{[]string{"-j"}, true, `{"event":"process","frame":1,"state":"hidden","socket":"raw","uid":5,"processes":[]}` + "\n", true},
	} {
		w := listenWorld{proc: proc, wire: fakeWire{packets: packets()}, finder: fakeFinder{hidden: tt.hidden}}
		code := w.run(t, ended(t), append(tt.args, "--process")...)
		if out := w.stdout.String(); code != 0 || strings.Count(out, tt.want) != 1 {
			t.Errorf("%q: exit code %d, got %s, want once %q", tt.args, code, out, tt.want)
		}
		if got := strings.Contains(w.stderr.String(), "cap_sys_ptrace"); got != tt.hint {
			t.Errorf("%q: hint %v, want %v", tt.args, got, tt.hint)
		}
	}
}

// TestListenProcessWritten has the process in the file, as a comment.
func TestListenProcessWritten(t *testing.T) {
	w := listenWorld{
		proc: fstest.MapFS{"self/net/raw": {Data: []byte(rawTable)}},
		wire: fakeWire{packets: []icmpx.CapturedPacket{echoPacket(8, 1, true), echoPacket(0, 1, false)}},
	}
	name := filepath.Join(t.TempDir(), "a")
	if code := w.run(t, ended(t), "--process", "-w", name); code != 0 || w.stdout.Len() > 0 {
		t.Fatalf("exit code %d, got %s, stderr %s", code, w.stdout.String(), w.stderr.String())
	}
	text, err := os.ReadFile(name)
	if err != nil || bytes.Count(text, []byte(`sent by pi\x1bng 100`)) != 1 || bytes.Contains(text, []byte("pi\x1b")) {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestListenSocketsText(t *testing.T) {
	proc := fstest.MapFS{
		"7/net/raw": {Data: []byte(rawTable)}, "7/ns/net": {Data: []byte("net:[9]"), Mode: fs.ModeSymlink},
		"7/fd/3": {Data: []byte("socket:[21]"), Mode: fs.ModeSymlink}, "7/comm": {Data: []byte("a\x07b\n")},
		"7/net/icmp6": {Data: []byte(strings.ReplaceAll(strings.ReplaceAll(rawTable, "00000000:", strings.Repeat("00000000", 4)+":"), "21", "22"))},
	}
	w := listenWorld{proc: proc}
	code := w.run(t, t.Context(), "--sockets")
	want := "FAMILY  SOCKET  ID  LOCAL  REMOTE  UID  NETNS  PROCESS\n" +
		"IPv4    raw     *   *      *       5    9      a\\x07b 7\n" +
		"IPv6    ping    1   *      *       5    9      none\n"
	if code != 0 || w.stdout.String() != want || w.stderr.Len() != 0 || strings.Join(w.did, " ") != "drop to processes" {
		t.Errorf("got exit code %d, %q\n%s%s", code, w.did, w.stdout.String(), w.stderr.String())
	}
	w = listenWorld{proc: proc}
	w.run(t, t.Context(), "--sockets", "-j", "-n")
	for _, want := range []string{
		`{"event":"socket","family":"ipv4","socket":"raw","protocol":1,"local":null,"remote":null,"uid":5,"inode":21,"netns":9,"processes":[{"pid":7,"command":"a\u0007b"}]}`,
		`{"event":"socket","family":"ipv6","socket":"datagram","id":1,"local":null,"remote":null,"uid":5,"inode":22,"netns":9,"processes":[]}`,
		`{"event":"summary","sockets":2,"hidden":0}`,
	} {
		if !strings.Contains(w.stdout.String(), want+"\n") {
			t.Errorf("got %s, want %s", w.stdout.String(), want)
		}
	}
}

func TestListenWritesOnly(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string // on standard output
	}{
		{nil, ""}, {[]string{"--print"}, "echo request"}, {[]string{"--stats"}, "1 request"}, {[]string{"-U", "-C1", "-W2"}, ""},
	} {
		w := listenWorld{wire: fakeWire{packets: []icmpx.CapturedPacket{echoPacket(8, 1, true)}}}
		dir := t.TempDir()
		code := w.run(t, ended(t), append(tt.args, "-w", filepath.Join(dir, "a"))...)
		out := w.stdout.String()
		if code != 0 || !strings.Contains(out, tt.want) || tt.want == "" && out != "" || tt.want == "1 request" && strings.Contains(out, "echo request,") {
			t.Errorf("%q: exit code %d, got %q, stderr %q", tt.args, code, out, w.stderr.String())
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("%q: %d files, %v", tt.args, len(entries), err)
		}
	}
}

// TestListenDirectoryLost finds that no file can be made any more when privileges
// are gone: the capture begins nevertheless, in the file that is open.
func TestListenDirectoryLost(t *testing.T) {
	const lost = "no further file can be made without privileges"
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"-C1"}, 1}, {[]string{"-G60"}, 1}, {nil, 0},
	} {
		dir := filepath.Join(t.TempDir(), "captures")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w := listenWorld{wire: fakeWire{packets: []icmpx.CapturedPacket{echoPacket(8, 1, true)}}}
		w.dropped = func() {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
		code := w.run(t, ended(t), append(tt.args, "-w", filepath.Join(dir, "a"))...)
		if text := w.stderr.String(); code != 0 || strings.Count(text, lost) != tt.want {
			t.Errorf("%q: exit code %d, stderr %q", tt.args, code, text)
		}
	}
}

// TestListenOverwrites warns of a name that is the same in every period.
func TestListenOverwrites(t *testing.T) {
	const warning = "each period overwrites the file of the one before"
	for _, tt := range []struct {
		args []string
		name string
		want int
	}{
		{[]string{"-G60"}, "a", 1}, {[]string{"-G60"}, "a%H%M", 0}, {[]string{"-G60", "-C1"}, "a", 0}, {nil, "a", 0},
	} {
		w := listenWorld{wire: fakeWire{packets: []icmpx.CapturedPacket{echoPacket(8, 1, true)}}}
		code := w.run(t, ended(t), append(tt.args, "-w", filepath.Join(t.TempDir(), tt.name))...)
		if text := w.stderr.String(); code != 0 || strings.Count(text, warning) != tt.want {
			t.Errorf("%q, %s: exit code %d, stderr %q", tt.args, tt.name, code, text)
		}
	}
}

// TestListenPatience lets packets wait for each other the longer, the less anybody
// waits for them.
func TestListenPatience(t *testing.T) {
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer pipe.Close()
	for _, tt := range []struct {
		args   string
		stdout io.Writer
		want   time.Duration
	}{
		{"", &bytes.Buffer{}, 0},
		{"", pipe, unwatched},
		{"-j", pipe, unwatched},
		{"-l", pipe, 0},
		{"-w -", pipe, unwatched},
		{"-w - -U", pipe, 0},
		{"-w a", &bytes.Buffer{}, recorded},
		{"-w a --stats", pipe, recorded},
		{"-w a -U", pipe, 0},
		{"-w a --print", &bytes.Buffer{}, 0},
		{"-w a --process", pipe, promptly},
	} {
		cmd := findCommand("listen")
		line, err := getopt.Parse(cmd.grammar(), strings.Fields(tt.args))
		if err != nil {
			t.Fatal(err)
		}
		run, err := parseListen(line, cmd)
		if err != nil {
			t.Fatal(err)
		}
		if got := run.patience(tt.stdout); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.args, got, tt.want)
		}
	}
}

// TestListenFull has no room for the capture: that is said once.
func TestListenFull(t *testing.T) {
	w := listenWorld{wire: fakeWire{packets: []icmpx.CapturedPacket{echoPacket(8, 1, true)}}}
	code := w.run(t, ended(t), "-w", "/dev/full")
	if text := w.stderr.String(); code != 2 || strings.Count(text, "no space left") != 1 {
		t.Errorf("exit code %d, stderr %q", code, text)
	}
}

func TestListenUsage(t *testing.T) {
	for _, tt := range []struct {
		args, want string
	}{
		{"-i eth0 -I eth1", "more than one interface"},
		{"-I sixteencharacters", "the name of an interface"},
		{"-B 1", "-B (--buffer)"},
		{"-s 1000000", "-s (--snapshot-length)"},
		{"--promiscuous", "of one interface"},
		{"--promiscuous -p -I eth0", "exclude each other"},
		{"-C 1", "no file given to write to"},
		{"-G 1", "no file given to write to"},
		{"-U", "no file given to write to"},
		{"--print", "no file given to write to"},
		{"-w a -W 3", "-C or -G says when"},
		{"-w a -C x", "a size such as"},
		{"-w - -C 1", "standard output is one file"},
		{"-w - --json", "cannot take both"},
		{"-w - --print", "cannot take both"},
		{"--sockets icmp", "lists sockets"},
		{"--sockets -w a", "-w (--write) goes with packets: --sockets lists sockets"},
		{"--sockets -c 1", "-c (--count) goes with packets"},
		{"--sockets --for 1", "--for goes with packets"},
		{"--sockets --process", "--process goes with packets"},
		{"--sockets -v", "-v (--verbose) goes with packets"},
		{"--sockets -j --no-raw", "--no-raw goes with packets"},
		{"--sockets -I eth0", "-I (--interface) goes with packets"},
		{"--sockets --filter icmp", "--filter goes with packets"},
		{"--filter icmp icmp6", "more than one filter"},
		{"tcp", "tcp"},
		{"-D", "ip link lists the interfaces"},
		{"-r a", "icmpx decode -r"},
		{"-c 0", "-c (--count)"},
		{"--for 0", "--for"},
	} {
		w := listenWorld{}
		code := w.run(t, t.Context(), strings.Fields(tt.args)...)
		if code != 2 || !strings.Contains(w.stderr.String(), tt.want) || len(w.did) != 0 {
			t.Errorf("%s: exit code %d, did %q, stderr %q, want %q", tt.args, code, w.did, w.stderr.String(), tt.want)
		}
	}
}
