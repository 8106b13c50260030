package capfile

// Codes that options of every block share.
const (
	optEnd     = 0
	optComment = 1
)

// options walks the options of a block.
type options struct {
	order order
	b     []byte
	code  uint16
	value []byte
	bad   bool // ended at an option that is longer than its block
}

// next goes to the next option, and reports whether there is one.
func (o *options) next() bool {
	if len(o.b) < 4 {
		return false
	}
	o.code = o.order.uint16(o.b)
	n := int(o.order.uint16(o.b[2:]))
	if o.code == optEnd {
		return false
	}
	if n > len(o.b)-4 {
		o.bad = true
		return false
	}
	o.value = o.b[4 : 4+n]
	o.b = o.b[min(4+(n+3)&^3, len(o.b)):]
	return true
}

// noteOptions notes if o did not end well.
func (r *Reader) noteOptions(o *options, start int64) {
	if o.bad {
		r.note(start, "an option is longer than its block")
	}
}
