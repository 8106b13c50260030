package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of an expression. No real one comes near.
const (
	maxText  = 16 << 10 // bytes
	maxTerms = 500      // conditions and numbers
	maxDepth = 100      // parentheses and negations in each other
)

// Parse reads an expression. The empty one selects every packet. The error is a
// *SyntaxError.
func Parse(text string) (*Filter, error) {
	if len(text) > maxText {
		return nil, &SyntaxError{maxText, fmt.Sprintf("more than %d bytes", maxText)}
	}
	p := &parser{tokens: lex(text)}
	f := &Filter{text: text}
	if p.peek().kind == tokenEnd {
		return f, nil
	}
	v, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, p.leftover(t)
	}
	if f.root, err = p.condition(v); err != nil {
		return nil, err
	}
	return f, nil
}

// A parser reads tokens from the left.
type parser struct {
	tokens []token
	next   int
	last   qualifier // of the last primitive, for values without one
	terms  int
	depth  int
}

// A value is what was read of an expression: a condition or a number.
type value struct {
	node node // nil: a number
	num  expr
	at   token     // its first token
	bare qualifier // what a lone number means
}

func (p *parser) peek() token { return p.tokens[p.next] }

// peekAt returns the i-th token from here.
func (p *parser) peekAt(i int) token { return p.tokens[min(p.next+i, len(p.tokens)-1)] }

// take returns the next token; the one at the end stays.
func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokenEnd {
		p.next++
	}
	return t
}

// accept takes the next token if it is one of texts.
func (p *parser) accept(texts ...string) bool {
	t := p.peek()
	for _, s := range texts {
		if t.kind != tokenEnd && t.text == s {
			p.next++
			return true
		}
	}
	return false
}

func (p *parser) fail(t token, format string, args ...any) error {
	return &SyntaxError{t.at, fmt.Sprintf(format, args...)}
}

// unexpected is the error for a token that nothing can begin with.
func (p *parser) unexpected(t token) error {
	if t.kind == tokenEnd {
		return p.fail(t, "something is missing at the end")
	}
	return p.fail(t, "%.40q is not expected here", t.text)
}

// leftover is the error for a token that nothing can go on with.
func (p *parser) leftover(t token) error {
	switch {
	case t.kind != tokenOperator || t.text == "(" || t.text == "!":
		return p.fail(t, "%.40q follows without \"and\" or \"or\"", t.text)
	case t.text == ")":
		return p.fail(t, "\")\" without \"(\"")
	}
	return p.unexpected(t)
}

// term counts the parts of the expression.
func (p *parser) term(t token) error {
	if p.terms++; p.terms > maxTerms {
		return p.fail(t, "more than %d conditions and numbers", maxTerms)
	}
	return nil
}

// enter counts the depth of the expression; the caller leaves by p.depth--.
func (p *parser) enter(t token) error {
	if p.depth++; p.depth > maxDepth {
		return p.fail(t, "nested more than %d deep", maxDepth)
	}
	return nil
}

// expression reads terms that "and" and "or" join, which bind equally, from the
// left.
func (p *parser) expression() (value, error) {
	l, err := p.negation()
	if err != nil {
		return l, err
	}
	for {
		var or bool
		switch {
		case p.accept("and", "&&"):
		case p.accept("or", "||"):
			or = true
		default:
			return l, nil
		}
		left, err := p.condition(l)
		if err != nil {
			return l, err
		}
		r, err := p.negation()
		if err != nil {
			return l, err
		}
		right, err := p.condition(r)
		if err != nil {
			return l, err
		}
		l = value{node: &both{left, right}, at: l.at}
		if or {
			l.node = &either{left, right}
		}
	}
}

// negation reads a term and what negates it.
func (p *parser) negation() (value, error) {
	t := p.peek()
	if !p.accept("not", "!") {
		return p.relation()
	}
	if err := p.enter(t); err != nil {
		return value{}, err
	}
	defer func() { p.depth-- }()
	v, err := p.negation()
	if err != nil {
		return v, err
	}
	n, err := p.condition(v)
	if err != nil {
		return v, err
	}
	return value{node: &not{n}, at: t}, nil
}

