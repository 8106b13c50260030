//go:build linux

package integration

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// local accepts errors of this host's own making.
func local(e event) bool { return e.Event == "error" && e.Kind == "local" }

// TestPingFirewall has a packet filter of this host drop probes: they were never
// sent, which is neither loss nor the end of the run. The fourth case is that of
// TestPingSwallowed.
func TestPingFirewall(t *testing.T) {
	for _, tt := range []struct {
		name string
		user lab.User
		v6   bool
	}{
		{"root/IPv4", lab.Root, false},
		{"root/IPv6", lab.Root, true},
		{"ordinary/IPv4", lab.Ordinary, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := labtest.Build(t, "pair")
			labtest.OK(t, n.Client.AllowPing())
			server := n.Addr("server", tt.v6)
			r := start(t, n.Client, tt.user, "-i0.02", "--json", server.String())
			r.until(is("reply"))
			labtest.OK(t, n.Client.Filter(lab.Rule{Hook: lab.Output, Dst: only(server), Verdict: lab.Drop}))
			if e := r.until(local); e.Errno != "EPERM" {
				t.Errorf("got error %+v, want EPERM", e)
			}
			labtest.OK(t, n.Client.Unfilter())
			r.until(is("reply"))
			r.signal(unix.SIGINT)
			all, code := r.end()
			if s := summary(t, all); code != 0 || s.Lost != 0 || s.Errors == 0 || s.Received < 2 {
				t.Errorf("got exit code %d and summary %+v, want 0, errors, nothing lost", code, s)
			}
		})
	}
}

// TestPingInterfaceDown takes the only interface down and up again.
func TestPingInterfaceDown(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				n := labtest.Build(t, "chain")
				labtest.OK(t, n.Client.AllowPing())
				r := start(t, n.Client, u.user, "-i0.02", "-W1", "--json", n.Addr("server", v6).String())
				r.until(is("reply"))
				labtest.OK(t, n.Client.Iface(0).Down())
				r.until(local)
				labtest.OK(t, n.Client.Iface(0).Up())
				r.until(is("reply"))
				r.signal(unix.SIGINT)
				all, code := r.end()
				if s := summary(t, all); code != 0 || s.Errors == 0 || s.Received < 2 {
					t.Errorf("got exit code %d and summary %+v, want 0, errors, and replies", code, s)
				}
			})
		})
	}
}

// TestPingSwallowed has a packet filter drop probes that the kernel then claims
// to have sent: ping sockets of IPv6 report no such error
// (icmpv6_push_pending_frames). They left no trace on the wire, which tells.
func TestPingSwallowed(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.Client.AllowPing())
	server := n.Addr("server", true)
	r := start(t, n.Client, lab.Ordinary, "-i0.02", "-W0.1", "--json", server.String())
	r.until(is("reply"))
	labtest.OK(t, n.Client.Filter(lab.Rule{Hook: lab.Output, Dst: only(server), Verdict: lab.Drop}))
	for range 3 {
		r.until(is("lost"))
	}
	labtest.OK(t, n.Client.Unfilter())
	r.until(is("reply"))
	r.signal(unix.SIGINT)
	all, code := r.end()
	if s := summary(t, all); code != 0 || s.OwnDrops < 3 || s.OwnDrops > s.Lost {
		t.Errorf("got exit code %d and summary %+v, want 0 and at least 3 of the lost probes own drops", code, s)
	}
}

// TestPingFullQueue sends into a queue that takes ten packets and hardly lets
// any out: what this host drops itself is told apart from the network's loss.
func TestPingFullQueue(t *testing.T) {
	const size = 20 + 8 + 56 + 14 // of a probe as the queue counts
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			n := labtest.Build(t, "pair")
			labtest.OK(t, n.Client.AllowPing())
			labtest.OK(t, n.Client.Iface(0).Shape(100, 10*size, 10*size))
			d := ping(t, n.Client, u.user, "-c60", "-i0.01", "-W0.05", "--json", n.Addr("server", false).String())
			all := d.events(t)
			s := summary(t, all)
			if s.Sent != 60 || s.Received < 5 { // a few of the ten may be the kernel's own
				t.Errorf("got summary %+v, want 60 sent, about 10 received", s)
			}
			told := s.OwnDrops
			for _, e := range of(all, "error") {
				if e.Kind == "local" && e.Errno == "ENOBUFS" {
					told++
				}
			}
			if told < 30 {
				t.Errorf("got %d probes said to be dropped by this host, want about 40 of 60: %+v", told, s)
			}
		})
	}
}
