package main

import (
	"io"
	"sync"
	"time"
)

// An output writes what belongs together with one call, from any goroutine. When nobody
// reads standard output any more it stops the run and drops what follows.
type output struct {
	stdout, stderr io.Writer
	stop           func()

	mu     sync.Mutex
	buf    []byte
	err    error // of writing to standard output
	closed bool  // the last has been printed
	shown  bool  // a line of progress stands on the terminal
}

// print writes to standard output what fill appends; nothing if that is
// nothing.
func (o *output) print(fill func(b []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write(fill)
}

// printLast is the print after which nothing gets out any more.
func (o *output) printLast(fill func(b []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write(fill)
	o.closed = true
}

// write is print with o.mu held.
func (o *output) write(fill func(b []byte) []byte) {
	if o.closed || o.err != nil {
		return
	}
	o.buf = fill(o.buf[:0])
	if len(o.buf) == 0 {
		return
	}
	o.hideProgress()
	if _, o.err = o.stdout.Write(o.buf); o.err != nil {
		o.stop()
	}
}

// warn writes to standard error what fill appends.
func (o *output) warn(fill func(b []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.buf = fill(o.buf[:0])
	o.hideProgress()
	_, _ = o.stderr.Write(o.buf) // nothing better is left to say it
}

// eraseLine brings a terminal back to the beginning of an empty line.
const eraseLine = "\r\x1b[K"

// progress shows what fill appends on one line of the terminal, which all other
// output takes away.
func (o *output) progress(fill func(b []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.buf = fill(append(o.buf[:0], eraseLine...))
	_, _ = o.stderr.Write(o.buf)
	o.shown = true
}

// hideProgress takes the line of progress away. o.mu is held.
func (o *output) hideProgress() {
	if o.shown {
		_, _ = io.WriteString(o.stderr, eraseLine)
		o.shown = false
	}
}

// failure returns why standard output failed, unless its reader has simply
// gone.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || isClosedPipe(o.err) {
		return nil
	}
	return o.err
}

// maxStrays is how many strays a second are reported; all are counted.
const maxStrays = 10

// A limiter lets maxStrays events a second pass.
type limiter struct {
	second time.Time
	n      int
}

func (l *limiter) allow(now time.Time) bool {
	if now.Sub(l.second) >= time.Second || now.Before(l.second) {
		l.second, l.n = now, 0
	}
	l.n++
	return l.n <= maxStrays
}

// say writes text that is all a command has to say. That nobody reads it is no
// error.
func say(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil && !isClosedPipe(err) {
		return err
	}
	return nil
}

// writeAll writes b, which is not empty, to standard output.
func (o *output) writeAll(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.err != nil {
		return
	}
	o.hideProgress()
	if _, o.err = o.stdout.Write(b); o.err != nil {
		o.stop()
	}
}
