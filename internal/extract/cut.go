package extract

// A run is a part of an index: payloads of one size that follow each other. It
// may have gaps.
type run struct {
	from, to int // extents
	size     int32
	count    int64
}

// Bounds of what is cut.
const (
	maxRuns  = 64 // with more sizes than that a conversation is no row of transfers
	maxParts = 16
)

// runsOf cuts an index where the size changes; nil if there are too many runs.
// Empty payloads belong to no run.
func runsOf(x index) []run {
	var runs []run
	for i := range x {
		e := &x[i]
		if e.size == 0 {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].size == e.size {
			runs[n-1].to = i + 1
			runs[n-1].count += int64(e.count)
			continue
		}
		if len(runs) == maxRuns {
			return nil
		}
		runs = append(runs, run{i, i + 1, e.size, int64(e.count)})
	}
	return runs
}

// A transfer is a run, and perhaps a last payload that is shorter.
type transfer struct {
	run
	pieces int64
}

// A cutter cuts a conversation into transfers.
type cutter struct {
	index
	runs []run
	read func(off int64, b []byte) error
}

// transfers returns the extents of the transfers that are worth a file of their
// own: those that carry more than one payload, not all the same, or begin as a
// known kind of binary file. It returns nil if the whole conversation is one.
func (c *cutter) transfers() ([]index, error) {
	var parts []index
	for i := 0; i < len(c.runs); i++ {
		t := transfer{c.runs[i], c.runs[i].count}
		tail, err := c.isTail(i + 1)
		if err != nil {
			return nil, err
		}
		if tail {
			i++
			t.to, t.pieces = c.runs[i].to, t.pieces+1
		}
		if t.run.from == c.runs[0].from && t.to == c.runs[len(c.runs)-1].to {
			return nil, nil
		}
		worth, err := c.worth(&t)
		if err != nil {
			return nil, err
		}
		if worth {
			parts = append(parts, c.index[t.from:t.to])
		}
	}
	if len(parts) > maxParts {
		return nil, nil
	}
	return parts, nil
}

// isTail reports whether run i is the last, shorter payload of the one before
// it. An ordinary ping that follows is none: the same payload stands elsewhere in
// the conversation, or it is a mere pattern.
func (c *cutter) isTail(i int) (bool, error) {
	if i >= len(c.runs) || c.runs[i].count != 1 || c.runs[i].size >= c.runs[i-1].size {
		return false, nil
	}
	own, err := c.payload(i, 0)
	if err != nil || isPattern(own) {
		return false, err
	}
	for j := range c.runs {
		if j == i || c.runs[j].size != c.runs[i].size {
			continue
		}
		other, err := c.payload(j, 0)
		if err != nil || string(own) == string(other) {
			return false, err
		}
	}
	return true, nil
}

// worth reports whether a transfer gets a file of its own.
func (c *cutter) worth(t *transfer) (bool, error) {
	i := 0
	for c.runs[i].from != t.from {
		i++
	}
	first, err := c.payload(i, 0)
	if err != nil {
		return false, err
	}
	if t.pieces == 1 {
		return isBinary(Recognise(first)), nil
	}
	if t.pieces > t.count { // its payloads differ
		return true, nil
	}
	for _, n := range []int64{1, t.count - 1} {
		other, err := c.payload(i, n)
		if err != nil || string(other) != string(first) {
			return true, err
		}
	}
	return false, nil
}

// payload returns the nth payload of run i.
func (c *cutter) payload(i int, n int64) ([]byte, error) {
	for j := c.runs[i].from; j < c.runs[i].to; j++ {
		e := &c.index[j]
		switch {
		case e.size == 0:
			continue
		case n >= int64(e.count):
			n -= int64(e.count)
			continue
		}
		b := make([]byte, e.size)
		return b, c.read(e.off+n*int64(e.size), b)
	}
	return nil, nil
}

// isPattern reports whether a payload is filling: after at most 16 bytes for a
// time, all bytes are the same, or each is one more than the last, but for a few
// places where the pattern starts again.
func isPattern(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	if len(b) >= 32 {
		b = b[16:]
	}
	var same, up int
	for i := 1; i < len(b); i++ {
		switch b[i] - b[i-1] {
		case 0:
			same++
		case 1:
			up++
		}
	}
	most := len(b) - 1 - (len(b)-1)/8
	return same >= most || up >= most
}
