//go:build linux

package lab

import (
	"errors"
	"net"
	"runtime"
	"sync"
)

// A keeper is a thread of its own that stays where it was put: in a namespace,
// without privileges, or both. Programs are started from it, and die with it,
// should this process be killed. It never returns to the runtime's pool: it
// ends with its goroutine.
type keeper struct {
	jobs chan func()
	quit chan struct{}
	once sync.Once
}

// newKeeper starts a thread and moves it with setup.
func newKeeper(setup func() error) (*keeper, error) {
	k := &keeper{jobs: make(chan func()), quit: make(chan struct{})}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		err := setup()
		ready <- err
		if err == nil {
			k.serve()
		}
	}()
	if err := <-ready; err != nil {
		return nil, err
	}
	return k, nil
}

func (k *keeper) serve() {
	for {
		select {
		case job := <-k.jobs:
			job()
		case <-k.quit:
			return
		}
	}
}

// do runs f on the thread and returns its error. f must return.
func (k *keeper) do(f func() error) error {
	done := make(chan error, 1)
	select {
	case k.jobs <- func() { done <- f() }:
		return <-done
	case <-k.quit:
		return net.ErrClosed
	}
}

func (k *keeper) close() { k.once.Do(func() { close(k.quit) }) }

// errGoexit is what a function leaves behind that ended its goroutine, as
// testing's FailNow does.
var errGoexit = errors.New("function ended its goroutine")

// onThread runs f on a new thread that setup has moved and that ends with f.
func onThread(setup, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked
		err := errGoexit
		defer func() { done <- err }()
		if err = setup(); err == nil {
			err = errGoexit
			err = f()
		}
	}()
	return <-done
}
