package main

import (
	"errors"
	"time"

	"github.com/icmpx/icmpx/internal/capfile"
)

// A recorder writes what was selected to a file, or to one after another.
type recorder struct {
	files *capfile.Rotator
	stop  func() // ends the run
	each  bool   // each frame reaches the file at once
	err   error  // why nothing is written any more
}

func (r *recorder) packet(b []byte, s *seen) []byte {
	r.try(func() error { return r.files.Write(s.Frame) })
	if r.each {
		r.rest()
	}
	return b
}

// rest has what was written reach the file, before packets are waited for.
func (r *recorder) rest() { r.try(r.files.Flush) }

// advance begins another file if it is time, also without a packet.
func (r *recorder) advance() {
	r.try(func() error { return r.files.Advance(time.Now()) })
}

// try does something, unless it has failed before; then it ends the run.
func (r *recorder) try(do func() error) {
	if r.err != nil {
		return
	}
	if r.err = do(); r.err != nil {
		r.stop()
	}
}

func (r *recorder) end(b []byte) []byte { return b }

// close ends the last file.
func (r *recorder) close() error {
	err := r.files.Close()
	if r.err == nil || errors.Is(r.err, capfile.ErrEnough) {
		return err
	}
	return r.err // what closing adds is the same once more
}
