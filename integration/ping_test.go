//go:build linux

package integration

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

func TestPingAnswered(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				n := labtest.Build(t, "chain")
				labtest.OK(t, n.Client.AllowPing())
				server := n.Addr("server", v6).String()
				d := ping(t, n.Client, u.user, "-c3", "-i0.01", "--json", server)
				all := d.events(t)
				if d.code != 0 || d.stderr != "" {
					t.Errorf("got exit code %d and stderr %q, want 0 and none", d.code, d.stderr)
				}
				checkStart(t, all, server, u.socket)
				replies := of(all, "reply")
				for i, r := range replies {
					checkReply(t, r, server, i+1)
				}
				s := summary(t, all)
				if s.Sent != 3 || s.Received != 3 || s.LossPercent != 0 || len(replies) != 3 {
					t.Errorf("got %d replies and summary %+v, want 3 of 3", len(replies), s)
				}
			})
		})
	}
}

func checkStart(t *testing.T, all []event, server, socket string) {
	t.Helper()
	s := all[0]
	if s.Event != "start" || s.Schema != 1 || s.Command != "ping" ||
		s.Target != server || s.Addr != server || s.Socket != socket {
		t.Errorf("got start %+v, want schema 1 of ping %s by a %s socket", s, server, socket)
	}
}

// checkReply sees a reply from behind five routers (64 - 5 hops), with times of
// the kernel; it may still be switching them on when the first one comes.
func checkReply(t *testing.T, r event, from string, seq int) {
	t.Helper()
	if r.From != from || r.Seq != seq || r.TTL != 59 || r.Bytes != 64 || (r.Stamps != "kernel" && seq > 1) {
		t.Errorf("got reply %+v, want 64 bytes of seq %d from %s, TTL 59, kernel stamps", r, seq, from)
	}
	var rtt int64
	if err := json.Unmarshal(r.RTT, &rtt); err != nil || rtt <= 0 {
		t.Errorf("got RTT %s, want more than 0: %v", r.RTT, err)
	}
	if at, err := time.Parse(time.RFC3339Nano, r.Time); err != nil || at.Location() != time.UTC {
		t.Errorf("got time %q, want RFC 3339 in UTC: %v", r.Time, err)
	}
}

// TestPingText compares with what scripts that read ping's output look for.
func TestPingText(t *testing.T) {
	n := labtest.Build(t, "chain")
	tests := []struct {
		v6   bool
		want []string
	}{
		{false, []string{
			`^PING 203\.0\.113\.10 \(203\.0\.113\.10\) 56\(84\) bytes of data\.$`,
			`^64 bytes from 203\.0\.113\.10: icmp_seq=1 ttl=59 time=[0-9.]+ ms$`,
			`^64 bytes from 203\.0\.113\.10: icmp_seq=2 ttl=59 time=[0-9.]+ ms$`,
			`^$`,
			`^--- 203\.0\.113\.10 ping statistics ---$`,
			`^2 packets transmitted, 2 received, 0% packet loss, time [0-9]+ms$`,
			`^rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms$`,
		}},
		{true, []string{
			`^PING 2001:db8:2::10 ?\(2001:db8:2::10\) 56 data bytes$`,
			`^64 bytes from 2001:db8:2::10: icmp_seq=1 ttl=59 time=[0-9.]+ ms$`,
			`^64 bytes from 2001:db8:2::10: icmp_seq=2 ttl=59 time=[0-9.]+ ms$`,
			`^$`,
			`^--- 2001:db8:2::10 ping statistics ---$`,
			`^2 packets transmitted, 2 received, 0% packet loss, time [0-9]+ms$`,
			`^rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms$`,
		}},
	}
	for _, tt := range tests {
		d := ping(t, n.Client, lab.Root, "-c2", "-i0.05", n.Addr("server", tt.v6).String())
		lines := strings.Split(strings.TrimRight(d.stdout, "\n"), "\n")
		if d.code != 0 || len(lines) != len(tt.want) {
			t.Fatalf("got exit code %d and %d lines, want 0 and %d", d.code, len(lines), len(tt.want))
		}
		for i, want := range tt.want {
			if !regexp.MustCompile(want).MatchString(lines[i]) {
				t.Errorf("line %d: got %q, want %s", i+1, lines[i], want)
			}
		}
	}
}

func TestPingLost(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				for topology, host := range map[string]string{"dark": "dark", "chain": "blackhole"} {
					n := labtest.Build(t, topology)
					labtest.OK(t, n.Client.AllowPing())
					d := ping(t, n.Client, u.user, "-c2", "-i0.05", "-W0.2", "--json", n.Addr(host, v6).String())
					all := d.events(t)
					s := summary(t, all)
					if d.code != 1 || s.Sent != 2 || s.Lost != 2 || s.LossPercent != 100 || string(s.RTT) == "" {
						t.Errorf("%s: got exit code %d and summary %+v, want 1 and 2 of 2 lost", host, d.code, s)
					}
					for i, e := range of(all, "lost") {
						if e.Seq != i+1 {
							t.Errorf("%s: got lost %+v, want seq %d", host, e, i+1)
						}
					}
				}
			})
		})
	}
}

