package main

import (
	"context"
	"io"
)

// How much is read from a pipe at once, and how often before it is used.
const (
	pipeChunk  = 64 << 10
	pipeChunks = 3
)

// A pipeReader reads what may make its reader wait. It calls before when it is
// about to, and gives up when its context ends, which a read that has begun
// cannot do by itself: that goes on in its own goroutine until the process
// ends.
type pipeReader struct {
	ctx    context.Context
	r      io.Reader
	before func()

	chunks chan chunk
	free   chan []byte
	now    chunk  // the chunk at hand
	left   []byte // what is left of it
}

// A chunk is what one read gave.
type chunk struct {
	data []byte
	err  error
}

// Read reads what is there.
func (p *pipeReader) Read(b []byte) (int, error) {
	if p.chunks == nil {
		p.chunks, p.free = make(chan chunk, pipeChunks), make(chan []byte, pipeChunks)
		for range pipeChunks {
			p.free <- make([]byte, pipeChunk)
		}
		go p.pump()
	}
	for len(p.left) == 0 {
		if p.now.err != nil {
			return 0, p.now.err
		}
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

// next waits for the next chunk.
func (p *pipeReader) next() error {
	if p.now.data != nil {
		p.free <- p.now.data[:0] // there is room for all of them
		p.now.data = nil
	}
	select {
	case p.now = <-p.chunks:
	default:
		p.before()
		select {
		case p.now = <-p.chunks:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
	p.left = p.now.data
	return nil
}

// pump reads chunks. There is always room for them.
func (p *pipeReader) pump() {
	for {
		select {
		case b := <-p.free:
			n, err := p.r.Read(b[:cap(b)])
			p.chunks <- chunk{b[:n], err}
			if err != nil {
				return
			}
		case <-p.ctx.Done():
			return
		}
	}
}
