package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A sendWorld is a host that send runs on: its sockets keep what is sent, and
// answer echo requests.
type sendWorld struct {
	names  map[string][]string
	refuse error // what opening a socket fails with
	stdin  string
	closed bool // nobody reads standard output

	did            []string
	sent           [][]byte
	queue          []icmpx.CapturedPacket
	stdout, stderr bytes.Buffer
}

var (
	sendSource4 = netip.MustParseAddr("192.0.2.2")
	sendSource6 = netip.MustParseAddr("2001:db8::2")
)

func (w *sendWorld) run(t *testing.T, args ...string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout io.Writer = &w.stdout
	if w.closed {
		stdout = writer(func([]byte) (int, error) { return 0, syscall.EPIPE })
	}
	return run(ctx, append([]string{"send"}, args...), &system{
		stdin: strings.NewReader(w.stdin), stdout: stdout, stderr: &w.stderr,
		version: func() string { return "test" }, resolver: &world{names: w.names},
		drop: func() error { w.did = append(w.did, "drop"); return nil },
		listenRaw: func(cfg icmpx.RawConfig) (rawSender, error) {
			w.did = append(w.did, fmt.Sprintf("raw %v", cfg.Family))
			return w, w.refuse
		},
		listenPackets: func(icmpx.PacketConfig) (packetSocket, error) {
			w.did = append(w.did, "listen")
			return w, nil
		},
		routeSource: func(_ icmpx.RawConfig, a netip.Addr) (netip.Addr, error) { return w.SourceFor(a) },
		broadcast:   func(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.255") },
		own:         func(a netip.Addr) bool { return a == sendSource4 || a == sendSource6 || a.IsLoopback() },
	})
}

func (*sendWorld) SourceFor(a netip.Addr) (netip.Addr, error) {
	switch {
	case a.IsLoopback():
		return a, nil
	case a.Is6():
		return sendSource6, nil
	}
	return sendSource4, nil
}

// Send keeps a packet, and queues the reply to an IPv4 echo request.
func (w *sendWorld) Send(b []byte, _ netip.Addr) error {
	w.sent = append(w.sent, bytes.Clone(b))
	if b[0]>>4 == 4 && b[20] == 8 {
		reply := bytes.Clone(b)
		copy(reply[12:16], b[16:20])
		copy(reply[16:20], b[12:16])
		icmpx.PutEcho(reply[20:], 0, 0, uint16(b[24])<<8|uint16(b[25]), uint16(b[26])<<8|uint16(b[27]))
		w.queue = append(w.queue, icmpx.CapturedPacket{Time: time.Unix(1, 0), Len: len(reply), Data: reply, Link: icmpx.LinkRaw})
	}
	return nil
}

func (w *sendWorld) Next(p *icmpx.CapturedPacket) error {
	if len(w.queue) == 0 {
		return os.ErrDeadlineExceeded
	}
	*p, w.queue = w.queue[0], w.queue[1:]
	return nil
}

func (*sendWorld) Ready() bool                     { return true }
func (*sendWorld) SetReadDeadline(time.Time) error { return nil }
func (*sendWorld) Drain() error                    { return nil }
func (*sendWorld) Stats() icmpx.PacketStats        { return icmpx.PacketStats{} }
func (*sendWorld) Link() uint16                    { return icmpx.LinkRaw }
func (*sendWorld) IncomingOnly() bool              { return false }
func (*sendWorld) Close() error                    { return nil }

// TestSendClosedOutput stops where nobody reads any more: that nothing has answered
// by then means nothing.
func TestSendClosedOutput(t *testing.T) {
	w := &sendWorld{closed: true}
	if code := w.run(t, "echo", "2001:db8::9"); code != exitOK || w.stderr.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, w.stderr.String())
	}
}