// TestPingHosts pings a host that answers and one that does not, at once.
func TestPingHosts(t *testing.T) {
	n := labtest.Build(t, "chain")
	server, none := n.Addr("server", false).String(), n.Addr("unreachable", true).String()
	d := ping(t, n.Client, lab.Root, "-c2", "-i0.05", "--json", server, none)
	sums := map[string]event{}
	for _, s := range of(d.events(t), "summary") {
		balanced(t, s)
		sums[s.Target] = s
	}
	if d.code != 1 || len(sums) != 2 || len(of(d.events(t), "start")) != 2 {
		t.Errorf("got exit code %d and summaries %+v, want 1 and one for each host", d.code, sums)
	}
	if s := sums[server]; s.Received != 2 {
		t.Errorf("got %+v, want 2 received", s)
	}
	if s := sums[none]; s.Errors != 2 {
		t.Errorf("got %+v, want 2 errors", s)
	}
	for _, r := range of(d.events(t), "reply") {
		if r.Target != server {
			t.Errorf("got reply %+v of a host that does not answer", r)
		}
	}

	d = ping(t, n.Client, lab.Root, "-c2", "-i0.05", server, none)
	for _, host := range []string{server, none} {
		if !strings.Contains(d.stdout, "--- "+host+" ping statistics ---") {
			t.Errorf("text has no statistics of %s", host)
		}
	}
	if d.code != 1 {
		t.Errorf("got exit code %d, want 1", d.code)
	}
}

func TestPingNames(t *testing.T) {
	tests := []struct {
		args []string
		addr string // empty: refused
	}{
		{[]string{"server"}, "2001:db8:2::10"}, // RFC 6724: the table prefers IPv6
		{[]string{"-4", "server"}, "203.0.113.10"},
		{[]string{"-6", "server"}, "2001:db8:2::10"},
		{[]string{"-6", "203.0.113.10"}, ""},
		{[]string{"-4", "2001:db8:2::10"}, ""},
		{[]string{"no-such-host.invalid"}, ""},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			n := labtest.Build(t, "chain")
			labtest.OK(t, n.Client.NameHosts(n.Names))
			d := ping(t, n.Client, lab.Root, append([]string{"-c1", "--json"}, tt.args...)...)
			if tt.addr == "" {
				if d.code != 2 || !strings.HasPrefix(d.stderr, "icmpx: error: ") || len(of(d.events(t), "reply")) != 0 {
					t.Errorf("got exit code %d, want 2 and an error", d.code)
				}
				return
			}
			replies := of(d.events(t), "reply")
			if d.code != 0 || len(replies) != 1 || replies[0].From != tt.addr || replies[0].Target != "server" {
				t.Errorf("got exit code %d and replies %+v, want one of server from %s", d.code, replies, tt.addr)
			}
		})
	}
}

// TestPingSizes sends packets that fit, that this host must fragment, and that
// a router cannot pass on.
func TestPingSizes(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "chain")
		for _, h := range []string{"r2", "r3"} { // the link between them
			i := 0
			if h == "r2" {
				i = 1
			}
			labtest.OK(t, n.At(h).Iface(i).SetMTU(1400))
		}
		server, header := n.Addr("server", v6), 28
		if v6 {
			header = 48
		}
		pass := [][]string{{"-s0"}, {"-s", strconv.Itoa(1400 - header), "-Mdo"}}
		if !v6 { // whose routers never fragment
			pass = append(pass, []string{"-s3000", "-Mdont"})
		}
		for _, args := range pass {
			d := ping(t, n.Client, lab.Root, append(args, "-c1", "--json", server.String())...)
			if d.code != 0 {
				t.Errorf("ping %v: got exit code %d, want 0", args, d.code)
			}
		}
		over := strconv.Itoa(1401 - header)
		d := ping(t, n.Client, lab.Root, "-s", over, "-Mdo", "-c1", "--json", server.String())
		errs := of(d.events(t), "error")
		want := n.Addr("r2", v6).String()
		if d.code != 1 || len(errs) != 1 || errs[0].Kind != "too_big" || errs[0].MTU != 1400 || errs[0].From != want {
			t.Errorf("got exit code %d and errors %+v, want 1 and too_big with MTU 1400 from %s", d.code, errs, want)
		}
	})
}

