//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/icmpx/icmpx/integration/lab"
)

// A step is one command of the demonstration. Quotes keep words of args together.
type step struct {
	about string
	args  string
	user  lab.User
	code  int // exit code that the command must end with

	// behind is the router that runs the command behind the next step, whose
	// end it must not outlast for long; empty: the client runs it by itself.
	behind string
}

// A scene is a topology and what is shown in it.
type scene struct {
	topology string
	steps    []step
}

var scenes = []scene{
	{"chain", []step{
		{about: "a host behind five routers", args: "ping -4 -c 4 -i 0.2 server"},
		{about: "the same by IPv6, with percentiles and jitter", args: "ping -6 -c 4 -i 0.2 -v server"},
		{about: "what comes by a router", args: "listen -c 2 --for 5 -w way.pcapng --print icmp", behind: "r3"},
		{about: "while the client meets one that must not let it pass", args: "ping -4 -c 1 prohibited", code: 1},
		{about: "every field of what was heard", args: "decode -v -c 1 --filter 'type prohibited' way.pcapng"},
		{about: "a packet that may go no further than the third router", args: "ping -4 -c 1 -t 3 server", code: 1},
		{about: "two hosts at once, one of them out of reach", args: "ping -4 -c 2 -i 0.2 r5 unreachable", code: 1},
		{about: "the same facts for programs", args: "ping -4 -c 1 --json server"},
		{about: "a file there and back, compared byte for byte", args: "ping -4 -q --payload /proc/self/exe --chunk 32768 server"},
		{about: "the whole path in one round trip", args: "trace -4 server"},
		{about: "what is wrong with a path, in plain words", args: "trace -4 -n prohibited", code: 1},
		{about: "an ordinary user, without any privilege", args: "ping -4 -c 2 -i 0.2 server", user: lab.Ordinary},
	}},
	{"black-hole", []step{
		{about: "small packets pass, hence nobody sees what is wrong", args: "ping -4 -c 2 -i 0.2 server", user: lab.Ordinary},
		{about: "the largest packet that passes, and where larger ones vanish", args: "pmtu -4 --hops server", user: lab.Ordinary},
		{about: "the message that a router fails to send there", args: "explain 3/4", user: lab.Ordinary},
		{about: "and its bytes, made by hand, sent to nobody", args: "send -4 --dry-run too-big server --mtu 1400 --quote-proto tcp:443:50000", user: lab.Ordinary},
	}},
}

// demo runs every step with the given binary, like a shell transcript. It fails
// if a step ends otherwise than it should.
func demo(command []string, stdout io.Writer) (code int, err error) {
	binary, err := os.Open(command[0])
	if err != nil {
		return 0, fmt.Errorf("open the binary to show: %w", err)
	}
	defer binary.Close()
	folder, err := os.MkdirTemp("", "icmpx-demo-")
	if err != nil {
		return 0, fmt.Errorf("make a folder for captures: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	for i, s := range scenes {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		if err := s.play(&stage{binary, folder}, stdout); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// A stage is what all steps share.
type stage struct {
	binary *os.File
	folder string // of root's, where captures go
}

// play builds the topology and runs the steps in it.
func (s scene) play(on *stage, stdout io.Writer) error {
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
	var behind *performance
	for _, step := range s.steps {
		fmt.Fprintf(stdout, "\n# %s\n", step.about)
		if step.behind != "" {
			fmt.Fprintf(stdout, "%s$ icmpx %s &\n", step.behind, step.args)
			behind = step.begin(n.At(step.behind), on)
			continue
		}
		fmt.Fprintf(stdout, "$ icmpx %s\n", step.args)
		if err := step.check(lab.Relay(step.on(n.Client, on, os.Stdout))); err != nil {
			return err
		}
		if behind != nil {
			if err := behind.end(stdout); err != nil {
				return err
			}
			behind = nil
		}
	}
	return nil
}

// on returns the command of the step and what starts it on a host. The binary is
// executed by its descriptor, so that an ordinary user need not be able to reach
// its folder.
func (s *step) on(h *lab.Host, on *stage, out io.Writer) (*exec.Cmd, func() error) {
	cmd := &exec.Cmd{
		Path:       "/proc/self/fd/3",
		Args:       append([]string{"icmpx"}, words(s.args)...),
		Stdout:     out,
		Stderr:     out, // one transcript
		ExtraFiles: []*os.File{on.binary},
	}
	if s.user == lab.Root {
		cmd.Dir = on.folder
	}
	return cmd, func() error { return h.Start(cmd, s.user) }
}

// check returns what is wrong with the end of the step.
func (s *step) check(code int, err error) error {
	if err == nil && code != s.code {
		err = fmt.Errorf("icmpx %s: exit code %d, want %d", s.args, code, s.code)
	}
	return err
}

// words splits a command line at blanks outside of quotes.
func words(line string) []string {
	var list []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

// A performance is a step that runs behind another one. What it prints is shown
// after that one.
type performance struct {
	begun chan struct{} // closed with the first output
	once  sync.Once
	text  bytes.Buffer // until the end it is the command's
	ended chan error
}

// begin starts the step and waits until it prints something.
func (s *step) begin(h *lab.Host, on *stage) *performance {
	p := &performance{begun: make(chan struct{}), ended: make(chan error, 1)}
	go func() {
		err := s.check(lab.Relay(s.on(h, on, p)))
		_, _ = p.Write(nil) // it may have printed nothing
		p.ended <- err
	}()
	<-p.begun
	return p
}

// Write takes what the command prints.
func (p *performance) Write(b []byte) (int, error) {
	p.once.Do(func() { close(p.begun) })
	return p.text.Write(b)
}

// end waits for the end of the step and shows what it printed.
func (p *performance) end(stdout io.Writer) error {
	err := <-p.ended
	fmt.Fprintf(stdout, "%s", p.text.Bytes())
	return err
}
