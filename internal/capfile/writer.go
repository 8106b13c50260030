package capfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// WriterOptions say what a file tells of its capture. All are optional.
type WriterOptions struct {
	Application string // what writes the file: "icmpx"
	Comment     string // on the file as a whole
	Filter      string // in pcap syntax; each interface is said to have it
	SnapLen     int    // most bytes that were captured of a packet; 0: no limit

	// Interfaces are described in the file even if no frame names them. A file
	// without any interface is not read by everybody.
	Interfaces []WriterInterface
}

// A WriterInterface is an interface that frames name. An interface that a frame
// names and nobody described gets its description from that frame.
type WriterInterface struct {
	Iface int // as in packet.Frame
	Name  string
	Link  packet.LinkType
}

// A Writer writes a pcapng file of one section in little-endian byte order,
// with times in nanoseconds. It buffers: see Flush.
//
// What reaches the file are whole blocks. If a write fails in the middle of
// one, and the file can be truncated, that block is cut off again, so that the
// file ends with the last whole one.
type Writer struct {
	w       io.Writer
	o       WriterOptions
	buf     []byte
	written int64 // bytes that are in the file
	ifaces  map[ifaceKey]uint32
	last    ifaceKey // of the frame before: spares most look-ups
	lastID  uint32
	started bool  // there was one
	err     error // the first that failed; nothing is written after it
}

// An ifaceKey tells interfaces apart: one that changes its link type becomes
// another.
type ifaceKey struct {
	iface int
	link  packet.LinkType
}

// flushAt is how many bytes are gathered before they are written.
const flushAt = 64 << 10

// NewWriter returns a Writer to w, which must be at its beginning. Nothing is
// written before the buffer is full or flushed.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	wr := &Writer{w: w, o: o, ifaces: map[ifaceKey]uint32{}}
	wr.section()
	for _, i := range o.Interfaces {
		key := ifaceKey{i.Iface, i.Link}
		if _, ok := wr.ifaces[key]; !ok {
			wr.describe(key, i.Name)
		}
	}
	return wr
}

// Size returns the length in bytes that the file has, or will have when all is
// flushed.
func (w *Writer) Size() int64 { return w.written + int64(len(w.buf)) }

// Write adds a frame with its time, lengths, link type, interface, direction,
// comments, and whether its checksums are unfinished. The error is that of the
// file, which may be one of earlier frames; after an error nothing more is
// written.
func (w *Writer) Write(f *packet.Frame) error {
	if w.err != nil {
		return w.err
	}
	if len(f.Data) > maxPacket {
		return fmt.Errorf("write capture: a packet of %d bytes; at most %d can be read again", len(f.Data), maxPacket)
	}
	if key := (ifaceKey{f.Iface, f.Link}); !w.started || key != w.last {
		id, ok := w.ifaces[key]
		if !ok {
			id = w.describe(key, f.IfaceName)
		}
		w.last, w.lastID, w.started = key, id, true
	}
	w.packet(w.lastID, f)
	if len(w.buf) >= flushAt {
		return w.Flush()
	}
	return nil
}

// packet appends an Enhanced Packet Block (draft-ietf-opsawg-pcapng section
// 4.3).
func (w *Writer) packet(id uint32, f *packet.Frame) {
	start := w.begin(blockPacket)
	ticks := nanoseconds(f.Time)
	w.put32(id)
	w.put32(uint32(ticks >> 32))
	w.put32(uint32(ticks))
	w.put32(uint32(len(f.Data)))
	w.put32(uint32(max(f.Len, len(f.Data))))
	w.buf = append(w.buf, f.Data...)
	w.pad()
	var flags uint32
	switch f.Direction {
	case packet.Incoming:
		flags = flagIncoming
	case packet.Outgoing:
		flags = flagOutgoing
	}
	if f.Unfinished {
		flags |= flagUnfinished
	}
	if flags != 0 {
		w.option32(packetFlags, flags)
	}
	for _, c := range f.Comments {
		w.comment(start, c)
	}
	if flags != 0 || len(f.Comments) > 0 {
		w.endOptions()
	}
	w.finish(start)
}

// lastTick is the last second that 64 bits of nanoseconds reach, in 2554.
const lastTick = 18446744072

// nanoseconds returns the ticks of a time; 0 if it has none.
func nanoseconds(t time.Time) uint64 {
	if t.Unix() < 0 || t.Unix() > lastTick {
		return 0
	}
	return uint64(t.Unix())*1e9 + uint64(t.Nanosecond())
}

// comment adds a comment to the block that began at start, as far as the block
// stays one that is read.
func (w *Writer) comment(start int, text string) {
	const others = 64 // bytes that the rest of the block may need
	if len(w.buf)-start+len(text)+others <= maxBlock {
		w.text(optComment, text)
	}
}

