// Package capfile reads and writes capture files: pcap in all its variants, and
// pcapng. What it reads is hostile: no capture makes it panic, or use more
// memory than a small multiple of its largest packet.
//
// pcap: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/
// pcapng: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/
package capfile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/icmpx/icmpx/internal/packet"
)

// maxPacket is the most bytes that a packet in a file may have. It is libpcap's
// limit; a header that says more is taken for damaged.
const maxPacket = 256 << 10

// maxDamages is how many places are remembered at which reading went on.
const maxDamages = 16

// A Damage is a place at which a capture is not as its format says.
type Damage struct {
	Offset int64  // in bytes from the start of the file
	Frame  int    // frames that were read before it
	What   string // in plain words
}

// Error returns the place and the words.
func (d *Damage) Error() string {
	return fmt.Sprintf("damaged after frame %d, at byte %d: %s", d.Frame, d.Offset, d.What)
}

// A FormatError says that a file is no capture that can be read, and what it
// is instead where that can be told.
type FormatError struct {
	Found string // "gzip-compressed data: unpack it first"
}

// Error returns what was found.
func (e *FormatError) Error() string { return "not a pcap or pcapng capture: " + e.Found }

// A Reader reads the frames of a capture.
type Reader struct {
	in     input
	format string
	next   func(*packet.Frame) error
	frames int
	end    error // what every further Next returns

	damages []Damage
	damaged int

	pcap    pcapFile
	section section
}

// NewReader returns a Reader of the capture that r gives. It reads the file's
// header at once. The error is a *FormatError if this is no capture, a *Damage
// if its header is cut short, or why r could not be read.
func NewReader(r io.Reader) (*Reader, error) {
	rd := &Reader{in: input{r: r}}
	if err := rd.open(); err != nil {
		return nil, err
	}
	return rd, nil
}

// open reads the header of the file.
func (r *Reader) open() error {
	magic := r.in.peek(4)
	if len(magic) < 4 {
		switch {
		case !errors.Is(r.in.err, io.EOF):
			return fmt.Errorf("read capture: %w", r.in.err)
		case len(magic) == 0:
			return &FormatError{"an empty file"}
		}
	}
	if known, err := r.openPcap(); known {
		return err
	}
	if known, err := r.openPcapng(); known {
		return err
	}
	return &FormatError{foreign(r.in.peek(16))}
}

// Next reads the next frame into f, which it overwrites. f.Data is valid until
// the next call.
//
// The error is io.EOF at a clean end. It is a *Damage where the file is cut
// short or nothing behind can be read; every frame before it was given. A
// damage that can be stepped over is noted instead, see Damages.
func (r *Reader) Next(f *packet.Frame) error {
	if r.end != nil {
		return r.end
	}
	err := r.next(f)
	if err != nil {
		r.end = err
	}
	return err
}

// Damages returns the first places at which something damaged was stepped over,
// and how many there were in all. The one that Next returned is not among them.
func (r *Reader) Damages() (first []Damage, count int) {
	return slices.Clone(r.damages), r.damaged
}

// Format returns "pcap" or "pcapng".
func (r *Reader) Format() string { return r.format }

// note remembers a damage that reading steps over.
func (r *Reader) note(offset int64, format string, args ...any) {
	r.damaged++
	if len(r.damages) < maxDamages {
		r.damages = append(r.damages, Damage{offset, r.frames, fmt.Sprintf(format, args...)})
	}
}

// damage returns the error that ends reading.
func (r *Reader) damage(offset int64, format string, args ...any) error {
	return &Damage{offset, r.frames, fmt.Sprintf(format, args...)}
}

// ended returns the error for a file that ends where more was needed: what was
// the name of that, and there are got bytes of it.
func (r *Reader) ended(got int, what string) error {
	switch {
	case !errors.Is(r.in.err, io.EOF):
		return fmt.Errorf("read capture: %w", r.in.err)
	case got == 0:
		return io.EOF
	}
	return r.cutShort(what)
}

// cutShort is ended where the end cannot be a clean one.
func (r *Reader) cutShort(what string) error {
	if !errors.Is(r.in.err, io.EOF) {
		return fmt.Errorf("read capture: %w", r.in.err)
	}
	return r.damage(r.in.base+int64(r.in.end), "cut short in %s", what)
}
