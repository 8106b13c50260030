package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/extract"
)

// runDecode carries out "icmpx decode". It needs no privileges: it opens its
// files and gives up what the process has before it reads the first byte of
// them.
func runDecode(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("decode")
	r, err := parseDecode(line, cmd)
	if err != nil {
		return 0, usage(cmd, err)
	}
	// A long capture shown as trees is no short run: main's percentage would let
	// the heap grow for nothing.
	debug.SetGCPercent(100)
	s := newDecodeSession(ctx, sys, r)
	defer s.stop()
	if err := s.open(); err != nil {
		return 0, err
	}
	defer s.closeFiles()
	if err := sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return 0, errors.Join(fmt.Errorf("drop privileges: %w", err), s.closeExtract())
	}
	return s.run()
}

// A decodeSession is one run of "icmpx decode".
type decodeSession struct {
	ctx   context.Context // ends with the run
	stop  context.CancelFunc
	outer context.Context // ends when the user says so
	sys   *system
	asked *decodeRun

	files    []decodeFile
	out      output
	capture  capture
	registry *registry
	drops    func() int64 // frames that were lost before they were seen; nil: not known

	extractor *extract.Extractor // nil: payloads are not rebuilt
	extracted []extract.File     // files that were written, and not yet told of
	failed    bool               // a file could not be read to its end
}

// A decodeFile is one capture that is read.
type decodeFile struct {
	name  string // "-" is standard input
	r     io.Reader
	live  bool // a pipe or a terminal: it may never end by itself
	close func() error
}

func newDecodeSession(ctx context.Context, sys *system, r *decodeRun) *decodeSession {
	s := &decodeSession{outer: ctx, sys: sys, asked: r}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	s.capture = capture{all: r.all, match: r.match, most: r.most, out: &s.out, eager: r.eager}
	return s
}

// open opens all files, so that a wrong name is known before anything is done.
func (s *decodeSession) open() error {
	for _, name := range s.asked.files {
		if name == "-" {
			s.files = append(s.files, decodeFile{name, s.waiting(s.sys.stdin), true, func() error { return nil }})
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			s.closeFiles()
			return notAFile(err, len(s.asked.files))
		}
		s.files = append(s.files, s.file(name, f))
	}
	if err := s.openExtract(); err != nil {
		s.closeFiles()
		return err
	}
	return nil
}

// notAFile gives the error of a file that is not there a hint for those who write
// a filter behind the file.
func notAFile(err error, words int) error {
	if words < 2 || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return &hintedError{err: err, hint: "all words are files; a filter is the value of --filter, or stands behind -r FILE"}
}

// openExtract opens the directory that payloads are written to.
func (s *decodeSession) openExtract() error {
	if s.asked.extract == "" {
		return nil
	}
	x, err := extract.New(s.asked.extract, extract.Options{Sink: func(f *extract.File) { s.extracted = append(s.extracted, *f) }})
	s.extractor = x
	return err
}

// closeExtract closes that directory before anything was written to it.
func (s *decodeSession) closeExtract() error {
	if s.extractor == nil {
		return nil
	}
	return s.extractor.Close()
}

// file returns a file as it is to be read: one that may make its reader wait
// gives up when the run ends.
func (s *decodeSession) file(name string, f *os.File) decodeFile {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return decodeFile{name, f, false, f.Close}
	}
	return decodeFile{name, s.waiting(f), true, f.Close}
}

// waiting returns a pipe or a terminal as it is to be read: what has been
// decoded is written before it is waited for, and waiting ends with the run.
func (s *decodeSession) waiting(r io.Reader) io.Reader {
	return &pipeReader{ctx: s.ctx, r: r, before: s.capture.flush}
}

func (s *decodeSession) closeFiles() {
	for _, f := range s.files {
		_ = f.close() // it was only read
	}
}

// run reads all files and returns the exit code.
func (s *decodeSession) run() (int, error) {
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	if s.asked.resolve {
		s.registry = newRegistry(s.ctx, s.sys.directory(netip.AddrPort{}), true, false)
		defer s.registry.close()
	}
	if s.extractor != nil {
		if err := s.extractor.Check(); err != nil {
			return 0, errors.Join(err, s.closeExtract())
		}
	}
	s.capture.consumers = s.consumers()
	defer s.capture.watch(s.ctx)()

	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() { s.capture.passReports(s.sys.status, ended) })
	live := s.readAll()
	close(ended)
	watching.Wait()
	err := s.capture.finish()
	s.account()
	return s.verdict(live), err
}

