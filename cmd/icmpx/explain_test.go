package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// foundIn returns what a query finds, as numbers and names.
func foundIn(query string, family icmpx.Family) string {
	found := explain(query, family)
	var list []string
	for _, e := range found.entries {
		if e.Symptom != nil {
			list = append(list, e.Symptom.Name)
			continue
		}
		list = append(list, e.Query())
	}
	return strings.Join(list, " ")
}

func TestExplainLookup(t *testing.T) {
	const (
		noRoute   = "No route to host (EHOSTUNREACH)"
		unreached = "Network is unreachable (ENETUNREACH)"
		tooLong   = "Message too long (EMSGSIZE)"
		silent    = "*, no reply, Request timed out"
		refused   = "Connection refused (ECONNREFUSED)"
		notAllow  = "Operation not permitted (EPERM)"
		pathMTU   = "pmtu (tracepath), path MTU"
	)
	tests := []struct{ query, want string }{
		{"3/4", "4:3/4"},
		{"3/0", "4:3/0 6:3/0"},
		{"11", "4:11"},
		{"type 11", "4:11"},
		{"type 3", "4:3 6:3"},
		{"v6 3", "6:3"},
		{"V6 3", "6:3"},
		{"6:1/4", "6:1/4"},
		{"icmp6 type 1 code 4", "6:1/4"},
		{"ICMP type=3, code=13", "4:3/13"},
		{"0x80", "6:128"},
		{"8/0", "4:8"},
		{"3.4", "4:3/4"},
		{"3-4", "4:3/4"},
		{"3 4", "4:3/4"},
		{"6: 1.4", "6:1/4"},
		{"192.0.2.1", ""},
		{"3--4", ""},
		{"256", ""},
		{"3/256", ""},
		{"3/99", ""},
		{"99999999999999999999999", ""},
		{"-1", ""},

		{"redirect", "4:5 6:137"},
		{"ICMP redirect", "4:5 6:137"},
		{"traceroute", "4:11/0 6:3/0 4:30"},
		{"time exceeded", "4:11 6:3"},
		{"fragmentation needed", "4:3/4"},
		{"icmp6 packet too big", "6:2"},
		{"Neighbour Solicitation", "6:135"},
		{"NS", "6:135"},
		{"ping", "4:8 4:0 6:128 6:129"},
		{"Source Quench", "4:4"},
		{"admin prohibited", "4:3/13 6:1/1"},
		{"port unreachable", "4:3/3 6:1/4"},

		{"!X", "!X in a trace"},
		{"!x", "!X in a trace"},
		{" 3  r1 (192.0.2.1)  1.2 ms !H", "!H in a trace"},
		{"!F-1400", "!F in a trace"},
		{"!S", "!S in a trace"},
		{"!<9>", "4:3/9 6:1/9"},
		{"!13", "4:3/13"},
		{"!<12-0>", "4:12/0"},
		{"!A", "!A in a trace"},
		{"!Z", "!Z in a trace"},
		{"!", "! in a trace"},
		{" 5  192.0.2.1 (192.0.2.1)  9.1 ms !", "! in a trace"},
		{"Host unreachable !", "4:3/1"},
		{"!Y", ""},
		{"*", silent},
		{"* * *", silent},
		{"???", silent},

		{"From 192.0.2.1 icmp_seq=1 Destination Host Unreachable", "4:3/1"},
		{"From 192.0.2.1 icmp_seq=2 Packet filtered", "4:3/13"},
		{"From 192.0.2.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)", "4:3/4"},
		{"From 2001:db8::1 icmp_seq=1 Destination unreachable: Address unreachable", "6:1/3"},
		{"From 2001:db8::1 icmp_seq=1 Destination unreachable: No route", "6:1/0"},
		{"From 192.0.2.1 icmp_seq=1 Time to live exceeded", "4:11/0 6:3/0"},
		{"From 192.0.2.1: icmp_seq=1 Redirect Host(New nexthop: 192.0.2.254)", "4:5/1"},
		{"Reply from 192.0.2.1: Destination net unreachable.", "4:3/0"},
		{"Reply from 192.0.2.1: TTL expired in transit.", "4:11/0 6:3/0"},
		{"Packet needs to be fragmented but DF set.", "4:3/4"},
		{"Request timed out.", silent},
		{"PING: transmit failed. General failure.", "General failure (Windows)"},
		{"ssh: connect to host 192.0.2.1 port 22: No route to host", noRoute},
		{"curl: (7) Failed to connect to 192.0.2.1 port 80: Connection refused", refused},
		{"ping: connect: Network is unreachable", unreached},
		{"ping: local error: message too long, mtu=1400", tooLong},
		{"ping: sendmsg: Operation not permitted", notAllow},
		{"EHOSTUNREACH", noRoute},
		{"connect: ehostunreach", noRoute},
		{" 1?: [LOCALHOST]                      pmtu 1400", pathMTU},
		{"ICMP host 192.0.2.1 unreachable - admin prohibited, length 36", "4:3/10 6:1/1"},
		{"IP 192.0.2.1 > 192.0.2.2: ICMP 192.0.2.1 udp port 53 unreachable", "4:3/3 6:1/4"},
		{"ICMP 192.0.2.9 unreachable - need to frag (mtu 1400), length 556", "4:3/4"},
		{"ICMP Host Unreachable from 192.0.2.1 for ICMP Echo sent to 192.0.2.9", "4:3/1"},
		{"reject with icmp type port-unreachable", "4:3/3 6:1/4"},
		{"reject with icmp type prot-unreachable", "4:3/2"},
		{"reject-with icmp6-addr-unreachable", "6:1/3"},
		{"92 bytes from 192.0.2.1: Communication prohibited by filter", "4:3/13"},
		{"pmtu black hole", "black hole"},
		{"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.1 ms (DUP!)", "DUP!"},
		{"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=10001 ms (LATE!)", "LATE!"},
		{"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.1 ms (FORGED!)", "FORGED!, STALE!"},
		{"fault: packets above 1400 bytes vanish without a word between hop 2 (192.0.2.1) and hop 3 (192.0.2.2)", "black hole"},

		{"", ""},
		{"xyzzy", ""},
		{"\x1b[2J\xff\x00", ""},
		{strings.Repeat("a ", 5000), ""},
	}
	for _, tt := range tests {
		if got := foundIn(tt.query, 0); got != tt.want {
			t.Errorf("%.80q: found %q, want %q", tt.query, got, tt.want)
		}
	}
}

