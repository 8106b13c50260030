package fingerprint

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// A Finding is what is odd about a packet or a capture.
type Finding struct {
	Code     string // stable word
	Severity string // "info", "warning" or "fault"
	Text     string // plain words: a sentence, or of a packet's own a few
	Frames   []int  // the first few that show it; none in a packet's own
	Evidence []Fact // none in a packet's own: it is the evidence
}

// A Fact is a piece of evidence.
type Fact struct {
	Name  string
	Value any // int or netip.Addr
}

// code is a kind of finding.
type code uint8

const (
	flood code = iota
	sweep
	tunnelLike
	answersDiffer
	groupRequest
	smurf
	redirect
	redirectOther
	redirectInvalid
	routerSecond
	routerGone
	ndHopLimit
	ndSource
	mtuAbsurd
	sourceQuench
	deprecated
	echoCode
	impossibleSource
	codes // how many there are
)

// kinds says what each code is. The words are documented in docs/json.md and do
// not change.
var kinds = [codes]struct {
	word, severity string
	brief, text    string // a packet's own, and of all of them
	number, other  string // what number and other of an entry are; "": nothing
}{
	flood:            {"flood", "warning", "", "More ICMP messages reach a host in a second than anybody needs.", "per_second", ""},
	sweep:            {"sweep", "warning", "", "One host asks many others in short time: somebody looks who is there.", "destinations", ""},
	tunnelLike:       {"tunnel", "warning", "", "Echo messages carry data of their own in both directions: this looks like a tunnel.", "changed", ""},
	answersDiffer:    {"answers_differ", "info", "", "Echo replies carry other data than their requests, which they should repeat.", "changed", ""},
	groupRequest:     {"group_request", "info", "to many hosts at once", "An echo request goes to many hosts at once.", "", ""},
	smurf:            {"smurf", "warning", "many of these in a second", "Echo requests go to many hosts in quick succession: all answers hit the address that they claim to come from.", "per_second", ""},
	redirect:         {"redirect", "info", "", "A router tells a host to take another way.", "", "gateway"},
	redirectOther:    {"redirect_other_router", "fault", "redirect from another station than the router", "A redirect comes from another station than the router that the packet went to. Hosts believe it, and should not.", "", "gateway"},
	redirectInvalid:  {"redirect_invalid", "fault", "redirect that hosts should ignore", "A redirect breaks the rules, and hosts should ignore it: it is forged, or its sender is broken.", "", "gateway"},
	routerSecond:     {"router_second", "warning", "a second router on this link", "A second router advertises itself on this link. If nobody knows it, it takes traffic that is not for it.", "", "first_router"},
	routerGone:       {"router_withdrawn", "warning", "router withdrawn", "A router says that it is none any more. If it is there still, somebody else said that.", "", ""},
	ndHopLimit:       {"nd_hop_limit", "fault", "hop limit is not 255: not of this link", "A neighbour discovery message with a hop limit other than 255 comes from beyond the link. Hosts ignore it (RFC 4861 section 7.1).", "hop_limit", ""},
	ndSource:         {"nd_source", "fault", "source is not link-local", "A message that routers send from their link-local address alone has another source. Hosts ignore it (RFC 4861 sections 6.1.2, 8.1).", "", ""},
	mtuAbsurd:        {"mtu_absurd", "warning", "absurd MTU", "A packet is said to be too big for a limit that cannot be: below what every link must carry, or not below the packet itself.", "mtu", ""},
	sourceQuench:     {"source_quench", "warning", "source quench is deprecated", "A source quench: deprecated, ignored by hosts, and good for nothing but to slow down those who obey (RFC 6633).", "", ""},
	deprecated:       {"deprecated_type", "info", "deprecated type", "A message of a type that is deprecated (RFC 6918) or for ancient hosts.", "type", ""},
	echoCode:         {"echo_code", "info", "echo request with a code", "An echo request with another code than 0. Programs that guess the operating system send that.", "code", ""},
	impossibleSource: {"impossible_source", "fault", "source that no host can have", "A message comes from an address that no host can have.", "", ""},
}

// Bounds of the book.
const (
	maxEntries = 512
	maxFrames  = 8
)

type bookKey struct {
	code     code
	src, dst netip.Addr
}

// An entry is a finding about a capture.
type entry struct {
	count   uint64
	number  int64
	other   netip.Addr
	entropy float64 // of tunnels
	frames  [maxFrames]int
	shown   int
}

// book collects findings.
type book struct {
	entries map[bookKey]*entry
	left    uint64 // messages for whose findings there was no room
}

// note counts a message that shows a finding; nil if there is no room for
// another.
func (b *book) note(c code, src, dst netip.Addr, frame int) *entry {
	k := bookKey{c, src, dst}
	e := b.entries[k]
	if e == nil {
		if len(b.entries) >= maxEntries {
			b.left++
			return nil
		}
		e = new(entry)
		b.entries[k] = e
	}
	e.count++
	if e.shown < maxFrames {
		e.frames[e.shown] = frame
		e.shown++
	}
	return e
}

// odd notes a finding about the packet at hand, which is told with it as well
// unless its name says it all.
func (o *Observer) odd(c code, src, dst netip.Addr, frame int) *entry {
	k := &kinds[c]
	if k.brief != "" {
		o.found = append(o.found, Finding{Code: k.word, Severity: k.severity, Text: k.brief})
	}
	return o.book.note(c, src, dst, frame)
}

func (b *book) clone() book {
	c := book{entries: make(map[bookKey]*entry, len(b.entries)), left: b.left}
	for k, e := range b.entries {
		same := *e
		c.entries[k] = &same
	}
	return c
}

// list returns the findings: the worst first, then in the order of the capture.
func (b *book) list() []Finding {
	keys := make([]bookKey, 0, len(b.entries))
	for k := range b.entries {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y bookKey) int {
		return cmp.Or(cmp.Compare(rank(y.code), rank(x.code)), cmp.Compare(b.entries[x].frames[0], b.entries[y].frames[0]),
			cmp.Compare(x.code, y.code), x.src.Compare(y.src), x.dst.Compare(y.dst))
	})
	list := make([]Finding, 0, len(keys))
	for _, k := range keys {
		list = append(list, b.entries[k].finding(&k))
	}
	return list
}

func rank(c code) int { return slices.Index([]string{"info", "warning", "fault"}, kinds[c].severity) }

func (e *entry) finding(k *bookKey) Finding {
	kind := &kinds[k.code]
	f := Finding{Code: kind.word, Severity: kind.severity, Text: kind.text, Frames: slices.Clone(e.frames[:e.shown])}
	add := func(name string, value any) { f.Evidence = append(f.Evidence, Fact{name, value}) }
	if k.src.IsValid() {
		add("src", k.src)
	}
	if k.dst.IsValid() {
		add("dst", k.dst)
	}
	add("messages", int(min(e.count, math.MaxInt)))
	if kind.number != "" {
		add(kind.number, int(e.number))
	}
	if kind.other != "" && e.other.IsValid() {
		add(kind.other, e.other)
	}
	if k.code == tunnelLike || k.code == answersDiffer {
		add("entropy_percent", int(math.Round(e.entropy/8*100))) // of 8 bits a byte
	}
	return f
}

func compareMakers(a, b Maker) int {
	return cmp.Or(cmp.Compare(a.Frame, b.Frame), a.Src.Compare(b.Src), a.Dst.Compare(b.Dst),
		cmp.Compare(a.Query, b.Query), cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Note, b.Note))
}
