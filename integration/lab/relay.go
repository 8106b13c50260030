//go:build linux

package lab

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Relay starts cmd with start, passes on to it every signal that this process
// receives, waits for its end and returns its exit code: 128 and the signal's
// number if a signal ended it, as shells have it.
//
// On a terminal Ctrl-C reaches cmd from the terminal itself, which signals all
// of the foreground; Relay sees that cmd does not get it twice.
func Relay(cmd *exec.Cmd, start func() error) (int, error) {
	foreground := onTerminal()
	if !foreground {
		// Out of reach of signals to the whole group: all come through here.
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Setpgid = true
	}
	// Caught from before the start, so that none can end this process alone.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, relayed...)
	defer signal.Stop(signals)
	if err := start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if !foreground || (s != unix.SIGINT && s != unix.SIGQUIT) {
				// An error says that cmd has ended: Wait tells.
				_ = cmd.Process.Signal(s)
			}
		case err := <-ended:
			return exitCode(cmd, err)
		}
	}
}

// relayed are the signals that people and programs send on purpose.
var relayed = []os.Signal{
	unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
}

func exitCode(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// onTerminal reports whether this process is in the foreground of its terminal.
func onTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
