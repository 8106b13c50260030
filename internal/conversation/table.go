package conversation

import (
	"hash/maphash"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// ends are two hosts of one family: the one that asks and the one that is asked.
type ends struct {
	asker, asked [16]byte
	family       icmpx.Family
}

func endsOf(f icmpx.Family, asker, asked netip.Addr) ends {
	return ends{asker: bytesOf(asker), asked: bytesOf(asked), family: f}
}

func bytesOf(a netip.Addr) [16]byte {
	if !a.IsValid() {
		return [16]byte{}
	}
	return a.As16()
}

func addrOf(f icmpx.Family, b [16]byte) netip.Addr {
	a := netip.AddrFrom16(b)
	if f == icmpx.IPv4 {
		return a.Unmap()
	}
	return a
}

// A key is what a packet and its answer have in common.
type key struct {
	ends
	proto uint8
	query Query
	flow  uint32 // identifier and sequence number, or ports
	tag   uint32 // what else tells packets of one flow apart
}

// A sighting is one packet, as it passed one place.
type sighting struct {
	frame int
	at    int64  // Unix time in nanoseconds; noTime if the capture does not say
	id    uint32 // of the IP header
	iface int32
	sum   uint16 // of the ICMP header, as it stands there
	vlan  uint16
	ttl   uint8
	dir   uint8
}

// noTime is the time of a frame without one.
const noTime = -1 << 63

// again reports whether b is the very packet of a, seen at another place: on
// another interface, in another VLAN, the other way, or behind another router.
func (a *sighting) again(b *sighting) bool {
	return a.frame != 0 && a.sum == b.sum && a.id == b.id &&
		(a.iface != b.iface || a.vlan != b.vlan || a.dir != b.dir || a.ttl != b.ttl)
}

// An entry is a request, and what is known of its fate.
type entry struct {
	key
	to     [16]byte // whom it was sent to; key.asked is zero if that was a group
	sent   sighting // the last time that it was sent
	copied sighting // the same at another place, the last time that it was seen
	before int      // frame of the time before that
	back   sighting // what decided it last
	tries  uint16
	open   uint16 // tries without an answer so far
	lost   uint16 // tries that were given up
	// half: sent is no more than the first fragment; halfBack: so is back.
	half, halfBack bool
	group          bool // any host may answer, and each once
	replied        bool
	place
}

// near returns the sighting of the request from the interface on which an
// answer was seen, so that both times are of one place.
func (e *entry) near(answer *sighting) *sighting {
	there := func(s *sighting) bool { return s.iface == answer.iface && s.vlan == answer.vlan }
	if e.copied.frame != 0 && there(&e.copied) && !there(&e.sent) {
		return &e.copied
	}
	return &e.sent
}

// A place is where an entry stands in a table: in the chain of its hash and in
// one of the lists.
type place struct {
	hash       uint32
	chain      int32
	prev, next int32
	list       uint8
}

// A list holds entries in the order of a time. The zero list is empty.
type list struct{ first, last, n int32 }

// The lists of a table.
const (
	waiting uint8 = iota // for an answer, by the time of the last try
	decided              // answered or given up, by the time of that
)

// A table holds a bounded number of entries. Entries are named by their number,
// from 1; 0 is none.
type table struct {
	seed  maphash.Seed
	heads []int32
	slabs []*[slab]entry
	used  int32 // highest number of an entry so far
	free  int32 // first of a chain
	lists [2]list
	most  int32
}

// slab is how many entries are allocated at once.
const slab = 256

func newTable(most int) *table {
	heads := 1
	for heads < most {
		heads *= 2
	}
	return &table{seed: maphash.MakeSeed(), heads: make([]int32, heads), most: int32(most)}
}

func (t *table) at(i int32) *entry { return &t.slabs[(i-1)/slab][(i-1)%slab] }

func (t *table) head(hash uint32) *int32 { return &t.heads[hash&uint32(len(t.heads)-1)] }

// find returns the entry of a key; 0 and nil if there is none.
func (t *table) find(k *key) (int32, *entry) {
	hash := uint32(maphash.Comparable(t.seed, *k))
	for i := *t.head(hash); i != 0; {
		e := t.at(i)
		if e.hash == hash && e.key == *k {
			return i, e
		}
		i = e.chain
	}
	return 0, nil
}

// full reports whether put needs one entry to be removed before.
func (t *table) full() bool { return t.free == 0 && t.used >= t.most }

// put makes an entry at the end of a list.
func (t *table) put(k *key, l uint8) (int32, *entry) {
	i := t.free
	if i != 0 {
		t.free = t.at(i).chain
	} else {
		if t.used%slab == 0 {
			t.slabs = append(t.slabs, new([slab]entry))
		}
		t.used++
		i = t.used
	}
	e := t.at(i)
	hash := uint32(maphash.Comparable(t.seed, *k))
	head := t.head(hash)
	*e = entry{key: *k, place: place{hash: hash, chain: *head}}
	*head = i
	t.push(i, l)
	return i, e
}

// remove takes an entry out of the table.
func (t *table) remove(i int32) {
	e := t.at(i)
	t.pull(i)
	link := t.head(e.hash)
	for *link != i {
		link = &t.at(*link).chain
	}
	*link = e.chain
	e.chain, t.free = t.free, i
}

// move puts an entry at the end of a list, out of the one that it was in.
func (t *table) move(i int32, l uint8) {
	t.pull(i)
	t.push(i, l)
}

func (t *table) push(i int32, to uint8) {
	e, l := t.at(i), &t.lists[to]
	e.prev, e.next, e.list = l.last, 0, to
	if l.last != 0 {
		t.at(l.last).next = i
	} else {
		l.first = i
	}
	l.last = i
	l.n++
}

func (t *table) pull(i int32) {
	e := t.at(i)
	l := &t.lists[e.list]
	if e.prev != 0 {
		t.at(e.prev).next = e.next
	} else {
		l.first = e.next
	}
	if e.next != 0 {
		t.at(e.next).prev = e.prev
	} else {
		l.last = e.prev
	}
	l.n--
}