// TestSendRefuses gives send what it does not do: nothing is opened, and nothing
// sent.
func TestSendRefuses(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, make([]byte, 65508), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{"", "no message given"},
		{"echo", "no host given"},
		{"echo 192.0.2.1 192.0.2.3", "one target"},
		{"nothing 192.0.2.1", "no IPv4 message is called \"nothing\""},
		{"source-quench 2001:db8::1", "no message of IPv6, but of IPv4"},
		{"source-quench -6 a.example", "no message of IPv6, but of IPv4"},
		{"5/1 192.0.2.1 --code 2 --gateway 192.0.2.9", "says the code already"},
		{"echo 192.0.2.1 --mtu 5", "--mtu is no field of Echo Request (8/0)"},
		{"30 192.0.2.1 --id 5", "made with --body alone"},
		{"echo 192.0.2.1 --body 00 --id 1", "does not go with --body"},
		{"redirect 127.0.0.1", "needs --gateway"},
		{"router-advertisement 127.0.0.1", "needs --router"},
		{"ext-echo 127.0.0.1", "needs --iface-name"},
		{"ext-echo 127.0.0.1 --iface-name a --iface-index 1", "only one of"},
		{"echo 192.0.2.1 --source 192.0.2.9", "no address of this host"},
		{"echo 192.0.2.1 --dry-run --source 192.0.2.9", "no address of this host"},
		{"echo 192.0.2.1 -I 192.0.2.9", "no address of this host"},
		{"echo 192.0.2.255", "broadcast address"},
		{"echo 224.0.0.1", "multicast address"},
		{"echo ff02::1", "multicast address"},
		{"echo 0.0.0.0", "address of nobody"},
		{"redirect 192.0.2.1 --gateway 192.0.2.9", "goes to the loopback address alone"},
		{"redirect 127.0.0.1 --gateway 192.0.2.9 -I eth0", "goes to the loopback address alone"},
		{"too-big ::1 -I eth0", "goes to the loopback address alone"},
		{"redirect ::ffff:192.0.2.1 --gateway 192.0.2.9", "goes to the loopback address alone"},
		{"3 192.0.2.1 --code 4 --body 00", "goes to the loopback address alone"},
		{"137 2001:db8::1 --body 00", "goes to the loopback address alone"},
		{"too-big 2001:db8::1", "goes to the loopback address alone"},
		{"neighbor-advertisement 2001:db8::1", "goes to the loopback address alone"},
		{"echo 192.0.2.1 --payload " + long, "65,535"},
		{"echo 192.0.2.1 --payload /nonexistent", "no such file"},
		{"echo 192.0.2.1 --data 0", "bytes in hexadecimal"},
		{"3/1 127.0.0.1 --mpls 1048576:0:1:1", "0 to 1048575"},
		{"3/1 127.0.0.1 --mpls 1:8:1:1", "0 to 7"},
		{"3/1 127.0.0.1 --mpls 1:1:1", "LABEL:TC:S:TTL"},
		{"3/1 127.0.0.1 --mpls 1:1:1:1 --quote " + strings.Repeat("00", 1021), "extensions"},
		{"3/1 127.0.0.1 " + strings.Repeat("--mpls 1:0:0:1 ", 33), "more than can be represented"},
		{"3/1 127.0.0.1 --interface-info color=red", "none of role"},
		{"3/1 127.0.0.1 --interface-info name=" + strings.Repeat("x", 64), "does not fit"},
		{"3/1 127.0.0.1 --extension 1:2:000000", "multiple of 4"},
		{"3/1 127.0.0.1 --quote 45 --quote-ttl 3", "only one of"},
		{"3/1 127.0.0.1 --quote-dst ::1", "quotes IPv4 packets"},
		{"3/1 127.0.0.1 --quote-proto gre", "udp:SPORT:DPORT"},
		{"136 ::1 --flags managed", "\"managed\" is no flag"},
		{"133 ::1 --source-link 00:11", "02:00:00:00:00:01"},
		{"echo 192.0.2.1 -c 101", "from 1 to 100"},
		{"echo 192.0.2.1 --ip-id 0", "with --df alone"},
		{"echo ::1 --df", "not an IPv4 address"},
		{"echo 192.0.2.1 --flood", "--flood is not available"},
		{"- --id 5", "does not go with packets from standard input"},
		{"- --source 192.0.2.2", "does not go with packets from standard input"},
	} {
		var w sendWorld
		code := w.run(t, strings.Fields(tt.args)...)
		if code != 2 || !strings.Contains(w.stderr.String(), tt.want) {
			t.Errorf("%s: exit code %d, %q; want %q", tt.args, code, w.stderr.String(), tt.want)
		}
		if len(w.sent) > 0 || w.stdout.Len() > 0 {
			t.Errorf("%s: sent %x, said %s", tt.args, w.sent, w.stdout.String())
		}
	}
}

// TestSendAnswered sends and shows what comes back.
func TestSendAnswered(t *testing.T) {
	w := sendWorld{names: map[string][]string{"a.example": {"2001:db8::1", "192.0.2.1"}}}
	if code := w.run(t, "echo", "-4", "a.example", "--json", "-c2", "--data", "0102"); code != 0 {
		t.Fatalf("exit code %d: %s", code, w.stderr.String())
	}
	if got := strings.Join(w.did, ", "); got != "raw IPv4, listen, drop" {
		t.Errorf("did %s", got)
	}
	if len(w.sent) != 2 || !bytes.Equal(w.sent[0], w.sent[1]) {
		t.Errorf("sent %x", w.sent)
	}
	if got := eventsIn(t, w.stdout.String()); got != "start packet reply reply summary" {
		t.Errorf("got %s", got)
	}
}

func TestSendUnanswered(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
	}{{"timestamp 192.0.2.1 -W0.1", 1}, {"timestamp 192.0.2.1 -W0", 0}, {"port-unreachable 192.0.2.1", 0}, {"echo 192.0.2.1 --bad-checksum", 0}} {
		var w sendWorld
		if code := w.run(t, strings.Fields(tt.args)...); code != tt.code || len(w.sent) != 1 {
			t.Errorf("%s: exit code %d, sent %x: %s", tt.args, code, w.sent, w.stderr.String())
		}
	}
}

