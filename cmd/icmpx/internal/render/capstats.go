package render

import (
	"cmp"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/conversation"
)

// A CaptureStatsText renders the statistics of a capture for people.
type CaptureStatsText struct {
	Hosts int // pairs of hosts that are shown; 0: 20

	// Name returns the name of an address, "" if there is none; nil: addresses
	// alone.
	Name func(netip.Addr) string
}

// AppendStats appends a block: how much in which time, the types of messages,
// what became of the requests, and the pairs of hosts.
func (t *CaptureStatsText) AppendStats(b []byte, s *conversation.Stats) []byte {
	b = append(b, "\n--- ICMP statistics ---\n"...)
	b = appendVolume(b, s)
	b = appendTypes(b, s.ByType)
	b = appendFates(b, s)
	b = appendCaptureRTT(b, &s.RTT)
	b = appendOddities(b, s)
	return t.appendHosts(b, s)
}

// appendVolume appends "200 frames, 19600 bytes in 10.000 s: 20.0 frames/s, 15.7
// kbit/s".
func appendVolume(b []byte, s *conversation.Stats) []byte {
	b = appendMany(b, s.Frames, "frame")
	b = appendMany(append(b, ", "...), s.Bytes, "byte")
	d := s.Duration()
	if d <= 0 {
		return append(b, '\n')
	}
	b = strconv.AppendFloat(append(b, " in "...), d.Seconds(), 'f', 3, 64)
	b = appendThree(append(b, " s: "...), float64(s.Frames)/d.Seconds())
	b = appendBitRate(append(b, " frames/s, "...), 8*float64(s.Bytes)/d.Seconds())
	return append(b, '\n')
}

// appendBitRate appends a rate with about three digits: "15.7 kbit/s".
func appendBitRate(b []byte, rate float64) []byte {
	const units = "kMG"
	unit := -1
	for rate >= 999.5 && unit < len(units)-1 {
		rate /= 1000
		unit++
	}
	b = append(appendThree(b, rate), ' ')
	if unit >= 0 {
		b = append(b, units[unit])
	}
	return append(b, "bit/s"...)
}

// appendThree appends a number with a decimal, from a hundred on without.
func appendThree(b []byte, v float64) []byte {
	decimals := 1
	if v >= 99.95 {
		decimals = 0
	}
	return strconv.AppendFloat(b, v, 'f', decimals, 64)
}

// appendMany appends a count with its word.
func appendMany(b []byte, n uint64, word string) []byte {
	b = append(append(strconv.AppendUint(b, n, 10), ' '), word...)
	if n != 1 {
		b = append(b, 's')
	}
	return b
}

// appendTypes appends a line for each type and code: "  100  ICMP   8/0  Echo
// request".
func appendTypes(b []byte, list []conversation.TypeCount) []byte {
	var most uint64
	for i := range list {
		most = max(most, list[i].Messages)
	}
	width := len(strconv.FormatUint(most, 10))
	for i := range list {
		n := &list[i]
		b = appendRight(append(b, "  "...), strconv.FormatUint(n.Messages, 10), width)
		family := "  ICMP   "
		if n.Family == icmpx.IPv6 {
			family = "  ICMPv6 "
		}
		b = appendRight(append(b, family...), strconv.Itoa(int(n.Type)), 3)
		b = strconv.AppendInt(append(b, '/'), int64(n.Code), 10)
		for pad := len(strconv.Itoa(int(n.Code))); pad < 4; pad++ {
			b = append(b, ' ')
		}
		b = append(append(b, icmpx.Describe(n.Family, n.Type, n.Code)...), '\n')
	}
	return b
}

// appendRight appends a text at the right end of a column.
func appendRight(b []byte, s string, width int) []byte {
	for n := len(s); n < width; n++ {
		b = append(b, ' ')
	}
	return append(b, s...)
}

// appendFates appends what became of the requests.
func appendFates(b []byte, s *conversation.Stats) []byte {
	if s.Requests == 0 {
		return b
	}
	b = appendMany(b, s.Requests, "request")
	b = append(strconv.AppendUint(append(b, ": "...), s.Replies, 10), " answered"...)
	b = appendSome(b, s.Errors, "ended by an error")
	b = appendSome(b, s.Unanswered, "unanswered")
	b = appendSome(b, s.Waiting, "waiting")
	b = appendSome(b, s.Forgotten, "lost sight of: too many at once")
	b = strconv.AppendFloat(append(b, ", "...), s.LossPercent(), 'g', 4, 64)
	return append(b, "% loss\n"...)
}