// TestExplainFindsAll asks for every type and code by its number, and by its name
// and printed text.
func TestExplainFindsAll(t *testing.T) {
	for _, f := range familiesOf(0) {
		for _, typ := range icmpx.Types(f) {
			query := fmt.Sprintf("%d:%d", map[icmpx.Family]int{icmpx.IPv4: 4, icmpx.IPv6: 6}[f], typ.Type)
			wantFound(t, query, query, f)
			wantFound(t, typ.Name, query, f)
			wantFound(t, typ.Text, query, f)
			for _, c := range typ.Codes {
				query := fmt.Sprintf("%s/%d", query, c.Code)
				wantFound(t, query, query, f)
				wantFound(t, c.Name, query, f)
				wantFound(t, icmpx.Describe(f, typ.Type, c.Code), query, f)
			}
		}
	}
}

func wantFound(t *testing.T, query, want string, f icmpx.Family) {
	t.Helper()
	if got := " " + foundIn(query, f) + " "; !strings.Contains(got, " "+want+" ") {
		t.Errorf("%q: found %q, want %s", query, got, want)
	}
}

// TestExplainSymptoms wants each symptom to be found by each of its phrases, to
// say what to do, and to lead to messages that there are.
func TestExplainSymptoms(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range symptoms {
		for _, p := range s.phrases {
			if got := foundIn("prog: "+p, 0); got != s.Name {
				t.Errorf("%q: found %q, want %q", p, got, s.Name)
			}
		}
		if seen[s.Name] || !strings.HasSuffix(s.Means, ".") || !strings.HasSuffix(s.Action, ".") {
			t.Errorf("%q is there twice, or is not whole", s.Name)
		}
		seen[s.Name] = true
		for _, m := range s.See {
			wantFound(t, m.Query(), m.Query(), m.Family)
		}
	}
	for _, m := range marks {
		for _, see := range m.See {
			wantFound(t, see.Query(), see.Query(), see.Family)
		}
	}
	for _, a := range aliases {
		for _, m := range a.messages {
			wantFound(t, a.text, m.Query(), m.Family)
		}
	}
}