// TestSendFamily chooses the address that has such a message.
func TestSendFamily(t *testing.T) {
	for _, tt := range []struct {
		word string
		v    byte
	}{{"timestamp", 4}, {"neighbor-solicitation", 6}} {
		w := sendWorld{names: map[string][]string{"a.example": {"2001:db8::1", "192.0.2.1"}}}
		if w.run(t, tt.word, "a.example", "-W0"); len(w.sent) != 1 || w.sent[0][0]>>4 != tt.v {
			t.Errorf("%s: sent %x: %s", tt.word, w.sent, w.stderr.String())
		}
	}
}

// TestSendDryRun needs no socket.
func TestSendDryRun(t *testing.T) {
	w := sendWorld{refuse: errors.New("no socket may be opened")}
	if code := w.run(t, "redirect", "192.0.2.1", "--gateway", "192.0.2.9", "--dry-run"); code != 0 {
		t.Errorf("exit code %d: %s", code, w.stderr.String())
	}
	for _, want := range []string{"not sent", "gateway: 192.0.2.9", "0x0000:  4500 0038"} {
		if !strings.Contains(w.stdout.String(), want) {
			t.Errorf("no %q in\n%s", want, w.stdout.String())
		}
	}
	if got := strings.Join(w.did, ", "); got != "drop" {
		t.Errorf("did %s", got)
	}
	if !strings.Contains(w.stderr.String(), "the receiver may send") {
		t.Errorf("said %s", w.stderr.String())
	}
}

func TestSendPrivilege(t *testing.T) {
	w := sendWorld{refuse: &fs.PathError{Op: "socket", Path: "raw", Err: os.ErrPermission}}
	if code := w.run(t, "echo", "192.0.2.1"); code != 2 || !strings.Contains(w.stderr.String(), "CAP_NET_RAW") {
		t.Errorf("exit code %d: %s", code, w.stderr.String())
	}
}

// TestSendInput sends, and shows, what decode describes.
func TestSendInput(t *testing.T) {
	line := func(header, message string) string {
		return `{"event":"packet","frame":1,"ip":{"v":4,"raw":"` + header + `"},"icmp":{"v":4,"raw":"` + message + "\"}}\n"
	}
	const echo, own, foreign = "08008f8e000700016869", "4500001e000100004001f6dac0000202c0000201", "4500001e000100004001f6d9c0000203c0000201"
	const route = "4700002600010000400166b9c0000202c0000201830704c633640100"
	const away = "6000000000203c4020010db800000000000000000000000220010db8000000000000000000000001" +
		"3a0201020000" + "c91020010db8000000000000000000000099"
	tests := []struct {
		name, in string
		args     []string
		code     int
		sent     int
		want     string // on standard error
	}{
		{"own", line(own, echo), nil, 0, 1, ""},
		{"own, twice, among others", `{"event":"start"}` + "\n\n" + line(own, echo) + line(own, echo), nil, 0, 2, ""},
		{"foreign", line(foreign, echo), nil, 2, 0, "no address of this host"},
		{"foreign, shown", line(foreign, echo), []string{"--dry-run"}, 0, 0, ""},
		{"one of them foreign", line(own, echo) + line(foreign, echo), nil, 2, 0, "no address of this host"},
		{"no bytes", `{"event":"packet","frame":1,"ip":{"v":4},"icmp":{"v":4}}`, nil, 2, 0, "decode --json"},
		{"nothing", "", nil, 2, 0, "holds no packet"},
		{"nothing, shown", "", []string{"--dry-run"}, 2, 0, "holds no packet"},
		{"no JSON", "hello\n", nil, 2, 0, "line 1"},
		{"wrong length", line(own, echo+"00"), nil, 2, 0, "header says 30 bytes"},
		{"too many", strings.Repeat(line(own, echo), 101), nil, 2, 0, "more than 100"},
		{"redirect", line("45000038000100004001f6c0c0000202c0000201", "0501bd12c00002094500001c000100004011f6ccc0000201c00002029c40829a00085cff"), nil, 2, 0, "loopback"},
		{"source route", line(route, echo), nil, 2, 0, "frame 1 cannot be sent"},
		{"home address", line(away, "8000000000070001"), nil, 2, 0, "has a home address"},
	}
	for _, tt := range tests {
		w := sendWorld{stdin: tt.in}
		code := w.run(t, append([]string{"--json", "-W0.1", "-"}, tt.args...)...)
		if code != tt.code || len(w.sent) != tt.sent || !strings.Contains(w.stderr.String(), tt.want) {
			t.Errorf("%s: exit code %d, sent %x, %s", tt.name, code, w.sent, w.stderr.String())
		}
		if tt.code == 0 && !strings.Contains(w.stdout.String(), `"raw":"`+echo+`"`) {
			t.Errorf("%s: said %s", tt.name, w.stdout.String())
		}
	}
}

// eventsIn returns the names of all events.
func eventsIn(t *testing.T, text string) string {
	t.Helper()
	var names []string
	for line := range strings.Lines(text) {
		var v struct{ Event string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		names = append(names, v.Event)
	}
	return strings.Join(names, " ")
}
