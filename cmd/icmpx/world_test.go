package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

// A world is all that a command sees of this host and of the network: a network
// in memory, a resolver that is a table, and no time but the bubble's.
type world struct {
	net    probetest.Options
	names  map[string][]string // name to addresses, address to names
	listen map[icmpx.Family]error
	drop   error
	uid    int
	mode   icmpx.Mode
	stdin  string
	lookup time.Duration // that finding a name takes

	noRoute error // what the kernel says about routes

	texts map[string][]string      // name to text records
	slow  map[string]time.Duration // how long the directory takes for a name or address

	terminal       bool
	stdout, stderr bytes.Buffer
	broken         error // what writing to standard output fails with,
	after          int   // after so many writes
	status         chan os.Signal

	mu     sync.Mutex
	opened []icmpx.ICMPConfig
	traced []traceSocket
	did    []string // what touches the system, in order
}

// network has a host in each family, a millisecond away behind a router.
func network() probetest.Options {
	router4 := probetest.Hop{Addr: netip.MustParseAddr("203.0.113.254"), RTT: 500 * time.Microsecond, MTU: 1400}
	router6 := probetest.Hop{Addr: netip.MustParseAddr("2001:db8:f::fe"), RTT: 500 * time.Microsecond}
	return probetest.Options{Hosts: []probetest.Host{
		{Addr: netip.MustParseAddr("198.51.100.1"), Path: []probetest.Hop{router4}, Hop: probetest.Hop{RTT: time.Millisecond}},
		{Addr: netip.MustParseAddr("198.51.100.2"), Path: []probetest.Hop{router4}, Hop: probetest.Hop{RTT: 1500 * time.Microsecond}},
		{Addr: netip.MustParseAddr("198.51.100.9"), Path: []probetest.Hop{{
			Addr: router4.Addr, RTT: router4.RTT, Reject: probetest.Error{Type: 3, Code: 13},
		}}},
		{Addr: netip.MustParseAddr("2001:db8::1"), Path: []probetest.Hop{router6}, Hop: probetest.Hop{RTT: 2 * time.Millisecond}},
	}}
}

// run carries out a command line in the world and returns its exit code.
func (w *world) run(t *testing.T, args ...string) (code int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := withTimeout(t, time.Hour) // of the bubble's: what should end and does not, fails
		defer cancel()
		code = w.inBubble(ctx, args)
	})
	return code
}

func withTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// inBubble is run within a bubble that is there.
func (w *world) inBubble(ctx context.Context, args []string) int {
	n := probetest.New(w.net)
	return run(ctx, args, &system{
		stdin:    strings.NewReader(w.stdin),
		terminal: w.terminal,
		stdout: writer(func(b []byte) (int, error) {
			if w.broken != nil && w.after == 0 {
				return 0, w.broken
			}
			w.after--
			return w.stdout.Write(b)
		}),
		stderr:   &w.stderr,
		uid:      w.uid,
		version:  func() string { return "test" },
		status:   w.status,
		resolver: w,
		drop:     func() error { w.note("drop"); return w.drop },

		listenTrace: func(s traceSocket) (traceLink, error) { return w.listenTrace(n, s) },
		listenPmtu:  func(s traceSocket) (traceLink, error) { return w.listenTrace(n, s) },
		deviceMTU:   func(netip.Addr, string) int { return 1500 },
		directory:   w.directory,
		broadcast: func(a netip.Addr) bool {
			return a == netip.MustParseAddr("198.51.100.255")
		},
		listen: func(cfg icmpx.ICMPConfig) (socket, error) {
			w.note(fmt.Sprintf("listen %v", cfg.Family))
			w.opened = append(w.opened, cfg)
			if err := w.listen[cfg.Family]; err != nil {
				return nil, err
			}
			return &fakeSocket{Link: n.Link(cfg.Family), mode: max(w.mode, icmpx.ModeRaw), noRoute: w.noRoute}, nil
		},
	})
}

func (w *world) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, what)
}

// LookupNetIP finds names in the table.
func (w *world) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	w.note("look up " + network + " " + host)
	select {
	case <-time.After(w.lookup):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch host {
	case "slow.example":
		return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
	case "localhost":
		return nil, fmt.Errorf("dial: %w", &net.AddrError{Err: "no suitable address found", Addr: host})
	}
	var found []netip.Addr
	for _, s := range w.names[host] {
		if a := netip.MustParseAddr(s); network == "ip" || a.Is4() == (network == "ip4") {
			found = append(found, a)
		}
	}
	if found == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return found, nil
}

// LookupAddr finds addresses in the table.
func (w *world) LookupAddr(_ context.Context, addr string) ([]string, error) {
	w.note("look up " + addr)
	if names := w.names[addr]; names != nil {
		return names, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}

// A fakeSocket is a link of the network in memory.
type fakeSocket struct {
	probe.Link
	mode    icmpx.Mode
	noRoute error
}

func (s *fakeSocket) Mode() icmpx.Mode { return s.mode }

func (s *fakeSocket) Connect(netip.Addr) error { return nil }

func (s *fakeSocket) MTUFor(netip.Addr) (int, error) { return 1500, nil }

func (s *fakeSocket) SourceFor(dst netip.Addr) (netip.Addr, error) {
	if s.noRoute != nil {
		return netip.Addr{}, s.noRoute
	}
	if dst.Is4() {
		return netip.MustParseAddr("192.0.2.250"), nil
	}
	return netip.MustParseAddr("2001:db8::250"), nil
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// text joins lines.
func text(lines ...string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// want compares what a run said, and how it ended.
func (w *world) want(t *testing.T, code, wantCode int, stdout, stderr string) {
	t.Helper()
	if code != wantCode {
		t.Errorf("exit code %d, want %d", code, wantCode)
	}
	if got := w.stdout.String(); got != stdout {
		t.Errorf("standard output:\n%swant:\n%s", got, stdout)
	}
	if got := w.stderr.String(); got != stderr {
		t.Errorf("standard error:\n%swant:\n%s", got, stderr)
	}
}