// account says on standard error what was left out for want of room: nothing
// else would show it.
func (s *decodeSession) account() {
	if n := s.capture.fragmentsGivenUp(); n > 0 {
		s.remark(n, "datagrams in fragments were given up for want of memory")
	}
	if s.extractor == nil {
		return
	}
	st := s.extractor.Stats()
	if st.Skipped > 0 {
		s.remark(st.Skipped, "conversations have no file in "+s.asked.extract+": there are too many")
	}
	if st.Dropped > 0 {
		s.remark(st.Dropped, "payloads were left out for want of room")
	}
}

// remark says how many of something there were.
func (s *decodeSession) remark(n int, what string) {
	s.out.warn(func(b []byte) []byte {
		b = strconv.AppendInt(append(b, "icmpx: "...), int64(n), 10)
		return append(render.AppendSafe(append(b, ' '), what), '\n')
	})
}

// readAll reads all files, or up to the end of the run. It reports whether the
// last of them might have gone on for ever.
func (s *decodeSession) readAll() (live bool) {
	for i := range s.files {
		f := &s.files[i]
		live = f.live
		err := s.read(f, i == len(s.files)-1)
		if err != nil && !errors.Is(err, errEnough) {
			s.failed = true
			s.warn("icmpx: error: ", f.name, err)
		}
		if errors.Is(err, errEnough) || s.ctx.Err() != nil {
			return live
		}
	}
	return live
}

// verdict returns the exit code. What is listened to through a pipe is ended by
// the user, which is no failure; a file that is left half read is.
func (s *decodeSession) verdict(live bool) int {
	none := s.capture.tally.ICMP == 0 || s.capture.tally.Selected == 0
	if s.outer.Err() != nil {
		s.out.warn(s.capture.tally.AppendStatus)
	}
	switch {
	case s.failed:
		return exitError
	case s.outer.Err() != nil && !live:
		return interruptCode(s.outer)
	case none && (s.ctx.Err() == nil || s.outer.Err() != nil):
		return exitNoAnswer
	}
	return exitOK
}

// A captureReader is a source that knows what was damaged in it.
type captureReader interface {
	frameSource
	Damages() (first []capfile.Damage, count int)
}

// read takes all frames of a file. Each file is a capture of its own: its
// frames are counted from 1, and its fragments are not those of another.
func (s *decodeSession) read(f *decodeFile, last bool) error {
	src, info, err := s.source(f)
	if err != nil {
		if s.ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.capture.begin(info)
	err = s.capture.run(src)
	damage, err := damageOf(src, err)
	s.capture.shut(last || errors.Is(err, errEnough) || s.ctx.Err() != nil, damage)
	for _, text := range damage {
		s.warn("icmpx: ", f.name, errors.New(text))
	}
	return err
}

// source begins to read a file.
func (s *decodeSession) source(f *decodeFile) (frameSource, *sourceInfo, error) {
	info := &sourceInfo{name: f.name}
	if s.asked.hex {
		info.link, info.linked = s.asked.link, !s.asked.guess
		return newHexSource(f.r, s.asked.link, s.asked.guess), info, nil
	}
	r, err := capfile.NewReader(f.r)
	if err != nil {
		return nil, nil, err
	}
	if list := r.Interfaces(); len(list) == 1 && r.Format() == "pcap" {
		info.link, info.linked = list[0].Link, true
	}
	return r, info, nil
}

// damageOf returns what is wrong with a capture that was read up to err, and the
// error that is left: what a capture that is cut short had was decoded.
func damageOf(src frameSource, err error) ([]string, error) {
	r, ok := src.(captureReader)
	if !ok {
		return nil, err
	}
	var list []string
	damages, n := r.Damages()
	for i := range damages {
		list = append(list, damages[i].Error())
	}
	if n > len(damages) {
		list = append(list, fmt.Sprintf("%d more places are damaged", n-len(damages)))
	}
	var cut *capfile.Damage
	if errors.As(err, &cut) {
		return append(list, cut.Error()), nil
	}
	return list, err
}

// warn says on standard error what is wrong with a file, behind what was decoded
// before.
func (s *decodeSession) warn(lead, name string, err error) {
	s.capture.flush()
	if name == "-" {
		name = "standard input"
	}
	s.out.warn(func(b []byte) []byte {
		b = render.AppendSafe(append(b, lead...), name)
		b = render.AppendSafe(append(b, ": "...), err.Error())
		return append(b, '\n')
	})
}
