package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

func TestPing(t *testing.T) {
	names := map[string][]string{
		"a.example":    {"2001:db8::1", "198.51.100.1"},
		"b.example":    {"198.51.100.2"},
		"198.51.100.2": {"b.\x1bexample."},
		"2001:db8::1":  {"a.example."},
	}
	tests := []struct {
		name   string
		args   string
		code   int
		stdout []string
		stderr []string
	}{
		{"answered", "ping -c 2 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"64 bytes from 198.51.100.1: icmp_seq=1 ttl=63 time=1.00 ms",
			"64 bytes from 198.51.100.1: icmp_seq=2 ttl=63 time=1.00 ms",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"2 packets transmitted, 2 received, 0% packet loss, time 1001ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
		}, nil},
		{"by name, IPv6 first", "ping -c 1 a.example", exitOK, []string{
			"PING a.example(2001:db8::1) 56 data bytes",
			"64 bytes from a.example (2001:db8::1): icmp_seq=1 ttl=63 time=2.00 ms",
			"",
			"--- a.example ping statistics ---",
			"1 packets transmitted, 1 received, 0% packet loss, time 2ms",
			"rtt min/avg/max/mdev = 2.000/2.000/2.000/0.000 ms",
		}, nil},
		{"hostile name", "ping -4qc1 b.example", exitOK, []string{
			"PING b.example (198.51.100.2) 56(84) bytes of data.",
			"",
			"--- b.example ping statistics ---",
			"1 packets transmitted, 1 received, 0% packet loss, time 2ms",
			"rtt min/avg/max/mdev = 1.500/1.500/1.500/0.000 ms",
		}, nil},
		{"numeric", "ping -4nc1 -s 0 -I 192.0.2.250 a.example", exitOK, []string{
			"PING a.example (198.51.100.1) from 192.0.2.250 : 0(28) bytes of data.",
			"8 bytes from 198.51.100.1: icmp_seq=1 ttl=63 time=1.00 ms",
			"",
			"--- a.example ping statistics ---",
			"1 packets transmitted, 1 received, 0% packet loss, time 1ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
		}, nil},
		{"two hosts and one that is unknown", "ping -c1 198.51.100.1 nobody.example 198.51.100.9", exitError, []string{
			"198.51.100.1: PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"198.51.100.9: PING 198.51.100.9 (198.51.100.9) 56(84) bytes of data.",
			"198.51.100.9: From 203.0.113.254 icmp_seq=1 Packet filtered",
			"198.51.100.1: 64 bytes from 198.51.100.1: icmp_seq=1 ttl=63 time=1.00 ms",
			"198.51.100.1: --- 198.51.100.1 ping statistics ---",
			"198.51.100.1: 1 packets transmitted, 1 received, 0% packet loss, time 1ms",
			"198.51.100.1: rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
			"198.51.100.9: --- 198.51.100.9 ping statistics ---",
			"198.51.100.9: 1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1ms",
		}, []string{"icmpx: error: unknown host nobody.example"}},
		{"a router's limit", "ping -c1 -M do -s 1472 198.51.100.1", exitNoAnswer, []string{
			"PING 198.51.100.1 (198.51.100.1) 1472(1500) bytes of data.",
			"From 203.0.113.254 icmp_seq=1 Frag needed and DF set (mtu = 1400)",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1ms",
			"",
		}, nil},
		{"TTL", "ping -c1 -t1 2001:db8::1", exitNoAnswer, []string{
			"PING 2001:db8::1(2001:db8::1) 56 data bytes",
			"From 2001:db8:f::fe icmp_seq=1 Time exceeded: Hop limit",
			"",
			"--- 2001:db8::1 ping statistics ---",
			"1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1ms",
			"",
		}, nil},
		{"nobody", "ping -Oc2 -W 1500ms -i 1 198.51.100.77", exitNoAnswer, []string{
			"PING 198.51.100.77 (198.51.100.77) 56(84) bytes of data.",
			"no answer yet for icmp_seq=1",
			"",
			"--- 198.51.100.77 ping statistics ---",
			"2 packets transmitted, 0 received, 100% packet loss, time 2500ms",
			"",
		}, nil},
		{"too few by the deadline", "ping -c5 -w2 -qi.8 198.51.100.1", exitNoAnswer, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"3 packets transmitted, 3 received, 0% packet loss, time 2000ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: network(), names: names}
			code := w.run(t, strings.Fields(tt.args)...)
			w.want(t, code, tt.code, text(tt.stdout...), text(tt.stderr...))
		})
	}
}

