package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/internal/filter"
	"github.com/icmpx/icmpx/internal/packet"
)

func compareCommand() *command {
	return &command{
		name:  "compare",
		args:  "A B",
		about: "find where packets are lost or late, from captures at two points",
		flags: []getopt.Flag{
			{Long: "filter", Value: "EXPR", Usage: "packets that match alone, as in \"host 192.0.2.1\""},
			{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
			{Long: "matches", Usage: "with --json: every packet, not those alone that were lost or changed"},
			{Short: 'v', Long: "verbose", Usage: "each packet that was lost, duplicated, reordered or changed"},
			{Long: "window", Value: "SECONDS", Usage: "how late a packet may be at the other point; default 10"},
		},
		examples: []string{
			"icmpx compare client.pcap server.pcap    where is the loss, where the delay",
			"icmpx compare -v client.pcap server.pcap which packets were lost",
			"icmpx compare --json a.pcap b.pcap       the same for programs",
		},
		run: runCompare,
	}
}

// A compareRun is what a command line of compare asks for.
type compareRun struct {
	files                  [2]string
	filter                 string
	match                  func(*packet.Packet) bool // nil: all packets
	window                 time.Duration             // 0: the default
	json, matches, verbose bool
}

// parseCompare reads the flags of compare. An error is a usage error.
func parseCompare(line *getopt.Line, cmd *command) (*compareRun, error) {
	r := &compareRun{json: line.Has("json"), matches: line.Has("matches"), verbose: line.Has("verbose")}
	v := &valueReader{line: line, cmd: cmd}
	r.window = v.duration("window")
	if text, ok := v.text("filter"); ok {
		f, err := filter.Parse(text)
		if err != nil {
			v.refuse(&usageError{err: err, hint: filterHint})
			return r, v.err
		}
		r.filter, r.match = text, f.Match
	}
	switch {
	case r.json && r.verbose:
		v.refuse(errors.New("-v is for people; --json names each packet that was lost or changed, with --matches all"))
	case r.matches && !r.json:
		v.refuse(errors.New("--matches is a part of --json; -v shows to people which packets were lost or changed"))
	}
	r.readFiles(v, line.Operands)
	return r, v.err
}

func (r *compareRun) readFiles(v *valueReader, files []string) {
	if len(files) != 2 {
		v.refuse(&usageError{err: fmt.Errorf("two files are compared, %d given", len(files)), hint: "icmpx compare A B"})
		return
	}
	for i, f := range files {
		if f == "-" {
			v.refuse(&usageError{err: errors.New("standard input cannot be compared: captures are read twice"), hint: "write it to a file first"})
		}
		r.files[i] = f
	}
}
