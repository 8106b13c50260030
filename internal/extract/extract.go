package extract

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/icmpx/icmpx/internal/packet"
)

// Options say how an Extractor works. The zero value is sensible.
type Options struct {
	// Sink receives each file when it is written, before Add or Close returns.
	// nil: nobody is told.
	Sink func(*File)
	// Flows is how many conversations may be open; 0: 1,024. One more ends the
	// one that has been silent for longest: its file is written, and it goes on
	// in another.
	Flows int
	// Files is how many files are written at most; 0: 10,000.
	Files int
	// Bytes is how many bytes of payload wait on disk at most; 0: 16 GiB.
	// Payloads beyond are dropped.
	Bytes int64
}

// Bounds of the index in memory: of a conversation, and of all (24 bytes an
// extent). A conversation that needs more goes on in another file.
const (
	maxExtents    = 1 << 16
	maxAllExtents = 1 << 18
)

// An Extractor rebuilds payloads. It is for one goroutine.
type Extractor struct {
	opts    Options
	dir     string
	root    *os.Root
	spool   *spool
	flows   map[flowKey]*flow
	ends    flow           // ring of all, by the time of their last packet
	names   map[string]int // the last number of a file of that name
	extents int
	stats   Stats
	buf     []byte
	err     error // of the spool: it is of no use any more
}

// Stats are the account of an Extractor.
type Stats struct {
	Conversations int // that carried at least one byte
	Files         int // that were written
	Skipped       int // conversations without a file, because of Options.Files
	Dropped       int // payloads that there was no room for
}

// New opens a directory for files, and creates it if need be. It makes sure that
// files can be created there; all that come later are created under the
// directory as it was opened, whatever becomes of its name meanwhile.
func New(dir string, o Options) (*Extractor, error) {
	if o.Flows <= 0 {
		o.Flows = 1 << 10
	}
	if o.Files <= 0 {
		o.Files = 10_000
	}
	if o.Bytes <= 0 {
		o.Bytes = 16 << 30
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("extract: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("extract: %w", err)
	}
	s, err := openSpool(root)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("extract to %s: %w", dir, err), root.Close())
	}
	x := &Extractor{opts: o, dir: dir, root: root, spool: s, flows: make(map[flowKey]*flow), names: make(map[string]int), buf: make([]byte, 64<<10)}
	x.ends.prev, x.ends.next = &x.ends, &x.ends
	return x, nil
}

// Check makes sure that files can still be created, after privileges were given
// up.
func (x *Extractor) Check() error {
	s, err := openSpool(x.root)
	if err != nil {
		return fmt.Errorf("extract to %s: %w", x.dir, err)
	}
	return s.f.Close()
}

// Stats returns the account so far.
func (x *Extractor) Stats() Stats { return x.stats }

// Add takes the payload of the next packet, if it is an echo and whole or
// rebuilt; of one that was cut short it takes what is there. It keeps nothing of
// the packet. An error is of the file system, and final.
func (x *Extractor) Add(p *packet.Packet) error {
	if p.Partial { // the rest is yet to come
		return nil
	}
	id, seq, data, request, ok := p.Echo()
	if !ok || x.err != nil {
		return x.err
	}
	f, err := x.flow(flowKey{p.IP.Src, p.IP.Dst, id, request})
	if err != nil {
		return err
	}
	at, fresh, anew, err := f.enter(p, seq, data, x.same)
	switch {
	case err != nil:
		x.err = fmt.Errorf("extract: spool: %w", err)
		return x.err
	case anew:
		if err := x.end(f); err != nil {
			return err
		}
		return x.Add(p)
	case fresh:
		return x.store(f, at, data)
	}
	return nil
}

// flow returns the conversation of a key, as the last that was heard of.
func (x *Extractor) flow(k flowKey) (*flow, error) {
	f := x.flows[k]
	switch {
	case f == nil:
		if len(x.flows) >= x.opts.Flows {
			if err := x.end(x.ends.next); err != nil {
				return nil, err
			}
		}
		f = &flow{flowKey: k, file: File{Src: k.src, Dst: k.dst, ID: k.id, Request: k.request}}
		x.flows[k] = f
	case f.next == &x.ends:
		return f, nil
	default:
		f.prev.next, f.next.prev = f.next, f.prev
	}
	f.prev, f.next = x.ends.prev, &x.ends
	f.prev.next, f.next.prev = f, f
	return f, nil
}

// store spools a payload.
func (x *Extractor) store(f *flow, at int64, data []byte) error {
	if x.spool.used+int64(len(data)) > x.opts.Bytes {
		f.file.Dropped++
		x.stats.Dropped++
		return nil
	}
	var off int64
	if len(data) > 0 {
		var err error
		if off, err = x.spool.write(&f.room, data); err != nil {
			x.err = fmt.Errorf("extract: spool: %w", err)
			return x.err
		}
	}
	before := len(f.index)
	f.store(at, len(data), off)
	x.extents += len(f.index) - before
	if len(f.index) > before && (len(f.index) >= maxExtents || x.extents >= maxAllExtents) {
		return x.end(f)
	}
	return nil
}

