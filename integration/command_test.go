//go:build linux

package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// patience is how long a command may take that ends by itself, or an event may
// be in coming. It never passes in a test that passes.
const patience = 60 * time.Second

// A running is a command that is under way.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *bufio.Reader
	pipe   *os.File // what out reads
	events []event  // all that came so far
	stderr bytes.Buffer
}

// A done is a command that has ended.
type done struct {
	code           int
	stdout, stderr string
}

// icmpx prepares the binary.
func icmpx(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary(t, "icmpx"), args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C"}
	return cmd
}

// ping runs "icmpx ping" on a host to its end.
func ping(t *testing.T, h *lab.Host, as lab.User, args ...string) done {
	t.Helper()
	return command(t, h, as, append([]string{"ping"}, args...)...)
}

// command runs the binary on a host to its end.
func command(t *testing.T, h *lab.Host, as lab.User, args ...string) done {
	t.Helper()
	cmd := icmpx(t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	labtest.OK(t, h.Start(cmd, as))
	d := done{code: exitCode(t, cmd.Wait()), stdout: stdout.String(), stderr: stderr.String()}
	t.Logf("%s: exit code %d\n%s%s", strings.Join(args, " "), d.code, d.stdout, d.stderr)
	return d
}

// start starts "icmpx ping" on a host.
func start(t *testing.T, h *lab.Host, as lab.User, args ...string) *running {
	t.Helper()
	return begin(t, h, as, append([]string{"ping"}, args...)...)
}

// begin starts the binary on a host.
func begin(t *testing.T, h *lab.Host, as lab.User, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: icmpx(t, args...)}
	pipe, stdout, err := os.Pipe()
	labtest.OK(t, err)
	defer stdout.Close() // the command's alone from here
	t.Cleanup(func() { pipe.Close() })
	roomy(t, pipe)
	r.pipe, r.out, r.cmd.Stdout, r.cmd.Stderr = pipe, bufio.NewReader(pipe), stdout, &r.stderr
	labtest.OK(t, h.Start(r.cmd, as))
	return r
}

// roomy has a pipe hold what a command prints while nobody reads: it would wait,
// and could lose what it listens to.
func roomy(t *testing.T, pipe *os.File) {
	t.Helper()
	c, err := pipe.SyscallConn()
	labtest.OK(t, err)
	labtest.OK(t, c.Control(func(fd uintptr) { _, err = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20) }))
	labtest.OK(t, err)
}

// until reads events until one that ok accepts, and returns that.
func (r *running) until(ok func(event) bool) event {
	r.t.Helper()
	for {
		e, err := r.next()
		if err != nil {
			r.t.Fatalf("output ended with %v, after %d events: %s", err, len(r.events), r.stderr.String())
		}
		if ok(e) {
			return e
		}
	}
}

// untilLine reads lines of text until one that contains part.
func (r *running) untilLine(part string) string {
	r.t.Helper()
	for {
		line, err := r.out.ReadString('\n')
		if err != nil {
			r.t.Fatalf("output ended with %v before a line with %q: %s", err, part, r.stderr.String())
		}
		if strings.Contains(line, part) {
			return line
		}
	}
}

func (r *running) next() (event, error) {
	line, err := r.out.ReadBytes('\n')
	if err != nil {
		return event{}, err
	}
	e := decode(r.t, line)
	r.events = append(r.events, e)
	return e, nil
}

// signal sends the command a signal.
func (r *running) signal(s os.Signal) {
	r.t.Helper()
	labtest.OK(r.t, r.cmd.Process.Signal(s))
}

// end reads the rest of the events and returns all, and the exit code.
func (r *running) end() ([]event, int) {
	r.t.Helper()
	for {
		_, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		labtest.OK(r.t, err)
	}
	code := exitCode(r.t, r.cmd.Wait())
	r.t.Logf("%s: exit code %d, %d events, stderr %q", strings.Join(r.cmd.Args[1:], " "), code, len(r.events), r.stderr.String())
	return r.events, code
}

