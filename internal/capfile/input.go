package capfile

import (
	"io"
)

// An input is the part of a capture that is in memory. Its buffer grows only as
// bytes arrive: no length that a capture claims makes it larger than the
// capture itself.
type input struct {
	r        io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] is there and not yet used
	base     int64 // offset of buf[0] in the capture
	err      error // why nothing follows buf[:end]; nil if something may
}

// bufferSize is what is read at once.
const bufferSize = 256 << 10

// offset is where in the capture the next byte stands.
func (in *input) offset() int64 { return in.base + int64(in.pos) }

// peek returns the next n bytes, or fewer where the capture ends. They are
// valid until the next call.
func (in *input) peek(n int) []byte {
	if in.end-in.pos < n {
		in.fill(n)
	}
	return in.buf[in.pos:min(in.pos+n, in.end)]
}

// fill reads until n bytes are there or the capture ends.
func (in *input) fill(n int) {
	in.base += int64(in.pos)
	in.end = copy(in.buf, in.buf[in.pos:in.end])
	in.pos = 0
	empty := 0
	for in.end < n && in.err == nil {
		if in.end == len(in.buf) {
			grown := make([]byte, max(2*len(in.buf), bufferSize))
			copy(grown, in.buf)
			in.buf = grown
		}
		got, err := in.r.Read(in.buf[in.end:])
		in.end += got
		in.err = err
		if got > 0 {
			empty = 0
		} else if empty++; empty == 100 && err == nil {
			in.err = io.ErrNoProgress
		}
	}
}

// skip steps over n bytes, and reports whether they were there.
func (in *input) skip(n int64) bool {
	for n > 0 {
		part := len(in.peek(int(min(n, bufferSize))))
		if part == 0 {
			return false
		}
		in.pos += part
		n -= int64(part)
	}
	return true
}
