package extract

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
)

// A spool is a file without a name that payloads wait in. Its space is handed
// out in blocks, so that the payloads of a conversation stand together however
// many speak at once; what of a block is not written takes no room on disk.
type spool struct {
	f    *os.File
	end  int64
	used int64             // bytes of payload in blocks that are taken
	free map[int64][]int64 // blocks given back, by size
}

// openSpool makes a spool in a directory. It has a name for a moment.
func openSpool(root *os.Root) (*spool, error) {
	for range 100 {
		name := fmt.Sprintf(".icmpx-%016x", rand.Uint64())
		f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := root.Remove(name); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &spool{f: f, free: make(map[int64][]int64)}, nil
	}
	return nil, fmt.Errorf("spool in %s: %w", root.Name(), os.ErrExist)
}

// Sizes of blocks, which are powers of two. A conversation's grow with it.
const (
	firstBlock = 4 << 10
	lastBlock  = 1 << 20
)

// A room is what a conversation has of a spool. It writes to its last block.
type room struct {
	blocks   []block
	off, end int64
	used     int64
}

type block struct{ off, size int64 }

// write puts a payload behind the last one of the same room, or into a new
// block, and returns where it stands.
func (s *spool) write(r *room, b []byte) (off int64, err error) {
	n := int64(len(b))
	if n > r.end-r.off {
		s.extend(r, n)
	}
	if _, err := s.f.WriteAt(b, r.off); err != nil {
		return 0, err
	}
	off = r.off
	r.off += n
	r.used += n
	s.used += n
	return off, nil
}

// extend gives a room a block of at least n bytes.
func (s *spool) extend(r *room, n int64) {
	size := int64(firstBlock)
	if len(r.blocks) > 0 {
		size = min(2*r.blocks[len(r.blocks)-1].size, lastBlock)
	}
	for size < n {
		size *= 2
	}
	b := block{s.end, size}
	if free := s.free[size]; len(free) > 0 {
		b.off = free[len(free)-1]
		s.free[size] = free[:len(free)-1]
	} else {
		s.end += size
	}
	r.blocks = append(r.blocks, b)
	r.off, r.end = b.off, b.off+size
}

// release takes the blocks of a room back.
func (s *spool) release(r *room) {
	for _, b := range r.blocks {
		s.free[b.size] = append(s.free[b.size], b.off)
	}
	s.used -= r.used
	*r = room{}
}
