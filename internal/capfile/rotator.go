package capfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// A Rotation says how a capture is spread over files, as tcpdump's -C, -G and
// -W have it. Without Size and Period there is one file.
type Rotation struct {
	// Name is that of the files. With a Period, conversions of strftime(3) in
	// it stand for the time at which a file is begun, in Location.
	Name     string
	Location *time.Location // nil: the local one

	// Size is how many bytes end a file: the next frame goes into another. The
	// first has the plain name, others have 1, 2, ... behind it. 0: no limit.
	Size int64

	// Period is how long a file is written; the first frame after it goes into
	// another. Without conversions in Name each file replaces the one before.
	// With Size as well, files are counted within each period. 0: no limit.
	Period time.Duration

	// Files is how many there are at most. With Size they are written over and
	// over, within each period if there is one, and their numbers begin at 0
	// and have leading zeros; with Period alone the capture ends after so many
	// periods. 0: no limit.
	Files int

	// Open makes a file and empties one that is there; nil: Create.
	Open func(name string) (io.WriteCloser, error)

	// Counts returns the statistics that each file ends with. nil: none.
	Counts func() Statistics

	// Notice hears that a file could not be opened and the one before goes on.
	// nil: nobody does.
	Notice func(error)
}

// ErrEnough says that all files of a Rotation are written.
var ErrEnough = errors.New("all capture files are written")

// A Rotator writes a capture into one file after another. Each can be read by
// itself.
type Rotator struct {
	o     Rotation
	wo    WriterOptions
	w     *Writer
	file  io.Closer
	name  string
	count int       // of files in this period
	base  int64     // length of the file from which Size counts
	begun time.Time // of the period
	runs  int       // periods that are over
	last  time.Time // latest time that was met
	end   error
}

// NewRotator opens the first file, of a capture that begins now. Existing files
// are overwritten, as tcpdump overwrites them. If Create is to make more of them,
// a directory that can take none is an error, and nothing is overwritten: see
// CheckDirectory.
func NewRotator(o Rotation, wo WriterOptions, now time.Time) (*Rotator, error) {
	switch {
	case o.Size < 0 || o.Period < 0 || o.Files < 0:
		return nil, errors.New("size, period and number of capture files must not be negative")
	case o.Files > 0 && o.Size == 0 && o.Period == 0:
		return nil, errors.New("a number of capture files says nothing without a size or a period")
	}
	further := o.Open == nil && (o.Size > 0 || o.Period > 0)
	if o.Open == nil {
		o.Open = Create
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	r := &Rotator{o: o, wo: wo, begun: now, last: now}
	name, err := r.nameOf(now, 0)
	if err != nil {
		return nil, err
	}
	if further {
		if err := CheckDirectory(name); err != nil {
			return nil, err
		}
	}
	file, err := o.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open capture file: %w", err)
	}
	r.use(file, name, 0)
	return r, nil
}

// Create makes a file for writing, or empties it. Everybody may read it whom
// the umask lets.
func Create(name string) (io.WriteCloser, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// CheckDirectory makes a file beside the given one and removes it again. The
// error says why later files of a Rotation could not be made there. To know
// whether they can be after privileges are dropped, call it then.
func CheckDirectory(name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".icmpx-*")
	if err != nil {
		return fmt.Errorf("check directory of capture files: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Name returns the name of the file that is being written.
func (r *Rotator) Name() string { return r.name }

// Write adds a frame, to the next file if its time or the size of this one asks
// for that. The error is ErrEnough if the frame came after the last file, or
// why a file could not be written.
func (r *Rotator) Write(f *packet.Frame) error {
	if err := r.Advance(f.Time); err != nil {
		return err
	}
	if r.o.Size > 0 && r.w.Size()-r.base > r.o.Size {
		count := r.count + 1
		if r.o.Files > 0 && count >= r.o.Files {
			count = 0
		}
		if err := r.rotate(r.begun, count); err != nil {
			return err
		}
	}
	return r.w.Write(f)
}

// Advance says that it is now at least so late, which may end a period without
// a frame. The error is that of Write.
func (r *Rotator) Advance(now time.Time) error {
	if r.end != nil {
		return r.end
	}
	if now.After(r.last) {
		r.last = now
	}
	if r.o.Period == 0 || now.Sub(r.begun) < r.o.Period {
		return nil
	}
	r.runs++
	if r.o.Size == 0 && r.o.Files > 0 && r.runs >= r.o.Files {
		r.end = ErrEnough
		if err := r.finish(); err != nil {
			r.end = err
		}
		return r.end
	}
	r.begun = now
	return r.rotate(now, 0)
}

// rotate goes on in the next file. If it cannot be opened, this one is used up
// to the next occasion.
func (r *Rotator) rotate(begun time.Time, count int) error {
	name, err := r.nameOf(begun, count)
	if err == nil {
		var file io.WriteCloser
		if file, err = r.o.Open(name); err == nil {
			return r.replace(file, name, count)
		}
	}
	r.base = r.w.Size()
	if r.o.Notice != nil {
		r.o.Notice(fmt.Errorf("capture goes on in %s: %w", r.name, err))
	}
	return nil
}

// replace ends this file and begins another. One of the same name was emptied
// by that: nothing may be added to the old.
func (r *Rotator) replace(file io.WriteCloser, name string, count int) error {
	var err error
	if name == r.name {
		err = r.file.Close()
	} else {
		err = r.finish()
	}
	r.use(file, name, count)
	return err
}

// use makes file the one that is written.
func (r *Rotator) use(file io.WriteCloser, name string, count int) {
	r.w, r.file, r.name, r.count, r.base = NewWriter(file, r.wo), file, name, count, 0
}

// finish ends this file.
func (r *Rotator) finish() error {
	if r.o.Counts != nil {
		r.w.Statistics(r.last, r.o.Counts())
	}
	err := r.w.Flush()
	if closing := r.file.Close(); err == nil && closing != nil {
		err = fmt.Errorf("close capture file: %w", closing)
	}
	return err
}

// Flush writes what is buffered.
func (r *Rotator) Flush() error {
	if r.end != nil {
		return nil
	}
	return r.w.Flush()
}

// Close ends the last file. Nothing can be written after it.
func (r *Rotator) Close() error {
	if r.end != nil {
		return nil
	}
	r.end = os.ErrClosed
	return r.finish()
}

// nameOf returns the name of a file.
func (r *Rotator) nameOf(begun time.Time, count int) (string, error) {
	name, width := r.o.Name, 0
	if r.o.Period > 0 {
		var err error
		if name, err = strftime(name, begun.In(r.o.Location)); err != nil {
			return "", err
		}
	}
	if r.o.Size > 0 && r.o.Files > 1 {
		width = len(strconv.Itoa(r.o.Files - 1))
	}
	if count == 0 && width == 0 {
		return name, nil
	}
	return fmt.Sprintf("%s%0*d", name, width, count), nil
}

// ParseSize reads a size as tcpdump's -C takes it: millions of bytes, or with a
// letter behind the number k, m or g, as many times 1024, 1024 squared or 1024
// cubed bytes.
func ParseSize(s string) (int64, error) {
	unit := int64(1_000_000)
	digits := s
	if s != "" {
		digits = s[:len(s)-1]
		switch s[len(s)-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		default:
			digits = s
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n == 0 || int64(n) > math.MaxInt64/unit {
		return 0, fmt.Errorf("file size %q is not a number of millions of bytes, or of k, m or g", s)
	}
	return int64(n) * unit, nil
}
