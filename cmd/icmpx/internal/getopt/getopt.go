// Package getopt reads command lines by the grammar of GNU getopt_long: flags
// stand anywhere, short ones combine, the last of them takes its value attached
// or next, and "--" ends the flags. A table declares the flags of a command: it
// is the grammar, and the help is made of it.
package getopt

import (
	"strings"
	"unicode/utf8"

	"github.com/icmpx/icmpx/internal/spelling"
)

// A Flag is one flag of a command.
type Flag struct {
	Short rune   // the letter behind one dash; 0: none
	Long  string // the name behind two dashes; of flags that are taken never empty
	Value string // what help calls its value; empty: it takes none
	Usage string // what it does, for help

	// Refused makes the flag known but not taken: using it is an error. Instead
	// says what to use; it may be empty.
	Refused bool
	Instead string
}

// A Problem is what can be wrong with a flag.
type Problem uint8

// The problems.
const (
	Unknown   Problem = iota + 1 // no such flag
	Refused                      // known from elsewhere, not taken here
	NoValue                      // the value is missing
	NeedsNone                    // it was given a value and takes none
)

// An Error says what is wrong with which flag.
type Error struct {
	Problem Problem
	Flag    string // as it was written, with its dashes and without its value
	Meant   string // of Unknown: the flag that was most likely meant; may be empty
	Instead string // of Refused: what to use; may be empty
}

// Error returns one line that names the flag.
func (e *Error) Error() string {
	switch e.Problem {
	case Refused:
		return e.Flag + " is not available"
	case NoValue:
		return e.Flag + " needs a value"
	case NeedsNone:
		return e.Flag + " takes no value"
	}
	return "unknown flag " + e.Flag
}

// Normalize returns args in normal form: each flag that was given, in order, as
// --name or --name=value, then "--", then the operands. The normal form of a
// normal form is itself. An error is an *Error.
//
// "-" and the empty string are operands. A value may start with a dash. Long
// names are not abbreviated: a script that abbreviates breaks with the next
// flag.
func Normalize(flags []Flag, args []string) ([]string, error) {
	out := make([]string, 0, len(args)+1)
	var operands []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case arg == "--":
			operands = append(operands, args...)
			args = nil
		case strings.HasPrefix(arg, "--"):
			out, args, err = long(flags, arg[2:], args, out)
		case len(arg) > 1 && arg[0] == '-':
			out, args, err = short(flags, arg[1:], args, out)
		default:
			operands = append(operands, arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(append(out, "--"), operands...), nil
}

// long reads one flag written with its long name. rest is what follows it.
func long(flags []Flag, arg string, rest, out []string) ([]string, []string, error) {
	name, value, attached := strings.Cut(arg, "=")
	f := find(flags, func(f *Flag) bool { return f.Long == name && name != "" })
	switch {
	case f == nil:
		return nil, nil, &Error{Problem: Unknown, Flag: "--" + name, Meant: nearest(flags, name)}
	case f.Refused:
		return nil, nil, &Error{Problem: Refused, Flag: "--" + name, Instead: f.Instead}
	case f.Value == "" && attached:
		return nil, nil, &Error{Problem: NeedsNone, Flag: "--" + name}
	case f.Value == "":
		return append(out, "--"+name), rest, nil
	case attached:
		return append(out, "--"+name+"="+value), rest, nil
	case len(rest) == 0:
		return nil, nil, &Error{Problem: NoValue, Flag: "--" + name}
	}
	return append(out, "--"+name+"="+rest[0]), rest[1:], nil
}

// short reads the letters of one argument. rest is what follows it.
func short(flags []Flag, arg string, rest, out []string) ([]string, []string, error) {
	for arg != "" {
		r, size := utf8.DecodeRuneInString(arg)
		letter := "-" + arg[:size]
		arg = arg[size:]
		f := find(flags, func(f *Flag) bool { return f.Short == r && r != 0 && r != utf8.RuneError })
		switch {
		case f == nil:
			return nil, nil, &Error{Problem: Unknown, Flag: letter}
		case f.Refused:
			return nil, nil, &Error{Problem: Refused, Flag: letter, Instead: f.Instead}
		case f.Value == "":
			out = append(out, "--"+f.Long)
		case arg != "":
			return append(out, "--"+f.Long+"="+arg), rest, nil
		case len(rest) == 0:
			return nil, nil, &Error{Problem: NoValue, Flag: letter}
		default:
			return append(out, "--"+f.Long+"="+rest[0]), rest[1:], nil
		}
	}
	return out, rest, nil
}

func find(flags []Flag, is func(*Flag) bool) *Flag {
	for i := range flags {
		if is(&flags[i]) {
			return &flags[i]
		}
	}
	return nil
}

// maxTypos is how many letters a name may be off to be taken for another.
const maxTypos = 2

// nearest returns the flag that name most likely stands for, or "".
func nearest(flags []Flag, name string) string {
	best, typos := "", maxTypos+1
	for i := range flags {
		f := &flags[i]
		if f.Refused || f.Long == "" || len(name) < 2 || len(name) > 64 {
			continue
		}
		if strings.HasPrefix(f.Long, name) {
			return "--" + f.Long
		}
		if n := spelling.Distance(name, f.Long); n < typos && n < len(name)/2+1 {
			best, typos = "--"+f.Long, n
		}
	}
	return best
}
