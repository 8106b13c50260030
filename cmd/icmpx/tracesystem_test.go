package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// TestTraceSockets holds the order of work: all sockets, those of the last
// question too, then the drop, and only then names.
func TestTraceSockets(t *testing.T) {
	tests := []struct {
		args string
		did  []string
	}{
		{"trace -nq1 " + traceTarget, []string{"listen IPv4 udp", "listen IPv4 icmp", "listen IPv4 tcp", "drop"}},
		{"trace -nIq1 2001:db8:9::9", []string{"listen IPv6 icmp", "listen IPv6 tcp", "listen IPv6 udp", "drop"}},
		{"trace -nTq1 --resolver [2001:db8::53]:5353 a.example", []string{
			"listen IPv4 tcp", "listen IPv4 icmp", "listen IPv4 udp", "listen IPv6 tcp", "listen IPv6 icmp", "listen IPv6 udp",
			"drop", "ask [2001:db8::53]:5353", "look up ip a.example",
		}},
		{"trace -nq1 -4 --classic a.example", []string{"listen IPv4 udp-classic", "listen IPv4 icmp", "listen IPv4 tcp", "drop", "look up ip4 a.example"}},
	}
	for _, tt := range tests {
		n := way(nil)
		n.Classic = strings.Contains(tt.args, "--classic")
		w := &world{net: n, names: wayNames()}
		if code := w.run(t, strings.Fields(tt.args)...); code != exitOK || !slices.Equal(w.did, tt.did) {
			t.Errorf("%s: exit code %d, did %q, want %q\n%s%s", tt.args, code, w.did, tt.did, &w.stdout, &w.stderr)
		}
	}
	w := &world{net: way(nil)}
	args := "trace -nq1 -i eth0 -s 192.0.2.7 --sport 4000 --fwmark 0x10 -g 198.51.100.7,198.51.100.8 -g 198.51.100.9 " + traceTarget
	if code := w.run(t, strings.Fields(args)...); code != exitOK {
		t.Errorf("exit code %d: %s", code, &w.stderr)
	}
	s := w.traced[0]
	if s.Interface != "eth0" || s.Source.String() != "192.0.2.7" || s.SourcePort != 4000 || s.Mark != 16 || len(s.Gateways) != 3 {
		t.Errorf("opened %+v", s)
	}
	if s := w.traced[2]; s.SourcePort != 0 || s.Gateways != nil || s.Interface != "eth0" {
		t.Errorf("opened for the last question %+v", s)
	}
}

func TestTraceErrors(t *testing.T) {
	tests := []struct {
		name, args string
		change     func(*world)
		stderr     []string
	}{
		{"no IPv6", "trace -6 a.example", func(w *world) { w.listen = map[icmpx.Family]error{icmpx.IPv6: syscall.EAFNOSUPPORT} }, []string{
			"icmpx: error: address family not supported by protocol", "icmpx: hint: this system has no such address family; try -4 or -6",
		}},
		{"somebody else's source", "trace -s 192.0.2.99 " + traceTarget, func(w *world) {
			w.listen = map[icmpx.Family]error{icmpx.IPv4: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}
		}, []string{"icmpx: error: bind: cannot assign requested address", "icmpx: hint: ip address lists the addresses of this host"}},
		{"unknown", "trace nobody.example", nil, []string{"icmpx: error: unknown host nobody.example"}},
		{"no answer from the resolver", "trace slow.example", nil, []string{
			"icmpx: error: look up slow.example: the name server does not answer",
			"icmpx: hint: /etc/resolv.conf says which name servers are asked; an address instead of a name needs none",
		}},
		{"a group", "trace 224.0.0.1", nil, []string{"icmpx: error: 224.0.0.1 is a group: there is no one way there"}},
		{"privileges that stay", "trace a.example", func(w *world) { w.drop = errors.New("they stay") }, []string{"icmpx: error: drop privileges: they stay"}},
		{"too big for this host", "trace -F " + traceTarget + " 1501", nil, []string{
			"icmpx: error: -F forbids to fragment, and a packet of 1501 bytes exceeds the interface's MTU of 1500",
			"icmpx: hint: a smaller PACKETLEN passes; --mtu finds how large it may be",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: way(nil), names: wayNames()}
			if tt.change != nil {
				tt.change(w)
			}
			w.want(t, w.run(t, strings.Fields(tt.args)...), exitError, "", text(tt.stderr...))
		})
	}
}

