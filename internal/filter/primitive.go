package filter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A qualifier is the words in front of a value, which say what is compared with
// it.
type qualifier struct {
	what   subject
	family icmpx.Family // 0: either
	dir    direction
	quoted bool
}

// A subject is what a primitive is about.
type subject uint8

const (
	nothing subject = iota
	aHost
	aNet
	aProto
	aType
	aCode
	anID
	aSeq
)

// A direction says which of two addresses is compared.
type direction uint8

const (
	srcOrDst direction = iota
	srcOnly
	dstOnly
	srcAndDst
)

// word reads what begins with a word.
func (p *parser) word(t token) (value, error) {
	if strings.Contains(t.text, ":") { // an address that begins with a letter
		return p.bareAddress(t)
	}
	if v, ok := pcapName(t.text); ok {
		return value{num: constant(v), at: t, bare: p.last}, nil
	}
	n, err := p.keyword(t)
	if err == nil && n == nil {
		return p.layer(t)
	}
	return value{node: n, at: t}, err
}

// keyword reads a primitive that begins with a word. It returns nil for words
// that may begin a number.
func (p *parser) keyword(t token) (node, error) {
	switch t.text {
	case "ip", "ip6", "icmp", "icmp6", "len":
		return nil, nil
	case "host", "net", "src", "dst", "proto", "type", "code", "id", "seq":
		p.next--
		return p.qualified(qualifier{})
	case "quoted":
		return p.qualified(qualifier{quoted: true})
	case "greater", "less":
		op := ">="
		if t.text == "less" {
			op = "<="
		}
		v, err := p.take32(t, 1<<32-1)
		return &relation{op, length{}, constant(v)}, err
	case "vlan":
		if p.peek().kind != tokenNumber {
			return &hasVLAN{-1}, nil
		}
		v, err := p.take32(t, 4095)
		return &hasVLAN{int(v)}, err
	case "inbound":
		return &hasDirection{packet.Incoming}, nil
	case "outbound":
		return &hasDirection{packet.Outgoing}, nil
	}
	if p.last.what == aType && typed(t.text) != nil || p.last.what == aCode && codes(t.text) != nil {
		return p.primitive(p.last, t)
	}
	return nil, p.refuse(t)
}

// layer reads what begins with a protocol: the protocol alone, bytes of it, or
// a primitive for one IP version.
func (p *parser) layer(t token) (value, error) {
	if t.text == "len" {
		return value{num: length{}, at: t}, nil
	}
	family := icmpx.IPv4
	if strings.HasSuffix(t.text, "6") {
		family = icmpx.IPv6
	}
	var is isLayer = &isFamily{family}
	if strings.HasPrefix(t.text, "icmp") {
		is = &isICMP{family}
	}
	next := p.peek()
	switch {
	case next.text == "[":
		return p.load(t, is)
	case strings.HasPrefix(t.text, "icmp"):
	case next.text == "multicast":
		p.take()
		return value{node: multicast(family), at: t}, nil
	case next.text == "host", next.text == "net", next.text == "src", next.text == "dst", next.text == "proto",
		next.kind == tokenNumber, next.kind == tokenWord && strings.Contains(next.text, ":"):
		n, err := p.qualified(qualifier{family: family})
		return value{node: n, at: t}, err
	}
	return value{node: is, at: t}, nil
}

// multicast is true of packets to groups of a family.
func multicast(f icmpx.Family) node {
	prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{224}), 4)
	if f == icmpx.IPv6 {
		prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xff}), 8)
	}
	return &inPrefix{prefix: prefix, dst: true}
}

// load reads the offset and size of bytes in a layer, in brackets.
func (p *parser) load(t token, is isLayer) (value, error) {
	if err := p.enter(t); err != nil {
		return value{}, err
	}
	defer func() { p.depth-- }()
	p.take()
	v, err := p.arithmetic(0)
	if err != nil {
		return v, err
	}
	if v.node != nil {
		return v, p.fail(v.at, "a number was expected in brackets")
	}
	l := &load{layer: is, at: v.num, size: 1}
	if p.accept(":") {
		size := p.take()
		if size.text != "1" && size.text != "2" && size.text != "4" {
			return v, p.fail(size, "the size must be 1, 2 or 4 bytes")
		}
		l.size = int(size.text[0] - '0')
	}
	if end := p.take(); end.text != "]" {
		return v, p.fail(end, "\"]\" is missing")
	}
	return value{num: l, at: t}, nil
}

// take32 reads a number of at most most.
func (p *parser) take32(after token, most uint64) (uint32, error) {
	t := p.take()
	v, err := strconv.ParseUint(t.text, 0, 32)
	if err != nil || v > most {
		return 0, p.fail(t, "a number from 0 to %d was expected after %q", most, after.text)
	}
	return uint32(v), nil
}

// qualified reads qualifiers and the value behind them.
func (p *parser) qualified(q qualifier) (node, error) {
	p.direction(&q)
	t := p.peek()
	addresses := q.quoted || q.dir != srcOrDst
	switch {
	case p.accept("host"):
		q.what = aHost
	case p.accept("net"):
		q.what = aNet
	case !addresses && p.accept("proto"):
		q.what = aProto
	case !addresses && q.family == 0 && t.kind == tokenWord && numeric(t.text) != nothing:
		p.take()
		q.what = numeric(t.text)
	case slices.Contains(transports, t.text), slices.Contains(links, t.text):
		return nil, p.refuse(t)
	default:
		q.what = aHost
	}
	p.accept("\\") // pcap's way to say that a keyword is none
	v := p.take()
	if v.kind != tokenNumber && v.kind != tokenWord {
		return nil, p.fail(v, "a value is missing")
	}
	return p.primitive(q, v)
}

