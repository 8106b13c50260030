//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/urfave/cli/v2"
)

// options are what the command line asks for.
type options struct {
	topology string // or list, or demo
	command  []string
	user     lab.User
	rootless bool
	help     bool
}

// flags are what may stand before or behind the topology.
func flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "user", Aliases: []string{"u"}},
		&cli.BoolFlag{Name: "rootless"},
	}
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
	if slices.Contains(words, "-h") || slices.Contains(words, "--help") {
		o.help = true
		return o, nil
	}
	line, err := flagsFirst(words)
	if err != nil {
		return o, err
	}
	app := &cli.App{
		Flags: flags(), Writer: io.Discard, ErrWriter: io.Discard,
		HideHelp: true, HideVersion: true, // usage is the help
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			if c.Bool("user") {
				o.user = lab.Ordinary
			}
			o.rootless = c.Bool("rootless")
			return o.name(c.Args().Slice())
		},
	}
	err = app.Run(append([]string{"icmpx-lab"}, line...))
	return o, err
}

// flagsFirst moves the flags to the front, where cli looks for them.
func flagsFirst(words []string) ([]string, error) {
	known := make(map[string]bool)
	for _, f := range flags() {
		for _, n := range f.Names() {
			if len(n) > 1 {
				n = "-" + n
			}
			known["-"+n] = true
		}
	}
	var line, names []string
	for _, w := range words {
		switch {
		case !strings.HasPrefix(w, "-"):
			names = append(names, w)
		case !known[w]:
			return nil, fmt.Errorf("unknown flag %s", w)
		default:
			line = append(line, w)
		}
	}
	return append(append(line, "--"), names...), nil
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
	if o.topology == "list" {
		return nil
	}
	_, err := lab.Find(o.topology)
	return err
}
