package trace

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// pathOf is a finished trace whose rows one router each has answered, and the
// destination the last.
func pathOf(way string) *Result {
	r := &Result{Dst: target, FirstTTL: 1, MaxTTL: 64, Sent: 96, Reached: true}
	for i, a := range routers(way) {
		row := Row{TTL: i + 1, First: Tally{1, 1}}
		p := Probe{State: Answered, TTL: i + 1, From: a, Kind: icmpx.KindTimeExceeded, Back: i + 1, Size: 60}
		p.Quote = icmpx.Quote{Family: icmpx.IPv4, TTL: 1}
		if !a.IsValid() {
			p, row.First = Probe{State: Lost}, Tally{1, 0}
		}
		row.Probes = []Probe{p}
		r.Rows = append(r.Rows, row)
	}
	n := len(r.Rows) + 1
	r.Hops = n
	end := Probe{State: Answered, TTL: n, From: target, Kind: icmpx.KindEchoReply, Back: n}
	r.Rows = append(r.Rows, Row{TTL: n, End: true, First: Tally{1, 1}, Probes: []Probe{end}})
	return r
}

func TestJudge(t *testing.T) {
	private := netip.MustParseAddr("10.0.0.1")
	tests := []struct {
		name   string
		way    string
		change func(*Result)
		want   string // code and hop of each finding
	}{
		{"clean", "ABCDE", nil, ""},
		{"silence alone", "A*C*E", nil, ""},
		{"loss at the end", "ABC", func(r *Result) { r.Rows[3].First = Tally{3, 1} }, "loss 4"},
		{"loss of SYNs at an open port", "ABC", func(r *Result) {
			r.Method, r.PortState, r.Rows[3].First = TCP, PortOpen, Tally{3, 1}
		}, ""},
		{"loss on the way to an open port", "ABC", func(r *Result) {
			r.Method, r.PortState, r.Rows[2].First, r.Rows[3].First = TCP, PortOpen, Tally{3, 2}, Tally{3, 1}
		}, "loss 3"},
		{"repeated", "ABCB", nil, "repeated_router 2"},
		{"twice in a row", "ABBC", nil, ""},
		{"zero TTL", "ABBC", func(r *Result) { r.Rows[1].Probes[0].Quote.TTL = 0 }, "zero_ttl 2"},
		{"quotes 0 always", "ABBC", func(r *Result) { r.Rows[1].Probes[0].Quote.TTL, r.Rows[2].Probes[0].Quote.TTL = 0, 0 }, ""},
		{"private first", "ABC", func(r *Result) { r.Rows[0].Probes[0].From = private }, ""},
		{"private after public", "ABC", func(r *Result) { r.Rows[1].Probes[0].From = private }, "private_after_public 2"},
		{"private destination", "ABC", func(r *Result) {
			r.Rows[1].Probes[0].From, r.Dst, r.Rows[3].Probes[0].From = private, private.Next(), private.Next()
		}, ""},
		{"length", "ABC", func(r *Result) { r.Rows[1].Probes[0].Changes = ChangedLength }, "length_changed 2"},
		{"nat", "ABC", func(r *Result) {
			r.Rows[1].Probes[0].Changes = ChangedSourcePort
			r.Rows[2].Probes[0].Changes = ChangedSourcePort
		}, "nat 2"},
		{"tos", "ABCD", func(r *Result) {
			r.Rows[1].Probes[0].Quote.TOS = 0x20
			r.Rows[2].Probes[0].Quote.TOS = 0x20
		}, "tos_rewritten 2 tos_rewritten 4"},
		{"tos of the socket", "ABCD", func(r *Result) {
			r.TOS = -1
			for i := range r.Rows {
				r.Rows[i].Probes[0].Quote.TOS = 0x20
			}
		}, ""},
		{"one hop back more", "ABC", func(r *Result) { r.Rows[3].Probes[0].Back++ }, ""},
		{"two hops back less", "ABC", func(r *Result) { r.Rows[3].Probes[0].Back -= 2 }, "asymmetry 4"},
		{"asymmetry that ends", "ABC", func(r *Result) { r.Rows[1].Probes[0].Back += 5 }, ""},
		{"forged", "ABC", func(r *Result) { r.Forged = 3 }, "forged 0"},
		{"loss", "ABCD", func(r *Result) {
			for _, i := range []int{0, 2, 3, 4} {
				r.Rows[i].First = Tally{3, 2}
			}
		}, "loss 3"},
		{"loss that does not persist", "ABCD", func(r *Result) { r.Rows[2].First = Tally{3, 2} }, ""},
		{"loss over silence", "AB*D", func(r *Result) {
			r.Rows[1].First, r.Rows[3].First, r.Rows[4].First = Tally{3, 1}, Tally{3, 2}, Tally{3, 2}
		}, "loss 2"},
		{"destination limits", "ABCD", func(r *Result) { r.Rows[4].First, r.Rows[4].Limited = Tally{3, 1}, true }, ""},
		{"limit", "ABCD", func(r *Result) {
			r.Rows[1].First = Tally{3, 2}
			r.Rows[1].Probes = append(r.Rows[1].Probes, Probe{State: Limited})
		}, "rate_limited 2"},
		{"limit that was asked slower", "ABCD", func(r *Result) {
			r.Rows[1].First, r.Rows[1].Again = Tally{3, 1}, Tally{2, 2}
		}, "rate_limited 2"},
		{"interrupted", "ABC", func(r *Result) { r.Interrupted, r.Reached, r.Rows = true, false, r.Rows[:3] }, ""},
		{"loop", "ABCDCDCD", func(r *Result) { r.Reached, r.Rows, r.Hops = false, r.Rows[:8], 8 }, "loop 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := pathOf(tt.way)
			if tt.change != nil {
				tt.change(r)
			}
			var got []string
			for _, f := range judge(r, nil) {
				got = append(got, string(f.Code), itoa(f.Hop))
				if f.Code.Explain() == "" || f.Text == "" || strings.HasSuffix(f.Text, ".") || len(f.Evidence) == 0 {
					t.Errorf("%+v", f)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("findings %q, want %q", s, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	all := []Code{
		CodeLoop, CodeRepeated, CodeUnreachable, CodeFiltered, CodeSilent, CodeOtherMethod, CodeMaxTTL, CodeNotSent,
		CodeOtherAddress, CodeMTU, CodeNAT, CodeTOS, CodeLength, CodeHidden, CodeZeroTTL, CodeAsymmetry, CodeLimited,
		CodeLoss, CodeBalanced, CodeMixed, CodePrivate, CodeForged,
	}
	for _, c := range all {
		if !strings.HasSuffix(c.Explain(), ".") {
			t.Errorf("%s is explained by %q", c, c.Explain())
		}
	}
	if Code("other").Explain() != "" {
		t.Error("an unknown code is explained")
	}
}

func TestWords(t *testing.T) {
	for want, numbers := range map[string][]int{
		"":               nil,
		"4":              {4},
		"4-5":            {4, 5},
		"1-3 and 7":      {1, 2, 3, 7},
		"1, 3-4 and 6-9": {1, 3, 4, 6, 7, 8, 9},
	} {
		if got := ranges(numbers); got != want {
			t.Errorf("ranges(%v) = %q, want %q", numbers, got, want)
		}
	}
	if got := plain("source_port,checksum"); got != "source port and checksum" {
		t.Errorf("plain = %q", got)
	}
	for _, s := range []string{Method(99).String(), State(99).String(), Severity(99).String(), PortState(99).String()} {
		if s == "" {
			t.Error("an unknown value has no name")
		}
	}
	if !slices.Equal([]string{UDP.String(), UDPClassic.String(), UDPFixed.String(), ICMP.String(), TCP.String()},
		[]string{"udp", "udp-classic", "udp-fixed", "icmp", "tcp"}) {
		t.Error("a method is called otherwise in JSON")
	}
}
