//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// TestTraceHeaders sees on the wire what a command line asks for.
func TestTraceHeaders(t *testing.T) {
	const length = 200
	n := network(t, "chain:3")
	c := tap(t, n)
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		server := n.Addr("server", v6)
		common := []string{"-t0x28", "-s", n.Addr("client", v6).String(), "-i", "eth0"}
		for _, tt := range []struct {
			args []string
			head string // first bytes behind the IP header; of those that may vary, none
		}{
			{[]string{"--sport", "40000", "-p", "33500"}, "9c40" + "82dc"},
			{[]string{"-U", "--sport", "40001"}, "9c41" + "0035"},
			{[]string{"-T", "--sport", "40002", "-p", "443"}, "9c42" + "01bb"},
			{[]string{"--sport", "40004", "-p", "33501", "-l0xabcde"}, "9c44" + "82dd"},
			{[]string{"-I", "-l0xabcde"}, map[bool]string{false: "0800", true: "8000"}[v6]},
			{[]string{"--classic", "--sport", "40003"}, "9c43"},
		} {
			want, label := length, uint32(0)
			if as == lab.Ordinary && (tt.args[0] == "-U" || tt.args[0] == "-T") {
				refused(t, n.Client, append(tt.args, server.String()))
				tt.args = append(tt.args[:1:1], tt.args[3:]...)
			}
			if as == lab.Ordinary {
				tt.head = variable(tt.head, tt.args[0])
			}
			if last := len(tt.args) - 1; tt.args[last] == "-l0xabcde" {
				if v6 && (as == lab.Root || tt.args[0] == "-I") {
					label = 0xabcde
				} else {
					tt.args = tt.args[:last:last] // IPv4 has none, ordinary UDP sockets take none
				}
			}
			switch {
			case tt.args[0] == "-T" && as == lab.Ordinary:
				want = 0 // the kernel's own SYN
			}
			for _, df := range []bool{false, true} {
				args := append(append(tt.args, common...), server.String(), fmt.Sprint(length))
				if df {
					args = append([]string{"-F"}, args...)
				}
				tr := traceroute(t, n.Client, as, args...)
				tr.ended(t, true, 4)
				for _, p := range sent(t, c, server).probes {
					if !strings.HasPrefix(p.flow.head, tt.head) || p.tos != 0x28 || label != 0 && p.flow.label != label ||
						want != 0 && p.length != want || !v6 && p.df != df || p.src != n.Addr("client", v6) {
						t.Errorf("%v: got %+v on the wire", args, p)
						break
					}
				}
			}
		}
	})
}

// refused has a trace say that ordinary sockets of one probe each share no
// source port.
func refused(t *testing.T, h *lab.Host, args []string) {
	t.Helper()
	d := command(t, h, lab.Ordinary, append([]string{"trace"}, args...)...)
	if d.code != 2 || d.stdout != "" || !strings.Contains(d.stderr, "port of its own") {
		t.Errorf("%v: got exit code %d and %q, want 2 and the reason on stderr", args, d.code, d.stdout)
	}
}

// variable returns the part of a header that stays when ordinary sockets must
// let a port vary: of UDP the destination's, with -U and -T the source's.
func variable(head, flag string) string {
	switch flag {
	case "--sport":
		return head[:4]
	case "-U", "-T":
		return ""
	}
	return head
}

// TestTraceSourceRoute goes by a router of its choice, where routers let it.
func TestTraceSourceRoute(t *testing.T) {
	n := network(t, "chain:3")
	// Everybody on the way, and who gets the answers, which come back by it.
	for _, name := range []string{"client", "r1", "r2", "r3", "server"} {
		for _, dev := range []string{"all", "eth0", "eth1"} {
			if dev == "eth1" && (name == "client" || name == "server") {
				continue
			}
			labtest.OK(t, n.At(name).Sysctl(lab.Sysctl{Name: "net.ipv4.conf." + dev + ".accept_source_route", Value: "1"}))
		}
	}
	server, gateway := n.Addr("server", false), n.Addr("r2", false)
	for _, m := range traceMethods {
		args := append(m.args, "-g", gateway.String(), server.String())
		if m.name == "icmp" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			tr := traceroute(t, n.Client, lab.Root, args...)
			tr.ended(t, true, 4)
			for i, name := range []string{"r1", "r2", "r3"} {
				tr.hop(t, i+1).answered(t, 3, n.Addr(name, false), "time_exceeded")
			}
			tr.hop(t, 4).answered(t, 3, server, m.last)
			if len(tr.sum.Findings) != 0 {
				t.Errorf("got findings %v, want none", tr.codes())
			}
			d := command(t, n.Client, lab.Ordinary, append([]string{"trace"}, args...)...)
			if d.code != 2 || d.stdout != "" || !strings.Contains(d.stderr, "icmpx: hint: a source route (-g) takes CAP_NET_RAW") {
				t.Errorf("without privileges: got exit code %d, %q and %q, want 2, nothing and a hint", d.code, d.stdout, d.stderr)
			}
		})
	}
}

// TestTraceText compares with what people and scripts that read traceroute's
// output look for.
func TestTraceText(t *testing.T) {
	n := network(t, "chain:2")
	labtest.OK(t, n.Client.NameHosts(n.Names))
	const times = `(  [0-9]+\.[0-9]{3} ms){3}$`
	row := func(ttl int, name string, v6 bool) string {
		return fmt.Sprintf(`^ %d  %s \(%s\)`, ttl, name, quote(n.Addr(name, v6))) + times
	}
	eachTrace(t, func(t *testing.T, as lab.User, v6 bool) {
		flag, bytes := "-4", 60
		if v6 {
			flag, bytes = "-6", 80
		}
		server := n.Addr("server", v6)
		d := command(t, n.Client, as, "trace", flag, "-I", "server")
		compareLines(t, d, []string{
			fmt.Sprintf(`^traceroute to server \(%s\), [0-9]+ hops max, %d byte packets$`, quote(server), bytes),
			row(1, "r1", v6), row(2, "r2", v6), row(3, "server", v6),
		})
		d = command(t, n.Client, as, "trace", "-n", "-f3", "-T", server.String())
		compareLines(t, d, []string{`^traceroute to `, `^ 3  ` + quote(server) + times, `^port 80 is closed$`})
	})
}

func quote(a netip.Addr) string { return regexp.QuoteMeta(a.String()) }

// compareLines compares the first lines of an output. Notes may follow.
func compareLines(t *testing.T, d done, want []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(d.stdout, "\n"), "\n")
	if d.code != 0 || d.stderr != "" || len(lines) < len(want) {
		t.Fatalf("got exit code %d, stderr %q and %d lines, want 0, none and %d", d.code, d.stderr, len(lines), len(want))
	}
	for i, line := range lines {
		switch {
		case i >= len(want) && !strings.HasPrefix(line, "note: "):
			t.Errorf("got line %q behind the last", line)
		case i < len(want) && !regexp.MustCompile(want[i]).MatchString(line):
			t.Errorf("line %d: got %q, want %s", i+1, line, want[i])
		}
	}
}
