package compare

// none is no slot.
const none = -1

// A table holds the packets of one capture that wait for their match: a fixed
// number of slots, chained by each kind of key and by age. What is done with a
// packet takes no time that grows with the number of packets.
type table struct {
	slots   []slot
	free    int32
	used    int
	buckets [kinds][]ends // by the low bits of the key
	mask    uint64
	age     ends // the oldest first
}

// A slot is a packet that waits.
type slot struct {
	mark  Mark
	links [kinds]link
	age   link
}

type link struct{ prev, next int32 }

type ends struct{ first, last int32 }

// newTable returns a table of so many slots.
func newTable(n int) *table {
	t := &table{slots: make([]slot, n), age: ends{none, none}}
	size := 1
	for size < n {
		size *= 2
	}
	t.mask = uint64(size - 1)
	for k := range t.buckets {
		t.buckets[k] = make([]ends, size)
		for i := range t.buckets[k] {
			t.buckets[k][i] = ends{none, none}
		}
	}
	for i := range t.slots {
		t.slots[i].age.next = int32(i + 1)
	}
	t.slots[n-1].age.next = none
	return t
}

// oldest returns the packet that waits longest; nil if none does.
func (t *table) oldest() *Mark {
	if t.age.first == none {
		return nil
	}
	return &t.slots[t.age.first].mark
}

// newest returns the packet that came last.
func (t *table) newest() *Mark {
	if t.age.last == none {
		return nil
	}
	return &t.slots[t.age.last].mark
}

// full reports whether there is no room.
func (t *table) full() bool { return t.free == none }

// add takes a packet. There must be room.
func (t *table) add(m *Mark) {
	i := t.free
	s := &t.slots[i]
	t.free = s.age.next
	t.used++
	s.mark = *m
	t.append(&t.age, i, ageLink)
	for k := range kinds {
		t.append(t.bucket(k, m.keys[k]), i, func(s *slot) *link { return &s.links[k] })
	}
}

// remove takes a packet away and returns it.
func (t *table) remove(i int32) Mark {
	s := &t.slots[i]
	t.unlink(&t.age, i, ageLink)
	for k := range kinds {
		t.unlink(t.bucket(k, s.mark.keys[k]), i, func(s *slot) *link { return &s.links[k] })
	}
	s.age.next = t.free
	t.free = i
	t.used--
	return s.mark
}

func ageLink(s *slot) *link { return &s.age }

func (t *table) bucket(k kind, key uint64) *ends { return &t.buckets[k][key&t.mask] }

func (t *table) append(e *ends, i int32, of func(*slot) *link) {
	*of(&t.slots[i]) = link{e.last, none}
	if e.last == none {
		e.first = i
	} else {
		of(&t.slots[e.last]).next = i
	}
	e.last = i
}

func (t *table) unlink(e *ends, i int32, of func(*slot) *link) {
	l := *of(&t.slots[i])
	if l.prev == none {
		e.first = l.next
	} else {
		of(&t.slots[l.prev]).next = l.next
	}
	if l.next == none {
		e.last = l.prev
	} else {
		of(&t.slots[l.next]).prev = l.prev
	}
}

// maxLook is how many packets of one bucket are looked at. Only packets that
// were made so share one with so many others.
const maxLook = 32

// find returns the slot of the packet that waits longest and may be m by a key of
// kind k; none if there is none.
func (t *table) find(k kind, m *Mark, window int64) int32 {
	key := m.keys[k]
	i := t.bucket(k, key).first
	for range maxLook {
		if i == none {
			break
		}
		s := &t.slots[i]
		if d := s.mark.at - m.at; s.mark.keys[k] == key && d <= window && d >= -window && s.mark.mayBe(m, k) {
			return i
		}
		i = s.links[k].next
	}
	return none
}

// A recent is where packets of one capture were seen last, by their key of all:
// a fixed number of places, of which each holds the last packet that fell there.
type recent []struct {
	key   uint64
	at    int64
	frame int
	iface int
	ttl   uint8
}

// look says whether the same packet was seen before, within the window: at
// another place of the same point (copy), or here (again is its frame). It
// remembers m.
func (r recent) look(m *Mark, window int64) (again int, copied bool) {
	e := &r[m.keys[byAll]&uint64(len(r)-1)]
	if e.frame != 0 && e.key == m.keys[byAll] && m.at-e.at <= window && e.at-m.at <= window {
		if e.iface != m.iface || e.ttl != m.TTL {
			return 0, true
		}
		again = e.frame
	}
	e.key, e.at, e.frame, e.iface, e.ttl = m.keys[byAll], m.at, m.Frame, m.iface, m.TTL
	return again, false
}
