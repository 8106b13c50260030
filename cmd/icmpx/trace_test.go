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

const traceTarget = "203.0.113.9"

// way is a network with one host behind three routers, which change may change.
func way(change func(h *probetest.Host)) probetest.Options {
	hop := func(a string, rtt time.Duration) probetest.Hop {
		return probetest.Hop{Addr: netip.MustParseAddr(a), RTT: rtt, ReplyTTL: 64}
	}
	h := probetest.Host{
		Addr: netip.MustParseAddr(traceTarget),
		Path: []probetest.Hop{hop("198.51.100.1", time.Millisecond), hop("198.51.100.2", 2*time.Millisecond), hop("198.51.100.3", 3*time.Millisecond)},
		Hop:  probetest.Hop{RTT: 4 * time.Millisecond, OpenTCP: []uint16{443}},
	}
	if change != nil {
		change(&h)
	}
	six := probetest.Host{Addr: netip.MustParseAddr("2001:db8:9::9"), Path: []probetest.Hop{hop("2001:db8::1", time.Millisecond)}, Hop: probetest.Hop{RTT: 2 * time.Millisecond}}
	return probetest.Options{Hosts: []probetest.Host{h, six}}
}

// wayNames are the names of the way, forward and back.
func wayNames() map[string][]string {
	return map[string][]string{
		"a.example":    {traceTarget, "2001:db8:9::9"},
		"198.51.100.1": {"r1.example."}, "198.51.100.3": {"r3.\x1bexample."}, traceTarget: {"a.example."},
	}
}

const (
	row1 = " 1  198.51.100.1  1.000 ms  1.000 ms  1.000 ms"
	row2 = " 2  198.51.100.2  2.000 ms  2.000 ms  2.000 ms"
	row3 = " 3  198.51.100.3  3.000 ms  3.000 ms  3.000 ms"
	row4 = " 4  203.0.113.9  4.000 ms  4.000 ms  4.000 ms"

	udpHeader = "traceroute to 203.0.113.9 (203.0.113.9), 64 hops max, 60 byte packets"
)

