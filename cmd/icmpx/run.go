package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// Exit codes; docs/cli.md promises them.
const (
	exitOK       = 0 // every host answered
	exitNoAnswer = 1 // a host did not answer, or a payload came back changed
	exitError    = 2 // usage, lookup, privileges, system

	exitSignal    = 128 // and the number of the signal that ended a command with an end of its own
	defaultSignal = 2   // SIGINT
)

// A system is all that commands see of the process and the host, so that tests
// can be one.
type system struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one: progress may be shown

	uid      int              // real user id; 0 may send as fast as it likes
	version  func() string    // of this program
	signals  <-chan struct{}  // closed as soon as signals are caught; nil: they are
	status   <-chan os.Signal // each asks for a line of status
	resolver resolver
	listen   func(icmpx.ICMPConfig) (socket, error)
	drop     func() error // gives up all privileges

	listenTrace func(traceSocket) (traceLink, error)
	listenPmtu  func(traceSocket) (traceLink, error)
	deviceMTU   func(source netip.Addr, name string) int
	directory   func(server netip.AddrPort) directory // asks a name server; the zero AddrPort is the system's

	listenPackets   func(icmpx.PacketConfig) (packetSocket, error)
	proc            fs.FS                         // what Linux mounts at /proc
	startHelper     func() (processFinder, error) // that finds the processes of sockets
	dropToProcesses func() error                  // gives up all privileges but those of doing that

	listenRaw   func(icmpx.RawConfig) (rawSender, error)
	routeSource func(icmpx.RawConfig, netip.Addr) (netip.Addr, error) // of packets to an address; sends nothing

	broadcast func(netip.Addr) bool // whether an interface has this broadcast address
	own       func(netip.Addr) bool // whether it is an address of this host
}

// A resolver looks names up; *net.Resolver is one.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// A socket is a link that knows which kind of socket it is; *icmpx.ICMPLink is
// one.
type socket interface {
	probe.Link
	Mode() icmpx.Mode
	Connect(netip.Addr) error
	SourceFor(netip.Addr) (netip.Addr, error)
	MTUFor(netip.Addr) (int, error)
}

// run carries out one command line and returns the exit code. A context that
// ends stops continuous commands in good order.
func run(ctx context.Context, args []string, sys *system) int {
	code, err := dispatch(ctx, args, sys)
	if err != nil {
		report(sys.stderr, hinted(err, args))
		return exitError
	}
	return code
}

// dispatch finds the command and runs it.
func dispatch(ctx context.Context, args []string, sys *system) (int, error) {
	if len(args) == 0 {
		return exitError, printHelp(sys.stderr)
	}
	if len(args[0]) > 1 && args[0][0] == '-' {
		return rootFlags(args, sys)
	}
	if args[0] == "help" {
		return help(args[1:], sys)
	}
	cmd := findCommand(args[0])
	if cmd == nil {
		return 0, unknownCommand(args[0])
	}
	line, err := getopt.Parse(cmd.grammar(), args[1:])
	switch {
	case err != nil:
		return 0, usage(cmd, err)
	case line.Has("help"):
		return exitOK, cmd.printHelp(sys.stdout)
	case line.Has("version"):
		return exitOK, printVersion(sys)
	}
	return cmd.run(ctx, sys, line)
}

// rootFlags serves what stands before any command.
func rootFlags(args []string, sys *system) (int, error) {
	line, err := getopt.Parse(commonFlags(), args)
	if err != nil {
		var e *getopt.Error
		if errors.As(err, &e) && e.Problem == getopt.Unknown && findCommand("ping").takes(e.Flag) {
			return 0, &usageError{err: errors.New("no command given"), hint: "flags follow the command: icmpx ping " + e.Flag + " ..."}
		}
		return 0, usage(nil, err)
	}
	switch {
	case line.Has("help"):
		return exitOK, printHelp(sys.stdout)
	case line.Has("version"):
		return exitOK, printVersion(sys)
	}
	return exitError, printHelp(sys.stderr) // "--" alone
}

// help serves "icmpx help [COMMAND]".
func help(args []string, sys *system) (int, error) {
	if len(args) == 0 {
		return exitOK, printHelp(sys.stdout)
	}
	cmd := findCommand(args[0])
	if cmd == nil {
		return 0, unknownCommand(args[0])
	}
	return exitOK, cmd.printHelp(sys.stdout)
}

func printVersion(sys *system) error {
	return say(sys.stdout, "icmpx "+sys.version()+"\n")
}
