package render

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

func TestAppendMillis(t *testing.T) {
	tests := []struct {
		ns   int64
		want string
	}{
		{-5, "0.000 ms"}, {0, "0.000 ms"}, {499, "0.000 ms"}, {500, "0.001 ms"}, {43_000, "0.043 ms"}, {999_499, "0.999 ms"},
		{999_500, "1.00 ms"}, {1_004_000, "1.00 ms"}, {1_005_000, "1.01 ms"}, {9_994_000, "9.99 ms"}, {9_995_000, "10.0 ms"},
		{12_345_678, "12.3 ms"}, {99_949_000, "99.9 ms"}, {99_950_000, "100 ms"}, {1_030_211_000, "1030 ms"},
	}
	for _, tt := range tests {
		if got := string(appendMillis(nil, time.Duration(tt.ns))); got != tt.want {
			t.Errorf("%d ns: got %s, want %s", tt.ns, got, tt.want)
		}
	}
}

func TestAppendSafe(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""}, {"plain text", "plain text"}, {"é漢", "é漢"},
		{"\x1b[31m", `\x1b[31m`}, {"a\nb\tc\x7f", `a\x0ab\x09c\x7f`}, {"\u009b", `\x9b`}, {"\xff", `\xff`}, {"\xc3", `\xc3`},
		{"\u202eevil", `\u{202e}evil`}, {"\u200b", `\u{200b}`}, {"\U000e0041", `\u{e0041}`}, {`a\b`, `a\\b`},
		{"\u2028", `\u{2028}`}, {"\uffff", `\u{ffff}`},
	}
	for _, tt := range tests {
		if got := string(AppendSafe(nil, tt.in)); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestAppendName(t *testing.T) {
	long := strings.Repeat("a", 300)
	tests := []struct{ in, want string }{
		{"", ""}, {"router-1.a_b.example", "router-1.a_b.example"}, {"a b", `a\032b`}, {"\x1b[0m", `\027\0910m`}, {"é", `\195\169`},
		{long, long[:255] + "..."},
	}
	for _, tt := range tests {
		if got := string(AppendName(nil, tt.in)); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestAppendAddr(t *testing.T) {
	tests := []struct {
		addr netip.Addr
		want string
	}{
		{netip.Addr{}, "?"},
		{netip.MustParseAddr("192.0.2.1"), "192.0.2.1"},
		{netip.MustParseAddr("fe80::1%eth0"), "fe80::1%eth0"},
		{netip.MustParseAddr("fe80::1").WithZone("\x1b[2J"), `fe80::1%\x1b[2J`},
	}
	for _, tt := range tests {
		if got := string(AppendAddr(nil, tt.addr)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// TestNoAllocations holds that the line of a reply costs no memory once there
// is a buffer.
func TestNoAllocations(t *testing.T) {
	b := make([]byte, 0, 4096)
	ev := echo(&host4, 1, time.Millisecond, nil)
	text := Text{Timestamps: true, Prefix: true, Verbose: true}
	var j JSON
	allocs := testing.AllocsPerRun(100, func() {
		b = text.AppendEvent(b[:0], &host4, &ev, t0)
		b = j.AppendEvent(b[:0], &host4, &ev, t0)
	})
	if allocs != 0 || !bytes.Contains(b, []byte("rtt_ns")) {
		t.Errorf("%v allocations", allocs)
	}
}

// TestRejectedError is a forged quote: it is no echo reply and must not look
// like one.
func TestRejectedError(t *testing.T) {
	ev := icmpError(&host4, 3, icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11, Trust: icmpx.Forged})
	ev.Kind, ev.Result.Fate = probe.PingRejected, probe.Rejected
	got := string((&Text{}).AppendEvent(nil, &host4, &ev, t0))
	if want := "From 203.0.113.254: icmp_seq=3 Time to live exceeded (FORGED!)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAppendFlood(t *testing.T) {
	reply := echo(&host4, 1, time.Millisecond, nil)
	tests := []struct {
		name string
		ev   probe.PingEvent
		want string
	}{
		{"reply", reply, "\b \b\a"},
		{"duplicate", echo(&host4, 1, time.Millisecond, func(r *probe.Result) { r.Fate = probe.Extra }), "\b \b\a"},
		{"changed", echo(&host4, 1, time.Millisecond, func(r *probe.Result) { r.Damage.Class = probe.Flipped }), "\bC"},
		{"forged", echo(&host4, 1, time.Millisecond, func(r *probe.Result) { r.Fate = probe.Rejected }), ""},
		{"error", icmpError(&host4, 1, icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11}), "\bE"},
		{"redirect", icmpError(&host4, 1, icmpx.Reply{Kind: icmpx.KindRedirect, Type: 5}), ""},
		{"not sent", failed(&host4, 1, syscall.EPERM), "E"},
		{"lost", probe.PingEvent{Kind: probe.PingLost, Result: &probe.Result{Fate: probe.Lost}}, ""},
	}
	for _, tt := range tests {
		if got := string((&Text{Bell: true}).AppendFlood(nil, &tt.ev)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if got := string((&Text{Quiet: true}).AppendFlood(nil, &tt.ev)); got != "" {
			t.Errorf("%s, quiet: got %q", tt.name, got)
		}
	}
}

func TestAppendDiff(t *testing.T) {
	want := make([]byte, 40)
	for i := range want {
		want[i] = byte(i)
	}
	flipped := slices.Clone(want)
	flipped[17], flipped[18] = 0xff, 0xfe
	tests := []struct {
		name string
		got  []byte
		diff []string
	}{
		{"same", want, nil},
		{"flipped", flipped, []string{
			"#16    want 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f",
			"#16    got  10 ff fe 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f",
			"               ^^ ^^",
		}},
		{"truncated", want[:34], []string{
			"#32    want 20 21 22 23 24 25 26 27",
			"#32    got  20 21",
			"                  ^^ ^^ ^^ ^^ ^^ ^^",
		}},
		{"padded", append(slices.Clone(want), 1), []string{
			"#32    want 20 21 22 23 24 25 26 27",
			"#32    got  20 21 22 23 24 25 26 27 01",
			"                                    ^^",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string((&Text{}).AppendDiff(nil, &host4, want, tt.got))
			if w := strings.Join(append(tt.diff, ""), "\n"); got != w && (got != "" || tt.diff != nil) {
				t.Errorf("got\n%swant\n%s", got, w)
			}
		})
	}
	long := string((&Text{Prefix: true}).AppendDiff(nil, &host4, make([]byte, 1000), bytes.Repeat([]byte{1}, 1000)))
	if n := strings.Count(long, "\n"); n != 3*diffRows+1 || strings.Count(long, "192.0.2.1: ") != n {
		t.Errorf("%d lines:\n%s", n, long)
	}
}

func TestAppendProgress(t *testing.T) {
	for _, tt := range []struct {
		done, of int64
		elapsed  time.Duration
		want     string
	}{
		{0, 0, 0, "0%, 0 of 0 bytes"},
		{500, 3000, time.Microsecond, "16%, 500 of 3000 bytes"},
		{3_000_000, 3_000_000, 2 * time.Second, "100%, 3000000 of 3000000 bytes, 1500 kB/s"},
	} {
		if got := string(AppendProgress(nil, tt.done, tt.of, tt.elapsed)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
