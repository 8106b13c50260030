// Command icmpx is ICMP for Linux in one binary: it replaces ping and its
// relatives, for people and for programs.
package main

import (
	"context"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/icmpx/icmpx/icmpx"
)

// version is set by the linker.
var version = "devel"

func main() {
	signals := catchSignals()
	os.Exit(run(signals.ctx, os.Args[1:], &system{
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		uid:      os.Getuid(),
		version:  buildVersion,
		signals:  signals.ready,
		status:   signals.status,
		resolver: &net.Resolver{PreferGo: true},
		listen:   listen,
		drop:     icmpx.DropPrivileges,
	}))
}

// A catcher turns signals into what commands understand.
type catcher struct {
	ctx    context.Context // ends with the first SIGINT or SIGTERM
	status chan os.Signal  // SIGQUIT
	ready  chan struct{}   // closed when all of that works
}

// catchSignals begins to catch signals. Go needs a third of a millisecond to
// get ready for them, which the command spends on opening its sockets.
func catchSignals() *catcher {
	c := &catcher{status: make(chan os.Signal, 1), ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	c.ctx = ctx
	signal.Ignore(syscall.SIGPIPE) // a closed standard output shows as EPIPE, and ends the run in good order
	go func() {
		end := make(chan os.Signal, 1)
		signal.Notify(end, os.Interrupt, syscall.SIGTERM)
		signal.Notify(c.status, syscall.SIGQUIT)
		close(c.ready)
		<-end
		signal.Stop(end) // the second one ends the process, whatever it does
		cancel()
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

// buildVersion returns the linker's version, else the one that `go install` of
// a version leaves in the binary.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && version == "devel" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return version
}
