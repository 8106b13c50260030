package main

import (
	"errors"
	"math"
	"strings"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/internal/filter"
	"github.com/icmpx/icmpx/internal/packet"
)

func decodeCommand() *command {
	return &command{
		name:  "decode",
		args:  "FILE...",
		about: "show and explain the ICMP packets of a capture",
		flags: []getopt.Flag{
			{Long: "all", Usage: "frames without ICMP as well"},
			{Short: 'c', Long: "count", Value: "N", Usage: "stop after N packets"},
			{Short: 'x', Long: "dump", Usage: "bytes in hex and as ASCII; twice: link header as well"},
			{Long: "extract", Value: "DIR", Usage: "write what echo payloads carry to files in DIR"},
			{Long: "filter", Value: "EXPR", Usage: "packets that match alone, as in \"icmp and host 192.0.2.1\""},
			{Long: "fingerprint", Usage: "who made the probes, and what is odd about the capture"},
			{Long: "hex", Usage: "the files are text: bytes in hex, as from xxd or tcpdump -x"},
			{Short: 'j', Long: "json", Usage: "one JSON object per line instead of text"},
			{Short: 'l', Long: "line-buffered", Usage: "write each packet at once"},
			{Long: "link", Value: "TYPE", Usage: "what the bytes of --hex begin with; default auto"},
			{Long: "nano", Usage: "times in nanoseconds"},
			{Short: '#', Long: "number", Usage: "the number of each frame"},
			{Short: 'n', Long: "numeric", Usage: "do not look up names of addresses; the default"},
			{Long: "pair", Usage: "say which request each answer belongs to"},
			{Long: "no-raw", Usage: "with --json: leave out the bytes of each message"},
			{Short: 'r', Long: "read", Value: "FILE", Usage: "read FILE; what follows is a filter, as with tcpdump"},
			{Long: "resolve", Usage: "look up names of addresses"},
			{Long: "stats", Usage: "statistics at the end: types, hosts, loss, RTT"},
			{Short: 't', Long: "stamp", Usage: "no times; -tt since 1970, -ttt since the last, -tttt date"},
			{Short: 'v', Long: "verbose", Usage: "every field of each packet"},
			{Short: 'X', Long: "dump-ascii", Usage: "the same as -x"},
		},
		refused: decodeRefused,
		examples: []string{
			"icmpx decode capture.pcapng              one line for each ICMP packet",
			"icmpx decode -v capture.pcapng           and every field of it",
			"icmpx decode --filter 'type 3' a.pcap    what was not reachable",
			"tcpdump -w - icmp | icmpx decode -       what another program captures",
			"xxd packet | icmpx decode --hex -        bytes as text",
		},
		run: runDecode,
	}
}

// decodeRefused are flags of tcpdump that are not taken, each with what to use
// instead.
var decodeRefused = []getopt.Flag{
	{Short: 'A', Refused: true, Instead: "-x shows the bytes in hex and as ASCII"},
	{Short: 'D', Refused: true, Instead: "ip link lists the interfaces"},
	{Short: 'e', Refused: true, Instead: "-xx shows the link header"},
	{Short: 'i', Refused: true, Instead: "icmpx listen -i shows what an interface sends and receives"},
	{Short: 'w', Refused: true, Instead: "icmpx listen -w writes a capture"},
}

// A decodeRun is what a command line of decode asks for.
type decodeRun struct {
	files  []string
	match  func(*packet.Packet) bool // nil: all packets
	all    bool
	most   int
	hex    bool // the files are text
	link   packet.LinkType
	guess  bool // what the bytes of the text begin with
	stamp  render.StampStyle
	dump   render.HexScope
	eager  bool
	nano   bool
	number bool

	extract string // directory; "": payloads are not rebuilt
	filter  string // as it was given

	json, noRaw, verbose, resolve, pair, stats, fingerprint bool
}