func TestExplainCommand(t *testing.T) {
	tests := []struct {
		args           string
		code           int
		stdout, stderr string // what they contain; "": nothing
	}{
		{"explain", exitOK, "ICMPv6 types", ""},
		{"explain -4", exitOK, "ICMP types", ""},
		{"explain icmp", exitOK, "ICMPv6 types", ""},
		{"explain ICMPv6", exitOK, "ICMPv6 types", ""},
		{"explain -4 icmp", exitOK, "ICMP types", ""},
		{"explain -4 v6", exitNoAnswer, "", "nothing is known"},
		{"explain -v", exitOK, "Frag", ""},
		{"explain 3/4", exitOK, "next-hop MTU", ""},
		{"explain -6 redirect", exitOK, "ICMPv6 137", ""},
		{"explain unreachable", exitOK, "entries fit; icmpx explain NUMBER shows", ""},
		{"explain -v port unreachable", exitOK, "ICMPv6 1/4", ""},
		{"explain -6 No route to host", exitOK, "6:1/3", ""},
		{"explain destnation unreachble", exitNoAnswer, "", `did you mean "destination unreachable"?`},
		{"explain 3/99", exitNoAnswer, "", "did you mean 4:3 (Destination Unreachable), or 6:3 (Time Exceeded)?"},
		{"explain xyzzy", exitNoAnswer, "", "icmpx: hint: icmpx explain, without anything, lists all types"},
		{"explain \x1b[2J", exitNoAnswer, "", `nothing is known of "\x1b[2J"`},
		{"explain " + strings.Repeat("x", 5000), exitNoAnswer, "", strings.Repeat("x", maxEchoed) + "...\"\n"},
		{"explain -46", exitError, "", "-4 and -6 exclude each other"},
		{"explain --json xyzzy", exitNoAnswer, `"entries":0`, ""},
	}
	for _, tt := range tests {
		w := &world{uid: 1000}
		code := w.run(t, strings.Fields(tt.args)...)
		stdout, stderr := w.stdout.String(), w.stderr.String()
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%q: exit code %d\n%s%s", tt.args, code, stdout, stderr)
		}
		if (tt.stdout == "") != (stdout == "") || (tt.stderr == "") != (stderr == "") {
			t.Errorf("%q: standard output %q, standard error %q", tt.args, stdout, stderr)
		}
		if len(w.did) > 0 {
			t.Errorf("%q: %v", tt.args, w.did)
		}
	}
	w := &world{}
	w.run(t, "explain", "-4", "No", "route", "to", "host")
	if strings.Contains(w.stdout.String(), "explain 6:") {
		t.Errorf("-4 shows ICMPv6: %s", w.stdout.String())
	}
}

func TestExplainJSON(t *testing.T) {
	for args, entries := range map[string]int{"explain -j": 76, "explain -j -4": 32, "explain -j icmpv6": 44, "explain -j 3/4": 1, "explain -j !X": 1, "explain -j xyzzy": 0} {
		w := &world{}
		w.run(t, strings.Fields(args)...)
		var events []string
		for line := range strings.Lines(w.stdout.String()) {
			var v struct{ Event string }
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			events = append(events, v.Event)
		}
		if len(events) != entries+2 || events[0] != "start" || events[len(events)-1] != "summary" {
			t.Errorf("%s: events %v", args, events)
		}
	}
}

// FuzzExplain wants an end, and suggestions that find something.
func FuzzExplain(f *testing.F) {
	for _, seed := range []string{"3/4", "!X", "destnation", "6:1/4", "type 3 code 4", "!<12-0>", "no route", "v6", "!", "4:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		found := explain(query, 0)
		if len(found.entries) > 0 && len(found.suggestions) > 0 {
			t.Errorf("%q: found and suggested", query)
		}
		for _, s := range found.suggestions {
			asked, _, _ := strings.Cut(strings.Trim(s, `"`), " (")
			if again := explain(asked, 0); len(again.entries) == 0 {
				t.Errorf("%q suggests %s, which finds nothing", query, s)
			}
		}
	})
}
