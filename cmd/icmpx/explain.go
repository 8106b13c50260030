package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
)

func explainCommand() *command {
	return &command{
		name:  "explain",
		args:  "[QUERY]",
		about: "say what an ICMP message or an error means, and what to do",
		flags: []getopt.Flag{
			{Short: '4', Long: "ipv4", Usage: "ICMP alone"},
			{Short: '6', Long: "ipv6", Usage: "ICMPv6 alone"},
			{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
			{Short: 'v', Long: "verbose", Usage: "everything that matches, in full; of the table, codes as well"},
		},
		examples: []string{
			"icmpx explain                            all types",
			"icmpx explain 3/4                        a type and a code of it",
			"icmpx explain icmp6 packet too big       a name",
			"icmpx explain '!X'                       what a trace prints",
			"icmpx explain No route to host           what a program prints",
		},
		run: runExplain,
	}
}

// maxInFull is how many entries are shown in full; more are listed.
const maxInFull = 3

// maxEchoed is how much of a query an error message repeats, in bytes.
const maxEchoed = 200

// An explainRun is what a command line of explain asks for.
type explainRun struct {
	query         string
	family        icmpx.Family // 0: both
	table         bool         // all types
	json, verbose bool
}

// runExplain carries out "icmpx explain". It reads and sends nothing.
func runExplain(_ context.Context, sys *system, line *getopt.Line) (int, error) {
	r := &explainRun{query: strings.Join(line.Operands, " "), json: line.Has("json"), verbose: line.Has("verbose")}
	switch v4, v6 := line.Has("ipv4"), line.Has("ipv6"); {
	case v4 && v6:
		return 0, usage(findCommand("explain"), errors.New("-4 and -6 exclude each other"))
	case v4:
		r.family = icmpx.IPv4
	case v6:
		r.family = icmpx.IPv6
	}
	if family, all := tableIn(r.query); all && (r.family == 0 || family == 0 || family == r.family) {
		r.table, r.family = true, max(r.family, family)
	}
	found := r.look()
	if r.json {
		return found.exitCode(), say(sys.stdout, string(r.appendJSON(nil, &found)))
	}
	if len(found.entries) == 0 {
		b := render.AppendSafe([]byte("icmpx: error: nothing is known of \""), r.query[:min(len(r.query), maxEchoed)])
		if len(r.query) > maxEchoed {
			b = append(b, "..."...)
		}
		_, _ = sys.stderr.Write(appendHint(append(b, "\"\n"...), found.hint())) // nobody is left to tell
		return found.exitCode(), nil
	}
	return exitOK, say(sys.stdout, string(r.appendText(nil, &found)))
}

// look finds what is asked for, or lists every type.
func (r *explainRun) look() finding {
	if !r.table {
		return explain(r.query, r.family)
	}
	var f finding
	for _, family := range familiesOf(r.family) {
		for _, t := range icmpx.Types(family) {
			f.entries = append(f.entries, render.Entry{Message: render.Message{Family: family, Type: t.Type, Whole: true}})
		}
	}
	return f
}

func (r *explainRun) appendText(b []byte, f *finding) []byte {
	var x render.ExplainText
	if r.table {
		for i, family := range familiesOf(r.family) {
			if i > 0 {
				b = append(b, '\n')
			}
			b = x.AppendTable(b, family, r.verbose)
		}
		return b
	}
	if len(f.entries) > maxInFull && !r.verbose {
		b = append(b, strconv.Itoa(len(f.entries))+" entries fit; icmpx explain NUMBER shows one of them, -v all:\n"...)
		for i := range f.entries {
			b = x.AppendBrief(b, &f.entries[i])
		}
		return b
	}
	for i := range f.entries {
		if i > 0 {
			b = append(b, '\n')
		}
		b = x.AppendEntry(b, &f.entries[i])
	}
	return b
}

func (r *explainRun) appendJSON(b []byte, f *finding) []byte {
	var j render.JSON
	b = j.AppendExplainStart(b, r.query, time.Now())
	for i := range f.entries {
		b = j.AppendEntry(b, &f.entries[i])
	}
	return j.AppendExplainSummary(b, len(f.entries), f.suggestions)
}

// A finding is what explain knows of a query.
type finding struct {
	entries     []render.Entry
	suggestions []string // queries that would find something, if this one did not
}

func (f *finding) exitCode() int {
	if len(f.entries) == 0 {
		return exitNoAnswer
	}
	return exitOK
}

// hint returns what helps if nothing was found.
func (f *finding) hint() string {
	if len(f.suggestions) == 0 {
		return "icmpx explain, without anything, lists all types"
	}
	return "did you mean " + strings.Join(f.suggestions, ", or ") + "?"
}

// familiesOf returns a family, or both for 0.
func familiesOf(f icmpx.Family) []icmpx.Family {
	if f != 0 {
		return []icmpx.Family{f}
	}
	return []icmpx.Family{icmpx.IPv4, icmpx.IPv6}
}
