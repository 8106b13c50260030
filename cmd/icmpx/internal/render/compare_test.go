package render

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/compare"
)

// compareEvents are an event of each kind.
func compareEvents() []compare.Event {
	a := compare.Mark{
		Frame: 3, Time: t0, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.7"),
		Family: icmpx.IPv4, Type: 8, Query: true, ID: 7, Seq: 1, TTL: 64, Len: 64, IPID: 4660, DF: true,
	}
	b := a
	b.Frame, b.Time, b.Src, b.ID, b.TTL, b.Bad = 5, t0.Add(time.Hour), netip.MustParseAddr("203.0.113.1"), 1007, 62, true
	six := compare.Mark{
		Frame: 9, Time: t0, Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8:1::1"),
		Family: icmpx.IPv6, Type: 3, TTL: 60, TOS: 0xb8, Len: 96, Fragments: 2,
	}
	return []compare.Event{
		{Kind: compare.Match, Direction: compare.AB, InA: true, InB: true, A: a, B: a, Delay: 5_000_000},
		{
			Kind: compare.Match, Direction: compare.AB, By: compare.ByNAT, InA: true, InB: true, A: a, B: b, Delay: 5_100_000, Reordered: true,
			Changes: 1<<compare.FieldSrc | 1<<compare.FieldID | 1<<compare.FieldChecksum,
		},
		{Kind: compare.Lost, Direction: compare.AB, InA: true, A: a},
		{Kind: compare.Duplicated, Direction: compare.AB, InB: true, B: b, Again: 4},
		{Kind: compare.Unseen, Direction: compare.BA, InA: true, A: six},
		{Kind: compare.Elsewhere, Direction: compare.AB, InA: true, A: six},
		{Kind: compare.Outside, Direction: compare.AB, InA: true, A: a},
		{Kind: compare.Unsettled, Direction: compare.BA, InB: true, B: b},
	}
}

// compareResults are a full account, one of a single direction, and one of
// captures that have nothing in common.
func compareResults() []compare.Result {
	spread := compare.Spread{N: 99, Min: 5 * time.Millisecond, Avg: 6 * time.Millisecond, P50: 5900 * time.Microsecond, P95: 8 * time.Millisecond, Max: 9 * time.Millisecond}
	trips := compare.Trips{Requests: 100, Answered: 95, RTT: spread}
	point := compare.Point{Frames: 250, Messages: 200, First: t0, Last: t0.Add(10 * time.Second), Alone: 7, Elsewhere: 2, Outside: 1, Copies: 3}
	full := compare.Result{
		Related: true, Matched: 190, By: [4]uint64{100, 80, 7, 3}, Changed: 90, OtherChanges: 2, Unsettled: 1, Overlap: 10 * time.Second,
		Clock: compare.Clock{
			Known: true, Offset: time.Hour + 300*time.Microsecond, Bound: 5 * time.Millisecond, Ref: t0,
			Drift: 49.99, DriftBound: 0.4, DriftKnown: true,
		},
		AB: compare.Way{Matched: 95, Lost: 5, Reordered: 2, Duplicated: 1, Delay: spread, MinHops: 2, MaxHops: 3},
		BA: compare.Way{Matched: 95, Unseen: 1, Delay: spread, MinHops: 2, MaxHops: 2},
		Changes: []compare.Change{
			{Field: compare.FieldSrc, Direction: compare.AB, Count: 80, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("203.0.113.1"), Example: [2]int{3, 5}},
			{Field: compare.FieldTOS, Direction: compare.BA, Count: 9, From: 0xb8, Example: [2]int{4, 6}},
			{Field: compare.FieldPayload, Direction: compare.AB, Count: 1, Example: [2]int{7, 9}},
		},
		Findings: []compare.Finding{
			{Code: "loss_between", Severity: compare.Warning, Text: "5 of 100 were lost", Evidence: []compare.Fact{{Name: "lost", Value: 5}, {Name: "bound", Value: time.Millisecond}}},
		},
	}
	full.Points = [2]compare.Point{point, point}
	full.Points[0].AB, full.Points[1].AB = trips, trips
	oneWay := compare.Result{Related: true, Matched: 3, By: [4]uint64{3, 0, 0, 0}, AB: compare.Way{Matched: 3, Delay: spread}, Points: full.Points}
	return []compare.Result{full, oneWay, {Points: [2]compare.Point{point, {}}, Findings: []compare.Finding{{Code: "unrelated", Severity: compare.Fault, Text: "no"}}}}
}

// compareLines renders every event and result.
func compareLines() []byte {
	j := CompareJSON{All: true}
	b := j.AppendStart(nil, &CompareStart{Files: [2]string{"a.pcap", "b\x1b.pcap"}}, t0)
	b = j.AppendStart(b, &CompareStart{Files: [2]string{"a.pcap", "b.pcap"}, Filter: "icmp"}, t0)
	for _, e := range compareEvents() {
		b = j.AppendEvent(b, &e)
	}
	for _, r := range compareResults() {
		b = j.AppendSummary(b, &r, [2][]string{{"cut short at byte 100"}, nil})
	}
	return b
}

func TestCompareJSONGolden(t *testing.T) { golden(t, "compare-json.golden", compareLines()) }

// TestCompareJSONPlain leaves out what only --matches shows.
func TestCompareJSONPlain(t *testing.T) {
	var j CompareJSON
	var shown []bool
	for _, e := range compareEvents() {
		shown = append(shown, len(j.AppendEvent(nil, &e)) > 0)
	}
	if want := []bool{false, true, true, true, true, false, false, false}; !slices.Equal(shown, want) {
		t.Errorf("got %v, want %v", shown, want)
	}
}

func TestCompareTextGolden(t *testing.T) {
	var b []byte
	for _, text := range []CompareText{{}, {Verbose: true}} {
		for _, e := range compareEvents() {
			b = text.AppendEvent(b, &e)
		}
		for _, r := range compareResults() {
			b = text.AppendSummary(b, &CompareStart{Files: [2]string{"a.pcap", "b\x1b.pcap"}}, &r)
		}
	}
	golden(t, "compare.golden", b)
}
