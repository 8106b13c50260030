package filter

import "github.com/icmpx/icmpx/internal/packet"

// A relation compares two numbers, without signs, of 32 bits.
type relation struct {
	op   string // ==, !=, <, <=, >, >=
	l, r expr
}

func (n *relation) match(p *packet.Packet) truth {
	l, known := n.l.eval(p)
	if known == no {
		return no
	}
	r, t := n.r.eval(p)
	if known = min(known, t); known != yes {
		return known
	}
	switch n.op {
	case "==":
		return truthOf(l == r)
	case "!=":
		return truthOf(l != r)
	case "<":
		return truthOf(l < r)
	case "<=":
		return truthOf(l <= r)
	case ">":
		return truthOf(l > r)
	}
	return truthOf(l >= r)
}

// An expr is a number. Beside its value it says whether there is one: no, if
// the packet is not of the kind whose bytes are meant; unknown, if the bytes are
// missing.
type expr interface {
	eval(p *packet.Packet) (uint32, truth)
}

// A constant is a number.
type constant uint32

func (c constant) eval(*packet.Packet) (uint32, truth) { return uint32(c), yes }

// A length is the number of bytes that the frame had on the wire.
type length struct{}

func (length) eval(p *packet.Packet) (uint32, truth) {
	if p.Frame == nil {
		return 0, unknown
	}
	return uint32(p.Frame.Len), yes
}

// A load is a number in the packet, at an offset into its IP header or its ICMP
// message.
type load struct {
	layer isLayer
	at    expr
	size  int // 1, 2 or 4 bytes
}

// An isLayer is the condition under which a packet has the bytes of a load.
type isLayer interface {
	node
	bytes(p *packet.Packet) []byte
}

func (n *isFamily) bytes(p *packet.Packet) []byte { return p.IP.Header }

func (n *isICMP) bytes(p *packet.Packet) []byte {
	if p.ICMP != n.family {
		return nil // a fragment that begins no message
	}
	return p.Message
}

func (l *load) eval(p *packet.Packet) (uint32, truth) {
	if l.layer.match(p) == no {
		return 0, no
	}
	at, known := l.at.eval(p)
	if known != yes {
		return 0, known
	}
	v, ok := number(l.layer.bytes(p), int(at), l.size)
	if !ok {
		return 0, unknown
	}
	return v, yes
}

// number reads size bytes of b from at on, and reports whether they are there.
func number(b []byte, at, size int) (uint32, bool) {
	if at < 0 || at > len(b) || len(b)-at < size {
		return 0, false
	}
	var v uint32
	for _, c := range b[at : at+size] {
		v = v<<8 | uint32(c)
	}
	return v, true
}

// A binaryExpr combines two numbers.
type binaryExpr struct {
	op   string
	l, r expr
}

func (b *binaryExpr) eval(p *packet.Packet) (uint32, truth) {
	l, known := b.l.eval(p)
	r, t := b.r.eval(p)
	if known = min(known, t); known != yes {
		return 0, known
	}
	v, ok := compute(b.op, l, r)
	if !ok {
		return 0, unknown
	}
	return v, yes
}

// compute returns l op r, and reports whether there is such a number.
func compute(op string, l, r uint32) (uint32, bool) {
	switch op {
	case "+":
		return l + r, true
	case "-":
		return l - r, true
	case "*":
		return l * r, true
	case "&":
		return l & r, true
	case "|":
		return l | r, true
	case "^":
		return l ^ r, true
	case "<<":
		return l << r, true
	case ">>":
		return l >> r, true
	}
	if r == 0 {
		return 0, false
	}
	if op == "%" {
		return l % r, true
	}
	return l / r, true
}