func TestTrace(t *testing.T) {
	mpls := func(h *probetest.Host) { h.Path[1].Ext = probetest.MPLS(probetest.Label{Label: 16001, TC: 3, TTL: 1}) }
	tests := []struct {
		name   string
		change func(*probetest.Host)
		args   string
		code   int
		stdout []string
	}{
		{"names", nil, "trace a.example", exitOK, []string{
			"traceroute to a.example (203.0.113.9), 64 hops max, 60 byte packets",
			" 1  r1.example (198.51.100.1)  1.000 ms  1.000 ms  1.000 ms",
			" 2  198.51.100.2 (198.51.100.2)  2.000 ms  2.000 ms  2.000 ms",
			` 3  r3.\027example (198.51.100.3)  3.000 ms  3.000 ms  3.000 ms`,
			" 4  a.example (203.0.113.9)  4.000 ms  4.000 ms  4.000 ms",
		}},
		{"IPv6", nil, "trace -6nq1 a.example", exitOK, []string{
			"traceroute to a.example (2001:db8:9::9), 64 hops max, 80 byte packets",
			" 1  2001:db8::1  1.000 ms",
			" 2  2001:db8:9::9  2.000 ms",
		}},
		{"a part of the way", nil, "trace -n -f2 -m 3 -q 2 -z 0.001 " + traceTarget + " 100", exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 3 hops max, 100 byte packets",
			" 2  198.51.100.2  2.000 ms  2.000 ms",
			" 3  198.51.100.3  3.000 ms  3.000 ms",
			"warning: the path goes on behind TTL 3, the last that was asked",
		}},
		{"packets with a source route", nil, "trace -nTq1 -m1 -g 192.0.2.1,192.0.2.2 " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 1 hops max, 56 byte packets",
			" 1  198.51.100.1  1.000 ms",
			"warning: the path goes on behind TTL 1, the last that was asked",
		}},
		{"short packets", nil, "trace -nq1 -m1 " + traceTarget + " 0", exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 1 hops max, 30 byte packets",
			" 1  198.51.100.1  1.000 ms",
			"warning: the path goes on behind TTL 1, the last that was asked",
		}},
		{"ICMP", nil, "trace -nI " + traceTarget, exitOK, []string{udpHeader, row1, row2, row3, row4}},
		{"TCP, closed", nil, "trace -nT " + traceTarget, exitOK, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 64 hops max, 44 byte packets", row1, row2, row3, row4, "port 80 is closed",
		}},
		{"TCP, open", nil, "trace -nTp443 " + traceTarget, exitOK, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 64 hops max, 44 byte packets", row1, row2, row3, row4, "port 443 is open",
		}},
		{"TCP, filtered", func(h *probetest.Host) { h.Path[2].Reject = probetest.Error{Type: 3, Code: 13} }, "trace -nTq1 " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 64 hops max, 44 byte packets",
			" 1  198.51.100.1  1.000 ms",
			" 2  198.51.100.2  2.000 ms",
			" 3  198.51.100.3  3.000 ms",
			" 4  198.51.100.3  3.000 ms !X",
			"port 80 is filtered",
			"fault: 198.51.100.3 refuses these packets: packet filtered",
		}},
		{"UDP to a service", nil, "trace -nU " + traceTarget, exitOK, []string{udpHeader, row1, row2, row3, row4, "port 53 is closed"}},
		{"several routers", func(h *probetest.Host) {
			h.Path[1].Or = []probetest.Hop{{Addr: netip.MustParseAddr("198.51.100.22"), RTT: 5 * time.Millisecond}}
			h.Path[1].PerPacket = true
		}, "trace -nm2 " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 2 hops max, 60 byte packets",
			row1,
			" 2  198.51.100.2  2.000 ms 198.51.100.22  5.000 ms 198.51.100.2  2.000 ms",
			"warning: the path goes on behind TTL 2, the last that was asked",
			"info: several routers share the packets of one flow at hop 2",
		}},
		{"a silent hop", func(h *probetest.Host) { h.Path[1].Silent = true }, "trace -n " + traceTarget, exitOK, []string{udpHeader, row1, " 2  * * *", row3, row4}},
		{"labels", mpls, "trace -nem3 " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 3 hops max, 60 byte packets",
			row1, " 2  198.51.100.2 <MPLS:L=16001,E=3,S=1,T=1>  2.000 ms  2.000 ms  2.000 ms", row3,
			"warning: the path goes on behind TTL 3, the last that was asked",
		}},
		{"labels, not asked for", mpls, "trace -nm2 " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 2 hops max, 60 byte packets", row1, row2,
			"warning: the path goes on behind TTL 2, the last that was asked",
		}},
		{"way back", func(h *probetest.Host) { h.Path[2].ReplyTTL = 60 }, "trace --back -nq1 -m3 -v " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 3 hops max, 60 byte packets",
			" 1  198.51.100.1  1.000 ms", " 2  198.51.100.2  2.000 ms", " 3  198.51.100.3 '-7'  3.000 ms",
			"warning: the path goes on behind TTL 3, the last that was asked",
			"  The path is longer than the largest TTL that was asked.",
			"info: packets take 3 hops to hop 3, its answers about 7 back",
			"  Answers take another number of hops back than the packets took there.",
			"  Round-trip times then include a way that the trace does not show. Not a",
			"  fault.",
			"3 probes in 0.003 s by udp to port 33434, raw sockets",
		}},
		{"MTU", func(h *probetest.Host) { h.Path[1].MTU = 1400 }, "trace --mtu -nq1 " + traceTarget + " 1500", exitOK, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 64 hops max, 1500 byte packets",
			" 1  198.51.100.1  1.000 ms", " 2  198.51.100.2  2.000 ms", " 3  198.51.100.3  3.000 ms F=1400", " 4  203.0.113.9  4.000 ms",
			"info: 198.51.100.2 passes on no more than 1400 bytes",
		}},
		{"too big for a router", func(h *probetest.Host) { h.Path[1].MTU = 1400 }, "trace -Fnq1 " + traceTarget + " 1500", exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 64 hops max, 1500 byte packets",
			" 1  198.51.100.1  1.000 ms", " 2  198.51.100.2  2.000 ms", " 3  198.51.100.2  2.000 ms !F-1400",
			"fault: 198.51.100.2 passes on no more than 1400 bytes, the packets have 1500",
		}},
		{"a limit on answers", func(h *probetest.Host) { h.Path[0].Answers = probetest.Policer{Burst: 2, Rate: 1} }, "trace -nq 4 -m 2 " + traceTarget, exitNoAnswer, []string{
			"traceroute to 203.0.113.9 (203.0.113.9), 2 hops max, 60 byte packets",
			" 1  198.51.100.1  1.000 ms  1.000 ms - -",
			" 2  198.51.100.2  2.000 ms  2.000 ms  2.000 ms  2.000 ms",
			"info: hop 1 answered 2 of 4 probes: a limit on answers, not loss",
			"warning: the path goes on behind TTL 2, the last that was asked",
		}},
		{"a silent destination", func(h *probetest.Host) { h.Path[2].Drop, h.Path[2].Silent = true, true }, "trace -nq1 " + traceTarget, exitNoAnswer, []string{
			udpHeader, " 1  198.51.100.1  1.000 ms", " 2  198.51.100.2  2.000 ms", "3-32  *",
			"fault: nothing behind hop 2 answers, nor does the destination to udp, icmp, tcp port 443 or tcp port 80",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: way(tt.change), names: wayNames()}
			w.want(t, w.run(t, strings.Fields(tt.args)...), tt.code, text(tt.stdout...), "")
		})
	}
}