// relation reads a primitive, or a number and what it is compared with.
func (p *parser) relation() (value, error) {
	l, err := p.arithmetic(0)
	if err != nil {
		return l, err
	}
	op := p.peek()
	if !p.accept("==", "=", "!=", "<", "<=", ">", ">=") {
		return l, nil
	}
	r, err := p.arithmetic(0)
	if err != nil {
		return l, err
	}
	for _, v := range []value{l, r} {
		if v.node != nil {
			return l, p.fail(v.at, "a condition cannot be compared; a number was expected")
		}
	}
	if op.text == "=" {
		op.text = "=="
	}
	return value{node: &relation{op.text, l.num, r.num}, at: l.at}, nil
}

// precedence are the operators on numbers, from those that bind least.
var precedence = [...][]string{{"|", "&", "^"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

// arithmetic reads numbers that operators of a level, or of those above it,
// join.
func (p *parser) arithmetic(level int) (value, error) {
	if level == len(precedence) {
		return p.primary()
	}
	l, err := p.arithmetic(level + 1)
	if err != nil {
		return l, err
	}
	for {
		op := p.peek()
		if l.node != nil || !p.accept(precedence[level]...) {
			return l, nil
		}
		r, err := p.arithmetic(level + 1)
		if err != nil {
			return l, err
		}
		if r.node != nil {
			return l, p.fail(r.at, "a number was expected after %q", op.text)
		}
		if zero, ok := r.num.(constant); ok && zero == 0 && (op.text == "/" || op.text == "%") {
			return l, p.fail(r.at, "division by zero")
		}
		l = value{num: fold(&binaryExpr{op.text, l.num, r.num}), at: l.at}
	}
}

// fold computes what does not depend on the packet.
func fold(b *binaryExpr) expr {
	l, ok := b.l.(constant)
	if !ok {
		return b
	}
	r, ok := b.r.(constant)
	if !ok {
		return b
	}
	v, _ := compute(b.op, uint32(l), uint32(r))
	return constant(v)
}

// condition returns the condition that v is. A lone number is what the last
// word before it says.
func (p *parser) condition(v value) (node, error) {
	if v.node != nil {
		return v.node, nil
	}
	if v.bare.what == nothing {
		return nil, p.fail(v.at, "a number is no condition: compare it, or put a word such as \"type\" before it")
	}
	return p.primitive(v.bare, v.at)
}

// primary reads a primitive, a number, or an expression in parentheses.
func (p *parser) primary() (value, error) {
	t := p.take()
	if err := p.term(t); err != nil {
		return value{}, err
	}
	switch {
	case t.text == "(":
		return p.parenthesis(t)
	case t.text == "-":
		return p.negative(t)
	case t.kind == tokenNumber:
		return p.number(t)
	case t.kind == tokenWord:
		return p.word(t)
	}
	return value{}, p.unexpected(t)
}

func (p *parser) parenthesis(t token) (value, error) {
	if err := p.enter(t); err != nil {
		return value{}, err
	}
	defer func() { p.depth-- }()
	v, err := p.expression()
	if err != nil {
		return v, err
	}
	if end := p.peek(); !p.accept(")") {
		if end.kind == tokenEnd {
			return v, p.fail(end, "\")\" is missing")
		}
		return v, p.leftover(end)
	}
	v.at = t
	return v, nil
}

func (p *parser) negative(t token) (value, error) {
	if err := p.enter(t); err != nil {
		return value{}, err
	}
	defer func() { p.depth-- }()
	v, err := p.primary()
	if err != nil {
		return v, err
	}
	if v.node != nil {
		return v, p.fail(v.at, "a number was expected after \"-\"")
	}
	return value{num: fold(&binaryExpr{"-", constant(0), v.num}), at: t}, nil
}

// number reads a number or an address. What a lone number means is seen later.
func (p *parser) number(t token) (value, error) {
	if strings.ContainsAny(t.text, ".:") {
		return p.bareAddress(t)
	}
	n, err := strconv.ParseUint(t.text, 0, 32)
	if err != nil {
		return value{}, p.fail(t, "%.40q is not a number from 0 to 4294967295", t.text)
	}
	return value{num: constant(n), at: t, bare: p.last}, nil
}

// bareAddress reads an address without a word before it, which is a host, or a
// network if it has a length.
func (p *parser) bareAddress(t token) (value, error) {
	q := p.last
	if q.what == nothing {
		q.what = aHost
	}
	if q.what == aHost && p.peek().text == "/" {
		q.what = aNet
	}
	n, err := p.primitive(q, t)
	return value{node: n, at: t}, err
}
