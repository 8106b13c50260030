package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
)

// A command is one thing that icmpx does. Its flags are declared once: they are
// its grammar and its help.
type command struct {
	name     string
	args     string // what follows the flags, in help
	about    string // one line, without a full stop
	flags    []getopt.Flag
	refused  []getopt.Flag // rivals' flags that are known and not taken
	examples []string
	run      func(ctx context.Context, sys *system, line *getopt.Line) (int, error)
}

// A maker makes a command. Only the one that is asked for is made, so that the
// flags of the others cost nothing at the start.
type maker struct {
	name string
	make func() *command
}

// makers returns what makes all commands, in the order of the help.
func makers() [8]maker {
	return [...]maker{
		{"ping", pingCommand}, {"trace", traceCommand}, {"pmtu", pmtuCommand},
		{"decode", decodeCommand}, {"listen", listenCommand}, {"send", sendCommand},
		{"explain", explainCommand}, {"compare", compareCommand},
	}
}

// commands returns all commands, in the order of the help.
func commands() []*command {
	var list []*command
	for _, m := range makers() {
		list = append(list, m.make())
	}
	return list
}

func findCommand(name string) *command {
	for _, m := range makers() {
		if m.name == name {
			return m.make()
		}
	}
	return nil
}

// grammar returns the flags as getopt reads them.
func (c *command) grammar() []getopt.Flag {
	return slices.Concat(c.refused, c.flags, commonFlags())
}

// takes reports whether the command knows a flag, written with its dashes.
func (c *command) takes(flag string) bool {
	_, err := getopt.Normalize(c.grammar(), []string{flag, ""})
	return err == nil
}

// commonFlags are what every command has.
func commonFlags() []getopt.Flag {
	return []getopt.Flag{
		{Short: 'h', Long: "help", Usage: "print this help and exit"},
		{Short: 'V', Long: "version", Usage: "print the version and exit"},
	}
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
		writeFlag(&b, &f)
	}
	b.WriteString("\nicmpx COMMAND --help shows the flags of a command.\n")
	return say(w, b.String())
}

// printHelp prints the flags of a command.
func (c *command) printHelp(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Usage: icmpx " + c.name + " [flags] " + c.args + "\n\n")
	b.WriteString(strings.ToUpper(c.about[:1]) + c.about[1:] + ".\n\nFlags:\n")
	for _, f := range slices.Concat(c.flags, commonFlags()) {
		writeFlag(&b, &f)
	}
	b.WriteString("\nExamples:\n")
	for _, e := range c.examples {
		b.WriteString("  " + e + "\n")
	}
	return say(w, b.String())
}

// writeFlag writes one line of help.
func writeFlag(b *strings.Builder, f *getopt.Flag) {
	names := "    --" + f.Long
	if f.Short != 0 {
		names = "-" + string(f.Short) + ", --" + f.Long
	}
	if f.Value != "" {
		names += " " + f.Value
	}
	writeColumns(b, names, f.Usage)
}

// Help is set in two columns, for a terminal of the usual width.
const (
	helpColumn = 26 // where explanations begin
	helpWidth  = 80
)

// writeColumns writes a name and its explanation, which begins on a line of its
// own behind a long name, and goes on below where the line is full.
func writeColumns(b *strings.Builder, left, right string) {
	b.WriteString("  " + left)
	at := 2 + len(left)
	if at >= helpColumn {
		b.WriteByte('\n')
		at = 0
	}
	for i, word := range strings.Fields(right) {
		switch {
		case i == 0:
			b.WriteString(strings.Repeat(" ", helpColumn-at))
			at = helpColumn
		case at+1+len(word) > helpWidth:
			b.WriteString("\n" + strings.Repeat(" ", helpColumn))
			at = helpColumn
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	b.WriteByte('\n')
}
