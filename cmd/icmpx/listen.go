package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// runListen carries out "icmpx listen", in the order of privilege: flags, the
// socket and what else is opened, drop all privileges, packets.
func runListen(ctx context.Context, sys *system, line *getopt.Line) (int, error) {
	cmd := findCommand("listen")
	r, err := parseListen(line, cmd)
	if err != nil {
		return 0, usage(cmd, err)
	}
	if r.sockets {
		return listSockets(sys, r.views.json)
	}
	s := newListenSession(ctx, sys, r)
	defer s.stop()
	if err := s.open(); err != nil {
		return 0, errors.Join(err, s.close())
	}
	return s.run()
}

// A listenSession is one run of "icmpx listen". It shows packets as decode does.
type listenSession struct {
	decodeSession
	wanted *listenRun

	sock   packetSocket
	record *recorder     // nil: no file is written
	owners *ownerView    // nil: no processes are looked for
	finder processFinder // nil as well
	source liveSource
}

func newListenSession(ctx context.Context, sys *system, r *listenRun) *listenSession {
	s := &listenSession{wanted: r}
	s.sys, s.asked = sys, &r.views
	s.ctx, s.stop = context.WithCancel(ctx)
	if r.until != 0 {
		s.ctx, s.stop = context.WithTimeout(ctx, r.until)
	}
	s.out = output{stdout: sys.stdout, stderr: sys.stderr, stop: s.stop}
	s.drops = func() int64 { return int64(s.sock.Stats().Dropped) }
	s.capture = capture{all: r.views.all, most: r.views.most, out: &s.out, eager: r.views.eager}
	return s
}

// open opens all that takes a privilege, and gives up all privileges.
func (s *listenSession) open() error {
	cfg := s.wanted.socket
	cfg.Delay = s.wanted.patience(s.sys.stdout)
	var err error
	if s.capture.match, cfg.Filter, err = liveFilter(s.wanted.filter, s.asked.all); err != nil {
		return usage(findCommand("listen"), err)
	}
	if s.sock, err = s.sys.listenPackets(cfg); err != nil {
		return hintedListen(err)
	}
	if s.wanted.write != "" {
		if err := s.openFiles(); err != nil {
			return err
		}
	}
	if err := s.openExtract(); err != nil {
		return err
	}
	if s.wanted.process {
		if s.finder, err = s.sys.startHelper(); err != nil {
			return err
		}
	}
	if err := s.sys.drop(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return fmt.Errorf("drop privileges: %w", err)
	}
	return nil
}

// openFiles opens the file that packets are written to.
func (s *listenSession) openFiles() error {
	o := s.wanted.rotate
	o.Counts = func() capfile.Statistics {
		n := s.sock.Stats()
		return capfile.Statistics{Received: n.Queued + n.Dropped, Dropped: n.Dropped}
	}
	o.Notice = func(err error) { s.say(err.Error(), "") }
	if o.Name == "-" {
		o.Open = func(string) (io.WriteCloser, error) { return unclosed{s.sys.stdout}, nil }
	}
	device := capfile.WriterInterface{Link: packet.LinkType(s.sock.Link()), Name: s.wanted.socket.Interface}
	wo := capfile.WriterOptions{
		Application: "icmpx " + s.sys.version(), Filter: s.wanted.filter, SnapLen: s.wanted.socket.Snaplen,
		Interfaces: []capfile.WriterInterface{device},
	}
	files, err := capfile.NewRotator(o, wo, time.Now())
	if err != nil {
		return err
	}
	s.record = &recorder{files: files, stop: s.stop, each: s.wanted.flush}
	return nil
}

// unclosed is a writer that is not closed: standard output.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// hintedListen says what would help against an error of opening the socket.
func hintedListen(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return &hintedError{err: err, hint: "hearing packets takes CAP_NET_RAW: " + grantHint("cap_net_raw")}
	case errors.Is(err, syscall.ENETDOWN):
		return &hintedError{err: err, hint: "ip link set NAME up brings it up"}
	case errors.Is(err, syscall.ENOMEM):
		return &hintedError{err: err, hint: "a smaller buffer (-B) may do"}
	}
	return err
}

