package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
)

// A valueReader reads the values of one command's flags and keeps the first
// mistake, of which it makes one clear line.
type valueReader struct {
	line *getopt.Line
	cmd  *command
	err  error
}

// text returns the value of a flag, and whether it was given and no mistake has
// been found so far.
func (v *valueReader) text(name string) (string, bool) {
	s, ok := v.line.Value(name)
	return s, ok && v.err == nil
}

// fail notes what is wrong with the value of a flag.
func (v *valueReader) fail(name, value, want string) {
	if v.err == nil {
		v.err = fmt.Errorf("%s: %q is not %s", v.spell(name), value, want)
	}
}

// refuse notes a mistake that is not about one value alone.
func (v *valueReader) refuse(err error) {
	if v.err == nil {
		v.err = err
	}
}

// spell returns a flag as users know it: "-c (--count)".
func (v *valueReader) spell(name string) string {
	for _, f := range v.cmd.grammar() {
		if f.Long == name && f.Short != 0 {
			return fmt.Sprintf("-%c (--%s)", f.Short, name)
		}
	}
	return "--" + name
}

// whole reads a whole number from low to high; fallback if it was not given.
func (v *valueReader) whole(name string, low, high, fallback int) int {
	s, ok := v.text(name)
	if !ok {
		return fallback
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		limit := fmt.Sprintf("from %d to %d", low, high)
		if high == math.MaxInt {
			limit = fmt.Sprintf("from %d up", low)
		}
		v.fail(name, s, "a whole number "+limit)
		return fallback
	}
	return n
}

// number reads a whole number from 0 to high, decimal or hexadecimal after 0x; 0
// if it was not given.
func (v *valueReader) number(name string, high uint64) uint64 {
	s, ok := v.text(name)
	if !ok {
		return 0
	}
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil || n > high {
		v.fail(name, s, fmt.Sprintf("a whole number from 0 to %d, decimal or 0x...", high))
		return 0
	}
	return n
}

// maxSeconds is the longest time that a flag takes: what iputils' ping can
// count in milliseconds.
const maxSeconds = math.MaxInt32 / 1000

// duration reads a time above nought: seconds, which may have a fraction, or a
// Go duration.
func (v *valueReader) duration(name string) time.Duration {
	s, ok := v.text(name)
	if !ok {
		return 0
	}
	d, err := parseDuration(s)
	if err != nil || d <= 0 || d > maxSeconds*time.Second {
		v.fail(name, s, fmt.Sprintf("a time above 0 and up to %d seconds, such as 0.2 or 200ms", maxSeconds))
		return 0
	}
	return d
}

var errNoDuration = errors.New("no duration")

// parseDuration reads "0.2", "2", ".5", or "200ms".
func parseDuration(s string) (time.Duration, error) {
	if s == "" || len(s) > 32 {
		return 0, errNoDuration
	}
	if strings.Trim(s, "0123456789.") != "" {
		return time.ParseDuration(s)
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || seconds > maxSeconds+1 {
		return 0, errNoDuration
	}
	return time.Duration(math.Round(seconds * 1e9)), nil
}

// choice reads one of several words and returns its place; -1 if it was not
// given.
func (v *valueReader) choice(name string, words ...string) int {
	s, ok := v.text(name)
	if !ok {
		return -1
	}
	for i, w := range words {
		if s == w {
			return i
		}
	}
	v.fail(name, s, "one of "+strings.Join(words, ", "))
	return -1
}