func TestPingJSON(t *testing.T) {
	w := &world{net: network(), mode: icmpx.ModeDatagram}
	code := w.run(t, "ping", "--json", "-c1", "-W1", "198.51.100.1", "198.51.100.9", "198.51.100.77", "2001:db8::1")
	var events []string
	for line := range strings.Lines(w.stdout.String()) {
		var v struct{ Event, Target, Socket string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, strings.TrimRight(v.Event+" "+v.Target+" "+v.Socket, " "))
	}
	want := []string{
		"start 198.51.100.1 datagram", "start 198.51.100.9 datagram", "start 198.51.100.77 datagram", "start 2001:db8::1 datagram",
		"error 198.51.100.9", "reply 198.51.100.1", "reply 2001:db8::1", "lost 198.51.100.77",
		"summary 198.51.100.1", "summary 198.51.100.9", "summary 198.51.100.77", "summary 2001:db8::1",
	}
	if !slices.Equal(events, want) {
		t.Errorf("events:\n got %q\nwant %q", events, want)
	}
	if code != exitNoAnswer || w.stderr.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, &w.stderr)
	}
}

// TestPrivilegeOrder holds the order of work: all sockets, then the drop, and
// only then names.
func TestPrivilegeOrder(t *testing.T) {
	w := &world{net: network(), names: map[string][]string{"a.example": {"198.51.100.1"}}}
	if code := w.run(t, "ping", "-c1", "198.51.100.1", "a.example"); code != exitOK {
		t.Errorf("exit code %d: %s", code, &w.stderr)
	}
	want := []string{"listen IPv4", "listen IPv6", "drop", "look up ip a.example", "look up 198.51.100.1"}
	if !slices.Equal(w.did, want) {
		t.Errorf("did %q, want %q", w.did, want)
	}
}

func TestPingSockets(t *testing.T) {
	denied := &icmpx.PrivilegeError{
		Family: icmpx.IPv4, Raw: syscall.EPERM, Datagram: syscall.EACCES,
		GroupRange: "1 0", Groups: []int{100}, Executable: "/usr/bin/icmpx",
	}
	names := map[string][]string{"a.example": {"2001:db8::1", "198.51.100.1"}}
	tests := []struct {
		name   string
		listen map[icmpx.Family]error
		drop   error
		args   string
		code   int
		stderr []string
	}{
		{"no IPv6, not needed", map[icmpx.Family]error{icmpx.IPv6: syscall.EAFNOSUPPORT}, nil, "ping -qc1 a.example", exitOK, nil},
		{"no IPv6, needed", map[icmpx.Family]error{icmpx.IPv6: syscall.EAFNOSUPPORT}, nil, "ping -6qc1 a.example", exitError, []string{
			"icmpx: error: address family not supported by protocol",
			"icmpx: hint: this system has no such address family; try -4 or -6",
		}},
		{"no permission", map[icmpx.Family]error{icmpx.IPv4: denied, icmpx.IPv6: denied}, nil, "ping a.example", exitError, []string{
			`icmpx: error: open IPv4 icmp socket: raw: operation not permitted; datagram: permission denied (net.ipv4.ping_group_range is "1 0", groups of this process: 100)`,
			`icmpx: hint: sudo setcap cap_net_raw+ep /usr/bin/icmpx, or sudo sysctl -w net.ipv4.ping_group_range="0 2147483647", or run it as root`,
		}},
		{"no permission for a mark", map[icmpx.Family]error{icmpx.IPv4: syscall.EPERM, icmpx.IPv6: syscall.EPERM}, nil, "ping -m 3 a.example", exitError, []string{
			"icmpx: error: operation not permitted",
			"icmpx: hint: a mark (-m) takes CAP_NET_RAW: " + grantHint("cap_net_raw"),
		}},
		{"privileges that cgo keeps", nil, icmpx.ErrPrivilegesKept, "ping -qc1 a.example", exitOK, nil},
		{"privileges that stay", nil, errors.New("they stay"), "ping a.example", exitError, []string{"icmpx: error: drop privileges: they stay"}},
		{"resolver away", nil, nil, "ping slow.example", exitError, []string{
			"icmpx: error: look up slow.example: the name server does not answer",
			"icmpx: hint: /etc/resolv.conf says which name servers are asked; an address instead of a name needs none",
		}},
		{"name of the other family", nil, nil, "ping -6 localhost", exitError, []string{"icmpx: error: unknown host localhost: it has no IPv6 address"}},
		{"too large for the family", nil, nil, "ping -4 -s 65510 a.example", exitError, []string{
			"icmpx: error: a.example is 198.51.100.1: -s 65510 does not fit into an IPv4 packet: at most 65507",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: network(), names: names, listen: tt.listen, drop: tt.drop}
			code := w.run(t, strings.Fields(tt.args)...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if got := w.stderr.String(); got != text(tt.stderr...) {
				t.Errorf("standard error:\n%swant:\n%s", got, text(tt.stderr...))
			}
		})
	}
}

