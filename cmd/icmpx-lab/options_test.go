//go:build linux

package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/integration/lab"
)

func TestParse(t *testing.T) {
	tests := []struct {
		args string
		want options
		err  string // part of it; empty: none
	}{
		{"pair", options{topology: "pair"}, ""},
		{"list", options{topology: "list"}, ""},
		{"demo", options{topology: "demo", command: []string{"bin/icmpx"}}, ""},
		{"demo ./icmpx", options{topology: "demo", command: []string{"./icmpx"}}, ""},
		{"chain -- ping -c 1 server", options{topology: "chain", command: []string{"ping", "-c", "1", "server"}}, ""},
		{"chain -u -- id", options{topology: "chain", user: lab.Ordinary, command: []string{"id"}}, ""},
		{"--user --rootless dark", options{topology: "dark", user: lab.Ordinary, rootless: true}, ""},
		{"pair -- -h --user", options{topology: "pair", command: []string{"-h", "--user"}}, ""},
		{"--help", options{help: true}, ""},
		{"nosuch -h", options{help: true}, ""},
		{"", options{}, "no topology"},
		{"nosuch", options{}, "there are pair, chain, dark"},
		{"chain:16", options{topology: "chain:16"}, ""},
		{"chain:99", options{}, "is not 1 to 30"},
		{"black-hole:1500,1400", options{topology: "black-hole:1500,1400"}, ""},
		{"black-hole:1500,big", options{}, `MTU "big" is not 68 to 65535`},
		{"--usr pair", options{}, "unknown flag --usr"},
		{"pair chain", options{}, `unexpected "chain"`},
		{"pair --", options{}, "no command after --"},
		{"demo a b", options{}, `unexpected "a"`},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got, err := parse(strings.Fields(tt.args))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got error %v, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                            nil,
		" ping  -c 1 ":                {"ping", "-c", "1"},
		"decode --filter 'type echo'": {"decode", "--filter", "type echo"},
		"explain '!X' ''":             {"explain", "!X", ""},
	} {
		if got := words(line); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}
