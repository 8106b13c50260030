package extract

import "slices"

// An extent is a run of payloads of one size with consecutive places in the
// sequence, which stand one behind the other in the spool.
type extent struct {
	first int64 // place of the first
	count int32
	size  int32 // bytes of each
	off   int64 // in the spool
}

func (x *extent) end() int64   { return x.first + int64(x.count) }
func (x *extent) bytes() int64 { return int64(x.count) * int64(x.size) }

// An index says where the payloads of a conversation stand, in the order of
// their places. Payloads that come in order and have one size take one extent
// for each block of the spool.
type index []extent

// search returns the number of the first extent that ends behind a place.
func (x index) search(place int64) int {
	if n := len(x); n == 0 || place >= x[n-1].end() {
		return n
	}
	i, _ := slices.BinarySearchFunc(x, place, func(e extent, place int64) int {
		if e.end() <= place {
			return -1
		}
		return 1
	})
	return i
}

// find returns where the payload of a place stands.
func (x index) find(place int64) (off int64, size int, ok bool) {
	i := x.search(place)
	if i == len(x) || x[i].first > place {
		return 0, 0, false
	}
	e := &x[i]
	return e.off + (place-e.first)*int64(e.size), int(e.size), true
}

// add enters the payload of a place that has none.
func (x *index) add(place int64, size int, off int64) {
	i := x.search(place)
	if i > 0 {
		e := &(*x)[i-1]
		if e.end() == place && int(e.size) == size && e.off+e.bytes() == off && e.count < 1<<30 {
			e.count++
			return
		}
	}
	*x = slices.Insert(*x, i, extent{first: place, count: 1, size: int32(size), off: off})
}
