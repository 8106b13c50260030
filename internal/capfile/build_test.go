package capfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// An endian writes numbers in one byte order.
type endian interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var (
	le endian = binary.LittleEndian
	be endian = binary.BigEndian
)

// pcapHead returns the header of a pcap file.
func pcapHead(e endian, magic uint32, major, minor uint16, snaplen, link uint32) []byte {
	b := e.AppendUint16(e.AppendUint16(e.AppendUint32(nil, magic), major), minor)
	return e.AppendUint32(e.AppendUint32(append(b, make([]byte, 8)...), snaplen), link)
}

// pcapRecord returns a packet of a pcap file, behind words of its header.
func pcapRecord(e endian, data string, words ...uint32) []byte {
	var b []byte
	for _, w := range words {
		b = e.AppendUint32(b, w)
	}
	return append(b, data...)
}

// block returns a pcapng block.
func block(e endian, typ uint32, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	for len(all)%4 != 0 {
		all = append(all, 0)
	}
	n := uint32(len(all) + 12)
	b := append(e.AppendUint32(e.AppendUint32(nil, typ), n), all...)
	return e.AppendUint32(b, n)
}

// option returns an option of a block.
func option(e endian, code uint16, value string) []byte {
	b := append(e.AppendUint16(e.AppendUint16(nil, code), uint16(len(value))), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// words returns 32-bit numbers.
func words(e endian, ws ...uint32) []byte { return pcapRecord(e, "", ws...) }

// shb and idb return a section header and an interface description.
func shb(e endian, options ...[]byte) []byte {
	head := append(words(e, 0x1a2b3c4d), e.AppendUint16(e.AppendUint16(nil, 1), 0)...)
	return block(e, 0x0a0d0d0a, head, bytes.Repeat([]byte{0xff}, 8), bytes.Join(options, nil))
}

func idb(e endian, link uint16, snaplen uint32, options ...[]byte) []byte {
	head := e.AppendUint16(e.AppendUint16(nil, link), 0)
	return block(e, 1, head, words(e, snaplen), bytes.Join(options, nil))
}

// epb returns an enhanced packet block.
func epb(e endian, iface uint32, ticks uint64, data string, options ...[]byte) []byte {
	padded := []byte(data)
	for len(padded)%4 != 0 {
		padded = append(padded, 0)
	}
	n := uint32(len(data))
	return block(e, 6, words(e, iface, uint32(ticks>>32), uint32(ticks), n, n), padded, bytes.Join(options, nil))
}

// join returns the parts of a file together.
func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// A result is what was read of a file.
type result struct {
	frames  []packet.Frame
	last    error // nil stands for io.EOF
	damages []capfile.Damage
	stepped int
	reader  *capfile.Reader
}

// read reads all of a file.
func read(in io.Reader) result {
	r, err := capfile.NewReader(in)
	if err != nil {
		return result{last: err}
	}
	res := result{reader: r}
	for {
		var f packet.Frame
		if err := r.Next(&f); err != nil {
			if again := r.Next(&f); again != err {
				err = errors.Join(err, errors.New("and then"), again)
			}
			if err != io.EOF {
				res.last = err
			}
			res.damages, res.stepped = r.Damages()
			return res
		}
		f.Data = bytes.Clone(f.Data)
		res.frames = append(res.frames, f)
	}
}

// data returns the frames' bytes.
func (r result) data() []string {
	var all []string
	for _, f := range r.frames {
		all = append(all, string(f.Data))
	}
	return all
}

// wantDamage checks that err is a Damage of a place and a word.
func wantDamage(t *testing.T, err error, offset int64, frame int, what string) {
	t.Helper()
	var d *capfile.Damage
	if !errors.As(err, &d) || d.Offset != offset || d.Frame != frame || d.What != what {
		t.Errorf("error %v, want damage after frame %d, at byte %d: %s", err, frame, offset, what)
	}
}

// second is a time in the captures that are built here.
var second = time.Unix(1700000000, 0).UTC()
