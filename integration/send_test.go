//go:build linux

package integration

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// A sentLine is a line of JSON output of send: the fields that tests look at.
type sentLine struct {
	Event string `json:"event"`
	IP    struct {
		Src string `json:"src"`
		Raw string `json:"raw"`
	} `json:"ip"`
	ICMP struct {
		Type      int    `json:"type"`
		Code      int    `json:"code"`
		Raw       string `json:"raw"`
		SumStatus string `json:"sum_status"`
		Originate int    `json:"ts_orig"`
		Receive   int    `json:"ts_recv"`
		XEActive  int    `json:"xe_active"`
	} `json:"icmp"`
	Sent     int `json:"sent"`
	Received int `json:"received"`
}

// shownOf decodes all output of send.
func shownOf(t *testing.T, d done) []sentLine {
	t.Helper()
	var all []sentLine
	for line := range strings.Lines(d.stdout) {
		var s sentLine
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, s)
	}
	return all
}

// pick returns those with a name of event.
func pick(all []sentLine, event string) []sentLine {
	return slices.DeleteFunc(slices.Clone(all), func(s sentLine) bool { return s.Event != event })
}

// packetOf returns the bytes of the packet that send shows.
func packetOf(t *testing.T, d done) string {
	t.Helper()
	list := pick(shownOf(t, d), "packet")
	if len(list) != 1 {
		t.Fatalf("%d packets shown, want 1", len(list))
	}
	return list[0].IP.Raw + list[0].ICMP.Raw
}

// arrived returns the ICMP packets that a capture has taken in.
func arrived(t *testing.T, c *lab.Capture) []string {
	t.Helper()
	frames, err := c.Frames()
	labtest.OK(t, err)
	var list []string
	for _, f := range frames {
		if !f.Out {
			list = append(list, hex.EncodeToString(f.Data))
		}
	}
	return list
}

// fieldsFor are what messages need that have no default.
func fieldsFor(v6 bool, typ, code int) []string {
	switch {
	case !v6 && typ == 5:
		return []string{"--gateway", "192.0.2.77"}
	case !v6 && typ == 9:
		return []string{"--router", "192.0.2.1,7"}
	case typ == map[bool]int{false: 42, true: 160}[v6]:
		return []string{"--iface-index", "1"}
	case !v6 && (typ == 13 || typ == 14):
		return []string{"--originate", "1234"}
	case v6 && typ == 137:
		return []string{"--destination", "2001:db8:9::9"}
	case !v6 && (typ == 11 || typ == 3 && code != 4), v6 && (typ == 1 || typ == 3):
		return []string{"--mpls", "16:0:1:64"}
	}
	return nil
}

// TestSendArrives sends every message that has a name, and some that have none,
// and compares what the other host takes in with what a dry run showed.
func TestSendArrives(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "pair")
		server := n.Addr("server", v6).String()
		ping(t, n.Client, lab.Root, "-c1", server) // who is where is known
		c, err := n.At("server").Iface(0).Capture()
		labtest.OK(t, err)
		defer c.Close()
		family := map[bool]lib.Family{false: lib.IPv4, true: lib.IPv6}[v6]
		for _, info := range lib.Types(family) {
			codes := []int{0}
			for _, code := range info.Codes {
				if code.Code != 0 {
					codes = append(codes, int(code.Code))
				}
			}
			for _, code := range codes {
				word := fmt.Sprintf("%d/%d", info.Type, code)
				sendAndCompare(t, n, c, append([]string{word, server, "-W0"}, fieldsFor(v6, int(info.Type), code)...))
			}
		}
		sendAndCompare(t, n, c, []string{"77/7", server, "-W0", "--body", "000102030405"})
		sendAndCompare(t, n, c, []string{"echo", server, "-W0", "--bad-checksum", "--ttl", "3", "--tos", "0x10", "--data", "6869"})
		if !v6 {
			sendAndCompare(t, n, c, []string{"echo", server, "-W0", "--df", "--ip-id", "0"})
			sendAndCompare(t, n, c, []string{"echo", server, "-W0", "--ip-id", "65535"})
		}
	})
}

