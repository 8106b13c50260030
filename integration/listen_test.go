//go:build linux

package integration

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// A heard is a line of JSON output of listen: the fields that tests look at.
type heard struct {
	Event     string `json:"event"`
	Frame     int    `json:"frame"`
	Direction string `json:"direction"`
	Iface     string `json:"iface_name"`
	VLANs     []int  `json:"vlans"`
	IP        struct {
		Src string `json:"src"`
		TTL int    `json:"ttl"`
	} `json:"ip"`
	ICMP struct {
		Type      int             `json:"type"`
		Code      int             `json:"code"`
		Name      string          `json:"name"`
		Seq       int             `json:"seq"`
		SumStatus string          `json:"sum_status"`
		Quote     json.RawMessage `json:"quote"`
	} `json:"icmp"`

	State     string `json:"state"`
	Socket    string `json:"socket"`
	Inode     int    `json:"inode"`
	Processes []struct {
		PID     int    `json:"pid"`
		Command string `json:"command"`
	} `json:"processes"`
}

// An account is the summary of listen.
type account struct {
	Event    string `json:"event"`
	Frames   int    `json:"frames"`
	Selected int    `json:"selected"`
	OwnDrops int    `json:"own_drops"`
}

// accountOf returns the last line of a text, which must be the summary.
func accountOf(t *testing.T, text string) account {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var a account
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &a); err != nil || a.Event != "summary" {
		t.Fatalf("ends with %q: %v", lines[len(lines)-1], err)
	}
	return a
}

// A listener is an "icmpx listen --json" that is under way.
type listener struct{ *running }

// listen starts to listen on a host and waits until it does.
func listen(t *testing.T, h *lab.Host, args ...string) *listener {
	t.Helper()
	l := &listener{begin(t, h, lab.Root, append([]string{"listen", "--json"}, args...)...)}
	l.untilLine(`"event":"start"`)
	return l
}

// next returns the next event of one of these names.
func (l *listener) next(names ...string) heard {
	l.t.Helper()
	for {
		h := parseHeard(l.t, l.untilLine(`"event"`))
		if slices.Contains(names, h.Event) {
			return h
		}
	}
}

func parseHeard(t *testing.T, line string) heard {
	t.Helper()
	var h heard
	if err := json.Unmarshal([]byte(line), &h); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return h
}

// finish interrupts it, and returns the summary and the exit code.
func (l *listener) finish() (account, int) {
	l.t.Helper()
	l.signal(unix.SIGINT)
	text, code := l.rest()
	return accountOf(l.t, text), code
}

// echoFilter leaves out what hosts say to find each other.
const echoFilter = "type echo or type echo-reply"

// TestListenRouter hears on a router what passes through it, in both directions
// on both sides.
func TestListenRouter(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "chain:1")
		l := listen(t, n.At("r1"), echoFilter)
		server := n.Addr("server", v6)
		if d := ping(t, n.Client, lab.Root, "-c2", "-i0.05", server.String()); d.code != 0 {
			t.Fatal("no answers")
		}
		client := n.Addr("client", v6)
		for i := range 8 {
			h, reply := l.next("packet"), i/2%2 == 1
			src, typ := client, map[bool]int{false: 8, true: 128}[v6]
			if reply {
				src, typ = server, typ+map[bool]int{false: -8, true: 1}[v6]
			}
			direction := []string{"in", "out"}[i%2]
			iface := []string{"eth0", "eth1", "eth1", "eth0"}[i%4]
			if h.IP.Src != src.String() || h.ICMP.Type != typ || h.ICMP.Seq != i/4+1 ||
				h.ICMP.SumStatus != "good" || h.Direction != direction || h.Iface != iface {
				t.Errorf("packet %d: got %+v", i+1, h)
			}
		}
		if sum, code := l.finish(); code != 0 || sum.Selected != 8 || sum.OwnDrops != 0 {
			t.Errorf("got exit code %d, %+v", code, sum)
		}
	})
}

// TestListenUnfinished sends from a host that leaves checksums to its device:
// they are not called bad.
func TestListenUnfinished(t *testing.T) {
	n := lab.New()
	t.Cleanup(n.Close)
	a, err := n.Host("a", lab.HostOptions{})
	labtest.OK(t, err)
	b, err := n.Host("b", lab.HostOptions{})
	labtest.OK(t, err)
	link, err := n.Link(a, b, lab.LinkOptions{A: prefixes("192.0.2.1/24 2001:db8::1/64"), B: prefixes("192.0.2.2/24 2001:db8::2/64"), Offload: true})
	labtest.OK(t, err)
	l := listen(t, a, "-I", "eth0", "outbound and ("+echoFilter+")")
	for _, v6 := range []bool{false, true} {
		ping(t, a, lab.Root, "-c1", link.B.Addr(v6).String())
		if h := l.next("packet"); h.Direction != "out" || h.ICMP.SumStatus != "good" && h.ICMP.SumStatus != "unfinished" {
			t.Errorf("got %+v", h)
		}
	}
	l.finish()
}

