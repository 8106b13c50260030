//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/icmpx/icmpx/integration/lab"
)

// options are what the command line asks for.
type options struct {
	topology string // or list, or demo
	command  []string
	user     lab.User
	rootless bool
	help     bool
}

// parse reads the command line. What follows -- is the command.
func parse(args []string) (options, error) {
	var o options
	words := args
	if i := slices.Index(args, "--"); i >= 0 {
		words, o.command = args[:i], args[i+1:]
		if len(o.command) == 0 {
			return o, errors.New("no command after --")
		}
	}
	var names []string
	for _, w := range words {
		switch {
		case w == "-u" || w == "--user":
			o.user = lab.Ordinary
		case w == "--rootless":
			o.rootless = true
		case w == "-h" || w == "--help":
			o.help = true
		case strings.HasPrefix(w, "-"):
			return o, fmt.Errorf("unknown flag %s", w)
		default:
			names = append(names, w)
		}
	}
	if o.help {
		return o, nil
	}
	return o, o.name(names)
}

// name takes the words that are not flags.
func (o *options) name(words []string) error {
	if len(words) == 0 {
		return errors.New("no topology given")
	}
	o.topology, words = words[0], words[1:]
	if o.topology == "demo" && len(words) <= 1 && o.command == nil {
		o.command = append(words, "bin/icmpx")[:1]
		return nil
	}
	if len(words) > 0 {
		return fmt.Errorf("unexpected %q: the command follows --", words[0])
	}
	known := []string{"list"}
	for _, t := range lab.Topologies() {
		known = append(known, t.Name)
	}
	if !slices.Contains(known, o.topology) {
		return fmt.Errorf("unknown topology %q: there are %s", o.topology, strings.Join(known[1:], ", "))
	}
	return nil
}
