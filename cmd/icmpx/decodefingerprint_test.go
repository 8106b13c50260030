package main

import (
	"strings"
	"testing"
)

// TestDecodeFingerprint checks that both views tell of each source once, and of
// findings with their packets.
func TestDecodeFingerprint(t *testing.T) {
	files := []string{vector("seeds/tools/nmap_O_icmp.pcap"), vector("seeds/tools/busybox_default.pcap")}
	for _, tt := range []struct {
		flag string
		want map[string]int // how often each is said
	}{
		{"-n", map[string]int{
			"Made by:\n": 2, ": nmap (-O, its first probe), high confidence": 1, ": BusyBox ping, high confidence": 1,
			"[echo request with a code]": 1, "echo_code, src 10.9.1.2": 1,
		}},
		{"-j", map[string]int{
			`{"event":"fingerprint",`: 4, `"tool":"BusyBox ping"`: 1, `"findings":[{"code":"echo_code"`: 1,
			`{"event":"finding","code":"echo_code"`: 1, `{"event":"summary",`: 2,
		}},
	} {
		w := &world{}
		if code := w.run(t, append([]string{"decode", "--fingerprint", tt.flag}, files...)...); code != exitOK {
			t.Fatalf("exit code %d: %s", code, w.stderr.String())
		}
		out := w.stdout.String()
		for text, n := range tt.want {
			if got := strings.Count(out, text); got != n {
				t.Errorf("%q is said %d times, not %d, in\n%s", text, got, n, out)
			}
		}
		if tt.flag == "-j" && !strings.Contains(out[strings.LastIndex(out, "\n{"):], `"event":"summary"`) {
			t.Errorf("the last event is no summary:\n%s", out)
		}
	}
	w := &world{}
	if w.run(t, append([]string{"decode"}, files...)...); strings.Contains(w.stdout.String(), "Made by") {
		t.Errorf("told without being asked:\n%s", w.stdout.String())
	}
}