// rest reads the rest of the text and returns it, and the exit code.
func (r *running) rest() (string, int) {
	r.t.Helper()
	b, err := io.ReadAll(r.out)
	labtest.OK(r.t, err)
	return string(b), exitCode(r.t, r.cmd.Wait())
}

// awaitStop waits until the command has been stopped by a signal.
func (r *running) awaitStop() {
	r.t.Helper()
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(r.cmd.Process.Pid, &status, unix.WUNTRACED, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		labtest.OK(r.t, err)
		if !status.Stopped() {
			r.t.Fatalf("command ended instead of stopping: %#x", status)
		}
		return
	}
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			t.Fatalf("command did not end by itself: %v", err)
		}
		return exit.ExitCode()
	}
	labtest.OK(t, err)
	return 0
}

// An event is a line of JSON output: the fields that tests look at.
type event struct {
	Event   string `json:"event"`
	Schema  int    `json:"schema"`
	Command string `json:"command"`
	Target  string `json:"target"`
	Addr    string `json:"addr"`
	Socket  string `json:"socket"`
	From    string `json:"from"`
	Kind    string `json:"kind"`
	Type    int    `json:"type"`
	Code    int    `json:"code"`
	Name    string `json:"name"`
	MTU     int    `json:"mtu"`
	Errno   string `json:"errno"`
	Seq     int    `json:"seq"`
	Bytes   int    `json:"bytes"`
	TTL     int    `json:"ttl"`
	Stamps  string `json:"stamps"`
	Time    string `json:"time"`

	RTT json.RawMessage `json:"rtt_ns"` // a number, or in a summary an object

	Sent        int     `json:"sent"`
	Received    int     `json:"received"`
	Corrupted   int     `json:"corrupted"`
	Errors      int     `json:"errors"`
	Lost        int     `json:"lost"`
	InFlight    int     `json:"in_flight"`
	OwnDrops    int     `json:"own_drops"`
	LossPercent float64 `json:"loss_percent"`
}

// decode reads a line, every one of which must be an object with a known event.
func decode(t *testing.T, line []byte) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	if e.Event == "" {
		t.Fatalf("line %q: no event", line)
	}
	return e
}

// events decodes the whole output of a command.
func (d done) events(t *testing.T) []event {
	t.Helper()
	var all []event
	for line := range strings.Lines(d.stdout) {
		all = append(all, decode(t, []byte(line)))
	}
	return all
}

// of returns the events of that name.
func of(all []event, name string) []event {
	var some []event
	for _, e := range all {
		if e.Event == name {
			some = append(some, e)
		}
	}
	return some
}

// summary returns the last event, which must be the only summary, and sees that
// its account is right.
func summary(t *testing.T, all []event) event {
	t.Helper()
	sums := of(all, "summary")
	if len(sums) != 1 || all[len(all)-1].Event != "summary" {
		t.Fatalf("got %d summaries in %d events, want one, at the end", len(sums), len(all))
	}
	s := sums[0]
	balanced(t, s)
	if got, want := s.Received, len(of(all, "reply")); got != want {
		t.Errorf("summary says %d received, but %d replies were reported", got, want)
	}
	if got, want := s.Errors, len(of(all, "error")); got != want {
		t.Errorf("summary says %d errors, but %d were reported", got, want)
	}
	if got, want := s.Lost, len(of(all, "lost")); got != want {
		t.Errorf("summary says %d lost, but %d were reported", got, want)
	}
	return s
}

// balanced sees that each probe sent has exactly one fate.
func balanced(t *testing.T, s event) {
	t.Helper()
	if s.Sent != s.Received+s.Corrupted+s.Errors+s.Lost+s.InFlight {
		t.Errorf("fates do not add up to what was sent: %+v", s)
	}
}

// is returns a function that accepts events of that name.
func is(name string) func(event) bool { return func(e event) bool { return e.Event == name } }
