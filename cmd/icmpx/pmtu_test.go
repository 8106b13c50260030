package main

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

func TestPmtuText(t *testing.T) {
	narrow := func(silent bool) func(h *probetest.Host) {
		return func(h *probetest.Host) { h.Path[1].MTU, h.Path[1].NoTooBig = 1400, silent }
	}
	head := "path MTU to 203.0.113.9 (203.0.113.9)"
	top := "mtu 1500   this host's interface"
	mss := "info: TCP segments of up to 1360 bytes fit over IPv4 and of up to 1340 over IPv6: clamp the maximum segment size to that where connections hang"
	cause := "info: 1400 bytes are consistent with a VPN set to 1400 by hand"
	hole := "fault: packets above 1400 bytes vanish without a word between hop 2 (198.51.100.2) and hop 3 (198.51.100.3): connections open and hang; 198.51.100.2 must send fragmentation needed (type 3 code 4) with next-hop MTU 1400, and firewalls must let it through"
	says := "info: hop 2 (198.51.100.2) passes on at most 1400 bytes and says so"
	tests := []struct {
		name   string
		change func(h *probetest.Host)
		args   string
		code   int
		stdout []string
	}{
		{"clear", nil, "pmtu -n " + traceTarget, exitOK, []string{
			head, top, "path MTU 1500: clear, everything that leaves this host arrives",
		}},
		{"signalled", narrow(false), "pmtu -n " + traceTarget, exitOK, []string{
			head, top, "mtu 1400   hop 2   198.51.100.2: says so, and it is true",
			"path MTU 1400: limited by the path, and routers say so, on the way there", says, cause, mss,
		}},
		{"a black hole", narrow(true), "pmtu -n " + traceTarget, exitOK, []string{
			head, top, "mtu 1400   hop 2   198.51.100.2: larger packets vanish behind it",
			"path MTU 1400: black hole, larger packets vanish without a word, on the way there", hole, cause, mss,
		}},
		{"names and hops", narrow(false), "pmtu -4 --hops a.example", exitOK, []string{
			"path MTU to a.example (203.0.113.9)",
			" 1  r1.example (198.51.100.1)  1.000 ms  mtu 1500",
			" 2  198.51.100.2  2.000 ms  mtu 1500",
			" 3  r3.\\027example (198.51.100.3)  3.000 ms  mtu 1400",
			" 4  a.example (203.0.113.9)  4.000 ms  mtu 1400",
			top, "mtu 1400   hop 2   198.51.100.2: says so, and it is true",
			"path MTU 1400: limited by the path, and routers say so, on the way there", says, cause, mss,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: way(tt.change), names: wayNames()}
			w.want(t, w.run(t, strings.Fields(tt.args)...), tt.code, text(tt.stdout...), "")
		})
	}
}

// TestPmtuNoMTU holds that no answer, and an answer that does not do, exit 1.
func TestPmtuNoMTU(t *testing.T) {
	tests := []struct {
		name, args, verdict string
		change              func(h *probetest.Host)
	}{
		{"silent", "pmtu -n --json --timeout 5 " + traceTarget, "unanswered", func(h *probetest.Host) { h.Path[2].Drop, h.Path[2].Silent = true, true }},
		{"few packets", "pmtu -n --json --max-packets 10 " + traceTarget, "unsure", func(h *probetest.Host) { h.Path[1].MTU, h.Path[1].NoTooBig = 1390, true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: way(tt.change)}
			code := w.run(t, strings.Fields(tt.args)...)
			s := w.summary(t)
			if code != exitNoAnswer || s.PMTU != nil || s.Verdict != tt.verdict {
				t.Errorf("exit code %d, %+v; want %d, no path MTU, %s", code, s, exitNoAnswer, tt.verdict)
			}
		})
	}
}

// A pmtuSummary is what tests read of the last line.
type pmtuSummary struct {
	Event, Verdict, Direction string
	PMTU                      *int
	Interrupted               bool
	Hops                      []struct{ From string }
}

// summary returns the last of a run's lines of JSON.
func (w *world) summary(t *testing.T) (s pmtuSummary) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(w.stdout.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil || s.Event != "summary" {
		t.Fatalf("%v: no summary in %s%s", err, &w.stdout, &w.stderr)
	}
	return s
}

func TestPmtuJSON(t *testing.T) {
	for _, method := range []string{"auto", "icmp", "udp", "tcp"} {
		t.Run(method, func(t *testing.T) {
			w := &world{net: way(func(h *probetest.Host) { h.Path[1].MTU = 1412 }), names: wayNames()}
			code := w.run(t, "pmtu", "-j", "--method", method, traceTarget)
			events := map[string]int{}
			for line := range strings.Lines(w.stdout.String()) {
				var v struct{ Event, Method string }
				if err := json.Unmarshal([]byte(line), &v); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				events[v.Event]++
				if v.Event == "start" && v.Method != method {
					t.Errorf("method %s, want %s", v.Method, method)
				}
			}
			s := w.summary(t)
			if code != exitOK || s.PMTU == nil || *s.PMTU != 1412 || s.Verdict != "signalled" || s.Direction != "forward" {
				t.Errorf("exit code %d, %+v", code, s)
			}
			if events["start"] != 1 || events["summary"] != 1 || events["probe"] == 0 || len(events) != 3 {
				t.Errorf("events %v", events)
			}
			if slices.ContainsFunc(w.did, func(what string) bool { return strings.HasPrefix(what, "look up") }) {
				t.Errorf("looked names up: %q", w.did)
			}
		})
	}
}

