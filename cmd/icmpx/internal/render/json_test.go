package render

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

func TestObjectTimes(t *testing.T) {
	tests := []struct {
		time time.Time
		want string
	}{
		{time.Time{}, `{"t":null}`},
		{time.Unix(0, 0), `{"t":"1970-01-01T00:00:00.000000000Z"}`},
		{time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), `{"t":"2026-01-02T02:04:05.000000006Z"}`},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), `{"t":null}`},
		{time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), `{"t":null}`},
	}
	for _, tt := range tests {
		o := begin(nil)
		o.time("t", tt.time)
		if got := string(o.end()); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.time, got, tt.want)
		}
	}
}

func TestObjectPercent(t *testing.T) {
	nan := 0.0
	nan /= nan
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {100, "100"}, {50, "50"}, {100.0 / 3, "33.3333"}, {1e-5, "1e-05"}, {nan, "0"}, {-1, "0"}, {101, "0"},
	} {
		o := begin(nil)
		o.percent("p", tt.v)
		if got := string(o.end()); got != `{"p":`+tt.want+`}` {
			t.Errorf("%v: got %s", tt.v, got)
		}
	}
}

// FuzzString holds JSON strings against encoding/json: what it reads from them
// is the text that went in, and nothing in them can reach a terminal.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "plain", `a"b\c`, "\x00\x1f\x7f\u0080\u009b", "\u202e\u2066\u200b\ufeff", "\xff\xc3", "\U0001f600\U000e0041", "é漢"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := appendString(nil, s)
		var back string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%q: %s: %v", s, b, err)
		}
		if utf8.ValidString(s) && back != s {
			t.Fatalf("%q reads as %q", s, back)
		}
		for _, text := range [][]byte{b, AppendSafe(nil, s), AppendName(nil, s)} {
			if !utf8.Valid(text) || strings.ContainsFunc(string(text), unsafeRune) {
				t.Fatalf("%q: unsafe %q", s, text)
			}
		}
	})
}

// FuzzJSON renders events out of arbitrary parts: each is one valid object on
// one line.
func FuzzJSON(f *testing.F) {
	f.Add("host", "eth0", []byte{1, 2, 3, 4, 5, 6}, int64(12345), int64(0))
	f.Add("\xff\"\n", "\x1b]0;\a", []byte{255, 0, 200, 6, 9, 11}, int64(-1), int64(1)<<62)
	f.Fuzz(func(t *testing.T, host, zone string, parts []byte, n, at int64) {
		part := func(i int) byte {
			if len(parts) == 0 {
				return 0
			}
			return parts[i%len(parts)]
		}
		from := netip.AddrFrom16([16]byte{0xfe, 0x80, part(0)}).WithZone(zone)
		h := Host{Name: host, Addr: from, Payload: int(n), Socket: icmpx.Mode(part(1))}
		r := probe.Result{
			Fate: probe.Fate(part(2)), RTT: time.Duration(n), Stamps: icmpx.Stamp(part(3)), Late: part(4)&1 == 0,
			Damage: probe.Damage{Class: probe.DamageClass(part(5)), Offset: int(n), Want: int16(n), Got: int16(at)},
			Reply: icmpx.Reply{
				Kind: icmpx.Kind(part(6)), Type: part(7), Code: part(8), From: from, Gateway: from,
				Options: parts, At: time.Unix(at, n), MTU: int(n), Bytes: int(at), TTL: part(9),
			},
		}
		stats := probe.Stats{Sent: int(n), InFlight: int(at), Lost: int(part(0)), Duration: time.Duration(at), RTT: probe.Summary{N: int(part(1)), Min: time.Duration(n)}}
		var j JSON
		lines := [][]byte{
			j.AppendStart(nil, &h, time.Unix(n, at)),
			j.AppendStray(nil, host, &r.Reply, host),
			j.AppendSummary(nil, &h, &Account{Stats: stats}),
		}
		for kind := probe.PingReply; kind <= probe.PingRate; kind++ {
			ev := probe.PingEvent{Kind: kind, Dst: from, Seq: uint16(n), Result: &r, Rate: math.Float64frombits(uint64(n)), Why: host}
			if b := j.AppendEvent(nil, &h, &ev, time.Unix(at, 0)); b != nil {
				lines = append(lines, b)
			}
			(&Text{Verbose: true, Timestamps: true, Prefix: true}).AppendEvent(nil, &h, &ev, time.Unix(at, 0))
			(&Text{}).AppendFlood(nil, &ev)
		}
		for _, b := range lines {
			if !json.Valid(b) || strings.Count(string(b), "\n") != 1 || b[len(b)-1] != '\n' {
				t.Fatalf("not one line of JSON: %q", b)
			}
			if strings.ContainsFunc(strings.TrimSuffix(string(b), "\n"), unsafeRune) {
				t.Fatalf("unsafe: %q", b)
			}
		}
	})
}