func sendAndCompare(t *testing.T, n *lab.Network, c *lab.Capture, args []string) {
	t.Helper()
	dry := command(t, n.Client, lab.Ordinary, append([]string{"send", "--json", "--dry-run"}, args...)...)
	if dry.code != 0 {
		t.Errorf("%v: dry run ended with %d: %s", args, dry.code, dry.stderr)
		return
	}
	want := packetOf(t, dry)
	d := command(t, n.Client, lab.Root, append([]string{"send", "--json", "--yes-this-is-my-network"}, args...)...)
	if d.code != 0 {
		t.Errorf("%v: ended with %d: %s", args, d.code, d.stderr)
		return
	}
	if got := packetOf(t, d); got != want {
		t.Errorf("%v: showed\n%s, a dry run\n%s", args, got, want)
	}
	if got := arrived(t, c); !slices.Contains(got, want) {
		t.Errorf("%v: arrived\n%s, want\n%s", args, strings.Join(got, "\n"), want)
	}
}

// fileOf returns the name of a file of so many bytes.
func fileOf(t *testing.T, n int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "data")
	labtest.OK(t, os.WriteFile(name, bytes.Repeat([]byte{0x5a}, n), 0o600))
	return name
}

// TestSendFragments sends a message larger than the interface takes.
func TestSendFragments(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "pair")
		d := command(t, n.Client, lab.Root, "send", "--json", "echo", n.Addr("server", v6).String(), "--payload", fileOf(t, 4000))
		replies := pick(shownOf(t, d), "reply")
		if d.code != 0 || len(replies) != 1 || len(replies[0].ICMP.Raw) != 2*4008 || replies[0].ICMP.SumStatus != "good" {
			t.Errorf("exit code %d, %d replies", d.code, len(replies))
		}
	})
}

// TestSendAnswers asks what hosts answer.
func TestSendAnswers(t *testing.T) {
	n := labtest.Build(t, "chain:1")
	labtest.OK(t, n.At("server").Sysctl(lab.Sysctl{Name: "net.ipv4.icmp_echo_enable_probe", Value: "1"}))
	server, server6 := n.Addr("server", false).String(), n.Addr("server", true).String()
	tests := []struct {
		args []string
		typ  int
		from string
		code int // exit code
	}{
		{[]string{"echo", server}, 0, server, 0},
		{[]string{"echo", server6}, 129, server6, 0},
		{[]string{"timestamp", server, "--originate", "5"}, 14, server, 0},
		{[]string{"ext-echo", server, "--iface-name", "eth0"}, 43, server, 0},
		{[]string{"echo", server, "--ttl", "1"}, 11, n.Addr("r1", false).String(), 0},
		{[]string{"echo", server6, "--ttl", "1"}, 3, n.Addr("r1", true).String(), 0},
		{[]string{"mask", server, "-W0.1"}, -1, "", 1},
		{[]string{"port-unreachable", server}, -1, "", 0},
	}
	for _, tt := range tests {
		d := command(t, n.Client, lab.Root, append([]string{"send", "--json"}, tt.args...)...)
		all := shownOf(t, d)
		replies := pick(all, "reply")
		sum := all[len(all)-1]
		switch {
		case d.code != tt.code || sum.Event != "summary" || sum.Sent != 1 || sum.Received != len(replies):
			t.Errorf("%v: exit code %d, summary %+v", tt.args, d.code, sum)
		case tt.typ < 0 && len(replies) > 0, tt.typ >= 0 && len(replies) != 1:
			t.Errorf("%v: %d replies", tt.args, len(replies))
		case tt.typ >= 0 && (replies[0].ICMP.Type != tt.typ || replies[0].IP.Src != tt.from || replies[0].ICMP.SumStatus != "good"):
			t.Errorf("%v: got %+v", tt.args, replies[0])
		case tt.typ == 14 && (replies[0].ICMP.Originate != 5 || replies[0].ICMP.Receive == 0):
			t.Errorf("%v: got %+v", tt.args, replies[0])
		case tt.typ == 43 && replies[0].ICMP.XEActive != 1:
			t.Errorf("%v: got %+v", tt.args, replies[0])
		}
	}
	d := command(t, n.Client, lab.Root, "send", "--json", "echo", server, "-c3")
	if all := shownOf(t, d); d.code != 0 || all[len(all)-1].Sent != 3 || len(pick(all, "reply")) != 3 {
		t.Errorf("three of them: exit code %d, %+v", d.code, all[len(all)-1])
	}
}

