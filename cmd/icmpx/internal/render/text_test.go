package render

import (
	"bytes"
	"net/netip"
	"strings"
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
