package getopt

import (
	"slices"
	"strings"
)

// A Line is a command line taken apart.
type Line struct {
	Operands []string
	given    []setting // in order
}

// A setting is one flag as it was given.
type setting struct{ name, value string }

// Parse takes args apart by the grammar of flags. An error is an *Error.
func Parse(flags []Flag, args []string) (*Line, error) {
	normal, err := Normalize(flags, args)
	if err != nil {
		return nil, err
	}
	end := slices.Index(normal, "--")
	l := &Line{Operands: normal[end+1:]}
	for _, word := range normal[:end] {
		name, value, _ := strings.Cut(word[2:], "=")
		l.given = append(l.given, setting{name, value})
	}
	return l, nil
}

// Has reports whether the flag with this long name was given.
func (l *Line) Has(name string) bool {
	_, ok := l.Value(name)
	return ok
}

// Value returns the value of a flag, the last if it was given more than once,
// and whether it was given at all.
func (l *Line) Value(name string) (string, bool) {
	for _, s := range slices.Backward(l.given) {
		if s.name == name {
			return s.value, true
		}
	}
	return "", false
}

// Values returns all values of a flag, in order.
func (l *Line) Values(name string) []string {
	var values []string
	for _, s := range l.given {
		if s.name == name {
			values = append(values, s.value)
		}
	}
	return values
}
