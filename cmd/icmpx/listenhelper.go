package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/owner"
)

// helperArgument makes a process of this program the helper of another: it finds
// the processes of sockets, keeps the two capabilities that this takes, and is
// told nothing but inode numbers.
const helperArgument = "--find-processes"

// isHelper reports whether this process is to be a helper.
func isHelper(args []string) bool { return len(args) == 2 && args[1] == helperArgument }

// serveProcesses is what the helper does, until standard input ends. Signals of
// the terminal are for its parent, whose end is its own.
func serveProcesses(r io.Reader, w io.Writer) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE)
	if err := dropToProcesses(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return exitError
	}
	proc := os.DirFS("/proc")
	err := owner.Serve(r, w, func(inodes []uint64) (owner.Answer, error) { return owner.Find(proc, inodes) })
	if err != nil {
		return exitError
	}
	return exitOK
}

// dropToProcesses gives up all privileges but those of looking into other
// processes.
func dropToProcesses() error {
	return icmpx.DropPrivilegesExcept(icmpx.CapSysPtrace, icmpx.CapDACReadSearch)
}

// A helper is the parent's end of it.
type helper struct {
	*owner.Client
	process  *os.Process
	question *os.File
	answer   *os.File
}

// startHelper starts a helper, which must be done before privileges are dropped.
func startHelper() (processFinder, error) {
	h, err := launchHelper()
	if err != nil {
		return nil, fmt.Errorf("start the process that finds processes: %w", err)
	}
	if _, err := h.Find(nil); err != nil {
		return nil, errors.Join(fmt.Errorf("start the process that finds processes: %w", err), h.Close())
	}
	return h, nil
}

func launchHelper() (*helper, error) {
	qr, qw, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer qr.Close()
	ar, aw, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, qw.Close())
	}
	defer aw.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(err, qw.Close(), ar.Close())
	}
	defer null.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{"icmpx", helperArgument},
		&os.ProcAttr{Env: []string{}, Files: []*os.File{qr, aw, null}})
	if err != nil {
		return nil, errors.Join(err, qw.Close(), ar.Close())
	}
	return &helper{owner.NewClient(ar, qw), p, qw, ar}, nil
}

// Close ends the helper and waits for it.
func (h *helper) Close() error {
	err := errors.Join(h.question.Close(), h.answer.Close())
	_, werr := h.process.Wait()
	return errors.Join(err, werr)
}

// A processFinder finds the processes of sockets; a helper is one.
type processFinder interface {
	Find(inodes []uint64) (owner.Answer, error)
	Close() error
}
