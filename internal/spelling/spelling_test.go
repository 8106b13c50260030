package spelling

import (
	"slices"
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"count", "count", 0},
		{"conut", "count", 2}, {"cout", "count", 1}, {"counts", "count", 1}, {"kitten", "sitting", 3},
	}
	for _, tt := range tests {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"echo-request", "echo", "port-unreachable", "time-exceeded", "timestamp"}
	for word, want := range map[string]string{
		"ech": "echo", "echo-": "echo-request", "prt-unreachable": "port-unreachable", "time-exeeded": "time-exceeded",
		"timestmap": "timestamp", "bogus": "", "ec": "", "": "", strings.Repeat("e", 1<<20): "",
	} {
		if got := Nearest(word, slices.Values(names)); got != want {
			t.Errorf("%.40q: got %q, want %q", word, got, want)
		}
	}
}
