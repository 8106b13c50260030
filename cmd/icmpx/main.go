// Command icmpx is ICMP for Linux in one binary: it replaces ping and its
// relatives, for people and for programs.
package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/icmpx/icmpx/icmpx"
)

// version is set by the linker.
var version = "devel"

func main() {
	if isHelper(os.Args) {
		os.Exit(serveProcesses(os.Stdin, os.Stdout))
	}
	// A prober waits far more than it computes, and its times are the kernel's:
	// one processor spares it the threads and the wake-ups between them, at the
	// start and in a flood, and most of what dropping privileges on every
	// thread costs. A collection for each few MiB is more than it needs.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)

	signals := catchSignals()
	os.Exit(run(signals.ctx, os.Args[1:], &system{
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		terminal: isTerminal(os.Stderr),
		uid:      os.Getuid(),
		version:  buildVersion,
		signals:  signals.ready,
		status:   signals.status,
		resolver: newDirectory(netip.AddrPort{}),
		listen:   listen,
		drop:     icmpx.DropPrivileges,

		listenTrace: listenTrace,
		listenPmtu:  listenPmtu,
		deviceMTU:   deviceMTU,
		directory:   newDirectory,

		listenPackets:   listenPackets,
		proc:            os.DirFS("/proc"),
		startHelper:     startHelper,
		dropToProcesses: dropToProcesses,

		listenRaw:   listenRaw,
		routeSource: icmpx.RouteSource,

		broadcast: isBroadcast,
		own:       ownAddress,
	}))
}

// A catcher turns signals into what commands understand.
type catcher struct {
	ctx    context.Context // ends with the first SIGINT or SIGTERM
	status chan os.Signal  // SIGQUIT
	ready  chan struct{}   // closed when all of that works
}

// catchSignals begins to catch signals. Go takes its time to
// get ready for them, which the command spends on opening its sockets.
func catchSignals() *catcher {
	c := &catcher{status: make(chan os.Signal, 1), ready: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(context.Background())
	c.ctx = ctx
	signal.Ignore(syscall.SIGPIPE) // a closed standard output shows as EPIPE, and ends the run in good order
	go func() {
		end := make(chan os.Signal, 1)
		signal.Notify(end, os.Interrupt, syscall.SIGTERM)
		signal.Notify(c.status, syscall.SIGQUIT)
		close(c.ready)
		s := <-end
		signal.Stop(end) // the second one ends the process, whatever it does
		number, _ := s.(syscall.Signal)
		cancel(&interruption{int(number)})
	}()
	return c
}

// listen opens a socket of the kernel.
func listen(cfg icmpx.ICMPConfig) (socket, error) {
	l, err := icmpx.ListenICMP(cfg)
	if err != nil {
		return nil, err // not l: a nil *ICMPLink is no nil socket
	}
	return l, nil
}

// isTerminal reports whether f is a terminal, or another device that takes
// text and keeps none of it.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// isBroadcast reports whether a is a broadcast address: the limited one, or
// that of a network which an interface is on.
func isBroadcast(a netip.Addr) bool {
	if a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, ia := range addrs {
		if p, err := netip.ParsePrefix(ia.String()); err == nil && p.Bits() < 31 && a == lastOf(p) {
			return true
		}
	}
	return false
}

// lastOf returns the last address of an IPv4 network, which is its broadcast
// address (RFC 919 section 7); the zero Addr of an IPv6 network.
func lastOf(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// buildVersion returns the linker's version, else the one that `go install` of
// a version leaves in the binary.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && version == "devel" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return version
}