// same reports whether a payload is the one that stands in the spool.
func (x *Extractor) same(off int64, size int, data []byte) (bool, error) {
	if size != len(data) {
		return false, nil
	}
	x.buf = slices.Grow(x.buf[:0], size)
	b := x.buf[:size]
	if _, err := x.spool.f.ReadAt(b, off); err != nil {
		return false, err
	}
	return bytes.Equal(b, data), nil
}

// Close ends all conversations, in the order in which they began, writes their
// files, and closes the directory. The error is the first that came; the files
// that could be written are there.
func (x *Extractor) Close() error {
	flows := make([]*flow, 0, len(x.flows))
	for _, f := range x.flows {
		flows = append(flows, f)
	}
	slices.SortFunc(flows, func(a, b *flow) int {
		return cmp.Or(cmp.Compare(a.file.FirstFrame, b.file.FirstFrame), a.src.Compare(b.src), a.dst.Compare(b.dst), cmp.Compare(a.id, b.id))
	})
	var first error
	for _, f := range flows {
		first = cmp.Or(first, x.end(f))
	}
	return cmp.Or(first, x.spool.f.Close(), x.root.Close())
}

// end takes a conversation out and writes its files.
func (x *Extractor) end(f *flow) error {
	defer x.spool.release(&f.room)
	delete(x.flows, f.flowKey)
	f.prev.next, f.next.prev = f.next, f.prev
	x.extents -= len(f.index)
	if len(f.index) == 0 {
		return nil
	}
	f.index = f.settle(f.index)
	whole := f.file
	whole.count(f.index, &f.sequence)
	if whole.Bytes == 0 {
		return nil
	}
	x.stats.Conversations++
	if x.stats.Files >= x.opts.Files {
		x.stats.Skipped++
		return nil
	}
	c := cutter{index: f.index, runs: runsOf(f.index), read: x.read}
	parts, err := c.transfers()
	if err != nil {
		return fmt.Errorf("extract: spool: %w", err)
	}
	whole.Parts = len(parts)
	if err := x.write(&whole, f.flowKey, f.index); err != nil {
		return err
	}
	for i, part := range parts {
		file := File{Src: f.src, Dst: f.dst, ID: f.id, Request: f.request, Part: i + 1}
		file.count(part, &f.sequence)
		if err := x.write(&file, f.flowKey, part); err != nil {
			return err
		}
	}
	return nil
}

func (x *Extractor) read(off int64, b []byte) error {
	_, err := x.spool.f.ReadAt(b, off)
	return err
}

// maxSame is how many files of one name are told apart by a number.
const maxSame = 100_000

// create makes a file that was not there. A number tells it from those that
// were.
func (x *Extractor) create(name string) (*os.File, string, error) {
	for n := x.names[name] + 1; n < maxSame; n++ {
		numbered := name
		if n > 1 {
			numbered += "-" + strconv.Itoa(n)
		}
		f, err := x.root.OpenFile(numbered, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !os.IsExist(err) {
			x.names[name] = n
			return f, numbered, err
		}
	}
	return nil, "", fmt.Errorf("%s: %w", name, os.ErrExist)
}

// write writes the payloads of an index to a new file. What fails half way
// leaves no file.
func (x *Extractor) write(file *File, k flowKey, payloads index) error {
	f, name, err := x.create(fileName(k, file.Part))
	if err != nil {
		return fmt.Errorf("extract to %s: %w", x.dir, err)
	}
	file.Path = filepath.Join(x.dir, name)
	err = errors.Join(x.copy(f, file, payloads), f.Close())
	if err != nil {
		return fmt.Errorf("extract: %w", errors.Join(err, x.root.Remove(name)))
	}
	x.stats.Files++
	if x.opts.Sink != nil {
		x.opts.Sink(file)
	}
	return nil
}

// copy copies payloads from the spool, and finds out what they are.
func (x *Extractor) copy(to *os.File, file *File, payloads index) error {
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(to, sum), 64<<10)
	head := make([]byte, 0, headLen)
	for i := 0; i < len(payloads); {
		off, left := payloads[i].off, payloads[i].bytes()
		for i++; i < len(payloads) && payloads[i].off == off+left; i++ {
			left += payloads[i].bytes()
		}
		for left > 0 {
			b := x.buf[:min(left, int64(cap(x.buf)))]
			if err := x.read(off, b); err != nil {
				return err
			}
			if _, err := out.Write(b); err != nil {
				return err
			}
			head = append(head, b[:min(len(b), headLen-len(head))]...)
			off, left = off+int64(len(b)), left-int64(len(b))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	sum.Sum(file.SHA256[:0])
	file.Type = Recognise(head)
	return nil
}