// TestTraceSystems shows whose an address is, and asks only where somebody could
// announce it.
func TestTraceSystems(t *testing.T) {
	w := &world{net: way(func(h *probetest.Host) { h.Path[1].Addr = netip.MustParseAddr("10.0.0.1") })}
	w.texts = map[string][]string{
		"1.100.51.198.origin.asn.cymru.com.":                                                     {"64499 | 198.51.0.0/16 | ZZ", "64500 64501 | 198.51.100.0/24 | ZZ", "x\x1b | 198.51.100.0/25 | ZZ"},
		"9.113.0.203.origin.asn.cymru.com.":                                                      {"64502"},
		"9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.0.0.0.8.b.d.0.1.0.0.2.origin6.asn.cymru.com.": {"64503 | 2001:db8::/32 |"},
	}
	code := w.run(t, "trace", "-Anq1", "--resolver", "192.0.2.53", traceTarget)
	w.want(t, code, exitOK, text(
		udpHeader,
		" 1  198.51.100.1 [AS64500/AS64501]  1.000 ms",
		" 2  10.0.0.1 [*]  2.000 ms",
		" 3  198.51.100.3 [*]  3.000 ms",
		" 4  203.0.113.9 [AS64502]  4.000 ms",
		"info: the private address 10.0.0.1 follows the public 198.51.100.1",
	), "")
	if slices.ContainsFunc(w.did, func(s string) bool { return strings.Contains(s, "1.0.0.10") || strings.HasPrefix(s, "look up 1") }) {
		t.Errorf("did %q", w.did)
	}
	if !slices.Contains(w.did, "ask 192.0.2.53:53") {
		t.Errorf("did not ask the resolver: %q", w.did)
	}
	w.stdout.Reset()
	code = w.run(t, "trace", "-Anq1", "-f2", "2001:db8:9::9")
	w.want(t, code, exitOK, text("traceroute to 2001:db8:9::9 (2001:db8:9::9), 64 hops max, 80 byte packets", " 2  2001:db8:9::9 [AS64503]  2.000 ms"), "")
}

