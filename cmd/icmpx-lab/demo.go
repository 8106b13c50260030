//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/icmpx/icmpx/integration/lab"
)

// A step is one command of the demonstration.
type step struct {
	about string
	args  string
	user  lab.User
	code  int // exit code that the command must end with
}

// A scene is a topology and what is shown in it.
type scene struct {
	topology string
	steps    []step
}

var scenes = []scene{
	{"chain", []step{
		{"a host behind five routers", "ping -4 -c 4 -i 0.2 server", lab.Root, 0},
		{"the same by IPv6, with percentiles and jitter", "ping -6 -c 4 -i 0.2 -v server", lab.Root, 0},
		{"a router that must not let it pass", "ping -4 -c 1 prohibited", lab.Root, 1},
		{"a packet that may go no further than the third router", "ping -4 -c 1 -t 3 server", lab.Root, 1},
		{"two hosts at once, one of them out of reach", "ping -4 -c 2 -i 0.2 r5 unreachable", lab.Root, 1},
		{"the same facts for programs", "ping -4 -c 1 --json server", lab.Root, 0},
		{"a file there and back, compared byte for byte", "ping -4 -q --payload /proc/self/exe --chunk 32768 server", lab.Root, 0},
		{"the whole path in one round trip", "trace -4 server", lab.Root, 0},
		{"what is wrong with a path, in plain words", "trace -4 -n prohibited", lab.Root, 1},
		{"an ordinary user, without any privilege", "ping -4 -c 2 -i 0.2 server", lab.Ordinary, 0},
	}},
	{"black-hole", []step{
		{"small packets pass, hence nobody sees what is wrong", "ping -4 -c 2 -i 0.2 server", lab.Ordinary, 0},
		{"the largest packet that passes, and where larger ones vanish", "pmtu -4 --hops server", lab.Ordinary, 0},
	}},
}

// demo runs every step with the given binary, like a shell transcript. It fails
// if a step ends otherwise than it should.
func demo(command []string, stdout io.Writer) (int, error) {
	binary, err := os.Open(command[0])
	if err != nil {
		return 0, fmt.Errorf("open the binary to show: %w", err)
	}
	defer binary.Close()
	for i, s := range scenes {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		if err := s.play(binary, stdout); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// play builds the topology and runs the steps in it.
func (s scene) play(binary *os.File, stdout io.Writer) error {
	n, err := lab.Build(s.topology)
	if err != nil {
		return err
	}
	defer n.Close()
	if err := n.Client.AllowPing(); err != nil {
		return err
	}
	if err := n.Client.NameHosts(n.Names); err != nil {
		return err
	}
	fmt.Fprint(stdout, drawing(s.topology))
	for _, step := range s.steps {
		fmt.Fprintf(stdout, "\n# %s\n$ icmpx %s\n", step.about, step.args)
		code, err := step.run(n.Client, binary)
		if err != nil {
			return err
		}
		if code != step.code {
			return fmt.Errorf("icmpx %s: exit code %d, want %d", step.args, code, step.code)
		}
	}
	return nil
}

// run runs the step on a host. The binary is executed by its descriptor, so
// that an ordinary user need not be able to reach its folder.
func (s step) run(h *lab.Host, binary *os.File) (int, error) {
	cmd := &exec.Cmd{
		Path:       "/proc/self/fd/3",
		Args:       append([]string{"icmpx"}, strings.Fields(s.args)...),
		Stdout:     os.Stdout,
		Stderr:     os.Stdout, // one transcript
		ExtraFiles: []*os.File{binary},
	}
	return lab.Relay(cmd, func() error { return h.Start(cmd, s.user) })
}
