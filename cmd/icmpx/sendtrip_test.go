package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A rawLine is a packet in JSON: its bytes.
type rawLine struct {
	IP   struct{ Raw string }
	ICMP struct {
		Type, Code int
		Raw        string
	}
	Rebuilt int `json:"reassembled_len"`
}

// rawLines returns the packets of an output that have an IP header and a
// message.
func rawLines(t *testing.T, text string) []rawLine {
	t.Helper()
	var list []rawLine
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, `{"event":"packet"`) { // the keys of others are of other types
			continue
		}
		var l rawLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if l.IP.Raw != "" && l.ICMP.Raw != "" {
			list = append(list, l)
		}
	}
	return list
}

// TestSendDecoded decodes what captures hold, makes packets of it again, and
// compares them byte for byte. The header of what came in fragments is new.
func TestSendDecoded(t *testing.T) {
	files, err := filepath.Glob(vector("gen/*.pcap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	packets := 0
	for _, file := range files {
		var w world
		if code := w.run(t, "decode", "--json", file); code > 1 {
			continue // it is no whole capture
		}
		var lines strings.Builder
		for line := range strings.Lines(w.stdout.String()) {
			if len(rawLines(t, line)) == 1 {
				lines.WriteString(line)
			}
		}
		want := rawLines(t, lines.String())
		if len(want) == 0 {
			continue
		}
		s := sendWorld{stdin: lines.String()}
		if code := s.run(t, "--json", "--dry-run", "-"); code != 0 {
			if slices.ContainsFunc(want, func(l rawLine) bool { return l.Rebuilt > 0 }) {
				continue // of a header that no whole datagram has
			}
			t.Errorf("%s: exit code %d, %s", filepath.Base(file), code, s.stderr.String())
			continue
		}
		got := rawLines(t, s.stdout.String())
		if len(got) != len(want) {
			t.Errorf("%s: %d packets, want %d", filepath.Base(file), len(got), len(want))
			continue
		}
		for i := range want {
			packets++
			if want[i].Rebuilt == 0 && got[i].IP.Raw+got[i].ICMP.Raw != want[i].IP.Raw+want[i].ICMP.Raw ||
				want[i].Rebuilt > 0 && got[i].ICMP.Raw != want[i].ICMP.Raw {
				t.Errorf("%s, packet %d: got %+v, want %+v", filepath.Base(file), i+1, got[i], want[i])
			}
		}
	}
	if packets < 100 {
		t.Errorf("%d packets compared", packets)
	}
}

// TestSendEveryType makes a packet of each type by a dry run, decodes it, and
// compares.
func TestSendEveryType(t *testing.T) {
	fields := map[string][]string{
		"192.0.2.1 5": {"--gateway", "192.0.2.9"}, "192.0.2.1 9": {"--router", "192.0.2.9"},
		"192.0.2.1 42": {"--iface-name", "eth0"}, "2001:db8::1 160": {"--iface-addr", "2001:db8::9"},
		"2001:db8::1 137": {"--destination", "2001:db8:9::9"}, "2001:db8::1 143": {"--record", "4,ff02::1:3"},
		"192.0.2.1 11": {"--mpls", "16:0:1:64"}, "2001:db8::1 3": {"--interface-info", "index=2,name=eth0"},
	}
	for _, host := range []string{"192.0.2.1", "2001:db8::1"} {
		for typ := range 256 {
			for _, code := range []int{0, 4, 255} {
				word := fmt.Sprintf("%d/%d", typ, code)
				var s sendWorld
				args := append([]string{word, host, "--dry-run", "--json"}, fields[fmt.Sprintf("%s %d", host, typ)]...)
				if c := s.run(t, args...); c != 0 {
					t.Errorf("%v: exit code %d, %s", args, c, s.stderr.String())
					continue
				}
				want := rawLines(t, s.stdout.String())
				if len(want) != 1 || want[0].ICMP.Type != typ || want[0].ICMP.Code != code {
					t.Errorf("%v: got %+v", args, want)
					continue
				}
				w := world{stdin: want[0].IP.Raw + want[0].ICMP.Raw + "\n"}
				w.run(t, "decode", "--hex", "--link", "ip", "--json", "-")
				if got := rawLines(t, w.stdout.String()); len(got) != 1 || got[0] != want[0] {
					t.Errorf("%v: got %+v, want %+v", args, got, want[0])
				}
			}
		}
	}
}