// Statistics adds what the capturing system counted from the beginning of the
// capture up to a time. A file may have several; the last are valid. They stand
// with the first interface, and say so if there are others: a socket counts for
// all that it hears.
func (w *Writer) Statistics(at time.Time, s Statistics) {
	if w.err != nil || len(w.ifaces) == 0 {
		return
	}
	ticks := nanoseconds(at)
	start := w.begin(blockStatistics)
	w.put32(0)
	w.put32(uint32(ticks >> 32))
	w.put32(uint32(ticks))
	if len(w.ifaces) > 1 {
		w.text(optComment, "counts of all interfaces together")
	}
	w.option64(statReceived, s.Received)
	w.option64(statDropped, s.Dropped)
	w.endOptions()
	w.finish(start)
}

// section appends the Section Header Block (section 4.1).
func (w *Writer) section() {
	const hardware, system, application = 2, 3, 4
	start := w.begin(blockSection)
	w.put32(magicOrder)
	w.put32(1) // version 1.0
	w.put32(1<<32 - 1)
	w.put32(1<<32 - 1) // length of the section: not known
	if w.o.Comment != "" {
		w.text(optComment, w.o.Comment)
	}
	w.option(hardware, runtime.GOARCH)
	w.option(system, runtime.GOOS)
	if w.o.Application != "" {
		w.text(application, w.o.Application)
	}
	w.endOptions()
	w.finish(start)
}

// describe appends an Interface Description Block (section 4.2) and returns the
// interface's number.
func (w *Writer) describe(key ifaceKey, name string) uint32 {
	const nano = 9
	id := uint32(len(w.ifaces))
	w.ifaces[key] = id
	start := w.begin(blockInterface)
	w.put32(uint32(key.link))
	w.put32(uint32(max(w.o.SnapLen, 0)))
	if name != "" {
		w.text(ifName, name)
	}
	w.option(ifResolution, string(rune(nano)))
	if w.o.Filter != "" {
		w.text(ifFilter, "\x00"+w.o.Filter)
	}
	w.endOptions()
	w.finish(start)
	return id
}

// begin appends the head of a block and returns where it stands.
func (w *Writer) begin(typ uint32) (start int) {
	start = len(w.buf)
	w.put32(typ)
	w.put32(0)
	return start
}

// finish writes the block's length at both of its ends.
func (w *Writer) finish(start int) {
	n := uint32(len(w.buf) - start + 4)
	binary.LittleEndian.PutUint32(w.buf[start+4:], n)
	w.put32(n)
}

func (w *Writer) put32(v uint32) { w.buf = binary.LittleEndian.AppendUint32(w.buf, v) }

// pad fills up to a multiple of 4 bytes; blocks begin at one.
func (w *Writer) pad() {
	for len(w.buf)%4 != 0 {
		w.buf = append(w.buf, 0)
	}
}

// maxOption is the most bytes that the value of an option can have.
const maxOption = 65535

// text appends an option that is text, which has to be UTF-8.
func (w *Writer) text(code uint16, value string) {
	w.option(code, strings.ToValidUTF8(value[:min(len(value), maxOption)], "?"))
}

func (w *Writer) option(code uint16, value string) {
	w.put32(uint32(len(value))<<16 | uint32(code))
	w.buf = append(w.buf, value...)
	w.pad()
}

func (w *Writer) endOptions() { w.put32(optEnd) }

func (w *Writer) option32(code uint16, value uint32) {
	w.put32(4<<16 | uint32(code))
	w.put32(value)
}

func (w *Writer) option64(code uint16, value uint64) {
	w.put32(8<<16 | uint32(code))
	w.buf = binary.LittleEndian.AppendUint64(w.buf, value)
}

// Flush writes what is buffered. The error is the first one that writing met.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = fmt.Errorf("write capture: %w", err)
		w.cutBack(n)
		return w.err
	}
	w.written += int64(n)
	w.buf = w.buf[:0]
	return nil
}

// cutBack ends the file with the last whole block of the n bytes that were
// written, if the file can be truncated.
func (w *Writer) cutBack(n int) {
	whole := 0
	for whole < n {
		length := int(binary.LittleEndian.Uint32(w.buf[whole+4:]))
		if whole+length > n {
			break
		}
		whole += length
	}
	w.written += int64(whole)
	w.buf = nil
	if whole == n {
		return
	}
	f, ok := w.w.(interface {
		io.Seeker
		Truncate(size int64) error
	})
	if !ok {
		return
	}
	// What is in front of this capture may be another's: only the file knows
	// where it stands.
	if at, err := f.Seek(0, io.SeekCurrent); err == nil && at >= int64(n-whole) {
		_ = f.Truncate(at - int64(n-whole)) // the error that led here is told
	}
}