// prefixes reads prefixes with blanks between them.
func prefixes(text string) []netip.Prefix {
	var list []netip.Prefix
	for _, word := range strings.Fields(text) {
		list = append(list, netip.MustParsePrefix(word))
	}
	return list
}

// TestListenProcess names the process that pings: exactly, by a datagram
// socket's identifier, or as the only one with a raw socket.
func TestListenProcess(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			n := labtest.Build(t, "pair")
			labtest.OK(t, n.Client.AllowPing())
			l := listen(t, n.Client, "--process", echoFilter)
			for _, v6 := range []bool{false, true} {
				p := start(t, n.Client, u.user, "-i0.1", "--json", n.Addr("server", v6).String())
				h := l.next("process")
				for h.State == "unknown" {
					h = l.next("process")
				}
				if h.State != "found" || h.Socket != u.socket || len(h.Processes) != 1 ||
					h.Processes[0].PID != p.cmd.Process.Pid || h.Processes[0].Command != "icmpx" {
					t.Errorf("got %+v, want process %d", h, p.cmd.Process.Pid)
				}
				p.signal(unix.SIGINT)
				p.end()
			}
			checkHelper(t, l.cmd.Process.Pid)
			l.finish()
		})
	}
}

// checkHelper looks at the privileges of listen and of the process that finds
// processes for it.
func checkHelper(t *testing.T, pid int) {
	t.Helper()
	checkDropped(t, pid, lab.Root)
	files, err := filepath.Glob(filepath.Join("/proc", itoa(pid), "task/*/children"))
	labtest.OK(t, err)
	children := ""
	for _, name := range files {
		b, err := os.ReadFile(name)
		labtest.OK(t, err)
		children += string(b)
	}
	helper, err := strconv.Atoi(strings.TrimSpace(children))
	if err != nil {
		t.Fatalf("children %q, want one", children)
	}
	const want = "0000000000080004" // CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH
	for thread, got := range statuses(t, helper) {
		if got["CapEff"] != want || got["CapPrm"] != want || got["CapBnd"] != "0000000000000000" || got["NoNewPrivs"] != "1" {
			t.Errorf("thread %s of the helper: %v", thread, got)
		}
	}
}

// TestListenSockets lists the sockets of a ping that is under way.
func TestListenSockets(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			n := labtest.Build(t, "pair")
			labtest.OK(t, n.Client.AllowPing())
			p := start(t, n.Client, u.user, "-i0.1", "--json", n.Addr("server", false).String())
			p.until(is("reply"))
			d := command(t, n.Client, lab.Root, "listen", "--sockets", "--json")
			found := 0
			for line := range strings.Lines(d.stdout) {
				h := parseHeard(t, line)
				if h.Event == "socket" && len(h.Processes) == 1 && h.Processes[0].PID == p.cmd.Process.Pid && h.Socket == u.socket {
					found++
				}
			}
			if d.code != 0 || found == 0 {
				t.Errorf("got exit code %d, and no socket of process %d", d.code, p.cmd.Process.Pid)
			}
			text := command(t, n.Client, lab.Root, "listen", "--sockets")
			if want := fmt.Sprintf("icmpx %d\n", p.cmd.Process.Pid); text.code != 0 || !strings.Contains(text.stdout, want) {
				t.Errorf("got exit code %d, and no line that ends in %q", text.code, want)
			}
			p.signal(unix.SIGINT)
			p.end()
		})
	}
}

func TestListenNotPermitted(t *testing.T) {
	n := labtest.Build(t, "pair")
	d := command(t, n.Client, lab.Ordinary, "listen", "-c1")
	for _, want := range []string{"icmpx: error: open packet socket: ", "icmpx: hint: ", "setcap cap_net_raw+ep"} {
		if d.code != 2 || d.stdout != "" || !strings.Contains(d.stderr, want) {
			t.Errorf("got exit code %d, stdout %q, stderr %q, want 2, none and %q", d.code, d.stdout, d.stderr, want)
		}
	}
}