// TestPingPace sends a thousand probes and looks at the wire.
func TestPingPace(t *testing.T) {
	n := labtest.Build(t, "pair")
	c, err := n.Client.Iface(0).Capture()
	labtest.OK(t, err)
	defer c.Close()
	d := ping(t, n.Client, lab.Root, "-c1000", "-i0.002", "-q", n.Addr("server", false).String())
	if d.code != 0 || !strings.Contains(d.stdout, "1000 packets transmitted, 1000 received, 0% packet loss") {
		t.Errorf("got exit code %d and %s, want 1000 of 1000", d.code, d.stdout)
	}
	if out, in := echoes(t, c, false); len(out) != 1000 || len(in) != 1000 {
		t.Errorf("%d requests left and %d replies came, want 1000 each", len(out), len(in))
	}
}

// TestPingRTT compares each reported RTT with the times of the packets on the
// client's own interface: the kernel's stamp of an arrival is one and the same,
// and a packet leaves between its capture and its transmit stamp.
func TestPingRTT(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		n := labtest.Build(t, "pair")
		c, err := n.Client.Iface(0).Capture()
		labtest.OK(t, err)
		defer c.Close()
		d := ping(t, n.Client, lab.Root, "-c20", "-i0.005", "--json", n.Addr("server", v6).String())
		wire := wireTimes(t, c, v6)
		for _, r := range of(d.events(t), "reply") {
			var rtt int64
			labtest.OK(t, json.Unmarshal(r.RTT, &rtt))
			w, ok := wire[r.Seq]
			if !ok {
				continue // captured before the kernel took times
			}
			if reported := time.Duration(rtt); r.Seq > 1 && r.Stamps != "kernel" || r.Stamps == "kernel" && (reported <= 0 || reported > w) {
				t.Errorf("seq %d: reported %v, on the wire %v from before sending", r.Seq, reported, w)
			}
		}
		if len(wire) < 15 {
			t.Errorf("got wire times of %d of 20 probes", len(wire))
		}
	})
}

// wireTimes returns the time from each echo request's capture to its reply's.
func wireTimes(t *testing.T, c *lab.Capture, v6 bool) map[int]time.Duration {
	t.Helper()
	rtts := map[int]time.Duration{}
	out, in := echoes(t, c, v6)
	for seq, sent := range out {
		if at, ok := in[seq]; ok && !at.IsZero() && !sent.IsZero() {
			rtts[seq] = at.Sub(sent)
		}
	}
	return rtts
}

// echoes returns the times of the echo requests that left an interface and of
// the replies that came, by sequence number.
func echoes(t *testing.T, c *lab.Capture, v6 bool) (out, in map[int]time.Time) {
	t.Helper()
	frames, err := c.Frames()
	labtest.OK(t, err)
	header, protocol, request, reply := 20, byte(1), byte(8), byte(0)
	if v6 {
		header, protocol, request, reply = 40, 58, 128, 129
	}
	out, in = map[int]time.Time{}, map[int]time.Time{}
	for _, f := range frames {
		if len(f.Data) < header+8 || f.Data[0]>>4 != map[bool]byte{false: 4, true: 6}[v6] {
			continue
		}
		m := f.Data[header:]
		seq := int(m[6])<<8 | int(m[7])
		switch {
		case f.Data[map[bool]int{false: 9, true: 6}[v6]] != protocol:
		case f.Out && m[0] == request:
			out[seq] = f.Time
		case !f.Out && m[0] == reply:
			in[seq] = f.Time
		}
	}
	return out, in
}

// TestPingStatistics computes the summary's times again.
func TestPingStatistics(t *testing.T) {
	n := labtest.Build(t, "chain")
	d := ping(t, n.Client, lab.Root, "-c50", "-i0.005", "--json", n.Addr("server", false).String())
	all := d.events(t)
	var got struct{ Min, Avg, Max, Mdev int64 }
	labtest.OK(t, json.Unmarshal(summary(t, all).RTT, &got))
	lo, hi, sum, squares := math.Inf(1), 0.0, 0.0, 0.0
	for _, r := range of(all, "reply") {
		var rtt float64
		labtest.OK(t, json.Unmarshal(r.RTT, &rtt))
		lo, hi, sum, squares = min(lo, rtt), max(hi, rtt), sum+rtt, squares+rtt*rtt
	}
	avg := sum / 50
	mdev := math.Sqrt(squares/50 - avg*avg)
	for _, x := range []struct {
		name string
		got  int64
		want float64
	}{{"min", got.Min, lo}, {"avg", got.Avg, avg}, {"max", got.Max, hi}, {"mdev", got.Mdev, mdev}} {
		if math.Abs(float64(x.got)-x.want) > 1000 {
			t.Errorf("got %s %d ns, want %.0f", x.name, x.got, x.want)
		}
	}
}