// run hears packets until the end, and returns the exit code.
func (s *listenSession) run() (int, error) {
	if s.sys.signals != nil {
		<-s.sys.signals
	}
	if s.asked.resolve {
		s.registry = newRegistry(s.ctx, s.sys.directory(netip.AddrPort{}), true, false)
		defer s.registry.close()
	}
	if s.extractor != nil {
		if err := s.extractor.Check(); err != nil {
			return 0, errors.Join(err, s.close())
		}
	}
	s.source = liveSource{sock: s.sock, idle: s.rest}
	if s.wanted.rotate.Period != 0 {
		s.source.tick, s.source.each = s.record.advance, time.Second
	}
	s.capture.consumers = s.listeners()
	s.greet()
	defer context.AfterFunc(s.ctx, func() { _ = s.sock.Drain() })() // else it is closed below

	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() { s.capture.passReports(s.sys.status, ended) })
	err := s.capture.run(&s.source)
	if errors.Is(err, errEnough) {
		err = nil
	}
	s.capture.shut(true, nil)
	close(ended)
	watching.Wait()
	err = errors.Join(err, s.capture.finish(), s.sock.Close())
	s.account()
	s.farewell()
	if err == nil && s.capture.tally.Selected == 0 {
		return exitNoAnswer, nil
	}
	return exitOK, err
}

// listeners returns who takes the packets, in order.
func (s *listenSession) listeners() []consumer {
	list := s.consumers()
	if !s.wanted.show {
		list = slices.DeleteFunc(list, func(c consumer) bool { _, shows := c.(*textView); return shows })
	}
	if s.finder != nil {
		s.owners = newOwnerView(&s.source, s.sys.proc, s.finder)
		s.owners.json, s.owners.silent, s.owners.note = s.asked.json, !s.wanted.show, s.record != nil
		s.owners.inline = !s.asked.verbose && s.asked.dump == render.HexNone
		s.owners.warn = func(err error) { s.say(err.Error(), "") }
		list = append(list, s.owners)
	}
	if s.record != nil {
		list = append(list, s.record)
	}
	return append(list, liveCounts{s.sock})
}

// rest brings everything up to date before packets are waited for.
func (s *listenSession) rest() {
	s.capture.flush()
	if s.record != nil {
		s.record.rest()
	}
}

// greet says that packets are heard from now on.
func (s *listenSession) greet() {
	where := cmp.Or(s.wanted.socket.Interface, "any")
	link := packet.LinkType(s.sock.Link())
	s.capture.begin(&sourceInfo{name: where, live: true, link: link, linked: true})
	s.capture.flush()
	if !s.asked.json {
		s.say("listening on "+where, "")
	}
	if s.sock.IncomingOnly() {
		s.say("this system has no packet sockets: only the ICMP messages that this host receives are heard", "")
	}
	if r := &s.wanted.rotate; s.record != nil && r.Period != 0 && r.Size == 0 && !strings.Contains(r.Name, "%") {
		s.say("each period overwrites the file of the one before: a name with the time, such as "+r.Name+"-%H%M%S, keeps them", "")
	}
	if s.record != nil && (s.wanted.rotate.Size != 0 || s.wanted.rotate.Period != 0) { // a second time, now without privileges
		if err := capfile.CheckDirectory(s.record.files.Name()); err != nil {
			s.say(fmt.Sprintf("no further file can be made without privileges, and the first goes on: %v", err), "")
		}
	}
}

// farewell says how much was heard and how much was not.
func (s *listenSession) farewell() {
	if s.owners != nil && s.owners.hidden {
		hint := grantHint("cap_net_raw," + processCapabilities)
		if s.sys.uid == 0 { // and yet some are out of reach
			hint = ""
		}
		s.say("processes of others may not be looked at", hint)
	}
	if !s.asked.json {
		s.out.warn(func(b []byte) []byte { return render.AppendHeard(b, &s.capture.tally, s.sock.Stats()) })
	}
}

// say writes a line to standard error, and a hint if there is one.
func (s *listenSession) say(text, hint string) {
	s.out.warn(func(b []byte) []byte {
		return appendHint(append(render.AppendSafe(append(b, "icmpx: "...), text), '\n'), hint)
	})
}

// close closes what open has opened, for an error that came later.
func (s *listenSession) close() error {
	var errs []error
	if s.sock != nil {
		errs = append(errs, s.sock.Close())
	}
	if s.record != nil {
		errs = append(errs, s.record.close())
	}
	if s.finder != nil {
		errs = append(errs, s.finder.Close())
	}
	if s.extractor != nil {
		errs = append(errs, s.extractor.Close())
	}
	return errors.Join(errs...)
}

// liveCounts adds to reports what the kernel has counted.
type liveCounts struct{ sock packetSocket }

func (liveCounts) packet(b []byte, _ *seen) []byte { return b }
func (liveCounts) end(b []byte) []byte             { return b }

func (c liveCounts) report(b []byte) []byte { return render.AppendDropped(b, c.sock.Stats()) }