// TestPmtuPrivilege holds the order of privilege: every socket, drop, then names.
func TestPmtuPrivilege(t *testing.T) {
	w := &world{net: way(nil), names: wayNames()}
	if code := w.run(t, "pmtu", "-4", "a.example"); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &w.stderr)
	}
	want := []string{"listen IPv4 icmp", "listen IPv4 udp-fixed", "drop", "look up ip4 a.example"}
	if got := w.did[:min(len(w.did), len(want))]; !slices.Equal(got, want) {
		t.Errorf("did %q, want %q", got, want)
	}
}

// TestPmtuInterrupted ends a search before its time: the summary comes
// nevertheless.
func TestPmtuInterrupted(t *testing.T) {
	w := &world{net: way(func(h *probetest.Host) { h.Drop, h.Path[2].Drop = true, true })}
	code := 0
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := withTimeout(t, 10*time.Millisecond)
		defer cancel()
		code = w.inBubble(ctx, []string{"pmtu", "-nj", traceTarget})
	})
	if s := w.summary(t); code != exitSignal+defaultSignal || !s.Interrupted {
		t.Errorf("exit code %d, %+v", code, s)
	}
}

// TestPmtuProgress shows progress on a terminal, and takes it away.
func TestPmtuProgress(t *testing.T) {
	w := &world{net: way(nil), terminal: true}
	if code := w.run(t, "pmtu", "-n", traceTarget); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if s := w.stderr.String(); !strings.Contains(s, "path MTU at least 1500, ") || !strings.HasSuffix(s, eraseLine) {
		t.Errorf("progress %q", s)
	}
}

func TestPmtuUsage(t *testing.T) {
	const list = "icmpx pmtu --help lists the flags"
	tests := []struct{ args, want, hint string }{
		{"pmtu", "no host given", "icmpx pmtu HOST; " + list},
		{"pmtu a b", "more than one host given", list},
		{"pmtu -4 -6 a", "-4 and -6 exclude each other", list},
		{"pmtu -6 -s 192.0.2.1 a", "-s 192.0.2.1 is not an IPv6 address", list},
		{"pmtu -6 " + traceTarget, traceTarget + " is not an IPv6 address", ""},
		{"pmtu 224.0.0.1", "224.0.0.1 is a group: there is no one way there", ""},
		{"pmtu --min 1400 --max 1300 a", "--min 1400 is above --max 1300", list},
		{"pmtu --min 67 a", `--min: "67" is not a whole number from 68 to 65575`, list},
		{"pmtu --min 1279 2001:db8:9::9", "--min 1279 is below 1280 bytes, the smallest MTU of IPv6", "sizes are of whole IP packets"},
		{"pmtu -l 1501 " + traceTarget, "--max 1501 is above the interface's MTU of 1500 bytes", "no packet of that size leaves this host; ip link shows the interfaces"},
		{"pmtu --method sctp a", `--method: "sctp" is not one of auto, icmp, udp, tcp`, list},
		{"pmtu --method icmp -p 7 a", "--method icmp sends echo requests, which have no ports: -p is for the other methods", list},
		{"pmtu --max-packets 9 a", `--max-packets: "9" is not a whole number from 10 to 10000`, list},
		{"pmtu -I sixteen-letters. a", `-I (--interface): "sixteen-letters." is not the name of an interface`, list},
		{"pmtu -s ff02::1 a", `-s (--source): "ff02::1" is not an address of this host`, list},
		{"pmtu -b a", "-b is not available", "names and addresses are both printed, unless -n is given"},
		{"pmtu nowhere.example", "unknown host nowhere.example", ""},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			w := &world{net: way(nil)}
			want := "icmpx: error: " + tt.want + "\n"
			if tt.hint != "" {
				want += "icmpx: hint: " + tt.hint + "\n"
			}
			w.want(t, w.run(t, strings.Fields(tt.args)...), exitError, "", want)
		})
	}
}

// TestPmtuOrdinaryTCP says what a SYN with data takes.
func TestPmtuOrdinaryTCP(t *testing.T) {
	w := &world{net: way(nil), mode: icmpx.ModeDatagram}
	code := w.run(t, "pmtu", "--method", "tcp", traceTarget)
	if s := w.stderr.String(); code != exitError || !strings.Contains(s, "takes raw sockets\nicmpx: hint: ") {
		t.Errorf("exit code %d: %s", code, s)
	}
}

func TestPmtuSettle(t *testing.T) {
	tests := []struct{ device, route, wantLink, wantRoute int }{
		{1500, 1500, 1500, 0},
		{1500, 1400, 1500, 1400},
		{1500, 65536, 65536, 0}, // an address of this host
		{1500, 0, 1500, 0},
		{0, 1400, 1400, 0},
		{0, 0, 0, 0},
	}
	for _, tt := range tests {
		var r pmtuRun
		o, _, err := r.settle(netip.MustParseAddr(traceTarget), icmpx.ModeRaw, tt.device, tt.route)
		if err != nil || o.LinkMTU != tt.wantLink || o.RouteMTU != tt.wantRoute {
			t.Errorf("device %d, route %d: %d and %d, %v; want %d and %d", tt.device, tt.route, o.LinkMTU, o.RouteMTU, err, tt.wantLink, tt.wantRoute)
		}
	}
}
