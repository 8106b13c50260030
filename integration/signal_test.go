//go:build linux

package integration

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestPingInterrupted ends a ping without an end, in each way that people do.
func TestPingInterrupted(t *testing.T) {
	for _, s := range []unix.Signal{unix.SIGINT, unix.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			n := labtest.Build(t, "pair")
			r := start(t, n.Client, lab.Root, "-i0.02", "--json", n.Addr("server", false).String())
			for range 3 {
				r.until(is("reply"))
			}
			r.signal(s)
			all, code := r.end()
			if sum := summary(t, all); code != 0 || sum.Received < 3 || sum.Lost != 0 {
				t.Errorf("got exit code %d and summary %+v, want 0, at least 3 received, none lost", code, sum)
			}
		})
	}
}

// TestPingInterruptedUnanswered has probes in flight at the end: they are
// neither lost nor received.
func TestPingInterruptedUnanswered(t *testing.T) {
	n := labtest.Build(t, "dark")
	c, err := n.Client.Iface(0).Capture()
	labtest.OK(t, err)
	defer c.Close()
	r := start(t, n.Client, lab.Root, "-i0.02", "-O", "--json", n.Addr("dark", false).String())
	r.until(is("start"))
	if r.until(func(e event) bool { return e.Seq >= 2 }).Event == "lost" {
		t.Error("got a probe lost before its time")
	}
	r.signal(unix.SIGINT)
	all, code := r.end()
	s := summary(t, all)
	if code != 1 || s.Sent < 2 || s.InFlight != s.Sent || s.Lost != 0 {
		t.Errorf("got exit code %d and summary %+v, want 1 and all in flight", code, s)
	}
	if out, _ := echoes(t, c, false); s.Sent != len(out) {
		t.Errorf("summary says %d sent, on the wire were %d", s.Sent, len(out))
	}
}

func TestPingDeadline(t *testing.T) {
	for _, tt := range []struct {
		topology, host string
		code           int
	}{{"pair", "server", 0}, {"dark", "dark", 1}} {
		n := labtest.Build(t, tt.topology)
		d := ping(t, n.Client, lab.Root, "-w1", "-i0.1", "--json", n.Addr(tt.host, false).String())
		if s := summary(t, d.events(t)); d.code != tt.code || s.Sent < 1 {
			t.Errorf("%s: got exit code %d and summary %+v, want %d", tt.host, d.code, s, tt.code)
		}
	}
}

// TestPingQuit asks for the figures in between.
func TestPingQuit(t *testing.T) {
	n := labtest.Build(t, "pair")
	cmd := icmpx(t, "ping", "-i0.02", n.Addr("server", false).String())
	out, stdout, err := os.Pipe()
	labtest.OK(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = stdout, stdout // as a terminal has it
	labtest.OK(t, n.Client.Start(cmd, lab.Root))
	labtest.OK(t, stdout.Close())
	r := &running{t: t, cmd: cmd, out: newReader(out)}
	r.untilLine("icmp_seq=2 ")
	r.signal(unix.SIGQUIT)
	if line := r.untilLine(" packets, "); !strings.Contains(line, "% loss") {
		t.Errorf("got %q, want the loss in it", line)
	}
	r.untilLine("icmp_seq=") // it goes on
	r.signal(unix.SIGINT)
	text, code := r.rest()
	if code != 0 || !strings.Contains(text, " ping statistics ---") {
		t.Errorf("got exit code %d and %q, want 0 and statistics", code, text)
	}
}

// TestPingClosedOutput closes the reader's end, as head does.
func TestPingClosedOutput(t *testing.T) {
	for _, flag := range []string{"--json", "-n"} {
		n := labtest.Build(t, "pair")
		r := start(t, n.Client, lab.Root, "-i0.02", flag, n.Addr("server", false).String())
		for range 2 {
			if _, err := r.out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		labtest.OK(t, r.pipe.Close())
		if code := exitCode(t, r.cmd.Wait()); code != 0 || r.stderr.Len() != 0 {
			t.Errorf("%s: got exit code %d and stderr %q, want 0 and none", flag, code, r.stderr.String())
		}
	}
}

// TestPingStopped stops the process for many intervals, with probes and
// answers under way, and continues it.
func TestPingStopped(t *testing.T) {
	n := labtest.Build(t, "pair")
	server := n.Addr("server", false).String()
	r := start(t, n.Client, lab.Root, "-i0.02", "--json", server)
	for range 3 {
		r.until(is("reply"))
	}
	r.signal(unix.SIGSTOP)
	r.awaitStop()
	began := time.Now()
	ping(t, n.Client, lab.Root, "-c20", "-i0.02", "-q", server) // passes the time: 0.4 s
	r.signal(unix.SIGCONT)
	r.until(func(e event) bool {
		at, err := time.Parse(time.RFC3339Nano, e.Time)
		return e.Event == "reply" && err == nil && at.Sub(began) > 400*time.Millisecond
	})
	r.signal(unix.SIGINT)
	all, code := r.end()
	if s := summary(t, all); code != 0 || s.Lost != 0 || s.Errors != 0 || s.Corrupted != 0 {
		t.Errorf("got exit code %d and summary %+v, want 0 and nothing lost", code, s)
	}
}