// TestTraceHint says which privilege a flag takes that the kernel refuses.
func TestTraceHint(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args  string
		errno syscall.Errno
		hint  string
	}{
		{"-g 192.0.2.1", syscall.EPERM, "a source route (-g) takes CAP_NET_RAW: sudo setcap cap_net_raw+ep " + exe + ", or run it as root"},
		{"--fwmark 1", syscall.EPERM, "a mark (--fwmark) takes CAP_NET_RAW: sudo setcap cap_net_raw+ep " + exe + ", or run it as root"},
		{"--sport 80", syscall.EACCES, "a port below 1024 (--sport) takes CAP_NET_BIND_SERVICE: sudo setcap cap_net_raw,cap_net_bind_service+ep " + exe + ", or run it as root"},
		{"--sport 1024", syscall.EACCES, ""},
		{"-g 192.0.2.1", syscall.EADDRNOTAVAIL, "ip address lists the addresses of this host"},
		{"-T -l 5 2001:db8::9", syscall.EOPNOTSUPP, "a flow label (-l) of UDP or TCP takes CAP_NET_RAW: sudo setcap cap_net_raw+ep " + exe + ", or run it as root; with -I it does without"},
		{"-I -l 5 2001:db8::9", syscall.EOPNOTSUPP, ""},
	}
	for _, tt := range tests {
		err := os.NewSyscallError("call", tt.errno)
		w := &world{net: way(nil), listen: map[icmpx.Family]error{icmpx.IPv4: err, icmpx.IPv6: err}}
		want := []string{"icmpx: error: call: " + tt.errno.Error()}
		if tt.hint != "" {
			want = append(want, "icmpx: hint: "+tt.hint)
		}
		args := strings.Fields("trace " + tt.args)
		if !strings.Contains(tt.args, "2001:db8") {
			args = append(args, traceTarget)
		}
		w.want(t, w.run(t, args...), exitError, "", text(want...))
	}
}

// TestTraceNotSent is a host that lets nothing out: an error, with what helps.
func TestTraceNotSent(t *testing.T) {
	n := way(nil)
	n.SendErr = func(*icmpx.Request) error { return os.NewSyscallError("sendmsg", syscall.ENETUNREACH) }
	w := &world{net: n}
	w.want(t, w.run(t, "trace", "-n", traceTarget), exitError, text(udpHeader), text(
		"icmpx: error: trace 203.0.113.9: sendmsg: network is unreachable",
		"icmpx: hint: this host has no route there; ip route get ADDRESS shows what it would do",
	))
}

// TestTraceUnprivileged says what a trace without privileges cannot do, and
// keeps to its limits.
func TestTraceUnprivileged(t *testing.T) {
	const (
		tcpHeader = "traceroute to 203.0.113.9 (203.0.113.9), 64 hops max"
		connects  = "each probe is an attempt to connect, and at most 64 are open at once: rows may belong to different paths"
		ports     = "each probe has a source port of its own, and at most 64 are open at once: rows may belong to different paths"
	)
	for _, tt := range []struct {
		args, header, port string
		notes              []string
	}{
		{"trace -nT " + traceTarget, tcpHeader, "port 80 is closed", []string{connects}},
		{"trace -nT " + traceTarget + " 100", tcpHeader, "port 80 is closed", []string{connects, "the kernel alone makes a SYN: PACKETLEN has no effect"}},
		{"trace -nU " + traceTarget, udpHeader, "port 53 is closed", []string{ports}},
	} {
		w := &world{net: way(nil), mode: icmpx.ModeDatagram}
		lines := []string{tt.header, row1, row2, row3, row4, tt.port}
		for _, note := range tt.notes {
			lines = append(lines, "note: without privileges "+note)
		}
		w.want(t, w.run(t, strings.Fields(tt.args)...), exitOK, text(lines...), "")
	}
}

// TestTraceInterrupted is Ctrl-C, SIGTERM and SIGQUIT while hops are silent.
func TestTraceInterrupted(t *testing.T) {
	for _, tt := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		w := &world{net: way(func(h *probetest.Host) { h.Path[2].Drop, h.Path[2].Silent = true, true })}
		var code int
		synctest.Test(t, func(t *testing.T) {
			w.status = make(chan os.Signal, 1)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(50*time.Millisecond, func() { w.status <- syscall.SIGQUIT })
			time.AfterFunc(100*time.Millisecond, func() { cancel(&interruption{int(tt.signal)}) })
			code = w.inBubble(ctx, []string{"trace", "-nv", traceTarget})
		})
		w.want(t, code, tt.code, text(udpHeader, row1, row2, "96 probes in 0.100 s by udp to port 33434, raw sockets"),
			"\r203.0.113.9: 2 hops of the path known, 6 answers\n")
	}
}

// TestTraceInterruptedEarly is Ctrl-C while the name is looked up.
func TestTraceInterruptedEarly(t *testing.T) {
	w := &world{net: way(nil)}
	var code int
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&interruption{2})
		code = w.inBubble(ctx, []string{"trace", "slow.example"})
	})
	w.want(t, code, 130, "", "")
}

func TestTraceClosedOutput(t *testing.T) {
	for _, tt := range []struct {
		broken error
		code   int
		stderr string
	}{
		{syscall.EPIPE, exitNoAnswer, ""},
		{&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, exitError, "icmpx: error: write /dev/stdout: no space left on device\n"},
	} {
		w := &world{net: way(func(h *probetest.Host) { h.Path[2].Drop = true }), broken: tt.broken, after: 1}
		w.want(t, w.run(t, "trace", "-n", traceTarget), tt.code, text(udpHeader), tt.stderr)
	}
}