// TestListenEnds ends listening in the ways that it ends by itself.
func TestListenEnds(t *testing.T) {
	n := labtest.Build(t, "pair")
	if d := command(t, n.Client, lab.Root, "listen", "--for", "0.1", "-i", "eth0", echoFilter); d.code != 1 || d.stdout != "" ||
		!strings.Contains(d.stderr, " 0 dropped by the kernel\n") {
		t.Errorf("nothing to hear: exit code %d", d.code)
	}
	r := begin(t, n.Client, lab.Root, "listen", "--json", "-c3", "-n", "-l", echoFilter)
	r.untilLine(`"event":"start"`)
	ping(t, n.Client, lab.Root, "-c5", "-i0.02", n.Addr("server", false).String())
	text, code := r.rest()
	if code != 0 || strings.Count(text, `"event":"packet"`) != 3 {
		t.Errorf("-c3: exit code %d, %s", code, text)
	}
	gone := begin(t, n.Client, lab.Root, "listen", "--json", echoFilter)
	gone.untilLine(`"event":"start"`)
	labtest.OK(t, gone.pipe.Close())
	ping(t, n.Client, lab.Root, "-c2", "-i0.02", n.Addr("server", false).String())
	if code := exitCode(t, gone.cmd.Wait()); code != 0 || strings.Contains(gone.stderr.String(), "error") {
		t.Errorf("nobody reads: exit code %d, stderr %q", code, gone.stderr.String())
	}
}

var quitEnd = regexp.MustCompile(`(?m)^(4 packets captured|\d+ packets captured, 4 of them selected), 0 dropped by the kernel$`)

// TestListenQuit asks for the figures in between.
func TestListenQuit(t *testing.T) {
	n := labtest.Build(t, "pair")
	cmd := icmpx(t, "listen", "--stats", "-I", "eth0", echoFilter)
	out, stdout, err := os.Pipe()
	labtest.OK(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = stdout, stdout // as a terminal has it
	labtest.OK(t, n.Client.Start(cmd, lab.Root))
	labtest.OK(t, stdout.Close())
	r := &running{t: t, cmd: cmd, out: newReader(out)}
	r.untilLine("listening on eth0")
	ping(t, n.Client, lab.Root, "-c1", n.Addr("server", false).String())
	r.untilLine("echo reply")
	r.signal(unix.SIGQUIT)
	r.untilLine("0 dropped by the kernel")
	ping(t, n.Client, lab.Root, "-c1", n.Addr("server", false).String())
	r.untilLine("echo reply") // it goes on
	r.signal(unix.SIGTERM)
	text, code := r.rest()
	if code != 0 || !strings.Contains(text, "2 requests: 2 answered") || !quitEnd.MatchString(text) {
		t.Errorf("got exit code %d and %q", code, text)
	}
}

// TestListenDrops stops a listener while more comes by than its buffer holds:
// what it has got and what was dropped are all that was sent.
func TestListenDrops(t *testing.T) {
	const sent = 20000
	n := labtest.Build(t, "pair")
	for _, name := range []string{"client", "server"} { // whose other messages would be counted too
		labtest.OK(t, n.At(name).Sysctl(lab.Sysctl{Name: "net.ipv6.conf.all.disable_ipv6", Value: "1"}))
	}
	file := filepath.Join(t.TempDir(), "a.pcapng")
	r := begin(t, n.Client, lab.Root, "listen", "-I", "eth0", "-B512", "--json", "-w", file, "icmp and type echo")
	r.untilLine(`"event":"start"`)
	r.signal(unix.SIGSTOP)
	r.awaitStop()
	server := n.Addr("server", false).String()
	if d := ping(t, n.Client, lab.Root, "-f", "-q", "-c", itoa(sent), server); d.code != 0 {
		t.Fatal("no answers")
	}
	r.signal(unix.SIGCONT)
	r.signal(unix.SIGINT)
	text, code := r.rest()
	sum := accountOf(t, text)
	if code != 0 || sum.OwnDrops == 0 || sum.Frames == 0 || sum.Frames+sum.OwnDrops != sent {
		t.Errorf("got exit code %d, %+v, sent %d", code, sum, sent)
	}
	if got := strings.Count(text, `"event":"packet"`); got != sum.Frames {
		t.Errorf("%d packets shown, %d dropped", got, sum.OwnDrops)
	}
	if got := framesOf(t, n.Client, file); got != sum.Frames {
		t.Errorf("the file has %d packets of %d", got, sum.Frames)
	}
}
