package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/icmpx/icmpx/probe"
)

// maxStream is how many bytes are taken from what is no file, and has to be
// kept in memory.
const maxStream = 256 << 20

// A payload is a file that travels, open for reading.
type payload struct {
	size  int64
	src   io.ReaderAt
	close func() error
}

// readFile reads the flags about a payload of the user's.
func (r *pingRun) readFile(v *valueReader) {
	name, ok := v.text("payload")
	if ok && name == "" {
		v.fail("payload", name, "a file")
	}
	r.file.name = name
	r.file.chunk = v.whole("chunk", 1, maxChunk, 0)
	r.file.set = v.line.Has("retries")
	r.file.retries = v.whole("retries", 0, maxRetries, 0)
	if r.file.set && r.file.retries == 0 {
		r.file.retries = -1 // never
	}
}

const (
	maxChunk   = 65527 // what an IPv6 echo carries
	maxRetries = 1 << 20
)

// openPayload opens a file, or standard input for "-". What is no regular file
// is read to its end, until the context ends.
func openPayload(ctx context.Context, name string, stdin io.Reader) (*payload, error) {
	type opened struct {
		p   *payload
		err error
	}
	done := make(chan opened, 1)
	go func() { // reading a pipe, or opening a FIFO, may take for ever
		p, err := readPayload(name, stdin)
		done <- opened{p, err}
	}()
	select {
	case o := <-done:
		return o.p, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func readPayload(name string, stdin io.Reader) (*payload, error) {
	in, closer := stdin, func() error { return nil }
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		in, closer = f, f.Close
	}
	p, err := load(in)
	if err == nil && p.size == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("payload %s: %w", name, err), closer())
	}
	p.close = closer
	return p, nil
}

// load finds out the size of what is to be sent.
func load(in io.Reader) (*payload, error) {
	if f, ok := in.(*os.File); ok {
		info, err := f.Stat()
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, errors.New("it is a directory")
		case info.Mode().IsRegular():
			return section(f, info.Size())
		}
	}
	b, err := io.ReadAll(io.LimitReader(in, maxStream+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxStream:
		return nil, fmt.Errorf("it is no file, and yields more than %d MiB", maxStream>>20)
	}
	return &payload{size: int64(len(b)), src: bytesAt(b)}, nil
}

// section is what remains of a file behind the place that it was opened at,
// which of standard input need not be its beginning.
func section(f *os.File, size int64) (*payload, error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	size = max(size-at, 0)
	return &payload{size: size, src: wholly{io.NewSectionReader(f, at, size)}}, nil
}

// bytesAt is a file in memory.
type bytesAt []byte

// ReadAt fills b from off on.
func (f bytesAt) ReadAt(b []byte, off int64) (int, error) {
	n := copy(b, f[min(off, int64(len(f))):])
	if n < len(b) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

// wholly reads from a file all that is asked for, or fails: a file that was cut
// short meanwhile has nothing to send.
type wholly struct{ io.ReaderAt }

// ReadAt fills b from off on.
func (f wholly) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(b, off)
	switch {
	case n == len(b):
		return n, nil
	case err == nil || err == io.EOF:
		return n, fmt.Errorf("the file has become shorter: %w", io.ErrUnexpectedEOF)
	}
	return n, err
}

// all returns the whole payload.
func (p *payload) all() ([]byte, error) {
	b := make([]byte, p.size)
	_, err := p.src.ReadAt(b, 0)
	return b, err
}

// sum returns the digest of the whole payload; fallback if it cannot be read.
func (p *payload) sum(fallback probe.Digest) (d probe.Digest) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(p.src, 0, p.size)); err != nil {
		return fallback
	}
	hash.Sum(d[:0])
	return d
}