// parseDecode reads the flags of decode. An error is a usage error.
func parseDecode(line *getopt.Line, cmd *command) (*decodeRun, error) {
	r := &decodeRun{hex: line.Has("hex")}
	v := &valueReader{line: line, cmd: cmd}
	r.readViews(v)
	r.readLink(v)
	r.readFiles(v)
	return r, v.err
}

// readViews reads which packets are shown, and how: what decode and listen have
// in common.
func (r *decodeRun) readViews(v *valueReader) {
	line := v.line
	r.all, r.eager, r.nano, r.number = line.Has("all"), line.Has("line-buffered"), line.Has("nano"), line.Has("number")
	r.json, r.noRaw, r.verbose, r.resolve = line.Has("json"), line.Has("no-raw"), line.Has("verbose"), line.Has("resolve")
	r.pair, r.stats = line.Has("pair"), line.Has("stats")
	if dir, ok := v.text("extract"); ok {
		if dir == "" {
			v.fail("extract", dir, "the name of a directory")
		}
		r.extract = dir
	}
	r.fingerprint = line.Has("fingerprint")
	r.most = v.whole("count", 1, math.MaxInt, 0)
	r.stamp = render.StampStyle(min(len(line.Values("stamp")), int(render.StampSinceOne)))
	r.dump = render.HexScope(min(len(line.Values("dump"))+len(line.Values("dump-ascii")), int(render.HexFrame)))
	switch {
	case r.json && (r.dump != render.HexNone || r.verbose || r.pair):
		v.refuse(errors.New("-v, -x and --pair are for people; --json has all of it"))
	case r.noRaw && !r.json:
		v.refuse(errors.New("--no-raw is a part of --json; without it people see bytes only with -x"))
	case r.resolve && line.Has("numeric"):
		v.refuse(errors.New("-n and --resolve exclude each other"))
	}
}

// links are the words of --link.
var links = []struct {
	word string
	link packet.LinkType
}{
	{"ethernet", packet.LinkEthernet}, {"ip", packet.LinkRaw}, {"icmp", packet.LinkICMP}, {"icmp6", packet.LinkICMP6},
	{"sll", packet.LinkCooked}, {"sll2", packet.LinkCookedV2}, {"null", packet.LinkNull}, {"ppp", packet.LinkPPP},
}

func (r *decodeRun) readLink(v *valueReader) {
	words := []string{"auto"}
	for _, l := range links {
		words = append(words, l.word)
	}
	i := v.choice("link", words...)
	r.guess = i <= 0
	if i > 0 {
		r.link = links[i-1].link
		if !r.hex {
			v.refuse(errors.New("--link is for --hex: a capture says what its frames begin with"))
		}
	}
}

// filterHint says what a filter is made of.
const filterHint = "icmp, icmp6, host A, net A/N, type NAME, code N, id N, seq N, with src or dst before and and, or, not between"

// readFiles tells files from the words of a filter: behind -r these follow, as
// with tcpdump.
func (r *decodeRun) readFiles(v *valueReader) {
	filters := v.line.Values("filter")
	r.files = v.line.Operands
	if read := v.line.Values("read"); len(read) > 0 {
		if len(r.files) > 0 {
			filters = append(filters, strings.Join(r.files, " "))
		}
		r.files = read
	}
	stdin := 0
	for _, f := range r.files {
		if f == "-" {
			stdin++
		}
	}
	switch {
	case len(r.files) == 0:
		v.refuse(&usageError{err: errors.New("no file given"), hint: "icmpx decode FILE; - is standard input"})
	case stdin > 1:
		v.refuse(errors.New("standard input can be read once"))
	case len(filters) > 1:
		v.refuse(errors.New("more than one filter given"))
	case len(filters) == 1:
		f, err := filter.Parse(filters[0])
		if err != nil {
			v.refuse(&usageError{err: err, hint: filterHint})
			return
		}
		r.filter, r.match = filters[0], f.Match
	}
}
