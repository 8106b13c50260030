package render

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := []byte("(nothing)"), []byte("(nothing)")
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if !bytes.Equal(g, w) {
			t.Fatalf("%s, line %d:\n got %s\nwant %s", path, i+1, g, w)
		}
	}
}

// starts are the ways to begin a run.
func starts() []Host {
	iface, source, nothing := host4, host4, host4
	iface.Interface = "eth0"
	source.FromSource = true
	nothing.Payload = 0
	vrf := host6
	vrf.Interface, vrf.Source = "vrf-blue", netip.Addr{}
	hostile, labelled, recording := host6, host6, host4
	hostile.Name = "b\x1b[2J.example"
	labelled.FlowLabel = 0x3039
	recording.Options = 40
	return []Host{host4, host6, iface, source, nothing, vrf, hostile, labelled, recording}
}

func TestTextGolden(t *testing.T) {
	names := func(a netip.Addr) string {
		return map[netip.Addr]string{
			host6.Addr: "a.example",
			router6:    "router\x1b]0;owned\a.example",
		}[a]
	}
	tests := []struct {
		file string
		text Text
	}{
		{"text.golden", Text{}},
		{"text-verbose.golden", Text{Verbose: true, Timestamps: true}},
		{"text-hosts.golden", Text{Prefix: true, Name: names}},
		{"text-quiet.golden", Text{Quiet: true}},
		{"text-habits.golden", Text{Bell: true, Precise: true, Gap: true}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			var b []byte
			for _, h := range starts() {
				b = tt.text.AppendStart(b, &h)
			}
			for _, it := range items() {
				b = append(b, "# "+it.about+"\n"...)
				if IsLocal(it.host, &it.event) {
					b = append(tt.text.AppendLocal(append(b, "(standard error) "...), it.host, &it.event), '\n')
				}
				b = tt.text.AppendEvent(b, it.host, &it.event, t0.Add(time.Minute))
			}
			b = append(b, "# stray\n"...)
			b = tt.text.AppendStray(b, &icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11, From: router4}, "quotes no probe of ours", t0)
			for _, a := range accounts() {
				b = append(b, "# "+a.about+"\n"...)
				b = tt.text.AppendSummary(b, &host4, &a.stats)
				b = bytes.ReplaceAll(tt.text.AppendStatus(b, &host4, &a.stats.Stats), []byte("\r"), []byte("(status) "))
			}
			golden(t, tt.file, b)
		})
	}
}

func TestJSONGolden(t *testing.T) {
	golden(t, "json.golden", jsonLines())
}

// jsonLines renders every start, event and account.
func jsonLines() []byte {
	var b []byte
	var j JSON
	for _, h := range starts() {
		b = j.AppendStart(b, &h, t0)
	}
	for _, it := range items() {
		b = j.AppendEvent(b, it.host, &it.event, t0.Add(time.Minute))
	}
	b = j.AppendStray(b, "192.0.2.1", &icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11, From: router4}, "quotes no probe of ours")
	for _, a := range accounts() {
		b = j.AppendSummary(b, &host4, &a.stats)
	}
	return b
}
