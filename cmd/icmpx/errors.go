package main

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/spelling"
	"github.com/icmpx/icmpx/probe"
)

// Rules for errors. They go to standard error, one line that begins with
// "icmpx: error: " and, where a remedy is known, one that begins with "icmpx:
// hint: ". No capital at the beginning, no full stop at the end. What the user
// typed and what the network said is escaped.

// A usageError is a command line that icmpx does not accept.
type usageError struct {
	err  error
	hint string
}

// Error returns what is wrong.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.err }

// usage makes err the usage error of a command; nil is icmpx itself.
func usage(c *command, err error) error {
	var e *usageError
	if errors.As(err, &e) {
		return err
	}
	name := "icmpx"
	if c != nil {
		name += " " + c.name
	}
	hint := name + " --help lists the flags"
	var g *getopt.Error
	if errors.As(err, &g) && g.Meant != "" {
		hint = "did you mean " + g.Meant + "?"
	}
	if g != nil && g.Problem == getopt.Refused && g.Instead != "" {
		hint = g.Instead
	}
	return &usageError{err: err, hint: hint}
}

func unknownCommand(name string) error {
	hint := "icmpx help lists the commands"
	for _, c := range commands() {
		if len(name) <= 16 && spelling.Distance(name, c.name) <= len(c.name)/2 {
			hint = "did you mean icmpx " + c.name + "?"
		}
	}
	return &usageError{err: errors.New("unknown command " + name), hint: hint}
}

// hinted gives a usage error a better hint if the command line shows the habit
// of writing long names with one dash.
func hinted(err error, args []string) error {
	var e *usageError
	if !errors.As(err, &e) || len(args) == 0 {
		return err
	}
	c := findCommand(args[0])
	if c == nil {
		return err
	}
	for _, arg := range args[1:] {
		if arg == "--" {
			break
		}
		if len(arg) < 3 || arg[0] != '-' || arg[1] == '-' {
			continue
		}
		name, _, _ := strings.Cut(arg[1:], "=")
		for _, f := range c.grammar() {
			if f.Long == name {
				return &usageError{err: e.err, hint: "one dash begins one-letter flags; did you mean --" + name + "?"}
			}
		}
	}
	return err
}

// report writes an error, and the hint that belongs to it.
func report(w io.Writer, err error) {
	text := err.Error()
	var denied *icmpx.PrivilegeError
	if errors.As(err, &denied) {
		text = denied.Summary()
	}
	b := render.AppendSafe([]byte("icmpx: error: "), text)
	b = append(b, '\n')
	b = appendHint(b, hintFor(err))
	_, _ = w.Write(b) // there is nobody left to tell
}

func appendHint(b []byte, hint string) []byte {
	if hint == "" {
		return b
	}
	return append(render.AppendSafe(append(b, "icmpx: hint: "...), hint), '\n')
}

// hintFor returns what helps against an error, or "".
func hintFor(err error) string {
	var (
		use    *usageError
		known  *hintedError
		denied *icmpx.PrivilegeError
		dns    *net.DNSError
	)
	switch {
	case errors.As(err, &use):
		return use.hint
	case errors.As(err, &known) && known.hint != "":
		return known.hint
	case errors.As(err, &denied) && denied.Datagram == nil:
		return "identifier 0 takes a raw socket; any other does without"
	case errors.As(err, &denied):
		return denied.Hint()
	case errors.As(err, &dns) && !dns.IsNotFound:
		return "/etc/resolv.conf says which name servers are asked; an address instead of a name needs none"
	}
	return hintIn(openHints, err)
}

// An errnoHint is what helps against an error of the kernel.
type errnoHint struct {
	errno syscall.Errno
	hint  string
}

func hintIn(hints []errnoHint, err error) string {
	for _, h := range hints {
		if errors.Is(err, h.errno) {
			return h.hint
		}
	}
	return ""
}

// openHints are for errors of opening a socket.
var openHints = []errnoHint{
	{syscall.ENODEV, "ip link lists the interfaces"},
	{syscall.EADDRNOTAVAIL, "ip address lists the addresses of this host"},
	{syscall.EAFNOSUPPORT, "this system has no such address family; try -4 or -6"},
}

// sendHints are for errors of sending a packet.
var sendHints = []errnoHint{
	{syscall.ENETUNREACH, "this host has no route there; ip route get ADDRESS shows what it would do"},
	{syscall.EHOSTUNREACH, "a route of this host says unreachable; ip route get ADDRESS shows it"},
	{syscall.EPERM, "a packet filter of this host forbids it; nft list ruleset shows the rules"},
	{syscall.EACCES, "the address is a broadcast address, or a route of this host prohibits it; ip route get ADDRESS shows which"},
	{syscall.EINVAL, "a route of this host may swallow it, or a link-local address lacks its zone, as in fe80::1%eth0; ip route get ADDRESS shows which"},
	{syscall.ENOBUFS, "the queue of the device is full; a longer -i gives it time"},
	{syscall.ENETDOWN, "the interface is down; ip link shows its state"},
	{syscall.EMSGSIZE, "the packet exceeds the largest that may leave; a smaller -s, or -M dont, lets it pass"},
}

// sendHint returns what helps against the failure of this host to send a probe.
func sendHint(r *probe.Result) string {
	if r.Fate == probe.Failed {
		return hintIn(sendHints, r.Err)
	}
	return hintIn(sendHints, syscall.EMSGSIZE)
}

// isClosedPipe reports whether a write failed because nobody reads any more.
func isClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}
