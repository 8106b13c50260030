package main

import (
	"context"
	"flag"
	"io"
	"strings"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/urfave/cli/v2"
)

// A command is one thing that icmpx does. Its flags are declared once: they are
// its grammar, its help and what cli parses.
type command struct {
	name     string
	args     string // what follows the flags, in help
	about    string // one line, without a full stop
	flags    []cli.Flag
	refused  []getopt.Flag // rivals' flags that are known and not taken
	examples []string
	run      func(ctx context.Context, sys *system, c *cli.Context) (int, error)
}

// commands returns all commands, in the order of the help.
func commands() []*command {
	return []*command{pingCommand()}
}

func findCommand(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// grammar returns the flags as getopt reads them.
func (c *command) grammar() []getopt.Flag {
	flags := append([]getopt.Flag(nil), c.refused...)
	for _, f := range append(c.flags, commonFlags()...) {
		short, long := flagNames(f)
		g := getopt.Flag{Long: long, Value: takesValue(f)}
		for _, r := range short {
			g.Short = r
		}
		flags = append(flags, g)
	}
	return flags
}

// takes reports whether the command knows a flag, written with its dashes.
func (c *command) takes(flag string) bool {
	_, err := getopt.Normalize(c.grammar(), []string{flag, ""})
	return err == nil
}

// commonFlags are what every command has.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "print this help and exit"},
		&cli.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "print the version and exit"},
	}
}

// parse has cli read a command line in normal form. Of cli no more than its
// flags and its context is used: its App would look for a command in each host,
// end the process by itself, and cost a third of a millisecond.
func (c *command) parse(line []string) (*cli.Context, error) {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range c.flags {
		if err := f.Apply(set); err != nil {
			return nil, err
		}
	}
	if err := set.Parse(line); err != nil {
		return nil, err
	}
	return cli.NewContext(nil, set, nil), nil
}

// flagNames returns the letter and the name of a flag.
func flagNames(f cli.Flag) (short, long string) {
	for _, n := range f.Names() {
		if len(n) == 1 {
			short = n
		} else {
			long = n
		}
	}
	return short, long
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// printHelp prints what icmpx is and which commands it has.
func printHelp(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Usage: icmpx COMMAND [flags] ...\n\nICMP for Linux: one binary, as root or as nobody.\n\nCommands:\n")
	for _, c := range commands() {
		writeColumns(&b, c.name+" "+c.args, c.about)
	}
	b.WriteString("\nFlags:\n")
	for _, f := range commonFlags() {
		writeFlag(&b, f)
	}
	b.WriteString("\nicmpx COMMAND --help shows the flags of a command.\n")
	return say(w, b.String())
}

// printHelp prints the flags of a command.
func (c *command) printHelp(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Usage: icmpx " + c.name + " [flags] " + c.args + "\n\n")
	b.WriteString(strings.ToUpper(c.about[:1]) + c.about[1:] + ".\n\nFlags:\n")
	for _, f := range append(c.flags, commonFlags()...) {
		writeFlag(&b, f)
	}
	b.WriteString("\nExamples:\n")
	for _, e := range c.examples {
		b.WriteString("  " + e + "\n")
	}
	return say(w, b.String())
}

// writeFlag writes one line of help. The usage marks the value's name by
// backquotes.
func writeFlag(b *strings.Builder, f cli.Flag) {
	short, long := flagNames(f)
	usage := ""
	if d, ok := f.(cli.DocGenerationFlag); ok {
		usage = d.GetUsage()
	}
	names := "    --" + long
	if short != "" {
		names = "-" + short + ", --" + long
	}
	if _, rest, ok := strings.Cut(usage, "`"); ok {
		if value, _, ok := strings.Cut(rest, "`"); ok {
			names += " " + value
		}
	}
	writeColumns(b, names, strings.ReplaceAll(usage, "`", ""))
}

// helpColumn is where explanations begin.
const helpColumn = 26

func writeColumns(b *strings.Builder, left, right string) {
	b.WriteString("  " + left + strings.Repeat(" ", max(helpColumn-len(left)-2, 1)) + right + "\n")
}