// TestSendNotices has one host send source quenches and redirects to another,
// which pings it and says so.
func TestSendNotices(t *testing.T) {
	n := labtest.Build(t, "pair")
	client, server := n.Addr("client", false).String(), n.Addr("server", false).String()
	for _, tt := range []struct {
		args []string
		kind string
	}{
		{[]string{"source-quench"}, "source_quench"},
		{[]string{"redirect/1", "--gateway", "192.0.2.77"}, "redirect"},
	} {
		p := start(t, n.Client, lab.Root, "--json", "-e4711", "-i0.3", "-c5", server)
		p.until(func(e event) bool { return e.Event == "reply" && e.Seq == 1 })
		args := append([]string{"send", tt.args[0], client, "--yes-this-is-my-network", "--quote-proto", "icmp:4711:1"}, tt.args[1:]...)
		d := command(t, n.At("server"), lab.Root, args...)
		if d.code != 0 || !strings.Contains(d.stderr, "the receiver") && !strings.Contains(d.stderr, "a receiver") {
			t.Errorf("%v: exit code %d, %s", tt.args, d.code, d.stderr)
		}
		e := p.until(func(e event) bool { return e.Event == "notice" })
		if e.Kind != tt.kind || e.From != server {
			t.Errorf("got %+v", e)
		}
		if tt.kind == "source_quench" {
			p.until(func(e event) bool { return e.Event == "rate" })
		}
		all, code := p.end()
		if sum := summary(t, all); code != 0 || sum.Received != 5 {
			t.Errorf("%v: ping ended with %d, %+v", tt.args, code, sum)
		}
	}
}

// TestSendRefused sees that what is refused leaves no packet.
func TestSendRefused(t *testing.T) {
	n := labtest.Build(t, "pair")
	server, server6 := n.Addr("server", false).String(), n.Addr("server", true).String()
	ping(t, n.Client, lab.Root, "-c1", server)
	ping(t, n.Client, lab.Root, "-c1", server6)
	// The kernel may be told to let anybody's address be a source.
	labtest.OK(t, n.Client.Sysctl(lab.Sysctl{Name: "net.ipv4.ip_nonlocal_bind", Value: "1"}))
	c, err := n.At("server").Iface(0).Capture()
	labtest.OK(t, err)
	defer c.Close()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"echo", server, "--source", "192.0.2.200"}, "no address of this host"},
		{[]string{"echo", server, "-I", server}, "no address of this host"},
		{[]string{"echo", "192.0.2.255"}, "broadcast address"},
		{[]string{"echo", "255.255.255.255"}, "broadcast address"},
		{[]string{"echo", "224.0.0.1"}, "multicast address"},
		{[]string{"router-solicitation", "ff02::2%eth0"}, "multicast address"},
		{[]string{"redirect", server, "--gateway", "192.0.2.1"}, "--yes-this-is-my-network"},
		{[]string{"9", server, "--router", "192.0.2.1"}, "--yes-this-is-my-network"},
		{[]string{"source-quench", server}, "--yes-this-is-my-network"},
		{[]string{"too-big", server}, "--yes-this-is-my-network"},
		{[]string{"too-big", server6}, "--yes-this-is-my-network"},
		{[]string{"134", server6}, "--yes-this-is-my-network"},
		{[]string{"136", server6}, "--yes-this-is-my-network"},
		{[]string{"137", server6, "--destination", "2001:db8::9"}, "--yes-this-is-my-network"},
		{[]string{"echo", server, "--payload", fileOf(t, 65508)}, "65,535"},
		{[]string{"3/1", server, "--mpls", "1048576:0:1:1"}, "1048575"},
		{[]string{"3/1", server, "--quote-file", fileOf(t, 1100), "--mpls", "1:0:1:1"}, "extensions"},
		{[]string{"echo", server, "-c", "101"}, "from 1 to 100"},
		{[]string{"echo", server, server6}, "one target"},
	} {
		d := command(t, n.Client, lab.Root, append([]string{"send"}, tt.args...)...)
		if d.code != 2 || !strings.Contains(d.stderr, tt.want) {
			t.Errorf("%v: exit code %d, %q; want 2, %q", tt.args[:2], d.code, d.stderr, tt.want)
		}
	}
	listeners := func(p string) bool { return p[0] == '6' && p[12:14] == "00" } // the kernel's own multicast reports
	if got := slices.DeleteFunc(arrived(t, c), listeners); len(got) != 0 {
		t.Errorf("arrived: %q", got)
	}
}

