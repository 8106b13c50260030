package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"

	"github.com/icmpx/icmpx/icmpx"
)

// A view is what the program knows of a packet where it looks at conditions.
type view struct {
	family icmpx.Family
	proto  uint8 // the ICMP of the family, or TCP
	whole  bool  // the first bytes of the message are there, and it is no fragment
}

func (v view) icmp() bool { return v.proto != protoTCP }

// conditions accepts or drops what the filter says of a packet.
func (c *compiler) conditions(root node, v view) {
	if root == nil {
		c.jump(c.accept)
		return
	}
	c.node(root, false, v, c.accept, c.drop)
}

// node goes to yes if n, or its opposite if neg, may be true, else to no.
func (c *compiler) node(n node, neg bool, v view, yes, no label) {
	switch n := n.(type) {
	case *not:
		c.node(n.n, !neg, v, yes, no)
	case *both:
		c.pair(n.l, n.r, !neg, neg, v, yes, no)
	case *either:
		c.pair(n.l, n.r, neg, neg, v, yes, no)
	default:
		l := leaf{c, v, yes, no, yes}
		if neg {
			l.yes, l.no = no, yes
		}
		l.node(n)
	}
}

// pair joins two conditions.
func (c *compiler) pair(l, r node, and, neg bool, v view, yes, no label) {
	second := c.label()
	if and {
		c.node(l, neg, v, second, no)
	} else {
		c.node(l, neg, v, yes, second)
	}
	c.put(second)
	c.node(r, neg, v, yes, no)
}

// A leaf writes one condition.
type leaf struct {
	*compiler
	view
	yes, no label // where to go if it is true, and if not
	may     label // where to go if the program cannot tell
}

func (l leaf) node(n node) {
	switch n := n.(type) {
	case *isFamily:
		l.known(n.family == l.family)
	case *isICMP:
		l.known(n.family == l.family && l.icmp())
	case *isProto:
		l.known((n.family == 0 || n.family == l.family) && n.proto == l.proto)
	case *inPrefix:
		l.address(n)
	case *relation:
		l.relation(n)
	case *isType, *isCode, *hasField:
		l.message(n)
	default:
		l.jump(l.may)
	}
}

func (l leaf) known(b bool) {
	if b {
		l.jump(l.yes)
	} else {
		l.jump(l.no)
	}
}

// load loads size bytes at off behind a place in scratch.
func (l leaf) load(place, off, size int) {
	l.emit(bpf.LoadScratch{Dst: bpf.RegX, N: place}, bpf.LoadIndirect{Off: uint32(off), Size: size})
}

// address compares an address of the IP header, word by word.
func (l leaf) address(n *inPrefix) {
	is4 := n.prefix.Addr().Is4()
	switch {
	case n.quoted && l.icmp():
		l.jump(l.may)
		return
	case n.quoted, is4 != (l.family == icmpx.IPv4):
		l.jump(l.no)
		return
	}
	at, want := 8, n.prefix.Addr().AsSlice()
	if is4 {
		at = 12
	}
	if n.dst {
		at += len(want)
	}
	for bits := n.prefix.Bits(); bits > 0; bits -= 32 {
		l.load(ipAt, at, 4)
		word := binary.BigEndian.Uint32(want)
		if bits < 32 {
			mask := ^uint32(0) << (32 - bits)
			word &= mask
			l.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
		}
		same := l.label()
		l.branch(bpf.JumpEqual, word, same, l.no)
		l.put(same)
		at, want = at+4, want[4:]
	}
	l.jump(l.yes)
}

// message compares the first bytes of the ICMP message.
func (l leaf) message(n node) {
	switch {
	case !l.icmp():
		l.jump(l.no)
		return
	case !l.whole:
		l.jump(l.may)
		return
	}
	switch n := n.(type) {
	case *isType:
		l.load(messageAt, 0, 1)
		for _, t := range n.types {
			if t.family == l.family {
				l.ifEqual(uint32(t.typ), l.yes)
			}
		}
		l.jump(l.no)
	case *isCode:
		l.load(messageAt, 1, 1)
		l.branch(bpf.JumpEqual, uint32(n.code), l.yes, l.no)
	case *hasField:
		l.field(n)
	}
}

// field compares an identifier or a sequence number of the types that have one.
func (l leaf) field(n *hasField) {
	type place struct{ at, size int }
	labels := map[place]label{}
	l.load(messageAt, 0, 1)
	for _, t := range idTypes {
		if t.family != l.family {
			continue
		}
		at, size := t.field(n.seq)
		if labels[place{at, size}] == 0 {
			labels[place{at, size}] = l.label()
		}
		l.ifEqual(uint32(t.typ), labels[place{at, size}])
	}
	l.jump(l.no)
	for _, p := range [...]place{{4, 2}, {6, 2}, {6, 1}} {
		if labels[p] != 0 {
			l.put(labels[p])
			l.load(messageAt, p.at, p.size)
			l.branch(bpf.JumpEqual, n.value, l.yes, l.no)
		}
	}
}

// relations are the jumps of comparisons, and the comparison that says the same
// with its sides exchanged.
var relations = [...]struct {
	op, exchanged string
	jump          bpf.JumpTest
}{
	{"==", "==", bpf.JumpEqual}, {"!=", "!=", bpf.JumpNotEqual},
	{"<", ">", bpf.JumpLessThan}, {">", "<", bpf.JumpGreaterThan},
	{"<=", ">=", bpf.JumpLessOrEqual}, {">=", "<=", bpf.JumpGreaterOrEqual},
}

// relation compares bytes of the IP header or of the first ones of the message,
// perhaps masked, with a constant. Other comparisons are left to Match.
func (l leaf) relation(n *relation) {
	op, left, right := n.op, n.l, n.r
	if _, ok := left.(constant); ok {
		left, right = right, left
		for _, r := range relations {
			if r.op == n.op {
				op = r.exchanged
			}
		}
	}
	bytes, mask := masked(left)
	want, ok := right.(constant)
	if !ok || bytes == nil {
		l.jump(l.may)
		return
	}
	if !l.loadBytes(bytes) {
		return
	}
	if mask != ^constant(0) {
		l.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(mask)})
	}
	for _, r := range relations {
		if r.op == op {
			l.branch(r.jump, uint32(want), l.yes, l.no)
		}
	}
}

// masked returns the load that e is, and the mask that it has; nil if e is
// something else.
func masked(e expr) (*load, constant) {
	mask := ^constant(0)
	if b, ok := e.(*binaryExpr); ok && b.op == "&" {
		e = b.l
		if mask, ok = b.r.(constant); !ok {
			e = b.r
			if mask, ok = b.l.(constant); !ok {
				return nil, 0
			}
		}
	}
	l, _ := e.(*load)
	return l, mask
}

// loadBytes loads the bytes of b, or jumps and returns false if there are none
// of that kind or if it cannot be told.
func (l leaf) loadBytes(b *load) bool {
	at, ok := b.at.(constant)
	place, room, family := ipAt, l.family.HeaderLen(), icmpx.Family(0)
	switch layer := b.layer.(type) {
	case *isFamily:
		family = layer.family
	case *isICMP:
		place, room, family = messageAt, messageBytes, layer.family
		if !l.icmp() {
			family = 0
		}
	}
	switch {
	case family != l.family:
		l.jump(l.no)
		return false
	case !ok, place == messageAt && !l.whole, uint64(at)+uint64(b.size) > uint64(room):
		l.jump(l.may)
		return false
	}
	l.load(place, int(at), b.size)
	return true
}