// TestTraceSlowNames holds that names cost no more than a second in all, and
// probing nothing.
func TestTraceSlowNames(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name string
		slow map[string]time.Duration
		took time.Duration
		row1 string
	}{
		{"prompt", nil, 24 * ms, " 1  r1.example (198.51.100.1)  1.000 ms  1.000 ms  1.000 ms"},
		{"a little slow", map[string]time.Duration{"198.51.100.1": 500 * ms}, 501 * ms, " 1  r1.example (198.51.100.1)  1.000 ms  1.000 ms  1.000 ms"},
		{"too slow", map[string]time.Duration{
			"198.51.100.1": time.Hour, "198.51.100.2": time.Hour, "198.51.100.3": time.Hour, traceTarget: time.Hour,
		}, 1004 * ms, " 1  198.51.100.1 (198.51.100.1)  1.000 ms  1.000 ms  1.000 ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: way(nil), names: wayNames(), slow: tt.slow}
			var took time.Duration
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				if code := w.inBubble(t.Context(), []string{"trace", "-v", traceTarget}); code != exitOK {
					t.Errorf("exit code %d: %s", code, &w.stderr)
				}
				took = time.Since(begin)
			})
			lines := strings.Split(w.stdout.String(), "\n")
			if took != tt.took || lines[1] != tt.row1 {
				t.Errorf("took %v, want %v; %s", took, tt.took, lines[1])
			}
			if want := "probes in 0.024 s by udp to port 33434, raw sockets"; !strings.HasSuffix(lines[len(lines)-2], want) {
				t.Errorf("got %q, want %q", lines[len(lines)-2], want)
			}
		})
	}
}

func TestTraceJSON(t *testing.T) {
	n := way(nil)
	n.Classic = true
	w := &world{net: n, names: wayNames(), mode: icmpx.ModeDatagram}
	code := w.run(t, "trace", "--json", "-q1", "a.example")
	var got []string
	for line := range strings.Lines(w.stdout.String()) {
		var v struct {
			Event, Method, Socket string
			TTL                   int
			Reached               bool
			Probes                []struct{ From, Name, Kind string }
			Notes                 []string
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch v.Event {
		case "start":
			got = append(got, v.Event+" "+v.Method+" "+v.Socket)
		case "hop":
			got = append(got, v.Probes[0].From+" "+v.Probes[0].Name+" "+v.Probes[0].Kind)
		case "summary":
			got = append(got, v.Event, strings.Join(v.Notes, ""))
		}
	}
	want := []string{
		"start udp-classic datagram",
		"198.51.100.1 r1.example time_exceeded", "198.51.100.2  time_exceeded", "198.51.100.3 r3.\x1bexample time_exceeded", "203.0.113.9 a.example unreachable",
		"summary", "without privileges each probe goes to another port: rows may belong to different paths",
	}
	if code != exitOK || w.stderr.Len() > 0 || !slices.Equal(got, want) {
		t.Errorf("exit code %d, standard error %q\n got %q\nwant %q", code, &w.stderr, got, want)
	}
}

func TestTraceDot(t *testing.T) {
	w := &world{net: way(nil), names: wayNames()}
	code := w.run(t, "trace", "--dot", "-m2", "a.example")
	w.want(t, code, exitNoAnswer, text(
		"digraph trace {",
		"  rankdir=LR;",
		`  node [shape=box, fontname="monospace"];`,
		`  label="icmpx trace a.example, udp";`,
		`  n0 [label="this host", shape=ellipse];`,
		`  n1 [label="1  r1.example\n198.51.100.1\n1.000 ms"];`,
		"  n0 -> n1;",
		`  n2 [label="2  198.51.100.2\n2.000 ms"];`,
		"  n1 -> n2;",
		"}",
	), "")
}
