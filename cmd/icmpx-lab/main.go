//go:build linux

// Command icmpx-lab runs a command inside a network that it builds for it, out
// of Linux network namespaces: hosts, routers, dead ends. It needs no
// privileges, touches nothing outside, and leaves nothing behind.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/icmpx/icmpx/integration/lab"
)

const usage = `usage: icmpx-lab [--user] [--rootless] TOPOLOGY [-- COMMAND [ARG...]]
       icmpx-lab list
       icmpx-lab demo [ICMPX]

Runs COMMAND, or a shell, on the host "client" of a network built for it. The
hosts of the network have names; see "icmpx-lab list". The network is gone when
the command ends. Exits with the command's exit code.

  -u, --user      run the command as an ordinary user, without privileges
      --rootless  build the network without root's privileges, even as root
  -h, --help      print this text

list  draws each topology, with its addresses.
demo  shows ICMPX (default: bin/icmpx) at work in the topologies "chain" and
      "black-hole".

examples:
  icmpx-lab chain -- icmpx ping server
  icmpx-lab --user pair -- icmpx ping -c 3 2001:db8:1::20
  icmpx-lab black-hole:1500,1400,1300,1500 -- icmpx pmtu server
`

// Exit codes, those of env(1) for commands that cannot be run.
const (
	exitFailure   = 1
	exitUsage     = 2
	exitCannotRun = 126
	exitNotFound  = 127
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run does what args ask for and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "icmpx-lab: error: %v\nicmpx-lab: hint: icmpx-lab --help\n", err)
		return exitUsage
	case o.help:
		fmt.Fprint(stdout, usage)
		return 0
	case o.topology == "list":
		draw(stdout)
		return 0
	}
	code, done, err := lab.Enter(o.rootless)
	if err != nil {
		fmt.Fprintf(stderr, "icmpx-lab: error: %v\n", err)
		return exitFailure
	}
	if done {
		return code
	}
	code, err = inside(o, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "icmpx-lab: error: %v\n", err)
		return failure(err)
	}
	return code
}

// inside does what o asks for in a process that may build networks.
func inside(o options, stdout, stderr io.Writer) (int, error) {
	if o.topology == "demo" {
		return demo(o.command, stdout)
	}
	n, err := lab.Build(o.topology)
	if err != nil {
		return 0, err
	}
	defer n.Close()
	if err := n.Client.AllowPing(); err != nil {
		return 0, err
	}
	if err := n.Client.NameHosts(n.Names); err != nil {
		fmt.Fprintf(stderr, "icmpx-lab: warning: no names, addresses only: %v\n", err)
	}
	command := o.command
	if len(command) == 0 {
		command = shell()
		fmt.Fprint(stderr, drawing(o.topology))
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return lab.Relay(cmd, func() error { return n.Client.Start(cmd, o.user) })
}

func shell() []string {
	if s := os.Getenv("SHELL"); s != "" {
		return []string{s}
	}
	return []string{"/bin/sh"}
}

// failure returns the exit code for what went wrong.
func failure(err error) int {
	var run *exec.Error
	var path *fs.PathError
	switch {
	case errors.As(err, &run) && errors.Is(err, exec.ErrNotFound):
		return exitNotFound
	case errors.As(err, &path) && strings.HasPrefix(path.Op, "fork/exec"):
		if errors.Is(err, fs.ErrNotExist) {
			return exitNotFound
		}
		return exitCannotRun
	}
	return exitFailure
}

// draw prints every topology.
func draw(w io.Writer) {
	for i, t := range lab.Topologies() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n%s", t.Name, t.About, t.Drawing)
	}
}

func drawing(name string) string {
	t, err := lab.Find(name)
	if err != nil {
		return ""
	}
	return t.Drawing
}