// numeric returns the subject of a word that a number of the message follows.
func numeric(word string) subject {
	switch word {
	case "type":
		return aType
	case "code":
		return aCode
	case "id":
		return anID
	case "seq":
		return aSeq
	}
	return nothing
}

// direction reads "src", "dst", and the two joined.
func (p *parser) direction(q *qualifier) {
	first := p.peek().text
	if !p.accept("src", "dst") {
		return
	}
	q.dir = srcOnly
	if first == "dst" {
		q.dir = dstOnly
	}
	join, second := p.peek().text, p.peekAt(1).text
	if (second == "src" || second == "dst") && second != first {
		switch join {
		case "or", "||":
			q.dir = srcOrDst
		case "and", "&&":
			q.dir = srcAndDst
		default:
			return
		}
		p.next += 2
	}
}

// primitive returns the condition that what q says has the value v.
func (p *parser) primitive(q qualifier, v token) (node, error) {
	p.last = q
	switch q.what {
	case aHost, aNet:
		prefix, err := p.prefix(q, v)
		if err != nil {
			return nil, err
		}
		return q.addresses(prefix), nil
	case aProto:
		return p.proto(q, v)
	case aType:
		return p.typeOf(v)
	case aCode:
		return p.codeOf(v)
	}
	n, err := strconv.ParseUint(v.text, 0, 16)
	if err != nil {
		return nil, p.fail(v, "%.40q is not a number from 0 to 65535", v.text)
	}
	return &hasField{seq: q.what == aSeq, value: uint32(n)}, nil
}

// addresses returns the condition on one address or both.
func (q qualifier) addresses(prefix netip.Prefix) node {
	src := &inPrefix{prefix, false, q.quoted}
	dst := &inPrefix{prefix, true, q.quoted}
	switch q.dir {
	case srcOnly:
		return src
	case dstOnly:
		return dst
	case srcAndDst:
		return &both{src, dst}
	}
	return &either{src, dst}
}

func (p *parser) proto(q qualifier, v token) (node, error) {
	switch v.text {
	case "icmp":
		return &isProto{q.family, 1}, nil
	case "icmp6", "ipv6-icmp":
		return &isProto{q.family, 58}, nil
	}
	n, err := strconv.ParseUint(v.text, 0, 8)
	if err != nil {
		return nil, p.fail(v, "%.40q is not a protocol number, icmp or icmp6", v.text)
	}
	return &isProto{q.family, uint8(n)}, nil
}

func (p *parser) typeOf(v token) (node, error) {
	if n, err := strconv.ParseUint(v.text, 0, 8); err == nil {
		return &isType{[]familyType{{icmpx.IPv4, uint8(n)}, {icmpx.IPv6, uint8(n)}}}, nil
	}
	n := typed(v.text)
	if n == nil {
		return nil, p.fail(v, "%.40q is not the number or the name of an ICMP type%s", v.text, didYouMean(v.text))
	}
	return n, nil
}

func (p *parser) codeOf(v token) (node, error) {
	if n, err := strconv.ParseUint(v.text, 0, 8); err == nil {
		return &isCode{uint8(n)}, nil
	}
	n := codes(v.text)
	switch {
	case n != nil:
		return n, nil
	case typed(v.text) != nil:
		return nil, p.fail(v, "%.40q is the name of a type: say \"type %.40s\"", v.text, v.text)
	}
	return nil, p.fail(v, "%.40q is not the number or the name of an ICMP code%s", v.text, didYouMean(v.text))
}

// transports, links and others are words of pcap that are not taken.
var (
	transports = []string{"tcp", "udp", "sctp", "port", "portrange", "igmp", "pim", "ah", "esp", "carp", "vrrp", "igrp", "protochain"}
	links      = []string{"ether", "link", "arp", "rarp", "fddi", "tr", "wlan", "llc", "mpls", "pppoes", "pppoed", "geneve", "vxlan",
		"broadcast", "gateway", "iso", "clnp", "stp", "decnet", "atalk", "aarp", "ipx", "netbeui", "lat", "ppp", "slip", "radio"}
	captures = []string{"ifname", "on", "rnr", "rulenum", "reason", "rset", "ruleset", "srnr", "subrulenum", "action", "dir", "subtype", "ifindex"}
)

// refuse is the error for a word that is not taken.
func (p *parser) refuse(t token) error {
	switch {
	case slices.Contains(transports, t.text) || strings.HasPrefix(t.text, "tcp"):
		return p.fail(t, "%.40q is not an ICMP filter: \"quoted host A\" selects errors by the packets that they are about", t.text)
	case slices.Contains(links, t.text):
		return p.fail(t, "%.40q is not an ICMP filter: of the layers below IP only \"vlan\" can be asked for", t.text)
	case slices.Contains(captures, t.text):
		return p.fail(t, "%.40q is not an ICMP filter: of a capture only \"inbound\" and \"outbound\" can be asked for", t.text)
	case t.text == "multicast":
		return p.fail(t, "say \"ip multicast\" or \"ip6 multicast\"")
	case t.text == "and", t.text == "or":
		return p.fail(t, "something is missing before %q", t.text)
	case typed(t.text) != nil:
		return p.fail(t, "say \"type %.40s\"", t.text)
	}
	return p.fail(t, "%.40q is neither a word of filters nor an address; names of hosts are not looked up", t.text)
}