// TestSendBroadcast sends to everybody, once that is asked for.
func TestSendBroadcast(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.At("server").Sysctl(lab.Sysctl{Name: "net.ipv4.icmp_echo_ignore_broadcasts", Value: "0"}))
	for _, args := range [][]string{{"echo", "192.0.2.255"}, {"echo", "ff02::1%eth0"}} {
		d := command(t, n.Client, lab.Root, append([]string{"send", "--json", "--broadcast", "-W0.5"}, args...)...)
		if replies := pick(shownOf(t, d), "reply"); d.code != 0 || len(replies) == 0 {
			t.Errorf("%v: exit code %d, %d replies", args, d.code, len(replies))
		}
	}
}

// TestSendOrdinaryUser has somebody try who may not.
func TestSendOrdinaryUser(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "pair")
		d := command(t, n.Client, lab.Ordinary, "send", "echo", n.Addr("server", v6).String())
		if d.code != 2 || !strings.Contains(d.stderr, "CAP_NET_RAW") || !strings.Contains(d.stderr, "--dry-run") {
			t.Errorf("exit code %d, %s", d.code, d.stderr)
		}
	})
}

// TestSendCapture sends what a capture holds, as decode describes it.
func TestSendCapture(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "pair")
		server := n.Addr("server", v6).String()
		ping(t, n.Client, lab.Root, "-c1", server)
		c, err := n.At("server").Iface(0).Capture()
		labtest.OK(t, err)
		defer c.Close()
		line := command(t, n.Client, lab.Ordinary, "send", "--json", "--dry-run", "echo", server, "--id", "9", "--data", "0a0b")
		cmd := icmpx(t, "send", "--json", "-")
		cmd.Stdin = strings.NewReader(line.stdout)
		labtest.OK(t, n.Client.Start(cmd, lab.Root))
		if code := exitCode(t, cmd.Wait()); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if got, want := arrived(t, c), packetOf(t, line); !slices.Contains(got, want) {
			t.Errorf("arrived %q, want %s", got, want)
		}
	})
}

// TestPingQueries pings with other queries than echo.
func TestPingQueries(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.At("server").Sysctl(lab.Sysctl{Name: "net.ipv4.icmp_echo_enable_probe", Value: "1"}))
	server, server6 := n.Addr("server", false).String(), n.Addr("server", true).String()
	const silent = "127.0.0.1" // the client does not answer
	for _, tt := range []struct {
		args []string
		want string
		note string // on standard error
		code int
	}{
		{[]string{"--type", "timestamp", server}, " there=", "two clocks", 0},
		{[]string{"--type", "ext-echo", "--iface-name", "eth0", server}, " interface=active,ipv4,ipv6", "", 0},
		{[]string{"--type", "ext-echo", "--iface-name", "none", server}, "no such interface", "", 0},
		{[]string{"--type", "ext-echo", "--iface-addr", server6, server6}, " interface=active,ipv4,ipv6", "", 0},
		{[]string{"--type", "mask", "-W0.1", server}, "100% packet loss", "hint: Linux does not answer address mask requests", 1},
		{[]string{"--type", "information", "-W0.1", server}, "100% packet loss", "do not answer information requests", 1},
		{[]string{"--type", "ext-echo", "--iface-name", "eth0", "-W0.1", silent}, "100% packet loss", "net.ipv4.icmp_echo_enable_probe=1", 1},
	} {
		d := ping(t, n.Client, lab.Root, append([]string{"-c1"}, tt.args...)...)
		if d.code != tt.code || !strings.Contains(d.stdout, tt.want) {
			t.Errorf("%v: exit code %d, %s", tt.args, d.code, d.stdout)
		}
		if !strings.Contains(d.stderr, tt.note) || tt.note == "" && d.stderr != "" {
			t.Errorf("%v: stderr %q, want %q", tt.args, d.stderr, tt.note)
		}
	}
	if d := ping(t, n.Client, lab.Ordinary, "--type", "timestamp", server); d.code != 2 || !strings.Contains(d.stderr, "CAP_NET_RAW") {
		t.Errorf("an ordinary user: exit code %d, %s", d.code, d.stderr)
	}
}
