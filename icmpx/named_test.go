package icmpx_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

func TestMessagesNamed(t *testing.T) {
	for name, want := range map[string]string{
		"too-big":          "IPv4 3/4, IPv6 2",
		"Echo_Request":     "IPv4 8, IPv6 128",
		"ping":             "IPv4 8, IPv6 128",
		"redirect":         "IPv4 5, IPv6 137",
		"Redirect Message": "IPv4 5, IPv6 137",
		"port-unreachable": "IPv4 3/3, IPv6 1/4",
		"host-unreachable": "IPv4 3/1, IPv6 1/3",
		"packet-too-big":   "IPv6 2",
		"source-quench":    "IPv4 4",
		"fragmentation-needed-and-dont-fragment-was-set":  "IPv4 3/4",
		"Fragmentation Needed and Don't Fragment was Set": "IPv4 3/4",
		"":        "",
		"-":       "",
		"message": "",
		"bogus":   "",
		"8":       "",
		"ech\xf6": "",
	} {
		var got []string
		for _, m := range icmpx.MessagesNamed(name) {
			text := fmt.Sprintf("%v %d/%d", m.Family, m.Type, m.Code)
			if m.Whole {
				text = fmt.Sprintf("%v %d", m.Family, m.Type)
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// TestEveryName finds each type and code by the names that the table has, and
// each name by itself.
func TestEveryName(t *testing.T) {
	has := func(name string, want icmpx.Named) {
		for _, m := range icmpx.MessagesNamed(name) {
			if m == want {
				return
			}
		}
		t.Errorf("%q does not name %+v", name, want)
	}
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		for _, info := range icmpx.Types(f) {
			has(info.Name, icmpx.Named{Family: f, Type: info.Type, Whole: true})
			has(info.Text, icmpx.Named{Family: f, Type: info.Type, Whole: true})
			for _, c := range info.Codes {
				has(c.Name, icmpx.Named{Family: f, Type: info.Type, Code: c.Code})
				has(c.Text, icmpx.Named{Family: f, Type: info.Type, Code: c.Code})
			}
		}
	}
	for name := range icmpx.MessageNames() {
		if len(icmpx.MessagesNamed(name)) == 0 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%q is no name", name)
		}
	}
}