// TestPingLocalFailures says each failure, and each remedy once.
func TestPingLocalFailures(t *testing.T) {
	n := network()
	n.SendErr = func(*icmpx.Request) error { return os.NewSyscallError("sendmsg", syscall.EPERM) }
	w := &world{net: n}
	code := w.run(t, "ping", "-c2", "198.51.100.1")
	w.want(t, code, exitNoAnswer, text(
		"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
		"",
		"--- 198.51.100.1 ping statistics ---",
		"2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1000ms",
		"",
		"2 not sent",
	), text(
		"icmpx: error: sendmsg: Operation not permitted",
		"icmpx: hint: a packet filter of this host forbids it; nft list ruleset shows the rules",
		"icmpx: error: sendmsg: Operation not permitted",
	))
}

// TestPingInterrupted ends a run that has no end of its own.
func TestPingInterrupted(t *testing.T) {
	w := &world{net: network()}
	var code int
	synctest.Test(t, func(t *testing.T) {
		w.status = make(chan os.Signal, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		time.AfterFunc(1500*time.Millisecond, func() { w.status <- syscall.SIGQUIT })
		code = w.inBubble(ctx, []string{"ping", "-q", "198.51.100.1"})
	})
	w.want(t, code, exitOK, text(
		"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
		"",
		"--- 198.51.100.1 ping statistics ---",
		"3 packets transmitted, 3 received, 0% packet loss, time 2500ms",
		"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
	), "\r2/2 packets, 0% loss, min/avg/ewma/max = 1.000/1.000/1.000/1.000 ms\n")
}

// TestPingInterruptedEarly is Ctrl-C before anything could be sent.
func TestPingInterruptedEarly(t *testing.T) {
	w := &world{net: network()}
	var code int
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		code = w.inBubble(ctx, []string{"ping", "198.51.100.1"})
	})
	w.want(t, code, exitNoAnswer, "", "")
}

func TestPingClosedOutput(t *testing.T) {
	tests := []struct {
		name   string
		broken error
		after  int
		code   int
		stderr string
	}{
		{"reader gone after a reply", syscall.EPIPE, 2, exitOK, ""},
		{"reader gone at once", syscall.EPIPE, 0, exitNoAnswer, ""},
		{"disk full", &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, 2, exitError,
			"icmpx: error: write /dev/stdout: no space left on device\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: network(), broken: tt.broken, after: tt.after}
			code := w.run(t, "ping", "198.51.100.1") // ends only because it cannot print
			if got := w.stderr.String(); code != tt.code || got != tt.stderr {
				t.Errorf("exit code %d, standard error %q; want %d, %q", code, got, tt.code, tt.stderr)
			}
		})
	}
}