// appendSome appends ", 3 late", and nothing for nought.
func appendSome(b []byte, n uint64, what string) []byte {
	if n == 0 {
		return b
	}
	b = strconv.AppendUint(append(b, ", "...), n, 10)
	return append(append(b, ' '), what...)
}

func appendCaptureRTT(b []byte, r *conversation.RTT) []byte {
	if r.N == 0 {
		return b
	}
	b = append(b, "rtt min/avg/max/mdev = "...)
	b = appendList(b, r.Min, r.Avg, r.Max, r.Mdev)
	b = append(b, " ms, p50/p90/p95/p99 = "...)
	return append(appendList(b, r.P50, r.P90, r.P95, r.P99), " ms\n"...)
}

// appendOddities appends a line of what an undisturbed exchange does not have.
func appendOddities(b []byte, s *conversation.Stats) []byte {
	start := len(b)
	for _, n := range [...]struct {
		n         uint64
		one, many string
	}{
		{s.Late, "late reply", "late replies"},
		{s.Duplicates, "duplicate reply", "duplicate replies"},
		{s.Repeats, "request sent again", "requests sent again"},
		{s.More, "further reply", "further replies"},
		{s.Unasked, "reply that nobody asked for", "replies that nobody asked for"},
		{s.AllErrors, "error message", "error messages"},
		{s.Copies, "packet seen twice", "packets seen twice"},
		{s.Fragments, "fragment of a message besides its last", "fragments of messages besides the last of each"},
	} {
		word := n.many
		if n.n == 1 {
			word = n.one
		}
		b = appendSome(b, n.n, word)
	}
	if len(b) == start {
		return b
	}
	return append(append(b[:start], b[start+2:]...), '\n')
}

// defaultHosts is how many pairs of hosts are shown.
const defaultHosts = 20

// appendHosts appends the table of pairs of hosts, those that sent most first.
func (t *CaptureStatsText) appendHosts(b []byte, s *conversation.Stats) []byte {
	if len(s.ByHosts) == 0 {
		return b
	}
	shown := s.ByHosts[:min(len(s.ByHosts), cmp.Or(t.Hosts, defaultHosts))]
	names := make([][]byte, len(shown))
	width := len("hosts")
	for i := range shown {
		names[i] = t.appendEnds(nil, &shown[i])
		width = max(width, utf8.RuneCount(names[i]))
	}
	b = appendLeft(b, []byte("hosts"), width)
	b = append(b, "   packets      bytes  requests   replies    errors     lost    avg ms\n"...)
	for i := range shown {
		b = appendLeft(b, names[i], width)
		b = append(appendPairRow(b, &shown[i]), '\n')
	}
	hidden := len(s.ByHosts) - len(shown)
	rest := s.Others
	for i := range s.ByHosts[len(shown):] {
		p := &s.ByHosts[len(shown)+i]
		rest.Packets += p.Packets
		rest.Bytes += p.Bytes
	}
	switch {
	case s.Folded > 0:
		b = append(b, "and many more hosts: "...)
	case hidden > 0:
		b = append(appendMany(append(b, "and "...), uint64(hidden), "more pair"), ": "...)
	default:
		return b
	}
	b = appendMany(b, rest.Packets, "packet")
	return append(appendMany(append(b, ", "...), rest.Bytes, "byte"), '\n')
}

func appendLeft(b, s []byte, width int) []byte {
	b = append(b, s...)
	for n := utf8.RuneCount(s); n < width; n++ {
		b = append(b, ' ')
	}
	return b
}

func (t *CaptureStatsText) appendEnds(b []byte, p *conversation.HostPair) []byte {
	b = t.appendHost(b, p.Src)
	return t.appendHost(append(b, " > "...), p.Dst)
}

func (t *CaptureStatsText) appendHost(b []byte, a netip.Addr) []byte {
	if t.Name != nil {
		if name := t.Name(a); name != "" {
			return AppendName(b, name)
		}
	}
	return AppendAddr(b, a)
}

func appendPairRow(b []byte, p *conversation.HostPair) []byte {
	for _, n := range [...]struct {
		n     uint64
		width int
	}{{p.Packets, 10}, {p.Bytes, 11}, {p.Requests, 10}, {p.Replies, 10}, {p.Errors, 10}, {p.Unanswered, 9}} {
		b = appendRight(b, strconv.FormatUint(n.n, 10), n.width)
	}
	if p.RTT.N == 0 {
		return appendRight(b, "-", 10)
	}
	us := p.RTT.Avg.Round(time.Microsecond).Microseconds()
	return appendRight(b, strconv.FormatFloat(float64(us)/1000, 'f', 3, 64), 10)
}
