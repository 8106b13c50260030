package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/compare"
	"github.com/icmpx/icmpx/internal/packet"
)

// runCompare carries out "icmpx compare". It opens its files and gives up what
// the process has before it reads the first byte of them.
func runCompare(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("compare")
	r, err := parseCompare(line, cmd)
	if err != nil {
		return 0, usage(cmd, err)
	}
	s := &compareSession{outer: ctx, sys: sys, asked: r}
	s.ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	defer s.close()
	if err := s.open(); err != nil {
		return 0, err
	}
	if err := sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return 0, fmt.Errorf("drop privileges: %w", err)
	}
	if sys.signals != nil {
		<-sys.signals
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(compareMemory))
	return s.run()
}

// compareMemory is how many bytes of memory are used before garbage is collected
// more often than main has it: what is compared takes most of them.
const compareMemory = 96 << 20

// A compareSession is one run of "icmpx compare".
type compareSession struct {
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	outer context.Context // ends when the user says so
	sys   *system
	asked *compareRun
	out   output
	files [2]comparedFile
	same  bool   // both are one
	b     []byte // what is not yet written
}

// A comparedFile is one of the captures.
type comparedFile struct {
	name   string
	f      *os.File
	damage []string // what is wrong with it
}

// open opens both files, which must be such that they can be read twice.
func (s *compareSession) open() error {
	var first os.FileInfo
	for i, name := range s.asked.files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		s.files[i] = comparedFile{name: name, f: f}
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return &usageError{err: fmt.Errorf("%s is no file that can be read twice", name), hint: "write it to a file first"}
		}
		s.same = i == 1 && os.SameFile(first, info)
		first = info
	}
	return nil
}

func (s *compareSession) close() {
	for i := range s.files {
		if s.files[i].f != nil {
			_ = s.files[i].f.Close() // it was only read
		}
	}
}

// read begins to read the file.
func (c *comparedFile) read() (compare.Source, error) {
	if _, err := c.f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r, err := capfile.NewReader(c.f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return &comparedSource{file: c, r: r}, nil
}

// A comparedSource reads a file up to its end or to where it is cut short.
type comparedSource struct {
	file *comparedFile
	r    *capfile.Reader
}

// Next reads the next frame.
func (c *comparedSource) Next(f *packet.Frame) error {
	err := c.r.Next(f)
	if err == nil {
		return nil
	}
	damage, err := damageOf(c.r, err)
	c.file.damage = damage
	switch {
	case err == nil:
		return io.EOF
	case errors.Is(err, io.EOF):
		return err
	}
	return fmt.Errorf("%s: %w", c.file.name, err)
}

// run compares the files and returns the exit code.
func (s *compareSession) run() (int, error) {
	start := render.CompareStart{Files: s.asked.files, Filter: s.asked.filter}
	text, json := render.CompareText{Verbose: s.asked.verbose}, render.CompareJSON{All: s.asked.matches}
	o := compare.Options{Window: s.asked.window, Match: s.asked.match}
	o.Sink = func(e *compare.Event) { s.b = text.AppendEvent(s.b, e); s.flush(captureBuffer) }
	if s.asked.json {
		s.b = json.AppendStart(s.b, &start, time.Now())
		o.Sink = func(e *compare.Event) { s.b = json.AppendEvent(s.b, e); s.flush(captureBuffer) }
	}
	res, err := compare.Run(s.ctx, s.files[0].read, s.files[1].read, o)
	if err != nil {
		s.flush(0)
		return 0, errors.Join(err, s.out.failure())
	}
	if s.asked.json {
		s.b = json.AppendSummary(s.b, res, [2][]string{s.files[0].damage, s.files[1].damage})
	} else {
		s.b = text.AppendSummary(s.b, &start, res)
	}
	s.flush(0)
	s.warn()
	switch {
	case s.outer.Err() != nil:
		return interruptCode(s.outer), s.out.failure()
	case !res.Related && !res.Interrupted:
		return exitNoAnswer, s.out.failure()
	}
	return exitOK, s.out.failure()
}

// flush writes what has been collected, if that is at least so much.
func (s *compareSession) flush(least int) {
	if len(s.b) == 0 || len(s.b) < least {
		return
	}
	s.out.writeAll(s.b)
	s.b = s.b[:0]
}

// warn says on standard error what is wrong with the files.
func (s *compareSession) warn() {
	if s.same {
		s.out.warn(func(b []byte) []byte {
			return append(b, "icmpx: both captures are the same file: nothing can have happened between them\n"...)
		})
	}
	for i := range s.files {
		for _, text := range s.files[i].damage {
			s.out.warn(func(b []byte) []byte {
				b = render.AppendSafe(append(b, "icmpx: "...), s.files[i].name)
				b = render.AppendSafe(append(b, ": "...), text)
				return append(b, '\n')
			})
		}
	}
}
